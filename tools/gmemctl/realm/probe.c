// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../kvm/vm.h"
#include "abi.h"
#include "probe.h"

#define HINT_HOST "realms need an arm64 host with RME, an RMM in its " \
	"firmware, and a kernel with the CCA series for KVM, which no release " \
	"has yet: `gmemctl realm status` says what is missing"

/* The first is the default. */
static const struct realm_abi abis[] = {
	{ "v14", REALM_CAP_RMI_V14, true },
	{ "v15", REALM_CAP_RMI_V15, false },
};

#define ABIS (sizeof(abis) / sizeof(abis[0]))

const struct realm_abi *realm_abi_find(const char *name)
{
	if (!name)
		return &abis[0];
	for (size_t i = 0; i < ABIS; i++)
		if (!strcmp(abis[i].name, name))
			return &abis[i];
	return NULL;
}

const char *realm_abi_names(void)
{
	return "v14 or v15";
}

static int no_capability(const struct realm_abi *abi, const char *object,
			 struct error *error)
{
	char action[64];

	snprintf(action, sizeof(action), "KVM_CAP_ARM_RMI, %d in CCA %s",
		 abi->capability, abi->name);
	return error_set(error, -EOPNOTSUPP, object, action, "%s", HINT_HOST);
}

static int no_type(const struct realm_abi *abi, struct error *error)
{
	return error_set(error, -EOPNOTSUPP, "KVM",
			 "KVM_CREATE_VM of type KVM_VM_TYPE_ARM_REALM",
			 "the answer to capability %d means something else on "
			 "this kernel; %s", abi->capability, HINT_HOST);
}

/*
 * The limit that KVM tells is that of ordinary VMs; the RMM can have a smaller
 * one, and KVM says EINVAL for both what is too wide and what it does not know.
 */
static int create_widest(int kvm_fd, unsigned int *ipa_bits)
{
	int most = vm_capability(kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE);
	unsigned int bits = REALM_IPA_BITS_DEFAULT;
	int fd = -EINVAL;

	if (most >= REALM_IPA_BITS_MIN && most <= REALM_IPA_BITS_MAX)
		bits = (unsigned int)most;
	for (; fd == -EINVAL && bits >= REALM_IPA_BITS_MIN; bits--) {
		*ipa_bits = bits;
		fd = calls_ioctl_value(kvm_fd, KVM_CREATE_VM,
				       REALM_VM_TYPE | bits);
	}
	return fd;
}

static int create(int kvm_fd, const struct realm_abi *abi,
		  unsigned int *ipa_bits, struct error *error)
{
	unsigned int asked = *ipa_bits;
	int fd;

	if (asked)
		fd = calls_ioctl_value(kvm_fd, KVM_CREATE_VM,
				       REALM_VM_TYPE | asked);
	else
		fd = create_widest(kvm_fd, ipa_bits);
	if (fd >= 0)
		return fd;
	if (fd == -EINVAL && asked)
		return error_set(error, fd, "KVM",
				 "KVM_CREATE_VM of type KVM_VM_TYPE_ARM_REALM",
				 "%u bits of guest addresses may be too many for "
				 "the RMM: leave --ipa-bits out", asked);
	if (fd == -EINVAL)
		return no_type(abi, error);
	return error_set(error, fd, "KVM",
			 "KVM_CREATE_VM of type KVM_VM_TYPE_ARM_REALM", NULL);
}

int realm_create_vm(int kvm_fd, const struct realm_abi *abi,
		    unsigned int *ipa_bits, struct error *error)
{
	int fd;

	if (vm_capability(kvm_fd, abi->capability) <= 0)
		return no_capability(abi, "KVM", error);
	fd = create(kvm_fd, abi, ipa_bits, error);
	if (fd < 0)
		return fd;
	/* A realm's VM has few capabilities; this is one that it has. */
	if (vm_capability(fd, abi->capability) > 0)
		return fd;
	calls->close(fd);
	return no_capability(abi, "realm's VM", error);
}

bool realm_knows_populate(int vm_fd)
{
	return calls->ioctl(vm_fd, REALM_POPULATE, NULL) == -EFAULT;
}
