// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform.h"

/* Source: SEV-SNP Firmware ABI (AMD 56860), PLATFORM_INFO; bit 6 is reserved */
static const char *const names[64] = {
	"smt", "tsme", "ecc", "rapl-disabled", "ciphertext-hiding", "alias-check",
	NULL, "tio",
};

/* "bit-63" and a NUL */
#define NAME_SIZE 7

static const char *bit_name(unsigned int bit, char buffer[NAME_SIZE])
{
	if (names[bit])
		return names[bit];
	snprintf(buffer, NAME_SIZE, "bit-%u", bit & 63);
	return buffer;
}

char *snp_platform_format(uint64_t bits, char *text, size_t size)
{
	char buffer[NAME_SIZE];
	size_t used = 0;

	snprintf(text, size, "none");
	for (unsigned int i = 0; i < 64 && used < size; i++)
		if (bits >> i & 1)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used ? "," : "",
						 bit_name(i, buffer));
	return text;
}

int snp_platform_parse(const char *text, uint64_t *bits)
{
	char buffer[NAME_SIZE];

	*bits = 0;
	while (1) {
		size_t length = strcspn(text, ",");
		unsigned int i = 0;

		while (i < 64 && (strlen(bit_name(i, buffer)) != length ||
				  strncmp(text, bit_name(i, buffer), length)))
			i++;
		if (i == 64)
			return -EINVAL;
		*bits |= 1ull << i;
		if (!text[length])
			return 0;
		text += length + 1;
	}
}
