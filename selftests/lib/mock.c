// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of the mock hypervisor as functions that return a negative errno.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mock.h"

const char *mock_unavailable(void)
{
	int vm = mock_create();

	if (vm == -ENOENT)
		return "no " GMEM_TEST_DEVICE_PATH ": load gmem_test.ko";
	if (vm < 0)
		return "cannot open " GMEM_TEST_DEVICE_PATH ": run as root";
	close(vm);
	return gmem_unavailable();
}

int mock_create(void)
{
	int vm = open(GMEM_TEST_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	return vm < 0 ? -errno : vm;
}

int mock_bind(int vm, uint64_t gpa, int fd, uint64_t offset, uint64_t length,
	      uint32_t flags)
{
	struct gmem_test_bind b = {
		.size = sizeof(b),
		.flags = flags,
		.fd = fd,
		.offset = offset,
		.length = length,
		.gpa = gpa,
	};

	return gmem_ioctl(vm, GMEM_TEST_BIND, &b);
}

static int unbind(int vm, uint64_t gpa, uint32_t flags)
{
	struct gmem_test_unbind u = {
		.size = sizeof(u),
		.flags = flags,
		.gpa = gpa,
	};

	return gmem_ioctl(vm, GMEM_TEST_UNBIND, &u);
}

int mock_unbind(int vm, uint64_t gpa)
{
	return unbind(vm, gpa, 0);
}

int mock_unbind_late(int vm, uint64_t gpa)
{
	return unbind(vm, gpa, GMEM_TEST_UNBIND_F_LATE);
}

static int access_guest(int vm, uint32_t flags, uint64_t gpa, uint64_t length,
			const void *data)
{
	struct gmem_test_access a = {
		.size = sizeof(a),
		.flags = flags,
		.gpa = gpa,
		.length = length,
		.data = (uintptr_t)data,
	};

	return gmem_ioctl(vm, GMEM_TEST_ACCESS, &a);
}

int mock_read(int vm, uint64_t gpa, void *data, uint64_t length)
{
	return access_guest(vm, 0, gpa, length, data);
}

int mock_write(int vm, uint64_t gpa, const void *data, uint64_t length)
{
	return access_guest(vm, GMEM_TEST_F_WRITE, gpa, length, data);
}

int mock_run(int vm, struct gmem_test_op *ops, uint32_t nr_ops, uint32_t rounds)
{
	struct gmem_test_run r = {
		.size = sizeof(r),
		.nr_ops = nr_ops,
		.ops = (uintptr_t)ops,
		.rounds = rounds,
	};

	return gmem_ioctl(vm, GMEM_TEST_RUN, &r);
}

int mock_op(int vm, enum gmem_test_opcode opcode, uint64_t gpa, uint64_t length,
	    uint64_t value, uint64_t *result)
{
	struct gmem_test_op op = {
		.opcode = opcode,
		.gpa = gpa,
		.length = length,
		.value = value,
	};
	int rc = mock_run(vm, &op, 1, 1);

	if (result)
		*result = op.result;
	return rc;
}

int mock_op_in(int vm, uint32_t flags, enum gmem_test_opcode opcode,
	       uint64_t gpa, uint64_t length, uint64_t value)
{
	struct gmem_test_op op = {
		.opcode = opcode,
		.flags = flags,
		.gpa = gpa,
		.length = length,
		.value = value,
	};

	return mock_run(vm, &op, 1, 1);
}

int mock_convert_args(int vm, struct gmem_test_convert *c)
{
	c->size = sizeof(*c);
	return gmem_ioctl(vm, GMEM_TEST_CONVERT, c);
}

int mock_convert(int vm, uint64_t gpa, uint64_t length, uint32_t target,
		 uint32_t content)
{
	struct gmem_test_convert c = {
		.gpa = gpa,
		.length = length,
		.target = target,
		.content = content,
	};

	return mock_convert_args(vm, &c);
}

int mock_state(int vm, uint64_t gpa)
{
	struct gmem_test_query q = {
		.size = sizeof(q),
		.gpa = gpa,
		.length = PAGE,
	};
	int rc = gmem_ioctl(vm, GMEM_TEST_QUERY, &q);

	if (rc)
		return rc;
	return q.length == PAGE ? (int)q.state : -EPROTO;
}

int mock_hold_args(int vm, struct gmem_test_hold *h)
{
	h->size = sizeof(*h);
	return gmem_ioctl(vm, GMEM_TEST_HOLD, h);
}

int mock_hold(int vm, uint64_t gpa, uint32_t flags, uint32_t timeout_ms)
{
	struct gmem_test_hold h = {
		.flags = flags,
		.gpa = gpa,
		.timeout_ms = timeout_ms,
	};
	int rc = mock_hold_args(vm, &h);

	return rc ? rc : (int)h.id;
}

int mock_release(int vm, uint32_t id)
{
	struct gmem_test_release r = { .size = sizeof(r), .id = id };

	return gmem_ioctl(vm, GMEM_TEST_RELEASE, &r);
}

int mock_slow(int vm, enum gmem_test_method method, uint32_t delay_ms)
{
	struct gmem_test_knob k = {
		.size = sizeof(k),
		.method = method,
		.delay_ms = delay_ms,
	};

	return gmem_ioctl(vm, GMEM_TEST_KNOB, &k);
}

int mock_fail(int vm, enum gmem_test_method method, uint32_t nth, uint32_t error,
	      uint32_t pages)
{
	struct gmem_test_knob k = {
		.size = sizeof(k),
		.method = method,
		.nth = nth,
		.error = error,
		.pages = pages,
	};

	return gmem_ioctl(vm, GMEM_TEST_KNOB, &k);
}

int mock_count(int vm, struct gmem_test_count *count)
{
	memset(count, 0, sizeof(*count));
	count->size = sizeof(*count);
	return gmem_ioctl(vm, GMEM_TEST_COUNT, count);
}

long long mock_calls(int vm, enum gmem_test_method method)
{
	struct gmem_test_count count;
	int rc = mock_count(vm, &count);

	return rc ? rc : (long long)count.calls[method];
}

int mock_wait_calls(int vm, enum gmem_test_method method, long long calls)
{
	unsigned int tries;

	for (tries = 0; tries < 5000; tries++) {
		if (mock_calls(vm, method) >= calls)
			return 0;
		usleep(2000);
	}
	return -ETIMEDOUT;
}
