// SPDX-License-Identifier: GPL-2.0
/*
 * Who can have a view of which memory, and how long: for files, processes and address
 * spaces; together with other views, stores and hypervisors; until the last reference is
 * closed.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_view.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "mock.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define GPA (1ULL << 32)
#define EXEC_ENV "GMEM_VIEW_TEST_FD"

FIXTURE(life) {
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(life)
{
	const char *why = gmem_view_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 0x41, LENGTH);
}

FIXTURE_TEARDOWN(life)
{
	munmap(self->p, LENGTH);
	close(self->fd);
}

static void expect_views(int fd, unsigned int views, unsigned int mappings)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(fd, &stat);
	EXPECT_EQ(views, stat.views);
	EXPECT_EQ(mappings, stat.view_mappings);
}

/* The mapping keeps the view. */
TEST_F(life, view_closed_first)
{
	int view = test_gmem_view(self->fd, 0, LENGTH);
	uint8_t *v = test_gmem_view_map(view, 0, LENGTH);

	ASSERT_EQ(NR_PAGES, gmem_view_populate(view, v, LENGTH, 0));
	close(view);
	expect_views(self->fd, 1, 1);
	test_gmem_convert(self->fd, 0, 4 * PAGE, PRIVATE, PRESERVE);
	expect_sigsegv(v);
	expect_byte(0x41, v + 4 * PAGE);
	test_gmem_convert(self->fd, 0, 4 * PAGE, SHARED, PRESERVE);
	expect_bytes(0x41, v, LENGTH);
	munmap(v, LENGTH);
	expect_views(self->fd, 0, 0);
}

/* The view keeps the memory. */
TEST_F(life, memory_closed_first)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	int view = test_gmem_view(fd, 0, LENGTH);
	uint8_t *v = test_gmem_view_map(view, 0, LENGTH);

	close(fd);
	EXPECT_EQ(NR_PAGES, gmem_view_populate(view, v, LENGTH, 0));
	gmem_fill(v, 0x42, LENGTH);
	expect_bytes(0x42, v, LENGTH);
	close(view);
	expect_bytes(0x42, v, LENGTH);
	munmap(v, LENGTH);
	expect_sigsegv(v);
}

/* A view without a mapping, and of a file that was opened again. */
TEST_F(life, never_mapped)
{
	char path[64];
	int view, again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	again = open(path, O_RDWR);
	ASSERT_GE(again, 0);
	view = test_gmem_view(again, 0, LENGTH);
	close(again);
	expect_views(self->fd, 1, 0);
	EXPECT_EQ(-EINVAL, gmem_view_populate(view, self->p, PAGE, 0));
	close(view);
	expect_views(self->fd, 0, 0);
	/* The view fd itself cannot be opened again. */
	view = test_gmem_view(self->fd, 0, LENGTH);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", view);
	EXPECT_EQ(-1, open(path, O_RDWR));
	close(view);
}

/* An fd without write access gives no view, and neither does a file with GUEST_CONSENT. */
TEST_F(life, refused)
{
	int ro, consent;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	ro = open(path, O_RDONLY);
	EXPECT_EQ(-EBADF, gmem_view(ro, 0, LENGTH));
	consent = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED |
					   GMEM_CREATE_F_GUEST_CONSENT);
	EXPECT_EQ(-EPERM, gmem_view(consent, 0, LENGTH));
	EXPECT_EQ(-EINVAL, gmem_view(consent, 0, LENGTH + PAGE));
	expect_views(consent, 0, 0);
	expect_views(self->fd, 0, 0);
	close(consent);
	close(ro);
}

/* O_CLOEXEC is set on request. */
TEST_F(life, fd_flags)
{
	struct gmem_ioctl_view v = {
		.size = sizeof(v),
		.length = LENGTH,
		.fd_flags = O_CLOEXEC,
	};
	int view = test_gmem_view(self->fd, 0, LENGTH);

	EXPECT_EQ(0, fcntl(view, F_GETFD));
	ASSERT_EQ(0, gmem_ioctl(self->fd, GMEM_IOCTL_VIEW, &v));
	EXPECT_EQ(FD_CLOEXEC, fcntl(v.out_fd, F_GETFD));
	close(v.out_fd);
	close(view);
}

