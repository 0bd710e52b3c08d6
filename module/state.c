// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the state map
 *
 * Shared or private, for each page of a file. An xarray by group of 1 GiB, whose
 * entries are a value (the group is uniform) or a table of its blocks of 2 MiB;
 * entries of a table are a value or a bitmap. A group that was never touched has
 * no entry and is in the initial state. In the worst case, with alternating
 * pages, a page costs one bit of bitmap and its share of the table: 1.125 bits. A
 * uniform GiB costs one slot of the xarray.
 *
 * Readers need no lock: entries are looked up under RCU, and single bits of a
 * bitmap are read while other bits change. A task that changes a page holds the
 * range lock over it (range.c). A change has two steps: reserve all the memory it
 * may need, then apply, which cannot fail.
 *
 * Two changes of different pages of one group can run at the same time. So the
 * slot of a partly changed group is never freed, and each change brings the table
 * and the bitmaps it may need: when memory is reserved, the layout of the group
 * at apply time is unknown. The map keeps unused memory for the next change,
 * because guests convert page by page.
 *
 * Locks: the lock of the xarray, innermost.
 */
#include <linux/bitmap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "internal.h"

#define GMEM_GROUP_PAGES BIT(GMEM_GROUP_SHIFT)
#define GMEM_GROUP_BLOCKS (GMEM_GROUP_PAGES / GMEM_BLOCK_PAGES)

#define GMEM_BITMAP_BYTES (GMEM_BLOCK_PAGES / BITS_PER_BYTE)
/* A slot's share of a full xarray node: 576 bytes for 64 slots */
#define GMEM_SLOT_BYTES 9

void gmem_state_init(struct gmem_state_map *map, pgoff_t nr_pages,
		     enum gmem_state initial)
{
	xa_init_flags(&map->groups, XA_FLAGS_ACCOUNT);
	map->nr_pages = nr_pages;
	map->initial = initial;
	map->spare = (struct gmem_state_spare){};
	atomic64_set(&map->private_pages,
		     initial == GMEM_STATE_PRIVATE ? nr_pages : 0);
	atomic64_set(&map->bytes, 0);
}

/* Pages of a group; the last one of a file may have less. */
static unsigned long gmem_group_pages(struct gmem_state_map *map,
				      unsigned long group)
{
	return min(map->nr_pages - (group << GMEM_GROUP_SHIFT),
		   GMEM_GROUP_PAGES);
}

static unsigned int gmem_group_blocks(struct gmem_state_map *map,
				      unsigned long group)
{
	return DIV_ROUND_UP(gmem_group_pages(map, group), GMEM_BLOCK_PAGES);
}

/* Pages of a block of a group */
static unsigned int gmem_block_pages(struct gmem_state_map *map,
				     unsigned long group, unsigned int block)
{
	return min(gmem_group_pages(map, group) - block * GMEM_BLOCK_PAGES,
		   GMEM_BLOCK_PAGES);
}

static unsigned int gmem_block_of(pgoff_t index)
{
	return (index & (GMEM_GROUP_PAGES - 1)) >> GMEM_BLOCK_SHIFT;
}

static void gmem_spare_free(struct gmem_state_spare *spare)
{
	kfree(spare->blocks);
	kfree(spare->bitmap[0]);
	kfree(spare->bitmap[1]);
}

void gmem_state_destroy(struct gmem_state_map *map)
{
	unsigned long group;
	unsigned int i;
	void **blocks;

	xa_for_each(&map->groups, group, blocks) {
		if (xa_is_value(blocks))
			continue;
		for (i = 0; i < gmem_group_blocks(map, group); i++) {
			if (!xa_is_value(blocks[i]))
				kfree(blocks[i]);
		}
		kfree(blocks);
		cond_resched();
	}
	xa_destroy(&map->groups);
	gmem_spare_free(&map->spare);
}

u64 gmem_state_bytes(struct gmem_state_map *map)
{
	return atomic64_read(&map->bytes);
}

/*
 * The value or the bitmap that says what page @index is, and for how many
 * pages. Caller: RCU read lock.
 */
