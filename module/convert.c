// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: conversion
 *
 * Changes the state of one or more ranges, all or nothing: lock the ranges, reserve
 * memory for the new states, hold off page faults, wait for look-ups to end, have the
 * hypervisors unmap the pages from their guests, and for private wait until only gmem
 * has references. Then the hypervisors convert (run.c): in a range bound to a store
 * the pages move. Up to here everything can be undone; the states change last.
 *
 * Lock order: see file.c. A hypervisor is called with only the range locks held.
 */
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "trace.h"

/**
 * struct gmem_job - a conversion under way
 * @conv: what is asked for; its range is that of the step at hand
 * @by: the hypervisor that asks, or NULL for userspace
 * @nr: how many ranges
 * @spans: the ranges, ascending and disjoint
 * @changes: of their states
 * @range: their lock
 * @deadline: of ktime_get(), for references and look-ups; zero: nothing was waited for yet
 * @zapped: how many ranges have views to be filled again; the last one to @zapped_end
 * @zapped_end: page after what of the last of them has to be
 * @span: the range of a conversion of one
 * @change: likewise
 */
struct gmem_job {
	struct gmem_conversion *conv;
	struct gmem_binding *by;
	unsigned int nr;
	struct gmem_span *spans;
	struct gmem_state_change *changes;
	struct gmem_range_lock range;
	ktime_t deadline;
	unsigned int zapped;
	pgoff_t zapped_end;
	struct gmem_span span;
	struct gmem_state_change change;
};

typedef int (*gmem_step_fn)(struct gmem_inode *gi, struct gmem_conversion *conv,
			    struct gmem_range_lock *range);

static void gmem_job_turn_to(struct gmem_job *job, unsigned int i)
{
	job->conv->start = job->spans[i].start;
	job->conv->end = job->spans[i].end;
}

/* Take a step for each range until one fails; @done says for how many it was taken. */
static int gmem_job_step(struct gmem_inode *gi, struct gmem_job *job,
			 gmem_step_fn fn, unsigned int *done)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < job->nr; i++) {
		gmem_job_turn_to(job, i);
		rc = fn(gi, job->conv, &job->range);
		if (rc)
			break;
	}
	if (done)
		*done = i;
	return rc;
}

static int gmem_job_settle(struct gmem_inode *gi, struct gmem_job *job)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; !rc && i < job->nr; i++) {
		gmem_job_turn_to(job, i);
		rc = gmem_refs_settle(gi, job->conv, &job->range, job->deadline);
		job->zapped = i + 1;
		job->zapped_end = job->spans[i].end;
	}
	/* It unmaps block by block, up to that of the page at which it gives up. */
	if (rc)
		job->zapped_end = min(job->zapped_end,
				      job->conv->holder.index +
					      (1UL << GMEM_BLOCK_SHIFT));
	return rc;
}

/*
 * Guests lose the pages before they change in any way. Not those that only become
 * shared, in views of the caller's own process: it keeps them, and
 * gmem_job_refill() gives the host access, too.
 */
static void gmem_job_zap(struct gmem_inode *gi, struct gmem_job *job)
{
	bool keep = job->conv->content == GMEM_CONTENT_PRESERVE;
	unsigned int i;

	for (i = 0; i < job->nr; i++) {
		if (!keep || !gmem_views_are_mine(gi, job->spans[i].start,
						  job->spans[i].end))
			gmem_views_zap(gi, job->spans[i].start,
				       job->spans[i].end);
	}
	job->zapped = job->nr;
	job->zapped_end = job->spans[job->nr - 1].end;
}

/* Up to where the views of a range are to be filled again. */
static pgoff_t gmem_job_zapped_end(const struct gmem_job *job, unsigned int i)
{
	return i + 1 < job->zapped ? job->spans[i].end : job->zapped_end;
}

/*
 * And have them again, whatever has come of the conversion. Return: what is left to do,
 * at most, of any range.
 */
static enum gmem_refill gmem_job_refill(struct gmem_inode *gi, struct gmem_job *job)
{
	enum gmem_refill left = GMEM_REFILL_DONE;
	unsigned int i;

	for (i = 0; i < job->zapped; i++)
		left = max(left, gmem_views_refill_held(gi, &job->range,
							job->spans[i].start,
							gmem_job_zapped_end(job, i)));
	return left;
}

