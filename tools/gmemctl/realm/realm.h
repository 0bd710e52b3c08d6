/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: A realm
 *
 * KVM requires this order of a launch: the VM; memory, all of it private; vCPUs and their interrupt
 * controller; then the contents, which the RMM measures or not, in the order of the calls. The
 * first KVM_RUN activates the realm: the RMM takes the vCPUs with their registers, and all memory
 * of the slots becomes the realm's. Nothing can be added afterwards. After a failed activation the
 * VM cannot be used any more.
 *
 * The library neither prints nor exits. It was tested only with the simulator, because no host with
 * realms was available.
 */
#ifndef GMEMCTL_REALM_REALM_H
#define GMEMCTL_REALM_REALM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/error.h"
#include "../machine/machine.h"

/**
 * realm_create_vm() - create the VM of a realm
 * @kvm_fd: /dev/kvm
 * @ipa_bits: in: number of bits of guest addresses, or 0 for the largest number that KVM accepts;
 *	out: the number. Half of the addresses are shared.
 *
 * Only the VM is created. KVM creates the realm when it is populated or run.
 *
 * Return: the fd of the VM; -EOPNOTSUPP if KVM has no realms with this ABI; -EINVAL if KVM refuses
 * the number of bits; another negative errno of KVM.
 */
int realm_create_vm(int kvm_fd, unsigned int *ipa_bits, struct error *error);

/**
 * realm_knows_populate() - whether the VM of a realm has KVM_ARM_RMI_POPULATE
 *
 * It passes an address that cannot be read. KVM detects this before it changes anything.
 */
bool realm_knows_populate(int vm_fd);

#define REALM_VCPUS_MAX MACHINE_VCPUS_MAX
#define REALM_LOADS_MAX 16

/* Addresses of the interrupt controller, with redistributors for REALM_VCPUS_MAX vCPUs */
#define REALM_GIC_DIST UINT64_C(0x08000000)
#define REALM_GIC_REDIST UINT64_C(0x080a0000)
#define REALM_GIC_END \
	(REALM_GIC_REDIST + REALM_VCPUS_MAX * UINT64_C(0x20000))

/**
 * struct realm_load - initial contents of memory
 * @name: name of the file, for messages
 * @gpa: guest physical address; page-aligned
 * @data: @size bytes; the rest of the last page is zero
 * @size: size in bytes
 * @measured: the contents are part of the realm's initial measurement
 */
struct realm_load {
	const char *name;
	uint64_t gpa;
	const void *data;
	uint64_t size;
	bool measured;
};

/**
 * struct realm_config - what to launch
 * @ipa_bits: number of bits of guest addresses; 0: the largest number of the host
 * @nr_vcpus: 1 to REALM_VCPUS_MAX; the first one runs, and the realm starts the others
 * @ram: range of its memory
 * @loads: initial contents, populated in this order, which changes the measurement
 * @nr_loads: number of loads, at most REALM_LOADS_MAX
 * @entry: address at which the first vCPU starts
 * @argument: value of its x0
 * @run_timeout_s: seconds after which a run is stopped; 0: never
 * @trace: file to which exits are written, or NULL
 * @step: called when a step is done, with its name and details; or NULL
 * @pages: called when memory was populated; or NULL
 * @data: for @step and @pages
 */
struct realm_config {
	unsigned int ipa_bits;
	unsigned int nr_vcpus;
	struct range ram;
	const struct realm_load *loads;
	unsigned int nr_loads;
	uint64_t entry;
	uint64_t argument;
	unsigned int run_timeout_s;
	FILE *trace;
	void (*step)(void *data, const char *step, const char *text);
	void (*pages)(void *data, const struct realm_load *load, uint64_t pages, uint64_t calls);
	void *data;
};

/**
 * enum realm_state - the state of a realm
 * @REALM_CLOSED: not opened, or closed
 * @REALM_OPEN: the VM exists, with memory and vCPUs
 * @REALM_POPULATED: the contents are populated
 * @REALM_ACTIVE: the realm can run
 * @REALM_FAILED: a step has failed, and the realm can never run
 */
enum realm_state {
	REALM_CLOSED,
	REALM_OPEN,
	REALM_POPULATED,
	REALM_ACTIVE,
	REALM_FAILED,
};

/**
 * struct realm_counters - counters of realms, in addition to those of all machines
 * @measured, @unmeasured: populated bytes
 * @calls: number of calls of KVM_ARM_RMI_POPULATE
 * @retries: number of these calls that repeat one which has failed with EINTR or EAGAIN
 * @confirmed: number of requests for a state that the page already had
 */
struct realm_counters {
	uint64_t measured;
	uint64_t unmeasured;
	uint64_t calls;
	uint64_t retries;
	uint64_t confirmed;
};

/**
 * struct realm - a realm
 * @config: the configuration, which must outlive this structure
 * @state: see enum realm_state
 * @ipa_bits: number of bits of guest addresses; the top bit means shared
 * @page_size: page size of the host; addresses and sizes are multiples of it
 * @gic_fd: the interrupt controller, or -1
 * @request: its memory
 * @machine: VM, memory and vCPUs, and why a run has ended
 * @counters: see struct realm_counters
 */
struct realm {
	const struct realm_config *config;
	enum realm_state state;
	unsigned int ipa_bits;
	uint64_t page_size;
	int gic_fd;
	struct memory_request request;
	struct machine machine;
	struct realm_counters counters;
};

/**
 * realm_open() - create the VM, its memory, its vCPUs and their interrupt controller
 *
 * realm_close() can be called afterwards, also after a failure.
 */
int realm_open(struct realm *realm, const struct realm_config *config, struct error *error);

/**
 * realm_populate() - populate the initial contents
 *
 * After a failure the measurement is unknown, and the realm cannot be used any more.
 */
int realm_populate(struct realm *realm, struct error *error);

/** realm_gic_create() - create the interrupt controller; realm_open() calls it, and a test */
int realm_gic_create(struct realm *realm, struct error *error);

/** realm_activate() - activate the realm; no instruction of it runs */
int realm_activate(struct realm *realm, struct error *error);

/** realm_run() - run all vCPUs until the end, which is then in realm->machine.end */
int realm_run(struct realm *realm, struct error *error);

void realm_close(struct realm *realm);

/** realm_state_name() - name of a state, for JSON */
const char *realm_state_name(enum realm_state state);

/** machine_realm: the machine type of realms */
extern const struct machine_type machine_realm;

#endif /* GMEMCTL_REALM_REALM_H */
