// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: pvmemcontrol.ko
 *
 * For guests: asks the VMM to change the backing of guest memory. This file initialises and
 * releases the parts. The module needs neither gmem.ko nor its requirements.
 */
#include <linux/module.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init pvmemcontrol_init(void)
{
	int rc;

	rc = pvmemcontrol_chardev_init();
	if (rc)
		return rc;
	rc = pvmemcontrol_pci_init();
	if (rc)
		pvmemcontrol_chardev_exit();
	return rc;
}

static void __exit pvmemcontrol_exit(void)
{
	pvmemcontrol_pci_exit();
	pvmemcontrol_chardev_exit();
}

module_init(pvmemcontrol_init);
module_exit(pvmemcontrol_exit);

MODULE_DESCRIPTION("Ask the VMM to change what backs guest memory");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
