// SPDX-License-Identifier: GPL-2.0
/* Open files: their numbers, and what each of them is. */
#include <errno.h>
#include <fcntl.h>
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
	(void)context;
	free(run);
}

void sim_files_init(struct sim *sim, const struct sim_files *files)
{
	const struct sim_files own = { own_open, own_forget, sim };

	sim->files = files ? *files : own;
}

static struct sim_fd *free_entry(struct sim *sim)
{
	for (int i = 0; i < SIM_FDS; i++)
		if (sim->fds[i].kind == SIM_FREE)
			return &sim->fds[i];
	return NULL;
}

int sim_fd_install(struct sim *sim, enum sim_kind kind, void *object,
		   bool writable)
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

static void put(struct sim *sim, const struct sim_fd *fd)
{
	if (fd->kind == SIM_GMEM)
		sim_gmem_put(sim, fd->object);
	else if (fd->kind == SIM_VM || fd->kind == SIM_GIC)
		sim_vm_put(sim, fd->object);
	else if (fd->kind == SIM_VCPU)
		sim_vm_put(sim, ((struct sim_vcpu *)fd->object)->vm);
}

static void get(const struct sim_fd *fd)
{
	if (fd->kind == SIM_GMEM)
		((struct sim_gmem *)fd->object)->refs++;
	else if (fd->kind == SIM_VM || fd->kind == SIM_GIC)
		((struct sim_vm *)fd->object)->refs++;
	else if (fd->kind == SIM_VCPU)
		((struct sim_vcpu *)fd->object)->vm->refs++;
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
	put(sim, &closed);
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
	get(entry);
	sim_trace_call(sim, "dup", fd, 0);
	return 0;
}

void sim_close_all(struct sim *sim)
{
	for (int i = 0; i < SIM_FDS; i++)
		if (sim->fds[i].kind != SIM_FREE)
			sim_close(sim, sim->fds[i].number);
}

unsigned int sim_open_files(const struct sim *sim)
{
	unsigned int open = 0;

	for (int i = 0; i < SIM_FDS; i++)
		open += sim->fds[i].kind != SIM_FREE;
	return open;
}
