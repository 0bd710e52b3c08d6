// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPUs of a launch. KVM measures the registers that it holds. So all of them but
 * PKRU are set here, and none keeps the value of KVM's reset. Then all but XCR0 and
 * the debug registers are read back: otherwise a register that KVM has changed would
 * show only as a wrong digest, after the launch.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/calls.h"
#include "launch.h"

/* Size of the XSAVE area without extended features */
#define XSAVE_SIZE_BASE 0x240
#define XCR0_X87 1

/* Bits that are cleared in a function of CPUID */
static const struct {
	uint32_t function, index;
	uint32_t eax, ebx, ecx, edx;
} masks[] = {
	/* TSC_DEADLINE: a timer that KVM emulates */
	{ 0x1, 0, 0, 0, 1U << 24, 0 },
	/* TSC_ADJUST; and EDX, for control of speculation that the guest does not have */
	{ 0x7, 0, 0, 1U << 1, 0, UINT32_MAX },
	/* VIRT_SSBD */
	{ 0x80000008, 0, 0, 1U << 25, 0, 0 },
	/* SMM_CTL; and ECX, whose bits KVM synthesises */
	{ 0x80000021, 0, 1U << 9, 0, UINT32_MAX, 0 },
};

static struct snp_cpuid_entry entry_make(const struct kvm_cpuid_entry2 *from)
{
	struct snp_cpuid_entry entry = {
		.eax_in = from->function,
		.ecx_in = from->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX ?
			  from->index : 0,
		.eax = from->eax, .ebx = from->ebx,
		.ecx = from->ecx, .edx = from->edx,
	};

	/* KVM reports the size for the current XCR0, the firmware wants that for XCR0 = 1. */
	if (entry.eax_in == 0xd && entry.ecx_in <= 1) {
		entry.xcr0_in = XCR0_X87;
		entry.ebx = XSAVE_SIZE_BASE;
	}
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		if (entry.eax_in != masks[i].function || entry.ecx_in != masks[i].index)
			continue;
		entry.eax &= ~masks[i].eax;
		entry.ebx &= ~masks[i].ebx;
		entry.ecx &= ~masks[i].ecx;
		entry.edx &= ~masks[i].edx;
	}
	return entry;
}

int snp_cpuid_page_build(struct snp_cpuid_page *page,
			 const struct kvm_cpuid2 *cpuid, struct error *error)
{
	memset(page, 0, sizeof(*page));
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct snp_cpuid_entry entry = entry_make(&cpuid->entries[i]);

		if (!entry.eax && !entry.ebx && !entry.ecx && !entry.edx)
			continue;
		if (page->count == SNP_CPUID_ENTRIES)
			return error_set(error, -E2BIG, "CPUID page", "build",
					 "it has room for %d entries, but KVM has more",
					 SNP_CPUID_ENTRIES);
		page->entries[page->count++] = entry;
	}
	return 0;
}

/* Leaves that differ between vCPUs. The guest asks KVM for them. */
static bool is_topology(uint32_t function)
{
	return function == 0xb || function == 0x1f || function == 0x8000001e;
}

/*
 * Give a vCPU the CPUID of the page, except for APIC IDs and topology, which differ between
 * vCPUs.
 */
static void snp_cpuid_page_apply(const struct snp_cpuid_page *page, struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
		struct snp_cpuid_entry now = entry_make(entry);

		for (uint32_t j = 0; j < page->count; j++) {
			const struct snp_cpuid_entry *from = &page->entries[j];

			if (from->eax_in != now.eax_in || from->ecx_in != now.ecx_in ||
			    is_topology(now.eax_in))
				continue;
			entry->eax = from->eax;
			entry->ecx = from->ecx;
			entry->edx = from->edx;
			/* EBX of leaf 1 has the APIC ID, of leaf 0xd the size of the XSAVE area. */
			if (from->eax_in != 0x1 && from->eax_in != 0xd)
				entry->ebx = from->ebx;
		}
	}
}

#define CPUID_ENTRIES 256
#define MSR_PAT 0x277
#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR7_RESET UINT64_C(0x400)

/* XSAVE area in its standard format: FXSAVE's 512 bytes, then the header. */
#define FX_FCW 0
#define FX_FSW 2
#define FX_FTW 4
#define FX_FOP 6
#define FX_RIP 8
#define FX_RDP 16
#define FX_MXCSR 24
#define FX_ST 32
#define FX_XMM 160
#define XSAVE_BV 512
#define XSAVE_BV_X87_SSE 3

/*
 * MSRs of the VMSA. All but PAT are zero after reset. KVM does not know the last
 * three on all CPUs, and where it does not know them they are zero.
 */
