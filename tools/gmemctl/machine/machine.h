/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM with memory, vCPUs and buses: the common part of payloads, PCs and realms. These add
 * devices to the buses, and contents to the memory.
 */
#ifndef GMEMCTL_MACHINE_MACHINE_H
#define GMEMCTL_MACHINE_MACHINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/clock.h"
#include "../base/error.h"
#include "../devices/bus.h"
#include "../kvm/threads.h"
#include "../kvm/vcpu.h"
#include "../kvm/vm.h"
#include "../memory/advice.h"
#include "../memory/given.h"
#include "../memory/guest_memory.h"
#include "../memory/range.h"
#include "../snp/igvm.h"
#include "../snp/launch.h"

#define MACHINE_VCPUS_MAX	32
#define MACHINE_REPORT_MAX	2048
#define MACHINE_REFUSAL_MAX	384

/**
 * struct machine_config - configuration of a machine
 * @memory: its memory; all that it points to must stay valid
 * @nr_vcpus: 1 to MACHINE_VCPUS_MAX
 * @irqchip: KVM has the interrupt controllers, and vCPUs wait for interrupts in the kernel.
 *	Without them a vCPU ends when it halts
 * @snp: launch of an SNP guest, or NULL
 * @run_timeout_s: time after which a run is stopped; 0: never
 * @trace: file for a line about each exit that is not for a device, or NULL
 */
struct machine_config {
	struct memory_config memory;
	unsigned int nr_vcpus;
	bool irqchip;
	const struct snp_launch_config *snp;
	unsigned int run_timeout_s;
	FILE *trace;
};

/**
 * struct machine_counters - statistics; each is changed atomically
 * @exits: exits of all vCPUs
 * @stray_io: accesses to ports and addresses without a device
 * @conversions: conversions, which took @conversion_ns
 * @converted_bytes: bytes that they have converted
 * @refused: requests of the guest that were answered with an error
 * @implicit: conversions because of a memory fault
 * @view_faults: accesses to pages that were not in a view yet
 * @waited: accesses of the guest that were repeated because of a conversion
 * @repeated: accesses to devices that were repeated on an emulated host, see run.c
 * @lost_output: bytes for the console that could not be written, or that nobody has
 *	read before the end
 * @lost_rc: error of the last write that has failed, or 0
 */
struct machine_counters {
	uint64_t exits;
	uint64_t stray_io;
	uint64_t conversions;
	uint64_t conversion_ns;
	uint64_t converted_bytes;
	uint64_t refused;
	uint64_t implicit;
	uint64_t view_faults;
	uint64_t waited;
	uint64_t repeated;
	uint64_t lost_output;
	int lost_rc;
};

struct machine;

/**
 * struct place - the position of a vCPU in the guest's code
 * @rip: linear address of the next instruction
 * @fault: linear address of its last page fault
 * @cpl: privilege level
 * @tables: the top-level page table, if @paging is on
 * @paging: whether paging is on
 */
struct place {
	uint64_t rip;
	uint64_t fault;
	unsigned int cpl;
	uint64_t tables;
	bool paging;
};

/**
 * struct machine_exit - the handler of an exit
 * @reason: KVM_EXIT_*
 * @serve: handles it; the vCPU continues afterwards, unless the machine has ended
 */
struct machine_exit {
	uint32_t reason;
	void (*serve)(struct machine *machine, struct vcpu *vcpu);
};

/**
 * struct machine_type - the methods of a type of machine
 * @create_vm: create machine->vm
 * @create_vcpu: create the next vCPU; its number is machine->nr_vcpus
 * @destroy: free what else was created, before the VM is destroyed; also after a failure
 * @exits: handlers of its exits, searched before those of all machines; the last is empty
 * @failed: end the machine, because KVM_RUN has failed with @rc
 * @registers: describe the registers, in several lines; NULL: the host cannot read them
 * @place: get the position of a vCPU. Return: 0 or a negative errno. NULL: the type has no
 *	views
 * @step: step over the instruction of a KVM_EXIT_INTERNAL_ERROR, if possible; NULL: never
 */
struct machine_type {
	int (*create_vm)(struct machine *machine, struct error *error);
	int (*create_vcpu)(struct machine *machine, struct vcpu *vcpu, struct error *error);
	void (*destroy)(struct machine *machine);
	const struct machine_exit *exits;
	void (*failed)(struct machine *machine, struct vcpu *vcpu, int rc);
	void (*registers)(struct vcpu *vcpu, char *text, size_t size);
	int (*place)(struct vcpu *vcpu, struct place *place);
	bool (*step)(struct vcpu *vcpu);
};