static void *gmem_state_entry(struct gmem_state_map *map, pgoff_t index,
			      unsigned long *pages)
{
	void **blocks = xa_load(&map->groups, index >> GMEM_GROUP_SHIFT);

	*pages = GMEM_GROUP_PAGES;
	if (!blocks)
		return xa_mk_value(map->initial);
	if (xa_is_value(blocks))
		return blocks;
	*pages = GMEM_BLOCK_PAGES;
	/* Pairs with smp_store_release() in gmem_block_set(). */
	return smp_load_acquire(&blocks[gmem_block_of(index)]);
}

static enum gmem_state gmem_entry_state(void *entry, pgoff_t index)
{
	if (xa_is_value(entry))
		return xa_to_value(entry);
	return test_bit(index & (GMEM_BLOCK_PAGES - 1), entry) ?
		       GMEM_STATE_PRIVATE : GMEM_STATE_SHARED;
}

/**
 * gmem_state_get() - state of a page
 * @map: the map
 * @index: the page, inside the file
 *
 * Context: any.
 * Return: its state, now.
 */
enum gmem_state gmem_state_get(struct gmem_state_map *map, pgoff_t index)
{
	enum gmem_state state;
	unsigned long pages;

	rcu_read_lock();
	state = gmem_entry_state(gmem_state_entry(map, index, &pages), index);
	rcu_read_unlock();
	return state;
}

/* First page at or after @index, in its block, whose state is not @state. */
static pgoff_t gmem_bitmap_run(unsigned long *bitmap, pgoff_t index,
			       enum gmem_state state)
{
	unsigned int bit = index & (GMEM_BLOCK_PAGES - 1);

	if (state == GMEM_STATE_PRIVATE)
		/* Concurrent changes of other pages are seen or not. */
		bit = data_race(find_next_zero_bit(bitmap, GMEM_BLOCK_PAGES,
						   bit));
	else
		/* As above */
		bit = data_race(find_next_bit(bitmap, GMEM_BLOCK_PAGES, bit));
	return ALIGN_DOWN(index, GMEM_BLOCK_PAGES) + bit;
}

/* As gmem_bitmap_run(), but for one entry of the map, which covers @pages pages. */
static pgoff_t gmem_entry_run(void *entry, unsigned long pages, pgoff_t index,
			      enum gmem_state state)
{
	if (!xa_is_value(entry))
		return gmem_bitmap_run(entry, index, state);
	return xa_to_value(entry) == state ? ALIGN(index + 1, pages) : index;
}

/**
 * gmem_state_run() - extent of the pages in the same state
 * @map: the map
 * @index: first page
 * @end: page after the range to look at, more than @index
 * @state: out: the state of @index
 *
 * Context: any for a few pages; may sleep for more than a thousand blocks.
 * Return: the first page after @index whose state differs, at most @end.
 */
pgoff_t gmem_state_run(struct gmem_state_map *map, pgoff_t index, pgoff_t end,
		       enum gmem_state *state)
{
	unsigned int steps = 0;
	pgoff_t first = index;
	unsigned long pages;
	pgoff_t next;
	void *entry;

	rcu_read_lock();
	entry = gmem_state_entry(map, index, &pages);
	*state = gmem_entry_state(entry, index);
	next = gmem_entry_run(entry, pages, index, *state);
	rcu_read_unlock();
	/* Continue as long as the run includes whole blocks. */
	while (next < end && next != index && !(next & (GMEM_BLOCK_PAGES - 1))) {
		index = next;
		rcu_read_lock();
		entry = gmem_state_entry(map, index, &pages);
		next = gmem_entry_run(entry, pages, index, *state);
		rcu_read_unlock();
		if (!(++steps % 1024))
			cond_resched();
	}
	/* At least @index itself: its state may have changed after it was read. */
	return clamp(next, first + 1, end);
}

/* Whether the change covers all pages of the group. */
static bool gmem_change_whole_group(struct gmem_state_map *map,
				    struct gmem_state_change *change,
				    unsigned long group)
{
	pgoff_t first = group << GMEM_GROUP_SHIFT;

	return change->start <= first &&
	       change->end >= first + gmem_group_pages(map, group);
}

