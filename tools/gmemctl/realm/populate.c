// SPDX-License-Identifier: GPL-2.0
/* Contents of a realm, and its interrupt controller. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "abi.h"
#include "realm.h"

#define HINT_GIC "KVM runs realms with a GICv3 in the kernel only: the host " \
	"needs one, or a GICv4"

/* A call that is interrupted for ever is a failure. */
#define RETRIES_MAX 1000

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
	int rc = calls->ioctl(realm->machine.vm.fd, KVM_CREATE_DEVICE, &create);

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

static const struct {
	int rc;
	const char *hint;
} hints[] = {
	{ -ENXIO, "the RMM has refused: to create the realm, or to take the "
	  "page, which may have been populated already. dmesg may have more" },
	{ -EBUSY, "the realm is active already: contents come before the first "
	  "KVM_RUN" },
	{ -EINVAL, "KVM has no private page there, in a slot with guest_memfd, "
	  "or has another ABI than CCA v14" },
	{ -ENOTTY, "this KVM has another ABI than CCA v14" },
	{ -EFAULT, "the contents cannot be read" },
	{ -ENOMEM, "the host has no memory left for the realm" },
};

static int populate_failed(const struct realm_load *load,
			   const struct realm_kvm_populate *left, int rc,
			   struct error *error)
{
	const char *hint = NULL;
	char object[160];

	snprintf(object, sizeof(object), "%.100s, gpa 0x%" PRIx64, load->name,
		 left->base);
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].rc == rc)
			hint = hints[i].hint;
	return error_set(error, rc, object, "KVM_ARM_RMI_POPULATE",
			 hint ? "%s" : NULL, hint);
}

/* Signals wait: KVM gives up at the first page if one is pending. */
static int populate_once(struct realm *realm, struct realm_kvm_populate *left)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned int i = 0; ; i++) {
		realm->counters.calls++;
		rc = calls->ioctl(realm->machine.vm.fd, REALM_POPULATE, left);
		if ((rc != -EINTR && rc != -EAGAIN) || i == RETRIES_MAX)
			break;
		realm->counters.retries++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/*
 * What KVM says it has done is something, not more than was asked for, and the
 * same in all three numbers. Version 14 takes a refusal of the RMM, which is a
 * positive number, for a number of pages that were populated.
 */
static bool progress_is_sane(const struct realm_kvm_populate *before,
			     const struct realm_kvm_populate *after)
{
	uint64_t done = after->base - before->base;

	return done && done <= before->size &&
	       after->size == before->size - done &&
	       after->source == before->source + done;
}

static int populate_all(struct realm *realm, const struct realm_load *load,
			struct realm_kvm_populate *left, struct error *error)
{
	while (left->size) {
		struct realm_kvm_populate before = *left;
		int rc = populate_once(realm, left);

		if (rc)
			return populate_failed(load, left, rc, error);
		if (!progress_is_sane(&before, left))
			return error_set(error, -EIO, load->name,
					 "KVM_ARM_RMI_POPULATE",
					 "at gpa 0x%" PRIx64 " KVM says that it "
					 "is done, but what it says it has done "
					 "cannot be: this is a bug of the kernel, "
					 "or a refusal of the RMM that it does not "
					 "report", before.base);
	}
	return 0;
}

/* Pages of the host, in pages of their own, the last one filled up with zeros */
static void *stage(const struct realm *realm, const struct realm_load *load,
		   uint64_t *size)
{
	uint8_t *source;

	*size = (load->size + realm->page_size - 1) / realm->page_size *
		realm->page_size;
	source = aligned_alloc(realm->page_size, *size);
	if (!source)
		return NULL;
	memcpy(source, load->data, load->size);
	memset(source + load->size, 0, *size - load->size);
	return source;
}

static int populate_load(struct realm *realm, const struct realm_load *load,
			 struct error *error)
{
	uint64_t size, calls_before = realm->counters.calls;
	void *source = stage(realm, load, &size);
	struct realm_kvm_populate left = {
		.base = load->gpa, .size = size, .source = (uintptr_t)source,
		.flags = load->measured ? REALM_POPULATE_MEASURE : 0,
	};
	int rc;

	if (!source)
		return error_set(error, -ENOMEM, load->name, "allocate", NULL);
	rc = populate_all(realm, load, &left, error);
	free(source);
	if (rc)
		return rc;
	if (load->measured)
		realm->counters.measured += size;
	else
		realm->counters.unmeasured += size;
	realm_tell(realm, "populate", "0x%09" PRIx64 "  %6" PRIu64 " pages  %s"
		   "  %s, calls: %" PRIu64, load->gpa, size / realm->page_size,
		   load->measured ? "measured  " : "unmeasured", load->name,
		   realm->counters.calls - calls_before);
	if (realm->config->pages)
		realm->config->pages(realm->config->data, load,
				     size / realm->page_size,
				     realm->counters.calls - calls_before);
	return 0;
}

int realm_populate(struct realm *realm, struct error *error)
{
	const struct realm_config *config = realm->config;
	int rc = realm_enter(realm, REALM_OPEN, "populate", error);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < config->nr_loads && !rc; i++)
		rc = populate_load(realm, &config->loads[i], error);
	realm->state = rc ? REALM_FAILED : REALM_POPULATED;
	return rc;
}
