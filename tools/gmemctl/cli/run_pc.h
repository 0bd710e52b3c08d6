/* SPDX-License-Identifier: GPL-2.0 */
/* Runs a PC with its control socket, and says how it has ended. */
#ifndef GMEMCTL_CLI_RUN_PC_H
#define GMEMCTL_CLI_RUN_PC_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "../machine/pc.h"
#include "command.h"

/**
 * struct run_options - what is said of the run of any guest that is made here
 * @convert_timeout_ms: how long a conversion may wait for references
 * @timeout_s: after which the run is stopped; 0: never
 * @trace: print exits
 */
struct run_options {
	uint32_t convert_timeout_ms, timeout_s;
	bool trace;
};

#define CONVERT_TIMEOUT_MS 2000
#define RUN_OPTIONS_DEFAULT { .convert_timeout_ms = CONVERT_TIMEOUT_MS }
#define RUN_TIMEOUT_MAX_S 86400

/** run_options: the table, for struct run_options */
extern const struct cli_option run_options[];

/** run_machine() - what they say of a machine, which has so many CPUs */
struct machine_config run_machine(const struct run_options *options, unsigned int cpus);

/**
 * struct run_pc - a run of a PC
 * @name: of the VM, or NULL: one that nobody else has
 * @inherited: the one who has @name is about to end
 * @kernel: path of what was booted, or NULL
 * @prepare: called when the machine is built, or NULL; for what it boots without
 *	a kernel, and @preparing says what that is
 * @data: for @prepare
 * @rc: out: why it could not be started, or 0
 * @control: its control socket
 * @own_name: its name, if none was given
 */
struct run_pc {
	const char *name;
	bool inherited;
	const char *kernel;
	int (*prepare)(struct pc *pc, void *data, struct error *error);
	const char *preparing;
	void *data;
	int rc;
	struct pc_control control;
	char own_name[RUNTIME_NAME_MAX];
};

/**
 * run_pc() - build it, run it until it ends, report
 *
 * Return: an exit code.
 */
int run_pc(struct run_pc *run, const struct pc_config *config);

/** run_pc_console() - standard input and output, as far as there is no JSON */
void run_pc_console(struct pc_config *config);

/** run_warn() - say what a machine that was built has to do without */
void run_warn(const struct machine *machine);

/**
 * run_report() - what every run of a machine is reported by
 * @elapsed_ns: time from the first instruction to the last
 * @title: the first word for people: what has run
 *
 * Return: the exit code that says how it has ended.
 */
int run_report(struct machine *machine, uint64_t elapsed_ns, const char *title);

/**
 * move_request() - ask a VM for something that it answers on a channel
 * @name: of the VM
 * @request: put in any case
 * @socket: the connection, or -1
 *
 * Return: 0 or an exit code; what is wrong has been said.
 */
int move_request(const char *name, struct json_object *request, int *socket);

#endif /* GMEMCTL_CLI_RUN_PC_H */
