// SPDX-License-Identifier: GPL-2.0
/* Expectations from options and from a JSON file. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../base/hex.h"
#include "../digest.h"
#include "evidence.h"
#include "expect.h"

/* A decimal number, or a hexadecimal one after 0x. */
static int parse_number(const char *text, struct snp_value *value)
{
	int base = !strncmp(text, "0x", 2) ? 16 : 10;
	const char *digits = base == 16 ? text + 2 : text;
	char *end;

	if (strspn(digits, "0123456789abcdefABCDEF") != strlen(digits))
		return -EINVAL;
	errno = 0;
	value->number = strtoull(digits, &end, base);
	return errno || end == digits || *end ? -EINVAL : 0;
}

static int parse_svn(const char *text, struct snp_value *value)
{
	int rc = parse_number(text, value);

	return rc || value->number > UINT32_MAX ? -EINVAL : 0;
}

static int parse_vmpl(const char *text, struct snp_value *value)
{
	int rc;

	if (!strcmp(text, "host")) {
		value->number = SNP_VMPL_HOST;
		return 0;
	}
	rc = parse_number(text, value);
	return rc || value->number > SNP_VMPL_MAX ? -EINVAL : 0;
}

static int parse_flag(const char *text, struct snp_value *value)
{
	value->number = !strcmp(text, "true");
	return value->number || !strcmp(text, "false") ? 0 : -EINVAL;
}

static int parse_text(const char *text, struct snp_value *value)
{
	if (!*text || strlen(text) >= sizeof(value->text))
		return -EINVAL;
	strcpy(value->text, text);
	return 0;
}

static int parse_signer(const char *text, struct snp_value *value)
{
	value->number = !strcmp(text, "vlek") ? SNP_SIGNER_VLEK : SNP_SIGNER_VCEK;
	return value->number == SNP_SIGNER_VLEK || !strcmp(text, "vcek") ? 0 : -EINVAL;
}

static int parse_tcb(const char *text, struct snp_value *value)
{
	return snp_tcb_parse(text, &value->tcb);
}

static int parse_platform(const char *text, struct snp_value *value)
{
	return snp_platform_parse(text, &value->number);
}

/* MAJOR.MINOR[.BUILD], as one number that keeps their order. */
static int parse_firmware(const char *text, struct snp_value *value)
{
	unsigned int parts = 0;

	value->number = 0;
	while (parts < 3) {
		char *end;
		unsigned long number;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = strtoul(text, &end, 10);
		if (number > 255)
			return -EINVAL;
		value->number |= number << 8 * (2 - parts++);
		if (!*end)
			return parts < 2 ? -EINVAL : 0;
		if (*end != '.')
			return -EINVAL;
		text = end + 1;
	}
	return -EINVAL;
}

/* A day, a day and a time, both UTC, or seconds since 1970. */
static int parse_time(const char *text, struct snp_value *value)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d" };
	char again[32];

	for (unsigned int i = 0; i < 2; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);
		time_t when;

		if (!end || *end)
			continue;
		when = timegm(&tm);
		/* timegm() turns 30 February into 2 March: such a day is refused. */
		strftime(again, sizeof(again), forms[i], &tm);
		value->number = (uint64_t)when;
		return when < 0 || strcmp(again, text) ? -EINVAL : 0;
	}
	/* Not after the year 9999, the last one that a certificate can have. */
	if (parse_number(text, value) || value->number > 253402300799)
		return -EINVAL;
	return 0;
}

#define NUMBER_FORM "a number of 64 bits, decimal or hexadecimal with 0x"
#define TCB_FORM "versions such as bootloader=3,tee=0,snp=8,microcode=115; also fmc"
#define PLATFORM_FORM "some of smt, tsme, ecc, rapl-disabled, ciphertext-hiding, " \
	"alias-check, tio, with commas between"

#define BYTES(name_, size_, help_) { .name = name_, .argument = "HEX", \
	.help = help_, .size = size_, }
