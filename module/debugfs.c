// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: debugfs
 *
 * /sys/kernel/debug/gmem/files: a line for each live gmem file, with its counters,
 * tab separated under a line of names. Read only. Pages in stores are not included:
 * counting them takes time, and would block the creation of memory.
 *
 * Takes no locks.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "internal.h"

static struct dentry *gmem_debugfs_dir;

static void gmem_debugfs_file(struct gmem_inode *gi, void *data)
{
	struct gmem_ioctl_stat stat = { .size = sizeof(stat) };
	struct seq_file *m = data;

	gmem_stat_fill(gi, &stat, false);
	seq_printf(m, "%lu\t%llu\t%s\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%u\t%u\t%u\t%llu\t%llu\t%llu\n",
		   (unsigned long)gi->vfs_inode.i_ino, stat.length,
		   stat.create_flags & GMEM_CREATE_F_INIT_SHARED ?
			   "shared" : "private",
		   stat.private_pages, stat.resident_pages, stat.state_bytes,
		   stat.faults, stat.faults_refused,
		   stat.faults_waited, stat.to_private, stat.to_shared,
		   stat.refused, stat.drains, stat.moved_pages, stat.bindings,
		   stat.views, stat.view_mappings, stat.view_pages,
		   stat.view_refills, stat.view_faults);
}

static int gmem_debugfs_files_show(struct seq_file *m, void *v)
{
	seq_puts(m, "ino\tlength\tinitial\tprivate\tresident\tstate_bytes\tfaults\trefused_faults\twaited_faults\tto_private\tto_shared\trefused\tdrains\tmoved\tbindings\tviews\tview_mappings\tview_pages\tview_refills\tview_faults\n");
	gmem_inode_for_each(gmem_debugfs_file, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gmem_debugfs_files);

void gmem_debugfs_init(void)
{
	gmem_debugfs_dir = debugfs_create_dir("gmem", NULL);
	debugfs_create_file("files", 0400, gmem_debugfs_dir, NULL,
			    &gmem_debugfs_files_fops);
}

void gmem_debugfs_exit(void)
{
	debugfs_remove_recursive(gmem_debugfs_dir);
}
