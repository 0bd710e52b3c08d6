// SPDX-License-Identifier: GPL-2.0
/*
 * What guest and host see of a page with a KVM store: conversions of single pages, before
 * and after allocation, with holes and with held pages; and what happens if the VMM sets
 * KVM's attribute in the wrong order. The guest reads and writes one byte of each page,
 * like in the conversion suite proposed for mainline.
 */
#include <unistd.h>

#include "hold.h"
#include "ksft.h"
#include "kvm_vm.h"

#define BASE	KVM_DATA_GPA
#define GPA(i)	(BASE + (i) * PAGE)
#define PAGES	8
#define LENGTH	(PAGES * PAGE)

FIXTURE(store) {
	struct kvm_guest g;
	int fd;
	int store;
	uint8_t *p;
};

FIXTURE_SETUP(store)
{
	const char *why = kvm_guest_unavailable();

	if (why)
		SKIP(return, "%s", why);
	test_kvm_guest_create(&self->g, 1);
	self->fd = -1;
}

FIXTURE_TEARDOWN(store)
{
	kvm_guest_destroy(&self->g);
	close(self->fd);
}

/* Start with @pages pages of one state. KVM's attribute agrees with gmem's state. */
static void start(struct store_data *self, unsigned int pages, bool private)
{
	self->fd = test_gmem_create(pages * PAGE, private ? 0 :
				    GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, kvm_guest_add(&self->g, BASE, pages * PAGE, self->fd, 0,
				   0));
	self->p = self->g.data[0].host;
	self->store = self->g.data[0].store;
	if (private)
		ASSERT_EQ(0, kvm_guest_attribute(&self->g, BASE, pages * PAGE,
						 true));
}

static void to_private(struct store_data *self, unsigned int page,
		       unsigned int pages)
{
	ASSERT_EQ(0, kvm_guest_convert(&self->g, GPA(page), pages * PAGE, true,
				       PRESERVE));
}

static void to_shared(struct store_data *self, unsigned int page,
		      unsigned int pages)
{
	ASSERT_EQ(0, kvm_guest_convert(&self->g, GPA(page), pages * PAGE, false,
				       PRESERVE));
}

/* The guest reads @old in the first byte of a page, and writes @new there. */
#define guest_swaps(self, page, old, new) do {				\
	expect_op(&(self)->g, 0, KVM_OP_SWAP, GPA(page), 1, new);	\
	EXPECT_EQ(old, kvm_script(&(self)->g, 0)->ops[0].result);	\
} while (0)

#define guest_reads(self, page, value) do {				\
	expect_op(&(self)->g, 0, KVM_OP_READ, GPA(page), 1, 0);		\
	EXPECT_EQ(value, kvm_script(&(self)->g, 0)->ops[0].result);	\
} while (0)

/* The host does the same. */
#define host_swaps(self, page, old, new) do {				\
	uint8_t *__p = (self)->p + (page) * PAGE;			\
									\
	expect_byte(old, __p);						\
	EXPECT_EQ(0, gmem_try_write(__p, new));				\
} while (0)

#define host_is_refused(self, page)					\
	expect_sigbus((self)->p + (page) * PAGE)

/*
 * A page that starts private: the host cannot access it, and conversions keep its
 * contents.
 */
TEST_F(store, init_private)
{
	start(self, 1, true);
	host_is_refused(self, 0);
	guest_swaps(self, 0, 0, 'A');
	host_is_refused(self, 0);
	to_shared(self, 0, 1);
	host_swaps(self, 0, 'A', 'B');
	guest_swaps(self, 0, 'B', 'C');
	host_swaps(self, 0, 'C', 'D');
	to_private(self, 0, 1);
	host_is_refused(self, 0);
	guest_swaps(self, 0, 'D', 'E');
	guest_reads(self, 0, 'E');
}

