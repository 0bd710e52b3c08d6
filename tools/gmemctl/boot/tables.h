/* SPDX-License-Identifier: GPL-2.0 */
/* Builds the ACPI and MP tables that firmware would build. */
#ifndef GMEMCTL_BOOT_TABLES_H
#define GMEMCTL_BOOT_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot.h"

/** ACPI_GPA: address in the BIOS area, where operating systems search */
#define ACPI_GPA	0xf8000U
#define ACPI_SIZE	(RESET_VECTOR_GPA - ACPI_GPA)

/**
 * acpi_build() - write all tables, the RSDP first
 * @bytes: what is at @gpa
 * @size: of @bytes
 * @gpa: a multiple of 64
 * @nr_cpus: 1 to 254; the APIC ID of each is its number
 * @pci: there is a PCI bus with functions, see devices/pci.h
 *
 * Return: bytes written; 0 if @size is too small or @nr_cpus is out of range.
 */
size_t acpi_build(uint8_t *bytes, size_t size, uint32_t gpa, unsigned int nr_cpus, bool pci);

/**
 * acpi_build_madt() - write the table of CPUs and interrupt controllers alone
 *
 * Return: bytes written; 0 as above.
 */
size_t acpi_build_madt(uint8_t *bytes, size_t size, unsigned int nr_cpus);

/** MPTABLE_GPA: address in the BIOS area, where operating systems search */
#define MPTABLE_GPA	0xf0000U
#define MPTABLE_SIZE	0x8000U

/**
 * mptable_build() - write the tables
 * @bytes: what is at @gpa
 * @size: of @bytes
 * @gpa: a multiple of 16
 * @nr_cpus: 1 to 254; the APIC ID of each is its number
 * @pci: as for acpi_build()
 *
 * Return: bytes written; 0 if @size is too small or @nr_cpus is out of range.
 */
size_t mptable_build(uint8_t *bytes, size_t size, uint32_t gpa, unsigned int nr_cpus, bool pci);

#endif /* GMEMCTL_BOOT_TABLES_H */
