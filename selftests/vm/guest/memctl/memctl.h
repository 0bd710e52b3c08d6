/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvmemcontrol without a driver: its registers as a program of the guest maps them, in
 * the order in which the upstream driver writes them.
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
 * struct memctl_answer - what a buffer holds after a request
 */
struct memctl_answer {
	uint32_t error;
	uint32_t code;
	uint64_t value;
	uint64_t arguments[2];
};

/**
 * struct memctl - the device
 * @registers: mapped
 * @page: buffers, 32 bytes for each CPU
 * @gpa: of @page
 * @cpus: of the guest
 * @connection: of each of them
 */
struct memctl {
	volatile uint32_t *registers;
	uint8_t *page;
	uint64_t gpa;
	unsigned int cpus;
	uint32_t connection[MEMCTL_CPUS];
};

/* Each returns 0, or a negative errno. */
int memctl_open(struct memctl *memctl);
int memctl_connect(struct memctl *memctl);

/* Write a command, and read the status. */
uint32_t memctl_command(struct memctl *memctl, uint32_t command);

/* A request of a CPU. An answer that did not come has an error of 0xffffffff. */
struct memctl_answer memctl_call(struct memctl *memctl, unsigned int cpu,
				 uint64_t code, uint64_t address, uint64_t length,
				 uint64_t argument);

/* Memory that stays where it is, @pages of it; @gpa of each. NULL on failure. */
uint8_t *memctl_memory(unsigned int pages, uint64_t *gpa);

#endif /* GUEST_MEMCTL_H */