/* Overlapping views and mappings: a conversion changes all of them. */
TEST_F(life, aliases)
{
	int view[3] = { test_gmem_view(self->fd, 0, LENGTH),
			test_gmem_view(self->fd, 2 * PAGE, 4 * PAGE),
			test_gmem_view(self->fd, 8 * PAGE, 4 * PAGE) };
	uint8_t *v = test_gmem_view_map(view[0], 0, LENGTH);
	uint8_t *w = test_gmem_view_map(view[0], 3 * PAGE, 2 * PAGE);
	uint8_t *x = test_gmem_view_map(view[1], 2 * PAGE, 4 * PAGE);
	uint8_t *y = test_gmem_view_map(view[2], 8 * PAGE, 4 * PAGE);

	/* A page that is populated in one mapping is still missing in the others. */
	EXPECT_EQ(NR_PAGES + 2 + 4 + 4,
		  gmem_view_populate(view[0], v, LENGTH, 0));
	EXPECT_EQ(0, gmem_view_populate(view[1], x, 4 * PAGE, 0));
	gmem_fill(w, 0x42, PAGE);
	expect_byte(0x42, v + 3 * PAGE);
	expect_byte(0x42, x + PAGE);
	expect_byte(0x41, y);
	test_gmem_convert(self->fd, 3 * PAGE, PAGE, PRIVATE, PRESERVE);
	expect_sigsegv(v + 3 * PAGE);
	expect_sigsegv(w);
	expect_sigsegv(x + PAGE);
	expect_byte(0x41, w + PAGE);
	test_gmem_convert(self->fd, 3 * PAGE, PAGE, SHARED, PRESERVE);
	expect_byte(0x42, v + 3 * PAGE);
	expect_byte(0x42, w);
	expect_byte(0x42, x + PAGE);
	/* A view fd cannot populate the mapping of another view. */
	EXPECT_EQ(-EINVAL, gmem_view_populate(view[1], v, PAGE, 0));
	EXPECT_EQ(-EINVAL, gmem_view_populate(view[0], x, PAGE, 0));
	munmap(v, LENGTH);
	expect_byte(0x42, w);
	expect_views(self->fd, 3, 3);
}

/* It cannot populate other memory either. */
TEST_F(life, other_memory)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	int view = test_gmem_view(self->fd, 0, LENGTH);
	int other = test_gmem_view(fd, 0, LENGTH);
	uint8_t *v = test_gmem_view_map(view, 0, LENGTH);

	EXPECT_EQ(-EINVAL, gmem_view_populate(other, v, LENGTH, 0));
	EXPECT_EQ(-EINVAL, gmem_view_populate(view, self->p, LENGTH, 0));
	EXPECT_EQ(0, gmem_populated(fd, 0, LENGTH));
	expect_sigsegv(v);
	EXPECT_EQ(NR_PAGES, gmem_view_populate(view, v, LENGTH, 0));
	test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_bytes(0x41, v, LENGTH);
	close(other);
	close(fd);
}

/* A process that has the fd, but another address space. */
static void try_stranger(int view, uint8_t *v)
{
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, 0, LENGTH));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-EPERM, gmem_view_populate(view, v, LENGTH, 0));
	EXPECT_EQ(-EPERM, gmem_view_populate(view, v, LENGTH, NOALLOC));
}

