// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: which pages may be private
 *
 * Those of ZONE_MOVABLE that were not reserved at boot. In that zone the kernel has what
 * programs have in memory, and the page cache, and nothing else: it could not move it away. So
 * what the host has to read is never there, whoever has allocated it and when: page tables and
 * the kernel's text, of which KVM emulates instructions; rings and buffers of devices
 * (dma_alloc_coherent()), swiotlb's pool; and what KVM's services write to, which is kvm-clock's
 * page, and for each CPU steal time, PV EOI and the token of asynchronous page faults. Early
 * allocations can lie in the zone, and are reserved. An area of CMA can lie there, too, and
 * dma_alloc_coherent() takes pages of it: no page of such a zone may be private.
 *
 * The zone is as large as ``kernelcore=`` or ``movablecore=`` says, which is why this needs
 * one of them.
 *
 * Takes no locks. A block of memory that goes offline meanwhile is looked at without harm:
 * its struct pages stay for as long as it is not removed.
 */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>

#include "internal.h"

/**
 * gmem_guest_page_may() - whether a page may be private
 * @pfn: its number
 *
 * Return: 0; -ENXIO if there is no RAM; -EPERM if the kernel may need the host to see it.
 */
int gmem_guest_page_may(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page)
		return -ENXIO;
	if (PageReserved(page))
		return page_is_ram(pfn) ? -EPERM : -ENXIO;
	if (!is_zone_movable_page(page) || zone_cma_pages(page_zone(page)))
		return -EPERM;
	return 0;
}

static int gmem_guest_ranges_add(struct resource *res, void *data)
{
	struct gmem_guest_ranges *ranges = data;
	struct gmem_guest_range range = { PFN_UP(res->start), PFN_DOWN(res->end + 1) };

	if (range.start >= range.end)
		return 0;
	/* DIMMs are neighbours, each with an entry of its own. */
	if (ranges->count && ranges->range[ranges->count - 1].end == range.start) {
		ranges->range[ranges->count - 1].end = range.end;
		return 0;
	}
	if (ranges->count == GMEM_GUEST_RANGES)
		return -E2BIG;
	ranges->range[ranges->count++] = range;
	return 0;
}

/**
 * gmem_guest_ranges_ram() - where this guest has RAM
 * @ranges: all of it
 *
 * Return: 0, or -E2BIG if it is in more than GMEM_GUEST_RANGES pieces.
 */
int gmem_guest_ranges_ram(struct gmem_guest_ranges *ranges)
{
	int rc;

	ranges->count = 0;
	rc = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				 0, -1, ranges, gmem_guest_ranges_add);
	/* What it returns where there is nothing. */
	return ranges->count ? rc : -ENXIO;
}
