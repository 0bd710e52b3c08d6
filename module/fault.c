// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: page faults
 *
 * The only way by which the host gets at a page. A fault looks at the state
 * under the invalidate_lock, shared. Whoever changes the state marks the range
 * as in transit first and passes through the invalidate_lock once
 * (gmem_range_hold_faults()), so a fault either sees the mark, or has its folio
 * in the page cache, locked, where the converter will find and wait for it.
 *
 * Locks: called with mmap_lock or the VMA lock; takes the invalidate_lock
 * shared, then a folio lock that it returns with.
 */
#include <linux/file.h>
#include <linux/pagemap.h>

#include "internal.h"
#include "trace.h"

/*
 * Whether to give up the lock of the address space while waiting: who holds the
 * page may need that lock to let go of it. A fault of the kernel keeps it when
 * it comes for the second time, because an error can be returned only with it.
 */
static bool gmem_fault_may_unlock(struct vm_fault *vmf)
{
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return false;
	return vmf->flags & FAULT_FLAG_USER || !(vmf->flags & FAULT_FLAG_TRIED);
}

/* Wait for a conversion, then let the caller look again. */
static vm_fault_t gmem_fault_wait(struct gmem_inode *gi, struct vm_fault *vmf)
{
	struct file *pin;

	atomic64_inc(&gi->counters.faults_waited);
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (!gmem_fault_may_unlock(vmf))
		return gmem_range_wait(gi, vmf->pgoff, vmf->flags) ?
			       VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;

	/* The VMA may go away together with its reference to the file. */
	pin = get_file(vmf->vma->vm_file);
	release_fault_lock(vmf);
	gmem_range_wait(gi, vmf->pgoff, vmf->flags);
	fput(pin);
	return VM_FAULT_RETRY;
}

static vm_fault_t gmem_fault_shared(struct gmem_inode *gi, struct vm_fault *vmf)
{
	struct folio *folio = gmem_folio_grab(gi, vmf->pgoff, GMEM_FOLIO_GFP);

	if (IS_ERR(folio))
		return PTR_ERR(folio) == -EHWPOISON ?
			       VM_FAULT_HWPOISON : vmf_error(PTR_ERR(folio));
	gmem_folio_publish(folio);
	vmf->page = folio_file_page(folio, vmf->pgoff);
	return VM_FAULT_LOCKED;
}

static vm_fault_t gmem_file_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct gmem_inode *gi = GMEM_I(inode);
	vm_fault_t ret = VM_FAULT_SIGBUS;
	bool wait = false;

	filemap_invalidate_lock_shared(inode->i_mapping);
	if (vmf->pgoff < gi->state.nr_pages) {
		wait = gmem_range_next_transit(gi, vmf->pgoff, vmf->pgoff + 1) ==
		       vmf->pgoff;
		if (!wait && gmem_state_get(&gi->state, vmf->pgoff) ==
				     GMEM_STATE_SHARED)
			ret = gmem_fault_shared(gi, vmf);
	}
	filemap_invalidate_unlock_shared(inode->i_mapping);

	if (wait)
		return gmem_fault_wait(gi, vmf);
	if (ret == VM_FAULT_SIGBUS || ret == VM_FAULT_HWPOISON)
		atomic64_inc(&gi->counters.faults_refused);
	else if (ret == VM_FAULT_LOCKED)
		atomic64_inc(&gi->counters.faults);
	trace_gmem_fault(inode->i_ino, vmf->pgoff, ret);
	return ret;
}

/*
 * Map around a fault what is populated, shared and not in transit. The caller
 * holds the RCU read lock, so the invalidate_lock is only tried.
 */
static vm_fault_t gmem_file_map_pages(struct vm_fault *vmf, pgoff_t start,
				      pgoff_t end)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct gmem_inode *gi = GMEM_I(inode);
	enum gmem_state state = GMEM_STATE_PRIVATE;
	pgoff_t stop = min(end + 1, gi->state.nr_pages);
	vm_fault_t ret = 0;

	if (!filemap_invalidate_trylock_shared(inode->i_mapping))
		return 0;
	/* From the faulting page on; what is before it had its own chance. */
	start = max(start, vmf->pgoff);
	/*
	 * The mark first, then the state: a mark that is gone has left the state
	 * it led to, one that is still to come waits for the invalidate_lock.
	 */
	if (start < stop)
		stop = gmem_range_next_transit(gi, start, stop);
	if (start < stop)
		stop = gmem_state_run(&gi->state, start, stop, &state);
	if (start < stop && state == GMEM_STATE_SHARED)
		ret = filemap_map_pages(vmf, start, stop - 1);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return ret;
}

const struct vm_operations_struct gmem_vm_ops = {
	.fault = gmem_file_fault,
	.map_pages = gmem_file_map_pages,
#ifdef CONFIG_NUMA
	.set_policy = gmem_policy_set,
#endif
};
