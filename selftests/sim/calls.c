// SPDX-License-Identifier: GPL-2.0
/*
 * The simulator as a table of calls: what is not its own goes to the running
 * kernel, so that guest memory is real memory.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/calls.h"
#include "internal.h"

static struct sim *current;
static struct calls table;

static int table_open(const char *path, int flags)
{
	return !strcmp(path, KVM_DEVICE_PATH) || !strcmp(path, SNP_DEVICE_PATH) ?
	       sim_open(current, path, flags) : calls_system.open(path, flags);
}

static int table_close(int fd)
{
	return sim_is_fd(current, fd) ? sim_close(current, fd) : calls_system.close(fd);
}

static int table_ioctl(int fd, unsigned long request, void *arg)
{
	return sim_is_fd(current, fd) ? sim_ioctl(current, fd, request, arg) :
	       calls_system.ioctl(fd, request, arg);
}

static int table_map(size_t length, int prot, int flags, int fd, uint64_t offset, void **out)
{
	if (!sim_is_fd(current, fd))
		return calls_system.map(length, prot, flags, fd, offset, out);
	return offset ? -EINVAL : sim_map(current, fd, length, out);
}

/* A kvm_run goes with its vCPU. */
static int table_unmap(void *address, size_t length)
{
	return sim_is_run(current, address) ? 0 : calls_system.unmap(address, length);
}

static int table_punch(int fd, uint64_t offset, uint64_t length)
{
	return sim_is_fd(current, fd) ? sim_punch(current, fd, offset, length) :
	       calls_system.punch(fd, offset, length);
}

static int table_allocate(int fd, uint64_t offset, uint64_t length)
{
	return sim_is_fd(current, fd) ?
	       sim_allocate(current, fd, offset, length) :
	       calls_system.allocate(fd, offset, length);
}

void sim_use(struct sim *sim)
{
	current = sim;
	table = calls_system;
	table.open = table_open;
	table.close = table_close;
	table.ioctl = table_ioctl;
	table.map = table_map;
	table.unmap = table_unmap;
	table.punch = table_punch;
	table.allocate = table_allocate;
	calls = sim ? &table : &calls_system;
}