/* The same for a page that starts shared. */
TEST_F(store, init_shared)
{
	start(self, 1, false);
	host_swaps(self, 0, 0, 'A');
	guest_swaps(self, 0, 'A', 'B');
	host_swaps(self, 0, 'B', 'C');
	to_private(self, 0, 1);
	host_is_refused(self, 0);
	guest_swaps(self, 0, 'C', 'D');
	to_shared(self, 0, 1);
	host_swaps(self, 0, 'D', 'E');
	guest_reads(self, 0, 'E');
}

/* Exactly the requested one of four pages is converted. */
TEST_F(store, indexing)
{
	int page, i;

	start(self, 4, false);
	for (page = 3; page >= 0; page--) {
		for (i = 0; i < 4; i++)
			EXPECT_EQ(0, gmem_try_write(self->p + i * PAGE,
						    'A' + i));
		to_private(self, page, 1);
		for (i = 0; i < 4; i++) {
			if (i == page)
				host_is_refused(self, i);
			else
				host_swaps(self, i, 'A' + i, 'a' + i);
			guest_swaps(self, i, i == page ? 'A' + i : 'a' + i,
				    'K' + i);
		}
		host_is_refused(self, page);
		to_shared(self, page, 1);
		for (i = 0; i < 4; i++)
			host_swaps(self, i, 'K' + i, 'x');
	}
}

/* Converted before the first access; this allocates nothing. */
TEST_F(store, before_allocation_shared)
{
	start(self, 1, false);
	to_private(self, 0, 1);
	EXPECT_EQ(0, gmem_populated(self->fd, 0, PAGE));
	host_is_refused(self, 0);
	guest_swaps(self, 0, 0, 'A');
	EXPECT_EQ(1, gmem_populated(self->fd, 0, PAGE));
	to_shared(self, 0, 1);
	host_swaps(self, 0, 'A', 'B');
	guest_reads(self, 0, 'B');
}

TEST_F(store, before_allocation_private)
{
	start(self, 1, true);
	to_shared(self, 0, 1);
	EXPECT_EQ(0, gmem_populated(self->fd, 0, PAGE));
	host_swaps(self, 0, 0, 'A');
	guest_swaps(self, 0, 'A', 'B');
	to_private(self, 0, 1);
	guest_reads(self, 0, 'B');
	host_is_refused(self, 0);
}

/* Two of eight pages have memory when all are converted. */
TEST_F(store, unallocated_folios)
{
	int page, i;

	start(self, PAGES, false);
	for (page = 0; page < PAGES; page++) {
		int second = (page + 3) % PAGES;

		test_gmem_punch(self->fd, 0, LENGTH);
		host_swaps(self, page, 0, 'A');
		guest_swaps(self, second, 0, 'B');
		to_private(self, 0, PAGES);
		EXPECT_EQ(2, gmem_populated(self->fd, 0, LENGTH));
		for (i = 0; i < PAGES; i++) {
			host_is_refused(self, i);
			guest_swaps(self, i, i == page ? 'A' :
				    i == second ? 'B' : 0, 'c' + i);
		}
		for (i = 0; i < PAGES; i++) {
			to_shared(self, i, 1);
			host_swaps(self, i, 'c' + i, 'x');
		}
	}
}

/*
 * A hole in a shared page, by gmem and by KVM: it stays shared, and only gmem's hole
 * makes it zero.
 */
TEST_F(store, truncate_shared)
{
	start(self, 2, false);
	host_swaps(self, 0, 0, 'A');
	guest_swaps(self, 0, 'A', 'B');
	test_gmem_punch(self->fd, 0, PAGE);
	expect_state(SHARED, self->fd, 0);
	guest_swaps(self, 0, 0, 'C');
	host_swaps(self, 0, 'C', 'D');
	/* KVM's file has no page there to lose. */
	ASSERT_EQ(0, kvm_punch(self->store, 0, 2 * PAGE));
	guest_swaps(self, 0, 'D', 'E');
	host_swaps(self, 0, 'E', 'F');
}

