/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vCPUs: running them, describing their exits, reading their counters. For x86 also CPUID, and
 * KVM's interrupt controllers and timer of a PC: APICs, I/O APIC, two 8259, 8254.
 */
#ifndef GMEMCTL_KVM_VCPU_H
#define GMEMCTL_KVM_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "abi.h"

#define IRQCHIP_IOAPIC_GPA	0xfec00000U
#define IRQCHIP_LAPIC_GPA	0xfee00000U
#define IRQCHIP_LAPIC_VERSION	0x14
#define IRQCHIP_ISA_IRQS	16

struct kvm_cpuid2;
struct vm;

/**
 * irqchip_create() - create the interrupt controllers and the timer of @vm
 *
 * Call it before vCPUs are created. Afterwards vCPUs other than the first wait in KVM_RUN
 * until they are started, and HLT does not exit.
 */
int irqchip_create(struct vm *vm, struct error *error);

/** irqchip_set_line() - set the level of an ISA interrupt line */
int irqchip_set_line(struct vm *vm, unsigned int irq, bool level);

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

/** vcpu_open() - create a vCPU with KVM's defaults; vcpu_destroy() frees it */
int vcpu_open(struct vcpu *vcpu, struct vm *vm, unsigned int index,
	      struct error *error);

/** vcpu_create() - create a vCPU with all CPU features that KVM supports. */
int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned int index,
		struct error *error);
void vcpu_destroy(struct vcpu *vcpu);

/**
 * vcpu_run() - enter the guest until its next exit
 *
 * Return: 0 with the exit in vcpu->run, also for KVM_EXIT_MEMORY_FAULT, with which KVM_RUN
 * fails with EFAULT; -EINTR after a signal or with immediate_exit set; another negative errno.
 */
int vcpu_run(struct vcpu *vcpu);

int vcpu_get_regs(struct vcpu *vcpu, struct kvm_regs *regs);
int vcpu_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs);
int vcpu_get_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs);
int vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs);

/** exit_name() - name of an exit reason, without KVM_EXIT_; never NULL */
const char *exit_name(uint32_t reason);

/** exit_describe() - one line about the exit in vcpu->run */
void exit_describe(const struct vcpu *vcpu, char *text, size_t size);

/** exit_registers() - describe the registers in several lines */
void exit_registers(struct vcpu *vcpu, char *text, size_t size);

/**
 * struct kvm_counter - one of the statistics of a VM or vCPU
 * @fd: file of its statistics, or -1
 * @offset: offset of the value in @fd
 */
struct kvm_counter {
	int fd;
	uint64_t offset;
};

/**
 * kvm_counter_open() - find a counter by its name, such as "insn_emulation"
 * @fd: the VM or the vCPU
 *
 * Return: 0; -ENOENT if there is no such counter; or an error of the kernel.
 */
int kvm_counter_open(struct kvm_counter *counter, int fd, const char *name);
void kvm_counter_close(struct kvm_counter *counter);

/** kvm_counter_read() - the value of a counter; 0 if it cannot be read */
uint64_t kvm_counter_read(const struct kvm_counter *counter);

/**
 * cpuid_supported() - get all features that KVM supports
 * @cpuid: out: to be freed by the caller
 */
int cpuid_supported(struct vm *vm, struct kvm_cpuid2 **cpuid,
		    struct error *error);

/**
 * cpuid_address_bits() - number of bits of a guest physical address
 *
 * GuestPhysAddrSize of leaf 0x80000008, EAX[23:16], if KVM sets it: nested paging can map fewer
 * bits than the CPU has. Otherwise PhysAddrSize, EAX[7:0].
 *
 * Return: 0 if neither is set.
 */
unsigned int cpuid_address_bits(const struct kvm_cpuid2 *cpuid);

/**
 * cpuid_set_cpu() - set the leaves that differ between vCPUs
 * @index: number of the vCPU, which is its APIC ID: at most 254
 * @tsc_deadline: its APIC supports the TSC deadline timer
 * @converts: tell the guest that it can convert memory. KVM does not know whether the VMM
 *	handles KVM_HC_MAP_GPA_RANGE.
 *
 * KVM passes on the topology of the host's CPU that it runs on. Here each vCPU becomes a
 * package with one core. The bit for a hypervisor is set.
 */
void cpuid_set_cpu(struct kvm_cpuid2 *cpuid, unsigned int index,
		   bool tsc_deadline, bool converts);

/**
 * step_over_cpuid() - step over a CPUID that KVM has carried out
 * @fd: the vCPU
 * @run: its exit, KVM_EXIT_INTERNAL_ERROR
 *
 * AMD's CPUs without NRIPS do not report where the next instruction is, so KVM reads the one it has
 * carried out to learn its length. It cannot if that is in private memory, and exits with the
 * result in the registers already. CPUID is the one such instruction that programs execute. It
 * has two bytes; a prefix would be lost on it, and no compiler emits one.
 *
 * The exit code that this relies on is debug data of KVM's, the same from Linux 5.15 to 7.3
 * (prepare_emulation_failure_exit() in arch/x86/kvm/x86.c).
 *
 * Return: whether the vCPU can be run again.
 */
bool step_over_cpuid(int fd, const struct kvm_run *run);

#endif /* GMEMCTL_KVM_VCPU_H */
