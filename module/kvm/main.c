// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: gmem_kvm.ko, the part that depends on KVM
 *
 * For views (gmem's view.c): records where a vCPU has faulted, see vcpu.c.
 *
 * And the KVM store, for VMs that have private memory of their own. Private pages live
 * in KVM's own guest_memfd, shared pages in gmem. A conversion moves the same folio
 * from one page cache to the other. KVM needs no support for this: it maps into the
 * guest what it finds in its file.
 */
#include <linux/module.h>

#include "internal.h"

static const struct gmem_store_ops gmem_kvm_store = {
	.type = GMEM_STORE_KVM,
	.feature = GMEM_FEATURE_STORE_KVM | GMEM_FEATURE_VIEW_FAULT,
	.bind = gmem_kvm_bind,
	.unbind = gmem_kvm_unbind,
	.discard = gmem_kvm_discard,
	.commit = gmem_kvm_commit,
	.count = gmem_kvm_count,
	.vcpu_fault = gmem_kvm_vcpu_fault,
	.vcpus_gone = gmem_kvm_vcpus_gone,
};

/* KVM uses MMU notifiers, so it needs neither invalidate_start() nor error(). */
static const struct gmem_ops gmem_kvm_ops = {
	.owner = THIS_MODULE,
	.check = gmem_kvm_check,
	.make_private = gmem_kvm_make_private,
	.undo_private = gmem_kvm_undo_private,
	.make_shared = gmem_kvm_make_shared,
	.undo_shared = gmem_kvm_undo_shared,
	.release = gmem_kvm_release,
	.store = &gmem_kvm_store,
};

static int __init gmem_kvm_init(void)
{
	int rc;

	rc = gmem_kvm_vcpu_init();
	if (rc)
		return rc;
	rc = gmem_store_register(&gmem_kvm_ops);
	if (rc)
		gmem_kvm_vcpu_exit();
	return rc;
}

static void __exit gmem_kvm_exit(void)
{
	gmem_store_unregister(&gmem_kvm_ops);
	gmem_kvm_vcpu_exit();
}

module_init(gmem_kvm_init);
module_exit(gmem_kvm_exit);

GMEM_IMPORT_NS();
MODULE_DESCRIPTION("In-place conversion for KVM guests: gmem's KVM store");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