/* A hole in a private page, by gmem and by KVM: it stays private, and is zero. */
TEST_F(store, truncate_private)
{
	start(self, 2, true);
	guest_swaps(self, 0, 0, 'A');
	guest_swaps(self, 1, 0, 'B');
	test_gmem_punch(self->fd, 0, PAGE);
	expect_state(PRIVATE, self->fd, 0);
	host_is_refused(self, 0);
	EXPECT_EQ(1, gmem_populated(self->fd, 0, 2 * PAGE));
	guest_swaps(self, 0, 0, 'C');
	guest_reads(self, 1, 'B');
	ASSERT_EQ(0, kvm_punch(self->store, 0, PAGE));
	EXPECT_EQ(1, gmem_populated(self->fd, 0, 2 * PAGE));
	expect_state(PRIVATE, self->fd, 0);
	guest_swaps(self, 0, 0, 'D');
	to_shared(self, 0, 2);
	host_swaps(self, 0, 'D', 'E');
	host_swaps(self, 1, 'B', 'E');
}

/* ZERO in each direction: the other side does not see the contents. */
TEST_F(store, zero)
{
	start(self, 2, false);
	host_swaps(self, 0, 0, 'A');
	host_swaps(self, 1, 0, 'B');
	ASSERT_EQ(0, kvm_guest_convert(&self->g, GPA(0), PAGE, true, ZERO));
	guest_swaps(self, 0, 0, 'C');
	guest_reads(self, 1, 'B');
	ASSERT_EQ(0, kvm_guest_convert(&self->g, GPA(0), PAGE, false, ZERO));
	host_swaps(self, 0, 0, 'D');
	guest_swaps(self, 0, 'D', 'E');
	host_swaps(self, 1, 'B', 'E');
}

static void expect_held(struct store_data *self, unsigned int first,
			unsigned int pages, unsigned int held)
{
	struct gmem_ioctl_convert c = {
		.offset = first * PAGE,
		.length = pages * PAGE,
		.target = PRIVATE,
		.content = PRESERVE,
	};

	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(held * PAGE, c.error_offset);
	EXPECT_EQ(2, c.refs_expected);
	EXPECT_EQ(3, c.refs_seen);
	EXPECT_EQ(0, c.mapcount);
}

/*
 * A page in a pipe stops conversions of ranges that contain it, and no others. The guest
 * can use all pages meanwhile.
 */
TEST_F(store, elevated_refcount)
{
	struct hold_pipe pipe;
	int page, i;

	start(self, 4, false);
	for (page = 0; page < 4; page++) {
		for (i = 0; i < 4; i++) {
			EXPECT_EQ(0, gmem_try_write(self->p + i * PAGE,
						    'A' + i));
			guest_swaps(self, i, 'A' + i, 'B' + i);
		}
		ASSERT_EQ(0, hold_pipe_take(&pipe, self->p + page * PAGE, 1));
		expect_held(self, 0, 4, page);
		expect_held(self, page, 1, page);
		for (i = 0; i < 4; i++)
			guest_swaps(self, i, 'B' + i, 'C' + i);
		for (i = 0; i < 4; i++)
			if (i != page)
				to_private(self, i, 1);
		expect_byte('C' + page, self->p + page * PAGE);
		hold_pipe_drop(&pipe);
		to_private(self, 0, 4);
		for (i = 0; i < 4; i++) {
			host_is_refused(self, i);
			guest_swaps(self, i, 'C' + i, 'D' + i);
		}
		to_shared(self, 0, 4);
		for (i = 0; i < 4; i++)
			expect_byte('D' + i, self->p + i * PAGE);
	}
}

