// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "input.h"
#include "realm.h"

#define DEFAULT_BASE UINT64_C(0x40000000)
#define DEFAULT_MEMORY (UINT64_C(64) << 20)

/*
 * What is run if nothing is given: PSCI's SYSTEM_OFF. Little-endian words of
 * movz w0, #0x8400, lsl #16; movk w0, #0x0008; smc #0; wfi; b .-4
 */
static const uint32_t payload[] = {
	0x52b08000, 0x72800100, 0xd4000003, 0xd503207f, 0x17ffffff,
};

int realm_option_abi(const struct cli_option *option, const char *name,
		     const char *text, void *to)
{
	const struct realm_abi **abi = to;

	(void)option;
	*abi = realm_abi_find(text);
	if (*abi)
		return 0;
	return usage_error(name, "not known", "expected %s, not '%s'",
			   realm_abi_names(), text);
}

/* The words after the path: at=ADDRESS, unmeasured */
static int parse_load_word(struct realm_file *file, const char *word)
{
	if (!strcmp(word, "unmeasured")) {
		file->unmeasured = true;
		return 0;
	}
	if (strncmp(word, "at=", 3))
		return usage_error("--load", "not understood",
				   "expected FILE[,at=ADDRESS][,unmeasured], not "
				   "'%s'", word);
	file->placed = true;
	return option_size(NULL, "--load FILE,at=", word + 3, &file->gpa);
}

/* The path at the start of a list; of two commas in it, one is its own. */
static char *take_path(char **text)
{
	char *path = *text, *to = path, *from = path;

	for (; *from && (*from != ',' || from[1] == ','); from++) {
		*to++ = *from;
		from += *from == ',';
	}
	*text = *from ? from + 1 : NULL;
	*to = '\0';
	return path;
}

static int option_load(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	struct realm_options *options = to;
	struct realm_file *file = &options->files[options->config.nr_loads];
	char *rest = (char *)text, *word;
	int code = 0;

	(void)option;
	if (options->config.nr_loads == REALM_LOADS_MAX)
		return usage_error(name, "too many", "at most %d files",
				   REALM_LOADS_MAX);
	file->path = take_path(&rest);
	if (!*file->path)
		return usage_error(name, "file is missing",
				   "expected FILE[,at=ADDRESS][,unmeasured]");
	while (!code && (word = strsep(&rest, ",")))
		code = parse_load_word(file, word);
	options->config.nr_loads++;
	return code;
}

#define TO_REALM(member) TO(struct realm_options, member)

const struct cli_option realm_options[] = {
	{ "--load", "FILE[,at=ADDRESS][,unmeasured]", option_load,
	  .help = "put a file into memory, measured unless it says otherwise; up to 16 of "
	  "them, in this order. Without an address it follows the one before. A comma in "
	  "FILE is doubled. Without --load it is a payload that powers the realm off" },
	{ "--entry", "ADDRESS", option_size, TO_REALM(entry),
	  "where the first vCPU starts (default: the first file)",
	  GIVEN(struct realm_options, entry_given) },
	{ "--argument", "N", option_number, TO_REALM(config.argument),
	  "in its x0, such as the address of a device tree" },
	{ "--memory", "SIZE", option_size, TO_REALM(memory),
	  "memory of the realm (default 64M), and" },
	{ "--base", "ADDRESS", option_size, TO_REALM(base),
	  "where it begins (default 0x40000000)" },
	{ "--cpus", "N", option_count, TO_REALM(config.nr_vcpus),
	  "number of vCPUs (default 1)", { "--vcpus" },
	  .min = 1, .max = REALM_VCPUS_MAX },
	{ "--ipa-bits", "N", option_count, TO_REALM(config.ipa_bits),
	  "bits of guest addresses, of which the top one means shared (default: as many as "
	  "the host has)", .max = UINT8_MAX },
	{ "--timeout", "SECONDS", option_count, TO_REALM(config.run_timeout_s),
	  "end the run after that time; 0 (default): never", .max = 86400 },
	{ "--trace", NULL, option_flag, TO_REALM(trace),
	  "write each exit to standard error" },
	{ "--abi", "NAME", realm_option_abi, TO_REALM(config.abi),
	  "version of the CCA series: v14" },
	{ 0 }
};

int realm_options_parse(const struct command *command,
			struct realm_options *options, int argc, char **argv)
{
	int code;

	memset(options, 0, sizeof(*options));
	options->config.abi = realm_abi_find(NULL);
	options->config.nr_vcpus = 1;
	options->base = DEFAULT_BASE;
	options->memory = DEFAULT_MEMORY;
	code = command_parse(command, argc, argv, options);
	options->config.trace = options->trace ? stderr : NULL;
	return code;
}

static int load_payload(struct realm_file *file, struct error *error)
{
	file->data = malloc(sizeof(payload));
	if (!file->data)
		return error_set(error, -ENOMEM, "payload", "allocate", NULL);
	memcpy(file->data, payload, sizeof(payload));
	file->size = sizeof(payload);
	return 0;
}

static int load_file(struct realm_file *file, struct error *error)
{
	if (!file->path)
		return load_payload(file, error);
	return input_read_all(file->path, &file->data, &file->size, error);
}

/* After the file before, on a page of its own; the first at the base. */
static void place(struct realm_options *options)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), next = options->base;

	for (unsigned int i = 0; i < options->config.nr_loads; i++) {
		struct realm_file *file = &options->files[i];

		if (!file->placed)
			file->gpa = next;
		next = (file->gpa + file->size + page - 1) / page * page;
		options->loads[i] = (struct realm_load){
			.name = file->path ? file->path : "built-in payload",
			.gpa = file->gpa, .data = file->data,
			.size = file->size, .measured = !file->unmeasured,
		};
	}
}

int realm_options_load(struct realm_options *options, struct error *error)
{
	struct realm_config *config = &options->config;
	int rc = 0;

	if (!config->nr_loads)
		config->nr_loads = 1;
	for (unsigned int i = 0; i < config->nr_loads && !rc; i++)
		rc = load_file(&options->files[i], error);
	if (rc)
		return rc;
	place(options);
	config->loads = options->loads;
	config->entry = options->entry_given ? options->entry :
					     options->loads[0].gpa;
	config->ram = (struct range){ options->base,
				      options->base + options->memory };
	return 0;
}

void realm_options_free(struct realm_options *options)
{
	for (unsigned int i = 0; i < REALM_LOADS_MAX; i++)
		free(options->files[i].data);
}
