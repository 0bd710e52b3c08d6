// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the safe refcount
 *
 * A page becomes private only when gmem can name every reference to its folio: the page
 * cache's, one for each page, and the one that may be taken to look at it. The owner of any
 * other reference may still read or write the memory: a pin, a pipe, I/O in flight.
 *
 * The kernel's own per-CPU batches hold references, too, see drain.c. They are drained in
 * steps, each only if the previous one did not help: this CPU, the CPU that allocated the
 * folio, CPUs that are not isolated, and until the caller's timeout all CPUs.
 *
 * The range is unmapped a block at a time, when the block is checked, and only if one of
 * its pages has a reference. So a held page costs no more than the pages before it.
 *
 * Locks: called with the range lock held and faults held off. Most folios have only the
 * reference of the page cache, and are checked in batches under its lock. For the others
 * the folio lock is taken, because an earlier fault maps its page under it.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/pagemap.h>
#include <linux/preempt.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>

#include "internal.h"

/*
 * Number of pauses of a conversion without a timeout, for short references: page migration
 * that gives up, or RCU walkers.
 */
#define GMEM_GRACE_PAUSES 2

/*
 * The same if views are mapped, about 40 ms in all: KVM of 6.12 holds a reference while it
 * handles a guest fault, and the task of the vCPU may have to wait for a CPU meanwhile.
 */
#define GMEM_GRACE_PAUSES_VIEW 7

/* Folios that are looked at with one hold of the page cache's lock. */
#define GMEM_SEAL_BATCH 64

/**
 * gmem_holder_fill() - describe the references to a folio
 * @holder: out: all but the index
 * @folio: the folio
 * @expected: references that gmem can name
 *
 * Context: any; with a reference to @folio.
 */
void gmem_holder_fill(struct gmem_holder *holder, struct folio *folio,
		      u32 expected)
{
	holder->refs_seen = folio_ref_count(folio);
	holder->refs_expected = expected;
	holder->mapcount = max(folio_mapcount(folio), 0);
	holder->pinned = folio_maybe_dma_pinned(folio);
	holder->cpu = gmem_folio_cpu(folio);
}

/*
 * Clear the uptodate flag of a folio, if it has exactly @expected references. The refcount
 * is frozen for that, so a speculative reference either makes the freeze fail or fails
 * itself. Later references can only be speculative: the page is unmapped and faults are held
 * off. Their owners find the folio not uptodate, and do not read it. If the conversion fails,
 * the next page fault sets the flag again.
 */
static bool gmem_folio_seal_unheld(struct folio *folio, u32 expected)
{
	bool unheld;

	/* A task that looks the folio up meanwhile spins: keep the time short. */
	preempt_disable();
	unheld = folio_ref_freeze(folio, expected);
	if (unheld) {
		gmem_folio_seal(folio);
		/* Release: the owner of a later reference sees the flag. */
		folio_ref_unfreeze(folio, expected);
	}
	preempt_enable();
	return unheld;
}

/* Whether nobody but gmem holds @folio, to which the caller has a reference. */
static bool gmem_folio_is_safe(struct gmem_inode *gi, struct folio *folio,
			       struct gmem_holder *holder)
{
	u32 expected = folio_nr_pages(folio) + 1;

	/* A fault that found its folio before faults were held off may have mapped it. */
	if (folio_mapped(folio))
		unmap_mapping_pages(gi->vfs_inode.i_mapping, folio->index,
				    folio_nr_pages(folio), false);
	if (!folio_mapped(folio) && gmem_folio_seal_unheld(folio, expected))
		return true;
	gmem_holder_fill(holder, folio, expected);
	return false;
}

static int gmem_folio_check(struct gmem_inode *gi, struct folio *folio,
			    struct gmem_holder *holder)
{
	int rc = 0;

	if (folio_lock_killable(folio))
		return -EINTR;
	if (folio->mapping == gi->vfs_inode.i_mapping) {
		/* Poisoned and still here: it could not be removed. */
		if (folio_test_hwpoison(folio))
			rc = -EHWPOISON;
		else if (!gmem_folio_is_safe(gi, folio, holder))
			rc = -EAGAIN;
	}
	folio_unlock(folio);
	return rc;
}

