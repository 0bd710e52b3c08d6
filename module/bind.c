// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: bindings
 *
 * A binding attaches a range to a hypervisor. Bindings are kept in a maple tree
 * by page index, which also finds overlaps. They are added and removed under the
 * range lock of their whole range, so bindings are stable for the holder of a
 * range lock; others get a reference.
 *
 * A binding made by a hypervisor with gmem_bind() holds the file, until
 * gmem_unbind(). The file holds a binding made by userspace with GMEM_IOCTL_BIND
 * (store.c), until GMEM_IOCTL_UNBIND or the end of the file.
 *
 * Lock order: the range lock, then locks of the hypervisor.
 */
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
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
	MA_STATE(mas, &gi->bindings, index, index);
	struct gmem_binding *binding;

	if (index >= end || mtree_empty(&gi->bindings))
		return NULL;

	/*
	 * RCU is not enough: if the tree becomes empty meanwhile, mas_find() and mt_find() of
	 * 6.12 and 7.3 dereference NULL when they walk it again.
	 */
	mas_lock(&mas);
	binding = mas_find(&mas, end - 1);
	/* A binding leaves the tree before its creator drops the first reference. */
	if (binding)
		refcount_inc(&binding->refs);
	mas_unlock(&mas);
	return binding;
}

/**
 * gmem_binding_put() - drop a reference to a binding
 * @gi: the memory it belongs to
 * @binding: the binding
 *
 * Context: process context. The last reference to a binding that the file holds
 * calls &gmem_ops.release, and may sleep.
 */
void gmem_binding_put(struct gmem_inode *gi, struct gmem_binding *binding)
{
	const struct gmem_ops *ops = binding->ops;

	if (!refcount_dec_and_test(&binding->refs))
		return;
	atomic64_add(atomic64_read(&binding->moved), &gi->counters.moved);
	/* gmem_unbind() does the rest. The memory may be gone after complete(). */
	if (binding->idle) {
		complete(binding->idle);
		return;
	}
	if (ops->release)
		ops->release(binding);
	gmem_binding_free(binding);
}

/**
 * gmem_binding_alloc() - allocate a binding that is not in force yet
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 * @ops: the hypervisor's methods
 *
 * Context: process context.
 * Return: a binding for gmem_binding_insert() or gmem_binding_free(), or ERR_PTR()
 * of -ENOMEM, or of -EOPNOTSUPP if the module of @ops is being unloaded.
 */
struct gmem_binding *gmem_binding_alloc(struct gmem_inode *gi, pgoff_t start,
					pgoff_t end, const struct gmem_ops *ops)
{
	struct gmem_binding *binding;

	binding = kzalloc_obj(*binding, GMEM_GFP);
	if (!binding)
		return ERR_PTR(-ENOMEM);
	if (!try_module_get(ops->owner)) {
		kfree(binding);
		return ERR_PTR(-EOPNOTSUPP);
	}
	binding->ops = ops;
	binding->mapping = gi->vfs_inode.i_mapping;
	binding->id = atomic64_inc_return(&gi->last_binding);
	binding->start = start;
	binding->end = end;
	refcount_set(&binding->refs, 1);
	return binding;
}

/**
 * gmem_binding_free() - free a binding that nobody uses
 * @binding: of gmem_binding_alloc(), not in force
 *
 * Context: process context.
 */
void gmem_binding_free(struct gmem_binding *binding)
{
	module_put(binding->ops->owner);
	kfree(binding);
}

/*
 * Find the next run of private pages of [*index, end), at most GMEM_RUN_PAGES. *next: out: the
 * page after it.
 */
static bool gmem_private_run(struct gmem_inode *gi, pgoff_t *index, pgoff_t end,
			     pgoff_t *next)
{
	enum gmem_state state;

	for (; *index < end; *index = *next) {
		*next = gmem_state_run(&gi->state, *index,
				       min(end, *index + GMEM_RUN_PAGES),
				       &state);
		if (state == GMEM_STATE_PRIVATE)
			return true;
		cond_resched();
	}
	return false;
}

/* Undo gmem_binding_fill() for the pages up to @end. */
static void gmem_binding_unfill(struct gmem_inode *gi,
				struct gmem_binding *binding, pgoff_t end)
{
	pgoff_t index, next;

	if (!binding->ops->store || binding->encrypted)
		return;
	for (index = binding->start; gmem_private_run(gi, &index, end, &next);
	     index = next)
		binding->ops->undo_private(binding, index, next);
}

