// SPDX-License-Identifier: GPL-2.0
/* A conversion that waits when the machine is to pause, or to end. */
#include <linux/gmem.h>

#include "../base/calls.h"
#include "../kvm/abi.h"
#include "../machine/machine.h"
#include "pc_fake.h"
#include "ram.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE
#define TIMEOUT_MS 50
#define LONG_MS 60000

static struct machine machine;
static struct vcpu vcpu;
static union {
	struct kvm_run run;
	uint8_t bytes[2 * PAGE];
} area;

/* A signal every 10 ms while @interrupts of them are left */
static unsigned int interrupts, converts;
static uint32_t last_ms;
static struct calls held_calls;
static const struct calls *fake;

static int held_ioctl(int fd, unsigned long request, void *arg)
{
	const struct gmem_ioctl_convert *convert = arg;

	if (request != GMEM_IOCTL_CONVERT)
		return fake->ioctl(fd, request, arg);
	EXPECT_TRUE(!converts++ || convert->timeout_ms < last_ms || !last_ms);
	last_ms = convert->timeout_ms;
	if (!interrupts)
		return fake->ioctl(fd, request, arg);
	/* gmem looks for signals before it finds that there is no time. */
	interrupts--;
	usleep(10000);
	return -EINTR;
}

static void start(unsigned int count, bool pausing, uint32_t timeout_ms)
{
	struct machine_config config = { 0 };

	ram_start_two(BACKING_GMEM_STORE, BACKING_GMEM_STORE);
	fake = calls;
	held_calls = *calls;
	held_calls.ioctl = held_ioctl;
	calls = &held_calls;
	interrupts = count;
	converts = 0;
	memset(&area, 0, sizeof(area));
	ram.config.convert_timeout_ms = timeout_ms;
	config.memory = ram.config;
	EXPECT_TRUE(machine_fake_start(&machine, &config));
	machine.threads.stopping = true;
	machine_pause(&machine, pausing);
	vcpu = (struct vcpu){ .fd = -1, .run = &area.run };
}

static int64_t hypercall(void)
{
	area.run.exit_reason = KVM_EXIT_HYPERCALL;
	area.run.hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	area.run.hypercall.args[0] = PAGE;
	area.run.hypercall.args[1] = 2;
	area.run.hypercall.args[2] = 0x10;
	machine_exit(&machine, &vcpu);
	return (int64_t)area.run.hypercall.ret;
}

static void memory_fault(void)
{
	struct kvm_exit_memory_fault *fault = (void *)area.run.padding;

	area.run.exit_reason = KVM_EXIT_MEMORY_FAULT;
	fault->flags = KVM_MEMORY_EXIT_FLAG_PRIVATE;
	fault->gpa = PAGE;
	fault->size = PAGE;
	machine_exit(&machine, &vcpu);
}

/* The guest goes on afterwards, and must not notice. */
TEST_OF(pause, convert)
{
	start(2, true, LONG_MS);
	EXPECT_FALSE(hypercall());
	EXPECT_EQ(converts, 3);
	EXPECT_FALSE(machine.counters.refused);
	EXPECT_TRUE(guest_memfd_is_private(&machine.memory.memfd, PAGE));
	machine_fake_stop(&machine);
	start(2, true, LONG_MS);
	memory_fault();
	EXPECT_EQ(machine.end, END_NONE);
	EXPECT_EQ(machine.counters.implicit, 1);
	machine_fake_stop(&machine);
}

/* Nor does it take longer than without the signals. */
TEST_OF(pause, timeout)
{
	start(1000, true, TIMEOUT_MS);
	EXPECT_EQ(hypercall(), -EAGAIN);
	EXPECT_FALSE(last_ms);
	EXPECT_LE(converts, TIMEOUT_MS / 10 + 2);
	machine_fake_stop(&machine);
}

/* Whoever ends it, because of a signal for instance, says why. */
TEST_OF(pause, end)
{
	start(1000, false, LONG_MS);
	memory_fault();
	EXPECT_EQ(converts, 1);
	EXPECT_EQ(machine.end, END_NONE);
	machine_fake_stop(&machine);
	start(1000, true, LONG_MS);
	machine_end(&machine, END_STOPPED, NULL);
	memory_fault();
	EXPECT_EQ(converts, 1);
	EXPECT_EQ(machine.end, END_STOPPED);
	EXPECT_FALSE(guest_memfd_is_private(&machine.memory.memfd, PAGE));
	machine_fake_stop(&machine);
}
