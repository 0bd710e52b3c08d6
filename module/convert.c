// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: conversion
 *
 * Changing the state of a range, all or nothing: take the range, reserve the
 * memory for the new states, hold off page faults, wait for look-ups to end, have
 * the hypervisors take the pages from their guests, and for private wait until
 * only gmem refers to them. Then the hypervisors follow (run.c): pages change
 * their home where the range is bound to a store. Up to here everything can be
 * undone; the states change at the very end.
 *
 * Lock order: see file.c. A hypervisor is called with the range lock only.
 */
#include <linux/ktime.h>

#include "internal.h"
#include "trace.h"

/*
 * Change what must change before the states may. The caller holds the range,
 * and no page of it can be faulted in or looked up.
 */
static int gmem_convert_pages(struct gmem_inode *gi,
			      struct gmem_conversion *conv,
			      struct gmem_range_lock *range,
			      ktime_t deadline)
{
	int rc;

	if (conv->target == GMEM_STATE_PRIVATE) {
		rc = gmem_refs_settle(gi, conv, deadline);
		if (rc)
			return rc;
	}
	rc = gmem_runs_check(gi, conv, range);
	if (rc)
		return rc;
	rc = gmem_runs_make(gi, conv, range);
	if (rc)
		return rc;
	if (conv->content == GMEM_CONTENT_ZERO)
		return gmem_runs_drop(gi, conv, range);
	return 0;
}

/* From the first look at a reference to the new states: with faults held off. */
static int gmem_convert_held(struct gmem_inode *gi,
			     struct gmem_conversion *conv,
			     struct gmem_range_lock *range,
			     struct gmem_state_change *change)
{
	ktime_t deadline = ktime_add_ms(ktime_get(), conv->timeout_ms);
	int rc;

	rc = gmem_lookups_drain(gi, conv->start, conv->end, deadline,
				&conv->holder);
	if (!rc) {
		gmem_bindings_invalidate_start(gi, range);
		rc = gmem_convert_pages(gi, conv, range, deadline);
		if (!rc)
			gmem_state_apply(&gi->state, change);
		gmem_bindings_invalidate_end(gi, range);
	}
	/* Rounded down, so that signals at any rate do not make it last longer. */
	if (rc == -ERESTARTSYS)
		conv->timeout_ms = max(ktime_ms_delta(deadline, ktime_get()),
				       0LL);
	return rc;
}

/*
 * On an fd with consent private contents are the guest's: only its hypervisor,
 * @by, may have them shared.
 */
static int gmem_convert_consent(struct gmem_inode *gi,
				struct gmem_conversion *conv,
				struct gmem_binding *by)
{
	enum gmem_state state;
	pgoff_t next;

	if (by || !(gi->create_flags & GMEM_CREATE_F_GUEST_CONSENT) ||
	    conv->target == GMEM_STATE_PRIVATE ||
	    conv->content == GMEM_CONTENT_ZERO)
		return 0;
	next = gmem_state_run(&gi->state, conv->start, conv->end, &state);
	conv->holder.index = state == GMEM_STATE_PRIVATE ? conv->start : next;
	return -EPERM;
}

static int gmem_convert_locked(struct gmem_inode *gi,
			       struct gmem_conversion *conv,
			       struct gmem_range_lock *range,
			       struct gmem_binding *by)
{
	struct gmem_state_change change = {
		.start = conv->start,
		.end = conv->end,
		.target = conv->target,
	};
	enum gmem_state state;
	int rc;

	/* Unbound while it waited: its word does not count any more. */
	if (by && by->withdrawn)
		return -ENODEV;
	if (gmem_state_run(&gi->state, conv->start, conv->end, &state) ==
		    conv->end && state == conv->target)
		return 0;

	rc = gmem_convert_consent(gi, conv, by);
	if (rc)
		return rc;
	if (conv->target == GMEM_STATE_PRIVATE && !conv->timeout_ms) {
		rc = gmem_refs_pinned(gi, conv);
		if (rc)
			return rc;
	}
	rc = gmem_state_reserve(&gi->state, &change);
	if (rc)
		return rc;

	gmem_range_hold_faults(gi, range);
	rc = gmem_convert_held(gi, conv, range, &change);
	if (rc)
		gmem_state_cancel(&gi->state, &change);
	return rc;
}

static void gmem_convert_count(struct gmem_inode *gi,
			       struct gmem_conversion *conv, int rc)
{
	if (rc && rc != -ERESTARTSYS)
		atomic64_inc(&gi->counters.refused);
	else if (!rc && conv->target == GMEM_STATE_PRIVATE)
		atomic64_inc(&gi->counters.to_private);
	else if (!rc)
		atomic64_inc(&gi->counters.to_shared);
	trace_gmem_convert(gi->vfs_inode.i_ino, conv, rc);
}

/**
 * gmem_convert_range() - change the state of a range
 * @gi: the memory
 * @conv: what to convert, and who was in the way
 * @by: the hypervisor that asks for it, or NULL for userspace
 *
 * Context: process context, sleeps; no locks held.
 * Return: 0, or as GMEM_IOCTL_CONVERT.
 */
int gmem_convert_range(struct gmem_inode *gi, struct gmem_conversion *conv,
		       struct gmem_binding *by)
{
	struct gmem_range_lock range;
	int rc;

	conv->holder = (struct gmem_holder){ .index = conv->start };
	rc = gmem_range_lock(gi, &range, conv->start, conv->end);
	if (!rc) {
		rc = gmem_convert_locked(gi, conv, &range, by);
		gmem_range_unlock(gi, &range);
	}
	gmem_convert_count(gi, conv, rc);
	return rc;
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
	rc = gmem_convert_range(gi, conv, binding);
	gmem_binding_put(gi, binding);
	return rc;
}
GMEM_EXPORT_SYMBOL(gmem_convert);

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
	rc = gmem_convert_range(gi, &conv, NULL);
	gmem_convert_report(cmd, &conv, rc);
	if (rc && gmem_ucmd_respond(ucmd))
		return -EFAULT;
	return rc;
}
