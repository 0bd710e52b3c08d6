// SPDX-License-Identifier: GPL-2.0
/*
 * A gmem file is released cleanly, even if others refer to its inode: watches, caches,
 * leases, mappings, sockets; in every order.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"

#define LENGTH (8 * PAGE)

static int create_populated(void)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);

	test_gmem_commit(fd, 0, LENGTH);
	return fd;
}

static int watch(int fd)
{
	int in = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ASSERT_GE(in, 0);
	ASSERT_GE(inotify_add_watch(in, path, IN_ALL_EVENTS), 0);
	return in;
}

static bool no_inotify(void)
{
	int in = inotify_init1(IN_CLOEXEC);

	if (in < 0 && errno == ENOSYS)
		SKIP(return true, KSFT_BY_DESIGN " no CONFIG_INOTIFY_USER");
	close(in);
	return false;
}

/* The inotify fd is closed after the last file, and with it goes the superblock. */
TEST(inotify_closed_last)
{
	int fd = create_populated();
	int in;

	if (no_inotify())
		return;
	in = watch(fd);
	close(fd);
	EXPECT_EQ(0, close(in));
	fd = create_populated();
	EXPECT_EQ(0, close(fd));
}

/* The inotify fd is closed first. */
TEST(inotify_closed_first)
{
	int fd = create_populated();
	int in;

	if (no_inotify())
		return;
	in = watch(fd);
	close(in);
	EXPECT_EQ(0, close(fd));
}

/* A process dies with a watch, a mapping and the fd. */
TEST(inotify_owner_killed)
{
	int status;
	pid_t pid;

	if (no_inotify())
		return;
	pid = fork();
	if (!pid) {
		int fd = create_populated();
		uint8_t *p = test_gmem_map(fd, 0, LENGTH);

		watch(fd);
		p[0] = 1;
		raise(SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

/* Whether the watch @in reports within a second that its file is gone. */
static bool watch_ended(int in)
{
	char buf[1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *event;
	struct pollfd poll_in = { .fd = in, .events = POLLIN };
	ssize_t n, at;

	while (poll(&poll_in, 1, 1000) == 1) {
		n = read(in, buf, sizeof(buf));
		for (at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const void *)(buf + at);
			if (event->mask & IN_IGNORED)
				return true;
		}
	}
	return false;
}

/* A watch does not keep memory: it is freed with the last file, like that of a memfd. */
TEST(inotify_keeps_nothing)
{
	int other = create_populated();
	int fd = create_populated();
	int in;

	if (no_inotify())
		return;
	in = watch(fd);
	close(fd);
	EXPECT_TRUE(watch_ended(in));
	close(in);
	close(other);
}

static void *drop_caches_main(void *arg)
{
	volatile bool *stop = arg;

	while (!*stop)
		gmem_write_file("/proc/sys/vm/drop_caches", "3");
	return NULL;
}

/* Drop the caches of all inodes while the last file is closed. */
TEST_TIMEOUT(drop_caches_while_closing, 300)
{
	struct gmem_task task = { 0 };
	volatile bool stop = false;
	int i, fd;

	ASSERT_EQ(0, gmem_task_start(&task, 1, drop_caches_main,
				     (void *)&stop));
	for (i = 0; i < 300; i++) {
		fd = create_populated();
		EXPECT_EQ(8, gmem_populated(fd, 0, LENGTH));
		close(fd);
	}
	stop = true;
	gmem_task_join(&task);
}

/* sync() of all file systems while files are created and closed. */
static void *sync_main(void *arg)
{
	volatile bool *stop = arg;

	while (!*stop)
		sync();
	return NULL;
}

TEST_TIMEOUT(sync_while_closing, 300)
{
	struct gmem_task task = { 0 };
	volatile bool stop = false;
	int i, fd;

	ASSERT_EQ(0, gmem_task_start(&task, 1, sync_main, (void *)&stop));
	for (i = 0; i < 200; i++) {
		fd = create_populated();
		EXPECT_GE(fd, 0);
		close(fd);
	}
	stop = true;
	gmem_task_join(&task);
}

/* Locks, leases and epoll refer to the file; it is still released. */
TEST(locks_and_epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct flock lock = { .l_type = F_WRLCK };
	int fd = create_populated();
	int ep = epoll_create1(0);

	ASSERT_EQ(0, flock(fd, LOCK_EX));
	ASSERT_EQ(0, fcntl(fd, F_SETLK, &lock));
	fcntl(fd, F_SETLEASE, F_WRLCK);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, close(ep));
}

/* A mapping can be opened through /proc/self/map_files after the fd is closed. */
TEST(map_files)
{
	int fd = create_populated(), again;
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);
	char path[96];

	gmem_fill(p, 0x3c, LENGTH);
	test_gmem_convert(fd, PAGE, PAGE, PRIVATE, PRESERVE);
	close(fd);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)p, (unsigned long)(p + LENGTH));
	again = open(path, O_RDWR);
	if (again < 0)
		SKIP(return, KSFT_BY_DESIGN " no /proc/self/map_files");
	munmap(p, LENGTH);
	p = test_gmem_map(again, 0, LENGTH);
	expect_bytes(0x3c, p, PAGE);
	expect_sigbus(p + PAGE);
	test_gmem_convert(again, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0x3c, p, LENGTH);
	close(again);
}

/* Many files that are closed in another order leave nothing behind. */
TEST(many_files)
{
	struct rlimit rl = { 4096, 4096 };
	int fds[500], i;

	setrlimit(RLIMIT_NOFILE, &rl);
	for (i = 0; i < 500; i++) {
		fds[i] = gmem_create(LENGTH, 0);
		ASSERT_GE(fds[i], 0);
		test_gmem_convert(fds[i], PAGE, PAGE, SHARED, PRESERVE);
	}
	for (i = 0; i < 500; i++)
		EXPECT_EQ(0, close(fds[i * 7 % 500]));
}

/* The device can be closed before a file that it has created. */
TEST(device_closed_first)
{
	struct gmem_ioctl_create c = { .size = sizeof(c), .length = LENGTH };
	int dev = gmem_open_dev();

	ASSERT_EQ(0, gmem_ioctl(dev, GMEM_IOCTL_CREATE, &c));
	close(dev);
	expect_state(PRIVATE, c.out_fd, 0);
	EXPECT_EQ(0, close(c.out_fd));
}

/* The module cannot be unloaded while a file or a mapping exists. */
TEST(module_is_held)
{
	int fd = create_populated();
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);

	close(fd);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "gmem", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	p[0] = 1;
	expect_byte(1, p);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
