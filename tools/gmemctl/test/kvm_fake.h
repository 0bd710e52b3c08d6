/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A call table whose KVM and gmem keep the rules of the real ones and write down
 * what they are told; memory is the running kernel's.
 */
#ifndef GMEMCTL_TEST_KVM_FAKE_H
#define GMEMCTL_TEST_KVM_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "../kvm/vm.h"

#define KVM_FAKE_PAGES 4096
#define KVM_FAKE_GMEM_MAX (UINT64_C(1) << 40)

/**
 * struct kvm_fake - the kernel under the tests
 * @vm: to pass to the library
 * @log: S and D for a slot that is set and deleted, A and a for the attribute
 *	set and cleared, G for a guest_memfd, C, B and U for a gmem fd created,
 *	bound and unbound, V and v for memory of gmem converted to private and
 *	shared, H for hugetlb memory, P for a hole; each with start-end in hex
 *	pages; of a slot r follows if it is read-only, and g with the page of the
 *	guest_memfd
 * @fail: call, by its letter, that fails with @rc, once, after @pass of them
 * @private: KVM's attribute, by page
 * @memfd_flags: what KVM_CAP_GUEST_MEMFD_FLAGS answers
 */
struct kvm_fake {
	struct vm vm;
	char log[1024];
	char fail;
	unsigned int pass;
	int rc;
	uint8_t private[KVM_FAKE_PAGES];
	int memfd_flags;
};

extern struct kvm_fake kvm_fake;

/** kvm_fake_start() - use it from now on, with nothing in it */
void kvm_fake_start(void);

/** kvm_fake_said() - whether the log is @expected; it is empty afterwards */
bool kvm_fake_said(const char *expected);

/** kvm_fake_private() - whether just these pages have the attribute */
bool kvm_fake_private(uint64_t start, uint64_t end);

/** kvm_fake_slots() - number of slots that exist */
unsigned int kvm_fake_slots(void);

#endif /* GMEMCTL_TEST_KVM_FAKE_H */
