// SPDX-License-Identifier: GPL-2.0
/* The payloads. Each returns when its vCPU may halt. */
#include "guest.h"

#define NO_SUCH_PORT	0x5f0
#define NO_SUCH_GPA	UINT64_C(0xe0000000)
#define SHA256_STEPS	16

void payload_main(params_t *params, uint32_t cpu);

/* Each vCPU converts every nth chunk of the input. An empty input still has one page. */
static bool take_input(params_t *params, uint32_t cpu)
{
	uint64_t stride = (uint64_t)params->nr_vcpus * GUEST_CHUNK;
	uint64_t size, offset, chunk;

	size = (params->input_length + GUEST_PAGE - 1) & ~(GUEST_PAGE - 1);
	if (!size)
		size = GUEST_PAGE;
	for (offset = (uint64_t)cpu * GUEST_CHUNK; offset < size; offset += stride) {
		chunk = size - offset < GUEST_CHUNK ? size - offset : GUEST_CHUNK;
		if (!guest_convert(params, cpu, params->input_gpa + offset, chunk, true))
			return false;
	}
	return true;
}

/*
 * The input is in shared pages. The guest converts them to private, computes the
 * digest there, and converts only the page with the digest to shared.
 */
static void payload_sha256(params_t *params, uint32_t cpu)
{
	const uint8_t *input = gpa_pointer(params->input_gpa);
	uint64_t length = params->input_length, done = 0;
	struct sha256 hash;

	if (!guest_prepare_bounce(params, cpu) || !take_input(params, cpu))
		return;
	if (!guest_arrive(params, cpu))
		return;
	if (!guest_convert(params, cpu, GUEST_RESULT_GPA, GUEST_PAGE, true))
		return;
	guest_event(GUEST_EVENT_PRIVATE, 0);
	sha256_init(&hash);
	for (uint32_t step = 1; step <= SHA256_STEPS; step++) {
		uint64_t end = step == SHA256_STEPS ? length :
						      length / SHA256_STEPS * step;

		sha256_update(&hash, input + done, end - done);
		done = end;
		guest_event(GUEST_EVENT_PROGRESS, step);
	}
	sha256_final(&hash, gpa_pointer(GUEST_RESULT_GPA));
	if (guest_convert(params, cpu, GUEST_RESULT_GPA, GUEST_PAGE, false))
		guest_event(GUEST_EVENT_DONE, 0);
}

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
			return guest_fail(params, gpa + i * sizeof(*word), (int64_t)word[i]);
	__atomic_add_fetch(&params->checked, 1, __ATOMIC_RELAXED);
	return true;
}

static bool round_trip(params_t *params, uint32_t cpu, uint64_t gpa, uint64_t size, uint64_t seed)
{
	fill(gpa, size, seed);
	if (!guest_convert(params, cpu, gpa, size, true) || !check(params, gpa, size, seed))
		return false;
	fill(gpa, size, ~seed);
	return guest_convert(params, cpu, gpa, size, false) &&
	       check(params, gpa, size, ~seed);
}

/*
 * Each vCPU converts its own part of the memory to private and back. It checks that
 * the conversions preserve what it has written.
 */
static void payload_convert(params_t *params, uint32_t cpu)
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

/*
 * vCPU 0 converts a page to private and back while the others read it. Each read has to
 * return the contents of the page, because a conversion in place preserves them.
 */
static void payload_race(params_t *params, uint32_t cpu)
{
	volatile uint64_t *page = gpa_pointer(params->input_gpa);
	uint64_t gpa = params->input_gpa, value;

	while (cpu && !__atomic_load_n(&params->observed[0], __ATOMIC_ACQUIRE))
		cpu_relax();
	while (cpu && !__atomic_load_n(&params->arrived, __ATOMIC_ACQUIRE)) {
		value = *page;
		if (value != params->pattern) {
			guest_fail(params, gpa, (int64_t)value);
			return;
		}
		__atomic_add_fetch(&params->checked, 1, __ATOMIC_RELAXED);
	}
	if (cpu)
		return;
	*page = params->pattern;
	/* The other vCPUs start to read when the page has its contents. */
	__atomic_store_n(&params->observed[0], 1, __ATOMIC_RELEASE);
	for (uint32_t round = 0; round < params->rounds; round++)
		if (!guest_convert(params, 0, gpa, GUEST_PAGE, true) ||
		    !guest_convert(params, 0, gpa, GUEST_PAGE, false))
			return;
	__atomic_store_n(&params->arrived, 1, __ATOMIC_RELEASE);
	guest_event(GUEST_EVENT_DONE, 0);
}

