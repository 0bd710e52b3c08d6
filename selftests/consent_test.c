// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_CREATE_F_GUEST_CONSENT (I4): private contents leave a guest only if the guest asks
 * for it, whatever userspace does, and after the guest has ended, too. The host can
 * always take the memory back, but never the contents.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "mock.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x500000000ULL
#define AT(page) (GPA + (page) * PAGE)

/* Pages 4-11 are private and contain a secret of the guest. The others are shared. */
FIXTURE(consent) {
	int vm;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(consent)
{
	self->vm = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED |
					    GMEM_CREATE_F_GUEST_CONSENT);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, 0);
	test_gmem_convert(self->fd, 4 * PAGE, 8 * PAGE, PRIVATE, PRESERVE);
	test_mock_fill(self->vm, AT(4), 8 * PAGE, 'S');
}

FIXTURE_TEARDOWN(consent)
{
	expect_mock_kept(self->vm);
	close(self->vm);
	close(self->fd);
}

/*
 * Userspace cannot make pages [first, first + count) shared with their contents. The
 * error names @page.
 */
static void expect_eperm(int fd, int first, int count, int page)
{
	struct gmem_ioctl_convert c = {
		.offset = first * PAGE,
		.length = count * PAGE,
		.target = SHARED,
		.content = PRESERVE,
		.timeout_ms = 10,
	};

	EXPECT_EQ(-EPERM, gmem_convert_args(fd, &c));
	EXPECT_EQ(page * PAGE, c.error_offset);
}

/* The host cannot read the secret. */
static void expect_secret(struct consent_data *self)
{
	int page;

	for (page = 0; page < NR_PAGES; page++) {
		bool secret = page >= 4 && page < 12;

		expect_state(secret ? PRIVATE : SHARED, self->fd, page * PAGE);
		if (secret)
			expect_sigbus(self->p + page * PAGE);
		else
			expect_bytes('A', self->p + page * PAGE, PAGE);
	}
}

/* INFO offers the flag, and STAT reports it. */
TEST_F(consent, reported)
{
	struct gmem_ioctl_info info;
	struct gmem_ioctl_stat stat;

	ASSERT_EQ(0, gmem_info(&info));
	EXPECT_TRUE(info.create_flags & GMEM_CREATE_F_GUEST_CONSENT);
	test_gmem_stat(self->fd, &stat);
	EXPECT_TRUE(stat.create_flags & GMEM_CREATE_F_GUEST_CONSENT);
}

/* Userspace cannot make private pages shared with their contents. */
TEST_F(consent, host_preserve)
{
	expect_eperm(self->fd, 0, NR_PAGES, 4);
	expect_eperm(self->fd, 4, 1, 4);
	expect_eperm(self->fd, 6, 2, 6);
	expect_eperm(self->fd, 11, 5, 11);
	expect_eperm(self->fd, 2, 3, 4);
	expect_secret(self);
	expect_guest('S', self->vm, AT(4), 8 * PAGE);
	EXPECT_EQ(0, mock_calls(self->vm, GMEM_TEST_MAKE_SHARED));
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_INVALIDATE_START));
}

/* The same if the pages have no memory yet. */
TEST_F(consent, host_preserve_unpopulated)
{
	test_gmem_punch(self->fd, 0, LENGTH);
	expect_eperm(self->fd, 0, NR_PAGES, 4);
	expect_state(PRIVATE, self->fd, 4 * PAGE);
}

/* A conversion that changes nothing needs no consent. */
TEST_F(consent, host_nothing_to_do)
{
	test_gmem_convert(self->fd, 0, 4 * PAGE, SHARED, PRESERVE);
	test_gmem_convert(self->fd, 4 * PAGE, 8 * PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 4 * PAGE, 8 * PAGE, PRIVATE, ZERO);
	expect_secret(self);
	expect_guest('S', self->vm, AT(4), 8 * PAGE);
}

/* The host can take the memory back without the contents. */
TEST_F(consent, host_zero)
{
	test_gmem_convert(self->fd, 0, 8 * PAGE, SHARED, ZERO);
	expect_bytes('A', self->p, 4 * PAGE);
	expect_bytes(0, self->p + 4 * PAGE, 4 * PAGE);
	expect_guest(0, self->vm, AT(4), 4 * PAGE);
	expect_guest('S', self->vm, AT(8), 4 * PAGE);
}

/* A hole frees the memory and keeps the state; the contents are lost. */
TEST_F(consent, host_hole)
{
	test_gmem_punch(self->fd, 0, LENGTH);
	EXPECT_EQ(0, gmem_populated(self->fd, 0, LENGTH));
	expect_state(PRIVATE, self->fd, 4 * PAGE);
	expect_guest(0, self->vm, GPA, LENGTH);
	test_mock_convert(self->vm, GPA, LENGTH, SHARED, PRESERVE);
	expect_bytes(0, self->p, LENGTH);
}

