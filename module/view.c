// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: views
 *
 * A mapping of guest memory for KVM alone, which needs only KVM's slots. KVM uses the
 * mapping of a slot in three ways. On a guest fault it walks to the page table entry
 * (follow_pfnmap_start() for a VM_PFNMAP mapping), and takes it if it is present and
 * writable. For its own accesses it uses copy_to_user() and copy_from_user() on the
 * address. And MMU notifiers tell it when an entry is removed. So gmem itself sets the
 * entries of a view (fill.c):
 *
 *  - of a shared page: accessible, as in any mapping;
 *  - of a private page: PROT_NONE, but writable, which is present for KVM, and which
 *    no CPU can use outside of guest mode.
 *
 * The mapping has no access rights and cannot get any (no VM_READ, no VM_MAYREAD and so
 * on), so page faults of a process and get_user_pages() fail at the check of the VMA. It
 * cannot be split, moved or copied by fork.
 *
 * The entries hold no references and are not counted as mappings of the folio. So code that
 * makes a page private, or removes its folio from the page cache, first removes the entries
 * by gmem_views_zap(). Meanwhile nobody can set them again, because both hold the range
 * lock. The exception is a memory failure; fill.c checks its mark. The entry of a page that
 * becomes shared can stay: it allows less than the state does, until fill.c changes it in
 * place.
 *
 * Views have a separate address_space in &gmem_inode.views, not the inode's: rmap walks
 * (migration, memory failure) treat every entry with the folio's frame number as a counted
 * mapping.
 *
 * Lock order: the range lock, mmap_lock, &gmem_views.lock, the locks of page tables. mmap()
 * and munmap() run with mmap_lock held, and take only &gmem_views.lock.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/interval_tree_generic.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "internal.h"
#include "trace.h"

#define gmem_view_mapping_start(m) ((m)->start)
#define gmem_view_mapping_last(m) ((m)->last)
INTERVAL_TREE_DEFINE(struct gmem_view_mapping, node, unsigned long, subtree_last,
		     gmem_view_mapping_start, gmem_view_mapping_last, static inline,
		     gmem_view_mapping);

/**
 * gmem_views_init_once() - initialise what every &struct gmem_inode keeps
 * @views: the views of an inode
 */
void gmem_views_init_once(struct gmem_views *views)
{
	memset(views, 0, sizeof(*views));
	address_space_init_once(&views->mapping);
	views->mapping.a_ops = &empty_aops;
	init_rwsem(&views->lock);
	INIT_LIST_HEAD(&views->list);
	views->mappings = RB_ROOT_CACHED;
}

/**
 * gmem_views_next() - walk over the mappings of a range of pages
 * @gi: the memory
 * @mapping: the last one, or NULL to begin
 * @start: first page
 * @end: page after the range
 *
 * Context: &gmem_views.lock held.
 * Return: the next mapping with pages of the range, or NULL.
 */
struct gmem_view_mapping *gmem_views_next(struct gmem_inode *gi,
					  struct gmem_view_mapping *mapping,
					  pgoff_t start, pgoff_t end)
{
	lockdep_assert_held(&gi->views.lock);
	return mapping ? gmem_view_mapping_iter_next(mapping, start, end - 1) :
			 gmem_view_mapping_iter_first(&gi->views.mappings, start,
						      end - 1);
}

/**
 * gmem_views_zap() - remove the entries of pages from all views
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 *
 * KVM is notified. On return no vCPU can access the pages by the views.
 *
 * Context: process context, sleeps; &gmem_views.lock may be held for reading. The range lock
 * is held, or the pages have the mark of a memory failure: so nobody sets the entries again.
 */
void gmem_views_zap(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	unmap_mapping_pages(&gi->views.mapping, start, end - start, true);
}

/**
 * gmem_views_overlap() - whether part of a range has a view
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 *
 * Context: process context; range lock held, so that no view of the range is created.
 * Return: whether there is an open view fd for a page of the range.
 */
bool gmem_views_overlap(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	struct gmem_view *view;
	bool found = false;

	down_read(&gi->views.lock);
	list_for_each_entry(view, &gi->views.list, node)
		found |= view->start < end && start < view->end;
	up_read(&gi->views.lock);
	return found;
}

/**
 * gmem_views_are_mine() - whether no other process has mapped a range by a view
 * @gi: the memory
 * @start: first page
 * @end: page after the range
 *
 * Context: process context; range lock held, so that nobody else fills a view.
 * Return: false if another address space has such a mapping.
 */
