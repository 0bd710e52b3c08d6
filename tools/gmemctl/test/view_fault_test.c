// SPDX-License-Identifier: GPL-2.0
/* What becomes of KVM_RUN that ends with EFAULT where memory is a view. */
#include "../machine/machine.h"
#include "ksft.h"
#include "view_fake.h"
#include "view_machine.h"

#define PAGE RANGE_PAGE_SIZE
#define AGAIN_MAX 17	/* once, and what is tried again */

static struct machine *const machine = &view_machine.machine;
static struct vcpu *const vcpu = &view_machine.vcpu;
static struct view_watch watch;

FIXTURE(view_fault) {
};

FIXTURE_SETUP(view_fault)
{
	view_machine_start();
	view_watch_start(&watch, machine);
}

FIXTURE_TEARDOWN(view_fault)
{
	vcpu->run = NULL;
	view_machine_stop();
}

/* The same machine, as if nothing had happened to it */
static void again(void)
{
	machine->end = END_NONE;
	machine->report[0] = '\0';
	view_fake.populates = 0;
	view_watch_start(&watch, machine);
}

/* KVM_RUN has ended with EFAULT after a page fault at @gpa. */
static bool fault_at(uint64_t gpa)
{
	view_fake.fault_rc = 0;
	view_fake.fault.gpa = gpa;
	view_fake.fault.error_code = 6;
	view_fake.fault.count++;
	return view_fault_answer(&watch, machine, vcpu);
}

/* Return: how often KVM_RUN fails in the same way until that is the end. */
static unsigned int fails(uint64_t gpa)
{
	unsigned int tries = 0;

	while (machine->end == END_NONE && tries++ < 100)
		EXPECT_TRUE(gpa ? fault_at(gpa) : view_fault_answer(&watch, machine, vcpu));
	EXPECT_EQ(machine->end, END_MEMORY);
	return tries;
}

/* A block of 64 KiB around the touch, or of 2 MiB, as far as the slot has it. */
TEST_F(view_fault, populate)
{
	EXPECT_TRUE(fault_at(100 * PAGE + 5));
	EXPECT_EQ(machine->end, END_NONE);
	EXPECT_EQ(view_fake.start, 96);
	EXPECT_EQ(view_fake.length, 16);
	EXPECT_FALSE(view_fake.flags);
	EXPECT_TRUE(fault_at(2111 * PAGE));
	EXPECT_EQ(view_fake.start, 1024 + 48);
	EXPECT_EQ(view_fake.length, 16);
	EXPECT_EQ(machine->counters.view_faults, 2);
}

TEST_F(view_fault, populate_huge)
{
	machine->vm.slots.slots[0].view_block = VIEW_BLOCK;
	machine->vm.slots.slots[1].view_block = VIEW_BLOCK;
	EXPECT_TRUE(fault_at(600 * PAGE));
	EXPECT_EQ(view_fake.start, 512);
	EXPECT_EQ(view_fake.length, 512);
	EXPECT_TRUE(fault_at(2052 * PAGE));
	EXPECT_EQ(view_fake.start, 1024);
	EXPECT_EQ(view_fake.length, 64);
}

/* The thread has not faulted at all: KVM itself has met what is not there. */
TEST_F(view_fault, no_fault)
{
	EXPECT_EQ(fails(0), AGAIN_MAX);
	EXPECT_TRUE(view_machine_said("KVM cannot read or write guest memory that it needs"));
	EXPECT_FALSE(view_fake.populates);
}

/* A fault that was answered long ago is none; nor is one outside of RAM. */
TEST_F(view_fault, old_fault)
{
	EXPECT_TRUE(fault_at(100 * PAGE));
	fails(0);
	EXPECT_EQ(view_fake.populates, 1);
	again();
	fails(2000 * PAGE);
	EXPECT_FALSE(view_fake.populates);
}

/* Populated, and still not taken. A conversion that ends makes that good. */
TEST_F(view_fault, no_progress)
{
	EXPECT_EQ(fails(100 * PAGE), AGAIN_MAX);
	EXPECT_TRUE(view_machine_said("gpa 0x64000: KVM does not map the page"));
	EXPECT_TRUE(view_machine_said("(write, user)"));
	again();
	for (unsigned int tries = 0; tries < 100; tries++) {
		EXPECT_TRUE(fault_at(100 * PAGE));
		EXPECT_FALSE(guest_memory_convert(&machine->memory, (struct range){ 0, PAGE },
						  tries % 2, NULL, 0));
	}
	EXPECT_EQ(machine->end, END_NONE);
}

