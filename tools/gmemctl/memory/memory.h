/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a guest: what its shared pages and its private pages come from,
 * and how a range goes from one to the other.
 */
#ifndef GMEMCTL_MEMORY_MEMORY_H
#define GMEMCTL_MEMORY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/gmem.h>

#include "../kvm/error.h"
#include "../kvm/vm.h"
#include "convert.h"
#include "turns.h"

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
 * @turns: ranges in conversion
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
	struct turns turns;
};

/** memory_create() - open the backing and map its shared side */
int memory_create(struct memory *memory, enum memory_strategy strategy,
		  uint64_t size, struct error *error);

/** memory_attach() - make it the one slot of @vm, and bind it to the store */
int memory_attach(struct memory *memory, struct vm *vm, struct error *error);

void memory_destroy(struct memory *memory);

/** memory_convert() - memory_convert_range() on all of it */
int memory_convert(struct memory *memory, struct vm *vm, uint64_t offset,
		   uint64_t size, bool to_private, char *why, size_t why_size);

/** memory_is_private() - what memory_convert() has last made of a page */
bool memory_is_private(const struct memory *memory, uint64_t offset);

/** memory_converted() - number of conversions that have ended so far */
uint64_t memory_converted(struct memory *memory);

/** memory_wait_idle() - the same, once no conversion is going on */
uint64_t memory_wait_idle(struct memory *memory);

#endif /* GMEMCTL_MEMORY_MEMORY_H */
