// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

struct sim *sim_create(const struct sim_config *config)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	sim->config = *config;
	sim->memory = config->memory ? *config->memory : sim_process_memory;
	sim_files_init(sim, config->files);
	sim->psp_dead = config->psp_dead;
	sim->pending = -1;
	return sim;
}

void sim_destroy(struct sim *sim)
{
	if (!sim)
		return;
	sim_close_all(sim);
	free(sim);
}

int sim_in(struct sim *sim, void *to, uint64_t from, size_t size)
{
	return sim->memory.in(sim->memory.context, to, from, size);
}

int sim_out(struct sim *sim, uint64_t to, const void *from, size_t size)
{
	return sim->memory.out(sim->memory.context, to, from, size);
}

void sim_lint(struct sim *sim, bool wrong, const char *message)
{
	if (!wrong)
		return;
	sim_trace_warning(sim, message);
	if (sim->config.lint) {
		sim->config.lint(sim->config.lint_context, message);
	} else if (sim->config.strict) {
		fprintf(stderr, "simulator: %s\n", message);
		abort();
	}
}

static int arm_dispatch(struct sim *sim, const struct sim_fd *found,
			unsigned long request, uint64_t value)
{
	switch (found->kind) {
	case SIM_KVM:
		return sim_kvm_ioctl(sim, request, value);
	case SIM_VM:
		return sim_arm_vm_ioctl(sim, found->object, request, value);
	case SIM_VCPU:
		return sim_arm_vcpu_ioctl(sim, found->object, request, value);
	case SIM_GIC:
		return sim_arm_gic_ioctl(sim, found->object, request, value);
	default:
		return -ENOTTY;
	}
}

int sim_dispatch(struct sim *sim, const struct sim_fd *found,
		 unsigned long request, uint64_t value)
{
	if (sim->config.arm)
		return arm_dispatch(sim, found, request, value);
	switch (found->kind) {
	case SIM_KVM:
		return sim_kvm_ioctl(sim, request, value);
	case SIM_VM:
		return sim_vm_ioctl(sim, found->object, request, value);
	case SIM_VCPU:
		return sim_vcpu_ioctl(sim, found->object, request, value);
	case SIM_SEV:
		return sim_sev_ioctl(sim, found, request, value);
	default:
		return -ENOTTY;
	}
}

int sim_ioctl(struct sim *sim, int fd, unsigned long request, void *arg)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	uint64_t value = (uint64_t)arg;
	int rc;

	if (!found)
		return -EBADF;
	sim_trace_begin(sim, fd, request, value);
	rc = sim->config.kernel ? sim_hybrid_ioctl(sim, found, request, value) :
				  sim_dispatch(sim, found, request, value);
	sim_trace_end(sim, fd, request, value, rc);
	return rc;
}

int sim_map(struct sim *sim, int fd, size_t length, void **out)
{
	const struct sim_fd *found = sim_fd(sim, fd);

	if (!found)
		return -EBADF;
	if (found->kind != SIM_VCPU)
		return -ENODEV;
	if (length > SIM_RUN_SIZE)
		return -EINVAL;
	*out = ((struct sim_vcpu *)found->object)->run;
	return 0;
}

bool sim_is_run(struct sim *sim, const void *address)
{
	for (int i = 0; i < SIM_FDS; i++) {
		const struct sim_fd *fd = &sim->fds[i];

		if (fd->kind == SIM_VCPU &&
		    ((struct sim_vcpu *)fd->object)->run == address)
			return true;
	}
	return false;
}

static struct sim_vm *find_vm(struct sim *sim, int fd)
{
	const struct sim_fd *found = sim_fd(sim, fd);

	return found && found->kind == SIM_VM ? found->object : NULL;
}

const uint8_t *sim_vm_digest(struct sim *sim, int fd)
{
	struct sim_vm *vm = find_vm(sim, fd);

	return vm && vm->guest.state != SIM_GUEST_NONE ? vm->guest.digest : NULL;
}

uint64_t sim_vm_pages(struct sim *sim, int fd)
{
	struct sim_vm *vm = find_vm(sim, fd);

	return vm ? vm->guest.pages : 0;
}

const uint8_t *sim_vm_host_data(struct sim *sim, int fd)
{
	struct sim_vm *vm = find_vm(sim, fd);

	return vm && vm->guest.state == SIM_GUEST_RUNNING ?
	       vm->guest.host_data : NULL;
}

uint64_t sim_realm_pages(struct sim *sim, int fd, bool measured)
{
	struct sim_vm *vm = find_vm(sim, fd);

	if (!vm)
		return 0;
	return measured ? vm->arm.measured : vm->arm.unmeasured;
}

bool sim_realm_is_active(struct sim *sim, int fd)
{
	struct sim_vm *vm = find_vm(sim, fd);

	return vm && vm->arm.state == SIM_REALM_ACTIVE;
}

bool sim_vm_is_private(struct sim *sim, int fd, uint64_t gpa)
{
	struct sim_vm *vm = find_vm(sim, fd);

	return vm && sim_ranges_have(&vm->private, gpa / SIM_PAGE);
}

unsigned int sim_differences(const struct sim *sim)
{
	return sim->differences;
}
