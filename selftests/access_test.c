// SPDX-License-Identifier: GPL-2.0
/*
 * The host cannot read or write a private page in any way.
 *
 * The fixture has three pages. The first and the last are shared. The middle one is
 * private and contains a secret pattern. Each case first shows that a way works on a
 * shared page, and then tries it on the private page.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/loop.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "pattern.h"

#define LENGTH (3 * PAGE)
#define SECRET_SEED 0x5ec4e7ULL
#define OPEN_SEED 0x09e11ULL
#define OWN_SEED 0x0417eULL

FIXTURE(access) {
	int fd;
	uint8_t *p;
	uint8_t *shared;
	uint8_t *private;
};

FIXTURE_SETUP(access)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	self->shared = self->p;
	self->private = self->p + PAGE;
	pattern_put(self->p, OPEN_SEED);
	pattern_put(self->private, SECRET_SEED);
	pattern_put(self->p + 2 * PAGE, OPEN_SEED);
	test_gmem_convert(self->fd, PAGE, PAGE, PRIVATE, PRESERVE);
}

/* After each case the pages are unchanged, and nothing is left open or mapped. */
FIXTURE_TEARDOWN(access)
{
	expect_state(PRIVATE, self->fd, PAGE);
	EXPECT_EQ(0, gmem_pfn(self->private));
	EXPECT_TRUE(pattern_is(self->shared, OPEN_SEED));
	EXPECT_TRUE(pattern_is(self->p + 2 * PAGE, OPEN_SEED));
	test_gmem_convert(self->fd, PAGE, PAGE, SHARED, PRESERVE);
	EXPECT_TRUE(pattern_is(self->private, SECRET_SEED));
	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       10000));
	close(self->fd);
}

