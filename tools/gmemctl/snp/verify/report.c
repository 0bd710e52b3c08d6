// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "../hex.h"
#include "report.h"

/* Hexadecimal digits, as tools print reports, to @report. */
static int report_from_text(struct snp_report *report, const uint8_t *data,
			    size_t size)
{
	char text[2 * SNP_REPORT_SIZE + 1];

	while (size && isspace(data[size - 1]))
		size--;
	while (size && isspace(*data)) {
		data++;
		size--;
	}
	if (size != 2 * SNP_REPORT_SIZE || memchr(data, '\0', size))
		return -EINVAL;
	memcpy(text, data, size);
	text[size] = '\0';
	return hex_parse(text, (uint8_t *)report, sizeof(*report));
}

int snp_report_parse(struct snp_report *report, const char *name,
		     const uint8_t *data, size_t size, struct error *error)
{
	if (size == sizeof(*report))
		memcpy(report, data, sizeof(*report));
	else if (report_from_text(report, data, size))
		return error_set(error, -EINVAL, name, "parse report",
				 "it has %zu bytes; a report has %d, or twice as "
				 "many hexadecimal digits", size,
				 SNP_REPORT_SIZE);
	if (report->version < 2 || report->version > 5)
		return error_set(error, -EINVAL, name, "parse report",
				 "its version is %u, this program knows 2 to 5",
				 report->version);
	if (report->signature_algorithm != SNP_ALGORITHM)
		return error_set(error, -EINVAL, name, "parse report",
				 "its signature algorithm is %u; only 1, ECDSA on "
				 "P-384, is known", report->signature_algorithm);
	return 0;
}