/* Conversion to private needs no consent, with contents or without. */
TEST_F(consent, host_to_private)
{
	test_gmem_convert(self->fd, 0, 2 * PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 2 * PAGE, 2 * PAGE, PRIVATE, ZERO);
	expect_guest('A', self->vm, GPA, 2 * PAGE);
	expect_guest(0, self->vm, AT(2), 2 * PAGE);
	expect_eperm(self->fd, 0, 1, 0);
}

/* The guest can share any of its pages. */
TEST_F(consent, guest_preserve)
{
	test_mock_convert(self->vm, AT(4), 2 * PAGE, SHARED, PRESERVE);
	expect_bytes('S', self->p + 4 * PAGE, 2 * PAGE);
	expect_sigbus(self->p + 6 * PAGE);
	expect_eperm(self->fd, 4, 4, 6);
	test_mock_convert(self->vm, GPA, LENGTH, SHARED, PRESERVE);
	expect_bytes('S', self->p + 4 * PAGE, 8 * PAGE);
	expect_bytes('A', self->p, 4 * PAGE);
}

TEST_F(consent, guest_zero)
{
	test_mock_convert(self->vm, AT(4), 4 * PAGE, SHARED, ZERO);
	expect_bytes(0, self->p + 4 * PAGE, 4 * PAGE);
	expect_guest('S', self->vm, AT(8), 4 * PAGE);
}

/* The guest asks, but its hypervisor refuses: no page becomes shared. */
TEST_F(consent, hypervisor_refuses)
{
	ASSERT_EQ(0, mock_fail(self->vm, GMEM_TEST_MAKE_SHARED, 1, EACCES, 3));
	test_err_mock_convert(EACCES, self->vm, GPA, LENGTH, SHARED, PRESERVE);
	expect_secret(self);
	ASSERT_EQ(0, mock_fail(self->vm, GMEM_TEST_CHECK, 1, EACCES, 3));
	test_err_mock_convert(EACCES, self->vm, GPA, LENGTH, SHARED, PRESERVE);
	expect_secret(self);
	expect_guest('S', self->vm, AT(4), 8 * PAGE);
}

/* A guest cannot ask for pages of another guest. */
TEST_F(consent, other_guest)
{
	int other = test_mock_create();
	int fd = test_gmem_create(2 * LENGTH, GMEM_CREATE_F_INIT_SHARED |
					      GMEM_CREATE_F_GUEST_CONSENT);

	test_mock_bind(self->vm, GPA + LENGTH, fd, 0, LENGTH, 0);
	test_mock_bind(other, GPA, fd, LENGTH, LENGTH, 0);
	test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_mock_fill(self->vm, GPA + LENGTH, LENGTH, 'S');
	test_err_mock_convert(ENXIO, other, GPA - PAGE, 2 * PAGE, SHARED,
			      PRESERVE);
	test_err_mock_convert(EINVAL, other, GPA, 2 * LENGTH, SHARED, PRESERVE);
	expect_eperm(fd, 0, NR_PAGES, 0);
	expect_guest('S', self->vm, GPA + LENGTH, LENGTH);
	expect_mock_kept(other);
	close(fd);
}

/* After the guest has ended, its pages are private and belong to no guest. */
static void expect_orphaned(struct consent_data *self)
{
	int other = test_mock_create();

	expect_secret(self);
	expect_eperm(self->fd, 0, NR_PAGES, 4);
	/* Another guest cannot be bound to them: it would read the contents. */
	test_err_mock_bind(EPERM, other, GPA, self->fd, 0, LENGTH, 0);
	test_err_mock_bind(EPERM, other, GPA, self->fd, 11 * PAGE, 5 * PAGE, 0);
	test_err_mock_bind(EPERM, other, GPA, self->fd, 4 * PAGE, PAGE, 0);
	test_mock_bind(other, GPA, self->fd, 0, 4 * PAGE, 0);
	test_mock_bind(other, AT(12), self->fd, 12 * PAGE, 4 * PAGE, 0);
	expect_guest('A', other, GPA, 4 * PAGE);
	expect_secret(self);
	/* Pages without contents can be bound by any guest. */
	test_gmem_punch(self->fd, 4 * PAGE, 2 * PAGE);
	test_gmem_convert(self->fd, 6 * PAGE, 6 * PAGE, SHARED, ZERO);
	test_mock_bind(other, AT(4), self->fd, 4 * PAGE, 8 * PAGE, 0);
	expect_guest(0, other, AT(4), 8 * PAGE);
	expect_bytes(0, self->p + 6 * PAGE, 6 * PAGE);
	test_mock_convert(other, AT(4), 8 * PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->p + 4 * PAGE, 8 * PAGE);
	expect_mock_kept(other);
	close(other);
}

