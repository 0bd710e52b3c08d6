/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/pvmemcontrol_test: each open file is a device for pvmemcontrol. Its node exists
 * until the file is closed, or until PVMEMCONTROL_TEST_UNPLUG. For the selftests.
 */
#ifndef PVMEMCONTROL_TEST_H
#define PVMEMCONTROL_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PVMEMCONTROL_TEST_PATH "/dev/pvmemcontrol_test"

/*
 * Memory of the VM: anonymous memory from 0, and shared memory from
 * PVMEMCONTROL_TEST_SHARED.
 */
#define PVMEMCONTROL_TEST_SHARED (1ULL << 40)
#define PVMEMCONTROL_TEST_END (1ULL << 41)

/**
 * enum pvmemcontrol_test_op - an event of the device
 * @PVMEMCONTROL_TEST_UNPLUG: it is unplugged: registers read as ones, the driver is unbound
 * @PVMEMCONTROL_TEST_FORGET: it loses its state, as in a VM that is restored from a snapshot
 * @PVMEMCONTROL_TEST_MUTE: it answers value more requests, and then none
 * @PVMEMCONTROL_TEST_SUSPEND: the guest is suspended
 * @PVMEMCONTROL_TEST_RESUME: the guest is resumed; the device has lost its state
 * @PVMEMCONTROL_TEST_FAIL: the system call of each request fails with errno value; 0: none
 * @PVMEMCONTROL_TEST_REPORTER: value 1: register as the kernel's reporter of free pages, like the
 *	balloon; 0: unregister
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
 * @value: depends on @op
 */
struct pvmemcontrol_test_do {
	__u64 op;
	__u64 value;
};

/**
 * struct pvmemcontrol_test_seen - ioctl(PVMEMCONTROL_TEST_SEEN)
 * @number: number of the node
 * @connections: number of buffers that the device knows
 * @resets: number of resets
 * @requests: number of requests, answered or not
 * @func: function of the last request
 * @addr: address of the last request
 * @length: length of the last request
 * @arg: argument of the last request
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
