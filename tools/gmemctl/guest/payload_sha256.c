// SPDX-License-Identifier: GPL-2.0
/*
 * The input arrives in shared pages. The guest takes them away from the host,
 * computes where nobody looks on, and gives one page with the digest back.
 */
#include "guest.h"

#define STEPS 16

/* vCPUs take turns in chunks; the page of an empty input goes private too. */
static bool take_input(params_t *params, uint32_t cpu)
{
	uint64_t stride = (uint64_t)params->nr_vcpus * GUEST_CHUNK;
	uint64_t size, offset, chunk;

	size = (params->input_length + GUEST_PAGE - 1) & ~(GUEST_PAGE - 1);
	if (!size)
		size = GUEST_PAGE;
	for (offset = (uint64_t)cpu * GUEST_CHUNK; offset < size;
	     offset += stride) {
		chunk = size - offset < GUEST_CHUNK ? size - offset : GUEST_CHUNK;
		if (!guest_convert(params, cpu, params->input_gpa + offset,
				   chunk, true))
			return false;
	}
	return true;
}

static void hash_input(params_t *params, uint8_t *digest)
{
	const uint8_t *input = gpa_pointer(params->input_gpa);
	uint64_t length = params->input_length, done = 0;
	struct sha256 hash;

	sha256_init(&hash);
	for (uint32_t step = 1; step <= STEPS; step++) {
		uint64_t end = step == STEPS ? length : length / STEPS * step;

		sha256_update(&hash, input + done, end - done);
		done = end;
		guest_event(GUEST_EVENT_PROGRESS, step);
	}
	sha256_final(&hash, digest);
}

void payload_sha256(params_t *params, uint32_t cpu)
{
	if (!guest_prepare_bounce(params, cpu) || !take_input(params, cpu))
		return;
	if (!guest_arrive(params, cpu))
		return;
	if (!guest_convert(params, cpu, GUEST_RESULT_GPA, GUEST_PAGE, true))
		return;
	guest_event(GUEST_EVENT_PRIVATE, 0);
	hash_input(params, gpa_pointer(GUEST_RESULT_GPA));
	if (guest_convert(params, cpu, GUEST_RESULT_GPA, GUEST_PAGE, false))
		guest_event(GUEST_EVENT_DONE, 0);
}
