/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * gmem_test: a mock hypervisor whose guests are programs of selftests.
 */
#ifndef _GMEM_TEST_H
#define _GMEM_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "../../uapi/linux/gmem.h"

/**
 * DOC: The mock hypervisor
 *
 * Each open file of /dev/gmem_test is a VM. Ranges of gmem fds are bound to it at
 * guest addresses (slots); the guest reads and writes through a second-stage
 * table of the mock's own. The general format of the ioctls is that of
 * linux/gmem.h.
 *
 * Errors of every ioctl that takes a guest address: ENXIO, no slot is there.
 */
#define GMEM_TEST_DEVICE_PATH "/dev/gmem_test"

enum {
	GMEM_TEST_CMD_BASE = 0xf0,
	GMEM_TEST_CMD_BIND = GMEM_TEST_CMD_BASE,
	GMEM_TEST_CMD_UNBIND,
	GMEM_TEST_CMD_ACCESS,
	GMEM_TEST_CMD_RUN,
	GMEM_TEST_CMD_CONVERT,
	GMEM_TEST_CMD_QUERY,
	GMEM_TEST_CMD_HOLD,
	GMEM_TEST_CMD_RELEASE,
	GMEM_TEST_CMD_KNOB,
	GMEM_TEST_CMD_COUNT,
};

/** GMEM_TEST_SLOTS: bindings that a VM can have. */
#define GMEM_TEST_SLOTS 16

/** GMEM_TEST_SLOT_MAX: bytes of the largest slot. */
#define GMEM_TEST_SLOT_MAX (1ULL << 30)

/** GMEM_TEST_DELAY_MAX: ms; of knobs, pauses and held look-ups. */
#define GMEM_TEST_DELAY_MAX 10000

/* Flags of GMEM_TEST_BIND */
#define GMEM_TEST_BIND_F_ENCRYPTED	(1U << 0) /* GMEM_BIND_ENCRYPTED */
#define GMEM_TEST_BIND_F_REFS		(1U << 1) /* entries hold their folio */
#define GMEM_TEST_BIND_F_STORE		(1U << 2) /* private pages are the mock's */

/**
 * struct gmem_test_bind - ioctl(GMEM_TEST_BIND)
 * @size: sizeof(struct gmem_test_bind)
 * @flags: GMEM_TEST_BIND_F_*
 * @fd: gmem fd, open for writing
 * @__pad: must be zero
 * @offset: first byte of the range in @fd
 * @length: bytes
 * @gpa: guest address of the range, a multiple of the page size
 * @reserved: must be zero
 *
 * With BIND_F_ENCRYPTED the mock keeps an RMP, like SNP: it counts a violation if a frame
 * of a guest gets another user. With BIND_F_STORE as well, private pages
 * are in memory of the mock, and one that is also in the fd is a violation.
 *
 * Errors: those of gmem_bind(); EINVAL, BIND_F_STORE without BIND_F_ENCRYPTED;
 * EEXIST, there is a slot at @gpa; ENOSPC, the VM has GMEM_TEST_SLOTS.
 */
struct gmem_test_bind {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 __pad;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 gpa;
	__aligned_u64 reserved;
};
#define GMEM_TEST_BIND _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_BIND)

/* Flags of GMEM_TEST_UNBIND */
#define GMEM_TEST_UNBIND_F_LATE		(1U << 0) /* do not end held look-ups */

/**
 * struct gmem_test_unbind - ioctl(GMEM_TEST_UNBIND)
 * @size: sizeof(struct gmem_test_unbind)
 * @flags: GMEM_TEST_UNBIND_F_*
 * @gpa: first address of a slot
 *
 * Held look-ups of the slot are ended first, unless UNBIND_F_LATE is given: then
 * gmem_unbind() has to wait for them.
 */
struct gmem_test_unbind {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
};
#define GMEM_TEST_UNBIND _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_UNBIND)

/* Flags of guest accesses */
#define GMEM_TEST_F_WRITE	(1U << 0) /* for GMEM_TEST_ACCESS: write */
#define GMEM_TEST_F_SHARED	(1U << 1) /* EACCES if the page is not shared */
#define GMEM_TEST_F_PRIVATE	(1U << 2) /* EACCES if the page is not private */

/**
 * struct gmem_test_access - ioctl(GMEM_TEST_ACCESS): the guest reads or writes
 * @size: sizeof(struct gmem_test_access)
 * @flags: GMEM_TEST_F_*
 * @gpa: first byte
 * @length: bytes, up to GMEM_TEST_SLOT_MAX
 * @data: pointer to the bytes
 *
 * Errors: those of gmem_lookup().
 */
struct gmem_test_access {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 length;
	__aligned_u64 data;
};
#define GMEM_TEST_ACCESS _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_ACCESS)