/*
 * Seal folios that only the page cache refers to. Stop at the first other folio. Return: its
 * index, or @end. Every task that has locked or mapped a folio, or is about to, has a
 * reference to it. The lock of the page cache keeps the folios there, so this function needs
 * no reference.
 */
static pgoff_t gmem_refs_seal(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	XA_STATE(xas, &gi->vfs_inode.i_mapping->i_pages, start);
	unsigned int steps = 0;
	struct folio *folio;

	xas_lock_irq(&xas);
	xas_for_each(&xas, folio, end - 1) {
		/* Nothing is ever swapped or reclaimed: a value would not be ours. */
		if (xa_is_value(folio))
			continue;
		if (folio_test_hwpoison(folio) ||
		    !gmem_folio_seal_unheld(folio, folio_nr_pages(folio)))
			break;
		if (++steps % GMEM_SEAL_BATCH)
			continue;
		xas_pause(&xas);
		xas_unlock_irq(&xas);
		xas_lock_irq(&xas);
	}
	xas_unlock_irq(&xas);
	return folio ? xas.xa_index : end;
}

/*
 * struct gmem_settle - what has been done to get rid of references
 * @range: held by the caller
 * @deadline: end of the caller's timeout
 * @ticket: of gmem_drain_ticket(), drawn at the first held page of the block, or 0. A new
 *	one is needed for each block, because unmapping can put pages into batches
 * @no_drain: a CPU did not drain its batches in time: do not wait again
 * @pauses: number of pauses for pages of the block
 * @end: page after the block
 * @unmapped: the rest of the block has been unmapped
 */
struct gmem_settle {
	const struct gmem_range_lock *range;
	ktime_t deadline;
	long ticket;
	bool no_drain;
	unsigned int pauses;
	pgoff_t end;
	bool unmapped;
};

/*
 * Check the populated pages of a run of shared pages, from &gmem_holder.index on. A mapped
 * page has a reference. So the rest of the block is unmapped only if a page has one.
 */
static int gmem_refs_check_run(struct gmem_inode *gi, struct gmem_settle *settle,
			       pgoff_t end, struct gmem_holder *holder)
{
	struct address_space *mapping = gi->vfs_inode.i_mapping;
	struct folio *folio;
	int rc;

	for (;; holder->index++) {
		holder->index = gmem_refs_seal(gi, holder->index, end);
		if (holder->index < end && !settle->unmapped) {
			unmap_mapping_pages(mapping, holder->index,
					    settle->end - holder->index, false);
			settle->unmapped = true;
			holder->index = gmem_refs_seal(gi, holder->index, end);
		}
		if (holder->index == end)
			return 0;
		folio = filemap_get_folio(mapping, holder->index);
		if (IS_ERR(folio))
			continue;
		rc = gmem_folio_check(gi, folio, holder);
		folio_put(folio);
		if (rc)
			return rc;
	}
}

/* Check the shared pages of a block from &gmem_holder.index on; it stops at a held one. */
static int gmem_refs_check(struct gmem_inode *gi, struct gmem_settle *settle,
			   struct gmem_holder *holder)
{
	enum gmem_state state = GMEM_STATE_PRIVATE;
	pgoff_t next;
	int rc;

	for (; holder->index < settle->end; holder->index = next) {
		next = gmem_state_run(&gi->state, holder->index, settle->end,
				      &state);
		if (state != GMEM_STATE_SHARED)
			continue;
		rc = gmem_refs_check_run(gi, settle, next, holder);
		if (!rc && fatal_signal_pending(current))
			rc = -EINTR;
		if (rc)
			return rc;
		cond_resched();
	}
	return 0;
}

static bool gmem_settle_expired(const struct gmem_settle *settle)
{
	return ktime_compare(ktime_get(), settle->deadline) >= 0;
}

/*
 * Drain batches that may refer to the page in @holder, the cheapest first. Return: 1 if some
 * were drained; 0 if all were drained before; or a negative errno.
 */
