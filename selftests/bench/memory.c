// SPDX-License-Identifier: GPL-2.0
/* The kinds of memory that are compared. */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "kvm_utils.h"

#ifndef __NR_memfd_secret
#define __NR_memfd_secret 447
#endif
#define FLAG_INIT_SHARED (1ULL << 1)	/* a flag of guest_memfd */

const char *const memory_names[] = {
	[MEMORY_ANON] = "anonymous",
	[MEMORY_MEMFD] = "memfd",
	[MEMORY_SECRET] = "memfd_secret",
	[MEMORY_GUEST_MEMFD] = "guest_memfd",
	[MEMORY_GMEM] = "gmem",
};

static int memory_guest_memfd(uint64_t length)
{
	int vm = kvm_create_vm(), fd;

	if (vm < 0)
		bench_skip("no VM of KVM");
	fd = kvm_create_guest_memfd(vm, length, GUEST_MEMFD_FLAG_MMAP | FLAG_INIT_SHARED);
	if (fd < 0)
		bench_skip("no guest_memfd that can be mapped");
	close(vm);
	return fd;
}

static int memory_secret(void)
{
	int fd = (int)syscall(__NR_memfd_secret, 0);

	if (fd < 0)
		bench_skip("no memfd_secret()");
	return fd;
}

void memory_open(struct memory *m, enum memory_kind kind, uint64_t length)
{
	*m = (struct memory){ .fd = -1, .length = length };
	switch (kind) {
	case MEMORY_ANON:
		return;
	case MEMORY_GMEM:
		m->fd = (int)must(gmem_create(length, GMEM_CREATE_F_INIT_SHARED));
		return;
	case MEMORY_GUEST_MEMFD:
		m->fd = memory_guest_memfd(length);
		return;
	case MEMORY_SECRET:
		m->fd = memory_secret();
		break;
	case MEMORY_MEMFD:
		m->fd = (int)must(memfd_create("bench", MFD_CLOEXEC));
		break;
	}
	must(ftruncate(m->fd, (off_t)length));
}

void memory_map(struct memory *m)
{
	int flags = m->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;

	m->map = mmap(NULL, m->length, PROT_READ | PROT_WRITE, flags, m->fd, 0);
	if (m->map == MAP_FAILED)
		bench_fail("mmap()", -errno);
	/* Compare pages of 4 KiB. */
	madvise(m->map, m->length, MADV_NOHUGEPAGE);
}

void memory_unmap(struct memory *m)
{
	munmap(m->map, m->length);
	m->map = NULL;
}

void memory_close(struct memory *m)
{
	if (m->map)
		memory_unmap(m);
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}

/* The kernel allocates frames in ascending order, or those first that were freed last. */
void memory_scatter(struct memory *m)
{
	uint64_t i, pages = m->length / PAGE;

	for (i = 0; i < pages; i++)
		((volatile uint8_t *)m->map)[i * 5 % pages * PAGE] = 1;
}

/*
 * A CPU first allocates single frames that were freed on it. When they are used up,
 * memory that is committed in one call comes from a larger block of frames.
 */
bool memory_gather(struct memory *m)
{
	struct memory waste;
	uint64_t i, first;

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK))
		return false;
	memory_open(&waste, MEMORY_MEMFD, 16 * SZ_2M);
	must(gmem_commit(waste.fd, 0, waste.length));
	must(gmem_commit(m->fd, 0, m->length));
	memory_close(&waste);
	memory_read(m->map, m->length);
	first = gmem_pfn(m->map);
	for (i = 1; i < m->length / PAGE; i++) {
		if (gmem_pfn(m->map + i * PAGE) != first + i)
			return false;
	}
	return first % BLOCK_PAGES == 0;
}

void memory_write(uint8_t *map, uint64_t length)
{
	uint64_t at;

	for (at = 0; at < length; at += PAGE)
		((volatile uint8_t *)map)[at] = 1;
}

void memory_read(const uint8_t *map, uint64_t length)
{
	uint64_t at;

	for (at = 0; at < length; at += PAGE)
		(void)((const volatile uint8_t *)map)[at];
}
