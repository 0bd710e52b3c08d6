// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: stores that userspace can bind
 *
 * Userspace binds a hypervisor without support for gmem, such as KVM: a module
 * registers itself as the store of its private pages, and BIND attaches a range
 * of a gmem fd to a file of the hypervisor. A binding holds a reference to the
 * store's module, so a store in use cannot be unloaded.
 *
 * Lock order: gmem_stores_lock is innermost.
 */
#include <linux/overflow.h>
#include <linux/rwsem.h>

#include "internal.h"
#include "trace.h"

#define GMEM_STORE_TYPES (GMEM_STORE_KVM + 1)

static const struct gmem_ops *gmem_stores[GMEM_STORE_TYPES];
static DECLARE_RWSEM(gmem_stores_lock);

/**
 * gmem_store_register() - offer a store to userspace
 * @ops: the store, valid until gmem_store_unregister()
 *
 * Context: process context.
 * Return: 0, -EINVAL for a type that the ABI does not know or when a method is
 * missing, -EBUSY if there is a store of this type.
 */
int gmem_store_register(const struct gmem_ops *ops)
{
	u32 type = ops->store ? ops->store->type : GMEM_STORE_RESIDENT;
	int rc = 0;

	if (type == GMEM_STORE_RESIDENT || type >= GMEM_STORE_TYPES ||
	    !ops->store->bind || !gmem_ops_complete(ops))
		return -EINVAL;

	down_write(&gmem_stores_lock);
	if (gmem_stores[type])
		rc = -EBUSY;
	else
		gmem_stores[type] = ops;
	up_write(&gmem_stores_lock);
	return rc;
}
GMEM_EXPORT_SYMBOL(gmem_store_register);

/**
 * gmem_store_unregister() - withdraw a store
 * @ops: as registered
 *
 * For module exit: no binding exists then, as each holds the module.
 *
 * Context: process context.
 */
void gmem_store_unregister(const struct gmem_ops *ops)
{
	down_write(&gmem_stores_lock);
	gmem_stores[ops->store->type] = NULL;
	up_write(&gmem_stores_lock);
}
GMEM_EXPORT_SYMBOL(gmem_store_unregister);

/*
 * Find a store, and take a reference to its module. Return: ERR_PTR(-EINVAL) for an
 * unknown type, ERR_PTR(-EOPNOTSUPP) if the module is not loaded.
 */
static const struct gmem_ops *gmem_store_get(u32 type)
{
	const struct gmem_ops *ops;

	if (type == GMEM_STORE_RESIDENT || type >= GMEM_STORE_TYPES)
		return ERR_PTR(-EINVAL);

	down_read(&gmem_stores_lock);
	ops = gmem_stores[type];
	if (!ops || !try_module_get(ops->owner))
		ops = ERR_PTR(-EOPNOTSUPP);
	up_read(&gmem_stores_lock);
	return ops;
}

/**
 * gmem_store_features() - features of the registered stores
 *
 * Context: process context.
 * Return: GMEM_FEATURE_*
 */
u64 gmem_store_features(void)
{
	u64 features = 0;
	u32 type;

	down_read(&gmem_stores_lock);
	for (type = 0; type < GMEM_STORE_TYPES; type++) {
		if (gmem_stores[type])
			features |= gmem_stores[type]->store->feature;
	}
	up_read(&gmem_stores_lock);
	return features;
}

static int gmem_store_bind(struct gmem_inode *gi, struct gmem_binding *binding,
			   int store_fd)
{
	const struct gmem_ops *ops = binding->ops;
	int rc;

	rc = ops->store->bind(binding, store_fd);
	if (rc) {
		trace_gmem_bind(gi->vfs_inode.i_ino, binding, rc);
		return rc;
	}
	rc = gmem_binding_insert(gi, binding);
	if (!rc)
		return 0;
	if (ops->store->unbind)
		ops->store->unbind(binding);
	if (ops->release)
		ops->release(binding);
	return rc;
}

