// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: holders
 *
 * Finds shared pages that somebody holds, without a conversion: nothing is unmapped, and no
 * range is locked. A page is held if it has references beyond those of the page cache and
 * of page tables, see refs.c. Concurrent changes can be seen or not. So the answer is what
 * a conversion would have found, not what the next one will find.
 *
 * Locks: none of gmem. The look takes a reference to the folio, which a conversion would
 * count as a holder's. So preemption is off, and the reference is dropped at once.
 */
#include <linux/pagemap.h>
#include <linux/preempt.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>

#include "internal.h"

/**
 * struct gmem_holder_look - state of a search for held pages
 * @holder: the next page to look at, or the page that was found
 * @end: page after the range
 * @mapped: also report pages that are only mapped
 * @ticket: of gmem_drain_ticket(), drawn at the first page that looked held; or 0
 * @no_drain: a CPU did not drain its batches in time: do not wait again
 * @again: the page that looked held, and is being checked a second time
 */
struct gmem_holder_look {
	struct gmem_holder holder;
	pgoff_t end;
	bool mapped;
	long ticket;
	bool no_drain;
	pgoff_t again;
};

/*
 * Whether a folio may have to be reported: it has references besides those of the page cache
 * and, without @mapped, of page tables. The caller has no reference, so this is a guess.
 */
static bool gmem_holder_suspects(struct folio *folio, bool mapped)
{
	return (mapped ? page_ref_count(&folio->page) : gmem_folio_surplus(folio)) > 1;
}

/* Take a reference and check. Return: 1: held; 0: only mapped; -ENOENT: neither. */
static int gmem_holder_judge(struct gmem_holder_look *look, struct xa_state *xas,
			     struct folio *folio)
{
	struct gmem_holder *holder = &look->holder;
	int rc = -ENOENT;

	preempt_disable();
	if (!folio_try_get(folio))
		goto enable;
	if (folio != xas_reload(xas))
		goto put;
	gmem_holder_fill(holder, folio, folio_nr_pages(folio) + 1);
	holder->refs_seen -= min(holder->refs_seen, holder->mapcount);
	if (holder->refs_seen > holder->refs_expected)
		rc = 1;
	else if (look->mapped && holder->mapcount)
		rc = 0;
put:
	folio_put(folio);
enable:
	preempt_enable();
	return rc;
}

/*
 * Find the next shared page to report. Return: 1: it is held; 0: it is only mapped; -ENOENT:
 * there is none; or -ERESTARTSYS.
 */
static int gmem_holder_next(struct gmem_inode *gi, struct gmem_holder_look *look)
{
	XA_STATE(xas, &gi->vfs_inode.i_mapping->i_pages, look->holder.index);
	unsigned int steps = 0;
	struct folio *folio;
	int rc = -ENOENT;

	rcu_read_lock();
	xas_for_each(&xas, folio, look->end - 1) {
		if (!xas_retry(&xas, folio) && !xa_is_value(folio) &&
		    gmem_holder_suspects(folio, look->mapped) &&
		    gmem_state_get(&gi->state, xas.xa_index) == GMEM_STATE_SHARED) {
			rc = gmem_holder_judge(look, &xas, folio);
			if (rc >= 0)
				break;
		}
		if (++steps % 1024)
			continue;
		xas_pause(&xas);
		/* At the end of the range there is nothing left to restart. */
		if (xas.xa_index < look->end && signal_pending(current)) {
			rc = -ERESTARTSYS;
			break;
		}
		cond_resched_rcu();
	}
	rcu_read_unlock();
	look->holder.index = rc == -ENOENT ? look->end : xas.xa_index;
	return rc;
}

/*
 * Drain the kernel's per-CPU batches, as a conversion without a timeout does: they hold each
 * page that was just faulted in. Return: 1: look again; 0: all are drained; or an error.
 */
static int gmem_holder_drain(struct gmem_holder_look *look)
{
	int rc;

	if (look->no_drain)
		return 0;
	if (!look->ticket)
		look->ticket = gmem_drain_ticket();
	if (gmem_drain_local(look->ticket))
		return 1;
	rc = gmem_drain_for(look->holder.cpu, look->ticket);
	look->no_drain = rc == -ETIME;
	return rc == -ETIME ? 1 : rc;
}

/*
 * A page looks held: drain batches, and look a second time. Return: 1: look again; 0: the page
 * is held; or an error.
 */
static int gmem_holder_doubt(struct gmem_holder_look *look)
{
	int rc;

	/* A batch has one reference to a folio; a pin counts as many. */
	if (look->holder.pinned)
		return 0;
	rc = gmem_holder_drain(look);
	if (rc)
		return rc;
	/* Faults, KVM and walkers of page tables hold a reference for a moment. */
	if (look->again == look->holder.index)
		return 0;
	look->again = look->holder.index;
	schedule_timeout_interruptible(1);
	return 1;
}

/* Return: 1: a page was found; 0: there is none; -EINTR or -ERESTARTSYS. */
static int gmem_holder_find(struct gmem_inode *gi, struct gmem_holder_look *look)
{
	int held, rc;

	for (;;) {
		held = gmem_holder_next(gi, look);
		if (held == -ENOENT)
			return 0;
		if (held <= 0)
			return held ?: 1;
		rc = gmem_holder_doubt(look);
		if (rc < 0)
			return rc;
		if (!rc)
			return 1;
	}
}

long gmem_ioctl_holder(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_ioctl_holder *cmd = ucmd->cmd;
	struct gmem_holder_look look = {
		.mapped = cmd->flags & GMEM_HOLDER_F_MAPPED,
		.again = ULONG_MAX,
	};
	const struct gmem_holder *holder = &look.holder;
	int rc;

	if (cmd->flags & ~GMEM_HOLDER_VALID_MASK ||
	    memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &look.holder.index, &look.end);
	if (rc)
		return rc;
	rc = gmem_holder_find(gi, &look);
	/* A restarted call continues here, so frequent signals do not keep it from ending. */
	cmd->offset = (u64)holder->index << PAGE_SHIFT;
	cmd->length = (u64)(look.end - holder->index) << PAGE_SHIFT;
	if (rc < 0)
		return gmem_ucmd_respond(ucmd) ? -EFAULT : rc;

	cmd->refs_seen = rc ? holder->refs_seen : 0;
	cmd->refs_expected = rc ? holder->refs_expected : 0;
	cmd->mapcount = rc ? holder->mapcount : 0;
	cmd->out_flags = rc && holder->pinned ? GMEM_HOLDER_OUT_PINNED : 0;
	return gmem_ucmd_respond(ucmd);
}
