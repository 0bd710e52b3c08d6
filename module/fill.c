// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: filling views
 *
 * Setting the page table entries of views, see view.c: as part of
 * GMEM_IOCTL_VIEW_POPULATE, and after a conversion or a commit for the views of the process
 * that has asked for it. A block of 2 MiB at a time: look up what is there, then set the
 * entries that are missing in the mappings of the caller's address space, with one
 * look at each VMA. What is there already stays; but an entry of a private page that has
 * become shared gets the access of the host, in place, and the guest keeps the page.
 *
 * A block that is in one state, and whose pages are neighbours in memory, becomes one
 * entry of 2 MiB where the mapping is aligned to it, so that KVM maps 2 MiB, too. The
 * pages are single ones nevertheless, each with its own state and references. When one
 * of them goes, the entry goes, and filling sets all the others one by one.
 *
 * Locks: the range lock, so that states and folios stay: over whole blocks, so that one
 * filler at a time is at a block; or, at the end of a conversion, over its pages, and then
 * only blocks are filled that are in it as a whole or have a table already. Below it
 * mmap_lock and &gmem_views.lock, both for reading. A page fault holds mmap_lock and waits
 * for a conversion; so a conversion has let the faults in before it fills, and only tries
 * mmap_lock while it has its range.
 */
#include <linux/overflow.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "internal.h"
#include "trace.h"

#define GMEM_BLOCK_PAGES (1UL << GMEM_BLOCK_SHIFT)

/* Guests convert page by page: so many pages need no memory for the fill. */
#define GMEM_FILL_FEW 16

/*
 * struct gmem_fill - pages of a block on their way into a mapping
 * @start: first page
 * @end: page after the last one, in the same block
 * @entry: for each: its struct page and, lowest bit, whether it is private; or 0
 *	for one that is not populated
 * @prot: of shared and of private entries
 * @few: where @entry is for a few pages
 * @around: where nothing of a block is mapped, fill all of it
 * @whole: fill all of a block, even if something of it is mapped
 * @held: the range lock is that of who has converted, over no more than the pages
 * @rest: out: with @held, whether there was a block that has to be filled as a whole
 * @set: pages that were put into mappings so far
 */
struct gmem_fill {
	pgoff_t start;
	pgoff_t end;
	unsigned long *entry;
	unsigned long few[GMEM_FILL_FEW];
	pgprot_t prot[2];
	bool around;
	bool whole;
	bool held;
	bool rest;
	unsigned long set;
};

/*
 * Present for KVM in either case; RW, or KVM would not let its guest write. What else an
 * entry needs on this machine, such as AMD's encryption of host memory, the kernel knows.
 */
static pgprot_t gmem_fill_prot(unsigned long vm_flags)
{
	return __pgprot(pgprot_val(vm_get_page_prot(vm_flags)) | _PAGE_RW |
			_PAGE_DIRTY | _PAGE_ACCESSED);
}

/* Memory that was only committed has no contents yet, which its guest would read. */
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
 * The frames of [start, end), which are in one state, up to the first without contents,
 * which is returned. Takes no references: with the range lock nobody but a memory
 * failure removes a folio.
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

/* What there is of the pages [start, end) of a block. */
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
			/* Its memory has failed: without it */
			if (index < next && !gmem_fill_zero(gi, index))
				index++;
		}
	}
}

static struct page *gmem_fill_page(unsigned long entry)
{
	return (struct page *)(entry & ~1UL);
}

/* Whether one entry can stand for all of the block. */
static bool gmem_fill_is_huge(const struct gmem_fill *fill)
{
	unsigned long first = fill->entry[0], i;

	if (fill->end - fill->start != GMEM_BLOCK_PAGES || !first ||
	    !IS_ALIGNED(page_to_pfn(gmem_fill_page(first)), GMEM_BLOCK_PAGES))
		return false;
	for (i = 1; i < GMEM_BLOCK_PAGES; i++) {
		if (fill->entry[i] != first + i * sizeof(struct page))
			return false;
	}
	return true;
}

