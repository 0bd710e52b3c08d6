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
 *  - EOPNOTSUPP: the value is known, but this kernel, this fd or the binding of
 *    the range does not support it.
 *  - EOVERFLOW: offset plus length does not fit in 64 bits.
 *  - EFAULT: the structure, or memory it points to, cannot be read or written.
 *  - ENOMEM: the kernel is out of memory, or a memory cgroup is at its limit.
 *    Nothing has changed.
 *  - EINTR: interrupted by a signal. Nothing has changed. (With SA_RESTART the
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
 * @GMEM_STATE_PRIVATE: only the guest can access the page.
 */
enum gmem_state {
	GMEM_STATE_SHARED = 0,
	GMEM_STATE_PRIVATE = 1,
};

/**
 * enum gmem_content - what a conversion does to the contents of a page
 * @GMEM_CONTENT_PRESERVE: the contents survive, in the same physical page.
 * @GMEM_CONTENT_ZERO: the converted pages read as zero afterwards. Their memory
 *	is freed: they are unpopulated after the conversion.
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
#define GMEM_FEATURE_NUMA	(1ULL << 1) /* nodes and mbind() have effect */
#define GMEM_FEATURE_RANGES	(1ULL << 2) /* GMEM_CONVERT_F_RANGES */
#define GMEM_FEATURE_EVENT	(1ULL << 3) /* GMEM_CONVERT_F_EVENT */
#define GMEM_FEATURE_VIEW	(1ULL << 4) /* GMEM_IOCTL_VIEW */
/* gmem_kvm is loaded, and records faults of vCPUs: GMEM_IOCTL_VIEW_FAULT */
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

/** GMEM_POLICY_MAX_RANGES: largest number of ranges with a policy of mbind(). */
#define GMEM_POLICY_MAX_RANGES 1024

/** GMEM_NAME_MAX: room for the name of a gmem fd, its NUL byte included. */
#define GMEM_NAME_MAX 32

/**
 * struct gmem_ioctl_create - ioctl(GMEM_IOCTL_CREATE), on /dev/gmem
 * @size: sizeof(struct gmem_ioctl_create)
 * @flags: GMEM_CREATE_F_*. Without INIT_SHARED every page starts private.
 * @length: size of the memory in bytes: a multiple of the page size, 1 page to
 *	&gmem_ioctl_info.max_length. The size never changes.
 * @node: with GMEM_CREATE_F_NODE: a NUMA node with memory, preferred for the
 *	pages. Zero without the flag.
 * @fd_flags: 0 or O_CLOEXEC
 * @out_fd: out: the new gmem fd
 * @__pad: must be zero
 * @reserved: must be zero
 * @name: a name for people, or empty: visible ASCII characters (no spaces), the
 *	rest of the array zero. It appears in /proc/PID/maps, in the target of
 *	/proc/PID/fd/N ("/gmem:NAME (deleted)"), and in fdinfo. It need not be
 *	unique.
 *
 * No memory is allocated for the pages. The returned fd can be mapped with
 * MAP_SHARED, passed to other processes, and reopened through /proc/PID/fd/N.
 * Access to a private page through a mapping raises SIGBUS, as does access past
 * the end. read() and write() do not exist; ftruncate() fails with EINVAL.
 *
 * fallocate() with mode 0 or FALLOC_FL_KEEP_SIZE commits (populates) a range,
 * and fills the caller's views of it. With FALLOC_FL_PUNCH_HOLE |
 * FALLOC_FL_KEEP_SIZE it decommits the range: the contents are lost, the memory
 * is freed, and the state of each page does not change. An unaligned range and
 * a commit past the end fail with EINVAL; the part of a hole past the end is
 * ignored. Pages committed before an error (ENOMEM, EINTR, EHWPOISON) stay
 * committed. A commit fails with ENOMEM before the host has no memory left: it
 * keeps back a 64th of all, at least 16 MiB and at most 1 GiB. Other modes fail
 * with EOPNOTSUPP. In a range bound to a hypervisor
 * a hole can fail with EAGAIN, if the hypervisor still looks up a page, or with
 * an error of the hypervisor; and a signal can interrupt it. Pages decommitted
 * before stay so, the rest is as before. mbind() on a mapping sets the memory
 * policy of its pages, for all mappings and for later allocations (nodes 0 to
 * 59). It fails with ENOMEM where the memory would have more than
 * GMEM_POLICY_MAX_RANGES ranges with a policy.
 *
 * lseek() with SEEK_DATA and SEEK_HOLE finds populated and unpopulated ranges
 * of this fd. Private pages in a store are holes.
 *
 * With GMEM_CREATE_F_GUEST_CONSENT private contents belong to the guest.
 * GMEM_IOCTL_CONVERT can make a private page shared only with
 * GMEM_CONTENT_ZERO. Only the hypervisor to which the range is bound can
 * convert it with its contents, for its guest. The hypervisor is a kernel
 * module; when it unbinds, private pages stay private. A range with private
 * contents cannot be bound to another hypervisor or store. Private pages that
 * were committed and not used since have no contents; a BIND that fails half
 * way counts as use. The host can always free the memory, by a hole or by ZERO.
 *
 * When memory of a page in this fd fails (hwpoison), its contents are lost.
 * Access to a shared page then raises SIGBUS with BUS_MCEERR_AR. Committing,
 * converting and binding the page fail with EHWPOISON, until a hole is punched
 * there. Other pages are not affected. (The store handles errors of its own
 * pages; PRESERVE to shared of such a page fails with EHWPOISON.)
 *
 * Errors: EINVAL for a bad length, node, name or flag; EOPNOTSUPP for a node on
 * a kernel without NUMA; EBUSY while the machine is about to hibernate (a gmem
 * fd prevents hibernation); EMFILE, ENFILE, ENOMEM.
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

/** GMEM_CONVERT_MAX_EVENTS: largest number of @event_fd waiting on one fd. */
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
 * @timeout_ms: in: to private: how long to wait until references are dropped;
 *	with 0 the call only drains the kernel's own caches. At most
 *	GMEM_CONVERT_TIMEOUT_MAX. out: with EINTR, the remaining time
 * @out_flags: out: GMEM_CONVERT_OUT_*, with EAGAIN
 * @error_offset: out: byte offset of the first page that cannot be converted,
 *	with EAGAIN, EEXIST, EOPNOTSUPP, EPERM, EHWPOISON and errors of a
 *	hypervisor; else the first byte of the (first) range
 * @refs_seen: out: with EAGAIN, references to the folio of @error_offset,
 *	including the one taken to look at it
 * @refs_expected: out: with EAGAIN, the safe refcount: the references to that
 *	folio that gmem can name (page cache, and the one taken to look)
 * @mapcount: out: with EAGAIN, page table entries that still map the folio
 * @__pad: must be zero
 * @ranges: with GMEM_CONVERT_F_RANGES: pointer to an array of struct
 *	gmem_convert_range, ascending and disjoint. Else zero
 * @nr_ranges: with GMEM_CONVERT_F_RANGES: entries of @ranges, 1 to
 *	GMEM_CONVERT_MAX_RANGES. Else zero
 * @event_fd: with GMEM_CONVERT_F_EVENT: an eventfd. Else zero
 *
 * All or nothing: on any error the state and contents of every page of every
 * range are as before. Pages that are already in the target state do not
 * change, whatever @content says; if all are, the call succeeds at once.
 * Unpopulated pages are converted without allocation. The state of a page
 * survives a punched hole.
 *
 * To private: the range is unmapped from every process, and no page may have a
 * reference that gmem cannot name. A page fault in the range waits for the end
 * of the conversion. To shared: no condition on references.
 *
 * The wait for a page ends with EAGAIN if somebody cannot wait for the
 * conversion: a hypervisor that unbinds, or a task that waits for the
 * conversion in a system call, and has a signal to handle or is to be frozen.
 * If no page was held, @refs_seen and @refs_expected are zero. A task that waits
 * with its address space locked (a read of /proc/PID/mem, VFIO) gets its page,
 * if it is shared; then the conversion goes on with what is left of its time.
 *
 * With GMEM_CONVERT_F_EVENT a conversion that fails with EAGAIN installs a
 * watch: @event_fd is signalled once, when the page at @error_offset is no
 * longer held, after GMEM_CONVERT_TIMEOUT_MAX, or when the memory is freed. It
 * is a hint: call again. Other results do not use @event_fd. So a VMM need not
 * sleep in the call, and passes 0 as @timeout_ms.
 *
 * In a range that is bound to a KVM guest_memfd the page itself moves. Set
 * KVM's PRIVATE attribute after converting to private; clear it before
 * converting to shared. Between the two calls the page is private in gmem and
 * shared in KVM: if a vCPU accesses it, KVM_RUN returns EINTR. Run it again, as
 * after any EINTR. If the second call does not follow within a second of the
 * first such access, KVM_RUN fails with EFAULT.
 *
 * Errors:
 *
 *  - EINVAL: unaligned, zero length, past the end, unknown target or content,
 *    timeout too large, ranges not ascending or not disjoint.
 *  - EOVERFLOW: @offset + @length wraps.
 *  - EAGAIN: a page is held, see the outputs; drop the reference (a pin, a pipe
 *    that vmsplice() filled, I/O in flight) and call again. Or somebody could
 *    not wait, see above.
 *  - EEXIST: PRESERVE, and the store already has a page at @error_offset: KVM's
 *    PRIVATE attribute was set too early, and the guest has written there, or
 *    fallocate() has committed a page of the guest_memfd. To go on, punch a
 *    hole into the guest_memfd; its contents are lost. (Pages of zeros that a
 *    KVM fault has left are freed automatically, unless encrypted. ZERO frees
 *    all.)
 *  - EOPNOTSUPP: PRESERVE in a range whose store encrypts guest memory.
 *  - EPERM: PRESERVE from private to shared on an fd that was created with
 *    GMEM_CREATE_F_GUEST_CONSENT.
 *  - EHWPOISON: memory of the page at @error_offset has failed. Punch a hole there.
 *  - EBADF: the fd is not open for writing, or @event_fd is not open.
 *  - EINVAL: @event_fd is not an eventfd.
 *  - EBUSY: GMEM_CONVERT_MAX_EVENTS eventfds already wait for pages of this fd.
 *  - others: the hypervisor to which the range is bound has refused.
 *  - EIO: the store itself has failed; KVM's never does. Exception: some pages
 *    may have moved.
 *  - ENOMEM, EINTR: as for all ioctls.
 *
 * During the conversion the pages are unmapped from views of the range, see
 * GMEM_IOCTL_VIEW. When the call returns, even with an error, populated pages
 * are mapped again in views of the calling process, as far as there is memory
 * for page tables. For that it waits for others that work on the same 2 MiB; if
 * it has a signal to handle, their conversions give up with EAGAIN.
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
 *	GMEM_RANGE_SIZE_VER0 to a page. Members unknown to the kernel are zeroed,
 *	members that do not fit are left out
 * @reserved: must be zero
 *
 * Ranges are reported in ascending order, clipped to the request. Two
 * neighbours differ in state or in store unless a call ended between them.
 * Repeat the call with the same structure (and @nr_ranges set again) while
 * @length is not zero. A range that is converted meanwhile is reported with its
 * old or new state.
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
 * @refs_seen: out: references to the page's folio, without those of page tables,
 *	including the one taken to look at it
 * @refs_expected: out: the safe refcount, see &gmem_ioctl_convert.refs_expected
 * @mapcount: out: page table entries that map the folio, views not counted
 * @out_flags: out: GMEM_HOLDER_OUT_*
 * @reserved: must be zero
 *
 * Find the first shared page of a range whose references would make a
 * conversion of the range to private fail with EAGAIN: @refs_seen is more than
 * @refs_expected. Nothing is converted or unmapped. The kernel's own per-CPU
 * caches are drained as by a conversion without a timeout, which can take a
 * second if a CPU does not schedule. A page that looks held is checked twice.
 * With GMEM_HOLDER_F_MAPPED also find pages that are only mapped; a conversion
 * unmaps those. To find all pages, call again with @offset plus the page size.
 * Nobody on the host holds private pages. The result can be outdated when the
 * call returns.
 *
 * The fd need not be open for writing. With EINTR @offset and @length are the
 * rest of the range.
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
 * @state_bytes: out: kernel memory of the map of states
 * @faults: out: page faults that gave a page
 * @faults_refused: out: page faults that ended in SIGBUS
 * @faults_waited: out: page faults that waited for a conversion
 * @to_private: out: conversions to private that succeeded
 * @to_shared: out: conversions to shared that succeeded
 * @refused: out: conversions that failed
 * @drains: out: times the per-CPU caches of the kernel had to be drained
 * @moved_pages: out: pages handed over to a store or back
 * @bindings: out: number of bound ranges, to stores and to hypervisors
 * @poisoned_pages: out: pages of this fd that were lost to memory errors, and
 *	have not been punched since
 * @view_pages: out: pages that were mapped in views
 * @view_refills: out: those of @view_pages that a conversion, a commit or a hole
 *	has mapped, not GMEM_IOCTL_VIEW_POPULATE
 * @view_faults: out: calls of GMEM_IOCTL_VIEW_FAULT that gave an address
 * @views: out: open view fds
 * @view_mappings: out: mappings of views
 *
 * @faults to @moved_pages and @view_pages to @view_faults are counters. They only
 * grow, over the lifetime of the fd's memory. The other members are current values.
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
 * @binding_id: in: must be zero. out: identifies the binding; never zero, and unique
 *	for the lifetime of the memory
 * @reserved: must be zero
 *
 * From then on private pages of the range live in the store. This call moves
 * populated private pages of the gmem fd to the store. An fd can have several
 * disjoint bindings, but neither a page of the gmem fd nor a page of the store
 * can be bound twice. The binding holds a reference to the store's file, and so
 * to its VM, until GMEM_IOCTL_UNBIND or until the gmem fd is gone.
 *
 * A VM type whose private memory is encrypted (SEV-SNP, TDX) cannot preserve
 * contents: in its ranges GMEM_CONTENT_PRESERVE is refused.
 *
 * KVM cannot pass on its guest's consent. So on an fd with
 * GMEM_CREATE_F_GUEST_CONSENT private pages of a range bound to KVM never
 * become shared with their contents, only with GMEM_CONTENT_ZERO.
 *
 * Errors:
 *
 *  - EINVAL: unaligned, past the end of either fd, @store unknown, or
 *    @store_fd is not a guest_memfd.
 *  - EOVERFLOW: an offset plus @length wraps.
 *  - EOPNOTSUPP: gmem_kvm is not loaded, or @store_fd can be mapped itself,
 *    or the VM encrypts its memory and the range holds private contents.
 *  - EBUSY: part of the range, or of the store's, is already bound, or has a view.
 *  - EPERM: the fd was created with GMEM_CREATE_F_GUEST_CONSENT, and the range
 *    holds private contents, which the store's guest could read. Bind it first.
 *  - EEXIST: the store already has a page at the offset of a page to be moved.
 *  - EAGAIN: a reader of the page cache holds a private page, or a CPU is too
 *    busy to drain its per-CPU caches: call again.
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
 * @binding_id: the binding, as returned by GMEM_IOCTL_BIND; or zero: the binding of
 *	exactly this range
 * @reserved: must be zero
 *
 * Private pages stay in the store, where the guest can still use them. In the
 * gmem fd the range keeps its states; its private pages are unpopulated from
 * then on, and read as zero if converted to shared. The same happens when the
 * gmem fd is released. But with GMEM_CREATE_F_GUEST_CONSENT private pages are
 * freed in the store, which could otherwise be bound again without consent.
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
 * A view is a mapping of guest memory for KVM alone: the userspace_addr of
 * slots of a VM of any type without private memory of its own. KVM can access
 * every page of it, shared or private, for its guest. The process can access
 * only shared pages, and no system call can pin one. A VMM has to do this:
 *
 *  - Map the view fd with PROT_NONE and MAP_SHARED; the offset is that of the
 *    gmem fd, inside the range. Such a mapping cannot be split, moved, grown or
 *    made accessible, and is neither inherited by a child nor dumped. Slots can
 *    begin anywhere in it, and there can be several mappings. For its own
 *    access to shared pages the VMM maps the gmem fd.
 *  - Populate the mapping with GMEM_IOCTL_VIEW_POPULATE. On access to a page
 *    that is not in the mapping KVM_RUN fails with EFAULT: get the address with
 *    GMEM_IOCTL_VIEW_FAULT, populate there, and run the vCPU again. KVM's own
 *    accesses (emulated instructions, clock pages) cause no such fault: they
 *    need shared, populated pages.
 *  - When the guest asks for a conversion (KVM_HC_MAP_GPA_RANGE), call
 *    GMEM_IOCTL_CONVERT. It updates the mappings of the calling process.
 *
 * A page is unmapped from the view when it is converted, when a hole is
 * punched, and when its memory fails (then other pages of the same 2 MiB can be
 * unmapped, too, until they are populated again). KVM is notified by its MMU
 * notifier. Private pages are resident in the gmem fd. A page can be in several
 * views and slots.
 *
 * As with guest_memfd, KVM cannot emulate an instruction in private memory, nor
 * walk page tables there. A guest with its text or its page tables in private
 * memory must not use emulated MMIO, unless the CPU decodes the instruction
 * (AMD DecodeAssists).
 *
 * Only the process (the address space) that made a view can map and populate
 * it. The view fd holds a reference to the memory.
 *
 * Errors:
 *
 *  - EINVAL: unaligned, zero length, past the end, @fd_flags.
 *  - EOVERFLOW: @offset + @length wraps.
 *  - EOPNOTSUPP: the architecture is not x86-64. The page tables of others have no
 *    entry that only KVM can use, or their KVM does not say where a vCPU faults.
 *  - EBUSY: part of the range is bound, to a store or to a hypervisor.
 *  - EPERM: the fd was created with GMEM_CREATE_F_GUEST_CONSENT; with a view
 *    the VMM converts, not the guest.
 *  - EBADF: the fd is not open for writing.
 *  - EMFILE, ENFILE, ENOMEM.
 *
 * Errors of mmap() of a view fd: EINVAL for access rights, a mapping that is
 * not MAP_SHARED, or a range outside the view; EPERM for another process than
 * the view's, and on some kernels for PROT_EXEC; EBUSY if this memory already
 * has GMEM_VIEW_MAX_MAPPINGS mappings of views. munmap() of a part, mremap(),
 * and mprotect() fail with EINVAL, EACCES or EFAULT.
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
#define GMEM_VIEW_POPULATE_F_NOALLOC (1U << 0) /* only populated pages */

/**
 * struct gmem_ioctl_view_populate - ioctl(GMEM_IOCTL_VIEW_POPULATE), on a view fd
 * @size: sizeof(struct gmem_ioctl_view_populate)
 * @flags: GMEM_VIEW_POPULATE_F_*
 * @address: in: where to start in a mapping of this view; a multiple of the page size.
 *	out: where it ended
 * @length: in: bytes, not zero; the range must end inside the same mapping. out: bytes
 *	left
 * @pages: in: must be zero. out: pages newly mapped in this mapping, and in others
 *	that the process has of the same pages
 * @reserved: must be zero
 *
 * Unpopulated pages are allocated, as by fallocate() of the gmem fd, and read
 * as zero. The call waits for conversions of the range. Pages populated before
 * an error stay populated; @address and @length say how far it got.
 *
 * Errors:
 *
 *  - EINVAL: unaligned, zero length, or the range is not inside one mapping of this
 *    view.
 *  - EOVERFLOW: @address + @length wraps.
 *  - EPERM: the view belongs to another process.
 *  - EHWPOISON: memory of the page at @address has failed. Punch a hole there.
 *  - ENOMEM, EINTR: as for all ioctls, but populated pages stay populated.
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
 * @error_code: out: its error code: on AMD that of the hardware (PFERR_* of
 *	arch/x86/include/asm/kvm_host.h), on Intel that of the EPT violation as
 *	KVM translates it
 * @count: out: page faults of vCPUs on this thread since it is watched
 * @reserved: must be zero
 *
 * Call it in a thread whose KVM_RUN has failed with EFAULT. If @count has not
 * changed since the previous EFAULT, there was no page fault: KVM itself could
 * not access guest memory in a private page, such as an instruction to emulate.
 *
 * The first call in a thread starts to watch it; make it before its first
 * KVM_RUN. Other threads have no overhead. From the first call on until the view is closed,
 * gmem_kvm cannot be unloaded.
 *
 * Errors: EAGAIN if the thread has not faulted since it is watched: run the
 * vCPU again; EOPNOTSUPP if gmem_kvm is not loaded; ENOMEM; EINVAL.
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
