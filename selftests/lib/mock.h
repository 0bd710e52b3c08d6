/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests of the mock hypervisor, gmem_test.ko. A VM is an fd.
 *
 * mock_x() returns 0, a result or a negative errno, and checks nothing. test_mock_x()
 * must succeed.
 */
#ifndef MOCK_H
#define MOCK_H

#include <stdint.h>

#include "../../module/test/gmem_test.h"
#include "gmem_utils.h"

/* Return: NULL, or why the mock hypervisor is unavailable. */
const char *mock_unavailable(void);
int mock_create(void);

int mock_bind(int vm, uint64_t gpa, int fd, uint64_t offset, uint64_t length,
	      uint32_t flags);
int mock_unbind(int vm, uint64_t gpa);
int mock_unbind_late(int vm, uint64_t gpa);

/* Accesses of the guest. */
int mock_read(int vm, uint64_t gpa, void *data, uint64_t length);
int mock_write(int vm, uint64_t gpa, const void *data, uint64_t length);
int mock_op(int vm, enum gmem_test_opcode opcode, uint64_t gpa, uint64_t length,
	    uint64_t value, uint64_t *result);
/*
 * An access that succeeds only in one state of the page: GMEM_TEST_F_SHARED or _PRIVATE.
 */
int mock_op_in(int vm, uint32_t flags, enum gmem_test_opcode opcode,
	       uint64_t gpa, uint64_t length, uint64_t value);
int mock_run(int vm, struct gmem_test_op *ops, uint32_t nr_ops,
	     uint32_t rounds);

int mock_convert_args(int vm, struct gmem_test_convert *c);
int mock_convert(int vm, uint64_t gpa, uint64_t length, uint32_t target,
		 uint32_t content);
/* The state of a page in the view of the guest. */
int mock_state(int vm, uint64_t gpa);

/* Keep the result of a look-up or a reference. Return: an id for mock_release(). */
int mock_hold_args(int vm, struct gmem_test_hold *h);
int mock_hold(int vm, uint64_t gpa, uint32_t flags, uint32_t timeout_ms);
int mock_release(int vm, uint32_t id);

/* Make a method slow; make its nth call fail after a number of pages. */
int mock_slow(int vm, enum gmem_test_method method, uint32_t delay_ms);
int mock_fail(int vm, enum gmem_test_method method, uint32_t nth, uint32_t error,
	      uint32_t pages);

int mock_count(int vm, struct gmem_test_count *count);
long long mock_calls(int vm, enum gmem_test_method method);
/* Wait until a method has been called this many times. */
int mock_wait_calls(int vm, enum gmem_test_method method, long long calls);

#define test_mock_create() ({						\
	int __vm = mock_create();					\
									\
	ASSERT_GE(__vm, 0);						\
	__vm;								\
})

#define test_mock_bind(vm, gpa, fd, offset, length, flags)		\
	ASSERT_EQ(0, mock_bind(vm, gpa, fd, offset, length, flags))
#define test_err_mock_bind(err, vm, gpa, fd, offset, length, flags)	\
	EXPECT_EQ(-(err), mock_bind(vm, gpa, fd, offset, length, flags))

#define test_mock_unbind(vm, gpa)	ASSERT_EQ(0, mock_unbind(vm, gpa))

#define test_mock_convert(vm, gpa, length, target, content)		\
	ASSERT_EQ(0, mock_convert(vm, gpa, length, target, content))
#define test_err_mock_convert(err, vm, gpa, length, target, content)	\
	EXPECT_EQ(-(err), mock_convert(vm, gpa, length, target, content))

#define test_mock_hold(vm, gpa, flags, timeout_ms) ({			\
	int __id = mock_hold(vm, gpa, flags, timeout_ms);		\
									\
	ASSERT_GT(__id, 0);						\
	__id;								\
})

#define test_mock_fill(vm, gpa, length, value)				\
	ASSERT_EQ(0, mock_op(vm, GMEM_TEST_OP_FILL, gpa, length, value, NULL))

/* The guest reads value in the whole range. */
#define expect_guest(value, vm, gpa, length)				\
	EXPECT_EQ(0, mock_op(vm, GMEM_TEST_OP_EXPECT, gpa, length, value, NULL))

/* The guest sees the page in this state. */
#define expect_mock_state(state, vm, gpa)				\
	EXPECT_EQ((int)(state), mock_state(vm, gpa))

/* gmem has kept its promises to the hypervisor, and all invalidations have ended. */
#define expect_mock_kept(vm) do {					\
	struct gmem_test_count __c;					\
									\
	EXPECT_EQ(0, mock_count(vm, &__c));				\
	EXPECT_EQ(0, __c.violations);					\
	EXPECT_EQ(0, __c.open);						\
	EXPECT_EQ(__c.calls[GMEM_TEST_INVALIDATE_START],		\
		  __c.calls[GMEM_TEST_INVALIDATE_END]);			\
} while (0)

#endif /* MOCK_H */
