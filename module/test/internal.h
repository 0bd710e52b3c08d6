/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _GMEM_TEST_INTERNAL_H
#define _GMEM_TEST_INTERNAL_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../compat.h"
#include "../include/linux/gmem.h"
#include "gmem_test.h"

/**
 * struct mock_knob - settings and counter of a method
 * @delay_ms: duration of each call
 * @nth: number of calls until one fails, or 0
 * @error: negative errno of the failing call
 * @pages: pages that the failing call does before
 * @calls: number of calls so far
 */
struct mock_knob {
	u32 delay_ms;
	u32 nth;
	int error;
	u32 pages;
	u64 calls;
};

/**
 * struct mock_vm - an open file
 * @slots_lock: held shared by vCPUs, exclusively to bind and unbind
 * @slots: struct mock_slot
 * @nr_slots: number of @slots
 * @holds: struct mock_hold
 * @nr_holds: number of @holds
 * @next_hold: id of the next hold
 * @knobs_lock: protects @knobs and @failed
 * @knobs: by enum gmem_test_method
 * @failed: calls that have failed because of a knob
 * @mapped: second-stage entries of all slots
 * @open: invalidations between start and end
 * @violations: broken promises
 */
struct mock_vm {
	struct rw_semaphore slots_lock;
	struct list_head slots;
	unsigned int nr_slots;
	struct list_head holds;
	unsigned int nr_holds;
	u32 next_hold;
	spinlock_t knobs_lock;
	struct mock_knob knobs[GMEM_TEST_NR_METHODS];
	u64 failed;
	atomic64_t mapped;
	atomic64_t open;
	atomic64_t violations;
};

/**
 * struct mock_slot - a bound range, and the second-stage table for it
 * @vm: its VM
 * @node: in &mock_vm.slots
 * @binding: what gmem_bind() returned; methods get theirs as an argument
 * @gfn: guest frame number of the first page
 * @start: page index of the first page
 * @nr_pages: number of pages
 * @refs: GMEM_TEST_BIND_F_REFS
 * @encrypted: GMEM_TEST_BIND_F_ENCRYPTED
 * @store: GMEM_TEST_BIND_F_STORE
 * @leaving: about to be unbound
 * @released: the method release was called
 * @lock: protects the following members; taken inside methods
 * @table: the second-stage table, by page index: see stage2.c
 * @owned: bit of each page that the hypervisor owns: made private, or looked
 *	up as private
 * @assigned: frames in the RMP for this slot, by page index: see rmp.c
 * @pages: pages of the store, by page index: see store.c
 * @lookups: struct mock_lookup in flight
 * @invalidations: struct mock_invalidation that have not ended
 */
struct mock_slot {
	struct mock_vm *vm;
	struct list_head node;
	struct gmem_binding *binding;
	u64 gfn;
	pgoff_t start;
	unsigned long nr_pages;
	bool refs;
	bool encrypted;
	bool store;
	bool leaving;
	bool released;
	struct mutex lock;
	struct xarray table;
	unsigned long *owned;
	struct xarray assigned;
	struct xarray pages;
	struct list_head lookups;
	struct list_head invalidations;
};

/**
 * struct mock_lookup - a look-up in flight
 * @lookup: gmem's structure
 * @slot: its slot
 * @index: the page
 * @found: gmem_lookup() has returned it: no change may overtake it now
 * @failed: memory of the page has failed since: it must not be mapped
 * @node: in &mock_slot.lookups
 */
struct mock_lookup {
	struct gmem_lookup lookup;
	struct mock_slot *slot;
	pgoff_t index;
	bool found;
	bool failed;
	struct list_head node;
};

/**
 * struct mock_invalidation - a range that may not be mapped
 * @start: first page index
 * @end: page after the range
 * @node: in &mock_slot.invalidations
 */
struct mock_invalidation {
	pgoff_t start;
	pgoff_t end;
	struct list_head node;
};

/**
 * struct mock_hold - a look-up or a reference that is held for a while
 * @vm: its VM
 * @slot: slot of the page, if it is a look-up
 * @id: number for userspace
 * @look: the look-up, if there is no @folio
 * @folio: the folio that a reference is held to
 * @node: in &mock_vm.holds
 * @timeout: ends the hold
 */
struct mock_hold {
	struct mock_vm *vm;
	struct mock_slot *slot;
	u32 id;
	struct mock_lookup look;
	struct folio *folio;
	struct list_head node;
	struct delayed_work timeout;
};

