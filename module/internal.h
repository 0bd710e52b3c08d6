/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _GMEM_INTERNAL_H
#define _GMEM_INTERNAL_H

#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "compat.h"
#include "include/linux/gmem.h"

/* 16 TiB */
#define GMEM_MAX_LENGTH BIT_ULL(44)

#define GMEM_CREATE_VALID_MASK						\
	(GMEM_CREATE_F_INIT_SHARED | GMEM_CREATE_F_NODE |		\
	 GMEM_CREATE_F_GUEST_CONSENT)
#define GMEM_CONVERT_VALID_MASK						\
	(GMEM_CONVERT_F_RANGES | GMEM_CONVERT_F_EVENT)
#define GMEM_HOLDER_VALID_MASK GMEM_HOLDER_F_MAPPED

/*
 * For structures that an ioctl allocates. It can return -ENOMEM, so the OOM killer is not
 * invoked for a memory cgroup at its limit.
 */
#define GMEM_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL)

/* For the pages themselves, which are charged like other page cache. */
#define GMEM_FOLIO_GFP GFP_HIGHUSER

/* The longest run that a conversion works on at once: 128 MiB */
#define GMEM_RUN_PAGES (1UL << 15)

/* The state map: 2 MiB and 1 GiB of 4 KiB pages */
#define GMEM_BLOCK_SHIFT 9
#define GMEM_BLOCK_PAGES BIT(GMEM_BLOCK_SHIFT)
#define GMEM_GROUP_SHIFT 18

/**
 * struct gmem_state_spare - memory that a group needs if it becomes mixed
 * @blocks: the table
 * @bitmap: for the first and the last block of a change, if partly covered
 */
struct gmem_state_spare {
	void **blocks;
	unsigned long *bitmap[2];
};

/**
 * struct gmem_state_map - the state of every page of a file
 * @groups: by group number: absent (@initial), a value (uniform), or a table of
 *	blocks, whose entries are a value or a bitmap, set for private
 * @spare: memory for the next change; protected by the lock of @groups
 * @nr_pages: pages of the file
 * @initial: state of a page that was never converted
 * @private_pages: pages in state private
 * @bytes: memory of slots, tables and bitmaps
 */
struct gmem_state_map {
	struct xarray groups;
	struct gmem_state_spare spare;
	pgoff_t nr_pages;
	enum gmem_state initial;
	atomic64_t private_pages;
	atomic64_t bytes;
};

/**
 * struct gmem_state_change - a change of states whose memory is reserved
 * @start: first page
 * @end: page after the range
 * @target: the new state
 * @spare: memory for the first and the last group of the range
 */
struct gmem_state_change {
	pgoff_t start;
	pgoff_t end;
	enum gmem_state target;
	struct gmem_state_spare spare[2];
};

/**
 * struct gmem_span - a range of pages
 * @start: first page
 * @end: page after it
 */
struct gmem_span {
	pgoff_t start;
	pgoff_t end;
};

/* A file of any size has this number of gates; its blocks share them. */
#define GMEM_NR_GATES 32
#define GMEM_ALL_GATES GENMASK(GMEM_NR_GATES - 1, 0)

/**
 * struct gmem_gate - gate of the page faults and look-ups of some blocks, see gate.c
 * @lock: held shared during the look-up of a page; taken exclusively for a moment to shut
 *	the gate, and to punch a hole
 * @shut: number of ranges that hold off page faults of some of these blocks
 * @wait: page faults that are held off, and tasks that wait for a look-up to end
 * @faults: page faults that gave a page
 * @lookups_lock: for @lookups
 * @lookups: every struct gmem_lookup in flight
 */
struct gmem_gate {
	struct rw_semaphore lock;
	atomic_t shut;
	wait_queue_head_t wait;
	atomic64_t faults;
	spinlock_t lookups_lock;
	struct list_head lookups;
} ____cacheline_aligned_in_smp;

/**
 * struct gmem_range_lock - ranges of pages that one operation locks
 * @node: in &gmem_ranges.tree
 * @subtree_last: for the interval tree
 * @start: first page
 * @end: page after the last
 * @spans: the ranges, ascending and disjoint
 * @nr_spans: number of @spans, at least one
 * @span: storage of @spans if there is only one
 * @ticket: order of arrival
 * @before: number of earlier overlapping entries; the lock is held when it is 0
 * @wait: the holder's task waits here until @before or @waiters is 0
 * @wanted: number of urgent tasks that wait for a part of it; the holder hurries
 * @urgent: the task of this lock is urgent
 * @gives_way: a page fault waits whose caller keeps mmap_lock; a conversion does not wait
 *	for references then
 * @transit: page faults in the ranges wait
 * @gates: the gates that are or were shut for @transit
 * @waiters: page faults that have waited for @transit to end and have not
 *	returned since
 * @in_store: the holder is in a call of a hypervisor, which may take its own locks
 * @store_call: jiffies of that call
 */
