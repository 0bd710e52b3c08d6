// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: inodes and files of guest memory
 *
 * A pseudo filesystem with one inode for each GMEM_IOCTL_CREATE. Folios live in the
 * inode's page cache, which brings memory cgroup charges and the LRU; the mapping is
 * unevictable and its folios do not migrate, because hypervisors rely on the address of
 * private memory. The mapping is marked as inaccessible, so compaction does not unmap
 * pages from the guests before it finds that it cannot move them.
 *
 * The superblock exists while files do: the path of each file holds the mount. The
 * file made by GMEM_IOCTL_CREATE holds a second count, so that the next file finds
 * the same mount; it drops this count in ->release(), while its path still holds the
 * mount. Others, such as the walk of drop_caches, can hold the inode for longer, until
 * the shutdown of the superblock. The superblock pins the module through its owner, so
 * the module cannot be unloaded before.
 *
 * Lock order: gmem_live_mutex is taken with no lock of gmem held, and below it
 * only what reading statistics takes.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/mount.h>
#include <linux/nodemask.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "trace.h"

/* "gMeM"; must differ from the magic numbers of other filesystems */
#define GMEM_FS_MAGIC 0x674d654d

static struct kmem_cache *gmem_inode_cache;
static struct vfsmount *gmem_mnt;
static int gmem_mnt_count;

static LIST_HEAD(gmem_live);
static bool gmem_live_barred;
static DEFINE_MUTEX(gmem_live_mutex);

static void gmem_inode_init_once(void *object)
{
	struct gmem_inode *gi = object;

	inode_init_once(&gi->vfs_inode);
	gmem_views_init_once(&gi->views);
}

static struct inode *gmem_alloc_inode(struct super_block *sb)
{
	struct gmem_inode *gi;

	gi = alloc_inode_sb(sb, gmem_inode_cache, GFP_KERNEL);
	if (!gi)
		return NULL;

