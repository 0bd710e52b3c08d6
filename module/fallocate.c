// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: commit and decommit
 *
 * fallocate() populates a range or frees its memory, also in a store; the states
 * do not change. lseek() finds the populated pages of the file itself.
 *
 * Commit and decommit are not all or nothing. So both work in steps of
 * GMEM_RUN_PAGES and drop their locks in between: others wait only for a step. A step
 * of a commit can last, for a memory cgroup lets its tasks sleep at any page. So it ends
 * early for somebody who cannot wait.
 *
 * Locks: the range lock over a step, so that no page changes its state or its
 * store meanwhile; for a hole also the lock of a gate, against faults.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/ktime.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

#include "internal.h"
#include "trace.h"

/* To find out is cheaper than a page, but not for each page. */
#define GMEM_COMMIT_CHECK 256

/*
 * Whether the host has so many pages left that nobody misses. Committed pages are in
 * no process's size, so if they took the last ones, the OOM killer would find somebody
 * else. What is kept back: a 64th of memory, from 16 MiB to 1 GiB. Guest memory does
 * not come from CMA, so what is free there is no help. ZONE_MOVABLE is none either,
 * but counts: where much of a host is set apart as movable, the check comes late.
 */
static bool gmem_commit_may(unsigned long pages)
{
	unsigned long reserve = clamp(totalram_pages() / 64, SZ_16M >> PAGE_SHIFT,
				      SZ_1G >> PAGE_SHIFT);

	reserve += global_zone_page_state(NR_FREE_CMA_PAGES);
	return si_mem_available() > (long)(reserve + pages);
}

/*
 * Shared pages are made ready to be mapped. Private ones are the guest's to fill:
 * they have memory, but no contents yet, and nobody drops them for being clean.
 */
static int gmem_commit_resident(struct gmem_inode *gi,
				const struct gmem_range_lock *range,
				pgoff_t *start, pgoff_t end, enum gmem_state state)
{
	gfp_t gfp = GMEM_FOLIO_GFP | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	unsigned int pages = 0;
	struct folio *folio;

	do {
		if (signal_pending(current))
			return -ERESTARTSYS;
		if (pages++ % GMEM_COMMIT_CHECK == 0 && !gmem_commit_may(GMEM_COMMIT_CHECK))
			gfp = 0;
		if (gfp && IS_ALIGNED(*start, 1UL << GMEM_BLOCK_SHIFT) &&
		    end - *start >= 1UL << GMEM_BLOCK_SHIFT)
			gmem_block_alloc(gi, range, *start);
		folio = gmem_folio_find(gi, *start, gfp);
		/* What is populated already costs nothing more. */
		if (folio == ERR_PTR(-ENOENT))
			return -ENOMEM;
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		*start = folio_next_index(folio);
		if (state == GMEM_STATE_SHARED) {
			gmem_folio_zero_once(folio);
			gmem_folio_publish(folio);
		} else {
			folio_mark_dirty(folio);
		}
		folio_unlock(folio);
		folio_put(folio);
		cond_resched();
	} while (*start < end && !gmem_range_wanted(range));
	return 0;
}

/* A few pages at a time: the store does not know who waits. */
static int gmem_commit_store(struct gmem_binding *binding,
			     const struct gmem_range_lock *range,
			     pgoff_t *start, pgoff_t end)
{
	const struct gmem_store_ops *store = binding->ops->store;
	pgoff_t next;
	int rc;

	do {
		next = min(end, *start + GMEM_COMMIT_CHECK);
		if (!gmem_commit_may(next - *start - store->count(binding, *start, next)))
			return -ENOMEM;
		rc = store->commit(binding, *start, next);
		if (rc)
			return rc;
		*start = next;
		cond_resched();
	} while (*start < end && !gmem_range_wanted(range));
	return 0;
}

/* One run of pages of the same state, or its part inside one binding. */
static int gmem_commit_run(struct gmem_inode *gi, const struct gmem_range_lock *range,
			   pgoff_t *start, pgoff_t end)
{
	struct gmem_binding *binding;
	enum gmem_state state;
	int rc;

	end = gmem_state_run(&gi->state, *start, end, &state);
	binding = state == GMEM_STATE_PRIVATE ?
			  gmem_binding_next(gi, *start, end) : NULL;

	if (binding)
		end = binding->start <= *start ? min(end, binding->end) :
						 binding->start;
	if (binding && binding->start <= *start && binding->ops->store)
		rc = gmem_commit_store(binding, range, start, end);
	else
		rc = gmem_commit_resident(gi, range, start, end, state);
	if (binding)
		gmem_binding_put(gi, binding);
	return rc;
}

