// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "bzimage_fake.h"

struct setup_header *bzimage_fake_write(uint8_t image[FAKE_SIZE_ALL])
{
	struct setup_header *header = (void *)(image + 0x1f1);

	memset(image, 0xcc, FAKE_SIZE_ALL);
	memset(header, 0, sizeof(*header));
	header->setup_sects = FAKE_SETUP_SECTS;
	header->syssize = FAKE_CODE_SIZE / 16;
	header->boot_flag = 0xaa55;
	/* A jump over the header, which gives its length. */
	header->jump = (uint16_t)(0xeb | (0x1f1 + sizeof(*header) - 0x202) << 8);
	header->header = 0x53726448;
	header->version = 0x020f;
	header->loadflags = LOADED_HIGH;
	header->initrd_addr_max = 0x7fffffff;
	header->kernel_alignment = 0x200000;
	header->relocatable_kernel = 1;
	header->xloadflags = XLF_KERNEL_64;
	header->cmdline_size = 2047;
	header->pref_address = FAKE_START;
	header->init_size = FAKE_INIT_SIZE;
	for (size_t i = 0; i < FAKE_CODE_SIZE; i++)
		image[FAKE_CODE_OFFSET + i] = (uint8_t)(i * 7);
	return header;
}
