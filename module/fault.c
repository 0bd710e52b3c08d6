// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: page faults
 *
 * The only way by which the host can map a page. A fault reads the state with the lock
 * of the page's gate held shared. A converter first marks the range as in transit and
 * takes the lock of its gates once (gmem_range_hold_faults()). So a fault either sees
 * the mark, or has its folio locked in the page cache, where the converter finds it and
 * waits for it.
 *
 * Locks: called with mmap_lock or the VMA lock; takes a gate's lock shared, then a
 * folio lock, which it returns held.
 */
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "internal.h"
#include "trace.h"

/*
 * For how long a vCPU is sent back to userspace from a page that is private here
 * and shared for KVM, counted from the first time that this happens after a
 * conversion in the binding. A VMM needs no longer for its second call.
 */
#define GMEM_VCPU_GRACE HZ

/*
 * Whether a fault may come from KVM_RUN, which can return to userspace: GUP with
 * FOLL_INTERRUPTIBLE. Faults of copy_to_user() look the same and come again, marked as
 * tried. Threads of the kernel never return to userspace.
 */
static bool gmem_fault_is_vcpu(struct vm_fault *vmf)
{
	const unsigned int flags = FAULT_FLAG_ALLOW_RETRY |
				   FAULT_FLAG_INTERRUPTIBLE;

	return (vmf->flags & (flags | FAULT_FLAG_USER |
			      FAULT_FLAG_RETRY_NOWAIT)) == flags &&
	       !(current->flags & (PF_KTHREAD | PF_USER_WORKER));
}

/*
 * Whether a vCPU has met a page between CONVERT and KVM's memory attribute: it is
 * private here, in a range that is bound to a store, and KVM takes it for shared.
 */
static bool gmem_fault_between(struct gmem_inode *gi, pgoff_t index)
{
	struct gmem_binding *binding;
	unsigned long since;
	bool between = false;

	if (index >= gi->state.nr_pages ||
	    gmem_state_get(&gi->state, index) != GMEM_STATE_PRIVATE)
		return false;
	binding = gmem_binding_next(gi, index, index + 1);
	if (!binding)
		return false;
	if (binding->ops->store) {
		since = READ_ONCE(binding->between);
		if (!since)
			WRITE_ONCE(binding->between, jiffies | 1);
		between = !since || time_before(jiffies, since + GMEM_VCPU_GRACE);
	}
	gmem_binding_put(gi, binding);
	return between;
}

/*
 * Have KVM_RUN return EINTR, which every VMM answers by running the vCPU again: GUP
 * looks for signals after VM_FAULT_RETRY, and this one vanishes on the way to
 * userspace. A SIGBUS would become a bare EFAULT, which no VMM can tell from others.
 */
static void gmem_fault_interrupt(void)
{
	set_tsk_thread_flag(current, TIF_NOTIFY_SIGNAL);
}

/*
 * It was copy_to_user() and not GUP: it has come again, and gets its error. Take back
 * what gmem_fault_interrupt() did, or a vCPU whose steal time is in private memory
 * would be sent to userspace each time before it enters its guest; and the
 * start of the grace, if it was this access that has started it.
 */
static void gmem_fault_uninterrupt(struct gmem_inode *gi, pgoff_t index)
{
	struct gmem_binding *binding;

	clear_notify_signal();
	/* The flag's own use. */
	if (task_work_pending(current))
		set_tsk_thread_flag(current, TIF_NOTIFY_SIGNAL);
	binding = gmem_binding_next(gi, index, index + 1);
	if (!binding)
		return;
	if (time_before(jiffies, READ_ONCE(binding->between) + 2))
		WRITE_ONCE(binding->between, 0);
	gmem_binding_put(gi, binding);
}

/*
 * Wait for a conversion, then let the caller look again: without the lock of the
 * address space, if it may be given up. Who holds the page may need that lock to
 * let go of it.
 */
