// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "linux.h"

#define HEADER_OFFSET	0x1f1	/* of the setup header in the image */
#define HEADER_JUMP	0x202	/* the length of the header counts from here */
#define HEADER_MAX	0x290	/* the end of the header's room in the zero page */
#define HEADER_MIN	0x264	/* the end of init_size */
#define HEADER_MAGIC	0x53726448 /* "HdrS" */
#define BOOT_FLAG	0xaa55
#define PROTOCOL_64	0x020c
#define SECTOR		512
#define SECTORS_DEFAULT	4
#define PARAGRAPH	16
#define LOW_START	UINT64_C(0x100000)
#define LOW_END		(UINT64_C(1) << 32)
#define LOADER_UNKNOWN	0xff
#define VIDEO_NORMAL	0xffff
#define PAGE_MASK	(RANGE_PAGE_SIZE - 1)
#define LEAF_HYPERVISOR	0x40000000U
#define ECX_HYPERVISOR	(1U << 31)

/* The image that is parsed, and its error. */
struct parser {
	const uint8_t *image;
	size_t size;
	const char *name;
	struct error *error;
};

static int refuse(const struct parser *parser, const char *action, const char *hint)
{
	return error_set(parser->error, -ENOEXEC, parser->name, action, "%s", hint);
}

static bool has_at(const uint8_t *image, size_t size, size_t offset,
		   const char *bytes, size_t count)
{
	return offset + count <= size && !memcmp(image + offset, bytes, count);
}

/*
 * Sources of the magics: Documentation/arch/x86/boot.rst, arm64/booting.rst, and
 * drivers/firmware/efi/libstub/zboot-header.S of Linux.
 */
const char *bzimage_describe_other(const uint8_t *image, size_t size)
{
	if (!size)
		return "an empty file";
	if (has_at(image, size, 0x1fe, "\x55\xaa", 2) &&
	    has_at(image, size, HEADER_JUMP, "HdrS", 4))
		return NULL;
	if (has_at(image, size, 0, "\177ELF", 4))
		return "an ELF file, such as vmlinux";
	if (has_at(image, size, 0x38, "ARM\x64", 4))
		return "a kernel for arm64";
	if (has_at(image, size, 4, "zimg", 4))
		return "an EFI zboot image";
	if (has_at(image, size, 0, "MZ", 2))
		return "an EFI application";
	return "a file with no boot sector and setup header";
}

static int refuse_magic(const struct parser *parser)
{
	const char *other = bzimage_describe_other(parser->image, parser->size);

	return error_set(parser->error, -ENOEXEC, parser->name, "load as a Linux kernel",
			 "this is %s: expected a bzImage, such as /boot/vmlinuz, or "
			 "arch/x86/boot/bzImage in a build tree",
			 other ? other : "the beginning of a kernel only");
}

/* The length of the header is in the header. Newer headers are longer. */
static int parse_header(const struct parser *parser, struct bzimage *out)
{
	size_t end, known = sizeof(out->header);

	if (parser->size < HEADER_MIN)
		return refuse_magic(parser);
	memset(&out->header, 0, sizeof(out->header));
	memcpy(&out->header, parser->image + HEADER_OFFSET, HEADER_MIN - HEADER_OFFSET);
	if (out->header.boot_flag != BOOT_FLAG || out->header.header != HEADER_MAGIC)
		return refuse_magic(parser);
	if (out->header.version < PROTOCOL_64)
		return refuse(parser, "check the boot protocol",
			      "it is older than 2.12: Linux 3.8 or newer is needed");
	end = HEADER_JUMP + parser->image[HEADER_JUMP - 1];
	if (end < HEADER_MIN || end > HEADER_MAX || end > parser->size)
		return refuse(parser, "check the setup header",
			      "its length is invalid: the file is damaged");
	if (end - HEADER_OFFSET < known)
		known = end - HEADER_OFFSET;
	memcpy(&out->header, parser->image + HEADER_OFFSET, known);
	return 0;
}

