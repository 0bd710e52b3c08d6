// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: runs
 *
 * The work on pages before their states change, run by run: a run has one state,
 * and is inside one binding or outside any. Each step is done for all runs before
 * the next begins: check; then convert by the hypervisors, which can be undone;
 * and then free pages that are not preserved, which cannot be undone.
 *
 * Locks: the caller holds the range lock, so states and bindings are stable;
 * faults and look-ups are held off.
 */
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "internal.h"

/*
 * One run of pages that are not in the target state yet, GMEM_RUN_PAGES at
 * most: all of it inside @binding, or, if that is NULL, all of it outside any.
 */
struct gmem_run {
	const struct gmem_range_lock *range;
	pgoff_t start;
	pgoff_t end;
	struct gmem_binding *binding;
};

/*
 * Find the next run of [run->end, end). Return: false if there is none. gmem_run_put()
 * drops the reference to the binding.
 */
static bool gmem_run_next(struct gmem_inode *gi, struct gmem_run *run,
			  pgoff_t end, enum gmem_state target)
{
	struct gmem_binding *binding;
	enum gmem_state state = target;

	do {
		run->start = run->end;
		if (run->start >= end)
			return false;
		run->end = gmem_state_run(&gi->state, run->start,
					  min(end, run->start + GMEM_RUN_PAGES),
					  &state);
	} while (state == target);

	binding = gmem_binding_next(gi, run->start, run->end);
	if (binding && binding->start > run->start) {
		run->end = binding->start;
		gmem_binding_put(gi, binding);
		binding = NULL;
	}
	if (binding)
		run->end = min(run->end, binding->end);
	run->binding = binding;
	return true;
}

static void gmem_run_put(struct gmem_inode *gi, struct gmem_run *run)
{
	if (run->binding)
		gmem_binding_put(gi, run->binding);
	run->binding = NULL;
}

typedef int (*gmem_run_fn)(struct gmem_inode *gi, struct gmem_run *run,
			   struct gmem_conversion *conv);

/* Call @fn for each run up to @end until one fails. */
static int gmem_walk_runs(struct gmem_inode *gi, struct gmem_conversion *conv,
			  struct gmem_range_lock *range, pgoff_t end,
			  gmem_run_fn fn)
{
	struct gmem_run run = { .range = range, .end = conv->start };
	int rc = 0;

	while (!rc && gmem_run_next(gi, &run, end, conv->target)) {
		gmem_range_enter_store(gi, range);
		rc = fn(gi, &run, conv);
		gmem_range_leave_store(gi, range);
		gmem_run_put(gi, &run);
		cond_resched();
	}
	return rc;
}

/*
 * Whether to continue with the next run, while the conversion can still be undone: not if
 * the task is being killed, or an urgent task waits for the range.
 */
static int gmem_run_may_go_on(struct gmem_inode *gi, struct gmem_run *run,
			      struct gmem_conversion *conv)
{
	int rc = 0;

	if (fatal_signal_pending(current))
		rc = -EINTR;
	else if (gmem_range_wanted(run->range))
		rc = -EAGAIN;
	if (rc)
		conv->holder = (struct gmem_holder){ .index = run->start };
	return rc;
}

/* Refuse to convert pages whose memory has failed. */
static int gmem_run_check_poison(struct gmem_inode *gi, struct gmem_run *run,
				 struct gmem_conversion *conv)
{
	conv->holder.index = run->start;
	return gmem_poison_next(gi, &conv->holder.index, run->end) ?
		       -EHWPOISON : 0;
}

static int gmem_run_check(struct gmem_inode *gi, struct gmem_run *run,
			  struct gmem_conversion *conv)
{
	struct gmem_binding *binding = run->binding;
	int rc;

	rc = gmem_run_may_go_on(gi, run, conv);
	if (!rc)
		rc = gmem_run_check_poison(gi, run, conv);
	if (rc || !binding)
		return rc;
	if (binding->encrypted && conv->content == GMEM_CONTENT_PRESERVE)
		return -EOPNOTSUPP;
	if (!binding->ops->check)
		return 0;
	return binding->ops->check(binding, run->start, run->end, conv,
				   &conv->holder.index);
}

/**
 * gmem_runs_matter() - whether the walks below have anything to do
 * @gi: the memory
 *
 * Context: range lock held, so that bindings of the range neither come nor go.
 * Return: false if no hypervisor is bound and no memory has failed.
 */
bool gmem_runs_matter(struct gmem_inode *gi)
{
	return !mtree_empty(&gi->bindings) || atomic_read(&gi->nr_poisoned);
}

