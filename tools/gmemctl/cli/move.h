/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands that move guests have in common. */
#ifndef GMEMCTL_CLI_MOVE_H
#define GMEMCTL_CLI_MOVE_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "../machine/pc.h"
#include "command.h"

/**
 * struct move_options - a command line of the commands that run a guest here
 * @from: the VM, or the file, that it is in
 * @name: of --name, or NULL
 * @memory_file: of --memory-file, or NULL
 * @timeout_s: of --timeout
 * @off_port: of --power-off-port, or 0
 * @trace: --trace was there
 */
struct move_options {
	const char *from;
	const char *name;
	const char *memory_file;
	uint32_t timeout_s;
	uint16_t off_port;
	bool trace;
};

/** move_run_options: those about how the guest goes on */
extern const struct cli_option move_run_options[];

/** move_config() - what the options say about a guest that is to go on here */
void move_config(const struct move_options *options, unsigned int cpus,
		 const struct memory_config *memory, struct pc_config *config);

/**
 * move_request() - ask a VM for something that it answers on a channel
 * @name: of the VM
 * @request: put in any case
 * @socket: the connection, or -1
 *
 * Return: 0 or an exit code; what is wrong has been said.
 */
int move_request(const char *name, struct json_object *request, int *socket);

#endif /* GMEMCTL_CLI_MOVE_H */
