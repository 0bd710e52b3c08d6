// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's own accesses, for tests of who has which page: the first one to a
 * private page gives the page to the guest in the RMP.
 */
#include <errno.h>

#include "internal.h"

static uint8_t *find_page(struct sim *sim, int fd, uint64_t gpa)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	struct sim_slot *slot;

	if (!found || found->kind != SIM_VM)
		return NULL;
	slot = sim_slot_find(found->object, gpa);
	if (!slot || !slot->gmem)
		return NULL;
	return slot->gmem->assigned + (slot->offset + gpa - slot->gpa) / SIM_PAGE;
}

int sim_touch(struct sim *sim, int vm, uint64_t gpa)
{
	uint8_t *assigned = find_page(sim, vm, gpa);

	if (!assigned || !sim_vm_is_private(sim, vm, gpa))
		return -EFAULT;
	*assigned = 1;
	return 0;
}

bool sim_is_guests(struct sim *sim, int vm, uint64_t gpa)
{
	const uint8_t *assigned = find_page(sim, vm, gpa);

	return assigned && *assigned;
}
