// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: placeholders
 *
 * Moves a folio between two page caches with functions that are exported to
 * modules. A folio on the LRU cannot be added to a mapping, but it can replace a
 * folio there. So a new folio, the placeholder, is added first, and is then
 * replaced. The memory cgroup charge stays with the folio that moves (FUSE does
 * the same with pages it steals from a pipe). The placeholder is charged to the
 * root group, which has no limit.
 *
 * A placeholder is locked before it is visible, and until it is replaced or
 * removed. A task that finds it waits for its lock, sees that it is no longer in
 * the mapping, and repeats the look-up.
 *
 * Locks: the folio locks of the two folios; none on entry.
 */
#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "internal.h"

/* A lack of memory must not stop a move half way. It is one page, for a moment. */
#define GMEM_PLACEHOLDER_GFP (GFP_KERNEL | __GFP_NOFAIL)

/*
 * The root group, which has no limit. With another group at its limit __GFP_NOFAIL would
 * succeed, but only after the OOM killer was invoked. Return: NULL without memory cgroups.
 */
static struct mem_cgroup *gmem_root_memcg(void)
{
	struct mem_cgroup *memcg = NULL;

#ifdef CONFIG_MEMCG
	/* The idle task never leaves the root group, which never goes away. */
	rcu_read_lock();
	memcg = mem_cgroup_from_task(&init_task);
	rcu_read_unlock();
#endif
	return memcg;
}

/**
 * gmem_placeholder_add() - add a placeholder to a page cache
 * @mapping: the page cache
 * @index: the page, not populated
 *
 * Context: process context, may sleep.
 * Return: a locked folio with a reference, or ERR_PTR(-EEXIST) if the page is
 * populated.
 */
struct folio *gmem_placeholder_add(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = folio_alloc(GMEM_PLACEHOLDER_GFP, 0);
	struct mem_cgroup *memcg;
	int rc;

	memcg = set_active_memcg(gmem_root_memcg());
	rc = filemap_add_folio(mapping, folio, index, GMEM_PLACEHOLDER_GFP);
	set_active_memcg(memcg);
	if (!rc)
		return folio;
	folio_put(folio);
	return ERR_PTR(rc);
}
GMEM_EXPORT_SYMBOL(gmem_placeholder_add);

/**
 * gmem_placeholder_replace() - replace a placeholder by a folio
 * @placeholder: from gmem_placeholder_add(); freed
 * @folio: locked, in no mapping, with contents. The page cache takes its own
 *	reference.
 *
 * A detached folio is clean. It is marked dirty before its lock is given up, like
 * every folio with contents: mapping_evict_folio() drops clean ones.
 *
 * Context: process context.
 */
void gmem_placeholder_replace(struct folio *placeholder, struct folio *folio)
{
	replace_page_cache_folio(placeholder, folio);
	folio_mark_dirty(folio);
	gmem_folio_set_cpu(folio, -1);
	folio_unlock(placeholder);
	folio_put(placeholder);
}
GMEM_EXPORT_SYMBOL(gmem_placeholder_replace);

/**
 * gmem_placeholder_remove() - remove a placeholder
 * @placeholder: from gmem_placeholder_add(); freed
 *
 * Context: process context.
 */
void gmem_placeholder_remove(struct folio *placeholder)
{
	gmem_folio_detach(placeholder->mapping, placeholder);
	folio_unlock(placeholder);
	folio_put(placeholder);
}
GMEM_EXPORT_SYMBOL(gmem_placeholder_remove);

/**
 * gmem_folio_detach() - remove a folio from its page cache
 * @mapping: its mapping, of a regular file
 * @folio: locked, with a reference of the caller
 *
 * The contents stay as they are. generic_error_remove_folio() is meant for memory
 * errors, but it is the only exported function that removes one locked folio.
 *
 * Context: process context; folio lock held.
 * Return: 0, or -EIO if the folio is not in @mapping.
 */
int gmem_folio_detach(struct address_space *mapping, struct folio *folio)
{
	return generic_error_remove_folio(mapping, folio);
}
GMEM_EXPORT_SYMBOL(gmem_folio_detach);
