// SPDX-License-Identifier: GPL-2.0
/*
 * A reference to a page stops its conversion to private, with the right numbers, until it
 * is dropped. Mappings, reads and writes do not. A page that is not held is never
 * refused.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/futex.h>
#include <linux/io_uring.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define HELD 3
#define RELEASE_MS 20000

FIXTURE(pins) {
	int fd;
	uint8_t *p;
	uint8_t *held;
};

FIXTURE_SETUP(pins)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	self->held = self->p + HELD * PAGE;
}

FIXTURE_TEARDOWN(pins)
{
	munmap(self->p, LENGTH);
	close(self->fd);
}

/* The held page stops the conversion, and the error names it; refs 0: any number. */
static void expect_blocked(struct pins_data *self, uint32_t refs, bool pinned)
{
	struct gmem_ioctl_convert c = { .length = LENGTH, .target = PRIVATE };
	struct gmem_ioctl_holder h = { .length = LENGTH };
	struct gmem_range r;

	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(HELD * PAGE, c.error_offset);
	EXPECT_EQ(2, c.refs_expected);
	EXPECT_GT(c.refs_seen, c.refs_expected);
	if (refs)
		EXPECT_EQ(c.refs_expected + refs, c.refs_seen);
	EXPECT_EQ(pinned ? GMEM_CONVERT_OUT_PINNED : 0, c.out_flags);
	EXPECT_EQ(0, c.mapcount);
	ASSERT_EQ(0, gmem_query_one(self->fd, 0, LENGTH, &r));
	EXPECT_EQ(SHARED, r.state);
	EXPECT_EQ(LENGTH, r.length);
	/* HOLDER reports the same page with the same numbers. */
	EXPECT_EQ(0, gmem_holder(self->fd, &h));
	EXPECT_EQ(HELD * PAGE, h.offset);
	EXPECT_EQ(c.refs_expected, h.refs_expected);
	EXPECT_EQ(c.refs_seen, h.refs_seen);
	EXPECT_EQ(c.out_flags, h.out_flags);
}

/* No page is held: conversion in both directions keeps the contents. */
static void expect_converts(struct pins_data *self)
{
	struct gmem_ioctl_holder h = { .length = LENGTH };

	EXPECT_EQ(0, gmem_holder(self->fd, &h));
	EXPECT_EQ(LENGTH, h.offset);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_sigbus(self->held);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
}

/* The same if the reference is dropped a little later. */
static void expect_converts_soon(struct pins_data *self)
{
	ASSERT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       RELEASE_MS));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_converts(self);
}

/* A page in a pipe. */
TEST_F(pins, vmsplice)
{
	struct hold_pipe hold;
	uint8_t byte;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->held, PAGE));
	expect_blocked(self, 1, false);
	ASSERT_EQ(1, read(hold.rd, &byte, 1));
	EXPECT_EQ('A', byte);
	expect_blocked(self, 1, false);
	hold_pipe_drop(&hold);
	expect_converts(self);
}

/* The pipe is read empty instead of closed. */
TEST_F(pins, vmsplice_read_out)
{
	uint8_t buf[PAGE];
	struct hold_pipe hold;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->held, PAGE));
	expect_blocked(self, 1, false);
	ASSERT_EQ(PAGE, read(hold.rd, buf, PAGE));
	expect_bytes('A', buf, PAGE);
	expect_converts(self);
	hold_pipe_drop(&hold);
}

/* Two pipes have two references; one of them still stops the conversion. */
TEST_F(pins, vmsplice_twice)
{
	struct hold_pipe a, b;

	ASSERT_EQ(0, hold_pipe_take(&a, self->held, PAGE));
	ASSERT_EQ(0, hold_pipe_take(&b, self->held + 1, 100));
	expect_blocked(self, 2, false);
	hold_pipe_drop(&a);
	expect_blocked(self, 1, false);
	hold_pipe_drop(&b);
	expect_converts(self);
}

