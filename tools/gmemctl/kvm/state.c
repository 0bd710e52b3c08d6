// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "state.h"

#define MSRS_MAX	1024
#define STATE_SIZE_MAX	4096	/* size of the largest one, struct kvm_xsave */

/**
 * struct state_item - a part of the state that KVM gets and sets as one struct
 * @type: type of its record
 * @index: index of its record, for a VM. Records of a vCPU have the vCPU's index
 * @name: name of the ioctls without KVM_GET_ and KVM_SET_, for messages
 * @get: ioctl that reads it
 * @set: ioctl that writes it
 * @size: number of recorded bytes, from the start of the struct
 * @chip: for KVM_GET_IRQCHIP, which serves several chips
 */
struct state_item {
	uint32_t type;
	uint32_t index;
	const char *name;
	unsigned long get;
	unsigned long set;
	size_t size;
	uint32_t chip;
};

#define ITEM(type, index, name, size) \
	(type), (index), #name, KVM_GET_##name, KVM_SET_##name, (size)

/* Of the clock only its time is kept. Clock and TSC do not advance during the move. */
static const struct state_item vm_items[] = {
	{ ITEM(STATE_PIC, 0, IRQCHIP, sizeof(struct kvm_irqchip)), KVM_IRQCHIP_PIC_MASTER },
	{ ITEM(STATE_PIC, 1, IRQCHIP, sizeof(struct kvm_irqchip)), KVM_IRQCHIP_PIC_SLAVE },
	{ ITEM(STATE_IOAPIC, 0, IRQCHIP, sizeof(struct kvm_irqchip)), KVM_IRQCHIP_IOAPIC },
	{ ITEM(STATE_PIT, 0, PIT2, sizeof(struct kvm_pit_state2)), 0 },
	{ ITEM(STATE_CLOCK, 0, CLOCK, sizeof(uint64_t)), 0 },
};

_Static_assert(!offsetof(struct kvm_clock_data, clock), "comes first");
_Static_assert(!offsetof(struct kvm_irqchip, chip_id), "comes first");

/*
 * In the order in which they are set. SREGS has the APIC base, so it comes before the LAPIC.
 * The MSRs have the deadline of the APIC's timer, which needs the timer mode of the LAPIC.
 */
