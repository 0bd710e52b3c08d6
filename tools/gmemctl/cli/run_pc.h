/* SPDX-License-Identifier: GPL-2.0 */
/* Runs a PC with its control socket, and says how it has ended. */
#ifndef GMEMCTL_CLI_RUN_PC_H
#define GMEMCTL_CLI_RUN_PC_H

#include <stdbool.h>
#include <stdint.h>

#include "../machine/pc.h"
#include "../machine/pc_control.h"

/**
 * struct run_pc - a run of a PC
 * @name: of the VM, or NULL: one that nobody else has
 * @inherited: the one who has @name is about to end
 * @kernel: path of what was booted, or NULL
 * @prepare: called when the machine is built, or NULL; for what it boots without
 *	a kernel
 * @data: for @prepare
 * @rc: out: why it could not be started, or 0
 * @elapsed_ns: out: time from the first instruction to the last
 * @control: its control socket
 * @own_name: its name, if none was given
 */
struct run_pc {
	const char *name;
	bool inherited;
	const char *kernel;
	int (*prepare)(struct pc *pc, void *data, struct error *error);
	void *data;
	int rc;
	uint64_t elapsed_ns;
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
int run_report(struct machine *machine, uint64_t elapsed_ns,
	       const char *title);

#endif /* GMEMCTL_CLI_RUN_PC_H */