/*
 * What could not be filled with the ranges held: the blocks in which they start and end,
 * which others may have locked in part; or all of them.
 */
static void gmem_job_refill_rest(struct gmem_inode *gi, struct gmem_job *job,
				 enum gmem_refill left)
{
	pgoff_t start, end, first, last;
	unsigned int i;

	for (i = 0; i < job->zapped; i++) {
		start = job->spans[i].start;
		end = gmem_job_zapped_end(job, i);
		first = min(end, ALIGN(start, 1UL << GMEM_BLOCK_SHIFT));
		last = max(first, ALIGN_DOWN(end, 1UL << GMEM_BLOCK_SHIFT));
		gmem_views_refill(gi, start, first, true);
		if (left == GMEM_REFILL_ALL)
			gmem_views_refill(gi, first, last, false);
		gmem_views_refill(gi, last, end, true);
	}
}

/* All of them, or none. */
static int gmem_job_make(struct gmem_inode *gi, struct gmem_job *job)
{
	unsigned int done;
	struct gmem_holder holder;
	int rc;

	/* What refs.c has left there is over. */
	job->conv->holder = (struct gmem_holder){};
	rc = gmem_job_step(gi, job, gmem_runs_make, &done);
	if (!rc)
		return 0;
	holder = job->conv->holder;
	while (done--) {
		gmem_job_turn_to(job, done);
		gmem_runs_undo(gi, job->conv, &job->range, job->conv->end);
	}
	job->conv->holder = holder;
	return rc;
}

/*
 * Change what must change before the states may. The caller holds the ranges,
 * and no page of them can be faulted in or looked up.
 */
static int gmem_convert_pages(struct gmem_inode *gi, struct gmem_job *job)
{
	int rc = 0;

	if (job->conv->target == GMEM_STATE_PRIVATE)
		rc = gmem_job_settle(gi, job);
	else
		gmem_job_zap(gi, job);
	if (!rc && gmem_runs_matter(gi)) {
		rc = gmem_job_step(gi, job, gmem_runs_check, NULL);
		if (!rc)
			rc = gmem_job_make(gi, job);
	}
	if (!rc && job->conv->content == GMEM_CONTENT_ZERO)
		rc = gmem_job_step(gi, job, gmem_runs_drop, NULL);
	return rc;
}

static int gmem_convert_drain_lookups(struct gmem_inode *gi, struct gmem_job *job)
{
	ktime_t deadline;
	unsigned int i;
	int rc = 0;

	if (!gmem_gates_have_lookups(gi, job->range.gates))
		return 0;
	deadline = gmem_lookups_deadline(job->deadline);
	for (i = 0; !rc && i < job->nr; i++)
		rc = gmem_lookups_drain(gi, &job->range, job->spans[i].start,
					job->spans[i].end, deadline,
					&job->conv->holder);
	return rc;
}

/* From the first look at a reference to the new states: with faults held off. */
static int gmem_convert_held(struct gmem_inode *gi, struct gmem_job *job)
{
	struct gmem_conversion *conv = job->conv;
	unsigned int i;
	int rc;

	if (!job->deadline)
		job->deadline = ktime_add_ms(ktime_get(), conv->timeout_ms);
	rc = gmem_convert_drain_lookups(gi, job);
	if (!rc) {
		for (i = 0; i < job->nr; i++)
			gmem_bindings_invalidate_start(gi, &job->range,
						       job->spans[i].start,
						       job->spans[i].end);
		rc = gmem_convert_pages(gi, job);
		for (i = 0; !rc && i < job->nr; i++)
			gmem_state_apply(&gi->state, &job->changes[i]);
		for (i = 0; i < job->nr; i++)
			gmem_bindings_invalidate_end(gi, &job->range,
						     job->spans[i].start,
						     job->spans[i].end);
	}
	return rc;
}

/* Nothing but pages in the target state, which are left alone? */
static bool gmem_convert_is_done(struct gmem_inode *gi, struct gmem_job *job)
{
	enum gmem_state state;
	unsigned int i;

	for (i = 0; i < job->nr; i++) {
		if (gmem_state_run(&gi->state, job->spans[i].start,
				   job->spans[i].end, &state) !=
			    job->spans[i].end ||
		    state != job->conv->target)
			return false;
	}
	return true;
}

