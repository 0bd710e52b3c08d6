// SPDX-License-Identifier: GPL-2.0
/* Which payload runs, and those that are too small for a file. */
#include "guest.h"

#define NO_SUCH_PORT	0x5f0
#define NO_SUCH_GPA	UINT64_C(0xe0000000)

void payload_main(params_t *params, uint32_t cpu);

void payload_touch(params_t *params, uint32_t cpu)
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
