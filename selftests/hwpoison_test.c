// SPDX-License-Identifier: GPL-2.0
/*
 * Memory errors. A page whose memory has failed is lost, not replaced: access raises
 * SIGBUS with the code of a memory error, commit and conversion return EHWPOISON. Other
 * pages are unaffected. After a hole is punched, the page has fresh memory.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "mock.h"
#include "poison.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define BAD 3ULL			/* the page that fails */
#define RACE_ROUNDS 60

FIXTURE(hwpoison) {
	int fd;
	uint8_t *p;
	int vm;
	int store;
	uint64_t pfn[NR_PAGES];
	bool bad[NR_PAGES];
};

static void fill_page(struct hwpoison_data *self, unsigned int page)
{
	gmem_fill(self->p + page * PAGE, 0x40 + page, PAGE);
	self->pfn[page] = gmem_pfn(self->p + page * PAGE);
	ASSERT_NE(0, self->pfn[page]);
}

FIXTURE_SETUP(hwpoison)
{
	const char *why = poison_unavailable();
	unsigned int i;

	if (why)
		SKIP(return, "%s", why);
	self->vm = -1;
	self->store = -1;
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	for (i = 0; i < NR_PAGES; i++)
		fill_page(self, i);
}

/* Remove the poison of frames that have no user any more, if the kernel can. */
FIXTURE_TEARDOWN(hwpoison)
{
	unsigned int i;

	munmap(self->p, LENGTH);
	close(self->fd);
	close(self->store);
	close(self->vm);
	for (i = 0; i < NR_PAGES; i++)
		if (self->bad[i] && !poison_pfn_unavailable())
			EXPECT_EQ(0, poison_undo(self->pfn[i]));
}

/* The page fails while the process has it mapped, and the process gets a signal. */
static void page_fails(struct hwpoison_data *self, unsigned int page)
{
	uint8_t *p = self->p + page * PAGE;
	struct poison_signal signal;

	ASSERT_EQ(0, poison_mapped(p, &signal));
	self->bad[page] = true;
	EXPECT_EQ(1, signal.signals);
	EXPECT_EQ(BUS_MCEERR_AR, signal.code);
	EXPECT_EQ((uintptr_t)p, (uintptr_t)signal.addr);
}

/* The page fails while it is not mapped. Return: false if that cannot be injected. */
static bool frame_fails(struct hwpoison_data *self, unsigned int page)
{
	const char *why = poison_pfn_unavailable();
	int rc;

	if (why)
		SKIP(return false, "%s", why);
	rc = poison_pfn(self->pfn[page]);
	if (rc)
		TH_LOG("corrupt-pfn: %s", strerror(-rc));
	self->bad[page] = true;
	return true;
}

/* Loads and stores raise the signal of a memory error, with the exact address. */
#define expect_mce(address) do {					\
	EXPECT_EQ(SIGBUS, gmem_try_read(address, NULL));		\
	EXPECT_EQ(BUS_MCEERR_AR, gmem_signal_code());			\
	EXPECT_EQ((uintptr_t)(address), (uintptr_t)gmem_signal_addr());	\
	EXPECT_EQ(SIGBUS, gmem_try_write(address, 1));			\
	EXPECT_EQ(BUS_MCEERR_AR, gmem_signal_code());			\
	EXPECT_EQ((uintptr_t)(address), (uintptr_t)gmem_signal_addr());	\
} while (0)

#define expect_poisoned(n, self) do {					\
	struct gmem_ioctl_stat __stat;					\
									\
	test_gmem_stat((self)->fd, &__stat);				\
	EXPECT_EQ(n, __stat.poisoned_pages);				\
} while (0)

/* All pages except one have their contents. */
static void expect_others(struct hwpoison_data *self, unsigned int page)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		if (i != page)
			expect_bytes(0x40 + i, self->p + i * PAGE, PAGE);
}

static void expect_convert_refused(struct hwpoison_data *self, uint32_t target,
				   uint32_t content)
{
	struct gmem_ioctl_convert c = {
		.length = LENGTH,
		.target = target,
		.content = content,
	};
	unsigned int i;

	EXPECT_EQ(-EHWPOISON, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(BAD * PAGE, c.error_offset);
	for (i = 0; i < NR_PAGES; i++)
		expect_state(target == PRIVATE ? SHARED : PRIVATE, self->fd,
			     i * PAGE);
}

/* After a hole is punched, the page has fresh memory in another frame. */
static void expect_hole_heals(struct hwpoison_data *self, uint32_t state)
{
	uint8_t *p = self->p + BAD * PAGE;

	test_gmem_punch(self->fd, BAD * PAGE, PAGE);
	expect_poisoned(0, self);
	expect_state(state, self->fd, BAD * PAGE);
	EXPECT_EQ(0, gmem_populated(self->fd, BAD * PAGE, PAGE));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0, p, PAGE);
	EXPECT_NE(self->pfn[BAD], gmem_pfn(p));
	EXPECT_EQ(0, gmem_try_write(p, 0x77));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_byte(0x77, p);
	expect_others(self, BAD);
}