#define FLAG(name_, help_) { .name = name_, .help = help_, \
	.form = "true or false", .parse = parse_flag }

const struct snp_expectation snp_expectations[SNP_EXPECT_NR] = {
	[SNP_EXPECT_ROOT] = BYTES("root", SNP_SHA256_SIZE,
		"SHA-256 of the trusted root certificate; default: AMD's for Milan, Genoa and "
		"Turin"),
	[SNP_EXPECT_TIME] = { "time", "TIME",
		"time at which the certificates must be valid: 2026-05-31, 2026-05-31T12:00:00Z "
		"or seconds since 1970 (default: now)",
		"2026-05-31, 2026-05-31T12:00:00Z or seconds since 1970",
		parse_time, 0 },
	[SNP_EXPECT_REQUIRE_CRL] = FLAG("require_crl",
		"fail without --crl"),
	[SNP_EXPECT_SIGNER] = { "signer", "NAME",
		"vcek or vlek: the kind of the signing key",
		"vcek or vlek", parse_signer, 0 },
	[SNP_EXPECT_CSP_ID] = { "csp_id", "TEXT",
		"the cloud provider of a VLEK",
		"1 to 63 characters", parse_text, 0 },
	[SNP_EXPECT_CHIP_ID] = BYTES("chip_id", SNP_CHIP_ID_SIZE,
		"the chip that signed the report: 64 bytes"),
	[SNP_EXPECT_VMPL] = { "vmpl", "N",
		"VMPL that requested the report: 0 to 3, or host (default: any VMPL of the "
		"guest)",
		"0 to 3, or host", parse_vmpl, 0 },
	[SNP_EXPECT_POLICY] = { "policy", "N",
		"the exact guest policy",
		NUMBER_FORM, parse_number, 0 },
	[SNP_EXPECT_ALLOW_DEBUG] = FLAG("allow_debug",
		"accept a guest that its host can debug"),
	[SNP_EXPECT_ALLOW_MIGRATION] = FLAG("allow_migration",
		"accept a guest that a migration agent can move"),
	[SNP_EXPECT_MEASUREMENT] = BYTES("measurement", SNP_DIGEST_SIZE,
		"the launch digest, 48 bytes, instead of an IMAGE"),
	[SNP_EXPECT_HOST_DATA] = BYTES("host_data", 32,
		"32 bytes that the host gave to the launch"),
	[SNP_EXPECT_REPORT_DATA] = BYTES("report_data", 64,
		"64 bytes that the guest put into the report"),
	[SNP_EXPECT_ID_KEY_DIGEST] = BYTES("id_key_digest", SNP_DIGEST_SIZE,
		"48 bytes, as id-block shows them"),
	[SNP_EXPECT_AUTHOR_KEY_DIGEST] = BYTES("author_key_digest",
		SNP_DIGEST_SIZE, "likewise"),
	[SNP_EXPECT_FAMILY_ID] = BYTES("family_id", 16,
		"16 bytes of the ID block"),
	[SNP_EXPECT_IMAGE_ID] = BYTES("image_id", 16, "likewise"),
	[SNP_EXPECT_MIN_GUEST_SVN] = { "min_guest_svn", "N",
		"minimum version of the guest in the ID block",
		"a number of 32 bits, decimal or hexadecimal with 0x",
		parse_svn, 0 },
	[SNP_EXPECT_REPORT_ID] = BYTES("report_id", 32,
		"32 bytes that the firmware assigned to this guest"),
	[SNP_EXPECT_REPORT_ID_MA] = BYTES("report_id_ma", 32,
		"likewise, to its migration agent"),
	[SNP_EXPECT_REQUIRE_PLATFORM] = { "require_platform", "LIST",
		"platform bits that must be set: smt, tsme, ecc, rapl-disabled, "
		"ciphertext-hiding, alias-check, tio",
		PLATFORM_FORM, parse_platform, 0 },
	[SNP_EXPECT_FORBID_PLATFORM] = { "forbid_platform", "LIST",
		"platform bits that must not be set", PLATFORM_FORM, parse_platform, 0 },
	[SNP_EXPECT_MIN_TCB] = { "min_tcb", "TCB",
		"minimum firmware versions that the machine reports, such as "
		"bootloader=3,snp=8,microcode=115; also tee, fmc",
		TCB_FORM, parse_tcb, 0 },
	[SNP_EXPECT_MIN_LAUNCH_TCB] = { "min_launch_tcb", "TCB",
		"likewise, at the launch of the guest",
		TCB_FORM, parse_tcb, 0 },
	[SNP_EXPECT_MIN_FIRMWARE] = { "min_firmware", "VERSION",
		"minimum API version, and build, of the SNP firmware: 1.55 or 1.55.21",
		"MAJOR.MINOR or MAJOR.MINOR.BUILD, such as 1.55.21",
		parse_firmware, 0 },
	[SNP_EXPECT_ALLOW_PROVISIONAL] = FLAG("allow_provisional",
		"accept firmware that the host can still roll back"),
};

