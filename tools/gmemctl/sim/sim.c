// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

/*
 * Through the kernel, which answers EFAULT where a plain copy would crash: bad
 * addresses are among the things that are tested.
 */
static int own_in(void *context, void *to, uint64_t from, size_t size)
{
	struct iovec local = { to, size };
	struct iovec remote = { (void *)from, size };

	(void)context;
	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)size ? 0 : -EFAULT;
}

static int own_out(void *context, uint64_t to, const void *from, size_t size)
{
	struct iovec local = { (void *)from, size };
	struct iovec remote = { (void *)to, size };

	(void)context;
	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)size ? 0 : -EFAULT;
}

static const struct sim_memory own_memory = { own_in, own_out, NULL };

struct sim *sim_create(const struct sim_config *config)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	sim->config = *config;
	sim->memory = config->memory ? *config->memory : own_memory;
	return sim;
}

void sim_destroy(struct sim *sim)
{
	if (!sim)
		return;
	for (int i = 0; i < SIM_FDS; i++)
		sim_close(sim, SIM_FD_BASE + i);
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
	if (sim->config.lint) {
		sim->config.lint(sim->config.lint_context, message);
	} else if (sim->config.strict) {
		fprintf(stderr, "simulator: %s\n", message);
		abort();
	}
}

bool sim_is_fd(int fd)
{
	return fd >= SIM_FD_BASE && fd < SIM_FD_BASE + SIM_FDS;
}

struct sim_fd *sim_fd(struct sim *sim, int fd)
{
	struct sim_fd *found;

	if (!sim_is_fd(fd))
		return NULL;
	found = &sim->fds[fd - SIM_FD_BASE];
	return found->kind == SIM_FREE ? NULL : found;
}

/* The lowest free number, as the kernel gives it: a reopened file can get it. */
int sim_fd_install(struct sim *sim, enum sim_kind kind, void *object,
		   bool writable)
{
	for (int i = 0; i < SIM_FDS; i++) {
		if (sim->fds[i].kind != SIM_FREE)
			continue;
		sim->fds[i] = (struct sim_fd){ kind, object, writable };
		return SIM_FD_BASE + i;
	}
	return -EMFILE;
}

int sim_open(struct sim *sim, const char *path, int flags)
{
	bool writable = (flags & O_ACCMODE) != O_RDONLY;

	if (!strcmp(path, KVM_DEVICE_PATH))
		return sim_fd_install(sim, SIM_KVM, NULL, writable);
	if (!strcmp(path, SNP_DEVICE_PATH) && !sim->config.no_snp)
		return sim_fd_install(sim, SIM_SEV, NULL, writable);
	return -ENOENT;
}

int sim_close(struct sim *sim, int fd)
{
	struct sim_fd *found = sim_fd(sim, fd);
	struct sim_fd closed;

	if (!found)
		return -EBADF;
	closed = *found;
	memset(found, 0, sizeof(*found));
	if (closed.kind == SIM_GMEM)
		sim_gmem_close(sim, closed.object);
	else if (closed.kind == SIM_VM)
		sim_vm_put(sim, closed.object);
	else if (closed.kind == SIM_VCPU)
		sim_vm_put(sim, ((struct sim_vcpu *)closed.object)->vm);
	return 0;
}

int sim_ioctl(struct sim *sim, int fd, unsigned long request, void *arg)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	uint64_t value = (uint64_t)arg;

	if (!found)
		return -EBADF;
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

bool sim_vm_is_private(struct sim *sim, int fd, uint64_t gpa)
{
	struct sim_vm *vm = find_vm(sim, fd);

	return vm && sim_private_get(vm, gpa / SIM_PAGE);
}
