// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "../base/calls.h"
#include "abi.h"
#include "attributes.h"
#include "vm.h"

/*
 * Bits 1:0 hint at the page size (the count stays in 4 KiB pages, and 3 means
 * nothing), bits 7:4 are the encryption status, of which 0 and 1 exist.
 */
#define MAP_GPA_SIZE_MASK	UINT64_C(0x03)
#define MAP_GPA_SIZE_RESERVED	UINT64_C(0x03)
#define MAP_GPA_STATUS_MASK	UINT64_C(0xf0)
#define MAP_GPA_STATUS_SHARED	UINT64_C(0x00)
#define MAP_GPA_STATUS_PRIVATE	UINT64_C(0x10)

static int map_gpa_refuse(const char **why, const char *text, int rc)
{
	*why = text;
	return rc;
}

static int map_gpa_check_attributes(uint64_t attributes, bool *to_private,
				    const char **why)
{
	uint64_t status = attributes & MAP_GPA_STATUS_MASK;

	if (attributes & ~(MAP_GPA_SIZE_MASK | MAP_GPA_STATUS_MASK))
		return map_gpa_refuse(why, "unknown attribute bits", -EINVAL);
	if ((attributes & MAP_GPA_SIZE_MASK) == MAP_GPA_SIZE_RESERVED)
		return map_gpa_refuse(why, "unknown page size", -EINVAL);
	if (status != MAP_GPA_STATUS_SHARED && status != MAP_GPA_STATUS_PRIVATE)
		return map_gpa_refuse(why, "unknown encryption status", -EINVAL);
	*to_private = status == MAP_GPA_STATUS_PRIVATE;
	return 0;
}

int map_gpa_parse(const uint64_t args[3], struct map_gpa *out, const char **why)
{
	uint64_t gpa = args[0], pages = args[1], size;
	bool to_private;
	int rc;

	if (gpa & (GUEST_PAGE_SIZE - 1))
		return map_gpa_refuse(why, "unaligned address", -EINVAL);
	if (!pages)
		return map_gpa_refuse(why, "no pages", -EINVAL);
	if (pages > UINT64_MAX >> GUEST_PAGE_SHIFT)
		return map_gpa_refuse(why, "size overflows", -EINVAL);
	size = pages << GUEST_PAGE_SHIFT;
	if (gpa + size < gpa)
		return map_gpa_refuse(why, "range wraps", -EINVAL);
	rc = map_gpa_check_attributes(args[2], &to_private, why);
	if (!rc)
		*out = (struct map_gpa){ gpa, size, to_private };
	return rc;
}

int map_gpa_check(const struct slot_table *table, const uint64_t args[3],
		  struct map_gpa *out, const char **why)
{
	struct map_gpa map;
	int rc = map_gpa_parse(args, &map, why);

	if (rc)
		return rc;
	if (!slot_covers_private(table, map.gpa, map.size))
		return map_gpa_refuse(why, "no private memory in all of the range",
				      -EFAULT);
	*out = map;
	return 0;
}

int vm_set_private(struct vm *vm, uint64_t gpa, uint64_t size, bool private)
{
	struct kvm_memory_attributes attributes = {
		.address = gpa,
		.size = size,
		.attributes = private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	return calls->ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes);
}
