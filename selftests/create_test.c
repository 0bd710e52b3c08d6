// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_IOCTL_CREATE and the file that it returns: lengths, flags, nodes, use after the
 * creator has ended, opening again, passing in messages, and operations that are refused.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"

FIXTURE(create) {
	int dev;
};

FIXTURE_SETUP(create)
{
	self->dev = gmem_open_dev();
	ASSERT_GE(self->dev, 0);
}

FIXTURE_TEARDOWN(create)
{
	close(self->dev);
}

static struct gmem_ioctl_create create_args(uint64_t length, uint32_t flags)
{
	struct gmem_ioctl_create c = {
		.size = sizeof(c),
		.flags = flags,
		.length = length,
		.out_fd = -1,
	};

	return c;
}

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static int create_named(int dev, const char *name, size_t length)
{
	struct gmem_ioctl_create c = create_args(PAGE, 0);

	int rc;

	memcpy(c.name, name, length);
	rc = gmem_ioctl(dev, GMEM_IOCTL_CREATE, &c);
	return rc ? rc : c.out_fd;
}

/* /proc shows the name of a file. A name that is too long or no text is refused. */
TEST_F(create, name)
{
	static const char longest[GMEM_NAME_MAX] = "a-name-of-thirty-one-characters";
	char path[64], text[4096];
	int fd;

	fd = create_named(self->dev, "web-1", 5);
	ASSERT_GE(fd, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ASSERT_GT(readlink(path, text, sizeof(text)), 0);
	EXPECT_EQ(0, strncmp(text, "/gmem:web-1 ", 12));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ASSERT_GE(gmem_read_file(path, text, sizeof(text)), 0);
	EXPECT_TRUE(strstr(text, "gmem-name:\tweb-1\n"));
	EXPECT_TRUE(strstr(text, "gmem-length:\t4096\n"));
	EXPECT_TRUE(strstr(text, "gmem-private-pages:\t1\n"));
	EXPECT_TRUE(strstr(text, "gmem-resident-pages:\t0\n"));
	close(fd);

	fd = create_named(self->dev, longest, GMEM_NAME_MAX);
	EXPECT_GE(fd, 0);
	close(fd);
	EXPECT_EQ(-EINVAL, create_named(self->dev, "a-name-of-thirty-two-characters!",
					GMEM_NAME_MAX));
	EXPECT_EQ(-EINVAL, create_named(self->dev, "\n", 1));
}

/* One page, odd numbers of pages and the maximum are accepted; the size is exact. */
TEST_F(create, lengths_that_work)
{
	static const uint64_t lengths[] = {
		PAGE, 3 * PAGE, SZ_2M - PAGE, SZ_2M, SZ_2M + PAGE, SZ_1G,
		SZ_1T, GMEM_LENGTH_MAX - PAGE, GMEM_LENGTH_MAX,
	};
	struct stat st;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		fd = test_gmem_create(lengths[i], 0);
		ASSERT_EQ(0, fstat(fd, &st));
		EXPECT_EQ(lengths[i], st.st_size);
		EXPECT_EQ(PAGE, st.st_blksize);
		EXPECT_EQ(0, st.st_blocks);
		EXPECT_TRUE(S_ISREG(st.st_mode));
		close(fd);
	}
}

/* Zero, part of a page, or more than the maximum: EINVAL and no fd. */
TEST_F(create, lengths_that_do_not)
{
	static const uint64_t lengths[] = {
		0, 1, PAGE - 1, PAGE + 1, SZ_2M + 512, GMEM_LENGTH_MAX + 1,
		GMEM_LENGTH_MAX + PAGE, 1ULL << 63, -PAGE, ~0ULL,
	};
	int fds = open_fds();
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		test_err_gmem_create(EINVAL, lengths[i], 0);
		test_err_gmem_create(EINVAL, lengths[i],
				     GMEM_CREATE_F_INIT_SHARED);
	}
	for (i = 1; i < PAGE; i += 13)
		test_err_gmem_create(EINVAL, i, 0);
	EXPECT_EQ(fds, open_fds());
}