/**
 * gmem_commit() - give memory to a range, wherever its pages live
 * @gi: the memory
 * @range: held by the caller, over the range
 * @start: in: first page; out: where it has ended
 * @end: page after the range, more than @start
 *
 * If somebody cannot wait for @range, it ends before @end, but not before it has done
 * anything: the caller gives the range back, and goes on.
 *
 * Context: range lock held; sleeps.
 * Return: 0, -ENOMEM, -EHWPOISON, -ERESTARTSYS; what was populated stays so.
 */
int gmem_commit(struct gmem_inode *gi, const struct gmem_range_lock *range,
		pgoff_t *start, pgoff_t end)
{
	int rc;

	do {
		rc = gmem_commit_run(gi, range, start, end);
	} while (!rc && *start < end && !gmem_range_wanted(range));
	return rc;
}

static void gmem_punch_block(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	struct address_space *mapping = gi->vfs_inode.i_mapping;
	struct gmem_gate *gate = gmem_gate_of(gi, start);

	down_write(&gate->lock);
	/* As if there were copies on write, else poisoned entries stay. */
	unmap_mapping_pages(mapping, start, end - start, true);
	gmem_views_zap(gi, start, end);
	truncate_inode_pages_range(mapping, (loff_t)start << PAGE_SHIFT,
				   ((loff_t)end << PAGE_SHIFT) - 1);
	gmem_poison_clear(gi, start, end);
	up_write(&gate->lock);
}

/* A block at a time: faults at its gate wait. */
static void gmem_punch_resident(struct gmem_inode *gi, pgoff_t start,
				pgoff_t end)
{
	pgoff_t next;

	for (; start < end; start = next) {
		next = min(end, ALIGN(start + 1, 1UL << GMEM_BLOCK_SHIFT));
		gmem_punch_block(gi, start, next);
		cond_resched();
	}
}

static int gmem_punch_stores(struct gmem_inode *gi,
			     struct gmem_range_lock *range)
{
	pgoff_t start = range->start, end;
	struct gmem_binding *binding;
	int rc = 0;

	while (!rc && (binding = gmem_binding_next(gi, start, range->end))) {
		start = max(start, binding->start);
		end = min3(range->end, binding->end, start + GMEM_RUN_PAGES);
		gmem_range_enter_store(gi, range);
		if (binding->ops->store)
			rc = binding->ops->store->discard(binding, start, end);
		gmem_range_leave_store(gi, range);
		start = end;
		gmem_binding_put(gi, binding);
		cond_resched();
	}
	return rc;
}

/* A hole in what guests use: their hypervisors give up the pages first. */
static int gmem_punch_bound(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	struct gmem_conversion leave = {
		.start = range->start,
		.end = range->end,
		.target = GMEM_STATE_SHARED,
		.content = GMEM_CONTENT_ZERO,
	};
	int rc;

	gmem_range_hold_faults(gi, range);
	rc = gmem_lookups_drain(gi, range, range->start, range->end,
				gmem_lookups_deadline(ktime_get()), NULL);
	if (rc)
		return rc;

	gmem_bindings_invalidate_start(gi, range, range->start, range->end);
	rc = gmem_runs_make(gi, &leave, range);
	if (!rc)
		rc = gmem_punch_stores(gi, range);
	if (!rc)
		gmem_punch_resident(gi, range->start, range->end);
	gmem_bindings_invalidate_end(gi, range, range->start, range->end);
	return rc;
}

static int gmem_punch(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	struct gmem_binding *binding;

	binding = gmem_binding_next(gi, range->start, range->end);
	if (binding) {
		gmem_binding_put(gi, binding);
		return gmem_punch_bound(gi, range);
	}
	gmem_punch_resident(gi, range->start, range->end);
	return 0;
}

/* Return: 0, and in @start where the step has ended. */
static int gmem_fallocate_step(struct gmem_inode *gi, bool punch,
			       pgoff_t *start, pgoff_t end)
{
	struct gmem_range_lock range;
	int rc;

	gmem_range_init(&range, *start, end);
	rc = gmem_range_lock(gi, &range);
	if (rc)
		return rc;
	if (!punch) {
		rc = gmem_commit(gi, &range, start, end);
	} else {
		rc = gmem_punch(gi, &range);
		*start = end;
	}
	gmem_range_unlock(gi, &range);
	return rc;
}

