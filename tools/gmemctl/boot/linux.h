/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A Linux guest in memory: kernel, initrd, command line and zero page, as the
 * 64-bit boot protocol wants them; and what a bzImage says about how to boot it.
 */
#ifndef GMEMCTL_BOOT_LINUX_H
#define GMEMCTL_BOOT_LINUX_H

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "../memory/range.h"
#include "boot.h"

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

#define E820_RAM	1
#define E820_RESERVED	2

/* The hole of the first MiB: EBDA, VGA, option ROMs, BIOS. */
#define E820_EBDA_START	UINT64_C(0x9fc00)
#define E820_VGA_START	UINT64_C(0xa0000)
#define E820_BIOS_START	UINT64_C(0xf0000)
#define E820_HOLE_END	UINT64_C(0x100000)

/** E820_LOW_END: RAM stops here, and goes on at 4 GiB: devices are in between */
#define E820_LOW_END	(UINT64_C(3) << 30)
#define E820_HIGH_START	(UINT64_C(4) << 30)

#define E820_PLACES 2

/**
 * e820_place() - where RAM of a size is
 *
 * Return: number of ranges: 0 for none, for part of a page, or if it would not
 * fit into 64 bits of addresses.
 */
unsigned int e820_place(uint64_t size, struct range out[E820_PLACES]);

/**
 * e820_build() - the memory map for these ranges of RAM
 * @ram: in ascending order
 *
 * RAM, but for the hole of the first MiB; of that, EBDA and BIOS are said to be
 * reserved. The rest of the holes is not mentioned, so devices may go there.
 *
 * Return: number of entries, at most @max; -E2BIG if there would be more.
 */
int e820_build(const struct range *ram, unsigned int nr_ram,
	       struct boot_e820_entry *out, unsigned int max);

/* Below the hole of the first MiB, besides what boot_tables() writes. */
#define LINUX_ZERO_PAGE_GPA	0x10000
#define LINUX_CMDLINE_GPA	0x20000
#define LINUX_CMDLINE_SIZE	0x10000

/**
 * struct linux_boot - what to boot
 * @kernel: the bzImage, @kernel_size bytes
 * @kernel_name: for messages
 * @initrd: @initrd_size bytes, 0: none
 * @cmdline: the command line
 * @ram: ranges of RAM in ascending order; the first one starts at 0
 */
struct linux_boot {
	const uint8_t *kernel;
	size_t kernel_size;
	const char *kernel_name;
	const uint8_t *initrd;
	size_t initrd_size;
	const char *cmdline;
	const struct range *ram;
	unsigned int nr_ram;
};

/**
 * struct linux_places - where it goes
 * @kernel: the kernel, and what it needs at first
 * @initrd: empty if there is none
 */
struct linux_places {
	struct range kernel;
	struct range initrd;
};

/**
 * linux_place() - find places in the first range of RAM, below 4 GiB
 *
 * The kernel goes where it would move itself to, the initrd as high as it may
 * be, on whole pages.
 *
 * Return: 0; -ENOSPC if there is not enough RAM.
 */
int linux_place(const struct bzimage *kernel, uint64_t initrd_size, uint64_t ram_end,
		struct linux_places *out, struct error *error);

/**
 * linux_load() - write all of it to guest memory
 * @memory: the first range of RAM
 * @entry: out: address of the first instruction
 *
 * Nothing is written unless all of it fits.
 *
 * Return: 0; -ENOEXEC for a bad kernel; -E2BIG for a command line that is too
 * long; -ENOSPC for too little RAM; -EINVAL for RAM that is not where it has
 * to be.
 */
int linux_load(uint8_t *memory, const struct linux_boot *boot, uint64_t *entry,
	       struct error *error);

/** linux_vcpu() - set the first vCPU to the entry */
int linux_vcpu(struct vcpu *vcpu, uint64_t entry, struct error *error);

/*
 * A host that is itself a machine of QEMU without KVM (TCG). Its SVM is emulated,
 * slow, and not quite that of a CPU: Linux as a guest of it needs to be told.
 */
#define EMULATED_HOST_WORDS_MAX 128

/** emulated_host() - whether this is one, by CPUID leaf 0x40000000 */
bool emulated_host(void);

/** emulated_host_is_tcg() - the same for a leaf's EBX, ECX and EDX */
bool emulated_host_is_tcg(const uint32_t name[3]);

/**
 * emulated_host_words() - what Linux needs there that its command line lacks
 * @cmdline: of the user, who knows better: a word that is in it is not repeated,
 *	whatever its value
 * @tsc_khz: rate of a VM's time stamp counter, or 0: not known
 * @words: out: separated by spaces, with one in front; empty if none is needed
 */
void emulated_host_words(const char *cmdline, unsigned int tsc_khz,
			 char words[EMULATED_HOST_WORDS_MAX]);

#endif /* GMEMCTL_BOOT_LINUX_H */
