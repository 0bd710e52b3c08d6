/* SPDX-License-Identifier: GPL-2.0 */
/* A made-up kernel: a boot sector, setup code, and some bytes to load. */
#ifndef GMEMCTL_TEST_BZIMAGE_FAKE_H
#define GMEMCTL_TEST_BZIMAGE_FAKE_H

#include <stddef.h>
#include <stdint.h>
#include <asm/bootparam.h>

#define FAKE_SETUP_SECTS	3
#define FAKE_CODE_OFFSET	((FAKE_SETUP_SECTS + 1) * 512)
#define FAKE_CODE_SIZE		0x1000
#define FAKE_SIZE_ALL		(FAKE_CODE_OFFSET + FAKE_CODE_SIZE)
#define FAKE_START		0x1000000
#define FAKE_INIT_SIZE		0x200000

/** bzimage_fake_write() - a good one. Return: its setup header. */
struct setup_header *bzimage_fake_write(uint8_t image[FAKE_SIZE_ALL]);

#endif /* GMEMCTL_TEST_BZIMAGE_FAKE_H */
