// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: look-ups by a hypervisor
 *
 * Returns the page of a guest fault, and keeps it stable while the hypervisor puts it
 * into its own page table. A conversion or a hole first marks the range as in transit,
 * as for page faults of the host, and then waits until earlier look-ups have ended. So
 * references of look-ups need not be told from others: when references are compared,
 * there are none.
 *
 * Locks: the lock of the page's gate, shared, then a folio lock; neither is held on
 * return. &gmem_gate.lookups_lock protects the list of look-ups.
 */
#include <linux/jiffies.h>
#include <linux/pagemap.h>

#include "internal.h"
#include "trace.h"

/* In ms: conversions wait for a look-up at least this long. Its task may need a CPU. */
#define GMEM_LOOKUP_WAIT 1000

static int gmem_lookup_locked(struct gmem_inode *gi, pgoff_t index,
			      unsigned int flags, struct gmem_lookup *lookup)
{
	gfp_t gfp = GMEM_FOLIO_GFP | __GFP_RETRY_MAYFAIL;
	struct gmem_gate *gate = gmem_gate_of(gi, index);
	struct folio *folio;

	if (gmem_range_next_transit(gi, index, index + 1) == index)
		return -EAGAIN;
	/* Check after the mark: a range is in transit while its binding is withdrawn. */
	if (READ_ONCE(lookup->binding->withdrawn))
		return -ENODEV;
	lookup->state = gmem_state_get(&gi->state, index);
	if (lookup->state == GMEM_STATE_PRIVATE && lookup->binding->ops->store)
		return -EOPNOTSUPP;

	folio = gmem_folio_grab(gi, index,
				flags & GMEM_LOOKUP_NOALLOC ? 0 : gfp);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	lookup->folio = folio;
	lookup->pfn = folio_pfn(folio) + (index - folio->index);
	lookup->order = folio_order(folio);

	spin_lock(&gate->lookups_lock);
	list_add_tail(&lookup->node, &gate->lookups);
	spin_unlock(&gate->lookups_lock);
	folio_unlock(folio);
	return 0;
}

/**
 * gmem_lookup() - look up the page behind a guest fault
 * @binding: of gmem_bind(), whose range the page is in
 * @index: the page
 * @flags: GMEM_LOOKUP_*
 * @lookup: out: the page, to be ended with gmem_lookup_put()
 *
 * Populates the page if necessary; a page that was never written reads as zero. The
 * caller decides by &gmem_lookup.state what its guest may do with the page. The
 * look-up holds a reference to the folio. Conversions and holes of the page wait until
 * gmem_lookup_put(), so they never count this reference. They give up with -EAGAIN
 * after a second or their timeout, whichever is longer. So keep a look-up only while
 * filling a page table entry. invalidate_start() tells when to remove the entry.
 *
 * Context: process context, may sleep. Not from a method of struct gmem_ops, and
 * not with a lock held that such a method takes.
 * Return: 0; -EINVAL if @index is not in the binding; -ENODEV if gmem_unbind() has
 * withdrawn the binding; -ERESTARTSYS if a signal came during the wait for a
 * conversion of the page; -EAGAIN, with GMEM_LOOKUP_NOWAIT, instead of this wait;
 * -ENOENT, with GMEM_LOOKUP_NOALLOC, for an unpopulated page; -EHWPOISON if memory
 * of the page has failed; -EOPNOTSUPP for a private page that lives in a store;
 * -ENOMEM.
 */
int gmem_lookup(struct gmem_binding *binding, pgoff_t index, unsigned int flags,
		struct gmem_lookup *lookup)
{
	struct gmem_inode *gi = gmem_from_binding(binding);
	struct gmem_gate *gate;
	int rc;

	might_sleep();
	if (index < binding->start || index >= binding->end)
		return -EINVAL;

	/* gmem_unbind() waits for this reference, which the look-up keeps. */
	refcount_inc(&binding->refs);
	lookup->binding = binding;
	lookup->index = index;
	gate = gmem_gate_of(gi, index);
	do {
		down_read(&gate->lock);
		rc = gmem_lookup_locked(gi, index, flags, lookup);
		up_read(&gate->lock);
		if (rc != -EAGAIN || flags & GMEM_LOOKUP_NOWAIT)
			break;
		/* Whoever looks up keeps no lock that the conversion would have to give way to. */
		rc = gmem_range_wait(gi, index, FAULT_FLAG_USER |
						FAULT_FLAG_INTERRUPTIBLE |
						FAULT_FLAG_ALLOW_RETRY);
	} while (!rc);

	/* A look-up that gives up does not return for the page. */
	if (rc != -EAGAIN && rc != -ERESTARTSYS && rc != -EINTR)
		gmem_range_came_back(gi, index);
	trace_gmem_lookup(gi->vfs_inode.i_ino, lookup, rc);
	if (rc)
		gmem_binding_put(gi, binding);
	return rc;
}
GMEM_EXPORT_SYMBOL(gmem_lookup);

/**
 * gmem_lookup_put() - end a look-up
 * @lookup: of gmem_lookup()
 *
 * Context: process context, does not sleep.
 */
