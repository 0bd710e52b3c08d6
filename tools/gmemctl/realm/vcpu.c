// SPDX-License-Identifier: GPL-2.0
/* vCPUs, of which a VMM sets the general registers and the PC, and only those. */
#include <errno.h>
#include <string.h>

#include "../base/calls.h"
#include "abi.h"
#include "realm.h"

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
