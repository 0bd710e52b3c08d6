// SPDX-License-Identifier: GPL-2.0
/* Requests of the guest to convert memory: KVM_HC_MAP_GPA_RANGE. */
#include "guest.h"

#define HC_MAP_GPA_RANGE	12
#define MAP_PRIVATE		0x10
#define MAP_SHARED		0x00

int64_t guest_map_raw(params_t *params, uint64_t gpa, uint64_t pages, uint64_t attributes)
{
	int64_t result = HC_MAP_GPA_RANGE;

	if (params->flags & GUEST_F_VMMCALL)
		asm volatile("vmmcall" : "+a" (result) : "b" (gpa), "c" (pages),
			     "d" (attributes) : "memory");
	else
		asm volatile("vmcall" : "+a" (result) : "b" (gpa), "c" (pages),
			     "d" (attributes) : "memory");
	return result;
}

void guest_event(enum guest_event event, uint32_t value)
{
	port_out32(GUEST_EVENT_PORT, (uint32_t)event << GUEST_EVENT_SHIFT |
		   (value & GUEST_EVENT_VALUE_MASK));
}

bool guest_fail(params_t *params, uint64_t gpa, int64_t result)
{
	params->fail_gpa = gpa;
	params->fail_result = result;
	__atomic_store_n(&params->failed, 1, __ATOMIC_RELEASE);
	guest_event(GUEST_EVENT_FAILED, 0);
	return false;
}

static uint64_t guest_bounce(params_t *params, uint32_t cpu)
{
	return params->bounce_gpa + (uint64_t)cpu * GUEST_CHUNK;
}

bool guest_prepare_bounce(params_t *params, uint32_t cpu)
{
	uint64_t gpa = guest_bounce(params, cpu);
	int64_t result;

	if (!(params->flags & GUEST_F_BOUNCE))
		return true;
	result = guest_map_raw(params, gpa, GUEST_CHUNK / GUEST_PAGE, MAP_PRIVATE);
	return result ? guest_fail(params, gpa, result) : true;
}

/*
 * If the VMM converts by discarding one side and faulting in the other, the range
 * reads as zeros afterwards. Then the contents are saved in the private bounce
 * buffer, so that payloads do not depend on how the VMM converts.
 */
static bool guest_convert_chunk(params_t *params, uint32_t cpu, uint64_t gpa,
				uint64_t size, bool to_private)
{
	bool bounce = params->flags & GUEST_F_BOUNCE;
	void *buffer = gpa_pointer(guest_bounce(params, cpu));
	int64_t result;

	if (bounce)
		memcpy(buffer, gpa_pointer(gpa), size);
	result = guest_map_raw(params, gpa, size / GUEST_PAGE,
			       to_private ? MAP_PRIVATE : MAP_SHARED);
	if (result)
		return guest_fail(params, gpa, result);
	if (bounce)
		memcpy(gpa_pointer(gpa), buffer, size);
	return true;
}

bool guest_convert(params_t *params, uint32_t cpu, uint64_t gpa, uint64_t size, bool to_private)
{
	while (size) {
		uint64_t chunk = size < GUEST_CHUNK ? size : GUEST_CHUNK;

		if (!guest_convert_chunk(params, cpu, gpa, chunk, to_private))
			return false;
		gpa += chunk;
		size -= chunk;
	}
	return true;
}

bool guest_arrive(params_t *params, uint32_t cpu)
{
	__atomic_add_fetch(&params->arrived, 1, __ATOMIC_ACQ_REL);
	if (cpu)
		return false;
	while (__atomic_load_n(&params->arrived, __ATOMIC_ACQUIRE) < params->nr_vcpus) {
		if (__atomic_load_n(&params->failed, __ATOMIC_ACQUIRE))
			return false;
		cpu_relax();
	}
	return !params->failed;
}
