/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * gmem: guest memory whose pages are either shared with the host or private
 * to the guest.
 */
#ifndef _UAPI_LINUX_GMEM_H
#define _UAPI_LINUX_GMEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General ioctl format
 *
 * Every ioctl takes a pointer to a structure whose first member is its size in
 * bytes. A structure only ever grows at its end. The kernel accepts
 *
 *  - a size smaller than its own: the missing tail reads as zero, and outputs
 *    in the missing tail are not written;
 *  - a size larger than its own: the unknown tail must be zero.
 *
 * Reserved members must be zero, unknown flags are refused. Offsets and lengths
 * are in bytes and multiples of the page size.
 *
 * Errors that every ioctl may return:
 *
 *  - ENOTTY: the ioctl number is unknown on this kind of fd.
 *  - E2BIG: the unknown tail of a larger structure is not zero, or the size is
 *    larger than a page.
 *  - EINVAL: the size is smaller than the first version of the structure, a
 *    reserved member is not zero, a flag is unknown, or a member is out of the
 *    range given with it.
 *  - EOPNOTSUPP: the value is known, but this kernel, this fd or the binding
 *    of the range cannot do it.
 *  - EOVERFLOW: offset plus length does not fit in 64 bits.
 *  - EFAULT: the structure, or memory it points to, cannot be read or written.
 *  - ENOMEM: the kernel is out of memory, or a memory cgroup is at its limit.
 *    Nothing has changed.
 *  - EINTR: a signal arrived first. Nothing has changed. (With SA_RESTART the
 *    call is restarted instead.)
 */

/* 'G' 0xe0..0xef is free in Documentation/userspace-api/ioctl/ioctl-number.rst */
#define GMEM_IOCTL_TYPE 'G'

/** GMEM_ABI_VERSION: raised whenever userspace has to know of a change. */
#define GMEM_ABI_VERSION 1

/** GMEM_DEVICE_PATH: the character device; its mode is 0600. */
#define GMEM_DEVICE_PATH "/dev/gmem"

enum {
	GMEM_CMD_BASE = 0xe0,
	GMEM_CMD_INFO = GMEM_CMD_BASE,
	GMEM_CMD_CREATE,
	GMEM_CMD_CONVERT,
	GMEM_CMD_QUERY,
	GMEM_CMD_STAT,
	GMEM_CMD_BIND,
	GMEM_CMD_UNBIND,
	GMEM_CMD_VIEW,
	GMEM_CMD_VIEW_POPULATE,
	GMEM_CMD_VIEW_FAULT,
	GMEM_CMD_HOLDER,
};

/**
 * enum gmem_state - state of a page
 * @GMEM_STATE_SHARED: the host may map and access the page.
 * @GMEM_STATE_PRIVATE: the page is the guest's; no host access path reaches it.
 */
enum gmem_state {
	GMEM_STATE_SHARED = 0,
	GMEM_STATE_PRIVATE = 1,
};

/**
 * enum gmem_content - what a conversion does to the contents of a page
 * @GMEM_CONTENT_PRESERVE: the contents survive, in the same physical page.
 * @GMEM_CONTENT_ZERO: the converted pages read zero afterwards. Their memory is
 *	released: they are unpopulated after the conversion.
 */
enum gmem_content {
	GMEM_CONTENT_PRESERVE = 0,
	GMEM_CONTENT_ZERO = 1,
};

/**
 * enum gmem_store - where the private pages of a range live
 * @GMEM_STORE_RESIDENT: in the gmem fd itself (no binding).
 * @GMEM_STORE_KVM: in a KVM guest_memfd; needs the module gmem_kvm.
 */
enum gmem_store {
	GMEM_STORE_RESIDENT = 0,
	GMEM_STORE_KVM = 1,
};

/* Features of GMEM_IOCTL_INFO */
#define GMEM_FEATURE_STORE_KVM	(1ULL << 0) /* gmem_kvm is loaded */
#define GMEM_FEATURE_NUMA	(1ULL << 1) /* nodes and mbind() are heeded */
#define GMEM_FEATURE_RANGES	(1ULL << 2) /* GMEM_CONVERT_F_RANGES */
#define GMEM_FEATURE_EVENT	(1ULL << 3) /* GMEM_CONVERT_F_EVENT */
#define GMEM_FEATURE_VIEW	(1ULL << 4) /* GMEM_IOCTL_VIEW */
/* gmem_kvm is loaded, and knows where vCPUs fault: GMEM_IOCTL_VIEW_FAULT */
#define GMEM_FEATURE_VIEW_FAULT	(1ULL << 5)
#define GMEM_FEATURE_HOLDER	(1ULL << 6) /* GMEM_IOCTL_HOLDER */

