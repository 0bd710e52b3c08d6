// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/gmem.h>

#include "../base/calls.h"
#include "../kvm/abi.h"
#include "../memory/range.h"
#include "kvm_fake.h"

#define VM_FD		1000
#define DEVICE_FD	1001
#define PAGE		RANGE_PAGE_SIZE

struct kvm_fake kvm_fake;

static struct kvm_userspace_memory_region2 slots[SLOT_MAX];

static int say(char call, uint64_t start, uint64_t size)
{
	size_t used = strlen(kvm_fake.log);

	snprintf(kvm_fake.log + used, sizeof(kvm_fake.log) - used,
		 "%s%c%llx-%llx", used ? " " : "", call,
		 (unsigned long long)(start / PAGE),
		 (unsigned long long)((start + size) / PAGE));
	if (call != kvm_fake.fail || kvm_fake.pass--)
		return 0;
	kvm_fake.pass = 0;
	kvm_fake.fail = 0;
	return kvm_fake.rc;
}

static void say_more(const char *text, unsigned long long number, bool with)
{
	size_t used = strlen(kvm_fake.log);

	snprintf(kvm_fake.log + used, sizeof(kvm_fake.log) - used,
		 with ? "%s%llx" : "%s", text, number);
}

static struct range slot_place(const struct kvm_userspace_memory_region2 *slot)
{
	return (struct range){ slot->guest_phys_addr,
			       slot->guest_phys_addr + slot->memory_size };
}

static struct range slot_file(const struct kvm_userspace_memory_region2 *slot)
{
	return (struct range){ slot->guest_memfd_offset,
			       slot->guest_memfd_offset + slot->memory_size };
}

/* What KVM refuses. */
static int slot_check(const struct kvm_userspace_memory_region2 *slot)
{
	const uint32_t both = KVM_MEM_READONLY | KVM_MEM_GUEST_MEMFD;

	if ((slot->flags & both) == both || slots[slot->slot].memory_size)
		return -EINVAL;
	for (unsigned int i = 0; i < SLOT_MAX; i++) {
		if (!slots[i].memory_size)
			continue;
		if (range_overlaps(slot_place(&slots[i]), slot_place(slot)))
			return -EEXIST;
		if ((slots[i].flags & slot->flags & KVM_MEM_GUEST_MEMFD) &&
		    slots[i].guest_memfd == slot->guest_memfd &&
		    range_overlaps(slot_file(&slots[i]), slot_file(slot)))
			return -EEXIST;
	}
	return 0;
}

static int slot_set(const struct kvm_userspace_memory_region2 *slot)
{
	struct kvm_userspace_memory_region2 *old = &slots[slot->slot];
	int rc;

	if (!slot->memory_size) {
		rc = say('D', old->guest_phys_addr, old->memory_size);
		if (!old->memory_size)
			return -EINVAL;
		if (!rc)
			memset(old, 0, sizeof(*old));
		return rc;
	}
	rc = say('S', slot->guest_phys_addr, slot->memory_size);
	if (slot->flags & KVM_MEM_READONLY)
		say_more("r", 0, false);
	if (slot->flags & KVM_MEM_GUEST_MEMFD)
		say_more("g", slot->guest_memfd_offset / PAGE, true);
	if (!rc)
		rc = slot_check(slot);
	if (!rc)
		*old = *slot;
	return rc;
}

static int attributes_set(const struct kvm_memory_attributes *set)
{
	uint64_t first = set->address / PAGE, pages = set->size / PAGE;
	bool private = set->attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE;
	int rc = say(private ? 'A' : 'a', set->address, set->size);

	if (!rc && (first >= KVM_FAKE_PAGES || pages > KVM_FAKE_PAGES - first))
		rc = -EINVAL;
	if (!rc)
		memset(kvm_fake.private + first, private, pages);
	return rc;
}

static int guest_memfd_new(const struct kvm_create_guest_memfd *create)
{
	int rc = say('G', 0, create->size);

	if (create->flags)
		say_more("f", create->flags, true);
	return rc ? rc : calls_system.memfd("guest_memfd", create->size);
}

