// SPDX-License-Identifier: GPL-2.0
/* What a PC does about exits, without a VM: they are written by hand. */
#include "../base/calls.h"
#include "../devices/chipset.h"
#include "../machine/pc.h"
#include "kvm_fake.h"
#include "pc_fake.h"
#include "ksft.h"

#define DATA_OFFSET 4096

static struct pc pc;
static struct vcpu vcpu;
static struct pc_config config;
static union {
	struct kvm_run run;
	uint8_t bytes[2 * DATA_OFFSET];
} area;

static void start(void)
{
	kvm_fake_start();
	memset(&pc, 0, sizeof(pc));
	memset(&area, 0, sizeof(area));
	config = (struct pc_config){ .input = -1, .output = -1 };
	pc.config = &config;
	EXPECT_TRUE(machine_fake_start(&pc.machine, &config.machine));
	pc.machine.memory.config = &config.machine.memory;
	EXPECT_FALSE(console_open(&pc.console, -1, -1, NULL));
	EXPECT_FALSE(pc_devices(&pc, NULL));
	vcpu = (struct vcpu){ .fd = -1, .run = &area.run };
}

static void stop(void)
{
	console_close(&pc.console);
	pc_devices_destroy(&pc);
	machine_fake_stop(&pc.machine);
}

static void io(uint16_t port, uint8_t direction, uint8_t size, uint32_t count)
{
	area.run.exit_reason = KVM_EXIT_IO;
	area.run.io.direction = direction;
	area.run.io.port = port;
	area.run.io.size = size;
	area.run.io.count = count;
	area.run.io.data_offset = DATA_OFFSET;
	machine_exit(&pc.machine, &vcpu);
}

static void out(uint16_t port, const void *bytes, uint8_t size, uint32_t count)
{
	memcpy(area.bytes + DATA_OFFSET, bytes, (size_t)size * count);
	io(port, KVM_EXIT_IO_OUT, size, count);
}

/* Ends by exits that carry nothing, but for the type of an event */
TEST_OF(pc, ends)
{
	static const struct {
		uint32_t reason, type;
		enum end end;
	} cases[] = {
		{ KVM_EXIT_SHUTDOWN, 0, END_TRIPLE_FAULT },
		{ KVM_EXIT_FAIL_ENTRY, 0, END_ENTRY_FAILED },
		{ KVM_EXIT_INTERNAL_ERROR, 0, END_INTERNAL_ERROR },
		{ KVM_EXIT_MEMORY_FAULT, 0, END_MEMORY },
		{ KVM_EXIT_DEBUG, 0, END_INTERNAL_ERROR },
		{ 12345, 0, END_INTERNAL_ERROR },
		{ KVM_EXIT_INTR, 0, END_NONE },
		{ KVM_EXIT_SYSTEM_EVENT, KVM_SYSTEM_EVENT_SHUTDOWN, END_POWER_OFF },
		{ KVM_EXIT_SYSTEM_EVENT, KVM_SYSTEM_EVENT_RESET, END_RESET },
		{ KVM_EXIT_SYSTEM_EVENT, KVM_SYSTEM_EVENT_CRASH, END_PANIC },
		{ KVM_EXIT_SYSTEM_EVENT, KVM_SYSTEM_EVENT_SEV_TERM, END_SYSTEM_EVENT },
		{ KVM_EXIT_SYSTEM_EVENT, 999, END_SYSTEM_EVENT },
	};

	ksft_for_each(c, cases) {
		start();
		area.run.exit_reason = c->reason;
		area.run.system_event.type = c->type;
		machine_exit(&pc.machine, &vcpu);
		EXPECT_EQ(pc.machine.end, c->end);
		EXPECT_TRUE(pc.machine.end == END_NONE || c->type ||
			    strstr(pc.machine.report, "vCPU 0: exit"));
		stop();
	}
}

static enum end end_by_port(uint16_t port, uint16_t value, uint8_t size)
{
	enum end end;

	start();
	out(port, &value, size, 1);
	end = pc.machine.end;
	EXPECT_EQ(machine_ended(&pc.machine), (end != END_NONE));
	stop();
	return end;
}

