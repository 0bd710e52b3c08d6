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
 * @host: mapping of the shared pages in this process
 * @view: mapping of a view, which KVM gets instead, and which includes private pages; NULL:
 *	KVM gets @host
 * @view_fd: the view of @view
 * @view_block: bytes of @view to populate around an access, a power of two
 * @guest_memfd: the file of private pages, or -1
 * @guest_memfd_offset: offset in @guest_memfd of the page at @gpa
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

/** slot_find() - the slot that contains @gpa, or NULL. */
const struct slot *slot_find(const struct slot_table *table, uint64_t gpa);

/**
 * slot_covers_private() - whether slots with private memory cover all of a range
 *
 * Slots may be in any order. False if there is a gap, or a slot with neither view nor
 * guest_memfd.
 */
bool slot_covers_private(const struct slot_table *table, uint64_t gpa,
			 uint64_t size);

#define GUEST_PAGE_SHIFT 12
#define GUEST_PAGE_SIZE (UINT64_C(1) << GUEST_PAGE_SHIFT)

struct vm;

/**
 * struct map_gpa - a checked KVM_HC_MAP_GPA_RANGE
 * @gpa: first byte
 * @size: bytes
 * @to_private: the new state of the range
 */
struct map_gpa {
	uint64_t gpa;
	uint64_t size;
	bool to_private;
};

/**
 * map_gpa_parse() - check the arguments of a KVM_HC_MAP_GPA_RANGE, without the slots
 *
 * As map_gpa_check(), but the range need not be memory.
 *
 * Return: 0, -EINVAL.
 */
int map_gpa_parse(const uint64_t args[3], struct map_gpa *out, const char **why);

/**
 * map_gpa_check() - check the arguments of a KVM_HC_MAP_GPA_RANGE
 * @table: slots that have to cover all of the range with private memory
 * @args: gpa, number of 4 KiB pages, attributes, as the guest gave them
 * @out: the request, written on success
 * @why: a constant string that says what is wrong, written on failure
 *
 * The guest can pass any values. The function has no side effects.
 *
 * Return: 0; -EINVAL for a bad address, size or attribute; -EFAULT if the slots do not cover
 * the range.
 */
int map_gpa_check(const struct slot_table *table, const uint64_t args[3],
		  struct map_gpa *out, const char **why);

/** vm_set_private() - set or clear KVM's PRIVATE attribute of a range. */
int vm_set_private(struct vm *vm, uint64_t gpa, uint64_t size, bool private);

#endif /* GMEMCTL_KVM_SLOT_H */
