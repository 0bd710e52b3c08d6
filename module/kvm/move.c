// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: handing folios over
 *
 * Most folios are shifted, many at a time (shift.c). The rest of this comment is about
 * folios with another reference, or without contents yet.
 *
 * To private, page by page: add a placeholder to KVM's page cache, remove the folio from
 * gmem's, replace the placeholder by the folio. To shared, in runs of up to GMEM_KVM_RUN
 * pages: take references, punch a hole so that KVM drops the pages and zaps its page
 * tables, put the folios back into gmem.
 *
 * KVM faults can run at any time. A fault that finds a placeholder waits for the folio lock
 * and then finds the folio that replaced it. A fault that finds nothing (the PRIVATE
 * attribute was set too early) allocates: this is a conflict if it came before the
 * placeholder and the page is in use, see gmem_kvm_drop_leftover(). A fault that has looked
 * up a folio just before the hole is punched is told to retry by KVM's own invalidation. A
 * fault between a shift and the hole, for a page that no guest has mapped, allocates a new
 * page, which the hole drops. A fault just after the hole, while the attribute still says
 * PRIVATE, allocates one, too.
 *
 * A folio that was moved to KVM has PG_checked, a flag of the page cache's owner, as long
 * as the binding lives. In gmem it means that the folio has contents; KVM does not use it.
 * So an undo takes the folios with this flag, and leaves those that KVM has allocated
 * meanwhile. In KVM PG_uptodate means that a folio has contents. So a folio has both flags
 * in KVM's file, and only PG_checked in gmem's while the page is private.
 *
 * Locks: the lock of the folio that moves and that of its placeholder, in either order:
 * nobody else can find one of the two. The punched hole takes KVM's invalidate_lock and
 * mmu_lock; no folio is locked then.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "internal.h"

/*
 * One zap of KVM's page tables and one TLB flush for almost 2 MiB: as many as
 * let struct gmem_kvm_run fit into a page.
 */
#define GMEM_KVM_RUN 510

/* How long to wait for a reader of the page cache to look at a folio, in ms. */
#define GMEM_KVM_READER_TRIES 100

/* How often a seat that KVM has taken is tried again: one is the rule. */
#define GMEM_KVM_TRIES 8
/* The same where there is no way back. */
#define GMEM_KVM_UNDO_TRIES 1000

static struct file *gmem_kvm_file(struct gmem_binding *binding)
{
	struct gmem_kvm_range *range = binding->priv;

	return range->file;
}

static struct address_space *gmem_kvm_mapping(struct gmem_binding *binding)
{
	return gmem_kvm_file(binding)->f_mapping;
}

static pgoff_t gmem_kvm_to_gmem(struct gmem_binding *binding, pgoff_t index)
{
	return index - binding->store_start + binding->start;
}

/*
 * The file's own method, as the loop driver does: userspace was allowed to
 * write when it bound the file, and a check that fails now would come half way
 * through a conversion. KVM's method cannot fail for an aligned hole.
 */
static int gmem_kvm_fallocate(struct gmem_binding *binding, int mode,
			      pgoff_t start, pgoff_t end)
{
	struct file *file = gmem_kvm_file(binding);

	return file->f_op->fallocate(file, FALLOC_FL_KEEP_SIZE | mode,
				     (loff_t)start << PAGE_SHIFT,
				     (loff_t)(end - start) << PAGE_SHIFT);
}

static int gmem_kvm_punch(struct gmem_binding *binding, pgoff_t start,
			  pgoff_t end)
{
	if (WARN_ON_ONCE(gmem_kvm_fallocate(binding, FALLOC_FL_PUNCH_HOLE,
					    start, end)))
		return -EIO;
	return 0;
}

static bool gmem_kvm_folio_is_zero(struct folio *folio)
{
	void *addr = kmap_local_folio(folio, 0);
	bool zero = !memchr_inv(addr, 0, PAGE_SIZE);

	kunmap_local(addr);
	return zero;
}

/*
 * Drop the page at @index of KVM's file if it is nobody's. KVM leaves such
 * pages behind: a private fault that saw the attribute just before userspace
 * cleared it allocates and zeroes a page after the hole was punched, finds that
 * it came too late, and does not map it. A page that KVM has not prepared was
 * committed on purpose, one that is not zero was written to: both stay. What an
 * encrypted page holds cannot be seen. KVM also keeps a page whose memory has
 * failed, and that nobody may read.
 *
 * Returns 0 when the page is gone, -EEXIST or -EHWPOISON when it stays.
 */
