/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows kernel versions. The code is written for 7.3; this
 * header makes 6.12 look like it. Each entry says what changed and when it can
 * go: all of them when 6.12 is no longer supported.
 */
#ifndef _GMEM_COMPAT_H
#define _GMEM_COMPAT_H

#include <linux/export.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/*
 * Before "lib/buildid: use __kernel_read() for sleepable context" (777a8560fd29, in
 * 6.12.67 and 6.19) PROCMAP_QUERY and others read a mapped file by
 * read_cache_folio(). That calls ->read_folio(), which gmem has not, for a page that
 * is not uptodate, which private ones are not. No header tells.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 67) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0))
#error "gmem needs Linux 6.12.67 or newer of 6.12, or 6.19 or newer: others crash when a build id is read from guest memory"
#endif

#ifndef CONFIG_64BIT
#error "gmem needs a 64-bit kernel: page offsets of large memory do not fit otherwise"
#endif

/* <linux/pagevec.h> became <linux/folio_batch.h> after 6.12. */
#ifdef GMEM_HAVE_FOLIO_BATCH_H
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif

/* kzalloc() that takes the object: 7.0, and late releases of 6.12. */
#ifndef kzalloc_obj
#define kzalloc_obj(obj, gfp) kzalloc(sizeof(obj), gfp)
#endif

/*
 * Symbol namespaces: a token in 6.12, a string since 6.13 (cdd30ebb1b9f).
 * GMEM_HAVE_* come from Kbuild, which looks for the text in the headers.
 */
#ifdef GMEM_HAVE_STRING_NS
#define GMEM_EXPORT_SYMBOL(sym) EXPORT_SYMBOL_NS_GPL(sym, "GMEM")
#define GMEM_IMPORT_NS() MODULE_IMPORT_NS("GMEM")
#define PVMEMCONTROL_EXPORT_SYMBOL(sym) EXPORT_SYMBOL_NS_GPL(sym, "PVMEMCONTROL")
#define PVMEMCONTROL_IMPORT_NS() MODULE_IMPORT_NS("PVMEMCONTROL")
#else
#define GMEM_EXPORT_SYMBOL(sym) EXPORT_SYMBOL_NS_GPL(sym, GMEM)
#define GMEM_IMPORT_NS() MODULE_IMPORT_NS(GMEM)
#define PVMEMCONTROL_EXPORT_SYMBOL(sym) EXPORT_SYMBOL_NS_GPL(sym, PVMEMCONTROL)
#define PVMEMCONTROL_IMPORT_NS() MODULE_IMPORT_NS(PVMEMCONTROL)
#endif

/* In 7.3 a workqueue has to say that it is per CPU; in 6.12 it always is. */
#ifdef GMEM_HAVE_WQ_PERCPU
#define GMEM_WQ_PERCPU WQ_PERCPU
#else
#define GMEM_WQ_PERCPU 0
#endif

/*
 * A guest_memfd of KVM has a superblock of its own in 7.3. In 6.12 it is an
 * anonymous inode, whose name only the kernel can give, with a mapping that
 * nobody else marks as inaccessible.
 */
#ifdef GUEST_MEMFD_MAGIC
static inline bool gmem_is_guest_memfd(struct file *file)
{
	return file_inode(file)->i_sb->s_magic == GUEST_MEMFD_MAGIC;
}
#else
static inline bool gmem_is_guest_memfd(struct file *file)
{
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(file->f_path.dentry->d_name.name, "[kvm-gmem]") &&
	       mapping_inaccessible(file->f_mapping);
}
#endif

/* In 7.3 a file may be mapped by ->mmap_prepare() instead of ->mmap(). */
#ifdef GMEM_HAVE_MMAP_PREPARE
#define gmem_file_has_mmap_prepare(file) ((file)->f_op->mmap_prepare)
#else
#define gmem_file_has_mmap_prepare(file) (false)
#endif

/* Devices of virtio have more than 64 features after 6.16. */
#ifndef GMEM_HAVE_VIRTIO_GET_FEATURES
#define VIRTIO_FEATURES_U64S 1
#define virtio_get_features(virtio, features) \
	(*(features) = (virtio)->config->get_features(virtio))
#endif

/* zap_vma_ptes() has another name in 7.2. */
#ifndef GMEM_HAVE_ZAP_SPECIAL_VMA_RANGE
#define zap_special_vma_range zap_vma_ptes
#endif

/* <asm/cpuid.h> became <asm/cpuid/api.h> after 6.12, and what finds a hypervisor got a name. */
#ifdef CONFIG_X86
#ifdef GMEM_HAVE_CPUID_API_H
#include <asm/cpuid/api.h>
#else
#include <asm/cpuid.h>
#define cpuid_base_hypervisor hypervisor_cpuid_base
#endif
#endif

/* In 6.12 mtree_erase() leaves the entry where it is for lack of memory. */
static inline void gmem_mtree_erase(struct maple_tree *tree, unsigned long index)
{
	do {
		mtree_erase(tree, index);
	} while (mtree_load(tree, index));
}

#endif /* _GMEM_COMPAT_H */
