/* SPDX-License-Identifier: GPL-2.0 */
/* Runs a PC with its control socket, and reports how a machine has run. */
#ifndef GMEMCTL_CLI_RUN_PC_H
#define GMEMCTL_CLI_RUN_PC_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "../machine/pc.h"
#include "command.h"

/**
 * struct run_options - options of each command that runs a guest
 * @convert_timeout_ms: how long a conversion waits for held pages
 * @timeout_s: seconds after which the run is stopped; 0: never
 * @trace: print exits
 */
struct run_options {
	uint32_t convert_timeout_ms, timeout_s;
	bool trace;
};

#define CONVERT_TIMEOUT_MS 2000
#define RUN_OPTIONS_DEFAULT { .convert_timeout_ms = CONVERT_TIMEOUT_MS }
#define RUN_TIMEOUT_MAX_S 86400

/** run_options: the table of options for struct run_options */
extern const struct cli_option run_options[];

/** run_machine() - the configuration of a machine with @cpus CPUs, by these options */
struct machine_config run_machine(const struct run_options *options, unsigned int cpus);

/**
 * struct run_pc - a run of a PC
 * @name: name of the VM; NULL: a free name is chosen
 * @inherited: the process that has @name is about to end; wait for that
 * @kernel: path of the kernel, for the report, or NULL
 * @prepare: called after the machine is built, to load a guest without a kernel; or NULL
 * @preparing: what @prepare does, for the line of progress
 * @data: for @prepare
 * @rc: out: 0, or the error if the guest was not started
 * @control: its control socket
 * @own_name: the chosen name, if @name is NULL
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
 * run_pc() - build a PC, run it until it ends, and report
 *
 * Return: an exit code.
 */
int run_pc(struct run_pc *run, const struct pc_config *config);

/** run_pc_console() - set the console: standard input and output, with --json standard error */
void run_pc_console(struct pc_config *config);

/** run_warn() - print what a machine lacks: prefetched or private memory */
void run_warn(const struct machine *machine);

/**
 * run_report() - report a run of a machine
 * @elapsed_ns: time from the first instruction to the last
 * @title: start of the first line of the text: what has run
 *
 * Return: the exit code of its end.
 */
int run_report(struct machine *machine, uint64_t elapsed_ns, const char *title);

/**
 * move_request() - send a request that the VM answers on a channel
 * @name: name of the VM
 * @request: the request; its reference is always dropped
 * @socket: out: the connection to the VM, or -1
 *
 * Return: 0, or an exit code after it has printed an error.
 */
int move_request(const char *name, struct json_object *request, int *socket);

#endif /* GMEMCTL_CLI_RUN_PC_H */
