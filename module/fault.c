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
 * If a page is private in gmem and shared in KVM, a vCPU that accesses it is sent back to
 * userspace for this time. It starts with the first such access after a conversion in the
 * binding. A VMM needs less for its second call.
 */
#define GMEM_VCPU_GRACE HZ

/*
 * Whether a fault may come from KVM_RUN, which can return to userspace: from GUP with
 * FOLL_INTERRUPTIBLE. Faults of copy_to_user() look the same, but are repeated with
 * FAULT_FLAG_TRIED. Kernel threads never return to userspace.
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
 * Whether a vCPU has accessed a page between CONVERT and the change of KVM's attribute: the
 * page is private in gmem, in a range that is bound to a store, but shared for KVM.
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
 * Make KVM_RUN return EINTR. After EINTR every VMM runs the vCPU again. GUP checks for
 * signals after VM_FAULT_RETRY; this flag is cleared on the way to userspace. A SIGBUS would
 * make KVM_RUN fail with EFAULT, which a VMM cannot tell from other errors.
 */
static void gmem_fault_interrupt(void)
{
	set_tsk_thread_flag(current, TIF_NOTIFY_SIGNAL);
}

/*
 * The fault was repeated, so it comes from copy_to_user() and not from GUP. It fails. Undo
 * gmem_fault_interrupt(): otherwise a vCPU whose steal time is in private memory would be sent
 * to userspace every time before it enters its guest. Also undo the start of the grace
 * period, if this access has started it.
 */
static void gmem_fault_uninterrupt(struct gmem_inode *gi, pgoff_t index)
{
	struct gmem_binding *binding;

	clear_notify_signal();
	/* The flag may also be set for task work: keep it then. */
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
 * Wait for a conversion, then let the caller retry. Drop the lock of the address space during
 * the wait, if the caller allows that: the holder of the page may need this lock before it
 * can drop its reference.
 */
static vm_fault_t gmem_fault_wait(struct gmem_inode *gi, struct vm_fault *vmf)
{
	pgoff_t index = vmf->pgoff;
	struct file *pin;

	atomic64_inc(&gi->counters.faults_waited);
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	/* An error can be returned only with the lock held, so check before the wait. */
	if (!(vmf->flags & FAULT_FLAG_USER) && gmem_range_stuck(gi, index))
		return VM_FAULT_SIGBUS;
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return gmem_range_wait(gi, index, vmf->flags) ?
			       VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;

	/* The VMA can be unmapped meanwhile, and drop its reference to the file. */
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

/* The page is private: refuse the access, or send a vCPU back to userspace. */
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
	/* After RETRY the lock of the address space is dropped: the file may be gone. */
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
 * Map pages around a fault: those in the same block that are populated, shared and not in
 * transit. The caller holds the RCU read lock, so only try the lock of the gate.
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
	/* Begin at the faulting page: an earlier one may be private, and end the run. */
	start = max(start, vmf->pgoff);
	/*
	 * Read the mark first, then the state: a conversion that has cleared its mark has
	 * changed the state before. A conversion that sets a mark now waits for the gate.
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
