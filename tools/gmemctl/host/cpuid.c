// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>

#include "host.h"

bool host_cpuid(uint32_t leaf, struct host_cpuid *out)
{
	return __get_cpuid(leaf, &out->eax, &out->ebx, &out->ecx, &out->edx);
}
