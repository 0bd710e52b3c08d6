// SPDX-License-Identifier: GPL-2.0
/* Machines of x86-64: their VM, the exits that only they have, and registers. */
#include <asm/processor-flags.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "../boot/linux.h"
#include "../kvm/vcpu.h"
#include "machine.h"

#define WHY_MAX 256

#define CR3_ADDRESS	UINT64_C(0x000ffffffffff000)

/* Without this check KVM would refuse the slot with EINVAL, after memory is allocated. */
static int check_addresses(struct machine *machine, struct error *error)
{
	uint64_t end = memory_config_end(&machine->config.memory);
	struct kvm_cpuid2 *cpuid;
	unsigned int bits;
	int rc;

	rc = cpuid_supported(&machine->vm, &cpuid, error);
	if (rc)
		return rc;
	bits = cpuid_address_bits(cpuid);
	free(cpuid);
	if (!bits || bits > 63 || end <= UINT64_C(1) << bits)
		return 0;
	return error_set(error, -ERANGE, "guest memory", "place in the VM",
			 "it ends at 0x%" PRIx64 ", but KVM supports guest addresses of %u bits on "
			 "this CPU: give less memory, up to 0x%" PRIx64, end, bits,
			 UINT64_C(1) << bits);
}

static int create_vm(struct machine *machine, struct error *error)
{
	const struct memory_config *config = &machine->config.memory;
	bool private = config->guest_memfd;
	int rc;

	for (unsigned int i = 0; i < config->nr_requests; i++)
		private |= config->requests[i].kind == BACKING_GMEM_STORE;
	machine->emulated = emulated_host();
	if (machine->config.snp)
		rc = machine_snp_create(machine, error);
	else if (private)
		rc = vm_create(&machine->vm, error);
	else
		rc = vm_create_plain(&machine->vm, error);
	if (!rc && machine->config.irqchip)
		rc = irqchip_create(&machine->vm, error);
	return rc ? rc : check_addresses(machine, error);
}

static int create_vcpu(struct machine *machine, struct vcpu *vcpu, struct error *error)
{
	return vcpu_create(vcpu, &machine->vm, machine->nr_vcpus, error);
}

static void destroy(struct machine *machine)
{
	snp_launch_close(&machine->launch);
}

static int find_place(struct vcpu *vcpu, struct place *place)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (vcpu_get_regs(vcpu, &regs) || vcpu_get_sregs(vcpu, &sregs))
		return -EIO;
	*place = (struct place){
		.rip = sregs.cs.base + regs.rip,
		.fault = sregs.cr2,
		.cpl = sregs.ss.dpl,
		.tables = sregs.cr3 & CR3_ADDRESS,
		.paging = sregs.cr0 & X86_CR0_PG,
	};
	return 0;
}

/* A string instruction is one exit with several accesses to the same port. */
static void exit_io(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool answered = true;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			answered = bus_write(&machine->ports, run->io.port, data, run->io.size);
		else
			answered = bus_read(&machine->ports, run->io.port, data, run->io.size);
	}
	machine_exit_stray(machine, vcpu, answered);
}

/* Return: the value for the guest. KVM_EINVAL and similar are errno values. */
static int64_t hypercall_map_gpa(struct machine *machine, struct vcpu *vcpu, const uint64_t args[3])
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
	rc = machine_convert(machine, vcpu, (struct range){ map.gpa, map.gpa + map.size },
			     map.to_private, why, sizeof(why));
	if (!rc)
		return 0;
	/* Keep the reason for the report, in case the guest gives up because of it. */
	pthread_mutex_lock(&machine->lock);
	snprintf(machine->refusal, sizeof(machine->refusal), "gpa 0x%" PRIx64 " + 0x%" PRIx64
		 " to %s: %s", map.gpa, map.size, map.to_private ? "private" : "shared", why);
	pthread_mutex_unlock(&machine->lock);
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
		machine_count(&machine->counters.refused, 1);
	/* For an SNP guest KVM accepts only a few values. The guest sees only whether it failed. */
	if (result && machine->config.snp)
		result = EINVAL;
	run->hypercall.ret = (uint64_t)result;
}

