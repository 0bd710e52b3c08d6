// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../boot/acpi.h"
#include "../boot/mptable.h"
#include "../kvm/exits.h"
#include "../kvm/irqchip.h"
#include "pc.h"

void pc_end(struct pc *pc, enum end how, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&pc->lock);
	if (pc->end == END_NONE) {
		pc->end = how;
		if (format) {
			va_start(args, format);
			vsnprintf(pc->report, sizeof(pc->report), format, args);
			va_end(args);
		}
	}
	pthread_mutex_unlock(&pc->lock);
	threads_end(&pc->threads);
}

void pc_end_test(struct pc *pc, uint32_t value)
{
	pthread_mutex_lock(&pc->lock);
	if (pc->end == END_NONE) {
		pc->end = END_EXIT_PORT;
		pc->end_value = value;
		snprintf(pc->report, sizeof(pc->report), "value %u", value);
	}
	pthread_mutex_unlock(&pc->lock);
	threads_end(&pc->threads);
}

bool pc_ended(struct pc *pc)
{
	bool ended;

	pthread_mutex_lock(&pc->lock);
	ended = pc->end != END_NONE;
	pthread_mutex_unlock(&pc->lock);
	return ended;
}

/*
 * KVM found memory other than a moment before. If a conversion went on at the
 * same time, that is why, and the access is repeated; see machine/run.c.
 */
static bool pc_met_conversion(struct pc *pc, struct vcpu *vcpu, int rc,
			      uint64_t converted)
{
	if (rc ? rc != -EFAULT : vcpu->run->exit_reason != KVM_EXIT_MEMORY_FAULT)
		return false;
	if (turns_wait_idle(&pc->memory.turns) == converted)
		return false;
	__atomic_add_fetch(&pc->counters.waited, 1, __ATOMIC_RELAXED);
	return true;
}

static void pc_run_failed(struct pc *pc, struct vcpu *vcpu, int rc)
{
	char registers[1024];

	exit_registers(vcpu, registers, sizeof(registers));
	pc_end(pc, rc == -EFAULT || rc == -EHWPOISON ? END_MEMORY : END_FAILED,
	       "vCPU %u: KVM_RUN: %s%s", vcpu->index, strerror(-rc), registers);
}

/* CPUs that nobody has started yet come back with EAGAIN. */
static int pc_run_vcpu(void *data, struct vcpu *vcpu)
{
	struct pc *pc = data;

	while (!threads_stopping(&pc->threads) && !pc_ended(pc)) {
		uint64_t converted = turns_ended(&pc->memory.turns);
		int rc = vcpu_run(vcpu);

		if (rc == -EINTR || rc == -EAGAIN ||
		    pc_met_conversion(pc, vcpu, rc, converted))
			continue;
		if (rc)
			pc_run_failed(pc, vcpu, rc);
		else
			pc_exit(pc, vcpu);
	}
	return 0;
}

static bool pc_needs_private(const struct memory_config *config)
{
	for (unsigned int i = 0; i < config->nr_requests; i++)
		if (config->requests[i].kind == BACKING_GMEM_STORE)
			return true;
	return config->guest_memfd;
}

static int pc_create_vm(struct pc *pc, struct error *error)
{
	int rc;

	if (pc_needs_private(&pc->config->memory))
		rc = vm_create(&pc->vm, error);
	else
		rc = vm_create_plain(&pc->vm, error);
	return rc ? rc : irqchip_create(&pc->vm, error);
}

static int pc_create_memory(struct pc *pc, struct error *error)
{
	int rc = guest_memory_create(&pc->memory, &pc->config->memory, &pc->vm,
				     0, error);

	return rc ? rc : guest_memory_attach(&pc->memory, error);
}

