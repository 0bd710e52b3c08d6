// SPDX-License-Identifier: GPL-2.0
/* The registers of a vCPU, as KVM keeps them until the firmware takes them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "internal.h"

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
static void vcpu_reset(struct sim_vcpu *vcpu)
{
	struct kvm_sregs *sregs = &vcpu->sregs;

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
	sim_msrs_reset(vcpu);
}

struct sim_vcpu *sim_vcpu_new(struct sim_vm *vm, uint32_t id)
{
	struct sim_vcpu *vcpu = calloc(1, sizeof(*vcpu));

	if (!vcpu)
		return NULL;
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu_reset(vcpu);
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

static int mp_state(struct sim *sim, struct sim_vcpu *vcpu,
		    unsigned long request, uint64_t arg)
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

static int xsave(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request,
		 uint64_t arg)
{
	uint8_t area[XSAVE_SIZE] = { 0 };

	if (request == KVM_SET_XSAVE)
		return sim_in(sim, vcpu->fx, arg, sizeof(vcpu->fx));
	memcpy(area, vcpu->fx, sizeof(vcpu->fx));
	return sim_out(sim, arg, area, sizeof(area));
}

/* Once the firmware has a vCPU, its registers are nobody's business. */
static int registers(struct sim *sim, struct sim_vcpu *vcpu,
		     unsigned long request, uint64_t arg)
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

int sim_vcpu_ioctl(struct sim *sim, struct sim_vcpu *vcpu,
		   unsigned long request, uint64_t arg)
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
		return sim_msrs(sim, vcpu, arg, true);
	case KVM_GET_MSRS:
		return sim_msrs(sim, vcpu, arg, false);
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
