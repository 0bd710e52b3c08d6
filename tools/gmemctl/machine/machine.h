/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM with memory, vCPUs and buses: what a payload and a PC have in common.
 * Which devices are on the buses, and what is in memory, is up to them.
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
 * struct machine_config - what to build
 * @memory: its memory; what this points to has to outlive the machine
 * @nr_vcpus: 1 to MACHINE_VCPUS_MAX
 * @irqchip: interrupt controllers are in the kernel, and so is waiting for an
 *	interrupt; without them a vCPU that halts has come to its end
 * @snp: it is an SNP guest, launched like that; or NULL
 * @run_timeout_s: after which a run is stopped; 0: never
 * @trace: where each exit that is not for a device is written to, or NULL
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
 * struct machine_counters - what has happened; each is changed atomically
 * @exits: exits of all vCPUs
 * @stray_io: accesses to ports and addresses without a device
 * @conversions: conversions done, and @conversion_ns what they took
 * @converted_bytes: bytes in them
 * @refused: requests of the guest answered with an error
 * @implicit: conversions for a memory fault
 * @view_faults: touches of pages that a view did not have yet
 * @waited: accesses of the guest that met a conversion, and were repeated
 * @repeated: accesses to devices that were repeated on an emulated host, see run.c
 * @lost_output: bytes for the console that could not be written, or that nobody has
 *	read before the end
 * @lost_rc: why the last of them could not be written, or 0
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
 * struct place - where a vCPU stands
 * @rip: linear address of the next instruction
 * @fault: that of its last page fault
 * @cpl: privilege level
 * @tables: the page table at the top, @paging being on
 * @paging: see there
 */
struct place {
	uint64_t rip;
	uint64_t fault;
	unsigned int cpl;
	uint64_t tables;
	bool paging;
};

/**
 * struct machine_exit - what is done about an exit of a vCPU
 * @reason: KVM_EXIT_*
 * @serve: the vCPU goes on afterwards, unless the machine has ended
 */
struct machine_exit {
	uint32_t reason;
	void (*serve)(struct machine *machine, struct vcpu *vcpu);
};

/**
 * struct machine_type - what is not the same for all machines
 * @create_vm: create machine->vm
 * @create_vcpu: create the next vCPU; its number is machine->nr_vcpus
 * @destroy: what else was created, before the VM goes; also after a failure
 * @exits: its own, which come before those of all machines; the last is empty
 * @failed: end the machine, for KVM_RUN has failed with @rc
 * @registers: describe them, in several lines; NULL: nobody but the guest sees them
 * @place: where a vCPU stands, 0 or a negative errno; NULL: no memory is a view
 * @step: go on after a KVM_EXIT_INTERNAL_ERROR, if possible; NULL: never
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
 * struct stuck - what is known of one vCPU
 * @emulated: instructions that KVM has tried to emulate
 * @seen: their number at the last tick
 * @look: the vCPU's thread is asked to look; changed atomically
 * @times: looks in a row that were bad
 */
struct stuck {
	struct kvm_counter emulated;
	uint64_t seen;
	bool look;
	unsigned int times;
};

/**
 * struct machine - the VM
 * @type: what it is
 * @config: as given
 * @vm: the VM
 * @launch: of an SNP guest; open as long as it lives
 * @memory: its memory
 * @advice: what the guest has asked for of it
 * @given: pages of it that the guest does not use; of a machine with a balloon
 * @vcpus: its vCPUs, @nr_vcpus of them
 * @nr_vcpus: see there
 * @threads: one for each
 * @stuck: by vCPU, while they run; NULL without views
 * @ports: devices at ports
 * @mmio: devices in memory
 * @filled: views have what was in memory before the first run
 * @emulated: the host is one of QEMU without KVM
 * @counters: since machine_create()
 * @lock: protects what follows
 * @rate: of conversions
 * @pausing: the run is to stop without an end; see machine_pause()
 * @end: why the run has ended; the first reason counts. Read without the lock, too
 * @end_value: what was written to the exit port
 * @report: more about it, several lines
 * @refusal: the last request of the guest that was refused, and why
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

/** machine_init() - nothing is there yet, and machine_destroy() works */
void machine_init(struct machine *machine, const struct machine_type *type,
		  const struct machine_config *config);

/** machine_build() - the VM, its memory and its vCPUs */
int machine_build(struct machine *machine, struct error *error);

/**
 * machine_create() - both, of machine_x86
 *
 * On failure machine_destroy() has been called.
 */
int machine_create(struct machine *machine, const struct machine_config *config,
		   struct error *error);

void machine_destroy(struct machine *machine);

/** machine_host() - where this process has the RAM at @gpa */
uint8_t *machine_host(const struct machine *machine, uint64_t gpa);

/** machine_prepare() - make a run possible, also after another one */
int machine_prepare(struct machine *machine, struct error *error);

/**
 * machine_run() - run all vCPUs until the end; machine->end says which
 *
 * Signals and the timeout end it, too. machine_prepare() goes before it.
 */
void machine_run(struct machine *machine);

/** machine_run_vcpu() - a thread of machine_run() */
int machine_run_vcpu(void *data, struct vcpu *vcpu);

