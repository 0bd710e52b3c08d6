/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: A realm
 *
 * A realm is launched in the order in which KVM wants it: the VM, memory that is
 * all private, vCPUs and their interrupt controller, then contents, which the RMM
 * measures or not, one call after the other. The first KVM_RUN activates it:
 * the RMM takes the vCPUs as they are, all memory of the slots becomes the
 * realm's, and from then on nothing can be added. An activation that fails
 * costs the VM.
 *
 * The library neither prints nor exits. It has been run against the simulator
 * only; nobody here has a host with realms.
 */
#ifndef GMEMCTL_REALM_REALM_H
#define GMEMCTL_REALM_REALM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/error.h"
#include "../machine/machine.h"

/**
 * realm_create_vm() - KVM_CREATE_VM of a realm
 * @kvm_fd: /dev/kvm
 * @ipa_bits: in: how wide guest addresses are to be, half of them shared; 0: as
 *	wide as KVM makes them. Out: how wide they are.
 *
 * Nothing but the VM is created: KVM creates the realm when it is populated, or
 * run.
 *
 * Return: the VM; -EOPNOTSUPP if KVM lacks realms of this ABI; -EINVAL if it
 * refuses every width asked for; another negative errno of KVM.
 */
int realm_create_vm(int kvm_fd, unsigned int *ipa_bits, struct error *error);

/**
 * realm_knows_populate() - whether a realm's VM has KVM_ARM_RMI_POPULATE
 *
 * With an address that cannot be read, which is looked at before anything else
 * is done.
 */
bool realm_knows_populate(int vm_fd);

#define REALM_VCPUS_MAX MACHINE_VCPUS_MAX
#define REALM_LOADS_MAX 16

/* Where the interrupt controller is; between them is room for all vCPUs. */
#define REALM_GIC_DIST UINT64_C(0x08000000)
#define REALM_GIC_REDIST UINT64_C(0x080a0000)
#define REALM_GIC_END \
	(REALM_GIC_REDIST + REALM_VCPUS_MAX * UINT64_C(0x20000))

/**
 * struct realm_load - contents of memory at the start
 * @name: of a file, for messages
 * @gpa: where in guest memory; page-aligned
 * @data: @size bytes; the rest of the last page is zero
 * @measured: they are part of the realm's initial measurement
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
 * @ipa_bits: width of guest addresses; 0: the widest there is
 * @nr_vcpus: 1 to REALM_VCPUS_MAX; the first one runs, the realm starts others
 * @ram: its memory
 * @loads: @nr_loads of them, populated in this order, which is part of the
 *	measurement
 * @entry: where the first vCPU starts
 * @argument: in its x0
 * @run_timeout_s: after which a run is stopped; 0: never
 * @trace: where each exit is written to, or NULL
 * @step: told of each step when it is done, or NULL
 * @pages: told the same of one that has populated memory, in numbers; or NULL
 * @data: for @step
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
 * enum realm_state - how far it is
 * @REALM_CLOSED: nothing is there
 * @REALM_OPEN: the VM with memory and vCPUs
 * @REALM_POPULATED: with its contents
 * @REALM_ACTIVE: it can run
 * @REALM_FAILED: it never will
 */
enum realm_state {
	REALM_CLOSED,
	REALM_OPEN,
	REALM_POPULATED,
	REALM_ACTIVE,
	REALM_FAILED,
};

/**
 * struct realm_counters - what has happened, besides what any machine counts
 * @measured, @unmeasured: bytes that were populated
 * @calls: KVM_ARM_RMI_POPULATE
 * @retries: of them, those that a signal had interrupted
 * @confirmed: requests for what was so already
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
 * @config: as given; it has to outlive this
 * @state: see enum realm_state
 * @ipa_bits: width of guest addresses, of which the top bit means shared
 * @page_size: of the host: the unit of everything
 * @gic_fd: the interrupt controller, or -1
 * @request: its memory
 * @machine: VM, memory and vCPUs, and why a run has ended
 * @counters: see there
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
 * realm_open() - the VM, its memory, its vCPUs and their interrupt controller
 *
 * realm_close() works in any case.
 */
int realm_open(struct realm *realm, const struct realm_config *config, struct error *error);

/**
 * realm_populate() - put the contents into the realm
 *
 * After a failure there is no telling what the RMM has measured: the realm is
 * of no use any more.
 */
int realm_populate(struct realm *realm, struct error *error);

/** realm_gic_create() - the interrupt controller, which realm_open() creates; any VM can have it */
int realm_gic_create(struct realm *realm, struct error *error);

/** realm_activate() - have the RMM take the realm; no instruction of it runs */
int realm_activate(struct realm *realm, struct error *error);

/** realm_run() - run all vCPUs until the end; realm->machine.end says which */
int realm_run(struct realm *realm, struct error *error);

void realm_close(struct realm *realm);

/** realm_state_name() - a word for programs */
const char *realm_state_name(enum realm_state state);

/** machine_realm: the type of a realm's machine */
extern const struct machine_type machine_realm;

#endif /* GMEMCTL_REALM_REALM_H */
