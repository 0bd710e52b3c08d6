// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: file operations of guest memory
 *
 * The tables of ioctls and file operations of a gmem fd. The work is done in
 * fault.c, convert.c, fallocate.c, query.c, holder.c and bind.c.
 *
 * Lock order, outermost first, for all of gmem.ko:
 *
 *  1. the range lock (range.c) of a range of pages
 *  2. what a store takes, such as the invalidate_lock of KVM's guest_memfd; KVM
 *     may read from a gmem mapping below it, so the following nest inside
 *  3. mmap_lock or a VMA lock
 *     &gmem_views.lock, which mmap() and munmap() of a view take, and
 *     &gmem_inode.policies_lock, which mbind() takes
 *  4. the lock of a gate (gate.c); never held across a call to a store
 *  5. folio locks
 *  6. &gmem_ranges.lock, &gmem_gate.lookups_lock, the locks of the state map and of
 *     the page cache
 *
 * A page fault holds 3 and can find its page in a range that another task has
 * locked by 1. It drops 3 before it waits, if the caller allows that; if the caller
 * may hold 2, the wait is bounded, see gmem_range_wait().
 */
#include "internal.h"

static const struct gmem_ioctl_op gmem_file_ops[] = {
	GMEM_IOCTL_OP(GMEM_CMD_CONVERT, gmem_ioctl_convert, gmem_ioctl_convert,
		      event_fd),
	GMEM_IOCTL_OP(GMEM_CMD_QUERY, gmem_ioctl_query, gmem_ioctl_query,
		      reserved),
	GMEM_IOCTL_OP(GMEM_CMD_STAT, gmem_ioctl_stat, gmem_ioctl_stat,
		      view_refills),
	GMEM_IOCTL_OP(GMEM_CMD_BIND, gmem_ioctl_bind, gmem_ioctl_bind, reserved),
	GMEM_IOCTL_OP(GMEM_CMD_UNBIND, gmem_ioctl_unbind, gmem_ioctl_unbind,
		      reserved),
	GMEM_IOCTL_OP(GMEM_CMD_VIEW, gmem_ioctl_view, gmem_ioctl_view, reserved),
	GMEM_IOCTL_OP(GMEM_CMD_HOLDER, gmem_ioctl_holder, gmem_ioctl_holder, reserved),
};

static long gmem_file_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	return gmem_ioctl_dispatch(file, cmd, arg, gmem_file_ops,
				   ARRAY_SIZE(gmem_file_ops));
}

/*
 * A private (copy-on-write) mapping would take guest memory out of the
 * bookkeeping, and a core dump has no business with it.
 */
static int gmem_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* A shared mapping of a file opened for reading has VM_MAYSHARE only. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;

	vm_flags_set(vma, VM_DONTDUMP);
	vma->vm_ops = &gmem_vm_ops;
	return 0;
}

const struct file_operations gmem_file_fops = {
	.owner = THIS_MODULE,
	.open = generic_file_open,
	.release = gmem_file_release,
	.llseek = gmem_file_llseek,
	.unlocked_ioctl = gmem_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = gmem_file_mmap,
	.fallocate = gmem_file_fallocate,
	/* Nothing is ever written back; msync() is for mappings of any file. */
	.fsync = noop_fsync,
	.show_fdinfo = gmem_file_show_fdinfo,
};