static const struct {
	uint32_t index;
	bool optional;
} msrs[] = {
	{ MSR_PAT, false },
	{ 0xc0000081, false },		/* STAR */
	{ 0xc0000082, false },		/* LSTAR */
	{ 0xc0000083, false },		/* CSTAR */
	{ 0xc0000084, false },		/* SFMASK */
	{ 0xc0000102, false },		/* KERNEL_GS_BASE */
	{ 0x174, false },		/* SYSENTER_CS */
	{ 0x175, false },		/* SYSENTER_ESP */
	{ 0x176, false },		/* SYSENTER_EIP */
	{ 0x48, true },			/* SPEC_CTRL */
	{ 0xda0, true },		/* XSS */
	{ 0xc0000103, true },		/* TSC_AUX */
};

#define MSRS (sizeof(msrs) / sizeof(msrs[0]))

static int vcpu_failed(const struct vcpu *vcpu, int rc, const char *action, struct error *error)
{
	char object[32];

	snprintf(object, sizeof(object), "vCPU %u", vcpu->index);
	return error_set(error, rc, object, action, rc == -EINVAL ?
			 "KVM refuses these registers, or the vCPU was measured already" : NULL);
}

/*
 * Fill in x87 and SSE. KVM clears state that is not in XSTATE_BV, such as AVX, but
 * not PKRU, which is zero in a new vCPU.
 */
static void xsave_fill(const struct kvm_fpu *fpu, uint8_t *area)
{
	bytes_put16(area + FX_FCW, fpu->fcw);
	bytes_put16(area + FX_FSW, fpu->fsw);
	bytes_put16(area + FX_FTW, fpu->ftwx);
	bytes_put16(area + FX_FOP, fpu->last_opcode);
	bytes_put64(area + FX_RIP, fpu->last_ip);
	bytes_put64(area + FX_RDP, fpu->last_dp);
	bytes_put32(area + FX_MXCSR, fpu->mxcsr);
	memcpy(area + FX_ST, fpu->fpr, sizeof(fpu->fpr));
	memcpy(area + FX_XMM, fpu->xmm, sizeof(fpu->xmm));
	bytes_put64(area + XSAVE_BV, XSAVE_BV_X87_SSE);
}

/* Use KVM_GET_XSAVE, because KVM_GET_FPU leaves out MXCSR. */
static int get_fpu(struct vcpu *vcpu, struct kvm_fpu *fpu)
{
	struct kvm_xsave xsave = { 0 };
	const uint8_t *area = (const uint8_t *)xsave.region;
	int rc = calls->ioctl(vcpu->fd, KVM_GET_XSAVE, &xsave);

	if (rc)
		return rc;
	fpu->fcw = bytes_get16(area + FX_FCW);
	fpu->fsw = bytes_get16(area + FX_FSW);
	fpu->ftwx = area[FX_FTW];
	fpu->last_opcode = bytes_get16(area + FX_FOP);
	fpu->last_ip = bytes_get64(area + FX_RIP);
	fpu->last_dp = bytes_get64(area + FX_RDP);
	fpu->mxcsr = bytes_get32(area + FX_MXCSR);
	memcpy(fpu->fpr, area + FX_ST, sizeof(fpu->fpr));
	memcpy(fpu->xmm, area + FX_XMM, sizeof(fpu->xmm));
	return 0;
}

/* Return: 0, or -EINVAL if KVM does not know the MSR. */
static int access_msr(struct vcpu *vcpu, unsigned long request, uint32_t index, uint64_t *value)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msr = { { .nmsrs = 1 }, { .index = index, .data = *value } };
	int rc = calls->ioctl(vcpu->fd, request, &msr);

	*value = msr.entry.data;
	if (rc < 0)
		return rc;
	return rc == 1 ? 0 : -EINVAL;
}

static uint64_t wanted_msr(const struct snp_vcpu *state, uint32_t index)
{
	return index == MSR_PAT ? state->pat : 0;
}

static int set_msrs(struct vcpu *vcpu, const struct snp_vcpu *state, struct error *error)
{
	for (size_t i = 0; i < MSRS; i++) {
		uint64_t value = wanted_msr(state, msrs[i].index);
		char action[32];
		int rc = access_msr(vcpu, KVM_SET_MSRS, msrs[i].index, &value);

		if (!rc || (rc == -EINVAL && msrs[i].optional))
			continue;
		snprintf(action, sizeof(action), "KVM_SET_MSRS, MSR 0x%x", msrs[i].index);
		return vcpu_failed(vcpu, rc, action, error);
	}
	return 0;
}

static int check_msrs(struct vcpu *vcpu, const struct snp_vcpu *state, struct error *error)
{
	for (size_t i = 0; i < MSRS; i++) {
		uint64_t value = 0;
		char action[48];
		int rc = access_msr(vcpu, KVM_GET_MSRS, msrs[i].index, &value);

		if (rc == -EINVAL && msrs[i].optional)
			continue;
		if (!rc && value == wanted_msr(state, msrs[i].index))
			continue;
		snprintf(action, sizeof(action), "check MSR 0x%x of vCPU %u",
			 msrs[i].index, vcpu->index);
		if (rc)
			return vcpu_failed(vcpu, rc, action, error);
		return error_set(error, -EIO, "SNP guest", action,
				 "KVM has 0x%llx instead: the digest would differ from the "
				 "predicted one", (unsigned long long)value);
	}
	return 0;
}

