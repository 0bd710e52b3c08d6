// SPDX-License-Identifier: GPL-2.0
/* MSRs of a vCPU: those that the VMSA has. All others are read as zero. */
#include <errno.h>

#include "base/bytes.h"
#include "internal.h"

#define MSRS_MAX 64
#define PAT_RESET UINT64_C(0x0007040600070406)

/**
 * struct place - an MSR
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

void sim_msrs_reset(struct sim_vcpu *vcpu)
{
	for (int i = 0; i < SIM_MSRS; i++)
		vcpu->msrs[i] = places[i].reset;
}

void sim_msrs_put(const struct sim_vcpu *vcpu, uint8_t page[SIM_PAGE])
{
	for (int i = 0; i < SIM_MSRS; i++)
		bytes_put64(page + places[i].offset, vcpu->msrs[i]);
}

static int access_one(struct sim *sim, struct sim_vcpu *vcpu, uint64_t at,
		      bool write)
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

int sim_msrs(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg, bool write)
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
