/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM_RUN that ends with EFAULT where slots are views: mostly a touch of a page that
 * the view does not have yet.
 */
#ifndef GMEMCTL_MACHINE_VIEW_FAULT_H
#define GMEMCTL_MACHINE_VIEW_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "../kvm/vcpu.h"
#include "machine.h"

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
bool view_fault_answer(struct view_watch *watch, struct machine *machine,
		       struct vcpu *vcpu);

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
void view_explain(struct machine *machine, struct vcpu *vcpu, char *text,
		  size_t size);

#endif /* GMEMCTL_MACHINE_VIEW_FAULT_H */
