// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: private pages
 *
 * A maple tree records the page frames that the host was asked to make private. The value of
 * an entry is the number of the change that added it. If a change fails, its entries are found
 * by this number, and their pages become shared again.
 *
 * A page is recorded before the host is asked to make it private, and removed after the host
 * has made it shared. So the tree can contain a page that is shared, which is harmless. A
 * private page that is not in the tree could never become shared again.
 *
 * Locks: gmem_guest_lock for changes, which may wait for the host; inside it the tree's own.
 */
#include <linux/delay.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "internal.h"

/* The host itself waits before it returns EAGAIN: gmemctl waits two seconds. */
#define GMEM_GUEST_TRIES 5
#define GMEM_GUEST_PAUSE_MS 20

static DEFINE_MUTEX(gmem_guest_lock);
static DEFINE_MTREE(gmem_guest_tree);
static unsigned long gmem_guest_change;
/* Memory that is going offline: its pages must not become private. */
static struct gmem_guest_range gmem_guest_leaving;

/**
 * struct gmem_guest_piece - an entry of the tree
 * @range: its pages
 * @change: number of the change that has added it
 */
struct gmem_guest_piece {
	struct gmem_guest_range range;
	unsigned long change;
};

/* Find the first entry with pages from @start on. */
static bool gmem_guest_piece_find(unsigned long start, struct gmem_guest_piece *piece)
{
	MA_STATE(mas, &gmem_guest_tree, start, start);
	void *entry;

	mas_lock(&mas);
	entry = mas_find(&mas, ULONG_MAX);
	piece->range = (struct gmem_guest_range){ max(mas.index, start), mas.last + 1 };
	mas_unlock(&mas);
	piece->change = entry ? xa_to_value(entry) : 0;
	return entry;
}

static bool gmem_guest_piece_in(unsigned long start, unsigned long end)
{
	struct gmem_guest_piece piece;

	return gmem_guest_piece_find(start, &piece) && piece.range.start < end;
}

static int gmem_guest_note(struct gmem_guest_range range, void *entry)
{
	return mtree_store_range(&gmem_guest_tree, range.start, range.end - 1, entry, GFP_KERNEL);
}

/* Ask the host; again after EAGAIN, because a page may be held only for a moment. */
static int gmem_guest_ask(struct gmem_guest_range range, bool to_private)
{
	int rc = 0;

	cond_resched();
	for (unsigned int i = 0; i < GMEM_GUEST_TRIES; i++) {
		rc = gmem_guest_convert(range.start, range.end - range.start, to_private);
		if (rc != -EAGAIN)
			return rc;
		if (fatal_signal_pending(current))
			return -EINTR;
		msleep(GMEM_GUEST_PAUSE_MS);
	}
	return rc;
}

static int gmem_guest_take(struct gmem_guest_range range)
{
	int rc;

	lockdep_assert_held(&gmem_guest_lock);
	rc = gmem_guest_note(range, xa_mk_value(gmem_guest_change));
	if (rc)
		return rc;
	rc = gmem_guest_ask(range, true);
	if (!rc)
		return 0;
	if (rc != -EHWPOISON)
		pr_err("conversion of 0x%llx-0x%llx to private has failed: %d%s\n",
		       PFN_PHYS(range.start), PFN_PHYS(range.end), rc,
		       rc == -EAGAIN ? ", a page is held on the host" :
		       ", is the RAM of this guest gmem memory?");
	/* A range in two memories of the host can have become private in part: undo that. */
	if (rc == -EOPNOTSUPP || rc == -EINVAL || !gmem_guest_ask(range, false))
		gmem_guest_note(range, NULL);
	return rc;
}

static int gmem_guest_give(struct gmem_guest_range range)
{
	int rc;

	lockdep_assert_held(&gmem_guest_lock);
	rc = gmem_guest_ask(range, false);
	if (!rc)
		gmem_guest_note(range, NULL);
	return rc;
}

/*
 * Change a range. If memory of a page has failed on the host, change the pages one by one, and
 * leave this page as it is: it is lost in either state.
 */
static int gmem_guest_each(struct gmem_guest_range range,
			   int (*change)(struct gmem_guest_range))
{
	int rc = change(range);

	if (rc != -EHWPOISON)
		return rc;
	if (range.end - range.start == 1) {
		pr_warn("the memory of 0x%llx has failed on the host\n", PFN_PHYS(range.start));
		return 0;
	}
	for (unsigned long pfn = range.start; pfn < range.end; pfn++) {
		rc = gmem_guest_each((struct gmem_guest_range){ pfn, pfn + 1 }, change);
		if (rc)
			return rc;
	}
	return 0;
}