static int gmem_settle_drain(struct gmem_inode *gi, struct gmem_settle *settle,
			     const struct gmem_holder *holder)
{
	int rc;

	/* A batch has one reference to a folio; a pin counts as many. */
	if (settle->no_drain || holder->pinned)
		return 0;
	if (!settle->ticket)
		settle->ticket = gmem_drain_ticket();
	if (gmem_drain_local(settle->ticket))
		return 1;
	rc = gmem_drain_for(holder->cpu, settle->ticket);
	if (!rc && !gmem_settle_expired(settle))
		rc = gmem_drain_cpus(GMEM_DRAIN_ALL, settle->ticket,
				     GMEM_DRAIN_WAIT);
	if (rc)
		atomic64_inc(&gi->counters.drains);
	/* Other CPUs have drained, and this one may still do so: look again. */
	if (rc == -ETIME)
		settle->no_drain = true;
	return rc == -ETIME ? 1 : rc;
}

/* Sleep for 1, 2, 4 and then 8 ms each time, or until a signal comes. */
static void gmem_settle_pause(struct gmem_settle *settle)
{
	unsigned int ms = 1U << min(settle->pauses++, 3U);

	schedule_timeout_interruptible(msecs_to_jiffies(ms));
}

/* A page is held: drain batches, or wait. Return: 0 to look again, or an error. */
static int gmem_settle_wait(struct gmem_inode *gi, struct gmem_settle *settle,
			    struct gmem_conversion *conv)
{
	bool expired, signal;
	unsigned int grace;
	int rc;

	rc = gmem_settle_drain(gi, settle, &conv->holder);
	if (rc)
		return min(rc, 0);
	/*
	 * A signal restarts the call with the remaining time. So does pending task work of
	 * io_uring, which may drop the reference. If no time remains, do not restart the
	 * call: with frequent signals it would never end.
	 */
	expired = gmem_settle_expired(settle);
	signal = signal_pending(current);
	if (signal && !expired)
		return -ERESTARTSYS;
	grace = gmem_views_mapped(gi) && !conv->holder.pinned ?
			GMEM_GRACE_PAUSES_VIEW : GMEM_GRACE_PAUSES;
	if ((expired && (signal || settle->pauses >= grace)) ||
	    (!expired && gmem_range_gives_way(settle->range)) ||
	    gmem_range_wanted(settle->range))
		return -EAGAIN;
	gmem_settle_pause(settle);
	return 0;
}

/* Unmap a block of pages, and wait until only the page cache refers to them. */
static int gmem_settle_block(struct gmem_inode *gi, struct gmem_settle *settle,
			     struct gmem_conversion *conv, pgoff_t start,
			     pgoff_t end)
{
	int rc;

	/* Entries of views hold no references, so references do not show where they are. */
	gmem_views_zap(gi, start, end);
	settle->ticket = 0;
	settle->pauses = 0;
	settle->end = end;
	settle->unmapped = false;
	conv->holder.index = start;
	do {
		rc = gmem_refs_check(gi, settle, &conv->holder);
		if (rc != -EAGAIN)
			return rc;
		rc = gmem_settle_wait(gi, settle, conv);
	} while (!rc);
	return rc;
}

/**
 * gmem_refs_settle() - wait until only gmem refers to the shared pages of a range
 * @gi: the memory
 * @conv: the pages; &gmem_conversion.holder is filled with -EAGAIN
 * @range: held by the caller, with the pages in it
 * @deadline: of ktime_get(), when to give up
 *
 * Pages that have passed need no second check: they are unmapped, and faults are
 * held off until the caller lets them continue.
 *
 * Context: range lock held, faults held off; sleeps.
 * Return: 0, -EAGAIN (a page is held), -EHWPOISON, -ERESTARTSYS, or -EINTR when
 * the task is being killed.
 */