/* Every access raises the signal, also through mappings that never had the page. */
TEST_F(hwpoison, access)
{
	uint8_t *before = test_gmem_map(self->fd, 0, LENGTH), *after;
	pid_t pid;

	expect_byte(0x40 + BAD, before + BAD * PAGE);
	page_fails(self, BAD);
	expect_mce(self->p + BAD * PAGE);
	expect_mce(self->p + BAD * PAGE + 1234);
	expect_mce(before + BAD * PAGE + PAGE - 1);
	after = test_gmem_map(self->fd, 0, LENGTH);
	expect_mce(after + BAD * PAGE + 8);
	expect_others(self, BAD);
	pid = fork();
	if (!pid) {
		expect_mce(self->p + BAD * PAGE);
		expect_byte(0x40, after);
		_exit(KSFT_PASS);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	munmap(before, LENGTH);
	munmap(after, LENGTH);
}

/* System calls fail, too: the kernel does not access the page. */
TEST_F(hwpoison, system_calls)
{
	uint8_t *p = self->p + BAD * PAGE;
	struct iovec remote = { .iov_base = p, .iov_len = PAGE };
	uint8_t buf[16];
	struct iovec local = { .iov_base = buf, .iov_len = sizeof(buf) };
	int fds[2];

	page_fails(self, BAD);
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-1, write(fds[1], p, 16));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(16, write(fds[1], self->p, 16));
	EXPECT_EQ(-1, read(fds[0], p, 16));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, vmsplice(fds[1], &remote, 1, 0));
	EXPECT_TRUE(errno == EFAULT || errno == EHWPOISON);
	EXPECT_EQ(-1, madvise(p, PAGE, MADV_POPULATE_READ));
	EXPECT_EQ(EHWPOISON, errno);
	EXPECT_EQ(-1, madvise(p, PAGE, MADV_POPULATE_WRITE));
	EXPECT_EQ(EHWPOISON, errno);
	expect_others(self, BAD);
}

/* A conversion of a range with the page is refused with its offset, and changes nothing. */
TEST_F(hwpoison, convert)
{
	struct gmem_ioctl_stat stat;

	page_fails(self, BAD);
	expect_convert_refused(self, PRIVATE, PRESERVE);
	expect_convert_refused(self, PRIVATE, ZERO);
	test_err_gmem_convert(EHWPOISON, self->fd, BAD * PAGE, PAGE, PRIVATE,
			      PRESERVE);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(3, stat.refused);
	expect_others(self, BAD);
	expect_mce(self->p + BAD * PAGE);
	/* The page is shared already, so this converts nothing. */
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_hole_heals(self, SHARED);
}

