// SPDX-License-Identifier: GPL-2.0
/*
 * Compares gmemctl's own descriptions of KVM's and the PSP driver's ABI with a kernel's
 * headers. Compiled, but never run; -DLINUX=612 or 703 names the kernel of the headers.
 *
 * Structures that gmemctl defines if its headers are too old are renamed here, so that
 * both versions are visible.
 */
#include <stddef.h>

#define kvm_userspace_memory_region2 kernel_region2
#define kvm_memory_attributes kernel_memory_attributes
#define kvm_create_guest_memfd kernel_create_guest_memfd
#define kvm_pre_fault_memory kernel_pre_fault_memory
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <linux/psp-sev.h>

/*
 * Record the kernel's values before gmemctl defines the same names. The topmost bit of an
 * ioctl number is dropped, so that it fits into an int.
 */
#define KEEP(name) kernel_##name = (int)((name) & 0x7fffffff)
enum {
	KEEP(KVM_CAP_USER_MEMORY2),
	KEEP(KVM_CAP_MEMORY_FAULT_INFO),
	KEEP(KVM_CAP_MEMORY_ATTRIBUTES),
	KEEP(KVM_CAP_GUEST_MEMFD),
	KEEP(KVM_CAP_VM_TYPES),
	KEEP(KVM_CAP_PRE_FAULT_MEMORY),
	KEEP(KVM_X86_DEFAULT_VM),
	KEEP(KVM_X86_SW_PROTECTED_VM),
	KEEP(KVM_X86_SNP_VM),
	KEEP(KVM_MEM_GUEST_MEMFD),
	KEEP(KVM_EXIT_NOTIFY),
	KEEP(KVM_EXIT_MEMORY_FAULT),
	KEEP(KVM_MEMORY_EXIT_FLAG_PRIVATE),
	KEEP(KVM_SYSTEM_EVENT_SEV_TERM),
	KEEP(KVM_MEMORY_ATTRIBUTE_PRIVATE),
	KEEP(KVM_SET_USER_MEMORY_REGION2),
	KEEP(KVM_SET_MEMORY_ATTRIBUTES),
	KEEP(KVM_CREATE_GUEST_MEMFD),
	KEEP(KVM_PRE_FAULT_MEMORY),
#if LINUX >= 703
	KEEP(KVM_CAP_GUEST_MEMFD_FLAGS),
	KEEP(GUEST_MEMFD_FLAG_MMAP),
	KEEP(GUEST_MEMFD_FLAG_INIT_SHARED),
	KEEP(KVM_EXIT_SNP_REQ_CERTS),
#endif
};

#undef KVM_CAP_USER_MEMORY2
#undef KVM_CAP_MEMORY_FAULT_INFO
#undef KVM_CAP_MEMORY_ATTRIBUTES
#undef KVM_CAP_GUEST_MEMFD
#undef KVM_CAP_VM_TYPES
#undef KVM_CAP_PRE_FAULT_MEMORY
#undef KVM_X86_DEFAULT_VM
#undef KVM_X86_SW_PROTECTED_VM
#undef KVM_X86_SNP_VM
#undef KVM_MEM_GUEST_MEMFD
#undef KVM_EXIT_NOTIFY
#undef KVM_EXIT_MEMORY_FAULT
#undef KVM_MEMORY_EXIT_FLAG_PRIVATE
#undef KVM_SYSTEM_EVENT_SEV_TERM
#undef KVM_MEMORY_ATTRIBUTE_PRIVATE
#undef KVM_SET_USER_MEMORY_REGION2
#undef KVM_SET_MEMORY_ATTRIBUTES
#undef KVM_CREATE_GUEST_MEMFD
#undef KVM_PRE_FAULT_MEMORY
#undef KVM_CAP_GUEST_MEMFD_FLAGS
#undef GUEST_MEMFD_FLAG_MMAP
#undef GUEST_MEMFD_FLAG_INIT_SHARED
#undef KVM_EXIT_SNP_REQ_CERTS
#undef kvm_userspace_memory_region2
#undef kvm_memory_attributes
#undef kvm_create_guest_memfd
#undef kvm_pre_fault_memory

#include "../../tools/gmemctl/kvm/abi.h"
#include "../../tools/gmemctl/snp/abi.h"

