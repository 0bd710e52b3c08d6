// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that must be refused, and do no harm: after them the guest still
 * runs and its memory still converts.
 */
#include "guest.h"

struct request {
	uint64_t gpa;
	uint64_t pages;
	uint64_t attributes;
};

static bool refused(params_t *params, const struct request *request)
{
	int64_t result = guest_map_raw(params, request->gpa, request->pages,
				       request->attributes);

	if (!result)
		return guest_fail(params, request->gpa, 0);
	params->refused++;
	return true;
}

void payload_badmap(params_t *params, uint32_t cpu)
{
	uint64_t good = params->input_gpa, end = params->memory_size;
	const struct request requests[] = {
		{ good + 1, 1, 0x10 },			/* unaligned */
		{ good, 0, 0x10 },			/* nothing */
		{ good, UINT64_MAX, 0x10 },		/* frame number wraps */
		{ good, UINT64_C(1) << 52, 0x10 },	/* bytes overflow */
		{ ~UINT64_C(0xfff), 2, 0x10 },		/* address wraps */
		{ good, 1, 0x14 },			/* reserved bit 2 */
		{ good, 1, 0x110 },			/* reserved bit 8 */
		{ good, 1, UINT64_C(1) << 63 },		/* reserved bit 63 */
		{ good, 1, 0x20 },			/* unknown status */
		{ good, 1, 0x13 },			/* unknown page size */
		{ end, 1, 0x10 },			/* behind the slot */
		{ end - GUEST_PAGE, 2, 0x10 },		/* across its end */
		{ UINT64_C(1) << 45, 1, 0x10 },		/* far away */
	};

	if (cpu)
		return;
	for (uint32_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!refused(params, &requests[i]))
			return;
	*(volatile uint64_t *)gpa_pointer(good) = params->pattern;
	if (!guest_prepare_bounce(params, cpu) ||
	    !guest_convert(params, cpu, good, GUEST_PAGE, true))
		return;
	params->observed[0] = *(volatile uint64_t *)gpa_pointer(good);
	guest_event(GUEST_EVENT_DONE, 0);
}
