// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: /dev/pvmemcontrolN
 *
 * The device nodes. A request is on the stack of its ioctl: threads that share an fd share
 * nothing else, and there is no buffer to free.
 *
 * An open file has a reference to the cdev, and the cdev one to the structure of the
 * device. So the structure stays until the last file is closed, even if the device is gone.
 *
 * Takes no locks.
 */
#include <linux/capability.h>
#include <linux/device/class.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/uaccess.h>

#include "internal.h"

#define CHARDEV_NAME	"pvmemcontrol"
#define CHARDEV_NODES	64

static dev_t chardev_first;
static DEFINE_IDA(chardev_numbers);

/* Nodes have the default mode, 0600. */
static struct class pvmemcontrol_chardev_class = {
	.name = CHARDEV_NAME,
};

/* Opening needs the rights for /dev/mem: requests can overwrite the kernel's memory. */
static int pvmemcontrol_chardev_open(struct inode *inode, struct file *file)
{
	int rc;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	rc = security_locked_down(LOCKDOWN_DEV_MEM);
	if (rc)
		return rc;
	if (file->f_flags & O_EXCL)
		return -EINVAL;
	file->private_data = container_of(inode->i_cdev, struct pvmemcontrol,
					  cdev);
	return nonseekable_open(inode, file);
}

static long pvmemcontrol_chardev_ioctl(struct file *file, unsigned int cmd,
				       unsigned long arg)
{
	struct pvmemcontrol *pv = file->private_data;
	void __user *user = (void __user *)arg;
	struct pvmemcontrol_vmm_call call;
	struct pvmemcontrol_vmm_ret ret;
	int rc;

	static_assert(sizeof(call) == sizeof(struct pvmemcontrol_buf));
	static_assert(sizeof(ret) == sizeof(struct pvmemcontrol_buf));
	if (cmd != PVMEMCONTROL_IOCTL_VMM)
		return -EINVAL;
	if (copy_from_user(&call, user, sizeof(call)))
		return -EFAULT;
	rc = pvmemcontrol_call(pv, &call, &ret);
	if (rc)
		return rc;
	return copy_to_user(user, &ret, sizeof(ret)) ? -EFAULT : 0;
}

static const struct file_operations pvmemcontrol_chardev_fops = {
	.owner = THIS_MODULE,
	.open = pvmemcontrol_chardev_open,
	.unlocked_ioctl = pvmemcontrol_chardev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/**
 * pvmemcontrol_chardev_number() - allocate the number of a node
 * @pv: dev.devt is set
 *
 * Return: 0, -ENOSPC or -ENOMEM.
 */
int pvmemcontrol_chardev_number(struct pvmemcontrol *pv)
{
	int id = ida_alloc_max(&chardev_numbers, CHARDEV_NODES - 1, GFP_KERNEL);

	if (id < 0)
		return id;
	pv->dev.devt = chardev_first + id;
	return 0;
}

/**
 * pvmemcontrol_chardev_number_free() - free the number of a node that nobody has open
 * @pv: from pvmemcontrol_chardev_number()
 */
void pvmemcontrol_chardev_number_free(struct pvmemcontrol *pv)
{
	ida_free(&chardev_numbers, pv->dev.devt - chardev_first);
}

/**
 * pvmemcontrol_chardev_name() - set the name of the node and of the device in messages
 * @pv: after pvmemcontrol_chardev_number()
 *
 * Return: 0 or -ENOMEM.
 */
int pvmemcontrol_chardev_name(struct pvmemcontrol *pv)
{
	pv->dev.class = &pvmemcontrol_chardev_class;
	return dev_set_name(&pv->dev, CHARDEV_NAME "%u",
			    (unsigned int)(pv->dev.devt - chardev_first));
}

/**
 * pvmemcontrol_chardev_add() - create the node
 * @pv: ready for calls
 *
 * Return: 0 or -ENOMEM.
 */
int pvmemcontrol_chardev_add(struct pvmemcontrol *pv)
{
	cdev_init(&pv->cdev, &pvmemcontrol_chardev_fops);
	pv->cdev.owner = THIS_MODULE;
	return cdev_device_add(&pv->cdev, &pv->dev);
}

/**
 * pvmemcontrol_chardev_del() - delete the node
 * @pv: the device. Open files stay open
 */
void pvmemcontrol_chardev_del(struct pvmemcontrol *pv)
{
	cdev_device_del(&pv->cdev, &pv->dev);
}

int pvmemcontrol_chardev_init(void)
{
	int rc;

	rc = alloc_chrdev_region(&chardev_first, 0, CHARDEV_NODES,
				 CHARDEV_NAME);
	if (rc)
		return rc;
	rc = class_register(&pvmemcontrol_chardev_class);
	if (rc)
		unregister_chrdev_region(chardev_first, CHARDEV_NODES);
	return rc;
}

void pvmemcontrol_chardev_exit(void)
{
	class_unregister(&pvmemcontrol_chardev_class);
	unregister_chrdev_region(chardev_first, CHARDEV_NODES);
	ida_destroy(&chardev_numbers);
}