static int vm_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case KVM_SET_USER_MEMORY_REGION2:
		return slot_set(arg);
	case KVM_SET_MEMORY_ATTRIBUTES:
		return attributes_set(arg);
	case KVM_CREATE_GUEST_MEMFD:
		return guest_memfd_new(arg);
	case KVM_CHECK_EXTENSION:
		return (uintptr_t)arg == KVM_CAP_GUEST_MEMFD_FLAGS ?
		       kvm_fake.memfd_flags : 0;
	default:
		return -ENOTTY;
	}
}

static int gmem_device_ioctl(unsigned long request, void *arg)
{
	struct gmem_ioctl_create *create = arg;
	struct gmem_ioctl_info *info = arg;
	int rc;

	switch (request) {
	case GMEM_IOCTL_INFO:
		info->abi_version = GMEM_ABI_VERSION;
		info->max_length = KVM_FAKE_GMEM_MAX;
		return 0;
	case GMEM_IOCTL_CREATE:
		rc = say('C', 0, create->length);
		if (rc)
			return rc;
		create->out_fd = calls_system.memfd("gmem", create->length);
		return create->out_fd < 0 ? create->out_fd : 0;
	default:
		return -ENOTTY;
	}
}

static int gmem_ioctl(unsigned long request, void *arg)
{
	const struct gmem_ioctl_convert *convert = arg;
	const struct gmem_ioctl_unbind *unbind = arg;
	const struct gmem_ioctl_bind *bind = arg;
	int rc;

	if (request == GMEM_IOCTL_CONVERT)
		return say(convert->target == GMEM_STATE_PRIVATE ? 'V' : 'v',
			   convert->offset, convert->length);
	if (request == GMEM_IOCTL_UNBIND)
		return say('U', unbind->offset, unbind->length);
	if (request != GMEM_IOCTL_BIND)
		return -ENOTTY;
	rc = say('B', bind->offset, bind->length);
	say_more("g", bind->store_offset / PAGE, true);
	return rc;
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd == VM_FD)
		return vm_ioctl(request, arg);
	if (fd == DEVICE_FD)
		return gmem_device_ioctl(request, arg);
	return gmem_ioctl(request, arg);
}

static int fake_open(const char *path, int flags)
{
	if (!strcmp(path, GMEM_DEVICE_PATH))
		return DEVICE_FD;
	return calls_system.open(path, flags);
}

static int fake_close(int fd)
{
	return fd == DEVICE_FD ? 0 : calls_system.close(fd);
}

/* Huge pages that need no pool. */
static int fake_hugetlb(const char *name, uint64_t length, unsigned int shift)
{
	return calls_system.memfd(name, length);
}

static int fake_allocate(int fd, uint64_t offset, uint64_t length)
{
	int rc = say('H', offset, length);

	return rc ? rc : calls_system.allocate(fd, offset, length);
}

static int fake_punch(int fd, uint64_t offset, uint64_t length)
{
	int rc = say('P', offset, length);

	return rc ? rc : calls_system.punch(fd, offset, length);
}

static struct calls fake_calls;

void kvm_fake_start(void)
{
	memset(&kvm_fake, 0, sizeof(kvm_fake));
	memset(slots, 0, sizeof(slots));
	kvm_fake.vm.fd = VM_FD;
	kvm_fake.vm.kvm_fd = -1;
	kvm_fake.memfd_flags = GUEST_MEMFD_FLAG_MMAP |
			       GUEST_MEMFD_FLAG_INIT_SHARED;
	fake_calls = calls_system;
	fake_calls.open = fake_open;
	fake_calls.close = fake_close;
	fake_calls.ioctl = fake_ioctl;
	fake_calls.hugetlb = fake_hugetlb;
	fake_calls.allocate = fake_allocate;
	fake_calls.punch = fake_punch;
	calls = &fake_calls;
}

bool kvm_fake_said(const char *expected)
{
	bool said = !strcmp(kvm_fake.log, expected);

	if (!said)
		printf("# expected: %s\n# log:      %s\n", expected,
		       kvm_fake.log);
	kvm_fake.log[0] = '\0';
	return said;
}

bool kvm_fake_private(uint64_t start, uint64_t end)
{
	for (uint64_t i = 0; i < KVM_FAKE_PAGES; i++)
		if (kvm_fake.private[i] != (i >= start && i < end))
			return false;
	return true;
}

unsigned int kvm_fake_slots(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < SLOT_MAX; i++)
		count += !!slots[i].memory_size;
	return count;
}
