// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>
#include <stdio.h>
#include <string.h>

#include "emulated_host.h"

#define LEAF_HYPERVISOR	0x40000000U
#define ECX_HYPERVISOR	(1U << 31)

/*
 * noxsave		It lets the guest change XCR0 behind KVM's back.
 * no5lvl		It does not get five levels of page tables right.
 * no_timer_check	Ticks come too late for the check whether they come.
 * tsc, tsc_early_khz	The counter cannot be calibrated against timers that are
 *			late. Without it the guest asks the PM timer what time it
 *			is, and each answer is an exit to gmemctl.
 */
static const struct {
	const char *name;
	const char *value;
	bool khz;
} wanted[] = {
	{ "noxsave", "", false },
	{ "no5lvl", "", false },
	{ "no_timer_check", "", false },
	{ "tsc", "=reliable", true },
	{ "tsc_early_khz", "=", true },
};

bool emulated_host_is_tcg(const uint32_t name[3])
{
	return !memcmp(name, "TCGTCGTCGTCG", 3 * sizeof(name[0]));
}

bool emulated_host(void)
{
	uint32_t eax, ebx, ecx, edx, name[3];

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & ECX_HYPERVISOR))
		return false;
	__cpuid(LEAF_HYPERVISOR, eax, name[0], name[1], name[2]);
	return eax >= LEAF_HYPERVISOR && emulated_host_is_tcg(name);
}

/* As the kernel takes its command line apart: at spaces, and at the first '='. */
static bool has_word(const char *cmdline, const char *name)
{
	size_t length = strlen(name);

	while (*cmdline) {
		size_t size = strcspn(cmdline, " \t\n");

		if (size >= length && !strncmp(cmdline, name, length) &&
		    (size == length || cmdline[length] == '='))
			return true;
		cmdline += size;
		cmdline += strspn(cmdline, " \t\n");
	}
	return false;
}

void emulated_host_words(const char *cmdline, unsigned int tsc_khz,
			 char words[EMULATED_HOST_WORDS_MAX])
{
	size_t used = 0;

	words[0] = '\0';
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		char number[16] = "";

		if (has_word(cmdline, wanted[i].name) ||
		    (wanted[i].khz && !tsc_khz))
			continue;
		if (wanted[i].khz && !wanted[i].value[1])
			snprintf(number, sizeof(number), "%u", tsc_khz);
		used += (size_t)snprintf(words + used,
					 EMULATED_HOST_WORDS_MAX - used,
					 " %s%s%s", wanted[i].name,
					 wanted[i].value, number);
	}
}