/* With ZERO, a page that the guest has used too early is no conflict: it is dropped. */
TEST_F(store, attribute_too_early_zero)
{
	start(self, 4, false);
	host_swaps(self, 2, 0, 'C');
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, GPA(2), PAGE, true));
	guest_swaps(self, 2, 0, 'X');
	test_gmem_convert(self->fd, 2 * PAGE, PAGE, PRIVATE, ZERO);
	guest_reads(self, 2, 0);
	expect_sigbus(self->p + 2 * PAGE);
	expect_state(PRIVATE, self->fd, 2 * PAGE);
}

/*
 * KVM's attribute is set without gmem: the guest gets a new page of KVM, which is zero
 * and not an alias of the host's page. A later conversion is refused for that page, and
 * changes nothing. It succeeds after KVM's page is punched.
 */
TEST_F(store, attribute_too_early)
{
	struct gmem_ioctl_convert c = {
		.length = 4 * PAGE,
		.target = PRIVATE,
		.content = PRESERVE,
	};
	uint64_t pfn;
	int i;

	start(self, 4, false);
	for (i = 0; i < 4; i++)
		host_swaps(self, i, 0, 'A' + i);
	pfn = gmem_pfn(self->p + 2 * PAGE);
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, GPA(2), PAGE, true));
	guest_swaps(self, 2, 0, 'X');
	expect_byte('C', self->p + 2 * PAGE);
	host_swaps(self, 2, 'C', 'c');
	guest_reads(self, 2, 'X');

	EXPECT_EQ(-EEXIST, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(2 * PAGE, c.error_offset);
	for (i = 0; i < 4; i++)
		expect_state(SHARED, self->fd, i * PAGE);
	host_swaps(self, 2, 'c', 'd');
	EXPECT_EQ(pfn, gmem_pfn(self->p + 2 * PAGE));
	guest_swaps(self, 2, 'X', 'Y');
	guest_swaps(self, 1, 'B', 'b');

	ASSERT_EQ(0, kvm_guest_attribute(&self->g, GPA(2), PAGE, false));
	guest_reads(self, 2, 'd');
	ASSERT_EQ(0, kvm_punch(self->store, 2 * PAGE, PAGE));
	to_private(self, 0, 4);
	guest_swaps(self, 2, 'd', 'e');
	guest_reads(self, 1, 'b');
	to_shared(self, 0, 4);
	expect_byte('e', self->p + 2 * PAGE);
	EXPECT_EQ(pfn, gmem_pfn(self->p + 2 * PAGE));
}

/* The attribute of a page that the guest has not used is no conflict. */
TEST_F(store, attribute_early_untouched)
{
	start(self, 2, false);
	host_swaps(self, 0, 0, 'A');
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, GPA(0), PAGE, true));
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	guest_swaps(self, 0, 'A', 'B');
	to_shared(self, 0, 1);
	host_swaps(self, 0, 'B', 'C');
}

/*
 * Converted to shared while the attribute is still set: the page goes to the host, and
 * the guest gets a new one, never an alias. When the attribute is cleared, the guest
 * finds the page again.
 */
TEST_F(store, attribute_too_late)
{
	uint64_t pfn;

	start(self, 1, false);
	host_swaps(self, 0, 0, 'A');
	pfn = gmem_pfn(self->p);
	to_private(self, 0, 1);
	guest_swaps(self, 0, 'A', 'B');
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_byte('B', self->p);
	EXPECT_EQ(pfn, gmem_pfn(self->p));
	guest_swaps(self, 0, 0, 'X');
	host_swaps(self, 0, 'B', 'C');
	guest_reads(self, 0, 'X');
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, GPA(0), PAGE, false));
	guest_swaps(self, 0, 'C', 'D');
	expect_byte('D', self->p);
	/* KVM keeps its new page, and gmem does not overwrite it. */
	test_err_gmem_convert(EEXIST, self->fd, 0, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, kvm_punch(self->store, 0, PAGE));
	to_private(self, 0, 1);
	guest_reads(self, 0, 'D');
}