/** machine_x86: all of x86-64, SNP guests included */
extern const struct machine_type machine_x86;

/**
 * struct stuck - detects that a vCPU makes no progress
 * @emulated: KVM's counter of instructions that it has tried to emulate
 * @seen: value of the counter at the last tick
 * @look: the vCPU's thread has to check; changed atomically
 * @times: number of consecutive checks without progress
 */
struct stuck {
	struct kvm_counter emulated;
	uint64_t seen;
	bool look;
	unsigned int times;
};

/**
 * struct machine - a VM with its memory and vCPUs
 * @type: its type
 * @config: its configuration
 * @vm: the VM
 * @launch: launch of an SNP guest; open as long as the machine exists
 * @memory: its memory
 * @advice: record of the guest's requests for its memory
 * @given: pages in the balloon, if there is one
 * @vcpus: its vCPUs
 * @nr_vcpus: number of @vcpus
 * @threads: a thread for each vCPU
 * @stuck: one for each vCPU, while they run; NULL without views
 * @ports: devices at I/O ports
 * @mmio: devices in memory
 * @filled: the views were filled before the first run
 * @emulated: the host is emulated by QEMU without KVM
 * @counters: statistics since machine_create()
 * @lock: protects the following members
 * @rate: rate of conversions
 * @pausing: the run has to stop, but not to end; see machine_pause()
 * @end: reason of the end; the first one counts. Also read without the lock
 * @end_value: value that was written to the exit port
 * @report: details of the end, several lines
 * @refusal: the last refused request of the guest, and the reason
 */
struct machine {
	const struct machine_type *type;
	struct machine_config config;
	struct vm vm;
	struct snp_launch launch;
	struct guest_memory memory;
	struct advice advice;
	struct given given;
	struct vcpu *vcpus;
	unsigned int nr_vcpus;
	struct threads threads;
	struct stuck *stuck;
	struct bus ports;
	struct bus mmio;
	bool filled;
	bool emulated;
	struct machine_counters counters;
	pthread_mutex_t lock;
	struct rate rate;
	bool pausing;
	enum end end;
	uint32_t end_value;
	char report[MACHINE_REPORT_MAX];
	char refusal[MACHINE_REFUSAL_MAX];
};

/** machine_init() - initialise a machine, so that machine_destroy() can be called */
void machine_init(struct machine *machine, const struct machine_type *type,
		  const struct machine_config *config);

/** machine_build() - create the VM, its memory and its vCPUs */
int machine_build(struct machine *machine, struct error *error);

/**
 * machine_create() - initialise and build a machine of type machine_x86
 *
 * After a failure machine_destroy() has been called.
 */
int machine_create(struct machine *machine, const struct machine_config *config,
		   struct error *error);

void machine_destroy(struct machine *machine);

/** machine_host() - address in this process of the RAM at @gpa */
uint8_t *machine_host(const struct machine *machine, uint64_t gpa);

/** machine_prepare() - prepare a run, the first one or another */
int machine_prepare(struct machine *machine, struct error *error);

/**
 * machine_run() - run all vCPUs until the end; machine->end has the reason
 *
 * Signals and the timeout end it, too. Call machine_prepare() first.
 */
void machine_run(struct machine *machine);

/** machine_run_vcpu() - main function of a vCPU's thread in machine_run() */
int machine_run_vcpu(void *data, struct vcpu *vcpu);

/**
 * machine_end() - end the run, from any thread
 * @how: the reason, ignored if the run has another one already
 * @format: details, or NULL
 */