/* Allocate a table and bitmaps for the first or last group, if it is changed in part. */
static int gmem_spare_alloc(struct gmem_state_map *map,
			    struct gmem_state_change *change,
			    unsigned long group, struct gmem_state_spare *spare)
{
	if (gmem_change_whole_group(map, change, group))
		return 0;
	/* Most often the memory that the last change has not used is enough. */
	xa_lock(&map->groups);
	*spare = map->spare;
	map->spare = (struct gmem_state_spare){};
	xa_unlock(&map->groups);

	if (!spare->blocks)
		spare->blocks = kmalloc_array(gmem_group_blocks(map, 0),
					      sizeof(*spare->blocks), GMEM_GFP);
	if (!spare->bitmap[0])
		spare->bitmap[0] = kmalloc(GMEM_BITMAP_BYTES, GMEM_GFP);
	if (!spare->bitmap[1])
		spare->bitmap[1] = kmalloc(GMEM_BITMAP_BYTES, GMEM_GFP);
	if (!spare->blocks || !spare->bitmap[0] || !spare->bitmap[1])
		return -ENOMEM;
	return 0;
}

/* Keep unused memory for the next change, or free it. */
static void gmem_spare_return(struct gmem_state_map *map,
			      struct gmem_state_spare *spare)
{
	/* Nothing is left, or nothing was allocated. */
	if (!spare->blocks && !spare->bitmap[0] && !spare->bitmap[1])
		return;
	xa_lock(&map->groups);
	if (!map->spare.blocks)
		swap(map->spare.blocks, spare->blocks);
	if (!map->spare.bitmap[0])
		swap(map->spare.bitmap[0], spare->bitmap[0]);
	if (!map->spare.bitmap[1])
		swap(map->spare.bitmap[1], spare->bitmap[1]);
	xa_unlock(&map->groups);
	gmem_spare_free(spare);
}

/**
 * gmem_state_reserve() - prepare a change of states
 * @map: the map
 * @change: start, end and target set
 *
 * Follow with gmem_state_apply() or gmem_state_cancel().
 *
 * Context: range lock held, may sleep.
 * Return: 0; or -ENOMEM, and then there is nothing to cancel.
 */
int gmem_state_reserve(struct gmem_state_map *map,
		       struct gmem_state_change *change)
{
	unsigned long group = change->start >> GMEM_GROUP_SHIFT;
	unsigned long last = (change->end - 1) >> GMEM_GROUP_SHIFT;
	int rc;

	memset(change->spare, 0, sizeof(change->spare));
	rc = gmem_spare_alloc(map, change, group, &change->spare[0]);
	if (!rc && last != group)
		rc = gmem_spare_alloc(map, change, last, &change->spare[1]);

	for (; !rc && group <= last; group++) {
		/* The entry of a whole group is removed if it gets the initial state. */
		if (change->target == map->initial &&
		    gmem_change_whole_group(map, change, group))
			continue;
		/* An existing entry is not removed before the change is applied. */
		if (!xa_load(&map->groups, group))
			rc = xa_reserve(&map->groups, group, GMEM_GFP);
		cond_resched();
	}
	if (rc)
		gmem_state_cancel(map, change);
	return rc;
}

/**
 * gmem_state_cancel() - give up a prepared change
 * @map: the map
 * @change: the change
 *
 * Context: range lock held, may sleep.
 */
void gmem_state_cancel(struct gmem_state_map *map,
		       struct gmem_state_change *change)
{
	unsigned long group = change->start >> GMEM_GROUP_SHIFT;

	for (; group <= (change->end - 1) >> GMEM_GROUP_SHIFT; group++) {
		/* Keep the slot of a partly covered group: another change may rely on it. */
		if (gmem_change_whole_group(map, change, group))
			xa_release(&map->groups, group);
		cond_resched();
	}
	gmem_spare_return(map, &change->spare[0]);
	gmem_spare_return(map, &change->spare[1]);
}

/*
 * Bits change a word at a time, with a single store: readers look at other bits
 * of the same word. Return: how many have changed.
 */
static unsigned int gmem_bitmap_assign(unsigned long *bitmap, unsigned int first,
				       unsigned int last, bool set)
{
	unsigned int bit, stop, changed = 0;
	unsigned long mask, old, new;

	for (bit = first; bit < last; bit = stop) {
		stop = min(round_down(bit, BITS_PER_LONG) + BITS_PER_LONG, last);
		mask = GENMASK((stop - 1) % BITS_PER_LONG, bit % BITS_PER_LONG);
		old = bitmap[BIT_WORD(bit)];
		new = set ? old | mask : old & ~mask;
		WRITE_ONCE(bitmap[BIT_WORD(bit)], new);
		changed += hweight_long(old ^ new);
	}
	return changed;
}