/* Loads and stores, in this process and in a child. */
TEST_F(access, load_and_store)
{
	pid_t pid;

	expect_sigbus(self->private);
	expect_sigbus(self->private + PAGE - 1);
	pid = fork();
	if (!pid) {
		expect_sigbus(self->private);
		expect_byte(pattern_byte(OPEN_SEED, 0), self->shared);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
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

/* System calls that copy from or to user memory. */
TEST_F(access, system_calls)
{
	int fds[2], zero = open("/dev/zero", O_RDONLY);

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(8, write(fds[1], self->shared, 8));
	EXPECT_EQ(-1, write(fds[1], self->private, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(fds[0], self->private, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(zero, self->private, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, stat("/", (struct stat *)(void *)self->private));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, open((char *)self->private, O_RDONLY));
	EXPECT_EQ(EFAULT, errno);
}

/* read(), write() and similar calls on the gmem fd itself. */
TEST_F(access, file_io)
{
	int tmp = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	uint8_t buf[16] = { 0 };
	off_t pos = PAGE;
	int fds[2];

	ASSERT_GE(tmp, 0);
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-1, pread(self->fd, buf, sizeof(buf), PAGE));
	EXPECT_EQ(-1, pwrite(self->fd, buf, sizeof(buf), PAGE));
	EXPECT_EQ(-1, sendfile(tmp, self->fd, &pos, 16));
	EXPECT_EQ(-1, splice(self->fd, &pos, fds[1], NULL, 16,
			     SPLICE_F_NONBLOCK));
	EXPECT_EQ(-1, copy_file_range(self->fd, &pos, tmp, NULL, 16, 0));
	EXPECT_EQ(0, buf[0]);
}

/* The kernel does not read the fd itself: not as a module, disk or swap. */
TEST_F(access, kernel_readers)
{
	char path[64];
	int disk;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	EXPECT_EQ(-1, syscall(SYS_finit_module, self->fd, "", 0));
	EXPECT_EQ(-1, syscall(SYS_swapon, path, 0));
	EXPECT_EQ(-1, ioctl(self->fd, FIBMAP, &(int){ 0 }));
	EXPECT_EQ(-1, ioctl(self->fd, FICLONE, self->fd));
	disk = open("/dev/loop0", O_RDWR);
	if (disk >= 0) {
		EXPECT_EQ(-1, ioctl(disk, LOOP_SET_FD, self->fd));
		close(disk);
	}
}

static ssize_t vm_read(pid_t pid, void *from, void *to)
{
	struct iovec local = { .iov_base = to, .iov_len = 16 };
	struct iovec remote = { .iov_base = from, .iov_len = 16 };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

static ssize_t vm_write(pid_t pid, void *from, void *to)
{
	struct iovec local = { .iov_base = from, .iov_len = 16 };
	struct iovec remote = { .iov_base = to, .iov_len = 16 };

	return process_vm_writev(pid, &local, 1, &remote, 1, 0);
}

/* process_vm_readv() and _writev() from another process and from itself. */
TEST_F(access, process_vm)
{
	pid_t parent = getpid(), pid;
	uint8_t buf[16] = { 0 };

	prctl(PR_SET_PTRACER, -1L);
	EXPECT_EQ(16, vm_read(parent, self->shared, buf));
	EXPECT_EQ(-1, vm_read(parent, self->private, buf));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, vm_write(parent, buf, self->private));
	EXPECT_EQ(-1, vm_write(parent, self->private, buf));
	pid = fork();
	if (!pid) {
		EXPECT_EQ(16, vm_read(parent, self->shared, buf));
		EXPECT_EQ(-1, vm_read(parent, self->private, buf));
		EXPECT_EQ(-1, vm_write(parent, buf, self->private));
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

/* PTRACE_PEEKDATA and POKEDATA. */
TEST_F(access, ptrace)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	errno = 0;
	EXPECT_NE(-1, ptrace(PTRACE_PEEKDATA, pid, self->shared, NULL));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_PEEKDATA, pid, self->private, NULL));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, self->private, (void *)1));
	EXPECT_EQ(EIO, errno);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

static void try_proc_mem(struct access_data *self, const char *path)
{
	int mem = open(path, O_RDWR);
	uint8_t buf[16] = { 0 };

	ASSERT_GE(mem, 0);
	EXPECT_EQ(16, pread(mem, buf, 16, (uintptr_t)self->shared));
	EXPECT_EQ(pattern_byte(OPEN_SEED, 0), buf[0]);
	EXPECT_EQ(16, pwrite(mem, buf, 16, (uintptr_t)self->shared));
	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(-1, pread(mem, buf, 16, (uintptr_t)self->private));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(mem, buf, 16, (uintptr_t)self->private));
	EXPECT_EQ(EIO, errno);
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

/* /proc/PID/mem through a read-only or PROT_NONE mapping (FOLL_FORCE). */
TEST_F(access, proc_mem_forced)
{
	ASSERT_EQ(0, mprotect(self->p, LENGTH, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, mprotect(self->private, PAGE, PROT_NONE));
	try_proc_mem(self, "/proc/self/mem");
	ASSERT_EQ(0, mprotect(self->private, PAGE, PROT_READ));
	try_proc_mem(self, "/proc/self/mem");
	ASSERT_EQ(0, mprotect(self->private, PAGE, PROT_READ | PROT_WRITE));
}

/* vmsplice(). */
TEST_F(access, vmsplice)
{
	struct hold_pipe hold;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->shared, PAGE));
	hold_pipe_drop(&hold);
	EXPECT_EQ(-EFAULT, hold_pipe_take(&hold, self->private, PAGE));
	EXPECT_EQ(-EMSGSIZE, hold_pipe_take(&hold, self->shared, LENGTH));
}

/* Registered buffers and plain requests of io_uring. */
TEST_F(access, io_uring)
{
	struct hold_uring u;
	int fds[2], rc = hold_uring_open(&u);

	if (rc == -ENOSYS || rc == -EPERM)
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, rc);
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-EFAULT, hold_uring_register(&u, self->private, PAGE));
	EXPECT_EQ(-EFAULT, hold_uring_register(&u, self->shared, LENGTH));
	ASSERT_EQ(0, hold_uring_register(&u, self->shared, PAGE));
	ASSERT_EQ(0, hold_uring_unregister(&u));
	ASSERT_EQ(0, hold_uring_submit(&u, IORING_OP_WRITE, fds[1],
				       self->private, 16, -1));
	EXPECT_EQ(-EFAULT, hold_uring_result(&u));
	ASSERT_EQ(16, write(fds[1], "0123456789abcdef", 16));
	ASSERT_EQ(0, hold_uring_submit(&u, IORING_OP_READ, fds[0],
				       self->private, 16, -1));
	EXPECT_EQ(-EFAULT, hold_uring_result(&u));
	hold_uring_close(&u);
}