/**
 * struct gmem_ioctl_info - ioctl(GMEM_IOCTL_INFO), on /dev/gmem
 * @size: sizeof(struct gmem_ioctl_info)
 * @abi_version: out: GMEM_ABI_VERSION of the running module
 * @features: out: GMEM_FEATURE_*
 * @create_flags: out: GMEM_CREATE_F_* that GMEM_IOCTL_CREATE accepts
 * @max_length: out: the largest length of a gmem fd, in bytes
 * @page_size: out: unit of every offset and length, in bytes
 * @max_timeout_ms: out: the largest timeout of GMEM_IOCTL_CONVERT
 * @reserved: must be zero
 */
struct gmem_ioctl_info {
	__u32 size;
	__u32 abi_version;
	__aligned_u64 features;
	__aligned_u64 create_flags;
	__aligned_u64 max_length;
	__u32 page_size;
	__u32 max_timeout_ms;
	__aligned_u64 reserved[2];
};
#define GMEM_IOCTL_INFO _IO(GMEM_IOCTL_TYPE, GMEM_CMD_INFO)

/* Flags of GMEM_IOCTL_CREATE */
#define GMEM_CREATE_F_INIT_SHARED	(1U << 0) /* every page starts shared */
#define GMEM_CREATE_F_NODE		(1U << 1) /* @node is valid */
/* Private contents become shared only if the guest asks for it. */
#define GMEM_CREATE_F_GUEST_CONSENT	(1U << 2)

/** GMEM_NAME_MAX: room for the name of a gmem fd, its NUL byte included. */
#define GMEM_NAME_MAX 32

/**
 * struct gmem_ioctl_create - ioctl(GMEM_IOCTL_CREATE), on /dev/gmem
 * @size: sizeof(struct gmem_ioctl_create)
 * @flags: GMEM_CREATE_F_*. Without INIT_SHARED every page starts private.
 * @length: size of the memory in bytes: a multiple of the page size, 1 page to
 *	&gmem_ioctl_info.max_length. The size never changes.
 * @node: with GMEM_CREATE_F_NODE: a NUMA node that has memory; pages come from
 *	it while there is some left. Zero without the flag.
 * @fd_flags: 0 or O_CLOEXEC
 * @out_fd: out: the new gmem fd
 * @__pad: must be zero
 * @reserved: must be zero
 * @name: for people to tell fds apart, or empty: visible ASCII characters (no
 *	spaces), the rest of the array zero. It is in /proc/PID/maps, as the
 *	target of /proc/PID/fd/N ("/gmem:NAME (deleted)"), and in fdinfo. Names need not differ.
 *
 * No memory is allocated for the pages. The returned fd may be mapped with
 * MAP_SHARED, passed to other processes, and opened again through
 * /proc/PID/fd/N. Access to a private page through a mapping raises SIGBUS,
 * as does access beyond the end. read() and write() are not offered;
 * ftruncate() fails with EINVAL.
 *
 * fallocate() with mode 0 or FALLOC_FL_KEEP_SIZE commits (populates) a range, and fills
 * the caller's views of it;
 * with FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE it decommits it: contents are
 * gone, the memory is given back, and the state of each page stays as it is. An
 * unaligned range is EINVAL, as is committing past the end; the part of a hole
 * that is past the end is ignored. What was committed before an error (ENOMEM,
 * EINTR, EHWPOISON) stays committed. Other modes are EOPNOTSUPP. In a range that is
 * a hypervisor's a hole may fail with EAGAIN, when the hypervisor does not let go
 * of a page, or with an error of the hypervisor; and a signal may interrupt it.
 * What was decommitted before stays so, the rest is as before.
 * mbind() on a mapping sets the memory policy of the pages behind it, for all
 * mappings and for what is allocated from then on (nodes 0 to 59).
 *
 * lseek() with SEEK_DATA and SEEK_HOLE finds populated and unpopulated ranges of
 * what lives in this fd; private pages of a bound range live elsewhere and are
 * holes.
 *
 * With GMEM_CREATE_F_GUEST_CONSENT private contents are the guest's. By
 * GMEM_IOCTL_CONVERT a private page becomes shared only with GMEM_CONTENT_ZERO;
 * with its contents only the hypervisor to which the range is bound can convert
 * it, for its guest. The hypervisor is a kernel module; if it goes, private pages
 * stay private. A range that holds private contents cannot be bound to another.
 * Private pages that were committed and not used since hold none; a BIND that fails
 * half way counts as use.
 * The host can always take the memory back, by a hole or by ZERO.
 *
 * When memory of a page in this fd fails (hwpoison), its contents are lost: access
 * to it while it is shared raises SIGBUS with BUS_MCEERR_AR; committing,
 * converting and binding it fail with EHWPOISON, until a hole is punched there.
 * Other pages are not affected. (Pages in a store are the store's to look after;
 * PRESERVE to shared fails with EHWPOISON for one that has failed there.)
 *
 * Errors: EINVAL for a bad length, node, name or flag; EOPNOTSUPP for a node on a
 * kernel without NUMA; EBUSY while the machine hibernates (which it does not
 * while a gmem fd exists); EMFILE, ENFILE, ENOMEM.
 */