static unsigned int gmem_entry_private(void *entry, unsigned int pages)
{
	if (!xa_is_value(entry))
		return bitmap_weight(entry, pages);
	return xa_to_value(entry) == GMEM_STATE_PRIVATE ? pages : 0;
}

/* Replace the entry of a block. Return: the old bitmap, to be freed, or NULL. */
static void *gmem_block_set(struct gmem_state_map *map, void **slot, void *new)
{
	void *old = *slot;

	if (new == old)
		return NULL;
	/* Pairs with smp_load_acquire() in gmem_state_entry(). */
	smp_store_release(slot, new);
	if (!xa_is_value(new))
		atomic64_add(GMEM_BITMAP_BYTES, &map->bytes);
	if (xa_is_value(old))
		return NULL;
	atomic64_sub(GMEM_BITMAP_BYTES, &map->bytes);
	return old;
}

/* Change pages @first to @last of a block. Returns the bitmap to free, if any. */
static void *gmem_block_apply(struct gmem_state_map *map, void **slot,
			      unsigned int pages, unsigned int first,
			      unsigned int last, enum gmem_state target,
			      unsigned long **spare)
{
	bool private = target == GMEM_STATE_PRIVATE;
	void *new = *slot;
	void *unused;
	int count;

	if (xa_is_value(new) && xa_to_value(new) == target)
		return NULL;
	if (last - first == pages) {
		count = (private ? pages : 0) - gmem_entry_private(new, pages);
		new = xa_mk_value(target);
	} else {
		if (xa_is_value(new)) {
			memset(*spare, private ? 0 : 0xff, GMEM_BITMAP_BYTES);
			new = *spare;
			*spare = NULL;
		}
		count = gmem_bitmap_assign(new, first, last, private);
		count = private ? count : -count;
		if (private ? bitmap_full(new, pages) :
			      bitmap_empty(new, pages))
			new = xa_mk_value(target);
	}
	unused = gmem_block_set(map, slot, new);
	atomic64_add(count, &map->private_pages);
	return unused;
}

/* Change the entry of a group, whose slot exists: nothing is allocated. */
static void gmem_group_set(struct gmem_state_map *map, unsigned long group,
			   void *old, void *new)
{
	s64 table = gmem_group_blocks(map, group) * sizeof(void *);
	/* A single entry is stored in the head of the xarray. */
	s64 slot = map->nr_pages > GMEM_GROUP_PAGES ? GMEM_SLOT_BYTES : 0;
	s64 bytes = 0;

	lockdep_assert_held(&map->groups.xa_lock);
	if (new)
		__xa_store(&map->groups, group, new, GFP_NOWAIT);
	else
		__xa_erase(&map->groups, group);

	bytes += new ? slot : 0;
	bytes -= old ? slot : 0;
	bytes += new && !xa_is_value(new) ? table : 0;
	bytes -= old && !xa_is_value(old) ? table : 0;
	atomic64_add(bytes, &map->bytes);
}

/* Whether all blocks of a group have one state after the change of @block. */
static bool gmem_group_uniform(struct gmem_state_map *map, unsigned long group,
			       void **blocks, unsigned int block)
{
	unsigned int i;

	/* Most changes are of a few pages, so check the changed block first. */
	if (!xa_is_value(blocks[block]) || blocks[block] != blocks[0])
		return false;
	for (i = 0; i < gmem_group_blocks(map, group); i++) {
		if (!xa_is_value(blocks[i]) || blocks[i] != blocks[0])
			return false;
	}
	return true;
}

/*
 * Get the table of a group; if the group is uniform, fill in the spare one. Return: NULL if the
 * group has the target state already.
 */
static void **gmem_group_table(struct gmem_state_map *map, unsigned long group,
			       struct gmem_state_change *change,
			       struct gmem_state_spare *spare)
{
	void *entry = xa_load(&map->groups, group);
	void *value = entry ? entry : xa_mk_value(map->initial);
	void **blocks = spare->blocks;
	unsigned int i;

	if (!xa_is_value(value))
		return entry;
	if (xa_to_value(value) == change->target)
		return NULL;
	for (i = 0; i < gmem_group_blocks(map, group); i++)
		blocks[i] = value;
	gmem_group_set(map, group, entry, blocks);
	spare->blocks = NULL;
	return blocks;
}

/* Memory to be freed after a grace period, because readers may still use it. */
struct gmem_state_unused {
	void *bitmap;
	void *blocks;
};

