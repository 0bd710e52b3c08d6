/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_KVM_VCPU_H
#define GMEMCTL_KVM_VCPU_H

#include <stddef.h>

#include "../base/error.h"
#include "abi.h"

struct vm;

/**
 * struct vcpu - one vCPU
 * @fd: the vCPU
 * @index: its number, from 0
 * @run: the area shared with KVM
 * @run_size: its size in bytes
 */
struct vcpu {
	int fd;
	unsigned int index;
	struct kvm_run *run;
	size_t run_size;
};

/** vcpu_open() - create a vCPU as KVM makes it; vcpu_destroy() ends it */
int vcpu_open(struct vcpu *vcpu, struct vm *vm, unsigned int index,
	      struct error *error);

/** vcpu_create() - create a vCPU that has all CPU features KVM can give. */
int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned int index,
		struct error *error);
void vcpu_destroy(struct vcpu *vcpu);

/**
 * vcpu_run() - enter the guest until its next exit
 *
 * Return: 0 with the exit in vcpu->run, also for an exit for a memory fault,
 * which KVM reports together with EFAULT; -EINTR after a signal or with
 * immediate_exit set; another negative errno.
 */
int vcpu_run(struct vcpu *vcpu);

int vcpu_get_regs(struct vcpu *vcpu, struct kvm_regs *regs);
int vcpu_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs);
int vcpu_get_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs);
int vcpu_translate(struct vcpu *vcpu, struct kvm_translation *translation);
int vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs);

#endif /* GMEMCTL_KVM_VCPU_H */