/*
 * Move a run of private pages into the store. A page that has failed is refused: the guest
 * would find a fresh page in its place.
 */
static int gmem_binding_fill_run(struct gmem_inode *gi,
				 struct gmem_binding *binding, pgoff_t start,
				 pgoff_t end, pgoff_t *done)
{
	pgoff_t index = start;
	int rc;

	*done = start;
	if (gmem_poison_next(gi, &index, end))
		return -EHWPOISON;
	if (binding->encrypted)
		return gmem_count_folios(binding->mapping, start, end) ?
			       -EOPNOTSUPP : 0;
	rc = binding->ops->make_private(binding, start, end,
					GMEM_CONTENT_PRESERVE, done);
	if (rc)
		return rc;
	/* A page may have failed during the move, see gmem_runs_make(). */
	*done = end;
	return gmem_poison_next(gi, &index, end) ? -EHWPOISON : 0;
}

/* Private pages that are populated in the file move into the store. */
static int gmem_binding_fill(struct gmem_inode *gi,
			     struct gmem_binding *binding)
{
	pgoff_t index, next, done;
	int rc;

	if (!binding->ops->store)
		return 0;
	/* A conversion to private has drained batches; a commit of private pages has not. */
	index = binding->start;
	if (gmem_folio_next(binding->mapping, &index, binding->end) &&
	    gmem_drain_cpus(GMEM_DRAIN_ALL, gmem_drain_ticket(), GMEM_DRAIN_WAIT) == -EINTR)
		return -EINTR;
	for (index = binding->start;
	     gmem_private_run(gi, &index, binding->end, &next); index = next) {
		done = index;
		rc = fatal_signal_pending(current) ? -EINTR :
			     gmem_binding_fill_run(gi, binding, index, next,
						   &done);
		if (rc) {
			gmem_binding_unfill(gi, binding, done);
			return rc;
		}
		cond_resched();
	}
	return 0;
}

/*
 * Private contents of an fd with consent belong to the guest that wrote them. So a range
 * with such contents is not bound to another guest. Pages that were only committed have
 * no contents.
 */
static int gmem_binding_consent(struct gmem_inode *gi,
				struct gmem_binding *binding)
{
	pgoff_t index, next;

	if (!(gi->create_flags & GMEM_CREATE_F_GUEST_CONSENT))
		return 0;
	for (index = binding->start;
	     gmem_private_run(gi, &index, binding->end, &next); index = next) {
		if (gmem_folios_have_contents(binding->mapping, index, next))
			return -EPERM;
	}
	return 0;
}

/* Others can find the binding only after it is complete. */
static int gmem_binding_insert_locked(struct gmem_inode *gi,
				      struct gmem_binding *binding)
{
	struct gmem_binding *other;
	int rc;

	other = gmem_binding_next(gi, binding->start, binding->end);
	if (other) {
		gmem_binding_put(gi, other);
		return -EBUSY;
	}
	if (gmem_views_overlap(gi, binding->start, binding->end))
		return -EBUSY;
	rc = gmem_binding_consent(gi, binding);
	if (rc)
		return rc;
	rc = gmem_binding_fill(gi, binding);
	if (rc)
		return rc;
	rc = mtree_insert_range(&gi->bindings, binding->start, binding->end - 1,
				binding, GMEM_GFP);
	if (rc)
		gmem_binding_unfill(gi, binding, binding->end);
	return rc;
}

/**
 * gmem_binding_insert() - put a binding in force
 * @gi: the memory
 * @binding: of gmem_binding_alloc(); the caller frees it after an error
 *
 * Context: process context, sleeps.
 * Return: 0, -EBUSY, -EPERM, -EOPNOTSUPP, -EEXIST, -EHWPOISON as GMEM_IOCTL_BIND,
 * -ENOMEM, -ERESTARTSYS.
 */
int gmem_binding_insert(struct gmem_inode *gi, struct gmem_binding *binding)
{
	struct gmem_range_lock range;
	int rc;

	gmem_range_init(&range, binding->start, binding->end);
	rc = gmem_range_lock(gi, &range);
	if (rc)
		return rc;
	rc = gmem_binding_insert_locked(gi, binding);
	trace_gmem_bind(gi->vfs_inode.i_ino, binding, rc);
	gmem_range_unlock(gi, &range);
	return rc;
}

/*
 * End a binding: the guest loses the pages. Later look-ups do not find the binding; a task
 * that has found it before sees that it is withdrawn. The caller holds the range lock and
 * holds faults off, or the file has no user.
 */
