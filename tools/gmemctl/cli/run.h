/* SPDX-License-Identifier: GPL-2.0 */
/* `gmemctl run`: a payload, or Linux. */
#ifndef GMEMCTL_CLI_RUN_H
#define GMEMCTL_CLI_RUN_H

#include <stdint.h>

#include "../guest/params.h"
#include "../machine/machine.h"
#include "../memory/convert.h"
#include "input.h"
#include "memory_option.h"

/**
 * struct run - a run as asked for, and what came of it
 * @type: which of the types of VMs; the others are those of other commands
 * @nr_vcpus: its CPUs
 * @convert_timeout_ms: how long a conversion may wait for references
 * @run_timeout_s: after which the run is stopped; 0: never
 * @trace: print exits
 * @memory: the option --memory
 * @payload: what to run: enum guest_payload
 * @strategy: how it converts: enum memory_strategy
 * @payload_option, @linux_option: an option that only these have, or NULL
 * @path: input file of a payload, or NULL
 * @rounds: for the payload convert
 * @kernel: bzImage, or NULL: a payload runs
 * @initrd: its initrd, or NULL
 * @append: its command line
 * @off_port: port that powers Linux off, or 0
 * @name: of the VM, or NULL: one that nobody else has
 * @input: the file at @path
 * @input_length: bytes the payload works on
 * @elapsed_ns: time from the first instruction to the last
 */
struct run {
	unsigned int type;
	uint32_t nr_vcpus;
	uint32_t convert_timeout_ms;
	uint32_t run_timeout_s;
	bool trace;
	struct memory_option memory;
	unsigned int payload;
	unsigned int strategy;
	const char *payload_option;
	const char *linux_option;
	const char *path;
	uint32_t rounds;
	const char *kernel;
	const char *initrd;
	const char *append;
	uint16_t off_port;
	const char *name;
	struct input input;
	uint64_t input_length;
	uint64_t elapsed_ns;
};

/* Each returns an exit code. */
int run_payload(struct run *run);
int run_linux(struct run *run);

/* Names of payloads, and of ways to convert; each ends with a NULL. */
extern const char *const run_payload_names[];
extern const char *const run_strategy_names[];

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

#endif /* GMEMCTL_CLI_RUN_H */
