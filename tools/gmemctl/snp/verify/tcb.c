// SPDX-License-Identifier: GPL-2.0
/* Versions of firmware, and what a platform has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcb.h"

const struct snp_tcb_part snp_tcb_parts[SNP_TCB_PARTS] = {
	{ "fmc",	9, { -1, 0 } },
	{ "bootloader", 1, { 0, 1 } },
	{ "tee",	2, { 1, 2 } },
	{ "snp",	3, { 6, 3 } },
	{ "microcode",	8, { 7, 7 } },
};

static void snp_tcb_decode(struct snp_tcb *tcb, uint64_t raw,
			   enum snp_tcb_layout layout)
{
	for (int i = 0; i < SNP_TCB_PARTS; i++) {
		int byte = snp_tcb_parts[i].byte[layout];

		tcb->versions[i] = byte < 0 ? 0 : (uint8_t)(raw >> 8 * byte);
	}
}

char *snp_tcb_format(uint64_t raw, enum snp_tcb_layout layout, char *text)
{
	struct snp_tcb tcb;
	size_t used = 0;

	snp_tcb_decode(&tcb, raw, layout);
	*text = '\0';
	for (int i = 0; i < SNP_TCB_PARTS; i++)
		if (snp_tcb_parts[i].byte[layout] >= 0)
			used += (size_t)snprintf(text + used,
						 SNP_TCB_TEXT - used, "%s%s=%u",
						 used ? "," : "",
						 snp_tcb_parts[i].name,
						 tcb.versions[i]);
	return text;
}

/* Return: the part that @text begins with, its "=" included, or negative. */
static int find_part(const char *text, size_t *length)
{
	for (int i = 0; i < SNP_TCB_PARTS; i++) {
		const char *name = snp_tcb_parts[i].name;

		*length = strlen(name);
		if (!strncmp(text, name, *length) && text[*length] == '=')
			return i;
	}
	return -EINVAL;
}

static int parse_version(const char **text, uint8_t *version)
{
	unsigned long value;
	char *end;

	if (**text < '0' || **text > '9')
		return -EINVAL;
	value = strtoul(*text, &end, 10);
	if (value > 255)
		return -EINVAL;
	*version = (uint8_t)value;
	*text = end;
	return 0;
}

int snp_tcb_parse(const char *text, struct snp_tcb *tcb)
{
	unsigned int seen = 0;
	size_t length;

	memset(tcb, 0, sizeof(*tcb));
	while (1) {
		int part = find_part(text, &length);

		if (part < 0 || seen & 1u << part)
			return -EINVAL;
		seen |= 1u << part;
		text += length + 1;
		if (parse_version(&text, &tcb->versions[part]))
			return -EINVAL;
		if (!*text)
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

bool snp_tcb_reaches(uint64_t raw, enum snp_tcb_layout layout,
		     const struct snp_tcb *floor)
{
	struct snp_tcb tcb;

	snp_tcb_decode(&tcb, raw, layout);
	for (int i = 0; i < SNP_TCB_PARTS; i++)
		if (tcb.versions[i] < floor->versions[i])
			return false;
	return true;
}

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
