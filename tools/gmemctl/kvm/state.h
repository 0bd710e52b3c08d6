/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a VM in KVM: CPUs, interrupt controllers, timer, clock. It is read from a VM
 * whose vCPUs do not run, and set in a VM with the same configuration on the same kind of CPU.
 */
#ifndef GMEMCTL_KVM_STATE_H
#define GMEMCTL_KVM_STATE_H

#include "../base/error.h"
#include "../base/tlv.h"
#include "vcpu.h"
#include "vm.h"

/**
 * enum state_type - types of records, which are part of a file format
 * @STATE_PIC: index 0 and 1: the two 8259s
 * @STATE_IOAPIC: the IOAPIC
 * @STATE_PIT: the timer
 * @STATE_CLOCK: nanoseconds of the guest's clock
 * @STATE_CPU: the first type whose index is the number of a vCPU
 * @STATE_MACHINE: the first type that is not state of KVM
 */
enum state_type {
	STATE_PIC = 1,
	STATE_IOAPIC,
	STATE_PIT,
	STATE_CLOCK,
	STATE_CPU = 32,
	STATE_MP = STATE_CPU,
	STATE_REGS,
	STATE_SREGS,
	STATE_XSAVE,
	STATE_XCRS,
	STATE_DEBUGREGS,
	STATE_LAPIC,
	STATE_MSRS,
	STATE_EVENTS,
	STATE_MACHINE = 64,
};

/** vm_state_get() - add records of all state but that of vCPUs */
int vm_state_get(struct vm *vm, struct tlv *records, struct error *error);
int vm_state_set(struct vm *vm, const struct tlv *records,
		 struct error *error);

/** vcpu_state_get() - add records of a vCPU, which must have no unfinished I/O */
int vcpu_state_get(struct vcpu *vcpu, struct vm *vm, struct tlv *records,
		   struct error *error);

/**
 * vcpu_state_set() - set the state of a new vCPU with the same CPUID
 *
 * Return: 0; -EBADMSG if a record is missing or has a wrong size; or an error of KVM.
 */
int vcpu_state_set(struct vcpu *vcpu, const struct tlv *records,
		   struct error *error);

#endif /* GMEMCTL_KVM_STATE_H */