static vm_fault_t gmem_fault_wait(struct gmem_inode *gi, struct vm_fault *vmf)
{
	pgoff_t index = vmf->pgoff;
	struct file *pin;

	atomic64_inc(&gi->counters.faults_waited);
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	/* An error can be returned only with the lock, so before the wait. */
	if (!(vmf->flags & FAULT_FLAG_USER) && gmem_range_stuck(gi, index))
		return VM_FAULT_SIGBUS;
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return gmem_range_wait(gi, index, vmf->flags) ?
			       VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;

	/* The VMA may go away together with its reference to the file. */
	pin = get_file(vmf->vma->vm_file);
	release_fault_lock(vmf);
	if (!gmem_range_wait(gi, index, vmf->flags) &&
	    gmem_fault_is_vcpu(vmf) && gmem_fault_between(gi, index)) {
		gmem_range_came_back(gi, index);
		gmem_fault_interrupt();
	}
	fput(pin);
	return VM_FAULT_RETRY;
}

/* The page is private: no host access. */
static vm_fault_t gmem_fault_private(struct gmem_inode *gi, struct vm_fault *vmf)
{
	if (!gmem_fault_is_vcpu(vmf))
		return VM_FAULT_SIGBUS;
	if (vmf->flags & FAULT_FLAG_TRIED) {
		gmem_fault_uninterrupt(gi, vmf->pgoff);
		return VM_FAULT_SIGBUS;
	}
	if (!gmem_fault_between(gi, vmf->pgoff))
		return VM_FAULT_SIGBUS;
	release_fault_lock(vmf);
	gmem_fault_interrupt();
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

static vm_fault_t gmem_fault_page(struct gmem_inode *gi, struct vm_fault *vmf)
{
	struct gmem_gate *gate = gmem_gate_of(gi, vmf->pgoff);
	vm_fault_t ret = 0;

	down_read(&gate->lock);
	if (gmem_range_next_transit(gi, vmf->pgoff, vmf->pgoff + 1) == vmf->pgoff)
		ret = VM_FAULT_RETRY;
	else if (gmem_state_get(&gi->state, vmf->pgoff) == GMEM_STATE_SHARED)
		ret = gmem_fault_shared(gi, vmf);
	up_read(&gate->lock);

	if (ret == VM_FAULT_RETRY)
		return gmem_fault_wait(gi, vmf);
	gmem_range_came_back(gi, vmf->pgoff);
	return ret ? ret : gmem_fault_private(gi, vmf);
}

static vm_fault_t gmem_file_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned long ino = inode->i_ino;
	struct gmem_inode *gi = GMEM_I(inode);
	pgoff_t index = vmf->pgoff;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (index < gi->state.nr_pages)
		ret = gmem_fault_page(gi, vmf);
	/* With the lock of the address space given up the file may be gone. */
	if (ret & (VM_FAULT_RETRY | VM_FAULT_NOPAGE))
		return ret;
	if (ret == VM_FAULT_LOCKED)
		atomic64_inc(&gmem_gate_of(gi, index)->faults);
	else if (ret != VM_FAULT_OOM)
		atomic64_inc(&gi->counters.faults_refused);
	trace_gmem_fault(ino, index, ret);
	return ret;
}

/*
 * Map around a fault what is populated, shared, not in transit, and in the same block.
 * The caller holds the RCU read lock, so the lock of the gate is only tried.
 */
static vm_fault_t gmem_file_map_pages(struct vm_fault *vmf, pgoff_t start,
				      pgoff_t end)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct gmem_inode *gi = GMEM_I(inode);
	struct gmem_gate *gate = gmem_gate_of(gi, vmf->pgoff);
	enum gmem_state state = GMEM_STATE_PRIVATE;
	pgoff_t stop = min3(end + 1, gi->state.nr_pages,
			    ALIGN(vmf->pgoff + 1, 1UL << GMEM_BLOCK_SHIFT));
	vm_fault_t ret = 0;

	if (!down_read_trylock(&gate->lock))
		return 0;
	/* From the faulting page on; what is before it had its own chance. */
	start = max(start, vmf->pgoff);
	/*
	 * The mark first, then the state: a mark that is gone has left the state
	 * it led to, one that is still to come waits for the gate.
	 */
	if (start < stop)
		stop = gmem_range_next_transit(gi, start, stop);
	if (start < stop)
		stop = gmem_state_run(&gi->state, start, stop, &state);
	if (start < stop && state == GMEM_STATE_SHARED)
		ret = filemap_map_pages(vmf, start, stop - 1);
	up_read(&gate->lock);
	return ret;
}

const struct vm_operations_struct gmem_vm_ops = {
	.fault = gmem_file_fault,
	.map_pages = gmem_file_map_pages,
#ifdef CONFIG_NUMA
	.set_policy = gmem_policy_set,
#endif
};