#define EQUAL(ours, theirs) \
	_Static_assert((unsigned long)(ours) == (unsigned long)(theirs), \
		       #ours " is not " #theirs)
#define SAME(name) EQUAL((name) & 0x7fffffff, kernel_##name)
#define SIZE(ours, theirs) EQUAL(sizeof(struct ours), sizeof(struct theirs))
#define PAIR(ours, member, theirs, other)				\
	_Static_assert(offsetof(struct ours, member) ==			\
		       offsetof(struct theirs, other) &&		\
		       sizeof(((struct ours *)0)->member) ==		\
		       sizeof(((struct theirs *)0)->other),		\
		       #ours "." #member " is not " #theirs "." #other)
#define MEMBER(ours, theirs, member) PAIR(ours, member, theirs, member)

SAME(KVM_CAP_USER_MEMORY2);
SAME(KVM_CAP_MEMORY_FAULT_INFO);
SAME(KVM_CAP_MEMORY_ATTRIBUTES);
SAME(KVM_CAP_GUEST_MEMFD);
SAME(KVM_CAP_VM_TYPES);
SAME(KVM_CAP_PRE_FAULT_MEMORY);
SAME(KVM_X86_DEFAULT_VM);
SAME(KVM_X86_SW_PROTECTED_VM);
SAME(KVM_X86_SNP_VM);
SAME(KVM_MEM_GUEST_MEMFD);
SAME(KVM_EXIT_NOTIFY);
SAME(KVM_EXIT_MEMORY_FAULT);
SAME(KVM_MEMORY_EXIT_FLAG_PRIVATE);
SAME(KVM_SYSTEM_EVENT_SEV_TERM);
SAME(KVM_MEMORY_ATTRIBUTE_PRIVATE);
SAME(KVM_SET_USER_MEMORY_REGION2);
SAME(KVM_SET_MEMORY_ATTRIBUTES);
SAME(KVM_CREATE_GUEST_MEMFD);
SAME(KVM_PRE_FAULT_MEMORY);
#if LINUX >= 703
SAME(KVM_CAP_GUEST_MEMFD_FLAGS);
SAME(GUEST_MEMFD_FLAG_MMAP);
SAME(GUEST_MEMFD_FLAG_INIT_SHARED);
SAME(KVM_EXIT_SNP_REQ_CERTS);
#endif

SIZE(kvm_userspace_memory_region2, kernel_region2);
MEMBER(kvm_userspace_memory_region2, kernel_region2, slot);
MEMBER(kvm_userspace_memory_region2, kernel_region2, flags);
MEMBER(kvm_userspace_memory_region2, kernel_region2, guest_phys_addr);
MEMBER(kvm_userspace_memory_region2, kernel_region2, memory_size);
MEMBER(kvm_userspace_memory_region2, kernel_region2, userspace_addr);
MEMBER(kvm_userspace_memory_region2, kernel_region2, guest_memfd_offset);
MEMBER(kvm_userspace_memory_region2, kernel_region2, guest_memfd);
SIZE(kvm_memory_attributes, kernel_memory_attributes);
MEMBER(kvm_memory_attributes, kernel_memory_attributes, address);
MEMBER(kvm_memory_attributes, kernel_memory_attributes, size);
MEMBER(kvm_memory_attributes, kernel_memory_attributes, attributes);
MEMBER(kvm_memory_attributes, kernel_memory_attributes, flags);
SIZE(kvm_create_guest_memfd, kernel_create_guest_memfd);
MEMBER(kvm_create_guest_memfd, kernel_create_guest_memfd, size);
MEMBER(kvm_create_guest_memfd, kernel_create_guest_memfd, flags);
SIZE(kvm_pre_fault_memory, kernel_pre_fault_memory);
MEMBER(kvm_pre_fault_memory, kernel_pre_fault_memory, gpa);
MEMBER(kvm_pre_fault_memory, kernel_pre_fault_memory, size);
MEMBER(kvm_pre_fault_memory, kernel_pre_fault_memory, flags);

/* A member of kvm_run's union that older headers lack */
#define RUN_FAULT(member)						\
	EQUAL(offsetof(struct kvm_run, padding) +			\
	      offsetof(struct kvm_exit_memory_fault, member),		\
	      offsetof(struct kvm_run, memory_fault.member))
RUN_FAULT(flags);
RUN_FAULT(gpa);
RUN_FAULT(size);

/* KVM_MEMORY_ENCRYPT_OP */
EQUAL(SNP_KVM_INIT2, KVM_SEV_INIT2);
EQUAL(SNP_KVM_LAUNCH_START, KVM_SEV_SNP_LAUNCH_START);
EQUAL(SNP_KVM_LAUNCH_UPDATE, KVM_SEV_SNP_LAUNCH_UPDATE);
EQUAL(SNP_KVM_LAUNCH_FINISH, KVM_SEV_SNP_LAUNCH_FINISH);
EQUAL(SNP_KVM_GROUP_SEV, KVM_X86_GRP_SEV);
EQUAL(SNP_KVM_ATTR_VMSA_FEATURES, KVM_X86_SEV_VMSA_FEATURES);
#if LINUX >= 703
EQUAL(SNP_KVM_ENABLE_REQ_CERTS, KVM_SEV_SNP_ENABLE_REQ_CERTS);
EQUAL(SNP_KVM_ATTR_POLICY_BITS, KVM_X86_SNP_POLICY_BITS);
EQUAL(SNP_KVM_ATTR_REQ_CERTS, KVM_X86_SEV_SNP_REQ_CERTS);
#endif
SIZE(snp_kvm_cmd, kvm_sev_cmd);
MEMBER(snp_kvm_cmd, kvm_sev_cmd, id);
MEMBER(snp_kvm_cmd, kvm_sev_cmd, data);
MEMBER(snp_kvm_cmd, kvm_sev_cmd, error);
MEMBER(snp_kvm_cmd, kvm_sev_cmd, sev_fd);
SIZE(snp_kvm_init2, kvm_sev_init);
MEMBER(snp_kvm_init2, kvm_sev_init, vmsa_features);
MEMBER(snp_kvm_init2, kvm_sev_init, flags);
MEMBER(snp_kvm_init2, kvm_sev_init, ghcb_version);
SIZE(snp_kvm_launch_start, kvm_sev_snp_launch_start);
MEMBER(snp_kvm_launch_start, kvm_sev_snp_launch_start, policy);
MEMBER(snp_kvm_launch_start, kvm_sev_snp_launch_start, gosvw);
MEMBER(snp_kvm_launch_start, kvm_sev_snp_launch_start, flags);
SIZE(snp_kvm_launch_update, kvm_sev_snp_launch_update);
MEMBER(snp_kvm_launch_update, kvm_sev_snp_launch_update, gfn_start);
MEMBER(snp_kvm_launch_update, kvm_sev_snp_launch_update, uaddr);
MEMBER(snp_kvm_launch_update, kvm_sev_snp_launch_update, len);
MEMBER(snp_kvm_launch_update, kvm_sev_snp_launch_update, type);
MEMBER(snp_kvm_launch_update, kvm_sev_snp_launch_update, flags);
SIZE(snp_kvm_launch_finish, kvm_sev_snp_launch_finish);
MEMBER(snp_kvm_launch_finish, kvm_sev_snp_launch_finish, id_block_uaddr);
MEMBER(snp_kvm_launch_finish, kvm_sev_snp_launch_finish, id_auth_uaddr);
MEMBER(snp_kvm_launch_finish, kvm_sev_snp_launch_finish, id_block_en);
MEMBER(snp_kvm_launch_finish, kvm_sev_snp_launch_finish, auth_key_en);
MEMBER(snp_kvm_launch_finish, kvm_sev_snp_launch_finish, vcek_disabled);
MEMBER(snp_kvm_launch_finish, kvm_sev_snp_launch_finish, host_data);
MEMBER(snp_kvm_launch_finish, kvm_sev_snp_launch_finish, flags);

/* /dev/sev */
EQUAL(SNP_SEV_ISSUE_CMD, SEV_ISSUE_CMD);
EQUAL(SNP_SEV_PLATFORM_STATUS, SEV_PLATFORM_STATUS);
EQUAL(SNP_SEV_PEK_GEN, SEV_PEK_GEN);
EQUAL(SNP_SEV_SNP_PLATFORM_STATUS, SNP_PLATFORM_STATUS);
EQUAL(SNP_SEV_SNP_COMMIT, SNP_COMMIT);
EQUAL(SNP_SEV_SNP_SET_CONFIG, SNP_SET_CONFIG);
EQUAL(SNP_SEV_SNP_VLEK_LOAD, SNP_VLEK_LOAD);
SIZE(snp_sev_cmd, sev_issue_cmd);
MEMBER(snp_sev_cmd, sev_issue_cmd, cmd);
MEMBER(snp_sev_cmd, sev_issue_cmd, data);
MEMBER(snp_sev_cmd, sev_issue_cmd, error);
SIZE(snp_sev_status, sev_user_data_status);
MEMBER(snp_sev_status, sev_user_data_status, api_major);
MEMBER(snp_sev_status, sev_user_data_status, api_minor);
MEMBER(snp_sev_status, sev_user_data_status, state);
MEMBER(snp_sev_status, sev_user_data_status, flags);
MEMBER(snp_sev_status, sev_user_data_status, build);
MEMBER(snp_sev_status, sev_user_data_status, guest_count);
SIZE(snp_sev_snp_status, sev_user_data_snp_status);
PAIR(snp_sev_snp_status, current_tcb, sev_user_data_snp_status, current_tcb_version);
PAIR(snp_sev_snp_status, reported_tcb, sev_user_data_snp_status, reported_tcb_version);
MEMBER(snp_sev_snp_status, sev_user_data_snp_status, api_major);
MEMBER(snp_sev_snp_status, sev_user_data_snp_status, api_minor);
MEMBER(snp_sev_snp_status, sev_user_data_snp_status, state);
MEMBER(snp_sev_snp_status, sev_user_data_snp_status, build_id);
MEMBER(snp_sev_snp_status, sev_user_data_snp_status, guest_count);
SIZE(snp_sev_config, sev_user_data_snp_config);
MEMBER(snp_sev_config, sev_user_data_snp_config, reported_tcb);
