// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "../boot/boot.h"
#include "machine.h"

uint64_t machine_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int machine_fail(struct machine *machine, int rc, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&machine->lock);
	if (!machine->failed) {
		machine->failed = rc;
		va_start(args, format);
		vsnprintf(machine->report, sizeof(machine->report), format, args);
		va_end(args);
	}
	pthread_mutex_unlock(&machine->lock);
	return rc;
}

void machine_trace(struct machine *machine, struct vcpu *vcpu,
		   const char *format, ...)
{
	FILE *file = machine->config.trace;
	va_list args;

	if (!file)
		return;
	flockfile(file);
	fprintf(file, "vCPU %u: ", vcpu->index);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fputc('\n', file);
	funlockfile(file);
}

uint64_t machine_input_gpa(enum memory_strategy strategy, unsigned int nr_vcpus)
{
	if (strategy == MEMORY_INPLACE)
		return GUEST_HEAP_GPA;
	return GUEST_HEAP_GPA + (uint64_t)nr_vcpus * GUEST_CHUNK;
}

uint8_t *machine_input(struct machine *machine)
{
	return machine->memory.host +
	       machine_input_gpa(machine->config.strategy, machine->nr_vcpus);
}

static int machine_check_vcpus(struct machine *machine, unsigned int count,
			       struct error *error)
{
	int most = vm_capability(machine->vm.fd, KVM_CAP_MAX_VCPUS);

	/* A KVM without the capability has at most four, says its API. */
	if (most <= 0)
		most = 4;
	if (count > GUEST_MAX_VCPUS)
		most = GUEST_MAX_VCPUS;
	if (count && count <= (unsigned int)most)
		return 0;
	return error_set(error, -EINVAL, "VM", "create vCPUs",
			 "between 1 and %d, not %u", most, count);
}

static int machine_create_vcpus(struct machine *machine, struct error *error)
{
	unsigned int count = machine->config.nr_vcpus;
	int rc = machine_check_vcpus(machine, count, error);

	while (!rc && machine->nr_vcpus < count) {
		rc = vcpu_create(&machine->vcpus[machine->nr_vcpus],
				 &machine->vm, machine->nr_vcpus, error);
		if (!rc)
			machine->nr_vcpus++;
	}
	machine->threads.count = machine->nr_vcpus;
	return rc;
}

static int machine_build(struct machine *machine, struct error *error)
{
	const struct machine_config *config = &machine->config;
	int rc;

	rc = threads_init(&machine->threads, machine_run_vcpu, machine, error);
	if (rc)
		return rc;
	machine->threads.vcpus = machine->vcpus;
	rc = vm_create(&machine->vm, error);
	if (rc)
		return rc;
	rc = memory_create(&machine->memory, config->strategy,
			   config->memory_size, error);
	if (rc)
		return rc;
	machine->memory.timeout_ms = config->convert_timeout_ms;
	machine->params = (void *)(machine->memory.host + GUEST_PARAMS_GPA);
	rc = memory_attach(&machine->memory, &machine->vm, error);
	if (rc)
		return rc;
	rc = boot_load(machine->memory.host, config->memory_size, error);
	return rc ? rc : machine_create_vcpus(machine, error);
}

int machine_create(struct machine *machine, const struct machine_config *config,
		   struct error *error)
{
	int rc;

	memset(machine, 0, sizeof(*machine));
	machine->config = *config;
	machine->vm.fd = -1;
	machine->vm.kvm_fd = -1;
	machine->memory.shared_fd = -1;
	machine->memory.store_fd = -1;
	machine->threads.finished_fd = -1;
	pthread_mutex_init(&machine->lock, NULL);
	rc = machine_build(machine, error);
	if (rc)
		machine_destroy(machine);
	return rc;
}

void machine_destroy(struct machine *machine)
{
	while (machine->nr_vcpus)
		vcpu_destroy(&machine->vcpus[--machine->nr_vcpus]);
	memory_destroy(&machine->memory);
	vm_destroy(&machine->vm);
	threads_destroy(&machine->threads);
	pthread_mutex_destroy(&machine->lock);
}
