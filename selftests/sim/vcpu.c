// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a vCPU, as KVM keeps them until the firmware takes them, and the VMSA that
 * KVM makes of them then. That is written byte by byte at the offsets of the AMD manual, and
 * not with the structure of snp/vmsa.h: a mistake there is to show here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "internal.h"

#define MSRS_MAX 64
#define PAT_RESET UINT64_C(0x0007040600070406)

/**
 * struct place - an MSR that the VMSA has; all others are read as zero
 * @offset: in the VMSA
 * @reset: what it is before anybody writes to it
 */
struct place {
	uint32_t index;
	uint32_t offset;
	uint64_t reset;
};

static const struct place places[SIM_MSRS] = {
	{ 0xda0, 0x140, 0 },			/* XSS */
	{ 0xc0000081, 0x200, 0 },		/* STAR */
	{ 0xc0000082, 0x208, 0 },		/* LSTAR */
	{ 0xc0000083, 0x210, 0 },		/* CSTAR */
	{ 0xc0000084, 0x218, 0 },		/* SFMASK */
	{ 0xc0000102, 0x220, 0 },		/* KERNEL_GS_BASE */
	{ 0x174, 0x228, 0 },			/* SYSENTER_CS */
	{ 0x175, 0x230, 0 },			/* SYSENTER_ESP */
	{ 0x176, 0x238, 0 },			/* SYSENTER_EIP */
	{ 0x277, 0x268, PAT_RESET },		/* PAT */
	{ 0x48, 0x2e0, 0 },			/* SPEC_CTRL */
};

static uint64_t *find(struct sim_vcpu *vcpu, uint32_t index)
{
	for (int i = 0; i < SIM_MSRS; i++)
		if (places[i].index == index)
			return &vcpu->msrs[i];
	return NULL;
}

static int access_one(struct sim *sim, struct sim_vcpu *vcpu, uint64_t at, bool write)
{
	struct kvm_msr_entry entry;
	uint64_t *value;

	if (sim_in(sim, &entry, at, sizeof(entry)))
		return -EFAULT;
	value = find(vcpu, entry.index);
	if (write) {
		if (value)
			*value = entry.data;
		return 0;
	}
	entry.data = value ? *value : 0;
	return sim_out(sim, at, &entry, sizeof(entry));
}

/* KVM_SET_MSRS or KVM_GET_MSRS. Return: how many. */
static int msrs(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg, bool write)
{
	struct kvm_msrs header;
	int rc = 0;

	if (sim_in(sim, &header, arg, sizeof(header)))
		return -EFAULT;
	if (header.nmsrs > MSRS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < header.nmsrs && !rc; i++)
		rc = access_one(sim, vcpu, arg + sizeof(header) +
				i * sizeof(struct kvm_msr_entry), write);
	return rc ? rc : (int)header.nmsrs;
}

static void put_segment(uint8_t *at, const struct kvm_segment *segment)
{
	unsigned int attributes = (segment->type & 15u) |
				  (segment->s & 1u) << 4 |
				  (segment->dpl & 3u) << 5 |
				  (segment->avl & 1u) << 8 |
				  (segment->l & 1u) << 9 |
				  (segment->db & 1u) << 10 |
				  (segment->g & 1u) << 11;

	if (segment->present && !segment->unusable)
		attributes |= 1u << 7;
	bytes_put16(at, segment->selector);
	bytes_put16(at + 2, (uint16_t)attributes);
	bytes_put32(at + 4, segment->limit);
	bytes_put64(at + 8, segment->base);
}

static void put_table(uint8_t *at, const struct kvm_dtable *table)
{
	bytes_put32(at + 4, table->limit);
	bytes_put64(at + 8, table->base);
}

