/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The expectations of a relying party. One table has the name of each expectation and the form of
 * its value. Options of the command line, their help, and keys of a file of expectations come from
 * this table.
 */
#ifndef GMEMCTL_SNP_VERIFY_EXPECT_H
#define GMEMCTL_SNP_VERIFY_EXPECT_H

#include "../../base/error.h"
#include "evidence.h"

enum snp_expect_id {
	SNP_EXPECT_ROOT,
	SNP_EXPECT_TIME,
	SNP_EXPECT_REQUIRE_CRL,
	SNP_EXPECT_SIGNER,
	SNP_EXPECT_CSP_ID,
	SNP_EXPECT_CHIP_ID,
	SNP_EXPECT_VMPL,
	SNP_EXPECT_POLICY,
	SNP_EXPECT_ALLOW_DEBUG,
	SNP_EXPECT_ALLOW_MIGRATION,
	SNP_EXPECT_MEASUREMENT,
	SNP_EXPECT_HOST_DATA,
	SNP_EXPECT_REPORT_DATA,
	SNP_EXPECT_ID_KEY_DIGEST,
	SNP_EXPECT_AUTHOR_KEY_DIGEST,
	SNP_EXPECT_FAMILY_ID,
	SNP_EXPECT_IMAGE_ID,
	SNP_EXPECT_MIN_GUEST_SVN,
	SNP_EXPECT_REPORT_ID,
	SNP_EXPECT_REPORT_ID_MA,
	SNP_EXPECT_REQUIRE_PLATFORM,
	SNP_EXPECT_FORBID_PLATFORM,
	SNP_EXPECT_MIN_TCB,
	SNP_EXPECT_MIN_LAUNCH_TCB,
	SNP_EXPECT_MIN_FIRMWARE,
	SNP_EXPECT_ALLOW_PROVISIONAL,
	SNP_EXPECT_NR,
};

/* Size of the longest name as an option, with its NUL */
#define SNP_EXPECT_NAME_SIZE 24

/* Limits: number of values of an expectation, size of bytes, and of a text */
#define SNP_EXPECT_VALUES 32
#define SNP_EXPECT_BYTES 64
#define SNP_EXPECT_TEXT 64

struct snp_value;

/**
 * struct snp_expectation - an entry of the table
 * @name: key in a file of expectations; with - for _ it is the option
 * @argument: placeholder of the value in help; NULL if the value is yes or no
 * @help: help text
 * @form: form of a value, for messages
 * @parse: parses a value that is not bytes. Return: 0, or -EINVAL.
 * @size: size of a value that is bytes, of which there can be several; otherwise 0
 */
struct snp_expectation {
	const char *name;
	const char *argument;
	const char *help;
	const char *form;
	int (*parse)(const char *text, struct snp_value *value);
	size_t size;
};

extern const struct snp_expectation snp_expectations[SNP_EXPECT_NR];

/**
 * struct snp_value - an expected value
 * @count: number of values; 0: nothing is expected
 * @number: a number, bits, a time, or true
 * @tcb: a TCB
 * @text: a text
 * @bytes: @count values of bytes; the report must have one of them
 */
struct snp_value {
	unsigned int count;
	uint64_t number;
	struct snp_tcb tcb;
	char text[SNP_EXPECT_TEXT];
	uint8_t bytes[SNP_EXPECT_VALUES][SNP_EXPECT_BYTES];
};

struct snp_expect {
	struct snp_value values[SNP_EXPECT_NR];
};

/** snp_expect_option() - write the name of the option to @name. Return: @name. */
char *snp_expect_option(enum snp_expect_id id, char name[SNP_EXPECT_NAME_SIZE]);

/**
 * snp_expect_set() - set an expectation, or add a value to it
 * @text: the value; "true" for an expectation that is yes or no
 *
 * Return: 0; -EINVAL for an invalid value; -EEXIST for a second value, if there can be only one;
 * -E2BIG for too many values. @error names the expectation.
 */
int snp_expect_set(struct snp_expect *expect, enum snp_expect_id id,
		   const char *text, struct error *error);

/** snp_expect_merge() - copy from @other the expectations that @expect does not have */
void snp_expect_merge(struct snp_expect *expect, const struct snp_expect *other);

/**
 * snp_expect_read_json() - parse a file of expectations, which is one JSON object
 * @name: name of the file, for messages
 *
 * Return: 0; -EINVAL if it is no JSON object, or for a key that is unknown or occurs twice, or an
 * invalid value.
 */
int snp_expect_read_json(struct snp_expect *expect, const char *name,
			 const uint8_t *data, size_t size, struct error *error);

/** snp_time_format() - write a time, in seconds since 1970, as --time reads it. Return: @text. */
char *snp_time_format(uint64_t when, char text[32]);

#endif /* GMEMCTL_SNP_VERIFY_EXPECT_H */
