// SPDX-License-Identifier: GPL-2.0
/* Running a machine: each vCPU until the end, and which end that is. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "../kvm/exits.h"
#include "../kvm/slot.h"
#include "machine.h"
#include "snp.h"
#include "view_fault.h"

#define WHY_MAX 256

/* A guest whose stack is a device would do it for ever. */
#define REPEATED_MAX 1000000

static void exit_count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void exit_fatal(struct machine *machine, struct vcpu *vcpu, enum end end)
{
	char text[MACHINE_REPORT_MAX];

	exit_report(vcpu, text, sizeof(text));
	machine_end(machine, end, "vCPU %u: %s", vcpu->index, text);
}

/*
 * An access to a device while an event was being delivered is none that KVM emulates,
 * says Linux 7. The SVM that QEMU emulates says so of accesses that have nothing to do
 * with an event. Entered again, the guest gets the event first, and comes back with the
 * same access.
 */
static bool exit_repeat(struct machine *machine, struct vcpu *vcpu)
{
	if (!machine->emulated || vcpu->run->internal.suberror !=
				  KVM_INTERNAL_ERROR_DELIVERY_EV)
		return false;
	return __atomic_add_fetch(&machine->counters.repeated, 1,
				  __ATOMIC_RELAXED) <= REPEATED_MAX;
}

/* With private memory the likely reason is an instruction that KVM cannot read. */
static void exit_internal_error(struct machine *machine, struct vcpu *vcpu)
{
	char text[MACHINE_REPORT_MAX];
	size_t used;

	if (exit_repeat(machine, vcpu))
		return;
	exit_report(vcpu, text, sizeof(text));
	used = strlen(text);
	view_explain(machine, vcpu, text + used, sizeof(text) - used);
	machine_end(machine, END_INTERNAL_ERROR, "vCPU %u: %s", vcpu->index, text);
}

static void exit_stray(struct machine *machine, struct vcpu *vcpu,
		       bool answered)
{
	char text[128];

	if (answered)
		return;
	exit_describe(vcpu, text, sizeof(text));
	machine_trace(machine, vcpu, "no device there: %s", text);
	exit_count(&machine->counters.stray_io);
}

/* A string instruction comes as several accesses to the same port. */
static void exit_io(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool answered = true;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			answered = bus_write(&machine->ports, run->io.port, data,
					     run->io.size);
		else
			answered = bus_read(&machine->ports, run->io.port, data,
					    run->io.size);
	}
	exit_stray(machine, vcpu, answered);
}

/* No device is there, but memory that KVM cannot reach. */
static void exit_private_operand(struct machine *machine, struct vcpu *vcpu)
{
	char text[MACHINE_REPORT_MAX - 256], what[128];

	exit_describe(vcpu, what, sizeof(what));
	view_explain(machine, vcpu, text, sizeof(text));
	machine_end(machine, END_MEMORY, "vCPU %u: %s: private memory, which KVM "
		    "cannot access itself%s", vcpu->index, what, text);
}

/* Nor is one here: KVM emulates an instruction whose operand is a guard page. */
static void exit_denied_operand(struct machine *machine, struct vcpu *vcpu)
{
	char what[128];

	exit_describe(vcpu, what, sizeof(what));
	machine_end(machine, END_MEMORY, "vCPU %u: %s: memory that the guest has "
		    "protected from access", vcpu->index, what);
}

static void exit_mmio(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	size_t size = run->mmio.len;
	bool answered;

	if (view_is_private_access(machine, run->mmio.phys_addr))
		return exit_private_operand(machine, vcpu);
	if (size > sizeof(run->mmio.data))
		size = sizeof(run->mmio.data);
	if (run->mmio.is_write)
		answered = bus_write(&machine->mmio, run->mmio.phys_addr,
				     run->mmio.data, size);
	else
		answered = bus_read(&machine->mmio, run->mmio.phys_addr,
				    run->mmio.data, size);
	if (!answered && advice_denies(&machine->advice, run->mmio.phys_addr))
		return exit_denied_operand(machine, vcpu);
	exit_stray(machine, vcpu, answered);
}