/*
 * On an fd with consent private contents are the guest's: only its hypervisor may
 * have them shared.
 */
static int gmem_convert_consent(struct gmem_inode *gi,
				struct gmem_conversion *conv,
				struct gmem_range_lock *range)
{
	enum gmem_state state;
	pgoff_t next;

	next = gmem_state_run(&gi->state, conv->start, conv->end, &state);
	if (state == GMEM_STATE_SHARED && next == conv->end)
		return 0;
	conv->holder.index = state == GMEM_STATE_PRIVATE ? conv->start : next;
	return -EPERM;
}

/* What refuses a conversion before anything is touched. */
static int gmem_convert_may(struct gmem_inode *gi, struct gmem_job *job)
{
	struct gmem_conversion *conv = job->conv;

	if (conv->target == GMEM_STATE_PRIVATE)
		return conv->timeout_ms ? 0 :
			       min(gmem_job_step(gi, job, gmem_refs_pinned,
						 NULL), 0);
	if (job->by || !(gi->create_flags & GMEM_CREATE_F_GUEST_CONSENT) ||
	    conv->content == GMEM_CONTENT_ZERO)
		return 0;
	return gmem_job_step(gi, job, gmem_convert_consent, NULL);
}

static void gmem_convert_cancel(struct gmem_inode *gi, struct gmem_job *job,
				unsigned int nr)
{
	while (nr--)
		gmem_state_cancel(&gi->state, &job->changes[nr]);
}

static int gmem_convert_reserve(struct gmem_inode *gi, struct gmem_job *job)
{
	unsigned int i;
	int rc;

	for (i = 0; i < job->nr; i++) {
		job->changes[i] = (struct gmem_state_change){
			.start = job->spans[i].start,
			.end = job->spans[i].end,
			.target = job->conv->target,
		};
		rc = gmem_state_reserve(&gi->state, &job->changes[i]);
		if (rc) {
			gmem_convert_cancel(gi, job, i);
			return rc;
		}
	}
	return 0;
}

static int gmem_convert_locked(struct gmem_inode *gi, struct gmem_job *job)
{
	int rc;

	/* Unbound while it waited: its word does not count any more. */
	if (job->by && job->by->withdrawn)
		return -ENODEV;
	if (gmem_convert_is_done(gi, job))
		return 0;
	rc = gmem_convert_may(gi, job);
	if (!rc)
		rc = gmem_convert_reserve(gi, job);
	if (rc)
		return rc;

	gmem_range_hold_faults(gi, &job->range);
	rc = gmem_convert_held(gi, job);
	if (rc)
		gmem_convert_cancel(gi, job, job->nr);
	return rc;
}

static void gmem_convert_count(struct gmem_inode *gi, struct gmem_job *job, int rc)
{
	struct gmem_conversion *conv = job->conv;
	unsigned int i;

	if (rc && rc != -ERESTARTSYS)
		atomic64_inc(&gi->counters.refused);
	else if (!rc && conv->target == GMEM_STATE_PRIVATE)
		atomic64_inc(&gi->counters.to_private);
	else if (!rc)
		atomic64_inc(&gi->counters.to_shared);
	for (i = 0; i < job->nr; i++) {
		gmem_job_turn_to(job, i);
		trace_gmem_convert(gi->vfs_inode.i_ino, conv, rc);
	}
}

/* Lock the ranges, and convert them, or let go of all. */
static int gmem_convert_try(struct gmem_inode *gi, struct gmem_job *job)
{
	enum gmem_refill left;
	int rc;

	job->zapped = 0;
	job->conv->holder = (struct gmem_holder){
		.index = job->spans[0].start,
	};
	gmem_range_init_spans(&job->range, job->spans, job->nr);
	rc = gmem_range_lock(gi, &job->range);
	if (!rc) {
		rc = gmem_convert_locked(gi, job);
		/* Who has mmap_lock may wait for the range, as long as faults do. */
		gmem_range_let_faults(gi, &job->range);
		left = gmem_job_refill(gi, job);
		gmem_range_unlock(gi, &job->range);
		if (left != GMEM_REFILL_DONE)
			gmem_job_refill_rest(gi, job, left);
	}
	return rc;
}