struct gmem_range_lock {
	struct rb_node node;
	pgoff_t subtree_last;
	pgoff_t start;
	pgoff_t end;
	const struct gmem_span *spans;
	unsigned int nr_spans;
	struct gmem_span span;
	u64 ticket;
	unsigned int before;
	wait_queue_head_t wait;
	unsigned int wanted;
	bool urgent;
	bool gives_way;
	bool transit;
	unsigned long gates;
	unsigned int waiters;
	bool in_store;
	unsigned long store_call;
};

/**
 * struct gmem_ranges - the locked ranges of a file
 * @lock: protects the other members, and the variable members of the ranges
 * @tree: every struct gmem_range_lock, held or waited for
 * @tickets: the last ticket
 * @handing: number of ranges that are kept for page faults that have waited
 */
struct gmem_ranges {
	spinlock_t lock;
	struct rb_root_cached tree;
	u64 tickets;
	unsigned int handing;
};

/**
 * struct gmem_watches - eventfds that wait until pages are no longer held
 * @lock: protects the other members
 * @list: started struct gmem_watch
 * @nr: number of watches, including those not started
 * @work: checks the pages
 */
struct gmem_watches {
	struct mutex lock;
	struct list_head list;
	unsigned int nr;
	struct delayed_work work;
};

/**
 * struct gmem_views - the views of a file, see view.c
 * @mapping: has the VMAs of all views, and no pages
 * @lock: protects the following members
 * @list: struct gmem_view, one for each open view fd
 * @mappings: struct gmem_view_mapping by page index
 * @nr: entries of @list
 * @nr_mappings: entries of @mappings
 */
struct gmem_views {
	struct address_space mapping;
	struct rw_semaphore lock;
	struct list_head list;
	struct rb_root_cached mappings;
	unsigned int nr;
	unsigned int nr_mappings;
};

/**
 * struct gmem_view - an open view fd
 * @node: in &gmem_views.list
 * @memory: the gmem file, with a reference
 * @mm: the only address space that may use it
 * @fault_ops: handles GMEM_IOCTL_VIEW_FAULT, with a reference to its module; or NULL
 * @start: first page
 * @end: page after the range
 */
struct gmem_view {
	struct list_head node;
	struct file *memory;
	struct mm_struct *mm;
	const struct gmem_ops *fault_ops;
	pgoff_t start;
	pgoff_t end;
};

/**
 * struct gmem_view_mapping - a mapping of a view
 * @node: in &gmem_views.mappings
 * @subtree_last: for the interval tree
 * @start: first page
 * @last: last page
 * @vma: the VMA, which cannot change
 * @huge_lock: for @huge and @filler
 * @huge: the block that is being mapped by one entry
 * @filler: the task that maps it
 */
struct gmem_view_mapping {
	struct rb_node node;
	unsigned long subtree_last;
	unsigned long start;
	unsigned long last;
	struct vm_area_struct *vma;
	struct mutex huge_lock;
	struct gmem_fill *huge;
	struct task_struct *filler;
};

/**
 * struct gmem_counters - what GMEM_IOCTL_STAT reports
 * @faults_refused: page faults that ended in SIGBUS
 * @faults_waited: page faults that waited for a conversion
 * @to_private: successful conversions to private
 * @to_shared: successful conversions to shared
 * @refused: failed conversions
 * @drains: drains of the per-CPU LRU batches
 * @moved: pages moved by bindings that are gone
 * @view_pages: pages mapped in views
 * @view_refills: those of @view_pages mapped by a conversion, a commit or a hole
 * @view_faults: faults of vCPUs that were reported to userspace
 */
struct gmem_counters {
	atomic64_t faults_refused;
	atomic64_t faults_waited;
	atomic64_t to_private;
	atomic64_t to_shared;
	atomic64_t refused;
	atomic64_t drains;
	atomic64_t moved;
	atomic64_t view_pages;
	atomic64_t view_refills;
	atomic64_t view_faults;
};

