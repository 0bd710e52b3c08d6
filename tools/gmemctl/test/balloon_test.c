// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio balloon: what its driver finds, memory that goes and comes in each kind,
 * statistics, reports of free pages, and drivers that make no sense.
 */
#include <sys/stat.h>

#include "../base/bytes.h"
#include "../base/calls.h"
#include "board_fake.h"
#include "ram.h"
#include "ksft.h"
#include "virtio_driver.h"

#define PAGE		RANGE_PAGE_SIZE
#define TYPE		7
#define FEATURES	(VIRTIO_F_VERSION_1 | BALLOON_MUST_TELL_HOST | BALLOON_STATS | \
			 BALLOON_DEFLATE_ON_OOM | BALLOON_REPORTING)

enum { INFLATE, DEFLATE, STATS, REPORTING };

static struct given given;
static struct balloon balloon;
static struct pci pci;
static struct virtio_driver driver;
static bool reporting = true;

static void power_on(void)
{
	board_fake_start();
	pci_init(&pci, &board_fake.board);
	EXPECT_FALSE(given_init(&given, &ram.memory, NULL));
	balloon_init(&balloon, &board_fake.board, &ram.memory, &given, reporting);
	pci_add(&pci, PCI_SLOT_BALLOON, &balloon.virtio.function);
	board_fake_add(pci_device(&pci));
	board_fake_add(pci_io_device(&pci));
	EXPECT_TRUE(driver_find(&driver, &ram.memory));
}