TEST_OF(pc, ports)
{
	static const struct {
		uint16_t port, value;
		uint8_t size;
		enum end end;
	} cases[] = {
		{ 0x64, 0xfe, 1, END_RESET }, { 0xcf9, 0x06, 1, END_RESET },
		{ PVPANIC_PORT, 0x01, 1, END_PANIC }, { PVPANIC_PORT, 0x02, 1, END_NONE },
		{ POWER_CONTROL_PORT, 0x3401, 2, END_POWER_OFF }, { 0x80, 0xff, 1, END_NONE },
		{ EXIT_PORT, 7, 1, END_EXIT_PORT },
	};

	ksft_for_each(c, cases)
		EXPECT_EQ(end_by_port(c->port, c->value, c->size), c->end);
	EXPECT_EQ(pc.machine.end_value, 7);
}

/* C17: each way to reset a PC by a port, and the values beside it. */
TEST_OF(pc, C17_resets)
{
	static const uint8_t data[] = { 0xfe, 0xff };

	for (uint16_t value = 0; value < 0x100; value++) {
		bool pulse = value >= 0xf0 && !(value & 1);

		EXPECT_EQ((end_by_port(0x64, value, 1) == END_RESET), pulse);
		EXPECT_EQ((end_by_port(0x92, value, 1) == END_RESET), (value & 1));
		EXPECT_EQ((end_by_port(0xcf9, value, 1) == END_RESET), !!(value & 4));
	}
	for (unsigned int i = 0; i < 2; i++) {
		start();
		out(0x64, "\xd1", 1, 1);
		out(0x60, &data[i], 1, 1);
		EXPECT_EQ((pc.machine.end == END_RESET), !i);
		stop();
	}
}

/* C17: a port of the user's choice, for a guest that knows of no other */
TEST_OF(pc, C17_off_port)
{
	uint32_t value = 0;

	for (uint8_t size = 1; size <= 4; size *= 2) {
		start();
		config.off_port = 0xb004;
		pc_devices_destroy(&pc);
		memset(&pc.machine.ports, 0, sizeof(pc.machine.ports));
		EXPECT_FALSE(pc_devices(&pc, NULL));
		io(0xb004, KVM_EXIT_IO_IN, 1, 1);
		out(0xb003, &value, 1, 1);
		EXPECT_EQ(pc.machine.end, END_NONE);
		out(0xb004, &value, size, 1);
		EXPECT_EQ(pc.machine.end, END_POWER_OFF);
		stop();
	}
	EXPECT_EQ(end_by_port(0xb004, 1, 1), END_NONE);
}

/* The first reason counts, whatever comes after it. */
TEST_OF(pc, first_end)
{
	start();
	out(PVPANIC_PORT, "\x01", 1, 1);
	out(0x64, "\xfe", 1, 1);
	out(EXIT_PORT, "\x05", 1, 1);
	EXPECT_EQ(pc.machine.end, END_PANIC);
	EXPECT_FALSE(pc.machine.end_value);
	stop();
}

/* A string instruction is one exit; what nobody answers to is counted. */
TEST_OF(pc, access)
{
	char text[8] = "";
	int fds[2];

	start();
	EXPECT_FALSE(pipe(fds));
	pc.console.output = fds[1];
	out(UART_PORT, "boot", 1, 4);
	EXPECT_EQ(read(fds[0], text, sizeof(text)), 4);
	EXPECT_STREQ(text, "boot");
	io(0x2f8, KVM_EXIT_IO_IN, 4, 1);
	EXPECT_MEMEQ(area.bytes + DATA_OFFSET, "\xff\xff\xff\xff", 4);
	area.run.exit_reason = KVM_EXIT_MMIO;
	area.run.mmio.phys_addr = 0xfed00000;
	area.run.mmio.len = 200;
	area.run.mmio.is_write = 0;
	machine_exit(&pc.machine, &vcpu);
	EXPECT_EQ(area.run.mmio.data[0], 0xff);
	EXPECT_EQ(area.run.mmio.data[7], 0xff);
	EXPECT_EQ(pc.machine.counters.exits, 3);
	EXPECT_EQ(pc.machine.counters.stray_io, 2);
	close(fds[0]);
	close(fds[1]);
	stop();
}

/* What an emulated host takes for an event on its way is tried again, and no end. */
TEST_OF(pc, repeat)
{
	static const struct {
		bool emulated;
		uint32_t suberror;
		uint64_t before;
		enum end end;
	} cases[] = {
		{ true, KVM_INTERNAL_ERROR_DELIVERY_EV, 0, END_NONE },
		/* But not for ever, nor anything else, nor on another host. */
		{ true, KVM_INTERNAL_ERROR_DELIVERY_EV, 1000000, END_INTERNAL_ERROR },
		{ true, KVM_INTERNAL_ERROR_EMULATION, 0, END_INTERNAL_ERROR },
		{ false, KVM_INTERNAL_ERROR_DELIVERY_EV, 0, END_INTERNAL_ERROR },
	};

	ksft_for_each(c, cases) {
		start();
		area.run.exit_reason = KVM_EXIT_INTERNAL_ERROR;
		area.run.internal.suberror = c->suberror;
		pc.machine.emulated = c->emulated;
		pc.machine.counters.repeated = c->before;
		EXPECT_TRUE(machine_exit(&pc.machine, &vcpu));
		EXPECT_EQ(pc.machine.end, c->end);
		EXPECT_EQ(pc.machine.counters.repeated, c->before +
			  (c->emulated &&
			   c->suberror == KVM_INTERNAL_ERROR_DELIVERY_EV));
		stop();
	}
}

