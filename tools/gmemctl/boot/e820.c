// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>

#include "e820.h"

unsigned int e820_place(uint64_t size, struct range out[E820_PLACES])
{
	if (!size || size % RANGE_PAGE_SIZE)
		return 0;
	if (size <= E820_LOW_END) {
		out[0] = (struct range){ 0, size };
		return 1;
	}
	size -= E820_LOW_END;
	if (size > UINT64_MAX - E820_HIGH_START)
		return 0;
	out[0] = (struct range){ 0, E820_LOW_END };
	out[1] = (struct range){ E820_HIGH_START, E820_HIGH_START + size };
	return 2;
}

/**
 * struct table - a memory map being built
 * @count: entries, also those that have not found room
 */
struct table {
	struct boot_e820_entry *entries;
	unsigned int count;
	unsigned int max;
};

static void table_add(struct table *table, uint64_t start, uint64_t end,
		      uint32_t type)
{
	if (start >= end)
		return;
	if (table->count < table->max)
		table->entries[table->count] = (struct boot_e820_entry){
			.addr = start,
			.size = end - start,
			.type = type,
		};
	table->count++;
}

static void table_add_ram(struct table *table, struct range ram)
{
	const struct range hole = { E820_EBDA_START, E820_HOLE_END };

	if (!range_overlaps(ram, hole)) {
		table_add(table, ram.start, ram.end, E820_RAM);
		return;
	}
	table_add(table, ram.start, hole.start, E820_RAM);
	table_add(table, E820_EBDA_START, E820_VGA_START, E820_RESERVED);
	table_add(table, E820_BIOS_START, E820_HOLE_END, E820_RESERVED);
	table_add(table, hole.end, ram.end, E820_RAM);
}

int e820_build(const struct range *ram, unsigned int nr_ram,
	       struct boot_e820_entry *out, unsigned int max)
{
	struct table table = { out, 0, max };

	for (unsigned int i = 0; i < nr_ram; i++)
		table_add_ram(&table, ram[i]);
	return table.count > max ? -E2BIG : (int)table.count;
}
