// SPDX-License-Identifier: GPL-2.0
/* Regions as slots of KVM, and the attributes that go with them. */
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

static struct guest_memfd memfd;
static struct reservation reservation;
static struct partition partition;
static struct slots slots;

/* RAM at pages 16 to 48 and 0 to 16, in this order in the file. */
static void start(bool mappable, bool initial_private)
{
	struct layout layout = { 0 };
	struct extent extent = { .range = { 0, RAM_PAGES * PAGE }, .fd = -1,
				 .page_size = PAGE, .writable = true };

	kvm_fake_start();
	EXPECT_FALSE(reservation_create(&reservation, RAM_PAGES * PAGE, 0));
	EXPECT_FALSE(reservation_map(&reservation, &extent));
	EXPECT_FALSE(layout_add(&layout, (struct range){ 16 * PAGE, 48 * PAGE }, NULL));
	EXPECT_FALSE(layout_add(&layout, (struct range){ 0, 16 * PAGE }, NULL));
	EXPECT_FALSE(guest_memfd_create(&memfd, &kvm_fake.vm, &layout, mappable, initial_private,
					NULL));
	slots = (struct slots){ .vm = &kvm_fake.vm, .memfd = &memfd };
	partition = (struct partition){ .ops = &slots_ops, .data = &slots,
					.reservation = &reservation };
	kvm_fake.log[0] = '\0';
}

static void stop(void)
{
	guest_memfd_destroy(&memfd);
	reservation_destroy(&reservation);
	calls = &calls_system;
}

static int map_as(uint64_t first, uint64_t end, bool writable)
{
	struct region_params params = { .writable = writable };

	return partition_map_region(&partition,
				    (struct range){ first * PAGE, end * PAGE },
				    &params, NULL);
}

static int map(uint64_t first, uint64_t end)
{
	return map_as(first, end, true);
}

static int unmap(uint64_t first, uint64_t end)
{
	struct range range = { first * PAGE, end * PAGE };

	return partition_unmap_region(&partition, range);
}

/* What a conversion does to the attribute, and to the record of it. */
static int convert(uint64_t first, uint64_t end, bool to_private)
{
	struct range range = { first * PAGE, end * PAGE };
	uint64_t offset;
	int rc = layout_classify(&memfd.layout, range, &offset, NULL);

	if (rc == 1)
		page_map_set(&memfd.private, offset / PAGE, offset / PAGE + end - first,
			     to_private);
	return rc == 1 ? vm_set_private(&kvm_fake.vm, range.start,
					range_size(range), to_private) :
			 -EFAULT;
}

/* RAM has its place in the file; what is not RAM has none. */
TEST_OF(slots, offsets)
{
	start(false, true);
	EXPECT_FALSE(map(0, 8));
	EXPECT_FALSE(map(20, 48));
	EXPECT_FALSE(map(48, 64));
	EXPECT_TRUE(kvm_fake_said("S0-8g20 A0-8 S14-30g4 A14-30 S30-40"));
	EXPECT_EQ(map(15, 17), -EINVAL);
	EXPECT_EQ(map(40, 50), -EINVAL);
	EXPECT_TRUE(kvm_fake_said(""));
	EXPECT_EQ(kvm_fake_slots(), 3);
	EXPECT_TRUE(slot_covers_private(&kvm_fake.vm.slots, 20 * PAGE, PAGE));
	EXPECT_FALSE(slot_covers_private(&kvm_fake.vm.slots, 48 * PAGE, PAGE));
	EXPECT_FALSE(unmap(0, 64));
	EXPECT_FALSE(kvm_fake_slots());
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_TRUE(kvm_fake_said("a0-8 D0-8 a14-30 D14-30 D30-40"));
	stop();
}

TEST_OF(slots, readonly)
{
	start(false, false);
	EXPECT_EQ(map_as(0, 8, false), -EINVAL);
	EXPECT_TRUE(kvm_fake_said(""));
	EXPECT_FALSE(map_as(48, 50, false));
	EXPECT_TRUE(kvm_fake_said("S30-32r"));
	/* RAM without private memory can be read-only. */
	slots.memfd = NULL;
	EXPECT_FALSE(map_as(0, 8, false));
	EXPECT_TRUE(kvm_fake_said("S0-8r"));
	EXPECT_FALSE(unmap(0, 8));
	EXPECT_TRUE(kvm_fake_said("D0-8"));
	stop();
}

