/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ABI of KVM for realms of Arm's Confidential Compute Architecture. No released
 * kernel has it. Numbers and structures are those of version 14 of the series
 * "arm64: Support for Arm CCA in KVM" (Steven Price, 13 May 2026), patches 13,
 * 16 and 26. The names differ from those of the kernel. Definitions of arm64's <asm/kvm.h> are
 * repeated here, so that the code is compiled and tested on other architectures, too.
 */
#ifndef GMEMCTL_REALM_ABI_H
#define GMEMCTL_REALM_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "../kvm/abi.h"

/* The version of the series */
#define REALM_ABI "v14"

/*
 * The capability of realms. Its number differs between versions of the series, and other kernels
 * use the same numbers for other capabilities.
 */
#define REALM_CAP_RMI 249

/* The argument of KVM_CREATE_VM: the type of the VM, and the number of bits of guest addresses */
#define REALM_VM_TYPE (1UL << 30)
#define REALM_VM_TYPE_PROTECTED (1UL << 31)
#define REALM_VM_IPA_MASK 0xffUL
#define REALM_IPA_BITS_MIN 32
#define REALM_IPA_BITS_DEFAULT 40
#define REALM_IPA_BITS_MAX 52

/**
 * struct realm_kvm_populate - argument of KVM_ARM_RMI_POPULATE
 * @base: guest physical address
 * @size: size in bytes
 * @source: address of the contents in the process
 * @flags: REALM_POPULATE_MEASURE
 * @reserved: 0
 *
 * KVM can process a part of the request. It advances base, size and source by this part, and writes
 * the structure also after a failure.
 */
struct realm_kvm_populate {
	uint64_t base;
	uint64_t size;
	uint64_t source;
	uint32_t flags;
	uint32_t reserved;
};

#define REALM_POPULATE _IOWR(KVMIO, 0xd7, struct realm_kvm_populate)
#define REALM_POPULATE_MEASURE (1U << 0)

_Static_assert(sizeof(struct realm_kvm_populate) == 32, "KVM ABI");
_Static_assert(offsetof(struct realm_kvm_populate, size) == 0x8, "KVM ABI");
_Static_assert(offsetof(struct realm_kvm_populate, source) == 0x10, "KVM ABI");
_Static_assert(offsetof(struct realm_kvm_populate, flags) == 0x18, "KVM ABI");
_Static_assert(offsetof(struct realm_kvm_populate, reserved) == 0x1c, "KVM ABI");
_Static_assert(REALM_POPULATE == 0xc020aed7, "KVM ABI");

/* The following definitions are the ABI of every VM on arm64. */

struct realm_kvm_vcpu_init {
	uint32_t target;
	uint32_t features[7];
};

#define REALM_VCPU_INIT _IOW(KVMIO, 0xae, struct realm_kvm_vcpu_init)
#define REALM_PREFERRED_TARGET _IOR(KVMIO, 0xaf, struct realm_kvm_vcpu_init)
#define REALM_TARGET_GENERIC_V8 5

/* Bits of features[0] */
#define REALM_VCPU_POWER_OFF 0
#define REALM_VCPU_EL1_32BIT 1
#define REALM_VCPU_PSCI_0_2 2

_Static_assert(sizeof(struct realm_kvm_vcpu_init) == 32, "KVM ABI");
_Static_assert(offsetof(struct realm_kvm_vcpu_init, features) == 4, "KVM ABI");
_Static_assert(REALM_VCPU_INIT == 0x4020aeae, "KVM ABI");
_Static_assert(REALM_PREFERRED_TARGET == 0x8020aeaf, "KVM ABI");

/* KVM_SET_ONE_REG: core registers of 64 bits; the number is an index of 32-bit words */
#define REALM_REG_CORE UINT64_C(0x6030000000100000)
#define REALM_REG_X(number) (REALM_REG_CORE + 2 * (uint64_t)(number))
#define REALM_REG_X_COUNT 31
#define REALM_REG_PC (REALM_REG_CORE + 0x40)

_Static_assert(sizeof(struct kvm_one_reg) == 16, "KVM ABI");
_Static_assert(offsetof(struct kvm_one_reg, addr) == 8, "KVM ABI");
_Static_assert(KVM_SET_ONE_REG == 0x4010aeac, "KVM ABI");

