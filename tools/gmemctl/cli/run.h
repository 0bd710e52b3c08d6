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
 * @nr_vcpus: its CPUs
 * @convert_timeout_ms: how long a conversion may wait for references
 * @run_timeout_s: after which the run is stopped; 0: never
 * @trace: where exits are written to, or NULL
 * @memory: the option --memory
 * @payload: what to run
 * @strategy: how it converts
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
	unsigned int nr_vcpus;
	uint32_t convert_timeout_ms;
	unsigned int run_timeout_s;
	FILE *trace;
	struct memory_option memory;
	enum guest_payload payload;
	enum memory_strategy strategy;
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

/* run_payload.c; each returns 0 or an exit code */
int run_payload(struct run *run);
int run_payload_set(struct run *run, const char *name);
int run_set_strategy(struct run *run, const char *name);

/* run_linux.c */
int run_linux(struct run *run);

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
