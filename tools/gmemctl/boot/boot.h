/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Starts a payload in long mode, without firmware: descriptor table, page tables, image and
 * parameters are written to memory before the first instruction.
 */
#ifndef GMEMCTL_BOOT_BOOT_H
#define GMEMCTL_BOOT_BOOT_H

#include <stdint.h>

#include "../base/error.h"
#include "../guest/params.h"
#include "../kvm/vcpu.h"

/** RESET_VECTOR_GPA: address ffff:0000, the last 16 bytes of the BIOS area */
#define RESET_VECTOR_GPA	0xffff0U
#define RESET_VECTOR_SIZE	16

/** reset_vector_build() - write code that requests a reset of the keyboard controller */
void reset_vector_build(uint8_t bytes[RESET_VECTOR_SIZE]);

/** BOOT_MEMORY_MAX: page tables cover 4 GiB; the last GiB is for devices */
#define BOOT_MEMORY_MAX (UINT64_C(3) << 30)

/** boot_tables() - write descriptors and an identity map of 4 GiB to @memory */
void boot_tables(uint8_t *memory);

/**
 * boot_enter() - set a vCPU to long mode, with the tables of boot_tables()
 * @regs: the other registers; the function sets the flags
 */
int boot_enter(struct vcpu *vcpu, struct kvm_regs *regs, struct error *error);

/** boot_load() - write descriptors, page tables and the image to @memory */
int boot_load(uint8_t *memory, uint64_t size, struct error *error);

/** boot_hypercall_flag() - GUEST_F_VMMCALL if the host CPU has SVM (AMD) */
uint32_t boot_hypercall_flag(void);

/** boot_vcpu() - set a vCPU to the entry of the payloads */
int boot_vcpu(struct vcpu *vcpu, struct error *error);

#endif /* GMEMCTL_BOOT_BOOT_H */