/**
 * struct gmem_inode - guest memory
 * @vfs_inode: page cache, size, owner
 * @state: shared or private, for each page
 * @ranges: ranges being converted, committed, decommitted or bound
 * @gates: hold off page faults in those ranges
 * @bindings: struct gmem_binding by page index
 * @policies: memory policies by page index, see policy.c
 * @policies_lock: held to change them
 * @nr_policies: ranges with a policy
 * @poison: pages whose memory has failed, see poison.c
 * @nr_poisoned: number of entries of @poison
 * @watches: eventfds that wait for held pages
 * @views: mappings for KVM alone
 * @last_binding: id of the newest binding
 * @name: for people
 * @counters: statistics
 * @live: in the list of all inodes, for debugfs
 * @create_flags: GMEM_CREATE_F_*
 * @node: NUMA node of new pages, or NUMA_NO_NODE
 */
struct gmem_inode {
	struct inode vfs_inode;
	struct gmem_state_map state;
	struct gmem_ranges ranges;
	struct gmem_gate gates[GMEM_NR_GATES];
	struct maple_tree bindings;
	struct maple_tree policies;
	struct mutex policies_lock;
	int nr_policies;
	struct xarray poison;
	atomic_t nr_poisoned;
	struct gmem_watches watches;
	struct gmem_views views;
	atomic64_t last_binding;
	char name[GMEM_NAME_MAX];
	struct gmem_counters counters;
	struct list_head live;
	u32 create_flags;
	int node;
};

static inline struct gmem_inode *GMEM_I(struct inode *inode)
{
	return container_of(inode, struct gmem_inode, vfs_inode);
}

static inline struct gmem_inode *gmem_from_file(struct file *file)
{
	return GMEM_I(file_inode(file));
}

static inline struct gmem_inode *gmem_from_binding(struct gmem_binding *binding)
{
	return GMEM_I(binding->mapping->host);
}

/**
 * struct gmem_ucmd - the arguments of an ioctl
 * @cmd: kernel copy of the structure
 * @ubuffer: the structure in user memory
 * @user_size: its size there
 * @kernel_size: its size here
 */
struct gmem_ucmd {
	void *cmd;
	void __user *ubuffer;
	u32 user_size;
	u32 kernel_size;
};

/**
 * struct gmem_ioctl_op - how to call the handler of an ioctl
 * @size: of the structure
 * @min_size: of its first version
 * @fn: the handler
 */
struct gmem_ioctl_op {
	u32 size;
	u32 min_size;
	long (*fn)(struct file *file, struct gmem_ucmd *ucmd);
};

#define GMEM_IOCTL_OP(_nr, _fn, _struct, _last)				\
	[(_nr) - GMEM_CMD_BASE] = {					\
		.size = sizeof(struct _struct),				\
		.min_size = offsetofend(struct _struct, _last),		\
		.fn = (_fn),						\
	}

struct seq_file;

/* ioctl.c */
long gmem_ioctl_dispatch(struct file *file, unsigned int cmd, unsigned long arg,
			 const struct gmem_ioctl_op *ops, unsigned int nr_ops);
int gmem_ucmd_respond(const struct gmem_ucmd *ucmd);
int gmem_ucmd_range(struct gmem_inode *gi, u64 offset, u64 length,
		    pgoff_t *start, pgoff_t *end);

/* chardev.c */
int gmem_chardev_init(void);
void gmem_chardev_exit(void);

/* inode.c */
int gmem_inode_init(void);
void gmem_inode_exit(void);
int gmem_file_release(struct inode *inode, struct file *file);
int gmem_inode_bar(void);
void gmem_inode_unbar(void);
void gmem_inode_for_each(void (*fn)(struct gmem_inode *gi, void *data),
			 void *data);

/* file.c */
extern const struct file_operations gmem_file_fops;

/* fault.c */
extern const struct vm_operations_struct gmem_vm_ops;

/*
 * Record the CPU that has allocated a folio: a batch of this CPU may refer to it. The number
 * is in ->private, which belongs to the owner of the page cache. It is a hint.
 */
static inline void gmem_folio_set_cpu(struct folio *folio, int cpu)
{
	WRITE_ONCE(folio->private, (void *)(unsigned long)(cpu + 1));
}

static inline int gmem_folio_cpu(const struct folio *folio)
{
	return (int)(unsigned long)READ_ONCE(folio->private) - 1;
}

/*
 * References to a folio besides those of page tables. If the caller has no reference, the
 * result is a guess: the folio can be freed and reused, even as a part of a larger folio. So
 * this function does not use the folio's type.
 */