struct gmem_ioctl_create {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__s32 node;
	__u32 fd_flags;
	__s32 out_fd;
	__u32 __pad;
	__aligned_u64 reserved[3];
	char name[GMEM_NAME_MAX];
};
#define GMEM_IOCTL_CREATE _IO(GMEM_IOCTL_TYPE, GMEM_CMD_CREATE)

/** GMEM_CONVERT_TIMEOUT_MAX: largest @timeout_ms of a conversion. */
#define GMEM_CONVERT_TIMEOUT_MAX 60000

/* Flags of GMEM_IOCTL_CONVERT */
#define GMEM_CONVERT_F_RANGES	(1U << 0) /* @ranges and @nr_ranges are valid */
#define GMEM_CONVERT_F_EVENT	(1U << 1) /* @event_fd is valid */

/** GMEM_CONVERT_MAX_RANGES: largest @nr_ranges of a conversion. */
#define GMEM_CONVERT_MAX_RANGES 256

/** GMEM_CONVERT_MAX_EVENTS: how many @event_fd may wait for pages of one fd. */
#define GMEM_CONVERT_MAX_EVENTS 256

/**
 * struct gmem_convert_range - one of several ranges of a conversion
 * @offset: first byte
 * @length: bytes, not zero
 */
struct gmem_convert_range {
	__aligned_u64 offset;
	__aligned_u64 length;
};

/* out_flags of GMEM_IOCTL_CONVERT */
#define GMEM_CONVERT_OUT_PINNED	(1U << 0) /* folio_maybe_dma_pinned() holds */