static int parse_code(const struct parser *parser, struct bzimage *out)
{
	size_t sectors = out->header.setup_sects ? out->header.setup_sects :
						   SECTORS_DEFAULT;
	size_t offset = (sectors + 1) * SECTOR;
	uint64_t expected = (uint64_t)out->header.syssize * PARAGRAPH;

	if (offset >= parser->size || expected > parser->size - offset)
		return refuse(parser, "load as a Linux kernel",
			      "the file is truncated: it is smaller than its header says");
	out->code = parser->image + offset;
	out->code_size = parser->size - offset;
	if (out->code_size <= BZIMAGE_ENTRY_64)
		return refuse(parser, "load as a Linux kernel",
			      "the file ends before the 64-bit entry");
	return 0;
}

/* Use the preferred address: loaded elsewhere, a relocatable kernel would move there. */
static int parse_place(const struct parser *parser, struct bzimage *out)
{
	uint64_t size = out->header.init_size;

	if (size < out->code_size)
		size = out->code_size;
	out->start = out->header.pref_address;
	if (out->start < LOW_START || out->start & PAGE_MASK ||
	    out->start >= LOW_END || size > LOW_END - out->start)
		return refuse(parser, "check the setup header",
			      "its load address is invalid: the file is damaged");
	out->end = out->start + size;
	out->initrd_end = (uint64_t)out->header.initrd_addr_max + 1;
	out->cmdline_max = out->header.cmdline_size;
	return 0;
}

int bzimage_parse(const uint8_t *image, size_t size, const char *name,
		  struct bzimage *out, struct error *error)
{
	const struct parser parser = { image, size, name, error };
	int rc = parse_header(&parser, out);

	if (rc)
		return rc;
	if (!(out->header.loadflags & LOADED_HIGH))
		return refuse(&parser, "check the setup header",
			      "this is a zImage, to be loaded below 1 MiB: build a bzImage");
	if (!(out->header.xloadflags & XLF_KERNEL_64))
		return refuse(&parser, "check the setup header",
			      "this is a 32-bit kernel: an x86-64 one is needed");
	rc = parse_code(&parser, out);
	return rc ? rc : parse_place(&parser, out);
}

/**
 * struct table - a memory map that is being built
 * @count: number of entries, including those above @max, which are not stored
 */
struct table {
	struct boot_e820_entry *entries;
	unsigned int count;
	unsigned int max;
};

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

static void table_add(struct table *table, uint64_t start, uint64_t end, uint32_t type)
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

static int refuse_space(struct error *error, const char *what, uint64_t needed, uint64_t available)
{
	return error_set(error, -ENOSPC, what, "place in guest memory",
			 "it needs 0x%llx bytes, but there are 0x%llx: give the guest more memory",
			 (unsigned long long)needed, (unsigned long long)available);
}

int linux_place(const struct bzimage *kernel, uint64_t initrd_size, uint64_t ram_end,
		struct linux_places *out, struct error *error)
{
	uint64_t end = ram_end < kernel->initrd_end ? ram_end :
						      kernel->initrd_end;
	uint64_t room;

	memset(out, 0, sizeof(*out));
	out->kernel = (struct range){ kernel->start, kernel->end };
	if (kernel->end > ram_end)
		return refuse_space(error, "kernel", kernel->end, ram_end);
	if (!initrd_size)
		return 0;
	end &= ~PAGE_MASK;
	room = end > kernel->end ? end - kernel->end : 0;
	if (initrd_size > room || ((end - initrd_size) & ~PAGE_MASK) < kernel->end)
		return refuse_space(error, "initrd", initrd_size, room);
	out->initrd.start = (end - initrd_size) & ~PAGE_MASK;
	out->initrd.end = out->initrd.start + initrd_size;
	return 0;
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
			 "RAM has to start at 0, and to have 1 MiB to 4 GiB there");
}

