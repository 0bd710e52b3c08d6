// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: range locks
 *
 * Who changes the state, the home or the population of pages holds a lock over
 * their range, or over several, so that operations on disjoint ranges run side by side. A
 * holder may hold off page faults in its range: it marks the range as in transit and shuts
 * its gates (gate.c).
 *
 * Lock order: a range lock is outermost, see file.c. &gmem_ranges.lock is
 * innermost.
 */
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "internal.h"

/*
 * How long a range is kept for page faults that have waited for it, before the next
 * one may hold them off again. They come at once, unless their task has been
 * interrupted or has to wait for a CPU.
 */
#define GMEM_HANDING_WAIT (HZ / 10)

/*
 * How long a fault of the kernel waits for one call of a store. The faulting
 * task may hold a lock that the store needs (KVM on 6.12 copies from user memory
 * below the invalidate_lock of its guest_memfd), so the wait has to end by
 * itself. A call is for GMEM_RUN_PAGES at most, but for the one that ends a
 * binding, so that it ends that way only if userspace converts or unbinds memory
 * that it hands to KVM at the same time.
 */
#define GMEM_STORE_WAIT (10 * HZ)

void gmem_ranges_init(struct gmem_ranges *ranges)
{
	spin_lock_init(&ranges->lock);
	INIT_LIST_HEAD(&ranges->queue);
	ranges->handing = 0;
	init_waitqueue_head(&ranges->wait);
}

