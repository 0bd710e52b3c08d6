// SPDX-License-Identifier: GPL-2.0
/*
 * A process cannot read or write a private page by a view in any way. Ways that hold a
 * page, or that use no page table, do not work on shared pages of a view either.
 *
 * The fixture has three populated pages in a view: the first and the last shared, the
 * middle one private with a secret pattern. What must fail on a page of the view has
 * worked on the same page by an ordinary mapping.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/mempolicy.h>

#include "gmem_view.h"
#include "hold.h"
#include "ksft.h"
#include "pattern.h"

#define LENGTH (3 * PAGE)
#define SECRET_SEED 0x5ec4e8ULL
#define OPEN_SEED 0x09e12ULL
#define OWN_SEED 0x0417fULL

FIXTURE(access) {
	int fd;
	int view;
	uint8_t *p;		/* ordinary mapping of the first page */
	uint8_t *v;
	uint8_t *shared;	/* in the view */
	uint8_t *private;
};

FIXTURE_SETUP(access)
{
	const char *why = gmem_view_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	pattern_put(self->p, OPEN_SEED);
	pattern_put(self->p + PAGE, SECRET_SEED);
	pattern_put(self->p + 2 * PAGE, OPEN_SEED);
	self->view = test_gmem_view(self->fd, 0, LENGTH);
	self->v = test_gmem_view_map(self->view, 0, LENGTH);
	self->shared = self->v;
	self->private = self->v + PAGE;
	ASSERT_EQ(3, gmem_view_populate(self->view, self->v, LENGTH, NOALLOC));
	test_gmem_convert(self->fd, PAGE, PAGE, PRIVATE, PRESERVE);
}

/* After each case the pages are unchanged, not held, and all in the view. */
FIXTURE_TEARDOWN(access)
{
	expect_state(PRIVATE, self->fd, PAGE);
	EXPECT_EQ(0, gmem_view_populate(self->view, self->v, LENGTH, NOALLOC));
	EXPECT_TRUE(pattern_is(self->p, OPEN_SEED));
	EXPECT_TRUE(pattern_is(self->shared, OPEN_SEED));
	EXPECT_TRUE(pattern_is(self->v + 2 * PAGE, OPEN_SEED));
	test_gmem_convert(self->fd, PAGE, PAGE, SHARED, PRESERVE);
	EXPECT_TRUE(pattern_is(self->p + PAGE, SECRET_SEED));
	EXPECT_TRUE(pattern_is(self->private, SECRET_SEED));
	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       10000));
	close(self->view);
	close(self->fd);
}

/* Loads and stores. */
TEST_F(access, load_and_store)
{
	expect_byte(pattern_byte(OPEN_SEED, 0), self->shared);
	EXPECT_EQ(0, gmem_try_write(self->shared, 0x77));
	expect_byte(0x77, self->p);
	pattern_put(self->shared, OPEN_SEED);
	expect_sigsegv(self->private);
	expect_sigsegv(self->private + PAGE - 1);
	expect_byte(pattern_byte(OPEN_SEED, 0), self->v + 2 * PAGE);
}

/* A child does not inherit the mapping, and MADV_DOFORK is refused. */
TEST_F(access, child)
{
	pid_t pid;

	EXPECT_EQ(-1, madvise(self->v, LENGTH, MADV_DOFORK));
	EXPECT_EQ(EINVAL, errno);
	pid = fork();
	if (!pid) {
		expect_sigsegv(self->shared);
		expect_sigsegv(self->private);
		expect_byte(pattern_byte(OPEN_SEED, 0), self->p);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

/* System calls that copy from or to user memory. */
TEST_F(access, system_calls)
{
	int fds[2], zero = open("/dev/zero", O_RDONLY);
	uint8_t buf[8];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(8, write(fds[1], self->shared, 8));
	EXPECT_EQ(8, read(fds[0], self->shared, 8));
	ASSERT_EQ(8, write(fds[1], self->shared, 8));
	ASSERT_EQ(8, read(fds[0], buf, 8));
	EXPECT_EQ(pattern_byte(OPEN_SEED, 7), buf[7]);
	EXPECT_EQ(-1, write(fds[1], self->private, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(8, read(zero, self->shared, 8));
	pattern_put(self->shared, OPEN_SEED);
	EXPECT_EQ(-1, read(zero, self->private, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, stat("/", (struct stat *)(void *)self->private));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, open((char *)self->private, O_RDONLY));
	EXPECT_EQ(EFAULT, errno);
	/* The structure of an ioctl */
	EXPECT_EQ(-EFAULT, gmem_ioctl(self->fd, GMEM_IOCTL_STAT, self->private));
}

/* A system call that begins in a shared page and ends in the private one. */
TEST_F(access, straddling)
{
	uint8_t buf[8] = { 0 };
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_NONBLOCK));
	EXPECT_EQ(8, write(fds[1], self->private - 8, 8));
	EXPECT_EQ(8, read(fds[0], buf, 8));
	EXPECT_LE(write(fds[1], self->private - 4, 8), 4);
	EXPECT_LE(read(fds[0], buf, 8), 4);
	EXPECT_EQ(8, write(fds[1], buf, 8));
	EXPECT_LE(read(fds[0], self->private - 4, 8), 4);
	pattern_put(self->shared, OPEN_SEED);
}

static ssize_t vm_read(pid_t pid, void *from)
{
	uint8_t buf[16];
	struct iovec local = { .iov_base = buf, .iov_len = 16 };
	struct iovec remote = { .iov_base = from, .iov_len = 16 };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

static ssize_t vm_write(pid_t pid, void *to)
{
	uint8_t buf[16] = { 0 };
	struct iovec local = { .iov_base = buf, .iov_len = 16 };
	struct iovec remote = { .iov_base = to, .iov_len = 16 };

	return process_vm_writev(pid, &local, 1, &remote, 1, 0);
}

static void try_process_vm(struct access_data *self, pid_t pid)
{
	uint8_t *at[] = { self->shared, self->private };
	unsigned int i;

	EXPECT_EQ(16, vm_read(pid, self->p));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-1, vm_read(pid, at[i]));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, vm_write(pid, at[i]));
		EXPECT_EQ(EFAULT, errno);
	}
}

