// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: inodes and files of guest memory
 *
 * A pseudo filesystem with one inode for each GMEM_IOCTL_CREATE. Folios live in
 * the inode's page cache, which brings memory cgroup charges and the LRU;
 * the mapping is unevictable and its folios do not migrate.
 *
 * The superblock exists while inodes do. An inode holds one count of the mount
 * from the moment its file exists until it is evicted. At that moment the path
 * of the last file still holds the mount too, so that the superblock is never
 * shut down from within the eviction of one of its inodes. As the superblock
 * pins the module through its owner, the module cannot go before.
 *
 * Lock order: gmem_live_lock is innermost.
 */
#include <linux/cred.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>

#include "internal.h"
#include "trace.h"

/* "gMeM"; anything that no other filesystem uses */
#define GMEM_FS_MAGIC 0x674d654d

static struct kmem_cache *gmem_inode_cache;
static struct vfsmount *gmem_mnt;
static int gmem_mnt_count;

static LIST_HEAD(gmem_live);
static DEFINE_SPINLOCK(gmem_live_lock);

static void gmem_inode_init_once(void *object)
{
	struct gmem_inode *gi = object;

	inode_init_once(&gi->vfs_inode);
}

static struct inode *gmem_alloc_inode(struct super_block *sb)
{
	struct gmem_inode *gi;

	gi = alloc_inode_sb(sb, gmem_inode_cache, GFP_KERNEL);
	if (!gi)
		return NULL;

	/* The rest is set up by gmem_inode_create(). */
	mt_init_flags(&gi->bindings, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
	mt_init_flags(&gi->policies, MT_FLAGS_USE_RCU);
	gmem_ranges_init(&gi->ranges);
	gmem_state_init(&gi->state, 0, GMEM_STATE_SHARED);
	memset(&gi->counters, 0, sizeof(gi->counters));
	INIT_LIST_HEAD(&gi->live);
	gi->pinned = false;
	return &gi->vfs_inode;
}

static void gmem_free_inode(struct inode *inode)
{
	kmem_cache_free(gmem_inode_cache, GMEM_I(inode));
}

static void gmem_evict_inode(struct inode *inode)
{
	struct gmem_inode *gi = GMEM_I(inode);

	trace_gmem_release(inode->i_ino, i_size_read(inode));

	spin_lock(&gmem_live_lock);
	list_del_init(&gi->live);
	spin_unlock(&gmem_live_lock);

	gmem_bindings_destroy(gi);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	gmem_state_destroy(&gi->state);
	mtree_destroy(&gi->policies);
	if (gi->pinned)
		simple_release_fs(&gmem_mnt, &gmem_mnt_count);
}

static const struct super_operations gmem_super_ops = {
	.alloc_inode = gmem_alloc_inode,
	.free_inode = gmem_free_inode,
	.evict_inode = gmem_evict_inode,
	.statfs = simple_statfs,
};

static int gmem_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, GMEM_FS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &gmem_super_ops;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type gmem_fs_type = {
	.owner = THIS_MODULE,
	.name = "gmem",
	.init_fs_context = gmem_init_fs_context,
	.kill_sb = kill_anon_super,
};

/*
 * Compaction must leave the folios where they are: the address of private
 * memory is known to others.
 */
static int gmem_migrate_folio(struct address_space *mapping, struct folio *dst,
			      struct folio *src, enum migrate_mode mode)
{
	return -EBUSY;
}

static const struct address_space_operations gmem_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = gmem_migrate_folio,
};

/* Owner and mode are as for any file; the size is for life. */
static int gmem_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	if (attr->ia_valid & ATTR_SIZE)
		return -EINVAL;
	return simple_setattr(idmap, dentry, attr);
}

static const struct inode_operations gmem_inode_ops = {
	.getattr = simple_getattr,
	.setattr = gmem_setattr,
};

static void gmem_inode_setup(struct inode *inode, u64 length, u32 create_flags,
			     int node)
{
	struct gmem_inode *gi = GMEM_I(inode);

	gi->create_flags = create_flags;
	gi->node = node;
	gmem_state_init(&gi->state, length >> PAGE_SHIFT,
			create_flags & GMEM_CREATE_F_INIT_SHARED ?
				GMEM_STATE_SHARED : GMEM_STATE_PRIVATE);

	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0600;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	simple_inode_init_ts(inode);
	inode->i_size = length;
	inode->i_op = &gmem_inode_ops;
	/* /proc/PID/fd/N can be opened again: QEMU opens memory by path. */
	inode->i_fop = &gmem_file_fops;
	inode->i_mapping->a_ops = &gmem_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	mapping_set_unevictable(inode->i_mapping);
}

static struct inode *gmem_inode_create(u64 length, u32 create_flags, int node)
{
	struct inode *inode = new_inode(gmem_mnt->mnt_sb);
	int rc;

