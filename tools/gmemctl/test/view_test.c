// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of kind gmem in a view: what KVM is given, conversions, what is asked of gmem,
 * and what becomes of KVM_RUN that ends with EFAULT.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../kvm/abi.h"
#include "../kvm/calls.h"
#include "../machine/view_fault.h"
#include "../memory/page_states.h"
#include "../memory/private_runs.h"
#include "kvm_fake.h"
#include "unit.h"
#include "view_fake.h"

#define PAGE RANGE_PAGE_SIZE
#define AGAIN_MAX 17	/* once, and what is tried again */

static struct range ranges[2];
static struct memory_request request;
static struct memory_config config;
static struct guest_memory memory;
static struct error error;

/* 1024 pages at 0, and 64 at 2048, which follow them in the fd. */
static void start(void)
{
	kvm_fake_start();
	view_fake_start();
	ranges[0] = (struct range){ 0, 1024 * PAGE };
	ranges[1] = (struct range){ 2048 * PAGE, 2112 * PAGE };
	request = (struct memory_request){
		.ranges = ranges, .nr_ranges = 2, .kind = BACKING_GMEM,
		.existing_fd = -1, .node = -1,
	};
	config = (struct memory_config){ .requests = &request,
					 .nr_requests = 1 };
}

static int build(void)
{
	int rc = guest_memory_create(&memory, &config, &kvm_fake.vm, 0, &error);

	if (!rc)
		rc = guest_memory_attach(&memory, &error);
	kvm_fake.log[0] = '\0';
	return rc;
}

static void stop(void)
{
	guest_memory_destroy(&memory);
	calls = &calls_system;
}

static int convert(uint64_t first, uint64_t end, bool to_private)
{
	struct range range = { first * PAGE, end * PAGE };

	return guest_memory_convert(&memory, range, to_private, NULL, 0);
}

/* KVM is given the view; this process has its own mapping. */
static void test_slots(void)
{
	const struct slot *high;

	start();
	CHECK(!build());
	CHECK(view_fake_slot(0) == 0 && view_fake_slot(2048 * PAGE) == 1024);
	CHECK(!((uintptr_t)view_fake.base % (2 << 20)));
	high = slot_find(&kvm_fake.vm.slots, 2052 * PAGE);
	CHECK(high && high->host == memory.reservation.base + 2048 * PAGE);
	CHECK(slot_covers_private(&kvm_fake.vm.slots, 2048 * PAGE, 64 * PAGE));
	CHECK(!slot_covers_private(&kvm_fake.vm.slots, 2048 * PAGE, 65 * PAGE));
	memory.reservation.base[2052 * PAGE] = 1;
	CHECK(!guest_memory_no_private(&memory));
	CHECK(!view_fake.populates);
	stop();
}

/* The alias map, and the pieces of the first MiB, have a part of the same view. */
static void test_alias(void)
{
	start();
	config.x86_legacy = true;
	config.alias = true;
	config.alias_offset = 8192 * PAGE;
	CHECK(!build());
	CHECK(view_fake_slot(0xc0 * PAGE) == 0xc0);
	CHECK(view_fake_slot((8192 + 0xc0) * PAGE) == 0xc0);
	CHECK(view_fake_slot((8192 + 2048) * PAGE) == 1024);
	stop();
}

static void test_prefetch(void)
{
	start();
	request.prefetch = true;
	CHECK(!build() && !memory.partition.prefetch_rc);
	CHECK(view_fake.populates == 2 && !view_fake.flags);
	CHECK(view_fake.start == 1024 && view_fake.length == 64);
	stop();
	start();
	request.prefetch = true;
	view_fake.populate_rc = -ENOMEM;
	CHECK(!build() && memory.partition.prefetch_rc == -ENOMEM);
	stop();
}

/* What has memory, and no more. */
static void test_fill(void)
{
	start();
	CHECK(!build());
	view_fake.memory[3] = 1;
	CHECK(!guest_memory_fill_views(&memory, &error));
	CHECK(view_fake.populates == 1 && view_fake.length == 1088);
	CHECK(view_fake.flags == GMEM_VIEW_POPULATE_F_NOALLOC);
	CHECK(view_fake.present[3] && !view_fake.memory[4]);
	view_fake.populate_rc = -EHWPOISON;
	CHECK(guest_memory_fill_views(&memory, &error) == -EHWPOISON);
	stop();
}

