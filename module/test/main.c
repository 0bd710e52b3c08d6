// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: gmem_test.ko, a mock hypervisor
 *
 * Never installed: selftests load it to see the library from the side of a
 * hypervisor that is not KVM. KUnit suites of the pure logic are part of it where
 * the kernel has KUnit.
 */
#include <linux/module.h>

#include "../compat.h"

static int __init gmem_test_init(void)
{
	return 0;
}

static void __exit gmem_test_exit(void)
{
}

module_init(gmem_test_init);
module_exit(gmem_test_exit);

GMEM_IMPORT_NS();
MODULE_DESCRIPTION("Mock hypervisor and unit tests of gmem");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
