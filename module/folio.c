// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: folios of guest memory
 *
 * Find and allocate folios, and walk over populated pages.
 *
 * Two flags of a folio are used:
 *
 *  - PG_checked, which belongs to the owner of the page cache, is gmem's "has contents":
 *    the folio was zeroed, and its contents must not be lost. It stays with the folio in
 *    every state and store.
 *  - PG_uptodate is checked by readers of the page cache that do not go through page tables
 *    (build ids for perf and BPF, fault-around). So only a shared folio has it:
 *    gmem_folio_publish() sets it, gmem_folio_seal() clears it.
 *
 * A folio with contents is never clean, in any page cache: there is no copy of it, and the
 * kernel can drop clean folios at any time (drop_caches, soft offline).
 *
 * Locks: flags change under the folio lock, or with the refcount frozen, when nobody else
 * has a reference and so cannot have locked it. gmem_folio_find() and gmem_folio_grab()
 * return a locked folio; the walks take no locks.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>

#include "internal.h"

/**
 * gmem_folio_zero_once() - zero a folio that has no contents yet
 * @folio: locked
 *
 * Context: folio lock held.
 */
void gmem_folio_zero_once(struct folio *folio)
{
	long i;

	if (folio_test_checked(folio))
		return;
	/* Faster than memset(); on some kernels it takes half the time. */
	for (i = 0; i < folio_nr_pages(folio); i++)
		clear_highpage(folio_page(folio, i));
	folio_set_checked(folio);
	folio_mark_dirty(folio);
}
GMEM_EXPORT_SYMBOL(gmem_folio_zero_once);

/**
 * gmem_folio_publish() - let the kernel's readers of the page cache read a folio
 * @folio: locked, with contents, of a shared page
 *
 * Context: folio lock held; the page's state cannot change.
 */
void gmem_folio_publish(struct folio *folio)
{
	/* Do not write the flag needlessly: every page fault comes here. */
	if (!folio_test_uptodate(folio))
		folio_mark_uptodate(folio);
}

/**
 * gmem_folio_seal() - hide a folio from the kernel's readers of the page cache
 * @folio: locked, or with its refcount frozen
 *
 * A later reader finds the folio not uptodate. An earlier reader may have checked the
 * flag already: the caller makes sure that there is none.
 *
 * Context: the refcount is frozen, or the folio lock held and @folio in no mapping.
 */
void gmem_folio_seal(struct folio *folio)
{
	folio_clear_uptodate(folio);
}
GMEM_EXPORT_SYMBOL(gmem_folio_seal);

/**
 * gmem_folio_add() - add a new folio to the page cache
 * @gi: the memory
 * @folio: a new folio that nobody else uses
 * @index: the page
 * @gfp: for the page cache
 *
 * Context: process context, may sleep.
 * Return: 0 with @folio locked, or -EEXIST, -EHWPOISON, -ENOMEM.
 */
int gmem_folio_add(struct gmem_inode *gi, struct folio *folio, pgoff_t index,
		   gfp_t gfp)
{
	struct address_space *mapping = gi->vfs_inode.i_mapping;
	int rc;

	rc = filemap_add_folio(mapping, folio, index, gfp);
	if (rc)
		return rc;
	/* Another folio may have been added here, and have failed, meanwhile. */
	if (!xa_load(&gi->poison, index)) {
		gmem_folio_set_cpu(folio, raw_smp_processor_id());
		return 0;
	}
	gmem_folio_detach(mapping, folio);
	folio_unlock(folio);
	return -EHWPOISON;
}

static struct folio *gmem_folio_new(struct gmem_inode *gi, pgoff_t index,
				    gfp_t gfp)
{
	struct folio *folio;
	int rc;

	folio = gmem_policy_alloc(gi, index, gfp);
	if (!folio)
		return ERR_PTR(-ENOMEM);
	rc = gmem_folio_add(gi, folio, index, gfp);
	if (!rc)
		return folio;
	folio_put(folio);
	return ERR_PTR(rc);
}