static void put_sregs(uint8_t *page, const struct kvm_sregs *sregs)
{
	put_segment(page + 0x00, &sregs->es);
	put_segment(page + 0x10, &sregs->cs);
	put_segment(page + 0x20, &sregs->ss);
	put_segment(page + 0x30, &sregs->ds);
	put_segment(page + 0x40, &sregs->fs);
	put_segment(page + 0x50, &sregs->gs);
	put_table(page + 0x60, &sregs->gdt);
	put_segment(page + 0x70, &sregs->ldt);
	put_table(page + 0x80, &sregs->idt);
	put_segment(page + 0x90, &sregs->tr);
	page[0xcb] = sregs->ss.dpl & 3;
	/* SVM needs EFER.SVME; a guest's CR4.MCE is the host's. */
	bytes_put64(page + 0xd0, sregs->efer | 0x1000);
	bytes_put64(page + 0x148, sregs->cr4 | 0x40);
	bytes_put64(page + 0x150, sregs->cr3);
	/* KVM runs guests with caches on. */
	bytes_put64(page + 0x158, sregs->cr0 & ~UINT64_C(0x60000000));
	bytes_put64(page + 0x160, 0x400);
	bytes_put64(page + 0x168, 0xffff0ff0);
	bytes_put64(page + 0x240, sregs->cr2);
}

static void put_regs(uint8_t *page, const struct kvm_regs *regs)
{
	const uint64_t high[8] = {
		regs->r8, regs->r9, regs->r10, regs->r11,
		regs->r12, regs->r13, regs->r14, regs->r15,
	};

	bytes_put64(page + 0x170, regs->rflags | 2);
	bytes_put64(page + 0x178, regs->rip);
	bytes_put64(page + 0x1d8, regs->rsp);
	bytes_put64(page + 0x1f8, regs->rax);
	bytes_put64(page + 0x308, regs->rcx);
	bytes_put64(page + 0x310, regs->rdx);
	bytes_put64(page + 0x318, regs->rbx);
	bytes_put64(page + 0x328, regs->rbp);
	bytes_put64(page + 0x330, regs->rsi);
	bytes_put64(page + 0x338, regs->rdi);
	for (int i = 0; i < 8; i++)
		bytes_put64(page + 0x340 + i * 8, high[i]);
}

/* @fx is laid out as by FXSAVE. */
static void put_fpu(uint8_t *page, const uint8_t *fx)
{
	memcpy(page + 0x400, fx + 16, 8);
	memcpy(page + 0x408, fx + 24, 4);
	memcpy(page + 0x40c, fx + 4, 2);
	memcpy(page + 0x40e, fx + 2, 2);
	memcpy(page + 0x410, fx, 2);
	memcpy(page + 0x412, fx + 6, 2);
	memcpy(page + 0x418, fx + 8, 8);
	for (int i = 0; i < 8; i++) {
		memcpy(page + 0x420 + i * 8, fx + 32 + i * 16, 8);
		memcpy(page + 0x460 + i * 2, fx + 40 + i * 16, 2);
	}
	memcpy(page + 0x470, fx + 160, 256);
}

void sim_vmsa(const struct sim_vcpu *vcpu, uint8_t page[SIM_PAGE])
{
	memset(page, 0, SIM_PAGE);
	put_sregs(page, &vcpu->sregs);
	put_regs(page, &vcpu->regs);
	put_fpu(page, vcpu->fx);
	for (int i = 0; i < SIM_MSRS; i++)
		bytes_put64(page + places[i].offset, vcpu->msrs[i]);
	bytes_put64(page + 0x3b0, vcpu->vm->features | 1);
	bytes_put64(page + 0x3e8, vcpu->xcr0);
}

#define XSAVE_SIZE 4096
#define TSC_KHZ 2450000
#define DR7_FIXED UINT64_C(0x400)

/* Fields of the FXSAVE area */
#define FX_FCW 0
#define FX_FSW 2
#define FX_FTW 4
#define FX_FOP 6
#define FX_RIP 8
#define FX_RDP 16
#define FX_MXCSR 24
#define FX_ST 32
#define FX_XMM 160

static struct kvm_segment segment(uint8_t type, uint8_t s)
{
	return (struct kvm_segment){
		.limit = 0xffff, .type = type, .present = 1, .s = s,
	};
}

/* What KVM's reset leaves: data segments that were never accessed, EDX 0x600. */
struct sim_vcpu *sim_vcpu_new(struct sim_vm *vm, uint32_t id)
{
	struct sim_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	struct kvm_sregs *sregs;

