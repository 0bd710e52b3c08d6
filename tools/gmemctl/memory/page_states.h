/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which pages of RAM are private. Where there is a view gmem is asked, which knows;
 * where there is a guest_memfd it is what KVM was told last.
 */
#ifndef GMEMCTL_MEMORY_PAGE_STATES_H
#define GMEMCTL_MEMORY_PAGE_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "guest_memory.h"

/**
 * page_states() - the runs of pages of one state, in ascending order
 * @ram: guest physical addresses, inside one range of RAM
 * @visit: called for each run; not 0 ends the walk
 *
 * While a guest runs, each run is as it was when it was looked at.
 *
 * Return: 0, what @visit has returned, or a negative errno.
 */
int page_states(const struct guest_memory *memory, struct range ram,
		int (*visit)(struct range run, bool private, void *data),
		void *data);

/** page_is_private() - the page at @gpa; false also for what is no RAM */
bool page_is_private(const struct guest_memory *memory, uint64_t gpa);

/** page_states_private() - bytes of all RAM that are private */
uint64_t page_states_private(const struct guest_memory *memory);

#endif /* GMEMCTL_MEMORY_PAGE_STATES_H */
