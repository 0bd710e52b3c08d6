// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: range locks
 *
 * A task that changes the state, the store or the population of pages holds a lock over
 * their range, or over several, so that operations on disjoint ranges run in parallel. A
 * holder can hold off page faults in its range: it marks the range as in transit and shuts
 * its gates (gate.c).
 *
 * Holders and waiters are in one interval tree. Each has the count of earlier entries that
 * overlap it, and its lock is granted when this count is zero. A release decrements the
 * count of later entries, and wakes those that reach zero. So taking a range costs the
 * look-up of the overlapping ranges, and no task is woken in vain. Page faults sleep at the
 * gate of their block.
 *
 * Lock order: a range lock is outermost, see file.c. &gmem_ranges.lock is innermost, except
 * for the locks of wait queues.
 */
#include <linux/interval_tree_generic.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "internal.h"

/*
 * A conversion that has ended keeps its range for this time at most, until the page
 * faults that have waited for it return. Otherwise the next conversion could hold them
 * off again. They return immediately, unless their task was interrupted or waits for
 * a CPU.
 */
#define GMEM_HANDING_WAIT (HZ / 10)

/*
 * How long a fault of the kernel waits for one call of a store. The faulting task may
 * hold a lock that the store needs: KVM on 6.12 copies from user memory with the
 * invalidate_lock of its guest_memfd held. So the wait must have a limit. A call covers
 * at most GMEM_RUN_PAGES; only the call that ends a binding covers all of it. So the
 * limit is reached only if userspace converts or unbinds memory that it makes KVM read
 * at the same time.
 */
#define GMEM_STORE_WAIT (10 * HZ)

#define gmem_range_first(range) ((range)->start)
#define gmem_range_last(range) ((range)->end - 1)
INTERVAL_TREE_DEFINE(struct gmem_range_lock, node, pgoff_t, subtree_last,
		     gmem_range_first, gmem_range_last, static inline, gmem_range);

/*
 * All locks, held or waited for, that may include one of the pages @start to @end - 1:
 * gaps between the spans of a lock are not looked at.
 */
#define gmem_for_each_range(range, ranges, start, end)				\
	for (range = gmem_range_iter_first(&(ranges)->tree, start, (end) - 1);	\
	     range;								\
	     range = gmem_range_iter_next(range, start, (end) - 1))

void gmem_ranges_init(struct gmem_ranges *ranges)
{
	spin_lock_init(&ranges->lock);
	ranges->tree = RB_ROOT_CACHED;
	ranges->tickets = 0;
	ranges->handing = 0;
}

/* Return: the first span of @range that ends after @index, or its number of spans. */
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
 * Make the owner of @range hurry. A holder may be waiting for a look-up: wake it at the
 * gates. A task that only waits for the range has to give its place up: wake it, too.
 */
static void gmem_range_press(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	lockdep_assert_held(&gi->ranges.lock);
	WRITE_ONCE(range->wanted, range->wanted + 1);
	if (range->before)
		wake_up(&range->wait);
	else
		gmem_gates_wake(gi, range->gates);
}

/*
 * Queue behind all overlapping locks. They are granted in order of arrival, so no task
 * starves. All ranges of a task have one ticket, so two tasks have the same order in all
 * of their ranges, and cannot deadlock.
 */
static void gmem_range_enqueue(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	struct gmem_ranges *ranges = &gi->ranges;
	struct gmem_range_lock *other;

	spin_lock(&ranges->lock);
	range->ticket = ++ranges->tickets;
	gmem_for_each_range(other, ranges, range->start, range->end) {
		if (!gmem_range_conflicts(other, range))
			continue;
		range->before++;
		if (range->urgent)
			gmem_range_press(gi, other);
	}
	gmem_range_insert(range, &ranges->tree);
	spin_unlock(&ranges->lock);
}

