// SPDX-License-Identifier: GPL-2.0
/*
 * Each vCPU converts its own part of the memory to and fro, and checks that
 * what it wrote before each conversion is there after it.
 */
#include "guest.h"

static void fill(uint64_t gpa, uint64_t size, uint64_t seed)
{
	uint64_t *word = gpa_pointer(gpa);

	for (uint64_t i = 0; i < size / sizeof(*word); i++)
		word[i] = seed + i;
}

static bool check(params_t *params, uint64_t gpa, uint64_t size, uint64_t seed)
{
	const uint64_t *word = gpa_pointer(gpa);

	for (uint64_t i = 0; i < size / sizeof(*word); i++)
		if (word[i] != seed + i)
			return guest_fail(params, gpa + i * sizeof(*word),
					  (int64_t)word[i]);
	__atomic_add_fetch(&params->checked, 1, __ATOMIC_RELAXED);
	return true;
}

static bool round_trip(params_t *params, uint32_t cpu, uint64_t gpa,
		       uint64_t size, uint64_t seed)
{
	fill(gpa, size, seed);
	if (!guest_convert(params, cpu, gpa, size, true) ||
	    !check(params, gpa, size, seed))
		return false;
	fill(gpa, size, ~seed);
	return guest_convert(params, cpu, gpa, size, false) &&
	       check(params, gpa, size, ~seed);
}

void payload_convert(params_t *params, uint32_t cpu)
{
	uint64_t part = params->input_length / params->nr_vcpus &
			~(GUEST_PAGE - 1);
	uint64_t gpa = params->input_gpa + cpu * part;

	if (!guest_prepare_bounce(params, cpu))
		return;
	for (uint32_t round = 0; round < params->rounds; round++)
		if (!round_trip(params, cpu, gpa, part,
				(uint64_t)(cpu + 1) << 56 | (uint64_t)round << 40))
			return;
	if (guest_arrive(params, cpu))
		guest_event(GUEST_EVENT_DONE, 0);
}
