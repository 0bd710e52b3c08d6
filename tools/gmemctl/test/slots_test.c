// SPDX-License-Identifier: GPL-2.0
/* Regions as slots of KVM, and the attributes that go with them. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../kvm/slot.h"
#include "../memory/partition.h"
#include "kvm_fake.h"
#include "unit.h"

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
	CHECK(!reservation_create(&reservation, RAM_PAGES * PAGE, 0));
	CHECK(!reservation_map(&reservation, &extent));
	CHECK(!layout_add(&layout, (struct range){ 16 * PAGE, 48 * PAGE }, NULL));
	CHECK(!layout_add(&layout, (struct range){ 0, 16 * PAGE }, NULL));
	CHECK(!guest_memfd_create(&memfd, &kvm_fake.vm, &layout, mappable,
				  initial_private, NULL));
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

static int map_as(uint64_t first, uint64_t end, bool ram, bool writable)
{
	struct region_params params = { .writable = writable };

	return partition_map_region(&partition,
				    (struct range){ first * PAGE, end * PAGE },
				    ram, &params, NULL);
}

static int map(uint64_t first, uint64_t end)
{
	return map_as(first, end, true, true);
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
		memset(memfd.private + offset / PAGE, to_private, end - first);
	return rc == 1 ? vm_set_private(&kvm_fake.vm, range.start,
					range_size(range), to_private) :
			 -EFAULT;
}

/* RAM has its place in the file; what is not RAM has none. */
static void test_slots_offsets(void)
{
	start(false, true);
	CHECK(!map(0, 8) && !map(20, 48) && !map(48, 64));
	CHECK(kvm_fake_said("S0-8g20 A0-8 S14-30g4 A14-30 S30-40"));
	CHECK(map(15, 17) == -EINVAL && map(40, 50) == -EINVAL);
	CHECK(kvm_fake_said("") && kvm_fake_slots() == 3);
	CHECK(slot_covers_private(&kvm_fake.vm.slots, 20 * PAGE, PAGE));
	CHECK(!slot_covers_private(&kvm_fake.vm.slots, 48 * PAGE, PAGE));
	CHECK(!unmap(0, 64) && !kvm_fake_slots() && kvm_fake_private(0, 0));
	CHECK(kvm_fake_said("a0-8 D0-8 a14-30 D14-30 D30-40"));
	stop();
}

static void test_slots_readonly(void)
{
	start(false, false);
	CHECK(map_as(0, 8, true, false) == -EINVAL && kvm_fake_said(""));
	CHECK(!map_as(48, 50, true, false) && kvm_fake_said("S30-32r"));
	/* RAM without private memory can be read-only. */
	slots.memfd = NULL;
	CHECK(!map_as(0, 8, true, false) && kvm_fake_said("S0-8r"));
	CHECK(!unmap(0, 8) && kvm_fake_said("D0-8"));
	stop();
}

/* A device where RAM is hidden: its memory must not be the RAM's. */
static void test_slots_device(void)
{
	start(false, true);
	CHECK(!map_as(4, 8, false, true) && kvm_fake_said("S4-8"));
	CHECK(!map_as(8, 9, false, false) && kvm_fake_said("S8-9r"));
	CHECK(kvm_fake_private(0, 0));
	stop();
}

/* Shared is said too, and a slot that comes back has the state it had. */
static void test_slots_state(void)
{
	start(false, false);
	kvm_fake.private[17] = 1;
	CHECK(!map(16, 32) && kvm_fake_said("S10-20g0 a10-20"));
	CHECK(kvm_fake_private(0, 0));
	CHECK(!convert(20, 24, true) && kvm_fake_said("A14-18"));
	CHECK(guest_memfd_is_private(&memfd, 20 * PAGE));
	CHECK(!guest_memfd_is_private(&memfd, 24 * PAGE));
	CHECK(!guest_memfd_is_private(&memfd, 63 * PAGE));
	CHECK(!unmap(16, 32) && kvm_fake_private(0, 0));
	CHECK(kvm_fake_said("a10-20 D10-20"));
	CHECK(!map(16, 32) && kvm_fake_private(20, 24));
	CHECK(kvm_fake_said("S10-20g0 a10-14 A14-18 a18-20"));
	stop();
}

/* A failed attribute call undoes the slot, and what it had set so far. */
static void test_slots_attribute_fails(void)
{
	start(false, true);
	CHECK(!convert(18, 20, false));
	kvm_fake.log[0] = '\0';
	kvm_fake.fail = 'a';
	kvm_fake.rc = -ENOMEM;
	CHECK(map(16, 32) == -ENOMEM && !kvm_fake_slots());
	CHECK(kvm_fake_said("S10-20g0 A10-12 a12-14 a10-20 D10-20"));
	CHECK(kvm_fake_private(0, 0));
	CHECK(!map(16, 32) && kvm_fake_slots() == 1);
	stop();
}

static void test_slots_refused(void)
{
	start(false, true);
	CHECK(!map(0, 8));
	CHECK(map(4, 12) == -EEXIST && map(0, 8) == -EEXIST);
	CHECK(kvm_fake_slots() == 1 && kvm_fake_private(0, 8));
	/* Half a slot: nothing happens. */
	kvm_fake.log[0] = '\0';
	CHECK(unmap(0, 4) == -EINVAL && kvm_fake_said(""));
	CHECK(!unmap(8, 16) && kvm_fake_said("") && kvm_fake_slots() == 1);
	stop();
}

