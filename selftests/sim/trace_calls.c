// SPDX-License-Identifier: GPL-2.0
/* The ioctls that a trace can decode. */
#include <stddef.h>

#include "trace.h"

#define FIELD(type, member, format) \
	{ #member, offsetof(type, member), sizeof(((type *)0)->member), format }
#define STRUCT(type, list) \
	{ sizeof(type), list, sizeof(list) / sizeof((list)[0]) }

#define REGION struct kvm_userspace_memory_region2
static const struct trace_field region_fields[] = {
	FIELD(REGION, slot, TRACE_NUMBER),
	FIELD(REGION, flags, TRACE_HEX),
	FIELD(REGION, guest_phys_addr, TRACE_HEX),
	FIELD(REGION, memory_size, TRACE_HEX),
	FIELD(REGION, userspace_addr, TRACE_PAGE),
	FIELD(REGION, guest_memfd_offset, TRACE_HEX),
	FIELD(REGION, guest_memfd, TRACE_FILE),
};
static const struct trace_struct region2 = STRUCT(REGION, region_fields);
/* The older structure is the beginning of the newer one. */
static const struct trace_struct region1 = {
	sizeof(struct kvm_userspace_memory_region), region_fields, 5,
};

#define ATTRIBUTES struct kvm_memory_attributes
static const struct trace_field attributes_fields[] = {
	FIELD(ATTRIBUTES, address, TRACE_HEX),
	FIELD(ATTRIBUTES, size, TRACE_HEX),
	FIELD(ATTRIBUTES, attributes, TRACE_HEX),
	FIELD(ATTRIBUTES, flags, TRACE_HEX),
};
static const struct trace_struct attributes =
	STRUCT(ATTRIBUTES, attributes_fields);

#define GMEM struct kvm_create_guest_memfd
static const struct trace_field gmem_fields[] = {
	FIELD(GMEM, size, TRACE_HEX),
	FIELD(GMEM, flags, TRACE_HEX),
};
static const struct trace_struct gmem = STRUCT(GMEM, gmem_fields);

#define PREFAULT struct kvm_pre_fault_memory
static const struct trace_field prefault_fields[] = {
	FIELD(PREFAULT, gpa, TRACE_HEX),
	FIELD(PREFAULT, size, TRACE_HEX),
	FIELD(PREFAULT, flags, TRACE_HEX),
};
static const struct trace_struct prefault = STRUCT(PREFAULT, prefault_fields);

#define CAP struct kvm_enable_cap
static const struct trace_field cap_fields[] = {
	FIELD(CAP, cap, TRACE_NUMBER),
	FIELD(CAP, flags, TRACE_HEX),
	{ "args[0]", offsetof(CAP, args), 8, TRACE_HEX },
};
static const struct trace_struct cap = STRUCT(CAP, cap_fields);

#define ATTR struct kvm_device_attr
static const struct trace_field attr_fields[] = {
	FIELD(ATTR, flags, TRACE_HEX),
	FIELD(ATTR, group, TRACE_NUMBER),
	FIELD(ATTR, attr, TRACE_NUMBER),
	FIELD(ATTR, addr, TRACE_ADDRESS),
};
static const struct trace_struct attr = STRUCT(ATTR, attr_fields);

#define REGS struct kvm_regs
static const struct trace_field regs_fields[] = {
	FIELD(REGS, rax, TRACE_HEX), FIELD(REGS, rbx, TRACE_HEX),
	FIELD(REGS, rcx, TRACE_HEX), FIELD(REGS, rdx, TRACE_HEX),
	FIELD(REGS, rsi, TRACE_HEX), FIELD(REGS, rdi, TRACE_HEX),
	FIELD(REGS, rsp, TRACE_HEX), FIELD(REGS, rbp, TRACE_HEX),
	FIELD(REGS, r8, TRACE_HEX), FIELD(REGS, r9, TRACE_HEX),
	FIELD(REGS, r10, TRACE_HEX), FIELD(REGS, r11, TRACE_HEX),
	FIELD(REGS, r12, TRACE_HEX), FIELD(REGS, r13, TRACE_HEX),
	FIELD(REGS, r14, TRACE_HEX), FIELD(REGS, r15, TRACE_HEX),
	FIELD(REGS, rip, TRACE_HEX), FIELD(REGS, rflags, TRACE_HEX),
};
static const struct trace_struct regs = STRUCT(REGS, regs_fields);

#define SREGS struct kvm_sregs
static const struct trace_field sregs_fields[] = {
	FIELD(SREGS, cs, TRACE_SEGMENT), FIELD(SREGS, ds, TRACE_SEGMENT),
	FIELD(SREGS, es, TRACE_SEGMENT), FIELD(SREGS, fs, TRACE_SEGMENT),
	FIELD(SREGS, gs, TRACE_SEGMENT), FIELD(SREGS, ss, TRACE_SEGMENT),
	FIELD(SREGS, tr, TRACE_SEGMENT), FIELD(SREGS, ldt, TRACE_SEGMENT),
	FIELD(SREGS, gdt.base, TRACE_HEX), FIELD(SREGS, gdt.limit, TRACE_HEX),
	FIELD(SREGS, idt.base, TRACE_HEX), FIELD(SREGS, idt.limit, TRACE_HEX),
	FIELD(SREGS, cr0, TRACE_HEX), FIELD(SREGS, cr2, TRACE_HEX),
	FIELD(SREGS, cr3, TRACE_HEX), FIELD(SREGS, cr4, TRACE_HEX),
	FIELD(SREGS, cr8, TRACE_HEX), FIELD(SREGS, efer, TRACE_HEX),
	FIELD(SREGS, apic_base, TRACE_HEX),
};
static const struct trace_struct sregs = STRUCT(SREGS, sregs_fields);

#define FPU struct kvm_fpu
static const struct trace_field fpu_fields[] = {
	FIELD(FPU, fcw, TRACE_HEX), FIELD(FPU, fsw, TRACE_HEX),
	FIELD(FPU, ftwx, TRACE_HEX), FIELD(FPU, mxcsr, TRACE_HEX),
};
static const struct trace_struct fpu = STRUCT(FPU, fpu_fields);

#define XCRS struct kvm_xcrs
static const struct trace_field xcrs_fields[] = {
	FIELD(XCRS, nr_xcrs, TRACE_NUMBER),
	FIELD(XCRS, flags, TRACE_HEX),
	{ "xcrs[0].xcr", offsetof(XCRS, xcrs), 4, TRACE_NUMBER },
	{ "xcrs[0].value", offsetof(XCRS, xcrs) + 8, 8, TRACE_HEX },
};
static const struct trace_struct xcrs = STRUCT(XCRS, xcrs_fields);

/* What follows these two has the length that they say. */
static const struct trace_field msrs_fields[] = {
	FIELD(struct kvm_msrs, nmsrs, TRACE_NUMBER),
};
static const struct trace_struct msrs = STRUCT(struct kvm_msrs, msrs_fields);

static const struct trace_field cpuid_fields[] = {
	FIELD(struct kvm_cpuid2, nent, TRACE_NUMBER),
};
static const struct trace_struct cpuid =
	STRUCT(struct kvm_cpuid2, cpuid_fields);

static const struct trace_field debug_fields[] = {
	FIELD(struct kvm_guest_debug, control, TRACE_HEX),
};
static const struct trace_struct debug =
	STRUCT(struct kvm_guest_debug, debug_fields);

#define CMD struct snp_kvm_cmd
static const struct trace_field cmd_fields[] = {
	FIELD(CMD, id, TRACE_COMMAND),
	FIELD(CMD, data, TRACE_ADDRESS),
	FIELD(CMD, error, TRACE_HEX),
	FIELD(CMD, sev_fd, TRACE_FILE),
};
static const struct trace_struct cmd = STRUCT(CMD, cmd_fields);

#define SEV struct snp_sev_cmd
static const struct trace_field sev_fields[] = {
	FIELD(SEV, cmd, TRACE_NUMBER),
	FIELD(SEV, data, TRACE_ADDRESS),
	FIELD(SEV, error, TRACE_HEX),
};
static const struct trace_struct sev = STRUCT(SEV, sev_fields);

#define INIT2 struct snp_kvm_init2
static const struct trace_field init2_fields[] = {
	FIELD(INIT2, vmsa_features, TRACE_HEX),
	FIELD(INIT2, flags, TRACE_HEX),
	FIELD(INIT2, ghcb_version, TRACE_NUMBER),
};
static const struct trace_struct init2 = STRUCT(INIT2, init2_fields);

#define START struct snp_kvm_launch_start
static const struct trace_field start_fields[] = {
	FIELD(START, policy, TRACE_HEX),
	FIELD(START, gosvw, TRACE_BYTES),
	FIELD(START, flags, TRACE_HEX),
};
static const struct trace_struct start = STRUCT(START, start_fields);

#define UPDATE struct snp_kvm_launch_update
static const struct trace_field update_fields[] = {
	FIELD(UPDATE, gfn_start, TRACE_HEX),
	FIELD(UPDATE, uaddr, TRACE_PAGE),
	FIELD(UPDATE, len, TRACE_HEX),
	FIELD(UPDATE, type, TRACE_NUMBER),
	FIELD(UPDATE, flags, TRACE_HEX),
};
static const struct trace_struct update = STRUCT(UPDATE, update_fields);

#define FINISH struct snp_kvm_launch_finish
static const struct trace_field finish_fields[] = {
	FIELD(FINISH, id_block_uaddr, TRACE_ADDRESS),
	FIELD(FINISH, id_auth_uaddr, TRACE_ADDRESS),
	FIELD(FINISH, id_block_en, TRACE_NUMBER),
	FIELD(FINISH, auth_key_en, TRACE_NUMBER),
	FIELD(FINISH, vcek_disabled, TRACE_NUMBER),
	FIELD(FINISH, host_data, TRACE_BYTES),
	FIELD(FINISH, flags, TRACE_HEX),
};
static const struct trace_struct finish = STRUCT(FINISH, finish_fields);

#define POPULATE struct realm_kvm_populate
static const struct trace_field populate_fields[] = {
	FIELD(POPULATE, base, TRACE_HEX),
	FIELD(POPULATE, size, TRACE_HEX),
	FIELD(POPULATE, source, TRACE_PAGE),
	FIELD(POPULATE, flags, TRACE_HEX),
	FIELD(POPULATE, reserved, TRACE_HEX),
};
static const struct trace_struct populate = STRUCT(POPULATE, populate_fields);

#define VCPU_INIT struct realm_kvm_vcpu_init
static const struct trace_field vcpu_init_fields[] = {
	FIELD(VCPU_INIT, target, TRACE_NUMBER),
	{ "features[0]", offsetof(VCPU_INIT, features), 4, TRACE_HEX },
};
static const struct trace_struct vcpu_init =
	STRUCT(VCPU_INIT, vcpu_init_fields);

#define DEVICE struct kvm_create_device
static const struct trace_field device_fields[] = {
	FIELD(DEVICE, type, TRACE_NUMBER),
	FIELD(DEVICE, fd, TRACE_FILE),
	FIELD(DEVICE, flags, TRACE_HEX),
};
static const struct trace_struct device = STRUCT(DEVICE, device_fields);

#define REG struct kvm_one_reg
static const struct trace_field reg_fields[] = {
	FIELD(REG, id, TRACE_HEX),
	FIELD(REG, addr, TRACE_ADDRESS),
};
static const struct trace_struct reg = STRUCT(REG, reg_fields);

/* Only that there is one is written down. */
static const struct trace_struct opaque = { 0, NULL, 0 };

#define CALL(kind, request, arg) { kind, request, #request, arg }

static const struct trace_call calls[] = {
	CALL(SIM_KVM, KVM_GET_API_VERSION, NULL),
	CALL(SIM_KVM, KVM_CREATE_VM, NULL),
	CALL(SIM_KVM, KVM_GET_VCPU_MMAP_SIZE, NULL),
	CALL(SIM_KVM, KVM_GET_SUPPORTED_CPUID, &cpuid),
	CALL(SIM_KVM, KVM_GET_DEVICE_ATTR, &attr),
	CALL(SIM_FREE, KVM_CHECK_EXTENSION, NULL),
	CALL(SIM_VM, KVM_CREATE_VCPU, NULL),
	CALL(SIM_VM, KVM_ENABLE_CAP, &cap),
	CALL(SIM_VM, KVM_CREATE_IRQCHIP, NULL),
	CALL(SIM_VM, KVM_CREATE_PIT2, &opaque),
	CALL(SIM_VM, KVM_SET_TSS_ADDR, NULL),
	CALL(SIM_VM, KVM_SET_IDENTITY_MAP_ADDR, &opaque),
	CALL(SIM_VM, KVM_IRQ_LINE, &opaque),
	CALL(SIM_VM, KVM_SET_USER_MEMORY_REGION, &region1),
	CALL(SIM_VM, KVM_SET_USER_MEMORY_REGION2, &region2),
	CALL(SIM_VM, KVM_SET_MEMORY_ATTRIBUTES, &attributes),
	CALL(SIM_VM, KVM_CREATE_GUEST_MEMFD, &gmem),
	CALL(SIM_VM, KVM_MEMORY_ENCRYPT_OP, &cmd),
	CALL(SIM_VCPU, KVM_RUN, NULL),
	CALL(SIM_VCPU, KVM_GET_REGS, &regs),
	CALL(SIM_VCPU, KVM_SET_REGS, &regs),
	CALL(SIM_VCPU, KVM_GET_SREGS, &sregs),
	CALL(SIM_VCPU, KVM_SET_SREGS, &sregs),
	CALL(SIM_VCPU, KVM_GET_FPU, &fpu),
	CALL(SIM_VCPU, KVM_SET_FPU, &fpu),
	CALL(SIM_VCPU, KVM_SET_XCRS, &xcrs),
	CALL(SIM_VCPU, KVM_GET_XSAVE, &opaque),
	CALL(SIM_VCPU, KVM_SET_XSAVE, &opaque),
	CALL(SIM_VCPU, KVM_GET_MSRS, &msrs),
	CALL(SIM_VCPU, KVM_SET_MSRS, &msrs),
	CALL(SIM_VCPU, KVM_GET_CPUID2, &cpuid),
	CALL(SIM_VCPU, KVM_SET_CPUID2, &cpuid),
	CALL(SIM_VCPU, KVM_SET_DEBUGREGS, &opaque),
	CALL(SIM_VCPU, KVM_GET_MP_STATE, &opaque),
	CALL(SIM_VCPU, KVM_SET_MP_STATE, &opaque),
	CALL(SIM_VCPU, KVM_GET_TSC_KHZ, NULL),
	CALL(SIM_VCPU, KVM_SET_GUEST_DEBUG, &debug),
	CALL(SIM_VCPU, KVM_PRE_FAULT_MEMORY, &prefault),
	CALL(SIM_VM, KVM_CREATE_DEVICE, &device),
	CALL(SIM_VCPU, KVM_SET_ONE_REG, &reg),
	CALL(SIM_VCPU, KVM_GET_ONE_REG, &reg),
	CALL(SIM_GIC, KVM_SET_DEVICE_ATTR, &attr),
	{ SIM_VM, REALM_POPULATE, "KVM_ARM_RMI_POPULATE", &populate },
	{ SIM_VM, REALM_PREFERRED_TARGET, "KVM_ARM_PREFERRED_TARGET",
	  &vcpu_init },
	{ SIM_VCPU, REALM_VCPU_INIT, "KVM_ARM_VCPU_INIT", &vcpu_init },
	{ SIM_SEV, SNP_SEV_ISSUE_CMD, "SEV_ISSUE_CMD", &sev },
};

const struct trace_call *trace_call_find(enum sim_kind kind,
					 unsigned long request)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].request == request &&
		    (calls[i].kind == kind || calls[i].kind == SIM_FREE))
			return &calls[i];
	return NULL;
}

static const struct {
	uint32_t id;
	const char *name;
	const struct trace_struct *data;
} commands[] = {
	{ SNP_KVM_INIT2, "KVM_SEV_INIT2", &init2 },
	{ SNP_KVM_LAUNCH_START, "KVM_SEV_SNP_LAUNCH_START", &start },
	{ SNP_KVM_LAUNCH_UPDATE, "KVM_SEV_SNP_LAUNCH_UPDATE", &update },
	{ SNP_KVM_LAUNCH_FINISH, "KVM_SEV_SNP_LAUNCH_FINISH", &finish },
	{ SNP_KVM_ENABLE_REQ_CERTS, "KVM_SEV_SNP_ENABLE_REQ_CERTS", NULL },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const struct trace_struct *trace_command(uint32_t id)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].id == id)
			return commands[i].data;
	return NULL;
}

const char *trace_command_name(uint32_t id)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].id == id)
			return commands[i].name;
	return NULL;
}
