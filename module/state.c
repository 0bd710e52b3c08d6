// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the state map
 *
 * Shared or private, for each page of a file, in two levels: an xarray by block
 * of GMEM_BLOCK_PAGES, whose entries are a value (the block is uniform) or a
 * bitmap (it is mixed). A block that was never touched has no entry and is in
 * the initial state. In the worst case, every page unlike its neighbour, a page
 * costs one bit of bitmap and its share of an xarray slot: 1.14 bits.
 *
 * Readers need no lock: entries are looked up under RCU, and single bits of a
 * bitmap are read while other bits change. Whoever changes a page holds the
 * range lock over it (range.c). A change is made in two steps: reserve all the
 * memory it may need, then apply, which cannot fail.
 *
 * Two changes of different pages of one block may be under way together. So the
 * slot of a block that is changed in part is never given back, and each change
 * brings the bitmap it may need: what the block looks like when it is applied
 * is not known when memory is reserved.
 *
 * Locks: the lock of the xarray, innermost.
 */
#include <linux/bitmap.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

#define GMEM_BITMAP_BYTES (GMEM_BLOCK_PAGES / BITS_PER_BYTE)
/* A slot's share of a full xarray node: 576 bytes for 64 slots */
#define GMEM_ENTRY_BYTES 9

void gmem_state_init(struct gmem_state_map *map, pgoff_t nr_pages,
		     enum gmem_state initial)
{
	xa_init_flags(&map->blocks, XA_FLAGS_ACCOUNT);
	map->nr_pages = nr_pages;
	map->initial = initial;
	atomic64_set(&map->private_pages,
		     initial == GMEM_STATE_PRIVATE ? nr_pages : 0);
	atomic64_set(&map->bitmaps, 0);
	atomic64_set(&map->entries, 0);
}

void gmem_state_destroy(struct gmem_state_map *map)
{
	unsigned long block;
	void *entry;

	xa_for_each(&map->blocks, block, entry) {
		if (!xa_is_value(entry))
			kfree(entry);
		cond_resched();
	}
	xa_destroy(&map->blocks);
}

u64 gmem_state_bytes(struct gmem_state_map *map)
{
	return atomic64_read(&map->bitmaps) * GMEM_BITMAP_BYTES +
	       atomic64_read(&map->entries) * GMEM_ENTRY_BYTES;
}

/* Pages of a block; the last one of a file may have less. */
static unsigned int gmem_block_len(struct gmem_state_map *map,
				   unsigned long block)
{
	return min(map->nr_pages - (block << GMEM_BLOCK_SHIFT),
		   GMEM_BLOCK_PAGES);
}

/* State of a page, given its block's entry. Caller: RCU read lock or xa_lock. */
static enum gmem_state gmem_entry_state(struct gmem_state_map *map, void *entry,
					unsigned int bit)
{
	if (!entry)
		return map->initial;
	if (xa_is_value(entry))
		return xa_to_value(entry);
	return test_bit(bit, entry) ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED;
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

	rcu_read_lock();
	state = gmem_entry_state(map,
				 xa_load(&map->blocks, index >> GMEM_BLOCK_SHIFT),
				 index & (GMEM_BLOCK_PAGES - 1));
	rcu_read_unlock();
	return state;
}

/* First page at or after @index, in its block, whose state is not @state. */
static pgoff_t gmem_block_run(unsigned long *bitmap, pgoff_t index,
			      enum gmem_state state)
{
	unsigned int bit = index & (GMEM_BLOCK_PAGES - 1);

	/* Racing changes of other pages are reported as before or as after. */
	if (state == GMEM_STATE_PRIVATE)
		bit = data_race(find_next_zero_bit(bitmap, GMEM_BLOCK_PAGES,
						   bit));
	else
		bit = data_race(find_next_bit(bitmap, GMEM_BLOCK_PAGES, bit));
	return ALIGN_DOWN(index, GMEM_BLOCK_PAGES) + bit;
}

