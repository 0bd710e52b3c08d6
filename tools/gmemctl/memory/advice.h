/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests of a guest for its own memory: free it, lock it, protect it, name it. What is done
 * depends on the kind of memory. A request that this kind does not support is refused.
 *
 * DOC: Lasting effects of requests
 *
 * Protection, locks, names and the like are properties of mappings of this process. Each piece
 * that differs from its neighbours is a separate mapping, and a process can have about 65000
 * of them (vm.max_map_count). So pieces are recorded, as runs of pages with equal properties,
 * and limited to ADVICE_RUNS_MAX: each run costs at most two mappings. The record also tells
 * another process how to set up the same memory, and explains why a guest cannot access a
 * page.
 *
 * DOC: Locks
 *
 * A request holds the lock of its range (guest_memory.range_lock), because conversions change
 * which pages are private. Inside that lock, a request that changes the record holds
 * advice.lock; the kernel changes mappings one at a time anyway. Requests that free memory or
 * page it out need only the lock of the range.
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

/** ADVICE_RUNS_MAX: largest number of pieces with changed properties; see above */
#define ADVICE_RUNS_MAX 1024

/**
 * enum advice_kind - kinds of requests; the numbers are those of pvmemcontrol
 * @ADVICE_DONTNEED: free the memory; it reads as zero afterwards
 * @ADVICE_REMOVE: the same; not for anonymous memory
 * @ADVICE_FREE: the host may free the memory at any time until it is written again
 * @ADVICE_PAGEOUT: write the memory to swap, or to its file, now
 * @ADVICE_DONTDUMP: exclude the memory from core dumps
 * @ADVICE_NAME: name it "pvmemcontrol-N" in /proc/PID/smaps; with N = 0 remove the name
 * @ADVICE_LOCK: keep the memory from being paged out
 * @ADVICE_UNLOCK: allow paging again
 * @ADVICE_PROTECT_NONE: forbid all accesses, also those of the guest
 * @ADVICE_PROTECT_R: forbid writes
 * @ADVICE_PROTECT_W: allow writes; x86 cannot forbid reads then
 * @ADVICE_PROTECT_RW: allow all accesses, as at the start
 * @ADVICE_MERGEABLE: let KSM merge pages with equal contents
 * @ADVICE_UNMERGEABLE: undo that
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
 * struct advice_run - pages with equal changed properties; part of a file format
 * @start: guest physical address
 * @size: bytes
 * @name: the number in the name; 0: no name
 * @denied: PROT_* that are forbidden
 * @locked: 0 or 1, as are @no_dump and @mergeable
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
 * struct advice - the record of a guest's requests
 * @memory: its memory
 * @lock: protects the following members, and the mappings that they describe
 * @runs: the runs, in ascending order; room for ADVICE_RUNS_MAX
 * @next: room for as many, to prepare a change
 * @nr_runs: number of @runs
 * @nr_locked: number of locked runs; also read without the lock
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
 * advice_take() - do a request of the guest
 * @gpa: guest physical address
 * @size: bytes; with 0 the call is a no-op
 * @number: for ADVICE_NAME
 *
 * Several threads may call this at the same time.
 *
 * Return: 0; -EINVAL for a range that is not whole pages of RAM of one memory request, that
 * would split a huge page, or that is locked and must not be for this kind; -EOPNOTSUPP if
 * this memory, or its private pages, do not support the kind; -ENOMEM if there would be too
 * many pieces; or an error of the kernel.
 */
int advice_take(struct advice *advice, enum advice_kind kind, uint64_t gpa,
		uint64_t size, uint64_t number);

/** advice_count() - number of pieces with changed properties */
unsigned int advice_count(struct advice *advice);

/** advice_denies() - whether the guest has forbidden access to the page at @gpa */
bool advice_denies(struct advice *advice, uint64_t gpa);

/**
 * advice_explain() - which ranges cannot be accessed, for messages
 *
 * Empty if there are none.
 */
void advice_explain(struct advice *advice, char *text, size_t size);

/** advice_lift() - allow this process to access all memory; no vCPU may run */
int advice_lift(struct advice *advice);

/** advice_restore() - undo advice_lift() */
int advice_restore(struct advice *advice);

/** advice_get() - add a record with all runs, unless there are none */
void advice_get(struct advice *advice, struct tlv *records, uint32_t type);

/**
 * advice_set() - apply such a record, if there is one, to new memory
 *
 * Return: 0; -EBADMSG; or an error of the kernel. After an error the guest must not run here.
 */
int advice_set(struct advice *advice, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_MEMORY_ADVICE_H */