static int pc_create_vcpus(struct pc *pc, struct error *error)
{
	unsigned int count = pc->config->nr_cpus;
	int most = vm_capability(pc->vm.fd, KVM_CAP_MAX_VCPUS);
	int rc = 0;

	if (most <= 0 || most > PC_CPUS_MAX)
		most = PC_CPUS_MAX;
	if (!count || count > (unsigned int)most)
		return error_set(error, -EINVAL, "VM", "create vCPUs",
				 "between 1 and %d, not %u", most, count);
	pc->vcpus = calloc(count, sizeof(*pc->vcpus));
	if (!pc->vcpus)
		return error_set(error, -ENOMEM, "vCPUs", "allocate", NULL);
	while (!rc && pc->nr_vcpus < count) {
		rc = vcpu_create(&pc->vcpus[pc->nr_vcpus], &pc->vm,
				 pc->nr_vcpus, error);
		if (!rc)
			pc->nr_vcpus++;
	}
	pc->threads.vcpus = pc->vcpus;
	pc->threads.count = pc->nr_vcpus;
	return rc;
}

/* The first range of RAM has all of the BIOS area. */
static int pc_write_tables(struct pc *pc, struct error *error)
{
	uint8_t *base = pc->memory.reservation.base;
	unsigned int cpus = pc->config->nr_cpus;

	if (mptable_build(base + MPTABLE_GPA, MPTABLE_SIZE, MPTABLE_GPA, cpus) &&
	    acpi_build(base + ACPI_GPA, ACPI_SIZE, ACPI_GPA, cpus))
		return 0;
	return error_set(error, -E2BIG, "VM", "write tables of CPUs",
			 "too many CPUs");
}

static int pc_load(struct pc *pc, struct error *error)
{
	uint64_t entry;
	int rc = linux_load(pc->memory.reservation.base, &pc->config->boot,
			    &entry, error);

	if (!rc)
		rc = pc_write_tables(pc, error);
	return rc ? rc : linux_vcpu(&pc->vcpus[0], entry, error);
}

static int pc_build(struct pc *pc, struct error *error)
{
	int rc = threads_init(&pc->threads, pc_run_vcpu, pc, error);

	if (!rc)
		rc = console_open(&pc->console, pc->config->input,
				  pc->config->output, error);
	if (!rc)
		rc = pc_devices(pc, error);
	if (!rc)
		rc = pc_create_vm(pc, error);
	if (!rc)
		rc = pc_create_memory(pc, error);
	if (!rc)
		rc = pc_create_vcpus(pc, error);
	return rc ? rc : pc_load(pc, error);
}

int pc_create(struct pc *pc, const struct pc_config *config,
	      struct error *error)
{
	int rc;

	memset(pc, 0, sizeof(*pc));
	pc->config = config;
	pc->vm.fd = -1;
	pc->vm.kvm_fd = -1;
	pc->memory.memfd.fd = -1;
	pc->console.wake_fd = -1;
	pthread_mutex_init(&pc->lock, NULL);
	rc = pc_build(pc, error);
	if (rc)
		pc_destroy(pc);
	return rc;
}

/* Devices reach for the VM, and the console for its serial port. */
void pc_destroy(struct pc *pc)
{
	console_close(&pc->console);
	while (pc->nr_vcpus)
		vcpu_destroy(&pc->vcpus[--pc->nr_vcpus]);
	free(pc->vcpus);
	guest_memory_destroy(&pc->memory);
	pc_devices_destroy(pc);
	vm_destroy(&pc->vm);
	threads_destroy(&pc->threads);
	pthread_mutex_destroy(&pc->lock);
}

static void pc_quit(void *data)
{
	pc_end(data, END_STOPPED, "from the console");
}

int pc_run(struct pc *pc, struct error *error)
{
	int rc = threads_prepare(&pc->threads, error);

	if (!rc)
		rc = console_start(&pc->console, &pc->uart, pc_quit, pc, error);
	if (rc)
		return rc;
	rc = threads_run(&pc->threads, pc->config->run_timeout_s);
	console_stop(&pc->console);
	if (rc == -EINTR)
		pc_end(pc, END_SIGNAL, NULL);
	else if (rc == -ETIME)
		pc_end(pc, END_TIMEOUT, NULL);
	else if (rc)
		pc_end(pc, END_FAILED, "threads of the vCPUs: %s", strerror(-rc));
	else
		pc_end(pc, END_FAILED, "all vCPUs have ended");
	return 0;
}
