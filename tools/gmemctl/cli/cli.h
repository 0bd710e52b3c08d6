/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_CLI_CLI_H
#define GMEMCTL_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes. UNTRUSTED: what was looked at is readable, and must not be trusted. */
enum {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILURE = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_UNTRUSTED = 3,
	EXIT_CODE_UNSUPPORTED = 4,
};

/**
 * struct command - a sub-command
 * @name: as typed
 * @run: argv[0] is the name; returns an exit code
 * @summary: one line for the list of commands
 * @help: usage and options
 * @help_more: writes what comes after @help from a table; or NULL
 */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	const char *help;
	void (*help_more)(FILE *stream);
};

/** struct subcommand - the second word; @run is as that of a command */
struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
};

/**
 * subcommand_run() - run the one that argv[1] names, or complain
 *
 * It gets argv[0], which messages point to, and what comes after its name.
 */
int subcommand_run(const struct subcommand *subcommands, size_t count,
		   int argc, char **argv);

/** commands: all that there are on this architecture, as help lists them */
extern const struct command *const commands[];
extern const size_t commands_nr;

extern const struct command command_help;
extern const struct command command_load;
extern const struct command command_unload;
extern const struct command command_info;
extern const struct command command_check;
extern const struct command command_run;
extern const struct command command_exec;
extern const struct command command_demo;
extern const struct command command_snp;
extern const struct command command_realm;
extern const struct command command_ps;
extern const struct command command_stat;
extern const struct command command_map;
extern const struct command command_convert;
extern const struct command command_decommit;
extern const struct command command_dump;
extern const struct command command_handover;
extern const struct command command_save;
extern const struct command command_restore;
extern const struct command command_stop;

/* size.c */

/**
 * size_parse() - parse a size in bytes: digits, then K, M, G, T (also KB or
 * KiB, and so on; all powers of 1024) or nothing
 *
 * Return: 0, -EINVAL for anything else, -ERANGE for more than 64 bits.
 */
int size_parse(const char *text, uint64_t *size);

/** count_parse() - parse a plain decimal number of at most @max */
int count_parse(const char *text, uint32_t max, uint32_t *count);

/** number_parse() - parse all of a number: digits, or 0x and hexadecimal ones */
int number_parse(const char *text, uint64_t *number);

/* usage.c */

/** usage_error() - complain about an argument. Return: EXIT_CODE_USAGE. */
int usage_error(const char *object, const char *action, const char *hint, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * option_next() - getopt_long() that takes names as they are, and no others
 *
 * Neither the start of a name nor a single dash is an option: what is not known
 * today may be another option tomorrow. After "--" there are no options.
 *
 * Return: as getopt_long() with ":" for short options; then usage_option() knows
 * which argument was wrong.
 */
int option_next(int argc, char **argv, const struct option *options,
		int *index);

/**
 * usage_option() - what option_next() did not like
 * @option: what it returned: '?' or ':'
 */
int usage_option(int option, char **argv);

/**
 * usage_json_only() - parse the options of a command that has only --json
 *
 * Return: 0, and optind is at what is no option; or an exit code.
 */
int usage_json_only(int argc, char **argv);

/** usage_size(), usage_count() - parse an option's value, or complain */
int usage_size(const char *option, const char *text, uint64_t *size);
int usage_count(const char *option, const char *text, uint32_t max,
		uint32_t *count);

int usage_number(const char *option, const char *text, uint64_t *number);

/** usage_off_port() - the value of --power-off-port: where no device is */
int usage_off_port(const char *text, uint16_t *port);

/** usage_name() - check a name of a VM, or complain: nothing is looked up */
int usage_name(const char *option, const char *name);

/** usage_hex() - exactly @size bytes in hexadecimal */
int usage_hex(const char *option, const char *text, uint8_t *bytes,
	      size_t size);

#endif /* GMEMCTL_CLI_CLI_H */