char *snp_expect_option(enum snp_expect_id id, char name[SNP_EXPECT_NAME_SIZE])
{
	snprintf(name, SNP_EXPECT_NAME_SIZE, "%s", snp_expectations[id].name);
	for (char *at = name; *at; at++)
		if (*at == '_')
			*at = '-';
	return name;
}

int snp_expect_set(struct snp_expect *expect, enum snp_expect_id id,
		   const char *text, struct error *error)
{
	const struct snp_expectation *expectation = &snp_expectations[id];
	struct snp_value *value = &expect->values[id];

	if (value->count && !expectation->size)
		return error_set(error, -EEXIST, expectation->name, "given twice",
				 "there can be only one");
	if (value->count == SNP_EXPECT_VALUES)
		return error_set(error, -E2BIG, expectation->name, "too many",
				 "at most %d values", SNP_EXPECT_VALUES);
	if (expectation->size && hex_parse(text, value->bytes[value->count], expectation->size))
		return error_set(error, -EINVAL, expectation->name, "not the bytes expected",
				 "expected %zu hexadecimal digits, not '%s'", 2 * expectation->size,
				 text);
	if (!expectation->size && expectation->parse(text, value))
		return error_set(error, -EINVAL, expectation->name, "bad value",
				 "expected %s, not '%s'", expectation->form, text);
	value->count++;
	return 0;
}

void snp_expect_merge(struct snp_expect *expect, const struct snp_expect *other)
{
	for (unsigned int i = 0; i < SNP_EXPECT_NR; i++)
		if (!expect->values[i].count)
			expect->values[i] = other->values[i];
}

char *snp_time_format(uint64_t when, char text[32])
{
	time_t seconds = (time_t)when;
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	else
		snprintf(text, 32, "%llu", (unsigned long long)when);
	return text;
}

/* Far above the size of all expectations with all their values. */
#define FILE_MAX (1 << 20)

static int json_bad(const char *name, const char *key, const char *hint, struct error *error)
{
	char action[64];

	snprintf(action, sizeof(action), "read expectation '%.40s'", key);
	return error_set(error, -EINVAL, name, action, "%s", hint);
}

/* Return: the value as it is written for an option, or NULL if it has no such form. */
static const char *json_text(struct json_object *json, char buffer[24])
{
	switch (json_object_get_type(json)) {
	case json_type_string:
		/* A NUL in the string would hide the rest. */
		return strlen(json_object_get_string(json)) ==
		       (size_t)json_object_get_string_len(json) ?
		       json_object_get_string(json) : NULL;
	case json_type_boolean:
		return json_object_get_boolean(json) ? "true" : "false";
	case json_type_int:
		/* json-c replaces a number that is too large by UINT64_MAX. */
		if (json_object_get_int64(json) < 0 || json_object_get_uint64(json) == UINT64_MAX)
			return NULL;
		snprintf(buffer, 24, "%" PRIu64, json_object_get_uint64(json));
		return buffer;
	default:
		return NULL;
	}
}