/* Pages before and after it can be converted. */
TEST_F(hwpoison, neighbours)
{
	page_fails(self, BAD);
	test_gmem_convert(self->fd, 0, BAD * PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, (BAD + 1) * PAGE, LENGTH - (BAD + 1) * PAGE,
			  PRIVATE, PRESERVE);
	expect_sigbus(self->p + (BAD - 1) * PAGE);
	EXPECT_EQ(BUS_ADRERR, gmem_signal_code());
	expect_mce(self->p + BAD * PAGE);
	expect_sigbus(self->p + (BAD + 1) * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_others(self, BAD);
	test_gmem_punch(self->fd, (BAD + 1) * PAGE, PAGE);
	expect_mce(self->p + BAD * PAGE);
	expect_bytes(0, self->p + (BAD + 1) * PAGE, PAGE);
	expect_poisoned(1, self);
}

/* Commit does not put a page of zeros in the place of lost contents. */
TEST_F(hwpoison, commit)
{
	page_fails(self, BAD);
	test_err_gmem_commit(EHWPOISON, self->fd, BAD * PAGE, PAGE);
	test_err_gmem_commit(EHWPOISON, self->fd, 0, LENGTH);
	test_gmem_commit(self->fd, 0, BAD * PAGE);
	test_gmem_commit(self->fd, (BAD + 1) * PAGE, LENGTH - (BAD + 1) * PAGE);
	EXPECT_EQ(0, gmem_populated(self->fd, BAD * PAGE, PAGE));
	expect_others(self, BAD);
	test_gmem_punch(self->fd, BAD * PAGE, PAGE);
	test_gmem_commit(self->fd, 0, LENGTH);
	expect_bytes(0, self->p + BAD * PAGE, PAGE);
}

/* STAT counts the lost page, and no longer counts its memory. */
TEST_F(hwpoison, stat)
{
	struct gmem_ioctl_stat stat;

	expect_poisoned(0, self);
	page_fails(self, BAD);
	expect_poisoned(1, self);
	page_fails(self, 6);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(2, stat.poisoned_pages);
	EXPECT_EQ(NR_PAGES - 2, stat.resident_pages);
	test_gmem_punch(self->fd, 0, 6 * PAGE);
	expect_poisoned(1, self);
	test_gmem_punch(self->fd, 0, LENGTH);
	expect_poisoned(0, self);
	expect_bytes(0, self->p, LENGTH);
}

/* The first and the last page of the file. */
TEST_F(hwpoison, edges)
{
	page_fails(self, 0);
	page_fails(self, NR_PAGES - 1);
	expect_poisoned(2, self);
	test_gmem_convert(self->fd, PAGE, LENGTH - 2 * PAGE, PRIVATE, PRESERVE);
	test_err_gmem_convert(EHWPOISON, self->fd, PAGE, LENGTH - PAGE, PRIVATE,
			      ZERO);
	expect_mce(self->p);
	expect_mce(self->p + LENGTH - 1);
	test_gmem_punch(self->fd, 0, LENGTH);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
}

/* Not mapped when it fails: the first access raises the signal. */
TEST_F(hwpoison, not_mapped)
{
	munmap(self->p, LENGTH);
	if (frame_fails(self, BAD))
		expect_poisoned(1, self);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	if (!self->bad[BAD])
		return;
	expect_mce(self->p + BAD * PAGE + 5);
	expect_others(self, BAD);
	expect_convert_refused(self, PRIVATE, PRESERVE);
	expect_hole_heals(self, SHARED);
}

/* A private page stays private and refused until a hole is punched. */
TEST_F(hwpoison, private)
{
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	if (!frame_fails(self, BAD))
		return;
	expect_poisoned(1, self);
	expect_convert_refused(self, SHARED, PRESERVE);
	expect_convert_refused(self, SHARED, ZERO);
	expect_sigbus(self->p + BAD * PAGE);
	EXPECT_EQ(BUS_ADRERR, gmem_signal_code());
	test_err_gmem_commit(EHWPOISON, self->fd, 0, LENGTH);
	test_gmem_convert(self->fd, 0, BAD * PAGE, SHARED, PRESERVE);
	expect_byte(0x40, self->p);
	test_gmem_convert(self->fd, 0, BAD * PAGE, PRIVATE, PRESERVE);
	expect_convert_refused(self, SHARED, PRESERVE);
	expect_hole_heals(self, PRIVATE);
}

static bool open_store(struct hwpoison_data *self)
{
	const char *why = kvm_store_unavailable();

	if (!why)
		why = poison_pfn_unavailable();
	if (why)
		SKIP(return false, "%s", why);
	self->store = test_kvm_store(LENGTH, &self->vm);
	return true;
}

/* In KVM's guest_memfd: the page cannot move back, and no other page has moved. */
TEST_F(hwpoison, store)
{
	struct gmem_ioctl_stat stat;

	if (!open_store(self))
		return;
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	if (!frame_fails(self, BAD))
		return;
	expect_convert_refused(self, SHARED, PRESERVE);
	expect_convert_refused(self, SHARED, PRESERVE);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(NR_PAGES, stat.store_pages);
	EXPECT_EQ(0, stat.resident_pages);
	test_gmem_convert(self->fd, 0, BAD * PAGE, SHARED, PRESERVE);
	expect_bytes(0x40, self->p, PAGE);
	test_gmem_convert(self->fd, 0, BAD * PAGE, PRIVATE, PRESERVE);
	expect_convert_refused(self, SHARED, PRESERVE);
	expect_hole_heals(self, PRIVATE);
}

/* With ZERO it can be converted, because the contents are lost anyway. */
TEST_F(hwpoison, store_zero)
{
	if (!open_store(self))
		return;
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	if (!frame_fails(self, BAD))
		return;
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	expect_bytes(0, self->p, LENGTH);
	EXPECT_NE(self->pfn[BAD], gmem_pfn(self->p + BAD * PAGE));
}

/* Shared, in a bound range: it does not move to the store. */
TEST_F(hwpoison, store_shared)
{
	struct gmem_ioctl_stat stat;

	if (!open_store(self))
		return;
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	page_fails(self, BAD);
	expect_convert_refused(self, PRIVATE, PRESERVE);
	expect_convert_refused(self, PRIVATE, ZERO);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.store_pages);
	EXPECT_EQ(0, stat.moved_pages);
	expect_others(self, BAD);
	expect_hole_heals(self, SHARED);
}

