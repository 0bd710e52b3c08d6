// SPDX-License-Identifier: GPL-2.0
/* Running a payload: each vCPU until it halts. */
#include <errno.h>
#include <string.h>

#include "../boot/boot.h"
#include "../kvm/exits.h"
#include "machine.h"

static int run_failed(struct machine *machine, struct vcpu *vcpu, int rc)
{
	char registers[1024];

	exit_registers(vcpu, registers, sizeof(registers));
	return machine_fail(machine, rc, "vCPU %u: KVM_RUN: %s%s%s", vcpu->index,
			    strerror(-rc), rc == -EFAULT ?
			    " (shared memory that the host refuses to KVM: private "
			    "for gmem, but not for KVM)" : "", registers);
}

/*
 * KVM could not reach a page, or found the attribute other than a moment before
 * (a memory fault). If a conversion went on at the same time, that is why, and
 * the access has to be repeated once it is over: converting the page for the
 * sake of a fault that is stale would undo what the guest has asked for. A
 * conversion that had ended before the guest was entered cannot be why.
 */
static bool run_met_conversion(struct machine *machine, struct vcpu *vcpu, int rc,
			       uint64_t converted)
{
	if (rc ? rc != -EFAULT : vcpu->run->exit_reason != KVM_EXIT_MEMORY_FAULT)
		return false;
	if (memory_wait_idle(&machine->memory) == converted)
		return false;
	pthread_mutex_lock(&machine->lock);
	machine->counters.waited++;
	pthread_mutex_unlock(&machine->lock);
	return true;
}

int machine_run_vcpu(void *data, struct vcpu *vcpu)
{
	struct machine *machine = data;
	int rc = 0;

	while (!rc && !threads_stopping(&machine->threads)) {
		uint64_t converted = memory_converted(&machine->memory);

		rc = vcpu_run(vcpu);
		if (rc == -EINTR || rc == -EAGAIN ||
		    run_met_conversion(machine, vcpu, rc, converted))
			rc = 0;
		else if (rc)
			rc = run_failed(machine, vcpu, rc);
		else
			rc = machine_exit(machine, vcpu);
	}
	return rc < 0 ? rc : 0;
}

static int run_threads(struct machine *machine)
{
	unsigned int seconds = machine->config.run_timeout_s;
	int rc = threads_run(&machine->threads, seconds);

	if (rc == -EINTR)
		return machine_fail(machine, rc, "stopped by a signal");
	if (rc == -ETIME)
		return machine_fail(machine, rc, "stopped after %u s", seconds);
	if (rc)
		return machine_fail(machine, rc, "threads of the vCPUs: %s",
				    strerror(-rc));
	return 0;
}

static int run_prepare(struct machine *machine, enum guest_payload payload,
		       uint64_t input_length, uint32_t rounds,
		       struct error *error)
{
	struct machine_config *config = &machine->config;
	uint64_t pattern = machine->params->pattern;
	int rc;

	*machine->params = (struct guest_params){
		.payload = payload,
		.flags = boot_hypercall_flag() |
			 (config->strategy == MEMORY_DISCARD ?
			  GUEST_F_BOUNCE : 0),
		.nr_vcpus = machine->nr_vcpus,
		.rounds = rounds,
		.memory_size = config->memory_size,
		.input_gpa = machine_input_gpa(config->strategy,
					       machine->nr_vcpus),
		.input_length = input_length,
		.bounce_gpa = GUEST_HEAP_GPA,
		.pattern = pattern,
	};
	machine->done = false;
	machine->failed = 0;
	machine->report[0] = '\0';
	machine->refusal[0] = '\0';
	rc = threads_prepare(&machine->threads, error);
	for (unsigned int i = 0; !rc && i < machine->nr_vcpus; i++)
		rc = boot_vcpu(&machine->vcpus[i], error);
	return rc;
}

int machine_run(struct machine *machine, enum guest_payload payload,
		uint64_t input_length, uint32_t rounds, struct error *error)
{
	int rc;

	rc = run_prepare(machine, payload, input_length, rounds, error);
	if (rc)
		return rc;
	rc = run_threads(machine);
	if (!rc)
		rc = machine->failed;
	if (!rc && !machine->done)
		rc = machine_fail(machine, -EPROTO,
				  "all vCPUs have halted before the payload was done");
	if (rc)
		error_set(error, rc, "VM", "run payload", "%.500s",
			  machine->report);
	return rc;
}