	if (!vcpu)
		return NULL;
	vcpu->vm = vm;
	vcpu->id = id;
	sregs = &vcpu->sregs;
	sregs->es = segment(2, 1);
	sregs->ss = sregs->es;
	sregs->ds = sregs->es;
	sregs->fs = sregs->es;
	sregs->gs = sregs->es;
	sregs->cs = segment(0xa, 1);
	sregs->cs.selector = 0xf000;
	sregs->cs.base = 0xffff0000;
	sregs->ldt = segment(2, 0);
	sregs->tr = segment(3, 0);
	sregs->gdt.limit = 0xffff;
	sregs->idt.limit = 0xffff;
	sregs->cr0 = 0x60000010;
	vcpu->regs.rip = 0xfff0;
	vcpu->regs.rflags = 2;
	vcpu->regs.rdx = 0x600;
	bytes_put16(vcpu->fx + FX_FCW, 0x37f);
	bytes_put32(vcpu->fx + FX_MXCSR, 0x1f80);
	vcpu->xcr0 = 1;
	for (int i = 0; i < SIM_MSRS; i++)
		vcpu->msrs[i] = places[i].reset;
	return vcpu;
}

void sim_vcpu_free(struct sim *sim, struct sim_vcpu *vcpu)
{
	if (vcpu->run)
		sim->files.forget(sim->files.context, vcpu->run);
	free(vcpu);
}

/* svm_get_segment() sets the accessed bit of these, and the busy bit of TR. */
static int get_sregs(struct sim *sim, const struct sim_vcpu *vcpu, uint64_t arg)
{
	struct kvm_sregs sregs = vcpu->sregs;
	struct kvm_segment *data[] = {
		&sregs.es, &sregs.ds, &sregs.fs, &sregs.gs,
	};

	for (int i = 0; i < 4; i++)
		if (data[i]->present)
			data[i]->type |= 1;
	sregs.tr.type |= 2;
	return sim_out(sim, arg, &sregs, sizeof(sregs));
}

/* KVM's KVM_SET_FPU and KVM_GET_FPU leave MXCSR out. */
static int set_fpu(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg)
{
	struct kvm_fpu fpu;
	uint8_t *fx = vcpu->fx;

	if (sim_in(sim, &fpu, arg, sizeof(fpu)))
		return -EFAULT;
	bytes_put16(fx + FX_FCW, fpu.fcw);
	bytes_put16(fx + FX_FSW, fpu.fsw);
	bytes_put16(fx + FX_FTW, fpu.ftwx);
	bytes_put16(fx + FX_FOP, fpu.last_opcode);
	bytes_put64(fx + FX_RIP, fpu.last_ip);
	bytes_put64(fx + FX_RDP, fpu.last_dp);
	memcpy(fx + FX_ST, fpu.fpr, sizeof(fpu.fpr));
	memcpy(fx + FX_XMM, fpu.xmm, sizeof(fpu.xmm));
	return 0;
}

static int get_fpu(struct sim *sim, const struct sim_vcpu *vcpu, uint64_t arg)
{
	const uint8_t *fx = vcpu->fx;
	struct kvm_fpu fpu = {
		.fcw = bytes_get16(fx + FX_FCW),
		.fsw = bytes_get16(fx + FX_FSW),
		.ftwx = fx[FX_FTW],
		.last_opcode = bytes_get16(fx + FX_FOP),
		.last_ip = bytes_get64(fx + FX_RIP),
		.last_dp = bytes_get64(fx + FX_RDP),
	};

	memcpy(fpu.fpr, fx + FX_ST, sizeof(fpu.fpr));
	memcpy(fpu.xmm, fx + FX_XMM, sizeof(fpu.xmm));
	return sim_out(sim, arg, &fpu, sizeof(fpu));
}

static int set_xcrs(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg)
{
	struct kvm_xcrs xcrs;

	if (sim_in(sim, &xcrs, arg, sizeof(xcrs)))
		return -EFAULT;
	if (xcrs.nr_xcrs > KVM_MAX_XCRS || xcrs.flags)
		return -EINVAL;
	for (uint32_t i = 0; i < xcrs.nr_xcrs; i++)
		if (!xcrs.xcrs[i].xcr)
			vcpu->xcr0 = xcrs.xcrs[i].value;
	return 0;
}