/**
 * struct gmem_ioctl_convert - ioctl(GMEM_IOCTL_CONVERT), on a gmem fd
 * @size: sizeof(struct gmem_ioctl_convert)
 * @flags: GMEM_CONVERT_F_*
 * @offset: first byte of the range; zero with GMEM_CONVERT_F_RANGES
 * @length: bytes, not zero; the range must end inside the fd. Zero with
 *	GMEM_CONVERT_F_RANGES
 * @target: enum gmem_state to convert to
 * @content: enum gmem_content
 * @timeout_ms: in: to private: how long to wait for references to go away
 *	before giving up; 0 gives up after draining the kernel's own caches. At
 *	most GMEM_CONVERT_TIMEOUT_MAX. out: with EINTR, what is left of it
 * @out_flags: out: GMEM_CONVERT_OUT_*, with EAGAIN
 * @error_offset: out: byte offset of the first page that cannot be converted,
 *	with EAGAIN, EEXIST, EOPNOTSUPP, EPERM, EHWPOISON and errors of a
 *	hypervisor; else @offset
 * @refs_seen: out: with EAGAIN, references to the folio that holds
 *	@error_offset, the one taken to look at it among them
 * @refs_expected: out: with EAGAIN, the safe refcount: the references to that
 *	folio that gmem can name (page cache, and the one taken to look)
 * @mapcount: out: with EAGAIN, page table entries that map the folio still
 * @__pad: must be zero
 * @ranges: with GMEM_CONVERT_F_RANGES: pointer to an array of struct
 *	gmem_convert_range, ascending and disjoint. Else zero
 * @nr_ranges: with GMEM_CONVERT_F_RANGES: entries of @ranges, 1 to
 *	GMEM_CONVERT_MAX_RANGES. Else zero
 * @event_fd: with GMEM_CONVERT_F_EVENT: an eventfd. Else zero
 *
 * All or nothing: on any error the state and contents of every page of every range
 * are as before. Pages of the range that are in the target state already are left
 * alone, whatever @content says; if all are, the call succeeds at once.
 * Unpopulated pages convert without being allocated. The state of a page
 * survives a punched hole.
 *
 * To private: the range is unmapped from every process, and each page is
 * private only when nobody but gmem refers to it. A page fault that meets the
 * conversion waits for its outcome. To shared: no condition on references.
 *
 * Somebody who cannot wait ends the wait for a page with EAGAIN: a hypervisor that
 * goes away, or a task that has a signal to handle (or is to be frozen) and is in the
 * middle of a system call that has met the conversion. If no page was found to
 * be held, @refs_seen and @refs_expected are zero.
 *
 * With GMEM_CONVERT_F_EVENT a conversion that fails with EAGAIN leaves a watch
 * behind: @event_fd is signalled once, when the page at @error_offset is not held any
 * more, after GMEM_CONVERT_TIMEOUT_MAX, or when the memory goes away. It is a hint:
 * call again. No other outcome uses @event_fd. So a VMM need not sleep in the
 * call, and passes 0 as @timeout_ms.
 *
 * In a range that is bound to a KVM guest_memfd the page itself moves. Set KVM's
 * PRIVATE attribute after converting to private, clear it before converting to
 * shared. Between the two calls the page is private here and shared for KVM: a
 * vCPU that touches it meanwhile leaves KVM_RUN with EINTR. Run it again, as after
 * any EINTR. If the second call does not come within a second of the first such
 * touch, KVM_RUN fails with EFAULT, as for any page that is private here and shared
 * for KVM.
 *
 * Errors:
 *
 *  - EINVAL: unaligned, zero length, past the end, unknown target or content,
 *    timeout too large, ranges not ascending or not disjoint.
 *  - EOVERFLOW: @offset + @length wraps.
 *  - EAGAIN: a page is still held, see the outputs; drop the reference (a pin,
 *    a pipe that vmsplice() filled, I/O in flight) and call again. Or somebody
 *    could not wait, see above.
 *  - EEXIST: PRESERVE where the store has a page of its own at @error_offset: KVM's
 *    PRIVATE attribute was set too early, and the guest has written there, or
 *    fallocate() has committed a page of the guest_memfd. To go on, punch a hole
 *    into the guest_memfd; what it held is lost. (Pages of zeros that a KVM
 *    fault left behind are dropped without being asked, unless encrypted. ZERO
 *    drops all.)
 *  - EOPNOTSUPP: PRESERVE in a range whose store encrypts guest memory.
 *  - EPERM: PRESERVE from private to shared on an fd that was created with
 *    GMEM_CREATE_F_GUEST_CONSENT.
 *  - EHWPOISON: memory of the page at @error_offset has failed. Punch a hole there.
 *  - EBADF: the fd is not open for writing, or @event_fd is not open.
 *  - EINVAL: @event_fd is not an eventfd.
 *  - EBUSY: GMEM_CONVERT_MAX_EVENTS wait for pages of this fd.
 *  - others: the hypervisor to which the range is bound has refused.
 *  - EIO: a fault of the store's own; KVM has none of the kind. The exception:
 *    part of the pages may have moved.
 *  - ENOMEM, EINTR: as for all ioctls.
 *
 * Views of the range, see GMEM_IOCTL_VIEW, lose the pages for the time of the
 * conversion. Those of the calling process have them again when it returns, be it with
 * an error: what is populated, and as far as there is memory for page tables. For that
 * it waits for others that work on the same 2 MiB; if it has a signal to handle, their
 * conversions give up with EAGAIN.
 */
struct gmem_ioctl_convert {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 target;
	__u32 content;
	__u32 timeout_ms;
	__u32 out_flags;
	__aligned_u64 error_offset;
	__u32 refs_seen;
	__u32 refs_expected;
	__u32 mapcount;
	__u32 __pad;
	__aligned_u64 ranges;
	__u32 nr_ranges;
	__s32 event_fd;
};
#define GMEM_IOCTL_CONVERT _IO(GMEM_IOCTL_TYPE, GMEM_CMD_CONVERT)

/**
 * struct gmem_range - one range that GMEM_IOCTL_QUERY reports
 * @offset: first byte
 * @length: bytes
 * @populated: pages of the range that have memory, in this fd or in the store
 * @state: enum gmem_state
 * @store: enum gmem_store of the range's private pages
 */
struct gmem_range {
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 populated;
	__u32 state;
	__u32 store;
};

/** GMEM_RANGE_SIZE_VER0: size of the first version of struct gmem_range. */
#define GMEM_RANGE_SIZE_VER0 32

