// SPDX-License-Identifier: GPL-2.0
/* An architecture whose CPUs have no CPUID instruction. */
#include "host.h"

bool host_cpuid(uint32_t leaf, struct host_cpuid *out)
{
	(void)leaf;
	*out = (struct host_cpuid){ 0 };
	return false;
}
