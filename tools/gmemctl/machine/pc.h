/* SPDX-License-Identifier: GPL-2.0 */
/* A PC that runs Linux: memory of any kind, CPUs, devices, a console. */
#ifndef GMEMCTL_MACHINE_PC_H
#define GMEMCTL_MACHINE_PC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../boot/linux.h"
#include "../devices/board.h"
#include "../devices/bus.h"
#include "../devices/i8042.h"
#include "../devices/pci.h"
#include "../devices/power.h"
#include "../devices/rtc.h"
#include "../devices/uart.h"
#include "../kvm/error.h"
#include "../kvm/vcpu.h"
#include "../kvm/vm.h"
#include "../memory/guest_memory.h"
#include "console.h"
#include "end.h"
#include "threads.h"

#define PC_REPORT_MAX	2048
#define PC_CPUS_MAX	32

/**
 * struct pc_config - what to build; all of it has to outlive the machine
 * @memory: its memory
 * @boot: what to boot
 * @nr_cpus: 1 to PC_CPUS_MAX
 * @run_timeout_s: after which a run is stopped; 0: never
 * @input: file for the serial port's input, or -1
 * @output: file for its output, or -1
 * @trace: where each exit that is not for a device is written to, or NULL
 */
struct pc_config {
	struct memory_config memory;
	struct linux_boot boot;
	unsigned int nr_cpus;
	unsigned int run_timeout_s;
	int input;
	int output;
	FILE *trace;
};

/**
 * struct pc_counters - what has happened; each is changed atomically
 * @exits: exits of all vCPUs
 * @stray: accesses to ports and addresses without a device
 * @conversions: conversions done
 * @converted_bytes: bytes in them
 * @refused: requests of the guest answered with an error
 * @waited: accesses that met a conversion, and were repeated
 */
struct pc_counters {
	uint64_t exits;
	uint64_t stray;
	uint64_t conversions;
	uint64_t converted_bytes;
	uint64_t refused;
	uint64_t waited;
};

/**
 * struct pc - the machine
 * @config: as given
 * @vm: the VM
 * @memory: its memory
 * @vcpus: its CPUs, @nr_vcpus of them
 * @nr_vcpus: see there
 * @threads: one for each
 * @board: what devices are wired to
 * @ports: devices at ports
 * @mmio: devices in memory
 * @uart: the serial port; likewise the others
 * @console: the other end of @uart
 * @counters: see struct pc_counters
 * @lock: protects what follows
 * @end: why it has ended; the first reason counts
 * @end_value: what was written to the exit port
 * @report: more about it, several lines
 */
struct pc {
	const struct pc_config *config;
	struct vm vm;
	struct guest_memory memory;
	struct vcpu *vcpus;
	unsigned int nr_vcpus;
	struct threads threads;
	struct board board;
	struct bus ports;
	struct bus mmio;
	struct uart uart;
	struct i8042 i8042;
	struct rtc rtc;
	struct pci pci;
	struct power power;
	struct console console;
	struct pc_counters counters;
	pthread_mutex_t lock;
	enum end end;
	uint32_t end_value;
	char report[PC_REPORT_MAX];
};

/** pc_create() - build it; nothing runs yet */
int pc_create(struct pc *pc, const struct pc_config *config,
	      struct error *error);
void pc_destroy(struct pc *pc);

/**
 * pc_run() - run it until it ends, once
 *
 * Return: 0 with pc->end set; a negative errno if it could not be started.
 */
int pc_run(struct pc *pc, struct error *error);

/**
 * pc_end() - end the run, from any thread
 * @how: counts if it is the first
 * @format: more about it, or NULL
 */
void pc_end(struct pc *pc, enum end how, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** pc_end_test() - the same, by the exit port */
void pc_end_test(struct pc *pc, uint32_t value);

/** pc_ended() - whether the run is to end */
bool pc_ended(struct pc *pc);

/** pc_exit() - serve the exit of a vCPU */
void pc_exit(struct pc *pc, struct vcpu *vcpu);

/** pc_devices() - put all devices in their places */
int pc_devices(struct pc *pc, struct error *error);
void pc_devices_destroy(struct pc *pc);

/** pc_convert() - guest_memory_convert() with counters */
int pc_convert(struct pc *pc, struct range what, bool to_private, char *why,
	       size_t why_size);

#endif /* GMEMCTL_MACHINE_PC_H */