void gmem_lookup_put(struct gmem_lookup *lookup)
{
	struct gmem_binding *binding = lookup->binding;
	struct gmem_inode *gi = gmem_from_binding(binding);
	struct gmem_gate *gate = gmem_gate_of(gi, lookup->index);

	/*
	 * Drop the reference first: a conversion that finds no look-up compares references.
	 * Dropping it is a full barrier.
	 */
	spin_lock(&gate->lookups_lock);
	folio_put(lookup->folio);
	list_del(&lookup->node);
	spin_unlock(&gate->lookups_lock);
	/* Pairs with the barrier of a task that prepares to wait. */
	if (wq_has_sleeper(&gate->wait))
		wake_up_all(&gate->wait);
	gmem_binding_put(gi, binding);
}
GMEM_EXPORT_SYMBOL(gmem_lookup_put);

/* Whether a look-up includes a page of the range: it covers the whole folio. */
static bool gmem_lookup_covers(const struct gmem_lookup *lookup, pgoff_t start,
			       pgoff_t end)
{
	pgoff_t pages = 1UL << lookup->order;
	pgoff_t first = round_down(lookup->index, pages);

	return first < end && start < first + pages;
}

/* The first look-up of the range that is in flight at a gate. */
static struct gmem_lookup *gmem_lookup_find(struct gmem_gate *gate, pgoff_t start,
					    pgoff_t end)
{
	struct gmem_lookup *lookup, *first = NULL;

	lockdep_assert_held(&gate->lookups_lock);
	list_for_each_entry(lookup, &gate->lookups, node) {
		if (gmem_lookup_covers(lookup, start, end) &&
		    (!first || lookup->index < first->index))
			first = lookup;
	}
	return first;
}

/* Whether a look-up of the range is in flight at a gate. */
static bool gmem_lookups_at_gate(struct gmem_gate *gate, pgoff_t start, pgoff_t end)
{
	bool found;

	/* Pairs with gmem_lookup_put(). Look-ups from before the gate was shut are seen. */
	if (list_empty_careful(&gate->lookups))
		return false;
	spin_lock(&gate->lookups_lock);
	found = gmem_lookup_find(gate, start, end);
	spin_unlock(&gate->lookups_lock);
	return found;
}

/* Report the first look-up of the range at a gate in @holder, if it is before *@first. */
static void gmem_lookups_tell(struct gmem_gate *gate, pgoff_t start, pgoff_t end,
			      pgoff_t *first, struct gmem_holder *holder)
{
	struct gmem_lookup *lookup;

	spin_lock(&gate->lookups_lock);
	lookup = gmem_lookup_find(gate, start, end);
	if (!lookup || lookup->index >= *first)
		goto unlock;
	*first = lookup->index;
	if (!holder)
		goto unlock;
	holder->index = clamp(lookup->index, start, end - 1);
	/* Take a reference, because the reported number includes one. */
	folio_get(lookup->folio);
	gmem_holder_fill(holder, lookup->folio, folio_nr_pages(lookup->folio) + 1);
	folio_put(lookup->folio);
unlock:
	spin_unlock(&gate->lookups_lock);
}

/**
 * gmem_lookups_deadline() - when to give up waiting for look-ups
 * @deadline: of ktime_get(), end of the caller's timeout
 *
 * Return: @deadline, or GMEM_LOOKUP_WAIT from now, whichever is later.
 */
ktime_t gmem_lookups_deadline(ktime_t deadline)
{
	ktime_t least = ktime_add_ms(ktime_get(), GMEM_LOOKUP_WAIT);

	return ktime_after(deadline, least) ? deadline : least;
}

/**
 * gmem_lookups_drain() - wait until no look-up of a range is in flight
 * @gi: the memory
 * @range: held by the caller
 * @start: first page, in @range
 * @end: page after the last one
 * @deadline: of gmem_lookups_deadline(), when to give up
 * @holder: out: with -EAGAIN the first page that is looked up; may be NULL
 *
 * Context: range lock held, faults held off, so that no new look-up begins; sleeps.
 * Return: 0, -EAGAIN or -ERESTARTSYS.
 */
int gmem_lookups_drain(struct gmem_inode *gi, const struct gmem_range_lock *range,
		       pgoff_t start, pgoff_t end, ktime_t deadline,
		       struct gmem_holder *holder)
{
	struct gmem_span span = { start, end };
	unsigned long gates = gmem_gates_of(&span, 1);
	long left = gmem_jiffies_left(deadline);
	pgoff_t first = ULONG_MAX;
	struct gmem_gate *gate;
	unsigned int i;

	for_each_set_bit(i, &gates, GMEM_NR_GATES) {
		gate = &gi->gates[i];
		left = wait_event_interruptible_timeout(gate->wait,
							!gmem_lookups_at_gate(gate, start, end) ||
								gmem_range_wanted(range),
							left);
		if (left < 0)
			return left;
	}
	for_each_set_bit(i, &gates, GMEM_NR_GATES)
		gmem_lookups_tell(&gi->gates[i], start, end, &first, holder);
	return first == ULONG_MAX ? 0 : -EAGAIN;
}

/**
 * gmem_lookups_wait() - as gmem_lookups_drain(), but not interruptible
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 * @timeout: in jiffies, when to give up, or MAX_SCHEDULE_TIMEOUT
 *
 * Context: no new look-up can begin; sleeps.
 */
void gmem_lookups_wait(struct gmem_inode *gi, pgoff_t start, pgoff_t end,
		       long timeout)
{
	struct gmem_span span = { start, end };
	unsigned long gates = gmem_gates_of(&span, 1);
	struct gmem_gate *gate;
	unsigned int i;

	for_each_set_bit(i, &gates, GMEM_NR_GATES) {
		gate = &gi->gates[i];
		timeout = wait_event_timeout(gate->wait,
					     !gmem_lookups_at_gate(gate, start, end),
					     timeout);
	}
}
