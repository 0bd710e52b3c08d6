// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>

#include "../control/channel.h"
#include "../control/client.h"
#include "command.h"
#include "move.h"
#include "out.h"
#include "run_pc.h"

/* For the VM to stop its CPUs: longer than a conversion may wait. */
#define ACCEPT_TIMEOUT_MS 60000

#define CONVERT_TIMEOUT_MS 2000

#define TIMEOUT_MAX_S 86400

const struct cli_option move_run_options[] = {
	{ "--power-off-port", "PORT", option_off_port,
	  TO(struct move_options, off_port),
	  "as for `gmemctl run`; it is not taken along" },
	{ "--timeout", "SECONDS", option_count, TO(struct move_options, timeout_s),
	  "stop the VM after that time; 0 (default): never",
	  .max = TIMEOUT_MAX_S },
	{ "--trace", NULL, option_flag, TO(struct move_options, trace),
	  "print each exit that is not for a device to stderr" },
	{ 0 }
};

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
