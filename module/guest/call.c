// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the request to the host
 *
 * KVM_HC_MAP_GPA_RANGE, which KVM hands to the VMM. Takes no locks: the host puts requests for
 * overlapping ranges in order.
 */
#include <linux/cc_platform.h>
#include <linux/kvm_para.h>
#include <linux/module.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* KVM has some error numbers that are not errno values of Linux. */
static int gmem_guest_errno(long result)
{
	if (result == -KVM_ENOSYS)
		return -EOPNOTSUPP;
	return result && !IS_ERR_VALUE(result) ? -EIO : (int)result;
}

int gmem_guest_convert(unsigned long pfn, unsigned long pages, bool to_private)
{
	unsigned long status = to_private ? KVM_MAP_GPA_RANGE_ENCRYPTED :
					    KVM_MAP_GPA_RANGE_DECRYPTED;
	int rc;

	rc = gmem_guest_errno(kvm_hypercall3(KVM_HC_MAP_GPA_RANGE, PFN_PHYS(pfn), pages,
					     status));
	trace_gmem_guest_convert(PFN_PHYS(pfn), pages, to_private, rc);
	return rc;
}
GMEM_EXPORT_SYMBOL(gmem_guest_convert);

/**
 * gmem_guest_call_init() - check that the host handles the hypercall
 *
 * Without a hypervisor the instruction of the hypercall is invalid. A hypervisor other than KVM
 * may interpret it differently.
 *
 * Return: 0; -ENODEV if this is not a guest of KVM; -EOPNOTSUPP if its host offers no
 * conversions, or if the hardware encrypts memory: then all memory is private already, and a
 * page that became shared would lose its contents.
 */
int gmem_guest_call_init(void)
{
	u32 base = 0;

	if (cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT)) {
		pr_err("the memory of this guest is encrypted: it is private already\n");
		return -EOPNOTSUPP;
	}
	if (boot_cpu_has(X86_FEATURE_HYPERVISOR))
		base = cpuid_base_hypervisor(KVM_SIGNATURE, 0);
	if (!base) {
		pr_err("this is not a KVM guest\n");
		return -ENODEV;
	}
	if (!(cpuid_eax(base | KVM_CPUID_FEATURES) & BIT(KVM_FEATURE_HC_MAP_GPA_RANGE))) {
		pr_err("the host does not support conversions (KVM_HC_MAP_GPA_RANGE): run the VMM under \"gmemctl exec\", or the guest with \"gmemctl run\"\n");
		return -EOPNOTSUPP;
	}
	return 0;
}
