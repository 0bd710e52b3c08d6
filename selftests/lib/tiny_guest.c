// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <asm/bootparam.h>

#include "tiny_guest.h"

#define SETUP_SECTS	1
#define SETUP_SIZE	((SETUP_SECTS + 1) * 512)
#define ENTRY_64	0x200
#define CODE_SIZE	0x1000

/* The 64-bit entry: interrupts are off, addresses are physical. */
static const uint8_t count[] = {
	0x48, 0xc7, 0xc0,			/* mov $TINY_GUEST_COUNTER, %rax */
	TINY_GUEST_COUNTER & 0xff, TINY_GUEST_COUNTER >> 8 & 0xff,
	TINY_GUEST_COUNTER >> 16 & 0xff, TINY_GUEST_COUNTER >> 24,
	0x48, 0xff, 0x00,			/* 1: incq (%rax) */
	0xf3, 0x90,				/* pause */
	0xeb, 0xf9,				/* jmp 1b */
};

/* Each round reads a port first. This exits to gmemctl, which emulates the timer. */
static const uint8_t clocks[] = {
	0x48, 0xc7, 0xc3,			/* mov $TINY_GUEST_COUNTER, %rbx */
	TINY_GUEST_COUNTER & 0xff, TINY_GUEST_COUNTER >> 8 & 0xff,
	TINY_GUEST_COUNTER >> 16 & 0xff, TINY_GUEST_COUNTER >> 24,
	0xba, 0x08, 0x06, 0x00, 0x00,		/* 1: mov $0x608, %edx */
	0xed,					/* in %dx, %eax */
	0x89, 0xc1,				/* mov %eax, %ecx */
	0x0f, 0x31,				/* rdtsc */
	0x48, 0xc1, 0xe2, 0x20,			/* shl $32, %rdx */
	0x48, 0x09, 0xd0,			/* or %rdx, %rax */
	0x48, 0x89, 0x4b, 0x10,			/* mov %rcx, 16(%rbx) */
	0x48, 0x89, 0x43, 0x08,			/* mov %rax, 8(%rbx) */
	0x48, 0xff, 0x03,			/* incq (%rbx) */
	0xeb, 0xe2,				/* jmp 1b */
};

static bool write_kernel(const char *path, const uint8_t *code, size_t size)
{
	static uint8_t image[SETUP_SIZE + CODE_SIZE];
	struct setup_header *header = (void *)(image + 0x1f1);
	ssize_t done;
	int fd;

	memset(image, 0, sizeof(image));
	header->setup_sects = SETUP_SECTS;
	header->syssize = CODE_SIZE / 16;
	header->boot_flag = 0xaa55;
	/* A jump over the header. Its distance tells loaders where the header ends. */
	header->jump = (uint16_t)(0xeb | (0x1f1 + sizeof(*header) - 0x202) << 8);
	header->header = 0x53726448;
	header->version = 0x020f;
	header->loadflags = LOADED_HIGH;
	header->initrd_addr_max = 0x7fffffff;
	header->kernel_alignment = 0x200000;
	header->relocatable_kernel = 1;
	header->xloadflags = XLF_KERNEL_64;
	header->cmdline_size = 2047;
	header->pref_address = 0x1000000;
	header->init_size = 0x200000;
	memcpy(image + SETUP_SIZE + ENTRY_64, code, size);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	done = write(fd, image, sizeof(image));
	close(fd);
	return done == (ssize_t)sizeof(image);
}

bool tiny_guest_write(const char *path)
{
	return write_kernel(path, count, sizeof(count));
}

bool tiny_guest_write_clocks(const char *path)
{
	return write_kernel(path, clocks, sizeof(clocks));
}
