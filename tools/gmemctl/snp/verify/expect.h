/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a relying party asks of a report. One table has the name of each
 * expectation, and how its value is written: options of the command line, keys of
 * a file of expectations, and the manual's list are made of it.
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

/* The longest name, as an option, with its NUL */
#define SNP_EXPECT_NAME_SIZE 24

/* So many values of one expectation: the report has to have one of them. */
#define SNP_EXPECT_VALUES 32
#define SNP_EXPECT_BYTES 64
#define SNP_EXPECT_TEXT 64

struct snp_value;

/**
 * struct snp_expectation - one line of the table
 * @name: key of a file of expectations; with - for _, the option
 * @argument: what stands for its value in help, or NULL if it is yes or no
 * @help: what it asks for
 * @form: what a value looks like, for messages
 * @parse: takes a value that is not bytes. Return: 0, or -EINVAL.
 * @size: of values that are bytes, of which there may be several; else 0
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
 * struct snp_value - what is expected
 * @count: how often it was given; 0: it is not expected
 * @number: a number, the bits of a set, a time, or true
 * @bytes: @count values of the expectation's size
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

/** snp_expect_option() - the option's name, to @name. Return: @name. */
char *snp_expect_option(enum snp_expect_id id, char name[SNP_EXPECT_NAME_SIZE]);

/**
 * snp_expect_set() - expect something
 * @text: its value; "true" for what is yes or no
 *
 * Return: 0; -EINVAL for a value that is none; -EEXIST if there is one already and
 * there can be only one; -E2BIG for too many. @error names the expectation.
 */
int snp_expect_set(struct snp_expect *expect, enum snp_expect_id id,
		   const char *text, struct error *error);

/** snp_expect_merge() - take from @other what @expect does not say itself */
void snp_expect_merge(struct snp_expect *expect, const struct snp_expect *other);

/**
 * snp_expect_read_json() - a file of expectations: one JSON object
 * @name: of the file, for messages
 *
 * Return: 0; -EINVAL for what is no JSON, a key that is unknown or there twice, or a
 * bad value.
 */
int snp_expect_read_json(struct snp_expect *expect, const char *name,
			 const uint8_t *data, size_t size, struct error *error);

/** snp_time_format() - seconds since 1970 as snp_expect_set() takes them */
char *snp_time_format(uint64_t when, char text[32]);

#endif /* GMEMCTL_SNP_VERIFY_EXPECT_H */
