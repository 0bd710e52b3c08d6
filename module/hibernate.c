// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: hibernation
 *
 * A hibernation image would hold the private pages in clear. So hibernation is
 * refused while guest memory exists, as for memfd_secret(), and guest memory
 * cannot be created from the decision to hibernate until the resume.
 *
 * Takes no locks of its own.
 */
#include <linux/notifier.h>
#include <linux/suspend.h>

#include "internal.h"

static int gmem_hibernate_notify(struct notifier_block *nb,
				 unsigned long event, void *data)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
		return notifier_from_errno(gmem_inode_bar());
	case PM_POST_HIBERNATION:
		gmem_inode_unbar();
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block gmem_hibernate_nb = {
	.notifier_call = gmem_hibernate_notify,
};

int gmem_hibernate_init(void)
{
	return register_pm_notifier(&gmem_hibernate_nb);
}

void gmem_hibernate_exit(void)
{
	unregister_pm_notifier(&gmem_hibernate_nb);
}
