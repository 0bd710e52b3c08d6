/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds which pages of RAM are private, and lets devices read and write the others.
 *
 * With a view gmem is asked for the states. With a guest_memfd the state is what KVM was told
 * last. A running guest chooses the addresses of accesses. It can protect these pages, or make
 * them private, at any time. So accesses of devices are copied by system calls, which return
 * an error in these cases. Takes no lock.
 */
#ifndef GMEMCTL_MEMORY_ACCESS_H
#define GMEMCTL_MEMORY_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "guest_memory.h"

/**
 * struct private_runs - runs of private pages
 * @ranges: guest physical addresses in ascending order
 * @count: number of @ranges
 * @shared: number of @ranges, from the first on, that were made shared
 */
struct private_runs {
	struct range *ranges;
	uint32_t count;
	uint32_t shared;
};

/**
 * private_runs_find() - find all private pages
 * @stay: leave out pages of views. They can stay private in a handover, because gmem keeps
 *	their state with the file
 * @action: what will be done with the pages, for messages
 *
 * Return: 0; -EOPNOTSUPP if the contents cannot leave private memory because
 * conversions discard them; -ENOMEM.
 */
int private_runs_find(struct private_runs *runs,
		      const struct guest_memory *memory, bool stay,
		      const char *action, struct error *error);
void private_runs_free(struct private_runs *runs);

/**
 * private_runs_share() - make all of them shared, contents preserved
 *
 * Return: 0; -EPERM without the guest's consent. After a failure some may be shared, see
 * private_runs_restore().
 */
int private_runs_share(struct private_runs *runs, struct guest_memory *memory,
		       const char *action, struct error *error);

/** private_runs_make() - make ranges private that were private in another process */
int private_runs_make(const struct range *ranges, uint32_t count,
		      struct guest_memory *memory, struct error *error);

/**
 * private_runs_restore() - undo private_runs_share()
 *
 * Continues after a failure. Pages that stay shared are recorded as shared.
 *
 * Return: 0, or the first failure.
 */
int private_runs_restore(struct private_runs *runs, struct guest_memory *memory,
			 struct error *error);

/**
 * page_states() - the runs of pages of one state, in ascending order
 * @range: guest physical addresses, inside one range of RAM
 * @visit: called for each run; not 0 ends the walk
 *
 * While a guest runs, the state of a run can change after it was read.
 *
 * Return: 0, what @visit has returned, or a negative errno.
 */
int page_states(const struct guest_memory *memory, struct range range,
		int (*visit)(struct range run, bool private, void *data),
		void *data);

/** page_is_private() - whether the page at @gpa is private; false if it is not RAM */
bool page_is_private(const struct guest_memory *memory, uint64_t gpa);

/** page_states_private() - private bytes of all RAM */
uint64_t page_states_private(const struct guest_memory *memory);

/** access_is_ram() - whether all of a range is RAM; true for an empty range inside RAM */
bool access_is_ram(const struct guest_memory *memory, uint64_t gpa, uint64_t size);

/** access_is_shared() - whether all of it is RAM, and no page of it private now */
bool access_is_shared(const struct guest_memory *memory, uint64_t gpa,
		      uint64_t size);

/**
 * access_read() - copy from shared RAM
 *
 * Return: 0; -EFAULT if a page is not RAM, is private, or cannot be accessed; then @to is
 * undefined.
 */
int access_read(const struct guest_memory *memory, uint64_t gpa, void *to,
		size_t size);

/** access_write() - copy to shared RAM; with -EFAULT a part may have been written */
int access_write(const struct guest_memory *memory, uint64_t gpa,
		 const void *from, size_t size);

#endif /* GMEMCTL_MEMORY_ACCESS_H */