/* Convert the ranges of @job, which are not locked yet. */
static int gmem_convert_ranges(struct gmem_inode *gi, struct gmem_job *job)
{
	int rc;

	/* A fault that keeps mmap_lock has had its page when it has the ranges again. */
	do {
		rc = gmem_convert_try(gi, job);
	} while (rc == -EAGAIN && gmem_range_gives_way(&job->range) &&
		 ktime_before(ktime_get(), job->deadline));
	/*
	 * Rounded down, so that signals at any rate do not make it last longer; also where it
	 * waits for its ranges again.
	 */
	if (rc == -ERESTARTSYS && job->deadline)
		job->conv->timeout_ms = max(ktime_ms_delta(job->deadline, ktime_get()), 0LL);
	gmem_convert_count(gi, job, rc);
	return rc;
}

static void gmem_job_single(struct gmem_job *job, pgoff_t start, pgoff_t end)
{
	job->nr = 1;
	job->span = (struct gmem_span){ start, end };
	job->spans = &job->span;
	job->changes = &job->change;
}

/**
 * gmem_convert() - change the state of a range on behalf of the guest
 * @binding: of gmem_bind()
 * @conv: what to convert: a range inside @binding
 *
 * The contract is that of GMEM_IOCTL_CONVERT: all or nothing, success at once
 * when nothing changes. Being asked by the bound hypervisor is the guest's
 * consent: on a file with GMEM_CREATE_F_GUEST_CONSENT private contents become
 * shared only by this function. Its own methods are called as for any other
 * conversion.
 *
 * Context: process context, sleeps. Not from a method of struct gmem_ops, and
 * not with a lock held that such a method takes, nor with a look-up of the range
 * in flight.
 * Return: 0; -EINVAL when the range is empty or not in @binding, or another
 * member is out of range; -ENODEV when gmem_unbind() was faster; -EAGAIN with
 * &gmem_conversion.holder when a page is
 * held; -ERESTARTSYS on a signal, with what is left of the timeout; -EEXIST,
 * -EOPNOTSUPP, -EHWPOISON, -ENOMEM as GMEM_IOCTL_CONVERT; or what a method of a
 * hypervisor returned.
 */
int gmem_convert(struct gmem_binding *binding, struct gmem_conversion *conv)
{
	struct gmem_inode *gi = gmem_from_binding(binding);
	struct gmem_job job = { .conv = conv, .by = binding };
	int rc;

	if (conv->start >= conv->end || conv->start < binding->start ||
	    conv->end > binding->end)
		return -EINVAL;
	if (conv->target > GMEM_STATE_PRIVATE ||
	    conv->content > GMEM_CONTENT_ZERO ||
	    conv->timeout_ms > GMEM_CONVERT_TIMEOUT_MAX)
		return -EINVAL;

	/* For gmem_unbind() to wait. */
	refcount_inc(&binding->refs);
	gmem_job_single(&job, conv->start, conv->end);
	rc = gmem_convert_ranges(gi, &job);
	gmem_binding_put(gi, binding);
	return rc;
}
GMEM_EXPORT_SYMBOL(gmem_convert);

static int gmem_convert_check(const struct gmem_ioctl_convert *cmd)
{
	if (cmd->flags & ~GMEM_CONVERT_VALID_MASK || cmd->__pad)
		return -EINVAL;
	if (cmd->target > GMEM_STATE_PRIVATE ||
	    cmd->content > GMEM_CONTENT_ZERO ||
	    cmd->timeout_ms > GMEM_CONVERT_TIMEOUT_MAX)
		return -EINVAL;
	if (!(cmd->flags & GMEM_CONVERT_F_EVENT) && cmd->event_fd)
		return -EINVAL;
	if (!(cmd->flags & GMEM_CONVERT_F_RANGES))
		return cmd->ranges || cmd->nr_ranges ? -EINVAL : 0;
	if (cmd->offset || cmd->length || !cmd->nr_ranges ||
	    cmd->nr_ranges > GMEM_CONVERT_MAX_RANGES)
		return -EINVAL;
	return 0;
}

/* Only ascending and disjoint, so that no page is in two of them. */
static int gmem_convert_copy_ranges(struct gmem_inode *gi,
				    const struct gmem_ioctl_convert *cmd,
				    struct gmem_job *job)
{
	struct gmem_convert_range __user *user = u64_to_user_ptr(cmd->ranges);
	struct gmem_convert_range range;
	pgoff_t start, end, last = 0;
	int rc;

