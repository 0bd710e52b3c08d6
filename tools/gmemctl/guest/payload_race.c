// SPDX-License-Identifier: GPL-2.0
/*
 * vCPU 0 converts a page to and fro while the others read it. Whatever moment a
 * read meets, it gets what is in the page: a conversion in place keeps it.
 */
#include "guest.h"

static bool read_on(params_t *params)
{
	volatile uint64_t *page = gpa_pointer(params->input_gpa);

	while (!__atomic_load_n(&params->arrived, __ATOMIC_ACQUIRE)) {
		uint64_t value = *page;

		if (value != params->pattern)
			return guest_fail(params, params->input_gpa,
					  (int64_t)value);
		__atomic_add_fetch(&params->checked, 1, __ATOMIC_RELAXED);
	}
	return true;
}

static bool convert_on(params_t *params)
{
	for (uint32_t round = 0; round < params->rounds; round++)
		if (!guest_convert(params, 0, params->input_gpa, GUEST_PAGE, true) ||
		    !guest_convert(params, 0, params->input_gpa, GUEST_PAGE, false))
			return false;
	return true;
}

void payload_race(params_t *params, uint32_t cpu)
{
	volatile uint64_t *page = gpa_pointer(params->input_gpa);

	if (cpu) {
		while (!__atomic_load_n(&params->observed[0], __ATOMIC_ACQUIRE))
			cpu_relax();
		read_on(params);
		return;
	}
	*page = params->pattern;
	/* The others start when the page holds something to read. */
	__atomic_store_n(&params->observed[0], 1, __ATOMIC_RELEASE);
	if (!convert_on(params))
		return;
	__atomic_store_n(&params->arrived, 1, __ATOMIC_RELEASE);
	guest_event(GUEST_EVENT_DONE, 0);
}
