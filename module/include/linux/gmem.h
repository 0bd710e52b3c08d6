/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gmem: the in-kernel interface, for hypervisors.
 */
#ifndef _LINUX_GMEM_H
#define _LINUX_GMEM_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <uapi/linux/gmem.h>

struct address_space;
struct completion;
struct file;
struct gmem_binding;
struct module;

/**
 * DOC: the library
 *
 * A hypervisor is a module that runs guests with gmem as their memory. It binds
 * a range of a gmem file with gmem_bind(), and from then on
 *
 *  - finds the page of a guest fault with gmem_lookup(), maps it in its
 *    second-stage page table, and ends the look-up with gmem_lookup_put();
 *  - gets calls of the methods of struct gmem_ops when pages of the range change
 *    their state or are freed: between invalidate_start() and invalidate_end()
 *    its page table must not map them;
 *  - converts with gmem_convert() when its guest asks for it. On a file created
 *    with GMEM_CREATE_F_GUEST_CONSENT that is the only way by which private
 *    contents become shared.
 *
 * No reference to a folio outlives a look-up: entries of a second-stage page
 * table hold none, and invalidate_start() removes them. So the safe refcount of a
 * page is always the page cache's own. Look-ups in flight are not counted either:
 * a change of the page waits until they have ended.
 *
 * All ranges are page indices of the gmem file, the end excluded. Symbols are in
 * the namespace GMEM.
 *
 * Locking. Unless their description says otherwise, methods are called with the
 * range lock of the range and no other lock of gmem held, and with page faults
 * and look-ups of the range held off. They may sleep and take the hypervisor's
 * own locks. They must not call gmem_bind(), gmem_unbind(), gmem_lookup() or
 * gmem_convert() for pages of the range, nor wait for a task that does, nor
 * access memory of a mapping of the file: each of these waits for the range.
 * gmem_query() is always allowed. A lock that is taken inside a method must not
 * be held while calling gmem_lookup(), gmem_convert(), gmem_bind() or
 * gmem_unbind(), nor while accessing memory of a mapping of the file. It may be
 * taken between gmem_lookup() and gmem_lookup_put().
 */

/**
 * struct gmem_holder - why a page cannot be converted
 * @index: the page
 * @refs_seen: references to its folio
 * @refs_expected: references that gmem can name
 * @mapcount: page table entries
 * @pinned: folio_maybe_dma_pinned()
 * @cpu: the CPU that allocated the folio, or -1
 */
struct gmem_holder {
	pgoff_t index;
	u32 refs_seen;
	u32 refs_expected;
	u32 mapcount;
	bool pinned;
	int cpu;
};

/**
 * struct gmem_conversion - one request to convert
 * @start: first page
 * @end: page after the range
 * @target: state to convert to
 * @content: what happens to the contents
 * @timeout_ms: how long to wait for references and look-ups, at most
 *	GMEM_CONVERT_TIMEOUT_MAX; out: the remaining time after a signal
 * @holder: out: with -EAGAIN the held page; with -EEXIST, -EOPNOTSUPP, -EPERM,
 *	-EHWPOISON and errors of a hypervisor only the index
 */
struct gmem_conversion {
	pgoff_t start;
	pgoff_t end;
	enum gmem_state target;
	enum gmem_content content;
	u32 timeout_ms;
	struct gmem_holder holder;
};

/**
 * struct gmem_store_ops - where private pages live, if not in the gmem file
 * @type: its enum gmem_store in the uapi
 * @feature: GMEM_FEATURE_* reported while the store is registered
 * @bind: attach @binding, whose range and store_start are set, to the store
 *	behind @store_fd of GMEM_IOCTL_BIND; sets &gmem_binding.priv and
 *	&gmem_binding.encrypted. Errors are those of GMEM_IOCTL_BIND. Not used by
 *	gmem_bind().
 * @unbind: the binding is withdrawn; its part of the store can be bound again.
 *	Pages stay in the store. May be NULL.
 * @discard: drop the store's pages of the range. Must not fail in normal
 *	operation.
 * @commit: populate the range in the store. Pages populated before an error stay
 *	populated. Page faults are not held off.
 * @count: return the number of populated pages. Called without the range lock.
 * @vcpu_fault: report the last fault of a vCPU in the calling thread: @gpa,
 *	@error_code and @count of GMEM_IOCTL_VIEW_FAULT, and its errors. NULL: not
 *	supported.
 * @vcpus_gone: a view goes away for which @vcpu_fault was called, usually together with
 *	the threads that have called it. May be NULL.
 *
 * For a hypervisor with a store, make_private() moves every populated page of the
 * range from &gmem_binding.mapping into the store, contents preserved, and
 * make_shared() moves them back. Neither moves pages whose contents are not
 * preserved. When the binding is made, make_private() and undo_private() are also
 * called for pages that are private already, without holding off page faults. But
 * not if contents are encrypted: then none of these pages may be populated.
 * gmem_lookup() does not find private pages of a store.
 */