/* process_vm_readv() and _writev(), of the process itself and of its parent. */
TEST_F(access, process_vm)
{
	pid_t parent = getpid(), pid;

	prctl(PR_SET_PTRACER, -1L);
	try_process_vm(self, parent);
	pid = fork();
	if (!pid) {
		try_process_vm(self, parent);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

/* In a child, because a process cannot trace itself. */
static void trace_parent(struct access_data *self, pid_t parent)
{
	uint8_t *at[] = { self->shared, self->private };
	unsigned int i;

	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, parent, NULL, NULL));
	ASSERT_EQ(parent, waitpid(parent, NULL, __WALL));
	errno = 0;
	ptrace(PTRACE_PEEKDATA, parent, self->p, NULL);
	EXPECT_EQ(0, errno);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-1, ptrace(PTRACE_PEEKDATA, parent, at[i], NULL));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, parent, at[i], (void *)1));
		EXPECT_EQ(EIO, errno);
	}
	EXPECT_EQ(0, ptrace(PTRACE_DETACH, parent, NULL, NULL));
}

/* PTRACE_PEEKDATA and POKEDATA. */
TEST_F(access, ptrace)
{
	pid_t parent = getpid(), pid;

	prctl(PR_SET_PTRACER, -1L);
	pid = fork();
	if (!pid) {
		trace_parent(self, parent);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

static void try_proc_mem(struct access_data *self, const char *path)
{
	uint8_t *at[] = { self->shared, self->private };
	int mem = open(path, O_RDWR);
	uint8_t buf[16] = { 0 };
	unsigned int i;

	ASSERT_GE(mem, 0);
	EXPECT_EQ(16, pread(mem, buf, 16, (uintptr_t)self->p));
	EXPECT_EQ(pattern_byte(OPEN_SEED, 0), buf[0]);
	memset(buf, 0, sizeof(buf));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-1, pread(mem, buf, 16, (uintptr_t)at[i]));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(-1, pwrite(mem, buf, 16, (uintptr_t)at[i]));
		EXPECT_EQ(EIO, errno);
	}
	EXPECT_EQ(0, buf[0]);
	close(mem);
}

/* /proc/PID/mem, which ignores page protections, from inside and outside. */
TEST_F(access, proc_mem)
{
	char path[64];
	pid_t pid;

	try_proc_mem(self, "/proc/self/mem");
	snprintf(path, sizeof(path), "/proc/%d/mem", getpid());
	pid = fork();
	if (!pid) {
		try_proc_mem(self, path);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

/* /proc/self/pagemap does not report the pages of a view. */
TEST_F(access, pagemap)
{
	EXPECT_NE(0, gmem_pfn(self->p));
	EXPECT_EQ(0, gmem_pfn(self->shared));
	EXPECT_EQ(0, gmem_pfn(self->private));
}

/* vmsplice(). */
TEST_F(access, vmsplice)
{
	struct hold_pipe hold;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->p, PAGE));
	hold_pipe_drop(&hold);
	EXPECT_EQ(-EFAULT, hold_pipe_take(&hold, self->shared, PAGE));
	EXPECT_EQ(-EFAULT, hold_pipe_take(&hold, self->private, PAGE));
}

static int uring_write(struct hold_uring *u, int fd, void *p)
{
	int rc = hold_uring_submit(u, IORING_OP_WRITE, fd, p, 16, -1);

	return rc ? rc : hold_uring_result(u);
}

/* Registered buffers, which are pinned, and plain requests of io_uring. */
TEST_F(access, io_uring)
{
	struct hold_uring u;
	int fds[2], rc = hold_uring_open(&u);

	if (rc == -ENOSYS || rc == -EPERM)
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, rc);
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, hold_uring_register(&u, self->p, PAGE));
	ASSERT_EQ(0, hold_uring_unregister(&u));
	EXPECT_EQ(-EFAULT, hold_uring_register(&u, self->shared, PAGE));
	EXPECT_EQ(-EFAULT, hold_uring_register(&u, self->private, PAGE));
	EXPECT_EQ(16, uring_write(&u, fds[1], self->shared));
	EXPECT_EQ(-EFAULT, uring_write(&u, fds[1], self->private));
	hold_uring_close(&u);
}

