/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a PC's BIOS has at the address that a guest in real mode jumps to for a
 * reset: Linux with reboot=b, and with reboot=e where there is no EFI.
 */
#ifndef GMEMCTL_BOOT_RESET_VECTOR_H
#define GMEMCTL_BOOT_RESET_VECTOR_H

#include <stdint.h>

/** RESET_VECTOR_GPA: ffff:0000, the last 16 bytes of the BIOS area */
#define RESET_VECTOR_GPA	0xffff0U
#define RESET_VECTOR_SIZE	16

/** reset_vector_build() - code that asks the keyboard controller for a reset */
void reset_vector_build(uint8_t bytes[RESET_VECTOR_SIZE]);

#endif /* GMEMCTL_BOOT_RESET_VECTOR_H */