/* The first span that ends behind @index, or @nr_spans of @range. */
static unsigned int gmem_range_find(const struct gmem_range_lock *range,
				    pgoff_t index)
{
	unsigned int low = 0, high = range->nr_spans, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (range->spans[mid].end > index)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static bool gmem_range_overlaps(const struct gmem_range_lock *range,
				pgoff_t start, pgoff_t end)
{
	unsigned int i;

	if (range->start >= end || start >= range->end)
		return false;
	i = gmem_range_find(range, start);
	return i < range->nr_spans && range->spans[i].start < end;
}

/* Whether two locks have a page in common. */
static bool gmem_range_conflicts(const struct gmem_range_lock *a,
				 const struct gmem_range_lock *b)
{
	unsigned int i;

	if (a->start >= b->end || b->start >= a->end)
		return false;
	if (a->nr_spans > b->nr_spans)
		swap(a, b);
	for (i = 0; i < a->nr_spans; i++) {
		if (gmem_range_overlaps(b, a->spans[i].start, a->spans[i].end))
			return true;
	}
	return false;
}

/*
 * Whether it is this one's turn: nobody came before who holds part of the ranges
 * or waits for it. First come, first served, so that nobody waits for ever; and with
 * one place for all ranges of a task, of two tasks one comes before the other
 * everywhere.
 */
static bool gmem_range_granted(struct gmem_ranges *ranges,
			       struct gmem_range_lock *range)
{
	struct gmem_range_lock *other;
	bool granted = true;

	spin_lock(&ranges->lock);
	list_for_each_entry(other, &ranges->queue, node) {
		if (other == range)
			break;
		if (gmem_range_conflicts(other, range)) {
			granted = false;
			break;
		}
	}
	spin_unlock(&ranges->lock);
	return granted;
}

static void gmem_range_enqueue(struct gmem_ranges *ranges,
			       struct gmem_range_lock *range)
{
	spin_lock(&ranges->lock);
	list_add_tail(&range->node, &ranges->queue);
	spin_unlock(&ranges->lock);
}

/**
 * gmem_range_init_spans() - say what a lock is for: several ranges
 * @range: the lock
 * @spans: the ranges, ascending and disjoint, as long as the lock is used
 * @nr: how many, at least one
 */
void gmem_range_init_spans(struct gmem_range_lock *range,
			   const struct gmem_span *spans, unsigned int nr)
{
	*range = (struct gmem_range_lock){
		.start = spans[0].start,
		.end = spans[nr - 1].end,
		.spans = spans,
		.nr_spans = nr,
	};
}

/**
 * gmem_range_init() - say what a lock is for: one range
 * @range: the lock, which stays where it is
 * @start: first page
 * @end: page after the range
 */
void gmem_range_init(struct gmem_range_lock *range, pgoff_t start, pgoff_t end)
{
	struct gmem_span span = { start, end };

	gmem_range_init_spans(range, &span, 1);
	range->span = span;
	range->spans = &range->span;
}

/**
 * gmem_range_lock() - take ranges for oneself
 * @gi: the memory
 * @range: of gmem_range_init() or gmem_range_init_spans(), in the caller's hands
 *	until gmem_range_unlock()
 *
 * Context: process context, sleeps.
 * Return: 0 or -ERESTARTSYS.
 */
int gmem_range_lock(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	int rc;

	gmem_range_enqueue(&gi->ranges, range);
	rc = wait_event_interruptible(gi->ranges.wait,
				      gmem_range_granted(&gi->ranges, range));
	if (rc)
		gmem_range_unlock(gi, range);
	return rc;
}

/**
 * gmem_range_lock_wait() - as gmem_range_lock(), whatever signal comes
 * @gi: the memory
 * @range: the lock, in the caller's hands until gmem_range_unlock()
 *
 * For what cannot fail. Those who came before and wait for references or
 * look-ups give up, see gmem_range_wanted().
 *
 * Context: process context, sleeps.
 */
void gmem_range_lock_wait(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	range->urgent = true;
	gmem_range_enqueue(&gi->ranges, range);
	wake_up_all(&gi->ranges.wait);
	wait_event(gi->ranges.wait, gmem_range_granted(&gi->ranges, range));
}

/**
 * gmem_range_lock_urgent() - as gmem_range_lock_wait(), but for who is being killed
 * @gi: the memory
 * @range: the lock, in the caller's hands until gmem_range_unlock()
 *
 * Context: process context, sleeps.
 * Return: 0 or -EINTR.
 */
int gmem_range_lock_urgent(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	range->urgent = true;
	gmem_range_enqueue(&gi->ranges, range);
	wake_up_all(&gi->ranges.wait);
	if (!wait_event_killable(gi->ranges.wait,
				 gmem_range_granted(&gi->ranges, range)))
		return 0;
	gmem_range_unlock(gi, range);
	return -EINTR;
}

/**
 * gmem_range_wanted() - whether somebody cannot wait for long
 * @gi: the memory
 * @range: held by the caller
 *
 * Context: any.
 * Return: whether gmem_range_lock_wait() waits for a part of @range, or a page fault
 * does that cannot be interrupted.
 */
bool gmem_range_wanted(struct gmem_inode *gi, const struct gmem_range_lock *range)
{
	struct gmem_range_lock *other;
	bool wanted = false;

	spin_lock(&gi->ranges.lock);
	list_for_each_entry(other, &gi->ranges.queue, node) {
		if (READ_ONCE(other->urgent) &&
		    gmem_range_conflicts(other, range)) {
			wanted = true;
			break;
		}
	}
	spin_unlock(&gi->ranges.lock);
	return wanted;
}

/**
 * gmem_range_hold_faults() - let page faults of ranges wait
 * @gi: the memory
 * @range: held by the caller
 *
 * On return no fault is looking up a page of the ranges. One that got its folio
 * before still holds the folio lock until the page is mapped.
 *
 * Context: sleeps; passes through the gates.
 */
void gmem_range_hold_faults(struct gmem_inode *gi,
			    struct gmem_range_lock *range)
{
	range->gates = gmem_gates_of(range->spans, range->nr_spans);
	spin_lock(&gi->ranges.lock);
	range->transit = true;
	spin_unlock(&gi->ranges.lock);
	gmem_gates_shut(gi, range->gates);
}

/**
 * gmem_range_enter_store() - note that a hypervisor or store is about to be called
 * @gi: the memory
 * @range: held by the caller
 *
 * From here to gmem_range_leave_store() the wait of a kernel fault is bounded.
 */
void gmem_range_enter_store(struct gmem_inode *gi,
			    struct gmem_range_lock *range)
{
	spin_lock(&gi->ranges.lock);
	range->in_store = true;
	range->store_call = jiffies;
	spin_unlock(&gi->ranges.lock);
}

/**
 * gmem_range_leave_store() - end what gmem_range_enter_store() began
 * @gi: the memory
 * @range: held by the caller
 */
void gmem_range_leave_store(struct gmem_inode *gi,
			    struct gmem_range_lock *range)
{
	spin_lock(&gi->ranges.lock);
	range->in_store = false;
	spin_unlock(&gi->ranges.lock);
}

static void gmem_ranges_wake(struct gmem_ranges *ranges)
{
	/* Pairs with the barrier of who prepares to wait. */
	if (wq_has_sleeper(&ranges->wait))
		wake_up_all(&ranges->wait);
}

/* Let faults in again. Returns whether some have waited. */
static bool gmem_range_end_transit(struct gmem_inode *gi,
				   struct gmem_range_lock *range)
{
	lockdep_assert_held(&gi->ranges.lock);
	if (!range->transit)
		return false;
	range->transit = false;
	gmem_gates_open(gi, range->gates);
	return range->waiters;
}

/**
 * gmem_range_let_faults() - let page faults of ranges in again
 * @gi: the memory
 * @range: held by the caller, and stays so
 *
 * Context: process context, sleeps for GMEM_HANDING_WAIT at most: until faults that
 * have waited are back. A fault waits for the conversion that it met, and not for
 * those behind it, however fast they come.
 */
void gmem_range_let_faults(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	struct gmem_ranges *ranges = &gi->ranges;
	bool waited;

	spin_lock(&ranges->lock);
	waited = gmem_range_end_transit(gi, range);
	if (waited)
		WRITE_ONCE(ranges->handing, ranges->handing + 1);
	spin_unlock(&ranges->lock);
	/* Also those who wait and are not counted: they came back and wait again. */
	gmem_ranges_wake(ranges);
	if (!waited)
		return;

	wait_event_timeout(ranges->wait, !READ_ONCE(range->waiters),
			   GMEM_HANDING_WAIT);
	spin_lock(&ranges->lock);
	WRITE_ONCE(ranges->handing, ranges->handing - 1);
	spin_unlock(&ranges->lock);
}

/**
 * gmem_range_unlock() - give ranges back
 * @gi: the memory
 * @range: held by the caller, or waited for
 *
 * Context: process context; sleeps as gmem_range_let_faults().
 */
void gmem_range_unlock(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	if (range->transit)
		gmem_range_let_faults(gi, range);
	spin_lock(&gi->ranges.lock);
	list_del(&range->node);
	spin_unlock(&gi->ranges.lock);
	gmem_ranges_wake(&gi->ranges);
}

/**
 * gmem_range_next_transit() - find a page whose faults are held off
 * @gi: the memory
 * @index: first page to look at
 * @end: page after the last one to look at, which is in the same block
 *
 * Context: the lock of the block's gate is held, else the answer means nothing.
 * Return: the first such page, or @end.
 */
pgoff_t gmem_range_next_transit(struct gmem_inode *gi, pgoff_t index,
				pgoff_t end)
{
	struct gmem_range_lock *range;

	/* The common case costs a fault nothing. */
	if (!gmem_gate_is_shut(gmem_gate_of(gi, index)))
		return end;

	spin_lock(&gi->ranges.lock);
	list_for_each_entry(range, &gi->ranges.queue, node) {
		if (range->transit && gmem_range_overlaps(range, index, end))
			end = max(range->spans[gmem_range_find(range, index)].start,
				  index);
	}
	spin_unlock(&gi->ranges.lock);
	return end;
}

/* The lock that holds off faults of @index, or NULL. */
static struct gmem_range_lock *gmem_range_transit(struct gmem_ranges *ranges,
						  pgoff_t index)
{
	struct gmem_range_lock *range;

	lockdep_assert_held(&ranges->lock);
	list_for_each_entry(range, &ranges->queue, node) {
		if (range->transit &&
		    gmem_range_overlaps(range, index, index + 1))
			return range;
	}
	return NULL;
}

/* Whether a fault of @index has to wait. */
static bool gmem_range_busy(struct gmem_inode *gi, pgoff_t index)
{
	bool busy;

	spin_lock(&gi->ranges.lock);
	busy = gmem_range_transit(&gi->ranges, index);
	spin_unlock(&gi->ranges.lock);
	return busy;
}

/**
 * gmem_range_stuck() - whether a store has kept page faults off for too long
 * @gi: the memory
 * @index: the page
 *
 * Context: any.
 * Return: whether one call of a store has lasted for GMEM_STORE_WAIT.
 */
bool gmem_range_stuck(struct gmem_inode *gi, pgoff_t index)
{
	struct gmem_range_lock *range;
	bool stuck;

	spin_lock(&gi->ranges.lock);
	range = gmem_range_transit(&gi->ranges, index);
	stuck = range && range->in_store &&
		time_after_eq(jiffies, range->store_call + GMEM_STORE_WAIT);
	spin_unlock(&gi->ranges.lock);
	return stuck;
}

/* The holder of @index is to give up, if it can. */
static void gmem_range_hurry(struct gmem_inode *gi, pgoff_t index)
{
	struct gmem_range_lock *range;

	spin_lock(&gi->ranges.lock);
	range = gmem_range_transit(&gi->ranges, index);
	if (range)
		WRITE_ONCE(range->urgent, true);
	spin_unlock(&gi->ranges.lock);
	wake_up_all(&gi->ranges.wait);
}

/* Wait for GMEM_STORE_WAIT at a time: a store's call may be as long as that. */
static int gmem_range_wait_kernel(struct gmem_inode *gi, pgoff_t index,
				  bool interruptible)
{
	long left;

	do {
		if (interruptible)
			left = wait_event_interruptible_timeout(gi->ranges.wait,
								!gmem_range_busy(gi, index),
								GMEM_STORE_WAIT);
		else
			left = wait_event_killable_timeout(gi->ranges.wait,
							   !gmem_range_busy(gi, index),
							   GMEM_STORE_WAIT);
		if (left < 0)
			return -EINTR;
	} while (!left && !gmem_range_stuck(gi, index));
	return left ? 0 : -EDEADLK;
}

/*
 * A fault of the kernel: of KVM or another user of GUP, or of copy_to_user(). GUP
 * can return to its caller when there is a signal, if it says FOLL_INTERRUPTIBLE; it
 * does not come again then. copy_to_user() comes again, marked as tried: it
 * can return nothing but a fault, so the task is not interrupted, or frozen,
 * before the page is there. Then the conversion is what has to give up.
 */
static int gmem_range_wait_interrupted(struct gmem_inode *gi, pgoff_t index,
				       unsigned int flags)
{
	const unsigned int may = FAULT_FLAG_INTERRUPTIBLE |
				 FAULT_FLAG_ALLOW_RETRY;
	int rc;

	rc = gmem_range_wait_kernel(gi, index, true);
	if (rc != -EINTR || fatal_signal_pending(current) ||
	    (flags & (may | FAULT_FLAG_TRIED)) == may)
		return rc;
	gmem_range_hurry(gi, index);
	return gmem_range_wait_kernel(gi, index, false);
}

/* A fault waits, or (by -1) will not come back. */
static void gmem_range_count_waiter(struct gmem_inode *gi, pgoff_t index, int by)
{
	struct gmem_range_lock *range;

	spin_lock(&gi->ranges.lock);
	list_for_each_entry(range, &gi->ranges.queue, node) {
		if (!gmem_range_overlaps(range, index, index + 1))
			continue;
		if (by > 0 ? range->transit : range->waiters) {
			WRITE_ONCE(range->waiters, range->waiters + by);
			break;
		}
	}
	spin_unlock(&gi->ranges.lock);
}

/**
 * gmem_range_wait() - wait until page faults of a page are let in again
 * @gi: the memory
 * @index: the page
 * @flags: FAULT_FLAG_* of the fault
 *
 * Context: sleeps. Preferably without mmap_lock.
 * Return: 0, -EINTR, -ERESTARTSYS, or -EDEADLK when a kernel fault has waited
 * for a store for too long.
 */
int gmem_range_wait(struct gmem_inode *gi, pgoff_t index, unsigned int flags)
{
	int rc;

	gmem_range_count_waiter(gi, index, 1);
	if (!(flags & FAULT_FLAG_USER))
		rc = gmem_range_wait_interrupted(gi, index, flags);
	else if (flags & FAULT_FLAG_INTERRUPTIBLE)
		rc = wait_event_interruptible(gi->ranges.wait,
					      !gmem_range_busy(gi, index));
	else
		rc = wait_event_killable(gi->ranges.wait,
					 !gmem_range_busy(gi, index));
	if (rc)
		gmem_range_count_waiter(gi, index, -1);
	return rc;
}

/**
 * gmem_range_came_back() - a page fault has looked up its page
 * @gi: the memory
 * @index: the page
 *
 * Whether or not it is one of those that have waited: it was their turn.
 *
 * Context: any.
 */
void gmem_range_came_back(struct gmem_inode *gi, pgoff_t index)
{
	if (!READ_ONCE(gi->ranges.handing))
		return;
	gmem_range_count_waiter(gi, index, -1);
	wake_up_all(&gi->ranges.wait);
}
