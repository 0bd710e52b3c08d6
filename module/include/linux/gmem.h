/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gmem: the in-kernel interface, for modules in which private pages live.
 */
#ifndef _LINUX_GMEM_H
#define _LINUX_GMEM_H

#include <linux/mm_types.h>
#include <linux/types.h>
#include <uapi/linux/gmem.h>

struct address_space;
struct gmem_binding;
struct module;

/**
 * struct gmem_store_ops - a store: a place where private pages live
 * @owner: module of the store
 * @type: enum gmem_store that userspace names it by
 * @feature: GMEM_FEATURE_* reported while the store is registered
 * @bind: attach @binding, whose range, store_offset and mapping are set, to the
 *	store behind @store_fd; sets &gmem_binding.priv. Errors are those of
 *	GMEM_IOCTL_BIND.
 * @check_private: 0 when no page of the store is in the way of the range, else
 *	-EEXIST with the first such page in @error_index. Nothing moves; pages
 *	that the store has no use for may be dropped.
 * @make_private: move every populated page of the range from
 *	&gmem_binding.mapping into the store, contents preserved. -EEXIST when a
 *	page of the store is in the way: @done is then the page it stopped at,
 *	pages before it have moved. No other error.
 * @undo_private: move back what @make_private moved. Cannot fail.
 * @make_shared: move every page of the store in the range back into
 *	&gmem_binding.mapping, contents preserved. Must not fail in normal
 *	operation: pages that have moved before an error stay where they are.
 * @discard: drop the store's pages of the range. As @make_shared.
 * @commit: populate the range in the store. Pages populated before an error
 *	stay.
 * @count: populated pages of the range
 * @unbind: the binding is withdrawn; its part of the store may be bound again.
 *	Pages stay in the store.
 * @release: the last reference to the binding is gone; drop what @bind took
 *
 * Ranges are page indices of the gmem file, @end excluded, inside the binding.
 * Context: process context, may sleep. The caller holds the range lock of the
 * range (not for @count and @release, nor for @unbind when the file is gone)
 * and neither mmap_lock nor the invalidate_lock of the gmem file. Page faults of
 * the range are held off while pages move, so a method must not touch memory of
 * a gmem mapping.
 */
struct gmem_store_ops {
	struct module *owner;
	u32 type;
	u64 feature;
	int (*bind)(struct gmem_binding *binding, int store_fd);
	int (*check_private)(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end, pgoff_t *error_index);
	int (*make_private)(struct gmem_binding *binding, pgoff_t start,
			    pgoff_t end, pgoff_t *done);
	void (*undo_private)(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end);
	int (*make_shared)(struct gmem_binding *binding, pgoff_t start,
			   pgoff_t end);
	int (*discard)(struct gmem_binding *binding, pgoff_t start,
		       pgoff_t end);
	int (*commit)(struct gmem_binding *binding, pgoff_t start, pgoff_t end);
	unsigned long (*count)(struct gmem_binding *binding, pgoff_t start,
			       pgoff_t end);
	void (*unbind)(struct gmem_binding *binding);
	void (*release)(struct gmem_binding *binding);
};

/**
 * struct gmem_binding - a range of a gmem file whose private pages live in a
 * store
 * @ops: the store
 * @mapping: the gmem file's page cache, where shared pages live
 * @priv: the store's own
 * @start: first page index of the range in the gmem file
 * @end: page index after the range
 * @store_start: page index in the store that belongs to @start
 * @encrypted: the store cannot preserve contents
 * @moved: pages moved in either direction so far
 * @refs: references; the last one calls &gmem_store_ops.release
 * @rcu: for lookups that race with the last reference
 */
struct gmem_binding {
	const struct gmem_store_ops *ops;
	struct address_space *mapping;
	void *priv;
	pgoff_t start;
	pgoff_t end;
	pgoff_t store_start;
	bool encrypted;
	atomic64_t moved;
	refcount_t refs;
	struct rcu_head rcu;
};

/**
 * gmem_store_index() - page index in the store
 * @binding: the binding
 * @index: page index in the gmem file, inside the binding
 *
 * Return: the page index in the store that belongs to @index.
 */
static inline pgoff_t gmem_store_index(const struct gmem_binding *binding,
				       pgoff_t index)
{
	return index - binding->start + binding->store_start;
}

int gmem_store_register(const struct gmem_store_ops *ops);
void gmem_store_unregister(const struct gmem_store_ops *ops);

struct folio *gmem_placeholder_add(struct address_space *mapping, pgoff_t index);
void gmem_placeholder_replace(struct folio *placeholder, struct folio *folio);
void gmem_placeholder_remove(struct folio *placeholder);
int gmem_folio_detach(struct address_space *mapping, struct folio *folio);
void gmem_folio_zero_once(struct folio *folio);
unsigned long gmem_count_folios(struct address_space *mapping, pgoff_t start,
				pgoff_t end);

#endif /* _LINUX_GMEM_H */