static int gmem_kvm_drop_leftover(struct gmem_binding *binding, pgoff_t index)
{
	struct folio *folio;
	int rc = -EEXIST;

	/* KVM holds the lock until it has zeroed the page. */
	folio = filemap_lock_folio(gmem_kvm_mapping(binding), index);
	if (IS_ERR(folio))
		return 0;
	if (folio_test_hwpoison(folio))
		rc = -EHWPOISON;
	else if (!binding->encrypted && folio_test_uptodate(folio) &&
		 gmem_kvm_folio_is_zero(folio))
		rc = 0;
	folio_unlock(folio);
	folio_put(folio);
	return rc ? rc : gmem_kvm_punch(binding, index, index + 1);
}

/* A page of KVM's in the way of one that would be handed over? */
static int gmem_kvm_check_private(struct gmem_binding *binding, pgoff_t start,
				  pgoff_t end, pgoff_t *error_index)
{
	pgoff_t index = gmem_store_index(binding, start);
	pgoff_t last = gmem_store_index(binding, end) - 1;
	int rc;

	for (; xa_find(&gmem_kvm_mapping(binding)->i_pages, &index, last,
		       XA_PRESENT); index++) {
		rc = gmem_kvm_drop_leftover(binding, index);
		if (rc) {
			*error_index = gmem_kvm_to_gmem(binding, index);
			return rc;
		}
		if (index == last)
			break;
		cond_resched();
	}
	return 0;
}

/* KVM keeps a page whose memory has failed: it must not come back. */
static int gmem_kvm_check_shared(struct gmem_binding *binding, pgoff_t start,
				 pgoff_t end, pgoff_t *error_index)
{
	pgoff_t index = gmem_store_index(binding, start);
	pgoff_t last = gmem_store_index(binding, end) - 1;
	struct folio_batch fbatch;
	unsigned int i;
	int rc = 0;

	folio_batch_init(&fbatch);
	while (!rc && filemap_get_folios(gmem_kvm_mapping(binding), &index,
					 last, &fbatch)) {
		for (i = 0; !rc && i < folio_batch_count(&fbatch); i++) {
			if (!folio_test_hwpoison(fbatch.folios[i]))
				continue;
			*error_index = gmem_kvm_to_gmem(binding,
							fbatch.folios[i]->index);
			rc = -EHWPOISON;
		}
		folio_batch_release(&fbatch);
		cond_resched();
	}
	return rc;
}

int gmem_kvm_check(struct gmem_binding *binding, pgoff_t start, pgoff_t end,
		   const struct gmem_conversion *conv, pgoff_t *error_index)
{
	/* Whatever is there will be dropped. */
	if (conv->content == GMEM_CONTENT_ZERO)
		return 0;
	if (conv->target == GMEM_STATE_PRIVATE)
		return gmem_kvm_check_private(binding, start, end, error_index);
	return gmem_kvm_check_shared(binding, start, end, error_index);
}

/*
 * Whether the caller's reference to a detached folio is the only one, or becomes it
 * soon. A reader of gmem's page cache (see folio.c) may have found the folio there, and
 * not have looked at its flags yet: it must not see it uptodate. Others come too late.
 */
static bool gmem_kvm_is_alone(struct folio *folio)
{
	unsigned int tries = GMEM_KVM_READER_TRIES;

	while (folio_ref_count(folio) > 1) {
		if (!tries--)
			return false;
		fsleep(1000);
	}
	return true;
}

/* Put a detached folio back where it was, or into gmem's file for the first time. */
static void gmem_kvm_insert(struct gmem_binding *binding, struct folio *folio,
			    pgoff_t index)
{
	struct folio *placeholder = gmem_placeholder_add(binding->mapping, index);

	/* The page is in transit or private: nobody else populates it. */
	if (WARN_ON_ONCE(IS_ERR(placeholder)))
		return;
	gmem_placeholder_replace(placeholder, folio);
}

/*
 * Move one folio of gmem into KVM's page cache. With @undo there is no way back: what
 * a reader sees then is the lesser evil.
 */