TEST_F(consent, unbound)
{
	test_mock_unbind(self->vm, GPA);
	expect_orphaned(self);
}

TEST_F(consent, closed)
{
	close(self->vm);
	self->vm = test_mock_create();
	expect_orphaned(self);
}

/* The VM belongs to a child, which is killed. */
TEST_F(consent, killed)
{
	pid_t pid;
	int vm;

	test_mock_unbind(self->vm, GPA);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	gmem_fill(self->p, 'A', LENGTH);
	pid = fork();
	if (!pid) {
		vm = test_mock_create();
		test_mock_bind(vm, GPA, self->fd, 0, LENGTH, 0);
		test_mock_convert(vm, AT(4), 8 * PAGE, PRIVATE, PRESERVE);
		test_mock_fill(vm, AT(4), 8 * PAGE, 'S');
		raise(SIGKILL);
	}
	ASSERT_EQ(128 + SIGKILL, gmem_wait_pid(pid));
	expect_orphaned(self);
}

/* A new binding of the same VM is a new guest: it does not get the memory either. */
TEST_F(consent, same_vm_again)
{
	test_mock_unbind(self->vm, GPA);
	test_err_mock_bind(EPERM, self->vm, GPA, self->fd, 0, LENGTH, 0);
	test_gmem_punch(self->fd, 0, LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, 0);
	expect_guest(0, self->vm, GPA, LENGTH);
}

/* A KVM guest is another guest, too. */
TEST_F(consent, kvm_store)
{
	const char *why = kvm_store_unavailable();
	int vm, store;

	if (why)
		SKIP(return, "%s", why);
	store = test_kvm_store(LENGTH, &vm);
	test_err_gmem_bind(EBUSY, self->fd, 0, LENGTH, store, 0);
	test_mock_unbind(self->vm, GPA);
	test_err_gmem_bind(EPERM, self->fd, 0, LENGTH, store, 0);
	expect_secret(self);
	test_gmem_punch(self->fd, 4 * PAGE, 8 * PAGE);
	test_gmem_bind(self->fd, 0, LENGTH, store, 0);
	test_err_mock_bind(EBUSY, self->vm, GPA, self->fd, 0, LENGTH, 0);
	/* A KVM guest has no means to consent. */
	expect_eperm(self->fd, 0, NR_PAGES, 4);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	test_gmem_unbind(self->fd, 0, LENGTH);
}

/*
 * Pages in KVM's guest_memfd are private because of where they are. If the guest_memfd
 * were bound to an fd without consent, they could be converted. So it must be empty.
 */
static void expect_store_empty(struct consent_data *self, bool by_close)
{
	const char *why = kvm_store_unavailable();
	int vm, store, fd, thief;

	if (why)
		SKIP(return, "%s", why);
	store = test_kvm_store(LENGTH, &vm);
	fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED |
				      GMEM_CREATE_F_GUEST_CONSENT);
	test_gmem_bind(fd, 0, LENGTH, store, 0);
	self->p = test_gmem_map(fd, 0, LENGTH);
	gmem_fill(self->p, 'S', LENGTH);
	test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_EQ(NR_PAGES, gmem_populated(fd, 0, LENGTH));
	if (!by_close)
		test_gmem_unbind(fd, 0, LENGTH);
	munmap(self->p, LENGTH);
	close(fd);

	thief = test_gmem_create(LENGTH, 0);
	test_gmem_bind(thief, 0, LENGTH, store, 0);
	EXPECT_EQ(0, gmem_populated(thief, 0, LENGTH));
	test_gmem_convert(thief, 0, LENGTH, SHARED, PRESERVE);
	self->p = test_gmem_map(thief, 0, LENGTH);
	expect_bytes(0, self->p, LENGTH);
	close(thief);
	close(store);
	close(vm);
}

TEST_F(consent, kvm_store_unbound)
{
	expect_store_empty(self, false);
}

TEST_F(consent, kvm_store_closed)
{
	expect_store_empty(self, true);
}

/* Other fds of the same file give no more rights. */
TEST_F(consent, other_fds)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	again = open(path, O_RDWR);
	ASSERT_GE(again, 0);
	expect_eperm(again, 0, NR_PAGES, 4);
	expect_eperm(dup(self->fd), 0, NR_PAGES, 4);
	if (!fork()) {
		expect_eperm(self->fd, 0, NR_PAGES, 4);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(-1));
	expect_secret(self);
}

