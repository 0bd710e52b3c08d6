// SPDX-License-Identifier: GPL-2.0
/* Running a machine: each vCPU until the end, and which end that is. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "../base/clock.h"
#include "../kvm/vcpu.h"
#include "machine.h"

/* A guest whose stack is a device would do it for ever. */
#define REPEATED_MAX 1000000

/* What it has come back for, and its registers, where they say something. */
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
 * An access to a device while an event was being delivered is none that KVM emulates,
 * says Linux 7. The SVM that QEMU emulates says so of accesses that have nothing to do
 * with an event. Entered again, the guest gets the event first, and comes back with the
 * same access.
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

	/* No device is there, but memory that KVM cannot reach. */
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
	/* Nor is one here: KVM emulates an instruction whose operand is a guard page. */
	if (!answered && advice_denies(&machine->advice, run->mmio.phys_addr)) {
		exit_describe(vcpu, what, sizeof(what));
		return machine_end(machine, END_MEMORY, "vCPU %u: %s: memory that the "
				   "guest has protected from access", vcpu->index, what);
	}
	machine_exit_stray(machine, vcpu, answered);
}

/*
 * Signals come every now and then until the vCPU has stopped, and each begins
 * the conversion anew: all of it takes the timeout, and no more.
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
		/* Nobody waits for the result any more. A guest that is paused does. */
		if (threads_stopping(&machine->threads) &&
		    (machine_ended(machine) || !machine_pausing(machine)))
			return rc;
		/* It would be interrupted again and again. */
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

/* Without the lock: each exit of each vCPU comes by here. */
bool machine_ended(const struct machine *machine)
{
	return __atomic_load_n(&machine->end, __ATOMIC_ACQUIRE) != END_NONE;
}

void machine_pause(struct machine *machine, bool pausing)
{
	machine->pausing = pausing;
	/* With the lock: later on this would end a run that is to go on. */
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
 * KVM could not reach a page, or found the attribute other than a moment before
 * (a memory fault). If a conversion went on at the same time, that is why, and
 * the access has to be repeated once it is over: converting the page for the
 * sake of a fault that is stale would undo what the guest has asked for. A
 * conversion that had ended before the guest was entered cannot be why.
 */
static bool fault_met_conversion(struct machine *machine, uint64_t converted)
{
	if (range_lock_wait_idle(&machine->memory.range_lock) == converted)
		return false;
	machine_count(&machine->counters.waited, 1);
	return true;
}

/* CPUs that nobody has started yet come back with EAGAIN. */
int machine_run_vcpu(void *data, struct vcpu *vcpu)
{
	struct machine *machine = data;
	struct view_watch watch;
	bool halted = false;

	view_watch_start(&watch, machine);
	while (!halted && !threads_stopping(&machine->threads) && !machine_ended(machine)) {
		uint64_t converted = range_lock_ended(&machine->memory.range_lock);
		int rc = vcpu_run(vcpu);
		/* KVM says so in two ways: with a memory fault, or without a word. */
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

	/* What is in memory before the guest runs: it is loaded, or restored, by now. */
	if (!machine->filled)
		rc = guest_memory_fill_views(&machine->memory, NULL);
	machine->filled = !rc;
	stuck_start(machine);
	if (!rc)
		rc = threads_run(&machine->threads, machine->config.run_timeout_s);
	stuck_stop(machine);
	pausing = machine_pausing(machine);

	/* A signal and a pause may come together. */
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