/**
 * gmem_folio_find() - find or allocate the folio of a page
 * @gi: the memory
 * @index: the page
 * @gfp: for the allocation: GMEM_FOLIO_GFP, with __GFP_RETRY_MAYFAIL if the caller can
 *	return an error; or 0: do not allocate
 *
 * Context: process context, may sleep.
 * Return: a locked folio with a reference, or ERR_PTR() of -ENOMEM, -EHWPOISON,
 * or, if @gfp is 0, -ENOENT.
 */
struct folio *gmem_folio_find(struct gmem_inode *gi, pgoff_t index, gfp_t gfp)
{
	struct folio *folio;

	do {
		folio = filemap_lock_folio(gi->vfs_inode.i_mapping, index);
		if (!IS_ERR(folio))
			break;
		/* The error was recorded before the folio was removed. */
		if (xa_load(&gi->poison, index))
			return ERR_PTR(-EHWPOISON);
		if (!gfp)
			return ERR_PTR(-ENOENT);
		folio = gmem_folio_new(gi, index, gfp);
		/* Another fault has added a folio first: use that. */
	} while (folio == ERR_PTR(-EEXIST));

	if (!IS_ERR(folio) && folio_test_hwpoison(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		return ERR_PTR(-EHWPOISON);
	}
	return folio;
}

/**
 * gmem_folio_grab() - find or allocate the folio of a page, with contents
 * @gi: the memory
 * @index: the page
 * @gfp: as for gmem_folio_find()
 *
 * A folio without contents is zeroed. The folio is not published.
 *
 * Context: process context, may sleep.
 * Return: as gmem_folio_find().
 */
struct folio *gmem_folio_grab(struct gmem_inode *gi, pgoff_t index, gfp_t gfp)
{
	struct folio *folio = gmem_folio_find(gi, index, gfp);

	if (!IS_ERR(folio))
		gmem_folio_zero_once(folio);
	return folio;
}

/**
 * gmem_folios_have_contents() - whether a page of a range has contents
 * @mapping: page cache of a gmem file
 * @start: first page
 * @end: page after the range
 *
 * Context: process context, may sleep; range lock held.
 * Return: whether a folio of the range has contents.
 */
bool gmem_folios_have_contents(struct address_space *mapping, pgoff_t start,
			       pgoff_t end)
{
	struct folio_batch fbatch;
	bool contents = false;
	unsigned int i;

	folio_batch_init(&fbatch);
	while (!contents &&
	       filemap_get_folios(mapping, &start, end - 1, &fbatch)) {
		for (i = 0; i < folio_batch_count(&fbatch); i++)
			contents |= folio_test_checked(fbatch.folios[i]);
		folio_batch_release(&fbatch);
		cond_resched();
	}
	return contents;
}

/* Number of pages of [start, end) that the entry at @xas includes */
static unsigned long gmem_entry_pages(struct xa_state *xas, pgoff_t start,
				      pgoff_t end)
{
	unsigned long pages = 1UL << xas_get_order(xas);
	pgoff_t first = round_down(xas->xa_index, pages);

	return min(first + pages, end) - max(first, start);
}

/**
 * gmem_count_folios() - count the populated pages of a range
 * @mapping: page cache to look in
 * @start: first page
 * @end: page after the range
 *
 * Takes no references, which could make a conversion fail.
 *
 * Context: process context, may sleep.
 * Return: the number of pages; it can be too low if the task is being killed.
 */
unsigned long gmem_count_folios(struct address_space *mapping, pgoff_t start,
				pgoff_t end)
{
	XA_STATE(xas, &mapping->i_pages, start);
	unsigned long count = 0;
	unsigned int steps = 0;
	void *entry;

	rcu_read_lock();
	xas_for_each(&xas, entry, end - 1) {
		if (xas_retry(&xas, entry) || xa_is_value(entry))
			continue;
		count += gmem_entry_pages(&xas, start, end);
		if (++steps % 1024)
			continue;
		if (fatal_signal_pending(current))
			break;
		xas_pause(&xas);
		cond_resched_rcu();
	}
	rcu_read_unlock();
	return count;
}
GMEM_EXPORT_SYMBOL(gmem_count_folios);