static int json_set(struct snp_expect *expect, enum snp_expect_id id, const char *name,
		    struct json_object *json, struct error *error)
{
	const char *key = snp_expectations[id].name;
	struct error reason;
	char buffer[24];
	const char *text = json_text(json, buffer);

	if (!text)
		return json_bad(name, key, "expected a string, a number, or true or "
				"false, written as the option's value", error);
	if (snp_expect_set(expect, id, text, &reason))
		return json_bad(name, key, reason.hint, error);
	return 0;
}

/* Bytes may be a list, of which the report has to match one entry. */
static int json_member(struct snp_expect *expect, enum snp_expect_id id, const char *name,
		       struct json_object *json, struct error *error)
{
	size_t length;
	int rc = 0;

	if (!json_object_is_type(json, json_type_array) || !snp_expectations[id].size)
		return json_set(expect, id, name, json, error);
	length = json_object_array_length(json);
	if (!length)
		return json_bad(name, snp_expectations[id].name,
				"the list is empty: give at least one value", error);
	for (size_t i = 0; i < length && !rc; i++)
		rc = json_set(expect, id, name, json_object_array_get_idx(json, i), error);
	return rc;
}

/*
 * Count the members of the outermost object. json-c keeps only the last of several
 * members with the same name, without an error. The text is valid JSON, so each colon
 * at depth 1 outside of strings is that of a member.
 */
static int count_members(const uint8_t *text, size_t size)
{
	int depth = 0, members = 0;
	uint8_t quote = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t c = text[i];

		if (quote && c == '\\')
			i++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		else if (c == ':' && depth == 1)
			members++;
	}
	return members;
}

static int json_object_take(struct snp_expect *expect, const char *name, struct json_object *json,
			    int members, struct error *error)
{
	int rc;

	if (!json_object_is_type(json, json_type_object))
		return error_set(error, -EINVAL, name, "read expectations",
				 "it is not a JSON object: { \"vmpl\": 0 }");
	if (json_object_object_length(json) != members)
		return error_set(error, -EINVAL, name, "read expectations", "a key is given twice: "
				 "remove one");
	json_object_object_foreach(json, key, member) {
		unsigned int id = 0;

		/* For the reader of the file, such as the source of a value. */
		if (!strcmp(key, "comment"))
			continue;
		while (id < SNP_EXPECT_NR && strcmp(key, snp_expectations[id].name))
			id++;
		if (id == SNP_EXPECT_NR)
			return json_bad(name, key, "unknown key; the keys are the options of "
					"`gmemctl help snp verify`, with _ instead of -", error);
		rc = json_member(expect, (enum snp_expect_id)id, name, member, error);
		if (rc)
			return rc;
	}
	return 0;
}

int snp_expect_read_json(struct snp_expect *expect, const char *name,
			 const uint8_t *data, size_t size, struct error *error)
{
	struct json_tokener *tokener;
	enum json_tokener_error code;
	struct json_object *json;
	int rc;

	memset(expect, 0, sizeof(*expect));
	/* json-c stops at a NUL and ignores the rest. */
	if (size > FILE_MAX || memchr(data, '\0', size))
		return error_set(error, -EINVAL, name, "read expectations",
				 "it is not a JSON object of at most %d bytes", FILE_MAX);
	tokener = json_tokener_new_ex(8);
	if (!tokener)
		return error_set(error, -ENOMEM, name, "read expectations", NULL);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	json = json_tokener_parse_ex(tokener, (const char *)data, (int)size);
	code = json_tokener_get_error(tokener);
	if (code == json_tokener_success)
		rc = json_object_take(expect, name, json, count_members(data, size), error);
	else
		rc = error_set(error, -EINVAL, name, "read expectations", "byte %zu: %s",
			       json_tokener_get_parse_end(tokener),
			       code == json_tokener_continue ?
			       "its JSON object is not complete: the file is empty or truncated" :
			       json_tokener_error_desc(code));
	json_object_put(json);
	json_tokener_free(tokener);
	return rc;
}