/* The interrupt controller, which must be a GICv3 in the kernel */
#define REALM_GIC_TYPE 7
#define REALM_GIC_GROUP_ADDR 0
#define REALM_GIC_GROUP_CTRL 4
#define REALM_GIC_ADDR_DIST 2
#define REALM_GIC_ADDR_REDIST 3
#define REALM_GIC_CTRL_INIT 0
#define REALM_GIC_DIST_SIZE UINT64_C(0x10000)
/* Size of the redistributor of one vCPU */
#define REALM_GIC_REDIST_SIZE UINT64_C(0x20000)

_Static_assert(sizeof(struct kvm_create_device) == 12, "KVM ABI");
_Static_assert(offsetof(struct kvm_create_device, fd) == 4, "KVM ABI");
_Static_assert(offsetof(struct kvm_create_device, flags) == 8, "KVM ABI");
_Static_assert(sizeof(struct kvm_device_attr) == 24, "KVM ABI");
_Static_assert(offsetof(struct kvm_device_attr, attr) == 8, "KVM ABI");
_Static_assert(offsetof(struct kvm_device_attr, addr) == 16, "KVM ABI");
_Static_assert(KVM_CREATE_DEVICE == 0xc00caee0, "KVM ABI");
_Static_assert(KVM_SET_DEVICE_ATTR == 0x4018aee1, "KVM ABI");
_Static_assert(KVM_DEV_TYPE_ARM_VGIC_V3 == REALM_GIC_TYPE, "KVM ABI");
_Static_assert(KVM_CAP_ARM_VM_IPA_SIZE == 165, "KVM ABI");

/* Definitions that the kernel's headers also have must be the same. */
#ifdef __aarch64__
_Static_assert(sizeof(struct kvm_vcpu_init) == sizeof(struct realm_kvm_vcpu_init), "KVM ABI");
_Static_assert(KVM_ARM_VCPU_INIT == REALM_VCPU_INIT, "KVM ABI");
_Static_assert(KVM_ARM_PREFERRED_TARGET == REALM_PREFERRED_TARGET, "KVM ABI");
_Static_assert(KVM_ARM_TARGET_GENERIC_V8 == REALM_TARGET_GENERIC_V8, "KVM ABI");
_Static_assert(KVM_ARM_VCPU_POWER_OFF == REALM_VCPU_POWER_OFF, "KVM ABI");
_Static_assert(KVM_ARM_VCPU_EL1_32BIT == REALM_VCPU_EL1_32BIT, "KVM ABI");
_Static_assert(KVM_ARM_VCPU_PSCI_0_2 == REALM_VCPU_PSCI_0_2, "KVM ABI");
_Static_assert((KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		KVM_REG_ARM_CORE_REG(regs.regs[30])) == REALM_REG_X(30), "KVM ABI");
_Static_assert((KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		KVM_REG_ARM_CORE_REG(regs.pc)) == REALM_REG_PC, "KVM ABI");
_Static_assert(KVM_VM_TYPE_ARM_IPA_SIZE_MASK == REALM_VM_IPA_MASK, "KVM ABI");
_Static_assert(KVM_DEV_ARM_VGIC_GRP_ADDR == REALM_GIC_GROUP_ADDR, "KVM ABI");
_Static_assert(KVM_DEV_ARM_VGIC_GRP_CTRL == REALM_GIC_GROUP_CTRL, "KVM ABI");
_Static_assert(KVM_DEV_ARM_VGIC_CTRL_INIT == REALM_GIC_CTRL_INIT, "KVM ABI");
_Static_assert(KVM_VGIC_V3_ADDR_TYPE_DIST == REALM_GIC_ADDR_DIST, "KVM ABI");
_Static_assert(KVM_VGIC_V3_ADDR_TYPE_REDIST == REALM_GIC_ADDR_REDIST, "KVM ABI");
#endif
#ifdef KVM_ARM_RMI_POPULATE
_Static_assert(KVM_ARM_RMI_POPULATE == REALM_POPULATE, "KVM ABI");
_Static_assert(sizeof(struct kvm_arm_rmi_populate) == sizeof(struct realm_kvm_populate), "KVM ABI");
#endif

#endif /* GMEMCTL_REALM_ABI_H */
