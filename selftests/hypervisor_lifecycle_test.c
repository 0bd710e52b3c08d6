// SPDX-License-Identifier: GPL-2.0
/*
 * Hypervisors, guests and fds end in every order and at every point: no binding, page or
 * module reference is lost or leaked. A conversion whose caller is killed has completely
 * succeeded or changed nothing.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "mock.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x600000000ULL

static int create_filled(uint8_t **p)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);

	*p = test_gmem_map(fd, 0, LENGTH);
	gmem_fill(*p, 'A', LENGTH);
	return fd;
}

static int create_guest(int fd)
{
	int vm = test_mock_create();

	test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
	expect_guest('A', vm, GPA, LENGTH);
	return vm;
}

static int bindings(int fd)
{
	struct gmem_ioctl_stat stat;
	int rc = gmem_stat(fd, &stat);

	return rc ? rc : (int)stat.bindings;
}

/* The fd is closed first: the guest keeps the memory. */
TEST(fd_closed_first)
{
	uint8_t *p;
	int fd = create_filled(&p);
	int vm = create_guest(fd);

	munmap(p, LENGTH);
	close(fd);
	test_mock_convert(vm, GPA, 4 * PAGE, PRIVATE, PRESERVE);
	expect_guest('A', vm, GPA, LENGTH);
	test_mock_fill(vm, GPA, LENGTH, 'G');
	expect_guest('G', vm, GPA, LENGTH);
	test_mock_unbind(vm, GPA);
	EXPECT_EQ(-ENXIO, mock_op(vm, GMEM_TEST_OP_EXPECT, GPA, 1, 'G', NULL));
	expect_mock_kept(vm);
	EXPECT_EQ(0, close(vm));
}

