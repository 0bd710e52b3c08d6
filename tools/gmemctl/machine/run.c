// SPDX-License-Identifier: GPL-2.0
/* Running a machine: each vCPU until the end, and which end that is. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "../base/text.h"
#include "../kvm/exits.h"
#include "machine.h"
#include "view_fault.h"

void machine_end(struct machine *machine, enum end how, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&machine->lock);
	if (machine->end == END_NONE) {
		machine->end = how;
		if (format) {
			va_start(args, format);
			vsnprintf(machine->report, sizeof(machine->report),
				  format, args);
			va_end(args);
		}
	}
	pthread_mutex_unlock(&machine->lock);
	threads_end(&machine->threads);
}

void machine_end_test(struct machine *machine, uint32_t value)
{
	pthread_mutex_lock(&machine->lock);
	if (machine->end == END_NONE) {
		machine->end = END_EXIT_PORT;
		machine->end_value = value;
		snprintf(machine->report, sizeof(machine->report), "value %u",
			 value);
	}
	pthread_mutex_unlock(&machine->lock);
	threads_end(&machine->threads);
}

bool machine_ended(struct machine *machine)
{
	bool ended;

	pthread_mutex_lock(&machine->lock);
	ended = machine->end != END_NONE;
	pthread_mutex_unlock(&machine->lock);
	return ended;
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
static bool run_met_conversion(struct machine *machine, struct vcpu *vcpu,
			       int rc, uint64_t converted)
{
	if (rc ? rc != -EFAULT : vcpu->run->exit_reason != KVM_EXIT_MEMORY_FAULT)
		return false;
	if (turns_wait_idle(&machine->memory.turns) == converted)
		return false;
	__atomic_add_fetch(&machine->counters.waited, 1, __ATOMIC_RELAXED);
	return true;
}

/* KVM says so in two ways: with a memory fault, or without a word. */
static bool run_met_view(struct view_watch *watch, struct machine *machine,
			 struct vcpu *vcpu, int rc)
{
	if (rc ? rc != -EFAULT : vcpu->run->exit_reason != KVM_EXIT_MEMORY_FAULT)
		return false;
	return view_fault_answer(watch, machine, vcpu);
}

/* Why the host has no page for the guest, by what the memory is. */
static const char *fault_text(const struct memory_request *request)
{
	switch (request->kind) {
	case BACKING_FILE:
		return "is its file system full, or is the file shorter than it "
		       "was?";
	case BACKING_HUGETLB:
		return "has somebody taken the huge pages that were given back?";
	case BACKING_GMEM:
	case BACKING_GMEM_STORE:
		return "gmem refuses what is private for gmem, but not for KVM";
	default:
		return "is the host, or the memory cgroup, short of memory?";
	}
}

static void run_failed(struct machine *machine, struct vcpu *vcpu, int rc)
{
	const struct memory_config *memory = &machine->config.memory;
	const struct memory_request *request = memory->requests;
	char path[256] = "", why[512] = "", registers[1024];

	if (memory->nr_requests && request->path)
		text_print(path, sizeof(path), ", %s", request->path);
	if (rc == -EFAULT && memory->nr_requests)
		snprintf(why, sizeof(why), " (the host has no page for the guest "
			 "in memory of kind %s%s: %s)",
			 backing_kind_name(request->kind), path,
			 fault_text(request));
	exit_registers(vcpu, registers, sizeof(registers));
	machine_end(machine, rc == -EFAULT || rc == -EHWPOISON ? END_MEMORY :
		    END_FAILED, "vCPU %u: KVM_RUN: %s%s%s", vcpu->index,
		    strerror(-rc), why, registers);
}

/* CPUs that nobody has started yet come back with EAGAIN. */
int machine_run_vcpu(void *data, struct vcpu *vcpu)
{
	struct machine *machine = data;
	struct view_watch watch;
	bool halted = false;

	view_watch_start(&watch, machine);
	while (!halted && !threads_stopping(&machine->threads) &&
	       !machine_ended(machine)) {
		uint64_t converted = turns_ended(&machine->memory.turns);
		int rc = vcpu_run(vcpu);

		stuck_look(machine, vcpu);
		if (rc == -EINTR || rc == -EAGAIN ||
		    run_met_view(&watch, machine, vcpu, rc) ||
		    run_met_conversion(machine, vcpu, rc, converted))
			continue;
		if (rc)
			run_failed(machine, vcpu, rc);
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

/* What is in memory before the guest runs: it is loaded, or restored, by now. */
static int run_fill_views(struct machine *machine)
{
	int rc = machine->filled ? 0 :
		 guest_memory_fill_views(&machine->memory, NULL);

	machine->filled = !rc;
	return rc;
}

void machine_run(struct machine *machine)
{
	int rc = run_fill_views(machine);
	bool pausing;

	stuck_start(machine);
	if (!rc)
		rc = threads_run(&machine->threads,
				 machine->config.run_timeout_s);
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
