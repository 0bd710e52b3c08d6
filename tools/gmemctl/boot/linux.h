/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads a Linux guest: kernel, initrd, command line and zero page, for the 64-bit boot
 * protocol. It also reads the requirements of a bzImage.
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

/** BZIMAGE_ENTRY_64: offset of the 64-bit entry from the start of the kernel */
#define BZIMAGE_ENTRY_64 0x200

/**
 * struct bzimage - a kernel that can be booted
 * @header: the setup header, padded with zeros if the kernel's is shorter
 * @code: the part of the image that is loaded
 * @code_size: bytes of @code
 * @start: address where it is loaded
 * @end: end of the memory that the kernel needs at first
 * @initrd_end: largest end address of the initrd
 * @cmdline_max: largest length of the command line, without its NUL
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
 * bzimage_parse() - check an image and read its requirements
 * @image: bytes that are not trusted; must stay valid as long as @out
 * @name: for messages
 *
 * Only kernels with a 64-bit entry are supported: boot protocol 2.12 (Linux 3.8) and newer.
 *
 * Return: 0; -ENOEXEC if it is not such a kernel, or is damaged.
 */
int bzimage_parse(const uint8_t *image, size_t size, const char *name,
		  struct bzimage *out, struct error *error);

/** BZIMAGE_HEAD: number of bytes that are needed to recognise a bzImage */
#define BZIMAGE_HEAD 0x206

/**
 * bzimage_describe_other() - describe a file that is not a bzImage
 * @image: at least its first BZIMAGE_HEAD bytes, or all of it
 * @size: bytes of @image
 *
 * Return: a text such as "an ELF file"; NULL for a bzImage.
 */
const char *bzimage_describe_other(const uint8_t *image, size_t size);

#define E820_RAM	1
#define E820_RESERVED	2

/* The hole of the first MiB: EBDA, VGA, option ROMs, BIOS. */
#define E820_EBDA_START	UINT64_C(0x9fc00)
#define E820_VGA_START	UINT64_C(0xa0000)
#define E820_BIOS_START	UINT64_C(0xf0000)
#define E820_HOLE_END	UINT64_C(0x100000)

/** E820_LOW_END: RAM ends here and continues at 4 GiB; devices are in between */
#define E820_LOW_END	(UINT64_C(3) << 30)
#define E820_HIGH_START	(UINT64_C(4) << 30)

#define E820_PLACES 2

/**
 * e820_place() - get the ranges of RAM for a size
 *
 * Return: number of ranges; 0 if the size is 0, not whole pages, or too large for 64-bit
 * addresses.
 */
unsigned int e820_place(uint64_t size, struct range out[E820_PLACES]);

/**
 * e820_build() - build the memory map for these ranges of RAM
 * @ram: ranges in ascending order
 *
 * The hole of the first MiB is not listed as RAM. EBDA and BIOS in it are listed as reserved.
 * The rest of the holes is not listed, so devices can be there.
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
 * struct linux_boot - the kernel to boot
 * @kernel: the bzImage, @kernel_size bytes
 * @kernel_name: for messages
 * @initrd: the initrd, @initrd_size bytes; 0: none
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
 * struct linux_places - places in memory
 * @kernel: the kernel, with the memory that it needs at first
 * @initrd: empty if there is none
 */
struct linux_places {
	struct range kernel;
	struct range initrd;
};

/**
 * linux_place() - find places in the first range of RAM, below 4 GiB
 *
 * The kernel is loaded to the address where it would move itself. The initrd is loaded as high
 * as possible, on whole pages.
 *
 * Return: 0; -ENOSPC if there is not enough RAM.
 */
int linux_place(const struct bzimage *kernel, uint64_t initrd_size, uint64_t ram_end,
		struct linux_places *out, struct error *error);

/**
 * linux_load() - write kernel, initrd, command line and zero page to guest memory
 * @memory: the first range of RAM
 * @entry: out: address of the first instruction
 *
 * Nothing is written unless all of it fits.
 *
 * Return: 0; -ENOEXEC for an invalid kernel; -E2BIG if the command line is too long; -ENOSPC if
 * there is not enough RAM; -EINVAL if the ranges of RAM do not start at 0, or overlap.
 */
int linux_load(uint8_t *memory, const struct linux_boot *boot, uint64_t *entry,
	       struct error *error);

/** linux_vcpu() - set the first vCPU to the entry */
int linux_vcpu(struct vcpu *vcpu, uint64_t entry, struct error *error);

/*
 * Hosts that are VMs of QEMU without KVM (TCG). Their SVM is emulated, slow, and differs from
 * that of a CPU. Linux guests need parameters for it.
 */
#define EMULATED_HOST_WORDS_MAX 128

/** emulated_host() - whether this is such a host, by CPUID leaf 0x40000000 */
bool emulated_host(void);

/** emulated_host_is_tcg() - the same for a leaf's EBX, ECX and EDX */
bool emulated_host_is_tcg(const uint32_t name[3]);

/**
 * emulated_host_words() - get the parameters that Linux needs there
 * @cmdline: command line of the user; a parameter that it has, with any value, is left out
 * @tsc_khz: rate of a VM's time stamp counter; 0: unknown
 * @words: out: the parameters, each after a space; empty if none is needed
 */
void emulated_host_words(const char *cmdline, unsigned int tsc_khz,
			 char words[EMULATED_HOST_WORDS_MAX]);

#endif /* GMEMCTL_BOOT_LINUX_H */
