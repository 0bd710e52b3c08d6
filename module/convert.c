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
 * @conv: the request; its range is set to that of the current step
 * @by: the binding of the hypervisor that converts, or NULL for userspace
 * @nr: number of ranges
 * @spans: the ranges, ascending and disjoint
 * @changes: the changes of their states
 * @range: the lock of the ranges
 * @deadline: of ktime_get(), for references and look-ups; zero until the first attempt
 *	holds faults off
 * @zapped: number of ranges whose views have to be filled again
 * @zapped_end: the last of these ranges has to be filled up to this page only
 * @span: storage of @spans if there is only one range
 * @change: storage of @changes if there is only one range
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

/* Call @fn for each range until it fails; @done: out: number of successful calls. */
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
	/* Pages were unmapped block by block, up to the block of the page that failed. */
	if (rc)
		job->zapped_end = min(job->zapped_end,
				      job->conv->holder.index +
					      (1UL << GMEM_BLOCK_SHIFT));
	return rc;
}

/*
 * Remove the pages from views before they change. The exception are pages that become
 * shared with their contents, if only the calling process has views of them: these
 * entries stay, and gmem_job_refill() changes their access rights.
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

/* The page up to which views of a range have to be filled again. */
static pgoff_t gmem_job_zapped_end(const struct gmem_job *job, unsigned int i)
{
	return i + 1 < job->zapped ? job->spans[i].end : job->zapped_end;
}

/*
 * Fill the views again, whether or not the conversion has succeeded. Return: the most
 * that is left to do for any of the ranges.
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
 * Fill what could not be filled with the ranges held: the blocks in which the ranges start
 * and end, because other tasks may have locked parts of these blocks; or everything.
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

/* Let the hypervisors convert all ranges, or none. */
static int gmem_job_make(struct gmem_inode *gi, struct gmem_job *job)
{
	unsigned int done;
	struct gmem_holder holder;
	int rc;

	/* Forget what refs.c has reported of a page that is no longer held. */
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

/* Do the part of a conversion for which faults are held off. */
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

/* Whether all pages are in the target state already. */
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
 * On an fd with consent private contents belong to the guest. Only its hypervisor may
 * make them shared.
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

/* Checks that refuse a conversion before anything is changed. */
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

	/* The hypervisor was unbound while it waited for the range. */
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

/* Lock the ranges, convert them, fill the views, and unlock the ranges. */
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
		/* A fault that waits may hold mmap_lock, which the refill needs. */
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

	/* A fault that keeps mmap_lock gets its page between two attempts. */
	do {
		rc = gmem_convert_try(gi, job);
	} while (rc == -EAGAIN && gmem_range_gives_way(&job->range) &&
		 ktime_before(ktime_get(), job->deadline));
	/*
	 * Rounded down, so that frequent signals do not extend the total time. The wait for
	 * the ranges of a conversion that begins again counts, too.
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
 * when nothing changes. A call by the bound hypervisor counts as the guest's
 * consent: on a file with GMEM_CREATE_F_GUEST_CONSENT only this function makes
 * private contents shared. The methods of the hypervisor are called as for any
 * other conversion.
 *
 * Context: process context, sleeps. Not from a method of struct gmem_ops, and
 * not with a lock held that such a method takes, nor with a look-up of the range
 * in flight.
 * Return: 0; -EINVAL if the range is empty or not in @binding, or another
 * member is out of range; -ENODEV if gmem_unbind() has withdrawn the binding;
 * -EAGAIN with &gmem_conversion.holder if a page is held; -ERESTARTSYS on a
 * signal, with the remaining timeout; -EEXIST, -EOPNOTSUPP, -EHWPOISON, -ENOMEM
 * as GMEM_IOCTL_CONVERT; or the error of a method of a hypervisor.
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

	/* gmem_unbind() waits until this reference is dropped. */
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

/* Ranges must be ascending and disjoint, so that no page is in two of them. */
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

/* Get the ranges of a request; to be freed by gmem_job_free(), also with an error. */
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

/* Convert the ranges of @job and report the result to userspace. */
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
	/* Convert nothing if the result cannot be written. */
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