	for (job->nr = 0; job->nr < cmd->nr_ranges; job->nr++) {
		if (copy_from_user(&range, &user[job->nr], sizeof(range)))
			return -EFAULT;
		rc = gmem_ucmd_range(gi, range.offset, range.length, &start,
				     &end);
		if (rc)
			return rc;
		if (start < last)
			return -EINVAL;
		last = end;
		job->spans[job->nr] = (struct gmem_span){ start, end };
	}
	return 0;
}

/* The ranges that userspace wants converted, for gmem_job_free(). */
static int gmem_job_alloc(struct gmem_inode *gi,
			  const struct gmem_ioctl_convert *cmd,
			  struct gmem_job *job)
{
	pgoff_t start, end;
	int rc;

	if (!(cmd->flags & GMEM_CONVERT_F_RANGES)) {
		rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &start,
				     &end);
		if (!rc)
			gmem_job_single(job, start, end);
		return rc;
	}
	job->spans = kvmalloc_array(cmd->nr_ranges, sizeof(*job->spans),
				    GMEM_GFP);
	job->changes = kvmalloc_array(cmd->nr_ranges, sizeof(*job->changes),
				      GMEM_GFP);
	if (!job->spans || !job->changes)
		return -ENOMEM;
	return gmem_convert_copy_ranges(gi, cmd, job);
}

static void gmem_job_free(struct gmem_job *job)
{
	if (job->spans == &job->span)
		return;
	kvfree(job->changes);
	kvfree(job->spans);
}

static void gmem_convert_report(struct gmem_ioctl_convert *cmd,
				const struct gmem_conversion *conv, int rc)
{
	const struct gmem_holder *holder = &conv->holder;

	/* For a restart of the call */
	cmd->timeout_ms = conv->timeout_ms;
	if (!rc || rc == -ERESTARTSYS || rc == -EINTR)
		return;
	cmd->error_offset = (u64)holder->index << PAGE_SHIFT;
	if (rc != -EAGAIN)
		return;
	cmd->refs_seen = holder->refs_seen;
	cmd->refs_expected = holder->refs_expected;
	cmd->mapcount = holder->mapcount;
	cmd->out_flags = holder->pinned ? GMEM_CONVERT_OUT_PINNED : 0;
}

/* Convert the ranges of @job and tell userspace. */
static int gmem_convert_job(struct gmem_inode *gi, struct gmem_ucmd *ucmd,
			    struct gmem_job *job)
{
	struct gmem_ioctl_convert *cmd = ucmd->cmd;
	struct gmem_conversion *conv = job->conv;
	struct gmem_watch *watch = NULL;
	int rc;

	cmd->error_offset = (u64)job->spans[0].start << PAGE_SHIFT;
	cmd->refs_seen = 0;
	cmd->refs_expected = 0;
	cmd->mapcount = 0;
	cmd->out_flags = 0;
	/* Nothing is converted for somebody who cannot be told. */
	rc = gmem_ucmd_respond(ucmd);
	if (rc)
		return rc;
	if (cmd->flags & GMEM_CONVERT_F_EVENT) {
		watch = gmem_watch_alloc(gi, cmd->event_fd);
		if (IS_ERR(watch))
			return PTR_ERR(watch);
	}

	conv->target = cmd->target;
	conv->content = cmd->content;
	conv->timeout_ms = cmd->timeout_ms;
	rc = gmem_convert_ranges(gi, job);
	gmem_convert_report(cmd, conv, rc);
	if (rc == -EAGAIN && watch)
		gmem_watch_start(watch, conv->holder.index);
	else if (watch)
		gmem_watch_free(watch);
	if (rc && gmem_ucmd_respond(ucmd))
		return -EFAULT;
	return rc;
}

long gmem_ioctl_convert(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_conversion conv;
	struct gmem_job job = { .conv = &conv };
	int rc;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	rc = gmem_convert_check(ucmd->cmd);
	if (rc)
		return rc;
	rc = gmem_job_alloc(gi, ucmd->cmd, &job);
	if (!rc)
		rc = gmem_convert_job(gi, ucmd, &job);
	gmem_job_free(&job);
	return rc;
}
