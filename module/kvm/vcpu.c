// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: where vCPUs fault
 *
 * On access to a page that is not in a view KVM_RUN fails with EFAULT, and KVM does not
 * report the address. But KVM traces each guest fault before it handles it, in the thread
 * that runs the vCPU, and modules can attach to the tracepoint. So the last fault of each
 * watched thread is recorded here. A thread is watched from its first
 * GMEM_IOCTL_VIEW_FAULT.
 *
 * Only its own thread writes a watch, in KVM_RUN, and reads it, in the ioctl. For other
 * threads the look-up finds nothing. The key of a watch is its thread's &struct pid, which
 * is not reused while it is referenced. Watches of threads that are gone are removed with
 * a view fd, and when another thread asks for the first time.
 *
 * Locks: gmem_kvm_watch_lock to add and remove watches; RCU for look-ups.
 */
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "internal.h"

/**
 * struct gmem_kvm_watch - the last fault of a thread's vCPU
 * @node: in the table of all watches
 * @pid: the thread, with a reference
 * @gpa: guest physical address
 * @error_code: of the fault, as KVM reports it
 * @count: faults since the thread is watched
 * @rcu: for look-ups during the removal of the watch
 */
struct gmem_kvm_watch {
	struct hlist_node node;
	struct pid *pid;
	u64 gpa;
	u64 error_code;
	u64 count;
	struct rcu_head rcu;
};

/* Large, because every fault of every guest of the host looks in it. */
static DEFINE_HASHTABLE(gmem_kvm_watches, 12);
static DEFINE_MUTEX(gmem_kvm_watch_lock);

/* Find the watch of the calling thread. It stays as long as the thread is in this file. */
static struct gmem_kvm_watch *gmem_kvm_watch_find(void)
{
	struct pid *pid = task_pid(current);
	struct gmem_kvm_watch *watch;

	rcu_read_lock();
	hash_for_each_possible_rcu(gmem_kvm_watches, watch, node,
				   (unsigned long)pid) {
		if (watch->pid == pid)
			break;
	}
	rcu_read_unlock();
	return watch;
}

/* Called by KVM for each fault of each guest. */
static void gmem_kvm_page_fault(void *data, struct kvm_vcpu *vcpu, u64 gpa,
				u64 error_code)
{
	struct gmem_kvm_watch *watch = gmem_kvm_watch_find();

	if (!watch)
		return;
	watch->gpa = gpa;
	watch->error_code = error_code;
	watch->count++;
}

static void gmem_kvm_watch_free(struct gmem_kvm_watch *watch)
{
	hash_del_rcu(&watch->node);
	put_pid(watch->pid);
	kfree_rcu(watch, rcu);
}

/* Free the watches of threads that have ended, or all. */
static void gmem_kvm_watch_sweep(bool all)
{
	struct gmem_kvm_watch *watch;
	struct hlist_node *next;
	unsigned int bucket;

	lockdep_assert_held(&gmem_kvm_watch_lock);
	hash_for_each_safe(gmem_kvm_watches, bucket, next, watch, node) {
		if (all || !pid_has_task(watch->pid, PIDTYPE_PID))
			gmem_kvm_watch_free(watch);
	}
}

static int gmem_kvm_watch_add(void)
{
	struct gmem_kvm_watch *watch = kzalloc_obj(*watch, GFP_KERNEL_ACCOUNT);

	if (!watch)
		return -ENOMEM;
	watch->pid = get_pid(task_pid(current));
	mutex_lock(&gmem_kvm_watch_lock);
	gmem_kvm_watch_sweep(false);
	hash_add_rcu(gmem_kvm_watches, &watch->node, (unsigned long)watch->pid);
	mutex_unlock(&gmem_kvm_watch_lock);
	return 0;
}

/**
 * gmem_kvm_vcpu_fault() - the last fault of the calling thread's vCPU
 * @fault: out: @gpa, @error_code and @count
 *
 * Context: process context.
 * Return: 0; -EAGAIN if there was no fault since the thread is watched; -ENOMEM.
 */
int gmem_kvm_vcpu_fault(struct gmem_ioctl_view_fault *fault)
{
	struct gmem_kvm_watch *watch = gmem_kvm_watch_find();
	int rc;

	if (!watch) {
		rc = gmem_kvm_watch_add();
		return rc ? rc : -EAGAIN;
	}
	if (!watch->count)
		return -EAGAIN;
	fault->gpa = watch->gpa;
	fault->error_code = watch->error_code;
	fault->count = watch->count;
	return 0;
}

/**
 * gmem_kvm_vcpus_gone() - threads that were watched may be gone
 *
 * Context: process context.
 */
void gmem_kvm_vcpus_gone(void)
{
	mutex_lock(&gmem_kvm_watch_lock);
	gmem_kvm_watch_sweep(false);
	mutex_unlock(&gmem_kvm_watch_lock);
}

int gmem_kvm_vcpu_init(void)
{
	return tracepoint_probe_register(&__tracepoint_kvm_page_fault,
					 gmem_kvm_page_fault, NULL);
}

void gmem_kvm_vcpu_exit(void)
{
	tracepoint_probe_unregister(&__tracepoint_kvm_page_fault,
				    gmem_kvm_page_fault, NULL);
	tracepoint_synchronize_unregister();
	mutex_lock(&gmem_kvm_watch_lock);
	gmem_kvm_watch_sweep(true);
	mutex_unlock(&gmem_kvm_watch_lock);
}
