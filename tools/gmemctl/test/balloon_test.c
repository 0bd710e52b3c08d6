// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio balloon: what its driver finds, memory that goes and comes in each kind,
 * statistics, reports of free pages, and drivers that make no sense.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../base/bytes.h"
#include "../base/calls.h"
#include "board_fake.h"
#include "kvm_fake.h"
#include "unit.h"
#include "virtio_driver.h"

#define PAGE		RANGE_PAGE_SIZE
#define TYPE		7
#define FEATURES	(VIRTIO_F_VERSION_1 | BALLOON_MUST_TELL_HOST | BALLOON_STATS | \
			 BALLOON_DEFLATE_ON_OOM | BALLOON_REPORTING)

enum { INFLATE, DEFLATE, STATS, REPORTING };

static const struct range ranges[] = {
	{ 0, 64 * PAGE }, { 128 * PAGE, 192 * PAGE },
};

static struct memory_request request;
static struct memory_config config;
static struct guest_memory memory;
static struct given given;
static struct balloon balloon;
static struct pci pci;
static struct virtio_driver driver;
static bool reporting = true;

static void power_on(void)
{
	board_fake_start();
	pci_init(&pci, &board_fake.board);
	CHECK(!given_init(&given, &memory, NULL));
	balloon_init(&balloon, &board_fake.board, &memory, &given, reporting);
	pci_add(&pci, PCI_SLOT_BALLOON, &balloon.virtio.function);
	board_fake_add(pci_device(&pci));
	board_fake_add(pci_io_device(&pci));
	CHECK(driver_find(&driver, &memory));
}

static void start(enum backing_kind kind)
{
	kvm_fake_start();
	request = (struct memory_request){
		.ranges = ranges, .nr_ranges = 2, .kind = kind,
		.existing_fd = -1, .node = -1,
		.hugepage_size = kind == BACKING_HUGETLB ? 8 * PAGE : 0,
	};
	config = (struct memory_config){ .requests = &request, .nr_requests = 1 };
	CHECK(!guest_memory_create(&memory, &config, &kvm_fake.vm, 0, NULL));
	CHECK(!guest_memory_attach(&memory, NULL));
	power_on();
	kvm_fake.log[0] = '\0';
}

static void power_off(void)
{
	balloon_destroy(&balloon);
	given_destroy(&given);
	pci_destroy(&pci);
}

static void stop(void)
{
	power_off();
	guest_memory_destroy(&memory);
	calls = &calls_system;
}

static uint8_t *at(uint64_t page)
{
	return memory.reservation.base + page * PAGE;
}

/* @count pages from @first on, in the order in which Linux takes them, last first. */
static bool send_pages(unsigned int queue, uint32_t first, uint32_t count)
{
	uint8_t numbers[4 * 256];

	for (uint32_t i = 0; i < count; i++)
		bytes_put32(numbers + 4 * i, first + count - 1 - i);
	return driver_send(&driver, queue, numbers, 4 * count);
}

static struct balloon_report report(void)
{
	struct balloon_report report;

	balloon_report(&balloon, &report);
	return report;
}

static bool reads(uint64_t first, uint64_t end, uint8_t value)
{
	for (uint64_t i = 0; i < (end - first) * PAGE; i++)
		if (at(first)[i] != value)
			return false;
	return true;
}

static void test_balloon_identity(void)
{
	unsigned int types = 0;
	uint32_t word;

	start(BACKING_SHARED);
	outl(0x80000000U | PCI_SLOT_BALLOON << 11 | 4, 0xcf8);
	CHECK(inw(0xcfe) & PCI_STATUS_CAPABILITIES);
	outl(0x80000000U | PCI_SLOT_BALLOON << 11 | 0x3c, 0xcf8);
	CHECK(inb(0xcfc) == PCI_IRQ && inb(0xcfd) == 1);
	outl(0x80000000U | PCI_SLOT_BALLOON << 11 | 0x34, 0xcf8);
	for (uint8_t next = inb(0xcfc); next; next = (uint8_t)(word >> 8)) {
		outl(0x80000000U | PCI_SLOT_BALLOON << 11 | next, 0xcf8);
		word = inl(0xcfc);
		CHECK((word & 0xff) == 0x09 && word >> 24 <= 4);
		types |= 1U << (word >> 24);
	}
	/* Common, notify, interrupts and device; all in ports. */
	CHECK_EQ(types, 0x1e);
	CHECK_EQ(inl(driver_common(&driver, 4)), 0x37);
	outl(1, driver_common(&driver, 0));
	CHECK_EQ(inl(driver_common(&driver, 4)), 0x3);
	outl(2, driver_common(&driver, 0));
	CHECK_EQ(inl(driver_common(&driver, 4)), 0);
	CHECK(inw(driver_common(&driver, 0x12)) == VIRTIO_QUEUES_MAX &&
	      inw(driver_common(&driver, 0x10)) == 0xffff);
	outw(VIRTIO_QUEUES_MAX, driver_common(&driver, 0x16));
	CHECK_EQ(inw(driver_common(&driver, 0x18)), 0);
	outw(0, driver_common(&driver, 0x16));
	CHECK_EQ(inw(driver_common(&driver, 0x18)), VIRTQUEUE_SIZE_MAX);
	CHECK_EQ(inw(driver_common(&driver, 0x1e)), 0);
	stop();
}