/* The VM is closed first: the host keeps the memory. */
TEST(vm_closed_first)
{
	uint8_t *p;
	int fd = create_filled(&p);
	int vm = create_guest(fd);

	test_mock_convert(vm, GPA, 4 * PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(1, bindings(fd));
	close(vm);
	EXPECT_EQ(0, bindings(fd));
	expect_sigbus(p);
	test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', p, LENGTH);
	vm = create_guest(fd);
	EXPECT_EQ(1, bindings(fd));
	close(fd);
	close(vm);
	expect_bytes('A', p, LENGTH);
}

/* Only a mapping and the guest are left. */
TEST(mapping_and_guest)
{
	uint8_t *p;
	int fd = create_filled(&p);
	int vm = create_guest(fd);

	close(fd);
	test_mock_fill(vm, GPA, LENGTH, 'G');
	expect_bytes('G', p, LENGTH);
	test_mock_convert(vm, GPA, PAGE, PRIVATE, PRESERVE);
	expect_sigbus(p);
	close(vm);
	expect_sigbus(p);
	expect_bytes('G', p + PAGE, LENGTH - PAGE);
}

/* Unbind and bind again; other slots of the VM are unaffected. */
TEST(unbind_and_bind)
{
	uint8_t *p;
	int fd = create_filled(&p), i;
	int vm = create_guest(fd);
	int other = create_filled(&p);

	test_mock_bind(vm, GPA + LENGTH, other, 0, LENGTH, 0);
	for (i = 0; i < 100; i++) {
		test_mock_unbind(vm, GPA);
		EXPECT_EQ(0, bindings(fd));
		EXPECT_EQ(-ENXIO, mock_unbind(vm, GPA));
		expect_guest('A', vm, GPA + LENGTH, PAGE);
		test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
		expect_guest('A', vm, GPA, PAGE);
	}
	EXPECT_EQ(100, mock_calls(vm, GMEM_TEST_GONE));
	expect_mock_kept(vm);
}

/* The maximum number of slots, and one more. */
TEST(many_slots)
{
	int fd = test_gmem_create(GMEM_TEST_SLOTS * 2 * PAGE,
				  GMEM_CREATE_F_INIT_SHARED);
	int vm = test_mock_create(), i;

	for (i = 0; i < GMEM_TEST_SLOTS; i++)
		test_mock_bind(vm, GPA + i * PAGE, fd, i * PAGE, PAGE, 0);
	test_err_mock_bind(ENOSPC, vm, GPA + i * PAGE, fd, i * PAGE, PAGE, 0);
	EXPECT_EQ(GMEM_TEST_SLOTS, bindings(fd));
	test_mock_fill(vm, GPA, GMEM_TEST_SLOTS * PAGE, 'G');
	test_gmem_convert(fd, 0, GMEM_TEST_SLOTS * 2 * PAGE, PRIVATE, PRESERVE);
	expect_guest('G', vm, GPA, GMEM_TEST_SLOTS * PAGE);
	expect_mock_kept(vm);
	close(vm);
	EXPECT_EQ(0, bindings(fd));
}

/* A child uses the VM after its parent has closed it. */
TEST(inherited)
{
	uint8_t *p;
	int fd = create_filled(&p);
	int vm = create_guest(fd), sync[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(sync));
	pid = fork();
	if (!pid) {
		ASSERT_EQ(1, read(sync[0], &byte, 1));
		expect_guest('A', vm, GPA, LENGTH);
		test_mock_convert(vm, GPA, LENGTH, PRIVATE, PRESERVE);
		expect_mock_kept(vm);
		_exit(0);
	}
	close(vm);
	EXPECT_EQ(1, bindings(fd));
	ASSERT_EQ(1, write(sync[1], "x", 1));
	EXPECT_EQ(0, gmem_wait_pid(pid));
	EXPECT_EQ(0, bindings(fd));
	expect_state(PRIVATE, fd, 0);
}

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static void module_path(char *path, size_t size)
{
	struct utsname u;

	uname(&u);
	snprintf(path, size, "/lib/modules/%s/updates/gmem_test.ko", u.release);
}

static int load(void)
{
	char path[256];
	int fd, rc;

	module_path(path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return rc;
}

/* The module cannot be unloaded while its VM is open, with or without memory. */
TEST(unload_refused)
{
	uint8_t *p;
	int fd = create_filled(&p);
	int vm = test_mock_create();

	EXPECT_EQ(-EWOULDBLOCK, unload("gmem_test"));
	test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, unload("gmem_test"));
	EXPECT_EQ(-EWOULDBLOCK, unload("gmem"));
	expect_guest('A', vm, GPA, LENGTH);
}

/*
 * It can be unloaded after the last VM was closed, even if memory exists, and loaded
 * again.
 */
TEST(unload_and_load)
{
	uint8_t *p;
	int fd = create_filled(&p), i, tries, rc;
	char path[256];

	module_path(path, sizeof(path));
	if (access(path, R_OK))
		SKIP(return, KSFT_BY_DESIGN " no %s", path);
	/* Loading would run the unit tests again, and kunit_test reads their results. */
	if (!access("/sys/module/kunit", F_OK))
		SKIP(return, KSFT_BY_DESIGN " the module has unit tests here");
	for (i = 0; i < 5; i++) {
		close(create_guest(fd));
		/* A worker may drop the last reference to a file. */
		for (tries = 0; tries < 100; tries++) {
			rc = unload("gmem_test");
			if (!rc)
				break;
			usleep(20000);
		}
		ASSERT_EQ(0, rc);
		EXPECT_EQ(-ENOENT, mock_create());
		expect_bytes('A', p, LENGTH);
		ASSERT_EQ(0, load());
	}
	close(create_guest(fd));
}

/*
 * Points at which a child is killed. The child has fds of its own. The parent also has
 * the memory, and checks it afterwards.
 */
struct point {
	const char *name;
	enum gmem_test_method slow;
	int fail;
	int target;
	bool by_guest;
	/* The call in which the child waits; otherwise it converts. */
	bool holds;
	bool punches;
	bool touches;
	bool pauses;
	bool unbinds;
};

static const struct point points[] = {
	{ .name = "invalidate_start", .slow = GMEM_TEST_INVALIDATE_START,
	  .target = PRIVATE },
	{ .name = "check", .slow = GMEM_TEST_CHECK, .target = PRIVATE },
	{ .name = "make_private", .slow = GMEM_TEST_MAKE_PRIVATE,
	  .target = PRIVATE, .by_guest = true },
	{ .name = "undo_private", .slow = GMEM_TEST_UNDO_PRIVATE,
	  .fail = GMEM_TEST_MAKE_PRIVATE, .target = PRIVATE },
	{ .name = "make_shared", .slow = GMEM_TEST_MAKE_SHARED,
	  .target = SHARED, .by_guest = true },
	{ .name = "undo_shared", .slow = GMEM_TEST_UNDO_SHARED,
	  .fail = GMEM_TEST_MAKE_SHARED, .target = SHARED },
	{ .name = "invalidate_end", .slow = GMEM_TEST_INVALIDATE_END,
	  .target = SHARED },
	{ .name = "hole", .slow = GMEM_TEST_INVALIDATE_START,
	  .target = PRIVATE, .punches = true },
	{ .name = "waits for a look-up", .slow = GMEM_TEST_NR_METHODS,
	  .target = PRIVATE, .holds = true },
	{ .name = "slow map", .slow = GMEM_TEST_MAP, .touches = true,
	  .target = PRIVATE },
	{ .name = "pause", .slow = GMEM_TEST_NR_METHODS, .pauses = true,
	  .target = PRIVATE },
	{ .name = "unbind", .slow = GMEM_TEST_GONE, .unbinds = true,
	  .target = PRIVATE },
};

#define NR_POINTS ((int)(sizeof(points) / sizeof(points[0])))
static int victim_convert(const struct point *point, int vm, int fd)
{
	struct gmem_test_convert c = {
		.gpa = GPA,
		.length = LENGTH,
		.target = point->target,
		.timeout_ms = 60000,
	};

	if (point->by_guest || point->holds)
		return mock_convert_args(vm, &c);
	return gmem_convert(fd, 0, LENGTH, point->target, PRESERVE);
}

/* The child: report that it is ready, and make a call that takes long. */
static void victim_main(const struct point *point, int fd, int ready,
			uint32_t slow_ms)
{
	int vm = create_guest(fd), rc = 0;

	if (point->slow < GMEM_TEST_NR_METHODS)
		ASSERT_EQ(0, mock_slow(vm, point->slow, slow_ms));
	if (point->fail)
		ASSERT_EQ(0, mock_fail(vm, point->fail, 1, EIO, 5));
	if (point->holds)
		test_mock_hold(vm, GPA + PAGE, 0, GMEM_TEST_DELAY_MAX);
	if (point->touches)
		test_gmem_punch(fd, 0, PAGE);
	ASSERT_EQ(1, write(ready, "x", 1));
	if (point->punches)
		rc = gmem_punch(fd, 0, LENGTH);
	else if (point->touches)
		rc = mock_op(vm, GMEM_TEST_OP_LOAD, GPA, 8, 0, NULL);
	else if (point->pauses)
		rc = mock_op(vm, GMEM_TEST_OP_PAUSE, 0, 0,
			     GMEM_TEST_DELAY_MAX, NULL);
	else if (point->unbinds)
		rc = mock_unbind(vm, GPA);
	else
		rc = victim_convert(point, vm, fd);
	pause();
	_exit(!!rc);
}

/* All pages have the same state and the same value: the old one, or that of a hole. */
static void expect_whole(const struct point *point, int fd, uint8_t *p)
{
	int state = gmem_state(fd, 0), page, value = 'A';

	for (page = 0; page < NR_PAGES; page++)
		expect_state(state, fd, page * PAGE);
	test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
	page = point->touches;
	if (point->punches)
		value = p[0];
	EXPECT_TRUE(value == 'A' || !value);
	expect_bytes(value, p + page * PAGE, LENGTH - page * PAGE);
}

static void kill_at(const struct point *point, uint32_t slow_ms,
		    unsigned int delay_us)
{
	int ready[2], fd;
	uint8_t *p;
	pid_t pid;
	char byte;

	fd = create_filled(&p);
	/* A conversion to shared starts from private. */
	if (point->target == SHARED)
		test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid)
		victim_main(point, fd, ready[1], slow_ms);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	usleep(delay_us);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, gmem_wait_pid(pid));
	EXPECT_EQ(0, bindings(fd));
	expect_whole(point, fd, p);
	close(create_guest(create_filled(&p)));
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