/*
 * Under the lock of the page table: a memory failure marks the page, then removes the
 * entry.
 */
static bool gmem_fill_failed(struct page *page, unsigned long pages)
{
	while (pages--) {
		if (PageHWPoison(page++))
			return true;
	}
	return false;
}

/**
 * gmem_fill_huge_fault() - set an entry of 2 MiB
 * @vmf: of gmem_fill_huge(); nobody else's fault comes so far
 * @order: PMD_ORDER
 *
 * By way of a page fault, because the kernel has no other function for modules that
 * allocates what is above the entry.
 *
 * Context: mmap_lock and &gmem_views.huge_lock held.
 * Return: VM_FAULT_NOPAGE, or VM_FAULT_FALLBACK.
 */
vm_fault_t gmem_fill_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct gmem_view *view = vmf->vma->vm_file->private_data;
	struct gmem_views *views = &gmem_from_file(view->memory)->views;
	struct mm_struct *mm = vmf->vma->vm_mm;
	struct gmem_fill *fill = views->huge;
	struct page *page;
	spinlock_t *ptl;
	pmd_t entry;

	if (order != PMD_ORDER || READ_ONCE(views->filler) != current)
		return VM_FAULT_FALLBACK;
	page = gmem_fill_page(fill->entry[0]);
	entry = pfn_pmd(page_to_pfn(page), fill->prot[fill->entry[0] & 1]);
	ptl = pmd_lock(mm, vmf->pmd);
	if (pmd_none(*vmf->pmd) && !gmem_fill_failed(page, GMEM_BLOCK_PAGES)) {
		set_pmd_at(mm, vmf->address & PMD_MASK, vmf->pmd,
			   pmd_mkspecial(pmd_mkhuge(entry)));
		fill->set += GMEM_BLOCK_PAGES;
	}
	spin_unlock(ptl);
	return VM_FAULT_NOPAGE;
}

static void gmem_fill_huge(struct gmem_views *views, struct gmem_fill *fill,
			   struct vm_area_struct *vma, unsigned long address)
{
	mutex_lock(&views->huge_lock);
	views->huge = fill;
	WRITE_ONCE(views->filler, current);
	handle_mm_fault(vma, address, 0, NULL);
	WRITE_ONCE(views->filler, NULL);
	mutex_unlock(&views->huge_lock);
}

/* Where @address has an entry of 2 MiB or a table; NULL: what would be above is not there. */
static pmd_t *gmem_fill_pmd(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, address);
	return pud_none(*pud) ? NULL : pmd_offset(pud, address);
}

/* A block has become shared as a whole: so does its entry, which stays where it is. */
static void gmem_fill_share_huge(struct gmem_fill *fill, struct mm_struct *mm,
				 unsigned long address, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lock(mm, pmd);

	if (pmd_leaf(*pmd) && !gmem_fill_failed(pfn_to_page(pmd_pfn(*pmd)),
						GMEM_BLOCK_PAGES)) {
		set_pmd_at(mm, address, pmd,
			   pmd_mkspecial(pmd_mkhuge(pfn_pmd(pmd_pfn(*pmd),
							    fill->prot[0]))));
		fill->set += GMEM_BLOCK_PAGES;
	}
	spin_unlock(ptl);
}

/*
 * The block at page @first of the file has one entry, at @address. Whether that is good
 * for all of its pages. If not, and they differ, it is taken away.
 */