static inline int gmem_folio_surplus(struct folio *folio)
{
	return page_ref_count(&folio->page) -
	       (atomic_read(&folio->_mapcount) + 1);
}

/* Jiffies until a deadline of ktime_get(), rounded up. */
static inline long gmem_jiffies_left(ktime_t deadline)
{
	s64 ms = ktime_ms_delta(deadline, ktime_get());

	return ms < 0 ? 0 : msecs_to_jiffies(ms) + 1;
}

/* folio.c */
struct folio *gmem_folio_find(struct gmem_inode *gi, pgoff_t index, gfp_t gfp);
struct folio *gmem_folio_grab(struct gmem_inode *gi, pgoff_t index, gfp_t gfp);
int gmem_folio_add(struct gmem_inode *gi, struct folio *folio, pgoff_t index,
		   gfp_t gfp);
void gmem_folio_publish(struct folio *folio);
bool gmem_folios_have_contents(struct address_space *mapping, pgoff_t start,
			       pgoff_t end);

/**
 * gmem_folio_next() - find the next populated page
 * @mapping: page cache to look in
 * @index: in: where to start, out: the page found
 * @end: page after the range to look in
 *
 * Return: whether there is one.
 */
static inline bool gmem_folio_next(struct address_space *mapping,
				   pgoff_t *index, pgoff_t end)
{
	void *entry = NULL;

	if (*index < end)
		entry = xa_find(&mapping->i_pages, index, end - 1, XA_PRESENT);
	/* Nothing is ever swapped or reclaimed: a value would not be ours. */
	return entry && !xa_is_value(entry);
}

/* block.c */
void gmem_block_alloc(struct gmem_inode *gi, const struct gmem_range_lock *range,
		      pgoff_t start);

/* poison.c */
int gmem_error_remove_folio(struct address_space *mapping, struct folio *folio);
bool gmem_poison_next(struct gmem_inode *gi, pgoff_t *index, pgoff_t end);
void gmem_poison_clear(struct gmem_inode *gi, pgoff_t start, pgoff_t end);

/* policy.c */
int gmem_policy_set(struct vm_area_struct *vma, struct mempolicy *mpol);
struct folio *gmem_policy_alloc(struct gmem_inode *gi, pgoff_t index,
				gfp_t gfp);

/* The part of a range whose pages still have to be mapped in views again. */
enum gmem_refill {
	GMEM_REFILL_DONE,
	GMEM_REFILL_ENDS,
	GMEM_REFILL_ALL,
};

/* view.c and fill.c: only where page tables have entries that only KVM can use */
#ifdef CONFIG_X86_64
void gmem_views_init_once(struct gmem_views *views);
struct gmem_view_mapping *gmem_views_next(struct gmem_inode *gi,
					  struct gmem_view_mapping *mapping,
					  pgoff_t start, pgoff_t end);
void gmem_views_zap(struct gmem_inode *gi, pgoff_t start, pgoff_t end);
bool gmem_views_overlap(struct gmem_inode *gi, pgoff_t start, pgoff_t end);
bool gmem_views_are_mine(struct gmem_inode *gi, pgoff_t start, pgoff_t end);
long gmem_ioctl_view(struct file *file, struct gmem_ucmd *ucmd);
vm_fault_t gmem_fill_huge_fault(struct vm_fault *vmf, unsigned int order);
void gmem_views_refill(struct gmem_inode *gi, pgoff_t start, pgoff_t end, bool whole);
enum gmem_refill gmem_views_refill_held(struct gmem_inode *gi,
					const struct gmem_range_lock *range,
					pgoff_t start, pgoff_t end);
long gmem_ioctl_view_populate(struct file *file, struct gmem_ucmd *ucmd);
#else
static inline void gmem_views_init_once(struct gmem_views *views)
{
}

static inline void gmem_views_zap(struct gmem_inode *gi, pgoff_t start,
				  pgoff_t end)
{
}

static inline bool gmem_views_overlap(struct gmem_inode *gi, pgoff_t start,
				      pgoff_t end)
{
	return false;
}

static inline bool gmem_views_are_mine(struct gmem_inode *gi, pgoff_t start,
				       pgoff_t end)
{
	return true;
}

static inline void gmem_views_refill(struct gmem_inode *gi, pgoff_t start,
				     pgoff_t end, bool whole)
{
}