/* A long-term pin by a driver. */
TEST_F(access, gup)
{
	int pin = hold_gup_take(self->shared, PAGE);

	if (pin == -ENOENT)
		SKIP(return, KSFT_BY_DESIGN " no CONFIG_GUP_TEST");
	ASSERT_GE(pin, 0);
	hold_gup_drop(pin);
	EXPECT_EQ(-EFAULT, hold_gup_take(self->private, PAGE));
}

/* O_DIRECT from and to the page. */
TEST_F(access, direct_io)
{
	int tmp = open("/tmp", O_RDWR | O_TMPFILE | O_DIRECT, 0600);

	if (tmp < 0)
		SKIP(return, KSFT_BY_DESIGN " /tmp without O_DIRECT");
	ASSERT_EQ(PAGE, pwrite(tmp, self->shared, PAGE, 0));
	EXPECT_EQ(-1, pwrite(tmp, self->private, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(tmp, self->private, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
}

/* O_DIRECT to a block device. */
TEST_F(access, direct_io_disk)
{
	int disk = open("/dev/nullb0", O_RDWR | O_DIRECT);

	if (disk < 0)
		SKIP(return, KSFT_BY_DESIGN " no /dev/nullb0");
	ASSERT_EQ(PAGE, pwrite(disk, self->shared, PAGE, 0));
	EXPECT_EQ(-1, pwrite(disk, self->private, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(disk, self->private, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
}

/* A child that has the memory mapped, and a marker in its own memory, crashes. */
struct dump {
	struct access_data *self;
	bool dodump;
};

static void dump_main(void *arg)
{
	struct dump *dump = arg;
	uint8_t *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	pattern_put(own, OWN_SEED);
	gmem_try_read(dump->self->shared, NULL);
	if (dump->dodump)
		madvise(dump->self->p, LENGTH, MADV_DODUMP);
}

/* A core dump contains the memory of the process itself, but no guest memory. */
TEST_F(access, core_dump)
{
	struct dump dump = { .self = self };
	struct core core;

	ASSERT_EQ(0, core_take(&core, dump_main, &dump));
	EXPECT_GE(core_count(&core, OWN_SEED), 1);
	EXPECT_EQ(0, core_count(&core, SECRET_SEED));
	EXPECT_EQ(0, core_count(&core, OPEN_SEED));
	core_drop(&core);
	/* MADV_DODUMP asks to dump the mapping, but the private page is still left out. */
	dump.dodump = true;
	ASSERT_EQ(0, core_take(&core, dump_main, &dump));
	EXPECT_GE(core_count(&core, OWN_SEED), 1);
	EXPECT_EQ(0, core_count(&core, SECRET_SEED));
	core_drop(&core);
}

/* KSM: the mapping cannot be made mergeable. */
TEST_F(access, ksm)
{
	madvise(self->p, LENGTH, MADV_MERGEABLE);
	EXPECT_FALSE(gmem_vm_flag(self->p, "mg"));
	EXPECT_FALSE(gmem_vm_flag(self->private, "mg"));
}

/* Reclaim: neither page goes to swap. */
TEST_F(access, reclaim)
{
	uint64_t pfn = gmem_pfn(self->shared);
	struct gmem_ioctl_stat stat;

	madvise(self->p, LENGTH, MADV_COLD);
	madvise(self->p, LENGTH, MADV_PAGEOUT);
	gmem_write_file("/sys/fs/cgroup/memory.reclaim", "1M");
	gmem_write_file("/proc/sys/vm/drop_caches", "3");
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(3, stat.resident_pages);
	EXPECT_TRUE(pattern_is(self->shared, OPEN_SEED));
	EXPECT_EQ(pfn, gmem_pfn(self->shared));
	expect_sigbus(self->private);
}

/* mlock() of the private page fails and maps nothing. */
TEST_F(access, mlock)
{
	ASSERT_EQ(0, mlock(self->shared, PAGE));
	EXPECT_EQ(-1, mlock(self->private, PAGE));
	EXPECT_EQ(ENOMEM, errno);
	expect_sigbus(self->private);
	munlock(self->p, LENGTH);
}

/* move_pages() finds no page, neither to report nor to move. */
TEST_F(access, move_pages)
{
	void *pages[2] = { self->shared, self->private };
	int nodes[2] = { 0, 0 }, status[2] = { 99, 99 };
	long rc = syscall(SYS_move_pages, 0, 2UL, pages, NULL, status, 0);

	if (rc < 0 && errno == ENOSYS)
		SKIP(return, KSFT_BY_DESIGN " no move_pages()");
	ASSERT_EQ(0, rc);
	EXPECT_GE(status[0], 0);
	EXPECT_LT(status[1], 0);
	syscall(SYS_move_pages, 0, 2UL, pages, nodes, status, 2);
	EXPECT_LT(status[1], 0);
	expect_sigbus(self->private);
}

/* userfaultfd cannot take over faults, and its copy cannot fill the page. */
TEST_F(access, userfaultfd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)self->p, .len = LENGTH },
	};
	struct uffdio_copy copy = {
		.dst = (uintptr_t)self->private,
		.src = (uintptr_t)self->shared,
		.len = PAGE,
	};
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0)
		SKIP(return, KSFT_BY_DESIGN " no userfaultfd");
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_API, &api));
	reg.mode = UFFDIO_REGISTER_MODE_MISSING;
	EXPECT_EQ(-1, ioctl(uffd, UFFDIO_REGISTER, &reg));
	reg.mode = UFFDIO_REGISTER_MODE_MINOR;
	EXPECT_EQ(-1, ioctl(uffd, UFFDIO_REGISTER, &reg));
	EXPECT_EQ(-1, ioctl(uffd, UFFDIO_COPY, &copy));
	reg.mode = UFFDIO_REGISTER_MODE_WP;
	ioctl(uffd, UFFDIO_REGISTER, &reg);
	expect_sigbus(self->private);
	close(uffd);
}