/* Killed in the middle of each call. */
TEST_TIMEOUT(killed_inside, 300)
{
	int i;

	for (i = 0; i < NR_POINTS; i++) {
		TH_LOG("%s", points[i].name);
		kill_at(&points[i], 1500, 400000);
	}
}

/* Killed at random times. */
TEST_TIMEOUT(killed_at_random, 600)
{
	uint64_t end = ksft_now_ms() + gmem_stress_seconds() * 1000 / 2;
	uint64_t seed = ksft_seed();
	long kills = 0;

	while (ksft_now_ms() < end) {
		kill_at(&points[gmem_rand(&seed) % NR_POINTS], 10,
			gmem_rand(&seed) % 30000);
		kills++;
	}
	TH_LOG("%ld killed", kills);
	EXPECT_GT(kills, 0);
}

/* Tasks that wait for a conversion, as guest and as host, are killed. */
TEST(killed_while_waiting)
{
	uint8_t *p;
	int fd = create_filled(&p), i;
	int vm = create_guest(fd);
	pid_t pids[3];

	ASSERT_EQ(0, mock_slow(vm, GMEM_TEST_MAKE_PRIVATE, 3000));
	pids[0] = fork();
	if (!pids[0])
		_exit(!!gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE));
	ASSERT_EQ(0, mock_wait_calls(vm, GMEM_TEST_MAKE_PRIVATE, 1));
	for (i = 1; i < 3; i++) {
		pids[i] = fork();
		if (!pids[i] && i == 1)
			mock_op(vm, GMEM_TEST_OP_LOAD, GPA, 8, 0, NULL);
		else if (!pids[i])
			gmem_try_read(p, NULL);
		if (!pids[i])
			_exit(0);
	}
	usleep(300000);
	for (i = 1; i < 3; i++) {
		kill(pids[i], SIGKILL);
		EXPECT_EQ(128 + SIGKILL, gmem_wait_pid(pids[i]));
	}
	EXPECT_EQ(0, gmem_wait_pid(pids[0]));
	expect_state(PRIVATE, fd, 0);
	ASSERT_EQ(0, mock_slow(vm, GMEM_TEST_MAKE_PRIVATE, 0));
	expect_guest('A', vm, GPA, LENGTH);
	expect_mock_kept(vm);
}