static void gmem_unused_free(struct gmem_state_unused *unused)
{
	if (unused->bitmap)
		kvfree_rcu_mightsleep(unused->bitmap);
	if (unused->blocks)
		kvfree_rcu_mightsleep(unused->blocks);
}

/* Change the part of a block that the change covers. */
static void gmem_change_block(struct gmem_state_map *map,
			      struct gmem_state_change *change,
			      unsigned long group, unsigned int block,
			      struct gmem_state_spare *spare)
{
	pgoff_t base = (group << GMEM_GROUP_SHIFT) + block * GMEM_BLOCK_PAGES;
	unsigned int pages = gmem_block_pages(map, group, block);
	unsigned int first = max(change->start, base) - base;
	struct gmem_state_unused unused = {};
	void **blocks;

	xa_lock(&map->groups);
	blocks = gmem_group_table(map, group, change, spare);
	if (blocks)
		unused.bitmap = gmem_block_apply(map, &blocks[block], pages,
						 first,
						 min(change->end, base + pages) - base,
						 change->target,
						 &spare->bitmap[!first]);
	if (blocks && gmem_group_uniform(map, group, blocks, block)) {
		gmem_group_set(map, group, blocks, blocks[0]);
		unused.blocks = blocks;
	}
	xa_unlock(&map->groups);
	gmem_unused_free(&unused);
}

/* Free the table of a group that has become uniform. Return: its private pages. */
static unsigned long gmem_table_free(struct gmem_state_map *map,
				     unsigned long group, void **blocks)
{
	struct gmem_state_unused unused = { .blocks = blocks };
	unsigned long private = 0;
	unsigned int i;

	for (i = 0; i < gmem_group_blocks(map, group); i++) {
		private += gmem_entry_private(blocks[i],
					      gmem_block_pages(map, group, i));
		if (xa_is_value(blocks[i]))
			continue;
		atomic64_sub(GMEM_BITMAP_BYTES, &map->bytes);
		kvfree_rcu_mightsleep(blocks[i]);
	}
	gmem_unused_free(&unused);
	return private;
}

/* Change a whole group. The caller's range lock covers it, so nobody else changes it. */
static void gmem_change_group(struct gmem_state_map *map,
			      struct gmem_state_change *change,
			      unsigned long group)
{
	unsigned long pages = gmem_group_pages(map, group);
	void *new = change->target == map->initial ?
			    NULL : xa_mk_value(change->target);
	s64 private;
	void *old;

	xa_lock(&map->groups);
	old = xa_load(&map->groups, group);
	gmem_group_set(map, group, old, new);
	xa_unlock(&map->groups);

	if (old && !xa_is_value(old))
		private = gmem_table_free(map, group, old);
	else
		private = gmem_entry_private(old ? old : xa_mk_value(map->initial),
					     pages);
	atomic64_add((change->target == GMEM_STATE_PRIVATE ? pages : 0) - private,
		     &map->private_pages);
}

static void gmem_change_blocks(struct gmem_state_map *map,
			       struct gmem_state_change *change,
			       unsigned long group,
			       struct gmem_state_spare *spare)
{
	pgoff_t base = group << GMEM_GROUP_SHIFT;
	pgoff_t first = max(change->start, base);
	pgoff_t last = min(change->end, base + gmem_group_pages(map, group)) - 1;
	unsigned int block;

	for (block = gmem_block_of(first); block <= gmem_block_of(last); block++) {
		gmem_change_block(map, change, group, block, spare);
		cond_resched();
	}
}

/**
 * gmem_state_apply() - make a prepared change
 * @map: the map
 * @change: the change
 *
 * Context: range lock held, may sleep.
 */
void gmem_state_apply(struct gmem_state_map *map,
		      struct gmem_state_change *change)
{
	unsigned long first = change->start >> GMEM_GROUP_SHIFT;
	unsigned long last = (change->end - 1) >> GMEM_GROUP_SHIFT;
	unsigned long group;

	for (group = first; group <= last; group++) {
		if (gmem_change_whole_group(map, change, group))
			gmem_change_group(map, change, group);
		else
			gmem_change_blocks(map, change, group,
					   &change->spare[group != first]);
		cond_resched();
	}
	gmem_spare_return(map, &change->spare[0]);
	gmem_spare_return(map, &change->spare[1]);
}