/* Private pages raise SIGBUS also after remap_file_pages() and mremap(). */
TEST_F(access, remapping)
{
	uint8_t *q = test_gmem_map(self->fd, 0, LENGTH), *r;

	if (!remap_file_pages(q, PAGE, 0, 1, 0))
		expect_sigbus(q);
	r = mremap(q + PAGE, PAGE, PAGE, MREMAP_MAYMOVE);
	if (r != MAP_FAILED)
		expect_sigbus(r);
	EXPECT_EQ(0, gmem_pfn(q));
}

/* MADV_POPULATE, MADV_WILLNEED and readahead() populate nothing. */
TEST_F(access, populate)
{
	EXPECT_EQ(0, madvise(self->shared, PAGE, MADV_POPULATE_READ));
	EXPECT_EQ(-1, madvise(self->private, PAGE, MADV_POPULATE_READ));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, madvise(self->private, PAGE, MADV_POPULATE_WRITE));
	EXPECT_EQ(EFAULT, errno);
	madvise(self->p, LENGTH, MADV_WILLNEED);
	readahead(self->fd, 0, LENGTH);
	expect_sigbus(self->private);
}

/* Hardware-poison injection finds no page at the address of a private one. */
TEST_F(access, hwpoison)
{
	EXPECT_EQ(-1, madvise(self->private, PAGE, 100 /* MADV_HWPOISON */));
	EXPECT_EQ(-1, madvise(self->private, PAGE, 101 /* SOFT_OFFLINE */));
	expect_sigbus(self->private);
}

/*
 * A hibernation image would contain the memory in clear, so hibernation is refused while
 * gmem memory exists.
 */
TEST_F_TIMEOUT(access, hibernation, 300)
{
	char states[64] = "";
	int rc;

	if (gmem_read_file("/sys/power/state", states, sizeof(states)) < 0 ||
	    !strstr(states, "disk"))
		SKIP(return, KSFT_BY_DESIGN " a kernel without hibernation");
	rc = gmem_write_file("/sys/power/state", "disk");
	TH_LOG("disk > /sys/power/state: %s", strerror(-rc));
	EXPECT_TRUE(rc == -EBUSY || rc == -EPERM);
	expect_sigbus(self->private);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
