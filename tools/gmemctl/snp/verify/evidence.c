// SPDX-License-Identifier: GPL-2.0
/* The evidence: parses the report, the certificates with it, and the versions in it. */
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bytes.h"
#include "evidence.h"

/* Family numbers: base plus extended family of CPUID leaf 1. */
#define FAMILY_ZEN3 0x19
#define FAMILY_ZEN5 0x1a

/* Source: VCEK (AMD 57230), product names; Linux, arch/x86/kernel/cpu/amd.c */
const char *snp_report_product(const struct snp_report *report)
{
	if (report->version < 3)
		return NULL;
	if (report->cpuid_family == FAMILY_ZEN5)
		return "Turin";
	if (report->cpuid_family == FAMILY_ZEN3)
		return report->cpuid_model < 0x10 ? "Milan" : "Genoa";
	return NULL;
}

enum snp_tcb_layout snp_report_layout(const struct snp_report *report)
{
	return report->version >= 3 && report->cpuid_family >= FAMILY_ZEN5 ?
	       SNP_TCB_TURIN : SNP_TCB_MILAN;
}

/*
 * Parse a report in the firmware's form
 * @name: name of the file, for messages
 * @data: SNP_REPORT_SIZE bytes
 *
 * Return: 0, or -EINVAL for another version or signature algorithm.
 */
static int snp_report_parse(struct snp_report *report, const char *name,
			    const uint8_t *data, struct error *error)
{
	memcpy(report, data, sizeof(*report));
	if (report->version < 2 || report->version > 5)
		return error_set(error, -EINVAL, name, "parse report",
				 "its version is %u, but this program supports 2 to 5",
				 report->version);
	if (report->signature_algorithm != SNP_ALGORITHM)
		return error_set(error, -EINVAL, name, "parse report",
				 "its signature algorithm is %u; only 1, ECDSA on "
				 "P-384, is known", report->signature_algorithm);
	return 0;
}

/* MSG_REPORT_RSP: status, size, reserved; then the report */
#define ANSWER_HEADER 0x20

/*
 * Azure's blob: a header of 0x20 bytes, the report, and the claims, whose hash is in
 * the report data. Source: Microsoft, "Confidential VM guest attestation design".
 */
#define AZURE_MAGIC "HCLA"
#define AZURE_HEADER 0x20
#define AZURE_CLAIMS (AZURE_HEADER + SNP_REPORT_SIZE)
#define AZURE_TYPE 8		/* of the hardware's report: 2 is SNP */
#define AZURE_TYPE_SNP 2
#define AZURE_HASH 12		/* 1 SHA-256, 2 SHA-384, 3 SHA-512 */
#define AZURE_SIZE 16
#define AZURE_TEXT 20

static int bad(const char *name, const char *hint, struct error *error)
{
	return error_set(error, -EINVAL, name, "parse report", "%s", hint);
}

/*
 * Decode hexadecimal digits and white space into the buffer.
 *
 * Return: number of bytes, or 0 if there is anything else.
 */
static size_t take_hex(uint8_t *buffer, const uint8_t *data, size_t size)
{
	size_t digits = 0, at = 0;
	int value;

	while (at < size && isspace(data[at]))
		at++;
	if (size - at > 2 && data[at] == '0' && tolower(data[at + 1]) == 'x')
		at += 2;
	for (; at < size; at++) {
		if (isspace(data[at]))
			continue;
		if (!isxdigit(data[at]))
			return 0;
		value = isdigit(data[at]) ? data[at] - '0' : tolower(data[at]) - 'a' + 10;
		if (digits % 2)
			value |= buffer[digits / 2] << 4;
		buffer[digits++ / 2] = (uint8_t)value;
	}
	return digits % 2 ? 0 : digits / 2;
}

static int take_azure(struct snp_evidence *evidence, const char *name,
		      size_t size, struct error *error)
{
	static const uint8_t hash_sizes[] = { 0, 32, 48, 64 };
	const uint8_t *claims = evidence->buffer + AZURE_CLAIMS;
	uint32_t hash;

	if (size < AZURE_CLAIMS + AZURE_TEXT)
		return bad(name, "it begins like Azure's blob, but is truncated", error);
	if (bytes_get32(claims + AZURE_TYPE) != AZURE_TYPE_SNP)
		return bad(name, "it is Azure's blob, but not of an SNP guest", error);
	hash = bytes_get32(claims + AZURE_HASH);
	evidence->claims_size = bytes_get32(claims + AZURE_SIZE);
	if (!hash || hash >= sizeof(hash_sizes) ||
	    evidence->claims_size > size - AZURE_CLAIMS - AZURE_TEXT)
		return bad(name, "it is Azure's blob, but its claims are damaged", error);
	evidence->claims = claims + AZURE_TEXT;
	evidence->claims_hash_size = hash_sizes[hash];
	return snp_report_parse(&evidence->report, name, evidence->buffer + AZURE_HEADER, error);
}

static int take_any(struct snp_evidence *evidence, const char *name, size_t size,
		    struct error *error)
{
	const uint8_t *data = evidence->buffer;