/* A child, which inherits the fd. */
TEST_F(life, child)
{
	int view = test_gmem_view(self->fd, 0, LENGTH);
	uint8_t *v = test_gmem_view_map(view, 0, LENGTH);
	pid_t pid;

	ASSERT_EQ(NR_PAGES, gmem_view_populate(view, v, LENGTH, 0));
	pid = fork();
	if (!pid) {
		expect_sigsegv(v);
		try_stranger(view, v);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	expect_bytes(0x41, v, LENGTH);
	expect_views(self->fd, 1, 1);
}

/* A process that receives the fd in a message; it stays valid after the sender has ended. */
TEST_F(life, passed)
{
	int pair[2], view;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	pid = fork();
	if (!pid) {
		view = test_gmem_view(self->fd, 0, LENGTH);
		ASSERT_EQ(0, gmem_send_fd(pair[0], view));
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	view = gmem_recv_fd(pair[1]);
	ASSERT_GE(view, 0);
	expect_views(self->fd, 1, 0);
	try_stranger(view, self->p);
	close(view);
	expect_views(self->fd, 0, 0);
}

/* A vfork() child shares the address space, so it can use the view. */
TEST_F(life, vfork)
{
	int view = test_gmem_view(self->fd, 0, LENGTH);
	uint8_t *v = test_gmem_view_map(view, 0, LENGTH);
	volatile long long rc = -1;
	pid_t pid = vfork();

	if (!pid) {
		rc = gmem_view_populate(view, v, LENGTH, 0);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	EXPECT_EQ(NR_PAGES, rc);
	expect_bytes(0x41, v, LENGTH);
}

/* The program that the next test executes in a new address space. */
static __attribute__((constructor)) void after_exec(void)
{
	const char *env = getenv(EXEC_ENV);
	struct gmem_ioctl_view_populate p = { .length = PAGE };
	unsigned long address;
	int view, rc;

	if (!env || sscanf(env, "%d %lx", &view, &address) != 2)
		return;
	if (gmem_view_map(view, 0, LENGTH) != MAP_FAILED || errno != EPERM)
		_exit(2);
	p.address = address;
	rc = gmem_view_populate_args(view, &p);
	if (rc != -EPERM)
		_exit(3);
	_exit(gmem_try_read((void *)address, NULL) == SIGSEGV ? 0 : 4);
}

/* exec() removes the mapping with the address space, and the fd cannot be used. */
TEST_F(life, exec)
{
	char text[64];
	uint8_t *v;
	pid_t pid;
	int view;

	pid = fork();
	if (!pid) {
		view = test_gmem_view(self->fd, 0, LENGTH);
		v = test_gmem_view_map(view, 0, LENGTH);
		ASSERT_EQ(NR_PAGES, gmem_view_populate(view, v, LENGTH, 0));
		snprintf(text, sizeof(text), "%d %lx", view, (unsigned long)v);
		setenv(EXEC_ENV, text, 1);
		execl("/proc/self/exe", "view_life_test", NULL);
		_exit(1);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	expect_views(self->fd, 0, 0);
	expect_bytes(0x41, self->p, LENGTH);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
}

static void *convert_main(void *arg)
{
	int fd = *(int *)arg;

	for (;;) {
		gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
		gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
	}
	return NULL;
}

/* A process exits during conversions that fill its view. */
TEST_F(life, exit_in_the_middle)
{
	struct gmem_task task[2] = { 0 };
	int round, view;
	uint8_t *v;
	pid_t pid;

	for (round = 0; round < 20; round++) {
		pid = fork();
		if (!pid) {
			view = test_gmem_view(self->fd, 0, LENGTH);
			v = test_gmem_view_map(view, 0, LENGTH);
			ASSERT_EQ(NR_PAGES, gmem_view_populate(view, v, LENGTH, 0));
			gmem_task_start(&task[0], -1, convert_main, &self->fd);
			gmem_task_start(&task[1], -1, convert_main, &self->fd);
			usleep(round * 500);
			if (round & 1)
				raise(SIGKILL);
			_exit(0);
		}
		EXPECT_EQ(round & 1 ? 128 + SIGKILL : 0, gmem_wait_pid(pid));
	}
	expect_views(self->fd, 0, 0);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0x41, self->p, LENGTH);
	ASSERT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       10000));
}

/* Two processes with a view each: a conversion fills only the view of the caller. */
TEST_F(life, two_processes)
{
	int view = test_gmem_view(self->fd, 0, LENGTH);
	uint8_t *v = test_gmem_view_map(view, 0, LENGTH), *w;
	pid_t pid;

	ASSERT_EQ(NR_PAGES, gmem_view_populate(view, v, LENGTH, 0));
	pid = fork();
	if (!pid) {
		view = test_gmem_view(self->fd, 0, LENGTH);
		w = test_gmem_view_map(view, 0, LENGTH);
		ASSERT_EQ(NR_PAGES, gmem_view_populate(view, w, LENGTH, 0));
		test_gmem_convert(self->fd, 0, 4 * PAGE, PRIVATE, PRESERVE);
		expect_sigsegv(w);
		test_gmem_convert(self->fd, 0, 4 * PAGE, SHARED, PRESERVE);
		expect_bytes(0x41, w, LENGTH);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	expect_sigsegv(v);
	expect_sigsegv(v + 3 * PAGE);
	expect_byte(0x41, v + 4 * PAGE);
	EXPECT_EQ(4, gmem_view_populate(view, v, LENGTH, NOALLOC));
	expect_bytes(0x41, v, LENGTH);
}

#define NR_MAPPINGS 2000

/* Fill many distant mappings of a page, in a group above memory.high. */
static void populate_slowly(const struct cgroup *cg, int fd, int ready)
{
	char *at = mmap(NULL, NR_MAPPINGS * SZ_2M, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int view = test_gmem_view(fd, 0, PAGE);
	int i;

	ASSERT_NE(MAP_FAILED, (void *)at);
	for (i = 0; i < NR_MAPPINGS; i++)
		ASSERT_NE(MAP_FAILED, mmap(at + i * SZ_2M, PAGE, PROT_NONE,
					   MAP_SHARED | MAP_FIXED, view, 0));
	ASSERT_EQ(0, cgroup_enter(cg));
	ASSERT_EQ(1, write(ready, "", 1));
	gmem_view_populate(view, at, PAGE, 0);
	_exit(KSFT_PASS);
}

/*
 * A process that sleeps while it fills its views does not prevent others from mapping
 * views.
 */
TEST_F(life, neighbour_sleeps)
{
	struct cgroup cg;
	uint64_t start;
	int ready[2];
	uint8_t *v;
	pid_t pid;
	int view;

	if (cgroup_unavailable())
		SKIP(return, "%s", cgroup_unavailable());
	view = test_gmem_view(self->fd, 0, LENGTH);
	v = test_gmem_view_map(view, 0, LENGTH);
	ASSERT_EQ(0, cgroup_create(&cg, "gmem_view_life"));
	ASSERT_EQ(0, cgroup_write(&cg, "memory.high", PAGE));
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid)
		populate_slowly(&cg, self->fd, ready[1]);
	ASSERT_GT(pid, 0);
	ASSERT_EQ(1, read(ready[0], &(char){ 0 }, 1));
	sleep(5);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	start = ksft_now_ms();
	munmap(v, LENGTH);
	v = test_gmem_view_map(view, 0, LENGTH);
	EXPECT_LT(ksft_now_ms() - start, 5000);

	kill(pid, SIGKILL);
	gmem_wait_pid(pid);
	munmap(v, LENGTH);
	close(view);
	EXPECT_EQ(0, cgroup_wait_uncharged(&cg));
	EXPECT_EQ(0, cgroup_remove(&cg));
}

/* A range has either a view or a hypervisor; other ranges are free. */
TEST_F(life, beside_a_hypervisor)
{
	const char *why = mock_unavailable();
	int vm, view;

	if (why)
		SKIP(return, "%s", why);
	vm = test_mock_create();
	view = test_gmem_view(self->fd, 4 * PAGE, 4 * PAGE);
	test_err_mock_bind(EBUSY, vm, GPA, self->fd, 0, LENGTH, 0);
	test_err_mock_bind(EBUSY, vm, GPA, self->fd, 7 * PAGE, PAGE, 0);
	test_err_mock_bind(EBUSY, vm, GPA, self->fd, 3 * PAGE, 2 * PAGE, 0);
	test_mock_bind(vm, GPA, self->fd, 8 * PAGE, 4 * PAGE, 0);
	EXPECT_EQ(-EBUSY, gmem_view(self->fd, 0, LENGTH));
	EXPECT_EQ(-EBUSY, gmem_view(self->fd, 11 * PAGE, PAGE));
	EXPECT_EQ(-EBUSY, gmem_view(self->fd, 7 * PAGE, 2 * PAGE));
	expect_views(self->fd, 1, 0);
	close(test_gmem_view(self->fd, 12 * PAGE, 4 * PAGE));
	test_mock_unbind(vm, GPA);
	close(test_gmem_view(self->fd, 0, LENGTH));
	close(view);
	test_mock_bind(vm, GPA, self->fd, 0, LENGTH, 0);
	EXPECT_EQ(-EBUSY, gmem_view(self->fd, 0, PAGE));
	test_mock_unbind(vm, GPA);
	expect_mock_kept(vm);
}

/* A mapping keeps its view. */
TEST_F(life, mapping_keeps_hypervisor_out)
{
	const char *why = mock_unavailable();
	uint8_t *v;
	int vm, view;

	if (why)
		SKIP(return, "%s", why);
	vm = test_mock_create();
	view = test_gmem_view(self->fd, 0, LENGTH);
	v = test_gmem_view_map(view, 0, PAGE);
	close(view);
	test_err_mock_bind(EBUSY, vm, GPA, self->fd, 8 * PAGE, PAGE, 0);
	munmap(v, PAGE);
	test_mock_bind(vm, GPA, self->fd, 8 * PAGE, PAGE, 0);
	test_mock_unbind(vm, GPA);
}

/* The same for KVM's guest_memfd. Pages that UNBIND leaves in the store are lost. */
TEST_F(life, beside_a_store)
{
	const char *why = kvm_store_unavailable();
	int vm, store, view;
	uint8_t *v;

	if (why)
		SKIP(return, "%s", why);
	store = test_kvm_store(LENGTH, &vm);
	view = test_gmem_view(self->fd, 4 * PAGE, 4 * PAGE);
	test_err_gmem_bind(EBUSY, self->fd, 0, LENGTH, store, 0);
	test_gmem_bind(self->fd, 8 * PAGE, 8 * PAGE, store, 0);
	EXPECT_EQ(-EBUSY, gmem_view(self->fd, 0, LENGTH));
	test_gmem_convert(self->fd, 8 * PAGE, 4 * PAGE, PRIVATE, PRESERVE);
	test_gmem_unbind(self->fd, 8 * PAGE, 8 * PAGE);
	close(view);
	view = test_gmem_view(self->fd, 0, LENGTH);
	v = test_gmem_view_map(view, 0, LENGTH);
	EXPECT_EQ(NR_PAGES - 4, gmem_view_populate(view, v, LENGTH, NOALLOC));
	EXPECT_EQ(4, gmem_view_populate(view, v, LENGTH, 0));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0, v + 8 * PAGE, 4 * PAGE);
	expect_bytes(0x41, v, 8 * PAGE);
}

/* VIEW_FAULT in a thread that has run no vCPU, with any view fd. */
TEST_F(life, fault)
{
	int view = test_gmem_view(self->fd, 0, LENGTH), want = -EOPNOTSUPP;
	struct gmem_ioctl_view_fault fault;
	struct gmem_ioctl_info info;
	pid_t pid;
	int i;

	ASSERT_EQ(0, gmem_info(&info));
	if (info.features & GMEM_FEATURE_VIEW_FAULT)
		want = -EAGAIN;
	for (i = 0; i < 3; i++)
		EXPECT_EQ(want, gmem_view_fault(view, &fault));
	EXPECT_EQ(0, fault.count);
	pid = fork();
	if (!pid) {
		EXPECT_EQ(want, gmem_view_fault(view, &fault));
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

static long gmem_kvm_users(void)
{
	char text[32];

	if (gmem_read_file("/sys/module/gmem_kvm/refcnt", text, sizeof(text)) < 0)
		return -1;
	return strtol(text, NULL, 10);
}

/* After VIEW_FAULT the module cannot be unloaded, because the VMM relies on it. */
TEST_F(life, fault_keeps_module)
{
	int view = test_gmem_view(self->fd, 0, LENGTH), i;
	long users = gmem_kvm_users();
	struct gmem_ioctl_view_fault fault;

	if (users < 0)
		SKIP(return, KSFT_BY_DESIGN " gmem_kvm is not loaded");
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EAGAIN, gmem_view_fault(view, &fault));
		EXPECT_EQ(users + 1, gmem_kvm_users());
	}
	EXPECT_EQ(-EWOULDBLOCK,
		  syscall(SYS_delete_module, "gmem_kvm", O_NONBLOCK) ? -errno : 0);
	close(view);
	EXPECT_EQ(users, gmem_kvm_users());
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
