// SPDX-License-Identifier: GPL-2.0
/*
 * One memory slot whose shared pages are gmem's and whose private pages are
 * KVM's: set up, convert to private and back. No guest runs here; a VMM does the
 * two conversions when its guest asks for them by KVM_HC_MAP_GPA_RANGE.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/gmem.h>
#include <linux/kvm.h>

#define LENGTH (UINT64_C(4) << 20)

/* For kernel headers older than 6.8 */
#ifndef KVM_CREATE_GUEST_MEMFD
#define KVM_X86_SW_PROTECTED_VM 1
#define KVM_MEM_GUEST_MEMFD (1UL << 2)
#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1ULL << 3)

struct kvm_create_guest_memfd {
	__u64 size;
	__u64 flags;
	__u64 reserved[6];
};

struct kvm_userspace_memory_region2 {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};

struct kvm_memory_attributes {
	__u64 address;
	__u64 size;
	__u64 attributes;
	__u64 flags;
};

#define KVM_SET_USER_MEMORY_REGION2 \
	_IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#define KVM_SET_MEMORY_ATTRIBUTES \
	_IOW(KVMIO, 0xd2, struct kvm_memory_attributes)
#define KVM_CREATE_GUEST_MEMFD \
	_IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)
#endif

/**
 * struct guest - what the example has open
 * @vm: the VM
 * @fd: gmem fd, where shared pages live
 * @store: guest_memfd, where private pages live
 * @memory: mapping of @fd
 */
struct guest {
	int vm;
	int fd;
	int store;
	char *memory;
};

static int fail(const char *object, const char *action)
{
	int rc = -errno;

	fprintf(stderr, "%s: %s: %s\n", object, action, strerror(-rc));
	return rc;
}

static int create_vm(struct guest *guest)
{
	struct kvm_create_guest_memfd create = { .size = LENGTH };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		return fail("/dev/kvm", "open");
	guest->vm = ioctl(kvm, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	if (guest->vm < 0)
		fail("/dev/kvm", "KVM_CREATE_VM (needs "
		     "CONFIG_KVM_SW_PROTECTED_VM=y)");
	close(kvm);
	if (guest->vm < 0)
		return -ENODEV;
	guest->store = ioctl(guest->vm, KVM_CREATE_GUEST_MEMFD, &create);
	return guest->store < 0 ? fail("VM", "KVM_CREATE_GUEST_MEMFD") : 0;
}

static int create_memory(struct guest *guest)
{
	struct gmem_ioctl_create create = {
		.size = sizeof(create),
		.flags = GMEM_CREATE_F_INIT_SHARED,
		.length = LENGTH,
		.fd_flags = O_CLOEXEC,
	};
	int device = open(GMEM_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	int rc;

	if (device < 0)
		return fail(GMEM_DEVICE_PATH, "open");
	rc = ioctl(device, GMEM_IOCTL_CREATE, &create);
	if (rc)
		rc = fail(GMEM_DEVICE_PATH, "GMEM_IOCTL_CREATE");
	close(device);
	if (rc)
		return rc;
	guest->fd = create.out_fd;
	guest->memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			     guest->fd, 0);
	return guest->memory == MAP_FAILED ? fail("gmem fd", "mmap") : 0;
}

/* The slot for KVM, the binding for gmem: they have to say the same. */
static int attach(struct guest *guest)
{
	struct kvm_userspace_memory_region2 slot = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.memory_size = LENGTH,
		.userspace_addr = (uintptr_t)guest->memory,
		.guest_memfd = guest->store,
	};
	struct gmem_ioctl_bind bind = {
		.size = sizeof(bind),
		.length = LENGTH,
		.store = GMEM_STORE_KVM,
		.store_fd = guest->store,
	};

	if (ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION2, &slot))
		return fail("VM", "KVM_SET_USER_MEMORY_REGION2");
	if (ioctl(guest->fd, GMEM_IOCTL_BIND, &bind))
		return fail("gmem fd", "GMEM_IOCTL_BIND (is gmem_kvm loaded?)");
	return 0;
}

static int convert(struct guest *guest, uint32_t target)
{
	struct gmem_ioctl_convert convert = {
		.size = sizeof(convert),
		.length = LENGTH,
		.target = target,
		.content = GMEM_CONTENT_PRESERVE,
		.timeout_ms = 1000,
	};

	if (ioctl(guest->fd, GMEM_IOCTL_CONVERT, &convert))
		return fail("gmem fd", "GMEM_IOCTL_CONVERT");
	return 0;
}

static int set_attribute(struct guest *guest, bool private)
{
	struct kvm_memory_attributes attributes = {
		.size = LENGTH,
		.attributes = private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	if (ioctl(guest->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes))
		return fail("VM", "KVM_SET_MEMORY_ATTRIBUTES");
	return 0;
}

static int show(struct guest *guest, const char *when)
{
	struct gmem_ioctl_stat stat = { .size = sizeof(stat) };

	if (ioctl(guest->fd, GMEM_IOCTL_STAT, &stat))
		return fail("gmem fd", "GMEM_IOCTL_STAT");
	printf("%-12s %" PRIu64 " pages in gmem, %" PRIu64 " in KVM's file, %"
	       PRIu64 " moved so far\n", when, (uint64_t)stat.resident_pages,
	       (uint64_t)stat.store_pages, (uint64_t)stat.moved_pages);
	return 0;
}

/* To private: gmem first. To shared: the attribute first. */
static int go_and_come_back(struct guest *guest)
{
	int rc;

	memset(guest->memory, 0x42, LENGTH);
	rc = show(guest, "loaded:");
	if (!rc)
		rc = convert(guest, GMEM_STATE_PRIVATE);
	if (!rc)
		rc = set_attribute(guest, true);
	if (!rc)
		rc = show(guest, "private:");
	if (!rc)
		rc = set_attribute(guest, false);
	if (!rc)
		rc = convert(guest, GMEM_STATE_SHARED);
	if (!rc)
		rc = show(guest, "shared:");
	if (!rc)
		printf("the first byte is still 0x%x\n", guest->memory[0]);
	return rc;
}

int main(void)
{
	struct guest guest = { .vm = -1, .fd = -1, .store = -1 };
	int rc;

	rc = create_vm(&guest);
	if (!rc)
		rc = create_memory(&guest);
	if (!rc)
		rc = attach(&guest);
	if (!rc)
		rc = go_and_come_back(&guest);
	/* The fds may be closed in any order; exit does it as well. */
	close(guest.store);
	close(guest.fd);
	close(guest.vm);
	return rc ? 1 : 0;
}
