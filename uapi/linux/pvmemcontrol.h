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
 * A request is carried out by the VMM before the ioctl returns. It can take memory away
 * from the guest's kernel, or make it inaccessible, which ends the guest. Hence open() is
 * for CAP_SYS_ADMIN, and not for a kernel that is locked down.
 *
 * Errors of open():
 *
 *  - EACCES: the caller lacks CAP_SYS_ADMIN.
 *  - EPERM: the kernel is locked down (integrity), as for /dev/mem.
 *  - EINVAL: O_EXCL.
 *  - ENXIO: the device has gone since the node was looked up.
 *
 * Errors of ioctl():
 *
 *  - EINVAL: the command is not PVMEMCONTROL_IOCTL_VMM. (Not ENOTTY: so it is on LKML.)
 *  - EFAULT: the structure cannot be read or written. If it cannot be written, the VMM
 *    has done what was asked for.
 *  - EIO: the VMM has not answered, nor once more after the device was set up again. Until
 *    the next resume of the guest, or until the driver is bound again, all calls fail so.
 *  - ENODEV: the device has been unplugged, or the driver unbound. The fd is good for
 *    close() only.
 *  - EAGAIN: the guest is being suspended.
 *
 * Everything else, and that ranges are wrong in the first place, is for the VMM to say, in
 * ret_errno of a successful ioctl(): see struct pvmemcontrol_vmm_ret.
 */

/** PVMEMCONTROL_DEVICE_DIR: a node is this and its number; its mode is 0600. */
#define PVMEMCONTROL_DEVICE_DIR "/dev/pvmemcontrol"

/**
 * enum pvmemcontrol_func - what the VMM is asked to do
 * @PVMEMCONTROL_INFO: say what the page size is, and the version. The driver answers from
 *	what the VMM has said when the device was set up; address, length and argument are
 *	ignored.
 * @PVMEMCONTROL_DONTNEED: madvise(MADV_DONTNEED). Anonymous memory is freed, and zero when
 *	touched again.
 * @PVMEMCONTROL_REMOVE: madvise(MADV_REMOVE). Shared memory and files: a hole is punched.
 *	EINVAL for anonymous memory.
 * @PVMEMCONTROL_FREE: madvise(MADV_FREE). Private anonymous memory: freed when the host
 *	needs it; until then the old contents may still be there.
 * @PVMEMCONTROL_PAGEOUT: madvise(MADV_PAGEOUT). Contents stay.
 * @PVMEMCONTROL_DONTDUMP: madvise(MADV_DONTDUMP). Not in core dumps of the VMM. Nothing
 *	undoes it.
 * @PVMEMCONTROL_SET_VMA_ANON_NAME: prctl(PR_SET_VMA_ANON_NAME). The memory appears as
 *	"pvmemcontrol-ARG", in decimal, in the VMM's /proc/PID/maps; argument 0 takes the
 *	name away.
 * @PVMEMCONTROL_MLOCK: mlock2(). The memory is populated, and stays.
 * @PVMEMCONTROL_MUNLOCK: munlock().
 * @PVMEMCONTROL_MPROTECT_NONE: mprotect(PROT_NONE). A guest that touches the memory
 *	then, or a device of the VMM for it, ends the guest.
 * @PVMEMCONTROL_MPROTECT_R: mprotect(PROT_READ).
 * @PVMEMCONTROL_MPROTECT_W: mprotect(PROT_WRITE). On x86 also readable.
 * @PVMEMCONTROL_MPROTECT_RW: mprotect(PROT_READ | PROT_WRITE): as it was.
 * @PVMEMCONTROL_MERGEABLE: madvise(MADV_MERGEABLE). For KSM; anonymous memory.
 * @PVMEMCONTROL_UNMERGEABLE: madvise(MADV_UNMERGEABLE).
 *
 * Which of them a VMM offers, and for which kind of memory, it says by EOPNOTSUPP in
 * ret_errno: there is no list to ask for.
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
 * @func_code: enum pvmemcontrol_func. Other values go to the VMM, too, which knows better.
 * @addr: guest physical address of the first byte; a multiple of the VMM's page size
 * @length: bytes; a multiple of the VMM's page size. The range must lie in one piece of
 *	guest memory.
 * @arg: PVMEMCONTROL_SET_VMA_ANON_NAME: the number in the name. Otherwise 0.
 *
 * The driver does not look at the range.
 */
struct pvmemcontrol_vmm_call {
	__aligned_u64 func_code;
	__aligned_u64 addr;
	__aligned_u64 length;
	__aligned_u64 arg;
};

/**
 * struct pvmemcontrol_vmm_ret - the answer
 * @ret_errno: 0, or errno as Linux on x86 has it: EINVAL for a range that is not in one
 *	piece of guest memory, or not of whole pages; EOPNOTSUPP for a function that is
 *	unknown, or not for this memory; what the system call said otherwise
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