/* tee() takes another reference, splice() moves one. */
TEST_F(pins, tee_and_splice)
{
	struct hold_pipe hold;
	int copy[2], moved[2];

	ASSERT_EQ(0, pipe(copy));
	ASSERT_EQ(0, pipe(moved));
	ASSERT_EQ(0, hold_pipe_take(&hold, self->held, PAGE));
	ASSERT_EQ(PAGE, tee(hold.rd, copy[1], PAGE, 0));
	expect_blocked(self, 2, false);
	ASSERT_EQ(PAGE, splice(hold.rd, NULL, moved[1], NULL, PAGE, 0));
	hold_pipe_drop(&hold);
	expect_blocked(self, 2, false);
	close(moved[0]);
	close(moved[1]);
	expect_blocked(self, 1, false);
	close(copy[0]);
	close(copy[1]);
	expect_converts(self);
}

/* SPLICE_F_GIFT does not take the page away from gmem. */
TEST_F(pins, vmsplice_gift)
{
	struct iovec iov = { .iov_base = self->held, .iov_len = PAGE };
	int fds[2], tmp;
	uint8_t buf[PAGE];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(PAGE, vmsplice(fds[1], &iov, 1, SPLICE_F_GIFT));
	expect_blocked(self, 1, false);
	tmp = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	ASSERT_GE(tmp, 0);
	ASSERT_EQ(PAGE, splice(fds[0], NULL, tmp, NULL, PAGE, SPLICE_F_MOVE));
	ASSERT_EQ(PAGE, pread(tmp, buf, PAGE, 0));
	expect_bytes('A', buf, PAGE);
	expect_converts(self);
}

/* A page in the queue of a socket. */
TEST_F(pins, socket_queue)
{
	uint8_t buf[PAGE];
	struct hold_pipe hold;
	int sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, hold_pipe_take(&hold, self->held, PAGE));
	ASSERT_EQ(PAGE, splice(hold.rd, NULL, sv[0], NULL, PAGE, 0));
	hold_pipe_drop(&hold);
	expect_blocked(self, 1, false);
	ASSERT_EQ(PAGE, recv(sv[1], buf, PAGE, MSG_WAITALL));
	expect_bytes('A', buf, PAGE);
	expect_converts_soon(self);
}

static bool uring_ready(struct hold_uring *u)
{
	int rc = hold_uring_open(u);

	if (rc == -ENOSYS || rc == -EPERM)
		SKIP(return false, "no io_uring");
	ASSERT_EQ(0, rc);
	return true;
}

/* A registered buffer is a long-term pin, until it is unregistered. */
TEST_F(pins, uring_registered)
{
	struct hold_uring u;

	if (!uring_ready(&u))
		return;
	ASSERT_EQ(0, hold_uring_register(&u, self->held, PAGE));
	expect_blocked(self, 0, true);
	ASSERT_EQ(0, hold_uring_unregister(&u));
	expect_converts_soon(self);
	hold_uring_close(&u);
}

/* The ring is closed while the buffer is registered. */
TEST_F(pins, uring_closed)
{
	struct hold_uring u;

	if (!uring_ready(&u))
		return;
	ASSERT_EQ(0, hold_uring_register(&u, self->held, PAGE));
	expect_blocked(self, 0, true);
	hold_uring_close(&u);
	expect_converts_soon(self);
}

/* The process that registered the buffer dies. */
TEST_F(pins, uring_owner_killed)
{
	struct hold_uring u;
	int fds[2];
	char byte;
	pid_t pid;

	if (!uring_ready(&u))
		return;
	hold_uring_close(&u);
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid) {
		ASSERT_EQ(0, hold_uring_open(&u));
		ASSERT_EQ(0, hold_uring_register(&u, self->held, PAGE));
		ASSERT_EQ(1, write(fds[1], "x", 1));
		pause();
	}
	ASSERT_EQ(1, read(fds[0], &byte, 1));
	expect_blocked(self, 0, true);
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, gmem_wait_pid(pid));
	expect_converts_soon(self);
}

/* A read into a registered buffer that waits for data is a pin. */
TEST_F(pins, uring_fixed_in_flight)
{
	struct hold_uring u;
	int fds[2];

	if (!uring_ready(&u))
		return;
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, hold_uring_register(&u, self->held, PAGE));
	ASSERT_EQ(0, hold_uring_submit(&u, IORING_OP_READ_FIXED, fds[0],
				       self->held, 4, -1));
	expect_blocked(self, 0, true);
	ASSERT_EQ(4, write(fds[1], "AAAA", 4));
	EXPECT_EQ(4, hold_uring_result(&u));
	ASSERT_EQ(0, hold_uring_unregister(&u));
	expect_converts_soon(self);
	hold_uring_close(&u);
}

