/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/pvmemcontrol_test: each open file is a device for pvmemcontrol, and its node is
 * there until the file is closed, or PVMEMCONTROL_TEST_UNPLUG. For the selftests.
 */
#ifndef PVMEMCONTROL_TEST_H
#define PVMEMCONTROL_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PVMEMCONTROL_TEST_PATH "/dev/pvmemcontrol_test"

/* What the VM has: anonymous memory from 0, and shared memory from there. */
#define PVMEMCONTROL_TEST_SHARED (1ULL << 40)
#define PVMEMCONTROL_TEST_END (1ULL << 41)

/**
 * enum pvmemcontrol_test_op - what happens to the device
 * @PVMEMCONTROL_TEST_UNPLUG: it is pulled out: registers read as ones, the driver is unbound
 * @PVMEMCONTROL_TEST_FORGET: it is as new: a VM that was restored from a snapshot
 * @PVMEMCONTROL_TEST_MUTE: it answers no request, but value other ones first
 * @PVMEMCONTROL_TEST_SUSPEND: the guest is suspended
 * @PVMEMCONTROL_TEST_RESUME: and resumed; the device is as new
 * @PVMEMCONTROL_TEST_FAIL: the system call of each request fails with errno value; 0: none
 * @PVMEMCONTROL_TEST_REPORTER: value 1: be the kernel's reporter of free pages, as the
 *	balloon is; 0: do not
 */
enum pvmemcontrol_test_op {
	PVMEMCONTROL_TEST_UNPLUG,
	PVMEMCONTROL_TEST_FORGET,
	PVMEMCONTROL_TEST_MUTE,
	PVMEMCONTROL_TEST_SUSPEND,
	PVMEMCONTROL_TEST_RESUME,
	PVMEMCONTROL_TEST_FAIL,
	PVMEMCONTROL_TEST_REPORTER,
};

/**
 * struct pvmemcontrol_test_do - ioctl(PVMEMCONTROL_TEST_DO)
 * @op: enum pvmemcontrol_test_op
 * @value: see there
 */
struct pvmemcontrol_test_do {
	__u64 op;
	__u64 value;
};

/**
 * struct pvmemcontrol_test_seen - ioctl(PVMEMCONTROL_TEST_SEEN)
 * @number: of the node
 * @connections: buffers that the device knows
 * @resets: how often it was reset
 * @requests: how many requests it has taken, answered or not
 * @func: of the last one
 * @addr: of the last one
 * @length: of the last one
 * @arg: of the last one
 */
struct pvmemcontrol_test_seen {
	__u32 number;
	__u32 connections;
	__u64 resets;
	__u64 requests;
	__u64 func;
	__u64 addr;
	__u64 length;
	__u64 arg;
};

#define PVMEMCONTROL_TEST_DO	_IOW('P', 0xe0, struct pvmemcontrol_test_do)
#define PVMEMCONTROL_TEST_SEEN	_IOR('P', 0xe1, struct pvmemcontrol_test_seen)

#endif /* PVMEMCONTROL_TEST_H */
