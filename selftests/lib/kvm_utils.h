/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of KVM's ABI that the tests use and older headers lack; VMs and guest_memfds
 * without a guest.
 */
#ifndef KVM_UTILS_H
#define KVM_UTILS_H

#include <stdint.h>
#include <linux/kvm.h>

#ifndef KVM_CAP_GUEST_MEMFD
#define KVM_CAP_GUEST_MEMFD 234
#define KVM_CAP_VM_TYPES 235
#endif
#ifndef KVM_CAP_GUEST_MEMFD_FLAGS
#define KVM_CAP_GUEST_MEMFD_FLAGS 244
#endif
#ifndef KVM_X86_SW_PROTECTED_VM
#define KVM_X86_SW_PROTECTED_VM 1
#endif
#ifndef KVM_CREATE_GUEST_MEMFD
#define KVM_CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)
struct kvm_create_guest_memfd {
	__u64 size;
	__u64 flags;
	__u64 reserved[6];
};
#endif
#ifndef GUEST_MEMFD_FLAG_MMAP
#define GUEST_MEMFD_FLAG_MMAP (1ULL << 0)
#endif

/* Return: NULL, or why a guest_memfd cannot be created and bound. */
const char *kvm_store_unavailable(void);
/* Create a VM with private memory if the kernel supports it, else an ordinary VM. */
int kvm_create_vm(void);
int kvm_check_vm(int vm, int cap);
int kvm_create_guest_memfd(int vm, uint64_t size, uint64_t flags);

/* A VM, and a guest_memfd that belongs to it. */
#define test_kvm_store(size, vm) ({					\
	int __store;							\
									\
	*(vm) = kvm_create_vm();					\
	ASSERT_GE(*(vm), 0);						\
	__store = kvm_create_guest_memfd(*(vm), size, 0);		\
	ASSERT_GE(__store, 0);						\
	__store;							\
})

#endif /* KVM_UTILS_H */
