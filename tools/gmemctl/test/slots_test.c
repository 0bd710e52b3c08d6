// SPDX-License-Identifier: GPL-2.0
/* RAM as slots of KVM, and the attributes that go with them. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../kvm/slot.h"
#include "../memory/partition.h"
#include "kvm_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE
#define RAM_PAGES 64

static const struct range ranges[] = {
	{ 16 * PAGE, 48 * PAGE }, { 0, 8 * PAGE }, { 8 * PAGE, 16 * PAGE },
};
static struct memory_request request = { .ranges = ranges, .nr_ranges = 3 };
static const struct memory_config config = { .requests = &request, .nr_requests = 1 };
static struct guest_memfd memfd;
static struct reservation reservation;
static struct partition partition;

/* RAM at pages 16 to 48, 0 to 8 and 8 to 16, in this order in the file. */
static void start(bool mappable, bool initial_private)
{
	struct extent extent = { .range = { 0, RAM_PAGES * PAGE }, .fd = -1,
				 .page_size = PAGE, .writable = true, .node = -1 };

	kvm_fake_start();
	request.prefetch = false;
	EXPECT_FALSE(reservation_create(&reservation, RAM_PAGES * PAGE, 0));
	EXPECT_FALSE(reservation_map(&reservation, &extent));
	EXPECT_FALSE(layout_create(&memfd.layout, &config, NULL));
	EXPECT_FALSE(guest_memfd_create(&memfd, &kvm_fake.vm, mappable, initial_private, NULL));
	partition = (struct partition){ .vm = &kvm_fake.vm, .memfd = &memfd };
	kvm_fake.log[0] = '\0';
}

static void stop(void)
{
	guest_memfd_destroy(&memfd);
	reservation_destroy(&reservation);
	calls = &calls_system;
}

static int map(unsigned int i)
{
	return partition_map(&partition, &memfd.layout.ranges[i],
			     reservation.base + ranges[i].start, NULL);
}

static void unmap(unsigned int i)
{
	partition_unmap(&partition, &memfd.layout.ranges[i]);
}

/* What a conversion does to the attribute, and to the record of it; of the first range. */
static void convert(uint64_t first, uint64_t end, bool to_private)
{
	page_map_set(&memfd.private, first - 16, end - 16, to_private);
	EXPECT_FALSE(vm_set_private(&kvm_fake.vm, first * PAGE, (end - first) * PAGE,
				    to_private));
}

/* RAM has its place in the file; what is not RAM has none. */
TEST_OF(slots, offsets)
{
	start(false, true);
	EXPECT_FALSE(map(1));
	EXPECT_FALSE(map(0));
	EXPECT_TRUE(kvm_fake_said("S0-8g20 A0-8 S10-30g0 A10-30"));
	EXPECT_TRUE(slot_covers_private(&kvm_fake.vm.slots, 20 * PAGE, PAGE));
	EXPECT_FALSE(slot_covers_private(&kvm_fake.vm.slots, 48 * PAGE, PAGE));
	/* KVM refuses a second slot there, and the first stays. */
	EXPECT_EQ(map(1), -EEXIST);
	EXPECT_EQ(kvm_fake_slots(), 2);
	kvm_fake.log[0] = '\0';
	unmap(2);
	EXPECT_TRUE(kvm_fake_said(""));
	unmap(1);
	unmap(0);
	EXPECT_FALSE(kvm_fake_slots());
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_TRUE(kvm_fake_said("a0-8 D0-8 a10-30 D10-30"));
	stop();
}

/* Shared is said too, and a slot that comes back has the state it had. */
TEST_OF(slots, state)
{
	start(false, false);
	kvm_fake.private[17] = 1;
	EXPECT_FALSE(map(0));
	EXPECT_TRUE(kvm_fake_said("S10-30g0 a10-30"));
	EXPECT_TRUE(kvm_fake_private(0, 0));
	convert(20, 24, true);
	EXPECT_TRUE(kvm_fake_said("A14-18"));
	EXPECT_TRUE(guest_memfd_is_private(&memfd, 20 * PAGE));
	EXPECT_FALSE(guest_memfd_is_private(&memfd, 24 * PAGE));
	EXPECT_FALSE(guest_memfd_is_private(&memfd, 63 * PAGE));
	unmap(0);
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_TRUE(kvm_fake_said("a10-30 D10-30"));
	EXPECT_FALSE(map(0));
	EXPECT_TRUE(kvm_fake_private(20, 24));
	EXPECT_TRUE(kvm_fake_said("S10-30g0 a10-14 A14-18 a18-30"));
	stop();
}

/* A failed attribute call undoes the slot, and what it had set so far. */
TEST_OF(slots, attribute_fails)
{
	start(false, true);
	convert(18, 20, false);
	kvm_fake.log[0] = '\0';
	kvm_fake.fail = 'a';
	kvm_fake.rc = -ENOMEM;
	EXPECT_EQ(map(0), -ENOMEM);
	EXPECT_FALSE(kvm_fake_slots());
	EXPECT_TRUE(kvm_fake_said("S10-30g0 A10-12 a12-14 a10-30 D10-30"));
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_FALSE(map(0));
	EXPECT_EQ(kvm_fake_slots(), 1);
	stop();
}

/* A file the host maps has no private pages, and no attributes at all. */
TEST_OF(slots, mappable)
{
	start(true, true);
	EXPECT_FALSE(map(1));
	EXPECT_TRUE(kvm_fake_said("S0-8g20"));
	unmap(1);
	EXPECT_TRUE(kvm_fake_said("D0-8"));
	stop();
}

/*
 * Populated by the time the guest starts. Private pages are populated where they are;
 * the shared side of them is not, and what fails in one of several ranges is not
 * forgotten.
 */
TEST_OF(slots, prefetch)
{
	unsigned char resident[8];

	start(false, true);
	request.prefetch = true;
	/* Pages 4 and 5 of the range at 0, which is at 32 in the file. */
	page_map_set(&memfd.private, 36, 38, false);
	EXPECT_FALSE(map(1));
	EXPECT_FALSE(partition.prefetch_rc);
	EXPECT_TRUE(kvm_fake_said("S0-8g20 A0-4 a4-6 A6-8 H20-24 H26-28"));
	EXPECT_FALSE(mincore(reservation.base, 8 * PAGE, resident));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ((resident[i] & 1), (i == 4 || i == 5));
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOMEM;
	EXPECT_FALSE(map(2));
	EXPECT_FALSE(map(0));
	EXPECT_EQ(partition.prefetch_rc, -ENOMEM);
	EXPECT_EQ(kvm_fake_slots(), 3);
	stop();
}
