// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "input.h"
#include "realm.h"

#define DEFAULT_BASE UINT64_C(0x40000000)
#define DEFAULT_MEMORY (UINT64_C(64) << 20)

enum {
	OPTION_ABI = 256,
	OPTION_IPA_BITS,
	OPTION_CPUS,
	OPTION_MEMORY,
	OPTION_BASE,
	OPTION_LOAD,
	OPTION_ENTRY,
	OPTION_ARGUMENT,
	OPTION_TIMEOUT,
	OPTION_TRACE,
	OPTION_JSON,
};

static const struct option realm_options[] = {
	{ "abi", required_argument, NULL, OPTION_ABI },
	{ "ipa-bits", required_argument, NULL, OPTION_IPA_BITS },
	{ "cpus", required_argument, NULL, OPTION_CPUS },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "base", required_argument, NULL, OPTION_BASE },
	{ "load", required_argument, NULL, OPTION_LOAD },
	{ "entry", required_argument, NULL, OPTION_ENTRY },
	{ "argument", required_argument, NULL, OPTION_ARGUMENT },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "trace", no_argument, NULL, OPTION_TRACE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ NULL, 0, NULL, 0 },
};

/*
 * What is run if nothing is given: PSCI's SYSTEM_OFF. Little-endian words of
 * movz w0, #0x8400, lsl #16; movk w0, #0x0008; smc #0; wfi; b .-4
 */
static const uint32_t payload[] = {
	0x52b08000, 0x72800100, 0xd4000003, 0xd503207f, 0x17ffffff,
};

int realm_option_abi(const char *name, const struct realm_abi **abi)
{
	*abi = realm_abi_find(name);
	if (*abi)
		return 0;
	return usage_error("--abi", "not known", "expected %s, not '%s'",
			   realm_abi_names(), name);
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
	return usage_number("--load FILE,at=", word + 3, &file->gpa);
}

static int parse_load(struct realm_options *options, char *text)
{
	struct realm_file *file = &options->files[options->config.nr_loads];
	char *word;
	int code = 0;

	if (options->config.nr_loads == REALM_LOADS_MAX)
		return usage_error("--load", "too many", "at most %d files",
				   REALM_LOADS_MAX);
	file->path = strsep(&text, ",");
	if (!*file->path)
		return usage_error("--load", "file is missing",
				   "expected FILE[,at=ADDRESS][,unmeasured]");
	while (!code && (word = strsep(&text, ",")))
		code = parse_load_word(file, word);
	options->config.nr_loads++;
	return code;
}

static int parse_option(struct realm_options *options, int option, char **argv)
{
	struct realm_config *config = &options->config;

	switch (option) {
	case OPTION_ABI:
		return realm_option_abi(optarg, &config->abi);
	case OPTION_IPA_BITS:
		return usage_count("--ipa-bits", optarg, UINT8_MAX,
				   &config->ipa_bits);
	case OPTION_CPUS:
		return usage_count("--cpus", optarg, REALM_VCPUS_MAX,
				   &config->nr_vcpus);
	case OPTION_MEMORY:
		return usage_size("--memory", optarg, &options->memory);
	case OPTION_BASE:
		return usage_number("--base", optarg, &options->base);
	case OPTION_LOAD:
		return parse_load(options, optarg);
	case OPTION_ENTRY:
		options->has_entry = true;
		return usage_number("--entry", optarg, &options->entry);
	case OPTION_ARGUMENT:
		return usage_number("--argument", optarg, &config->argument);
	case OPTION_TIMEOUT:
		return usage_count("--timeout", optarg, 86400,
				   &config->run_timeout_s);
	case OPTION_TRACE:
		config->trace = stderr;
		return 0;
	case OPTION_JSON:
		return 0;
	default:
		return usage_option(option, argv);
	}
}

int realm_options_parse(struct realm_options *options, int argc, char **argv)
{
	int option, code;

	memset(options, 0, sizeof(*options));
	options->config.abi = realm_abi_find(NULL);
	options->config.nr_vcpus = 1;
	options->base = DEFAULT_BASE;
	options->memory = DEFAULT_MEMORY;
	while ((option = option_next(argc, argv, realm_options, NULL)) !=
	       -1) {
		code = parse_option(options, option, argv);
		if (code)
			return code;
	}
	if (optind < argc)
		return usage_error(argv[optind], "unexpected argument",
				   "a realm is described by options only");
	if (!options->config.nr_vcpus)
		return usage_error("--cpus", "too few", "at least 1");
	return 0;
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
	config->entry = options->has_entry ? options->entry :
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