/** GMEM_QUERY_MAX_RANGES: largest @nr_ranges of one call. */
#define GMEM_QUERY_MAX_RANGES 4096

/**
 * struct gmem_ioctl_query - ioctl(GMEM_IOCTL_QUERY), on a gmem fd
 * @size: sizeof(struct gmem_ioctl_query)
 * @flags: must be zero
 * @offset: in: where to start. out: the cursor, the first byte not reported;
 *	equal to @offset + @length of the request when all of it was reported
 * @length: in: bytes, not zero; the range must end inside the fd. out: bytes
 *	left to report
 * @ranges: pointer to an array of entries, struct gmem_range each
 * @nr_ranges: in: entries of @ranges, 1 to GMEM_QUERY_MAX_RANGES. out: entries
 *	written
 * @entry_size: bytes from one entry to the next: sizeof(struct gmem_range), which
 *	may grow; 0 stands for GMEM_RANGE_SIZE_VER0. A multiple of 8, from
 *	GMEM_RANGE_SIZE_VER0 to a page. What the kernel does not know is zeroed, what
 *	does not fit is left out
 * @reserved: must be zero
 *
 * Ranges are reported in ascending order, clipped to the request. Two
 * neighbours differ in state or in store unless a call ended between them.
 * Issue the call again with the same structure (and @nr_ranges set anew) while
 * @length is not zero. Ranges that others convert meanwhile may be reported
 * with their state before or after.
 *
 * Errors: EINVAL, EOVERFLOW, EFAULT, EINTR, as for all ioctls.
 */
struct gmem_ioctl_query {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 ranges;
	__u32 nr_ranges;
	__u32 entry_size;
	__aligned_u64 reserved[2];
};
#define GMEM_IOCTL_QUERY _IO(GMEM_IOCTL_TYPE, GMEM_CMD_QUERY)

/* Flags of GMEM_IOCTL_HOLDER */
#define GMEM_HOLDER_F_MAPPED	(1U << 0) /* also pages that are only mapped */

/* out_flags of GMEM_IOCTL_HOLDER */
#define GMEM_HOLDER_OUT_PINNED	(1U << 0) /* folio_maybe_dma_pinned() holds */

/**
 * struct gmem_ioctl_holder - ioctl(GMEM_IOCTL_HOLDER), on a gmem fd
 * @size: sizeof(struct gmem_ioctl_holder)
 * @flags: GMEM_HOLDER_F_*
 * @offset: in: where to start. out: the page found, or the end of the range
 * @length: in: bytes, not zero; the range must end inside the fd. out: bytes of the
 *	range from the page found on; 0 if none was found
 * @refs_seen: out: references to the page's folio but those of page tables; the one
 *	taken to look at it is among them
 * @refs_expected: out: the safe refcount, see &gmem_ioctl_convert.refs_expected
 * @mapcount: out: page table entries that map the folio, views not counted
 * @out_flags: out: GMEM_HOLDER_OUT_*
 * @reserved: must be zero
 *
 * Find the first shared page of a range that somebody holds, and because of which a
 * conversion of the range to private would fail with EAGAIN: @refs_seen is more than
 * @refs_expected. Nothing is converted or unmapped. The kernel's own per-CPU caches are
 * drained as by a conversion without a timeout, which may take a second if a CPU is kept by
 * somebody else, and a page that looks held is looked at twice. With
 * GMEM_HOLDER_F_MAPPED pages that are mapped and not held are found, too: a conversion
 * unmaps those. To see all, call again from @offset plus the page size on. Private pages
 * are nobody's on the host. The answer is about a moment that is over.
 *
 * The fd need not be open for writing. With EINTR @offset and @length say what is left to
 * look at.
 *
 * Errors: EINVAL, EOVERFLOW, EFAULT, EINTR, as for all ioctls.
 */
struct gmem_ioctl_holder {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 refs_seen;
	__u32 refs_expected;
	__u32 mapcount;
	__u32 out_flags;
	__aligned_u64 reserved[2];
};
#define GMEM_IOCTL_HOLDER _IO(GMEM_IOCTL_TYPE, GMEM_CMD_HOLDER)

