/* SPDX-License-Identifier: GPL-2.0 */
/* The sub-commands of `gmemctl realm`, and what a realm is described by. */
#ifndef GMEMCTL_CLI_REALM_H
#define GMEMCTL_CLI_REALM_H

#include "../realm/realm.h"
#include "command.h"

extern const struct command command_realm_launch, command_realm_run;

/* realm_options.c */

/**
 * struct realm_file - a file to be populated
 * @path: NULL: the built-in payload
 * @placed: it has an address; else it follows the one before
 * @data: its contents, allocated
 */
struct realm_file {
	const char *path;
	bool placed;
	uint64_t gpa;
	bool unmeasured;
	uint8_t *data;
	uint64_t size;
};

/**
 * struct realm_options - a realm as it is described on the command line
 * @config: complete when realm_options_load() has succeeded
 */
struct realm_options {
	struct realm_config config;
	struct realm_file files[REALM_LOADS_MAX];
	struct realm_load loads[REALM_LOADS_MAX];
	uint64_t base;
	uint64_t memory;
	uint64_t entry;
	const char *entry_given;
	bool trace;
};

/** realm_option_abi() - the value of --abi: a const struct realm_abi * */
int realm_option_abi(const struct cli_option *option, const char *name,
		     const char *text, void *to);

/** realm_options: the table of launch and run, for struct realm_options */
extern const struct cli_option realm_options[];

/** realm_options_parse() - Return: 0 or an exit code. */
int realm_options_parse(const struct command *command,
			struct realm_options *options, int argc, char **argv);

/** realm_options_load() - read the files, and place all that has no place */
int realm_options_load(struct realm_options *options, struct error *error);

/** realm_options_free() - also after a failure of the others */
void realm_options_free(struct realm_options *options);

#endif /* GMEMCTL_CLI_REALM_H */
