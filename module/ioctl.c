// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: ioctl arguments
 *
 * The common entry for the ioctls of /dev/gmem and of gmem fds: look up the
 * number in the caller's table, copy the structure in the size that userspace
 * gives, call the handler. The handler copies out with gmem_ucmd_respond(),
 * because only it knows the right moment (an fd is installed last).
 *
 * Takes no locks.
 */
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

/* The largest structure of the ABI; handlers get it on the stack. */
union gmem_ucmd_buffer {
	struct gmem_ioctl_info info;
	struct gmem_ioctl_create create;
	struct gmem_ioctl_convert convert;
	struct gmem_ioctl_query query;
	struct gmem_ioctl_stat stat;
	struct gmem_ioctl_bind bind;
	struct gmem_ioctl_unbind unbind;
	struct gmem_ioctl_view view;
	struct gmem_ioctl_view_populate view_populate;
	struct gmem_ioctl_view_fault view_fault;
	struct gmem_ioctl_holder holder;
};

/**
 * gmem_ioctl_dispatch() - copy an ioctl's structure in and call its handler
 * @file: the file the ioctl is for
 * @cmd: ioctl number
 * @arg: user pointer to the structure
 * @ops: handlers by number, from GMEM_CMD_BASE
 * @nr_ops: entries of @ops
 *
 * Context: process context.
 * Return: what the handler returns, or -ENOTTY, -EINVAL, -E2BIG, -EFAULT.
 */
long gmem_ioctl_dispatch(struct file *file, unsigned int cmd, unsigned long arg,
			 const struct gmem_ioctl_op *ops, unsigned int nr_ops)
{
	const struct gmem_ioctl_op *op;
	union gmem_ucmd_buffer buffer;
	struct gmem_ucmd ucmd = {
		.cmd = &buffer,
		.ubuffer = (void __user *)arg,
	};
	unsigned int nr = _IOC_NR(cmd);
	int rc;

	if (cmd != _IO(GMEM_IOCTL_TYPE, nr) || nr < GMEM_CMD_BASE ||
	    nr - GMEM_CMD_BASE >= nr_ops)
		return -ENOTTY;
	op = &ops[nr - GMEM_CMD_BASE];
	if (!op->fn)
		return -ENOTTY;

	if (get_user(ucmd.user_size, (u32 __user *)ucmd.ubuffer))
		return -EFAULT;
	if (ucmd.user_size < op->min_size)
		return -EINVAL;
	if (ucmd.user_size > PAGE_SIZE)
		return -E2BIG;

	rc = copy_struct_from_user(ucmd.cmd, op->size, ucmd.ubuffer,
				   ucmd.user_size);
	if (rc)
		return rc;
	ucmd.kernel_size = op->size;
	return op->fn(file, &ucmd);
}

/**
 * gmem_ucmd_respond() - copy an ioctl's structure back to userspace
 * @ucmd: the ioctl
 *
 * A tail that userspace does not know is not written.
 *
 * Return: 0 or -EFAULT.
 */
int gmem_ucmd_respond(const struct gmem_ucmd *ucmd)
{
	if (copy_to_user(ucmd->ubuffer, ucmd->cmd,
			 min(ucmd->user_size, ucmd->kernel_size)))
		return -EFAULT;
	return 0;
}

/**
 * gmem_ucmd_range() - check a byte range of a gmem file
 * @gi: the memory
 * @offset: first byte
 * @length: bytes
 * @start: out: first page
 * @end: out: page after the range
 *
 * Return: 0, -EINVAL (unaligned, empty, past the end) or -EOVERFLOW.
 */
int gmem_ucmd_range(struct gmem_inode *gi, u64 offset, u64 length,
		    pgoff_t *start, pgoff_t *end)
{
	u64 last;

	if (check_add_overflow(offset, length, &last))
		return -EOVERFLOW;
	if (!length || !PAGE_ALIGNED(offset) || !PAGE_ALIGNED(length))
		return -EINVAL;
	if (last > i_size_read(&gi->vfs_inode))
		return -EINVAL;

	*start = offset >> PAGE_SHIFT;
	*end = last >> PAGE_SHIFT;
	return 0;
}