static inline enum gmem_refill gmem_views_refill_held(struct gmem_inode *gi,
						      const struct gmem_range_lock *range,
						      pgoff_t start, pgoff_t end)
{
	return GMEM_REFILL_DONE;
}

static inline long gmem_ioctl_view(struct file *file, struct gmem_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}
#endif

/* Whether a view is mapped: KVM can then take short references to pages. */
static inline bool gmem_views_mapped(const struct gmem_inode *gi)
{
	return READ_ONCE(gi->views.nr_mappings);
}

/* fallocate.c */
int gmem_commit(struct gmem_inode *gi, const struct gmem_range_lock *range,
		pgoff_t *start, pgoff_t end);
long gmem_file_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
loff_t gmem_file_llseek(struct file *file, loff_t offset, int whence);

/* state.c */
void gmem_state_init(struct gmem_state_map *map, pgoff_t nr_pages,
		     enum gmem_state initial);
void gmem_state_destroy(struct gmem_state_map *map);
enum gmem_state gmem_state_get(struct gmem_state_map *map, pgoff_t index);
pgoff_t gmem_state_run(struct gmem_state_map *map, pgoff_t index, pgoff_t end,
		       enum gmem_state *state);
int gmem_state_reserve(struct gmem_state_map *map,
		       struct gmem_state_change *change);
void gmem_state_apply(struct gmem_state_map *map,
		      struct gmem_state_change *change);
void gmem_state_cancel(struct gmem_state_map *map,
		       struct gmem_state_change *change);
u64 gmem_state_bytes(struct gmem_state_map *map);

/* range.c */
void gmem_ranges_init(struct gmem_ranges *ranges);
void gmem_range_init(struct gmem_range_lock *range, pgoff_t start, pgoff_t end);
void gmem_range_init_spans(struct gmem_range_lock *range,
			   const struct gmem_span *spans, unsigned int nr);
int gmem_range_lock(struct gmem_inode *gi, struct gmem_range_lock *range);
void gmem_range_lock_wait(struct gmem_inode *gi, struct gmem_range_lock *range);
int gmem_range_lock_urgent(struct gmem_inode *gi, struct gmem_range_lock *range);
void gmem_range_hold_faults(struct gmem_inode *gi,
			    struct gmem_range_lock *range);
void gmem_range_enter_store(struct gmem_inode *gi,
			    struct gmem_range_lock *range);
void gmem_range_leave_store(struct gmem_inode *gi,
			    struct gmem_range_lock *range);
bool gmem_range_wanted(const struct gmem_range_lock *range);
bool gmem_range_gives_way(const struct gmem_range_lock *range);
void gmem_range_unlock(struct gmem_inode *gi, struct gmem_range_lock *range);
pgoff_t gmem_range_next_transit(struct gmem_inode *gi, pgoff_t index,
				pgoff_t end);
void gmem_range_let_faults(struct gmem_inode *gi, struct gmem_range_lock *range);
bool gmem_range_stuck(struct gmem_inode *gi, pgoff_t index);
int gmem_range_wait(struct gmem_inode *gi, pgoff_t index, unsigned int flags);
void gmem_range_came_back(struct gmem_inode *gi, pgoff_t index);

/* gate.c */
void gmem_gates_init(struct gmem_inode *gi);
unsigned long gmem_gates_of(const struct gmem_span *spans, unsigned int nr);
void gmem_gates_shut(struct gmem_inode *gi, unsigned long gates);
void gmem_gates_open(struct gmem_inode *gi, unsigned long gates);
void gmem_gates_wake(struct gmem_inode *gi, unsigned long gates);
bool gmem_gates_have_lookups(struct gmem_inode *gi, unsigned long gates);

/* The gate of a page. */
static inline struct gmem_gate *gmem_gate_of(struct gmem_inode *gi, pgoff_t index)
{
	return &gi->gates[(index >> GMEM_BLOCK_SHIFT) % GMEM_NR_GATES];
}

/* Whether page faults of some pages of a gate are held off. Its lock is held, shared. */
static inline bool gmem_gate_is_shut(struct gmem_gate *gate)
{
	lockdep_assert_held(&gate->lock);
	return atomic_read_acquire(&gate->shut);
}

/* lookup.c */
ktime_t gmem_lookups_deadline(ktime_t deadline);
int gmem_lookups_drain(struct gmem_inode *gi, const struct gmem_range_lock *range,
		       pgoff_t start, pgoff_t end, ktime_t deadline,
		       struct gmem_holder *holder);
