// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../base/calls.h"
#include "abi.h"
#include "vm.h"

#define HINT_KERNEL "private memory of KVM's own needs Linux 6.8 or newer with " \
	"CONFIG_KVM_SW_PROTECTED_VM=y; kind=gmem does not need it"

const struct vm_capability vm_capabilities[] = {
	{ KVM_CAP_USER_MEMORY2, 0, "KVM_CAP_USER_MEMORY2", HINT_KERNEL },
	{ KVM_CAP_GUEST_MEMFD, 0, "KVM_CAP_GUEST_MEMFD", HINT_KERNEL },
	{ KVM_CAP_MEMORY_ATTRIBUTES, KVM_MEMORY_ATTRIBUTE_PRIVATE,
	  "KVM_CAP_MEMORY_ATTRIBUTES (PRIVATE)", HINT_KERNEL },
	{ KVM_CAP_MEMORY_FAULT_INFO, 0, "KVM_CAP_MEMORY_FAULT_INFO",
	  HINT_KERNEL },
	{ KVM_CAP_EXIT_HYPERCALL, 1U << KVM_HC_MAP_GPA_RANGE,
	  "KVM_CAP_EXIT_HYPERCALL (MAP_GPA_RANGE)",
	  "needs Linux 5.14 or newer" },
	{ KVM_CAP_IMMEDIATE_EXIT, 0, "KVM_CAP_IMMEDIATE_EXIT",
	  "needs Linux 4.13 or newer" },
	{ KVM_CAP_EXT_CPUID, 0, "KVM_CAP_EXT_CPUID", "needs an x86-64 host" },
	{ 0, 0, NULL, NULL },
};

static const char *vm_hint_open(int rc)
{
	switch (rc) {
	case -ENOENT:
		return "KVM is not there: `modprobe kvm_amd` or `modprobe "
		       "kvm_intel`, and enable virtualization in the firmware "
		       "(in a VM: nested virtualization)";
	case -ENODEV:
	case -ENXIO:
		return "the CPU has no virtualization, or the firmware has "
		       "turned it off";
	case -EACCES:
	case -EPERM:
		return "run as root, or join the group that owns the file "
		       "(often kvm)";
	case -EINVAL:
		return "the error is from a library in LD_PRELOAD, not from the kernel: see the "
		       "message of the library";
	default:
		return NULL;
	}
}

int vm_open_kvm(struct error *error)
{
	int fd = calls->open(KVM_DEVICE_PATH, O_RDWR);
	const char *hint;
	int version;

	if (fd < 0) {
		hint = vm_hint_open(fd);
		return error_set(error, fd, KVM_DEVICE_PATH, "open",
				 hint ? "%s" : NULL, hint);
	}
	version = calls->ioctl(fd, KVM_GET_API_VERSION, NULL);
	if (version == KVM_API_VERSION)
		return fd;
	calls->close(fd);
	return error_set(error, version < 0 ? version : -EOPNOTSUPP,
			 KVM_DEVICE_PATH, "KVM_GET_API_VERSION",
			 "expected version %d, got %d", KVM_API_VERSION, version);
}

int vm_capability(int fd, int number)
{
	return calls_ioctl_value(fd, KVM_CHECK_EXTENSION, (unsigned long)number);
}

bool vm_capability_met(int fd, const struct vm_capability *capability)
{
	int value = vm_capability(fd, capability->number);

	if (value <= 0)
		return false;
	return ((uint32_t)value & capability->mask) == capability->mask;
}

bool vm_type_supported(int kvm_fd, unsigned int type)
{
	int types = vm_capability(kvm_fd, KVM_CAP_VM_TYPES);

	return types > 0 && type < 31 && ((unsigned int)types & (1U << type));
}

static const struct vm_capability vm_plain_capabilities[] = {
	{ KVM_CAP_USER_MEMORY2, 0, "KVM_CAP_USER_MEMORY2",
	  "needs Linux 6.8 or newer" },
	{ KVM_CAP_IMMEDIATE_EXIT, 0, "KVM_CAP_IMMEDIATE_EXIT",
	  "needs Linux 4.13 or newer" },
	{ KVM_CAP_EXT_CPUID, 0, "KVM_CAP_EXT_CPUID", "needs an x86-64 host" },
	{ 0, 0, NULL, NULL },
};

int vm_enable_conversions(struct vm *vm, struct error *error)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args = { 1U << KVM_HC_MAP_GPA_RANGE },
	};
	int rc = calls->ioctl(vm->fd, KVM_ENABLE_CAP, &cap);

	if (rc)
		return error_set(error, rc, "VM",
				 "KVM_ENABLE_CAP(KVM_CAP_EXIT_HYPERCALL)",
				 "conversions need Linux 5.14 or newer");
	vm->converts = true;
	return 0;
}