void machine_end(struct machine *machine, enum end how, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * machine_pause() - make machine_run() return without an end, or undo that
 *
 * The caller holds the lock.
 */
void machine_pause(struct machine *machine, bool pausing);
bool machine_pausing(struct machine *machine);

/** machine_end_test() - end the run because of a write to the exit port */
void machine_end_test(struct machine *machine, uint32_t value);

/** machine_ended() - whether the run has a reason to end */
bool machine_ended(const struct machine *machine);

/**
 * machine_exit() - handle the exit of a vCPU
 *
 * Return: whether the vCPU continues; false after it has halted without interrupt controllers.
 */
bool machine_exit(struct machine *machine, struct vcpu *vcpu);

/* For handlers of a type */

/** machine_exit_fatal() - end the machine, with a description of the exit as its report */
void machine_exit_fatal(struct machine *machine, struct vcpu *vcpu, enum end end);

/** machine_exit_stray() - count an access that no device has @answered */
void machine_exit_stray(struct machine *machine, struct vcpu *vcpu, bool answered);

/** machine_exit_event() - KVM_EXIT_SYSTEM_EVENT */
void machine_exit_event(struct machine *machine, struct vcpu *vcpu);

/** machine_count() - add to one of the counters */
static inline void machine_count(uint64_t *counter, uint64_t by)
{
	__atomic_add_fetch(counter, by, __ATOMIC_RELAXED);
}

/**
 * machine_convert() - guest_memory_convert() with counters and trace
 * @vcpu: the vCPU that has asked for it, or NULL
 *
 * A pause of the machine does not cancel a conversion: the guest gets the same result, within
 * the same time.
 *
 * Return: as guest_memory_convert(); -EINTR only if the machine has to end.
 */
int machine_convert(struct machine *machine, struct vcpu *vcpu, struct range what, bool to_private,
		    char *why, size_t why_size);

/** machine_trace() - a line about @vcpu, or about the VM if that is NULL */
void machine_trace(struct machine *machine, struct vcpu *vcpu, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * view_fault.c: handles EFAULT of KVM_RUN if slots are views. Mostly the guest has accessed a
 * page that is not in the view yet.
 */

/** stuck_start() - call it before a run. No checks are made if KVM has no counters. */
void stuck_start(struct machine *machine);
void stuck_stop(struct machine *machine);

/** stuck_tick() - called once a second, in the thread that waits for the end */
void stuck_tick(void *machine);

/** stuck_look() - called in the vCPU's thread after each KVM_RUN */
void stuck_look(struct machine *machine, struct vcpu *vcpu);

/**
 * struct view_watch - the faults of a thread that runs a vCPU
 * @fd: a view; -1: the machine has none
 * @count: number of page faults when it was last read
 * @gpa: page of the last fault that was handled
 * @still: number of consecutive faults that were handled without progress
 * @conversions: number of conversions that had ended at the last fault
 */
struct view_watch {
	int fd;
	uint64_t count;
	uint64_t gpa;
	unsigned int still;
	uint64_t conversions;
};

/** view_watch_start() - call it in the thread, before it first enters the guest */
void view_watch_start(struct view_watch *watch, const struct machine *machine);

/**
 * view_fault_answer() - handle EFAULT of KVM_RUN: populate the page, or end the machine
 *
 * Return: true: run the vCPU again, unless the machine has ended; false: the error has nothing
 * to do with views.
 */
bool view_fault_answer(struct view_watch *watch, struct machine *machine, struct vcpu *vcpu);

/**
 * view_is_private_access() - whether an MMIO exit is for RAM of a view
 *
 * KVM exits so when it emulates an instruction whose operand is in private memory.
 */
bool view_is_private_access(const struct machine *machine, uint64_t gpa);

/**
 * view_explain() - explain in several lines what the vCPU was doing, whether KVM could read
 *	it, and what to do; an empty text for a machine without views
 */
void view_explain(struct machine *machine, struct vcpu *vcpu, char *text, size_t size);

/* snp.c: machines that are SNP guests, and their exits */

/**
 * machine_igvm_parameters() - fill in the parameter areas
 * @igvm: the file; the contents of its areas are changed
 * @ram: the guest's memory, ascending; without the part from 3 to 4 GiB
 * @nr_vcpus: number of vCPUs that are started
 *
 * It sets the number of vCPUs, the memory map, the MADT, the command line (empty), and the
 * environment. SRAT, SLIT, PPTT and the MMIO ranges stay as in the file, because there is only
 * one node.
 *
 * Return: 0; -EOPNOTSUPP if the file wants a device tree; -ENOSPC if a parameter does not
 * fit.
 */
int machine_igvm_parameters(const struct snp_igvm *igvm, const struct range *ram,
			    unsigned int nr_ram, unsigned int nr_vcpus, struct error *error);

/** machine_snp_create() - create the VM, including SEV_INIT2 */
int machine_snp_create(struct machine *machine, struct error *error);

/**
 * machine_snp_launch() - do the rest of the launch, after memory and vCPUs exist
 *
 * After a failure the machine cannot be used any more.
 */
int machine_snp_launch(struct machine *machine, struct error *error);

/** machine_snp_certs() - handle the guest's request for certificates with its report */
void machine_snp_certs(struct machine *machine, struct vcpu *vcpu);

/** machine_snp_hold() - a vCPU waits until another one starts it */
void machine_snp_hold(struct machine *machine, struct vcpu *vcpu);

/** machine_snp_terminate() - handle the guest's request to be ended */
void machine_snp_terminate(struct machine *machine, struct vcpu *vcpu);

#endif /* GMEMCTL_MACHINE_MACHINE_H */