/*
 * Requests that must be refused. After them the guest still runs, and its memory can
 * still be converted.
 */
static void payload_badmap(params_t *params, uint32_t cpu)
{
	uint64_t good = params->input_gpa, end = params->memory_size;
	const struct {
		uint64_t gpa;
		uint64_t pages;
		uint64_t attributes;
	} requests[] = {
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
	for (uint32_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (!guest_map_raw(params, requests[i].gpa, requests[i].pages,
				   requests[i].attributes)) {
			guest_fail(params, requests[i].gpa, 0);
			return;
		}
		params->refused++;
	}
	*(volatile uint64_t *)gpa_pointer(good) = params->pattern;
	if (!guest_prepare_bounce(params, cpu) ||
	    !guest_convert(params, cpu, good, GUEST_PAGE, true))
		return;
	params->observed[0] = *(volatile uint64_t *)gpa_pointer(good);
	guest_event(GUEST_EVENT_DONE, 0);
}

static void payload_touch(params_t *params, uint32_t cpu)
{
	volatile uint64_t *page = gpa_pointer(GUEST_PROBE_GPA);
	uint64_t all = 0;

	if (cpu)
		return;
	params->observed[0] = page[0];
	for (uint32_t i = 0; i < GUEST_PAGE / sizeof(*page); i++) {
		all |= page[i];
		page[i] = params->pattern;
	}
	params->observed[1] = all;
	params->observed[2] = page[0];
	guest_event(GUEST_EVENT_DONE, 0);
}

static void payload_mmio(params_t *params, uint32_t cpu)
{
	volatile uint64_t *nowhere = gpa_pointer(NO_SUCH_GPA);

	if (cpu)
		return;
	*nowhere = params->pattern;
	params->observed[0] = *nowhere;
	guest_event(GUEST_EVENT_DONE, 0);
}

static void payload_port(params_t *params, uint32_t cpu)
{
	static const char text[] = "payload port: hello\n";

	if (cpu)
		return;
	for (uint32_t i = 0; text[i]; i++)
		port_out8(GUEST_CONSOLE_PORT, (uint8_t)text[i]);
	port_out32(NO_SUCH_PORT, 1);
	params->observed[0] = port_in32(NO_SUCH_PORT);
	guest_event(GUEST_EVENT_DONE, 0);
}

static void payload_crash(params_t *params, uint32_t cpu)
{
	(void)params;
	if (!cpu)
		asm volatile("ud2");
}

static void payload_spin(params_t *params, uint32_t cpu)
{
	(void)params;
	(void)cpu;
	for (;;)
		cpu_relax();
}

static void (*const payloads[GUEST_PAYLOAD_COUNT])(params_t *, uint32_t) = {
	[GUEST_PAYLOAD_SHA256]	= payload_sha256,
	[GUEST_PAYLOAD_CONVERT]	= payload_convert,
	[GUEST_PAYLOAD_RACE]	= payload_race,
	[GUEST_PAYLOAD_TOUCH]	= payload_touch,
	[GUEST_PAYLOAD_BADMAP]	= payload_badmap,
	[GUEST_PAYLOAD_MMIO]	= payload_mmio,
	[GUEST_PAYLOAD_PORT]	= payload_port,
	[GUEST_PAYLOAD_CRASH]	= payload_crash,
	[GUEST_PAYLOAD_SPIN]	= payload_spin,
};

void payload_main(params_t *params, uint32_t cpu)
{
	if (params->payload < GUEST_PAYLOAD_COUNT)
		payloads[params->payload](params, cpu);
	else
		guest_fail(params, 0, 0);
}
