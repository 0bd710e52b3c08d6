// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: commit and decommit
 *
 * fallocate() populates a range or frees its memory, also in a store; the states
 * do not change. lseek() finds the populated pages of the file itself.
 *
 * Commit and decommit are not all or nothing. So both work in steps of
 * GMEM_RUN_PAGES and drop their locks in between: other tasks wait only for a step. A
 * step of a commit can take long, because a memory cgroup can make the task sleep at any
 * page. So it ends early if an urgent task waits for the range.
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

/* Pages between two checks of the available memory, which are too slow for each page. */
#define GMEM_COMMIT_CHECK 256

/*
 * Whether the host can spare a number of pages. Committed pages do not count to the size of
 * any process. If they used up memory, the OOM killer would kill some other process. So a
 * 64th of memory, from 16 MiB to 1 GiB, is kept back. Guest memory does not come from CMA,
 * so free memory there does not count. It does not come from ZONE_MOVABLE either, but that
 * does count: on a host with a large ZONE_MOVABLE this check fails too late.
 */
static bool gmem_commit_may(unsigned long pages)
{
	unsigned long reserve = clamp(totalram_pages() / 64, SZ_16M >> PAGE_SHIFT,
				      SZ_1G >> PAGE_SHIFT);

	reserve += global_zone_page_state(NR_FREE_CMA_PAGES);
	return si_mem_available() > (long)(reserve + pages);
}

/*
 * Populate pages of one state in the file itself. Shared pages are zeroed, so that they can
 * be mapped. Private pages get no contents. They are marked dirty, because the kernel can
 * drop clean folios.
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
		/* With @gfp 0: not populated, and there is not enough memory left. */
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

/* Populate pages in a store, a few at a time: it does not know about urgent tasks. */
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

/* Populate one run of pages of the same state, or its part in one binding. */
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
 * gmem_commit() - populate a range, also in a store
 * @gi: the memory
 * @range: held by the caller, over the range
 * @start: in: first page; out: where it has ended
 * @end: page after the range, more than @start
 *
 * If an urgent task waits for @range, it ends before @end, but populates at least one page.
 * The caller then releases the range, locks the rest and continues.
 *
 * Context: range lock held; sleeps.
 * Return: 0, -ENOMEM, -EHWPOISON, -ERESTARTSYS; populated pages stay populated.
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
	/* even_cows: otherwise entries of poisoned pages would stay. */
	unmap_mapping_pages(mapping, start, end - start, true);
	gmem_views_zap(gi, start, end);
	truncate_inode_pages_range(mapping, (loff_t)start << PAGE_SHIFT,
				   ((loff_t)end << PAGE_SHIFT) - 1);
	gmem_poison_clear(gi, start, end);
	up_write(&gate->lock);
}

/* Punch a block at a time, because faults at its gate wait. */
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

/* Punch a hole in a bound range: the hypervisors release the pages first. */
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

/* Commit or punch one step. @start: out: where it has ended. Return: 0 or an error. */
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
 * If a view mapped a block by one entry, the whole entry was removed with the first page of
 * the hole. Fill the pages on either side of the hole again.
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
		/* The restarted call skips the part that is done. */
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

/* As in guest_memfd, a hole may reach past the end of the file, a commit may not. */
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
	/* If the page found is the one of @offset, keep @offset. */
	return vfs_setpos(file, max(found, offset), size);
}