/* Whether nobody waits for the result any more. A guest that is paused does. */
static bool convert_abandoned(struct machine *machine)
{
	return threads_stopping(&machine->threads) &&
	       (machine_ended(machine) || !machine_pausing(machine));
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
		rc = guest_memory_convert_within(&machine->memory, what,
						 to_private, left_ms, why,
						 why_size);
		if (rc != -EINTR || convert_abandoned(machine))
			return rc;
		/* It would be interrupted again and again. */
		if (!left_ms && all_ms && machine_pausing(machine))
			return -EAGAIN;
		took_ms = (clock_now_ns() - start) / 1000000;
		left_ms = took_ms < all_ms ? all_ms - (uint32_t)took_ms : 0;
	}
}

int machine_convert(struct machine *machine, struct vcpu *vcpu,
		    struct range what, bool to_private, char *why,
		    size_t why_size)
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
		exit_count(&counters->conversions);
		__atomic_add_fetch(&counters->conversion_ns, took,
				   __ATOMIC_RELAXED);
		__atomic_add_fetch(&counters->converted_bytes, range_size(what),
				   __ATOMIC_RELAXED);
	}
	machine_trace(machine, vcpu, "gpa 0x%" PRIx64 " + 0x%" PRIx64
		      " to %s: %s (%" PRIu64 " us)", what.start,
		      range_size(what), to_private ? "private" : "shared",
		      rc ? why : "done", took / 1000);
	return rc;
}

/* Kept for the report, in case the guest cannot do without. */
static void exit_note(struct machine *machine, const struct map_gpa *map,
		      const char *why)
{
	pthread_mutex_lock(&machine->lock);
	snprintf(machine->refusal, sizeof(machine->refusal),
		 "gpa 0x%" PRIx64 " + 0x%" PRIx64 " to %s: %s", map->gpa,
		 map->size, map->to_private ? "private" : "shared", why);
	pthread_mutex_unlock(&machine->lock);
}

/* The guest's own range of errors: KVM_EINVAL and its like are errno values. */
static int64_t hypercall_map_gpa(struct machine *machine, struct vcpu *vcpu,
				 const uint64_t args[3])
{
	char why[WHY_MAX] = "";
	const char *refusal;
	struct map_gpa map;
	int rc;

	rc = map_gpa_check(&machine->vm.slots, args, &map, &refusal);
	if (rc) {
		machine_trace(machine, vcpu, "MAP_GPA_RANGE refused: %s", refusal);
		return -KVM_EINVAL;
	}
	rc = machine_convert(machine, vcpu,
			     (struct range){ map.gpa, map.gpa + map.size },
			     map.to_private, why, sizeof(why));
	if (rc)
		exit_note(machine, &map, why);
	return rc;
}

static void exit_hypercall(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint64_t args[3] = {
		run->hypercall.args[0],
		run->hypercall.args[1],
		run->hypercall.args[2],
	};
	int64_t result = -KVM_ENOSYS;

	if (run->hypercall.nr == KVM_HC_MAP_GPA_RANGE)
		result = hypercall_map_gpa(machine, vcpu, args);
	else
		machine_trace(machine, vcpu, "hypercall %" PRIu64 " refused",
			      (uint64_t)run->hypercall.nr);
	if (result)
		exit_count(&machine->counters.refused);
	/* KVM takes few values for an SNP guest, which sees an error or none. */
	if (result && machine->config.snp)
		result = EINVAL;
	run->hypercall.ret = (uint64_t)result;
}

/*
 * The guest has accessed memory in a way that does not fit its state. Where
 * its page is not what the access needs, that is a conversion without a
 * request; where it is, converting again would never end.
 */
