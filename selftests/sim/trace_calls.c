// SPDX-License-Identifier: GPL-2.0
/* The ioctls that a trace can decode. */
#include <stddef.h>

#include "trace.h"

/*
 * A structure is a line of its members, each with how it is shown: as a Number, in heX, as an
 * Address, as the address of a Page, as a File, as Bytes, as a Segment, as a Command.
 */
#define FIELD(member, format) \
	{ #member, offsetof(T, member), sizeof(((T *)0)->member), format }
#define N(member) FIELD(member, TRACE_NUMBER)
#define X(member) FIELD(member, TRACE_HEX)
#define A(member) FIELD(member, TRACE_ADDRESS)
#define P(member) FIELD(member, TRACE_PAGE)
#define F(member) FIELD(member, TRACE_FILE)
#define B(member) FIELD(member, TRACE_BYTES)
#define S(member) FIELD(member, TRACE_SEGMENT)
#define C(member) FIELD(member, TRACE_COMMAND)
#define MEMBERS(name, ...)							\
static const struct trace_struct name = {					\
	sizeof(T), (const struct trace_field[]){ __VA_ARGS__ },			\
	sizeof((const struct trace_field[]){ __VA_ARGS__ }) /			\
	sizeof(struct trace_field),						\
}

#define T struct kvm_userspace_memory_region2
MEMBERS(region2, N(slot), X(flags), X(guest_phys_addr), X(memory_size), P(userspace_addr),
	X(guest_memfd_offset), F(guest_memfd));
#undef T
/* The older structure is the beginning of the newer one. */
#define T struct kvm_userspace_memory_region
MEMBERS(region1, N(slot), X(flags), X(guest_phys_addr), X(memory_size), P(userspace_addr));
#undef T

#define T struct kvm_memory_attributes
MEMBERS(attributes, X(address), X(size), X(attributes), X(flags));
#undef T

#define T struct kvm_create_guest_memfd
MEMBERS(gmem, X(size), X(flags));
#undef T

#define T struct kvm_pre_fault_memory
MEMBERS(prefault, X(gpa), X(size), X(flags));
#undef T

#define T struct kvm_enable_cap
MEMBERS(cap, N(cap), X(flags), X(args[0]));
#undef T

#define T struct kvm_device_attr
MEMBERS(attr, X(flags), N(group), N(attr), A(addr));
#undef T

#define T struct kvm_regs
MEMBERS(regs, X(rax), X(rbx), X(rcx), X(rdx), X(rsi), X(rdi), X(rsp), X(rbp), X(r8), X(r9), X(r10),
	X(r11), X(r12), X(r13), X(r14), X(r15), X(rip), X(rflags));
#undef T

#define T struct kvm_sregs
MEMBERS(sregs, S(cs), S(ds), S(es), S(fs), S(gs), S(ss), S(tr), S(ldt), X(gdt.base), X(gdt.limit),
	X(idt.base), X(idt.limit), X(cr0), X(cr2), X(cr3), X(cr4), X(cr8), X(efer), X(apic_base));
#undef T

#define T struct kvm_fpu
MEMBERS(fpu, X(fcw), X(fsw), X(ftwx), X(mxcsr));
#undef T

#define T struct kvm_xcrs
MEMBERS(xcrs, N(nr_xcrs), X(flags), N(xcrs[0].xcr), X(xcrs[0].value));
#undef T

/* What follows these two has the length that they say. */
#define T struct kvm_msrs
MEMBERS(msrs, N(nmsrs));
#undef T

#define T struct kvm_cpuid2
MEMBERS(cpuid, N(nent));
#undef T

#define T struct kvm_guest_debug
MEMBERS(debug, X(control));
#undef T

#define T struct snp_kvm_cmd
MEMBERS(cmd, C(id), A(data), X(error), F(sev_fd));
#undef T

#define T struct snp_sev_cmd
MEMBERS(sev, N(cmd), A(data), X(error));
#undef T

#define T struct snp_kvm_init2
MEMBERS(init2, X(vmsa_features), X(flags), N(ghcb_version));
#undef T

#define T struct snp_kvm_launch_start
MEMBERS(start, X(policy), B(gosvw), X(flags));
#undef T

#define T struct snp_kvm_launch_update
MEMBERS(update, X(gfn_start), P(uaddr), X(len), N(type), X(flags));
#undef T

#define T struct snp_kvm_launch_finish
MEMBERS(finish, A(id_block_uaddr), A(id_auth_uaddr), N(id_block_en), N(auth_key_en),
	N(vcek_disabled), B(host_data), X(flags));
#undef T

#define T struct realm_kvm_populate
MEMBERS(populate, X(base), X(size), P(source), X(flags), X(reserved));
#undef T

#define T struct realm_kvm_vcpu_init
MEMBERS(vcpu_init, N(target), X(features[0]));
#undef T

#define T struct kvm_create_device
MEMBERS(device, N(type), F(fd), X(flags));
#undef T

#define T struct kvm_one_reg
MEMBERS(reg, X(id), A(addr));
#undef T

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

static const struct trace_command commands[] = {
	{ SNP_KVM_INIT2, "KVM_SEV_INIT2", &init2 },
	{ SNP_KVM_LAUNCH_START, "KVM_SEV_SNP_LAUNCH_START", &start },
	{ SNP_KVM_LAUNCH_UPDATE, "KVM_SEV_SNP_LAUNCH_UPDATE", &update },
	{ SNP_KVM_LAUNCH_FINISH, "KVM_SEV_SNP_LAUNCH_FINISH", &finish },
	{ SNP_KVM_ENABLE_REQ_CERTS, "KVM_SEV_SNP_ENABLE_REQ_CERTS", NULL },
};

const struct trace_command *trace_command(uint32_t id)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].id == id)
			return &commands[i];
	return NULL;
}