/* The first page of [start, end) where a hole changes anything, or @end. */
static pgoff_t gmem_punch_next(struct gmem_inode *gi, pgoff_t start,
			       pgoff_t end)
{
	struct gmem_binding *binding = gmem_binding_next(gi, start, end);
	pgoff_t next = start;

	if (binding) {
		end = max(start, binding->start);
		gmem_binding_put(gi, binding);
	}
	if (gmem_poison_next(gi, &next, end))
		end = next;
	next = start;
	return gmem_folio_next(gi->vfs_inode.i_mapping, &next, end) ? next : end;
}

/*
 * Where a view had a block as one entry, all of it went with the first page: put the
 * pages on either side of the hole back.
 */
static void gmem_punch_refill(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	if (!IS_ALIGNED(start, 1UL << GMEM_BLOCK_SHIFT))
		gmem_views_refill(gi, start - 1, start, false);
	if (!IS_ALIGNED(end, 1UL << GMEM_BLOCK_SHIFT) && end < gi->state.nr_pages)
		gmem_views_refill(gi, end, end + 1, false);
}

static int gmem_fallocate_range(struct gmem_inode *gi, bool punch,
				pgoff_t start, pgoff_t end)
{
	pgoff_t index = start, next;
	int rc = 0;

	for (; !rc && index < end; index = next) {
		if (punch)
			index = gmem_punch_next(gi, index, end);
		next = index;
		if (index < end)
			rc = gmem_fallocate_step(gi, punch, &next,
						 min(end, index + GMEM_RUN_PAGES));
		if (!rc && !punch)
			gmem_views_refill(gi, index, next, false);
		/* The call that is restarted passes over what is done. */
		if (!rc && next < end && signal_pending(current))
			rc = -ERESTARTSYS;
	}
	if (punch) {
		gmem_punch_refill(gi, start, end);
		trace_gmem_punch(gi->vfs_inode.i_ino, start, end, rc);
	} else {
		trace_gmem_commit(gi->vfs_inode.i_ino, start, end, rc);
	}
	return rc;
}

/* As guest_memfd: a hole may reach past the end, memory may not. */
long gmem_file_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct gmem_inode *gi = gmem_from_file(file);
	bool punch = mode & FALLOC_FL_PUNCH_HOLE;
	pgoff_t start = offset >> PAGE_SHIFT;
	pgoff_t end = (offset + len) >> PAGE_SHIFT;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (!PAGE_ALIGNED(offset) || !PAGE_ALIGNED(len))
		return -EINVAL;
	if (end > gi->state.nr_pages) {
		if (!punch)
			return -EINVAL;
		end = gi->state.nr_pages;
	}
	if (start >= end)
		return 0;
	return gmem_fallocate_range(gi, punch, start, end);
}

static loff_t gmem_seek_data(struct gmem_inode *gi, pgoff_t index)
{
	if (!gmem_folio_next(gi->vfs_inode.i_mapping, &index,
			     gi->state.nr_pages))
		return -ENXIO;
	return (loff_t)index << PAGE_SHIFT;
}

static loff_t gmem_seek_hole(struct gmem_inode *gi, pgoff_t index)
{
	pgoff_t next = index;

	while (gmem_folio_next(gi->vfs_inode.i_mapping, &next,
			       gi->state.nr_pages) && next == index) {
		if (fatal_signal_pending(current))
			return -EINTR;
		next = ++index;
		cond_resched();
	}
	return (loff_t)index << PAGE_SHIFT;
}

loff_t gmem_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct gmem_inode *gi = gmem_from_file(file);
	loff_t size = i_size_read(&gi->vfs_inode);
	loff_t found;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, offset, whence, size, size);
	if (offset < 0 || offset >= size)
		return -ENXIO;

	if (whence == SEEK_DATA)
		found = gmem_seek_data(gi, offset >> PAGE_SHIFT);
	else
		found = gmem_seek_hole(gi, offset >> PAGE_SHIFT);
	if (found < 0)
		return found;
	/* The page that @offset is in may be the one found. */
	return vfs_setpos(file, max(found, offset), size);
}