/*
 * Check a promise of <linux/gmem.h>. The warning fails the test; the counter is for
 * kernels that do not panic on warnings.
 */
#define mock_promise(vm, condition) ({					\
	bool __kept = !!(condition);					\
									\
	if (WARN_ONCE(!__kept, "gmem broke its promise: %s\n", #condition)) \
		atomic64_inc(&(vm)->violations);			\
	__kept;								\
})

/**
 * struct mock_chunk - a part of a page that the guest accesses
 * @at: its first byte, mapped
 * @gpa: guest address of it
 * @length: bytes
 */
struct mock_chunk {
	void *at;
	u64 gpa;
	unsigned int length;
};

typedef int (*mock_access_fn)(const struct mock_chunk *chunk, void *data);

/* device.c */
int mock_device_init(void);
void mock_device_exit(void);

/* vm.c */
struct mock_vm *mock_vm_create(void);
void mock_vm_destroy(struct mock_vm *vm);
int mock_vm_count(struct mock_vm *vm, void *arg);

/* knob.c */
int mock_knob_set(struct mock_vm *vm, void *arg);
int mock_knob_call(struct mock_vm *vm, enum gmem_test_method method,
		   unsigned long *pages);
void mock_knob_count(struct mock_vm *vm, struct gmem_test_count *cmd);

/* slot.c */
int mock_slot_bind(struct mock_vm *vm, void *arg);
int mock_slot_unbind(struct mock_vm *vm, void *arg);
void mock_slot_remove(struct mock_slot *slot, bool late);
struct mock_slot *mock_slot_find(struct mock_vm *vm, u64 gpa, pgoff_t *index);
u64 mock_slot_gpa(struct mock_slot *slot, pgoff_t index);

/* methods.c */
extern const struct gmem_ops mock_ops;
extern const struct gmem_ops mock_ops_with_store;

/* own.c */
bool mock_own_all(struct mock_slot *slot, pgoff_t start, pgoff_t end);
bool mock_own_none(struct mock_slot *slot, pgoff_t start, pgoff_t end);
void mock_own_set(struct mock_slot *slot, pgoff_t start, pgoff_t end);
void mock_own_clear(struct mock_slot *slot, pgoff_t start, pgoff_t end);
void mock_own_check(struct mock_slot *slot, struct gmem_binding *binding,
		    pgoff_t start, pgoff_t end);

/* rmp.c */
bool mock_rmp_is_others(unsigned long pfn, const struct mock_slot *slot);
int mock_rmp_assign(struct mock_slot *slot, pgoff_t index, unsigned long pfn);
void mock_rmp_clear(struct mock_slot *slot, pgoff_t start, pgoff_t end);
void mock_rmp_check(struct mock_slot *slot, struct gmem_binding *binding,
		    pgoff_t start, pgoff_t end);

/* store.c */
extern const struct gmem_store_ops mock_store_ops;
int mock_store_get(struct mock_slot *slot, pgoff_t index, unsigned long *pfn);
void mock_store_drop(struct mock_slot *slot, pgoff_t start, pgoff_t end);

/* stage2.c */
int mock_lookup_start(struct mock_slot *slot, pgoff_t index, unsigned int flags,
		      struct mock_lookup *look);
void mock_lookup_end(struct mock_lookup *look);
bool mock_lookup_overtaken(struct mock_slot *slot, pgoff_t start, pgoff_t end);
void mock_stage2_zap(struct mock_slot *slot, pgoff_t start, pgoff_t end);
bool mock_stage2_empty(struct mock_slot *slot, pgoff_t start, pgoff_t end);
int mock_stage2_access(struct mock_slot *slot, pgoff_t index, u32 flags,
		       unsigned int offset, unsigned int length,
		       mock_access_fn fn, void *data);

/* access.c */
int mock_access_range(struct mock_vm *vm, u64 gpa, u64 length, u32 flags,
		      mock_access_fn fn, void *data);
int mock_access(struct mock_vm *vm, void *arg);

/* script.c */
int mock_script_run(struct mock_vm *vm, void *arg);

/* convert.c */
int mock_convert(struct mock_vm *vm, void *arg);
int mock_query(struct mock_vm *vm, void *arg);

/* hold.c */
int mock_hold_init(void);
void mock_hold_exit(void);
int mock_hold(struct mock_vm *vm, void *arg);
int mock_hold_release(struct mock_vm *vm, void *arg);
void mock_holds_drop(struct mock_vm *vm, struct mock_slot *slot);

#endif /* _GMEM_TEST_INTERNAL_H */