static int set_registers(struct vcpu *vcpu, const struct snp_vcpu *state, struct error *error)
{
	struct kvm_debugregs debug = { .dr6 = DR6_RESET, .dr7 = DR7_RESET };
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0].value = state->xcr0 };
	struct kvm_sregs sregs = state->sregs, now;
	struct kvm_regs regs = state->regs;
	struct kvm_xsave xsave = { 0 };
	const struct {
		unsigned long request;
		void *arg;
		const char *name;
	} sets[] = {
		{ KVM_SET_SREGS, &sregs, "KVM_SET_SREGS" },
		{ KVM_SET_REGS, &regs, "KVM_SET_REGS" },
		{ KVM_SET_XSAVE, &xsave, "KVM_SET_XSAVE" },
		{ KVM_SET_XCRS, &xcrs, "KVM_SET_XCRS" },
		{ KVM_SET_DEBUGREGS, &debug, "KVM_SET_DEBUGREGS" },
	};
	int rc = vcpu_get_sregs(vcpu, &now);

	if (rc)
		return vcpu_failed(vcpu, rc, "KVM_GET_SREGS", error);
	/* Keep KVM's address of the APIC, which is not part of the VMSA. */
	sregs.apic_base = now.apic_base;
	xsave_fill(&state->fpu, (uint8_t *)xsave.region);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		rc = calls->ioctl(vcpu->fd, sets[i].request, sets[i].arg);
		if (rc)
			return vcpu_failed(vcpu, rc, sets[i].name, error);
	}
	return set_msrs(vcpu, state, error);
}

/* Check all registers but MSRs */
static int check_registers(struct vcpu *vcpu, const struct snp_vcpu *wanted, struct error *error)
{
	struct snp_vmsa expect, holds;
	struct snp_vcpu now = *wanted;
	char action[64];
	size_t at;
	int rc = vcpu_get_regs(vcpu, &now.regs);

	if (!rc)
		rc = vcpu_get_sregs(vcpu, &now.sregs);
	if (!rc)
		rc = get_fpu(vcpu, &now.fpu);
	if (rc)
		return vcpu_failed(vcpu, rc, "read registers back", error);
	snp_vmsa_from_vcpu(&expect, wanted);
	snp_vmsa_from_vcpu(&holds, &now);
	for (at = 0; at < sizeof(expect); at++)
		if (((uint8_t *)&expect)[at] != ((uint8_t *)&holds)[at])
			break;
	if (at == sizeof(expect))
		return 0;
	snprintf(action, sizeof(action), "check registers of vCPU %u", vcpu->index);
	return error_set(error, -EIO, "SNP guest", action, "KVM has another value for byte 0x%zx "
			 "of the VMSA: the digest would differ from the predicted one", at);
}

int snp_launch_get_cpuid(struct vcpu *vcpu, struct kvm_cpuid2 **cpuid, struct error *error)
{
	struct kvm_cpuid2 *found;
	int rc;

	found = calloc(1, sizeof(*found) + CPUID_ENTRIES * sizeof(found->entries[0]));
	if (!found)
		return error_set(error, -ENOMEM, "vCPU", "allocate", NULL);
	found->nent = CPUID_ENTRIES;
	rc = calls->ioctl(vcpu->fd, KVM_GET_CPUID2, found);
	*cpuid = found;
	if (!rc)
		return 0;
	free(found);
	return vcpu_failed(vcpu, rc, "KVM_GET_CPUID2", error);
}

/* Give KVM the values of the CPUID page, for a guest that asks KVM and not the page. */
static int set_cpuid(struct snp_launch *launch, struct vcpu *vcpu, struct error *error)
{
	struct kvm_cpuid2 *cpuid;
	int rc = snp_launch_get_cpuid(vcpu, &cpuid, error);

	if (rc)
		return rc;
	snp_cpuid_page_apply(launch->cpuid, cpuid);
	rc = calls->ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return rc ? vcpu_failed(vcpu, rc, "KVM_SET_CPUID2", error) : 0;
}

int snp_launch_vcpu(struct snp_launch *launch, struct vcpu *vcpu, struct error *error)
{
	const struct snp_image *image = &launch->image;
	int rc = set_cpuid(launch, vcpu, error);
	struct snp_vcpu state;
	size_t at;

	if (rc)
		return rc;
	/* The VMSA of the IGVM file, which check_igvm() has checked, or gmemctl's own */
	if (image->igvm)
		snp_vcpu_from_vmsa(&state, image->igvm->vcpus[vcpu->index].vmsa, &at);
	else
		snp_vcpu_reset(&state, snp_image_eip(image, vcpu->index),
			       image->signature, image->features);
	rc = set_registers(vcpu, &state, error);
	if (!rc)
		rc = check_registers(vcpu, &state, error);
	return rc ? rc : check_msrs(vcpu, &state, error);
}