/* As gmem_block_run(), for whatever the entry is; skips a gap as a whole. */
static pgoff_t gmem_entry_run(struct gmem_state_map *map, pgoff_t index,
			      pgoff_t end, enum gmem_state state)
{
	unsigned long block = index >> GMEM_BLOCK_SHIFT;
	void *entry = xa_load(&map->blocks, block);

	if (entry && !xa_is_value(entry))
		return gmem_block_run(entry, index, state);
	if (gmem_entry_state(map, entry, 0) != state)
		return index;
	if (!entry && !xa_find(&map->blocks, &block,
			       (end - 1) >> GMEM_BLOCK_SHIFT, XA_PRESENT))
		return end;
	/* An entry, or one that came since xa_load(): look at it as it was. */
	if (entry || block == index >> GMEM_BLOCK_SHIFT)
		block = (index >> GMEM_BLOCK_SHIFT) + 1;
	return block << GMEM_BLOCK_SHIFT;
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
	unsigned int blocks = 0;
	pgoff_t next;

	*state = gmem_state_get(map, index);
	for (next = index; next < end; index = next) {
		rcu_read_lock();
		next = gmem_entry_run(map, index, end, *state);
		rcu_read_unlock();
		/* Stopped inside the block, or at its first page. */
		if (next == index || next & (GMEM_BLOCK_PAGES - 1))
			break;
		if (!(++blocks % 1024))
			cond_resched();
	}
	return min(next, end);
}

/* Whether the change covers all pages that the block has. */
static bool gmem_change_whole_block(struct gmem_state_map *map,
				    struct gmem_state_change *change,
				    unsigned long block)
{
	pgoff_t first = block << GMEM_BLOCK_SHIFT;

	return change->start <= first &&
	       change->end >= first + gmem_block_len(map, block);
}

static int gmem_state_reserve_spare(struct gmem_state_map *map,
				    struct gmem_state_change *change)
{
	unsigned long block[2] = {
		change->start >> GMEM_BLOCK_SHIFT,
		(change->end - 1) >> GMEM_BLOCK_SHIFT,
	};
	int i;

	for (i = 0; i < 2; i++) {
		if (gmem_change_whole_block(map, change, block[i]))
			continue;
		if (i && block[0] == block[1])
			continue;
		change->spare[i] = kmalloc(GMEM_BITMAP_BYTES,
					   GFP_KERNEL_ACCOUNT);
		if (!change->spare[i])
			return -ENOMEM;
	}
	return 0;
}

static void gmem_state_free_spare(struct gmem_state_change *change)
{
	kfree(change->spare[0]);
	kfree(change->spare[1]);
	change->spare[0] = NULL;
	change->spare[1] = NULL;
}

/**
 * gmem_state_reserve() - prepare a change of states
 * @map: the map
 * @change: start, end and target set
 *
 * Follow with gmem_state_apply() or gmem_state_cancel().
 *
 * Context: range lock held, may sleep.
 * Return: 0, -ENOMEM, or -EINTR when a fatal signal came in between; nothing
 * is left to undo then.
 */
int gmem_state_reserve(struct gmem_state_map *map,
		       struct gmem_state_change *change)
{
	unsigned long block = change->start >> GMEM_BLOCK_SHIFT;
	int rc;

	change->spare[0] = NULL;
	change->spare[1] = NULL;
	rc = gmem_state_reserve_spare(map, change);