/* BIND moves pages that are private already to the store. */
TEST_F(store, bind_populated_private)
{
	struct gmem_ioctl_stat stat;
	uint8_t *p;
	int i;

	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	p = test_gmem_map(self->fd, 0, LENGTH);
	for (i = 0; i < PAGES; i++)
		gmem_fill(p + i * PAGE, 'A' + i, PAGE);
	test_gmem_convert(self->fd, 2 * PAGE, 3 * PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, kvm_guest_add(&self->g, BASE, LENGTH, self->fd, 0,
				   5 * PAGE));
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, GPA(2), 3 * PAGE, true));
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(3, stat.store_pages);
	EXPECT_EQ(3, stat.moved_pages);
	for (i = 0; i < PAGES; i++)
		expect_op(&self->g, 0, KVM_OP_EXPECT, GPA(i), PAGE, 'A' + i);
	expect_sigbus(p + 2 * PAGE);
	to_shared(self, 0, PAGES);
	for (i = 0; i < PAGES; i++)
		expect_bytes('A' + i, p + i * PAGE, PAGE);
	munmap(p, LENGTH);
}

/* After UNBIND the guest keeps its private pages; after BIND gmem uses them again. */
TEST_F(store, unbind_and_bind_again)
{
	struct gmem_ioctl_stat stat;

	start(self, 4, false);
	host_swaps(self, 1, 0, 'A');
	host_swaps(self, 3, 0, 'B');
	to_private(self, 0, 2);
	guest_swaps(self, 1, 'A', 'C');
	test_gmem_unbind(self->fd, 0, 4 * PAGE);
	guest_swaps(self, 1, 'C', 'D');
	guest_swaps(self, 0, 0, 'E');
	EXPECT_EQ(0, gmem_populated(self->fd, 0, 2 * PAGE));
	host_is_refused(self, 1);
	guest_swaps(self, 3, 'B', 'b');

	test_gmem_bind(self->fd, 0, 4 * PAGE, self->store, 0);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(2, stat.store_pages);
	guest_reads(self, 1, 'D');
	to_shared(self, 0, 2);
	host_swaps(self, 0, 'E', 'F');
	host_swaps(self, 1, 'D', 'F');
	expect_byte('b', self->p + 3 * PAGE);
}

/* Converted to shared after UNBIND, pages are zero for the host, as documented. */
TEST_F(store, unbind_loses_private)
{
	start(self, 2, false);
	host_swaps(self, 0, 0, 'A');
	to_private(self, 0, 1);
	test_gmem_unbind(self->fd, 0, 2 * PAGE);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->p, PAGE);
	guest_swaps(self, 0, 'A', 'B');
	expect_byte(0, self->p);
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, GPA(0), PAGE, false));
	guest_reads(self, 0, 0);
}

/* Two guests with the same addresses do not see each other's contents. */
TEST_F(store, two_guests)
{
	struct store_data other = { .fd = -1 };
	int i;

	test_kvm_guest_create(&other.g, 1);
	start(self, 2, false);
	start(&other, 2, false);
	test_err_gmem_bind(EBUSY, other.fd, 0, 2 * PAGE, self->store, 0);
	for (i = 0; i < 3; i++) {
		host_swaps(self, 0, i ? 'S' : 0, 'A');
		host_swaps(&other, 0, i ? 'T' : 0, 'a');
		to_private(self, 0, 2);
		guest_swaps(&other, 0, 'a', 'b');
		guest_swaps(self, 0, 'A', 'B');
		host_is_refused(self, 0);
		to_private(&other, 0, 2);
		guest_swaps(&other, 0, 'b', 'T');
		guest_swaps(self, 0, 'B', 'S');
		to_shared(self, 0, 2);
		host_is_refused(&other, 0);
		to_shared(&other, 0, 2);
	}
	to_private(self, 0, 1);
	kvm_guest_destroy(&other.g);
	close(other.fd);
	guest_reads(self, 0, 'S');
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
