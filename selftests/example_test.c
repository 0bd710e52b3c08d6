// SPDX-License-Identifier: GPL-2.0
/*
 * The minimal hypervisor of Documentation/examples/minihyp works, so that what
 * library.rst explains is tested.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../Documentation/examples/minihyp/minihyp.h"
#include "gmem_utils.h"
#include "ksft.h"

#define LENGTH (MINIHYP_PAGES * PAGE)
#define STORE(gpa, byte) ((gpa) | (uint64_t)(byte) << 32)

static void module_path(char *path, size_t size)
{
	struct utsname u;

	uname(&u);
	snprintf(path, size, "/lib/modules/%s/updates/minihyp.ko", u.release);
}

static const char *unavailable(void)
{
	char path[256];

	module_path(path, sizeof(path));
	if (access(path, R_OK))
		return "no minihyp.ko among the modules";
	return gmem_unavailable();
}

static int call(int guest, int cmd, uint64_t arg)
{
	int rc = ioctl(guest, cmd, arg);

	return rc < 0 ? -errno : rc;
}

FIXTURE(example) {
	int guest;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(example)
{
	char path[256];
	int fd;

	module_path(path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	self->guest = open("/dev/minihyp", O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->guest, 0);
	self->fd = call(self->guest, MINIHYP_FD, 0);
	ASSERT_GE(self->fd, 0);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
}

/*
 * The module can be unloaded after its last guest has ended, even if the memory still
 * exists.
 */
FIXTURE_TEARDOWN(example)
{
	int tries, rc = -1;

	EXPECT_EQ(-1, syscall(SYS_delete_module, "minihyp", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	close(self->guest);
	for (tries = 0; rc && tries < 100; tries++) {
		rc = syscall(SYS_delete_module, "minihyp", O_NONBLOCK);
		if (rc)
			usleep(20000);
	}
	EXPECT_EQ(0, rc);
	close(self->fd);
}

/* Guest and VMM see the same contents of a shared page. */
TEST_F(example, shared)
{
	self->p[PAGE + 5] = 42;
	EXPECT_EQ(42, call(self->guest, MINIHYP_LOAD, PAGE + 5));
	EXPECT_EQ(43, call(self->guest, MINIHYP_STORE, STORE(PAGE + 5, 43)));
	expect_byte(43, self->p + PAGE + 5);
	EXPECT_EQ(0, call(self->guest, MINIHYP_LOAD, LENGTH - 1));
	EXPECT_EQ(-EFAULT, call(self->guest, MINIHYP_LOAD, LENGTH));
	EXPECT_EQ(-ENOTTY, call(self->guest, MINIHYP_UNSHARE + 1, 0));
}

/* The VMM cannot read private contents before the guest shares them. */
TEST_F(example, consent)
{
	self->p[0] = 'A';
	EXPECT_EQ('A', call(self->guest, MINIHYP_LOAD, 0));
	EXPECT_EQ(0, call(self->guest, MINIHYP_UNSHARE, 0));
	expect_sigbus(self->p);
	EXPECT_EQ('A', call(self->guest, MINIHYP_LOAD, 0));
	EXPECT_EQ('S', call(self->guest, MINIHYP_STORE, STORE(0, 'S')));
	test_err_gmem_convert(EPERM, self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_sigbus(self->p);
	EXPECT_EQ(0, call(self->guest, MINIHYP_SHARE, 0));
	expect_byte('S', self->p);
}

/* Userspace converts pages that the guest has mapped: the guest sees the new state. */
TEST_F(example, invalidated)
{
	gmem_fill(self->p, 'A', LENGTH);
	EXPECT_EQ('A', call(self->guest, MINIHYP_LOAD, 3 * PAGE));
	EXPECT_EQ('A', call(self->guest, MINIHYP_LOAD, 4 * PAGE));
	test_gmem_punch(self->fd, 3 * PAGE, PAGE);
	EXPECT_EQ(0, call(self->guest, MINIHYP_LOAD, 3 * PAGE));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_EQ('A', call(self->guest, MINIHYP_LOAD, 4 * PAGE));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	EXPECT_EQ(0, call(self->guest, MINIHYP_LOAD, 4 * PAGE));
	EXPECT_EQ(7, call(self->guest, MINIHYP_STORE, STORE(4 * PAGE, 7)));
	expect_byte(7, self->p + 4 * PAGE);
}

/* After the guest has ended, private pages stay private. */
TEST_F(example, closed)
{
	int guest = open("/dev/minihyp", O_RDWR | O_CLOEXEC);
	int fd = call(guest, MINIHYP_FD, 0);

	EXPECT_EQ('S', call(guest, MINIHYP_STORE, STORE(0, 'S')));
	EXPECT_EQ(0, call(guest, MINIHYP_UNSHARE, 0));
	close(guest);
	expect_state(PRIVATE, fd, 0);
	test_err_gmem_convert(EPERM, fd, 0, PAGE, SHARED, PRESERVE);
	test_gmem_convert(fd, 0, PAGE, SHARED, ZERO);
	expect_byte(0, test_gmem_map(fd, 0, PAGE));
	close(fd);
}

TEST_HARNESS_MAIN_IF(unavailable())
