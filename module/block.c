// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: blocks of neighbours
 *
 * Allocates a block of 2 MiB at once, so that its pages are contiguous and a view can map
 * them by one page table entry (fill.c). The block is split into single pages before
 * anybody can see it: each page has its own references and its own state, and no conversion
 * ever splits or merges anything. If there is no contiguous memory, single pages are used.
 *
 * Locks: the range lock over the block; page faults can run concurrently.
 */
#include <linux/gfp.h>
#include <linux/pagemap.h>

#include "internal.h"

/* A failure is harmless, so do not reclaim memory, and do not warn. */
#define GMEM_BLOCK_GFP							\
	((GMEM_FOLIO_GFP | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_DIRECT_RECLAIM)

static struct page *gmem_block_pages(struct gmem_inode *gi, pgoff_t start)
{
	/* A policy of mbind() applies to each page separately. */
	if (mtree_load(&gi->policies, start))
		return NULL;
	if (gi->node == NUMA_NO_NODE)
		return alloc_pages(GMEM_BLOCK_GFP, GMEM_BLOCK_SHIFT);
	return alloc_pages_node(gi->node, GMEM_BLOCK_GFP, GMEM_BLOCK_SHIFT);
}

/**
 * gmem_block_alloc() - populate a block with contiguous memory
 * @gi: the memory
 * @range: held by the caller, over the block
 * @start: first page of the block
 *
 * It may populate only some pages, or none: if a page is populated already, if there is no
 * contiguous memory, or if an urgent task waits for @range. gmem_folio_find() populates the
 * other pages.
 *
 * Context: process context, sleeps; range lock held.
 */
void gmem_block_alloc(struct gmem_inode *gi, const struct gmem_range_lock *range,
		      pgoff_t start)
{
	pgoff_t end = start + (1UL << GMEM_BLOCK_SHIFT), index = start;
	struct page *page;
	int rc = 0;

	if (gmem_folio_next(gi->vfs_inode.i_mapping, &index, end))
		return;
	page = gmem_block_pages(gi, start);
	if (!page)
		return;
	split_page(page, GMEM_BLOCK_SHIFT);
	for (index = start; index < end; index++, page++) {
		/* A fault may have populated some of the pages meanwhile. */
		if (!rc || rc == -EEXIST || rc == -EHWPOISON)
			rc = gmem_folio_add(gi, page_folio(page), index,
					    GMEM_FOLIO_GFP | __GFP_RETRY_MAYFAIL |
						    __GFP_NOWARN);
		if (!rc)
			folio_unlock(page_folio(page));
		put_page(page);
		/* A task above memory.high of its cgroup sleeps every few pages. */
		if (gmem_range_wanted(range))
			rc = -EAGAIN;
	}
}
