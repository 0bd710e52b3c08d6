/* SPDX-License-Identifier: GPL-2.0 */
/* What a running PC answers on its control socket. */
#ifndef GMEMCTL_MACHINE_PC_CONTROL_H
#define GMEMCTL_MACHINE_PC_CONTROL_H

#include <stdint.h>

#include "../control/server.h"
#include "pc.h"
#include "pc_remote.h"

/** PC_CONTROL_RANGES_MAX: ranges in one answer of map; the rest is asked for */
#define PC_CONTROL_RANGES_MAX 1024

/**
 * struct pc_control - the control socket of a PC
 * @pc: the machine
 * @name: its name
 * @server: the socket
 * @remotes: processes that share its memory; of the server's thread
 * @started_ns: when it was started
 */
struct pc_control {
	struct pc *pc;
	const char *name;
	struct server server;
	struct pc_remotes remotes;
	uint64_t started_ns;
};

/** pc_control_start() - @pc and @name have to outlive it */
int pc_control_start(struct pc_control *control, struct pc *pc,
		     const char *name, struct error *error);
void pc_control_stop(struct pc_control *control);

/** pc_control_serve() - a request, as server_fn; @data is the pc_control */
int pc_control_serve(void *data, const char *command,
		     struct json_object *request, struct json_object **result,
		     struct error *error);

#endif /* GMEMCTL_MACHINE_PC_CONTROL_H */