/**
 * gmem_runs_check() - whether a conversion may begin
 * @gi: the memory
 * @conv: the conversion; &gmem_holder.index is set with an error
 * @range: held by the caller
 *
 * Return: 0, -EHWPOISON, -EOPNOTSUPP, -EAGAIN, -EINTR, or the error of a hypervisor.
 */
int gmem_runs_check(struct gmem_inode *gi, struct gmem_conversion *conv,
		    struct gmem_range_lock *range)
{
	return gmem_walk_runs(gi, conv, range, conv->end, gmem_run_check);
}

static int gmem_run_make(struct gmem_inode *gi, struct gmem_run *run,
			 struct gmem_conversion *conv)
{
	const struct gmem_ops *ops = run->binding ? run->binding->ops : NULL;
	int rc;

	/* An undo ends here, unless the method sets another page. */
	conv->holder.index = run->start;
	rc = gmem_run_may_go_on(gi, run, conv);
	if (rc || !ops)
		return rc;
	if (conv->target == GMEM_STATE_PRIVATE && ops->make_private)
		return ops->make_private(run->binding, run->start, run->end,
					 conv->content, &conv->holder.index);
	if (conv->target == GMEM_STATE_SHARED && ops->make_shared)
		return ops->make_shared(run->binding, run->start, run->end,
					conv->content, &conv->holder.index);
	return 0;
}

static int gmem_run_undo(struct gmem_inode *gi, struct gmem_run *run,
			 struct gmem_conversion *conv)
{
	const struct gmem_ops *ops = run->binding ? run->binding->ops : NULL;

	if (!ops)
		return 0;
	if (conv->target == GMEM_STATE_PRIVATE && ops->undo_private)
		ops->undo_private(run->binding, run->start, run->end);
	if (conv->target == GMEM_STATE_SHARED && ops->undo_shared)
		ops->undo_shared(run->binding, run->start, run->end);
	return 0;
}

/**
 * gmem_runs_undo() - undo what gmem_runs_make() has done
 * @gi: the memory
 * @conv: the conversion
 * @range: held by the caller
 * @end: page after what is to be undone
 */
void gmem_runs_undo(struct gmem_inode *gi, struct gmem_conversion *conv,
		    struct gmem_range_lock *range, pgoff_t end)
{
	gmem_walk_runs(gi, conv, range, end, gmem_run_undo);
}

/**
 * gmem_runs_make() - let the hypervisors convert all runs, or none
 * @gi: the memory
 * @conv: the conversion; &gmem_holder.index is set with an error
 * @range: held by the caller
 *
 * Return: 0, -EHWPOISON, -EAGAIN, -EINTR, or the error of a hypervisor. After an error
 * everything has been undone.
 */
int gmem_runs_make(struct gmem_inode *gi, struct gmem_conversion *conv,
		   struct gmem_range_lock *range)
{
	int rc = gmem_walk_runs(gi, conv, range, conv->end, gmem_run_make);
	pgoff_t made = rc ? conv->holder.index : conv->end;

	/*
	 * A page that failed after the check has not moved into its store. The guest would
	 * find a fresh page there. A failure is recorded before the folio is removed.
	 */
	if (!rc && conv->target == GMEM_STATE_PRIVATE)
		rc = gmem_walk_runs(gi, conv, range, conv->end,
				    gmem_run_check_poison);
	if (rc)
		gmem_runs_undo(gi, conv, range, made);
	return rc;
}

/*
 * Drop the contents of a run, in the file and in the store. For a run that becomes private
 * the store can have pages, too, if a guest has accessed it too early.
 */
static int gmem_run_drop(struct gmem_inode *gi, struct gmem_run *run,
			 struct gmem_conversion *conv)
{
	struct gmem_binding *binding = run->binding;

	truncate_inode_pages_range(gi->vfs_inode.i_mapping,
				   (loff_t)run->start << PAGE_SHIFT,
				   ((loff_t)run->end << PAGE_SHIFT) - 1);
	if (binding && binding->ops->store)
		return binding->ops->store->discard(binding, run->start,
						    run->end);
	return 0;
}

/**
 * gmem_runs_drop() - drop the contents of all runs
 * @gi: the memory
 * @conv: the conversion, with GMEM_CONTENT_ZERO
 * @range: held by the caller
 *
 * Return: 0, or -EIO if a store has failed to drop pages, which it must not.
 */
int gmem_runs_drop(struct gmem_inode *gi, struct gmem_conversion *conv,
		   struct gmem_range_lock *range)
{
	return gmem_walk_runs(gi, conv, range, conv->end, gmem_run_drop);
}