static void gmem_binding_end(struct gmem_inode *gi,
			     struct gmem_binding *binding)
{
	const struct gmem_ops *ops = binding->ops;

	trace_gmem_unbind(gi->vfs_inode.i_ino, binding);
	if (ops->invalidate_start)
		ops->invalidate_start(binding, binding->start, binding->end);
	WRITE_ONCE(binding->withdrawn, true);
	gmem_mtree_erase(&gi->bindings, binding->start);
	if (ops->invalidate_end)
		ops->invalidate_end(binding, binding->start, binding->end);
}

/*
 * Leave the store of a binding that has ended. With consent the pages in the store are
 * dropped: they could be converted if the store were bound to an fd without consent. The
 * caller holds the range lock, so nobody binds the range before this has ended.
 */
static void gmem_binding_leave(struct gmem_inode *gi,
			       struct gmem_binding *binding)
{
	const struct gmem_store_ops *store = binding->ops->store;
	pgoff_t index, next;

	if (!store)
		return;
	if (gi->create_flags & GMEM_CREATE_F_GUEST_CONSENT) {
		for (index = binding->start; index < binding->end; index = next) {
			next = min(binding->end, index + GMEM_RUN_PAGES);
			store->discard(binding, index, next);
			cond_resched();
		}
	}
	if (store->unbind)
		store->unbind(binding);
}

/**
 * gmem_binding_withdraw() - end a binding of a file that is in use
 * @gi: the memory
 * @binding: in force. The caller puts the reference of its creator after it has
 *	unlocked the range
 * @range: held over the binding
 *
 * Faults are let in again before the store is left. Leaving it takes time for a large
 * binding, and concerns only private pages, which cannot be faulted in.
 *
 * Context: process context, sleeps.
 */
void gmem_binding_withdraw(struct gmem_inode *gi, struct gmem_binding *binding,
			   struct gmem_range_lock *range)
{
	gmem_range_hold_faults(gi, range);
	gmem_lookups_wait(gi, binding->start, binding->end,
			  MAX_SCHEDULE_TIMEOUT);
	gmem_range_enter_store(gi, range);
	gmem_binding_end(gi, binding);
	gmem_range_leave_store(gi, range);
	gmem_range_let_faults(gi, range);
	gmem_binding_leave(gi, binding);
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

	while ((binding = mt_find(&gi->bindings, &index, ULONG_MAX))) {
		gmem_binding_end(gi, binding);
		gmem_binding_leave(gi, binding);
		gmem_binding_put(gi, binding);
	}
	mtree_destroy(&gi->bindings);
}

/* Call a method for the bound parts of [start, end). */
static void gmem_bindings_call(struct gmem_inode *gi,
			       struct gmem_range_lock *range, pgoff_t start,
			       pgoff_t end, bool begin)
{
	void (*method)(struct gmem_binding *binding, pgoff_t start, pgoff_t end);
	struct gmem_binding *binding;

	while ((binding = gmem_binding_next(gi, start, end))) {
		method = begin ? binding->ops->invalidate_start :
				 binding->ops->invalidate_end;
		gmem_range_enter_store(gi, range);
		if (method)
			method(binding, max(start, binding->start),
			       min(end, binding->end));
		WRITE_ONCE(binding->between, 0);
		gmem_range_leave_store(gi, range);
		start = binding->end;
		gmem_binding_put(gi, binding);
	}
}

/**
 * gmem_bindings_invalidate_start() - call invalidate_start() of the bindings of a range
 * @gi: the memory
 * @range: held by the caller, so that the bindings stay
 * @start: first page, in @range
 * @end: page after the last one
 *
 * Followed by gmem_bindings_invalidate_end().
 *
 * Context: faults and look-ups held off; sleeps.
 */
void gmem_bindings_invalidate_start(struct gmem_inode *gi,
				    struct gmem_range_lock *range,
				    pgoff_t start, pgoff_t end)
{
	gmem_bindings_call(gi, range, start, end, true);
}

/**
 * gmem_bindings_invalidate_end() - call invalidate_end() of the bindings of a range
 * @gi: the memory
 * @range: as for gmem_bindings_invalidate_start()
 * @start: likewise
 * @end: likewise
 *
 * Context: as gmem_bindings_invalidate_start().
 */
void gmem_bindings_invalidate_end(struct gmem_inode *gi,
				  struct gmem_range_lock *range, pgoff_t start,
				  pgoff_t end)
{
	gmem_bindings_call(gi, range, start, end, false);
}

