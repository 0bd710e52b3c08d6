/* SPDX-License-Identifier: GPL-2.0 */
/* Runs a PC with its control socket, and says how it has ended. */
#ifndef GMEMCTL_CLI_RUN_PC_H
#define GMEMCTL_CLI_RUN_PC_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "../machine/pc.h"
#include "../machine/pc_control.h"
#include "command.h"

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
void move_config(const struct move_options *options, unsigned int cpus, const struct tlv *state,
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

#endif /* GMEMCTL_CLI_RUN_PC_H */
