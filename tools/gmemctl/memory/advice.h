/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a guest may ask for of its own memory: give it back, lock it, protect it, name
 * it. How that is done depends on where the memory comes from; what one kind of memory
 * cannot do is refused.
 *
 * DOC: What outlives a request
 *
 * Protection, locks, names and the like belong to mappings of this process: each piece
 * that differs from its neighbours is a mapping of its own, and a process can have some
 * 65000 of them (vm.max_map_count). So they are recorded, as runs of pages that are
 * alike, and there is a limit of ADVICE_RUNS_MAX: a guest can make at most two
 * mappings of each. The record also says what another process has to do to have the
 * same memory, and why a guest has met a page that it cannot access.
 *
 * DOC: Locks
 *
 * A request is done in the turn of its range (guest_memory.range_lock), since
 * conversions change what is private. Within, what is recorded changes with
 * advice.lock held, as the kernel changes mappings one at a time. Whatever gives
 * memory back or pages it out takes only the turn.
 */
#ifndef GMEMCTL_MEMORY_ADVICE_H
#define GMEMCTL_MEMORY_ADVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "../base/tlv.h"
#include "guest_memory.h"

/** ADVICE_RUNS_MAX: pieces of memory that are not as they were; see above */
#define ADVICE_RUNS_MAX 1024

/**
 * enum advice_kind - what is asked for; the numbers are those of pvmemcontrol
 * @ADVICE_DONTNEED: give it back; it reads zero then
 * @ADVICE_REMOVE: the same; not for memory that has nothing behind its mapping
 * @ADVICE_FREE: the host may take it at any time, until it is written again
 * @ADVICE_PAGEOUT: write it to swap, or to its file, now
 * @ADVICE_DONTDUMP: leave it out of core dumps
 * @ADVICE_NAME: "pvmemcontrol-N" in /proc/PID/smaps; N of 0: no name
 * @ADVICE_LOCK: keep it in memory
 * @ADVICE_UNLOCK: the host may page it out again
 * @ADVICE_PROTECT_NONE: no access, of the guest's, either
 * @ADVICE_PROTECT_R: no writes
 * @ADVICE_PROTECT_W: writes; this CPU cannot forbid reads then
 * @ADVICE_PROTECT_RW: as at first
 * @ADVICE_MERGEABLE: pages with equal contents may be one (KSM)
 * @ADVICE_UNMERGEABLE: no more
 */
enum advice_kind {
	ADVICE_DONTNEED = 1,
	ADVICE_REMOVE,
	ADVICE_FREE,
	ADVICE_PAGEOUT,
	ADVICE_DONTDUMP,
	ADVICE_NAME,
	ADVICE_LOCK,
	ADVICE_UNLOCK,
	ADVICE_PROTECT_NONE,
	ADVICE_PROTECT_R,
	ADVICE_PROTECT_W,
	ADVICE_PROTECT_RW,
	ADVICE_MERGEABLE,
	ADVICE_UNMERGEABLE,
	ADVICE_KINDS,
};

/**
 * struct advice_run - pages that are alike, and not as they were; part of a file format
 * @start: guest physical address
 * @size: bytes
 * @name: number in the name, 0: none
 * @denied: PROT_* that are taken away
 * @locked: likewise @no_dump, @mergeable; each 0 or 1
 */
struct advice_run {
	uint64_t start;
	uint64_t size;
	uint64_t name;
	uint8_t denied;
	uint8_t locked;
	uint8_t no_dump;
	uint8_t mergeable;
	uint8_t zero[4];
};

/**
 * struct advice - what a guest has asked for
 * @memory: its memory
 * @lock: protects what follows, and the mappings that it describes
 * @runs: in ascending order, @nr_runs of them; room for ADVICE_RUNS_MAX
 * @next: room for as many, for a change in the making
 * @nr_runs: see @runs
 * @nr_locked: of them are locked; read without the lock, too
 */
struct advice {
	struct guest_memory *memory;
	pthread_mutex_t lock;
	struct advice_run *runs;
	struct advice_run *next;
	unsigned int nr_runs;
	unsigned int nr_locked;
};

int advice_init(struct advice *advice, struct guest_memory *memory,
		struct error *error);
void advice_destroy(struct advice *advice);

/**
 * advice_take() - do what the guest asks for
 * @gpa: guest physical address
 * @size: bytes; 0 is nothing to do
 * @number: for ADVICE_NAME
 *
 * May be called by several threads at once.
 *
 * Return: 0; -EINVAL for a range that is not whole pages of RAM of one request, that
 * would cut a huge page, or is locked where that does not go together; -EOPNOTSUPP for
 * what this memory, or its private pages, cannot do; -ENOMEM if it makes too many
 * pieces; what the kernel says.
 */
int advice_take(struct advice *advice, enum advice_kind kind, uint64_t gpa,
		uint64_t size, uint64_t number);

/** advice_count() - pieces of memory that are not as they were */
unsigned int advice_count(struct advice *advice);

/** advice_denies() - whether the guest has taken access to the page at @gpa away */
bool advice_denies(struct advice *advice, uint64_t gpa);

/**
 * advice_explain() - which ranges cannot be accessed, for messages
 *
 * Empty if there are none.
 */
void advice_explain(struct advice *advice, char *text, size_t size);

/** advice_lift() - let this process access all memory; no vCPU runs */
int advice_lift(struct advice *advice);

/** advice_restore() - undo advice_lift() */
int advice_restore(struct advice *advice);

/** advice_get() - add a record with all runs, unless there are none */
void advice_get(struct advice *advice, struct tlv *records, uint32_t type);

/**
 * advice_set() - do to new memory what such a record says; without one, nothing
 *
 * Return: 0; -EBADMSG; what the kernel says, and then the guest must not run here.
 */
int advice_set(struct advice *advice, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_MEMORY_ADVICE_H */