/* The slot is unbound while vCPUs handle page faults. */
struct runner {
	struct gmem_task task;
	int vm;
	volatile bool stop;
	long done;
	int unexpected;
};

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	int rc;

	while (!r->stop) {
		rc = mock_op(r->vm, GMEM_TEST_OP_EXPECT, GPA, LENGTH, 'A', NULL);
		if (!rc)
			r->done++;
		else if (rc != -ENXIO)
			r->unexpected = rc;
	}
	return NULL;
}

TEST(unbind_while_running)
{
	struct runner r[3] = { 0 };
	uint8_t *p;
	int fd = create_filled(&p), i;
	int vm = create_guest(fd);

	ASSERT_EQ(0, mock_slow(vm, GMEM_TEST_MAP, 2));
	for (i = 0; i < 3; i++) {
		r[i].vm = vm;
		ASSERT_EQ(0, gmem_task_start(&r[i].task, -1, runner_main,
					     &r[i]));
	}
	for (i = 0; i < 20; i++) {
		usleep(20000);
		test_mock_unbind(vm, GPA);
		EXPECT_EQ(0, bindings(fd));
		test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
		/* A look-up that ends only while unbind waits for it. */
		test_mock_hold(vm, GPA + 3 * PAGE, 0, 30);
		EXPECT_EQ(0, mock_unbind_late(vm, GPA));
		test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
	}
	ASSERT_EQ(0, mock_slow(vm, GMEM_TEST_MAP, 0));
	usleep(100000);
	for (i = 0; i < 3; i++) {
		r[i].stop = true;
		gmem_task_join(&r[i].task);
		EXPECT_EQ(0, r[i].unexpected);
		EXPECT_GT(r[i].done, 0);
	}
	expect_mock_kept(vm);
	expect_bytes('A', p, LENGTH);
}

/* A process exits with everything open, held and in progress. */
TEST(exit_with_everything)
{
	int fd, status;
	uint8_t *p;
	pid_t pid;

	fd = create_filled(&p);
	pid = fork();
	if (!pid) {
		int vm = create_guest(fd);

		test_mock_convert(vm, GPA, 4 * PAGE, PRIVATE, PRESERVE);
		test_mock_hold(vm, GPA, 0, GMEM_TEST_DELAY_MAX);
		test_mock_hold(vm, GPA + PAGE, 0, GMEM_TEST_DELAY_MAX);
		test_mock_hold(vm, GPA + 5 * PAGE, GMEM_TEST_HOLD_F_REF,
			       GMEM_TEST_DELAY_MAX);
		_exit(7);
	}
	status = gmem_wait_pid(pid);
	EXPECT_EQ(7, status);
	EXPECT_EQ(0, bindings(fd));
	test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', p, LENGTH);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(mock_unavailable())
