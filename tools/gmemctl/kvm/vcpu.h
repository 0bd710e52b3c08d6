/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interrupt controllers and the timer of a PC, as KVM has them in the
 * kernel: APICs, I/O APIC, two 8259, 8254.
 */
#ifndef GMEMCTL_KVM_VCPU_H
#define GMEMCTL_KVM_VCPU_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/error.h"
#include "abi.h"

#define IRQCHIP_IOAPIC_GPA	0xfec00000U
#define IRQCHIP_LAPIC_GPA	0xfee00000U
#define IRQCHIP_LAPIC_VERSION	0x14
#define IRQCHIP_ISA_IRQS	16

struct vm;

/**
 * irqchip_create() - give @vm its interrupt controllers and its timer
 *
 * Before its vCPUs are created. From then on vCPUs other than the first wait
 * in KVM_RUN until they are started, and HLT does not exit.
 */
int irqchip_create(struct vm *vm, struct error *error);

/** irqchip_set_line() - set the level of an ISA interrupt line */
int irqchip_set_line(struct vm *vm, unsigned int irq, bool level);

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
