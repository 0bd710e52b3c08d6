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
 * Pauses that a conversion without a timeout makes, for references that are about
 * to go: page migration that finds out that it cannot, or RCU walkers.
 */
#define GMEM_GRACE_PAUSES 2

/*
 * The same where KVM has a view: in 6.12 it takes a reference while it handles a
 * guest's fault, which ends when the task gets its CPU back. About 40 ms.
 */
#define GMEM_GRACE_PAUSES_VIEW 7

/* Folios that are looked at with one hold of the page cache's lock. */
#define GMEM_SEAL_BATCH 64

/**
 * gmem_holder_fill() - who holds a folio
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
 * Hide a folio from who does not hold it yet, if there are just @expected references to
 * it. The refcount is frozen for that, so that a speculative reference either counts or
 * fails. From here on a new one can only be speculative: the page is unmapped and faults
 * are held off. Nor does it lead to the contents: whoever gets one finds the folio not
 * uptodate. If the conversion fails, the next page fault publishes the folio again.
 */
static bool gmem_folio_seal_unheld(struct folio *folio, u32 expected)
{
	bool unheld;

	/* Who looks the folio up meanwhile spins: do not let them wait for long. */
	preempt_disable();
	unheld = folio_ref_freeze(folio, expected);
	if (unheld) {
		gmem_folio_seal(folio);
		/* Release: who gets a reference from here on sees the flag. */
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

	/* Mapped by a fault that had its folio before faults were held off. */
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
 * Seal folios to which only the page cache refers, up to one that needs a closer look,
 * which is returned, or @end. Who has locked or mapped a folio, or is about to, has a
 * reference to it. The lock of the page cache keeps the folios there, so none is taken
 * for the look.
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
 * struct gmem_settle - what has been tried to have references go away
 * @range: held by the caller
 * @deadline: when the caller's time is over
 * @ticket: of gmem_drain_ticket(), when the first held page of a block was met, or 0:
 *	unmapping the block may have put its pages into a batch
 * @no_drain: a CPU did not drain its batches in time: do not wait for more
 * @pauses: how often the task has slept for pages of the block
 * @end: page after the block
 * @unmapped: what was mapped of the block no longer is
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
 * Check the populated pages of a run of shared ones from &gmem_holder.index on. A page
 * that is mapped has a reference for that, so only where there is one is the rest of the
 * block unmapped.
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
 * Drain the batches that a reference to the page in @holder may be in, beginning
 * with the cheapest. 1: there were some; 0: none that were not drained before.
 */
static int gmem_settle_drain(struct gmem_inode *gi, struct gmem_settle *settle,
			     const struct gmem_holder *holder)
{
	int rc;

	/* A batch has one reference to a folio, and a pin is many. */
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
	/* It may have helped in part, and the CPU may still get to it. */
	if (rc == -ETIME)
		settle->no_drain = true;
	return rc == -ETIME ? 1 : rc;
}

/* Sleep a little, longer each time, up to 8 ms, or until a signal comes. */
static void gmem_settle_pause(struct gmem_settle *settle)
{
	unsigned int ms = 1U << min(settle->pauses++, 3U);

	schedule_timeout_interruptible(msecs_to_jiffies(ms));
}

/* A page is held: do what may change that. 0: look again. */
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
	 * A signal restarts the call with what is left of the time. So does work that
	 * io_uring left for the task, which may be just what drops the reference. If
	 * nothing is left the call ends: signals may come faster than CPUs drain.
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

/* Take a block of pages from who has them mapped and wait until nobody refers to them. */
static int gmem_settle_block(struct gmem_inode *gi, struct gmem_settle *settle,
			     struct gmem_conversion *conv, pgoff_t start,
			     pgoff_t end)
{
	int rc;

	/* Entries of views have no references: nobody can tell where there are some. */
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
 * Pages that passed stay so: they are unmapped, and faults are held off until
 * the caller lets them in again.
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
		/* Somebody who cannot wait: not in the middle of a large range. */
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

/* Whether the folio under @xas is of a shared page, and held by so many references. */
static bool gmem_refs_look_held(struct gmem_inode *gi, struct xa_state *xas,
				struct folio *folio, int surplus)
{
	return gmem_folio_surplus(folio) >= surplus && folio == xas_reload(xas) &&
	       gmem_state_get(&gi->state, xas->xa_index) == GMEM_STATE_SHARED;
}

/* Whether it is pinned; if so, a reference to it is taken. */
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
 * The next shared page of the range that is pinned, and its folio with a reference.
 * @held: out: whether a page before it looks held, be it by a batch only.
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
		/* The conversion will see to it. */
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
 * VMMs with passed-through devices run into the same pinned pages again and again.
 * A pin does not go away by itself, so a conversion without a timeout need not
 * unmap anything to find out. But the first page that is held has to be named: where
 * others before the pin look held, only the long way tells.
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
	/* As if it had been unmapped: mappings are in nobody's way. */
	conv->holder.refs_seen -= conv->holder.mapcount;
	conv->holder.mapcount = 0;
	folio_put(folio);
	return -EAGAIN;
}