/* It fails before BIND: BIND fails, because the guest would find a page of zeros. */
TEST_F(hwpoison, store_bound_late)
{
	struct gmem_ioctl_stat stat;

	if (!open_store(self))
		return;
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	if (!frame_fails(self, BAD))
		return;
	test_err_gmem_bind(EHWPOISON, self->fd, 0, LENGTH, self->store, 0);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.store_pages);
	EXPECT_EQ(0, stat.bindings);
	expect_poisoned(1, self);
	expect_hole_heals(self, PRIVATE);
}

/*
 * KVM's file has a page of its own where gmem's page is shared, and KVM's page fails.
 * Then it cannot be checked whether that page is zero and may be dropped.
 */
static bool expect_leftover_refused(struct hwpoison_data *self, uint8_t value)
{
	if (!open_store(self))
		return false;
	gmem_fill(self->p + BAD * PAGE, value, PAGE);
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, BAD * PAGE, PAGE, PRIVATE, PRESERVE);
	test_gmem_unbind(self->fd, 0, LENGTH);
	test_gmem_convert(self->fd, BAD * PAGE, PAGE, SHARED, PRESERVE);
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	if (!frame_fails(self, BAD))
		return false;
	expect_convert_refused(self, PRIVATE, PRESERVE);
	expect_others(self, BAD);
	return true;
}

TEST_F(hwpoison, D8_leftover)
{
	if (expect_leftover_refused(self, 0x43))
		expect_hole_heals(self, SHARED);
}

/* With ZERO the page is dropped without a check. */
TEST_F(hwpoison, D8_leftover_zero)
{
	if (!expect_leftover_refused(self, 0))
		return;
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, ZERO);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0, self->p, LENGTH);
	EXPECT_NE(self->pfn[BAD], gmem_pfn(self->p + BAD * PAGE));
}

/* The memory is bound by a hypervisor, whose guest has it at GPA. */
#define GPA (1ULL << 32)

static int open_guest(struct hwpoison_data *self)
{
	const char *why = mock_unavailable();

	if (why)
		SKIP(return -1, "%s", why);
	self->vm = test_mock_create();
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, 0);
	return 0;
}

/* The hypervisor was notified once, and its guest cannot reach the page any more. */
static void expect_guest_told(struct hwpoison_data *self)
{
	struct gmem_test_count count;
	unsigned int i;

	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_ERROR));
	EXPECT_EQ(0, mock_count(self->vm, &count));
	EXPECT_EQ(NR_PAGES - 1, count.mapped);
	EXPECT_EQ(-EHWPOISON, mock_op(self->vm, GMEM_TEST_OP_EXPECT,
				      GPA + BAD * PAGE, PAGE, 0, NULL));
	EXPECT_EQ(-EHWPOISON, mock_op(self->vm, GMEM_TEST_OP_FILL,
				      GPA + BAD * PAGE, PAGE, 1, NULL));
	for (i = 0; i < NR_PAGES; i++)
		if (i != BAD)
			expect_guest(0x40 + i, self->vm, GPA + i * PAGE, PAGE);
	expect_mock_kept(self->vm);
}

static void guest_touches_all(struct hwpoison_data *self)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		expect_guest(0x40 + i, self->vm, GPA + i * PAGE, PAGE);
}

/* The guest cannot convert the page either. After a hole it gets a fresh page. */
static void expect_guest_heals(struct hwpoison_data *self, uint32_t state)
{
	struct gmem_test_convert c = {
		.size = sizeof(c),
		.gpa = GPA,
		.length = LENGTH,
		.target = state == SHARED ? PRIVATE : SHARED,
		.content = PRESERVE,
	};

	EXPECT_EQ(-EHWPOISON, mock_convert_args(self->vm, &c));
	EXPECT_EQ(GPA + BAD * PAGE, c.error_gpa);
	expect_convert_refused(self, c.target, PRESERVE);
	test_gmem_punch(self->fd, BAD * PAGE, PAGE);
	expect_guest(0, self->vm, GPA + BAD * PAGE, PAGE);
	test_mock_convert(self->vm, GPA, LENGTH, c.target, PRESERVE);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_ERROR));
	expect_mock_kept(self->vm);
	test_mock_unbind(self->vm, GPA);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_others(self, BAD);
}

