// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: files of KVM
 *
 * Recognises a KVM guest_memfd by properties that only the kernel can set, and
 * tracks which parts of which file are bound.
 *
 * A binding holds a reference to the guest_memfd, and that holds its VM: the file
 * stays usable until the binding ends, in whatever order userspace closes its
 * fds.
 *
 * Lock order: gmem_kvm_lock is innermost; it can be taken with the range lock held.
 */
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "internal.h"

static LIST_HEAD(gmem_kvm_ranges);
static DEFINE_MUTEX(gmem_kvm_lock);

/*
 * Whether userspace can map the guest_memfd itself (GUEST_MEMFD_FLAG_MMAP). The flag is in a
 * structure of KVM, so try a private mapping. Without the flag KVM refuses every mapping with
 * -ENODEV; with the flag it refuses a private one with -EINVAL. Before that it reads only the
 * flags of the VMA.
 */
static bool gmem_kvm_file_can_map(struct file *file)
{
	struct vm_area_struct vma = {};

	if (!file->f_op->mmap)
		return gmem_file_has_mmap_prepare(file);
	return file->f_op->mmap(file, &vma) != -ENODEV;
}

/*
 * Whether the VM's private memory is encrypted: then the bytes of a page are meaningless to
 * the host. On both kernels private_data of a guest_memfd points to a structure whose first
 * member is the VM.
 */
static bool gmem_kvm_file_is_encrypted(struct file *file)
{
#ifdef CONFIG_X86
	struct kvm *kvm = *(struct kvm **)file->private_data;

	return kvm->arch.vm_type != KVM_X86_DEFAULT_VM &&
	       kvm->arch.vm_type != KVM_X86_SW_PROTECTED_VM;
#else
	return true;
#endif
}

static int gmem_kvm_file_check(struct file *file)
{
	if (!gmem_is_guest_memfd(file))
		return -EINVAL;
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!file->f_op->fallocate)
		return -EINVAL;
	if (gmem_kvm_file_can_map(file))
		return -EOPNOTSUPP;
	return 0;
}

static bool gmem_kvm_range_is_bound(struct gmem_kvm_range *range)
{
	struct gmem_kvm_range *other;

	lockdep_assert_held(&gmem_kvm_lock);
	list_for_each_entry(other, &gmem_kvm_ranges, node) {
		if (file_inode(other->file) == file_inode(range->file) &&
		    other->start < range->end && range->start < other->end)
			return true;
	}
	return false;
}

static int gmem_kvm_range_insert(struct gmem_kvm_range *range)
{
	int rc = 0;

	mutex_lock(&gmem_kvm_lock);
	if (gmem_kvm_range_is_bound(range))
		rc = -EBUSY;
	else
		list_add_tail(&range->node, &gmem_kvm_ranges);
	mutex_unlock(&gmem_kvm_lock);
	return rc;
}

static struct gmem_kvm_range *gmem_kvm_range_alloc(struct gmem_binding *binding,
						   struct file *file)
{
	struct gmem_kvm_range *range;

	range = kzalloc_obj(*range, GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL);
	if (!range)
		return NULL;
	range->file = file;
	range->start = binding->store_start;
	range->end = gmem_store_index(binding, binding->end);
	return range;
}

int gmem_kvm_bind(struct gmem_binding *binding, int store_fd)
{
	struct gmem_kvm_range *range;
	struct file *file;
	int rc;

	file = fget(store_fd);
	if (!file)
		return -EBADF;
	rc = gmem_kvm_file_check(file);
	if (rc)
		goto err_file;

	rc = -ENOMEM;
	range = gmem_kvm_range_alloc(binding, file);
	if (!range)
		goto err_file;
	rc = -EINVAL;
	if (range->end > i_size_read(file_inode(file)) >> PAGE_SHIFT)
		goto err_range;
	rc = gmem_kvm_range_insert(range);
	if (rc)
		goto err_range;

	binding->priv = range;
	binding->encrypted = gmem_kvm_file_is_encrypted(file);
	return 0;

err_range:
	kfree(range);
err_file:
	fput(file);
	return rc;
}

void gmem_kvm_unbind(struct gmem_binding *binding)
{
	struct gmem_kvm_range *range = binding->priv;

	gmem_kvm_forget(binding);
	mutex_lock(&gmem_kvm_lock);
	list_del(&range->node);
	mutex_unlock(&gmem_kvm_lock);
}

void gmem_kvm_release(struct gmem_binding *binding)
{
	struct gmem_kvm_range *range = binding->priv;

	fput(range->file);
	kfree(range);
}
