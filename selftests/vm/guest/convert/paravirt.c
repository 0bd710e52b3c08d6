// SPDX-License-Identifier: GPL-2.0
/*
 * Paravirtual services of KVM that Linux has enabled. For each of them Linux writes an
 * address to a register, KVM itself reads or writes memory at the address, and bit 0 says
 * whether the service is enabled.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "convert.h"

static const struct {
	const char *name;
	uint32_t msr;
} services[] = {
	{ "kvm-clock", 0x4b564d01 },
	{ "async-pf", 0x4b564d02 },
	{ "steal-time", 0x4b564d03 },
	{ "pv-eoi", 0x4b564d04 },
};

static bool is_on(const struct memory *memory, uint32_t index)
{
	struct gmem_guest_msr msr = { .index = index };

	return !ioctl(memory->fd, GMEM_GUEST_MSR, &msr) && msr.value & 1;
}

void paravirt_tell(const struct memory *memory, char *text, size_t size)
{
	FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/"
			   "current_clocksource", "r");
	char clock[32] = "?";
	size_t used;

	if (file && fgets(clock, sizeof(clock), file))
		clock[strcspn(clock, "\n")] = '\0';
	if (file)
		fclose(file);
	used = (size_t)snprintf(text, size, "clock=%s on=", clock);
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (is_on(memory, services[i].msr))
			used += (size_t)snprintf(text + used, size - used, "%s,",
						 services[i].name);
}
