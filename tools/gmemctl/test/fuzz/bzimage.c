// SPDX-License-Identifier: GPL-2.0
/* A kernel image, loaded into little memory with an initrd and a command line. */
#include <string.h>

#include "../../boot/linux.h"
#include "../bzimage_fake.h"
#include "fuzz.h"

/*
 * The image comes after what is to be booted with it: the size of RAM in pages,
 * of the initrd in bytes, and of the command line.
 */
struct prefix {
	uint16_t ram_pages;
	uint16_t initrd_size;
	uint16_t cmdline_size;
};

/* Memory is allocated for each input. */
#define RAM_PAGES_MAX 1024

static uint8_t initrd[UINT16_MAX + 1];
static char cmdline[UINT16_MAX + 1];

static void check_places(const struct linux_boot *boot, const uint8_t *memory, uint64_t entry)
{
	const struct boot_params *params =
		(const void *)(memory + LINUX_ZERO_PAGE_GPA);
	uint64_t start = params->hdr.ramdisk_image;
	struct bzimage kernel;

	FUZZ_ASSERT(!bzimage_parse(boot->kernel, boot->kernel_size, "fuzz", &kernel, NULL));
	FUZZ_ASSERT(entry == kernel.start + BZIMAGE_ENTRY_64);
	FUZZ_ASSERT(kernel.start >= E820_HOLE_END);
	FUZZ_ASSERT(kernel.end <= boot->ram->end);
	FUZZ_ASSERT(!memcmp(memory + kernel.start, kernel.code, kernel.code_size));
	FUZZ_ASSERT(params->hdr.ramdisk_size == boot->initrd_size);
	FUZZ_ASSERT(strlen((const char *)memory + LINUX_CMDLINE_GPA) <= kernel.cmdline_max);
	if (!boot->initrd_size)
		return;
	FUZZ_ASSERT(start >= kernel.end && !(start % 4096));
	FUZZ_ASSERT(start + boot->initrd_size <= boot->ram->end);
	FUZZ_ASSERT(start + boot->initrd_size <= kernel.initrd_end);
}

static void boot_once(const struct linux_boot *boot)
{
	/* Just as long as it is said to be, so that ASAN sees its end. */
	uint8_t *memory = malloc(boot->ram->end);
	struct error error = { 0 };
	uint64_t entry = 0;

	if (!memory)
		return;
	if (linux_load(memory, boot, &entry, &error))
		FUZZ_ASSERT(error.rc && error.hint[0] && !entry);
	else
		check_places(boot, memory, entry);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct linux_boot boot = { .kernel_name = "fuzz", .initrd = initrd,
				   .cmdline = cmdline, .nr_ram = 1 };
	struct prefix prefix;
	struct range ram;

	if (size < sizeof(prefix))
		return 0;
	memcpy(&prefix, data, sizeof(prefix));
	ram = (struct range){ 0, (uint64_t)(prefix.ram_pages % RAM_PAGES_MAX + 1) * 4096 };
	boot.ram = &ram;
	boot.kernel = data + sizeof(prefix);
	boot.kernel_size = size - sizeof(prefix);
	boot.initrd_size = prefix.initrd_size;
	memset(cmdline, 'x', prefix.cmdline_size);
	cmdline[prefix.cmdline_size] = '\0';
	boot_once(&boot);
	return 0;
}

/* Whole files, and some that end in the header and in the code. */
size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	static const struct prefix prefixes[] = {
		{ 1023, 0, 0 }, { 1023, 4097, 20 }, { 800, 65535, 2047 },
		{ 1023, 0, 0 }, { 1023, 0, 0 },
	};
	static const size_t sizes[] = {
		FAKE_SIZE_ALL, FAKE_SIZE_ALL, FAKE_SIZE_ALL, 0x260,
		FAKE_CODE_OFFSET + 1,
	};
	struct setup_header *header;

	if (index >= sizeof(prefixes) / sizeof(prefixes[0]))
		return 0;
	memcpy(data, &prefixes[index], sizeof(prefixes[index]));
	header = bzimage_fake_write(data + sizeof(prefixes[index]));
	header->pref_address = E820_HOLE_END;
	return sizeof(prefixes[index]) + sizes[index];
}