bool gmem_views_are_mine(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
	struct gmem_view_mapping *mapping = NULL;

	if (!gmem_views_mapped(gi))
		return true;
	down_read(&gi->views.lock);
	do {
		mapping = gmem_views_next(gi, mapping, start, end);
	} while (mapping && mapping->vma->vm_mm == current->mm);
	up_read(&gi->views.lock);
	return !mapping;
}

static void gmem_view_free(struct gmem_view *view)
{
	struct gmem_inode *gi = gmem_from_file(view->memory);

	down_write(&gi->views.lock);
	list_del(&view->node);
	WRITE_ONCE(gi->views.nr, gi->views.nr - 1);
	up_write(&gi->views.lock);
	if (view->fault_ops) {
		if (view->fault_ops->store->vcpus_gone)
			view->fault_ops->store->vcpus_gone();
		module_put(view->fault_ops->owner);
	}
	mmdrop(view->mm);
	fput(view->memory);
	kfree(view);
}

/* All mappings are gone: each of them held a reference to the file. */
static int gmem_view_release(struct inode *inode, struct file *file)
{
	struct gmem_view *view = file->private_data;

	trace_gmem_view(file_inode(view->memory)->i_ino, view->start, view->end,
			false);
	gmem_view_free(view);
	return 0;
}

/* The kernel has copied a VMA of a view. The copy never gets entries. */
static void gmem_view_vma_open(struct vm_area_struct *vma)
{
	vma->vm_private_data = NULL;
}

static void gmem_view_vma_close(struct vm_area_struct *vma)
{
	struct gmem_view_mapping *mapping = vma->vm_private_data;
	struct gmem_view *view = vma->vm_file->private_data;
	struct gmem_views *views = &gmem_from_file(view->memory)->views;

	if (!mapping)
		return;
	trace_gmem_view_mapping(file_inode(view->memory)->i_ino, mapping, false);
	down_write(&views->lock);
	gmem_view_mapping_remove(mapping, &views->mappings);
	WRITE_ONCE(views->nr_mappings, views->nr_mappings - 1);
	up_write(&views->lock);
	kfree(mapping);
}

static int gmem_view_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int gmem_view_vma_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

/* Also refuse protection keys, for which the kernel would rewrite the entries. */
static int gmem_view_vma_mprotect(struct vm_area_struct *vma, unsigned long start,
				  unsigned long end, unsigned long newflags)
{
	return -EINVAL;
}

/* Never reached: the VMA has no access rights. */
static vm_fault_t gmem_view_vma_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct gmem_view_vm_ops = {
	.open = gmem_view_vma_open,
	.close = gmem_view_vma_close,
	.may_split = gmem_view_vma_may_split,
	.mremap = gmem_view_vma_mremap,
	.mprotect = gmem_view_vma_mprotect,
	.fault = gmem_view_vma_fault,
	.huge_fault = gmem_fill_huge_fault,
};

static int gmem_view_add_mapping(struct gmem_inode *gi, struct vm_area_struct *vma)
{
	struct gmem_view_mapping *mapping;
	int rc = 0;

	mapping = kzalloc_obj(*mapping, GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	mutex_init(&mapping->huge_lock);
	mapping->vma = vma;
	mapping->start = vma->vm_pgoff;
	mapping->last = vma->vm_pgoff + vma_pages(vma) - 1;

	down_write(&gi->views.lock);
	if (gi->views.nr_mappings < GMEM_VIEW_MAX_MAPPINGS) {
		WRITE_ONCE(gi->views.nr_mappings, gi->views.nr_mappings + 1);
		gmem_view_mapping_insert(mapping, &gi->views.mappings);
	} else {
		rc = -EBUSY;
	}
	up_write(&gi->views.lock);
	if (rc) {
		kfree(mapping);
		return rc;
	}
	vma->vm_private_data = mapping;
	trace_gmem_view_mapping(gi->vfs_inode.i_ino, mapping, true);
	return 0;
}

/* Also called for remap_file_pages(), which creates a new mapping. */
static int gmem_view_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct gmem_view *view = file->private_data;
	int rc;

	if (view->mm != vma->vm_mm)
		return -EPERM;
	if (vma->vm_flags & VM_ACCESS_FLAGS || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff < view->start || vma->vm_pgoff >= view->end ||
	    vma_pages(vma) > view->end - vma->vm_pgoff)
		return -EINVAL;

	rc = gmem_view_add_mapping(gmem_from_file(view->memory), vma);
	if (rc)
		return rc;
	/* VM_IO: refuse MADV_DOFORK. VM_HUGEPAGE: huge entries whatever sysfs says. */
	vm_flags_mod(vma,
		     VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			     VM_DONTCOPY | VM_HUGEPAGE,
		     VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &gmem_view_vm_ops;
	return 0;
}

static const struct gmem_ioctl_op gmem_view_ioctl_ops[] = {
	GMEM_IOCTL_OP(GMEM_CMD_VIEW_POPULATE, gmem_ioctl_view_populate,
		      gmem_ioctl_view_populate, reserved),
	GMEM_IOCTL_OP(GMEM_CMD_VIEW_FAULT, gmem_ioctl_view_fault,
		      gmem_ioctl_view_fault, reserved),
};

static long gmem_view_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	return gmem_ioctl_dispatch(file, cmd, arg, gmem_view_ioctl_ops,
				   ARRAY_SIZE(gmem_view_ioctl_ops));
}

