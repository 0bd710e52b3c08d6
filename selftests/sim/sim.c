// SPDX-License-Identifier: GPL-2.0
/*
 * The host: its open files, the way of a call, what can be made to go wrong, and what a test
 * wants to know.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct sim_fd *sim_fd(const struct sim *sim, int fd)
{
	for (int i = 0; i < SIM_FDS; i++)
		if (sim->fds[i].kind != SIM_FREE && sim->fds[i].number == fd)
			return (struct sim_fd *)&sim->fds[i];
	return NULL;
}

bool sim_is_fd(const struct sim *sim, int fd)
{
	return sim_fd(sim, fd);
}

/* The lowest free number, as the kernel gives it: a reopened file can get it. */
static int own_open(void *context, enum sim_kind kind, void **run)
{
	const struct sim *sim = context;
	int number = SIM_FD_BASE;

	while (sim_fd(sim, number))
		number++;
	if (kind != SIM_VCPU)
		return number;
	*run = calloc(1, SIM_RUN_SIZE);
	return *run ? number : -ENOMEM;
}

static void own_forget(void *context, void *run)
{
	free(run);
}

struct sim *sim_create(const struct sim_config *config)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	sim->config = *config;
	sim->memory = config->memory ? *config->memory : sim_process_memory;
	sim->files = config->files ? *config->files :
		     (struct sim_files){ own_open, own_forget, sim };
	sim->psp_dead = config->psp_dead;
	sim->pending = -1;
	return sim;
}

void sim_destroy(struct sim *sim)
{
	if (!sim)
		return;
	for (int i = 0; i < SIM_FDS; i++)
		if (sim->fds[i].kind != SIM_FREE)
			sim_close(sim, sim->fds[i].number);
	free(sim);
}

static struct sim_fd *free_entry(struct sim *sim)
{
	for (int i = 0; i < SIM_FDS; i++)
		if (sim->fds[i].kind == SIM_FREE)
			return &sim->fds[i];
	return NULL;
}

int sim_fd_install(struct sim *sim, enum sim_kind kind, void *object, bool writable)
{
	struct sim_fd *entry = free_entry(sim);
	void *run = NULL;
	int number;

	if (!entry)
		return -EMFILE;
	number = sim->config.kernel && kind != SIM_SEV ?
		 sim_hybrid_number(sim, kind, &run) :
		 sim->files.open(sim->files.context, kind, &run);
	if (number < 0)
		return number;
	if (kind == SIM_VCPU)
		((struct sim_vcpu *)object)->run = run;
	*entry = (struct sim_fd){
		.kind = kind, .number = number, .object = object,
		.serial = sim->serials[kind]++, .writable = writable,
	};
	return number;
}

int sim_open(struct sim *sim, const char *path, int flags)
{
	bool writable = (flags & O_ACCMODE) != O_RDONLY;
	int rc = -ENOENT;

	if (!strcmp(path, KVM_DEVICE_PATH))
		rc = sim_fd_install(sim, SIM_KVM, NULL, writable);
	else if (!strcmp(path, SNP_DEVICE_PATH) && !sim->config.no_snp &&
		 !sim->config.no_dev_sev && !sim->config.arm)
		rc = sim_fd_install(sim, SIM_SEV, NULL, writable);
	sim_trace_call(sim, path, -1, rc);
	return rc;
}

/* The VM that a file keeps alive, itself or through what belongs to it, or NULL */
static struct sim_vm *vm_of(const struct sim_fd *fd)
{
	if (fd->kind == SIM_VM || fd->kind == SIM_GIC)
		return fd->object;
	return fd->kind == SIM_VCPU ? ((struct sim_vcpu *)fd->object)->vm : NULL;
}

int sim_close(struct sim *sim, int fd)
{
	struct sim_fd *found = sim_fd(sim, fd);
	struct sim_fd closed;

	if (!found)
		return -EBADF;
	sim_trace_call(sim, "close", fd, 0);
	closed = *found;
	memset(found, 0, sizeof(*found));
	if (closed.kind == SIM_GMEM)
		sim_gmem_put(sim, closed.object);
	else if (vm_of(&closed))
		sim_vm_put(sim, vm_of(&closed));
	return 0;
}

int sim_dup(struct sim *sim, int fd, int number)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	struct sim_fd *entry = free_entry(sim);

	if (!found)
		return -EBADF;
	if (!entry)
		return -EMFILE;
	*entry = *found;
	entry->number = number;
	if (entry->kind == SIM_GMEM)
		((struct sim_gmem *)entry->object)->refs++;
	else if (vm_of(entry))
		vm_of(entry)->refs++;
	sim_trace_call(sim, "dup", fd, 0);
	return 0;
}

