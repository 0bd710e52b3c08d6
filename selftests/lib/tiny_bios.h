/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A firmware of a few bytes, for QEMU's -bios: it makes memory private and does one
 * thing with it.
 */
#ifndef TINY_BIOS_H
#define TINY_BIOS_H

#include <stdbool.h>

/* Memory that becomes private, and what is where in it. */
#define TINY_BIOS_PRIVATE	0x200000	/* a file for -device loader, four bytes */
#define TINY_BIOS_TEXT		0x210000
#define TINY_BIOS_TABLES	0x220000
#define TINY_BIOS_OPERAND	0x230000
#define TINY_BIOS_PAGES		512

/* A device that is memory, which every PC of QEMU has: the HPET */
#define TINY_BIOS_DEVICE	0xfed00000

/*
 * What it says: the four bytes that it has found, zeros as dots; and then that memory
 * is private, or a number is missing.
 */
#define TINY_BIOS_FOUND		"tiny: found "
#define TINY_BIOS_READY		"tiny: private 0"

/**
 * enum tiny_bios_action - what it does when memory is private
 * @TINY_BIOS_CONVERT: convert a page to and fro, for ever
 * @TINY_BIOS_RESET: restart the machine; the second time do nothing any more
 * @TINY_BIOS_PANIC: tell the device pvpanic
 * @TINY_BIOS_TRIPLE: a triple fault
 * @TINY_BIOS_IN_TEXT: read the device, by an instruction in private memory
 * @TINY_BIOS_TO_OPERAND: copy from the device to private memory
 * @TINY_BIOS_BY_TABLES: read the device, with page tables in private memory
 * @TINY_BIOS_ON_NMI: at each NMI say once more what it finds
 */
enum tiny_bios_action {
	TINY_BIOS_CONVERT,
	TINY_BIOS_RESET,
	TINY_BIOS_PANIC,
	TINY_BIOS_TRIPLE,
	TINY_BIOS_IN_TEXT,
	TINY_BIOS_TO_OPERAND,
	TINY_BIOS_BY_TABLES,
	TINY_BIOS_ON_NMI,
};

/* Return: whether the file could be written. */
bool tiny_bios_write(const char *path, enum tiny_bios_action action);

#endif /* TINY_BIOS_H */
