// SPDX-License-Identifier: GPL-2.0
/* Slots as the preload library of `gmemctl exec` passes them on to KVM. */
#include "../exec/exec.h"
#include "exec_fake.h"
#include "ksft.h"

#define MIB (UINT64_C(1) << 20)

static struct exec_vm *vm;
static char *ram;

static bool told(const void *at)
{
	return exec_fake.slot.userspace_addr == (uintptr_t)at;
}

/* What KVM was told is a mapping of the view, at the same offset, for nobody else. */
static bool told_view(uint64_t offset, uint64_t size)
{
	struct exec_place place;

	return !exec_place_find(exec_fake.slot.userspace_addr, &place) &&
	       place.offset == offset && place.end - place.start == size &&
	       place.protection == PROT_NONE && place.shared;
}

static bool told_is_mapped(uint64_t address)
{
	struct exec_place place;

	return !exec_place_find(address, &place) && place.start == address &&
	       place.protection == PROT_NONE;
}

FIXTURE(exec_slot) {
};

FIXTURE_SETUP(exec_slot)
{
	exec_fake_start();
	vm = exec_vm_of(exec_fake.vm);
	ram = exec_fake_map(0, 4 * MIB, 0);
}

FIXTURE_TEARDOWN(exec_slot)
{
	munmap(ram, 4 * MIB);
	exec_fake_stop();
}

TEST_F(exec_slot, view)
{
	uint64_t view;

	EXPECT_FALSE(exec_fake_slot(0, 0, 0, 2 * MIB, ram + 2 * MIB));
	EXPECT_FALSE(told(ram + 2 * MIB));
	EXPECT_TRUE(told_view(2 * MIB, 2 * MIB));
	EXPECT_TRUE(exec_vm_has_views(vm));
	EXPECT_EQ(exec_fake.views, 1);
	view = exec_fake.slot.userspace_addr;
	/* The next one has the same view, and goes on where this one ends. */
	EXPECT_FALSE(exec_fake_slot(1, KVM_MEM_READONLY, 8 * MIB, 4096, ram + MIB));
	EXPECT_TRUE(told_view(MIB, 4096));
	EXPECT_EQ(exec_fake.views, 1);
	EXPECT_EQ(exec_fake.slot.flags, KVM_MEM_READONLY);
	EXPECT_EQ(exec_slot_find(vm, 0, 8 * MIB + 4095)->id, 1);
	/* It goes with its slot, and not before. */
	EXPECT_TRUE(told_is_mapped(view));
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, 0, ram + 2 * MIB));
	EXPECT_FALSE(told_is_mapped(view));
	EXPECT_FALSE(exec_slot_find(vm, 0, MIB));
}

TEST_F(exec_slot, elsewhere)
{
	void *anonymous = mmap(NULL, MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *private = mmap(NULL, MIB, PROT_READ, MAP_PRIVATE, exec_fake.gmem[0], 0);
	int other = memfd_create("other", 0);
	void *shared = mmap(NULL, MIB, PROT_READ, MAP_SHARED, other, 0);

	EXPECT_FALSE(ftruncate(other, MIB));
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, MIB, anonymous));
	EXPECT_TRUE(told(anonymous));
	EXPECT_FALSE(exec_fake_slot(1, 0, MIB, MIB, private));
	EXPECT_TRUE(told(private));
	EXPECT_FALSE(exec_fake_slot(2, 0, 2 * MIB, MIB, shared));
	EXPECT_FALSE(exec_vm_has_views(vm));
	EXPECT_FALSE(exec_fake.views);
	/* What KVM says about it is passed on. */
	exec_fake.slot_rc = -EEXIST;
	EXPECT_EQ(exec_fake_slot(3, 0, 0, MIB, anonymous), -EEXIST);
	EXPECT_TRUE(told(anonymous));
	munmap(anonymous, MIB);
	munmap(private, MIB);
	close(other);
}

/* Two mappings that are one piece of the file, and two that are not. */
TEST_F(exec_slot, pieces)
{
	char *pieces = mmap(NULL, 4 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(mmap(pieces, MIB, PROT_READ, MAP_SHARED | MAP_FIXED, exec_fake.gmem[0], 0),
		  pieces);
	EXPECT_EQ(mmap(pieces + MIB, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		       exec_fake.gmem[0], MIB), pieces + MIB);
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, 2 * MIB, pieces));
	EXPECT_TRUE(told_view(0, 2 * MIB));
	EXPECT_FALSE(exec_fake_slot(1, 0, 8 * MIB, 3 * MIB, pieces));
	EXPECT_TRUE(told(pieces));
	EXPECT_EQ(mmap(pieces + 2 * MIB, MIB, PROT_READ, MAP_SHARED | MAP_FIXED, exec_fake.gmem[1],
		       2 * MIB), pieces + 2 * MIB);
	EXPECT_FALSE(exec_fake_slot(2, 0, 16 * MIB, 3 * MIB, pieces));
	EXPECT_TRUE(told(pieces));
	munmap(pieces, 4 * MIB);
}

