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
 * Pages of a run: KVM zaps its page tables and flushes TLBs once for each run. With this
 * number struct gmem_kvm_run just fits into a page.
 */
#define GMEM_KVM_RUN 510

/* How long to wait for a reader of the page cache to look at a folio, in ms. */
#define GMEM_KVM_READER_TRIES 100

/* How often a move is tried again if KVM has a page there. Mostly one retry is enough. */
#define GMEM_KVM_TRIES 8
/* The same for an undo, which cannot fail. */
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
 * Call the file's method directly, as the loop driver does. Permission to write was checked
 * when userspace bound the file; the checks of vfs_fallocate() could fail half way through a
 * conversion. KVM's method cannot fail for an aligned hole.
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
 * Drop the page at @index of KVM's file if it is unused. KVM leaves such pages behind: a
 * private fault has seen the attribute just before userspace cleared it. It allocates and
 * zeroes a page after the hole was punched, finds that it came too late, and does not map it.
 *
 * Other pages stay: a page that KVM has not prepared was committed by userspace; a page that
 * is not zero was written to; the contents of an encrypted page cannot be checked; and a page
 * whose memory has failed must not be read.
 *
 * Return: 0 if there is no page any more, -EEXIST or -EHWPOISON if it stays.
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

/* Check that KVM has no page in the range, whether or not gmem has one there. */
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

/* Check for pages whose memory has failed, which KVM keeps: they cannot be moved back. */
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
	/* All pages will be dropped. */
	if (conv->content == GMEM_CONTENT_ZERO)
		return 0;
	if (conv->target == GMEM_STATE_PRIVATE)
		return gmem_kvm_check_private(binding, start, end, error_index);
	return gmem_kvm_check_shared(binding, start, end, error_index);
}

/*
 * Wait until the caller's reference to a detached folio is the only one. Return: false if it
 * does not become so. A reader of gmem's page cache (see folio.c) may have found the folio
 * there, and not have checked its flags yet: it must not see the folio uptodate. Later
 * readers do not find it.
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

/* Put a detached folio into gmem's file. */
static void gmem_kvm_insert(struct gmem_binding *binding, struct folio *folio,
			    pgoff_t index)
{
	struct folio *placeholder = gmem_placeholder_add(binding->mapping, index);

	/* The page is in transit or private, so nobody else populates it. */
	if (WARN_ON_ONCE(IS_ERR(placeholder)))
		return;
	gmem_placeholder_replace(placeholder, folio);
}

/*
 * Move one folio of gmem into KVM's page cache. With @undo the move does not fail because of
 * a reader, although the reader may then see the contents.
 */
static int gmem_kvm_hand_over(struct gmem_binding *binding, struct folio *folio,
			      bool undo)
{
	pgoff_t index = folio->index;
	struct folio *placeholder;
	int rc;

	folio_lock(folio);
	/* A memory failure removes a folio without the range lock. */
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
	/* KVM would zero a folio that is not uptodate. */
	folio_mark_uptodate(folio);
	gmem_placeholder_replace(placeholder, folio);
	atomic64_inc(&binding->moved);

out_unlock:
	folio_unlock(folio);
	return rc;
}

/* As gmem_kvm_hand_over(), but drop an unused page of KVM and try again. */
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

/* Hand over all populated pages of a range. @done: out: with an error, the failing page. */
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

/* Shift folios from @start on. Return: the first page that cannot be shifted, or @end. */
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

/* Zero a page that was only committed, so that it can be shifted. Return: whether it was. */
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
 * Move the pages back to KVM. A page that KVM has allocated there meanwhile is dropped: it is
 * there because userspace has not cleared the attribute in time. If userspace commits pages of
 * the guest_memfd as fast as they are dropped, this function gives up after
 * GMEM_KVM_UNDO_TRIES, and the contents are lost. A page whose memory has failed is lost, too.
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

/* Put a folio that is in no page cache into gmem's. */
static void gmem_kvm_take_back(struct gmem_binding *binding,
			       struct folio *folio, pgoff_t index)
{
	folio_lock(folio);
	if (folio_test_uptodate(folio))
		folio_set_checked(folio);
	/* Zero a folio that fallocate() has allocated and nobody has used. */
	gmem_folio_zero_once(folio);
	/* The conversion may still fail, and the page stay private. */
	gmem_folio_seal(folio);
	gmem_kvm_insert(binding, folio, index);
	folio_unlock(folio);
	atomic64_inc(&binding->moved);
}

/**
 * struct gmem_kvm_run - folios that move from KVM to gmem
 * @start: page index of the first folio in KVM's file
 * @end: page index after the last folio
 * @folios: the folios, each with a reference; NULL where KVM's file has none
 */
struct gmem_kvm_run {
	pgoff_t start;
	pgoff_t end;
	struct folio *folios[GMEM_KVM_RUN];
};

/* It must not fail: other ranges of the conversion may have moved already. */
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
	/* An undo must punch only its own pages, so its runs have no gaps. */
	else if (folio->index - run->start >= GMEM_KVM_RUN ||
		 (checked_only && folio->index != run->end))
		return false;

	folio_get(folio);
	run->folios[folio->index - run->start] = folio;
	run->end = folio->index + 1;
	return true;
}

/*
 * Collect the next run of KVM's folios in [@index, @end). With @checked_only collect only
 * folios that were handed over.
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
			/* Skip other folios before the first one of the run. */
			if (!more && run->start == run->end)
				more = true;
		}
		folio_batch_release(&fbatch);
		cond_resched();
	}
	return run->start != run->end;
}

/*
 * Put the folios of a run into gmem's page cache. If gmem has a folio there, it was shifted,
 * and KVM has allocated the folio of the run for a guest fault before the hole: drop it.
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

/* Shift folios of KVM's file back to gmem's. Return: whether any was shifted. */
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

/*
 * Move a run of pages to gmem. Shifted folios are in gmem's page cache before the hole is
 * punched; the hole removes them from the guest, as all pages of the run.
 */
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

/* The binding ends: its pages in KVM's file become KVM's own. */
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

	/* KVM also stops for task work of io_uring. Restart the call then. */
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

unsigned long gmem_kvm_count(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end)
{
	return gmem_count_folios(gmem_kvm_mapping(binding),
				 gmem_store_index(binding, start),
				 gmem_store_index(binding, end));
}