	if (!inode)
		return ERR_PTR(-ENOMEM);

	gmem_inode_setup(inode, length, create_flags, node);

	/*
	 * Open for writing, for life: what khugepaged of kernels with
	 * CONFIG_READ_ONLY_THP_FOR_FS asks before it collapses a file.
	 */
	rc = get_write_access(inode);
	if (rc) {
		iput(inode);
		return ERR_PTR(rc);
	}
	return inode;
}

static void gmem_inode_publish(struct gmem_inode *gi)
{
	gi->pinned = true;
	spin_lock(&gmem_live_lock);
	list_add_tail(&gi->live, &gmem_live);
	spin_unlock(&gmem_live_lock);
}

/**
 * gmem_file_create() - new guest memory
 * @length: bytes, checked by the caller
 * @create_flags: GMEM_CREATE_F_*
 * @node: NUMA node or NUMA_NO_NODE
 *
 * Context: process context.
 * Return: a file or an ERR_PTR().
 */
struct file *gmem_file_create(u64 length, u32 create_flags, int node)
{
	struct inode *inode;
	struct file *file;
	int rc;

	rc = simple_pin_fs(&gmem_fs_type, &gmem_mnt, &gmem_mnt_count);
	if (rc)
		return ERR_PTR(rc);

	inode = gmem_inode_create(length, create_flags, node);
	if (IS_ERR(inode)) {
		rc = PTR_ERR(inode);
		goto err_pin;
	}

	/* alloc_file_pseudo() takes no reference to the owner, __fput() drops one. */
	if (!fops_get(&gmem_file_fops)) {
		rc = -ENODEV;
		goto err_inode;
	}

	file = alloc_file_pseudo(inode, gmem_mnt, "gmem", O_RDWR | O_LARGEFILE,
				 &gmem_file_fops);
	if (IS_ERR(file)) {
		rc = PTR_ERR(file);
		goto err_fops;
	}

	gmem_inode_publish(GMEM_I(inode));
	trace_gmem_create(inode->i_ino, length, create_flags, node);
	return file;

err_fops:
	fops_put(&gmem_file_fops);
err_inode:
	iput(inode);
err_pin:
	simple_release_fs(&gmem_mnt, &gmem_mnt_count);
	return ERR_PTR(rc);
}

/**
 * gmem_inode_any_live() - whether any guest memory exists
 *
 * Return: true if so. It may change at once.
 */
bool gmem_inode_any_live(void)
{
	bool any;

	spin_lock(&gmem_live_lock);
	any = !list_empty(&gmem_live);
	spin_unlock(&gmem_live_lock);
	return any;
}

/* The first inode after @prev (of all, if NULL) that is not going away. */
static struct gmem_inode *gmem_live_next(struct gmem_inode *prev)
{
	struct gmem_inode *gi;
	struct inode *inode = NULL;

	spin_lock(&gmem_live_lock);
	gi = list_prepare_entry(prev, &gmem_live, live);
	list_for_each_entry_continue(gi, &gmem_live, live) {
		/* NULL: on its way to gmem_evict_inode(), which waits for the lock. */
		inode = igrab(&gi->vfs_inode);
		if (inode)
			break;
	}
	spin_unlock(&gmem_live_lock);
	return inode ? GMEM_I(inode) : NULL;
}

/**
 * gmem_inode_for_each() - visit all guest memory
 * @fn: called with a reference held
 * @data: for @fn
 *
 * Context: process context; @fn may sleep.
 */
void gmem_inode_for_each(void (*fn)(struct gmem_inode *gi, void *data),
			 void *data)
{
	struct gmem_inode *prev = NULL;
	struct gmem_inode *gi;

	/*
	 * An inode held here may lose its last file meanwhile. Hold the mount
	 * too, so that the last iput() does not shut the superblock down.
	 */
	if (!gmem_inode_any_live() ||
	    simple_pin_fs(&gmem_fs_type, &gmem_mnt, &gmem_mnt_count))
		return;

	while ((gi = gmem_live_next(prev))) {
		if (prev)
			iput(&prev->vfs_inode);
		fn(gi, data);
		prev = gi;
	}
	if (prev)
		iput(&prev->vfs_inode);
	simple_release_fs(&gmem_mnt, &gmem_mnt_count);
}

int gmem_inode_init(void)
{
	int rc;

	gmem_inode_cache = kmem_cache_create("gmem_inode",
					     sizeof(struct gmem_inode), 0,
					     SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					     gmem_inode_init_once);
	if (!gmem_inode_cache)
		return -ENOMEM;

	rc = register_filesystem(&gmem_fs_type);
	if (rc)
		kmem_cache_destroy(gmem_inode_cache);
	return rc;
}

void gmem_inode_exit(void)
{
	unregister_filesystem(&gmem_fs_type);
	/* gmem_free_inode() runs after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(gmem_inode_cache);
}
