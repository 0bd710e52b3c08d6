/* SPDX-License-Identifier: GPL-2.0 */
/* Functions for payloads, which run freestanding, without a C library. */
#ifndef GMEMCTL_GUEST_GUEST_H
#define GMEMCTL_GUEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "params.h"

#define GUEST_PAGE 0x1000UL

typedef volatile struct guest_params params_t;

static inline void port_out32(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a" (value), "Nd" (port) : "memory");
}

static inline uint32_t port_in32(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a" (value) : "Nd" (port) : "memory");
	return value;
}

static inline void port_out8(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a" (value), "Nd" (port) : "memory");
}

static inline void cpu_relax(void)
{
	asm volatile("pause" : : : "memory");
}

static inline void *gpa_pointer(uint64_t gpa)
{
	return (void *)gpa;
}

/* string.c */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

/* hypercall.c */

/** guest_map_raw() - call KVM_HC_MAP_GPA_RANGE once. Return: the answer. */
int64_t guest_map_raw(params_t *params, uint64_t gpa, uint64_t pages, uint64_t attributes);

/**
 * guest_convert() - convert a range, and keep its contents
 * @cpu: index of this vCPU, which selects its bounce buffer
 *
 * It converts chunks of GUEST_CHUNK. After a failure the parameters have the address.
 *
 * Return: whether it has succeeded.
 */
bool guest_convert(params_t *params, uint32_t cpu, uint64_t gpa, uint64_t size, bool to_private);

/** guest_prepare_bounce() - make the bounce buffer of this vCPU private. Return: success. */
bool guest_prepare_bounce(params_t *params, uint32_t cpu);

/** guest_event() - report an event to the VMM */
void guest_event(enum guest_event event, uint32_t value);

/** guest_fail() - record a failure in the parameters, and report it to the VMM. Return: false. */
bool guest_fail(params_t *params, uint64_t gpa, int64_t result);

/**
 * guest_arrive() - count this vCPU as done; vCPU 0 then waits for all others
 *
 * Return: for vCPU 0, whether no vCPU has failed; for others false.
 */
bool guest_arrive(params_t *params, uint32_t cpu);

/* sha256.c */
struct sha256 {
	uint32_t state[8];
	uint64_t length;
	uint32_t used;
	uint8_t block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const uint8_t *data, size_t size);
void sha256_final(struct sha256 *hash, uint8_t digest[GUEST_DIGEST_SIZE]);

#endif /* GMEMCTL_GUEST_GUEST_H */
