// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: bindings
 *
 * A binding says that the private pages of a range live in a store. Bindings
 * are kept in a maple tree by page index, which also finds overlaps. They come
 * and go under the range lock of their whole range, so who holds a range lock
 * may rely on the bindings below it; others get a reference.
 *
 * Lock order: the range lock, then what the store takes.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include "internal.h"
#include "trace.h"

/**
 * gmem_binding_next() - find a binding
 * @gi: the memory
 * @index: first page of the range to look in
 * @end: page after it
 *
 * Context: any.
 * Return: the first binding that overlaps the range, with a reference for
 * gmem_binding_put(), or NULL.
 */
struct gmem_binding *gmem_binding_next(struct gmem_inode *gi, pgoff_t index,
				       pgoff_t end)
{
	struct gmem_binding *binding;
	unsigned long at = index;

	if (index >= end || mtree_empty(&gi->bindings))
		return NULL;

	rcu_read_lock();
	do {
		binding = mt_find(&gi->bindings, &at, end - 1);
		/* Being released: as good as gone. */
	} while (binding && !refcount_inc_not_zero(&binding->refs));
	rcu_read_unlock();
	return binding;
}

/**
 * gmem_binding_put() - drop a reference to a binding
 * @gi: the memory it belongs to
 * @binding: the binding
 *
 * Context: process context; the last reference may sleep.
 */
void gmem_binding_put(struct gmem_inode *gi, struct gmem_binding *binding)
{
	const struct gmem_store_ops *ops = binding->ops;

	if (!refcount_dec_and_test(&binding->refs))
		return;
	atomic64_add(atomic64_read(&binding->moved), &gi->counters.moved);
	ops->release(binding);
	module_put(ops->owner);
	kfree_rcu(binding, rcu);
}

/* Nobody finds it any more; drop the reference of the tree. */
static void gmem_binding_withdraw(struct gmem_inode *gi,
				  struct gmem_binding *binding)
{
	trace_gmem_unbind(gi->vfs_inode.i_ino, binding);
	binding->ops->unbind(binding);
	gmem_binding_put(gi, binding);
}

/**
 * gmem_bindings_destroy() - drop all bindings of a file that goes away
 * @gi: the memory, no longer in use
 *
 * Context: process context, sleeps.
 */
void gmem_bindings_destroy(struct gmem_inode *gi)
{
	struct gmem_binding *binding;
	unsigned long index = 0;

	mt_for_each(&gi->bindings, binding, index, ULONG_MAX)
		gmem_binding_withdraw(gi, binding);
	mtree_destroy(&gi->bindings);
}

static struct gmem_binding *gmem_binding_alloc(struct gmem_inode *gi,
					       const struct gmem_ioctl_bind *cmd,
					       pgoff_t start, pgoff_t end)
{
	const struct gmem_store_ops *ops;
	struct gmem_binding *binding;

	ops = gmem_store_get(cmd->store);
	if (IS_ERR(ops))
		return ERR_CAST(ops);

	binding = kzalloc_obj(*binding, GFP_KERNEL_ACCOUNT);
	if (!binding) {
		module_put(ops->owner);
		return ERR_PTR(-ENOMEM);
	}
	binding->ops = ops;
	binding->mapping = gi->vfs_inode.i_mapping;
	binding->start = start;
	binding->end = end;
	binding->store_start = cmd->store_offset >> PAGE_SHIFT;
	refcount_set(&binding->refs, 1);
	return binding;
}

static void gmem_binding_free(struct gmem_binding *binding)
{
	module_put(binding->ops->owner);
	kfree(binding);
}

/* Move back what gmem_bind_move() moved, up to @end. */
static void gmem_bind_unmove(struct gmem_inode *gi,
			     struct gmem_binding *binding, pgoff_t end)
{
	pgoff_t index, next;
	enum gmem_state state;

	for (index = binding->start; index < end; index = next) {
		next = gmem_state_run(&gi->state, index, end, &state);
		if (state == GMEM_STATE_PRIVATE)
			binding->ops->undo_private(binding, index, next);
	}
}