static bool gmem_guest_wants(const struct gmem_guest_want *want, unsigned long pfn)
{
	if (gmem_guest_ranges_have(&want->shared, pfn))
		return false;
	if (want->movable)
		return !gmem_guest_page_may(pfn);
	return gmem_guest_ranges_have(&want->private, pfn);
}

static bool gmem_guest_is_new(const struct gmem_guest_want *want, unsigned long pfn)
{
	if (pfn >= gmem_guest_leaving.start && pfn < gmem_guest_leaving.end)
		return false;
	return gmem_guest_wants(want, pfn) && !mtree_load(&gmem_guest_tree, pfn);
}

static bool gmem_guest_is_over(const struct gmem_guest_want *want, unsigned long pfn)
{
	return !gmem_guest_wants(want, pfn);
}

/* Call @change for each part of @range whose pages all pass @test. */
static int gmem_guest_walk(const struct gmem_guest_want *want, struct gmem_guest_range range,
			   bool (*test)(const struct gmem_guest_want *, unsigned long),
			   int (*change)(struct gmem_guest_range))
{
	unsigned long pfn = range.start, next, limit;
	int rc = 0;

	for (; !rc && pfn < range.end; pfn = next) {
		cond_resched();
		next = pfn + 1;
		if (!test(want, pfn))
			continue;
		limit = min(range.end, ALIGN(next, GMEM_GUEST_RUN));
		while (next < limit && test(want, next))
			next++;
		rc = gmem_guest_each((struct gmem_guest_range){ pfn, next }, change);
	}
	return rc;
}

/* Make the pages of a failed change shared again. They stay private if the host refuses. */
static void gmem_guest_undo(void)
{
	struct gmem_guest_piece piece = { 0 };

	while (gmem_guest_piece_find(piece.range.end, &piece))
		if (piece.change == gmem_guest_change &&
		    gmem_guest_each(piece.range, gmem_guest_give))
			pr_warn("0x%llx-0x%llx stays private\n",
				PFN_PHYS(piece.range.start), PFN_PHYS(piece.range.end));
}

static int gmem_guest_take_all(const struct gmem_guest_want *want)
{
	int rc = 0;

	gmem_guest_change++;
	for (unsigned int i = 0; !rc && i < want->private.count; i++)
		rc = gmem_guest_walk(want, want->private.range[i], gmem_guest_is_new,
				     gmem_guest_take);
	if (rc)
		gmem_guest_undo();
	return rc;
}

static int gmem_guest_give_all(const struct gmem_guest_want *want)
{
	struct gmem_guest_piece piece = { 0 };
	int rc = 0;

	while (!rc && gmem_guest_piece_find(piece.range.end, &piece))
		rc = gmem_guest_walk(want, piece.range, gmem_guest_is_over, gmem_guest_give);
	return rc;
}

/* Check that each page of the given ranges may be private. */
static int gmem_guest_want_check(const struct gmem_guest_want *want)
{
	for (unsigned int i = 0; i < want->private.count; i++) {
		struct gmem_guest_range range = want->private.range[i];

		for (unsigned long pfn = range.start; pfn < range.end; pfn++) {
			int rc = gmem_guest_page_may(pfn);

			if (fatal_signal_pending(current))
				return -EINTR;
			if (!rc || gmem_guest_ranges_have(&want->shared, pfn)) {
				cond_resched();
				continue;
			}
			pr_err("0x%llx is %s\n", PFN_PHYS(pfn), rc == -ENXIO ? "not RAM" :
			       "not in ZONE_MOVABLE, or reserved: it may have to be shared");
			return rc;
		}
	}
	return 0;
}

/* Use all RAM. Return: -ENXIO if no page may be private, as without kernelcore=. */
static int gmem_guest_want_movable(struct gmem_guest_want *want)
{
	int rc = gmem_guest_ranges_ram(&want->private);

	for (unsigned int i = 0; !rc && i < want->private.count; i++) {
		struct gmem_guest_range range = want->private.range[i];

		for (unsigned long pfn = range.start; pfn < range.end; pfn++) {
			if (!gmem_guest_page_may(pfn))
				return 0;
			cond_resched();
		}
	}
	if (rc == -E2BIG) {
		pr_err("RAM has more than %u ranges\n", GMEM_GUEST_RANGES);
		return rc;
	}
	pr_err("no RAM is movable, and only movable RAM can be private: boot with \"kernelcore=256M\" or similar, and without \"cma=\"\n");
	return -ENXIO;
}

