/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which pages of RAM are private, and what devices read and write of the others.
 *
 * Where there is a view gmem is asked, which knows; where there is a guest_memfd it is what
 * KVM was told last. While a guest runs it chooses the addresses, may take access to
 * them away, and may make them private at any moment: for devices the kernel does the
 * copying, so that each of this is an error. Takes no lock.
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

/** access_is_ram() - whether all of a range is RAM; an empty one is, inside of RAM */
bool access_is_ram(const struct guest_memory *memory, uint64_t gpa, uint64_t size);

/** access_is_shared() - whether all of it is RAM, and no page of it private now */
bool access_is_shared(const struct guest_memory *memory, uint64_t gpa,
		      uint64_t size);

/**
 * access_read() - copy from shared RAM
 *
 * Return: 0; -EFAULT for what is no RAM, is private, or cannot be accessed, with
 * @to undefined.
 */
int access_read(const struct guest_memory *memory, uint64_t gpa, void *to,
		size_t size);

/** access_write() - copy to shared RAM; with -EFAULT a part may have been written */
int access_write(const struct guest_memory *memory, uint64_t gpa,
		 const void *from, size_t size);

#endif /* GMEMCTL_MEMORY_ACCESS_H */
