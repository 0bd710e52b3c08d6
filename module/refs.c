// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the safe refcount
 *
 * A page becomes private only when gmem can name every reference to its folio:
 * the page cache's, one for each page, and the one taken to look at it. Any
 * other belongs to somebody who may still read or write the memory: a pin, a
 * pipe, I/O in flight.
 *
 * References of the kernel itself come in the way, too: a folio that was just
 * faulted in or munlocked sits in a per-CPU batch that holds a reference until
 * it is full. lru_add_drain_all() is not exported, but releasing an empty
 * folio_batch drains the batches of the CPU it runs on.
 *
 * Locks: called with the range lock, faults held off; takes folio locks one at
 * a time, because a fault that was faster maps its page under the folio lock.
 */
#include <linux/cpu.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched/signal.h>

#include "internal.h"

/*
 * Tries after the batches are drained, for references that are about to go:
 * page migration that finds out that it cannot, or RCU walkers.
 */
#define GMEM_GRACE_TRIES 3

static struct workqueue_struct *gmem_drain_wq;
static DEFINE_PER_CPU(struct work_struct, gmem_drain_work);
static DEFINE_MUTEX(gmem_drain_mutex);

static void gmem_drain_local(void)
{
	struct folio_batch fbatch;

	folio_batch_init(&fbatch);
	__folio_batch_release(&fbatch);
}

static void gmem_drain_fn(struct work_struct *work)
{
	gmem_drain_local();
}

/* The batches of a CPU that goes offline are drained on its way out. */
static void gmem_drain_all(struct gmem_inode *gi)
{
	int cpu;

	atomic64_inc(&gi->counters.drains);
	mutex_lock(&gmem_drain_mutex);
	cpus_read_lock();
	for_each_online_cpu(cpu)
		queue_work_on(cpu, gmem_drain_wq,
			      per_cpu_ptr(&gmem_drain_work, cpu));
	for_each_online_cpu(cpu)
		flush_work(per_cpu_ptr(&gmem_drain_work, cpu));
	cpus_read_unlock();
	mutex_unlock(&gmem_drain_mutex);
}

int gmem_refs_init(void)
{
	int cpu;

	gmem_drain_wq = alloc_workqueue("gmem_drain",
					WQ_MEM_RECLAIM | GMEM_WQ_PERCPU, 0);
	if (!gmem_drain_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		INIT_WORK(per_cpu_ptr(&gmem_drain_work, cpu), gmem_drain_fn);
	return 0;
}

void gmem_refs_exit(void)
{
	destroy_workqueue(gmem_drain_wq);
}

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
}

/*
 * Whether nobody but gmem holds @folio. The refcount is frozen for the look, so
 * that a speculative reference either counts or fails. From here on a new one
 * can only be speculative: the page is unmapped and faults are held off. Nor does
 * it lead to the contents: whoever gets one finds the folio not uptodate. If the
 * conversion fails, the next page fault publishes the folio again.
 */
static bool gmem_folio_is_safe(struct gmem_inode *gi, struct folio *folio,
			       struct gmem_holder *holder)
{
	u32 expected = folio_nr_pages(folio) + 1;
	bool safe;

	/* Mapped by a fault that had its folio before faults were held off. */
	if (folio_mapped(folio))
		unmap_mapping_pages(gi->vfs_inode.i_mapping, folio->index,
				    folio_nr_pages(folio), false);

	/* Who looks the folio up meanwhile spins: do not let them wait for long. */
	preempt_disable();
	safe = !folio_mapped(folio) && folio_ref_freeze(folio, expected);
	if (safe) {
		gmem_folio_seal(folio);
		/* A full barrier: pairs with the one of folio_try_get(). */
		folio_ref_unfreeze(folio, expected);
	}
	preempt_enable();
	if (!safe)
		gmem_holder_fill(holder, folio, expected);
	return safe;
}

static int gmem_folio_check(struct gmem_inode *gi, struct folio *folio,
			    struct gmem_holder *holder)
{
	int rc = 0;

	if (gmem_state_get(&gi->state, folio->index) != GMEM_STATE_SHARED)
		return 0;
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

/* Check the populated pages from &gmem_holder.index on; it stops at a held one. */
static int gmem_refs_check(struct gmem_inode *gi, pgoff_t end,
			   struct gmem_holder *holder)
{
	struct address_space *mapping = gi->vfs_inode.i_mapping;
	struct folio_batch fbatch;
	pgoff_t next = holder->index;
	unsigned int i;
	int rc = 0;

	folio_batch_init(&fbatch);
	while (!rc && filemap_get_folios(mapping, &next, end - 1, &fbatch)) {
		for (i = 0; !rc && i < folio_batch_count(&fbatch); i++) {
			holder->index = max(holder->index,
					    fbatch.folios[i]->index);
			rc = gmem_folio_check(gi, fbatch.folios[i], holder);
		}
		folio_batch_release(&fbatch);
		cond_resched();
	}
	return rc;
}

/*
 * Sleep a little, longer each time, up to 8 ms. A signal ends it, and so does
 * work that io_uring left for the task, which may be just what drops the
 * reference: the call is restarted after it, with what is left of the time.
 */
static int gmem_refs_pause(unsigned int try)
{
	schedule_timeout_interruptible(msecs_to_jiffies(1U << min(try, 3U)));
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

/**
 * gmem_refs_settle() - wait until only gmem refers to the shared pages of a range
 * @gi: the memory
 * @conv: the range; &gmem_conversion.holder is filled with -EAGAIN
 * @deadline: in jiffies, when to give up
 *
 * Pages that passed stay so: they are unmapped, and faults are held off until
 * the caller lets them in again.
 *
 * Context: range lock held, faults held off, the range unmapped; sleeps.
 * Return: 0, -EAGAIN (a page is held), -EHWPOISON, -ERESTARTSYS, or -EINTR when
 * the task is being killed.
 */
int gmem_refs_settle(struct gmem_inode *gi, struct gmem_conversion *conv,
		     unsigned long deadline)
{
	unsigned int try;
	int rc;

	conv->holder.index = conv->start;

	for (try = 0;; try++) {
		rc = gmem_refs_check(gi, conv->end, &conv->holder);
		if (rc != -EAGAIN)
			return rc;

		/* Cheapest first: this CPU, all CPUs, time. */
		if (try == 0) {
			gmem_drain_local();
			continue;
		}
		if (try == 1) {
			gmem_drain_all(gi);
			continue;
		}
		if (try > GMEM_GRACE_TRIES &&
		    (time_after_eq(jiffies, deadline) ||
		     gmem_range_wanted(gi, conv->start, conv->end)))
			return -EAGAIN;
		rc = gmem_refs_pause(try - 2);
		if (rc)
			return rc;
	}
}
