// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: memory errors
 *
 * When memory of a page fails, the kernel unmaps the page, signals the processes
 * that had it mapped, and asks for its removal from the page cache. The contents
 * are lost, and nobody may mistake a new page of zeros for them. So gmem records
 * the page, and refuses access until a hole is punched.
 *
 * Locks: the page is recorded and the folio removed under the folio lock, in this
 * order. So whoever finds no folio finds the record.
 */
#include <linux/pagemap.h>

#include "internal.h"
#include "trace.h"

/* The limit that is documented for &gmem_ops.error */
#define GMEM_ERROR_WAIT HZ

/*
 * Find the binding whose hypervisor has to be notified. Return: NULL if there is none. The
 * binding holds the file; nothing else does after the folio is removed.
 */
static struct gmem_binding *gmem_poison_owner(struct gmem_inode *gi,
					      pgoff_t index)
{
	struct gmem_binding *binding;

	binding = gmem_binding_next(gi, index, index + 1);
	if (!binding || (binding->file && binding->ops->error))
		return binding;
	gmem_binding_put(gi, binding);
	return NULL;
}

static int gmem_poison_remove(struct gmem_inode *gi, struct folio *folio)
{
	pgoff_t index = folio->index;
	int rc;

	rc = xa_insert(&gi->poison, index, xa_mk_value(0), GFP_NOIO);
	if (rc)
		return rc;
	atomic_inc(&gi->nr_poisoned);
	rc = generic_error_remove_folio(gi->vfs_inode.i_mapping, folio);
	/* The folio is still there, and keeps the inode. */
	if (rc)
		gmem_poison_clear(gi, index, index + 1);
	return rc;
}

/**
 * gmem_error_remove_folio() - memory of a folio has failed
 * @mapping: its page cache
 * @folio: locked, unmapped
 *
 * The locked folio in the page cache keeps the inode: the eviction of an inode without
 * files waits for it. After the removal only a binding that holds the file keeps it.
 *
 * Context: process context; folio lock held.
 * Return: 0, or an error if the folio could not be removed. The kernel has marked it as
 * poisoned, and faults and look-ups check this mark, too.
 */
int gmem_error_remove_folio(struct address_space *mapping, struct folio *folio)
{
	struct gmem_inode *gi = GMEM_I(mapping->host);
	unsigned long ino = mapping->host->i_ino;
	pgoff_t index = folio->index;
	struct gmem_binding *owner;
	int rc;

	owner = gmem_poison_owner(gi, index);
	/* The folio is marked, so views are not filled with it. Later the inode may be gone. */
	gmem_views_zap(gi, index, index + 1);
	rc = gmem_poison_remove(gi, folio);
	trace_gmem_poison(ino, index, rc);
	if (owner) {
		/* Not interruptible: a signal for this error is often pending. */
		gmem_lookups_wait(gi, index, index + 1, GMEM_ERROR_WAIT);
		owner->ops->error(owner, index);
		gmem_binding_put(gi, owner);
	}
	return rc;
}

/**
 * gmem_poison_next() - find a page whose memory has failed
 * @gi: the memory
 * @index: in: first page to look at; out: the page found
 * @end: page after the range
 *
 * Return: whether there is one.
 */
bool gmem_poison_next(struct gmem_inode *gi, pgoff_t *index, pgoff_t end)
{
	unsigned long at = *index;

	if (at >= end || xa_empty(&gi->poison))
		return false;
	if (!xa_find(&gi->poison, &at, end - 1, XA_PRESENT))
		return false;
	*index = at;
	return true;
}

/**
 * gmem_poison_clear() - remove the records of a range, whose pages are gone
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 *
 * Context: process context.
 */
void gmem_poison_clear(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	pgoff_t index = start;

	while (gmem_poison_next(gi, &index, end)) {
		if (xa_erase(&gi->poison, index))
			atomic_dec(&gi->nr_poisoned);
	}
}