static void test_balloon_features(void)
{
	start(BACKING_SHARED);
	CHECK(!driver_start(&driver, FEATURES & ~VIRTIO_F_VERSION_1));
	CHECK(!driver_start(&driver, FEATURES | UINT64_C(1) << 3));
	CHECK(!driver_start(&driver, FEATURES | UINT64_C(1) << 40));
	CHECK(!report().running && !send_pages(INFLATE, 32, 1));
	CHECK(driver_start(&driver, FEATURES | VIRTIO_F_ACCESS_PLATFORM));
	CHECK(report().running);
	/* They are agreed upon. */
	outl(0, driver_common(&driver, 0x08));
	outl(0, driver_common(&driver, 0x0c));
	CHECK_EQ(inl(driver_common(&driver, 0x0c)), (uint32_t)FEATURES);
	outb(0, driver_common(&driver, 0x14));
	CHECK(!report().running && !inb(driver_common(&driver, 0x14)));
	stop();
}

/* The guest hears of a target, which it cannot change, and says what it has. */
static void test_balloon_target(void)
{
	start(BACKING_SHARED);
	balloon_set_target(&balloon, 4 * PAGE);
	CHECK(!board_fake.irqs);
	CHECK(driver_start(&driver, FEATURES));
	CHECK_EQ(inl(driver_common(&driver, VIRTIO_CONFIG)), 4);
	balloon_set_target(&balloon, 8 * PAGE);
	CHECK(board_fake.irqs == 1 && board_fake.level && board_fake.line == PCI_IRQ);
	CHECK_EQ(inb(driver_common(&driver, VIRTIO_ISR)), VIRTIO_ISR_CONFIG);
	CHECK(!board_fake.level && !inb(driver_common(&driver, VIRTIO_ISR)));
	CHECK_EQ(inb(driver_common(&driver, 0x15)), 2);
	CHECK_EQ(inl(driver_common(&driver, VIRTIO_CONFIG)), 8);
	outl(99, driver_common(&driver, VIRTIO_CONFIG));
	outl(7, driver_common(&driver, VIRTIO_CONFIG + 4));
	CHECK(report().target == 8 * PAGE && report().actual == 7 * PAGE);
	stop();
}

/* Given, gone, zeros, and taken back; what is beside it stays. */
static void check_kind(enum backing_kind kind)
{
	start(kind);
	CHECK(driver_start(&driver, FEATURES));
	memset(at(24), 0x5a, 32 * PAGE);
	CHECK(send_pages(INFLATE, 32, 16));
	CHECK(board_fake.irqs == 1 &&
	      inb(driver_common(&driver, VIRTIO_ISR)) == VIRTIO_ISR_QUEUE);
	CHECK_EQ(report().given, 16 * PAGE);
	CHECK(!report().failed && reads(24, 32, 0x5a) && reads(48, 56, 0x5a));
	CHECK(reads(32, 48, 0));
	/* What the guest touches all the same has it, and goes again. */
	memset(at(32), 0x77, PAGE);
	CHECK(send_pages(DEFLATE, 40, 8) && report().given == 8 * PAGE);
	CHECK(*at(32) == 0x77 && reads(33, 48, 0));
	CHECK(send_pages(INFLATE, 32, 8) && reads(32, 33, 0));
	CHECK_EQ(report().given, 8 * PAGE);
	/* In the other range; and what is no RAM does no harm. */
	CHECK(send_pages(INFLATE, 120, 16));
	CHECK(report().given == 16 * PAGE && !report().failed);
	CHECK(send_pages(INFLATE, 0xffffff00, 16));
	CHECK_EQ(report().given, 16 * PAGE);
	/* A driver that goes has forgotten all of it. */
	outb(0, driver_common(&driver, 0x14));
	CHECK(!report().given);
	stop();
}