static const struct file_operations gmem_view_fops = {
	.owner = THIS_MODULE,
	.release = gmem_view_release,
	.llseek = noop_llseek,
	.unlocked_ioctl = gmem_view_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = gmem_view_mmap,
	/* So that 2 MiB of it can be one entry of a page table. */
	.get_unmapped_area = thp_get_unmapped_area,
};

/* Add the view to the list, unless a part of the range is bound. */
static int gmem_view_insert(struct gmem_inode *gi, struct gmem_view *view)
{
	struct gmem_binding *binding;
	struct gmem_range_lock range;
	int rc;

	gmem_range_init(&range, view->start, view->end);
	rc = gmem_range_lock(gi, &range);
	if (rc)
		return rc;
	binding = gmem_binding_next(gi, view->start, view->end);
	if (!binding) {
		down_write(&gi->views.lock);
		list_add_tail(&view->node, &gi->views.list);
		WRITE_ONCE(gi->views.nr, gi->views.nr + 1);
		up_write(&gi->views.lock);
	}
	gmem_range_unlock(gi, &range);
	if (!binding)
		return 0;
	gmem_binding_put(gi, binding);
	return -EBUSY;
}

static struct gmem_view *gmem_view_alloc(struct file *memory, pgoff_t start,
					 pgoff_t end)
{
	struct gmem_view *view;
	int rc;

	view = kzalloc_obj(*view, GMEM_GFP);
	if (!view)
		return ERR_PTR(-ENOMEM);
	view->start = start;
	view->end = end;
	rc = gmem_view_insert(gmem_from_file(memory), view);
	if (rc) {
		kfree(view);
		return ERR_PTR(rc);
	}
	view->memory = get_file(memory);
	view->mm = current->mm;
	mmgrab(view->mm);
	return view;
}

static struct file *gmem_view_create(struct file *memory, pgoff_t start,
				     pgoff_t end)
{
	struct gmem_inode *gi = gmem_from_file(memory);
	struct gmem_view *view;
	struct file *file;

	view = gmem_view_alloc(memory, start, end);
	if (IS_ERR(view))
		return ERR_CAST(view);
	file = anon_inode_getfile("[gmem-view]", &gmem_view_fops, view, O_RDWR);
	if (IS_ERR(file)) {
		gmem_view_free(view);
		return file;
	}
	/* As block devices do: for gmem_views_zap() to find the mappings. */
	file->f_mapping = &gi->views.mapping;
	trace_gmem_view(gi->vfs_inode.i_ino, start, end, true);
	return file;
}

static int gmem_view_install(struct file *memory, struct gmem_ucmd *ucmd,
			     pgoff_t start, pgoff_t end)
{
	struct gmem_ioctl_view *cmd = ucmd->cmd;
	struct file *file;
	int fd, rc;

	fd = get_unused_fd_flags(cmd->fd_flags);
	if (fd < 0)
		return fd;
	file = gmem_view_create(memory, start, end);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	cmd->out_fd = fd;
	rc = gmem_ucmd_respond(ucmd);
	if (rc) {
		put_unused_fd(fd);
		fput(file);
		return rc;
	}
	/* Nothing can fail once another thread may use the fd. */
	fd_install(fd, file);
	return 0;
}

long gmem_ioctl_view(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_inode *gi = gmem_from_file(file);
	struct gmem_ioctl_view *cmd = ucmd->cmd;
	pgoff_t start, end;
	int rc;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (cmd->flags || cmd->fd_flags & ~O_CLOEXEC ||
	    memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;
	rc = gmem_ucmd_range(gi, cmd->offset, cmd->length, &start, &end);
	if (rc)
		return rc;
	/* With a view the VMM converts, not the guest. */
	if (gi->create_flags & GMEM_CREATE_F_GUEST_CONSENT)
		return -EPERM;
	return gmem_view_install(file, ucmd, start, end);
}