/**
 * gmem_ops_complete() - whether a hypervisor has all methods that it needs
 * @ops: the methods
 *
 * Return: false if a method to undo is missing, if a store lacks make_private() or
 * make_shared(), or if a flag is set.
 */
bool gmem_ops_complete(const struct gmem_ops *ops)
{
	if (ops->flags)
		return false;
	if (ops->make_private && !ops->undo_private)
		return false;
	if (ops->make_shared && !ops->undo_shared)
		return false;
	return !ops->store || (ops->make_private && ops->make_shared);
}

static int gmem_bind_check(struct file *file, pgoff_t start, pgoff_t end,
			   const struct gmem_ops *ops, unsigned int flags)
{
	if (file->f_op != &gmem_file_fops || !gmem_ops_complete(ops))
		return -EINVAL;
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (start >= end || end > gmem_from_file(file)->state.nr_pages)
		return -EINVAL;
	return flags & ~GMEM_BIND_ENCRYPTED ? -EINVAL : 0;
}

/**
 * gmem_bind() - bind a range of a gmem file to a guest of a hypervisor
 * @file: a gmem file, open for writing
 * @start: first page
 * @end: page after the range
 * @ops: the hypervisor's methods
 * @priv: owner cookie, for &gmem_binding.priv
 * @flags: GMEM_BIND_ENCRYPTED
 *
 * The binding holds references to @file and to the module of @ops, so the guest keeps
 * the memory after the fd is closed. Methods may be called before this function
 * returns. After a failure no method is called, not even release().
 *
 * On a file with GMEM_CREATE_F_GUEST_CONSENT the range must have no private
 * contents: they belong to another guest.
 *
 * Context: process context, sleeps; not with a lock held that a method takes.
 * Return: the binding, to be ended with gmem_unbind(); or ERR_PTR() of -EINVAL if
 * @file is not a gmem file, an argument is out of range or a method is missing;
 * -EBADF if @file is not open for writing; -EBUSY if part of the range is bound or
 * has a view; -EPERM, see above; -EEXIST, -EHWPOISON, -EAGAIN or -EOPNOTSUPP of a
 * store; -EOPNOTSUPP if the module of @ops is being unloaded; -ENOMEM; -ERESTARTSYS.
 */
struct gmem_binding *gmem_bind(struct file *file, pgoff_t start, pgoff_t end,
			       const struct gmem_ops *ops, void *priv,
			       unsigned int flags)
{
	struct gmem_binding *binding;
	int rc;

	rc = gmem_bind_check(file, start, end, ops, flags);
	if (rc)
		return ERR_PTR(rc);

	binding = gmem_binding_alloc(gmem_from_file(file), start, end, ops);
	if (IS_ERR(binding))
		return binding;
	binding->priv = priv;
	binding->encrypted = flags & GMEM_BIND_ENCRYPTED;
	binding->file = get_file(file);

	rc = gmem_binding_insert(gmem_from_file(file), binding);
	if (rc) {
		gmem_binding_free(binding);
		fput(file);
		return ERR_PTR(rc);
	}
	return binding;
}
GMEM_EXPORT_SYMBOL(gmem_bind);

/**
 * gmem_unbind() - end a binding
 * @binding: of gmem_bind(); freed on return
 *
 * Conversions that wait for the release of a page of the range give up. This function
 * waits for calls of gmem_lookup() and gmem_convert() that are under way, and for
 * look-ups in flight. Calls that find the binding withdrawn return -ENODEV. The caller
 * makes sure that no new call begins. invalidate_start() and invalidate_end() are
 * called for the whole range. Private pages stay private, and keep their contents
 * until a hole is punched, they are converted, or the last fd is closed. On return
 * release() has run, and no method is running.
 *
 * Context: process context, sleeps. Not from a method of struct gmem_ops, not with a
 * lock held that a method takes, and not with an own look-up in flight.
 */
void gmem_unbind(struct gmem_binding *binding)
{
	DECLARE_COMPLETION_ONSTACK(idle);
	struct gmem_inode *gi = gmem_from_binding(binding);
	struct file *file = binding->file;
	struct gmem_range_lock range;

	binding->idle = &idle;
	gmem_range_init(&range, binding->start, binding->end);
	gmem_range_lock_wait(gi, &range);
	gmem_binding_withdraw(gi, binding, &range);
	gmem_range_unlock(gi, &range);

	gmem_binding_put(gi, binding);
	wait_for_completion(&idle);
	if (binding->ops->release)
		binding->ops->release(binding);
	gmem_binding_free(binding);
	fput(file);
}
GMEM_EXPORT_SYMBOL(gmem_unbind);
