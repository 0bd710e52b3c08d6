// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "linux.h"

/**
 * struct table - a memory map being built
 * @count: entries, also those that have not found room
 */
struct table {
	struct boot_e820_entry *entries;
	unsigned int count;
	unsigned int max;
};

#define LOADER_UNKNOWN	0xff
#define VIDEO_NORMAL	0xffff
#define PAGE_MASK	(RANGE_PAGE_SIZE - 1)

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

static int refuse_space(struct error *error, const char *what,
			uint64_t needed, uint64_t available)
{
	return error_set(error, -ENOSPC, what, "place in guest memory",
			 "it needs 0x%llx bytes, and there are 0x%llx: give the "
			 "guest more memory", (unsigned long long)needed,
			 (unsigned long long)available);
}

static int place_initrd(const struct bzimage *kernel, uint64_t size,
			uint64_t ram_end, struct linux_places *out,
			struct error *error)
{
	uint64_t end = ram_end < kernel->initrd_end ? ram_end :
						      kernel->initrd_end;
	uint64_t room;

	end &= ~PAGE_MASK;
	room = end > out->kernel.end ? end - out->kernel.end : 0;
	if (size > room)
		return refuse_space(error, "initrd", size, room);
	out->initrd.start = (end - size) & ~PAGE_MASK;
	out->initrd.end = out->initrd.start + size;
	if (out->initrd.start < out->kernel.end)
		return refuse_space(error, "initrd", size, room);
	return 0;
}

int linux_place(const struct bzimage *kernel, uint64_t initrd_size,
		uint64_t ram_end, struct linux_places *out,
		struct error *error)
{
	memset(out, 0, sizeof(*out));
	out->kernel = (struct range){ kernel->start, kernel->end };
	if (kernel->end > ram_end)
		return refuse_space(error, "kernel", kernel->end, ram_end);
	if (!initrd_size)
		return 0;
	return place_initrd(kernel, initrd_size, ram_end, out, error);
}

static int check_ram(const struct linux_boot *boot, struct error *error)
{
	const struct range *ram = boot->ram;
	bool good = boot->nr_ram && !ram[0].start &&
		    ram[0].end >= E820_HOLE_END &&
		    ram[0].end <= E820_HIGH_START;

	for (unsigned int i = 0; i < boot->nr_ram; i++)
		good = good && range_valid(ram[i]) &&
		       (!i || ram[i - 1].end <= ram[i].start);
	if (good)
		return 0;
	return error_set(error, -EINVAL, "guest memory", "load Linux",
			 "RAM has to start at 0, and to have 1 MiB to 4 GiB "
			 "there");
}

static int check_cmdline(const struct bzimage *kernel, const char *cmdline,
			 struct error *error)
{
	size_t length = strlen(cmdline), most = LINUX_CMDLINE_SIZE - 1;

	if (kernel->cmdline_max < most)
		most = kernel->cmdline_max;
	if (length <= most)
		return 0;
	return error_set(error, -E2BIG, "command line", "pass to the kernel",
			 "at most %zu characters, not %zu", most, length);
}

static void write_zero_page(uint8_t *memory, const struct linux_boot *boot,
			    const struct bzimage *kernel,
			    const struct linux_places *places, int entries)
{
	struct boot_params *params = (void *)(memory + LINUX_ZERO_PAGE_GPA);

	memset(params, 0, sizeof(*params));
	params->hdr = kernel->header;
	params->hdr.type_of_loader = LOADER_UNKNOWN;
	params->hdr.vid_mode = VIDEO_NORMAL;
	params->hdr.cmd_line_ptr = LINUX_CMDLINE_GPA;
	params->hdr.code32_start = (uint32_t)places->kernel.start;
	params->hdr.ramdisk_image = (uint32_t)places->initrd.start;
	params->hdr.ramdisk_size = (uint32_t)range_size(places->initrd);
	params->hdr.setup_data = 0;
	e820_build(boot->ram, boot->nr_ram, params->e820_table, entries);
	params->e820_entries = (uint8_t)entries;
}

static void write_all(uint8_t *memory, const struct linux_boot *boot,
		      const struct bzimage *kernel,
		      const struct linux_places *places, int entries)
{
	boot_tables(memory);
	write_zero_page(memory, boot, kernel, places, entries);
	strcpy((char *)memory + LINUX_CMDLINE_GPA, boot->cmdline);
	memcpy(memory + places->kernel.start, kernel->code, kernel->code_size);
	if (boot->initrd_size)
		memcpy(memory + places->initrd.start, boot->initrd,
		       boot->initrd_size);
}

int linux_load(uint8_t *memory, const struct linux_boot *boot, uint64_t *entry,
	       struct error *error)
{
	struct boot_e820_entry table[E820_MAX_ENTRIES_ZEROPAGE];
	struct linux_places places;
	struct bzimage kernel;
	int rc, entries;

	rc = check_ram(boot, error);
	if (!rc)
		rc = bzimage_parse(boot->kernel, boot->kernel_size,
				   boot->kernel_name, &kernel, error);
	if (!rc)
		rc = check_cmdline(&kernel, boot->cmdline, error);
	if (!rc)
		rc = linux_place(&kernel, boot->initrd_size, boot->ram[0].end,
				 &places, error);
	if (rc)
		return rc;
	entries = e820_build(boot->ram, boot->nr_ram, table,
			     E820_MAX_ENTRIES_ZEROPAGE);
	if (entries < 0)
		return error_set(error, entries, "guest memory", "load Linux",
				 "the zero page has room for %d entries",
				 E820_MAX_ENTRIES_ZEROPAGE);
	write_all(memory, boot, &kernel, &places, entries);
	*entry = places.kernel.start + BZIMAGE_ENTRY_64;
	return 0;
}

int linux_vcpu(struct vcpu *vcpu, uint64_t entry, struct error *error)
{
	struct kvm_regs regs = {
		.rip = entry,
		.rsi = LINUX_ZERO_PAGE_GPA,
	};

	return boot_enter(vcpu, &regs, error);
}