/* All pages start private: the host has to convert them before it can write to them. */
TEST(starts_private)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_GUEST_CONSENT);
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);
	int vm = test_mock_create();

	expect_eperm(fd, 0, NR_PAGES, 0);
	test_gmem_convert(fd, 0, PAGE, SHARED, ZERO);
	gmem_fill(p, 'I', PAGE);
	test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
	expect_guest('I', vm, GPA, PAGE);
	test_mock_fill(vm, AT(1), PAGE, 'S');
	expect_eperm(fd, 1, 1, 1);
	test_mock_convert(vm, AT(1), PAGE, SHARED, PRESERVE);
	expect_bytes('S', p + PAGE, PAGE);
	expect_mock_kept(vm);
	close(fd);
}

/*
 * Memory that was only committed has no contents, so the range can be bound afterwards.
 * After a guest has written to it, the contents belong to that guest.
 */
TEST(D11_commit_before_bind)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_GUEST_CONSENT);
	int vm = test_mock_create(), other = test_mock_create();

	test_gmem_commit(fd, 0, LENGTH);
	test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
	EXPECT_EQ(NR_PAGES, gmem_populated(fd, 0, LENGTH));
	expect_guest(0, vm, GPA, LENGTH);
	test_mock_fill(vm, AT(1), PAGE, 'S');
	expect_eperm(fd, 0, NR_PAGES, 0);
	test_mock_unbind(vm, GPA);
	test_err_mock_bind(EPERM, other, GPA, fd, 0, LENGTH, 0);
	expect_mock_kept(vm);
	expect_mock_kept(other);
	close(other);
	close(vm);
	close(fd);
}

/* A page with contents that becomes private does not count as committed only. */
TEST(D11_commit_beside_contents)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_GUEST_CONSENT);
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);
	int vm = test_mock_create();

	test_gmem_convert(fd, 0, PAGE, SHARED, ZERO);
	gmem_fill(p, 'I', PAGE);
	test_gmem_convert(fd, 0, PAGE, PRIVATE, PRESERVE);
	test_gmem_commit(fd, 0, LENGTH);
	test_err_mock_bind(EPERM, vm, GPA, fd, 0, LENGTH, 0);
	test_mock_bind(vm, AT(1), fd, PAGE, LENGTH - PAGE, 0);
	expect_mock_kept(vm);
	close(vm);
	close(fd);
}

/* Without the flag userspace can make private pages shared with their contents. */
TEST(without_the_flag)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);
	int vm = test_mock_create();

	test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
	test_mock_convert(vm, GPA, LENGTH, PRIVATE, PRESERVE);
	test_mock_fill(vm, GPA, LENGTH, 'S');
	test_gmem_convert(fd, 0, 4 * PAGE, SHARED, PRESERVE);
	expect_bytes('S', p, 4 * PAGE);
	close(vm);
	expect_sigbus(p + 4 * PAGE);
	test_gmem_convert(fd, 0, 8 * PAGE, SHARED, PRESERVE);
	expect_bytes('S', p, 8 * PAGE);
	vm = test_mock_create();
	test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
	expect_guest('S', vm, AT(8), 8 * PAGE);
	expect_mock_kept(vm);
	close(fd);
}

/* The host tries to steal contents all the time, while the guest shares other pages. */
struct thief {
	int fd;
	uint8_t *p;
	volatile bool stop;
	long tries;
	long successes;
	long seen;
};

static void *thief_main(void *arg)
{
	struct thief *t = arg;
	uint64_t seed = ksft_seed();
	uint8_t byte;
	int page;

	while (!t->stop) {
		page = gmem_rand(&seed) % 4;
		/* Each of the ranges contains page 8. */
		if (!gmem_convert(t->fd, (8 - page) * PAGE,
				  (1 + 2 * page) * PAGE, SHARED, PRESERVE))
			t->successes++;
		if (!gmem_try_read(t->p + 8 * PAGE, &byte))
			t->seen++;
		t->tries++;
	}
	return NULL;
}

TEST_F_TIMEOUT(consent, thief, 300)
{
	struct thief t = { .fd = self->fd, .p = self->p };
	uint64_t end = ksft_now_ms() + gmem_stress_seconds() * 1000 / 4;
	struct gmem_task task = { 0 };
	long rounds = 0;

	ASSERT_EQ(0, gmem_task_start(&task, -1, thief_main, &t));
	while (ksft_now_ms() < end) {
		ASSERT_EQ(0, mock_convert(self->vm, GPA, 8 * PAGE,
					  rounds & 1, PRESERVE));
		ASSERT_EQ(0, mock_convert(self->vm, AT(9), 7 * PAGE,
					  rounds & 1, PRESERVE));
		rounds++;
	}
	t.stop = true;
	gmem_task_join(&task);
	TH_LOG("%ld rounds of the guest, %ld tries of the host", rounds, t.tries);
	EXPECT_GT(t.tries, 0);
	EXPECT_EQ(0, t.successes);
	EXPECT_EQ(0, t.seen);
	expect_guest('S', self->vm, AT(8), PAGE);
}

TEST_HARNESS_MAIN_IF(mock_unavailable())
