// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: conversion
 *
 * Changing the state of a range, all or nothing: take the range, reserve the
 * memory for the new states, hold off page faults, and for private wait until
 * only gmem refers to the pages. Then pages change their home where the range
 * is bound to a store. Up to here everything can be undone; the states change
 * at the very end.
 *
 * Lock order: see file.c. A store is called with the range lock only.
 */
#include <linux/overflow.h>
#include <linux/pagemap.h>

#include "internal.h"
#include "trace.h"

/*
 * One run of pages that are not in the target state yet, GMEM_RUN_PAGES at
 * most: all of it inside @binding, or, if that is NULL, all of it outside any.
 */
struct gmem_run {
	pgoff_t start;
	pgoff_t end;
	struct gmem_binding *binding;
};

/*
 * Find the next run of [run->end, end), or return false. The range lock keeps
 * states and bindings still. gmem_run_put() drops the reference to the binding.
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
	struct gmem_run run = { .end = conv->start };
	int rc = 0;

	while (!rc && gmem_run_next(gi, &run, end, conv->target)) {
		gmem_range_enter_store(gi, range);
		rc = fn(gi, &run, conv);
		gmem_run_put(gi, &run);
		cond_resched();
	}
	return rc;
}

static int gmem_run_check(struct gmem_inode *gi, struct gmem_run *run,
			  struct gmem_conversion *conv)
{
	struct gmem_binding *binding = run->binding;

	if (!binding)
		return 0;
	if (binding->encrypted && conv->content == GMEM_CONTENT_PRESERVE) {
		conv->holder.index = run->start;
		return -EOPNOTSUPP;
	}
	if (conv->target == GMEM_STATE_SHARED)
		return 0;
	return binding->ops->check_private(binding, run->start, run->end,
					   &conv->holder.index);
}

static int gmem_run_make_private(struct gmem_inode *gi, struct gmem_run *run,
				 struct gmem_conversion *conv)
{
	if (!run->binding)
		return 0;
	return run->binding->ops->make_private(run->binding, run->start,
					       run->end, &conv->holder.index);
}

static int gmem_run_undo_private(struct gmem_inode *gi, struct gmem_run *run,
				 struct gmem_conversion *conv)
{
	if (run->binding)
		run->binding->ops->undo_private(run->binding, run->start,
						run->end);
	return 0;
}

static int gmem_run_make_shared(struct gmem_inode *gi, struct gmem_run *run,
				struct gmem_conversion *conv)
{
	if (!run->binding)
		return 0;
	return run->binding->ops->make_shared(run->binding, run->start,
					      run->end);
}

/* Drop the contents of a run, wherever they are. */
static int gmem_run_zero(struct gmem_inode *gi, struct gmem_run *run,
			 struct gmem_conversion *conv)
{
	if (run->binding && conv->target == GMEM_STATE_SHARED)
		return run->binding->ops->discard(run->binding, run->start,
						  run->end);
	truncate_inode_pages_range(gi->vfs_inode.i_mapping,
				   (loff_t)run->start << PAGE_SHIFT,
				   ((loff_t)run->end << PAGE_SHIFT) - 1);
	return 0;
}

static int gmem_preserve_private(struct gmem_inode *gi,
				 struct gmem_conversion *conv,
				 struct gmem_range_lock *range)
{
	int rc;

	rc = gmem_walk_runs(gi, conv, range, conv->end, gmem_run_make_private);
	/* A page of the store came in the way since gmem_run_check(). */
	if (rc)
		gmem_walk_runs(gi, conv, range, conv->holder.index,
			       gmem_run_undo_private);
	return rc;
}

/*
 * Change what must change before the states may. The caller holds the range,
 * and no page of it can be faulted in.
 */
static int gmem_convert_pages(struct gmem_inode *gi,
			      struct gmem_conversion *conv,
			      struct gmem_range_lock *range)
{
	int rc;

	if (conv->target == GMEM_STATE_PRIVATE) {
		rc = gmem_refs_settle(gi, conv);
		if (rc)
			return rc;
	}
	rc = gmem_walk_runs(gi, conv, range, conv->end, gmem_run_check);
	if (rc)
		return rc;

