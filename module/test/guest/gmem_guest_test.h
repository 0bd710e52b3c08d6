/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/gmem_guest_test: memory of a guest, which a program of it converts. */
#ifndef GMEM_GUEST_TEST_H
#define GMEM_GUEST_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define GMEM_GUEST_PATH "/dev/gmem_guest_test"

/**
 * GMEM_GUEST_SIZE: bytes of the memory
 *
 * It can be mapped, MAP_SHARED only. It is contiguous for the guest, and aligned
 * to its size, so that a conversion is one hypercall.
 */
#define GMEM_GUEST_SIZE (2 << 20)

/**
 * struct gmem_guest_convert - ioctl(GMEM_GUEST_CONVERT)
 * @offset: first byte, from the start of the memory
 * @length: bytes, not zero
 * @to_private: 1, or 0: to shared
 * @__pad: must be zero
 *
 * Errors: EINVAL for a range that is not whole pages inside the memory, and for
 * other values; EOPNOTSUPP if the host does not convert; what the host says.
 */
struct gmem_guest_convert {
	__u64 offset;
	__u64 length;
	__u32 to_private;
	__u32 __pad;
};

/**
 * struct gmem_guest_call - ioctl(GMEM_GUEST_CALL)
 * @gpa: the arguments of KVM_HC_MAP_GPA_RANGE, whatever they are
 * @pages: see @gpa
 * @attributes: see @gpa
 * @result: out: what the host has answered
 *
 * Nothing is checked: this is for what no sane guest would ask for.
 */
struct gmem_guest_call {
	__u64 gpa;
	__u64 pages;
	__u64 attributes;
	__s64 result;
};

/**
 * struct gmem_guest_msr - ioctl(GMEM_GUEST_MSR), of the CPU that asks
 * @index: which register
 * @__pad: must be zero
 * @value: out: what is in it
 *
 * Errors: EINVAL; EIO if there is no such register.
 */
struct gmem_guest_msr {
	__u32 index;
	__u32 __pad;
	__u64 value;
};

#define GMEM_GUEST_GPA		_IOR('G', 1, __u64) /* where the memory is */
#define GMEM_GUEST_CONVERT	_IOW('G', 2, struct gmem_guest_convert)
#define GMEM_GUEST_CALL		_IOWR('G', 3, struct gmem_guest_call)
#define GMEM_GUEST_MSR		_IOWR('G', 4, struct gmem_guest_msr)

#endif /* GMEM_GUEST_TEST_H */
