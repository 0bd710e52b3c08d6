// SPDX-License-Identifier: GPL-2.0
/* What can be said of a configuration before anything is created. */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "abi.h"
#include "realm.h"

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

static int check_vcpus(const struct realm_config *config, struct error *error)
{
	if (config->nr_vcpus && config->nr_vcpus <= REALM_VCPUS_MAX)
		return 0;
	return error_set(error, -EINVAL, "realm", "create vCPUs",
			 "between 1 and %d, not %u", REALM_VCPUS_MAX,
			 config->nr_vcpus);
}

static int check_abi(const struct realm_abi *abi, struct error *error)
{
	if (abi->can_launch)
		return 0;
	return error_set(error, -EOPNOTSUPP, "realm", "launch",
			 "of CCA %s only the numbers are known here, not how it "
			 "converts memory: `gmemctl realm status --abi %s` "
			 "looks for it", abi->name, abi->name);
}

int realm_check(const struct realm_config *config, struct error *error)
{
	int rc = check_abi(config->abi, error);

	if (!rc)
		rc = check_vcpus(config, error);
	if (!rc)
		rc = check_ram(config, error);
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