/* A file the host maps has no private pages, and no attributes at all. */
static void test_slots_mappable(void)
{
	start(true, true);
	CHECK(!map(0, 16) && kvm_fake_said("S0-10g20"));
	CHECK(!unmap(0, 16) && kvm_fake_said("D0-10"));
	stop();
}

/* The same memory at two addresses, in slots of one VM. */
static void test_slots_alias(void)
{
	struct region_params params = { .writable = true };
	struct partition alias = { .ops = &slots_ops,
				   .reservation = &reservation,
				   .offset = 1024 * PAGE };
	const struct slot *low, *high;
	struct slots other;

	start(false, false);
	slots.memfd = NULL;
	other = slots;
	alias.data = &other;
	CHECK(!map(0, 8));
	CHECK(!partition_map_region(&alias, (struct range){ 0, 8 * PAGE }, true,
				    &params, NULL));
	CHECK(kvm_fake_said("S0-8 S400-408"));
	low = slot_find(&kvm_fake.vm.slots, 0);
	high = slot_find(&kvm_fake.vm.slots, 1024 * PAGE);
	CHECK(low && high && low->host == high->host);
	CHECK(!unmap(0, 64) && kvm_fake_slots() == 1);
	CHECK(!partition_unmap_region(&alias, (struct range){ 0, 8 * PAGE }));
	CHECK(kvm_fake_said("D0-8 D400-408"));
	stop();
}

static unsigned int locks, unlocks;
static int lock_rc;

static int counting_lock(void *address, size_t length)
{
	(void)address;
	(void)length;
	locks++;
	return lock_rc;
}

static int counting_unlock(void *address, size_t length)
{
	(void)address;
	(void)length;
	unlocks++;
	return 0;
}

static void test_slots_pin(void)
{
	struct calls counting;
	struct error error;
	struct region_params params = { .writable = true };

	start(false, true);
	counting = *calls;
	counting.lock = counting_lock;
	counting.unlock = counting_unlock;
	calls = &counting;
	partition.pin = true;
	lock_rc = -ENOMEM;
	CHECK(partition_map_region(&partition, (struct range){ 0, 8 * PAGE },
				   true, &params, &error) == -ENOMEM);
	CHECK_STR(error.action, "failed to pin range to partition");
	CHECK(!kvm_fake_slots() && locks == 1 && unlocks == 1);
	CHECK(kvm_fake_said("S0-8g20 A0-8 a0-8 D0-8"));
	lock_rc = 0;
	CHECK(!map(0, 8) && locks == 2 && unlocks == 1);
	CHECK(!unmap(0, 8) && unlocks == 2);
	stop();
}

/* Populated by the time the guest starts. */
static void test_slots_prefetch(void)
{
	struct region_params params = { .writable = true, .prefetch = true };
	unsigned char resident[8];

	start(false, false);
	CHECK(!partition_map_region(&partition, (struct range){ 0, 8 * PAGE },
				    true, &params, NULL));
	CHECK(!partition.prefetch_rc);
	CHECK(!mincore(reservation.base, 8 * PAGE, resident));
	for (int i = 0; i < 8; i++)
		CHECK(resident[i] & 1);
	stop();
}

/*
 * Private pages are populated where they are; the shared side of them is not,
 * and what fails in one of several regions is not forgotten.
 */
static void test_slots_prefetch_private(void)
{
	struct region_params params = { .writable = true, .prefetch = true };
	unsigned char resident[16];

	start(false, true);
	/* Pages 4 and 5 of the range at 0, which is at 32 in the file. */
	memset(memfd.private + 36, 0, 2);
	CHECK(!partition_map_region(&partition, (struct range){ 0, 16 * PAGE },
				    true, &params, NULL));
	CHECK(!partition.prefetch_rc);
	CHECK(kvm_fake_said("S0-10g20 A0-4 a4-6 A6-10 H20-24 H26-30"));
	CHECK(!mincore(reservation.base, 16 * PAGE, resident));
	for (int i = 0; i < 16; i++)
		CHECK_EQ((resident[i] & 1), (i == 4 || i == 5));
	stop();
	start(false, true);
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOMEM;
	for (uint64_t i = 0; i < 2; i++)
		CHECK(!partition_map_region(&partition, (struct range){
					    i * 8 * PAGE, (i + 1) * 8 * PAGE },
					    true, &params, NULL));
	CHECK(partition.prefetch_rc == -ENOMEM && kvm_fake_slots() == 2);
	stop();
}

static const struct unit_test tests[] = {
	{ "slots.offsets", test_slots_offsets },
	{ "slots.readonly", test_slots_readonly },
	{ "slots.device", test_slots_device },
	{ "slots.state", test_slots_state },
	{ "slots.attribute_fails", test_slots_attribute_fails },
	{ "slots.refused", test_slots_refused },
	{ "slots.mappable", test_slots_mappable },
	{ "slots.alias", test_slots_alias },
	{ "slots.pin", test_slots_pin },
	{ "slots.prefetch", test_slots_prefetch },
	{ "slots.prefetch_private", test_slots_prefetch_private },
};

UNIT_TESTS(tests)