static void exit_memory_fault(struct machine *machine, struct vcpu *vcpu)
{
	const struct kvm_exit_memory_fault *fault = kvm_run_memory_fault(vcpu->run);
	bool to_private = fault->flags & KVM_MEMORY_EXIT_FLAG_PRIVATE;
	uint64_t gpa = fault->gpa & ~(GUEST_PAGE_SIZE - 1);
	char why[WHY_MAX] = "";
	int rc;

	if (fault->flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE ||
	    !slot_covers_private(&machine->vm.slots, gpa, GUEST_PAGE_SIZE) ||
	    guest_memfd_is_private(&machine->memory.memfd, gpa) == to_private)
		return exit_fatal(machine, vcpu, END_MEMORY);
	rc = machine_convert(machine, vcpu,
			     (struct range){ gpa, gpa + GUEST_PAGE_SIZE },
			     to_private, why, sizeof(why));
	/* The machine is to end, but not because of this. */
	if (rc == -EINTR)
		return;
	if (rc)
		return machine_end(machine, END_MEMORY, "gpa 0x%" PRIx64
				   ": conversion without a request: %s", gpa,
				   why);
	exit_count(&machine->counters.implicit);
}

static void exit_system_event(struct machine *machine, struct vcpu *vcpu)
{
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return exit_fatal(machine, vcpu, END_POWER_OFF);
	case KVM_SYSTEM_EVENT_RESET:
		return exit_fatal(machine, vcpu, END_RESET);
	case KVM_SYSTEM_EVENT_CRASH:
		return exit_fatal(machine, vcpu, END_PANIC);
	case KVM_SYSTEM_EVENT_SEV_TERM:
		return machine_snp_terminate(machine, vcpu);
	default:
		return exit_fatal(machine, vcpu, END_SYSTEM_EVENT);
	}
}

static void exit_interrupted(struct machine *machine, struct vcpu *vcpu)
{
	(void)machine;
	(void)vcpu;
}

static void exit_shutdown(struct machine *machine, struct vcpu *vcpu)
{
	exit_fatal(machine, vcpu, END_TRIPLE_FAULT);
}

static void exit_fail_entry(struct machine *machine, struct vcpu *vcpu)
{
	exit_fatal(machine, vcpu, END_ENTRY_FAILED);
}

static const struct {
	uint32_t reason;
	void (*serve)(struct machine *machine, struct vcpu *vcpu);
} exits[] = {
	{ KVM_EXIT_IO,			exit_io },
	{ KVM_EXIT_MMIO,		exit_mmio },
	{ KVM_EXIT_HYPERCALL,		exit_hypercall },
	{ KVM_EXIT_MEMORY_FAULT,	exit_memory_fault },
	{ KVM_EXIT_INTR,		exit_interrupted },
	{ KVM_EXIT_SHUTDOWN,		exit_shutdown },
	{ KVM_EXIT_SYSTEM_EVENT,	exit_system_event },
	{ KVM_EXIT_FAIL_ENTRY,		exit_fail_entry },
	{ KVM_EXIT_AP_RESET_HOLD,	machine_snp_hold },
	{ KVM_EXIT_SNP_REQ_CERTS,	machine_snp_certs },
};

bool machine_exit(struct machine *machine, struct vcpu *vcpu)
{
	uint32_t reason = vcpu->run->exit_reason;

	exit_count(&machine->counters.exits);
	if (reason == KVM_EXIT_HLT) {
		machine_trace(machine, vcpu, "halted");
		return false;
	}
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		if (exits[i].reason == reason) {
			exits[i].serve(machine, vcpu);
			return true;
		}
	}
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
			vsnprintf(machine->report, sizeof(machine->report),
				  format, args);
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
		snprintf(machine->report, sizeof(machine->report), "value %u",
			 value);
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
static bool run_met_conversion(struct machine *machine, struct vcpu *vcpu,
			       int rc, uint64_t converted)
{
	if (rc ? rc != -EFAULT : vcpu->run->exit_reason != KVM_EXIT_MEMORY_FAULT)
		return false;
	if (range_lock_wait_idle(&machine->memory.range_lock) == converted)
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

/* KVM does not tell where it was; that the guest has guard pages is likely why. */
static void run_denied(struct machine *machine, char *why, size_t size)
{
	char ranges[256];

	advice_explain(&machine->advice, ranges, sizeof(ranges));
	if (*ranges)
		snprintf(why, size, " (the guest has touched memory that it has "
			 "protected by pvmemcontrol: %s)", ranges);
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
	if (rc == -EFAULT)
		run_denied(machine, why, sizeof(why));
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
		uint64_t converted = range_lock_ended(&machine->memory.range_lock);
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