static int gmem_kvm_hand_over(struct gmem_binding *binding, struct folio *folio,
			      bool undo)
{
	pgoff_t index = folio->index;
	struct folio *placeholder;
	int rc;

	folio_lock(folio);
	/* Memory that fails is removed without the range lock. */
	if (folio->mapping != binding->mapping || folio_test_hwpoison(folio)) {
		rc = -EHWPOISON;
		goto out_unlock;
	}
	placeholder = gmem_placeholder_add(gmem_kvm_mapping(binding),
					   gmem_store_index(binding, index));
	if (IS_ERR(placeholder)) {
		rc = PTR_ERR(placeholder);
		goto out_unlock;
	}
	gmem_folio_zero_once(folio);
	rc = gmem_folio_detach(binding->mapping, folio);
	if (WARN_ON_ONCE(rc)) {
		gmem_placeholder_remove(placeholder);
		goto out_unlock;
	}

	if (!gmem_kvm_is_alone(folio) && !undo) {
		gmem_placeholder_remove(placeholder);
		gmem_kvm_insert(binding, folio, index);
		rc = -EAGAIN;
		goto out_unlock;
	}
	/* KVM takes a folio that is not uptodate for one that it has to zero. */
	folio_mark_uptodate(folio);
	gmem_placeholder_replace(placeholder, folio);
	atomic64_inc(&binding->moved);

out_unlock:
	folio_unlock(folio);
	return rc;
}

/* As gmem_kvm_hand_over(), where KVM may leave a page behind at any time. */
static int gmem_kvm_hand_over_again(struct gmem_binding *binding,
				    struct folio *folio, bool undo)
{
	pgoff_t index = gmem_store_index(binding, folio->index);
	unsigned int tries = GMEM_KVM_TRIES;
	int rc;

	do {
		rc = gmem_kvm_hand_over(binding, folio, undo);
		if (rc != -EEXIST || !tries--)
			return rc;
		rc = gmem_kvm_drop_leftover(binding, index);
	} while (!rc);
	return rc;
}

/* Hand over all populated pages of a range, up to @done with an error. */
static int gmem_kvm_hand_over_range(struct gmem_binding *binding,
				    pgoff_t start, pgoff_t end, bool undo,
				    pgoff_t *done)
{
	struct folio_batch fbatch;
	unsigned int i;
	int rc = 0;

	*done = start;
	folio_batch_init(&fbatch);
	while (!rc && filemap_get_folios(binding->mapping, &start, end - 1,
					 &fbatch)) {
		for (i = 0; !rc && i < folio_batch_count(&fbatch); i++) {
			*done = fbatch.folios[i]->index;
			rc = gmem_kvm_hand_over_again(binding,
						      fbatch.folios[i], undo);
		}
		folio_batch_release(&fbatch);
		cond_resched();
	}
	return rc;
}

/* Shift what can be shifted from @start on, and return where it ends. */
static pgoff_t gmem_kvm_shift_over(struct gmem_binding *binding, pgoff_t start,
				   pgoff_t end)
{
	unsigned long shifted = 0;

	start = gmem_kvm_shift(binding->mapping, start, end,
			       gmem_kvm_mapping(binding),
			       gmem_store_index(binding, start), true, &shifted);
	atomic64_add(shifted, &binding->moved);
	return start;
}

/* Memory that was only committed: with contents it can be shifted. */
static bool gmem_kvm_zero(struct gmem_binding *binding, pgoff_t index)
{
	struct folio *folio = filemap_lock_folio(binding->mapping, index);
	bool zero;

	if (IS_ERR(folio))
		return false;
	zero = !folio_test_checked(folio) && !folio_test_hwpoison(folio);
	if (zero)
		gmem_folio_zero_once(folio);
	folio_unlock(folio);
	folio_put(folio);
	return zero;
}

int gmem_kvm_make_private(struct gmem_binding *binding, pgoff_t start,
			  pgoff_t end, enum gmem_content content, pgoff_t *done)
{
	int rc = 0;

	if (content == GMEM_CONTENT_ZERO)
		return 0;
	while (!rc) {
		start = gmem_kvm_shift_over(binding, start, end);
		if (start >= end)
			return 0;
		if (gmem_kvm_zero(binding, start))
			continue;
		rc = gmem_kvm_hand_over_range(binding, start, start + 1, false,
					      done);
		start++;
	}
	return rc;
}

static void gmem_kvm_drop_resident(struct gmem_binding *binding, pgoff_t index)
{
	truncate_inode_pages_range(binding->mapping, (loff_t)index << PAGE_SHIFT,
				   ((loff_t)(index + 1) << PAGE_SHIFT) - 1);
}

