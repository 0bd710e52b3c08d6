/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small firmware for QEMU's -bios. It makes memory private, and performs one action.
 */
#ifndef TINY_BIOS_H
#define TINY_BIOS_H

#include <stdbool.h>

/* Private memory, and the objects in it. */
#define TINY_BIOS_PRIVATE	0x200000	/* a file for -device loader, four bytes */
#define TINY_BIOS_TEXT		0x210000
#define TINY_BIOS_TABLES	0x220000
#define TINY_BIOS_OPERAND	0x230000
#define TINY_BIOS_PAGES		512

/* A device with memory-mapped registers in each of QEMU's PCs: the HPET */
#define TINY_BIOS_DEVICE	0xfed00000

/*
 * Messages: the four bytes at TINY_BIOS_PRIVATE, zeros printed as dots; then that memory
 * is private, where another digit than 0 is an error.
 */
#define TINY_BIOS_FOUND		"tiny: found "
#define TINY_BIOS_READY		"tiny: private 0"

/**
 * enum tiny_bios_action - the action after memory has become private
 * @TINY_BIOS_CONVERT: convert a page in both directions for ever
 * @TINY_BIOS_RESET: reset the machine; halt the second time
 * @TINY_BIOS_PANIC: report a panic to the pvpanic device
 * @TINY_BIOS_TRIPLE: cause a triple fault
 * @TINY_BIOS_IN_TEXT: read the device, by an instruction in private memory
 * @TINY_BIOS_TO_OPERAND: copy from the device to private memory
 * @TINY_BIOS_BY_TABLES: read the device, with page tables in private memory
 * @TINY_BIOS_ON_NMI: at each NMI print the four bytes again
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
