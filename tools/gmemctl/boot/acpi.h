/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ACPI tables: the CPUs, how to turn the machine off and reset it, and where a
 * panic is reported. Debian's kernels know no other way to any of these.
 */
#ifndef GMEMCTL_BOOT_ACPI_H
#define GMEMCTL_BOOT_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "reset_vector.h"

/** ACPI_GPA: in the BIOS area, where an operating system searches */
#define ACPI_GPA	0xf8000U
#define ACPI_SIZE	(RESET_VECTOR_GPA - ACPI_GPA)

/**
 * acpi_build() - write all tables, the RSDP first
 * @bytes: what is at @gpa
 * @size: of @bytes
 * @gpa: a multiple of 64
 * @nr_cpus: 1 to 254; the APIC ID of each is its number
 *
 * Return: bytes written; 0 if @size or @nr_cpus does not do.
 */
size_t acpi_build(uint8_t *bytes, size_t size, uint32_t gpa,
		  unsigned int nr_cpus);

/**
 * acpi_build_madt() - write the table of CPUs and interrupt controllers alone
 *
 * Return: bytes written; 0 as above.
 */
size_t acpi_build_madt(uint8_t *bytes, size_t size, unsigned int nr_cpus);

#endif /* GMEMCTL_BOOT_ACPI_H */
