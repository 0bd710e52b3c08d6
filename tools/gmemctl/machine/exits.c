// SPDX-License-Identifier: GPL-2.0
/* What the VMM does about each exit of a vCPU. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../kvm/attributes.h"
#include "../kvm/exits.h"
#include "machine.h"

#define WHY_MAX 256

static void machine_count(struct machine *machine, uint64_t *counter)
{
	pthread_mutex_lock(&machine->lock);
	++*counter;
	pthread_mutex_unlock(&machine->lock);
}

static int machine_exit_fatal(struct machine *machine, struct vcpu *vcpu)
{
	char text[MACHINE_REPORT_MAX];

	exit_report(vcpu, text, sizeof(text));
	return machine_fail(machine, -EIO, "vCPU %u: %s", vcpu->index, text);
}

int machine_convert(struct machine *machine, struct vcpu *vcpu, uint64_t gpa,
		    uint64_t size, bool to_private, char *why, size_t why_size)
{
	uint64_t start = machine_now_ns(), took;
	int rc;

	do {
		rc = memory_convert(&machine->memory, &machine->vm, gpa, size,
				    to_private, why, why_size);
	} while (rc == -EINTR && !threads_stopping(&machine->threads));
	took = machine_now_ns() - start;
	pthread_mutex_lock(&machine->lock);
	if (!rc) {
		machine->counters.conversions++;
		machine->counters.conversion_ns += took;
		machine->counters.converted_bytes += size;
	}
	pthread_mutex_unlock(&machine->lock);
	machine_trace(machine, vcpu, "gpa 0x%" PRIx64 " + 0x%" PRIx64
		      " to %s: %s (%" PRIu64 " us)", gpa, size,
		      to_private ? "private" : "shared", rc ? why : "done",
		      took / 1000);
	return rc;
}

/* Kept for the report, in case the payload cannot do without. */
static void machine_note(struct machine *machine, const struct map_gpa *map,
			 const char *why)
{
	pthread_mutex_lock(&machine->lock);
	snprintf(machine->refusal, sizeof(machine->refusal),
		 "; gpa 0x%" PRIx64 " + 0x%" PRIx64 " to %s: %s", map->gpa,
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
	rc = machine_convert(machine, vcpu, map.gpa, map.size, map.to_private,
			     why, sizeof(why));
	if (rc)
		machine_note(machine, &map, why);
	return rc;
}

static int machine_exit_hypercall(struct machine *machine, struct vcpu *vcpu)
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
		machine_count(machine, &machine->counters.refused);
	run->hypercall.ret = (uint64_t)result;
	return 0;
}

/*
 * The guest has accessed memory in a way that does not fit its state. Where
 * its page is not what the access needs, that is a conversion without a
 * request; where it is, converting again would never end.
 */
static int machine_exit_memory_fault(struct machine *machine, struct vcpu *vcpu)
{
	const struct kvm_exit_memory_fault *fault = kvm_run_memory_fault(vcpu->run);
	bool to_private = fault->flags & KVM_MEMORY_EXIT_FLAG_PRIVATE;
	uint64_t gpa = fault->gpa & ~(GUEST_PAGE_SIZE - 1);
	char why[WHY_MAX] = "";
	int rc;

	if (fault->flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE ||
	    !slot_covers_private(&machine->vm.slots, gpa, GUEST_PAGE_SIZE) ||
	    memory_is_private(&machine->memory, gpa) == to_private)
		return machine_exit_fatal(machine, vcpu);
	rc = machine_convert(machine, vcpu, gpa, GUEST_PAGE_SIZE, to_private,
			     why, sizeof(why));
	if (rc)
		return machine_fail(machine, rc, "gpa 0x%" PRIx64
				    ": implicit conversion: %s", gpa, why);
	machine_count(machine, &machine->counters.implicit);
	return 0;
}

static int machine_event(struct machine *machine, struct vcpu *vcpu,
			 uint32_t word)
{
	enum guest_event event = word >> GUEST_EVENT_SHIFT;
	uint32_t value = word & GUEST_EVENT_VALUE_MASK;
	int rc = 0;

	machine_trace(machine, vcpu, "event %u, value %u", event, value);
	if (event == GUEST_EVENT_FAILED)
		return machine_fail(machine, -EIO,
				    "vCPU %u: the payload gave up at gpa 0x%" PRIx64
				    ", result %" PRId64 "%s", vcpu->index,
				    machine->params->fail_gpa,
				    machine->params->fail_result,
				    machine->refusal);
	if (machine->config.event)
		rc = machine->config.event(machine, vcpu, event, value);
	if (rc)
		return machine_fail(machine, rc, "vCPU %u: serve event %u: %s",
				    vcpu->index, event, strerror(-rc));
	if (event == GUEST_EVENT_DONE) {
		pthread_mutex_lock(&machine->lock);
		machine->done = true;
		pthread_mutex_unlock(&machine->lock);
	}
	return 0;
}

static void machine_stray_io(struct machine *machine, struct vcpu *vcpu)
{
	char text[128];

	exit_describe(vcpu, text, sizeof(text));
	machine_trace(machine, vcpu, "no device there: %s", text);
	machine_count(machine, &machine->counters.stray_io);
}

static int machine_exit_io(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	size_t size = (size_t)run->io.size * run->io.count;
	bool out = run->io.direction == KVM_EXIT_IO_OUT;
	uint32_t word;

	if (out && run->io.port == GUEST_EVENT_PORT && size == sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		return machine_event(machine, vcpu, word);
	}
	if (out && run->io.port == GUEST_CONSOLE_PORT) {
		if (machine->config.console)
			fwrite(data, 1, size, machine->config.console);
		return 0;
	}
	/* As on a bus that nothing answers on. */
	if (!out)
		memset(data, 0xff, size);
	machine_stray_io(machine, vcpu);
	return 0;
}

static int machine_exit_mmio(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	machine_stray_io(machine, vcpu);
	return 0;
}

static int machine_exit_halt(struct machine *machine, struct vcpu *vcpu)
{
	machine_trace(machine, vcpu, "halted");
	return 1;
}

static int machine_exit_interrupted(struct machine *machine, struct vcpu *vcpu)
{
	(void)machine;
	(void)vcpu;
	return 0;
}

static const struct {
	uint32_t reason;
	int (*serve)(struct machine *machine, struct vcpu *vcpu);
} machine_exits[] = {
	{ KVM_EXIT_HYPERCALL,		machine_exit_hypercall },
	{ KVM_EXIT_MEMORY_FAULT,	machine_exit_memory_fault },
	{ KVM_EXIT_IO,			machine_exit_io },
	{ KVM_EXIT_MMIO,		machine_exit_mmio },
	{ KVM_EXIT_HLT,			machine_exit_halt },
	{ KVM_EXIT_INTR,		machine_exit_interrupted },
	{ KVM_EXIT_SHUTDOWN,		machine_exit_fatal },
	{ KVM_EXIT_SYSTEM_EVENT,	machine_exit_fatal },
	{ KVM_EXIT_INTERNAL_ERROR,	machine_exit_fatal },
	{ KVM_EXIT_FAIL_ENTRY,		machine_exit_fatal },
};

int machine_exit(struct machine *machine, struct vcpu *vcpu)
{
	uint32_t reason = vcpu->run->exit_reason;

	machine_count(machine, &machine->counters.exits);
	for (size_t i = 0; i < sizeof(machine_exits) / sizeof(machine_exits[0]); i++)
		if (machine_exits[i].reason == reason)
			return machine_exits[i].serve(machine, vcpu);
	return machine_exit_fatal(machine, vcpu);
}