static int add_run(struct range run, bool private, void *data)
{
	char *text = data;
	size_t used = strlen(text);

	snprintf(text + used, 256 - used, "%s%llx-%llx", private ? " P" : " s",
		 (unsigned long long)(run.start / PAGE),
		 (unsigned long long)(run.end / PAGE));
	return 0;
}

static int stop_at_once(struct range run, bool private, void *data)
{
	(void)run;
	(void)private;
	(*(int *)data)++;
	return 7;
}

/* One call of gmem's, nothing of KVM's; and gmem says what is what. */
static void test_convert(void)
{
	char text[256] = "";
	int visited = 0;

	start();
	CHECK(!build());
	CHECK(!convert(1, 3, true) && kvm_fake_said("V1-3"));
	CHECK(!convert(2049, 2051, true) && kvm_fake_said("V401-403"));
	CHECK(page_is_private(&memory, 2 * PAGE));
	CHECK(page_is_private(&memory, 2050 * PAGE + 17));
	CHECK(!page_is_private(&memory, 3 * PAGE));
	CHECK(!page_is_private(&memory, 2000 * PAGE));
	CHECK(page_states_private(&memory) == 4 * PAGE);
	CHECK(!page_states(&memory, (struct range){ 0, 10 * PAGE }, add_run, text));
	CHECK(!strcmp(text, " s0-1 P1-3 s3-a"));
	CHECK(page_states(&memory, ranges[0], stop_at_once, &visited) == 7);
	CHECK(visited == 1);
	CHECK(!convert(1, 2, false) && kvm_fake_said("v1-2"));
	CHECK(convert(1000, 1025, true) == -EFAULT);
	CHECK(convert(1024, 1025, true) == -EFAULT);
	CHECK(convert(2, 2, true) == -EFAULT && kvm_fake_said(""));
	kvm_fake.fail = 'V';
	kvm_fake.rc = -EAGAIN;
	CHECK(convert(8, 9, true) == -EAGAIN);
	CHECK(!page_is_private(&memory, 8 * PAGE));
	stop();
}

/* What stays private when the memory is handed over, and what a file has to have. */
static void test_runs(void)
{
	struct private_runs runs;

	start();
	CHECK(!build() && !convert(1, 3, true) && !convert(2052, 2053, true));
	CHECK(!private_runs_find(&runs, &memory, true, "test", &error));
	CHECK(!runs.count);
	private_runs_free(&runs);
	CHECK(!private_runs_find(&runs, &memory, false, "test", &error));
	CHECK(runs.count == 2 && runs.ranges[1].start == 2052 * PAGE);
	CHECK(!private_runs_share(&runs, &memory, "test", &error));
	CHECK(view_fake_private(0, 0));
	CHECK(!private_runs_restore(&runs, &memory, &error));
	CHECK(page_states_private(&memory) == 3 * PAGE);
	private_runs_free(&runs);
	stop();
}

