// SPDX-License-Identifier: GPL-2.0
/*
 * VMs and guest_memfds of KVM, without a guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "kvm_utils.h"

static int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int kvm_check_vm(int vm, int cap)
{
	int rc = ioctl(vm, KVM_CHECK_EXTENSION, cap);

	return rc < 0 ? -errno : rc;
}

int kvm_create_vm(void)
{
	int kvm = kvm_open();
	int type = 0;
	int vm;

	if (kvm < 0)
		return kvm;
	if (kvm_check_vm(kvm, KVM_CAP_VM_TYPES) >> KVM_X86_SW_PROTECTED_VM & 1)
		type = KVM_X86_SW_PROTECTED_VM;
	vm = ioctl(kvm, KVM_CREATE_VM, type);
	if (vm < 0)
		vm = -errno;
	close(kvm);
	return vm;
}

int kvm_create_guest_memfd(int vm, uint64_t size, uint64_t flags)
{
	struct kvm_create_guest_memfd args = { .size = size, .flags = flags };
	int fd = ioctl(vm, KVM_CREATE_GUEST_MEMFD, &args);

	return fd < 0 ? -errno : fd;
}

const char *kvm_store_unavailable(void)
{
	struct gmem_ioctl_info info;
	int vm = kvm_create_vm();
	int cap, memfd = -1;

	if (vm == -ENOENT)
		return "unsupported-by-design: no /dev/kvm";
	if (vm < 0)
		return "KVM_CREATE_VM fails";
	cap = kvm_check_vm(vm, KVM_CAP_GUEST_MEMFD);
	if (cap > 0)
		memfd = kvm_create_guest_memfd(vm, PAGE, 0);
	close(vm);
	if (memfd < 0)
		return "unsupported-by-design: no KVM_CAP_GUEST_MEMFD";
	close(memfd);
	if (gmem_info(&info) || !(info.features & GMEM_FEATURE_STORE_KVM))
		return "gmem_kvm.ko is not loaded";
	return NULL;
}
