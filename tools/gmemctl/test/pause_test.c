// SPDX-License-Identifier: GPL-2.0
/* A conversion that waits when the machine is to pause, or to end. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/gmem.h>

#include "../base/calls.h"
#include "../kvm/abi.h"
#include "../machine/machine.h"
#include "kvm_fake.h"
#include "two_requests.h"
#include "unit.h"

#define PAGE RANGE_PAGE_SIZE
#define TIMEOUT_MS 50

static struct two_requests asked;
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
	CHECK(!converts++ || convert->timeout_ms < last_ms || !last_ms);
	last_ms = convert->timeout_ms;
	if (!interrupts)
		return fake->ioctl(fd, request, arg);
	/* gmem looks for signals before it finds that there is no time. */
	interrupts--;
	usleep(10000);
	return -EINTR;
}

static int no_loop(void *data, struct vcpu *unused)
{
	(void)data;
	(void)unused;
	return 0;
}

static void start(unsigned int count, bool pausing)
{
	kvm_fake_start();
	fake = calls;
	held_calls = *calls;
	held_calls.ioctl = held_ioctl;
	calls = &held_calls;
	interrupts = count;
	converts = 0;
	memset(&machine, 0, sizeof(machine));
	memset(&area, 0, sizeof(area));
	two_requests_init(&asked, BACKING_GMEM_STORE, BACKING_GMEM_STORE);
	asked.config.convert_timeout_ms = TIMEOUT_MS;
	machine.vm = kvm_fake.vm;
	pthread_mutex_init(&machine.lock, NULL);
	CHECK(!threads_init(&machine.threads, no_loop, &machine, NULL));
	CHECK(!guest_memory_create(&machine.memory, &asked.config, &machine.vm,
				   0, NULL));
	CHECK(!guest_memory_attach(&machine.memory, NULL));
	machine.threads.stopping = true;
	machine_pause(&machine, pausing);
	vcpu = (struct vcpu){ .fd = -1, .run = &area.run };
}

static void stop(void)
{
	guest_memory_destroy(&machine.memory);
	threads_destroy(&machine.threads);
	pthread_mutex_destroy(&machine.lock);
	calls = &calls_system;
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
static void test_pause_convert(void)
{
	start(2, true);
	CHECK(!hypercall() && converts == 3 && !machine.counters.refused);
	CHECK(guest_memfd_is_private(&machine.memory.memfd, PAGE));
	stop();
	start(2, true);
	memory_fault();
	CHECK(machine.end == END_NONE && machine.counters.implicit == 1);
	stop();
}

/* Nor does it take longer than without the signals. */
static void test_pause_timeout(void)
{
	start(1000, true);
	CHECK_EQ(hypercall(), -EAGAIN);
	CHECK(!last_ms && converts <= TIMEOUT_MS / 10 + 2);
	stop();
}

/* Whoever ends it, because of a signal for instance, says why. */
static void test_pause_end(void)
{
	start(1000, false);
	memory_fault();
	CHECK(converts == 1 && machine.end == END_NONE);
	stop();
	start(1000, true);
	machine_end(&machine, END_STOPPED, NULL);
	memory_fault();
	CHECK(converts == 1 && machine.end == END_STOPPED);
	CHECK(!guest_memfd_is_private(&machine.memory.memfd, PAGE));
	stop();
}

static const struct unit_test tests[] = {
	{ "pause.convert", test_pause_convert },
	{ "pause.timeout", test_pause_timeout },
	{ "pause.end", test_pause_end },
};

UNIT_TESTS(tests)
