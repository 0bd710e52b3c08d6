/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A KVM VM. This directory is a small library. It neither prints nor exits, returns a negative
 * errno, and has no state except for the call table.
 */
#ifndef GMEMCTL_KVM_VM_H
#define GMEMCTL_KVM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "slot.h"

/**
 * struct vm - a VM
 * @kvm_fd: /dev/kvm
 * @fd: the VM
 * @run_size: bytes of the area each vCPU shares with KVM
 * @irqchip: interrupt controllers are in the kernel
 * @converts: the guest's KVM_HC_MAP_GPA_RANGE exits
 * @slots: the slots that exist
 */
struct vm {
	int kvm_fd;
	int fd;
	bool irqchip;
	bool converts;
	size_t run_size;
	struct slot_table slots;
};

/**
 * struct vm_capability - a capability that KVM must have
 * @number: KVM_CAP_*
 * @mask: bits that its value must have; 0: any value above zero is sufficient
 * @name: for messages
 * @hint: what to do if it is missing
 */
struct vm_capability {
	int number;
	uint32_t mask;
	const char *name;
	const char *hint;
};

/** vm_capabilities: what a VM with private memory needs; the last has no name */
extern const struct vm_capability vm_capabilities[];

/** vm_open_kvm() - open /dev/kvm. Return: an fd, or a negative errno. */
int vm_open_kvm(struct error *error);

/** vm_capability() - KVM_CHECK_EXTENSION on /dev/kvm or a VM. */
int vm_capability(int fd, int number);

/** vm_capability_met() - whether KVM has @capability. */
bool vm_capability_met(int fd, const struct vm_capability *capability);

/** vm_type_supported() - whether KVM_CREATE_VM supports @type. */
bool vm_type_supported(int kvm_fd, unsigned int type);

/**
 * vm_create() - create a VM of KVM_X86_SW_PROTECTED_VM
 *
 * The required capabilities are checked first, and exits for
 * KVM_HC_MAP_GPA_RANGE are turned on.
 *
 * Return: 0, or a negative errno; -EOPNOTSUPP if KVM lacks a capability.
 */
int vm_create(struct vm *vm, struct error *error);

/**
 * vm_create_plain() - create a VM of the default type
 *
 * Every KVM supports it. It is for kinds of memory that do not need a guest_memfd.
 */
int vm_create_plain(struct vm *vm, struct error *error);

/**
 * vm_enable_conversions() - enable exits for the guest's KVM_HC_MAP_GPA_RANGE
 *
 * vm_create() and vm_create_snp() do this themselves.
 */
int vm_enable_conversions(struct vm *vm, struct error *error);

/**
 * vm_create_snp() - create a VM of KVM_X86_SNP_VM
 *
 * As vm_create(); KVM_SEV_INIT2 has to come before its first vCPU.
 */
int vm_create_snp(struct vm *vm, struct error *error);

/**
 * vm_adopt() - initialise a VM that KVM has created already
 * @kvm_fd, @fd: /dev/kvm and the VM; both are closed by vm_destroy(), or after a failure
 * @needed: capabilities that it must have; the last has no name
 */
int vm_adopt(struct vm *vm, int kvm_fd, int fd,
	     const struct vm_capability *needed, struct error *error);

/** vm_destroy() - close the VM; vCPUs have to be gone. */
void vm_destroy(struct vm *vm);

/** vm_create_guest_memfd() - Return: an fd, or a negative errno. */
int vm_create_guest_memfd(struct vm *vm, uint64_t size, struct error *error);

/**
 * vm_create_mappable_guest_memfd() - create one that the host can map, with all pages shared
 *
 * Return: an fd, or a negative errno; -EOPNOTSUPP if this kernel does not support it for this
 * type of VM.
 */
int vm_create_mappable_guest_memfd(struct vm *vm, uint64_t size,
				   struct error *error);

#endif /* GMEMCTL_KVM_VM_H */
