// SPDX-License-Identifier: GPL-2.0
/* Runs the vCPUs of a machine until its end, and finds out why it has ended. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "../base/clock.h"
#include "../kvm/vcpu.h"
#include "machine.h"

/* Limit: a guest whose stack is in a device would repeat such an access without end. */
#define REPEATED_MAX 1000000

/* Describe the exit, and the registers if the machine type supports that. */
static size_t report(struct machine *machine, struct vcpu *vcpu, char *text, size_t size)
{
	size_t used;

	exit_describe(vcpu, text, size);
	machine_trace(machine, vcpu, "%s", text);
	used = strlen(text);
	if (machine->type->registers)
		machine->type->registers(vcpu, text + used, size - used);
	return strlen(text);
}

void machine_exit_fatal(struct machine *machine, struct vcpu *vcpu, enum end end)
{
	char text[MACHINE_REPORT_MAX];

	report(machine, vcpu, text, sizeof(text));
	machine_end(machine, end, "vCPU %u: %s", vcpu->index, text);
}

/*
 * Since Linux 7 KVM does not emulate an access to a device during the delivery of an event.
 * With the SVM that QEMU emulates, it also reports that for accesses unrelated to an event.
 * If the guest is entered again it gets the event, and then repeats the access.
 *
 * With private memory the likely reason is an instruction that KVM cannot read.
 */
static void exit_internal_error(struct machine *machine, struct vcpu *vcpu)
{
	char text[MACHINE_REPORT_MAX];
	size_t used;

	if (machine->emulated && vcpu->run->internal.suberror == KVM_INTERNAL_ERROR_DELIVERY_EV &&
	    __atomic_add_fetch(&machine->counters.repeated, 1, __ATOMIC_RELAXED) <= REPEATED_MAX)
		return;
	if (machine->type->step && machine->type->step(vcpu))
		return;
	used = report(machine, vcpu, text, sizeof(text));
	view_explain(machine, vcpu, text + used, sizeof(text) - used);
	machine_end(machine, END_INTERNAL_ERROR, "vCPU %u: %s", vcpu->index, text);
}

void machine_exit_stray(struct machine *machine, struct vcpu *vcpu, bool answered)
{
	char text[128];

	if (answered)
		return;
	exit_describe(vcpu, text, sizeof(text));
	machine_trace(machine, vcpu, "no device there: %s", text);
	machine_count(&machine->counters.stray_io, 1);
}

static void exit_mmio(struct machine *machine, struct vcpu *vcpu)
{
	char text[MACHINE_REPORT_MAX - 256], what[128];
	struct kvm_run *run = vcpu->run;
	size_t size = run->mmio.len;
	bool answered;

	/* The address is not a device, but private memory, which KVM cannot access. */
	if (view_is_private_access(machine, run->mmio.phys_addr)) {
		exit_describe(vcpu, what, sizeof(what));
		view_explain(machine, vcpu, text, sizeof(text));
		return machine_end(machine, END_MEMORY, "vCPU %u: %s: private memory, "
				   "which KVM cannot access itself%s", vcpu->index, what, text);
	}
	if (size > sizeof(run->mmio.data))
		size = sizeof(run->mmio.data);
	if (run->mmio.is_write)
		answered = bus_write(&machine->mmio, run->mmio.phys_addr, run->mmio.data, size);
	else
		answered = bus_read(&machine->mmio, run->mmio.phys_addr, run->mmio.data, size);
	/* Not a device either: KVM emulates an instruction with an operand in protected memory. */
	if (!answered && advice_denies(&machine->advice, run->mmio.phys_addr)) {
		exit_describe(vcpu, what, sizeof(what));
		return machine_end(machine, END_MEMORY, "vCPU %u: %s: memory that the "
				   "guest has protected from access", vcpu->index, what);
	}
	machine_exit_stray(machine, vcpu, answered);
}

/*
 * Convert, and repeat after EINTR. threads_join() repeats its signal until the vCPU has stopped,
 * and each one restarts the conversion. All attempts together have one timeout.
 */
