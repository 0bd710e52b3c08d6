// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "../control/channel.h"
#include "../control/client.h"
#include "cli.h"
#include "move.h"
#include "out.h"
#include "run_pc.h"

/* For the VM to stop its CPUs: longer than a conversion may wait. */
#define ACCEPT_TIMEOUT_MS 60000

#define CONVERT_TIMEOUT_MS 2000

enum {
	OPTION_JSON = 256,
	OPTION_STOP,
	OPTION_MEMORY_FILE,
	OPTION_NAME,
	OPTION_TIMEOUT,
	OPTION_TRACE,
	OPTION_OFF_PORT,
};

static const struct option move_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "stop", no_argument, NULL, OPTION_STOP },
	{ "memory-file", required_argument, NULL, OPTION_MEMORY_FILE },
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "trace", no_argument, NULL, OPTION_TRACE },
	{ "power-off-port", required_argument, NULL, OPTION_OFF_PORT },
	{ NULL, 0, NULL, 0 },
};

static unsigned int option_group(int option)
{
	switch (option) {
	case OPTION_STOP:
		return MOVE_STOP;
	case OPTION_MEMORY_FILE:
		return MOVE_FILE;
	case OPTION_NAME:
	case OPTION_TIMEOUT:
	case OPTION_TRACE:
	case OPTION_OFF_PORT:
		return MOVE_RUN;
	default:
		return 0;
	}
}

/* Return: 0 or an exit code. */
static int parse_option(int option, char **argv, struct move_options *out)
{
	switch (option) {
	case OPTION_JSON:
		return 0;
	case OPTION_STOP:
		out->stop = true;
		return 0;
	case OPTION_MEMORY_FILE:
		out->memory_file = optarg;
		return 0;
	case OPTION_NAME:
		out->name = optarg;
		return usage_name("--name", optarg);
	case OPTION_TIMEOUT:
		return usage_count("--timeout", optarg, 86400, &out->timeout_s);
	case OPTION_TRACE:
		out->trace = true;
		return 0;
	case OPTION_OFF_PORT:
		return usage_off_port(optarg, &out->off_port);
	default:
		return usage_option(option, argv);
	}
}

int move_parse(int argc, char **argv, int plain, unsigned int groups,
	       struct move_options *out)
{
	int option, code, count = 0;

	while ((option = option_next(argc, argv, move_options, NULL)) !=
	       -1) {
		if (option_group(option) & ~groups)
			return usage_option('?', argv);
		code = parse_option(option, argv, out);
		if (code)
			return code;
	}
	if (argc - optind > plain)
		return usage_error(argv[optind + plain], "unexpected argument",
				   "see `gmemctl help %s`", argv[0]);
	if (argc - optind < plain)
		return usage_error(argv[0], "arguments are missing",
				   "see `gmemctl help %s`", argv[0]);
	while (optind < argc)
		out->plain[count++] = argv[optind++];
	/* All but restore, which has --memory-file, name a VM first. */
	return groups & MOVE_FILE ? 0 : usage_name("NAME", out->plain[0]);
}

void move_config(const struct move_options *options, unsigned int cpus,
		 const struct memory_config *memory, struct pc_config *config)
{
	*config = (struct pc_config){
		.machine = {
			.memory = *memory,
			.nr_vcpus = cpus,
			.irqchip = true,
			.run_timeout_s = options->timeout_s,
			.trace = options->trace ? stderr : NULL,
		},
		.off_port = options->off_port,
	};
	config->machine.memory.convert_timeout_ms = CONVERT_TIMEOUT_MS;
	run_pc_console(config);
}

/* The name is in the request; the VM connects before it answers. */
static int move_call(const char *name, struct channel *channel,
		     struct json_object *request, struct error *error)
{
	struct json_object *reply, *result;
	int rc;

	json_object_object_add(request, "channel",
			       json_object_new_string(channel->name));
	rc = client_call(name, request, &reply, &result, error);
	if (rc)
		return rc;
	json_object_put(reply);
	return channel_accept(channel, ACCEPT_TIMEOUT_MS, error);
}

int move_request(const char *name, struct json_object *request, int *socket)
{
	struct channel channel;
	struct error error;
	int fd = channel_listen(&channel, &error);

	if (!fd) {
		fd = move_call(name, &channel, request, &error);
		channel_close(&channel);
	}
	json_object_put(request);
	*socket = fd < 0 ? -1 : fd;
	return fd < 0 ? out_error_report(&error) : EXIT_CODE_OK;
}
