/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ABI of KVM and of the PSP driver for SNP guests. The names differ from those of the kernel,
 * because only some kernel headers have these structures.
 */
#ifndef GMEMCTL_SNP_ABI_H
#define GMEMCTL_SNP_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "../kvm/abi.h"

#define SNP_DEVICE_PATH "/dev/sev"


#ifndef KVM_PRE_FAULT_MEMORY
struct kvm_pre_fault_memory {
	uint64_t gpa;
	uint64_t size;
	uint64_t flags;
	uint64_t padding[5];
};
#define KVM_PRE_FAULT_MEMORY _IOWR(KVMIO, 0xd5, struct kvm_pre_fault_memory)
#endif
#ifndef KVM_CAP_PRE_FAULT_MEMORY
#define KVM_CAP_PRE_FAULT_MEMORY 236
#endif

/* KVM_GET_DEVICE_ATTR on /dev/kvm */
#define SNP_KVM_GROUP_SEV 1
#define SNP_KVM_ATTR_VMSA_FEATURES 0
#define SNP_KVM_ATTR_POLICY_BITS 1
#define SNP_KVM_ATTR_REQ_CERTS 2

/* Sub-commands of KVM_MEMORY_ENCRYPT_OP */
enum snp_kvm_command {
	SNP_KVM_INIT2 = 22,
	SNP_KVM_LAUNCH_START = 100,
	SNP_KVM_LAUNCH_UPDATE = 101,
	SNP_KVM_LAUNCH_FINISH = 102,
	SNP_KVM_ENABLE_REQ_CERTS = 103,
};

/**
 * struct snp_kvm_cmd - argument of KVM_MEMORY_ENCRYPT_OP
 * @id: enum snp_kvm_command
 * @data: address of the structure of the command
 * @error: out: error of the firmware. KVM does not clear it: clear it before each call.
 * @sev_fd: number of the open /dev/sev
 */
struct snp_kvm_cmd {
	uint32_t id;
	uint32_t pad0;
	uint64_t data;
	uint32_t error;
	uint32_t sev_fd;
};

struct snp_kvm_init2 {
	uint64_t vmsa_features;
	uint32_t flags;
	uint16_t ghcb_version;
	uint16_t pad1;
	uint32_t pad2[8];
};

struct snp_kvm_launch_start {
	uint64_t policy;
	uint8_t gosvw[16];
	uint16_t flags;
	uint8_t pad0[6];
	uint64_t pad1[4];
};

/**
 * struct snp_kvm_launch_update - argument of KVM_SEV_SNP_LAUNCH_UPDATE
 *
 * KVM can process a part of the request. It advances gfn_start, uaddr and len by this part.
 */
struct snp_kvm_launch_update {
	uint64_t gfn_start;
	uint64_t uaddr;
	uint64_t len;
	uint8_t type;
	uint8_t pad0;
	uint16_t flags;
	uint32_t pad1;
	uint64_t pad2[4];
};

struct snp_kvm_launch_finish {
	uint64_t id_block_uaddr;
	uint64_t id_auth_uaddr;
	uint8_t id_block_en;
	uint8_t auth_key_en;
	uint8_t vcek_disabled;
	uint8_t host_data[32];
	uint8_t pad0[3];
	uint16_t flags;
	uint64_t pad1[4];
};

_Static_assert(sizeof(struct snp_kvm_cmd) == 24, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_cmd, error) == 0x10, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_cmd, sev_fd) == 0x14, "KVM ABI");
_Static_assert(sizeof(struct snp_kvm_init2) == 48, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_init2, ghcb_version) == 0xc, "KVM ABI");
_Static_assert(sizeof(struct snp_kvm_launch_start) == 64, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_launch_start, flags) == 0x18, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_launch_start, pad1) == 0x20, "KVM ABI");
_Static_assert(sizeof(struct snp_kvm_launch_update) == 64, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_launch_update, type) == 0x18, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_launch_update, flags) == 0x1a, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_launch_update, pad2) == 0x20, "KVM ABI");
_Static_assert(sizeof(struct snp_kvm_launch_finish) == 88, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_launch_finish, host_data) == 0x13, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_launch_finish, flags) == 0x36, "KVM ABI");
_Static_assert(offsetof(struct snp_kvm_launch_finish, pad1) == 0x38, "KVM ABI");

/* The CPUID page. The firmware checks it, and returns corrected values. */
#define SNP_CPUID_ENTRIES 64

struct snp_cpuid_entry {
	uint32_t eax_in, ecx_in;
	uint64_t xcr0_in, xss_in;
	uint32_t eax, ebx, ecx, edx;
	uint64_t reserved;
};

struct snp_cpuid_page {
	uint32_t count;
	uint32_t reserved1;
	uint64_t reserved2;
	struct snp_cpuid_entry entries[SNP_CPUID_ENTRIES];
	uint8_t unused[4096 - 16 - SNP_CPUID_ENTRIES * 48];
};

