// SPDX-License-Identifier: GPL-2.0
/* The interrupt controller: a realm can have no other than KVM's GICv3. */
#include <errno.h>
#include <inttypes.h>

#include "../base/calls.h"
#include "abi.h"
#include "realm.h"

#define HINT_GIC "KVM runs realms with a GICv3 in the kernel only: the host " \
	"needs one, or a GICv4"

static int gic_set(struct realm *realm, uint32_t group, uint64_t attr,
		   const uint64_t *value)
{
	struct kvm_device_attr argument = {
		.group = group, .attr = attr, .addr = (uintptr_t)value,
	};

	return calls->ioctl(realm->gic_fd, KVM_SET_DEVICE_ATTR, &argument);
}

static int gic_place(struct realm *realm, uint64_t attr, uint64_t gpa,
		     const char *name, struct error *error)
{
	int rc = gic_set(realm, REALM_GIC_GROUP_ADDR, attr, &gpa);

	if (!rc)
		return 0;
	return error_set(error, rc, "GICv3", name, "gpa 0x%" PRIx64, gpa);
}

int realm_gic_create(struct realm *realm, struct error *error)
{
	struct kvm_create_device create = { .type = REALM_GIC_TYPE };
	int rc = calls->ioctl(realm->vm.fd, KVM_CREATE_DEVICE, &create);

	/* Not a fault: this is a host with another controller. */
	if (rc)
		return error_set(error, rc == -ENODEV ? -EOPNOTSUPP : rc, "VM",
				 "KVM_CREATE_DEVICE(KVM_DEV_TYPE_ARM_VGIC_V3)",
				 "%s", HINT_GIC);
	realm->gic_fd = (int)create.fd;
	rc = gic_place(realm, REALM_GIC_ADDR_DIST, REALM_GIC_DIST,
		       "place the distributor", error);
	if (!rc)
		rc = gic_place(realm, REALM_GIC_ADDR_REDIST, REALM_GIC_REDIST,
			       "place the redistributors", error);
	if (rc)
		return rc;
	rc = gic_set(realm, REALM_GIC_GROUP_CTRL, REALM_GIC_CTRL_INIT, NULL);
	if (rc)
		return error_set(error, rc, "GICv3", "KVM_DEV_ARM_VGIC_CTRL_INIT",
				 NULL);
	realm_tell(realm, "GICv3", "distributor at 0x%" PRIx64
		   ", redistributors at 0x%" PRIx64, REALM_GIC_DIST,
		   REALM_GIC_REDIST);
	return 0;
}