static void test_balloon_kinds(void)
{
	check_kind(BACKING_SHARED);
	check_kind(BACKING_PRIVATE);
	check_kind(BACKING_HUGETLB);
	check_kind(BACKING_GMEM);
	check_kind(BACKING_GMEM_STORE);
	check_kind(BACKING_GUEST_MEMFD);
}

/* Neighbours are one hole, however they are named; and each page counts once. */
static void test_balloon_runs(void)
{
	static const uint32_t numbers[] = { 35, 40, 34, 36, 40, 33, 50 };

	start(BACKING_SHARED);
	CHECK(driver_start(&driver, FEATURES));
	CHECK(driver_send(&driver, INFLATE, numbers, sizeof(numbers)));
	CHECK(kvm_fake_said("P21-25 P28-29 P32-33"));
	CHECK_EQ(report().given, 6 * PAGE);
	CHECK(driver_send(&driver, DEFLATE, numbers, sizeof(numbers)));
	CHECK(kvm_fake_said("") && !report().given);
	stop();
}

/* A huge page goes once all of it is given, and is there before any of it is used. */
static void test_balloon_huge(void)
{
	start(BACKING_HUGETLB);
	CHECK(driver_start(&driver, FEATURES));
	memset(at(32), 0x5a, 16 * PAGE);
	CHECK(send_pages(INFLATE, 32, 7) && kvm_fake_said(""));
	CHECK(reads(32, 48, 0x5a) && report().given == 7 * PAGE);
	CHECK(send_pages(INFLATE, 39, 3) && kvm_fake_said("P20-28"));
	CHECK(reads(32, 40, 0) && reads(40, 48, 0x5a));
	CHECK(send_pages(DEFLATE, 35, 1) && kvm_fake_said("H20-28"));
	CHECK(send_pages(DEFLATE, 33, 1) && kvm_fake_said(""));
	CHECK_EQ(report().given, 8 * PAGE);
	/* Somebody else has taken it. */
	CHECK(send_pages(INFLATE, 32, 8) && kvm_fake_said("P20-28"));
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOSPC;
	CHECK(send_pages(DEFLATE, 32, 1) && kvm_fake_said("H20-28"));
	CHECK_EQ(report().failed, 8 * PAGE);
	stop();
}

/* Both sides are empty then, and what was private is so still. */
static void test_balloon_private_pages(void)
{
	start(BACKING_SHARED);
	stop();
	start(BACKING_SHARED);
	guest_memory_destroy(&memory);
	config.guest_memfd = true;
	CHECK(!guest_memory_create(&memory, &config, &kvm_fake.vm, 0, NULL));
	CHECK(!guest_memory_attach(&memory, NULL));
	CHECK(driver_start(&driver, FEATURES));
	CHECK(!guest_memory_convert(&memory, (struct range){ 32 * PAGE, 33 * PAGE },
				    true, NULL, 0));
	kvm_fake.log[0] = '\0';
	CHECK(send_pages(INFLATE, 32, 2));
	CHECK(kvm_fake_said("P20-22 P20-22") && kvm_fake_private(32, 33));
	/* A buffer that is private is none. */
	CHECK(!guest_memory_convert(&memory, (struct range){
				    DRIVER_BUFFERS_GPA, DRIVER_BUFFERS_GPA + PAGE },
				    true, NULL, 0));
	CHECK(send_pages(DEFLATE, 32, 2));
	CHECK_EQ(report().given, 2 * PAGE);
	stop();
}

static void report_free(uint64_t page, uint32_t pages)
{
	driver_describe(&driver, REPORTING, 0, page * PAGE, pages * (uint32_t)PAGE,
			2, 0);
	driver_offer(&driver, REPORTING, 0);
}