static struct calls regs_calls;
static uint64_t rip;

static int regs_ioctl(int fd, unsigned long request, void *arg)
{
	struct kvm_regs *regs = arg;

	if (request == KVM_GET_REGS)
		*regs = (struct kvm_regs){ .rip = rip };
	else if (request == KVM_SET_REGS)
		rip = regs->rip;
	else
		return -ENOTTY;
	return 0;
}

/* CPUID, the exit 0x72 of SVM, that KVM has carried out, and cannot step over. */
TEST_OF(pc, step)
{
	start();
	regs_calls = *calls;
	regs_calls.ioctl = regs_ioctl;
	calls = &regs_calls;
	rip = 0x1000;
	area.run.exit_reason = KVM_EXIT_INTERNAL_ERROR;
	area.run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	area.run.internal.ndata = 6;
	area.run.internal.data[1] = 0x72;
	EXPECT_TRUE(machine_exit(&pc.machine, &vcpu));
	EXPECT_EQ(pc.machine.end, END_NONE);
	EXPECT_EQ(rip, 0x1002);
	area.run.internal.data[1] = 0x73;
	machine_exit(&pc.machine, &vcpu);
	EXPECT_EQ(pc.machine.end, END_INTERNAL_ERROR);
	EXPECT_EQ(rip, 0x1002);
	stop();
}

/* Requests that cannot be met are the guest's problem, not an end. */
TEST_OF(pc, hypercall)
{
	start();
	area.run.exit_reason = KVM_EXIT_HYPERCALL;
	area.run.hypercall.nr = 4711;
	machine_exit(&pc.machine, &vcpu);
	EXPECT_EQ((int64_t)area.run.hypercall.ret, -KVM_ENOSYS);
	area.run.hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	area.run.hypercall.args[0] = 0x1000;
	area.run.hypercall.args[1] = 1;
	machine_exit(&pc.machine, &vcpu);
	EXPECT_EQ((int64_t)area.run.hypercall.ret, -KVM_EINVAL);
	EXPECT_EQ(pc.machine.counters.refused, 2);
	EXPECT_EQ(pc.machine.end, END_NONE);
	stop();
}

/* A hundred characters of two bytes */
#define A10 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10

static struct calls no_page_calls;

static int no_page_ioctl(int fd, unsigned long request, void *arg)
{
	return request == KVM_RUN ? -EFAULT : -ENOTTY;
}

/* The host has no page: why that may be depends on what the memory is. */
TEST_OF(pc, no_page_C11)
{
	static const struct {
		enum backing_kind kind;
		const char *path;
		const char *says;
	} cases[] = {
		{ BACKING_FILE, "/dir/file", "kind file, /dir/file: is its file system full" },
		{ BACKING_FILE, "/" A100 A100 A100, "\xc3\xa4: is its file system "
		  "full, or is the file shorter than it was?)" },
		{ BACKING_SHARED, NULL, "kind shared: is the host" },
		{ BACKING_HUGETLB, NULL, "kind hugetlb: has somebody taken" },
		{ BACKING_GMEM_STORE, NULL, "kind gmem-store: gmem refuses" },
	};

	ksft_for_each(c, cases) {
		struct memory_request request = { .kind = c->kind,
						  .path = c->path };

		start();
		range_lock_init(&pc.machine.memory.range_lock);
		pc.machine.config.memory.requests = &request;
		pc.machine.config.memory.nr_requests = 1;
		no_page_calls = *calls;
		no_page_calls.ioctl = no_page_ioctl;
		calls = &no_page_calls;
		EXPECT_FALSE(machine_run_vcpu(&pc.machine, &vcpu));
		EXPECT_EQ(pc.machine.end, END_MEMORY);
		EXPECT_STRSTR(pc.machine.report, c->says);
		range_lock_destroy(&pc.machine.memory.range_lock);
		stop();
	}
}