/* Shared is said too, and a slot that comes back has the state it had. */
TEST_OF(slots, state)
{
	start(false, false);
	kvm_fake.private[17] = 1;
	EXPECT_FALSE(map(16, 32));
	EXPECT_TRUE(kvm_fake_said("S10-20g0 a10-20"));
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_FALSE(convert(20, 24, true));
	EXPECT_TRUE(kvm_fake_said("A14-18"));
	EXPECT_TRUE(guest_memfd_is_private(&memfd, 20 * PAGE));
	EXPECT_FALSE(guest_memfd_is_private(&memfd, 24 * PAGE));
	EXPECT_FALSE(guest_memfd_is_private(&memfd, 63 * PAGE));
	EXPECT_FALSE(unmap(16, 32));
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_TRUE(kvm_fake_said("a10-20 D10-20"));
	EXPECT_FALSE(map(16, 32));
	EXPECT_TRUE(kvm_fake_private(20, 24));
	EXPECT_TRUE(kvm_fake_said("S10-20g0 a10-14 A14-18 a18-20"));
	stop();
}

/* A failed attribute call undoes the slot, and what it had set so far. */
TEST_OF(slots, attribute_fails)
{
	start(false, true);
	EXPECT_FALSE(convert(18, 20, false));
	kvm_fake.log[0] = '\0';
	kvm_fake.fail = 'a';
	kvm_fake.rc = -ENOMEM;
	EXPECT_EQ(map(16, 32), -ENOMEM);
	EXPECT_FALSE(kvm_fake_slots());
	EXPECT_TRUE(kvm_fake_said("S10-20g0 A10-12 a12-14 a10-20 D10-20"));
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_FALSE(map(16, 32));
	EXPECT_EQ(kvm_fake_slots(), 1);
	stop();
}

TEST_OF(slots, refused)
{
	start(false, true);
	EXPECT_FALSE(map(0, 8));
	EXPECT_EQ(map(4, 12), -EEXIST);
	EXPECT_EQ(map(0, 8), -EEXIST);
	EXPECT_EQ(kvm_fake_slots(), 1);
	EXPECT_TRUE(kvm_fake_private(0, 8));
	/* Half a slot: nothing happens. */
	kvm_fake.log[0] = '\0';
	EXPECT_EQ(unmap(0, 4), -EINVAL);
	EXPECT_TRUE(kvm_fake_said(""));
	EXPECT_FALSE(unmap(8, 16));
	EXPECT_TRUE(kvm_fake_said(""));
	EXPECT_EQ(kvm_fake_slots(), 1);
	stop();
}

/* A file the host maps has no private pages, and no attributes at all. */
TEST_OF(slots, mappable)
{
	start(true, true);
	EXPECT_FALSE(map(0, 16));
	EXPECT_TRUE(kvm_fake_said("S0-10g20"));
	EXPECT_FALSE(unmap(0, 16));
	EXPECT_TRUE(kvm_fake_said("D0-10"));
	stop();
}

/* Populated by the time the guest starts. */
TEST_OF(slots, prefetch)
{
	struct region_params params = { .writable = true, .prefetch = true };
	unsigned char resident[8];

	start(false, false);
	EXPECT_FALSE(partition_map_region(&partition, (struct range){ 0, 8 * PAGE }, &params,
					  NULL));
	EXPECT_FALSE(partition.prefetch_rc);
	EXPECT_FALSE(mincore(reservation.base, 8 * PAGE, resident));
	for (int i = 0; i < 8; i++)
		EXPECT_TRUE(resident[i] & 1);
	stop();
}

/*
 * Private pages are populated where they are; the shared side of them is not,
 * and what fails in one of several regions is not forgotten.
 */
TEST_OF(slots, prefetch_private)
{
	struct region_params params = { .writable = true, .prefetch = true };
	unsigned char resident[16];

	start(false, true);
	/* Pages 4 and 5 of the range at 0, which is at 32 in the file. */
	page_map_set(&memfd.private, 36, 38, false);
	EXPECT_FALSE(partition_map_region(&partition, (struct range){ 0, 16 * PAGE }, &params,
					  NULL));
	EXPECT_FALSE(partition.prefetch_rc);
	EXPECT_TRUE(kvm_fake_said("S0-10g20 A0-4 a4-6 A6-10 H20-24 H26-30"));
	EXPECT_FALSE(mincore(reservation.base, 16 * PAGE, resident));
	for (int i = 0; i < 16; i++)
		EXPECT_EQ((resident[i] & 1), (i == 4 || i == 5));
	stop();
	start(false, true);
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOMEM;
	EXPECT_FALSE(partition_map_region(&partition, (struct range){ 0, 8 * PAGE }, &params,
					  NULL));
	EXPECT_FALSE(partition_map_region(&partition, (struct range){ 8 * PAGE, 16 * PAGE },
					  &params, NULL));
	EXPECT_EQ(partition.prefetch_rc, -ENOMEM);
	EXPECT_EQ(kvm_fake_slots(), 2);
	stop();
}
