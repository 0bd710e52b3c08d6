// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: gmem.ko
 *
 * Guest memory for confidential and software-protected VMs: /dev/gmem creates fds
 * whose pages are shared with the host or private to the guest. This file
 * initialises and releases the parts.
 */
#include <linux/module.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init gmem_init(void)
{
	int rc;

	rc = gmem_drain_init();
	if (rc)
		return rc;
	rc = gmem_inode_init();
	if (rc)
		goto err_drain;
	rc = gmem_hibernate_init();
	if (rc)
		goto err_inode;
	gmem_debugfs_init();
	/* Last: from here on userspace may come in. */
	rc = gmem_chardev_init();
	if (rc)
		goto err_debugfs;
	return 0;

err_debugfs:
	gmem_debugfs_exit();
	gmem_hibernate_exit();
err_inode:
	gmem_inode_exit();
err_drain:
	gmem_drain_exit();
	return rc;
}

static void __exit gmem_exit(void)
{
	gmem_chardev_exit();
	gmem_debugfs_exit();
	gmem_hibernate_exit();
	gmem_inode_exit();
	gmem_drain_exit();
}

module_init(gmem_init);
module_exit(gmem_exit);

MODULE_DESCRIPTION("Guest memory, shared with the host or private to the guest");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
