/* SPDX-License-Identifier: GPL-2.0 */
/* The header of a bzImage: what a kernel says about how to boot it. */
#ifndef GMEMCTL_BOOT_BZIMAGE_H
#define GMEMCTL_BOOT_BZIMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <asm/bootparam.h>

#include "../base/error.h"

/** BZIMAGE_ENTRY_64: the 64-bit entry, from where the kernel is loaded */
#define BZIMAGE_ENTRY_64 0x200

/**
 * struct bzimage - a kernel that can be booted
 * @header: the setup header, with zeros where the kernel's is shorter
 * @code: what is to be loaded, a part of the image
 * @code_size: bytes
 * @start: where it is to be loaded
 * @end: memory up to there has to be the kernel's, until it knows better
 * @initrd_end: the initrd has to end there at the latest
 * @cmdline_max: characters of the command line, without its end
 */
struct bzimage {
	struct setup_header header;
	const uint8_t *code;
	size_t code_size;
	uint64_t start;
	uint64_t end;
	uint64_t initrd_end;
	uint32_t cmdline_max;
};

/**
 * bzimage_parse() - check an image and find out what it wants
 * @image: it may be anything; it has to outlive @out
 * @name: for messages
 *
 * Only kernels with a 64-bit entry are taken: boot protocol 2.12 (Linux 3.8) and
 * newer.
 *
 * Return: 0; -ENOEXEC for what is no such kernel, or a broken one.
 */
int bzimage_parse(const uint8_t *image, size_t size, const char *name,
		  struct bzimage *out, struct error *error);

/** BZIMAGE_HEAD: so many bytes tell a bzImage from other files */
#define BZIMAGE_HEAD 0x206

/**
 * bzimage_describe_other() - what a file is that is no bzImage
 * @image: at least its first BZIMAGE_HEAD bytes, or all of it
 * @size: of @image
 *
 * Return: words such as "an ELF file", or NULL for a bzImage.
 */
const char *bzimage_describe_other(const uint8_t *image, size_t size);

#endif /* GMEMCTL_BOOT_BZIMAGE_H */
