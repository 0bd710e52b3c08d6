// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bzimage.h"

#define HEADER_OFFSET	0x1f1	/* of the setup header in the image */
#define HEADER_JUMP	0x202	/* its length counts from here */
#define HEADER_MAX	0x290	/* what the zero page has room for */
#define HEADER_MIN	0x264	/* the end of init_size */
#define HEADER_MAGIC	0x53726448 /* "HdrS" */
#define BOOT_FLAG	0xaa55
#define PROTOCOL_64	0x020c
#define SECTOR		512
#define SECTORS_DEFAULT	4
#define PARAGRAPH	16
#define LOW_START	UINT64_C(0x100000)
#define LOW_END		(UINT64_C(1) << 32)
#define PAGE_MASK	UINT64_C(0xfff)

/* What is being looked at, and where to say what is wrong with it. */
struct parser {
	const uint8_t *image;
	size_t size;
	const char *name;
	struct error *error;
};

static int refuse(const struct parser *parser, const char *action,
		  const char *hint)
{
	return error_set(parser->error, -ENOEXEC, parser->name, action, "%s",
			 hint);
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

	return error_set(parser->error, -ENOEXEC, parser->name,
			 "load as a Linux kernel",
			 "this is %s: expected a bzImage, such as /boot/vmlinuz, or "
			 "arch/x86/boot/bzImage in a build tree",
			 other ? other : "the beginning of a kernel only");
}

/* The header says itself how long it is. Newer ones are longer. */
static int parse_header(const struct parser *parser, struct bzimage *out)
{
	size_t end, known = sizeof(out->header);

	if (parser->size < HEADER_MIN)
		return refuse_magic(parser);
	memset(&out->header, 0, sizeof(out->header));
	memcpy(&out->header, parser->image + HEADER_OFFSET,
	       HEADER_MIN - HEADER_OFFSET);
	if (out->header.boot_flag != BOOT_FLAG ||
	    out->header.header != HEADER_MAGIC)
		return refuse_magic(parser);
	if (out->header.version < PROTOCOL_64)
		return refuse(parser, "check the boot protocol",
			      "it is older than 2.12: Linux 3.8 or newer is "
			      "needed");
	end = HEADER_JUMP + parser->image[HEADER_JUMP - 1];
	if (end < HEADER_MIN || end > HEADER_MAX || end > parser->size)
		return refuse(parser, "check the setup header",
			      "its length makes no sense: the file is damaged");
	if (end - HEADER_OFFSET < known)
		known = end - HEADER_OFFSET;
	memcpy(&out->header, parser->image + HEADER_OFFSET, known);
	return 0;
}

static int check_flags(const struct parser *parser, const struct bzimage *out)
{
	if (!(out->header.loadflags & LOADED_HIGH))
		return refuse(parser, "check the setup header",
			      "this is a zImage, to be loaded below 1 MiB: "
			      "build a bzImage");
	if (!(out->header.xloadflags & XLF_KERNEL_64))
		return refuse(parser, "check the setup header",
			      "this is a 32-bit kernel: an x86-64 one is "
			      "needed");
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
			      "the file is truncated: the header speaks of more "
			      "than there is");
	out->code = parser->image + offset;
	out->code_size = parser->size - offset;
	if (out->code_size <= BZIMAGE_ENTRY_64)
		return refuse(parser, "load as a Linux kernel",
			      "the file ends before the 64-bit entry");
	return 0;
}

/* Loaded anywhere else, a relocatable kernel would move there itself. */
static int parse_place(const struct parser *parser, struct bzimage *out)
{
	uint64_t size = out->header.init_size;

	if (size < out->code_size)
		size = out->code_size;
	out->start = out->header.pref_address;
	if (out->start < LOW_START || out->start & PAGE_MASK ||
	    out->start >= LOW_END || size > LOW_END - out->start)
		return refuse(parser, "check the setup header",
			      "the kernel wants to be loaded where it cannot "
			      "be: the file is damaged");
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

	if (!rc)
		rc = check_flags(&parser, out);
	if (!rc)
		rc = parse_code(&parser, out);
	return rc ? rc : parse_place(&parser, out);
}
