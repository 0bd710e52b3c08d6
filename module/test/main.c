// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: gmem_test.ko, a mock hypervisor
 *
 * Never installed. With it selftests use the library like a hypervisor other than KVM. It
 * uses only <linux/gmem.h>, and checks the promises of this header. The module contains
 * KUnit suites of pure logic if the kernel has KUnit.
 *
 * Lock order, outermost first:
 *
 *  1. &mock_vm.slots_lock, shared by vCPUs, exclusive to bind and unbind
 *  2. all locks of gmem: the range lock with the methods below it, a look-up
 *  3. mock_holds_lock
 *  4. &mock_slot.lock, which the methods take
 *  5. &mock_vm.knobs_lock
 */
#include <linux/module.h>

#include "internal.h"

static int __init gmem_test_init(void)
{
	int rc;

	rc = mock_hold_init();
	if (rc)
		return rc;
	rc = mock_device_init();
	if (rc)
		mock_hold_exit();
	return rc;
}

static void __exit gmem_test_exit(void)
{
	mock_device_exit();
	mock_hold_exit();
}

module_init(gmem_test_init);
module_exit(gmem_test_exit);

GMEM_IMPORT_NS();
MODULE_DESCRIPTION("Mock hypervisor and unit tests of gmem");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
