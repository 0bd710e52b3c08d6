// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: watches
 *
 * A refused conversion can install a watch: an eventfd that is signalled when the held
 * page is released, so that a VMM need not sleep in an ioctl. The kernel has no
 * notification for a dropped reference. So a worker checks the watched pages a hundred
 * times a second, without taking a reference. The signal is only a hint: userspace
 * calls again.
 *
 * Locks: &gmem_watches.lock, with no other lock of gmem.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "internal.h"

/* How often to look */
#define GMEM_WATCH_PERIOD msecs_to_jiffies(10)

/**
 * struct gmem_watch - an eventfd that waits for the release of a page
 * @node: in &gmem_watches.list once it has started
 * @gi: the memory
 * @event: to be signalled
 * @index: the page
 * @expires: jiffies when it is signalled in any case
 */
struct gmem_watch {
	struct list_head node;
	struct gmem_inode *gi;
	struct eventfd_ctx *event;
	pgoff_t index;
	unsigned long expires;
};

/* Whether only the page cache and page tables refer to the page, or the time is over. */
static bool gmem_watch_is_free(struct gmem_watch *watch)
{
	struct folio *folio;
	bool free = true;

	rcu_read_lock();
	folio = xa_load(&watch->gi->vfs_inode.i_mapping->i_pages, watch->index);
	if (folio && !xa_is_value(folio))
		free = gmem_folio_surplus(folio) <= 1;
	rcu_read_unlock();
	return free || time_after_eq(jiffies, watch->expires);
}

static void gmem_watch_end(struct gmem_watch *watch)
{
	struct gmem_watches *watches = &watch->gi->watches;

	lockdep_assert_held(&watches->lock);
	eventfd_signal(watch->event);
	list_del(&watch->node);
	watches->nr--;
	eventfd_ctx_put(watch->event);
	kfree(watch);
}

static void gmem_watch_fn(struct work_struct *work)
{
	struct gmem_watches *watches = container_of(to_delayed_work(work),
						    struct gmem_watches, work);
	struct gmem_watch *watch, *next;

	mutex_lock(&watches->lock);
	list_for_each_entry_safe(watch, next, &watches->list, node) {
		if (gmem_watch_is_free(watch))
			gmem_watch_end(watch);
	}
	if (!list_empty(&watches->list))
		schedule_delayed_work(&watches->work, GMEM_WATCH_PERIOD);
	mutex_unlock(&watches->lock);
}

void gmem_watches_init(struct gmem_watches *watches)
{
	mutex_init(&watches->lock);
	INIT_LIST_HEAD(&watches->list);
	watches->nr = 0;
	INIT_DELAYED_WORK(&watches->work, gmem_watch_fn);
}

static int gmem_watch_count(struct gmem_watches *watches)
{
	int rc = 0;

	mutex_lock(&watches->lock);
	if (watches->nr < GMEM_CONVERT_MAX_EVENTS)
		watches->nr++;
	else
		rc = -EBUSY;
	mutex_unlock(&watches->lock);
	return rc;
}

/**
 * gmem_watch_alloc() - allocate a watch before the conversion
 * @gi: the memory
 * @fd: an eventfd
 *
 * Context: process context.
 * Return: a watch for gmem_watch_start() or gmem_watch_free(), or ERR_PTR() of
 * -EBADF, -EINVAL if @fd is not an eventfd, -EBUSY if there are too many, -ENOMEM.
 */
struct gmem_watch *gmem_watch_alloc(struct gmem_inode *gi, int fd)
{
	struct gmem_watch *watch = kzalloc_obj(*watch, GMEM_GFP);
	int rc;

	if (!watch)
		return ERR_PTR(-ENOMEM);
	watch->gi = gi;
	watch->event = eventfd_ctx_fdget(fd);
	if (IS_ERR(watch->event)) {
		rc = PTR_ERR(watch->event);
		goto err_free;
	}
	rc = gmem_watch_count(&gi->watches);
	if (rc)
		goto err_event;
	return watch;

err_event:
	eventfd_ctx_put(watch->event);
err_free:
	kfree(watch);
	return ERR_PTR(rc);
}

/**
 * gmem_watch_free() - free a watch that has not started
 * @watch: of gmem_watch_alloc()
 *
 * Context: process context.
 */
void gmem_watch_free(struct gmem_watch *watch)
{
	struct gmem_watches *watches = &watch->gi->watches;

	mutex_lock(&watches->lock);
	watches->nr--;
	mutex_unlock(&watches->lock);
	eventfd_ctx_put(watch->event);
	kfree(watch);
}

/**
 * gmem_watch_start() - start to watch a page
 * @watch: of gmem_watch_alloc(); freed when it has signalled
 * @index: the page
 *
 * Context: process context.
 */
void gmem_watch_start(struct gmem_watch *watch, pgoff_t index)
{
	struct gmem_watches *watches = &watch->gi->watches;

	watch->index = index;
	watch->expires = jiffies + msecs_to_jiffies(GMEM_CONVERT_TIMEOUT_MAX);
	mutex_lock(&watches->lock);
	list_add_tail(&watch->node, &watches->list);
	schedule_delayed_work(&watches->work, GMEM_WATCH_PERIOD);
	mutex_unlock(&watches->lock);
	/*
	 * A conversion without a timeout does not drain isolated CPUs. Do so now, without
	 * waiting for them.
	 */
	gmem_drain_cpus(GMEM_DRAIN_ALL, gmem_drain_ticket(), 0);
}

/**
 * gmem_watches_destroy() - signal all watches, because the memory is freed
 * @gi: the memory, no longer in use
 *
 * Context: process context, sleeps.
 */
void gmem_watches_destroy(struct gmem_inode *gi)
{
	struct gmem_watch *watch, *next;

	cancel_delayed_work_sync(&gi->watches.work);
	mutex_lock(&gi->watches.lock);
	list_for_each_entry_safe(watch, next, &gi->watches.list, node)
		gmem_watch_end(watch);
	mutex_unlock(&gi->watches.lock);
}