static bool gmem_fill_keeps_huge(struct gmem_inode *gi, struct gmem_fill *fill,
				 struct vm_area_struct *vma, unsigned long address,
				 pmd_t *pmd, pgoff_t first)
{
	pgoff_t end = first + GMEM_BLOCK_PAGES;
	enum gmem_state state;

	/* Pages that become private have left all views before. */
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

/* A table stays one as long as the mapping is there. */
static bool gmem_fill_has_table(pmd_t *pmd)
{
	pmd_t entry = pmd ? pmdp_get_lockless(pmd) : __pmd(0);

	return !pmd_none(entry) && !pmd_leaf(entry);
}

static void gmem_fill_pte(struct gmem_fill *fill, struct mm_struct *mm,
			  unsigned long address, pte_t *pte, unsigned long entry)
{
	struct page *page = gmem_fill_page(entry);
	pte_t old = ptep_get(pte);

	if (!page || PageHWPoison(page))
		return;
	/* There already, unless it has become shared. */
	if (!pte_none(old) && (entry & 1 || pte_flags(old) & _PAGE_PRESENT))
		return;
	set_pte_at(mm, address, pte,
		   pte_mkspecial(pfn_pte(page_to_pfn(page),
					 fill->prot[entry & 1])));
	fill->set++;
}

static int gmem_fill_no_pte(pte_t *pte, unsigned long address, void *data)
{
	return 0;
}

/* Set the entries of [address, end), which are in one table. */
static int gmem_fill_table(struct gmem_fill *fill, struct mm_struct *mm,
			   unsigned long address, unsigned long end,
			   const unsigned long *entry)
{
	pmd_t *pmd = gmem_fill_pmd(mm, address);
	spinlock_t *ptl;
	pte_t *pte;
	int rc;

	if (!gmem_fill_has_table(pmd)) {
		/* The one way in which a module can have a table made. */
		rc = apply_to_page_range(mm, address, PAGE_SIZE, gmem_fill_no_pte,
					 NULL);
		if (rc)
			return rc;
		pmd = gmem_fill_pmd(mm, address);
	}
	ptl = pte_lockptr(mm, pmd);
	spin_lock(ptl);
	pte = pte_offset_kernel(pmd, address);
	for (; address < end; address += PAGE_SIZE)
		gmem_fill_pte(fill, mm, address, pte++, *entry++);
	spin_unlock(ptl);
	return 0;
}

/* Set the entries of @fill in a mapping, from @address on. */
static int gmem_fill_tables(struct gmem_fill *fill, struct mm_struct *mm,
			    unsigned long address)
{
	unsigned long end = address + ((fill->end - fill->start) << PAGE_SHIFT);
	const unsigned long *entry = fill->entry;
	unsigned long next;
	int rc = 0;

	for (; !rc && address < end; address = next) {
		next = pmd_addr_end(address, end);
		rc = gmem_fill_table(fill, mm, address, next, entry);
		entry += (next - address) >> PAGE_SHIFT;
	}
	return rc;
}

/* Room for the pages of a block, or for those that are asked for. */
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
 * Fill the pages [start, end) of a block in one mapping. With @around, where nothing of
 * the block is mapped all of it is filled: it may have been one entry, of which a page
 * has gone. With @whole, also where something is mapped: since it was one entry, a vCPU has
 * asked for a page.
 */
static int gmem_fill_vma(struct gmem_inode *gi, struct gmem_fill *fill,
			 struct vm_area_struct *vma, pgoff_t start, pgoff_t end)
{
	pgoff_t first = round_down(start, GMEM_BLOCK_PAGES);
	/* Of page 0 of the file, were it mapped. */
	unsigned long base = vma->vm_start - (vma->vm_pgoff << PAGE_SHIFT);
	bool aligned = IS_ALIGNED(base, PMD_SIZE), huge = false, around = fill->around;
	unsigned long block = base + (first << PAGE_SHIFT);
	pmd_t *pmd = NULL;
	int rc;

	if (aligned)
		pmd = gmem_fill_pmd(vma->vm_mm, block);
	if (fill->held && aligned && end - start < GMEM_BLOCK_PAGES &&
	    !gmem_fill_has_table(pmd)) {
		fill->rest = true;
		return 0;
	}
	if (pmd && pmd_leaf(pmdp_get_lockless(pmd))) {
		if (gmem_fill_keeps_huge(gi, fill, vma, block, pmd, first))
			return 0;
		around = true;
	} else if (aligned && (!pmd || pmd_none(pmdp_get_lockless(pmd)))) {
		huge = true;
	} else {
		around = fill->whole;
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
	if (huge && gmem_fill_is_huge(fill)) {
		gmem_fill_huge(&gi->views, fill, vma, block);
		pmd = gmem_fill_pmd(vma->vm_mm, block);
		if (pmd && pmd_leaf(pmdp_get_lockless(pmd)))
			return 0;
	}
	return gmem_fill_tables(fill, vma->vm_mm, base + (start << PAGE_SHIFT));
}

/* Whether a VMA is still the process's: munmap() takes it out first. */
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

	/* Who has it for writing may wait for a fault that nobody answers. */
	if (fill->held && !mmap_read_trylock(current->mm))
		return -EAGAIN;
	if (!fill->held && mmap_read_lock_killable(current->mm))
		return -EINTR;
	down_read(&gi->views.lock);
	while (!rc && (mapping = gmem_views_next(gi, mapping, start, end))) {
		if (gmem_fill_attached(mapping->vma))
			rc = gmem_fill_vma(gi, fill, mapping->vma, start, end);
	}
	up_read(&gi->views.lock);
	mmap_read_unlock(current->mm);
	return rc;
}

/*
 * Give memory to [start, *end), which is in a block. On an error @end is where it can be
 * filled up to: the page whose memory has failed, or else nowhere.
 */
static int gmem_fill_commit(struct gmem_inode *gi, pgoff_t start, pgoff_t *end)
{
	pgoff_t failed = start;
	int rc = gmem_commit(gi, start, *end);

	if (!rc)
		return 0;
	if (rc == -EHWPOISON)
		gmem_poison_next(gi, &failed, *end);
	*end = failed;
	return rc;
}

/* Fill [*start, end), which is in a range that the caller holds. */
static int gmem_fill_locked(struct gmem_inode *gi, struct gmem_fill *fill,
			    pgoff_t *start, pgoff_t end, bool alloc)
{
	int rc = 0, err;
	pgoff_t next;

	for (; !rc && *start < end; *start = next) {
		next = min(end, round_down(*start, GMEM_BLOCK_PAGES) +
					GMEM_BLOCK_PAGES);
		if (alloc)
			rc = gmem_fill_commit(gi, *start, &next);
		if (*start == next)
			break;
		err = gmem_fill_block(gi, fill, *start, next);
		if (err)
			return err;
		cond_resched();
	}
	return rc;
}

/* Take the blocks of a range; @patient: whatever signal comes, unless it is fatal. */
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
 * Pass over blocks that have no memory: terabytes may have little. Whole blocks, because
 * what was lost may be beside the range.
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

/* The end of a run, which is not in the middle of a block. */
static pgoff_t gmem_fill_run_end(pgoff_t start, pgoff_t end)
{
	return min(end, round_down(start, GMEM_BLOCK_PAGES) + GMEM_RUN_PAGES);
}

static void gmem_fill_init(struct gmem_fill *fill, bool refill)
{
	fill->set = 0;
	fill->around = refill;
	fill->whole = false;
	fill->held = false;
	fill->rest = false;
	fill->prot[0] = gmem_fill_prot(VM_SHARED | VM_READ | VM_WRITE);
	fill->prot[1] = gmem_fill_prot(VM_SHARED);
	fill->entry = fill->few;
}

static void gmem_fill_end(struct gmem_fill *fill)
{
	if (fill->entry != fill->few)
		kfree(fill->entry);
}

/*
 * Fill [*start, end), a run at a time; @fill is set up here. @refill and @whole: see
 * gmem_fill_vma().
 */
static int gmem_fill_range(struct gmem_inode *gi, struct gmem_fill *fill,
			   pgoff_t *start, pgoff_t end, bool alloc, bool refill,
			   bool whole)
{
	struct gmem_range_lock range;
	pgoff_t next;
	int rc = 0;

	gmem_fill_init(fill, refill);
	fill->whole = whole;
	while (!rc && *start < end) {
		if (!alloc)
			gmem_fill_skip(gi, start, end);
		if (*start == end)
			break;
		next = gmem_fill_run_end(*start, end);
		rc = gmem_fill_lock(gi, &range, *start, next, refill);
		if (rc)
			break;
		rc = gmem_fill_locked(gi, fill, start, next, alloc);
		gmem_range_unlock(gi, &range);
		if (!rc && *start < end && !refill && signal_pending(current))
			rc = -ERESTARTSYS;
	}
	gmem_fill_end(fill);
	return rc;
}

/* Whether the process has mappings of views of the range. */
static bool gmem_views_mine(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
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
 * gmem_views_refill() - give views their pages back
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 * @whole: all pages of the blocks in which they are, which may have been one entry each
 *
 * Those of the calling process, and what is populated. What cannot be given back for
 * want of memory a vCPU asks for; so nothing is left that only looks given back.
 *
 * Context: process context, sleeps; takes the range lock, over whole blocks, and
 * mmap_lock.
 */
void gmem_views_refill(struct gmem_inode *gi, pgoff_t start, pgoff_t end, bool whole)
{
	pgoff_t index = start;
	struct gmem_fill fill;
	int rc;

	if (start >= end || !gmem_views_mine(gi, start, end))
		return;
	rc = gmem_fill_range(gi, &fill, &index, end, false, true, whole);
	if (rc)
		gmem_views_zap(gi, index, end);
	gmem_refill_done(gi, &fill, start, end, rc);
}

/**
 * gmem_views_refill_held() - give views their pages back at the end of a conversion
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 *
 * As gmem_views_refill(), for who has the range locked already.
 *
 * Context: process context, sleeps; range lock held, faults let in; tries mmap_lock.
 * Return: what is left for gmem_views_refill(): GMEM_REFILL_ENDS where a block at the start
 * or the end of the range has to be filled as a whole, GMEM_REFILL_ALL where mmap_lock is
 * taken.
 */
enum gmem_refill gmem_views_refill_held(struct gmem_inode *gi, pgoff_t start,
					pgoff_t end)
{
	pgoff_t index = start;
	struct gmem_fill fill;
	int rc = 0;

	if (start >= end || !gmem_views_mine(gi, start, end))
		return GMEM_REFILL_DONE;
	gmem_fill_init(&fill, true);
	fill.held = true;
	while (!rc && index < end) {
		gmem_fill_skip(gi, &index, end);
		rc = gmem_fill_locked(gi, &fill, &index,
				      gmem_fill_run_end(index, end), false);
	}
	gmem_fill_end(&fill);
	if (rc && rc != -EAGAIN)
		gmem_views_zap(gi, index, end);
	gmem_refill_done(gi, &fill, start, end, rc);
	if (rc == -EAGAIN)
		return GMEM_REFILL_ALL;
	return fill.rest ? GMEM_REFILL_ENDS : GMEM_REFILL_DONE;
}

/* The pages behind an address range, which has to be of one mapping of the view. */
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
	rc = gmem_fill_range(gi, &fill, &index, end, alloc, false, false);
	atomic64_add(fill.set, &gi->counters.view_pages);
	trace_gmem_view_populate(gi->vfs_inode.i_ino, start, end, fill.set, rc);

	cmd->address += (u64)(index - start) << PAGE_SHIFT;
	cmd->length -= (u64)(index - start) << PAGE_SHIFT;
	cmd->pages = rc == -ERESTARTSYS ? 0 : fill.set;
	return gmem_ucmd_respond(ucmd) ? -EFAULT : rc;
}