static const struct state_item vcpu_items[] = {
	{ ITEM(STATE_MP, 0, MP_STATE, sizeof(struct kvm_mp_state)), 0 },
	{ ITEM(STATE_REGS, 0, REGS, sizeof(struct kvm_regs)), 0 },
	{ ITEM(STATE_SREGS, 0, SREGS, sizeof(struct kvm_sregs)), 0 },
	{ ITEM(STATE_XSAVE, 0, XSAVE, sizeof(struct kvm_xsave)), 0 },
	{ ITEM(STATE_XCRS, 0, XCRS, sizeof(struct kvm_xcrs)), 0 },
	{ ITEM(STATE_DEBUGREGS, 0, DEBUGREGS, sizeof(struct kvm_debugregs)), 0 },
	{ ITEM(STATE_LAPIC, 0, LAPIC, sizeof(struct kvm_lapic_state)), 0 },
	{ ITEM(STATE_MSRS, 0, MSRS, 0), 0 },
	{ ITEM(STATE_EVENTS, 0, VCPU_EVENTS, sizeof(struct kvm_vcpu_events)), 0 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct msr {
	struct kvm_msrs header;
	struct kvm_msr_entry entry;
};

static int state_fail(struct error *error, int rc, const char *object,
		      const char *what, const struct state_item *item)
{
	char action[64];

	snprintf(action, sizeof(action), "KVM_%s_%s", what, item->name);
	return error_set(error, rc, object, action,
			 rc == -EBADMSG ? "this part of the state is missing, or "
			 "is from another version" : NULL);
}

static int item_get(int fd, const struct state_item *item, uint32_t index,
		    struct tlv *records)
{
	uint8_t bytes[STATE_SIZE_MAX] = { 0 };
	int rc;

	memcpy(bytes, &item->chip, sizeof(item->chip));
	rc = calls->ioctl(fd, item->get, bytes);
	if (rc < 0)
		return rc;
	tlv_add(records, item->type, index, bytes, item->size);
	return 0;
}

static int item_set(int fd, const struct state_item *item, uint32_t index,
		    const struct tlv *records)
{
	uint8_t bytes[STATE_SIZE_MAX] = { 0 };
	int rc;

	if (!tlv_get(records, item->type, index, bytes, item->size))
		return -EBADMSG;
	if (item->set == KVM_SET_IRQCHIP)
		memcpy(bytes, &item->chip, sizeof(item->chip));
	rc = calls->ioctl(fd, item->set, bytes);
	return rc < 0 ? rc : 0;
}

int vm_state_get(struct vm *vm, struct tlv *records, struct error *error)
{
	for (const struct state_item *item = vm_items; item < vm_items + COUNT(vm_items);
	     item++) {
		int rc = item_get(vm->fd, item, item->index, records);

		if (rc)
			return state_fail(error, rc, "VM", "GET", item);
	}
	return 0;
}

int vm_state_set(struct vm *vm, const struct tlv *records,
		 struct error *error)
{
	for (const struct state_item *item = vm_items; item < vm_items + COUNT(vm_items);
	     item++) {
		int rc = item_set(vm->fd, item, item->index, records);

		if (rc)
			return state_fail(error, rc, "VM", "SET", item);
	}
	return 0;
}

/* Return: false if the vCPU does not have this MSR. */
static bool msr_get(struct vcpu *vcpu, uint32_t index, uint64_t *value)
{
	struct msr msr = { { .nmsrs = 1 }, { .index = index } };

	if (calls->ioctl(vcpu->fd, KVM_GET_MSRS, &msr) != 1)
		return false;
	*value = msr.entry.data;
	return true;
}

/* An MSR that cannot be written is no error if it already has the value. */
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

/* Read them one by one, because KVM stops at the first MSR that the vCPU does not have. */
static int msrs_get(struct vcpu *vcpu, struct vm *vm, struct tlv *records)
{
	struct kvm_msr_entry entries[MSRS_MAX];
	struct kvm_msr_list *list = calloc(1, sizeof(*list) +
					   MSRS_MAX * sizeof(uint32_t));
	size_t count = 0;
	uint64_t value;
	int rc;

	if (!list)
		return -ENOMEM;
	list->nmsrs = MSRS_MAX;
	rc = calls->ioctl(vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, list);
	for (uint32_t i = 0; !rc && i < list->nmsrs && i < MSRS_MAX; i++)
		if (msr_get(vcpu, list->indices[i], &value))
			entries[count++] = (struct kvm_msr_entry){
				.index = list->indices[i], .data = value };
	if (!rc)
		tlv_add(records, STATE_MSRS, vcpu->index, entries,
			count * sizeof(entries[0]));
	free(list);
	return rc;
}

static int msrs_set(struct vcpu *vcpu, const struct state_item *item,
		    const struct tlv *records, struct error *error)
{
	const uint8_t *bytes;
	size_t size;
	int rc;

	bytes = tlv_find(records, STATE_MSRS, vcpu->index, &size);
	if (!bytes || size % sizeof(struct kvm_msr_entry))
		return state_fail(error, -EBADMSG, "vCPU", "SET", item);
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
	for (const struct state_item *item = vcpu_items;
	     item < vcpu_items + COUNT(vcpu_items); item++) {
		int rc = item->size ? item_get(vcpu->fd, item, vcpu->index, records) :
				      msrs_get(vcpu, vm, records);

		if (rc)
			return state_fail(error, rc, "vCPU", "GET", item);
	}
	return 0;
}

int vcpu_state_set(struct vcpu *vcpu, const struct tlv *records,
		   struct error *error)
{
	for (const struct state_item *item = vcpu_items;
	     item < vcpu_items + COUNT(vcpu_items); item++) {
		int rc;

		if (!item->size) {
			rc = msrs_set(vcpu, item, records, error);
			if (rc)
				return rc;
			continue;
		}
		rc = item_set(vcpu->fd, item, vcpu->index, records);
		if (rc)
			return state_fail(error, rc, "vCPU", "SET", item);
	}
	return 0;
}