/**
 * struct gmem_ioctl_stat - ioctl(GMEM_IOCTL_STAT), on a gmem fd
 * @size: sizeof(struct gmem_ioctl_stat)
 * @create_flags: out: GMEM_CREATE_F_* the fd was created with
 * @length: out: size of the memory in bytes
 * @resident_pages: out: pages that have memory in this fd, in either state
 * @store_pages: out: pages that have memory in the stores of bound ranges
 * @private_pages: out: pages in state private, populated or not
 * @state_bytes: out: kernel memory that the map of states takes
 * @faults: out: page faults that gave a page
 * @faults_refused: out: page faults that ended in SIGBUS
 * @faults_waited: out: page faults that met a conversion and waited
 * @to_private: out: conversions to private that succeeded
 * @to_shared: out: conversions to shared that succeeded
 * @refused: out: conversions that failed
 * @drains: out: times the per-CPU caches of the kernel had to be drained
 * @moved_pages: out: pages handed over to a store or back
 * @bindings: out: number of bound ranges, to stores and to hypervisors
 * @poisoned_pages: out: pages of this fd that were lost to memory errors, and
 *	where no hole was punched since
 * @view_pages: out: pages that were put into mappings of views
 * @view_refills: out: those of them that a conversion, a commit or a hole has put
 *	there, without being asked
 * @view_faults: out: calls of GMEM_IOCTL_VIEW_FAULT that gave an address
 * @views: out: open view fds
 * @view_mappings: out: mappings of views
 *
 * Counters only grow, over the lifetime of the fd's memory.
 */
struct gmem_ioctl_stat {
	__u32 size;
	__u32 create_flags;
	__aligned_u64 length;
	__aligned_u64 resident_pages;
	__aligned_u64 store_pages;
	__aligned_u64 private_pages;
	__aligned_u64 state_bytes;
	__aligned_u64 faults;
	__aligned_u64 faults_refused;
	__aligned_u64 faults_waited;
	__aligned_u64 to_private;
	__aligned_u64 to_shared;
	__aligned_u64 refused;
	__aligned_u64 drains;
	__aligned_u64 moved_pages;
	__u32 bindings;
	__u32 poisoned_pages;
	__aligned_u64 view_pages;
	__aligned_u64 view_refills;
	__aligned_u64 view_faults;
	__u32 views;
	__u32 view_mappings;
};
#define GMEM_IOCTL_STAT _IO(GMEM_IOCTL_TYPE, GMEM_CMD_STAT)

/**
 * struct gmem_ioctl_bind - ioctl(GMEM_IOCTL_BIND), on a gmem fd
 * @size: sizeof(struct gmem_ioctl_bind)
 * @flags: must be zero
 * @offset: first byte of the range in the gmem fd
 * @length: bytes, not zero; the range must end inside both fds
 * @store: enum gmem_store: GMEM_STORE_KVM
 * @store_fd: with GMEM_STORE_KVM: a guest_memfd of KVM, open for writing, that
 *	cannot be mapped itself
 * @store_offset: byte offset in @store_fd of the page that belongs to @offset
 * @binding_id: in: must be zero. out: names the binding among those that the memory
 *	ever has; never zero
 * @reserved: must be zero
 *
 * From then on private pages of the range live in the store. Private pages
 * that have memory in the gmem fd are handed over by this call. An fd may have
 * several disjoint bindings, but neither a page of the gmem fd nor a page of
 * the store may be bound twice. The binding holds a reference to the store's
 * file, and so to its VM, until GMEM_IOCTL_UNBIND or until the gmem fd is gone.
 *
 * A VM type whose private memory is encrypted (SEV-SNP, TDX) cannot preserve
 * contents: in its ranges GMEM_CONTENT_PRESERVE is refused.
 *
 * KVM does not speak for its guest. So on an fd with GMEM_CREATE_F_GUEST_CONSENT
 * nobody can consent for a range that is bound to KVM: what is private there never
 * becomes shared with its contents, only with GMEM_CONTENT_ZERO.
 *
 * Errors:
 *
 *  - EINVAL: unaligned, past the end of either fd, @store unknown, or
 *    @store_fd is not a guest_memfd.
 *  - EOVERFLOW: an offset plus @length wraps.
 *  - EOPNOTSUPP: gmem_kvm is not loaded, or @store_fd can be mapped itself,
 *    or the VM encrypts its memory and the range holds private contents.
 *  - EBUSY: part of the range, or of the store's, is bound already, or has a view.
 *  - EPERM: the fd was created with GMEM_CREATE_F_GUEST_CONSENT, and the range
 *    holds private contents, which the store's guest could read. Bind it first.
 *  - EEXIST: the store has a page where a page would have to be handed over.
 *  - EAGAIN: a reader of the page cache holds a private page, or a CPU is so busy that
 *    its per-CPU caches cannot be drained: call again.
 *  - EHWPOISON: memory of a private page in the range has failed.
 *  - EBADF: one of the fds is not open, or not for writing.
 */
