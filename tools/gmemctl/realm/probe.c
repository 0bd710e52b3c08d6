// SPDX-License-Identifier: GPL-2.0
/* Whether KVM has realms, and whether what is asked for can be. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../kvm/vm.h"
#include "abi.h"
#include "realm.h"

#define HINT_HOST "realms need an arm64 host with RME, an RMM in its " \
	"firmware, and a kernel with the CCA series for KVM, which no release " \
	"has yet: `gmemctl realm status` says what is missing"

static int no_capability(const char *object, struct error *error)
{
	char action[64];

	snprintf(action, sizeof(action), "KVM_CAP_ARM_RMI, %d in CCA %s",
		 REALM_CAP_RMI, REALM_ABI);
	return error_set(error, -EOPNOTSUPP, object, action, "%s", HINT_HOST);
}

static int no_type(struct error *error)
{
	return error_set(error, -EOPNOTSUPP, "KVM",
			 "KVM_CREATE_VM of type KVM_VM_TYPE_ARM_REALM",
			 "the answer to capability %d means something else on "
			 "this kernel; %s", REALM_CAP_RMI, HINT_HOST);
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

static int create(int kvm_fd, unsigned int *ipa_bits, struct error *error)
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
		return no_type(error);
	return error_set(error, fd, "KVM",
			 "KVM_CREATE_VM of type KVM_VM_TYPE_ARM_REALM", NULL);
}

int realm_create_vm(int kvm_fd, unsigned int *ipa_bits, struct error *error)
{
	int fd;

	if (vm_capability(kvm_fd, REALM_CAP_RMI) <= 0)
		return no_capability("KVM", error);
	fd = create(kvm_fd, ipa_bits, error);
	if (fd < 0)
		return fd;
	/* A realm's VM has few capabilities; this is one that it has. */
	if (vm_capability(fd, REALM_CAP_RMI) > 0)
		return fd;
	calls->close(fd);
	return no_capability("realm's VM", error);
}

bool realm_knows_populate(int vm_fd)
{
	return calls->ioctl(vm_fd, REALM_POPULATE, NULL) == -EFAULT;
}

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static int check_ram(const struct realm_config *config, struct error *error)
{
	uint64_t page = page_size();
	struct range ram = config->ram;
	struct range gic = { REALM_GIC_DIST, REALM_GIC_END };

	if (ram.start >= ram.end || ram.start % page || ram.end % page)
		return error_set(error, -EINVAL, "memory", "place",
				 "address and size have to be multiples of the "
				 "page size of the host, which is %" PRIu64,
				 page);
	if (range_overlaps(ram, gic))
		return error_set(error, -EINVAL, "memory", "place",
				 "the interrupt controller is at 0x%" PRIx64
				 " to 0x%" PRIx64 ": move the memory with --base",
				 gic.start, gic.end);
	return 0;
}

/* Half of all addresses are the shared alias of the other half. */
static int check_width(const struct realm_config *config, struct error *error)
{
	unsigned int bits = config->ipa_bits;

	if (!bits)
		return 0;
	if (bits < REALM_IPA_BITS_MIN || bits > REALM_IPA_BITS_MAX)
		return error_set(error, -EINVAL, "guest addresses", "check width",
				 "%d to %d bits, not %u", REALM_IPA_BITS_MIN,
				 REALM_IPA_BITS_MAX, bits);
	if (config->ram.end <= UINT64_C(1) << (bits - 1))
		return 0;
	return error_set(error, -EINVAL, "memory", "place",
			 "it ends at 0x%" PRIx64 ", but of %u bits of guest "
			 "addresses the top one means shared: less memory, or "
			 "more bits", config->ram.end, bits);
}

static struct range load_range(const struct realm_load *load, uint64_t page)
{
	uint64_t size = (load->size + page - 1) / page * page;

	return (struct range){ load->gpa, load->gpa + size };
}

static int check_load(const struct realm_config *config, unsigned int index,
		      struct error *error)
{
	const struct realm_load *load = &config->loads[index];
	struct range range = load_range(load, page_size());

	if (!load->size)
		return error_set(error, -EINVAL, load->name, "place",
				 "it is empty");
	if (load->gpa % page_size())
		return error_set(error, -EINVAL, load->name, "place",
				 "gpa 0x%" PRIx64 " is not a multiple of the page "
				 "size of the host, which is %" PRIu64, load->gpa,
				 page_size());
	if (range.end < range.start || !range_contains(config->ram, range))
		return error_set(error, -EINVAL, load->name, "place",
				 "gpa 0x%" PRIx64 " to 0x%" PRIx64 " is not all "
				 "memory, which is 0x%" PRIx64 " to 0x%" PRIx64,
				 range.start, range.end, config->ram.start,
				 config->ram.end);
	for (unsigned int i = 0; i < index; i++)
		if (range_overlaps(range, load_range(&config->loads[i],
						     page_size())))
			return error_set(error, -EINVAL, load->name, "place",
					 "%s is there already",
					 config->loads[i].name);
	return 0;
}

int realm_check(const struct realm_config *config, struct error *error)
{
	int rc = check_ram(config, error);

	if (!rc)
		rc = check_width(config, error);
	if (!rc && config->nr_loads > REALM_LOADS_MAX)
		rc = error_set(error, -EINVAL, "realm", "place contents",
			       "at most %d files", REALM_LOADS_MAX);
	for (unsigned int i = 0; i < config->nr_loads && !rc; i++)
		rc = check_load(config, i, error);
	if (!rc && (config->entry % 4 || config->entry < config->ram.start ||
		    config->entry >= config->ram.end))
		rc = error_set(error, -EINVAL, "vCPU", "start",
			       "0x%" PRIx64 " is no place in memory where an "
			       "instruction could be", config->entry);
	return rc;
}