	if (conv->content == GMEM_CONTENT_ZERO)
		return gmem_walk_runs(gi, conv, range, conv->end,
				      gmem_run_zero);
	if (conv->target == GMEM_STATE_PRIVATE)
		return gmem_preserve_private(gi, conv, range);
	return gmem_walk_runs(gi, conv, range, conv->end, gmem_run_make_shared);
}

static int gmem_convert_locked(struct gmem_inode *gi,
			       struct gmem_conversion *conv,
			       struct gmem_range_lock *range)
{
	struct gmem_state_change change = {
		.start = conv->start,
		.end = conv->end,
		.target = conv->target,
	};
	enum gmem_state state;
	int rc;

	if (gmem_state_run(&gi->state, conv->start, conv->end, &state) ==
		    conv->end && state == conv->target)
		return 0;

	rc = gmem_state_reserve(&gi->state, &change);
	if (rc)
		return rc;

	gmem_range_hold_faults(gi, range);
	rc = gmem_convert_pages(gi, conv, range);
	if (rc)
		gmem_state_cancel(&gi->state, &change);
	else
		gmem_state_apply(&gi->state, &change);
	return rc;
}

static void gmem_convert_count(struct gmem_inode *gi,
			       struct gmem_conversion *conv, int rc)
{
	if (rc)
		atomic64_inc(&gi->counters.refused);
	else if (conv->target == GMEM_STATE_PRIVATE)
		atomic64_inc(&gi->counters.to_private);
	else
		atomic64_inc(&gi->counters.to_shared);
	trace_gmem_convert(gi->vfs_inode.i_ino, conv, rc);
}

/**
 * gmem_convert() - change the state of a range
 * @gi: the memory
 * @conv: what to convert, and who was in the way
 *
 * Context: process context, sleeps; no locks held.
 * Return: 0, or as GMEM_IOCTL_CONVERT.
 */
int gmem_convert(struct gmem_inode *gi, struct gmem_conversion *conv)
{
	struct gmem_range_lock range;
	int rc;

	conv->holder = (struct gmem_holder){ .index = conv->start };
	rc = gmem_range_lock(gi, &range, conv->start, conv->end);
	if (!rc) {
		rc = gmem_convert_locked(gi, conv, &range);
		gmem_range_unlock(gi, &range);
	}
	gmem_convert_count(gi, conv, rc);
	return rc;
}

static int gmem_convert_check(const struct gmem_ioctl_convert *cmd)
{
	if (cmd->flags || cmd->__pad ||
	    memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	if (cmd->target > GMEM_STATE_PRIVATE ||
	    cmd->content > GMEM_CONTENT_ZERO ||
	    cmd->timeout_ms > GMEM_CONVERT_TIMEOUT_MAX)
		return -EINVAL;
	return 0;
}

static void gmem_convert_report(struct gmem_ioctl_convert *cmd,
				const struct gmem_conversion *conv, int rc)
{
	const struct gmem_holder *holder = &conv->holder;

	/* For a restart of the call */
	cmd->timeout_ms = conv->timeout_ms;
	if (rc == -EAGAIN || rc == -EEXIST || rc == -EOPNOTSUPP)
		cmd->error_offset = (u64)holder->index << PAGE_SHIFT;
	if (rc != -EAGAIN)
		return;
	cmd->refs_seen = holder->refs_seen;
	cmd->refs_expected = holder->refs_expected;
	cmd->mapcount = holder->mapcount;
	cmd->out_flags = holder->pinned ? GMEM_CONVERT_OUT_PINNED : 0;
}

long gmem_ioctl_convert(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_ioctl_convert *cmd = ucmd->cmd;
	struct gmem_conversion conv;
	int rc;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	rc = gmem_convert_check(cmd);
	if (rc)
		return rc;
	rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &conv.start,
			     &conv.end);
	if (rc)
		return rc;

	cmd->error_offset = cmd->offset;
	cmd->refs_seen = 0;
	cmd->refs_expected = 0;
	cmd->mapcount = 0;
	cmd->out_flags = 0;
	/* Nothing is converted for somebody who cannot be told. */
	rc = gmem_ucmd_respond(ucmd);
	if (rc)
		return rc;

	conv.target = cmd->target;
	conv.content = cmd->content;
	conv.timeout_ms = cmd->timeout_ms;
	rc = gmem_convert(gi, &conv);
	gmem_convert_report(cmd, &conv, rc);
	if (rc && gmem_ucmd_respond(ucmd))
		return -EFAULT;
	return rc;
}