/* A shared page that a guest has mapped: its hypervisor is notified. */
TEST_F(hwpoison, guest_shared)
{
	if (open_guest(self))
		return;
	guest_touches_all(self);
	page_fails(self, BAD);
	expect_guest_told(self);
	expect_mce(self->p + BAD * PAGE);
	expect_guest_heals(self, SHARED);
}

/* A private page, of which the host knows only the frame. */
TEST_F(hwpoison, guest_private)
{
	if (open_guest(self))
		return;
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, PRESERVE);
	guest_touches_all(self);
	if (!frame_fails(self, BAD))
		return;
	expect_guest_told(self);
	expect_guest_heals(self, PRIVATE);
}

/* It fails while the hypervisor has a reference and is about to map it. */
TEST_F(hwpoison, guest_looks_up)
{
	struct poison_signal signal;
	int id;

	if (open_guest(self))
		return;
	guest_touches_all(self);
	id = test_mock_hold(self->vm, GPA + BAD * PAGE, 0, 5000);
	/* The kernel notices that a reference exists. */
	EXPECT_EQ(-EBUSY, poison_mapped(self->p + BAD * PAGE, &signal));
	self->bad[BAD] = true;
	EXPECT_EQ(BUS_MCEERR_AR, signal.code);
	expect_poisoned(1, self);
	EXPECT_EQ(0, mock_release(self->vm, id));
	expect_guest_told(self);
	expect_guest_heals(self, SHARED);
}

struct race {
	int fd;
	int stop;
	int refused;
	int converted;
	int busy;
};

static void *race_main(void *arg)
{
	struct race *race = arg;
	int rc;

	while (!__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		rc = gmem_convert(race->fd, 0, LENGTH, PRIVATE, PRESERVE);
		if (!rc)
			rc = gmem_convert(race->fd, 0, LENGTH, SHARED, PRESERVE);
		__atomic_fetch_add(&race->converted, !rc, __ATOMIC_RELAXED);
		race->refused += rc == -EHWPOISON;
		EXPECT_TRUE(!rc || rc == -EHWPOISON || rc == -EAGAIN);
	}
	return NULL;
}

/* Wait for a conversion and a random time, then try to fail the page while it is shared. */
static int race_fail(struct race *race, uint8_t *p, uint64_t *seed)
{
	int before = __atomic_load_n(&race->converted, __ATOMIC_RELAXED);
	struct poison_signal signal;
	unsigned int tries;
	int rc = -EFAULT;

	while (__atomic_load_n(&race->converted, __ATOMIC_RELAXED) == before)
		sched_yield();
	usleep(gmem_rand(seed) % 2000);
	for (tries = 0; rc == -EFAULT && tries < 100000; tries++)
		rc = poison_mapped(p, &signal);
	EXPECT_TRUE(!rc || rc == -EHWPOISON || rc == -EBUSY);
	return rc;
}

/* It fails during conversions in both directions: the error is always noted. */
static void race_round(struct hwpoison_data *self, struct race *race,
		       uint64_t *seed)
{
	struct gmem_task task = { 0 };
	int rc;

	fill_page(self, BAD);
	race->stop = 0;
	ASSERT_EQ(0, gmem_task_start(&task, 1, race_main, race));
	rc = race_fail(race, self->p + BAD * PAGE, seed);
	__atomic_store_n(&race->stop, 1, __ATOMIC_RELEASE);
	gmem_task_join(&task);
	race->busy += rc == -EBUSY;
	self->bad[BAD] = true;
	rc = gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	if (!rc)
		rc = gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_EQ(-EHWPOISON, rc);
	test_gmem_punch(self->fd, BAD * PAGE, PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_others(self, BAD);
	expect_poisoned(0, self);
	if (!poison_pfn_unavailable())
		EXPECT_EQ(0, poison_undo(self->pfn[BAD]));
	self->bad[BAD] = false;
}

TEST_F_TIMEOUT(hwpoison, race, 300)
{
	struct race race = { .fd = self->fd };
	uint64_t seed = ksft_seed();
	int i;

	for (i = 0; i < RACE_ROUNDS; i++)
		race_round(self, &race, &seed);
	TH_LOG("%d conversions, %d refused for the error; %d times EBUSY",
	       race.converted, race.refused, race.busy);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
