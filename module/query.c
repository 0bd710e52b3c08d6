// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: query and statistics
 *
 * Reports on a file: ranges with their state and population, and counters. A
 * concurrent change is reported with the old or the new state.
 *
 * Takes no locks.
 */
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "internal.h"

static void gmem_query_store(struct gmem_binding *binding, pgoff_t index,
			     pgoff_t end, struct gmem_range *range)
{
	const struct gmem_store_ops *store = binding->ops->store;

	if (!store)
		return;
	range->store = store->type;
	range->populated = store->count(binding, index, end);
}

/* Describe the pages from @index on with equal state and binding. Return: their end. */
static pgoff_t gmem_query_extent(struct gmem_inode *gi, pgoff_t index,
				 pgoff_t end, struct gmem_range *range)
{
	struct gmem_binding *binding;
	enum gmem_state state;

	end = gmem_state_run(&gi->state, index, end, &state);
	range->state = state;
	range->store = GMEM_STORE_RESIDENT;
	range->populated = 0;

	binding = gmem_binding_next(gi, index, end);
	if (binding && binding->start > index) {
		end = binding->start;
	} else if (binding) {
		end = min(end, binding->end);
		gmem_query_store(binding, index, end, range);
	}
	if (binding)
		gmem_binding_put(gi, binding);

	range->populated += gmem_count_folios(gi->vfs_inode.i_mapping, index,
					      end);
	/* A page that moves between the two counts is counted twice. */
	range->populated = min_t(u64, range->populated, end - index);
	return end;
}

/* Describe the range that starts at @index. Return: the page after it. */
static pgoff_t gmem_query_range(struct gmem_inode *gi, pgoff_t index,
				pgoff_t end, struct gmem_range *range)
{
	struct gmem_range next;
	pgoff_t stop = gmem_query_extent(gi, index, end, range);
	pgoff_t more;

	/* Adjacent bindings to the same store are one range. */
	while (stop < end && !fatal_signal_pending(current)) {
		more = gmem_query_extent(gi, stop, end, &next);
		if (next.state != range->state || next.store != range->store)
			break;
		range->populated += next.populated;
		stop = more;
		cond_resched();
	}
	range->offset = (u64)index << PAGE_SHIFT;
	range->length = (u64)(stop - index) << PAGE_SHIFT;
	return stop;
}

/* Write an entry of the size that userspace gives. Members unknown here are zeroed. */
static int gmem_query_report(void __user *entry, u32 entry_size,
			     const struct gmem_range *range)
{
	size_t size = min_t(size_t, entry_size, sizeof(*range));

	if (copy_to_user(entry, range, size) ||
	    clear_user(entry + size, entry_size - size))
		return -EFAULT;
	return 0;
}

static int gmem_query_ranges(struct gmem_inode *gi,
			     struct gmem_ioctl_query *cmd, pgoff_t index,
			     pgoff_t end)
{
	u32 entry_size = cmd->entry_size ?: GMEM_RANGE_SIZE_VER0;
	void __user *out = u64_to_user_ptr(cmd->ranges);
	struct gmem_range range;
	u32 nr = 0;

	while (index < end && nr < cmd->nr_ranges) {
		if (signal_pending(current))
			return -ERESTARTSYS;
		index = gmem_query_range(gi, index, end, &range);
		if (gmem_query_report(out + (size_t)nr++ * entry_size,
				      entry_size, &range))
			return -EFAULT;
		cond_resched();
	}
	cmd->offset = (u64)index << PAGE_SHIFT;
	cmd->length = (u64)(end - index) << PAGE_SHIFT;
	cmd->nr_ranges = nr;
	return 0;
}

long gmem_ioctl_query(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_ioctl_query *cmd = ucmd->cmd;
	pgoff_t start, end;
	int rc;

	if (cmd->entry_size && (cmd->entry_size < GMEM_RANGE_SIZE_VER0 ||
				cmd->entry_size > PAGE_SIZE ||
				!IS_ALIGNED(cmd->entry_size, sizeof(u64))))
		return -EINVAL;
	if (cmd->flags || !cmd->nr_ranges ||
	    cmd->nr_ranges > GMEM_QUERY_MAX_RANGES ||
	    memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &start, &end);
	if (rc)
		return rc;
	rc = gmem_query_ranges(gi, cmd, start, end);
	return rc ? rc : gmem_ucmd_respond(ucmd);
}