unsigned int sim_open_files(const struct sim *sim)
{
	unsigned int open = 0;

	for (int i = 0; i < SIM_FDS; i++)
		open += sim->fds[i].kind != SIM_FREE;
	return open;
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

int sim_dispatch(struct sim *sim, const struct sim_fd *found, unsigned long request, uint64_t value)
{
	bool arm = sim->config.arm;

	switch (found->kind) {
	case SIM_KVM:
		return sim_kvm_ioctl(sim, request, value);
	case SIM_VM:
		return arm ? sim_arm_vm_ioctl(sim, found->object, request, value) :
			     sim_vm_ioctl(sim, found->object, request, value);
	case SIM_VCPU:
		return arm ? sim_arm_vcpu_ioctl(sim, found->object, request, value) :
			     sim_vcpu_ioctl(sim, found->object, request, value);
	case SIM_SEV:
		return sim_sev_ioctl(sim, found, request, value);
	case SIM_GIC:
		return sim_arm_gic_ioctl(sim, found->object, request, value);
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

		if (fd->kind == SIM_VCPU && ((struct sim_vcpu *)fd->object)->run == address)
			return true;
	}
	return false;
}

int sim_fail(struct sim *sim, enum sim_event event, unsigned int nth, uint32_t error)
{
	for (int i = 0; i < SIM_FAULTS; i++) {
		if (sim->faults[i].countdown)
			continue;
		sim->faults[i].event = event;
		sim->faults[i].countdown = nth;
		sim->faults[i].error = error;
		return 0;
	}
	return -ENOSPC;
}

/* Counts one of these; whether this is one that was to fail. */
bool sim_fails(struct sim *sim, enum sim_event event, uint32_t *error)
{
	bool fails = false;

	for (int i = 0; i < SIM_FAULTS; i++) {
		if (sim->faults[i].event != event ||
		    !sim->faults[i].countdown || --sim->faults[i].countdown)
			continue;
		fails = true;
		if (error)
			*error = sim->faults[i].error;
	}
	return fails;
}

void sim_kill_psp(struct sim *sim)
{
	sim->psp_dead = true;
}

int sim_plan(struct sim *sim, uint32_t id, const struct sim_exit *exit)
{
	if (sim->nr_plan == SIM_EXITS)
		return -ENOSPC;
	sim->plan[sim->nr_plan].vcpu = id;
	sim->plan[sim->nr_plan++].exit = *exit;
	return 0;
}

int sim_script(struct sim *sim, int fd, const struct sim_exit *script)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	struct sim_vcpu *vcpu;

	if (!found || found->kind != SIM_VCPU)
		return -EBADF;
	vcpu = found->object;
	if (vcpu->nr_exits == SIM_EXITS)
		return -ENOSPC;
	vcpu->exits[vcpu->nr_exits++] = *script;
	return 0;
}

struct sim_vm *sim_find_vm(struct sim *sim, int fd)
{
	const struct sim_fd *found = sim_fd(sim, fd);

	return found && found->kind == SIM_VM ? found->object : NULL;
}

const uint8_t *sim_vm_digest(struct sim *sim, int fd)
{
	struct sim_vm *vm = sim_find_vm(sim, fd);

	return vm && vm->guest.state != SIM_GUEST_NONE ? vm->guest.digest : NULL;
}

uint64_t sim_vm_pages(struct sim *sim, int fd)
{
	struct sim_vm *vm = sim_find_vm(sim, fd);

	return vm ? vm->guest.pages : 0;
}

const uint8_t *sim_vm_host_data(struct sim *sim, int fd)
{
	struct sim_vm *vm = sim_find_vm(sim, fd);

	return vm && vm->guest.state == SIM_GUEST_RUNNING ? vm->guest.host_data : NULL;
}

uint64_t sim_realm_pages(struct sim *sim, int fd, bool measured)
{
	struct sim_vm *vm = sim_find_vm(sim, fd);

	if (!vm)
		return 0;
	return measured ? vm->arm.measured : vm->arm.unmeasured;
}

bool sim_realm_is_active(struct sim *sim, int fd)
{
	struct sim_vm *vm = sim_find_vm(sim, fd);

	return vm && vm->arm.state == SIM_REALM_ACTIVE;
}

unsigned int sim_differences(const struct sim *sim)
{
	return sim->differences;
}