/* Free pages go, and may be used again without a word. */
static void test_balloon_reporting(void)
{
	start(BACKING_SHARED);
	CHECK(driver_start(&driver, FEATURES));
	memset(at(32), 0x5a, 16 * PAGE);
	report_free(32, 8);
	CHECK(driver_used(&driver, REPORTING) == 1 && reads(32, 40, 0));
	CHECK(reads(40, 48, 0x5a) && report().reported == 8 * PAGE &&
	      !report().given);
	/* Several parts; not those to be read, nor what is no RAM. */
	driver_describe(&driver, REPORTING, 0, 40 * PAGE, PAGE, 3, 1);
	driver_describe(&driver, REPORTING, 1, 41 * PAGE, PAGE, 1, 2);
	driver_describe(&driver, REPORTING, 2, 60 * PAGE, 80 * PAGE, 3, 3);
	driver_describe(&driver, REPORTING, 3, UINT64_MAX - 10, 20, 2, 0);
	driver_offer(&driver, REPORTING, 0);
	CHECK(driver_used(&driver, REPORTING) == 2 && reads(40, 41, 0) &&
	      reads(41, 48, 0x5a));
	CHECK_EQ(report().reported, 9 * PAGE);
	stop();
	/* As the specification numbers them; and without statistics. */
	start(BACKING_SHARED);
	CHECK(driver_start(&driver, FEATURES));
	memset(at(32), 0x5a, PAGE);
	driver_describe(&driver, 4, 0, 32 * PAGE, PAGE, 2, 0);
	driver_offer(&driver, 4, 0);
	CHECK(reads(32, 33, 0));
	CHECK(driver_start(&driver, FEATURES & ~BALLOON_STATS));
	memset(at(32), 0x5a, PAGE);
	driver_describe(&driver, 2, 0, 32 * PAGE, PAGE, 2, 0);
	driver_offer(&driver, 2, 0);
	CHECK(reads(32, 33, 0));
	stop();
}

/* It is offered only if it is wanted, here or where the guest has come from. */
static void test_balloon_no_reporting(void)
{
	struct tlv records = { 0 };

	reporting = false;
	start(BACKING_SHARED);
	CHECK_EQ(inl(driver_common(&driver, 4)), 0x17);
	CHECK(!driver_start(&driver, FEATURES));
	CHECK(driver_start(&driver, FEATURES & ~BALLOON_REPORTING));
	balloon_get(&balloon, &records, TYPE);
	reporting = true;
	power_off();
	power_on();
	CHECK(!balloon_set(&balloon, &records, TYPE));
	outl(0, driver_common(&driver, 0));
	CHECK_EQ(inl(driver_common(&driver, 4)), 0x17);
	/* Nothing else may be different. */
	records.bytes[records.size - 1] ^= 1;
	CHECK_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	tlv_free(&records);
	stop();
}

/* A guest that fills free pages would find zeros where it looks for its pattern. */
static void test_balloon_poison(void)
{
	start(BACKING_SHARED);
	CHECK(driver_start(&driver, FEATURES | BALLOON_PAGE_POISON));
	memset(at(32), 0xaa, PAGE);
	outl(0xaaaaaaaa, driver_common(&driver, VIRTIO_CONFIG + 12));
	report_free(32, 1);
	CHECK(driver_used(&driver, REPORTING) == 1 && reads(32, 33, 0xaa));
	outl(0, driver_common(&driver, VIRTIO_CONFIG + 12));
	report_free(32, 1);
	CHECK(driver_used(&driver, REPORTING) == 2 && reads(32, 33, 0));
	stop();
}

static bool send_stat(uint16_t tag, uint64_t value)
{
	uint8_t bytes[10];

	bytes_put16(bytes, tag);
	bytes_put64(bytes + 2, value);
	return driver_send(&driver, STATS, bytes, sizeof(bytes));
}

/* The buffer stays here until somebody asks. */
static void test_balloon_stats(void)
{
	start(BACKING_SHARED);
	CHECK(driver_start(&driver, FEATURES));
	CHECK(!report().stats.known);
	CHECK(!send_stat(4, 0x123456789) && !board_fake.irqs);
	CHECK(report().stats.known == 1U << 4 &&
	      report().stats.values[4] == 0x123456789);
	CHECK_EQ(driver_used(&driver, STATS), 1);
	CHECK(board_fake.irqs == 1 && !send_stat(5, 7));
	CHECK(report().stats.known == 1U << 5 && report().stats.values[5] == 7);
	/* A tag that nobody knows; a second buffer comes back at once. */
	CHECK(!send_stat(99, 1) && !report().stats.known);
	CHECK(!send_stat(1, 1) && send_stat(2, 2) && report().stats.known == 4);
	stop();
}

