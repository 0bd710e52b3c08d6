/* SPDX-License-Identifier: GPL-2.0 */
/* gmemctl snp verify: its options, and the files that they name. */
#ifndef GMEMCTL_CLI_SNP_VERIFY_H
#define GMEMCTL_CLI_SNP_VERIFY_H

#include "../snp/verify/verify.h"
#include "snp.h"

/* So many files of certificates, and of revocation lists */
#define SNP_VERIFY_FILES 16

struct snp_verify_files {
	const char *paths[SNP_VERIFY_FILES];
	unsigned int count;
};

/**
 * struct snp_verify_options - what the command line says
 * @image: what the measurement is predicted from, if it has a firmware
 * @certs, @chains, @crls: files
 * @report, @expect_path, @host_data: files; the last two may be NULL
 * @expect: each in its own option
 */
struct snp_verify_options {
	struct snp_options image;
	struct snp_verify_files certs, chains, crls;
	const char *report, *expect_path, *host_data;
	struct snp_expect expect;
};

/** snp_verify_options: the table, which snp_verify_prepare() completes */
extern const struct cli_option snp_verify_options[];
void snp_verify_prepare(void);

/** snp_verify_parse() - Return: 0 or an exit code. */
int snp_verify_parse(struct snp_verify_options *options, int argc, char **argv);

/**
 * snp_verify_check() - whether there is all that it takes
 * @expect: of the command line and of a file of expectations
 *
 * Return: 0 or an exit code.
 */
int snp_verify_check(struct snp_verify_options *options,
		     const struct snp_expect *expect);

#endif /* GMEMCTL_CLI_SNP_VERIFY_H */