/* Read the size of struct kvm_run, and check the capabilities of a new VM. */
static int vm_complete(struct vm *vm, const struct vm_capability *needed,
		       struct error *error)
{
	int rc = calls->ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);

	if (rc < 0)
		return error_set(error, rc, KVM_DEVICE_PATH,
				 "KVM_GET_VCPU_MMAP_SIZE", NULL);
	vm->run_size = (size_t)rc;
	for (; needed->name; needed++)
		if (!vm_capability_met(vm->fd, needed))
			return error_set(error, -EOPNOTSUPP, "KVM", needed->name, "%s",
					 needed->hint);
	return 0;
}

/* @name, @hint: for the error if KVM lacks the type; NULL: a plain VM, which always exists */
static int vm_create_type(struct vm *vm, unsigned int type, const char *name,
			  const char *hint, struct error *error)
{
	int rc;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->kvm_fd = vm_open_kvm(error);
	if (vm->kvm_fd < 0)
		return vm->kvm_fd;
	if (name && !vm_type_supported(vm->kvm_fd, type)) {
		rc = error_set(error, -EOPNOTSUPP, "KVM", name, "%s", hint);
		goto out_destroy;
	}
	vm->fd = calls_ioctl_value(vm->kvm_fd, KVM_CREATE_VM, type);
	if (vm->fd < 0) {
		rc = error_set(error, vm->fd, KVM_DEVICE_PATH, "KVM_CREATE_VM", NULL);
		goto out_destroy;
	}
	rc = vm_complete(vm, name ? vm_capabilities : vm_plain_capabilities, error);
	if (!rc && name)
		rc = vm_enable_conversions(vm, error);
	if (!rc)
		return 0;
out_destroy:
	vm_destroy(vm);
	return rc;
}

int vm_create(struct vm *vm, struct error *error)
{
	return vm_create_type(vm, KVM_X86_SW_PROTECTED_VM, "VM type KVM_X86_SW_PROTECTED_VM",
			      HINT_KERNEL, error);
}

int vm_create_snp(struct vm *vm, struct error *error)
{
	return vm_create_type(vm, KVM_X86_SNP_VM, "VM type KVM_X86_SNP_VM",
			      "needs an AMD EPYC 7003 or newer, SNP in its BIOS, "
			      "Linux 6.11 or newer, and kvm_amd with sev_snp=1: "
			      "`gmemctl snp status` says what is missing", error);
}

int vm_create_plain(struct vm *vm, struct error *error)
{
	return vm_create_type(vm, KVM_X86_DEFAULT_VM, NULL, NULL, error);
}

int vm_adopt(struct vm *vm, int kvm_fd, int fd,
	     const struct vm_capability *needed, struct error *error)
{
	int rc;

	memset(vm, 0, sizeof(*vm));
	vm->kvm_fd = kvm_fd;
	vm->fd = fd;
	rc = vm_complete(vm, needed, error);
	if (rc)
		vm_destroy(vm);
	return rc;
}

void vm_destroy(struct vm *vm)
{
	if (vm->fd >= 0)
		calls->close(vm->fd);
	if (vm->kvm_fd >= 0)
		calls->close(vm->kvm_fd);
	vm->fd = -1;
	vm->kvm_fd = -1;
}

static int vm_create_memfd(struct vm *vm, uint64_t size, uint64_t flags,
			   struct error *error)
{
	struct kvm_create_guest_memfd create = { .size = size, .flags = flags };
	int fd = calls->ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &create);

	if (fd < 0)
		return error_set(error, fd, "VM", "KVM_CREATE_GUEST_MEMFD",
				 "size 0x%llx, flags 0x%llx",
				 (unsigned long long)size,
				 (unsigned long long)flags);
	return fd;
}

int vm_create_guest_memfd(struct vm *vm, uint64_t size, struct error *error)
{
	return vm_create_memfd(vm, size, 0, error);
}

int vm_create_mappable_guest_memfd(struct vm *vm, uint64_t size,
				   struct error *error)
{
	uint64_t flags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED;
	int known = vm_capability(vm->fd, KVM_CAP_GUEST_MEMFD_FLAGS);

	if (known < 0 || ((uint64_t)known & flags) != flags)
		return error_set(error, -EOPNOTSUPP, "KVM",
				 "KVM_CAP_GUEST_MEMFD_FLAGS (MMAP, INIT_SHARED)",
				 "needs Linux 6.18 or newer, and a VM without "
				 "private memory; or another kind of memory");
	return vm_create_memfd(vm, size, flags, error);
}
