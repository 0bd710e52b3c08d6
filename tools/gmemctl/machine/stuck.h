/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: A guest that waits for an instruction that KVM cannot read
 *
 * KVM emulates some instructions, and reads text and page tables for that as this
 * process would: not where they are private. It does not say so. If it cannot walk the
 * page tables it gives the guest a page fault, for which the guest has no reason: its
 * handler comes back to the same instruction, or needs such an instruction itself,
 * without an end and without an exit.
 *
 * So somebody looks from time to time: does KVM emulate instructions of this vCPU; and
 * if so, was the last page fault of the guest where KVM cannot read an instruction?
 * Natural page faults are not at the kernel's text. Several such looks in a row are
 * an end.
 */
#ifndef GMEMCTL_MACHINE_STUCK_H
#define GMEMCTL_MACHINE_STUCK_H

#include <stdbool.h>
#include <stdint.h>

#include "../kvm/stats.h"

struct machine;
struct vcpu;

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

/** stuck_start() - before a run; where KVM has no counters nobody looks */
void stuck_start(struct machine *machine);
void stuck_stop(struct machine *machine);

/** stuck_tick() - once a second, in the thread that waits for the end */
void stuck_tick(void *machine);

/** stuck_look() - in the vCPU's thread, whenever it has come back from KVM */
void stuck_look(struct machine *machine, struct vcpu *vcpu);

#endif /* GMEMCTL_MACHINE_STUCK_H */
