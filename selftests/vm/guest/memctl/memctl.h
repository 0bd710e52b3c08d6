/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvmemcontrol without a driver: a program of the guest maps its registers, and writes
 * them in the same order as the upstream driver.
 */
#ifndef GUEST_MEMCTL_H
#define GUEST_MEMCTL_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_BYTES	4096UL

#define MEMCTL_RESET		0x060fe6d2U
#define MEMCTL_REGISTER		0x0e359539U
#define MEMCTL_READY		0x0ca8d227U
#define MEMCTL_DISCONNECT	0x030f5da0U
#define MEMCTL_ACK		0x03cf5196U
#define MEMCTL_ERROR		0x01fba249U
#define MEMCTL_CONNECTION	0x80000000U

#define MEMCTL_CPUS	8

/**
 * struct memctl_answer - contents of a buffer after a request
 */
struct memctl_answer {
	uint32_t error;
	uint32_t code;
	uint64_t value;
	uint64_t arguments[2];
};

/**
 * struct memctl - the device
 * @registers: its mapped registers
 * @page: buffers, 32 bytes for each CPU
 * @gpa: guest physical address of @page
 * @cpus: number of CPUs of the guest
 * @connection: connection of each CPU
 */
struct memctl {
	volatile uint32_t *registers;
	uint8_t *page;
	uint64_t gpa;
	unsigned int cpus;
	uint32_t connection[MEMCTL_CPUS];
};

/* Each function returns 0, or a negative errno. */
int memctl_open(struct memctl *memctl);
int memctl_connect(struct memctl *memctl);

/* Write a command, and read the status. */
uint32_t memctl_command(struct memctl *memctl, uint32_t command);

/* Make a request of a CPU. If no answer has come, error is 0xffffffff. */
struct memctl_answer memctl_call(struct memctl *memctl, unsigned int cpu,
				 uint64_t code, uint64_t address, uint64_t length,
				 uint64_t argument);

/* Allocate @pages pages that do not move; @gpa: out: the address of each. NULL on failure. */
uint8_t *memctl_memory(unsigned int pages, uint64_t *gpa);

#endif /* GUEST_MEMCTL_H */
