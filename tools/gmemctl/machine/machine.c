// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../kvm/vcpu.h"
#include "machine.h"

/* Limit without KVM_CAP_MAX_VCPUS, from KVM's API documentation */
#define VCPUS_UNKNOWN 4

void machine_trace(struct machine *machine, struct vcpu *vcpu, const char *format, ...)
{
	FILE *file = machine->config.trace;
	va_list args;

	if (!file)
		return;
	flockfile(file);
	if (vcpu)
		fprintf(file, "vCPU %u: ", vcpu->index);
	else
		fputs("VM: ", file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fputc('\n', file);
	funlockfile(file);
}

uint8_t *machine_host(const struct machine *machine, uint64_t gpa)
{
	return machine->memory.reservation.base + gpa;
}

static int machine_create_vcpus(struct machine *machine, struct error *error)
{
	unsigned int count = machine->config.nr_vcpus;
	int rc = 0;

	machine->vcpus = calloc(count, sizeof(*machine->vcpus));
	if (!machine->vcpus)
		return error_set(error, -ENOMEM, "vCPUs", "allocate", NULL);
	while (!rc && machine->nr_vcpus < count) {
		rc = machine->type->create_vcpu(machine, &machine->vcpus[machine->nr_vcpus], error);
		if (!rc)
			machine->nr_vcpus++;
	}
	machine->threads.vcpus = machine->vcpus;
	machine->threads.count = machine->nr_vcpus;
	return rc;
}

int machine_build(struct machine *machine, struct error *error)
{
	unsigned int count = machine->config.nr_vcpus;
	int rc, most;

	rc = threads_init(&machine->threads, machine_run_vcpu, machine, error);
	if (!rc)
		rc = machine->type->create_vm(machine, error);
	if (rc)
		return rc;
	most = vm_capability(machine->vm.fd, KVM_CAP_MAX_VCPUS);
	if (most <= 0)
		most = VCPUS_UNKNOWN;
	if (most > MACHINE_VCPUS_MAX)
		most = MACHINE_VCPUS_MAX;
	if (!count || count > (unsigned int)most)
		return error_set(error, -EINVAL, "VM", "create vCPUs",
				 "between 1 and %d, not %u", most, count);
	rc = guest_memory_create(&machine->memory, &machine->config.memory, &machine->vm, error);
	if (!rc && guest_memory_view(&machine->memory))
		rc = vm_enable_conversions(&machine->vm, error);
	if (!rc)
		rc = advice_init(&machine->advice, &machine->memory, error);
	if (!rc)
		rc = guest_memory_attach(&machine->memory, error);
	return rc ? rc : machine_create_vcpus(machine, error);
}

void machine_init(struct machine *machine, const struct machine_type *type,
		  const struct machine_config *config)
{
	memset(machine, 0, sizeof(*machine));
	machine->type = type;
	machine->config = *config;
	machine->vm.fd = -1;
	machine->vm.kvm_fd = -1;
	machine->memory.memfd.fd = -1;
	machine->launch.sev_fd = -1;
	machine->threads.finished_fd = -1;
	pthread_mutex_init(&machine->ports.lock, NULL);
	pthread_mutex_init(&machine->mmio.lock, NULL);
	pthread_mutex_init(&machine->lock, NULL);
}

void machine_destroy(struct machine *machine)
{
	while (machine->nr_vcpus)
		vcpu_destroy(&machine->vcpus[--machine->nr_vcpus]);
	free(machine->vcpus);
	given_destroy(&machine->given);
	advice_destroy(&machine->advice);
	guest_memory_destroy(&machine->memory);
	machine->type->destroy(machine);
	vm_destroy(&machine->vm);
	threads_destroy(&machine->threads);
	pthread_mutex_destroy(&machine->mmio.lock);
	pthread_mutex_destroy(&machine->ports.lock);
	pthread_mutex_destroy(&machine->lock);
}
