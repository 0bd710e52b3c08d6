// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/minihyp: a program plays the VMM of a guest, and the guest as well.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/slab.h>

#include "minihyp.h"

/* Memory of the guest for the VMM, which maps the shared pages. */
static int device_fd(struct guest *guest)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd >= 0)
		fd_install(fd, get_file(guest->binding->file));
	return fd;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct guest *guest = file->private_data;
	u32 gpa = arg;

	if (gpa >> PAGE_SHIFT >= MINIHYP_PAGES)
		return -EFAULT;
	switch (cmd) {
	case MINIHYP_FD:
		return device_fd(guest);
	case MINIHYP_LOAD:
		return guest_access(guest, gpa, 0, false);
	case MINIHYP_STORE:
		return guest_access(guest, gpa, arg >> 32, true);
	case MINIHYP_SHARE:
		return guest_convert(guest, gpa, GMEM_STATE_SHARED);
	case MINIHYP_UNSHARE:
		return guest_convert(guest, gpa, GMEM_STATE_PRIVATE);
	default:
		return -ENOTTY;
	}
}

static int device_bind(struct guest *guest)
{
	struct file *memory;
	int rc;

	memory = gmem_file_create("minihyp", MINIHYP_PAGES * PAGE_SIZE,
				  GMEM_CREATE_F_INIT_SHARED |
				  GMEM_CREATE_F_GUEST_CONSENT, NUMA_NO_NODE);
	if (IS_ERR(memory))
		return PTR_ERR(memory);
	rc = guest_create(guest, memory);
	/* The binding has a reference of its own. */
	fput(memory);
	return rc;
}

static int device_open(struct inode *inode, struct file *file)
{
	struct guest *guest;
	int rc;

	guest = kzalloc(sizeof(*guest), GFP_KERNEL);
	if (!guest)
		return -ENOMEM;
	rc = device_bind(guest);
	if (rc)
		kfree(guest);
	else
		file->private_data = guest;
	return rc;
}

static int device_release(struct inode *inode, struct file *file)
{
	guest_destroy(file->private_data);
	kfree(file->private_data);
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "minihyp",
	.fops = &device_fops,
	.mode = 0600,
};

module_misc_device(device);

/* What MODULE_IMPORT_NS() is, whose argument is a string since 6.13 only. */
MODULE_INFO(import_ns, "GMEM");
MODULE_DESCRIPTION("A minimal hypervisor on gmem");
MODULE_LICENSE("GPL");