	for (; !rc && block <= (change->end - 1) >> GMEM_BLOCK_SHIFT; block++) {
		/* A whole block that goes back to initial loses its entry. */
		if (change->target == map->initial &&
		    gmem_change_whole_block(map, change, block))
			continue;
		rc = xa_reserve(&map->blocks, block, GFP_KERNEL_ACCOUNT);
		if (!rc && fatal_signal_pending(current))
			rc = -EINTR;
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
	unsigned long block = change->start >> GMEM_BLOCK_SHIFT;

	for (; block <= (change->end - 1) >> GMEM_BLOCK_SHIFT; block++) {
		/* Another change may count on the slot of a block in part. */
		if (gmem_change_whole_block(map, change, block))
			xa_release(&map->blocks, block);
		cond_resched();
	}
	gmem_state_free_spare(change);
}

static unsigned int gmem_entry_private(struct gmem_state_map *map, void *entry,
				       unsigned int len)
{
	if (entry && !xa_is_value(entry))
		return bitmap_weight(entry, len);
	return gmem_entry_state(map, entry, 0) == GMEM_STATE_PRIVATE ? len : 0;
}

/*
 * Bits change a word at a time, with a single store: readers look at other bits
 * of the same word.
 */
static void gmem_bitmap_assign(unsigned long *bitmap, unsigned int first,
			       unsigned int last, bool set)
{
	unsigned int bit, stop;
	unsigned long mask;

	for (bit = first; bit < last; bit = stop) {
		stop = min(round_down(bit, BITS_PER_LONG) + BITS_PER_LONG, last);
		mask = GENMASK((stop - 1) % BITS_PER_LONG, bit % BITS_PER_LONG);
		if (set)
			mask |= bitmap[BIT_WORD(bit)];
		else
			mask = bitmap[BIT_WORD(bit)] & ~mask;
		WRITE_ONCE(bitmap[BIT_WORD(bit)], mask);
	}
}

/* The entry of a block after pages @first to @last of it have changed. */
static void *gmem_entry_change(struct gmem_state_map *map, void *entry,
			       unsigned int len, unsigned int first,
			       unsigned int last, enum gmem_state target,
			       unsigned long **spare)
{
	bool private = target == GMEM_STATE_PRIVATE;

	if (last - first == len)
		return xa_mk_value(target);

	if (!entry || xa_is_value(entry)) {
		enum gmem_state old = gmem_entry_state(map, entry, 0);

		if (old == target)
			return xa_mk_value(target);
		memset(*spare, old == GMEM_STATE_PRIVATE ? 0xff : 0,
		       GMEM_BITMAP_BYTES);
		entry = *spare;
		*spare = NULL;
	}
	gmem_bitmap_assign(entry, first, last, private);
	if (private ? bitmap_full(entry, len) : bitmap_empty(entry, len))
		return xa_mk_value(target);
	return entry;
}

static void gmem_state_account(struct gmem_state_map *map, void *old, void *new,
			       int private)
{
	atomic64_add(private, &map->private_pages);
	atomic64_add(!!new - !!old, &map->entries);
	atomic64_add((new && !xa_is_value(new)) - (old && !xa_is_value(old)),
		     &map->bitmaps);
}

/* Change one block; returns the bitmap that is no longer used, if any. */
static void *gmem_block_apply(struct gmem_state_map *map, unsigned long block,
			      struct gmem_state_change *change,
			      unsigned long **spare)
{
	pgoff_t base = block << GMEM_BLOCK_SHIFT;
	unsigned int len = gmem_block_len(map, block);
	unsigned int first = max(change->start, base) - base;
	unsigned int last = min(change->end, base + len) - base;
	bool erase = change->target == map->initial && last - first == len;
	void *old, *new;
	int private;

	xa_lock(&map->blocks);
	old = xa_load(&map->blocks, block);
	private = -(int)gmem_entry_private(map, old, len);
	new = gmem_entry_change(map, old, len, first, last, change->target,
				spare);
	private += gmem_entry_private(map, new, len);
	if (erase) {
		__xa_erase(&map->blocks, block);
		new = NULL;
	} else if (new != old) {
		/* The slot exists, so that nothing is allocated. */
		__xa_store(&map->blocks, block, new, GFP_NOWAIT);
	}
	gmem_state_account(map, old, new, private);
	xa_unlock(&map->blocks);

	return old && !xa_is_value(old) && old != new ? old : NULL;
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
	unsigned long first = change->start >> GMEM_BLOCK_SHIFT;
	unsigned long last = (change->end - 1) >> GMEM_BLOCK_SHIFT;
	unsigned long block;
	void *unused;

	for (block = first; block <= last; block++) {
		unused = gmem_block_apply(map, block, change,
					  &change->spare[block != first]);
		/* Readers may be looking at it; they pair with the RCU read lock. */
		if (unused)
			kvfree_rcu_mightsleep(unused);
		cond_resched();
	}
	gmem_state_free_spare(change);
}
