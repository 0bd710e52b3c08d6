// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: filling views
 *
 * Sets the page table entries of views, see view.c: for GMEM_IOCTL_VIEW_POPULATE, and after
 * a conversion or a commit for the views of the calling process. It works by blocks of 2
 * MiB: look up the pages, then set the missing entries in the mappings of the caller's
 * address space, with one look at each VMA. Existing entries stay. But if a private page
 * has become shared, its entry gets access rights for the host, in place, and the guest
 * keeps the page.
 *
 * A block of one state and with contiguous pages becomes one entry of 2 MiB if the mapping
 * is aligned, so that KVM maps 2 MiB, too. The pages are still single pages, each with its
 * own state and references. When one of them is removed, the whole entry is removed, and
 * the next fill sets the others one by one.
 *
 * Locks: the range lock, so that states and folios are stable. It covers whole blocks, so
 * that a block has one filler at a time. At the end of a conversion it covers only the
 * converted pages; then only blocks are filled that are converted as a whole or have a page
 * table already. Inside it mmap_lock for reading, and &gmem_views.lock to find mappings. A
 * page fault holds mmap_lock and waits for a conversion; so a conversion lets the faults in
 * before it fills, and only tries mmap_lock while it holds its range.
 */
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "fill.h"
#include "trace.h"

/*
 * Zero a page that was only committed: its guest would read what the memory held before.
 * Return: false if its memory has failed.
 */
static bool gmem_fill_zero(struct gmem_inode *gi, pgoff_t index)
{
	struct folio *folio = gmem_folio_grab(gi, index, 0);

	if (IS_ERR(folio))
		return false;
	folio_unlock(folio);
	folio_put(folio);
	return true;
}

/*
 * Look up the frames of [start, end), which are in one state. Stop at the first page without
 * contents, and return its index. No reference is taken: with the range lock held only a
 * memory failure removes a folio.
 */
static pgoff_t gmem_fill_frames(struct gmem_inode *gi, struct gmem_fill *fill,
				pgoff_t start, pgoff_t end, enum gmem_state state)
{
	XA_STATE(xas, &gi->vfs_inode.i_mapping->i_pages, start);
	unsigned long private = state == GMEM_STATE_PRIVATE;
	unsigned long *entry = &fill->entry[start - fill->start];
	pgoff_t stop = end;
	struct folio *folio;

	rcu_read_lock();
	xas_for_each(&xas, folio, end - 1) {
		if (xas_retry(&xas, folio) || xa_is_value(folio))
			continue;
		if (!folio_test_checked(folio)) {
			stop = xas.xa_index;
			break;
		}
		entry[xas.xa_index - start] =
			(unsigned long)folio_page(folio, 0) | private;
	}
	rcu_read_unlock();
	return stop;
}

/* Look up all populated pages of [start, end), which is in one block. */
static void gmem_fill_look(struct gmem_inode *gi, struct gmem_fill *fill,
			   pgoff_t start, pgoff_t end)
{
	enum gmem_state state = GMEM_STATE_SHARED;
	pgoff_t index = start, next;

	fill->start = start;
	fill->end = end;
	memset(fill->entry, 0, (end - start) * sizeof(*fill->entry));
	while (index < end) {
		next = gmem_state_run(&gi->state, index, end, &state);
		while (index < next) {
			index = gmem_fill_frames(gi, fill, index, next, state);
			/* Leave out a page whose memory has failed. */
			if (index < next && !gmem_fill_zero(gi, index))
				index++;
		}
	}
}

/*
 * The block at page @first of the file has one entry, at @address. Return: whether the entry
 * can stay; its access rights are changed if all pages are shared now. If the pages differ
 * in state, the entry is removed.
 */
static bool gmem_fill_keeps_huge(struct gmem_inode *gi, struct gmem_fill *fill,
				 struct vm_area_struct *vma, unsigned long address,
				 pmd_t *pmd, pgoff_t first)
{
	pgoff_t end = first + GMEM_BLOCK_PAGES;
	enum gmem_state state;

	/* A shared entry: pages that became private were removed from all views before. */
	if (pmd_flags(*pmd) & _PAGE_PRESENT)
		return true;
	if (gmem_state_run(&gi->state, first, end, &state) != end) {
		zap_special_vma_range(vma, address, PMD_SIZE);
		return false;
	}
	if (state == GMEM_STATE_SHARED)
		gmem_fill_share_huge(fill, vma->vm_mm, address, pmd);
	return true;
}

