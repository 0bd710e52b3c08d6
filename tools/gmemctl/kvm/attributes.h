/* SPDX-License-Identifier: GPL-2.0 */
/* Shared or private, as KVM sees it, and the guest's request to change it. */
#ifndef GMEMCTL_KVM_ATTRIBUTES_H
#define GMEMCTL_KVM_ATTRIBUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "slot.h"

#define GUEST_PAGE_SHIFT 12
#define GUEST_PAGE_SIZE (UINT64_C(1) << GUEST_PAGE_SHIFT)

struct vm;

/**
 * struct map_gpa - a checked KVM_HC_MAP_GPA_RANGE
 * @gpa: first byte
 * @size: bytes
 * @to_private: what the guest wants the range to be
 */
struct map_gpa {
	uint64_t gpa;
	uint64_t size;
	bool to_private;
};

/**
 * map_gpa_parse() - what a KVM_HC_MAP_GPA_RANGE asks for, wherever that may be
 *
 * As map_gpa_check(), but for the memory.
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
 * A pure function: the guest can pass anything.
 *
 * Return: 0, -EINVAL for a bad address, size or attribute, -EFAULT for memory
 * that is not there.
 */
int map_gpa_check(const struct slot_table *table, const uint64_t args[3],
		  struct map_gpa *out, const char **why);

/** vm_set_private() - set or clear KVM's PRIVATE attribute of a range. */
int vm_set_private(struct vm *vm, uint64_t gpa, uint64_t size, bool private);

#endif /* GMEMCTL_KVM_ATTRIBUTES_H */