struct gmem_store_ops {
	u32 type;
	u64 feature;
	int (*bind)(struct gmem_binding *binding, int store_fd);
	void (*unbind)(struct gmem_binding *binding);
	int (*discard)(struct gmem_binding *binding, pgoff_t start,
		       pgoff_t end);
	int (*commit)(struct gmem_binding *binding, pgoff_t start, pgoff_t end);
	unsigned long (*count)(struct gmem_binding *binding, pgoff_t start,
			       pgoff_t end);
	int (*vcpu_fault)(struct gmem_ioctl_view_fault *fault);
	void (*vcpus_gone)(void);
};

/**
 * struct gmem_ops - methods of a hypervisor
 * @owner: its module, held by each binding
 * @flags: must be zero. Flags will announce methods that are added later, to tell
 *	modules that were built before them from modules that have them.
 * @invalidate_start: pages of the range are about to change their state or to be
 *	freed: remove them from every second-stage page table. On return no guest
 *	can access them, and the hypervisor has no reference to them. Must not
 *	fail. A conversion of several ranges calls it for all of them before the
 *	first @invalidate_end. May be NULL.
 * @invalidate_end: the operation has ended, with or without a change; called once
 *	for each @invalidate_start, with the same range. Afterwards look-ups are
 *	possible again. May be NULL.
 * @check: whether a conversion may begin; an error refuses it, with the
 *	offending page in @error_index. Nothing changes yet. May be NULL.
 * @make_private: the pages of the range become private. An error refuses the
 *	conversion; @done is then the page at which it stopped: pages before it
 *	are undone by @undo_private, pages from it on are as before. Called for
 *	populated and unpopulated pages alike. With GMEM_CONTENT_ZERO the pages
 *	are freed afterwards. May be NULL.
 * @undo_private: undo @make_private, because another part of the conversion has
 *	failed. Must not fail. Needed with @make_private.
 * @make_shared: the pages of the range become shared, or, with GMEM_CONTENT_ZERO,
 *	are taken from the guest: also called before private pages of a punched
 *	hole are freed. Otherwise as @make_private. May be NULL.
 * @undo_shared: undo @make_shared. Must not fail. Needed with @make_shared.
 * @error: memory of a page has failed. Remove it from every second-stage page
 *	table; later look-ups return -EHWPOISON. Look-ups in flight have ended,
 *	unless one takes longer than a second: a hypervisor that can be so slow
 *	tests folio_test_hwpoison() under the lock of the page table before
 *	filling the entry. Called without the range lock and with the lock of a
 *	folio held: must not wait for look-ups. Only for bindings of gmem_bind().
 *	May be NULL.
 * @release: the binding is gone, and no method runs any more. Called by
 *	gmem_unbind(); for a binding of GMEM_IOCTL_BIND in the task that drops the
 *	last reference. Called without locks of gmem. May be NULL.
 * @store: where private pages live; NULL: in the gmem file itself
 *
 * A private page belongs to the hypervisor once it was made private, or looked up
 * as a private page. It belongs to the host again after make_shared(), which is
 * called before the host may use it, as long as the binding exists. Unbinding is
 * no conversion: private pages stay private, and the hypervisor is not notified
 * of later changes. So a hypervisor that takes pages away from the host (by a
 * page table of the host, or a table of the firmware) must give all of them back
 * in the invalidate_start() of the whole range in gmem_unbind(), and scrub
 * encrypted pages.
 */
struct gmem_ops {
	struct module *owner;
	u32 flags;
	void (*invalidate_start)(struct gmem_binding *binding, pgoff_t start,
				 pgoff_t end);
	void (*invalidate_end)(struct gmem_binding *binding, pgoff_t start,
			       pgoff_t end);
	int (*check)(struct gmem_binding *binding, pgoff_t start, pgoff_t end,
		     const struct gmem_conversion *conv, pgoff_t *error_index);
	int (*make_private)(struct gmem_binding *binding, pgoff_t start,
			    pgoff_t end, enum gmem_content content,
			    pgoff_t *done);
	void (*undo_private)(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end);
	int (*make_shared)(struct gmem_binding *binding, pgoff_t start,
			   pgoff_t end, enum gmem_content content,
			   pgoff_t *done);
	void (*undo_shared)(struct gmem_binding *binding, pgoff_t start,
			    pgoff_t end);
	void (*error)(struct gmem_binding *binding, pgoff_t index);
	void (*release)(struct gmem_binding *binding);
	const struct gmem_store_ops *store;
};