/**
 * gmem_guest_private_set() - make exactly the given pages private
 * @want: the pages
 *
 * The change to private is all or nothing. If the host refuses to make a page shared, this and
 * the following pages stay private, and the parameter shows them.
 *
 * Return: 0; -ENXIO if a page is not RAM, or if no page may be private; -EPERM if a page may
 * not be private; -EBUSY if a device would access private pages; -E2BIG if RAM has too many
 * pieces; -ENOMEM; -EINTR if the caller was killed; or an error of gmem_guest_convert(). But
 * -EHWPOISON is no error: such a page stays as it is.
 */
int gmem_guest_private_set(const struct gmem_guest_want *want)
{
	struct gmem_guest_want *all;
	int rc = 0;

	all = kmemdup(want, sizeof(*want), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	mutex_lock(&gmem_guest_lock);
	if (all->movable)
		rc = gmem_guest_want_movable(all);
	else
		rc = gmem_guest_want_check(all);
	if (!rc && all->private.count)
		rc = gmem_guest_devices_check();
	if (!rc)
		rc = gmem_guest_take_all(all);
	if (!rc)
		rc = gmem_guest_give_all(all);
	mutex_unlock(&gmem_guest_lock);
	kfree(all);
	if (!rc)
		pr_info("%lu KiB are private\n", gmem_guest_private_pages() << (PAGE_SHIFT - 10));
	return rc;
}

/**
 * gmem_guest_private_end() - make all pages shared
 *
 * Return: 0; or the error of the host, and then some pages stay private.
 */
int gmem_guest_private_end(void)
{
	struct gmem_guest_piece piece = { 0 };
	int rc = 0;

	mutex_lock(&gmem_guest_lock);
	while (gmem_guest_piece_find(piece.range.end, &piece)) {
		int last = gmem_guest_each(piece.range, gmem_guest_give);

		rc = rc ?: last;
	}
	mutex_unlock(&gmem_guest_lock);
	if (rc)
		pr_warn("%lu KiB stay private: the host returned %d\n",
			gmem_guest_private_pages() << (PAGE_SHIFT - 10), rc);
	return rc;
}

/* Free the record of pages that stay private. The module has no other user any more. */
void gmem_guest_private_free(void)
{
	mtree_destroy(&gmem_guest_tree);
}

/* Whether a page of the range is private. Waits for a change that is under way. */
bool gmem_guest_private_in(unsigned long start, unsigned long end)
{
	bool found;

	mutex_lock(&gmem_guest_lock);
	found = gmem_guest_piece_in(start, end);
	mutex_unlock(&gmem_guest_lock);
	return found;
}

/**
 * gmem_guest_private_leave() - note that memory is going offline
 * @start: first page
 * @end: page after the range
 *
 * No page of it becomes private before gmem_guest_private_left(). The kernel takes one range
 * offline at a time.
 *
 * Return: false if a page of the range is private.
 */
bool gmem_guest_private_leave(unsigned long start, unsigned long end)
{
	bool found;

	mutex_lock(&gmem_guest_lock);
	found = gmem_guest_piece_in(start, end);
	if (!found)
		gmem_guest_leaving = (struct gmem_guest_range){ start, end };
	mutex_unlock(&gmem_guest_lock);
	return !found;
}

/* The memory is offline, or stays online. */
void gmem_guest_private_left(void)
{
	mutex_lock(&gmem_guest_lock);
	gmem_guest_leaving = (struct gmem_guest_range){ 0 };
	mutex_unlock(&gmem_guest_lock);
}

unsigned long gmem_guest_private_pages(void)
{
	struct gmem_guest_piece piece = { 0 };
	unsigned long pages = 0;

	while (gmem_guest_piece_find(piece.range.end, &piece))
		pages += piece.range.end - piece.range.start;
	return pages;
}

/* Print all private ranges. Return: bytes in @buffer, without a newline. */
int gmem_guest_private_show(char *buffer)
{
	struct gmem_guest_range range = { 0 };
	struct gmem_guest_piece piece = { 0 };
	int at = 0;

	while (gmem_guest_piece_find(piece.range.end, &piece)) {
		if (range.end && piece.range.start != range.end) {
			at += gmem_guest_ranges_show(buffer, at, range);
			range.end = 0;
		}
		if (!range.end)
			range.start = piece.range.start;
		range.end = piece.range.end;
	}
	if (range.end)
		at += gmem_guest_ranges_show(buffer, at, range);
	return at;
}
