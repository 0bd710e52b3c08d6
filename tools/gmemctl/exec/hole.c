// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Holes
 *
 * A guest can point a device of the VMM at private memory. The VMM's access is a SIGBUS,
 * which would end the VMM because of a mistake of its guest. Instead a page of zeros is
 * mapped there, a hole: reads return zeros, and writes are lost. When the page becomes
 * shared, the mapping is restored.
 *
 * There are at most EXEC_HOLES_MAX holes. A new one replaces the oldest, which does no
 * harm: a later access there makes a hole again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/calls.h"
#include "../base/clock.h"
#include "../gmem/gmem.h"
#include "exec.h"
#include "report.h"

#define PAGE 4096u

/* How often an access to a shared page is retried. It may have become shared just now. */
#define RETRIES 8

/* Minimum time between two messages about zeros */
#define SAY_NS (60 * UINT64_C(1000000000))

/**
 * struct hole - a hole in a mapping of the VMM
 * @address: address of the page; 0: this entry is free
 * @memory: the gmem fd that was mapped there
 * @offset: offset in it
 * @protection: protection of the mapping
 */
struct hole {
	uint64_t address;
	const struct exec_memory *memory;
	uint64_t offset;
	int protection;
};

/*
 * @zeros is a file with one page, which is mapped with MAP_PRIVATE. It tells a hole from other
 * files that the VMM may have mapped there since.
 */
static struct {
	struct exec_spin lock;
	int zeros_fd;
	struct exec_file_id zeros;
	unsigned int next;
	uint64_t said_ns;
	struct hole all[EXEC_HOLES_MAX];
} holes = { .zeros_fd = -1 };

int exec_holes_prepare(void)
{
	struct stat status;
	int fd;

	if (holes.zeros_fd >= 0)
		return 0;
	fd = calls->memfd("gmem-zeros", PAGE);
	if (fd < 0)
		return fd;
	if (fstat(fd, &status))
		return -errno;
	holes.zeros = (struct exec_file_id){ status.st_ino, status.st_dev };
	holes.zeros_fd = fd;
	return 0;
}

bool exec_hole_is(const struct exec_place *place)
{
	return exec_file_id_equal(place->file, holes.zeros);
}

static void hole_fill(struct hole *hole)
{
	struct exec_place place;

	if (!exec_place_find(hole->address, &place) && exec_hole_is(&place))
		calls->map_at((void *)(uintptr_t)hole->address, PAGE, hole->protection, MAP_SHARED,
			      hole->memory->fd, hole->offset);
	hole->address = 0;
}

/* End a hole, and copy what the VMM has written there, unless it is zero, to the page. */
static void hole_keep(struct hole *hole)
{
	void *page = (void *)(uintptr_t)hole->address;
	uint8_t bytes[PAGE];
	struct iovec from = { bytes, PAGE }, to = { page, PAGE };
	struct exec_place place;
	bool kept;

	kept = hole->protection & PROT_WRITE &&
	       !exec_place_find(hole->address, &place) && exec_hole_is(&place);
	if (kept)
		memcpy(bytes, page, PAGE);
	hole_fill(hole);
	/* If there is no memory for the page this is an error. A store would be a SIGBUS. */
	if (kept && !bytes_are_zero(bytes, PAGE) &&
	    process_vm_writev(getpid(), &from, 1, &to, 1, 0) != PAGE)
		exec_say_number("data that the VMM wrote before a reset are lost, at ",
				(uintptr_t)page, "");
}

static void holes_each(const struct exec_memory *memory, uint64_t offset,
		       uint64_t length, void (*end)(struct hole *hole))
{
	sigset_t before;

	exec_spin_lock(&holes.lock, &before);
	for (unsigned int i = 0; i < EXEC_HOLES_MAX; i++) {
		struct hole *hole = &holes.all[i];

		if (hole->address && hole->memory == memory &&
		    hole->offset >= offset && hole->offset - offset < length)
			end(hole);
	}
	exec_spin_unlock(&holes.lock, &before);
}

void exec_holes_fill(const struct exec_memory *memory, uint64_t offset, uint64_t length)
{
	holes_each(memory, offset, length, hole_fill);
}

void exec_holes_keep(const struct exec_memory *memory, uint64_t offset, uint64_t length)
{
	holes_each(memory, offset, length, hole_keep);
}

static int visit_state(const struct gmem_range *range, void *data)
{
	*(uint32_t *)data = range->state;
	return 0;
}

/* Limit the retries of an access that keeps failing. */
static bool retry_shared(uint64_t address)
{
	static __thread uint64_t last;
	static __thread unsigned int tries;

	tries = last == address ? tries + 1 : 0;
	last = address;
	return tries < RETRIES;
}

/* Limit the rate of the message. During a save, exec_save_refuses() has a better one. */
static void say_zeros(uint64_t offset)
{
	uint64_t now = clock_now_ns();

	if (exec_saves() || (holes.said_ns && now - holes.said_ns < SAY_NS))
		return;
	holes.said_ns = now;
	exec_say_number("private memory of the guest, offset ", offset,
			" of a gmem fd, was accessed by the VMM, for a device that the guest has "
			"pointed there, its monitor, a debugger or a dump: it reads zeros instead "
			"(reported at most once a minute)");
}

static bool hole_map(const struct hole *new)
{
	struct hole *hole = &holes.all[holes.next];

	if (hole->address)
		hole_fill(hole);
	if (calls->map_at((void *)(uintptr_t)new->address, PAGE, new->protection,
			  MAP_PRIVATE, holes.zeros_fd, 0))
		return false;
	*hole = *new;
	holes.next = (holes.next + 1) % EXEC_HOLES_MAX;
	exec_count(&exec_counters.zeros, 1);
	exec_save_zeros();
	say_zeros(new->offset);
	return true;
}

/*
 * The caller holds the lock from the query of the state to the mapping. A conversion after
 * the query then finds the hole, because exec_holes_fill() takes the lock.
 */
static bool hole_answer(uint64_t page)
{
	uint32_t state = GMEM_STATE_SHARED;
	struct exec_place place;
	struct hole new;

	if (exec_place_find(page, &place))
		return false;
	if (exec_hole_is(&place))
		return true;
	new = (struct hole){
		.address = page,
		.memory = exec_memory_find(place.file),
		.offset = place.offset + (page - place.start),
		.protection = place.protection,
	};
	if (!new.memory || !place.shared ||
	    gmem_query(new.memory->fd, new.offset, PAGE, visit_state, &state))
		return false;
	return state == GMEM_STATE_PRIVATE ? hole_map(&new) : retry_shared(page);
}

bool exec_hole_make(uint64_t address)
{
	sigset_t before;
	bool answered;

	if (holes.zeros_fd < 0)
		return false;
	exec_spin_lock(&holes.lock, &before);
	answered = hole_answer(address & ~(uint64_t)(PAGE - 1));
	exec_spin_unlock(&holes.lock, &before);
	return answered;
}