_Static_assert(sizeof(struct snp_cpuid_entry) == 48, "SNP firmware ABI");
_Static_assert(sizeof(struct snp_cpuid_page) == 4096, "SNP firmware ABI");

/* /dev/sev */
enum snp_sev_command {
	SNP_SEV_PLATFORM_STATUS = 1,
	SNP_SEV_PEK_GEN = 2,
	SNP_SEV_SNP_PLATFORM_STATUS = 9,
	SNP_SEV_SNP_COMMIT = 10,
	SNP_SEV_SNP_SET_CONFIG = 11,
	SNP_SEV_SNP_VLEK_LOAD = 12,
	SNP_SEV_MAX = 13,
};

struct snp_sev_cmd {
	uint32_t cmd;
	uint64_t data;
	uint32_t error;
} __attribute__((packed));

struct snp_sev_status {
	uint8_t api_major, api_minor, state;
	uint32_t flags;
	uint8_t build;
	uint32_t guest_count;
} __attribute__((packed));

/*
 * Bits of platform_init of SNP_PLATFORM_STATUS. Linux has a name for the first one. The second one
 * is from the SEV-SNP firmware ABI and the library sev of virtee. It is set if the firmware has
 * checked since the last reset that no two addresses are the same memory. Firmware 1.55.22 of
 * Milan and 1.55.38 of Genoa are the first versions that set it.
 */
#define SNP_INIT_RMP 1
#define SNP_INIT_ALIAS_CHECK 2

struct snp_sev_snp_status {
	uint8_t api_major, api_minor, state;
	uint8_t platform_init;
	uint32_t build_id;
	uint32_t bits;
	uint32_t guest_count;
	uint64_t current_tcb;
	uint64_t reported_tcb;
};

struct snp_sev_config {
	uint64_t reported_tcb;
	uint32_t bits;
	uint8_t reserved[52];
};

#define SNP_SEV_ISSUE_CMD _IOWR('S', 0, struct snp_sev_cmd)

_Static_assert(sizeof(struct snp_sev_cmd) == 16, "PSP ABI");
_Static_assert(sizeof(struct snp_sev_status) == 12, "PSP ABI");
_Static_assert(sizeof(struct snp_sev_snp_status) == 32, "PSP ABI");
_Static_assert(offsetof(struct snp_sev_snp_status, current_tcb) == 0x10, "PSP ABI");
_Static_assert(sizeof(struct snp_sev_config) == 64, "PSP ABI");
_Static_assert(SNP_SEV_ISSUE_CMD == 0xc0105300, "PSP ABI");
_Static_assert(KVM_MEMORY_ENCRYPT_OP == 0xc008aeba, "KVM ABI");

/* Status codes of the firmware that a launch can return */
enum snp_fw_error {
	SNP_FW_SUCCESS = 0,
	SNP_FW_INVALID_GUEST_STATE = 2,
	SNP_FW_POLICY_FAILURE = 7,
	SNP_FW_BAD_SIGNATURE = 0xa,
	SNP_FW_BAD_MEASUREMENT = 0xb,
	SNP_FW_INVALID_PARAM = 0x16,
};

/** snp_fw_error_name() - name of a status code in AMD's specification; never NULL */
const char *snp_fw_error_name(uint32_t code);

/** snp_fw_error_hint() - what to do about a status code of a launch, or NULL */
const char *snp_fw_error_hint(uint32_t code);

#define SNP_POLICY_ABI_MINOR 0xffULL
#define SNP_POLICY_ABI_MAJOR 0xff00ULL
#define SNP_POLICY_SMT (1ULL << 16)
#define SNP_POLICY_RESERVED_ONE (1ULL << 17)
#define SNP_POLICY_MIGRATE_MA (1ULL << 18)
#define SNP_POLICY_DEBUG (1ULL << 19)
#define SNP_POLICY_SINGLE_SOCKET (1ULL << 20)
/* Bits that some version of the firmware knows; bit 17 is always set. */
#define SNP_POLICY_KNOWN ((1ULL << 26) - 1)

/* The policy of a launch without --policy */
#define SNP_POLICY_DEFAULT (SNP_POLICY_SMT | SNP_POLICY_RESERVED_ONE)

/**
 * snp_policy_format() - describe a policy: the minimum ABI version, and what it allows
 *
 * Return: @text.
 */
char *snp_policy_format(uint64_t policy, char *text, size_t size);

/**
 * snp_termination_format() - describe a KVM_SYSTEM_EVENT_SEV_TERM
 * @msr: first word of the event: the value that the guest has written to the GHCB MSR, or the
 *	address of its GHCB, which has no reason
 *
 * Return: @text.
 */
char *snp_termination_format(uint64_t msr, char *text, size_t size);

#endif /* GMEMCTL_SNP_ABI_H */