/* Pages start private without INIT_SHARED and shared with it. */
TEST_F(create, initial_state)
{
	int private = test_gmem_create(8 * PAGE, 0);
	int shared = test_gmem_create(8 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	struct gmem_ioctl_stat stat;

	expect_state(PRIVATE, private, 0);
	expect_state(PRIVATE, private, 7 * PAGE);
	expect_state(SHARED, shared, 0);
	expect_state(SHARED, shared, 7 * PAGE);
	test_gmem_stat(private, &stat);
	EXPECT_EQ(0, stat.create_flags);
	EXPECT_EQ(8, stat.private_pages);
	EXPECT_EQ(0, stat.resident_pages);
	test_gmem_stat(shared, &stat);
	EXPECT_EQ(GMEM_CREATE_F_INIT_SHARED, stat.create_flags);
	EXPECT_EQ(0, stat.private_pages);
	EXPECT_EQ(8 * PAGE, stat.length);
}

/* An online node is accepted; other nodes, and a node without the flag, are refused. */
TEST_F(create, node)
{
	struct gmem_ioctl_create c = create_args(PAGE, GMEM_CREATE_F_NODE);
	static const int32_t bad[] = { -1, -2, INT32_MIN, 1023, 1024, 100000,
				       INT32_MAX };
	struct gmem_ioctl_info info;
	uint8_t *p;
	size_t i;

	ASSERT_EQ(0, gmem_info(&info));
	if (!(info.features & GMEM_FEATURE_NUMA))
		SKIP(return, KSFT_BY_DESIGN " a kernel without NUMA");
	c.flags |= GMEM_CREATE_F_INIT_SHARED;
	ASSERT_EQ(0, gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
	p = test_gmem_map(c.out_fd, 0, PAGE);
	expect_byte(0, p);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c.node = bad[i];
		EXPECT_EQ(-EINVAL,
			  gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
	}
	c.flags = 0;
	c.node = 1;
	EXPECT_EQ(-EINVAL, gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
}

/* fd_flags: O_CLOEXEC sets the flag, 0 does not, and other values give EINVAL. */
TEST_F(create, fd_flags)
{
	struct gmem_ioctl_create c = create_args(PAGE, 0);
	int bit;

	ASSERT_EQ(0, gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
	EXPECT_EQ(0, fcntl(c.out_fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(c.out_fd, F_GETFL) & O_ACCMODE);
	c.fd_flags = O_CLOEXEC;
	ASSERT_EQ(0, gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
	EXPECT_EQ(FD_CLOEXEC, fcntl(c.out_fd, F_GETFD));
	for (bit = 0; bit < 32; bit++) {
		if (1U << bit == O_CLOEXEC)
			continue;
		c.fd_flags = 1U << bit;
		EXPECT_EQ(-EINVAL,
			  gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
		c.fd_flags |= O_CLOEXEC;
		EXPECT_EQ(-EINVAL,
			  gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
	}
}

/* Without a free descriptor: EMFILE, and a later call succeeds. */
TEST_F(create, no_descriptor_left)
{
	struct gmem_ioctl_create c = create_args(PAGE, 0);
	struct rlimit old, none = { 0 };

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	none.rlim_max = old.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(0, gmem_ioctl(self->dev, GMEM_IOCTL_CREATE, &c));
}

/* Files do not share size, state or contents. */
TEST_F(create, several_are_independent)
{
	int a = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	int b = test_gmem_create(4 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *pa = test_gmem_map(a, 0, 2 * PAGE);
	uint8_t *pb = test_gmem_map(b, 0, 4 * PAGE);
	struct stat sa, sb;

	gmem_fill(pa, 0xaa, 2 * PAGE);
	expect_bytes(0, pb, 4 * PAGE);
	test_gmem_convert(a, 0, PAGE, PRIVATE, PRESERVE);
	expect_state(SHARED, b, 0);
	ASSERT_EQ(0, fstat(a, &sa));
	ASSERT_EQ(0, fstat(b, &sb));
	EXPECT_NE(sa.st_ino, sb.st_ino);
	EXPECT_EQ(4 * PAGE, sb.st_size);
	close(a);
	expect_byte(0xaa, pa + PAGE);
	expect_sigbus(pa);
}

/* A file opened again through /proc/self/fd is the same memory and state. */
TEST_F(create, reopen)
{
	int fd = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, 2 * PAGE), *q;
	char path[64];
	int again;

	gmem_fill(p, 0x5a, 2 * PAGE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(again, 0);
	q = test_gmem_map(again, 0, 2 * PAGE);
	expect_bytes(0x5a, q, 2 * PAGE);
	test_gmem_convert(again, PAGE, PAGE, PRIVATE, PRESERVE);
	expect_state(PRIVATE, fd, PAGE);
	expect_sigbus(p + PAGE);
	close(fd);
	test_gmem_convert(again, PAGE, PAGE, SHARED, PRESERVE);
	expect_bytes(0x5a, p, 2 * PAGE);
	EXPECT_EQ(-1, open(path, O_RDWR));
}

/* Reopened read-only it can be neither mapped writable nor changed. */
TEST_F(create, reopen_read_only)
{
	int fd = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	char path[64];
	int ro;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(ro, 0);
	EXPECT_EQ(MAP_FAILED, gmem_map(ro, 0, PAGE));
	EXPECT_EQ(EACCES, errno);
	test_err_gmem_punch(EBADF, ro, 0, PAGE);
	test_err_gmem_commit(EBADF, ro, 0, PAGE);
	EXPECT_NE(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0));
	expect_state(SHARED, ro, 0);
}

/* O_TRUNC does not change the size or the contents. */
TEST_F(create, reopen_truncating)
{
	int fd = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, 2 * PAGE);
	struct stat st;
	char path[64];

	gmem_fill(p, 0x77, 2 * PAGE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(-1, open(path, O_RDWR | O_TRUNC));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, truncate(path, PAGE));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(2 * PAGE, st.st_size);
	expect_bytes(0x77, p, 2 * PAGE);
}

/* The file cannot be executed. */
TEST_F(create, cannot_be_executed)
{
	int fd = test_gmem_create(PAGE, GMEM_CREATE_F_INIT_SHARED);
	char *argv[] = { "x", NULL };
	uint8_t *p = test_gmem_map(fd, 0, PAGE);

	memcpy(p, "#!/bin/true\n", 12);
	fchmod(fd, 0755);
	EXPECT_EQ(-1, fexecve(fd, argv, argv + 1));
	EXPECT_EQ(EACCES, errno);
}

/* A process that gets the fd over a socket can use it after the sender has ended. */
TEST_F(create, passed_over_a_socket)
{
	uint8_t *p;
	int sv[2], fd;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	pid = fork();
	if (!pid) {
		fd = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
		p = test_gmem_map(fd, 0, 2 * PAGE);
		gmem_fill(p, 0x31, 2 * PAGE);
		test_gmem_convert(fd, PAGE, PAGE, PRIVATE, PRESERVE);
		ASSERT_EQ(0, gmem_send_fd(sv[1], fd));
		_exit(0);
	}
	ASSERT_EQ(0, gmem_wait_pid(pid));
	fd = gmem_recv_fd(sv[0]);
	ASSERT_GE(fd, 0);
	p = test_gmem_map(fd, 0, 2 * PAGE);
	expect_bytes(0x31, p, PAGE);
	expect_sigbus(p + PAGE);
	test_gmem_convert(fd, PAGE, PAGE, SHARED, PRESERVE);
	expect_bytes(0x31, p, 2 * PAGE);
}

/* An fd in a message that is never read is released with the socket. */
TEST_F(create, dropped_in_flight)
{
	int fd = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	int sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	test_gmem_commit(fd, 0, 2 * PAGE);
	EXPECT_EQ(0, gmem_send_fd(sv[1], fd));
	close(fd);
	close(sv[1]);
	close(sv[0]);
}

/* The size never changes: ftruncate() of any size is EINVAL. */
TEST_F(create, ftruncate_refused)
{
	int fd = test_gmem_create(4 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	static const off_t sizes[] = { 0, 1, PAGE, 4 * PAGE, 8 * PAGE };
	uint8_t *p = test_gmem_map(fd, 0, 4 * PAGE);
	struct stat st;
	size_t i;

	gmem_fill(p, 0x42, 4 * PAGE);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		EXPECT_EQ(-1, ftruncate(fd, sizes[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(4 * PAGE, st.st_size);
	expect_bytes(0x42, p, 4 * PAGE);
}

static void expect_no_file_io(int fd)
{
	char buf[16] = { 1 };
	off_t pos = 0;
	int pipes[2], tmp;

	EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(-1, write(fd, buf, sizeof(buf)));
	EXPECT_EQ(-1, pread(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, pwrite(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(1, buf[0]);
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-1, splice(fd, &pos, pipes[1], NULL, PAGE, SPLICE_F_NONBLOCK));
	EXPECT_EQ(1, write(pipes[1], "x", 1));
	pos = 0;
	EXPECT_EQ(-1, splice(pipes[0], NULL, fd, &pos, 1, 0));
	pos = 0;
	EXPECT_EQ(-1, sendfile(pipes[1], fd, &pos, 1));
	tmp = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	ASSERT_GE(tmp, 0);
	ASSERT_EQ(0, ftruncate(tmp, PAGE));
	EXPECT_EQ(-1, copy_file_range(fd, NULL, tmp, NULL, PAGE, 0));
	EXPECT_EQ(-1, copy_file_range(tmp, NULL, fd, NULL, PAGE, 0));
	EXPECT_EQ(-1, sendfile(fd, tmp, NULL, PAGE));
	close(tmp);
	close(pipes[0]);
	close(pipes[1]);
}

/* No read, write, splice, sendfile or copy, on the fd or on a reopened one. */
TEST_F(create, no_file_io)
{
	int fd = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, 2 * PAGE);
	char path[64];
	int again;

	gmem_fill(p, 0x42, 2 * PAGE);
	expect_no_file_io(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR);
	ASSERT_GE(again, 0);
	expect_no_file_io(again);
	expect_bytes(0x42, p, 2 * PAGE);
}

/* Mode and owner can be changed, without an effect on memory and state. */
TEST_F(create, chmod_and_chown)
{
	int fd = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, 2 * PAGE);
	struct stat before, after;

	gmem_fill(p, 0x42, 2 * PAGE);
	ASSERT_EQ(0, fstat(fd, &before));
	EXPECT_EQ(0, before.st_mode & 077);
	EXPECT_LE(fchmod(fd, 0), 0);
	EXPECT_LE(fchown(fd, 1, 1), 0);
	ASSERT_EQ(0, fstat(fd, &after));
	EXPECT_EQ(before.st_size, after.st_size);
	EXPECT_EQ(before.st_mode & S_IFMT, after.st_mode & S_IFMT);
	test_gmem_convert(fd, PAGE, PAGE, PRIVATE, PRESERVE);
	expect_byte(0x42, p);
	expect_sigbus(p + PAGE);
}

/* fsync, fdatasync and msync of shared memory are harmless. */
TEST_F(create, sync)
{
	int fd = test_gmem_create(2 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, 2 * PAGE);

	gmem_fill(p, 0x42, 2 * PAGE);
	fsync(fd);
	msync(p, 2 * PAGE, MS_SYNC);
	test_gmem_convert(fd, 0, PAGE, PRIVATE, PRESERVE);
	msync(p, 2 * PAGE, MS_SYNC);
	sync_file_range(fd, 0, 2 * PAGE, 0);
	expect_byte(0x42, p + PAGE);
	test_gmem_convert(fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes(0x42, p, 2 * PAGE);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
