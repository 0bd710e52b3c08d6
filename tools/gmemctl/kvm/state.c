// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "state.h"

#define MSRS_MAX	1024
#define STATE_SIZE_MAX	4096	/* of struct kvm_xsave, the largest */

/**
 * struct state_item - something that KVM gives and takes as one struct
 * @type: of its record
 * @name: for messages
 * @get: ioctl that reads it
 * @set: ioctl that writes it
 * @size: bytes of the struct
 */
struct state_item {
	uint32_t type;
	const char *name;
	unsigned long get;
	unsigned long set;
	size_t size;
};

/*
 * In the order in which they are set. The APIC's base is among the special
 * registers, and its timer's deadline, which is an MSR, needs the APIC's mode.
 */
static const struct state_item vcpu_items[] = {
	{ STATE_MP, "KVM_SET_MP_STATE", KVM_GET_MP_STATE, KVM_SET_MP_STATE,
	  sizeof(struct kvm_mp_state) },
	{ STATE_REGS, "KVM_SET_REGS", KVM_GET_REGS, KVM_SET_REGS,
	  sizeof(struct kvm_regs) },
	{ STATE_SREGS, "KVM_SET_SREGS", KVM_GET_SREGS, KVM_SET_SREGS,
	  sizeof(struct kvm_sregs) },
	{ STATE_XSAVE, "KVM_SET_XSAVE", KVM_GET_XSAVE, KVM_SET_XSAVE,
	  sizeof(struct kvm_xsave) },
	{ STATE_XCRS, "KVM_SET_XCRS", KVM_GET_XCRS, KVM_SET_XCRS,
	  sizeof(struct kvm_xcrs) },
	{ STATE_DEBUGREGS, "KVM_SET_DEBUGREGS", KVM_GET_DEBUGREGS,
	  KVM_SET_DEBUGREGS, sizeof(struct kvm_debugregs) },
	{ STATE_LAPIC, "KVM_SET_LAPIC", KVM_GET_LAPIC, KVM_SET_LAPIC,
	  sizeof(struct kvm_lapic_state) },
	{ STATE_MSRS, "KVM_SET_MSRS", 0, 0, 0 },
	{ STATE_EVENTS, "KVM_SET_VCPU_EVENTS", KVM_GET_VCPU_EVENTS,
	  KVM_SET_VCPU_EVENTS, sizeof(struct kvm_vcpu_events) },
};

#define VCPU_ITEMS (sizeof(vcpu_items) / sizeof(vcpu_items[0]))

static const struct state_item pit_item = {
	STATE_PIT, "KVM_SET_PIT2", KVM_GET_PIT2, KVM_SET_PIT2,
	sizeof(struct kvm_pit_state2)
};

struct msr {
	struct kvm_msrs header;
	struct kvm_msr_entry entry;
};

static int state_fail(struct error *error, int rc, const char *object,
		      const char *action)
{
	return error_set(error, rc, object, action,
			 rc == -EBADMSG ? "this part of the state is missing, or "
			 "is from another version" : NULL);
}

static int item_get(int fd, const struct state_item *item, uint32_t index,
		    struct tlv *records)
{
	uint8_t bytes[STATE_SIZE_MAX];
	int rc;

	memset(bytes, 0, sizeof(bytes));
	rc = calls->ioctl(fd, item->get, bytes);
	if (rc < 0)
		return rc;
	tlv_add(records, item->type, index, bytes, item->size);
	return 0;
}

static int item_set(int fd, const struct state_item *item, uint32_t index,
		    const struct tlv *records)
{
	uint8_t bytes[STATE_SIZE_MAX];
	int rc;

	memset(bytes, 0, sizeof(bytes));
	if (!tlv_get(records, item->type, index, bytes, item->size))
		return -EBADMSG;
	rc = calls->ioctl(fd, item->set, bytes);
	return rc < 0 ? rc : 0;
}

static int chip_get(struct vm *vm, uint32_t type, uint32_t index, uint32_t chip,
		    struct tlv *records)
{
	struct kvm_irqchip state = { .chip_id = chip };
	int rc = calls->ioctl(vm->fd, KVM_GET_IRQCHIP, &state);

	if (!rc)
		tlv_add(records, type, index, &state, sizeof(state));
	return rc;
}

static int chip_set(struct vm *vm, uint32_t type, uint32_t index, uint32_t chip,
		    const struct tlv *records)
{
	struct kvm_irqchip state;

	if (!tlv_get(records, type, index, &state, sizeof(state)))
		return -EBADMSG;
	state.chip_id = chip;
	return calls->ioctl(vm->fd, KVM_SET_IRQCHIP, &state);
}

/* Time stands still while the state is under way, as it does for the TSC. */
static int clock_get(struct vm *vm, struct tlv *records)
{
	struct kvm_clock_data clock = { 0 };
	int rc = calls->ioctl(vm->fd, KVM_GET_CLOCK, &clock);

	if (!rc)
		tlv_add(records, STATE_CLOCK, 0, &clock.clock,
			sizeof(clock.clock));
	return rc;
}

static int clock_set(struct vm *vm, const struct tlv *records)
{
	struct kvm_clock_data clock = { 0 };

	if (!tlv_get(records, STATE_CLOCK, 0, &clock.clock,
		     sizeof(clock.clock)))
		return -EBADMSG;
	return calls->ioctl(vm->fd, KVM_SET_CLOCK, &clock);
}