/* Linux makes the first buffer available before it is ready, and does not say it again. */
static void test_balloon_early_buffer(void)
{
	start(BACKING_SHARED);
	CHECK(driver_prepare(&driver, FEATURES));
	CHECK(!send_stat(4, 7) && !report().stats.known);
	driver_ready(&driver);
	CHECK(report().stats.known == 1U << 4 && report().stats.values[4] == 7);
	CHECK_EQ(driver_used(&driver, STATS), 1);
	stop();
}

/* Whatever a driver does, the device is reset and works again. */
static void check_broken(bool expected)
{
	uint8_t status = inb(driver_common(&driver, 0x14));

	CHECK_EQ(!!(status & VIRTIO_NEEDS_RESET), expected);
	CHECK(driver_start(&driver, FEATURES));
	CHECK(send_pages(INFLATE, 32, 1) && report().given == PAGE);
}

static void test_balloon_nonsense(void)
{
	const uint64_t ring = DRIVER_QUEUES_GPA + 0x200;

	start(BACKING_SHARED);
	CHECK(driver_start(&driver, FEATURES));
	/* A ring of descriptors, one beyond the table, one that is indirect. */
	driver_describe(&driver, INFLATE, 0, 0, 4, 1, 0);
	driver_offer(&driver, INFLATE, 0);
	check_broken(true);
	driver_offer(&driver, INFLATE, DRIVER_QUEUE_SIZE);
	check_broken(true);
	driver_describe(&driver, INFLATE, 0, 0, 4, 4, 0);
	driver_offer(&driver, INFLATE, 0);
	check_broken(true);
	/* More available than there can be. */
	driver.available[INFLATE] += DRIVER_QUEUE_SIZE + 1;
	driver_offer(&driver, INFLATE, 0);
	check_broken(true);
	/* Page numbers that are not there; no part of one is used. */
	driver_describe(&driver, INFLATE, 0, 64 * PAGE, 4, 0, 0);
	driver_offer(&driver, INFLATE, 0);
	check_broken(false);
	driver_describe(&driver, INFLATE, 0, DRIVER_BUFFERS_GPA, 3, 0, 0);
	driver_offer(&driver, INFLATE, 0);
	check_broken(false);
	/* Queues that there are not, or that are not ready. */
	outw(7, driver_common(&driver, VIRTIO_NOTIFY));
	outl(0xffffffff, driver_common(&driver, VIRTIO_NOTIFY));
	check_broken(false);
	/* A queue in what the guest cannot access any more. */
	CHECK(!mprotect(at(1), PAGE, PROT_NONE));
	outw(INFLATE, driver_common(&driver, VIRTIO_NOTIFY));
	CHECK(!mprotect(at(1), PAGE, PROT_READ | PROT_WRITE));
	check_broken(true);
	CHECK(ring < DRIVER_BUFFERS_GPA);
	stop();
}

/* Sizes and addresses that no queue can have do not enable it. */
static void test_balloon_queues(void)
{
	static const struct {
		uint16_t size;
		uint32_t table, driver, device;
		bool ready;
	} cases[] = {
		{ 8, 0x1000, 0x1200, 0x1400, true },
		{ 256, 0x1000, 0x1202, 0x1404, true },
		{ 0, 0x1000, 0x1200, 0x1400, false },
		{ 7, 0x1000, 0x1200, 0x1400, false },
		{ 512, 0x1000, 0x1200, 0x1400, false },
		{ 8, 0x1008, 0x1200, 0x1400, false },
		{ 8, 0x1000, 0x1201, 0x1400, false },
		{ 8, 0x1000, 0x1200, 0x1402, false },
	};

	start(BACKING_SHARED);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		outb(0, driver_common(&driver, 0x14));
		outw(0, driver_common(&driver, 0x16));
		outw(cases[i].size, driver_common(&driver, 0x18));
		outl(cases[i].table, driver_common(&driver, 0x20));
		outl(cases[i].driver, driver_common(&driver, 0x28));
		outl(cases[i].device, driver_common(&driver, 0x30));
		outw(1, driver_common(&driver, 0x1c));
		CHECK_EQ(inw(driver_common(&driver, 0x1c)), cases[i].ready);
	}
	stop();
}

