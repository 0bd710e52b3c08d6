/* SPDX-License-Identifier: GPL-2.0 */
/* A machine that runs built-in payloads, one after the other. */
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
 * payload_check_memory() - check that this number of bytes can be populated
 *
 * A page fault without memory cannot return an error: the OOM killer is invoked. So the memory of
 * the host and of the memory cgroup are checked first.
 */
int payload_check_memory(uint64_t bytes, struct error *error);

struct payload;

/**
 * typedef payload_event_fn - called in a vCPU's thread while the vCPU is stopped
 *
 * Return: 0, or a negative errno that ends the run.
 */
typedef int (*payload_event_fn)(struct payload *payload, enum guest_event event, uint32_t value);

/**
 * struct payload_config - configuration of a machine for payloads
 * @memory_size: bytes, page aligned
 * @nr_vcpus: 1 to GUEST_MAX_VCPUS
 * @memory: its memory, without ranges; of kind gmem or gmem-store for MEMORY_INPLACE
 * @strategy: see enum memory_strategy
 * @convert_timeout_ms: how long a conversion may wait for references
 * @run_timeout_s: as in struct machine_config, as is @trace
 * @console: file for the payload's console output, or NULL
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
 * @config: its configuration
 * @ram: the range of all memory; @request describes the memory
 * @machine: the VM
 * @params: the parameters in guest memory
 * @done: the payload has reported its end
 */
struct payload {
	struct payload_config config;
	struct range ram;
	struct memory_request request;
	struct machine machine;
	struct guest_params *params;
	bool done;
};

/** payload_create() - build the machine; nothing runs yet */
int payload_create(struct payload *payload, const struct payload_config *config,
		   struct error *error);
void payload_destroy(struct payload *payload);

/** payload_input_gpa() - guest physical address of the input */
uint64_t payload_input_gpa(enum memory_strategy strategy, unsigned int nr_vcpus);

/** payload_input() - address of the input in this process */
uint8_t *payload_input(struct payload *payload);

/**
 * payload_run() - run a payload on all vCPUs until all have halted
 * @input_length: bytes of input
 * @rounds: for GUEST_PAYLOAD_CONVERT
 *
 * Return: 0 with machine.end set, END_DONE after success; a negative errno if it could not be
 * started.
 */
int payload_run(struct payload *payload, enum guest_payload which,
		uint64_t input_length, uint32_t rounds, struct error *error);

#endif /* GMEMCTL_MACHINE_PAYLOAD_H */