/**
 * enum gmem_test_opcode - operations of a guest
 * @GMEM_TEST_OP_FILL: set each byte of the range to @value
 * @GMEM_TEST_OP_EXPECT: check that each byte is @value, or EBADMSG with the
 *	address of the first other byte in @result
 * @GMEM_TEST_OP_LOAD: @result = the 64 bits at @gpa, which is aligned
 * @GMEM_TEST_OP_STORE: write the 64 bits @value
 * @GMEM_TEST_OP_ADD: add @value to the 64 bits; @result = the sum. Atomic among
 *	the vCPUs of a VM
 * @GMEM_TEST_OP_CONVERT: convert the range; @value is target | content << 8 |
 *	timeout in ms << 16; @result = address of the page that failed
 * @GMEM_TEST_OP_CHECK: check that the state of each page is @value, or EBADMSG
 *	with the address of the first other page in @result
 * @GMEM_TEST_OP_PAUSE: sleep @value ms, up to GMEM_TEST_DELAY_MAX
 */
enum gmem_test_opcode {
	GMEM_TEST_OP_FILL,
	GMEM_TEST_OP_EXPECT,
	GMEM_TEST_OP_LOAD,
	GMEM_TEST_OP_STORE,
	GMEM_TEST_OP_ADD,
	GMEM_TEST_OP_CONVERT,
	GMEM_TEST_OP_CHECK,
	GMEM_TEST_OP_PAUSE,
};

/**
 * struct gmem_test_op - one operation of a script
 * @opcode: enum gmem_test_opcode
 * @flags: GMEM_TEST_F_SHARED, GMEM_TEST_F_PRIVATE, for accesses
 * @gpa: first byte
 * @length: bytes; 8 for LOAD, STORE and ADD
 * @value: depends on @opcode
 * @result: out: depends on @opcode
 */
struct gmem_test_op {
	__u32 opcode;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 length;
	__aligned_u64 value;
	__aligned_u64 result;
};

/** GMEM_TEST_MAX_OPS: the longest script. */
#define GMEM_TEST_MAX_OPS 256

/**
 * struct gmem_test_run - ioctl(GMEM_TEST_RUN): run a script as a vCPU
 * @size: sizeof(struct gmem_test_run)
 * @nr_ops: number of operations, 1 to GMEM_TEST_MAX_OPS
 * @ops: pointer to an array of struct gmem_test_op
 * @rounds: in: number of rounds; out: number of completed rounds
 * @failed: out: index of the operation that failed; else @nr_ops
 *
 * Any number of threads may run scripts of a VM: each is a vCPU. The error is
 * that of the operation that failed; EINTR after a signal.
 */
struct gmem_test_run {
	__u32 size;
	__u32 nr_ops;
	__aligned_u64 ops;
	__u32 rounds;
	__u32 failed;
};
#define GMEM_TEST_RUN _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_RUN)

/**
 * struct gmem_test_convert - ioctl(GMEM_TEST_CONVERT): the guest converts
 * @size: sizeof(struct gmem_test_convert)
 * @flags: must be zero
 * @gpa: first byte
 * @length: bytes
 * @target: enum gmem_state
 * @content: enum gmem_content
 * @timeout_ms: as in struct gmem_ioctl_convert
 * @out_flags: out: GMEM_CONVERT_OUT_*
 * @error_gpa: out: the page that failed
 * @refs_seen: out: as in struct gmem_ioctl_convert
 * @refs_expected: out
 * @mapcount: out
 * @__pad: must be zero
 *
 * Errors: those of gmem_convert(), but EINTR in place of a restart.
 */
struct gmem_test_convert {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 length;
	__u32 target;
	__u32 content;
	__u32 timeout_ms;
	__u32 out_flags;
	__aligned_u64 error_gpa;
	__u32 refs_seen;
	__u32 refs_expected;
	__u32 mapcount;
	__u32 __pad;
};
#define GMEM_TEST_CONVERT _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_CONVERT)

/**
 * struct gmem_test_query - ioctl(GMEM_TEST_QUERY): gmem_query()
 * @size: sizeof(struct gmem_test_query)
 * @state: out: enum gmem_state of the page at @gpa
 * @gpa: first page
 * @length: in: bytes; out: bytes that are in this state, up to the slot's end
 */
struct gmem_test_query {
	__u32 size;
	__u32 state;
	__aligned_u64 gpa;
	__aligned_u64 length;
};
#define GMEM_TEST_QUERY _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_QUERY)

/* Flags of GMEM_TEST_HOLD */
#define GMEM_TEST_HOLD_F_NOWAIT		(1U << 0) /* GMEM_LOOKUP_NOWAIT */
#define GMEM_TEST_HOLD_F_NOALLOC	(1U << 1) /* GMEM_LOOKUP_NOALLOC */
#define GMEM_TEST_HOLD_F_REF		(1U << 2) /* end the look-up, keep a reference */

