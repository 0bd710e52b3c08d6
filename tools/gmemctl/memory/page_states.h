/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which pages of RAM are private. Where there is a view gmem is asked, which knows;
 * where there is a guest_memfd it is what KVM was told last.
 */
#ifndef GMEMCTL_MEMORY_PAGE_STATES_H
#define GMEMCTL_MEMORY_PAGE_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "guest_memory.h"

/**
 * struct private_runs - runs of private pages
 * @ranges: guest physical addresses in ascending order, @count of them
 * @count: see there
 * @shared: how many of them, from the first on, have been made shared
 */
struct private_runs {
	struct range *ranges;
	uint32_t count;
	uint32_t shared;
};

/**
 * private_runs_find() - what is private now
 * @stay: leave out what stays private while others take it: gmem has the states of
 *	pages in a view, and they go where the file goes
 * @action: what is to be done with the pages, for messages
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
 * Return: 0; -EPERM without the guest's consent; with a failure some may be
 * shared, see private_runs_restore().
 */
int private_runs_share(struct private_runs *runs, struct guest_memory *memory,
		       const char *action, struct error *error);

/** private_runs_make() - make ranges private that were so elsewhere */
int private_runs_make(const struct range *ranges, uint32_t count,
		      struct guest_memory *memory, struct error *error);

/**
 * private_runs_restore() - make private again what was made shared
 *
 * Goes on after a failure: what stays shared is recorded as shared.
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
 * While a guest runs, each run is as it was when it was looked at.
 *
 * Return: 0, what @visit has returned, or a negative errno.
 */
int page_states(const struct guest_memory *memory, struct range range,
		int (*visit)(struct range run, bool private, void *data),
		void *data);

/** page_is_private() - the page at @gpa; false also for what is no RAM */
bool page_is_private(const struct guest_memory *memory, uint64_t gpa);

/** page_states_private() - bytes of all RAM that are private */
uint64_t page_states_private(const struct guest_memory *memory);

#endif /* GMEMCTL_MEMORY_PAGE_STATES_H */