/* Remove @range from the tree, and with it what it asked of earlier locks. */
static void gmem_range_dequeue(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	struct gmem_ranges *ranges = &gi->ranges;
	struct gmem_range_lock *other;

	spin_lock(&ranges->lock);
	gmem_range_remove(range, &ranges->tree);
	gmem_for_each_range(other, ranges, range->start, range->end) {
		if (!gmem_range_conflicts(other, range))
			continue;
		if (other->ticket < range->ticket) {
			if (range->urgent)
				WRITE_ONCE(other->wanted, other->wanted - 1);
			continue;
		}
		/* Release: the next holder sees all that was done with the range. */
		smp_store_release(&other->before, other->before - 1);
		/*
		 * With the lock held: @other is on the stack of its task, which cannot
		 * return before it has taken the lock in gmem_range_dequeue().
		 */
		if (!other->before)
			wake_up(&other->wait);
	}
	spin_unlock(&ranges->lock);
}

/* Whether no earlier lock overlaps @range any more: the caller holds it. */
static bool gmem_range_granted(const struct gmem_range_lock *range)
{
	/* Pairs with smp_store_release() in gmem_range_dequeue(). */
	return !smp_load_acquire(&range->before);
}

/**
 * gmem_range_init_spans() - initialise a lock of several ranges
 * @range: the lock
 * @spans: the ranges, ascending and disjoint; must stay valid while the lock is used
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
	init_waitqueue_head(&range->wait);
}

/**
 * gmem_range_init() - initialise a lock of one range
 * @range: the lock; must not be moved in memory
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
 * gmem_range_lock() - lock ranges
 * @gi: the memory
 * @range: of gmem_range_init() or gmem_range_init_spans(); must stay valid until
 *	gmem_range_unlock()
 *
 * Context: process context, sleeps.
 * Return: 0 or -ERESTARTSYS.
 */
int gmem_range_lock(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	int rc;

	/*
	 * An urgent task may queue behind this one, while this one waits for a holder whose
	 * range does not overlap the urgent task's. That holder is not asked to hurry. This
	 * task has not done anything yet, so let the urgent one pass, and queue again.
	 */
	do {
		range->before = 0;
		range->wanted = 0;
		range->gives_way = false;
		gmem_range_enqueue(gi, range);
		rc = wait_event_interruptible(range->wait,
					      gmem_range_granted(range) ||
						      gmem_range_wanted(range));
		if (!rc && gmem_range_granted(range))
			return 0;
		gmem_range_dequeue(gi, range);
	} while (!rc);
	return rc;
}

/**
 * gmem_range_lock_wait() - as gmem_range_lock(), but not interruptible
 * @gi: the memory
 * @range: the lock; must stay valid until gmem_range_unlock()
 *
 * For callers that cannot fail. Earlier holders that wait for references or look-ups
 * give up, see gmem_range_wanted().
 *
 * Context: process context, sleeps.
 */
void gmem_range_lock_wait(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	range->urgent = true;
	gmem_range_enqueue(gi, range);
	wait_event(range->wait, gmem_range_granted(range));
}

/**
 * gmem_range_lock_urgent() - as gmem_range_lock_wait(), but killable
 * @gi: the memory
 * @range: the lock; must stay valid until gmem_range_unlock()
 *
 * Context: process context, sleeps.
 * Return: 0 or -EINTR.
 */
int gmem_range_lock_urgent(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	range->urgent = true;
	gmem_range_enqueue(gi, range);
	if (!wait_event_killable(range->wait, gmem_range_granted(range)))
		return 0;
	gmem_range_dequeue(gi, range);
	return -EINTR;
}

/**
 * gmem_range_wanted() - whether an urgent task waits for a part of a range
 * @range: held by the caller
 *
 * Context: any.
 * Return: whether such a task waits: in gmem_range_lock_wait() or
 * gmem_range_lock_urgent(), or in a page fault that cannot be interrupted.
 */
bool gmem_range_wanted(const struct gmem_range_lock *range)
{
	return READ_ONCE(range->wanted);
}