static void start(enum backing_kind kind)
{
	ram_start(kind);
	ram.ranges[0].end = 64 * PAGE;
	ram.ranges[1] = (struct range){ 128 * PAGE, 192 * PAGE };
	ram.requests[0].hugepage_size *= 2;
	ram_build();
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
	ram_stop();
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

FIXTURE(balloon) {
};

FIXTURE_SETUP(balloon)
{
	start(BACKING_SHARED);
}

FIXTURE_TEARDOWN(balloon)
{
	stop();
}

/* A register of its configuration space, and of the common structure */
#define AT(at)		OUTL(0xcf8, 0x80000000U | PCI_SLOT_BALLOON << 11 | (at))
#define COMMON(at)	driver_common(&driver, at)
#define STATUS		COMMON(0x14)

TEST_F(balloon, identity)
{
	unsigned int types = 0;
	uint32_t word;

	PORTS(AT(4), INW(0xcfe, PCI_STATUS_CAP_LIST), AT(0x3c), IN(0xcfc, PCI_IRQ),
	      IN(0xcfd, 1), AT(0x34));
	for (uint8_t next = inb(0xcfc); next; next = (uint8_t)(word >> 8)) {
		PORTS(AT(next));
		word = inl(0xcfc);
		EXPECT_EQ((word & 0xff), 0x09);
		EXPECT_LE(word >> 24, 5);
		types |= 1U << (word >> 24);
	}
	/* Common, notify, interrupts and device, all in ports; and the window. */
	EXPECT_EQ(types, 0x3e);
	PORTS(INL(COMMON(4), 0x37), OUTL(COMMON(0), 1), INL(COMMON(4), 0x3), OUTL(COMMON(0), 2),
	      INL(COMMON(4), 0), INW(COMMON(0x12), VIRTIO_QUEUES_MAX), INW(COMMON(0x10), 0xffff),
	      OUTW(COMMON(0x16), VIRTIO_QUEUES_MAX), INW(COMMON(0x18), 0), OUTW(COMMON(0x16), 0),
	      INW(COMMON(0x18), VIRTQUEUE_SIZE_MAX), INW(COMMON(0x1e), 0));
}

/* Set the window to bytes of the BAR */
#define WINDOW(bar, offset, length) \
	AT(0x88), OUT(0xcfc, bar), AT(0x8c), OUTL(0xcfc, offset), AT(0x90), \
	OUTL(0xcfc, length), AT(0x94)

/* Registers by way of configuration space; what is none reads as it was. */
TEST_F(balloon, window)
{
	PORTS(AT(0x84), INL(0xcfc, 0x05140009), WINDOW(0, 4, 4), INL(0xcfc, 0x37),
	      WINDOW(0, 0x12, 2), INW(0xcfc, VIRTIO_QUEUES_MAX),
	      WINDOW(0, 0x14, 1), OUT(0xcfc, VIRTIO_ACKNOWLEDGE),
	      IN(STATUS, VIRTIO_ACKNOWLEDGE), WINDOW(0, 0x14, 3), OUT(0xcfc, 0),
	      WINDOW(1, 0x14, 1), OUT(0xcfc, 0), WINDOW(0, VIRTIO_BAR_SIZE, 1),
	      OUTL(0xcfc, 0xffffffff), INL(0xcfc, 0xffffffff),
	      WINDOW(0, 0xfffffffc, 4), INL(0xcfc, 0xffffffff),
	      IN(STATUS, VIRTIO_ACKNOWLEDGE));
}

TEST_F(balloon, features)
{
	EXPECT_FALSE(driver_start(&driver, FEATURES & ~VIRTIO_F_VERSION_1));
	EXPECT_FALSE(driver_start(&driver, FEATURES | UINT64_C(1) << 3));
	EXPECT_FALSE(driver_start(&driver, FEATURES | UINT64_C(1) << 40));
	EXPECT_FALSE(report().running);
	EXPECT_FALSE(send_pages(INFLATE, 32, 1));
	EXPECT_TRUE(driver_start(&driver, FEATURES | VIRTIO_F_ACCESS_PLATFORM));
	EXPECT_TRUE(report().running);
	/* They are agreed upon. */
	PORTS(OUTL(COMMON(0x08), 0), OUTL(COMMON(0x0c), 0),
	      INL(COMMON(0x0c), (uint32_t)FEATURES), OUT(STATUS, 0), IN(STATUS, 0));
	EXPECT_FALSE(report().running);
}

/* The guest hears of a target, which it cannot change, and says what it has. */
TEST_F(balloon, target)
{
	balloon_set_target(&balloon, 4 * PAGE);
	EXPECT_FALSE(board_fake.irqs);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	EXPECT_EQ(inl(COMMON(VIRTIO_CONFIG)), 4);
	balloon_set_target(&balloon, 8 * PAGE);
	EXPECT_EQ(board_fake.irqs, 1);
	EXPECT_TRUE(board_fake.level);
	EXPECT_EQ(board_fake.line, PCI_IRQ);
	PORTS(IN(COMMON(VIRTIO_ISR), VIRTIO_ISR_CONFIG));
	EXPECT_FALSE(board_fake.level);
	PORTS(IN(COMMON(VIRTIO_ISR), 0), IN(COMMON(0x15), 2), INL(COMMON(VIRTIO_CONFIG), 8),
	      OUTL(COMMON(VIRTIO_CONFIG), 99), OUTL(COMMON(VIRTIO_CONFIG + 4), 7));
	EXPECT_EQ(report().target, 8 * PAGE);
	EXPECT_EQ(report().actual, 7 * PAGE);
}

/* Given, gone, zeros, and taken back; what is beside it stays. */
static void check_kind(enum backing_kind kind)
{
	start(kind);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	memset(ram_at(24), 0x5a, 32 * PAGE);
	EXPECT_TRUE(send_pages(INFLATE, 32, 16));
	EXPECT_EQ(board_fake.irqs, 1);
	EXPECT_EQ(inb(COMMON(VIRTIO_ISR)), VIRTIO_ISR_QUEUE);
	EXPECT_EQ(report().given, 16 * PAGE);
	EXPECT_FALSE(report().failed);
	EXPECT_TRUE(ram_reads(24, 32, 0x5a));
	EXPECT_TRUE(ram_reads(48, 56, 0x5a));
	EXPECT_TRUE(ram_reads(32, 48, 0));
	/* What the guest touches all the same has it, and goes again. */
	memset(ram_at(32), 0x77, PAGE);
	EXPECT_TRUE(send_pages(DEFLATE, 40, 8));
	EXPECT_EQ(report().given, 8 * PAGE);
	EXPECT_EQ(*ram_at(32), 0x77);
	EXPECT_TRUE(ram_reads(33, 48, 0));
	EXPECT_TRUE(send_pages(INFLATE, 32, 8));
	EXPECT_TRUE(ram_reads(32, 33, 0));
	EXPECT_EQ(report().given, 8 * PAGE);
	/* In the other range; and what is no RAM does no harm. */
	EXPECT_TRUE(send_pages(INFLATE, 120, 16));
	EXPECT_EQ(report().given, 16 * PAGE);
	EXPECT_FALSE(report().failed);
	EXPECT_TRUE(send_pages(INFLATE, 0xffffff00, 16));
	EXPECT_EQ(report().given, 16 * PAGE);
	/* A driver that goes has forgotten all of it. */
	outb(0, STATUS);
	EXPECT_FALSE(report().given);
	stop();
}

TEST_OF(balloon, kinds)
{
	static const enum backing_kind kinds[] = {
		BACKING_SHARED, BACKING_PRIVATE, BACKING_HUGETLB, BACKING_GMEM,
		BACKING_GMEM_STORE, BACKING_GUEST_MEMFD,
	};

	ksft_for_each(kind, kinds)
		check_kind(*kind);
}

/* Neighbours are one hole, however they are named; and each page counts once. */
TEST_F(balloon, runs)
{
	static const uint32_t numbers[] = { 35, 40, 34, 36, 40, 33, 50 };

	EXPECT_TRUE(driver_start(&driver, FEATURES));
	EXPECT_TRUE(driver_send(&driver, INFLATE, numbers, sizeof(numbers)));
	EXPECT_TRUE(kvm_fake_said("P21-25 P28-29 P32-33"));
	EXPECT_EQ(report().given, 6 * PAGE);
	EXPECT_TRUE(driver_send(&driver, DEFLATE, numbers, sizeof(numbers)));
	EXPECT_TRUE(kvm_fake_said(""));
	EXPECT_FALSE(report().given);
}

/* A huge page goes once all of it is given, and is there before any of it is used. */
TEST_OF(balloon, huge)
{
	start(BACKING_HUGETLB);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	memset(ram_at(32), 0x5a, 16 * PAGE);
	EXPECT_TRUE(send_pages(INFLATE, 32, 7));
	EXPECT_TRUE(kvm_fake_said(""));
	EXPECT_TRUE(ram_reads(32, 48, 0x5a));
	EXPECT_EQ(report().given, 7 * PAGE);
	EXPECT_TRUE(send_pages(INFLATE, 39, 3));
	EXPECT_TRUE(kvm_fake_said("P20-28"));
	EXPECT_TRUE(ram_reads(32, 40, 0));
	EXPECT_TRUE(ram_reads(40, 48, 0x5a));
	EXPECT_TRUE(send_pages(DEFLATE, 35, 1));
	EXPECT_TRUE(kvm_fake_said("H20-28"));
	EXPECT_TRUE(send_pages(DEFLATE, 33, 1));
	EXPECT_TRUE(kvm_fake_said(""));
	EXPECT_EQ(report().given, 8 * PAGE);
	/* Somebody else has taken it. */
	EXPECT_TRUE(send_pages(INFLATE, 32, 8));
	EXPECT_TRUE(kvm_fake_said("P20-28"));
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOSPC;
	EXPECT_TRUE(send_pages(DEFLATE, 32, 1));
	EXPECT_TRUE(kvm_fake_said("H20-28"));
	EXPECT_EQ(report().failed, 8 * PAGE);
	stop();
}

/* Both sides are empty then, and what was private is so still. */
TEST_OF(balloon, private_pages)
{
	const struct range buffers = { DRIVER_BUFFERS_GPA, DRIVER_BUFFERS_GPA + PAGE };

	start(BACKING_SHARED);
	stop();
	start(BACKING_SHARED);
	guest_memory_destroy(&ram.memory);
	ram.config.guest_memfd = true;
	EXPECT_FALSE(guest_memory_create(&ram.memory, &ram.config, &kvm_fake.vm, NULL));
	EXPECT_FALSE(guest_memory_attach(&ram.memory, NULL));
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	EXPECT_FALSE(guest_memory_convert(&ram.memory, (struct range){ 32 * PAGE, 33 * PAGE }, true,
					  NULL, 0));
	kvm_fake.log[0] = '\0';
	EXPECT_TRUE(send_pages(INFLATE, 32, 2));
	EXPECT_TRUE(kvm_fake_said("P20-22 P20-22"));
	EXPECT_TRUE(kvm_fake_private(32, 33));
	/* A buffer that is private is none. */
	EXPECT_FALSE(guest_memory_convert(&ram.memory, buffers, true, NULL, 0));
	EXPECT_TRUE(send_pages(DEFLATE, 32, 2));
	EXPECT_EQ(report().given, 2 * PAGE);
	stop();
}

/* A buffer of more numbers than any driver sends is none, whichever parts they are in. */
TEST_F(balloon, numbers_max)
{
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	driver_describe(&driver, INFLATE, 0, 32 * PAGE, 8 * PAGE, 1, 1);
	driver_describe(&driver, INFLATE, 1, 32 * PAGE, 8 * PAGE, 0, 0);
	driver_offer(&driver, INFLATE, 0);
	EXPECT_EQ(driver_used(&driver, INFLATE), 1);
	EXPECT_EQ(report().given, PAGE);
	driver_describe(&driver, DEFLATE, 0, 32 * PAGE, 16 * PAGE, 1, 1);
	driver_describe(&driver, DEFLATE, 1, 32 * PAGE, 4, 0, 0);
	driver_offer(&driver, DEFLATE, 0);
	EXPECT_FALSE(driver_used(&driver, DEFLATE));
	EXPECT_TRUE(inb(STATUS) & VIRTIO_NEEDS_RESET);
	EXPECT_EQ(report().given, PAGE);
	PORTS(OUT(STATUS, 0));
	EXPECT_FALSE(report().given);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	driver_describe(&driver, INFLATE, 0, 32 * PAGE, UINT32_MAX, 1, 1);
	driver_describe(&driver, INFLATE, 1, 32 * PAGE, UINT32_MAX, 0, 0);
	driver_offer(&driver, INFLATE, 0);
	EXPECT_FALSE(report().running);
}

static void report_free(uint64_t page, uint32_t pages)
{
	driver_describe(&driver, REPORTING, 0, page * PAGE, pages * (uint32_t)PAGE, 2, 0);
	driver_offer(&driver, REPORTING, 0);
}

/* Free pages go, and may be used again without a word. */
TEST_OF(balloon, reporting)
{
	start(BACKING_SHARED);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	memset(ram_at(32), 0x5a, 16 * PAGE);
	report_free(32, 8);
	EXPECT_EQ(driver_used(&driver, REPORTING), 1);
	EXPECT_TRUE(ram_reads(32, 40, 0));
	EXPECT_TRUE(ram_reads(40, 48, 0x5a));
	EXPECT_EQ(report().reported, 8 * PAGE);
	EXPECT_FALSE(report().given);
	/* Several parts; not those to be read, nor what is no RAM. */
	driver_describe(&driver, REPORTING, 0, 40 * PAGE, PAGE, 3, 1);
	driver_describe(&driver, REPORTING, 1, 41 * PAGE, PAGE, 1, 2);
	driver_describe(&driver, REPORTING, 2, 60 * PAGE, 80 * PAGE, 3, 3);
	driver_describe(&driver, REPORTING, 3, UINT64_MAX - 10, 20, 2, 0);
	driver_offer(&driver, REPORTING, 0);
	EXPECT_EQ(driver_used(&driver, REPORTING), 2);
	EXPECT_TRUE(ram_reads(40, 41, 0));
	EXPECT_TRUE(ram_reads(41, 48, 0x5a));
	EXPECT_EQ(report().reported, 9 * PAGE);
	stop();
	/* As the specification numbers them; and without statistics. */
	start(BACKING_SHARED);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	memset(ram_at(32), 0x5a, PAGE);
	driver_describe(&driver, 4, 0, 32 * PAGE, PAGE, 2, 0);
	driver_offer(&driver, 4, 0);
	EXPECT_TRUE(ram_reads(32, 33, 0));
	EXPECT_TRUE(driver_start(&driver, FEATURES & ~BALLOON_STATS));
	memset(ram_at(32), 0x5a, PAGE);
	driver_describe(&driver, 2, 0, 32 * PAGE, PAGE, 2, 0);
	driver_offer(&driver, 2, 0);
	EXPECT_TRUE(ram_reads(32, 33, 0));
	stop();
}

/* It is offered only if it is wanted, here or where the guest has come from. */
TEST_OF(balloon, no_reporting)
{
	struct tlv records = { 0 };

	reporting = false;
	start(BACKING_SHARED);
	EXPECT_EQ(inl(COMMON(4)), 0x17);
	EXPECT_FALSE(driver_start(&driver, FEATURES));
	EXPECT_TRUE(driver_start(&driver, FEATURES & ~BALLOON_REPORTING));
	balloon_get(&balloon, &records, TYPE);
	reporting = true;
	power_off();
	power_on();
	EXPECT_FALSE(balloon_set(&balloon, &records, TYPE));
	outl(0, COMMON(0));
	EXPECT_EQ(inl(COMMON(4)), 0x17);
	/* Nothing else may be different. */
	records.bytes[records.size - 1] ^= 1;
	EXPECT_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	tlv_free(&records);
	stop();
}

/* A guest that fills free pages would find zeros where it looks for its pattern. */
TEST_F(balloon, poison)
{
	EXPECT_TRUE(driver_start(&driver, FEATURES | BALLOON_PAGE_POISON));
	memset(ram_at(32), 0xaa, PAGE);
	outl(0xaaaaaaaa, COMMON(VIRTIO_CONFIG + 12));
	report_free(32, 1);
	EXPECT_EQ(driver_used(&driver, REPORTING), 1);
	EXPECT_TRUE(ram_reads(32, 33, 0xaa));
	outl(0, COMMON(VIRTIO_CONFIG + 12));
	report_free(32, 1);
	EXPECT_EQ(driver_used(&driver, REPORTING), 2);
	EXPECT_TRUE(ram_reads(32, 33, 0));
}

static bool send_stat(uint16_t tag, uint64_t value)
{
	uint8_t bytes[10];

	bytes_put16(bytes, tag);
	bytes_put64(bytes + 2, value);
	return driver_send(&driver, STATS, bytes, sizeof(bytes));
}

/* The buffer stays here until somebody asks. */
TEST_F(balloon, stats)
{
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	EXPECT_FALSE(report().stats.known);
	balloon_ask(&balloon);
	EXPECT_FALSE(send_stat(4, 0x123456789));
	EXPECT_FALSE(board_fake.irqs);
	EXPECT_EQ(report().stats.known, 1U << 4);
	EXPECT_EQ(report().stats.values[4], 0x123456789);
	EXPECT_FALSE(driver_used(&driver, STATS));
	EXPECT_FALSE(board_fake.irqs);
	balloon_ask(&balloon);
	EXPECT_EQ(driver_used(&driver, STATS), 1);
	EXPECT_EQ(board_fake.irqs, 1);
	EXPECT_FALSE(send_stat(5, 7));
	EXPECT_EQ(report().stats.known, 1U << 5);
	EXPECT_EQ(report().stats.values[5], 7);
	balloon_ask(&balloon);
	balloon_ask(&balloon);
	EXPECT_EQ(driver_used(&driver, STATS), 2);
	/* A tag that nobody knows; a second buffer comes back at once. */
	EXPECT_FALSE(send_stat(99, 1));
	EXPECT_FALSE(report().stats.known);
	EXPECT_TRUE(send_stat(2, 2));
	EXPECT_EQ(report().stats.known, 4);
}

/* Linux makes the first buffer available before it is ready, and does not say it again. */
TEST_F(balloon, early_buffer)
{
	EXPECT_TRUE(driver_prepare(&driver, FEATURES));
	EXPECT_FALSE(send_stat(4, 7));
	EXPECT_FALSE(report().stats.known);
	driver_ready(&driver);
	EXPECT_EQ(report().stats.known, 1U << 4);
	EXPECT_EQ(report().stats.values[4], 7);
	balloon_ask(&balloon);
	EXPECT_EQ(driver_used(&driver, STATS), 1);
}

/* Whatever a driver does, the device is reset and works again. */
static void check_broken(bool expected)
{
	uint8_t status = inb(STATUS);

	EXPECT_EQ(!!(status & VIRTIO_NEEDS_RESET), expected);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	EXPECT_TRUE(send_pages(INFLATE, 32, 1));
	EXPECT_EQ(report().given, PAGE);
}

TEST_F(balloon, nonsense)
{
	const uint64_t ring = DRIVER_QUEUES_GPA + 0x200;

	EXPECT_TRUE(driver_start(&driver, FEATURES));
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
	outw(7, COMMON(VIRTIO_NOTIFY));
	outl(0xffffffff, COMMON(VIRTIO_NOTIFY));
	check_broken(false);
	/* A queue in what the guest cannot access any more. */
	EXPECT_FALSE(mprotect(ram_at(1), PAGE, PROT_NONE));
	outw(INFLATE, COMMON(VIRTIO_NOTIFY));
	EXPECT_FALSE(mprotect(ram_at(1), PAGE, PROT_READ | PROT_WRITE));
	check_broken(true);
	EXPECT_LT(ring, DRIVER_BUFFERS_GPA);
}

/* Sizes and addresses that no queue can have do not enable it. */
TEST_F(balloon, queues)
{
	static const struct {
		uint16_t size;
		uint32_t table, driver, device;
		bool ready;
	} cases[] = {
		{ 8, 0x1000, 0x1200, 0x1400, true },
		{ 16, 0x1000, 0x1202, 0x1404, true },
		{ 0, 0x1000, 0x1200, 0x1400, false },
		{ 7, 0x1000, 0x1200, 0x1400, false },
		{ 32, 0x1000, 0x1200, 0x1400, false },
		{ 8, 0x1008, 0x1200, 0x1400, false },
		{ 8, 0x1000, 0x1201, 0x1400, false },
		{ 8, 0x1000, 0x1200, 0x1402, false },
	};

	ksft_for_each(c, cases) {
		PORTS(OUT(STATUS, 0), OUTW(COMMON(0x16), 0),
		      OUTW(COMMON(0x18), c->size), OUTL(COMMON(0x20), c->table),
		      OUTL(COMMON(0x28), c->driver), OUTL(COMMON(0x30), c->device),
		      OUTW(COMMON(0x1c), 1), INW(COMMON(0x1c), c->ready));
	}
}

/* A guest that goes on elsewhere: queues, interrupts, pages, and the target. */
TEST_OF(balloon, state)
{
	struct tlv records = { 0 };
	struct virtio_driver before;

	start(BACKING_HUGETLB);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	EXPECT_TRUE(send_pages(INFLATE, 32, 12));
	EXPECT_FALSE(send_stat(4, 5));
	balloon_set_target(&balloon, 32 * PAGE);
	balloon_get(&balloon, &records, TYPE);
	given_get(&given, &records, TYPE + 2);
	before = driver;
	power_off();
	power_on();
	kvm_fake.log[0] = '\0';
	EXPECT_FALSE(balloon_set(&balloon, &records, TYPE));
	EXPECT_TRUE(board_fake.level);
	EXPECT_FALSE(given_set(&given, &records, TYPE + 2));
	/* The huge page that is all given does not come back with the memory. */
	EXPECT_TRUE(kvm_fake_said("P20-28"));
	driver = before;
	EXPECT_EQ(report().given, 12 * PAGE);
	EXPECT_EQ(report().target, 32 * PAGE);
	EXPECT_TRUE(report().running);
	balloon_ask(&balloon);
	EXPECT_EQ(driver_used(&driver, STATS), 1);
	EXPECT_EQ(inb(COMMON(VIRTIO_ISR)), 3);
	EXPECT_TRUE(send_pages(DEFLATE, 32, 12));
	EXPECT_FALSE(report().given);
	tlv_free(&records);
	stop();
}

TEST_F(balloon, bad_state)
{
	struct tlv records = { 0 };
	const size_t header = 16;
	const size_t queues = header + offsetof(struct virtio_state, queues);

	EXPECT_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	EXPECT_EQ(given_set(&given, &records, TYPE + 2), -EBADMSG);
	EXPECT_TRUE(driver_start(&driver, FEATURES));
	balloon_get(&balloon, &records, TYPE);
	/* Features that there are not, a queue of no size, one that is unaligned. */
	records.bytes[header + 7] ^= 0x80;
	EXPECT_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	records.bytes[header + 7] ^= 0x80;
	records.bytes[queues + offsetof(struct virtqueue, size)] = 0;
	EXPECT_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	records.bytes[queues + offsetof(struct virtqueue, size)] = 8;
	records.bytes[queues] = 1;
	EXPECT_EQ(balloon_set(&balloon, &records, TYPE), -EBADMSG);
	records.bytes[queues] = 0;
	EXPECT_EQ(balloon_set(&balloon, &records, TYPE), 0);
	tlv_free(&records);
}

/* A touch of a neighbour must not bring back what was given. */
TEST_OF(given, clip)
{
	const struct range between = { 19 * PAGE, 24 * PAGE }, before = { 16 * PAGE, 18 * PAGE };
	const struct range touched = { 18 * PAGE, 19 * PAGE };
	const struct range all = { 16 * PAGE, 32 * PAGE };
	struct given none = { 0 };

	start(BACKING_SHARED);
	EXPECT_TRUE(range_equal(given_clip(&none, 20 * PAGE, all), all));
	EXPECT_TRUE(range_equal(given_clip(&given, 20 * PAGE, all), all));
	given_add(&given, (struct range){ 18 * PAGE, 19 * PAGE });
	given_add(&given, (struct range){ 24 * PAGE, 40 * PAGE });
	EXPECT_TRUE(range_equal(given_clip(&given, 20 * PAGE + 5, all), between));
	EXPECT_TRUE(range_equal(given_clip(&given, 16 * PAGE, all), before));
	/* The page itself is touched: then it comes back, alone. */
	EXPECT_TRUE(range_equal(given_clip(&given, 18 * PAGE, all), touched));
	stop();
}