/*
 * The guest has accessed memory in the other state than KVM's attribute. If the page is
 * recorded in the other state, too, convert it: an implicit request. If it is in the right
 * state already, a conversion would not help and the fault would repeat without end.
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
		return machine_exit_fatal(machine, vcpu, END_MEMORY);
	rc = machine_convert(machine, vcpu, (struct range){ gpa, gpa + GUEST_PAGE_SIZE },
			     to_private, why, sizeof(why));
	/* The machine ends for another reason. */
	if (rc == -EINTR)
		return;
	if (rc)
		return machine_end(machine, END_MEMORY, "gpa 0x%" PRIx64
				   ": conversion without a request: %s", gpa, why);
	machine_count(&machine->counters.implicit, 1);
}

static void exit_shutdown(struct machine *machine, struct vcpu *vcpu)
{
	machine_exit_fatal(machine, vcpu, END_TRIPLE_FAULT);
}

static void exit_event(struct machine *machine, struct vcpu *vcpu)
{
	if (vcpu->run->system_event.type == KVM_SYSTEM_EVENT_SEV_TERM)
		return machine_snp_terminate(machine, vcpu);
	machine_exit_event(machine, vcpu);
}

static const struct machine_exit exits[] = {
	{ KVM_EXIT_IO,			exit_io },
	{ KVM_EXIT_HYPERCALL,		exit_hypercall },
	{ KVM_EXIT_MEMORY_FAULT,	exit_memory_fault },
	{ KVM_EXIT_SHUTDOWN,		exit_shutdown },
	{ KVM_EXIT_SYSTEM_EVENT,	exit_event },
	{ KVM_EXIT_AP_RESET_HOLD,	machine_snp_hold },
	{ KVM_EXIT_SNP_REQ_CERTS,	machine_snp_certs },
	{ 0 }
};

/* Return: why the host may have no page for the guest, by kind of memory. */
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
		return "gmem refuses access to a page that is private in gmem, but shared in KVM";
	default:
		return "is the host, or the memory cgroup, short of memory?";
	}
}

static void run_failed(struct machine *machine, struct vcpu *vcpu, int rc)
{
	const struct memory_config *memory = &machine->config.memory;
	const struct memory_request *request = memory->requests;
	char path[256] = "", why[512] = "", ranges[256] = "", registers[1024];

	if (memory->nr_requests && request->path)
		text_print(path, sizeof(path), ", %s", request->path);
	if (rc == -EFAULT && memory->nr_requests)
		snprintf(why, sizeof(why), " (the host has no page for the guest "
			 "in memory of kind %s%s: %s)", backing_kind_name(request->kind), path,
			 fault_text(request));
	/* KVM reports no address. If the guest has protected pages they are the likely cause. */
	if (rc == -EFAULT)
		advice_explain(&machine->advice, ranges, sizeof(ranges));
	if (*ranges)
		snprintf(why, sizeof(why), " (the guest has touched memory that it has "
			 "protected by pvmemcontrol: %s)", ranges);
	exit_registers(vcpu, registers, sizeof(registers));
	machine_end(machine, rc == -EFAULT || rc == -EHWPOISON ? END_MEMORY : END_FAILED,
		    "vCPU %u: KVM_RUN: %s%s%s", vcpu->index, strerror(-rc), why, registers);
}

static bool step(struct vcpu *vcpu)
{
	return step_over_cpuid(vcpu->fd, vcpu->run);
}

const struct machine_type machine_x86 = {
	.create_vm = create_vm,
	.create_vcpu = create_vcpu,
	.destroy = destroy,
	.exits = exits,
	.failed = run_failed,
	.registers = exit_registers,
	.place = find_place,
	.step = step,
};

int machine_create(struct machine *machine, const struct machine_config *config,
		   struct error *error)
{
	int rc;

	machine_init(machine, &machine_x86, config);
	rc = machine_build(machine, error);
	if (rc)
		machine_destroy(machine);
	return rc;
}
