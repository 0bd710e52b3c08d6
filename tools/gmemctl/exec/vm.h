/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMs and vCPUs of the VMM, found by their descriptors.
 *
 * DOC: Locks
 *
 * The list of all VMs has a lock, which keeps VMs from going; under it comes the lock
 * of a VM, for its slots: whoever changes them has it for writing, and who uses a
 * mapping of a view, or converts, for reading. No lock is taken for an exit that the
 * library has nothing to do with.
 *
 * A VMM that closes a descriptor while another thread uses it has worse problems than
 * what is not there any more here.
 */
#ifndef GMEMCTL_EXEC_VM_H
#define GMEMCTL_EXEC_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../kvm/abi.h"
#include "memory.h"

/** EXEC_FDS: descriptors below this number can be a VM's or a vCPU's */
#define EXEC_FDS 65536

/**
 * struct exec_slot - a slot whose memory is a mapping of a view
 * @id: KVM's number of it, the address space in the upper half
 * @flags: KVM_MEM_*
 * @gpa: guest physical address
 * @size: bytes
 * @address: what the VMM has said, its own mapping
 * @view: what KVM was told
 * @memory: what both are mappings of
 * @offset: where in it
 * @fresh: what is populated is not in @view yet
 */
struct exec_slot {
	uint32_t id;
	uint32_t flags;
	uint64_t gpa;
	uint64_t size;
	uint64_t address;
	void *view;
	struct exec_memory *memory;
	uint64_t offset;
	bool fresh;
};

/**
 * struct exec_vm - a VM
 * @fd: its descriptor, -1: the VMM has closed it
 * @users: @fd, and vCPUs
 * @asked: hypercalls that the VMM itself wants to see, a bit each
 * @answers: conversions are answered here
 * @lock: of the slots
 * @slots: @nr_slots of them, in no order
 * @nr_slots: changed atomically
 * @room: for how many there is room
 * @fresh: a slot is; changed atomically
 * @private: something was converted to private; changed atomically
 * @vcpus: first of a list
 * @next: of the list of all VMs
 */
struct exec_vm {
	int fd;
	unsigned int users;
	uint64_t asked;
	bool answers;
	pthread_rwlock_t lock;
	struct exec_slot *slots;
	unsigned int nr_slots;
	unsigned int room;
	bool fresh;
	bool private;
	struct exec_vcpu *vcpus;
	struct exec_vm *next;
};

/**
 * struct exec_vcpu - a vCPU
 * @fd: its descriptor
 * @id: its number
 * @vm: its VM
 * @run: what it shares with KVM, the first page
 * @thread: the one that runs it
 * @inside: it is in KVM_RUN; changed atomically, as is @runs
 * @runs: times that KVM_RUN was entered
 * @kicked: the watch has sent it a signal; changed atomically
 * @seen: for the watch: @runs when it looked last
 * @ticks: for the watch: how often that was the same
 * @stuck: times in a row that it was found so
 * @stuck_count: page faults at that time
 * @stuck_gpa: where the last one was
 * @next: of the VM's
 */
struct exec_vcpu {
	int fd;
	uint32_t id;
	struct exec_vm *vm;
	struct kvm_run *run;
	pid_t thread;
	bool inside;
	uint64_t runs;
	bool kicked;
	uint64_t seen;
	unsigned int ticks;
	unsigned int stuck;
	uint64_t stuck_count;
	uint64_t stuck_gpa;
	struct exec_vcpu *next;
};

/** exec_vm_create() - KVM has created a VM of the default type */
void exec_vm_create(int fd);

/** exec_vcpu_create() - KVM has created a vCPU */
void exec_vcpu_create(struct exec_vm *vm, int fd, uint32_t id);

/** exec_closing() - a descriptor is about to be closed */
void exec_closing(int fd);

/** exec_vm_of(), exec_vcpu_of() - what a descriptor is, or NULL */
struct exec_vm *exec_vm_of(int fd);
struct exec_vcpu *exec_vcpu_of(int fd);

/** exec_vms_lock() - keep VMs and vCPUs from going. Return: the newest VM. */
struct exec_vm *exec_vms_lock(void);
void exec_vms_unlock(void);

static inline bool exec_vm_has_views(const struct exec_vm *vm)
{
	return __atomic_load_n(&vm->nr_slots, __ATOMIC_RELAXED);
}

#endif /* GMEMCTL_EXEC_VM_H */
