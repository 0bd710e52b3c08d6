// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: /dev/gmem_guest_test
 *
 * For tests inside of a guest: KVM accepts requests to convert memory from the guest's
 * kernel only. The module owns memory, which programs map, and convert by means of
 * gmem_guest.ko's own function. The memory is shared when the module is loaded, and again
 * before it is freed.
 *
 * Takes no locks: the host orders conversions of overlapping ranges.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kvm_para.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

#include "../../compat.h"
#include "../../include/linux/gmem_guest.h"
#include "gmem_guest_test.h"

#define GUEST_PAGES (GMEM_GUEST_SIZE / PAGE_SIZE)

static void *guest_memory;
static struct page *guest_pages[GUEST_PAGES];

/* Not by gmem_guest.ko, which makes no invalid requests. */
static long guest_call(u64 gpa, u64 pages, u64 attributes)
{
	return kvm_hypercall3(KVM_HC_MAP_GPA_RANGE, gpa, pages, attributes);
}

static int guest_convert(u64 offset, u64 length, bool to_private)
{
	return gmem_guest_convert(PHYS_PFN(virt_to_phys(guest_memory) + offset),
				  length >> PAGE_SHIFT, to_private);
}

static long guest_ioctl_convert(void __user *user)
{
	struct gmem_guest_convert convert;

	if (copy_from_user(&convert, user, sizeof(convert)))
		return -EFAULT;
	if (convert.to_private > 1 || convert.__pad || !convert.length ||
	    !PAGE_ALIGNED(convert.offset | convert.length) ||
	    convert.offset >= GMEM_GUEST_SIZE ||
	    convert.length > GMEM_GUEST_SIZE - convert.offset)
		return -EINVAL;
	return guest_convert(convert.offset, convert.length,
			     convert.to_private);
}

static long guest_ioctl_call(void __user *user)
{
	struct gmem_guest_call call;

	if (copy_from_user(&call, user, sizeof(call)))
		return -EFAULT;
	call.result = guest_call(call.gpa, call.pages, call.attributes);
	return copy_to_user(user, &call, sizeof(call)) ? -EFAULT : 0;
}

static long guest_ioctl_msr(void __user *user)
{
	struct gmem_guest_msr msr;
	u32 low, high;

	if (copy_from_user(&msr, user, sizeof(msr)))
		return -EFAULT;
	if (msr.__pad)
		return -EINVAL;
	if (rdmsr_safe(msr.index, &low, &high))
		return -EIO;
	msr.value = (u64)high << 32 | low;
	return copy_to_user(user, &msr, sizeof(msr)) ? -EFAULT : 0;
}

static long guest_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case GMEM_GUEST_GPA:
		return put_user((u64)virt_to_phys(guest_memory),
				(u64 __user *)user);
	case GMEM_GUEST_CONVERT:
		return guest_ioctl_convert(user);
	case GMEM_GUEST_CALL:
		return guest_ioctl_call(user);
	case GMEM_GUEST_MSR:
		return guest_ioctl_msr(user);
	default:
		return -ENOTTY;
	}
}

static int guest_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return vm_map_pages(vma, guest_pages, GUEST_PAGES);
}

static const struct file_operations guest_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = guest_ioctl,
	.mmap = guest_mmap,
};

static struct miscdevice guest_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gmem_guest_test",
	.fops = &guest_fops,
	.mode = 0600,
};

/* Without KVM gmem_guest.ko cannot be loaded either. */
static int __init guest_init(void)
{
	int rc;

	guest_memory = alloc_pages_exact(GMEM_GUEST_SIZE,
					 GFP_KERNEL | __GFP_ZERO);
	if (!guest_memory)
		return -ENOMEM;
	for (unsigned int i = 0; i < GUEST_PAGES; i++)
		guest_pages[i] = virt_to_page(guest_memory + i * PAGE_SIZE);
	rc = misc_register(&guest_device);
	if (rc)
		free_pages_exact(guest_memory, GMEM_GUEST_SIZE);
	return rc;
}

/* The next user of the memory may want to share it with the host. */
static void __exit guest_exit(void)
{
	int rc;

	misc_deregister(&guest_device);
	rc = guest_convert(0, GMEM_GUEST_SIZE, false);
	if (rc)
		pr_warn("gmem_guest_test: memory stays private, and is lost: %d\n",
			rc);
	else
		free_pages_exact(guest_memory, GMEM_GUEST_SIZE);
}

module_init(guest_init);
module_exit(guest_exit);
MODULE_DESCRIPTION("Convert memory of a guest, for the tests of gmem");
MODULE_LICENSE("GPL");
GMEM_IMPORT_NS();