/* Dirty logging, and another address: the mapping stays. */
TEST_F(exec_slot, changes)
{
	uint64_t view;
	EXPECT_FALSE(exec_fake_slot(5, 0, 0, MIB, ram));
	view = exec_fake.slot.userspace_addr;
	EXPECT_FALSE(exec_fake_slot(5, KVM_MEM_LOG_DIRTY_PAGES, 0, MIB, ram));
	EXPECT_EQ(exec_fake.slot.userspace_addr, view);
	EXPECT_FALSE(exec_fake_slot(5, KVM_MEM_LOG_DIRTY_PAGES, 2 * MIB, MIB, ram));
	EXPECT_EQ(exec_fake.slot.userspace_addr, view);
	EXPECT_TRUE(told_is_mapped(view));
	EXPECT_FALSE(exec_slot_find(vm, 0, 0));
	EXPECT_TRUE(exec_slot_find(vm, 0, 2 * MIB));
	/* KVM refuses, and what was there is there still. */
	exec_fake.slot_rc = -EINVAL;
	EXPECT_EQ(exec_fake_slot(5, 0, 4 * MIB, MIB, ram), -EINVAL);
	EXPECT_TRUE(exec_slot_find(vm, 0, 2 * MIB));
	EXPECT_TRUE(told_is_mapped(view));
	EXPECT_EQ(exec_fake_slot(5, 0, 2 * MIB, MIB, ram + MIB), -EINVAL);
	EXPECT_EQ(vm->nr_slots, 1);
	EXPECT_TRUE(told_is_mapped(view));
	EXPECT_EQ(exec_fake_slot(5, 0, 2 * MIB, 0, ram), -EINVAL);
	EXPECT_EQ(vm->nr_slots, 1);
	EXPECT_TRUE(told_is_mapped(view));
	exec_fake.slot_rc = 0;
	exec_closing(exec_fake.vm);
	exec_closing(exec_fake.vcpu);
	EXPECT_FALSE(told_is_mapped(view));
}

/* A gmem fd without a view is memory as any other. */
TEST_F(exec_slot, no_view)
{
	exec_fake.view_rc = -EBUSY;
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, MIB, ram));
	EXPECT_TRUE(told(ram));
	EXPECT_FALSE(exec_vm_has_views(vm));
}

/* The address spaces of a vCPU: SMM has memory where others have a device. */
TEST_F(exec_slot, spaces)
{
	EXPECT_FALSE(exec_fake_slot(1 << 16, 0, 0xa0000, 0x20000, ram + 0xa0000));
	EXPECT_FALSE(exec_slot_find(vm, 0, 0xa0000));
	EXPECT_EQ(exec_slot_find(vm, 1, 0xa0000)->offset, 0xa0000);
	for (uint32_t id = 0; id < 100; id++)
		EXPECT_FALSE(exec_fake_slot(id, 0, MIB + id * 4096, 4096, ram + id * 4096));
	EXPECT_EQ(vm->nr_slots, 101);
	EXPECT_EQ(exec_fake.views, 1);
	EXPECT_EQ(exec_slot_find(vm, 0, MIB + 99 * 4096)->id, 99);
}

/* The VMM may close its fd: the memory is the guest's until its slots are gone. */
TEST_F(exec_slot, memory)
{
	struct exec_place place;
	EXPECT_FALSE(exec_place_find((uintptr_t)ram, &place));
	EXPECT_FALSE(exec_memory_find(place.file));
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, MIB, ram));
	EXPECT_FALSE(exec_fake_slot(1, 0, MIB, MIB, ram));
	EXPECT_EQ(exec_memory_find(place.file)->users, 2);
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, 0, ram));
	EXPECT_TRUE(exec_memory_find(place.file));
	EXPECT_FALSE(exec_fake_slot(1, 0, 0, 0, ram));
	EXPECT_FALSE(exec_memory_find(place.file));
}

/* What is populated is there before the first vCPU runs, each slot once. */
TEST_F(exec_slot, fill)
{
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, MIB, ram));
	EXPECT_FALSE(exec_fake_slot(1, 0, MIB, MIB, ram + MIB));
	EXPECT_FALSE(exec_fake.populates);
	exec_slots_fill(vm);
	EXPECT_EQ(exec_fake.populates, 2);
	EXPECT_EQ(exec_fake.populated.flags, GMEM_VIEW_POPULATE_F_NOALLOC);
	EXPECT_EQ(exec_fake.populated.length, MIB);
	exec_slots_fill(vm);
	EXPECT_EQ(exec_fake.populates, 2);
}