int gmem_refs_settle(struct gmem_inode *gi, struct gmem_conversion *conv,
		     const struct gmem_range_lock *range, ktime_t deadline)
{
	struct gmem_settle settle = { .range = range, .deadline = deadline };
	pgoff_t start = conv->start;
	pgoff_t end;
	int rc;

	for (; gmem_folio_next(gi->vfs_inode.i_mapping, &start, conv->end);
	     start = end) {
		/* Give up for an urgent task, also in the middle of a large range. */
		if (gmem_range_wanted(range)) {
			conv->holder = (struct gmem_holder){ .index = start };
			return -EAGAIN;
		}
		end = min(conv->end, start + (1UL << GMEM_BLOCK_SHIFT));
		rc = gmem_settle_block(gi, &settle, conv, start, end);
		if (rc)
			return rc;
	}
	return 0;
}

/* Whether the folio at @xas is that of a shared page with @surplus references or more. */
static bool gmem_refs_look_held(struct gmem_inode *gi, struct xa_state *xas,
				struct folio *folio, int surplus)
{
	return gmem_folio_surplus(folio) >= surplus && folio == xas_reload(xas) &&
	       gmem_state_get(&gi->state, xas->xa_index) == GMEM_STATE_SHARED;
}

/* Whether the folio is pinned. If so, take a reference to it. */
static bool gmem_refs_is_pin(struct gmem_inode *gi, struct xa_state *xas,
			     struct folio *folio)
{
	if (!gmem_refs_look_held(gi, xas, folio, GUP_PIN_COUNTING_BIAS) ||
	    !folio_try_get(folio))
		return false;
	if (gmem_refs_look_held(gi, xas, folio, GUP_PIN_COUNTING_BIAS))
		return true;
	folio_put(folio);
	return false;
}

/*
 * Find the first pinned shared page of the range. Return: its folio with a reference, or NULL.
 * @held: out: whether a page before it looks held, even if only by a batch.
 */
static struct folio *gmem_refs_next_pin(struct gmem_inode *gi, pgoff_t start,
					pgoff_t end, bool *held)
{
	XA_STATE(xas, &gi->vfs_inode.i_mapping->i_pages, start);
	unsigned int steps = 0;
	struct folio *folio;

	*held = false;
	rcu_read_lock();
	xas_for_each(&xas, folio, end - 1) {
		if (xas_retry(&xas, folio) || xa_is_value(folio))
			continue;
		if (gmem_folio_surplus(folio) > 1) {
			if (gmem_refs_is_pin(gi, &xas, folio))
				break;
			*held |= gmem_refs_look_held(gi, &xas, folio, 2);
		}
		if (++steps % 1024)
			continue;
		xas_pause(&xas);
		/* The conversion detects this, too. */
		if (fatal_signal_pending(current)) {
			folio = NULL;
			break;
		}
		cond_resched_rcu();
	}
	rcu_read_unlock();
	return folio;
}

/**
 * gmem_refs_pinned() - refuse a conversion at once, if a page is pinned
 * @gi: the memory
 * @conv: to private; &gmem_conversion.holder is filled with -EAGAIN
 * @range: held by the caller
 *
 * VMMs with passed-through devices try to convert the same pinned pages repeatedly.
 * A pin does not go away by itself. So a conversion without a timeout can be refused
 * before anything is unmapped. But the error must name the first held page. If a page
 * before the pinned one looks held, only the complete check can tell.
 *
 * Context: range lock held; sleeps.
 * Return: 0; -EAGAIN; or 1 when a page looks held.
 */
int gmem_refs_pinned(struct gmem_inode *gi, struct gmem_conversion *conv,
		     struct gmem_range_lock *range)
{
	struct folio *folio;
	bool held;

	folio = gmem_refs_next_pin(gi, conv->start, conv->end, &held);
	if (folio && held) {
		folio_put(folio);
		gmem_drain_local(gmem_drain_ticket());
		folio = gmem_refs_next_pin(gi, conv->start, conv->end, &held);
	}
	if (held && folio)
		folio_put(folio);
	if (held || !folio)
		return held;
	conv->holder.index = max(conv->start, folio->index);
	gmem_holder_fill(&conv->holder, folio, folio_nr_pages(folio) + 1);
	/* Report what would remain after unmapping the page. */
	conv->holder.refs_seen -= conv->holder.mapcount;
	conv->holder.mapcount = 0;
	folio_put(folio);
	return -EAGAIN;
}
