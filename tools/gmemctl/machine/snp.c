// SPDX-License-Identifier: GPL-2.0
/* SNP guests as machines: their launch, their exits, and the parameters of IGVM. */
#include <errno.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/calls.h"
#include "../boot/linux.h"
#include "../boot/tables.h"
#include "../memory/access.h"
#include "../snp/abi.h"
#include "machine.h"

/* IGVM_VHS_MEMORY_MAP_ENTRY: first page, pages, type, flags, reserved */
#define ENTRY_SIZE 24
#define ENTRY_MEMORY 0

/**
 * struct target - the place of a parameter
 * @at: address in its area
 * @room: bytes from there to the end of the area
 */
struct target {
	uint8_t *at;
	uint64_t room;
};

/* Return: whether it fits. */
static bool put_number(struct target *target, uint32_t value)
{
	if (target->room < 4)
		return false;
	bytes_put32(target->at, value);
	return true;
}

static bool put_entry(struct target *target, struct range range)
{
	if (target->room < ENTRY_SIZE)
		return false;
	memset(target->at, 0, ENTRY_SIZE);
	bytes_put64(target->at, range.start / SNP_PAGE_SIZE);
	bytes_put64(target->at + 8, range_size(range) / SNP_PAGE_SIZE);
	bytes_put16(target->at + 16, ENTRY_MEMORY);
	target->at += ENTRY_SIZE;
	target->room -= ENTRY_SIZE;
	return true;
}

/* Add the RAM of a PC, in order. An entry without pages ends the map. */
static bool put_memory_map(struct target *target, const struct range *ram, unsigned int nr_ram)
{
	for (unsigned int i = 0; i < nr_ram; i++) {
		bool device = ram[i].start >= E820_LOW_END &&
			      ram[i].end <= E820_HIGH_START;

		if (!device && !put_entry(target, ram[i]))
			return false;
	}
	return put_entry(target, (struct range){ 0, 0 });
}

/* Return: 0, -ENOSPC or -EOPNOTSUPP. */
static int put_parameter(struct target *target, enum snp_igvm_parameter_type type,
			 const struct range *ram, unsigned int nr_ram, unsigned int nr_vcpus)
{
	bool fits = true;

	switch (type) {
	case SNP_IGVM_VP_COUNT:
		fits = put_number(target, nr_vcpus);
		break;
	case SNP_IGVM_ENVIRONMENT_INFO:
		/* Bit 0: memory starts shared. Here it starts private. */
		fits = put_number(target, 0);
		break;
	case SNP_IGVM_COMMAND_LINE:
		*target->at = '\0';
		break;
	case SNP_IGVM_MEMORY_MAP:
		fits = put_memory_map(target, ram, nr_ram);
		break;
	case SNP_IGVM_MADT:
		fits = acpi_build_madt(target->at, target->room, nr_vcpus);
		break;
	case SNP_IGVM_DEVICE_TREE:
		return -EOPNOTSUPP;
	default:
		break;
	}
	return fits ? 0 : -ENOSPC;
}

int machine_igvm_parameters(const struct snp_igvm *igvm, const struct range *ram,
			    unsigned int nr_ram, unsigned int nr_vcpus, struct error *error)
{
	for (unsigned int i = 0; i < igvm->nr_parameters; i++) {
		const struct snp_igvm_parameter *parameter =
			&igvm->parameters[i];
		const struct snp_igvm_area *area = &igvm->areas[parameter->area];
		struct target target = {
			area->data + parameter->offset,
			area->size - parameter->offset,
		};
		int rc = put_parameter(&target, parameter->type, ram, nr_ram, nr_vcpus);

		if (rc)
			return error_set(error, rc, igvm->name,
					 "fill in parameters", "type 0x%x %s",
					 parameter->type, rc == -ENOSPC ?
					 "does not fit its area" :
					 "is not made by gmemctl");
	}
	return 0;
}

int machine_snp_create(struct machine *machine, struct error *error)
{
	int rc = vm_create_snp(&machine->vm, error);

	if (!rc)
		rc = snp_launch_open(&machine->launch, machine->config.snp, &machine->vm, error);
	return rc ? rc : snp_launch_init(&machine->launch, error);
}

int machine_snp_launch(struct machine *machine, struct error *error)
{
	const struct snp_igvm *igvm = machine->config.snp->image.igvm;
	const struct memory_request *request = machine->config.memory.requests;
	int rc = 0;

	if (igvm)
		rc = machine_igvm_parameters(igvm, request->ranges, request->nr_ranges,
					     machine->nr_vcpus, error);
	if (!rc)
		rc = snp_launch_start(&machine->launch, error);
	if (!rc)
		rc = snp_launch_populate(&machine->launch, &machine->memory,
					 &machine->vcpus[0], error);
	return rc ? rc : snp_launch_finish(&machine->launch, machine->vcpus, error);
}

/*
 * The range lock delays conversions of these pages until the copy is done, because private
 * pages cannot be written.
 */
static int serve_certs(struct machine *machine, struct kvm_snp_certs_request *request)
{
	const struct snp_launch_config *config = machine->config.snp;
	size_t size = config->certs_size;
	uint64_t needed = (size + GUEST_PAGE_SIZE - 1) >> GUEST_PAGE_SHIFT;
	struct range range = {
		request->gpa, request->gpa + (needed << GUEST_PAGE_SHIFT),
	};
	struct range *turn;
	int ret = 0;

	if (request->npages < needed) {
		request->npages = needed;
		return -ENOSPC;
	}
	if (request->gpa % GUEST_PAGE_SIZE || range.end < range.start)
		return -EIO;
	turn = range_lock_enter(&machine->memory.range_lock, range);
	if (size && access_write(&machine->memory, range.start, config->certs, size))
		ret = -EIO;
	range_lock_leave(&machine->memory.range_lock, turn);
	return ret;
}

void machine_snp_certs(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_snp_certs_request *request =
		kvm_run_snp_req_certs(vcpu->run);
	int rc = machine->config.snp ? serve_certs(machine, request) : -EIO;

	/* KVM takes positive errno values here. */
	request->ret = (uint64_t)-rc;
	machine_trace(machine, vcpu, "certificates to gpa 0x%llx, %llu pages: %s",
		      (unsigned long long)request->gpa, (unsigned long long)request->npages,
		      rc ? strerror(-rc) : "done");
}

/* In this state KVM_RUN waits until the vCPU is started; see KVM_SET_MP_STATE in KVM's API. */
void machine_snp_hold(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_mp_state state = { KVM_MP_STATE_AP_RESET_HOLD };
	int rc = calls->ioctl(vcpu->fd, KVM_SET_MP_STATE, &state);

	machine_trace(machine, vcpu, "waits to be started");
	if (rc)
		machine_end(machine, END_FAILED, "vCPU %u: KVM_SET_MP_STATE: %s",
			    vcpu->index, strerror(-rc));
}

void machine_snp_terminate(struct machine *machine, struct vcpu *vcpu)
{
	char text[160];

	snp_termination_format(vcpu->run->system_event.ndata ? vcpu->run->system_event.data[0] : 0,
			       text, sizeof(text));
	machine_end(machine, END_SYSTEM_EVENT, "vCPU %u: %s", vcpu->index, text);
}
