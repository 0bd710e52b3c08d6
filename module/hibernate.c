// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: hibernation
 *
 * A hibernation image would hold the private pages in clear. So hibernation is
 * refused as long as guest memory exists, as for memfd_secret().
 *
 * Takes no locks of its own.
 */
#include <linux/notifier.h>
#include <linux/suspend.h>

#include "internal.h"

static int gmem_hibernate_notify(struct notifier_block *nb,
				 unsigned long event, void *data)
{
	if (event == PM_HIBERNATION_PREPARE && gmem_inode_any_live())
		return notifier_from_errno(-EBUSY);
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
