// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: pages that may be private
 *
 * Pages of ZONE_MOVABLE that were not reserved at boot. The kernel uses this zone only for the
 * memory of programs and for the page cache, which it can move. So memory that the host has to
 * read is never there, regardless of who allocates it and when:
 *
 *  - page tables and the kernel's text, of which KVM emulates instructions;
 *  - rings and buffers of devices (dma_alloc_coherent()), and swiotlb's pool;
 *  - memory that KVM's services write to: kvm-clock's page, and for each CPU steal time, PV EOI
 *    and the token of asynchronous page faults.
 *
 * Early allocations can be in the zone; they are reserved. An area of CMA can also be in the
 * zone, and dma_alloc_coherent() uses its pages. So no page of a zone with CMA may be private.
 *
 * ``kernelcore=`` or ``movablecore=`` sets the size of the zone. One of them is needed.
 *
 * Takes no locks. If a memory block goes offline meanwhile, its struct pages can still be read,
 * as long as the block is not removed.
 */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>

#include "internal.h"

/**
 * gmem_guest_page_may() - whether a page may be private
 * @pfn: its frame number
 *
 * Return: 0; -ENXIO if it is not RAM; -EPERM if the host may have to read it.
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
	/* Merge adjacent entries, such as those of DIMMs. */
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
 * gmem_guest_ranges_ram() - find the RAM of this guest
 * @ranges: out: all of it
 *
 * Return: 0; -E2BIG if it has more than GMEM_GUEST_RANGES pieces; -ENXIO if there is none.
 */
int gmem_guest_ranges_ram(struct gmem_guest_ranges *ranges)
{
	int rc;

	ranges->count = 0;
	rc = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				 0, -1, ranges, gmem_guest_ranges_add);
	/* Without any RAM the walk returns -EINVAL. */
	return ranges->count ? rc : -ENXIO;
}