/* No views here: the memory is all shared, and it is known why. */
static void test_refused(void)
{
	static const struct {
		int view_rc, fault_rc;
		const char *why;
	} cases[] = {
		{ -ENOTTY, -EAGAIN, "module gmem has no views" },
		{ -EOPNOTSUPP, -EAGAIN, "offers no views" },
		{ -EPERM, -EAGAIN, "consent" },
		{ -EBUSY, -EAGAIN, "bound" },
		{ 0, -EOPNOTSUPP, "gmem_kvm" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why;

		start();
		view_fake.view_rc = cases[i].view_rc;
		view_fake.fault_rc = cases[i].fault_rc;
		CHECK(!build());
		why = guest_memory_no_private(&memory);
		CHECK(why && strstr(why, cases[i].why));
		CHECK(view_fake_slot(0) == -1 && !guest_memory_view(&memory));
		CHECK(!slot_covers_private(&kvm_fake.vm.slots, 0, PAGE));
		CHECK(convert(1, 2, true) == -EFAULT);
		CHECK(!page_states_private(&memory));
		stop();
		/* Somebody who cannot do without. */
		start();
		view_fake.view_rc = cases[i].view_rc;
		view_fake.fault_rc = cases[i].fault_rc;
		config.view = true;
		CHECK(build() == -EOPNOTSUPP);
		CHECK(strstr(error.hint, cases[i].why));
		CHECK(strstr(error.hint, "gmem-store"));
		calls = &calls_system;
	}
}

/* What is no matter of what is offered is a failure. */
static void test_failed(void)
{
	start();
	view_fake.view_rc = -EMFILE;
	CHECK(build() == -EMFILE && !strcmp(error.action, "GMEM_IOCTL_VIEW"));
	calls = &calls_system;
	start();
	view_fake.fault_rc = -ENOMEM;
	CHECK(build() == -ENOMEM);
	CHECK(!strcmp(error.action, "GMEM_IOCTL_VIEW_FAULT"));
	calls = &calls_system;
}

/* Private pages that come along are not shown to a guest as something else. */
static void test_existing(void)
{
	int fd;

	start();
	fd = calls->memfd("existing", 1088 * PAGE);
	request.existing_fd = fd;
	view_fake.view_rc = -EOPNOTSUPP;
	CHECK(!build());
	stop();
	start();
	request.existing_fd = fd;
	view_fake.view_rc = -EOPNOTSUPP;
	view_fake.private[5] = 1;
	CHECK(build() == -EOPNOTSUPP);
	calls = &calls_system;
	start();
	request.existing_fd = fd;
	view_fake.private[5] = 1;
	CHECK(!build() && page_is_private(&memory, 5 * PAGE));
	stop();
	calls->close(fd);
}

/* Beside a guest_memfd there is none: it is that which has private pages. */
static void test_discard(void)
{
	start();
	config.guest_memfd = true;
	CHECK(!build() && !guest_memory_view(&memory));
	CHECK(view_fake_slot(0) == -1 && !guest_memory_no_private(&memory));
	CHECK(!convert(1, 2, true) && kvm_fake_said("A1-2 P1-2"));
	stop();
}

/* A machine with this memory, and a vCPU whose registers are made up. */
static struct machine machine;
static struct view_watch watch;
static struct vcpu vcpu = { .fd = 77 };
static struct kvm_regs regs;
static struct kvm_sregs sregs;
static struct kvm_translation place;
static const struct calls *below;
static struct calls cpu_calls;

static int cpu_ioctl(int fd, unsigned long number, void *arg)
{
	struct kvm_translation *translation = arg;

	switch (number) {
	case KVM_GET_REGS:
		*(struct kvm_regs *)arg = regs;
		return 0;
	case KVM_GET_SREGS:
		*(struct kvm_sregs *)arg = sregs;
		return 0;
	case KVM_TRANSLATE:
		translation->physical_address = place.physical_address;
		translation->valid = place.valid;
		return 0;
	default:
		return below->ioctl(fd, number, arg);
	}
}

static int no_loop(void *data, struct vcpu *unused)
{
	(void)data;
	(void)unused;
	return 0;
}

static void machine_start(void)
{
	start();
	below = calls;
	cpu_calls = *calls;
	cpu_calls.ioctl = cpu_ioctl;
	calls = &cpu_calls;
	memset(&machine, 0, sizeof(machine));
	memset(&sregs, 0, sizeof(sregs));
	regs = (struct kvm_regs){ .rip = 0x1234 };
	place = (struct kvm_translation){ .valid = 0 };
	machine.vm = kvm_fake.vm;
	pthread_mutex_init(&machine.lock, NULL);
	CHECK(!threads_init(&machine.threads, no_loop, &machine, NULL));
	CHECK(!guest_memory_create(&machine.memory, &config, &machine.vm, 0,
				   NULL));
	CHECK(!guest_memory_attach(&machine.memory, NULL));
	view_watch_start(&watch, &machine);
}

static void machine_stop(void)
{
	guest_memory_destroy(&machine.memory);
	threads_destroy(&machine.threads);
	pthread_mutex_destroy(&machine.lock);
	calls = &calls_system;
}

/* KVM_RUN has ended with EFAULT after a page fault at @gpa. */
static bool fault_at(uint64_t gpa)
{
	view_fake.fault_rc = 0;
	view_fake.fault.gpa = gpa;
	view_fake.fault.error_code = 6;
	view_fake.fault.count++;
	return view_fault_answer(&watch, &machine, &vcpu);
}

static bool said(const char *text)
{
	bool found = strstr(machine.report, text);

	if (!found)
		printf("# %s\n", machine.report);
	return found;
}

/* A block of 64 KiB around the touch, or of 2 MiB, as far as the slot has it. */
static void test_populate(void)
{
	machine_start();
	CHECK(fault_at(100 * PAGE + 5) && machine.end == END_NONE);
	CHECK(view_fake.start == 96 && view_fake.length == 16 && !view_fake.flags);
	CHECK(fault_at(2111 * PAGE));
	CHECK(view_fake.start == 1024 + 48 && view_fake.length == 16);
	CHECK(machine.counters.view_faults == 2);
	machine_stop();
}

static void test_populate_huge(void)
{
	machine_start();
	machine.vm.slots.slots[0].view_block = VIEW_BLOCK;
	machine.vm.slots.slots[1].view_block = VIEW_BLOCK;
	CHECK(fault_at(600 * PAGE));
	CHECK(view_fake.start == 512 && view_fake.length == 512);
	CHECK(fault_at(2052 * PAGE));
	CHECK(view_fake.start == 1024 && view_fake.length == 64);
	machine_stop();
}

/* The thread has not faulted at all: KVM itself has met what is not there. */
static void test_no_fault(void)
{
	unsigned int tries = 0;

	machine_start();
	while (machine.end == END_NONE && tries++ < 100)
		CHECK(view_fault_answer(&watch, &machine, &vcpu));
	CHECK(tries == AGAIN_MAX && machine.end == END_MEMORY);
	CHECK(said("KVM cannot read or write guest memory that it needs"));
	CHECK(!view_fake.populates);
	machine_stop();
}

/* A fault that was answered long ago is none; nor is one outside of RAM. */
static void test_old_fault(void)
{
	unsigned int tries = 0;

	machine_start();
	CHECK(fault_at(100 * PAGE));
	while (machine.end == END_NONE && tries++ < 100)
		CHECK(view_fault_answer(&watch, &machine, &vcpu));
	CHECK(machine.end == END_MEMORY && view_fake.populates == 1);
	machine_stop();
	tries = 0;
	machine_start();
	while (machine.end == END_NONE && tries++ < 100)
		CHECK(fault_at(2000 * PAGE));
	CHECK(machine.end == END_MEMORY && !view_fake.populates);
	machine_stop();
}

/* Populated, and still not taken. A conversion that ends makes that good. */
static void test_no_progress(void)
{
	unsigned int tries = 0;

	machine_start();
	while (machine.end == END_NONE && tries++ < 100)
		CHECK(fault_at(100 * PAGE));
	CHECK(tries == AGAIN_MAX + 0 && machine.end == END_MEMORY);
	CHECK(said("gpa 0x64000: KVM does not take the page"));
	CHECK(said("(write, user)"));
	machine_stop();
	machine_start();
	for (tries = 0; tries < 100; tries++) {
		CHECK(fault_at(100 * PAGE));
		CHECK(!guest_memory_convert(&machine.memory, (struct range){ 0,
					    PAGE }, tries % 2, NULL, 0));
	}
	CHECK(machine.end == END_NONE);
	machine_stop();
}

static void test_populate_fails(void)
{
	machine_start();
	view_fake.populate_rc = -EINTR;
	CHECK(fault_at(PAGE) && machine.end == END_NONE);
	view_fake.populate_rc = -EHWPOISON;
	CHECK(fault_at(PAGE) && machine.end == END_MEMORY && said("hwpoison"));
	CHECK(end_exit_code(machine.end, 0) == 22);
	machine_stop();
	machine_start();
	view_fake.populate_rc = -ENOMEM;
	CHECK(fault_at(PAGE) && machine.end == END_MEMORY && said("short of memory"));
	machine_stop();
	machine_start();
	view_fake.fault_rc = -EOPNOTSUPP;
	CHECK(view_fault_answer(&watch, &machine, &vcpu));
	CHECK(machine.end == END_FAILED && said("gmem_kvm"));
	machine_stop();
}

/* It is not a matter of views where there are none. */
static void test_not_ours(void)
{
	start();
	view_fake.view_rc = -EOPNOTSUPP;
	CHECK(!build());
	machine = (struct machine){ .memory = memory };
	view_watch_start(&watch, &machine);
	CHECK(watch.fd == -1 && !view_fault_answer(&watch, &machine, &vcpu));
	CHECK(!view_is_private_access(&machine, 0));
	stop();
}

static bool explains(const char *first, const char *second)
{
	char text[2048];

	view_explain(&machine, &vcpu, text, sizeof(text));
	if (strstr(text, first) && strstr(text, second))
		return true;
	printf("#%s\n", text);
	return false;
}

/* Why KVM could not go on, by what is private of what it would have needed. */
static void test_explain(void)
{
	const struct range first = { 0, 8 * PAGE };

	machine_start();
	sregs.cr0 = 1UL << 31;
	sregs.cr3 = 9 * PAGE;
	sregs.ss.dpl = 3;
	CHECK(explains("not to be found by KVM), cpl 3", "some of the page tables"));
	place = (struct kvm_translation){ .physical_address = PAGE, .valid = 1 };
	CHECK(explains("gpa 0x1000, shared", "whose operand is in private memory"));
	CHECK(!guest_memory_convert(&machine.memory, first, true, NULL, 0));
	CHECK(explains("gpa 0x1000, private", "in private memory, where KVM cannot "
		       "read it"));
	sregs.cr3 = 2 * PAGE;
	CHECK(explains("page tables at 0x2000 (private)", "cannot walk them"));
	sregs.cr0 = 0;
	CHECK(explains("paging is off", "cannot read it"));
	CHECK(explains("DecodeAssists", "x2APIC"));
	CHECK(view_is_private_access(&machine, 0x1234));
	CHECK(!view_is_private_access(&machine, 0x9234));
	CHECK(!view_is_private_access(&machine, 0xfee00000));
	machine_stop();
}

/* What KVM takes for MMIO, for want of a page that it can read. */
static void test_operand(void)
{
	static union {
		struct kvm_run run;
		uint8_t bytes[sizeof(struct kvm_run)];
	} area;

	machine_start();
	vcpu.run = &area.run;
	area.run.exit_reason = KVM_EXIT_MMIO;
	area.run.mmio.phys_addr = 0x3000;
	area.run.mmio.len = 4;
	machine_exit(&machine, &vcpu);
	CHECK(machine.end == END_NONE && machine.counters.stray_io == 1);
	CHECK(!guest_memory_convert(&machine.memory, (struct range){ 3 * PAGE,
				    4 * PAGE }, true, NULL, 0));
	machine_exit(&machine, &vcpu);
	CHECK(machine.end == END_MEMORY && said("gpa 0x3000, 4 bytes: private"));
	vcpu.run = NULL;
	machine_stop();
}

static const struct unit_test tests[] = {
	{ "view.slots", test_slots },
	{ "view.alias", test_alias },
	{ "view.prefetch", test_prefetch },
	{ "view.fill", test_fill },
	{ "view.convert", test_convert },
	{ "view.runs", test_runs },
	{ "view.refused", test_refused },
	{ "view.failed", test_failed },
	{ "view.existing", test_existing },
	{ "view.discard", test_discard },
	{ "view.populate", test_populate },
	{ "view.populate_huge", test_populate_huge },
	{ "view.no_fault", test_no_fault },
	{ "view.old_fault", test_old_fault },
	{ "view.no_progress", test_no_progress },
	{ "view.populate_fails", test_populate_fails },
	{ "view.not_ours", test_not_ours },
	{ "view.explain", test_explain },
	{ "view.operand", test_operand },
};

UNIT_TESTS(tests)