TEST_F(view_fault, populate_fails)
{
	view_fake.populate_rc = -EINTR;
	EXPECT_TRUE(fault_at(PAGE));
	EXPECT_EQ(machine->end, END_NONE);
	view_fake.populate_rc = -EHWPOISON;
	EXPECT_TRUE(fault_at(PAGE));
	EXPECT_EQ(machine->end, END_MEMORY);
	EXPECT_TRUE(view_machine_said("hwpoison"));
	EXPECT_EQ(end_exit_code(machine->end, 0), 22);
	again();
	view_fake.populate_rc = -ENOMEM;
	EXPECT_TRUE(fault_at(PAGE));
	EXPECT_EQ(machine->end, END_MEMORY);
	EXPECT_TRUE(view_machine_said("short of memory"));
	/* Nothing that leads astray. */
	EXPECT_FALSE(view_machine_said("emulates"));
	again();
	view_fake.fault_rc = -EOPNOTSUPP;
	EXPECT_TRUE(view_fault_answer(&watch, machine, vcpu));
	EXPECT_EQ(machine->end, END_FAILED);
	EXPECT_TRUE(view_machine_said("gmem_kvm"));
}

/* It is not a matter of views where there are none. */
TEST_F(view_fault, not_ours)
{
	watch.fd = -1;
	EXPECT_FALSE(view_fault_answer(&watch, machine, vcpu));
	EXPECT_FALSE(view_is_private_access(machine, 2000 * PAGE));
}

static bool explains(const char *first, const char *second)
{
	char text[2048];

	view_explain(machine, vcpu, text, sizeof(text));
	if (strstr(text, first) && strstr(text, second))
		return true;
	printf("#%s\n", text);
	return false;
}

/* Why KVM could not go on, by what is private of what it would have needed. */
TEST_F(view_fault, explain)
{
	const struct range first = { 0, 8 * PAGE };

	view_machine.sregs.cr0 = 1UL << 31;
	view_machine.sregs.cr3 = 9 * PAGE;
	view_machine.sregs.ss.dpl = 3;
	EXPECT_TRUE(explains("KVM cannot translate it), cpl 3", "some of the page tables"));
	view_machine.place = (struct kvm_translation){ .physical_address = PAGE, .valid = 1 };
	EXPECT_TRUE(explains("gpa 0x1000, shared", "whose operand is in private memory"));
	EXPECT_FALSE(guest_memory_convert(&machine->memory, first, true, NULL, 0));
	EXPECT_TRUE(explains("gpa 0x1000, private", "in private memory, where KVM cannot read it"));
	view_machine.sregs.cr3 = 2 * PAGE;
	EXPECT_TRUE(explains("page tables at 0x2000 (private)", "cannot walk them"));
	view_machine.sregs.cr0 = 0;
	EXPECT_TRUE(explains("paging is off", "cannot read it"));
	EXPECT_TRUE(explains("DecodeAssists", "x2APIC"));
	EXPECT_TRUE(view_is_private_access(machine, 0x1234));
	EXPECT_FALSE(view_is_private_access(machine, 0x9234));
	EXPECT_FALSE(view_is_private_access(machine, 0xfee00000));
}

/* What KVM takes for MMIO, for want of a page that it can read. */
TEST_F(view_fault, operand)
{
	static union {
		struct kvm_run run;
		uint8_t bytes[sizeof(struct kvm_run)];
	} area;

	vcpu->run = &area.run;
	area.run.exit_reason = KVM_EXIT_MMIO;
	area.run.mmio.phys_addr = 0x3000;
	area.run.mmio.len = 4;
	machine_exit(machine, vcpu);
	EXPECT_EQ(machine->end, END_NONE);
	EXPECT_EQ(machine->counters.stray_io, 1);
	EXPECT_FALSE(guest_memory_convert(&machine->memory, (struct range){ 3 * PAGE, 4 * PAGE },
					  true, NULL, 0));
	machine_exit(machine, vcpu);
	EXPECT_EQ(machine->end, END_MEMORY);
	EXPECT_TRUE(view_machine_said("gpa 0x3000, 4 bytes: private"));
}