/* Private pages that are populated in the file move into the store. */
static int gmem_bind_move(struct gmem_inode *gi, struct gmem_binding *binding)
{
	pgoff_t index, next, done;
	enum gmem_state state;
	int rc;

	for (index = binding->start; index < binding->end; index = next) {
		next = gmem_state_run(&gi->state, index, binding->end, &state);
		if (state != GMEM_STATE_PRIVATE ||
		    !gmem_count_folios(binding->mapping, index, next))
			continue;
		rc = binding->encrypted ? -EOPNOTSUPP :
			binding->ops->make_private(binding, index, next, &done);
		if (rc) {
			gmem_bind_unmove(gi, binding,
					 binding->encrypted ? index : done);
			return rc;
		}
		cond_resched();
	}
	return 0;
}

/* The binding is seen by others only when it is complete. */
static int gmem_bind_locked(struct gmem_inode *gi,
			    struct gmem_binding *binding, int store_fd)
{
	int rc;

	rc = binding->ops->bind(binding, store_fd);
	if (rc)
		goto err_free;
	rc = gmem_bind_move(gi, binding);
	if (rc)
		goto err_release;
	rc = mtree_insert_range(&gi->bindings, binding->start, binding->end - 1,
				binding, GFP_KERNEL_ACCOUNT);
	if (rc) {
		gmem_bind_unmove(gi, binding, binding->end);
		goto err_release;
	}
	return 0;

err_release:
	binding->ops->unbind(binding);
	binding->ops->release(binding);
err_free:
	gmem_binding_free(binding);
	return rc;
}

static int gmem_bind(struct gmem_inode *gi, struct gmem_ioctl_bind *cmd,
		     pgoff_t start, pgoff_t end)
{
	struct gmem_range_lock range;
	struct gmem_binding *binding;
	int rc;

	rc = gmem_range_lock(gi, &range, start, end);
	if (rc)
		return rc;

	binding = gmem_binding_next(gi, start, end);
	if (binding) {
		gmem_binding_put(gi, binding);
		rc = -EBUSY;
		goto out_unlock;
	}
	binding = gmem_binding_alloc(gi, cmd, start, end);
	if (IS_ERR(binding)) {
		rc = PTR_ERR(binding);
		goto out_unlock;
	}

	rc = gmem_bind_locked(gi, binding, cmd->store_fd);
	trace_gmem_bind(gi->vfs_inode.i_ino, start, end,
			cmd->store_offset >> PAGE_SHIFT, rc);

out_unlock:
	gmem_range_unlock(gi, &range);
	return rc;
}

long gmem_ioctl_bind(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_ioctl_bind *cmd = ucmd->cmd;
	pgoff_t start, end;
	u64 store_end;
	int rc;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (cmd->flags || memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &start, &end);
	if (rc)
		return rc;
	if (check_add_overflow(cmd->store_offset, cmd->length, &store_end))
		return -EOVERFLOW;
	if (!PAGE_ALIGNED(cmd->store_offset) || store_end > LLONG_MAX)
		return -EINVAL;
	return gmem_bind(gi, cmd, start, end);
}

static int gmem_unbind(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	struct gmem_range_lock range;
	struct gmem_binding *binding;
	int rc;

	rc = gmem_range_lock(gi, &range, start, end);
	if (rc)
		return rc;

	binding = gmem_binding_next(gi, start, end);
	if (!binding) {
		rc = -ENOENT;
	} else if (binding->start != start || binding->end != end) {
		rc = -ENOENT;
		gmem_binding_put(gi, binding);
	} else {
		mtree_erase(&gi->bindings, start);
		gmem_binding_withdraw(gi, binding);
		gmem_binding_put(gi, binding);
	}
	gmem_range_unlock(gi, &range);
	return rc;
}

long gmem_ioctl_unbind(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_ioctl_unbind *cmd = ucmd->cmd;
	pgoff_t start, end;
	int rc;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (cmd->flags || memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &start, &end);
	return rc ? rc : gmem_unbind(gi, start, end);
}