/**
 * gmem_query() - state of the pages of a binding
 * @binding: of gmem_bind()
 * @index: first page
 * @end: page after the range to look at, more than @index
 * @state: out: the state of @index
 *
 * The result can be outdated, unless the caller has a look-up of the page in flight, or
 * is in a method that was called for the page.
 *
 * Context: process context.
 * Return: the first page after @index whose state differs, at most @end.
 */
pgoff_t gmem_query(struct gmem_binding *binding, pgoff_t index, pgoff_t end,
		   enum gmem_state *state)
{
	return gmem_state_run(&gmem_from_binding(binding)->state, index, end,
			      state);
}
GMEM_EXPORT_SYMBOL(gmem_query);

static u64 gmem_stat_store(struct gmem_binding *binding)
{
	const struct gmem_store_ops *store = binding->ops->store;

	return store ? store->count(binding, binding->start, binding->end) : 0;
}

static void gmem_stat_bindings(struct gmem_inode *gi,
			       struct gmem_ioctl_stat *stat, bool count)
{
	struct gmem_binding *binding;
	pgoff_t index = 0;

	while ((binding = gmem_binding_next(gi, index, gi->state.nr_pages))) {
		stat->bindings++;
		stat->moved_pages += atomic64_read(&binding->moved);
		if (count)
			stat->store_pages += gmem_stat_store(binding);
		index = binding->end;
		gmem_binding_put(gi, binding);
		cond_resched();
	}
}

/* Sum up the faults, which each gate counts separately. */
static u64 gmem_stat_faults(struct gmem_inode *gi)
{
	u64 faults = 0;
	unsigned int i;

	for (i = 0; i < GMEM_NR_GATES; i++)
		faults += atomic64_read(&gi->gates[i].faults);
	return faults;
}

/**
 * gmem_stat_fill() - collect the statistics of guest memory
 * @gi: the memory
 * @stat: out: all but the size
 * @count: also count @store_pages, page by page
 *
 * Context: process context, may sleep.
 */
void gmem_stat_fill(struct gmem_inode *gi, struct gmem_ioctl_stat *stat,
		    bool count)
{
	const struct gmem_counters *counters = &gi->counters;

	*stat = (struct gmem_ioctl_stat){
		.size = stat->size,
		.create_flags = gi->create_flags,
		.length = i_size_read(&gi->vfs_inode),
		.resident_pages = READ_ONCE(gi->vfs_inode.i_mapping->nrpages),
		.private_pages = atomic64_read(&gi->state.private_pages),
		.state_bytes = gmem_state_bytes(&gi->state),
		.faults = gmem_stat_faults(gi),
		.faults_refused = atomic64_read(&counters->faults_refused),
		.faults_waited = atomic64_read(&counters->faults_waited),
		.to_private = atomic64_read(&counters->to_private),
		.to_shared = atomic64_read(&counters->to_shared),
		.refused = atomic64_read(&counters->refused),
		.drains = atomic64_read(&counters->drains),
		.moved_pages = atomic64_read(&counters->moved),
		.poisoned_pages = atomic_read(&gi->nr_poisoned),
		.view_pages = atomic64_read(&counters->view_pages),
		.view_refills = atomic64_read(&counters->view_refills),
		.view_faults = atomic64_read(&counters->view_faults),
		.views = READ_ONCE(gi->views.nr),
		.view_mappings = READ_ONCE(gi->views.nr_mappings),
	};
	gmem_stat_bindings(gi, stat, count);
}

long gmem_ioctl_stat(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_ioctl_stat *cmd = ucmd->cmd;

	gmem_stat_fill(gmem_from_file(file), cmd, true);
	/* A fatal signal may have ended the count early. */
	return fatal_signal_pending(current) ? -EINTR : gmem_ucmd_respond(ucmd);
}

/*
 * Show only values that need no counting: the memory can be large, and fdinfo is also read
 * by tools that look at all files of a process.
 */
void gmem_file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct gmem_inode *gi = gmem_from_file(file);

	seq_printf(m, "gmem-name:\t%s\n", gi->name);
	seq_printf(m, "gmem-length:\t%lld\n", i_size_read(&gi->vfs_inode));
	seq_printf(m, "gmem-flags:\t0x%x\n", gi->create_flags);
	seq_printf(m, "gmem-private-pages:\t%lld\n",
		   atomic64_read(&gi->state.private_pages));
	seq_printf(m, "gmem-resident-pages:\t%lu\n",
		   READ_ONCE(gi->vfs_inode.i_mapping->nrpages));
	seq_printf(m, "gmem-poisoned-pages:\t%d\n",
		   atomic_read(&gi->nr_poisoned));
}
