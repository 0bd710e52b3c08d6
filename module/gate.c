// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: gates
 *
 * Page faults and look-ups of a page hold the lock of the gate of its block of 2 MiB
 * shared. A task that changes pages, and has to keep faults out, shuts their gates: it
 * increments the gate's count and takes the lock exclusively once, for a moment. A fault
 * that did not see the count has finished its look-up by then. A fault that sees it asks
 * range.c whether its own page is in transit.
 *
 * A file has a few gates for all of its blocks, so a fault elsewhere in the file usually
 * uses another gate, in another cache line. Nobody holds two gate locks. A task that waits
 * for pages of a block sleeps on the wait queue of its gate.
 *
 * Lock order: see file.c.
 */
#include "internal.h"

void gmem_gates_init(struct gmem_inode *gi)
{
	unsigned int i;

	for (i = 0; i < GMEM_NR_GATES; i++) {
		struct gmem_gate *gate = &gi->gates[i];

		init_rwsem(&gate->lock);
		atomic_set(&gate->shut, 0);
		init_waitqueue_head(&gate->wait);
		atomic64_set(&gate->faults, 0);
		spin_lock_init(&gate->lookups_lock);
		INIT_LIST_HEAD(&gate->lookups);
	}
}

/**
 * gmem_gates_of() - the gates of ranges
 * @spans: the ranges
 * @nr: how many
 *
 * Return: a bit for each gate.
 */
unsigned long gmem_gates_of(const struct gmem_span *spans, unsigned int nr)
{
	unsigned long gates = 0;
	pgoff_t block, last;

	for (; nr && gates != GMEM_ALL_GATES; nr--, spans++) {
		block = spans->start >> GMEM_BLOCK_SHIFT;
		last = (spans->end - 1) >> GMEM_BLOCK_SHIFT;
		for (; block <= last && gates != GMEM_ALL_GATES; block++)
			gates |= BIT(block % GMEM_NR_GATES);
	}
	return gates;
}

/**
 * gmem_gates_shut() - make faults see the mark that the caller has set
 * @gi: the memory
 * @gates: of gmem_gates_of()
 *
 * Context: sleeps; no gate's lock held.
 */
void gmem_gates_shut(struct gmem_inode *gi, unsigned long gates)
{
	unsigned int i;

	for_each_set_bit(i, &gates, GMEM_NR_GATES) {
		struct gmem_gate *gate = &gi->gates[i];

		atomic_inc(&gate->shut);
		/* Pairs with the shared hold in fault.c and lookup.c. */
		down_write(&gate->lock);
		up_write(&gate->lock);
	}
}

/**
 * gmem_gates_open() - undo gmem_gates_shut()
 * @gi: the memory
 * @gates: the same
 *
 * Context: any.
 */
void gmem_gates_open(struct gmem_inode *gi, unsigned long gates)
{
	unsigned int i;

	/* A fault that finds a gate open sees the new states: pairs with gmem_gate_is_shut(). */
	for_each_set_bit(i, &gates, GMEM_NR_GATES)
		atomic_dec_return_release(&gi->gates[i].shut);
}

/**
 * gmem_gates_wake() - wake all tasks that sleep at gates
 * @gi: the memory
 * @gates: of gmem_gates_of()
 *
 * These are page faults, and tasks that wait for look-ups to end.
 *
 * Context: any.
 */
void gmem_gates_wake(struct gmem_inode *gi, unsigned long gates)
{
	unsigned int i;

	/* Pairs with the barrier of a task that prepares to wait. */
	for_each_set_bit(i, &gates, GMEM_NR_GATES) {
		if (wq_has_sleeper(&gi->gates[i].wait))
			wake_up_all(&gi->gates[i].wait);
	}
}

/**
 * gmem_gates_have_lookups() - whether look-ups are in flight at gates
 * @gi: the memory
 * @gates: shut by the caller, so that no new look-ups of its pages come
 *
 * Return: whether there are any, also of other pages.
 */
bool gmem_gates_have_lookups(struct gmem_inode *gi, unsigned long gates)
{
	unsigned int i;

	for_each_set_bit(i, &gates, GMEM_NR_GATES) {
		/* Pairs with gmem_lookup_put(). */
		if (!list_empty_careful(&gi->gates[i].lookups))
			return true;
	}
	return false;
}
