// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: holders
 *
 * Looking for shared pages that somebody holds, without a conversion: nothing is
 * unmapped and nobody waits. A page is held if it has references beyond those of the page
 * cache and of page tables, see refs.c. What others do meanwhile is seen as before or as
 * after, so that the answer is what a conversion would have met, and not what the next
 * one will.
 *
 * Locks: none of gmem.
 */
#include <linux/pagemap.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>

#include "internal.h"

/* How long to wait for CPUs to drain their batches. */
#define GMEM_HOLDER_DRAIN_WAIT HZ

/* Whether a folio may be of interest: it is shared and has references to be explained. */
static bool gmem_holder_suspects(struct gmem_inode *gi, struct xa_state *xas,
				 struct folio *folio, bool mapped)
{
	if (xas_retry(xas, folio) || xa_is_value(folio))
		return false;
	if ((mapped ? page_ref_count(&folio->page) : gmem_folio_surplus(folio)) <= 1)
		return false;
	return gmem_state_get(&gi->state, xas->xa_index) == GMEM_STATE_SHARED;
}

/*
 * The next such folio of the range, with a reference, or NULL.
 * @index: in: first page to look at; out: the page
 */
static struct folio *gmem_holder_next(struct gmem_inode *gi, pgoff_t *index, pgoff_t end,
				      bool mapped)
{
	XA_STATE(xas, &gi->vfs_inode.i_mapping->i_pages, *index);
	unsigned int steps = 0;
	struct folio *folio;

	rcu_read_lock();
	xas_for_each(&xas, folio, end - 1) {
		if (gmem_holder_suspects(gi, &xas, folio, mapped) &&
		    folio_try_get(folio)) {
			if (folio == xas_reload(&xas))
				break;
			folio_put(folio);
		}
		if (++steps % 1024)
			continue;
		xas_pause(&xas);
		if (signal_pending(current)) {
			folio = NULL;
			break;
		}
		cond_resched_rcu();
	}
	rcu_read_unlock();
	*index = xas.xa_index;
	return folio;
}

/* As if it were unmapped: mappings are in nobody's way. Whether it is held. */
static bool gmem_holder_look(struct folio *folio, struct gmem_holder *holder)
{
	gmem_holder_fill(holder, folio, folio_nr_pages(folio) + 1);
	holder->refs_seen -= min(holder->refs_seen, holder->mapcount);
	return holder->refs_seen > holder->refs_expected;
}

/*
 * Find a page that is held, from &gmem_holder.index on. What the kernel's own batches
 * hold, which they do to each page that was just faulted in, is let go of once.
 * Return: 1; 0 if there is none; -EINTR or -ERESTARTSYS.
 */
static int gmem_holder_find(struct gmem_inode *gi, struct gmem_holder *holder, pgoff_t end,
			    bool mapped)
{
	bool drained = false, held;
	struct folio *folio;
	int rc;

	while ((folio = gmem_holder_next(gi, &holder->index, end, mapped))) {
		held = gmem_holder_look(folio, holder);
		folio_put(folio);
		if (held && !holder->pinned && !drained) {
			drained = true;
			rc = gmem_drain_cpus(GMEM_DRAIN_HOUSEKEEPING,
					     gmem_drain_ticket(), GMEM_HOLDER_DRAIN_WAIT);
			if (rc == -EINTR)
				return rc;
			continue;
		}
		if (held || (mapped && holder->mapcount))
			return 1;
		if (++holder->index >= end)
			break;
	}
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

long gmem_ioctl_holder(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_ioctl_holder *cmd = ucmd->cmd;
	struct gmem_holder holder = {};
	pgoff_t start, end;
	int rc;

	if (cmd->flags & ~GMEM_HOLDER_VALID_MASK ||
	    memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &start, &end);
	if (rc)
		return rc;
	holder.index = start;
	rc = gmem_holder_find(gi, &holder, end, cmd->flags & GMEM_HOLDER_F_MAPPED);
	if (rc < 0)
		return rc;
	if (!rc)
		holder = (struct gmem_holder){ .index = end };

	cmd->offset = (u64)holder.index << PAGE_SHIFT;
	cmd->length = (u64)(end - holder.index) << PAGE_SHIFT;
	cmd->refs_seen = holder.refs_seen;
	cmd->refs_expected = holder.refs_expected;
	cmd->mapcount = holder.mapcount;
	cmd->out_flags = holder.pinned ? GMEM_HOLDER_OUT_PINNED : 0;
	return gmem_ucmd_respond(ucmd);
}