static int check_cmdline(const struct bzimage *kernel, const char *cmdline, struct error *error)
{
	size_t length = strlen(cmdline), most = LINUX_CMDLINE_SIZE - 1;

	if (kernel->cmdline_max < most)
		most = kernel->cmdline_max;
	if (length <= most)
		return 0;
	return error_set(error, -E2BIG, "command line", "pass to the kernel",
			 "at most %zu characters, not %zu", most, length);
}

static void write_all(uint8_t *memory, const struct linux_boot *boot, const struct bzimage *kernel,
		      const struct linux_places *places, int entries)
{
	struct boot_params *params = (void *)(memory + LINUX_ZERO_PAGE_GPA);

	boot_tables(memory);
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
	strcpy((char *)memory + LINUX_CMDLINE_GPA, boot->cmdline);
	memcpy(memory + places->kernel.start, kernel->code, kernel->code_size);
	if (boot->initrd_size)
		memcpy(memory + places->initrd.start, boot->initrd, boot->initrd_size);
}

int linux_load(uint8_t *memory, const struct linux_boot *boot, uint64_t *entry, struct error *error)
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
		rc = linux_place(&kernel, boot->initrd_size, boot->ram[0].end, &places, error);
	if (rc)
		return rc;
	entries = e820_build(boot->ram, boot->nr_ram, table, E820_MAX_ENTRIES_ZEROPAGE);
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

/*
 * Words for a guest whose host is emulated by QEMU's TCG:
 * noxsave		TCG lets the guest change XCR0 without an exit to KVM.
 * no5lvl		TCG has bugs with five levels of page tables.
 * no_timer_check	Ticks come too late for the kernel's check of the timer.
 * tsc, tsc_early_khz	The TSC cannot be calibrated against late timers. Without
 *			it the guest reads the time from the PM timer, and each
 *			read is an exit to gmemctl.
 */
static const struct {
	const char *name;
	const char *value;
	bool khz;
} wanted[] = {
	{ "noxsave", "", false },
	{ "no5lvl", "", false },
	{ "no_timer_check", "", false },
	{ "tsc", "=reliable", true },
	{ "tsc_early_khz", "=", true },
};

bool emulated_host_is_tcg(const uint32_t name[3])
{
	return !memcmp(name, "TCGTCGTCGTCG", 3 * sizeof(name[0]));
}

bool emulated_host(void)
{
	uint32_t eax, ebx, ecx, edx, name[3];

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & ECX_HYPERVISOR))
		return false;
	__cpuid(LEAF_HYPERVISOR, eax, name[0], name[1], name[2]);
	return eax >= LEAF_HYPERVISOR && emulated_host_is_tcg(name);
}

/* Split the command line as the kernel does: at white space, and at the first '='. */
static bool has_word(const char *cmdline, const char *name)
{
	size_t length = strlen(name);

	while (*cmdline) {
		size_t size = strcspn(cmdline, " \t\n");

		if (size >= length && !strncmp(cmdline, name, length) &&
		    (size == length || cmdline[length] == '='))
			return true;
		cmdline += size;
		cmdline += strspn(cmdline, " \t\n");
	}
	return false;
}

void emulated_host_words(const char *cmdline, unsigned int tsc_khz,
			 char words[EMULATED_HOST_WORDS_MAX])
{
	size_t used = 0;

	words[0] = '\0';
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		char number[16] = "";

		if (has_word(cmdline, wanted[i].name) || (wanted[i].khz && !tsc_khz))
			continue;
		if (wanted[i].khz && !wanted[i].value[1])
			snprintf(number, sizeof(number), "%u", tsc_khz);
		used += (size_t)snprintf(words + used, EMULATED_HOST_WORDS_MAX - used, " %s%s%s",
					 wanted[i].name, wanted[i].value, number);
	}
}