/*
 * What make_shared() has brought goes to KVM again. A page that is there by now
 * came because userspace has not cleared the attribute in time, and goes. But
 * who commits pages of the guest_memfd as fast as they are dropped wins in the
 * end, and loses the contents. Memory that has failed has lost them.
 */
void gmem_kvm_undo_shared(struct gmem_binding *binding, pgoff_t start,
			  pgoff_t end)
{
	unsigned int tries = GMEM_KVM_UNDO_TRIES;
	pgoff_t index;
	int rc;

	while ((rc = gmem_kvm_hand_over_range(binding, start, end, true,
					      &start))) {
		index = gmem_store_index(binding, start);
		if (rc != -EEXIST || !tries--)
			gmem_kvm_drop_resident(binding, start);
		else
			gmem_kvm_punch(binding, index, index + 1);
		cond_resched();
	}
}

/* Put a folio that is in no page cache (back) into gmem's. */
static void gmem_kvm_take_back(struct gmem_binding *binding,
			       struct folio *folio, pgoff_t index)
{
	folio_lock(folio);
	if (folio_test_uptodate(folio))
		folio_set_checked(folio);
	/* Allocated by fallocate() and never used: what it holds is no contents. */
	gmem_folio_zero_once(folio);
	/* The conversion may still fail, and the page stay private. */
	gmem_folio_seal(folio);
	gmem_kvm_insert(binding, folio, index);
	folio_unlock(folio);
	atomic64_inc(&binding->moved);
}

/**
 * struct gmem_kvm_run - folios on their way back
 * @start: page index in KVM's file of the first
 * @end: page index after the last
 * @folios: with a reference each, NULL where KVM's file has none
 */
struct gmem_kvm_run {
	pgoff_t start;
	pgoff_t end;
	struct folio *folios[GMEM_KVM_RUN];
};

/* A page, for a moment: other ranges of the conversion may have moved already. */
static struct gmem_kvm_run *gmem_kvm_run_alloc(void)
{
	static_assert(sizeof(struct gmem_kvm_run) <= PAGE_SIZE);

	return kmalloc(sizeof(struct gmem_kvm_run), GFP_KERNEL | __GFP_NOFAIL);
}

static bool gmem_kvm_run_add(struct gmem_kvm_run *run, struct folio *folio,
			     bool checked_only)
{
	if (checked_only && !folio_test_checked(folio))
		return false;
	if (run->start == run->end)
		run->start = folio->index;
	/* An undo punches no page but its own, so its runs have no gaps. */
	else if (folio->index - run->start >= GMEM_KVM_RUN ||
		 (checked_only && folio->index != run->end))
		return false;

	folio_get(folio);
	run->folios[folio->index - run->start] = folio;
	run->end = folio->index + 1;
	return true;
}

/*
 * Collect the next run of KVM's folios in [@index, @end). With @checked_only
 * those that were handed over.
 */
static bool gmem_kvm_run_collect(struct gmem_binding *binding,
				 struct gmem_kvm_run *run, pgoff_t index,
				 pgoff_t end, bool checked_only)
{
	struct folio_batch fbatch;
	bool more = true;
	unsigned int i;

	memset(run, 0, sizeof(*run));
	folio_batch_init(&fbatch);
	while (more && filemap_get_folios(gmem_kvm_mapping(binding), &index,
					  end - 1, &fbatch)) {
		for (i = 0; more && i < folio_batch_count(&fbatch); i++) {
			more = gmem_kvm_run_add(run, fbatch.folios[i],
						checked_only);
			/* Not ours, and no run yet: go on looking. */
			if (!more && run->start == run->end)
				more = true;
		}
		folio_batch_release(&fbatch);
		cond_resched();
	}
	return run->start != run->end;
}

/*
 * Where gmem has a folio, it was shifted, and a guest has faulted before the hole: the fresh
 * page is dropped, like one for a fault just after the hole.
 */
static void gmem_kvm_run_insert(struct gmem_binding *binding,
				struct gmem_kvm_run *run)
{
	pgoff_t index, to;

	for (index = run->start; index < run->end; index++) {
		struct folio *folio = run->folios[index - run->start];

		if (!folio)
			continue;
		to = gmem_kvm_to_gmem(binding, index);
		if (!xa_load(&binding->mapping->i_pages, to))
			gmem_kvm_take_back(binding, folio, to);
		folio_put(folio);
		cond_resched();
	}
}