struct gmem_ioctl_bind {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 store;
	__s32 store_fd;
	__aligned_u64 store_offset;
	__aligned_u64 binding_id;
	__aligned_u64 reserved;
};
#define GMEM_IOCTL_BIND _IO(GMEM_IOCTL_TYPE, GMEM_CMD_BIND)

/**
 * struct gmem_ioctl_unbind - ioctl(GMEM_IOCTL_UNBIND), on a gmem fd
 * @size: sizeof(struct gmem_ioctl_unbind)
 * @flags: must be zero
 * @offset: @offset of the binding; zero with @binding_id
 * @length: @length of the binding; zero with @binding_id
 * @binding_id: the binding, as GMEM_IOCTL_BIND has named it; or zero: the one that
 *	has exactly this range
 * @reserved: must be zero
 *
 * Private pages stay in the store, where the guest goes on using them. In the
 * gmem fd the range keeps its states; its private pages are unpopulated from
 * then on, and read zero if converted to shared. The same happens when the gmem
 * fd goes away. But with GMEM_CREATE_F_GUEST_CONSENT private pages are dropped
 * from the store: it could be bound again, and without consent.
 *
 * Errors: ENOENT when there is no such binding; EPERM when part of it is
 * bound by a hypervisor itself; EBADF when the fd is not open for writing; EINVAL,
 * EOVERFLOW.
 */
struct gmem_ioctl_unbind {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 binding_id;
	__aligned_u64 reserved;
};
#define GMEM_IOCTL_UNBIND _IO(GMEM_IOCTL_TYPE, GMEM_CMD_UNBIND)

/**
 * struct gmem_ioctl_view - ioctl(GMEM_IOCTL_VIEW), on a gmem fd
 * @size: sizeof(struct gmem_ioctl_view)
 * @flags: must be zero
 * @offset: first byte of the range in the gmem fd
 * @length: bytes, not zero; the range must end inside the fd
 * @fd_flags: 0 or O_CLOEXEC
 * @out_fd: out: the new view fd
 * @reserved: must be zero
 *
 * A view is a mapping of guest memory for KVM alone: the userspace_addr of slots of a
 * VM of any type that has no private memory of its own. KVM reaches every page of
 * it, shared or private, for its guest. The process reaches shared pages only, and
 * no system call can pin one. What a VMM has to do:
 *
 *  - Map the view fd with PROT_NONE and MAP_SHARED; the offset is that of the gmem fd,
 *    inside the range. Such a mapping is used as a whole: it cannot be split, moved or
 *    grown, gets no access rights, and is neither inherited by a child nor dumped.
 *    Slots may begin anywhere in it, and there may be several mappings. For its own
 *    access to shared pages the VMM maps the gmem fd.
 *  - Populate the mapping with GMEM_IOCTL_VIEW_POPULATE. A page that the mapping does
 *    not have ends KVM_RUN with EFAULT: ask GMEM_IOCTL_VIEW_FAULT where that was,
 *    populate there, and run the vCPU again. KVM's own accesses (emulated instructions,
 *    clock pages) do not even come so far: they need shared pages that are populated.
 *  - When the guest asks for a conversion (KVM_HC_MAP_GPA_RANGE), call
 *    GMEM_IOCTL_CONVERT. The mappings of the calling process follow.
 *
 * A page of the mapping goes away when it is converted, when a hole is punched, and
 * when its memory fails (then others of the same 2 MiB may go, too, until they are
 * populated again); KVM is told by its MMU notifier. Private pages are
 * resident in the gmem fd. A page may be in several views and slots.
 *
 * KVM emulates no instruction that lies in private memory, nor walks page tables
 * there, as with guest_memfd: a guest that has its text or its page tables in private
 * memory uses no emulated MMIO, unless the CPU decodes the instruction (AMD
 * DecodeAssists).
 *
 * Only the process (the address space) that has made a view can map and populate it.
 * The view fd holds the memory.
 *
 * Errors:
 *
 *  - EINVAL: unaligned, zero length, past the end, @fd_flags.
 *  - EOVERFLOW: @offset + @length wraps.
 *  - EOPNOTSUPP: this architecture's page tables cannot express a page that only KVM
 *    may use, or its KVM does not say where a vCPU faults (all but x86-64).
 *  - EBUSY: part of the range is bound, to a store or to a hypervisor.
 *  - EPERM: the fd was created with GMEM_CREATE_F_GUEST_CONSENT: conversions of a view
 *    are the VMM's, not the guest's.
 *  - EBADF: the fd is not open for writing.
 *  - EMFILE, ENFILE, ENOMEM.
 *
 * Errors of mmap() of a view fd: EINVAL for access rights, a mapping that is not
 * MAP_SHARED, or a range outside the view; EPERM for another process than the view's,
 * and on some kernels for PROT_EXEC;
 * EBUSY where mappings of views of this memory are as many as there may be
 * (GMEM_VIEW_MAX_MAPPINGS). munmap() of a part, mremap(), and mprotect() are EINVAL,
 * EACCES or EFAULT.
 */
