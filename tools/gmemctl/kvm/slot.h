/* SPDX-License-Identifier: GPL-2.0 */
/* The memory slots of a VM: ranges of guest physical addresses. */
#ifndef GMEMCTL_KVM_SLOT_H
#define GMEMCTL_KVM_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"

#define SLOT_MAX 128

/**
 * struct slot - one slot
 * @gpa: first guest physical address
 * @size: bytes
 * @host: where shared pages are mapped in this process
 * @view: what KVM is given instead, in which it reaches private pages, too; NULL:
 *	it is given @host
 * @view_fd: the view, with @view
 * @view_block: bytes of @view to populate around a touch, a power of two
 * @guest_memfd: where private pages live, or -1: not there
 * @guest_memfd_offset: offset in @guest_memfd of the page at @gpa
 * @readonly: the guest's writes exit; not together with @guest_memfd
 * @used: the slot exists in KVM
 */
struct slot {
	uint64_t gpa;
	uint64_t size;
	void *host;
	uint8_t *view;
	int view_fd;
	uint64_t view_block;
	int guest_memfd;
	uint64_t guest_memfd_offset;
	bool readonly;
	bool used;
};

struct slot_table {
	struct slot slots[SLOT_MAX];
};

struct vm;

/** slot_add() - create a slot. Return: its number, or a negative errno. */
int slot_add(struct vm *vm, const struct slot *slot, struct error *error);

/** slot_remove() - delete a slot. */
int slot_remove(struct vm *vm, unsigned int number);

/** slot_find() - the slot that holds @gpa, or NULL. */
const struct slot *slot_find(const struct slot_table *table, uint64_t gpa);

/**
 * slot_covers_private() - whether slots with private memory cover all of a range
 *
 * Slots may be in any order; a gap, or a slot with neither view nor guest_memfd, is
 * a no.
 */
bool slot_covers_private(const struct slot_table *table, uint64_t gpa,
			 uint64_t size);

#endif /* GMEMCTL_KVM_SLOT_H */
