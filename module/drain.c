// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: draining per-CPU batches of folios
 *
 * A folio that was just faulted in or munlocked is in a batch of that CPU, and
 * the batch holds a reference until it is full. lru_add_drain_all() is not
 * exported, but releasing an empty folio_batch drains the batches of the CPU it
 * runs on.
 *
 * A real-time task or a pinned vCPU can occupy a CPU for ever. So the wait for a
 * CPU is bounded, killable, and without a lock held. Each request draws a ticket,
 * and each CPU records the newest ticket drawn before it drained. One drain
 * serves all requests whose ticket was drawn before it began, and no request
 * queues behind another.
 *
 * Locks: none are taken.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "internal.h"

/*
 * struct gmem_drain - the batches of a CPU
 * @work: drains them
 * @ticket: the newest that was drawn before they were last drained
 */
struct gmem_drain {
	struct work_struct work;
	long ticket;
};

static DEFINE_PER_CPU(struct gmem_drain, gmem_drains);
static atomic_long_t gmem_drain_tickets = ATOMIC_LONG_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(gmem_drain_wait);
static struct workqueue_struct *gmem_drain_wq;

static bool gmem_drain_done(int cpu, long ticket)
{
	/* Pairs with gmem_drain_here(). */
	return smp_load_acquire(&per_cpu_ptr(&gmem_drains, cpu)->ticket) -
		       ticket >= 0;
}

/*
 * Drain the batches of this CPU. The caller must not migrate. It may be preempted, even by
 * another drain: with PREEMPT_RT the locks of the batches sleep.
 */
static void gmem_drain_here(void)
{
	long ticket = atomic_long_read(&gmem_drain_tickets);
	long *newest = this_cpu_ptr(&gmem_drains.ticket);
	struct folio_batch fbatch;
	long old = READ_ONCE(*newest);

	/* See all folios that were put into a batch before @ticket was drawn. */
	smp_mb();
	folio_batch_init(&fbatch);
	__folio_batch_release(&fbatch);
	/* Fully ordered, for gmem_drain_done(). */
	while (ticket - old > 0 && !try_cmpxchg(newest, &old, ticket))
		;
}

static void gmem_drain_fn(struct work_struct *work)
{
	migrate_disable();
	gmem_drain_here();
	migrate_enable();
	wake_up_all(&gmem_drain_wait);
}

/**
 * gmem_drain_ticket() - ask for batches to be drained from now on
 *
 * Context: any.
 * Return: a ticket for the functions below.
 */
long gmem_drain_ticket(void)
{
	return atomic_long_inc_return(&gmem_drain_tickets);
}

/**
 * gmem_drain_local() - drain the batches of this CPU
 * @ticket: of gmem_drain_ticket()
 *
 * Context: process context.
 * Return: whether they had not been drained since @ticket was drawn.
 */
bool gmem_drain_local(long ticket)
{
	bool drain;

	migrate_disable();
	drain = !gmem_drain_done(smp_processor_id(), ticket);
	if (drain)
		gmem_drain_here();
	migrate_enable();
	return drain;
}

/* Whether @scope includes @cpu. */
static bool gmem_drain_covers(int scope, int cpu)
{
	bool covers = true;

	if (scope >= 0)
		return cpu == scope;
	if (scope == GMEM_DRAIN_HOUSEKEEPING) {
		/* RCU: cpusets can change the mask. */
		rcu_read_lock();
		covers = housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN);
		rcu_read_unlock();
	}
	return covers;
}

/* The next CPU after @cpu that has not served the request yet. */
static int gmem_drain_next(int cpu, int scope, long ticket)
{
	/* A CPU that goes offline drains its batches. */
	do {
		cpu = cpumask_next(cpu, cpu_online_mask);
	} while (cpu < nr_cpu_ids && (!gmem_drain_covers(scope, cpu) ||
				      gmem_drain_done(cpu, ticket)));
	return cpu;
}

/**
 * gmem_drain_cpus() - drain the batches of other CPUs
 * @scope: a CPU, GMEM_DRAIN_HOUSEKEEPING for those that are not isolated from
 *	other tasks, or GMEM_DRAIN_ALL
 * @ticket: of gmem_drain_ticket()
 * @timeout: in jiffies, how long to wait for them. A CPU that takes longer drains
 *	its batches later
 *
 * Context: process context, sleeps.
 * Return: 1 if CPUs have drained; 0 if all of them had done so since @ticket was
 * drawn; -ETIME if a CPU did not drain in time; -EINTR if the task is being killed.
 */
int gmem_drain_cpus(int scope, long ticket, long timeout)
{
	int cpu = gmem_drain_next(-1, scope, ticket);
	long left;

	if (cpu >= nr_cpu_ids)
		return 0;
	for (; cpu < nr_cpu_ids; cpu = gmem_drain_next(cpu, scope, ticket))
		queue_work_on(cpu, gmem_drain_wq,
			      &per_cpu_ptr(&gmem_drains, cpu)->work);
	left = wait_event_killable_timeout(gmem_drain_wait,
					   gmem_drain_next(-1, scope, ticket) >=
						   nr_cpu_ids,
					   timeout);
	if (left < 0)
		return -EINTR;
	return left ? 1 : -ETIME;
}

/**
 * gmem_drain_for() - drain the batches that a folio is most likely in
 * @cpu: the CPU that allocated it, or negative if it is not known
 * @ticket: of gmem_drain_ticket()
 *
 * Drain @cpu. If it was already drained since @ticket, drain all CPUs that are not
 * isolated. The wait is bounded by GMEM_DRAIN_WAIT.
 *
 * Context: process context, sleeps.
 * Return: as gmem_drain_cpus().
 */
int gmem_drain_for(int cpu, long ticket)
{
	int rc = cpu < 0 ? 0 : gmem_drain_cpus(cpu, ticket, GMEM_DRAIN_WAIT);

	return rc ? rc : gmem_drain_cpus(GMEM_DRAIN_HOUSEKEEPING, ticket, GMEM_DRAIN_WAIT);
}

int gmem_drain_init(void)
{
	int cpu;

	/* No rescuer thread: it could get stuck on an occupied CPU, too. */
	gmem_drain_wq = alloc_workqueue("gmem_drain", GMEM_WQ_PERCPU, 0);
	if (!gmem_drain_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		INIT_WORK(&per_cpu_ptr(&gmem_drains, cpu)->work, gmem_drain_fn);
	return 0;
}

void gmem_drain_exit(void)
{
	int cpu;

	/* Cancel work of CPUs that have not run it yet. */
	for_each_possible_cpu(cpu)
		cancel_work_sync(&per_cpu_ptr(&gmem_drains, cpu)->work);
	destroy_workqueue(gmem_drain_wq);
}
