/* SPDX-License-Identifier: GPL-2.0 */
/* A machine whose memory is a view, and one vCPU with registers that are made up. */
#ifndef GMEMCTL_TEST_VIEW_MACHINE_H
#define GMEMCTL_TEST_VIEW_MACHINE_H

#include "../kvm/abi.h"
#include "../machine/machine.h"

/**
 * struct view_machine - the machine
 * @machine: 1024 pages at 0 and 64 at 2048, in one fd
 * @vcpu: its vCPU, which does not run
 * @regs, @sregs: of it
 * @place: what KVM_TRANSLATE answers
 * @stats_fd: what KVM_GET_STATS_FD gives a duplicate of, or a negative errno
 */
struct view_machine {
	struct machine machine;
	struct vcpu vcpu;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_translation place;
	int stats_fd;
};

extern struct view_machine view_machine;

/** view_machine_start() - with view_fake below */
void view_machine_start(void);
void view_machine_stop(void);

/** view_machine_said() - whether the report has @text, which is shown if not */
bool view_machine_said(const char *text);

#endif /* GMEMCTL_TEST_VIEW_MACHINE_H */