int vm_state_get(struct vm *vm, struct tlv *records, struct error *error)
{
	int rc = chip_get(vm, STATE_PIC, 0, KVM_IRQCHIP_PIC_MASTER, records);

	if (!rc)
		rc = chip_get(vm, STATE_PIC, 1, KVM_IRQCHIP_PIC_SLAVE, records);
	if (!rc)
		rc = chip_get(vm, STATE_IOAPIC, 0, KVM_IRQCHIP_IOAPIC, records);
	if (rc)
		return state_fail(error, rc, "VM", "KVM_GET_IRQCHIP");
	rc = item_get(vm->fd, &pit_item, 0, records);
	if (rc)
		return state_fail(error, rc, "VM", "KVM_GET_PIT2");
	rc = clock_get(vm, records);
	return rc ? state_fail(error, rc, "VM", "KVM_GET_CLOCK") : 0;
}

int vm_state_set(struct vm *vm, const struct tlv *records,
		 struct error *error)
{
	int rc = chip_set(vm, STATE_PIC, 0, KVM_IRQCHIP_PIC_MASTER, records);

	if (!rc)
		rc = chip_set(vm, STATE_PIC, 1, KVM_IRQCHIP_PIC_SLAVE, records);
	if (!rc)
		rc = chip_set(vm, STATE_IOAPIC, 0, KVM_IRQCHIP_IOAPIC, records);
	if (rc)
		return state_fail(error, rc, "VM", "KVM_SET_IRQCHIP");
	rc = item_set(vm->fd, &pit_item, 0, records);
	if (rc)
		return state_fail(error, rc, "VM", pit_item.name);
	rc = clock_set(vm, records);
	return rc ? state_fail(error, rc, "VM", "KVM_SET_CLOCK") : 0;
}

/* The numbers of all MSRs that KVM keeps for a guest; to be freed. */
static int msr_list(struct vm *vm, struct kvm_msr_list **out)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) +
					   MSRS_MAX * sizeof(uint32_t));
	int rc;

	if (!list)
		return -ENOMEM;
	list->nmsrs = MSRS_MAX;
	rc = calls->ioctl(vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, list);
	if (rc) {
		free(list);
		return rc;
	}
	*out = list;
	return 0;
}

/* Return: whether the vCPU has this MSR. */
static bool msr_get(struct vcpu *vcpu, uint32_t index, uint64_t *value)
{
	struct msr msr = { { .nmsrs = 1 }, { .index = index } };

	if (calls->ioctl(vcpu->fd, KVM_GET_MSRS, &msr) != 1)
		return false;
	*value = msr.entry.data;
	return true;
}

/* One that cannot be written is no harm as long as it has the value anyway. */
static int msr_set(struct vcpu *vcpu, const struct kvm_msr_entry *entry)
{
	struct msr msr = { { .nmsrs = 1 }, *entry };
	uint64_t value;

	if (calls->ioctl(vcpu->fd, KVM_SET_MSRS, &msr) == 1)
		return 0;
	if (msr_get(vcpu, entry->index, &value) && value == entry->data)
		return 0;
	return -EINVAL;
}

/* One by one: KVM stops at the first that this vCPU does not have. */
static int msrs_get(struct vcpu *vcpu, struct vm *vm, struct tlv *records)
{
	struct kvm_msr_entry entries[MSRS_MAX];
	struct kvm_msr_list *list;
	size_t count = 0;
	uint64_t value;
	int rc = msr_list(vm, &list);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < list->nmsrs && i < MSRS_MAX; i++)
		if (msr_get(vcpu, list->indices[i], &value))
			entries[count++] = (struct kvm_msr_entry){
				.index = list->indices[i], .data = value };
	free(list);
	tlv_add(records, STATE_MSRS, vcpu->index, entries,
		count * sizeof(entries[0]));
	return 0;
}

static int msrs_set(struct vcpu *vcpu, const struct tlv *records,
		    struct error *error)
{
	const uint8_t *bytes;
	size_t size;
	int rc;

	bytes = tlv_find(records, STATE_MSRS, vcpu->index, &size);
	if (!bytes || size % sizeof(struct kvm_msr_entry))
		return state_fail(error, -EBADMSG, "vCPU", "KVM_SET_MSRS");
	for (size_t at = 0; at < size; at += sizeof(struct kvm_msr_entry)) {
		struct kvm_msr_entry entry;

		memcpy(&entry, bytes + at, sizeof(entry));
		rc = msr_set(vcpu, &entry);
		if (rc)
			return error_set(error, rc, "vCPU", "KVM_SET_MSRS",
					 "vCPU %u cannot have MSR 0x%x with the "
					 "value 0x%llx: is it another CPU?",
					 vcpu->index, entry.index,
					 (unsigned long long)entry.data);
	}
	return 0;
}

int vcpu_state_get(struct vcpu *vcpu, struct vm *vm, struct tlv *records,
		   struct error *error)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < VCPU_ITEMS; i++) {
		if (vcpu_items[i].size)
			rc = item_get(vcpu->fd, &vcpu_items[i], vcpu->index,
				      records);
		else
			rc = msrs_get(vcpu, vm, records);
		if (rc)
			return error_set(error, rc, "vCPU", "read its state",
					 "what %s would set", vcpu_items[i].name);
	}
	return 0;
}

int vcpu_state_set(struct vcpu *vcpu, const struct tlv *records,
		   struct error *error)
{
	int rc;

	for (size_t i = 0; i < VCPU_ITEMS; i++) {
		if (!vcpu_items[i].size) {
			rc = msrs_set(vcpu, records, error);
			if (rc)
				return rc;
			continue;
		}
		rc = item_set(vcpu->fd, &vcpu_items[i], vcpu->index, records);
		if (rc)
			return state_fail(error, rc, "vCPU", vcpu_items[i].name);
	}
	return 0;
}
