/* SPDX-License-Identifier: GPL-2.0 */
/* A machine that runs the built-in payloads, any number of them in turn. */
#ifndef GMEMCTL_MACHINE_PAYLOAD_H
#define GMEMCTL_MACHINE_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/error.h"
#include "../guest/params.h"
#include "../memory/convert.h"
#include "machine.h"

/**
 * payload_check_memory() - whether that many bytes can be populated
 *
 * A page fault that finds no memory cannot return an error: the kernel kills
 * somebody. So look first, at the host and at the memory cgroup.
 */
int payload_check_memory(uint64_t bytes, struct error *error);

struct payload;

/**
 * typedef payload_event_fn - called in a vCPU's thread, the vCPU being stopped
 *
 * Return: 0, or a negative errno that ends the run.
 */
typedef int (*payload_event_fn)(struct payload *payload, enum guest_event event, uint32_t value);

/**
 * struct payload_config - what to build
 * @memory_size: bytes, page aligned
 * @nr_vcpus: 1 to GUEST_MAX_VCPUS
 * @memory: what it is, without ranges; of kind gmem or gmem-store for MEMORY_INPLACE
 * @strategy: see enum memory_strategy
 * @convert_timeout_ms: how long a conversion may wait for references
 * @run_timeout_s: see struct machine_config, likewise @trace
 * @console: where the payload's console goes, or NULL
 * @event: called for events of the payload, or NULL
 * @data: for @event
 */
struct payload_config {
	uint64_t memory_size;
	unsigned int nr_vcpus;
	struct memory_request memory;
	enum memory_strategy strategy;
	uint32_t convert_timeout_ms;
	unsigned int run_timeout_s;
	FILE *trace;
	FILE *console;
	payload_event_fn event;
	void *data;
};

/**
 * struct payload - the machine; it must not be moved
 * @config: as given
 * @ram: all of its memory, and @request what it is
 * @machine: the VM
 * @params: the block in guest memory
 * @done: the payload has said that it is done
 */
struct payload {
	struct payload_config config;
	struct range ram;
	struct memory_request request;
	struct machine machine;
	struct guest_params *params;
	bool done;
};

/** payload_create() - build it; nothing runs yet */
int payload_create(struct payload *payload, const struct payload_config *config,
		   struct error *error);
void payload_destroy(struct payload *payload);

/** payload_input_gpa() - where input goes in a machine of that kind */
uint64_t payload_input_gpa(enum memory_strategy strategy, unsigned int nr_vcpus);

/** payload_input() - the same, in this process */
uint8_t *payload_input(struct payload *payload);

/**
 * payload_run() - run one on all vCPUs until each has halted
 * @input_length: bytes of input that are in place
 * @rounds: for GUEST_PAYLOAD_CONVERT
 *
 * Return: 0 with machine.end set, END_DONE if all went well; a negative errno
 * if it could not be started.
 */
int payload_run(struct payload *payload, enum guest_payload which,
		uint64_t input_length, uint32_t rounds, struct error *error);

#endif /* GMEMCTL_MACHINE_PAYLOAD_H */
