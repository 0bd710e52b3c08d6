// SPDX-License-Identifier: GPL-2.0
/* What a PC does about each exit of a vCPU. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../kvm/attributes.h"
#include "../kvm/exits.h"
#include "pc.h"

#define WHY_MAX 256

static void pc_count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void pc_trace(struct pc *pc, struct vcpu *vcpu)
{
	FILE *file = pc->config->trace;
	char text[256];

	if (!file)
		return;
	exit_describe(vcpu, text, sizeof(text));
	fprintf(file, "vCPU %u: %s\r\n", vcpu->index, text);
}

static void pc_fatal(struct pc *pc, struct vcpu *vcpu, enum end end)
{
	char text[PC_REPORT_MAX];

	exit_report(vcpu, text, sizeof(text));
	pc_end(pc, end, "vCPU %u: %s", vcpu->index, text);
}

static void pc_stray(struct pc *pc, struct vcpu *vcpu, bool answered)
{
	if (answered)
		return;
	pc_count(&pc->counters.stray);
	pc_trace(pc, vcpu);
}

/* A string instruction comes as several accesses to the same port. */
static void exit_io(struct pc *pc, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool answered = true;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			answered = bus_write(&pc->ports, run->io.port, data,
					     run->io.size);
		else
			answered = bus_read(&pc->ports, run->io.port, data,
					    run->io.size);
	}
	pc_stray(pc, vcpu, answered);
}

static void exit_mmio(struct pc *pc, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	size_t size = run->mmio.len;
	bool answered;

	if (size > sizeof(run->mmio.data))
		size = sizeof(run->mmio.data);
	if (run->mmio.is_write)
		answered = bus_write(&pc->mmio, run->mmio.phys_addr,
				     run->mmio.data, size);
	else
		answered = bus_read(&pc->mmio, run->mmio.phys_addr,
				    run->mmio.data, size);
	pc_stray(pc, vcpu, answered);
}

int pc_convert(struct pc *pc, struct range what, bool to_private, char *why,
	       size_t why_size)
{
	int rc;

	do {
		rc = guest_memory_convert(&pc->memory, what, to_private, why,
					  why_size);
	} while (rc == -EINTR && !threads_stopping(&pc->threads));
	if (rc)
		return rc;
	pc_count(&pc->counters.conversions);
	__atomic_add_fetch(&pc->counters.converted_bytes, range_size(what),
			   __ATOMIC_RELAXED);
	return 0;
}

/* The guest's own range of errors: KVM_EINVAL and its like are errno values. */
static int64_t hypercall_map_gpa(struct pc *pc, const uint64_t args[3])
{
	char why[WHY_MAX] = "";
	const char *refusal;
	struct map_gpa map;

	if (map_gpa_check(&pc->vm.slots, args, &map, &refusal))
		return -KVM_EINVAL;
	return pc_convert(pc, (struct range){ map.gpa, map.gpa + map.size },
			  map.to_private, why, sizeof(why));
}

static void exit_hypercall(struct pc *pc, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint64_t args[3] = {
		run->hypercall.args[0],
		run->hypercall.args[1],
		run->hypercall.args[2],
	};
	int64_t result = -KVM_ENOSYS;

	if (run->hypercall.nr == KVM_HC_MAP_GPA_RANGE)
		result = hypercall_map_gpa(pc, args);
	if (result)
		pc_count(&pc->counters.refused);
	run->hypercall.ret = (uint64_t)result;
	pc_trace(pc, vcpu);
}

/*
 * Where the page is not what the access needs, the access is a conversion
 * without a request; where it is, converting again would never end.
 */
static void exit_memory_fault(struct pc *pc, struct vcpu *vcpu)
{
	const struct kvm_exit_memory_fault *fault = kvm_run_memory_fault(vcpu->run);
	bool to_private = fault->flags & KVM_MEMORY_EXIT_FLAG_PRIVATE;
	uint64_t gpa = fault->gpa & ~(GUEST_PAGE_SIZE - 1);
	char why[WHY_MAX] = "";
	int rc;

	pc_trace(pc, vcpu);
	if (fault->flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE ||
	    guest_memfd_is_private(&pc->memory.memfd, gpa) == to_private) {
		pc_fatal(pc, vcpu, END_MEMORY);
		return;
	}
	rc = pc_convert(pc, (struct range){ gpa, gpa + GUEST_PAGE_SIZE },
			to_private, why, sizeof(why));
	if (rc)
		pc_end(pc, END_MEMORY, "gpa 0x%" PRIx64 ": conversion without a "
		       "request: %s", gpa, why);
}

static void exit_system_event(struct pc *pc, struct vcpu *vcpu)
{
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return pc_fatal(pc, vcpu, END_POWER_OFF);
	case KVM_SYSTEM_EVENT_RESET:
		return pc_fatal(pc, vcpu, END_RESET);
	case KVM_SYSTEM_EVENT_CRASH:
		return pc_fatal(pc, vcpu, END_PANIC);
	default:
		return pc_fatal(pc, vcpu, END_SYSTEM_EVENT);
	}
}

void pc_exit(struct pc *pc, struct vcpu *vcpu)
{
	pc_count(&pc->counters.exits);
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
		return exit_io(pc, vcpu);
	case KVM_EXIT_MMIO:
		return exit_mmio(pc, vcpu);
	case KVM_EXIT_HYPERCALL:
		return exit_hypercall(pc, vcpu);
	case KVM_EXIT_MEMORY_FAULT:
		return exit_memory_fault(pc, vcpu);
	case KVM_EXIT_INTR:
		return;
	case KVM_EXIT_SHUTDOWN:
		return pc_fatal(pc, vcpu, END_TRIPLE_FAULT);
	case KVM_EXIT_SYSTEM_EVENT:
		return exit_system_event(pc, vcpu);
	case KVM_EXIT_FAIL_ENTRY:
		return pc_fatal(pc, vcpu, END_ENTRY_FAILED);
	default:
		return pc_fatal(pc, vcpu, END_INTERNAL_ERROR);
	}
}
