// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's own accesses, for tests of who has which page: the first one to a
 * private page gives the page to the guest in the RMP.
 */
#include <errno.h>

#include "internal.h"

/* The guest_memfd that has the page, and which one of it that is */
static struct sim_gmem *find_page(struct sim *sim, int fd, uint64_t gpa,
				  uint64_t *page)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	struct sim_slot *slot;

	if (!found || found->kind != SIM_VM)
		return NULL;
	slot = sim_slot_find(found->object, gpa);
	if (!slot || !slot->gmem)
		return NULL;
	*page = (slot->offset + gpa - slot->gpa) / SIM_PAGE;
	return slot->gmem;
}

int sim_touch(struct sim *sim, int vm, uint64_t gpa)
{
	uint64_t page;
	struct sim_gmem *gmem = find_page(sim, vm, gpa, &page);

	if (!gmem || !sim_vm_is_private(sim, vm, gpa))
		return -EFAULT;
	return sim_ranges_set(&gmem->assigned, page, page + 1, true);
}

bool sim_is_guests(struct sim *sim, int vm, uint64_t gpa)
{
	uint64_t page;
	const struct sim_gmem *gmem = find_page(sim, vm, gpa, &page);

	return gmem && sim_ranges_have(&gmem->assigned, page);
}