/**
 * machine_end() - end the run, from any thread
 * @how: counts if it is the first
 * @format: more about it, or NULL
 */
void machine_end(struct machine *machine, enum end how, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * machine_pause() - have machine_run() return with no end, until it is undone
 *
 * The caller holds the lock.
 */
void machine_pause(struct machine *machine, bool pausing);
bool machine_pausing(struct machine *machine);

/** machine_end_test() - the same, by the exit port */
void machine_end_test(struct machine *machine, uint32_t value);

/** machine_ended() - whether the run is to end */
bool machine_ended(const struct machine *machine);

/**
 * machine_exit() - serve the exit of a vCPU
 *
 * Return: whether the vCPU goes on; not after it has halted for good.
 */
bool machine_exit(struct machine *machine, struct vcpu *vcpu);

/* For exits of a type */

/** machine_exit_fatal() - end the machine, with the exit as its report */
void machine_exit_fatal(struct machine *machine, struct vcpu *vcpu, enum end end);

/** machine_exit_stray() - count an access, unless a device has answered */
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
 * @vcpu: that asks for it, or NULL
 *
 * A pause does not abandon it: the guest, which goes on afterwards, gets the
 * result that it would have got, and no later.
 *
 * Return: as guest_memory_convert(); -EINTR only if the machine is to end.
 */
int machine_convert(struct machine *machine, struct vcpu *vcpu, struct range what, bool to_private,
		    char *why, size_t why_size);

/** machine_trace() - a line about @vcpu, or about the VM if that is NULL */
void machine_trace(struct machine *machine, struct vcpu *vcpu, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * view_fault.c: KVM_RUN that ends with EFAULT where slots are views: mostly a touch of a
 * page that the view does not have yet.
 */

/** stuck_start() - before a run; where KVM has no counters nobody looks */
void stuck_start(struct machine *machine);
void stuck_stop(struct machine *machine);

/** stuck_tick() - once a second, in the thread that waits for the end */
void stuck_tick(void *machine);

/** stuck_look() - in the vCPU's thread, whenever it has come back from KVM */
void stuck_look(struct machine *machine, struct vcpu *vcpu);

/**
 * struct view_watch - what is known of a thread that runs a vCPU
 * @fd: a view, or -1: the machine has none
 * @count: page faults so far, as of the last look
 * @gpa: page of the last of them that was answered
 * @still: answers in a row that have changed nothing
 * @conversions: that had ended at the last answer
 */
struct view_watch {
	int fd;
	uint64_t count;
	uint64_t gpa;
	unsigned int still;
	uint64_t conversions;
};

/** view_watch_start() - in the thread, before it enters the guest first */
void view_watch_start(struct view_watch *watch, const struct machine *machine);

/**
 * view_fault_answer() - give the guest the page, or end the machine
 *
 * After a run that has ended with EFAULT.
 *
 * Return: whether that was all about it: run the vCPU again, unless the machine
 * has ended. False: it is not a matter of views.
 */
bool view_fault_answer(struct view_watch *watch, struct machine *machine, struct vcpu *vcpu);

/**
 * view_is_private_access() - whether KVM has taken RAM of a view for a device
 *
 * It does so when it emulates an instruction whose operand is in private memory.
 */
bool view_is_private_access(const struct machine *machine, uint64_t gpa);

/**
 * view_explain() - what the vCPU was doing, whether KVM could read it, and what to
 *	do about it; several lines, nothing for a machine without views
 */
void view_explain(struct machine *machine, struct vcpu *vcpu, char *text, size_t size);

/* snp.c: a machine that is an SNP guest, and the exits that only it has */

/**
 * machine_igvm_parameters() - fill in the parameter areas
 * @igvm: what its areas point to is changed
 * @ram: the guest's memory, ascending; of it, what is not between 3 and 4 GiB
 * @nr_vcpus: that are started
 *
 * Known are the number of vCPUs, the memory map, the MADT, the command line, which
 * is empty, and the environment. SRAT, SLIT, PPTT and the MMIO ranges are left as
 * the file has them: there is one node, and nothing to say.
 *
 * Return: 0; -EOPNOTSUPP for a device tree, which is not made; -ENOSPC if a
 * parameter does not fit.
 */
int machine_igvm_parameters(const struct snp_igvm *igvm, const struct range *ram,
			    unsigned int nr_ram, unsigned int nr_vcpus, struct error *error);

/** machine_snp_create() - the VM, as far as SEV_INIT2 */
int machine_snp_create(struct machine *machine, struct error *error);

/**
 * machine_snp_launch() - the rest of the launch, once memory and vCPUs are there
 *
 * Afterwards the guest runs, or the machine is of no use any more.
 */
int machine_snp_launch(struct machine *machine, struct error *error);

/** machine_snp_certs() - the guest wants certificates with its report */
void machine_snp_certs(struct machine *machine, struct vcpu *vcpu);

/** machine_snp_hold() - a vCPU waits until another one starts it */
void machine_snp_hold(struct machine *machine, struct vcpu *vcpu);

/** machine_snp_terminate() - the guest wants to be ended */
void machine_snp_terminate(struct machine *machine, struct vcpu *vcpu);

#endif /* GMEMCTL_MACHINE_MACHINE_H */
