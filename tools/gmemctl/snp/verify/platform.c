// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform.h"

/* Source: SEV-SNP Firmware ABI (AMD 56860), PLATFORM_INFO; bit 6 is reserved */
static const char *const names[] = {
	"smt", "tsme", "ecc", "rapl-disabled", "ciphertext-hiding", "alias-check",
	"bit-6", "tio",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

char *snp_platform_format(uint64_t bits, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "none");
	for (unsigned int i = 0; i < 64 && used < size; i++) {
		const char *comma = used ? "," : "";

		if (!(bits >> i & 1))
			continue;
		used += (size_t)(i < NAMES ?
			snprintf(text + used, size - used, "%s%s", comma,
				 names[i]) :
			snprintf(text + used, size - used, "%sbit-%u", comma, i));
	}
	return text;
}

int snp_platform_parse(const char *text, uint64_t *bits)
{
	*bits = 0;
	while (1) {
		size_t length = strcspn(text, ",");
		unsigned int i = 0;

		while (i < NAMES && (strlen(names[i]) != length ||
				     strncmp(text, names[i], length)))
			i++;
		if (i == NAMES)
			return -EINVAL;
		*bits |= 1ull << i;
		if (!text[length])
			return 0;
		text += length + 1;
	}
}