struct gmem_ioctl_view {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 fd_flags;
	__s32 out_fd;
	__aligned_u64 reserved[2];
};
#define GMEM_IOCTL_VIEW _IO(GMEM_IOCTL_TYPE, GMEM_CMD_VIEW)

/** GMEM_VIEW_MAX_MAPPINGS: largest number of mappings of views of one gmem fd. */
#define GMEM_VIEW_MAX_MAPPINGS 4096

/* Flags of GMEM_IOCTL_VIEW_POPULATE */
#define GMEM_VIEW_POPULATE_F_NOALLOC (1U << 0) /* only what has memory already */

/**
 * struct gmem_ioctl_view_populate - ioctl(GMEM_IOCTL_VIEW_POPULATE), on a view fd
 * @size: sizeof(struct gmem_ioctl_view_populate)
 * @flags: GMEM_VIEW_POPULATE_F_*
 * @address: in: where to start in a mapping of this view; a multiple of the page size.
 *	out: where it ended
 * @length: in: bytes, not zero; the range must end inside the same mapping. out: bytes
 *	left
 * @pages: in: must be zero. out: pages that were put into the mapping, and into others
 *	that the process has of the same pages; what was there before does not count
 * @reserved: must be zero
 *
 * Pages without memory are allocated, as by fallocate() of the gmem fd, and read
 * zero. The call waits for conversions of the range. What was populated before an
 * error stays so; @address and @length say how far it came.
 *
 * Errors:
 *
 *  - EINVAL: unaligned, zero length, or the range is not inside one mapping of this
 *    view.
 *  - EOVERFLOW: @address + @length wraps.
 *  - EPERM: the view belongs to another process.
 *  - EHWPOISON: memory of the page at @address has failed. Punch a hole there.
 *  - ENOMEM, EINTR: as for all ioctls, but what was populated stays so.
 */
struct gmem_ioctl_view_populate {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 pages;
	__aligned_u64 reserved[2];
};
#define GMEM_IOCTL_VIEW_POPULATE _IO(GMEM_IOCTL_TYPE, GMEM_CMD_VIEW_POPULATE)

/**
 * struct gmem_ioctl_view_fault - ioctl(GMEM_IOCTL_VIEW_FAULT), on a view fd
 * @size: sizeof(struct gmem_ioctl_view_fault)
 * @flags: must be zero
 * @gpa: out: guest physical address of the last page fault of a vCPU that the calling
 *	thread ran
 * @error_code: out: its error code, as the hardware gave it to KVM (PFERR_* of
 *	arch/x86/include/asm/kvm_host.h for AMD, the EPT violation's as KVM
 *	translates it for Intel)
 * @count: out: page faults of vCPUs on this thread since it was watched first
 * @reserved: must be zero
 *
 * For a thread whose KVM_RUN has failed with EFAULT. If @count is the same as after the
 * EFAULT before, there was no page fault: KVM itself could not read or write guest
 * memory, such as an instruction that it emulates, in a private page.
 *
 * A thread is watched from its first call on, which is best made before its first
 * KVM_RUN. Threads of others pay nothing. From the first call on until the view is closed,
 * gmem_kvm cannot be unloaded.
 *
 * Errors: EAGAIN when the thread has not faulted since it is watched: run the vCPU
 * again; EOPNOTSUPP when gmem_kvm is not loaded; ENOMEM; EINVAL.
 */
struct gmem_ioctl_view_fault {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 error_code;
	__aligned_u64 count;
	__aligned_u64 reserved[2];
};
#define GMEM_IOCTL_VIEW_FAULT _IO(GMEM_IOCTL_TYPE, GMEM_CMD_VIEW_FAULT)

#endif /* _UAPI_LINUX_GMEM_H */
