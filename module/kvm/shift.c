// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: shifting folios from one page cache into another
 *
 * The fast way to move folios: many at a time, under the locks of both page caches. A folio
 * keeps its charge, its place on the LRU, and the reference of the page cache, which belongs to
 * the other page cache from then on; the kernel's statistics count both as file pages. A folio
 * is shifted only if its page cache has the only reference. Its refcount is frozen meanwhile,
 * so nobody has it locked, waits for it, or reads its flags. All other folios are left to
 * move.c.
 *
 * A look-up finds the folio in one of the two page caches, or, for a moment, fails to take a
 * reference and retries.
 *
 * Neither page cache ever has shadow entries, as nothing in it is reclaimed; so nobody needs
 * to be told of its nodes (mapping_set_update()).
 *
 * Locks: those of both page caches, the one at the lower address first. Nothing else takes two
 * of them.
 */
#include <linux/pagemap.h>
#include <linux/xarray.h>

#include "internal.h"

/* Folios that are shifted with interrupts disabled. */
#define GMEM_KVM_SHIFT_BATCH 64

/**
 * struct gmem_kvm_shift - a move of folios between two page caches
 * @from: the source
 * @to: the destination
 * @src: the current page, in @from
 * @dst: the same page, in @to
 * @to_kvm: whether @to is KVM's
 */
struct gmem_kvm_shift {
	struct address_space *from;
	struct address_space *to;
	struct xa_state src;
	struct xa_state dst;
	bool to_kvm;
};

/* Set the flags as the new page cache uses them, see move.c. */
static void gmem_kvm_shift_flags(struct folio *folio, bool to_kvm)
{
	if (to_kvm) {
		folio_mark_uptodate(folio);
		return;
	}
	folio_set_checked(folio);
	folio_set_dirty(folio);
	/* The conversion may still fail, and the page stay private. */
	gmem_folio_seal(folio);
}

/* Shift the folio at @src. Return: whether it is at @dst now. */
static bool gmem_kvm_shift_one(struct gmem_kvm_shift *shift, struct folio *folio)
{
	if (folio_test_hwpoison(folio) ||
	    !(folio_test_checked(folio) || folio_test_uptodate(folio)))
		return false;
	/* The destination has a page there, or somebody else has a reference. */
	if (xas_load(&shift->dst) || !folio_ref_freeze(folio, 1))
		return false;

	xas_store(&shift->dst, folio);
	if (xas_error(&shift->dst)) {
		folio_ref_unfreeze(folio, 1);
		return false;
	}
	xas_store(&shift->src, NULL);
	shift->from->nrpages--;
	shift->to->nrpages++;
	folio->mapping = shift->to;
	folio->index = shift->dst.xa_index;
	gmem_kvm_shift_flags(folio, shift->to_kvm);
	/* Release: the owner of a later reference sees all of this. */
	folio_ref_unfreeze(folio, 1);
	return true;
}

/*
 * Shift up to GMEM_KVM_SHIFT_BATCH folios, up to the page @end of @from. Return: whether
 * there may be more, *@done being the first page that was not looked at or not shifted.
 */
static bool gmem_kvm_shift_batch(struct gmem_kvm_shift *shift, pgoff_t end,
				 pgoff_t to_start, pgoff_t from_start, pgoff_t *done,
				 unsigned long *shifted)
{
	unsigned int batch = 0;
	struct folio *folio;
	struct xarray *first = &shift->from->i_pages;
	struct xarray *second = &shift->to->i_pages;
	bool ok = true;

	/* A conversion of other pages may shift in the other direction: keep one order. */
	if (first > second)
		swap(first, second);
	xas_set(&shift->src, *done);
	xa_lock_irq(first);
	xa_lock_nested(second, SINGLE_DEPTH_NESTING);
	xas_for_each(&shift->src, folio, end - 1) {
		*done = shift->src.xa_index;
		xas_set(&shift->dst, *done - from_start + to_start);
		ok = !xa_is_value(folio) && gmem_kvm_shift_one(shift, folio);
		if (!ok)
			break;
		*done += 1;
		if (++batch == GMEM_KVM_SHIFT_BATCH)
			break;
	}
	xa_unlock(second);
	xa_unlock_irq(first);
	*shifted += batch;
	if (!folio)
		*done = end;
	return ok && folio;
}

/**
 * gmem_kvm_shift() - shift a run of folios
 * @from: the source
 * @start: first page in @from
 * @end: page after the last
 * @to: the destination
 * @to_start: the page of @to that belongs to @start
 * @to_kvm: whether @to is KVM's
 * @shifted: incremented for each folio
 *
 * Context: process context, sleeps; range lock held over the pages, which are in transit.
 * Return: @end, or the first page whose folio cannot be shifted: somebody else has a
 * reference, it has no contents, its memory has failed, the destination has a page there,
 * or there is no memory.
 */
pgoff_t gmem_kvm_shift(struct address_space *from, pgoff_t start, pgoff_t end,
		       struct address_space *to, pgoff_t to_start, bool to_kvm,
		       unsigned long *shifted)
{
	struct gmem_kvm_shift shift = {
		.from = from,
		.to = to,
		.src = __XA_STATE(&from->i_pages, start, 0, 0),
		.dst = __XA_STATE(&to->i_pages, to_start, 0, 0),
		.to_kvm = to_kvm,
	};
	pgoff_t done = start;

	while (gmem_kvm_shift_batch(&shift, end, to_start, start, &done, shifted) ||
	       xas_nomem(&shift.dst, GFP_KERNEL | __GFP_RETRY_MAYFAIL))
		cond_resched();
	return done;
}