/* A plain read that waits has no reference; it fails when data arrives. */
TEST_F(pins, uring_read_waiting)
{
	struct hold_uring u;
	int fds[2];

	if (!uring_ready(&u))
		return;
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, hold_uring_submit(&u, IORING_OP_READ, fds[0], self->held,
				       4, -1));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(4, write(fds[1], "XXXX", 4));
	EXPECT_EQ(-EFAULT, hold_uring_result(&u));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_converts(self);
	hold_uring_close(&u);
}

/* A read() that sleeps in the kernel has no reference either. */
static void *read_thread(void *arg)
{
	int *fds = arg;
	uint8_t *p = *(uint8_t **)(fds + 2);

	return (void *)(intptr_t)(read(fds[0], p, 4) < 0 ? -errno : 0);
}

TEST_F(pins, read_sleeping)
{
	struct { int fds[2]; uint8_t *p; } arg = { .p = self->held };
	struct gmem_task task = { 0 };

	ASSERT_EQ(0, pipe(arg.fds));
	ASSERT_EQ(0, gmem_task_start(&task, 1, read_thread, &arg));
	usleep(100000);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(4, write(arg.fds[1], "XXXX", 4));
	EXPECT_EQ(-EFAULT, (intptr_t)gmem_task_join(&task));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_converts(self);
}

/*
 * A null_blk device whose requests take three seconds. After five seconds they would time
 * out.
 */
#define SLOW_NS "3000000000"

static int slow_disk_set(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/tmp/gmem-configfs/nullb/gmemslow/%s",
		 name);
	return gmem_write_file(path, value);
}

static void slow_disk_remove(void)
{
	slow_disk_set("power", "0");
	rmdir("/tmp/gmem-configfs/nullb/gmemslow");
	umount2("/tmp/gmem-configfs", MNT_DETACH);
	rmdir("/tmp/gmem-configfs");
}

/* Return: an O_DIRECT fd of the disk, or a negative errno. */
static int slow_disk_open(void)
{
	char dev[64] = "/dev/gmemslow", index[16], path[64];
	int fd;

	mkdir("/tmp/gmem-configfs", 0700);
	if (mount("none", "/tmp/gmem-configfs", "configfs", 0, NULL))
		return -errno;
	if (mkdir("/tmp/gmem-configfs/nullb/gmemslow", 0700))
		return -errno;
	slow_disk_set("size", "16");
	slow_disk_set("irqmode", "2");
	slow_disk_set("completion_nsec", SLOW_NS);
	if (slow_disk_set("power", "1"))
		return -EIO;
	snprintf(path, sizeof(path), "/tmp/gmem-configfs/nullb/gmemslow/index");
	if (access(dev, F_OK) && gmem_read_file(path, index, 16) > 0)
		snprintf(dev, sizeof(dev), "/dev/nullb%d", atoi(index));
	fd = open(dev, O_RDWR | O_DIRECT | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* O_DIRECT I/O in flight is a pin; the conversion can wait for it. */
TEST_F(pins, direct_io_in_flight)
{
	struct hold_uring u;
	uint64_t start;
	int disk;

	if (!uring_ready(&u))
		return;
	disk = slow_disk_open();
	if (disk < 0) {
		slow_disk_remove();
		SKIP(return, "no null_blk through configfs: %s",
		     strerror(-disk));
	}
	start = ksft_now_ms();
	ASSERT_EQ(0, hold_uring_submit(&u, IORING_OP_WRITE, disk, self->held,
				       PAGE, 0));
	expect_blocked(self, 0, true);
	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       RELEASE_MS));
	EXPECT_GE(ksft_now_ms() - start, 2000);
	EXPECT_EQ(PAGE, hold_uring_result(&u));
	EXPECT_EQ(-1, pwrite(disk, self->held, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
	ASSERT_EQ(PAGE, pwrite(disk, self->held, PAGE, 0));
	expect_converts(self);
	close(disk);
	slow_disk_remove();
}

/* process_vm_readv() and process_vm_writev() have no reference after they return. */
TEST_F(pins, process_vm)
{
	char buf[64];
	struct iovec local = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct iovec remote = { .iov_base = self->held, .iov_len = 64 };
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(64, process_vm_readv(getpid(), &local, 1, &remote, 1,
					       0));
		EXPECT_EQ('A', buf[63]);
		ASSERT_EQ(64, process_vm_writev(getpid(), &local, 1, &remote, 1,
						0));
		expect_converts(self);
	}
}

/* A child that maps the page, while it runs, is stopped, or has ended. */
TEST_F(pins, forked_child)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		expect_bytes('A', self->p, LENGTH);
		raise(SIGSTOP);
		expect_bytes('A', self->p, LENGTH);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	expect_converts(self);
	kill(pid, SIGCONT);
	EXPECT_EQ(0, gmem_wait_pid(pid));
	expect_converts(self);
}