void gmem_lookups_wait(struct gmem_inode *gi, pgoff_t start, pgoff_t end,
		       long timeout);

/* drain.c */
#define GMEM_DRAIN_ALL		(-1)
#define GMEM_DRAIN_HOUSEKEEPING	(-2)

/*
 * How long to wait for CPUs to drain their batches. A CPU that takes longer may run a
 * real-time task, and never do it.
 */
#define GMEM_DRAIN_WAIT HZ

int gmem_drain_init(void);
void gmem_drain_exit(void);
long gmem_drain_ticket(void);
bool gmem_drain_local(long ticket);
int gmem_drain_cpus(int scope, long ticket, long timeout);
int gmem_drain_for(int cpu, long ticket);

/* refs.c */
void gmem_holder_fill(struct gmem_holder *holder, struct folio *folio,
		      u32 expected);
int gmem_refs_pinned(struct gmem_inode *gi, struct gmem_conversion *conv,
		     struct gmem_range_lock *range);
int gmem_refs_settle(struct gmem_inode *gi, struct gmem_conversion *conv,
		     const struct gmem_range_lock *range, ktime_t deadline);

/* run.c */
bool gmem_runs_matter(struct gmem_inode *gi);
int gmem_runs_check(struct gmem_inode *gi, struct gmem_conversion *conv,
		    struct gmem_range_lock *range);
int gmem_runs_make(struct gmem_inode *gi, struct gmem_conversion *conv,
		   struct gmem_range_lock *range);
void gmem_runs_undo(struct gmem_inode *gi, struct gmem_conversion *conv,
		    struct gmem_range_lock *range, pgoff_t end);
int gmem_runs_drop(struct gmem_inode *gi, struct gmem_conversion *conv,
		   struct gmem_range_lock *range);

/* convert.c */
long gmem_ioctl_convert(struct file *file, struct gmem_ucmd *ucmd);

/* watch.c */
struct gmem_watch;

void gmem_watches_init(struct gmem_watches *watches);
void gmem_watches_destroy(struct gmem_inode *gi);
struct gmem_watch *gmem_watch_alloc(struct gmem_inode *gi, int fd);
void gmem_watch_free(struct gmem_watch *watch);
void gmem_watch_start(struct gmem_watch *watch, pgoff_t index);

/* query.c */
void gmem_file_show_fdinfo(struct seq_file *m, struct file *file);
long gmem_ioctl_query(struct file *file, struct gmem_ucmd *ucmd);
long gmem_ioctl_holder(struct file *file, struct gmem_ucmd *ucmd);
long gmem_ioctl_stat(struct file *file, struct gmem_ucmd *ucmd);
void gmem_stat_fill(struct gmem_inode *gi, struct gmem_ioctl_stat *stat,
		    bool count);

/* store.c */
u64 gmem_store_features(void);
long gmem_ioctl_bind(struct file *file, struct gmem_ucmd *ucmd);
long gmem_ioctl_unbind(struct file *file, struct gmem_ucmd *ucmd);
long gmem_ioctl_view_fault(struct file *file, struct gmem_ucmd *ucmd);

/* bind.c */
struct gmem_binding *gmem_binding_next(struct gmem_inode *gi, pgoff_t index,
				       pgoff_t end);
void gmem_binding_put(struct gmem_inode *gi, struct gmem_binding *binding);
void gmem_bindings_destroy(struct gmem_inode *gi);
struct gmem_binding *gmem_binding_alloc(struct gmem_inode *gi, pgoff_t start,
					pgoff_t end,
					const struct gmem_ops *ops);
void gmem_binding_free(struct gmem_binding *binding);
int gmem_binding_insert(struct gmem_inode *gi, struct gmem_binding *binding);
void gmem_binding_withdraw(struct gmem_inode *gi, struct gmem_binding *binding,
			   struct gmem_range_lock *range);
bool gmem_ops_complete(const struct gmem_ops *ops);
void gmem_bindings_invalidate_start(struct gmem_inode *gi,
				    struct gmem_range_lock *range,
				    pgoff_t start, pgoff_t end);
void gmem_bindings_invalidate_end(struct gmem_inode *gi,
				  struct gmem_range_lock *range, pgoff_t start,
				  pgoff_t end);

/* debugfs.c */
void gmem_debugfs_init(void);
void gmem_debugfs_exit(void);

/* hibernate.c */
int gmem_hibernate_init(void);
void gmem_hibernate_exit(void);

#endif /* _GMEM_INTERNAL_H */
