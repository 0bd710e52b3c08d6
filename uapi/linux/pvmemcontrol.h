/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pvmemcontrol: inside of a guest, ask the VMM to change what backs guest memory.
 */
#ifndef _UAPI_LINUX_PVMEMCONTROL_H
#define _UAPI_LINUX_PVMEMCONTROL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: /dev/pvmemcontrolN
 *
 * One node for each device of the VMM, N from 0. The numbers and the layout are those of
 * the driver that was posted to LKML (v5, 2024-12-03), and of Cloud Hypervisor's device
 * since v41.
 *
 * The VMM handles a request before the ioctl returns. A request can take memory away from
 * the guest's kernel, or make it inaccessible, which ends the guest. Hence open() needs
 * CAP_SYS_ADMIN, and fails on a locked-down kernel.
 *
 * Errors of open():
 *
 *  - EACCES: the caller lacks CAP_SYS_ADMIN.
 *  - EPERM: the kernel is locked down (integrity), as for /dev/mem.
 *  - EINVAL: O_EXCL.
 *  - ENXIO: the device disappeared after the node was looked up.
 *
 * Errors of ioctl():
 *
 *  - EINVAL: the command is not PVMEMCONTROL_IOCTL_VMM. (Not ENOTTY, as in the driver on
 *    LKML.)
 *  - EFAULT: the structure cannot be read or written. If it cannot be written, the VMM has
 *    handled the request.
 *  - EIO: the VMM has not answered, not even after the device was set up again. All calls
 *    fail in this way until the guest is resumed or the driver is rebound.
 *  - ENODEV: the device was unplugged, or the driver unbound. Only close() works on the fd.
 *  - EAGAIN: the guest is being suspended.
 *
 * The VMM reports all other errors, such as a wrong range, in ret_errno of a successful
 * ioctl(): see struct pvmemcontrol_vmm_ret.
 */

/** PVMEMCONTROL_DEVICE_DIR: a node is this and its number; its mode is 0600. */
#define PVMEMCONTROL_DEVICE_DIR "/dev/pvmemcontrol"

/**
 * enum pvmemcontrol_func - function of a request
 * @PVMEMCONTROL_INFO: return the page size and the version. The driver returns what the
 *	VMM reported when the device was set up; address, length and argument are ignored.
 * @PVMEMCONTROL_DONTNEED: madvise(MADV_DONTNEED). Anonymous memory is freed, and reads as
 *	zero afterwards.
 * @PVMEMCONTROL_REMOVE: madvise(MADV_REMOVE). Shared memory and files: a hole is punched.
 *	EINVAL for anonymous memory.
 * @PVMEMCONTROL_FREE: madvise(MADV_FREE). Private anonymous memory: freed when the host
 *	needs it; until then the old contents can remain.
 * @PVMEMCONTROL_PAGEOUT: madvise(MADV_PAGEOUT). The contents are kept.
 * @PVMEMCONTROL_DONTDUMP: madvise(MADV_DONTDUMP). Excluded from core dumps of the VMM.
 *	This cannot be undone.
 * @PVMEMCONTROL_SET_VMA_ANON_NAME: prctl(PR_SET_VMA_ANON_NAME). The memory appears as
 *	"pvmemcontrol-ARG", in decimal, in the VMM's /proc/PID/maps; argument 0 takes the
 *	name away.
 * @PVMEMCONTROL_MLOCK: mlock2(). The memory is populated, and stays.
 * @PVMEMCONTROL_MUNLOCK: munlock().
 * @PVMEMCONTROL_MPROTECT_NONE: mprotect(PROT_NONE). A later access by the guest, or by a
 *	device of the VMM for it, ends the guest.
 * @PVMEMCONTROL_MPROTECT_R: mprotect(PROT_READ).
 * @PVMEMCONTROL_MPROTECT_W: mprotect(PROT_WRITE). On x86 also readable.
 * @PVMEMCONTROL_MPROTECT_RW: mprotect(PROT_READ | PROT_WRITE): as it was.
 * @PVMEMCONTROL_MERGEABLE: madvise(MADV_MERGEABLE). For KSM; anonymous memory.
 * @PVMEMCONTROL_UNMERGEABLE: madvise(MADV_UNMERGEABLE).
 *
 * A VMM returns EOPNOTSUPP in ret_errno for functions that it does not support, or not for
 * this kind of memory. There is no list of supported functions.
 */
enum pvmemcontrol_func {
	PVMEMCONTROL_INFO = 0,
	PVMEMCONTROL_DONTNEED = 1,
	PVMEMCONTROL_REMOVE = 2,
	PVMEMCONTROL_FREE = 3,
	PVMEMCONTROL_PAGEOUT = 4,
	PVMEMCONTROL_DONTDUMP = 5,
	PVMEMCONTROL_SET_VMA_ANON_NAME = 6,
	PVMEMCONTROL_MLOCK = 7,
	PVMEMCONTROL_MUNLOCK = 8,
	PVMEMCONTROL_MPROTECT_NONE = 9,
	PVMEMCONTROL_MPROTECT_R = 10,
	PVMEMCONTROL_MPROTECT_W = 11,
	PVMEMCONTROL_MPROTECT_RW = 12,
	PVMEMCONTROL_MERGEABLE = 13,
	PVMEMCONTROL_UNMERGEABLE = 14,
};

/**
 * struct pvmemcontrol_vmm_call - a request
 * @func_code: enum pvmemcontrol_func. The driver passes other values to the VMM, too.
 * @addr: guest physical address of the first byte; a multiple of the VMM's page size
 * @length: bytes; a multiple of the VMM's page size. The range must be contiguous guest
 *	memory.
 * @arg: PVMEMCONTROL_SET_VMA_ANON_NAME: the number in the name. Otherwise 0.
 *
 * The driver does not check the range.
 */
struct pvmemcontrol_vmm_call {
	__aligned_u64 func_code;
	__aligned_u64 addr;
	__aligned_u64 length;
	__aligned_u64 arg;
};

/**
 * struct pvmemcontrol_vmm_ret - the answer
 * @ret_errno: 0, or an errno value of Linux on x86: EINVAL for a range that is not
 *	contiguous guest memory, or unaligned; EOPNOTSUPP for a function that is unknown,
 *	or not supported for this memory; else the error of the system call
 * @ret_code: with an error: the function code, or 0 if a system call has failed
 * @ret_value: PVMEMCONTROL_INFO: the VMM's page size, in bytes
 * @arg0: PVMEMCONTROL_INFO: major version of the protocol, 1
 * @arg1: PVMEMCONTROL_INFO: minor version of the protocol
 *
 * All zero after success of any function but PVMEMCONTROL_INFO.
 */
struct pvmemcontrol_vmm_ret {
	__u32 ret_errno;
	__u32 ret_code;
	__aligned_u64 ret_value;
	__aligned_u64 arg0;
	__aligned_u64 arg1;
};

/**
 * struct pvmemcontrol_buf - ioctl(PVMEMCONTROL_IOCTL_VMM)
 * @call: in: the request
 * @ret: out, if the ioctl succeeds: the answer
 *
 * In the byte order of the guest. Threads may use one fd at the same time.
 */
__extension__
struct pvmemcontrol_buf {
	union {
		struct pvmemcontrol_vmm_call call;
		struct pvmemcontrol_vmm_ret ret;
	};
};

/* 0xc020da00. */
#define PVMEMCONTROL_IOCTL_VMM _IOWR(0xDA, 0x00, struct pvmemcontrol_buf)

#endif /* _UAPI_LINUX_PVMEMCONTROL_H */