/* More mappings, populated in all ways, do not stop the conversion. */
TEST_F(pins, mappings)
{
	uint8_t *a, *b, *c;

	a = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED | MAP_POPULATE, self->fd,
		 0);
	ASSERT_NE(MAP_FAILED, a);
	expect_converts(self);
	b = test_gmem_map(self->fd, 0, LENGTH);
	ASSERT_EQ(0, madvise(b, LENGTH, MADV_POPULATE_WRITE));
	expect_converts(self);
	c = test_gmem_map(self->fd, HELD * PAGE, PAGE);
	expect_byte('A', c);
	ASSERT_EQ(0, madvise(b, LENGTH, MADV_POPULATE_READ));
	expect_converts(self);
	munmap(a, LENGTH);
	munmap(b, LENGTH);
	munmap(c, PAGE);
	expect_converts(self);
}

/* mlock(), mlock2() and mlockall() keep pages in memory, but not shared. */
TEST_F(pins, mlock)
{
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };
	uint8_t *q;

	setrlimit(RLIMIT_MEMLOCK, &rl);
	ASSERT_EQ(0, mlock(self->p, LENGTH));
	expect_converts(self);
	ASSERT_EQ(0, munlock(self->p, LENGTH));
	expect_converts(self);
	ASSERT_EQ(0, mlock2(self->held, PAGE, MLOCK_ONFAULT));
	expect_converts(self);
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	q = test_gmem_map(self->fd, 0, LENGTH);
	expect_converts(self);
	munmap(q, LENGTH);
	ASSERT_EQ(0, munlockall());
	expect_converts(self);
}

struct futex_waiter {
	uint32_t *word;
	volatile pid_t tid;
};

static void *futex_thread(void *arg)
{
	struct timespec limit = { .tv_sec = 60 };
	struct futex_waiter *waiter = arg;
	uint32_t value = *waiter->word;

	waiter->tid = (pid_t)syscall(SYS_gettid);
	syscall(SYS_futex, waiter->word, FUTEX_WAIT, value, &limit, NULL, 0);
	return NULL;
}

/* A futex in the page: the waiter has no reference, and a wake-up accesses the page. */
TEST_F(pins, futex_waiter)
{
	struct futex_waiter waiter = { .word = (uint32_t *)self->held };
	struct gmem_task task = { 0 };

	ASSERT_EQ(0, gmem_task_start(&task, 1, futex_thread, &waiter));
	while (!waiter.tid)
		usleep(1000);
	ASSERT_EQ(0, gmem_wait_sleeping(waiter.tid, 30000));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_EQ(-1, syscall(SYS_futex, self->held, FUTEX_WAKE, 1, NULL, NULL,
			      0));
	EXPECT_EQ(EFAULT, errno);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	EXPECT_EQ(1, syscall(SYS_futex, self->held, FUTEX_WAKE, 1, NULL, NULL,
			     0));
	gmem_task_join(&task);
	expect_converts(self);
}

/* O_DIRECT to a file in memory has no reference after it returns. */
TEST_F(pins, direct_io_done)
{
	int tmp = open("/tmp", O_RDWR | O_TMPFILE | O_DIRECT, 0600);

	if (tmp < 0)
		SKIP(return, KSFT_BY_DESIGN " /tmp without O_DIRECT");
	ASSERT_EQ(PAGE, pwrite(tmp, self->held, PAGE, 0));
	expect_converts(self);
	ASSERT_EQ(PAGE, pread(tmp, self->held, PAGE, 0));
	expect_converts(self);
}

