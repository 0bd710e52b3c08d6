/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/gmem_guest_test: memory of a guest, which its programs convert. */
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
 * other values; EOPNOTSUPP if the host does not convert; errors of the host.
 */
struct gmem_guest_convert {
	__u64 offset;
	__u64 length;
	__u32 to_private;
	__u32 __pad;
};

/**
 * struct gmem_guest_call - ioctl(GMEM_GUEST_CALL)
 * @gpa: argument of KVM_HC_MAP_GPA_RANGE
 * @pages: likewise
 * @attributes: likewise
 * @result: out: the answer of the host
 *
 * The arguments are not checked: this is for invalid requests.
 */
struct gmem_guest_call {
	__u64 gpa;
	__u64 pages;
	__u64 attributes;
	__s64 result;
};

/**
 * struct gmem_guest_msr - ioctl(GMEM_GUEST_MSR), of the calling CPU
 * @index: number of the register
 * @__pad: must be zero
 * @value: out: its value
 *
 * Errors: EINVAL; EIO if there is no such register.
 */
struct gmem_guest_msr {
	__u32 index;
	__u32 __pad;
	__u64 value;
};

#define GMEM_GUEST_GPA		_IOR('G', 1, __u64) /* guest physical address of the memory */
#define GMEM_GUEST_CONVERT	_IOW('G', 2, struct gmem_guest_convert)
#define GMEM_GUEST_CALL		_IOWR('G', 3, struct gmem_guest_call)
#define GMEM_GUEST_MSR		_IOWR('G', 4, struct gmem_guest_msr)

#endif /* GMEM_GUEST_TEST_H */