/**
 * struct gmem_binding - a range of a gmem file that is bound to a hypervisor
 * @ops: its methods
 * @priv: cookie of the hypervisor
 * @mapping: the gmem file's page cache
 * @id: unique in the file, as returned by GMEM_IOCTL_BIND
 * @start: first page index of the range
 * @end: page index after the range
 * @store_start: page index in the store that belongs to @start
 * @encrypted: contents cannot be preserved
 * @file: held by a binding of gmem_bind(); NULL if the file holds the binding
 * @withdrawn: the binding is no longer valid
 * @between: jiffies of the first vCPU access, since the last conversion, to a private
 *	page that the hypervisor treats as shared; 0: none
 * @moved: pages moved to or from the store so far
 * @refs: references: of its creator, of look-ups and conversions, and of readers
 * @idle: completed when the last reference is dropped; NULL if the file holds the
 *	binding
 *
 * A hypervisor may read these members. It sets only @moved and, in its bind
 * method, @priv and @encrypted.
 */
struct gmem_binding {
	const struct gmem_ops *ops;
	void *priv;
	struct address_space *mapping;
	u64 id;
	pgoff_t start;
	pgoff_t end;
	pgoff_t store_start;
	bool encrypted;
	struct file *file;
	bool withdrawn;
	unsigned long between;
	atomic64_t moved;
	refcount_t refs;
	struct completion *idle;
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

struct file *gmem_file_create(const char *name, u64 length, u32 create_flags,
			      int node);

/* GMEM_BIND_ENCRYPTED: contents cannot be preserved, as &gmem_binding.encrypted */
#define GMEM_BIND_ENCRYPTED	BIT(0)

struct gmem_binding *gmem_bind(struct file *file, pgoff_t start, pgoff_t end,
			       const struct gmem_ops *ops, void *priv,
			       unsigned int flags);
void gmem_unbind(struct gmem_binding *binding);

/* Flags of gmem_lookup() */
#define GMEM_LOOKUP_NOWAIT	BIT(0)	/* do not wait for a conversion */
#define GMEM_LOOKUP_NOALLOC	BIT(1)	/* do not populate */

/**
 * struct gmem_lookup - a page that a hypervisor has looked up
 * @binding: the binding of the look-up
 * @index: the page
 * @state: its state, which cannot change before gmem_lookup_put()
 * @folio: the folio that the page is in
 * @pfn: frame number of the page
 * @order: order of @folio: the page is part of 2^order contiguous pages, aligned
 *	in the file and in physical memory. All of them are looked up: none changes
 *	before gmem_lookup_put()
 * @node: in the list of look-ups
 *
 * The caller allocates it, for instance on its stack.
 */
struct gmem_lookup {
	struct gmem_binding *binding;
	pgoff_t index;
	enum gmem_state state;
	struct folio *folio;
	unsigned long pfn;
	unsigned int order;
	struct list_head node;
};

int gmem_lookup(struct gmem_binding *binding, pgoff_t index, unsigned int flags,
		struct gmem_lookup *lookup);
void gmem_lookup_put(struct gmem_lookup *lookup);

int gmem_convert(struct gmem_binding *binding, struct gmem_conversion *conv);
pgoff_t gmem_query(struct gmem_binding *binding, pgoff_t index, pgoff_t end,
		   enum gmem_state *state);

/* For stores */
int gmem_store_register(const struct gmem_ops *ops);
void gmem_store_unregister(const struct gmem_ops *ops);

struct folio *gmem_placeholder_add(struct address_space *mapping, pgoff_t index);
void gmem_placeholder_replace(struct folio *placeholder, struct folio *folio);
void gmem_placeholder_remove(struct folio *placeholder);
int gmem_folio_detach(struct address_space *mapping, struct folio *folio);
void gmem_folio_zero_once(struct folio *folio);
void gmem_folio_seal(struct folio *folio);
unsigned long gmem_count_folios(struct address_space *mapping, pgoff_t start,
				pgoff_t end);

#endif /* _LINUX_GMEM_H */