static int set_debug(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg)
{
	struct kvm_guest_debug debug;

	if (sim_in(sim, &debug, arg, sizeof(debug)))
		return -EFAULT;
	if (vcpu->protected)
		return -EINVAL;
	vcpu->debugged = debug.control & KVM_GUESTDBG_ENABLE;
	return 0;
}

/* KVM measures no vCPU with a breakpoint in it. */
static int set_debugregs(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg)
{
	struct kvm_debugregs regs;

	if (sim_in(sim, &regs, arg, sizeof(regs)))
		return -EFAULT;
	if (regs.flags || regs.dr6 >> 32 || regs.dr7 >> 32)
		return -EINVAL;
	vcpu->breakpoints = regs.dr7 & ~DR7_FIXED;
	return 0;
}

static int mp_state(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request, uint64_t arg)
{
	struct kvm_mp_state state = { vcpu->mp_state };

	if (request == KVM_GET_MP_STATE)
		return sim_out(sim, arg, &state, sizeof(state));
	if (sim_in(sim, &state, arg, sizeof(state)))
		return -EFAULT;
	if (state.mp_state > KVM_MP_STATE_AP_RESET_HOLD)
		return -EINVAL;
	vcpu->mp_state = state.mp_state;
	return 0;
}

static int xsave(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request, uint64_t arg)
{
	uint8_t area[XSAVE_SIZE] = { 0 };

	if (request == KVM_SET_XSAVE)
		return sim_in(sim, vcpu->fx, arg, sizeof(vcpu->fx));
	memcpy(area, vcpu->fx, sizeof(vcpu->fx));
	return sim_out(sim, arg, area, sizeof(area));
}

/* Once the firmware has a vCPU, its registers are nobody's business. */
static int registers(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request, uint64_t arg)
{
	if (vcpu->protected)
		return -EINVAL;
	switch (request) {
	case KVM_GET_REGS:
		return sim_out(sim, arg, &vcpu->regs, sizeof(vcpu->regs));
	case KVM_SET_REGS:
		return sim_in(sim, &vcpu->regs, arg, sizeof(vcpu->regs));
	case KVM_GET_SREGS:
		return get_sregs(sim, vcpu, arg);
	case KVM_SET_SREGS:
		return sim_in(sim, &vcpu->sregs, arg, sizeof(vcpu->sregs));
	case KVM_GET_FPU:
		return get_fpu(sim, vcpu, arg);
	case KVM_SET_FPU:
		return set_fpu(sim, vcpu, arg);
	case KVM_SET_XCRS:
		return set_xcrs(sim, vcpu, arg);
	case KVM_SET_DEBUGREGS:
		return set_debugregs(sim, vcpu, arg);
	default:
		return xsave(sim, vcpu, request, arg);
	}
}

int sim_vcpu_ioctl(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request, uint64_t arg)
{
	switch (request) {
	case KVM_RUN:
		return sim_run(sim, vcpu);
	case KVM_GET_REGS:
	case KVM_SET_REGS:
	case KVM_GET_SREGS:
	case KVM_SET_SREGS:
	case KVM_GET_FPU:
	case KVM_SET_FPU:
	case KVM_SET_XCRS:
	case KVM_SET_DEBUGREGS:
	case KVM_GET_XSAVE:
	case KVM_SET_XSAVE:
		return registers(sim, vcpu, request, arg);
	case KVM_SET_MSRS:
	case KVM_GET_MSRS:
		return msrs(sim, vcpu, arg, request == KVM_SET_MSRS);
	case KVM_SET_CPUID2:
		return sim_cpuid_set(sim, vcpu, arg);
	case KVM_GET_CPUID2:
		return sim_cpuid_get(sim, vcpu, arg);
	case KVM_GET_TSC_KHZ:
		return TSC_KHZ;
	case KVM_GET_MP_STATE:
	case KVM_SET_MP_STATE:
		return mp_state(sim, vcpu, request, arg);
	case KVM_SET_GUEST_DEBUG:
		return set_debug(sim, vcpu, arg);
	case KVM_PRE_FAULT_MEMORY:
		return vcpu->vm->finished ? 0 : -EOPNOTSUPP;
	default:
		return -ENOTTY;
	}
}
