// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "policy.h"

static const struct {
	uint64_t bit;
	const char *name;
} bits[] = {
	{ SNP_POLICY_SMT, "SMT" },
	{ SNP_POLICY_MIGRATE_MA, "migration agent" },
	{ SNP_POLICY_DEBUG, "DEBUG" },
	{ SNP_POLICY_SINGLE_SOCKET, "single socket only" },
	{ 1ULL << 21, "CXL allowed" },
	{ 1ULL << 22, "AES-256-XTS only" },
	{ 1ULL << 23, "RAPL disabled" },
	{ 1ULL << 24, "ciphertext hiding" },
	{ 1ULL << 25, "page swap disabled" },
};

char *snp_policy_format(uint64_t policy, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "ABI %u.%u",
				       (unsigned int)(policy >> 8 & 0xff),
				       (unsigned int)(policy & 0xff));

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (policy & bits[i].bit && used < size)
			used += (size_t)snprintf(text + used, size - used, ", %s",
						 bits[i].name);
	return text;
}