/* Allocate an array for the pages, unless they fit into @fill->few. */
static int gmem_fill_room(struct gmem_fill *fill, pgoff_t pages)
{
	if (pages <= GMEM_FILL_FEW || fill->entry != fill->few)
		return 0;
	fill->entry = kmalloc_array(GMEM_BLOCK_PAGES, sizeof(*fill->entry),
				    GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	if (fill->entry)
		return 0;
	fill->entry = fill->few;
	return -ENOMEM;
}

/*
 * Fill the pages [start, end) of a block in one mapping. @fill->how says whether other pages
 * of the block are filled, too.
 */
static int gmem_fill_mapping(struct gmem_inode *gi, struct gmem_fill *fill,
			     struct gmem_view_mapping *mapping, pgoff_t start,
			     pgoff_t end)
{
	struct vm_area_struct *vma = mapping->vma;
	pgoff_t first = round_down(start, GMEM_BLOCK_PAGES);
	/* The address that page 0 of the file would have. */
	unsigned long base = vma->vm_start - (vma->vm_pgoff << PAGE_SHIFT);
	unsigned long block = base + (first << PAGE_SHIFT);
	bool aligned = IS_ALIGNED(base, PMD_SIZE), table = true, around;
	pmd_t *pmd = NULL;
	int rc;

	if (aligned) {
		pmd = gmem_fill_pmd(vma->vm_mm, block);
		table = gmem_fill_has_table(pmd);
	}
	if (fill->how == GMEM_FILL_HELD && !table && end - start < GMEM_BLOCK_PAGES) {
		fill->rest = true;
		return 0;
	}
	around = fill->how == GMEM_FILL_WHOLE || (!table && fill->how != GMEM_FILL_PAGES);
	if (gmem_fill_has_huge(pmd)) {
		if (gmem_fill_keeps_huge(gi, fill, vma, block, pmd, first))
			return 0;
		around = true;
	}
	if (around && aligned) {
		start = first;
		end = first + GMEM_BLOCK_PAGES;
	}
	start = max(start, vma->vm_pgoff);
	end = min(end, vma->vm_pgoff + vma_pages(vma));
	rc = gmem_fill_room(fill, end - start);
	if (rc)
		return rc;
	gmem_fill_look(gi, fill, start, end);
	if (!table && gmem_fill_huge(mapping, fill, block))
		return 0;
	return gmem_fill_tables(fill, vma->vm_mm, base + (start << PAGE_SHIFT));
}

/* Whether a VMA is still in the address space: munmap() removes it before it closes it. */
static bool gmem_fill_attached(struct vm_area_struct *vma)
{
	return vma->vm_mm == current->mm &&
	       vma_lookup(current->mm, vma->vm_start) == vma;
}

/* Fill the pages [start, end) of a block in all mappings of the process. */
static int gmem_fill_block(struct gmem_inode *gi, struct gmem_fill *fill,
			   pgoff_t start, pgoff_t end)
{
	struct gmem_view_mapping *mapping = NULL;
	int rc = 0;

	/* A task that holds it for writing may wait for a fault that is never resolved. */
	if (fill->how == GMEM_FILL_HELD) {
		if (!mmap_read_trylock(current->mm))
			return -EAGAIN;
	} else if (mmap_read_lock_killable(current->mm)) {
		return -EINTR;
	}
	down_read(&gi->views.lock);
	while (!rc && (mapping = gmem_views_next(gi, mapping, start, end))) {
		if (!gmem_fill_attached(mapping->vma))
			continue;
		/*
		 * The mapping stays, because mmap_lock is held. Do not let other tasks that
		 * map views wait: a memory cgroup can delay the allocation of tables.
		 */
		up_read(&gi->views.lock);
		rc = gmem_fill_mapping(gi, fill, mapping, start, end);
		down_read(&gi->views.lock);
	}
	up_read(&gi->views.lock);
	mmap_read_unlock(current->mm);
	return rc;
}

/*
 * Populate [start, *end), which is in one block. *end: out: the page up to which it can be
 * filled. With -EHWPOISON this is the page that has failed, with another error @start.
 */
static int gmem_fill_commit(struct gmem_inode *gi, const struct gmem_range_lock *range,
			    pgoff_t start, pgoff_t *end)
{
	pgoff_t failed = start, done = start;
	int rc = gmem_commit(gi, range, &done, *end);

	if (rc == -EHWPOISON)
		gmem_poison_next(gi, &failed, *end);
	*end = rc ? failed : done;
	return rc;
}

/*
 * Fill [*start, end) block by block, in a range that the caller holds. Stop after a block if
 * an urgent task waits for the range.
 */
static int gmem_fill_locked(struct gmem_inode *gi, struct gmem_fill *fill,
			    const struct gmem_range_lock *range, pgoff_t *start,
			    pgoff_t end, bool alloc)
{
	int rc = 0, err;
	pgoff_t next;

	while (!rc && *start < end) {
		next = min(end, round_down(*start, GMEM_BLOCK_PAGES) +
					GMEM_BLOCK_PAGES);
		if (alloc)
			rc = gmem_fill_commit(gi, range, *start, &next);
		if (*start == next)
			break;
		err = gmem_fill_block(gi, fill, *start, next);
		if (err)
			return err;
		*start = next;
		if (gmem_range_wanted(range))
			break;
		cond_resched();
	}
	return rc;
}

/* Lock the blocks of a range. @patient: only a fatal signal interrupts the wait. */
static int gmem_fill_lock(struct gmem_inode *gi, struct gmem_range_lock *range,
			  pgoff_t start, pgoff_t end, bool patient)
{
	int rc;

	start = round_down(start, GMEM_BLOCK_PAGES);
	end = min(round_up(end, GMEM_BLOCK_PAGES), gi->state.nr_pages);
	gmem_range_init(range, start, end);
	rc = gmem_range_lock(gi, range);
	if (!rc || !patient || fatal_signal_pending(current))
		return rc;
	gmem_range_init(range, start, end);
	return gmem_range_lock_urgent(gi, range);
}

/*
 * Skip blocks without populated pages: a file of terabytes may have few. Look at whole
 * blocks, because pages outside of the range may have lost their entries, too.
 */
static void gmem_fill_skip(struct gmem_inode *gi, pgoff_t *start, pgoff_t end)
{
	pgoff_t index = round_down(*start, GMEM_BLOCK_PAGES);

	if (gmem_folio_next(gi->vfs_inode.i_mapping, &index,
			    round_up(end, GMEM_BLOCK_PAGES)))
		*start = max(*start, round_down(index, GMEM_BLOCK_PAGES));
	else
		*start = end;
}

/* The end of a run of pages from @start: @end, or the end of a block. */
static pgoff_t gmem_fill_run_end(pgoff_t start, pgoff_t end)
{
	return min(end, round_down(start, GMEM_BLOCK_PAGES) + GMEM_RUN_PAGES);
}

static void gmem_fill_init(struct gmem_fill *fill, enum gmem_fill_how how)
{
	fill->how = how;
	fill->rest = false;
	fill->set = 0;
	fill->entry = fill->few;
	gmem_fill_prots(fill);
}

static void gmem_fill_end(struct gmem_fill *fill)
{
	if (fill->entry != fill->few)
		kfree(fill->entry);
}

/* Fill [*start, end), a run at a time; @fill is set up here. */
static int gmem_fill_range(struct gmem_inode *gi, struct gmem_fill *fill,
			   pgoff_t *start, pgoff_t end, enum gmem_fill_how how, bool alloc)
{
	bool refill = how != GMEM_FILL_PAGES;
	struct gmem_range_lock range;
	pgoff_t next;
	int rc = 0;

	gmem_fill_init(fill, how);
	while (!rc && *start < end) {
		if (!alloc)
			gmem_fill_skip(gi, start, end);
		if (*start == end)
			break;
		next = gmem_fill_run_end(*start, end);
		rc = gmem_fill_lock(gi, &range, *start, next, refill);
		if (rc)
			break;
		rc = gmem_fill_locked(gi, fill, &range, start, next, alloc);
		gmem_range_unlock(gi, &range);
		if (!rc && *start < end && !refill && signal_pending(current))
			rc = -ERESTARTSYS;
	}
	gmem_fill_end(fill);
	return rc;
}

/* Whether the process has mappings of views of the range. */
static bool gmem_fill_wanted(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	struct gmem_view_mapping *mapping = NULL;

	if (!READ_ONCE(gi->views.nr_mappings) || !current->mm)
		return false;
	down_read(&gi->views.lock);
	do {
		mapping = gmem_views_next(gi, mapping, start, end);
	} while (mapping && mapping->vma->vm_mm != current->mm);
	up_read(&gi->views.lock);
	return mapping;
}

static void gmem_refill_done(struct gmem_inode *gi, const struct gmem_fill *fill,
			     pgoff_t start, pgoff_t end, int rc)
{
	atomic64_add(fill->set, &gi->counters.view_pages);
	atomic64_add(fill->set, &gi->counters.view_refills);
	trace_gmem_view_refill(gi->vfs_inode.i_ino, start, end, fill->set, rc);
}

/**
 * gmem_views_refill() - set the entries of populated pages in views again
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 * @whole: fill all pages of the blocks, which may have had one entry each
 *
 * Only views of the calling process are filled. If there is no memory for tables, the
 * remaining entries are removed: a vCPU then faults and asks for the page, instead of
 * keeping an entry of the old state.
 *
 * Context: process context, sleeps; takes the range lock, over whole blocks, and
 * mmap_lock.
 */
void gmem_views_refill(struct gmem_inode *gi, pgoff_t start, pgoff_t end, bool whole)
{
	pgoff_t index = start;
	struct gmem_fill fill;
	int rc;

	if (start >= end || !gmem_fill_wanted(gi, start, end))
		return;
	rc = gmem_fill_range(gi, &fill, &index, end,
			     whole ? GMEM_FILL_WHOLE : GMEM_FILL_AROUND, false);
	if (rc)
		gmem_views_zap(gi, index, end);
	gmem_refill_done(gi, &fill, start, end, rc);
}

/**
 * gmem_views_refill_held() - as gmem_views_refill(), at the end of a conversion
 * @gi: the memory
 * @range: held by the caller
 * @start: first page
 * @end: page after the range
 *
 * Context: process context, sleeps; range lock held, faults let in; tries mmap_lock.
 * Return: what is left for gmem_views_refill(): GMEM_REFILL_ENDS where a block at the start
 * or the end of the range has to be filled as a whole, GMEM_REFILL_ALL where mmap_lock is
 * taken, or somebody cannot wait for the range.
 */
enum gmem_refill gmem_views_refill_held(struct gmem_inode *gi,
					const struct gmem_range_lock *range,
					pgoff_t start, pgoff_t end)
{
	pgoff_t index = start;
	struct gmem_fill fill;
	int rc = 0;

	if (start >= end || !gmem_fill_wanted(gi, start, end))
		return GMEM_REFILL_DONE;
	gmem_fill_init(&fill, GMEM_FILL_HELD);
	while (!rc && index < end) {
		gmem_fill_skip(gi, &index, end);
		rc = gmem_fill_locked(gi, &fill, range, &index,
				      gmem_fill_run_end(index, end), false);
		/* The caller fills the rest after it has released the range. */
		if (!rc && index < end && gmem_range_wanted(range))
			rc = -EAGAIN;
	}
	gmem_fill_end(&fill);
	if (rc && rc != -EAGAIN)
		gmem_views_zap(gi, index, end);
	gmem_refill_done(gi, &fill, start, end, rc);
	if (rc == -EAGAIN)
		return GMEM_REFILL_ALL;
	return fill.rest ? GMEM_REFILL_ENDS : GMEM_REFILL_DONE;
}

/* Find the pages of an address range, which must be in one mapping of the view. */
static int gmem_populate_find(struct file *file, u64 address, u64 length,
			      pgoff_t *start)
{
	struct vm_area_struct *vma;
	int rc = -EINVAL;

	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	vma = vma_lookup(current->mm, address);
	if (vma && vma->vm_file == file && vma->vm_private_data &&
	    length <= vma->vm_end - address) {
		*start = linear_page_index(vma, address);
		rc = 0;
	}
	mmap_read_unlock(current->mm);
	return rc;
}

static int gmem_populate_check(struct gmem_view *view,
			       const struct gmem_ioctl_view_populate *cmd)
{
	u64 end;

	if (cmd->flags & ~GMEM_VIEW_POPULATE_F_NOALLOC || cmd->pages ||
	    memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	if (check_add_overflow(cmd->address, cmd->length, &end))
		return -EOVERFLOW;
	if (!cmd->length || !PAGE_ALIGNED(cmd->address) ||
	    !PAGE_ALIGNED(cmd->length))
		return -EINVAL;
	return view->mm == current->mm ? 0 : -EPERM;
}

long gmem_ioctl_view_populate(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_view *view = file->private_data;
	struct gmem_inode *gi = gmem_from_file(view->memory);
	struct gmem_ioctl_view_populate *cmd = ucmd->cmd;
	bool alloc = !(cmd->flags & GMEM_VIEW_POPULATE_F_NOALLOC);
	pgoff_t start, index, end;
	struct gmem_fill fill;
	int rc;

	rc = gmem_populate_check(view, cmd);
	if (!rc)
		rc = gmem_populate_find(file, cmd->address, cmd->length, &start);
	if (rc)
		return rc;
	index = start;
	end = start + (cmd->length >> PAGE_SHIFT);
	rc = gmem_fill_range(gi, &fill, &index, end, GMEM_FILL_PAGES, alloc);
	atomic64_add(fill.set, &gi->counters.view_pages);
	trace_gmem_view_populate(gi->vfs_inode.i_ino, start, end, fill.set, rc);

	cmd->address += (u64)(index - start) << PAGE_SHIFT;
	cmd->length -= (u64)(index - start) << PAGE_SHIFT;
	cmd->pages = rc == -ERESTARTSYS ? 0 : fill.set;
	return gmem_ucmd_respond(ucmd) ? -EFAULT : rc;
}