/**
 * struct gmem_test_hold - ioctl(GMEM_TEST_HOLD): look a page up and hold it
 * @size: sizeof(struct gmem_test_hold)
 * @flags: GMEM_TEST_HOLD_F_*
 * @gpa: the page
 * @timeout_ms: 1 to GMEM_TEST_DELAY_MAX: it ends after this time, because
 *	a thread that holds a look-up must not wait for the page for ever
 * @id: out: for GMEM_TEST_RELEASE
 * @state: out: &gmem_lookup.state
 * @order: out: &gmem_lookup.order
 * @pfn: out: &gmem_lookup.pfn
 *
 * Without HOLD_F_REF a look-up is held, with it a reference to the folio, which a
 * hypervisor must not keep: gmem has to find it. Errors: those of gmem_lookup();
 * ENOSPC, too many are held.
 */
struct gmem_test_hold {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__u32 timeout_ms;
	__u32 id;
	__u32 state;
	__u32 order;
	__aligned_u64 pfn;
};
#define GMEM_TEST_HOLD _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_HOLD)

/**
 * struct gmem_test_release - ioctl(GMEM_TEST_RELEASE): end what HOLD began
 * @size: sizeof(struct gmem_test_release)
 * @id: of GMEM_TEST_HOLD
 *
 * Errors: ENOENT, it has ended already.
 */
struct gmem_test_release {
	__u32 size;
	__u32 id;
};
#define GMEM_TEST_RELEASE _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_RELEASE)

/**
 * enum gmem_test_method - methods that can be slow, can fail and are counted
 * @GMEM_TEST_INVALIDATE_START: the methods of struct gmem_ops
 * @GMEM_TEST_INVALIDATE_END: ...
 * @GMEM_TEST_CHECK: can fail
 * @GMEM_TEST_MAKE_PRIVATE: can fail
 * @GMEM_TEST_UNDO_PRIVATE: ...
 * @GMEM_TEST_MAKE_SHARED: can fail
 * @GMEM_TEST_UNDO_SHARED: ...
 * @GMEM_TEST_ERROR: ...
 * @GMEM_TEST_GONE: the method release
 * @GMEM_TEST_MAP: between a look-up and its entry in the second-stage table; can
 *	fail
 * @GMEM_TEST_NR_METHODS: number of them
 */
enum gmem_test_method {
	GMEM_TEST_INVALIDATE_START,
	GMEM_TEST_INVALIDATE_END,
	GMEM_TEST_CHECK,
	GMEM_TEST_MAKE_PRIVATE,
	GMEM_TEST_UNDO_PRIVATE,
	GMEM_TEST_MAKE_SHARED,
	GMEM_TEST_UNDO_SHARED,
	GMEM_TEST_ERROR,
	GMEM_TEST_GONE,
	GMEM_TEST_MAP,
	GMEM_TEST_NR_METHODS,
};

/**
 * struct gmem_test_knob - ioctl(GMEM_TEST_KNOB): change a method of the VM
 * @size: sizeof(struct gmem_test_knob)
 * @method: enum gmem_test_method
 * @delay_ms: each call takes this long, up to GMEM_TEST_DELAY_MAX
 * @nth: 0, or the number of the next call that fails, once
 * @error: with @nth: errno, 1 to GMEM_TEST_MAX_ERRNO
 * @pages: with @nth: number of pages that the call does before
 *
 * Errors: EOPNOTSUPP, this method cannot fail.
 */
struct gmem_test_knob {
	__u32 size;
	__u32 method;
	__u32 delay_ms;
	__u32 nth;
	__u32 error;
	__u32 pages;
};
#define GMEM_TEST_KNOB _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_KNOB)

/** GMEM_TEST_MAX_ERRNO: EHWPOISON, the largest errno of userspace. */
#define GMEM_TEST_MAX_ERRNO 133

/**
 * struct gmem_test_count - ioctl(GMEM_TEST_COUNT): counters of the VM
 * @size: sizeof(struct gmem_test_count)
 * @slots: out: number of bindings
 * @calls: out: calls of each method, by enum gmem_test_method
 * @failed: out: calls that have failed because of a knob
 * @mapped: out: current entries of second-stage tables
 * @open: out: invalidations that have started and not ended
 * @held: out: look-ups and references held by GMEM_TEST_HOLD
 * @violations: out: violations of promises of linux/gmem.h; the kernel
 *	warns of the first
 */
struct gmem_test_count {
	__u32 size;
	__u32 slots;
	__aligned_u64 calls[GMEM_TEST_NR_METHODS];
	__aligned_u64 failed;
	__aligned_u64 mapped;
	__aligned_u64 open;
	__aligned_u64 held;
	__aligned_u64 violations;
};
#define GMEM_TEST_COUNT _IO(GMEM_IOCTL_TYPE, GMEM_TEST_CMD_COUNT)

#endif /* _GMEM_TEST_H */