	if (size > 4 && !memcmp(data, AZURE_MAGIC, 4))
		return take_azure(evidence, name, size, error);
	if (size >= ANSWER_HEADER + SNP_REPORT_SIZE && !bytes_get32(data) &&
	    bytes_get32(data + 4) == SNP_REPORT_SIZE)
		return snp_report_parse(&evidence->report, name, data + ANSWER_HEADER, error);
	if (size < SNP_REPORT_SIZE)
		return error_set(error, -EINVAL, name, "parse report", "it has %zu bytes, but a "
				 "report has %d bytes, or twice as many hexadecimal digits", size,
				 SNP_REPORT_SIZE);
	/* A binary report contains zeros, for example in its version. Text does not. */
	if (!memchr(data, '\0', SNP_REPORT_SIZE))
		return bad(name, "it is text, but not hexadecimal digits and white space alone: "
			   "give the report's bytes, or what `xxd -p` prints of them", error);
	evidence->table_size = size - SNP_REPORT_SIZE;
	if (evidence->table_size)
		evidence->table = data + SNP_REPORT_SIZE;
	return snp_report_parse(&evidence->report, name, data, error);
}

int snp_evidence_parse(struct snp_evidence *evidence, const char *name,
		       const uint8_t *data, size_t size, struct error *error)
{
	size_t decoded;
	int rc;

	memset(evidence, 0, sizeof(*evidence));
	if (size > SNP_EVIDENCE_MAX)
		return error_set(error, -EFBIG, name, "parse report",
				 "it has more than %d bytes, so it is not a report",
				 SNP_EVIDENCE_MAX);
	/* malloc(0) may be NULL. */
	evidence->buffer = malloc(size + 1);
	if (!evidence->buffer)
		return error_set(error, -ENOMEM, name, "parse report", NULL);
	decoded = take_hex(evidence->buffer, data, size);
	if (!decoded)
		memcpy(evidence->buffer, data, size);
	rc = take_any(evidence, name, decoded ? decoded : size, error);
	if (rc)
		snp_evidence_free(evidence);
	return rc;
}

void snp_evidence_free(struct snp_evidence *evidence)
{
	free(evidence->buffer);
	memset(evidence, 0, sizeof(*evidence));
}

bool snp_evidence_claims_match(const struct snp_evidence *evidence)
{
	const EVP_MD *md = evidence->claims_hash_size == 32 ? EVP_sha256() :
			   evidence->claims_hash_size == 48 ? EVP_sha384() :
							      EVP_sha512();
	const uint8_t *data = evidence->report.report_data;
	uint8_t hash[EVP_MAX_MD_SIZE];
	size_t size = evidence->claims_hash_size;

	return EVP_Digest(evidence->claims, evidence->claims_size, hash, NULL, md,
			  NULL) == 1 &&
	       !memcmp(hash, data, size) &&
	       bytes_are_zero(data + size,
			      sizeof(evidence->report.report_data) - size);
}

const struct snp_tcb_part snp_tcb_parts[SNP_TCB_PARTS] = {
	{ "fmc",	9, { -1, 0 } },
	{ "bootloader", 1, { 0, 1 } },
	{ "tee",	2, { 1, 2 } },
	{ "snp",	3, { 6, 3 } },
	{ "microcode",	8, { 7, 7 } },
};

/* Return: the version of a part; 0 if the layout does not have it */
static uint8_t version(uint64_t raw, enum snp_tcb_layout layout, int part)
{
	int byte = snp_tcb_parts[part].byte[layout];

	return byte < 0 ? 0 : (uint8_t)(raw >> 8 * byte);
}

char *snp_tcb_format(uint64_t raw, enum snp_tcb_layout layout, char *text)
{
	size_t used = 0;

	*text = '\0';
	for (int i = 0; i < SNP_TCB_PARTS; i++)
		if (snp_tcb_parts[i].byte[layout] >= 0)
			used += (size_t)snprintf(text + used, SNP_TCB_TEXT - used, "%s%s=%u",
						 used ? "," : "", snp_tcb_parts[i].name,
						 version(raw, layout, i));
	return text;
}

/* Return: the part whose name and "=" @text begins with, or -EINVAL. */
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

int snp_tcb_parse(const char *text, struct snp_tcb *tcb)
{
	unsigned int seen = 0;
	size_t length;
	char *end;

	memset(tcb, 0, sizeof(*tcb));
	while (1) {
		int part = find_part(text, &length);
		unsigned long version;

		if (part < 0 || seen & 1u << part)
			return -EINVAL;
		seen |= 1u << part;
		text += length + 1;
		if (*text < '0' || *text > '9')
			return -EINVAL;
		version = strtoul(text, &end, 10);
		if (version > 255)
			return -EINVAL;
		tcb->versions[part] = (uint8_t)version;
		text = end;
		if (!*text)
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

bool snp_tcb_reaches(uint64_t raw, enum snp_tcb_layout layout, const struct snp_tcb *floor)
{
	for (int i = 0; i < SNP_TCB_PARTS; i++)
		if (version(raw, layout, i) < floor->versions[i])
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
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "",
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
