// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../gmem/gmem.h"
#include "../kvm/attributes.h"
#include "../kvm/calls.h"
#include "backing.h"
#include "memory.h"

#define HINT_MEMORY "the host is short of memory: choose a smaller --memory, " \
	"or raise the memory cgroup's limit"

static int memory_open_shared(struct memory *memory, struct error *error)
{
	struct range range = { 0, memory->size };
	struct memory_request request = {
		.ranges = &range,
		.nr_ranges = 1,
		.kind = memory->strategy == MEMORY_INPLACE ? BACKING_GMEM_STORE :
							     BACKING_SHARED,
		.existing_fd = -1,
		.node = -1,
	};
	struct backing backing;
	int rc = backing_open(&backing, &request, "guest-ram", error);

	return rc ? rc : backing.fd;
}

static int memory_map(struct memory *memory, struct error *error)
{
	void *address;
	int rc;

	rc = calls->map(memory->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			memory->shared_fd, 0, &address);
	if (rc)
		return error_set(error, rc, "guest memory", "mmap",
				 rc == -ENOMEM ? "%s" : NULL, HINT_MEMORY);
	memory->host = address;
	return 0;
}

int memory_create(struct memory *memory, enum memory_strategy strategy,
		  uint64_t size, struct error *error)
{
	int rc;

	memset(memory, 0, sizeof(*memory));
	memory->strategy = strategy;
	memory->size = size;
	memory->store_fd = -1;
	memory->slot = -1;
	turns_init(&memory->turns);
	memory->shared_fd = memory_open_shared(memory, error);
	rc = memory->shared_fd < 0 ? memory->shared_fd : 0;
	if (!rc)
		rc = memory_map(memory, error);
	memory->private = rc ? NULL : calloc(1, size >> GUEST_PAGE_SHIFT);
	if (!rc && !memory->private)
		rc = error_set(error, -ENOMEM, "guest memory", "allocate", "%s",
			       HINT_MEMORY);
	if (rc)
		memory_destroy(memory);
	return rc;
}

static int memory_bind(struct memory *memory, struct error *error)
{
	int rc = gmem_bind(memory->shared_fd, 0, memory->size, memory->store_fd,
			   0);

	if (rc == -EOPNOTSUPP)
		return error_set(error, rc, "gmem fd", "GMEM_IOCTL_BIND",
				 "the module gmem_kvm is not loaded: "
				 "`gmemctl load`");
	if (rc)
		return error_set(error, rc, "gmem fd", "GMEM_IOCTL_BIND", NULL);
	return 0;
}

int memory_attach(struct memory *memory, struct vm *vm, struct error *error)
{
	struct slot slot = { .size = memory->size, .host = memory->host };
	int rc;

	rc = vm_create_guest_memfd(vm, memory->size, error);
	if (rc < 0)
		return rc;
	memory->store_fd = rc;
	slot.guest_memfd = rc;
	rc = slot_add(vm, &slot, error);
	if (rc < 0)
		return rc;
	memory->slot = rc;
	return memory->strategy == MEMORY_INPLACE ? memory_bind(memory, error) : 0;
}

/* The store's fd keeps the VM alive, so it goes before the VM does. */
void memory_destroy(struct memory *memory)
{
	if (memory->host)
		calls->unmap(memory->host, memory->size);
	if (memory->shared_fd >= 0)
		calls->close(memory->shared_fd);
	if (memory->store_fd >= 0)
		calls->close(memory->store_fd);
	free(memory->private);
	turns_destroy(&memory->turns);
	memset(memory, 0, sizeof(*memory));
	memory->shared_fd = -1;
	memory->store_fd = -1;
}

bool memory_is_private(const struct memory *memory, uint64_t offset)
{
	return offset < memory->size &&
	       memory->private[offset >> GUEST_PAGE_SHIFT];
}

int memory_convert(struct memory *memory, struct vm *vm, uint64_t offset,
		   uint64_t size, bool to_private, char *why, size_t why_size)
{
	const struct convertible convertible = {
		.strategy = memory->strategy,
		.size = memory->size,
		.host = memory->host,
		.shared_fd = memory->shared_fd,
		.store_fd = memory->store_fd,
		.timeout_ms = memory->timeout_ms,
		.private = memory->private,
	};
	struct range range = { offset, offset + size };

	return memory_convert_range(&convertible, &memory->turns, vm, range,
				    to_private, why, why_size);
}

uint64_t memory_converted(struct memory *memory)
{
	return turns_ended(&memory->turns);
}

uint64_t memory_wait_idle(struct memory *memory)
{
	return turns_wait_idle(&memory->turns);
}
