// SPDX-License-Identifier: GPL-2.0
/*
 * A guest to which KVM gives page faults without a reason is ended, others are not; and
 * KVM's counters, by which it is known, are whatever the kernel says.
 */
#include "../kvm/abi.h"
#include "../kvm/vcpu.h"
#include "../machine/machine.h"
#include "ksft.h"
#include "view_machine.h"

#define PAGE RANGE_PAGE_SIZE
#define NAME_SIZE 48
#define KERNEL_TEXT UINT64_C(0xffffffff81000000)

static struct machine *const machine = &view_machine.machine;
static struct vcpu *const vcpu = &view_machine.vcpu;

struct entry {
	struct kvm_stats_desc desc;
	char name[NAME_SIZE];
};

static struct {
	struct kvm_stats_header header;
	struct entry entries[2];
	uint64_t values[2];
} stats;

static void stats_write(void)
{
	EXPECT_EQ(pwrite(view_machine.stats_fd, &stats, sizeof(stats), 0), sizeof(stats));
}

static void stats_start(void)
{
	memset(&stats, 0, sizeof(stats));
	stats.header = (struct kvm_stats_header){
		.name_size = NAME_SIZE,
		.num_desc = 2,
		.desc_offset = sizeof(stats.header),
		.data_offset = sizeof(stats.header) + sizeof(stats.entries),
	};
	strcpy(stats.entries[0].name, "insn_emulation_fail");
	strcpy(stats.entries[1].name, "insn_emulation");
	stats.entries[1].desc.offset = sizeof(uint64_t);
	view_machine.stats_fd = memfd_create("stats", MFD_CLOEXEC);
	stats_write();
}

static void start(void)
{
	view_machine_start();
	stats_start();
	stuck_start(machine);
	EXPECT_TRUE(machine->stuck);
	EXPECT_TRUE(machine->threads.tick);
	view_machine.sregs.cr2 = KERNEL_TEXT;
	view_machine.sregs.cr3 = 3 * PAGE;
}

static void stop(void)
{
	stuck_stop(machine);
	close(view_machine.stats_fd);
	view_machine_stop();
}

static void convert(uint64_t page, bool private)
{
	const struct range range = { page * PAGE, (page + 1) * PAGE };

	EXPECT_FALSE(guest_memory_convert(&machine->memory, range, private, NULL, 0));
}

/* A second in which KVM has emulated @count instructions; the vCPU looks. */
static void second(unsigned int count)
{
	machine->stuck[0].look = count;
	stuck_look(machine, vcpu);
}

TEST_OF(stuck, ends)
{
	start();
	convert(3, true);
	for (unsigned int i = 0; i < 4; i++)
		second(1);
	EXPECT_EQ(machine->end, END_NONE);
	second(0);
	EXPECT_EQ(machine->end, END_NONE);
	second(1);
	EXPECT_EQ(machine->end, END_MEMORY);
	EXPECT_TRUE(view_machine_said("KVM injects spurious page faults"));
	EXPECT_TRUE(view_machine_said("page tables at 0x3000"));
	stop();
}

/* The text is private, and found. */
TEST_OF(stuck, ends_text)
{
	start();
	convert(7, true);
	view_machine.place = (struct kvm_translation){
		.physical_address = 7 * PAGE + 5, .valid = 1,
	};
	for (unsigned int i = 0; i < 5; i++)
		second(1);
	EXPECT_EQ(machine->end, END_MEMORY);
	stop();
}

static void goes_on(void)
{
	for (unsigned int i = 0; i < 100; i++)
		second(1);
	EXPECT_EQ(machine->end, END_NONE);
}

/* What does not show that. */
TEST_OF(stuck, goes_on)
{
	start();
	goes_on();		/* no page of it is private */
	convert(3, true);
	view_machine.sregs.cr2 = 0x400000;
	goes_on();		/* the program's own page faults */
	view_machine.sregs.cr2 = KERNEL_TEXT;
	view_machine.place = (struct kvm_translation){
		.physical_address = 7 * PAGE, .valid = 1,
	};
	goes_on();		/* KVM finds and reads it */
	view_machine.place.valid = 0;
	view_machine.sregs.cr3 = 4 * PAGE;
	goes_on();		/* a natural page fault: there is no page */
	stop();
}

/* One look that is good is all it takes. */
TEST_OF(stuck, moves_on)
{
	start();
	convert(3, true);
	for (unsigned int i = 0; i < 40; i++) {
		view_machine.sregs.cr2 = i % 4 ? KERNEL_TEXT : 0x1000;
		second(1);
	}
	EXPECT_EQ(machine->end, END_NONE);
	stop();
}

TEST_OF(stuck, counters)
{
	struct kvm_counter counter;

	view_machine_start();
	EXPECT_EQ(kvm_counter_open(&counter, 77, "insn_emulation"), -ENOTTY);
	EXPECT_LT(counter.fd, 0);
	EXPECT_FALSE(kvm_counter_read(&counter));
	stats_start();
	stats.values[1] = 42;
	stats_write();
	EXPECT_FALSE(kvm_counter_open(&counter, 77, "insn_emulation"));
	EXPECT_EQ(kvm_counter_read(&counter), 42);
	kvm_counter_close(&counter);
	kvm_counter_close(&counter);
	EXPECT_EQ(kvm_counter_open(&counter, 77, "no_such"), -ENOENT);
	EXPECT_EQ(kvm_counter_open(&counter, 77, ""), -ENOENT);
	stats.header.num_desc = 3;
	stats.header.desc_offset = (uint32_t)(sizeof(stats) - sizeof(struct entry));
	stats_write();
	EXPECT_EQ(kvm_counter_open(&counter, 77, "no_such"), -EIO);
	stats.header.num_desc = UINT32_MAX;
	stats_write();
	EXPECT_EQ(kvm_counter_open(&counter, 77, "insn_emulation"), -EIO);
	stats_start();
	stats.header.name_size = 100000;
	stats_write();
	EXPECT_EQ(kvm_counter_open(&counter, 77, "insn_emulation"), -EIO);
	view_machine_stop();
}

/* Nobody is disturbed where there is nothing to see, or no counter. */
TEST_OF(stuck, tick)
{
	start();
	stats.values[1] = 5;
	stats_write();
	stuck_tick(machine);
	EXPECT_EQ(machine->stuck[0].seen, 5);
	EXPECT_FALSE(machine->stuck[0].look);
	convert(3, true);
	stuck_tick(machine);
	EXPECT_FALSE(machine->stuck[0].look);
	stop();
	view_machine_start();
	stuck_start(machine);
	convert(3, true);
	stuck_tick(machine);
	EXPECT_FALSE(machine->stuck[0].look);
	stuck_stop(machine);
	view_machine_stop();
}
