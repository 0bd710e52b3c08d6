// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: /dev/gmem_test
 *
 * Each open file is a VM. A structure is copied from userspace, passed to the function in
 * the table, and copied back. This also happens after an error, because some structures
 * have outputs with details of the error.
 *
 * Takes no locks.
 */
#include <linux/miscdevice.h>
#include <linux/uaccess.h>

#include "internal.h"

union mock_buffer {
	struct gmem_test_bind bind;
	struct gmem_test_unbind unbind;
	struct gmem_test_access access;
	struct gmem_test_run run;
	struct gmem_test_convert convert;
	struct gmem_test_query query;
	struct gmem_test_hold hold;
	struct gmem_test_release release;
	struct gmem_test_knob knob;
	struct gmem_test_count count;
};

struct mock_ioctl_op {
	u32 size;
	int (*fn)(struct mock_vm *vm, void *arg);
};

#define MOCK_IOCTL_OP(_nr, _fn, _struct)				\
	[(_nr) - GMEM_TEST_CMD_BASE] = {				\
		.size = sizeof(struct _struct),				\
		.fn = (_fn),						\
	}

static const struct mock_ioctl_op mock_ioctl_ops[] = {
	MOCK_IOCTL_OP(GMEM_TEST_CMD_BIND, mock_slot_bind, gmem_test_bind),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_UNBIND, mock_slot_unbind, gmem_test_unbind),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_ACCESS, mock_access, gmem_test_access),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_RUN, mock_script_run, gmem_test_run),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_CONVERT, mock_convert, gmem_test_convert),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_QUERY, mock_query, gmem_test_query),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_HOLD, mock_hold, gmem_test_hold),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_RELEASE, mock_hold_release,
		      gmem_test_release),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_KNOB, mock_knob_set, gmem_test_knob),
	MOCK_IOCTL_OP(GMEM_TEST_CMD_COUNT, mock_vm_count, gmem_test_count),
};

static const struct mock_ioctl_op *mock_ioctl_find(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (cmd != _IO(GMEM_IOCTL_TYPE, nr) || nr < GMEM_TEST_CMD_BASE ||
	    nr - GMEM_TEST_CMD_BASE >= ARRAY_SIZE(mock_ioctl_ops))
		return NULL;
	return &mock_ioctl_ops[nr - GMEM_TEST_CMD_BASE];
}

static long mock_device_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	const struct mock_ioctl_op *op = mock_ioctl_find(cmd);
	void __user *ubuffer = (void __user *)arg;
	union mock_buffer buffer;
	u32 size;
	int rc;

	if (!op)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)ubuffer))
		return -EFAULT;
	if (size < op->size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	rc = copy_struct_from_user(&buffer, op->size, ubuffer, size);
	if (rc)
		return rc;

	rc = op->fn(file->private_data, &buffer);
	if (copy_to_user(ubuffer, &buffer, op->size))
		return -EFAULT;
	/* A script cannot be restarted, because a part of it has been executed. */
	return rc == -ERESTARTSYS ? -EINTR : rc;
}

static int mock_device_open(struct inode *inode, struct file *file)
{
	struct mock_vm *vm = mock_vm_create();

	if (!vm)
		return -ENOMEM;
	file->private_data = vm;
	return 0;
}

static int mock_device_release(struct inode *inode, struct file *file)
{
	mock_vm_destroy(file->private_data);
	return 0;
}

static const struct file_operations mock_device_fops = {
	.owner = THIS_MODULE,
	.open = mock_device_open,
	.release = mock_device_release,
	.unlocked_ioctl = mock_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice mock_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gmem_test",
	.fops = &mock_device_fops,
	.mode = 0600,
};

int mock_device_init(void)
{
	return misc_register(&mock_device);
}

void mock_device_exit(void)
{
	misc_deregister(&mock_device);
}