static int gmem_store_bind_range(struct gmem_inode *gi, struct gmem_ucmd *ucmd,
				 pgoff_t start, pgoff_t end)
{
	struct gmem_ioctl_bind *cmd = ucmd->cmd;
	const struct gmem_ops *ops = gmem_store_get(cmd->store);
	struct gmem_binding *binding;
	int rc;

	if (IS_ERR(ops))
		return PTR_ERR(ops);
	binding = gmem_binding_alloc(gi, start, end, ops);
	/* The binding has its own reference to the module. */
	module_put(ops->owner);
	if (IS_ERR(binding))
		return PTR_ERR(binding);

	binding->store_start = cmd->store_offset >> PAGE_SHIFT;
	cmd->binding_id = binding->id;
	/* Bind nothing if the result cannot be written. */
	rc = gmem_ucmd_respond(ucmd);
	if (!rc)
		rc = gmem_store_bind(gi, binding, cmd->store_fd);
	if (rc)
		gmem_binding_free(binding);
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
	if (cmd->flags || cmd->binding_id || cmd->reserved)
		return -EINVAL;
	rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &start, &end);
	if (rc)
		return rc;
	if (check_add_overflow(cmd->store_offset, cmd->length, &store_end))
		return -EOVERFLOW;
	if (!PAGE_ALIGNED(cmd->store_offset) || store_end > LLONG_MAX)
		return -EINVAL;
	return gmem_store_bind_range(gi, ucmd, start, end);
}

/* An ioctl of view fds, because a VMM needs the address only for its views. */
long gmem_ioctl_view_fault(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_view *view = file->private_data;
	struct gmem_inode *gi = gmem_from_file(view->memory);
	struct gmem_ioctl_view_fault *cmd = ucmd->cmd;
	const struct gmem_ops *ops;
	int rc = -EOPNOTSUPP;

	if (cmd->flags || memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	ops = gmem_store_get(GMEM_STORE_KVM);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	if (ops->store->vcpu_fault)
		rc = ops->store->vcpu_fault(cmd);
	/* The view keeps the reference of its first call: the VMM relies on it. */
	if (rc == -EOPNOTSUPP || cmpxchg(&view->fault_ops, NULL, ops))
		module_put(ops->owner);
	if (rc)
		return rc;
	atomic64_inc(&gi->counters.view_faults);
	trace_gmem_view_fault(gi->vfs_inode.i_ino, cmd);
	return gmem_ucmd_respond(ucmd);
}

/* Userspace can end only a binding that it has made, and only as a whole. */
static int gmem_store_unbind(struct gmem_inode *gi, struct gmem_range_lock *range,
			     struct gmem_binding *binding, u64 id)
{
	if (!binding || (id && binding->id != id))
		return -ENOENT;
	if (binding->file)
		return -EPERM;
	if (binding->start != range->start || binding->end != range->end)
		return -ENOENT;
	gmem_binding_withdraw(gi, binding, range);
	return 0;
}

/* Find the range of a binding by its id. It can be unbound before the range is locked. */
static int gmem_store_find(struct gmem_inode *gi, u64 id, pgoff_t *start,
			   pgoff_t *end)
{
	struct gmem_binding *binding;
	bool found;

	for (*start = 0; (binding = gmem_binding_next(gi, *start,
						      gi->state.nr_pages));
	     *start = *end) {
		found = binding->id == id;
		*start = binding->start;
		*end = binding->end;
		gmem_binding_put(gi, binding);
		if (found)
			return 0;
	}
	return -ENOENT;
}

static int gmem_store_unbind_range(struct gmem_inode *gi,
				   const struct gmem_ioctl_unbind *cmd,
				   struct gmem_range_lock *range)
{
	pgoff_t start, end;
	int rc;

	if (!cmd->binding_id)
		rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &start, &end);
	else if (cmd->offset || cmd->length)
		rc = -EINVAL;
	else
		rc = gmem_store_find(gi, cmd->binding_id, &start, &end);
	if (!rc)
		gmem_range_init(range, start, end);
	return rc;
}

long gmem_ioctl_unbind(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_ioctl_unbind *cmd = ucmd->cmd;
	struct gmem_binding *binding;
	struct gmem_range_lock range;
	int rc;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (cmd->flags || cmd->reserved)
		return -EINVAL;
	rc = gmem_store_unbind_range(gi, cmd, &range);
	if (rc)
		return rc;
	rc = gmem_range_lock(gi, &range);
	if (rc)
		return rc;
	binding = gmem_binding_next(gi, range.start, range.end);
	rc = gmem_store_unbind(gi, &range, binding, cmd->binding_id);
	gmem_range_unlock(gi, &range);

	/* Put the reference of its creator, then that of gmem_binding_next(). */
	if (!rc)
		gmem_binding_put(gi, binding);
	if (binding)
		gmem_binding_put(gi, binding);
	return rc;
}
