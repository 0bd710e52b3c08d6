/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a guest: what its shared pages and its private pages come from,
 * and how a range goes from one to the other.
 */
#ifndef GMEMCTL_MEMORY_MEMORY_H
#define GMEMCTL_MEMORY_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/gmem.h>

#include "../kvm/error.h"
#include "../kvm/vm.h"
#include "range.h"

/**
 * enum memory_strategy - how a range is converted
 * @MEMORY_INPLACE: shared pages are gmem's, and a conversion hands the very
 *	same pages over to KVM's guest_memfd
 * @MEMORY_DISCARD: shared pages are a memfd's. As QEMU does it: the attribute
 *	changes, then a hole is punched on the side that is stale. Contents are
 *	lost; a guest that needs them copies them.
 */
enum memory_strategy {
	MEMORY_INPLACE,
	MEMORY_DISCARD,
};

#define MEMORY_BUSY_MAX 16

/**
 * struct memory - guest memory from gpa 0
 * @strategy: see enum memory_strategy
 * @size: bytes
 * @shared_fd: the gmem fd, or the memfd
 * @store_fd: KVM's guest_memfd
 * @slot: number of the slot, or negative
 * @host: mapping of @shared_fd
 * @timeout_ms: how long a conversion to private may wait for references
 * @private: one byte per page: KVM's PRIVATE attribute as last set by
 *	memory_convert(); KVM has no call that reads it
 * @lock: protects @busy
 * @idle: signalled when a range leaves @busy
 * @busy: ranges in conversion; overlapping ones wait, others run in parallel
 * @nr_busy: entries of @busy in use
 * @converted: conversions that have ended, whatever came of them
 */
struct memory {
	enum memory_strategy strategy;
	uint64_t size;
	int shared_fd;
	int store_fd;
	int slot;
	uint8_t *host;
	uint32_t timeout_ms;
	uint8_t *private;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	struct range busy[MEMORY_BUSY_MAX];
	unsigned int nr_busy;
	uint64_t converted;
};

/** memory_create() - open the backing and map its shared side */
int memory_create(struct memory *memory, enum memory_strategy strategy,
		  uint64_t size, struct error *error);

/** memory_attach() - make it the one slot of @vm, and bind it to the store */
int memory_attach(struct memory *memory, struct vm *vm, struct error *error);

void memory_destroy(struct memory *memory);

/**
 * memory_convert() - convert a range, KVM's attribute included
 * @why: out: a text that explains a failure; may be NULL
 * @why_size: bytes of @why
 *
 * All or nothing for the in-place strategy. Conversions of overlapping ranges
 * by several threads take turns.
 */
int memory_convert(struct memory *memory, struct vm *vm, uint64_t offset,
		   uint64_t size, bool to_private, char *why, size_t why_size);

/** memory_is_private() - what memory_convert() has last made of a page */
bool memory_is_private(const struct memory *memory, uint64_t offset);

/** memory_converted() - number of conversions that have ended so far */
uint64_t memory_converted(struct memory *memory);

/** memory_wait_idle() - the same, once no conversion is going on */
uint64_t memory_wait_idle(struct memory *memory);

#endif /* GMEMCTL_MEMORY_MEMORY_H */
