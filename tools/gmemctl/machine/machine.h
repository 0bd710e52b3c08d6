/* SPDX-License-Identifier: GPL-2.0 */
/* A VM with memory, vCPUs and a payload: the whole of a small VMM. */
#ifndef GMEMCTL_MACHINE_MACHINE_H
#define GMEMCTL_MACHINE_MACHINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../guest/params.h"
#include "../kvm/error.h"
#include "../kvm/vcpu.h"
#include "../kvm/vm.h"
#include "../memory/memory.h"
#include "threads.h"

#define MACHINE_REPORT_MAX 2048

struct machine;

/**
 * typedef machine_event_fn - called in a vCPU's thread, the vCPU being stopped
 *
 * Return: 0, or a negative errno that ends the run.
 */
typedef int (*machine_event_fn)(struct machine *machine, struct vcpu *vcpu,
				enum guest_event event, uint32_t value);

/**
 * struct machine_config - what to build
 * @memory_size: bytes, page aligned
 * @nr_vcpus: 1 to GUEST_MAX_VCPUS
 * @strategy: see enum memory_strategy
 * @convert_timeout_ms: how long a conversion may wait for references
 * @run_timeout_s: after which a run is stopped; 0: never
 * @trace: where each exit is written to, or NULL
 * @console: where the payload's console goes, or NULL
 * @event: called for events of the payload, or NULL
 * @data: for @event
 */
struct machine_config {
	uint64_t memory_size;
	unsigned int nr_vcpus;
	enum memory_strategy strategy;
	uint32_t convert_timeout_ms;
	unsigned int run_timeout_s;
	FILE *trace;
	FILE *console;
	machine_event_fn event;
	void *data;
};

/**
 * struct machine_counters - what happened in all runs; protected by the lock
 * @exits: exits of all vCPUs
 * @conversions: conversions done, and @conversion_ns what they took
 * @converted_bytes: bytes in them
 * @refused: requests of the guest answered with an error
 * @implicit: conversions for a memory fault
 * @waited: accesses of the guest that met a conversion, and were repeated
 * @stray_io: accesses to ports and addresses without a device
 */
struct machine_counters {
	uint64_t exits;
	uint64_t conversions;
	uint64_t conversion_ns;
	uint64_t converted_bytes;
	uint64_t refused;
	uint64_t implicit;
	uint64_t waited;
	uint64_t stray_io;
};

/**
 * struct machine - a VM that runs payloads
 * @config: as given
 * @vm: the VM
 * @memory: its memory
 * @vcpus: its vCPUs, @nr_vcpus of them
 * @params: the block in guest memory
 * @lock: protects what follows
 * @counters: since machine_create()
 * @done: the payload has said that it is done
 * @failed: first failure of the run, negative errno
 * @report: why, several lines
 * @refusal: the last conversion of the guest that failed
 * @threads: those of the vCPUs
 */
struct machine {
	struct machine_config config;
	struct vm vm;
	struct memory memory;
	struct vcpu vcpus[GUEST_MAX_VCPUS];
	unsigned int nr_vcpus;
	struct guest_params *params;
	pthread_mutex_t lock;
	struct machine_counters counters;
	bool done;
	int failed;
	char report[MACHINE_REPORT_MAX];
	char refusal[384];
	struct threads threads;
};

/** machine_create() - build the VM; nothing runs yet */
int machine_create(struct machine *machine, const struct machine_config *config,
		   struct error *error);
void machine_destroy(struct machine *machine);

/** machine_input_gpa() - where input goes in a machine of that kind */
uint64_t machine_input_gpa(enum memory_strategy strategy, unsigned int nr_vcpus);

/** machine_input() - the same, in this process */
uint8_t *machine_input(struct machine *machine);

/**
 * machine_run() - run a payload on all vCPUs until each has halted
 * @input_length: bytes of input that are in place
 * @rounds: for GUEST_PAYLOAD_CONVERT
 *
 * SIGINT and SIGTERM end the run. Can be called again.
 *
 * Return: 0 when the payload said it is done; -EINTR after a signal, -ETIME
 * after the timeout; another negative errno with machine->report set.
 */
int machine_run(struct machine *machine, enum guest_payload payload,
		uint64_t input_length, uint32_t rounds, struct error *error);

/** machine_run_vcpu() - a thread of machine_run() */
int machine_run_vcpu(void *data, struct vcpu *vcpu);

/** machine_fail() - record why the run fails; the first one counts */
int machine_fail(struct machine *machine, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * machine_exit() - serve the exit of a vCPU
 *
 * Return: 0 to go on, 1 when the vCPU has halted, a negative errno.
 */
int machine_exit(struct machine *machine, struct vcpu *vcpu);

/** machine_convert() - memory_convert() with counters and trace */
int machine_convert(struct machine *machine, struct vcpu *vcpu, uint64_t gpa,
		    uint64_t size, bool to_private, char *why, size_t why_size);

void machine_trace(struct machine *machine, struct vcpu *vcpu,
		   const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** machine_now_ns() - CLOCK_MONOTONIC */
uint64_t machine_now_ns(void);

#endif /* GMEMCTL_MACHINE_MACHINE_H */
