// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: ranges as text
 *
 * "START-END,START-END,...": addresses in this guest, as in ``/proc/iomem``. But END is the first
 * byte after the range, and hexadecimal numbers begin with 0x. "none" or an empty text means no
 * range. Takes no locks.
 */
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "internal.h"

static int gmem_guest_address_parse(const char *text, unsigned long *pfn)
{
	u64 address;
	int rc;

	rc = kstrtoull(text, 0, &address);
	if (rc)
		return rc;
	if (!IS_ALIGNED(address, PAGE_SIZE))
		return -EINVAL;
	*pfn = address >> PAGE_SHIFT;
	return 0;
}

static int gmem_guest_range_parse(char *text, struct gmem_guest_range *range)
{
	char *end = text, *start = strsep(&end, "-");
	int rc;

	if (!end)
		return -EINVAL;
	rc = gmem_guest_address_parse(start, &range->start);
	if (!rc)
		rc = gmem_guest_address_parse(end, &range->end);
	if (!rc && range->start >= range->end)
		rc = -EINVAL;
	return rc;
}

/**
 * gmem_guest_ranges_parse() - parse ranges
 * @text: the text, with or without a newline at its end
 * @ranges: out: the ranges; undefined after an error
 *
 * Return: 0; -EINVAL if a range does not consist of whole pages; -ERANGE for an address of more
 * than 64 bits; -E2BIG for more than GMEM_GUEST_RANGES; -ENOMEM.
 */
int gmem_guest_ranges_parse(const char *text, struct gmem_guest_ranges *ranges)
{
	char *copy, *rest, *word;
	int rc = 0;

	ranges->count = 0;
	if (!*text || sysfs_streq(text, "none"))
		return 0;
	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = strstrip(copy);
	while (!rc && (word = strsep(&rest, ","))) {
		if (ranges->count == GMEM_GUEST_RANGES)
			rc = -E2BIG;
		else
			rc = gmem_guest_range_parse(word, &ranges->range[ranges->count++]);
	}
	kfree(copy);
	return rc;
}

bool gmem_guest_ranges_have(const struct gmem_guest_ranges *ranges, unsigned long pfn)
{
	for (unsigned int i = 0; i < ranges->count; i++)
		if (pfn >= ranges->range[i].start && pfn < ranges->range[i].end)
			return true;
	return false;
}

/* Print a range at offset @at of a page. Return: number of bytes; 0 if the page is full. */
int gmem_guest_ranges_show(char *buffer, int at, struct gmem_guest_range range)
{
	return sysfs_emit_at(buffer, at, "%s0x%llx-0x%llx", at ? "," : "",
			     (u64)range.start << PAGE_SHIFT, (u64)range.end << PAGE_SHIFT);
}