/* A guest that goes on elsewhere: queues, interrupts, pages, and the target. */
static void test_balloon_state(void)
{
	struct tlv records = { 0 };
	struct virtio_driver before;

	start(BACKING_HUGETLB);
	CHECK(driver_start(&driver, FEATURES));
	CHECK(send_pages(INFLATE, 32, 12) && !send_stat(4, 5));
	balloon_set_target(&balloon, 32 * PAGE);
	balloon_get(&balloon, &records, TYPE);
	given_get(&given, &records, TYPE + 2);
	before = driver;
	power_off();
	power_on();
	kvm_fake.log[0] = '\0';
	CHECK(!balloon_set(&balloon, &records, TYPE) && board_fake.level);
	CHECK(!given_set(&given, &records, TYPE + 2));
	/* The huge page that is all given does not come back with the memory. */
	CHECK(kvm_fake_said("P20-28"));
	driver = before;
	CHECK(report().given == 12 * PAGE && report().target == 32 * PAGE &&
	      report().running);
	CHECK_EQ(driver_used(&driver, STATS), 1);
	CHECK_EQ(inb(driver_common(&driver, VIRTIO_ISR)), 3);
	CHECK(send_pages(DEFLATE, 32, 12) && !report().given);
	tlv_free(&records);
	stop();
}

static void test_balloon_bad_state(void)
{
	struct tlv records = { 0 };
	const size_t header = 16;
	const size_t queues = header + offsetof(struct virtio_state, queues);

	start(BACKING_SHARED);
	CHECK_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	CHECK_EQ(given_set(&given, &records, TYPE + 2), -EBADMSG);
	CHECK(driver_start(&driver, FEATURES));
	balloon_get(&balloon, &records, TYPE);
	/* Features that there are not, a queue of no size, one that is unaligned. */
	records.bytes[header + 7] ^= 0x80;
	CHECK_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	records.bytes[header + 7] ^= 0x80;
	records.bytes[queues + offsetof(struct virtqueue, size)] = 0;
	CHECK_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	records.bytes[queues + offsetof(struct virtqueue, size)] = 8;
	records.bytes[queues] = 1;
	CHECK_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	records.bytes[queues] = 0;
	CHECK_EQ(balloon_set(&balloon, &records, TYPE), 0);
	tlv_free(&records);
	stop();
}

/* A touch of a neighbour must not bring back what was given. */
static void test_given_clip(void)
{
	const struct range all = { 16 * PAGE, 32 * PAGE };
	struct given none = { 0 };

	start(BACKING_SHARED);
	CHECK(range_equal(given_clip(&none, 20 * PAGE, all), all));
	CHECK(range_equal(given_clip(&given, 20 * PAGE, all), all));
	given_add(&given, (struct range){ 18 * PAGE, 19 * PAGE });
	given_add(&given, (struct range){ 24 * PAGE, 40 * PAGE });
	CHECK(range_equal(given_clip(&given, 20 * PAGE + 5, all),
			  (struct range){ 19 * PAGE, 24 * PAGE }));
	CHECK(range_equal(given_clip(&given, 16 * PAGE, all),
			  (struct range){ 16 * PAGE, 18 * PAGE }));
	/* The page itself is touched: then it comes back, alone. */
	CHECK(range_equal(given_clip(&given, 18 * PAGE, all),
			  (struct range){ 18 * PAGE, 19 * PAGE }));
	stop();
}

static const struct unit_test tests[] = {
	{ "balloon.identity", test_balloon_identity },
	{ "balloon.features", test_balloon_features },
	{ "balloon.target", test_balloon_target },
	{ "balloon.kinds", test_balloon_kinds },
	{ "balloon.runs", test_balloon_runs },
	{ "balloon.huge", test_balloon_huge },
	{ "balloon.private_pages", test_balloon_private_pages },
	{ "balloon.reporting", test_balloon_reporting },
	{ "balloon.no_reporting", test_balloon_no_reporting },
	{ "balloon.poison", test_balloon_poison },
	{ "balloon.stats", test_balloon_stats },
	{ "balloon.early_buffer", test_balloon_early_buffer },
	{ "balloon.nonsense", test_balloon_nonsense },
	{ "balloon.queues", test_balloon_queues },
	{ "balloon.state", test_balloon_state },
	{ "balloon.bad_state", test_balloon_bad_state },
	{ "given.clip", test_given_clip },
};

UNIT_TESTS(tests)
