// SPDX-License-Identifier: GPL-2.0
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

void snp_tcb_decode(struct snp_tcb *tcb, uint64_t raw,
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
