/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of this process, and where the guest has it. */
#ifndef PVMEMCTL_OWN_H
#define PVMEMCTL_OWN_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"

/**
 * struct own - memory that stays where it is
 * @memory: all of it, @pages of @page bytes
 * @pages: see @memory
 * @page: of the guest
 * @pin: a pipe that has references to the pages
 * @ranges: where they are, in ascending order, no two of which could be one
 * @count: of @ranges
 */
struct own {
	uint8_t *memory;
	size_t pages;
	size_t page;
	int pin[2];
	struct range *ranges;
	size_t count;
};

/**
 * own_open() - map memory, fill it, pin it, and find it
 * @length: bytes, a multiple of the page size of the guest
 *
 * Return: 0 or negative errno.
 */
int own_open(struct own *own, uint64_t length, struct error *error);

/** own_kept() - Return: how many pages have what own_open() has filled them with */
size_t own_kept(const struct own *own);

void own_close(struct own *own);

#endif /* PVMEMCTL_OWN_H */