/**
 * gmem_range_gives_way() - whether a conversion has to begin again instead of waiting
 * @range: held by the caller
 *
 * A page fault waits for @range with mmap_lock held, and other tasks may wait for that
 * lock. So the conversion must not wait for references then. It continues as long as it
 * has other work: otherwise repeated reads of /proc/PID/mem would keep a large conversion
 * from ever finishing.
 *
 * Context: any.
 * Return: whether such a fault has come.
 */
bool gmem_range_gives_way(const struct gmem_range_lock *range)
{
	return READ_ONCE(range->gives_way);
}

/**
 * gmem_range_hold_faults() - make page faults in ranges wait
 * @gi: the memory
 * @range: held by the caller
 *
 * On return no fault is looking up a page of the ranges. A fault that found its folio
 * before holds the folio lock until the page is mapped.
 *
 * Context: sleeps; passes through the gates.
 */
void gmem_range_hold_faults(struct gmem_inode *gi,
			    struct gmem_range_lock *range)
{
	unsigned long gates = gmem_gates_of(range->spans, range->nr_spans);

	spin_lock(&gi->ranges.lock);
	range->gates = gates;
	range->transit = true;
	spin_unlock(&gi->ranges.lock);
	gmem_gates_shut(gi, gates);
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

/**
 * gmem_range_let_faults() - let page faults in ranges continue
 * @gi: the memory
 * @range: held by the caller, also on return
 *
 * Waits until the faults that have waited return, for GMEM_HANDING_WAIT at most. So a
 * fault waits only for the conversion that it met, not for later ones.
 *
 * Context: process context, sleeps.
 */
void gmem_range_let_faults(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	struct gmem_ranges *ranges = &gi->ranges;
	bool waited;

	if (!range->transit)
		return;
	spin_lock(&ranges->lock);
	range->transit = false;
	waited = range->waiters;
	if (waited)
		WRITE_ONCE(ranges->handing, ranges->handing + 1);
	spin_unlock(&ranges->lock);
	gmem_gates_open(gi, range->gates);
	/* Also waiters that are not counted: they had returned, and wait again. */
	gmem_gates_wake(gi, range->gates);
	if (!waited)
		return;

	wait_event_timeout(range->wait, !READ_ONCE(range->waiters), GMEM_HANDING_WAIT);
	spin_lock(&ranges->lock);
	WRITE_ONCE(ranges->handing, ranges->handing - 1);
	spin_unlock(&ranges->lock);
}

/**
 * gmem_range_unlock() - unlock ranges
 * @gi: the memory
 * @range: held by the caller
 *
 * Context: process context; sleeps as gmem_range_let_faults().
 */
void gmem_range_unlock(struct gmem_inode *gi, struct gmem_range_lock *range)
{
	gmem_range_let_faults(gi, range);
	gmem_range_dequeue(gi, range);
}

/**
 * gmem_range_next_transit() - find a page whose faults are held off
 * @gi: the memory
 * @index: first page to look at
 * @end: page after the last one to look at, which is in the same block
 *
 * Context: the lock of the block's gate is held; otherwise the result can be outdated.
 * Return: the first such page, or @end.
 */
pgoff_t gmem_range_next_transit(struct gmem_inode *gi, pgoff_t index,
				pgoff_t end)
{
	struct gmem_range_lock *range;

	/* The common case: no conversion, no spin lock. */
	if (!gmem_gate_is_shut(gmem_gate_of(gi, index)))
		return end;

	spin_lock(&gi->ranges.lock);
	gmem_for_each_range(range, &gi->ranges, index, end) {
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
	gmem_for_each_range(range, ranges, index, index + 1) {
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

/* Ask the holder of @index to give up, if it can. */
static void gmem_range_hurry(struct gmem_inode *gi, pgoff_t index)
{
	struct gmem_range_lock *range;

	spin_lock(&gi->ranges.lock);
	range = gmem_range_transit(&gi->ranges, index);
	if (range)
		gmem_range_press(gi, range);
	spin_unlock(&gi->ranges.lock);
}

/* Wait in steps of GMEM_STORE_WAIT, until no store's call has lasted that long. */
static int gmem_range_wait_kernel(struct gmem_inode *gi, pgoff_t index,
				  bool interruptible)
{
	wait_queue_head_t *wait = &gmem_gate_of(gi, index)->wait;
	long left;

	do {
		if (interruptible)
			left = wait_event_interruptible_timeout(*wait,
								!gmem_range_busy(gi, index),
								GMEM_STORE_WAIT);
		else
			left = wait_event_killable_timeout(*wait,
							   !gmem_range_busy(gi, index),
							   GMEM_STORE_WAIT);
		if (left < 0)
			return -EINTR;
	} while (!left && !gmem_range_stuck(gi, index));
	return left ? 0 : -EDEADLK;
}

/*
 * A fault of the kernel: of GUP (KVM, for instance), or of copy_to_user(). GUP with
 * FOLL_INTERRUPTIBLE returns to its caller on a signal, and the fault is not repeated.
 * A fault of copy_to_user() is repeated, with FAULT_FLAG_TRIED. It cannot return before
 * the page is there, so its task can be neither interrupted nor frozen until then. In
 * this case the conversion has to give up.
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

/* Count a fault that waits for a range; @keeps: its caller keeps mmap_lock. */
static void gmem_range_add_waiter(struct gmem_inode *gi, pgoff_t index, bool keeps)
{
	struct gmem_range_lock *range;

	spin_lock(&gi->ranges.lock);
	range = gmem_range_transit(&gi->ranges, index);
	if (range)
		WRITE_ONCE(range->waiters, range->waiters + 1);
	if (range && keeps)
		WRITE_ONCE(range->gives_way, true);
	spin_unlock(&gi->ranges.lock);
}

/*
 * Uncount a fault that has returned, or will not return. @over: the conversion that it
 * waited for has let faults in, so do not look at ranges that hold faults off now.
 */
static void gmem_range_remove_waiter(struct gmem_inode *gi, pgoff_t index, bool over)
{
	struct gmem_range_lock *range;

	spin_lock(&gi->ranges.lock);
	gmem_for_each_range(range, &gi->ranges, index, index + 1) {
		if (!range->waiters || (over && range->transit) ||
		    !gmem_range_overlaps(range, index, index + 1))
			continue;
		WRITE_ONCE(range->waiters, range->waiters - 1);
		if (!range->waiters)
			wake_up(&range->wait);
		break;
	}
	spin_unlock(&gi->ranges.lock);
}

/**
 * gmem_range_wait() - wait until page faults of a page may continue
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
	wait_queue_head_t *wait = &gmem_gate_of(gi, index)->wait;
	int rc;

	gmem_range_add_waiter(gi, index, !(flags & FAULT_FLAG_ALLOW_RETRY));
	if (!(flags & FAULT_FLAG_USER))
		rc = gmem_range_wait_interrupted(gi, index, flags);
	else if (flags & FAULT_FLAG_INTERRUPTIBLE)
		rc = wait_event_interruptible(*wait, !gmem_range_busy(gi, index));
	else
		rc = wait_event_killable(*wait, !gmem_range_busy(gi, index));
	if (rc)
		gmem_range_remove_waiter(gi, index, false);
	return rc;
}

/**
 * gmem_range_came_back() - note that a page fault has looked up its page
 * @gi: the memory
 * @index: the page
 *
 * It is counted as one of the faults that have waited, even if it is another one.
 *
 * Context: any.
 */
void gmem_range_came_back(struct gmem_inode *gi, pgoff_t index)
{
	if (!READ_ONCE(gi->ranges.handing))
		return;
	gmem_range_remove_waiter(gi, index, true);
}