static int convert_repeat(struct machine *machine, struct range what,
			  bool to_private, char *why, size_t why_size)
{
	uint32_t all_ms = machine->memory.config->convert_timeout_ms;
	uint64_t start = clock_now_ns(), took_ms;
	uint32_t left_ms = all_ms;
	int rc;

	while (1) {
		rc = guest_memory_convert_within(&machine->memory, what, to_private, left_ms, why,
						 why_size);
		if (rc != -EINTR)
			return rc;
		/* The machine ends. A guest that is only paused still needs the result. */
		if (threads_stopping(&machine->threads) &&
		    (machine_ended(machine) || !machine_pausing(machine)))
			return rc;
		/* No time is left, and signals would interrupt every further attempt. */
		if (!left_ms && all_ms && machine_pausing(machine))
			return -EAGAIN;
		took_ms = (clock_now_ns() - start) / 1000000;
		left_ms = took_ms < all_ms ? all_ms - (uint32_t)took_ms : 0;
	}
}

int machine_convert(struct machine *machine, struct vcpu *vcpu, struct range what, bool to_private,
		    char *why, size_t why_size)
{
	struct machine_counters *counters = &machine->counters;
	uint64_t start = clock_now_ns(), took;
	int rc;

	rc = convert_repeat(machine, what, to_private, why, why_size);
	took = clock_now_ns() - start;
	if (!rc) {
		pthread_mutex_lock(&machine->lock);
		rate_add(&machine->rate, start + took);
		pthread_mutex_unlock(&machine->lock);
		machine_count(&counters->conversions, 1);
		machine_count(&counters->conversion_ns, took);
		machine_count(&counters->converted_bytes, range_size(what));
	}
	machine_trace(machine, vcpu, "gpa 0x%" PRIx64 " + 0x%" PRIx64 " to %s: %s (%" PRIu64 " us)",
		      what.start, range_size(what), to_private ? "private" : "shared",
		      rc ? why : "done", took / 1000);
	return rc;
}

void machine_exit_event(struct machine *machine, struct vcpu *vcpu)
{
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return machine_exit_fatal(machine, vcpu, END_POWER_OFF);
	case KVM_SYSTEM_EVENT_RESET:
		return machine_exit_fatal(machine, vcpu, END_RESET);
	case KVM_SYSTEM_EVENT_CRASH:
		return machine_exit_fatal(machine, vcpu, END_PANIC);
	default:
		return machine_exit_fatal(machine, vcpu, END_SYSTEM_EVENT);
	}
}

static void exit_interrupted(struct machine *machine, struct vcpu *vcpu)
{
}

static void exit_fail_entry(struct machine *machine, struct vcpu *vcpu)
{
	machine_exit_fatal(machine, vcpu, END_ENTRY_FAILED);
}

static const struct machine_exit exits[] = {
	{ KVM_EXIT_MMIO,		exit_mmio },
	{ KVM_EXIT_INTR,		exit_interrupted },
	{ KVM_EXIT_SYSTEM_EVENT,	machine_exit_event },
	{ KVM_EXIT_FAIL_ENTRY,		exit_fail_entry },
	{ 0 }
};

static bool exit_serve(const struct machine_exit *exit, struct machine *machine, struct vcpu *vcpu)
{
	while (exit->serve && exit->reason != vcpu->run->exit_reason)
		exit++;
	if (exit->serve)
		exit->serve(machine, vcpu);
	return exit->serve;
}

bool machine_exit(struct machine *machine, struct vcpu *vcpu)
{
	machine_count(&machine->counters.exits, 1);
	if (vcpu->run->exit_reason == KVM_EXIT_HLT) {
		machine_trace(machine, vcpu, "halted");
		return false;
	}
	if (!exit_serve(machine->type->exits, machine, vcpu) && !exit_serve(exits, machine, vcpu))
		exit_internal_error(machine, vcpu);
	return true;
}

void machine_end(struct machine *machine, enum end how, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&machine->lock);
	if (machine->end == END_NONE) {
		if (format) {
			va_start(args, format);
			vsnprintf(machine->report, sizeof(machine->report), format, args);
			va_end(args);
		}
		__atomic_store_n(&machine->end, how, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&machine->lock);
	threads_end(&machine->threads);
}

