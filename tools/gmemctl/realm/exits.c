// SPDX-License-Identifier: GPL-2.0
/* The vCPUs of a realm, and what it leaves them for. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../base/calls.h"
#include "../kvm/exits.h"
#include "abi.h"
#include "realm.h"

#define TEXT_MAX 256
#define WHY_MAX 192

static int vcpu_failed(const struct vcpu *vcpu, int rc, const char *action,
		       const char *hint, struct error *error)
{
	char object[32];

	snprintf(object, sizeof(object), "vCPU %u", vcpu->index);
	return error_set(error, rc, object, action, hint ? "%s" : NULL, hint);
}

/* The RMM tells a realm of PSCI, through which it starts the other vCPUs. */
static int vcpu_init(struct realm *realm, struct vcpu *vcpu,
		     struct error *error)
{
	struct realm_kvm_vcpu_init init;
	int rc;

	memset(&init, 0, sizeof(init));
	rc = calls->ioctl(realm->vm.fd, REALM_PREFERRED_TARGET, &init);
	if (rc)
		return vcpu_failed(vcpu, rc, "KVM_ARM_PREFERRED_TARGET", NULL,
				   error);
	memset(init.features, 0, sizeof(init.features));
	init.features[0] = 1U << REALM_VCPU_PSCI_0_2;
	if (vcpu->index)
		init.features[0] |= 1U << REALM_VCPU_POWER_OFF;
	rc = calls->ioctl(vcpu->fd, REALM_VCPU_INIT, &init);
	if (!rc)
		return 0;
	return vcpu_failed(vcpu, rc, "KVM_ARM_VCPU_INIT", NULL, error);
}

static int vcpu_set(struct vcpu *vcpu, uint64_t id, uint64_t value,
		    const char *name, struct error *error)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };
	int rc = calls->ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);

	if (!rc)
		return 0;
	return vcpu_failed(vcpu, rc, name, "KVM lets a VMM set x0 to x30 and pc",
			   error);
}

int realm_vcpu_create(struct realm *realm, struct error *error)
{
	struct vcpu *vcpu = &realm->vcpus[realm->nr_vcpus];
	int rc = vcpu_open(vcpu, &realm->vm, realm->nr_vcpus, error);

	if (rc)
		return rc;
	realm->nr_vcpus++;
	rc = vcpu_init(realm, vcpu, error);
	if (rc || vcpu->index)
		return rc;
	rc = vcpu_set(vcpu, REALM_REG_X(0), realm->config->argument,
		      "KVM_SET_ONE_REG(x0)", error);
	if (rc)
		return rc;
	return vcpu_set(vcpu, REALM_REG_PC, realm->config->entry,
			"KVM_SET_ONE_REG(pc)", error);
}

static const struct {
	int rc;
	const char *hint;
} run_hints[] = {
	{ -ENXIO, "the RMM has refused: to create the realm or a vCPU, to take "
	  "its memory, or to run it. dmesg may have more; the VM is of no use "
	  "any more" },
	{ -EINVAL, "the realm is dead, for its activation has failed before, or "
	  "a vCPU was initialised without PSCI 0.2" },
	{ -EOPNOTSUPP, "KVM runs realms with a GICv3 in the kernel only" },
	{ -ENOEXEC, "the vCPU was not initialised" },
	{ -EIO, "KVM has given the VM up after an earlier failure: create a new "
	  "one" },
	{ -ENOMEM, "the host has no memory for what the RMM needs" },
	{ -EFAULT, "the host has no memory behind a page of the realm" },
};

int realm_run_error(const struct vcpu *vcpu, int rc, struct error *error)
{
	for (size_t i = 0; i < sizeof(run_hints) / sizeof(run_hints[0]); i++)
		if (run_hints[i].rc == rc)
			return vcpu_failed(vcpu, rc, "KVM_RUN",
					   run_hints[i].hint, error);
	return vcpu_failed(vcpu, rc, "KVM_RUN", NULL, error);
}

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
