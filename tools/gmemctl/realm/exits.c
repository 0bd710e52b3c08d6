// SPDX-License-Identifier: GPL-2.0
/* What a realm leaves the guest for. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../kvm/exits.h"
#include "realm.h"

#define TEXT_MAX 256
#define WHY_MAX 192

static void count(uint64_t *counter, uint64_t by)
{
	__atomic_add_fetch(counter, by, __ATOMIC_RELAXED);
}

/* Return: false, as the run is over. */
static bool exit_final(struct realm *realm, struct vcpu *vcpu, enum end how)
{
	char text[TEXT_MAX];

	exit_describe(vcpu, text, sizeof(text));
	realm_trace(realm, vcpu, "%s", text);
	realm_end(realm, how, "vCPU %u: %s", vcpu->index, text);
	return false;
}

/* There are no devices: nothing answers, as on an empty bus. */
static bool exit_mmio(struct realm *realm, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	count(&realm->counters.stray, 1);
	realm_trace(realm, vcpu, "%s gpa 0x%llx, %u bytes: nothing there",
		    run->mmio.is_write ? "write" : "read",
		    (unsigned long long)run->mmio.phys_addr, run->mmio.len);
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	return true;
}

static bool is_already(const struct realm *realm, struct range range,
		       bool private)
{
	for (uint64_t at = range.start; at < range.end; at += RANGE_PAGE_SIZE)
		if (guest_memfd_is_private(&realm->memory.memfd, at) != private)
			return false;
	return true;
}

static bool convert(struct realm *realm, struct vcpu *vcpu, struct range range,
		    bool to_private)
{
	char why[WHY_MAX] = "";
	int rc;

	if (is_already(realm, range, to_private)) {
		count(&realm->counters.confirmed, 1);
		return true;
	}
	rc = guest_memory_convert(&realm->memory, range, to_private, why,
				  sizeof(why));
	realm_trace(realm, vcpu, "0x%" PRIx64 " + 0x%" PRIx64 " to %s: %s",
		    range.start, range_size(range),
		    to_private ? "private" : "shared",
		    rc ? strerror(-rc) : "done");
	if (rc) {
		realm_end(realm, END_MEMORY, "gpa 0x%" PRIx64 " + 0x%" PRIx64
			  " to %s: %s%s%s", range.start, range_size(range),
			  to_private ? "private" : "shared", strerror(-rc),
			  *why ? "; " : "", why);
		return false;
	}
	count(&realm->counters.conversions, 1);
	count(&realm->counters.converted_bytes, range_size(range));
	return true;
}

/*
 * The realm has changed the state of a range, which KVM brings about when the
 * vCPU is entered again; or it has accessed a page in the other way than it is
 * in. What of the range is not memory is nobody's.
 */
static bool exit_memory_fault(struct realm *realm, struct vcpu *vcpu)
{
	const struct kvm_exit_memory_fault *fault = kvm_run_memory_fault(vcpu->run);
	struct range range = { fault->gpa, fault->gpa + fault->size };

	if (fault->flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE ||
	    range.end <= range.start ||
	    !range_aligned(range, realm->page_size) ||
	    !range_overlaps(range, realm->config->ram))
		return exit_final(realm, vcpu, END_MEMORY);
	return convert(realm, vcpu, range_clip(range, realm->config->ram),
		       fault->flags & KVM_MEMORY_EXIT_FLAG_PRIVATE);
}

static bool exit_system_event(struct realm *realm, struct vcpu *vcpu)
{
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return exit_final(realm, vcpu, END_POWER_OFF);
	case KVM_SYSTEM_EVENT_RESET:
		return exit_final(realm, vcpu, END_RESET);
	case KVM_SYSTEM_EVENT_CRASH:
		return exit_final(realm, vcpu, END_PANIC);
	default:
		return exit_final(realm, vcpu, END_SYSTEM_EVENT);
	}
}

bool realm_exit(struct realm *realm, struct vcpu *vcpu)
{
	count(&realm->counters.exits, 1);
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_INTR:
		return true;
	case KVM_EXIT_MMIO:
		return exit_mmio(realm, vcpu);
	case KVM_EXIT_MEMORY_FAULT:
		return exit_memory_fault(realm, vcpu);
	case KVM_EXIT_SYSTEM_EVENT:
		return exit_system_event(realm, vcpu);
	/* Another vCPU has powered off while this one was on its way in. */
	case KVM_EXIT_SHUTDOWN:
		return exit_final(realm, vcpu, END_POWER_OFF);
	case KVM_EXIT_FAIL_ENTRY:
		return exit_final(realm, vcpu, END_ENTRY_FAILED);
	default:
		return exit_final(realm, vcpu, END_INTERNAL_ERROR);
	}
}