static void gmem_kvm_run_drop(struct gmem_kvm_run *run)
{
	pgoff_t index;

	for (index = run->start; index < run->end; index++) {
		if (run->folios[index - run->start])
			folio_put(run->folios[index - run->start]);
	}
}

void gmem_kvm_undo_private(struct gmem_binding *binding, pgoff_t start,
			   pgoff_t end)
{
	struct gmem_kvm_run *run = gmem_kvm_run_alloc();
	pgoff_t index = gmem_store_index(binding, start);

	end = gmem_store_index(binding, end);
	while (gmem_kvm_run_collect(binding, run, index, end, true)) {
		if (gmem_kvm_punch(binding, run->start, run->end)) {
			gmem_kvm_run_drop(run);
			break;
		}
		gmem_kvm_run_insert(binding, run);
		index = run->end;
	}
	kfree(run);
}

/* Shift all that can be shifted of pages of KVM's file. Return: whether any was. */
static bool gmem_kvm_shift_back(struct gmem_binding *binding, pgoff_t index,
				pgoff_t end)
{
	unsigned long shifted = 0;

	for (; index < end; index++) {
		index = gmem_kvm_shift(gmem_kvm_mapping(binding), index, end,
				       binding->mapping,
				       gmem_kvm_to_gmem(binding, index), false,
				       &shifted);
	}
	atomic64_add(shifted, &binding->moved);
	return shifted;
}

/* A run of pages: what is shifted first the guest loses by the hole, like the rest. */
static int gmem_kvm_return_run(struct gmem_binding *binding,
			       struct gmem_kvm_run *run, pgoff_t start, pgoff_t end)
{
	bool shifted = gmem_kvm_shift_back(binding, start, end);
	int rc;

	if (!gmem_kvm_run_collect(binding, run, start, end, false) && !shifted)
		return 0;
	rc = gmem_kvm_punch(binding, start, end);
	if (rc)
		gmem_kvm_run_drop(run);
	else
		gmem_kvm_run_insert(binding, run);
	return rc;
}

int gmem_kvm_make_shared(struct gmem_binding *binding, pgoff_t start,
			 pgoff_t end, enum gmem_content content, pgoff_t *done)
{
	pgoff_t index = gmem_store_index(binding, start), next;
	struct gmem_kvm_run *run;
	int rc = 0;

	if (content == GMEM_CONTENT_ZERO)
		return 0;
	run = gmem_kvm_run_alloc();
	end = gmem_store_index(binding, end);
	for (; !rc && index < end; index = next) {
		next = min(end, index + GMEM_KVM_RUN);
		rc = gmem_kvm_return_run(binding, run, index, next);
		*done = gmem_kvm_to_gmem(binding, next);
		cond_resched();
	}
	kfree(run);
	return rc;
}

/* The binding goes: what it handed over is KVM's like any other page. */
void gmem_kvm_forget(struct gmem_binding *binding)
{
	pgoff_t index = gmem_store_index(binding, binding->start);
	pgoff_t last = gmem_store_index(binding, binding->end) - 1;
	struct folio_batch fbatch;
	unsigned int i;

	folio_batch_init(&fbatch);
	while (filemap_get_folios(gmem_kvm_mapping(binding), &index, last,
				  &fbatch)) {
		for (i = 0; i < folio_batch_count(&fbatch); i++)
			folio_clear_checked(fbatch.folios[i]);
		folio_batch_release(&fbatch);
		cond_resched();
	}
}

int gmem_kvm_discard(struct gmem_binding *binding, pgoff_t start, pgoff_t end)
{
	return gmem_kvm_punch(binding, gmem_store_index(binding, start),
			      gmem_store_index(binding, end));
}

int gmem_kvm_commit(struct gmem_binding *binding, pgoff_t start, pgoff_t end)
{
	int rc = gmem_kvm_fallocate(binding, 0,
				    gmem_store_index(binding, start),
				    gmem_store_index(binding, end));

	/* KVM stops for a signal, and for work of io_uring, of which nobody knows. */
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

unsigned long gmem_kvm_count(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end)
{
	return gmem_count_folios(gmem_kvm_mapping(binding),
				 gmem_store_index(binding, start),
				 gmem_store_index(binding, end));
}