/* Actions of the other CPU between two conversions. */
struct other_cpu {
	uint8_t *p;
	int how;
	int count;
	pthread_barrier_t before;
	pthread_barrier_t after;
	volatile bool stop;
};

static void touch_pages(uint8_t *p, int how, int count)
{
	int i;

	if (how == 1)
		madvise(p, count * PAGE, MADV_POPULATE_WRITE);
	if (how == 2)
		mlock(p, count * PAGE);
	for (i = 0; i < count; i++)
		p[i * PAGE] = 'A';
	if (how == 2)
		munlock(p, count * PAGE);
	if (how == 3)
		madvise(p, count * PAGE, MADV_COLD);
	if (how == 4)
		madvise(p, count * PAGE, MADV_PAGEOUT);
}

static void *other_cpu_main(void *arg)
{
	struct other_cpu *o = arg;

	for (;;) {
		pthread_barrier_wait(&o->before);
		if (o->stop)
			return NULL;
		touch_pages(o->p, o->how, o->count);
		pthread_barrier_wait(&o->after);
	}
}

/*
 * Immediately after another CPU has populated pages, its batches hold references. The
 * conversion drains them, and does not fail.
 */
TEST_F_TIMEOUT(pins, no_false_eagain, 300)
{
	struct other_cpu o = { .p = self->p };
	struct gmem_task task = { 0 };
	int i, refused = 0;

	ASSERT_EQ(0, pthread_barrier_init(&o.before, NULL, 2));
	ASSERT_EQ(0, pthread_barrier_init(&o.after, NULL, 2));
	ASSERT_EQ(0, gmem_pin_cpu(0));
	ASSERT_EQ(0, gmem_task_start(&task, 1, other_cpu_main, &o));
	for (i = 0; i < 400; i++) {
		test_gmem_punch(self->fd, 0, LENGTH);
		o.how = i % 5;
		o.count = 1 + i / 5 % NR_PAGES;
		pthread_barrier_wait(&o.before);
		pthread_barrier_wait(&o.after);
		refused += !!gmem_convert(self->fd, 0, LENGTH, PRIVATE,
					  PRESERVE);
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
		expect_byte('A', self->p);
	}
	EXPECT_EQ(0, refused);
	o.stop = true;
	pthread_barrier_wait(&o.before);
	gmem_task_join(&task);
}

/* Compaction holds references for a short time, for which a small timeout is enough. */
static void *compact_main(void *arg)
{
	volatile bool *stop = arg;

	while (!*stop)
		gmem_write_file("/proc/sys/vm/compact_memory", "1");
	return NULL;
}

TEST_F_TIMEOUT(pins, compaction, 300)
{
	struct gmem_task task = { 0 };
	volatile bool stop = false;
	int i;

	if (access("/proc/sys/vm/compact_memory", W_OK))
		SKIP(return, KSFT_BY_DESIGN " no CONFIG_COMPACTION");
	ASSERT_EQ(0, gmem_task_start(&task, 1, compact_main, (void *)&stop));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE,
					       PRESERVE, 10000));
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
		expect_bytes('A', self->p, LENGTH);
	}
	stop = true;
	gmem_task_join(&task);
}

/*
 * A VMM retries while a device has pinned the page. Without a timeout this has no side
 * effects: no page is unmapped, no CPU is drained.
 */
TEST_F(pins, D10_pinned_page_leaves_others_mapped)
{
	struct gmem_ioctl_stat before, after;
	struct hold_uring u;
	unsigned int i;

	if (!uring_ready(&u))
		return;
	ASSERT_EQ(0, hold_uring_register(&u, self->held, PAGE));
	test_gmem_stat(self->fd, &before);
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	for (i = 0; i < NR_PAGES; i++)
		EXPECT_NE(0, gmem_pfn(self->p + i * PAGE));
	expect_bytes('A', self->p, LENGTH);
	test_gmem_stat(self->fd, &after);
	EXPECT_EQ(before.faults, after.faults);
	EXPECT_EQ(before.drains, after.drains);
	ASSERT_EQ(0, hold_uring_unregister(&u));
	expect_converts_soon(self);
	hold_uring_close(&u);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
