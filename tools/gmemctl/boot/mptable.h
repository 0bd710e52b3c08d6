/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Intel's multiprocessor tables, from which a kernel without ACPI knows its
 * CPUs, and which pin of the I/O APIC an ISA interrupt comes in on.
 */
#ifndef GMEMCTL_BOOT_MPTABLE_H
#define GMEMCTL_BOOT_MPTABLE_H

#include <stddef.h>
#include <stdint.h>

/** MPTABLE_GPA: in the BIOS area, where an operating system searches */
#define MPTABLE_GPA	0xf0000U
#define MPTABLE_SIZE	0x8000U

/**
 * mptable_build() - write the tables
 * @bytes: what is at @gpa
 * @size: of @bytes
 * @gpa: a multiple of 16
 * @nr_cpus: 1 to 254; the APIC ID of each is its number
 *
 * Return: bytes written; 0 if @size or @nr_cpus does not do.
 */
size_t mptable_build(uint8_t *bytes, size_t size, uint32_t gpa,
		     unsigned int nr_cpus);

#endif /* GMEMCTL_BOOT_MPTABLE_H */