	/* The rest is set up by gmem_inode_create(). */
	mt_init_flags(&gi->bindings, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
	/*
	 * Not for the gaps: inner nodes of other trees keep their end in the last slot, and
	 * mtree_destroy() of 6.12 and 7.3 takes that for a child when it frees by RCU.
	 */
	mt_init_flags(&gi->policies, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
	mutex_init(&gi->policies_lock);
	gi->nr_policies = 0;
	xa_init(&gi->poison);
	atomic_set(&gi->nr_poisoned, 0);
	gmem_ranges_init(&gi->ranges);
	gmem_gates_init(gi);
	gmem_state_init(&gi->state, 0, GMEM_STATE_SHARED);
	memset(&gi->counters, 0, sizeof(gi->counters));
	gmem_watches_init(&gi->watches);
	atomic64_set(&gi->last_binding, 0);
	INIT_LIST_HEAD(&gi->live);
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

	mutex_lock(&gmem_live_mutex);
	list_del_init(&gi->live);
	mutex_unlock(&gmem_live_mutex);

	gmem_watches_destroy(gi);
	gmem_bindings_destroy(gi);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	gmem_state_destroy(&gi->state);
	mtree_destroy(&gi->policies);
	xa_destroy(&gi->poison);
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
 * Compaction must leave the folios where they are: hypervisors rely on the address
 * of private memory.
 */
static int gmem_migrate_folio(struct address_space *mapping, struct folio *dst,
			      struct folio *src, enum migrate_mode mode)
{
	return -EBUSY;
}

static const struct address_space_operations gmem_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = gmem_migrate_folio,
	.error_remove_folio = gmem_error_remove_folio,
};

/* Owner and mode can be changed as for any file; the size cannot. */
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

static void gmem_inode_setup(struct inode *inode, const char *name, u64 length,
			     u32 create_flags, int node)
{
	struct gmem_inode *gi = GMEM_I(inode);

	strscpy(gi->name, name);

	gi->create_flags = create_flags;
	gi->node = node;
	gmem_state_init(&gi->state, length >> PAGE_SHIFT,
			create_flags & GMEM_CREATE_F_INIT_SHARED ?
				GMEM_STATE_SHARED : GMEM_STATE_PRIVATE);

	gi->views.mapping.host = inode;
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0600;
	/*
	 * As the inode of a memfd it has no link, and so cannot be linked to a name. Watches
	 * of inotify and fanotify then end with the last file, instead of keeping the memory.
	 */
	clear_nlink(inode);
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	simple_inode_init_ts(inode);
	inode->i_size = length;
	inode->i_op = &gmem_inode_ops;
	/* /proc/PID/fd/N can be opened again: QEMU opens memory by path. */
	inode->i_fop = &gmem_file_fops;
	inode->i_mapping->a_ops = &gmem_aops;
	mapping_set_gfp_mask(inode->i_mapping, GMEM_FOLIO_GFP);
	mapping_set_unevictable(inode->i_mapping);
	mapping_set_inaccessible(inode->i_mapping);
}

static struct inode *gmem_inode_create(const char *name, u64 length,
				       u32 create_flags, int node)
{
	struct inode *inode = new_inode(gmem_mnt->mnt_sb);
	int rc;

	if (!inode)
		return ERR_PTR(-ENOMEM);

	gmem_inode_setup(inode, name, length, create_flags, node);

	/*
	 * Keep the inode open for writing as long as it exists: with
	 * CONFIG_READ_ONLY_THP_FOR_FS khugepaged collapses only files that are not.
	 */
	rc = get_write_access(inode);
	if (rc) {
		iput(inode);
		return ERR_PTR(rc);
	}
	return inode;
}

static int gmem_inode_publish(struct gmem_inode *gi)
{
	int rc = 0;

	mutex_lock(&gmem_live_mutex);
	if (gmem_live_barred)
		rc = -EBUSY;
	else
		list_add_tail(&gi->live, &gmem_live);
	mutex_unlock(&gmem_live_mutex);
	return rc;
}

static int gmem_create_check(const char *name, u64 length, u32 create_flags,
			     int node)
{
	size_t i, n = strnlen(name, GMEM_NAME_MAX);

	if (n == GMEM_NAME_MAX)
		return -EINVAL;
	/* It goes into /proc, and from there to terminals. */
	for (i = 0; i < n; i++) {
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return -EINVAL;
	}
	if (create_flags & ~GMEM_CREATE_VALID_MASK)
		return -EINVAL;
	if (!length || length > GMEM_MAX_LENGTH || !PAGE_ALIGNED(length))
		return -EINVAL;
	if (!(create_flags & GMEM_CREATE_F_NODE))
		return 0;
	if (!IS_ENABLED(CONFIG_NUMA))
		return -EOPNOTSUPP;
	if (node < 0 || node >= MAX_NUMNODES || !node_state(node, N_MEMORY))
		return -EINVAL;
	return 0;
}

/**
 * gmem_file_create() - create guest memory
 * @name: shorter than GMEM_NAME_MAX, of visible ASCII characters, or ""
 * @length: bytes, a multiple of the page size
 * @create_flags: GMEM_CREATE_F_*
 * @node: with GMEM_CREATE_F_NODE a NUMA node, else ignored
 *
 * The file is the same as that of GMEM_IOCTL_CREATE: fd_install() gives it to
 * userspace.
 *
 * Context: process context, sleeps.
 * Return: a file, or an ERR_PTR() as GMEM_IOCTL_CREATE.
 */
struct file *gmem_file_create(const char *name, u64 length, u32 create_flags,
			      int node)
{
	char path[sizeof("gmem:") + GMEM_NAME_MAX];
	struct inode *inode;
	struct file *file;
	int rc;

	rc = gmem_create_check(name, length, create_flags, node);
	if (rc)
		return ERR_PTR(rc);
	if (!(create_flags & GMEM_CREATE_F_NODE))
		node = NUMA_NO_NODE;

	rc = simple_pin_fs(&gmem_fs_type, &gmem_mnt, &gmem_mnt_count);
	if (rc)
		return ERR_PTR(rc);

	inode = gmem_inode_create(name, length, create_flags, node);
	if (IS_ERR(inode)) {
		rc = PTR_ERR(inode);
		goto err_pin;
	}

	/* alloc_file_pseudo() takes no reference to the owner, __fput() drops one. */
	if (!fops_get(&gmem_file_fops)) {
		rc = -ENODEV;
		goto err_inode;
	}

	snprintf(path, sizeof(path), *name ? "gmem:%s" : "gmem", name);
	file = alloc_file_pseudo(inode, gmem_mnt, path, O_RDWR | O_LARGEFILE,
				 &gmem_file_fops);
	if (IS_ERR(file)) {
		rc = PTR_ERR(file);
		goto err_fops;
	}

	/* From here on ->release() undoes everything above. */
	file->private_data = &gmem_mnt;
	rc = gmem_inode_publish(GMEM_I(inode));
	if (rc) {
		fput(file);
		return ERR_PTR(rc);
	}
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
GMEM_EXPORT_SYMBOL(gmem_file_create);

/* A reopened file has no second count of the mount. */
int gmem_file_release(struct inode *inode, struct file *file)
{
	if (file->private_data == &gmem_mnt)
		simple_release_fs(&gmem_mnt, &gmem_mnt_count);
	return 0;
}

/**
 * gmem_inode_bar() - forbid the creation of guest memory, if none exists
 *
 * Context: process context.
 * Return: 0, to be followed by gmem_inode_unbar(); or -EBUSY if guest memory exists.
 */
int gmem_inode_bar(void)
{
	int rc = 0;

	mutex_lock(&gmem_live_mutex);
	if (!list_empty(&gmem_live))
		rc = -EBUSY;
	else
		gmem_live_barred = true;
	mutex_unlock(&gmem_live_mutex);
	return rc;
}

/**
 * gmem_inode_unbar() - allow the creation of guest memory again
 *
 * Context: process context.
 */
void gmem_inode_unbar(void)
{
	mutex_lock(&gmem_live_mutex);
	gmem_live_barred = false;
	mutex_unlock(&gmem_live_mutex);
}

/**
 * gmem_inode_for_each() - call a function for all guest memory
 * @fn: called for each inode, which cannot be evicted meanwhile
 * @data: for @fn
 *
 * Tasks that create or free guest memory wait, so @fn must not take long for large
 * memory.
 *
 * Context: process context; @fn may sleep.
 */
void gmem_inode_for_each(void (*fn)(struct gmem_inode *gi, void *data),
			 void *data)
{
	struct gmem_inode *gi;

	/* gmem_evict_inode() takes the mutex before it frees anything. */
	mutex_lock(&gmem_live_mutex);
	list_for_each_entry(gi, &gmem_live, live)
		fn(gi, data);
	mutex_unlock(&gmem_live_mutex);
}

int gmem_inode_init(void)
{
	int rc;

	gmem_inode_cache = kmem_cache_create("gmem_inode",
					     sizeof(struct gmem_inode),
					     __alignof__(struct gmem_inode),
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