/* A long-term pin by a driver. */
TEST_F(access, gup)
{
	int pin = hold_gup_take(self->p, PAGE);

	if (pin == -ENOENT)
		SKIP(return, KSFT_BY_DESIGN " no CONFIG_GUP_TEST");
	ASSERT_GE(pin, 0);
	hold_gup_drop(pin);
	EXPECT_EQ(-EFAULT, hold_gup_take(self->shared, PAGE));
	EXPECT_EQ(-EFAULT, hold_gup_take(self->private, PAGE));
}

/* O_DIRECT to a block device, which pins. */
TEST_F(access, direct_io_disk)
{
	int disk = open("/dev/nullb0", O_RDWR | O_DIRECT);
	uint8_t *at[] = { self->shared, self->private };
	unsigned int i;

	if (disk < 0)
		SKIP(return, KSFT_BY_DESIGN " no /dev/nullb0");
	ASSERT_EQ(PAGE, pwrite(disk, self->p, PAGE, 0));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-1, pwrite(disk, at[i], PAGE, 0));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, pread(disk, at[i], PAGE, 0));
		EXPECT_EQ(EFAULT, errno);
	}
}

/* O_DIRECT to a tmpfs, which copies. */
TEST_F(access, direct_io)
{
	int tmp = open("/tmp", O_RDWR | O_TMPFILE | O_DIRECT, 0600);

	if (tmp < 0)
		SKIP(return, KSFT_BY_DESIGN " /tmp without O_DIRECT");
	ASSERT_EQ(PAGE, pwrite(tmp, self->p, PAGE, 0));
	EXPECT_EQ(-1, pwrite(tmp, self->private, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(tmp, self->private, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
}

static int futex_wait(void *p, int op)
{
	return syscall(SYS_futex, p, op, 1, &(struct timespec){ 0 }, NULL, 0) ?
		       -errno : 0;
}

/* The kernel reads a futex; for a shared futex it also holds the page. */
TEST_F(access, futex)
{
	EXPECT_EQ(-EAGAIN, futex_wait(self->p, FUTEX_WAIT));
	EXPECT_EQ(-EAGAIN, futex_wait(self->shared, FUTEX_WAIT_PRIVATE));
	EXPECT_EQ(-EFAULT, futex_wait(self->private, FUTEX_WAIT_PRIVATE));
	EXPECT_EQ(-EFAULT, futex_wait(self->shared, FUTEX_WAIT));
	EXPECT_EQ(-EFAULT, futex_wait(self->private, FUTEX_WAIT));
}

/* Calls that select a page by its address: to get its node, to move it, to poison it. */
TEST_F(access, named_by_address)
{
	void *pages[2] = { self->shared, self->private };
	int nodes[2] = { 0, 0 }, status[2] = { 99, 99 }, i, node;

	for (i = 0; i < 2; i++) {
		EXPECT_NE(0, syscall(SYS_get_mempolicy, &node, NULL, 0, pages[i],
				     MPOL_F_NODE | MPOL_F_ADDR));
		EXPECT_EQ(-1, madvise(pages[i], PAGE, 100 /* MADV_HWPOISON */));
		EXPECT_EQ(-1, madvise(pages[i], PAGE, 101 /* SOFT_OFFLINE */));
	}
	if (syscall(SYS_move_pages, 0, 2UL, pages, NULL, status, 0) < 0 &&
	    errno == ENOSYS)
		return;
	EXPECT_LT(status[0], 0);
	EXPECT_LT(status[1], 0);
	syscall(SYS_move_pages, 0, 2UL, pages, nodes, status, 2);
	EXPECT_LT(status[0], 0);
	EXPECT_LT(status[1], 0);
}

/* The process that dies creates a view itself, because a child inherits none. */
static void dump_main(void *arg)
{
	struct access_data *self = arg;
	int view = test_gmem_view(self->fd, 0, LENGTH);
	uint8_t *v = test_gmem_view_map(view, 0, LENGTH);
	uint8_t *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(self->p, LENGTH);
	pattern_put(own, OWN_SEED);
	EXPECT_EQ(3, gmem_view_populate(view, v, LENGTH, NOALLOC));
	expect_byte(pattern_byte(OPEN_SEED, 0), v);
	EXPECT_EQ(-1, madvise(v, LENGTH, MADV_DODUMP));
	EXPECT_EQ(EINVAL, errno);
}

/* A core dump contains neither private nor shared pages of a view. */
TEST_F(access, core_dump)
{
	struct core core;

	ASSERT_EQ(0, core_take(&core, dump_main, self));
	EXPECT_GE(core_count(&core, OWN_SEED), 1);
	EXPECT_EQ(0, core_count(&core, SECRET_SEED));
	EXPECT_EQ(0, core_count(&core, OPEN_SEED));
	core_drop(&core);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
