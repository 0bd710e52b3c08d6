/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that a VMM does with gmem, for one slot at guest physical address 0, with what to do
 * about each errno. Documentation/howto.rst explains it; view_vmm.c is a VMM that uses it.
 * Functions return 0 or a negative errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/gmem.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>

#define CLIENT_BLOCK	(UINT64_C(64) << 10)	/* filled around a touch */
#define CLIENT_TRIES	8			/* without progress, then it is over */
#define CLIENT_WAIT_MS	1000			/* for whoever holds a page */

/**
 * struct client - memory of a guest
 * @length: bytes
 * @fd: gmem fd, and @memory a mapping of it, for the VMM
 * @view: view of @fd, and @slot a mapping of it, for KVM
 */
struct client {
	uint64_t length;
	int fd, view;
	uint8_t *memory, *slot;
};

/** struct client_progress - of a vCPU: faults so far, and how often that stood still */
struct client_progress {
	uint64_t count;
	unsigned int still;
};

/* 1: memory, all shared at first, and a mapping for the VMM's own access. */
static int client_create(struct client *c)
{
	struct gmem_ioctl_create create = {
		.size = sizeof(create), .flags = GMEM_CREATE_F_INIT_SHARED,
		.length = c->length, .fd_flags = O_CLOEXEC, .name = "guest",
	};
	int device = open(GMEM_DEVICE_PATH, O_RDWR | O_CLOEXEC), rc;

	rc = device < 0 || ioctl(device, GMEM_IOCTL_CREATE, &create) ? -errno : 0;
	if (device >= 0)
		close(device);
	if (rc)
		return rc;
	c->fd = create.out_fd;
	c->memory = mmap(NULL, c->length, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	return c->memory == MAP_FAILED ? -errno : 0;
}

/* 2: a view, which is what KVM gets; and exits for the guest's requests. */
static int client_slot(struct client *c, int vm)
{
	struct gmem_ioctl_view view = {
		.size = sizeof(view), .length = c->length, .fd_flags = O_CLOEXEC,
	};
	struct kvm_userspace_memory_region slot = { .memory_size = c->length };
	struct kvm_enable_cap exits = {
		.cap = KVM_CAP_EXIT_HYPERCALL, .args = { 1 << KVM_HC_MAP_GPA_RANGE },
	};

	if (ioctl(c->fd, GMEM_IOCTL_VIEW, &view))
		return -errno;
	c->view = view.out_fd;
	c->slot = mmap(NULL, c->length, PROT_NONE, MAP_SHARED, c->view, 0);
	if (c->slot == MAP_FAILED)
		return -errno;
	slot.userspace_addr = (uintptr_t)c->slot;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) ||
	       ioctl(vm, KVM_ENABLE_CAP, &exits) ? -errno : 0;
}

/* After a signal, and after ENOMEM, the structure says what is left: call again with it. */
static int client_fill(struct client *c, uint64_t gpa, uint64_t length, uint32_t flags)
{
	struct gmem_ioctl_view_populate fill = {
		.size = sizeof(fill), .flags = flags,
		.address = (uintptr_t)c->slot + gpa, .length = length,
	};
	int rc;

	do {
		fill.pages = 0;
		rc = ioctl(c->view, GMEM_IOCTL_VIEW_POPULATE, &fill) ? -errno : 0;
	} while (rc == -EINTR);
	return rc;
}

/* 3: in each vCPU's thread, before its first KVM_RUN. EAGAIN: it has not faulted yet. */
static int client_start(struct client *c)
{
	struct gmem_ioctl_view_fault fault = { .size = sizeof(fault) };
	int rc = client_fill(c, 0, c->length, GMEM_VIEW_POPULATE_F_NOALLOC);

	if (!rc && ioctl(c->view, GMEM_IOCTL_VIEW_FAULT, &fault) && errno != EAGAIN)
		rc = -errno;
	return rc;
}

/* 4: KVM_RUN says EFAULT: the guest has touched what the view does not have. Run it again. */
static int client_fault(struct client *c, struct client_progress *progress)
{
	struct gmem_ioctl_view_fault fault = { .size = sizeof(fault) };
	int rc = ioctl(c->view, GMEM_IOCTL_VIEW_FAULT, &fault) ? -errno : 0;

	if (rc && rc != -EAGAIN)
		return rc;
	/* No new fault: KVM itself could not read what it has to emulate. */
	if (rc || fault.count == progress->count || fault.gpa >= c->length)
		return ++progress->still < CLIENT_TRIES ? 0 : -EFAULT;
	progress->still = 0;
	progress->count = fault.count;
	printf("touch of 0x%" PRIx64 "\n", (uint64_t)fault.gpa);
	return client_fill(c, fault.gpa & ~(CLIENT_BLOCK - 1), CLIENT_BLOCK, 0);
}

/* 5: the guest asks for a conversion. All of it happens, or nothing does. */
static int client_convert(struct client *c, uint64_t gpa, uint64_t length, bool private)
{
	struct gmem_ioctl_convert convert = {
		.size = sizeof(convert), .offset = gpa, .length = length,
		.target = private ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED,
		.content = GMEM_CONTENT_PRESERVE,
		.timeout_ms = private ? CLIENT_WAIT_MS : 0,
	};
	unsigned int tries = 0;
	int rc;

	/* After a signal timeout_ms is what is left of it. EAGAIN without a page: somebody
	 * could not wait for this conversion, and it gave way.
	 */
	do {
		rc = ioctl(c->fd, GMEM_IOCTL_CONVERT, &convert) ? -errno : 0;
	} while (rc == -EINTR || (rc == -EAGAIN && !convert.refs_seen && ++tries < CLIENT_TRIES));
	if (rc == -EAGAIN && convert.refs_seen)
		fprintf(stderr, "0x%" PRIx64 " is held: %u references, %u expected%s\n",
			(uint64_t)convert.error_offset, convert.refs_seen,
			convert.refs_expected,
			convert.out_flags & GMEM_CONVERT_OUT_PINNED ? ", pinned" : "");
	return rc;
}