void machine_end_test(struct machine *machine, uint32_t value)
{
	pthread_mutex_lock(&machine->lock);
	if (machine->end == END_NONE) {
		machine->end_value = value;
		snprintf(machine->report, sizeof(machine->report), "value %u", value);
		__atomic_store_n(&machine->end, END_EXIT_PORT, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&machine->lock);
	threads_end(&machine->threads);
}

/* Lock-free, because each exit of each vCPU calls it. */
bool machine_ended(const struct machine *machine)
{
	return __atomic_load_n(&machine->end, __ATOMIC_ACQUIRE) != END_NONE;
}

void machine_pause(struct machine *machine, bool pausing)
{
	machine->pausing = pausing;
	/* The caller holds the lock: after a later unpause this would stop the next run. */
	if (pausing)
		threads_end(&machine->threads);
}

bool machine_pausing(struct machine *machine)
{
	bool pausing;

	pthread_mutex_lock(&machine->lock);
	pausing = machine->pausing;
	pthread_mutex_unlock(&machine->lock);
	return pausing;
}

/*
 * Whether a concurrent conversion has caused a fault: KVM could not access a page, or
 * its attribute has changed (a memory fault). Then the access is repeated after the
 * conversion. To convert the page because of a stale fault would undo what the guest
 * has requested. A conversion that has ended before the guest was entered is not the
 * cause: @converted is the number of those.
 */
static bool fault_met_conversion(struct machine *machine, uint64_t converted)
{
	if (range_lock_wait_idle(&machine->memory.range_lock) == converted)
		return false;
	machine_count(&machine->counters.waited, 1);
	return true;
}

/* KVM_RUN returns EAGAIN for a vCPU that the guest has not started yet. */
int machine_run_vcpu(void *data, struct vcpu *vcpu)
{
	struct machine *machine = data;
	struct view_watch watch;
	bool halted = false;

	view_watch_start(&watch, machine);
	while (!halted && !threads_stopping(&machine->threads) && !machine_ended(machine)) {
		uint64_t converted = range_lock_ended(&machine->memory.range_lock);
		int rc = vcpu_run(vcpu);
		/* KVM reports a fault with a memory fault exit, or only with EFAULT. */
		bool fault = rc ? rc == -EFAULT :
				  vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT;

		stuck_look(machine, vcpu);
		if (rc == -EINTR || rc == -EAGAIN ||
		    (fault && (view_fault_answer(&watch, machine, vcpu) ||
			       fault_met_conversion(machine, converted))))
			continue;
		if (rc)
			machine->type->failed(machine, vcpu, rc);
		else
			halted = !machine_exit(machine, vcpu);
	}
	return 0;
}

int machine_prepare(struct machine *machine, struct error *error)
{
	machine->end = END_NONE;
	machine->end_value = 0;
	machine->report[0] = '\0';
	machine->refusal[0] = '\0';
	return threads_prepare(&machine->threads, error);
}

void machine_run(struct machine *machine)
{
	bool pausing;
	int rc = 0;

	/* Once: put the pages of the loaded or restored guest into the views. */
	if (!machine->filled)
		rc = guest_memory_fill_views(&machine->memory, NULL);
	machine->filled = !rc;
	stuck_start(machine);
	if (!rc)
		rc = threads_run(&machine->threads, machine->config.run_timeout_s);
	stuck_stop(machine);
	pausing = machine_pausing(machine);

	/* A signal may arrive together with a pause, and then threads_run() returns 0. */
	if (rc == -EINTR || (pausing && machine->threads.signalled))
		machine_end(machine, END_SIGNAL, NULL);
	else if (rc == -ETIME)
		machine_end(machine, END_TIMEOUT, NULL);
	else if (rc)
		machine_end(machine, END_FAILED, machine->filled ?
			    "threads of the vCPUs: %s" :
			    "views of guest memory: %s", strerror(-rc));
	else if (!pausing)
		machine_end(machine, END_HALTED, NULL);
}
