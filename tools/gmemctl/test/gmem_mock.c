// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/gmem.h>

#include "../base/calls.h"
#include "../memory/range.h"
#include "gmem_mock.h"

#define DEVICE_FD 0x200000
#define PAGE RANGE_PAGE_SIZE

struct gmem_mock gmem_mock;

/**
 * struct mock - what it is made of
 * @below: the calls that it is in front of
 * @fd: a memfd: the shared side
 * @store_fd: the guest_memfd, once bound
 * @private: by page
 */
static struct mock {
	struct calls calls;
	const struct calls *below;
	int fd;
	uint64_t size;
	int store_fd;
	uint8_t *private;
} mock;

/* The made-up guest has RAM at 0, and after it the firmware below 4 GiB. */
static uint64_t page_gpa(uint64_t page)
{
	uint64_t offset = page * PAGE, high = UINT64_C(1) << 32;
	uint64_t low = UINT64_C(0x1000000);

	return offset < low ? offset : high - mock.size + offset;
}

static void violation(const char *what, uint64_t page)
{
	gmem_mock.violations++;
	printf("# gmem, page 0x%llx: %s\n", (unsigned long long)page, what);
}

static int mock_info(struct gmem_ioctl_info *info)
{
	info->abi_version = GMEM_ABI_VERSION;
	info->max_length = INT64_MAX;
	return 0;
}

static int mock_create(struct gmem_ioctl_create *create)
{
	mock.fd = mock.below->memfd("gmem", create->length);
	if (mock.fd < 0)
		return mock.fd;
	mock.size = create->length;
	mock.private = calloc(create->length / PAGE, 1);
	create->out_fd = mock.fd;
	return 0;
}

/* The host may not have a page that the guest has: it would fault. */
static int page_to_private(uint64_t page)
{
	if (sim_is_guests(gmem_mock.sim, gmem_mock.vm, page_gpa(page)))
		return -EEXIST;
	mock.private[page] = 1;
	return mock.below->punch(mock.fd, page * PAGE, PAGE);
}

/* KVM may not map the page any more when its store drops it. */
static int page_to_shared(uint64_t page)
{
	if (sim_vm_is_private(gmem_mock.sim, gmem_mock.vm, page_gpa(page)))
		violation("taken from the guest while it is private for KVM", page);
	mock.private[page] = 0;
	return mock.below->punch(mock.store_fd, page * PAGE, PAGE);
}

static int mock_convert(struct gmem_ioctl_convert *convert)
{
	bool to_private = convert->target == GMEM_STATE_PRIVATE;
	uint64_t first = convert->offset / PAGE;
	uint64_t end = first + convert->length / PAGE;
	int rc = 0;

	/* The bytes mean nothing on the other side. */
	if (convert->content == GMEM_CONTENT_PRESERVE)
		return -EOPNOTSUPP;
	if (to_private && gmem_mock.held >= (int64_t)first &&
	    gmem_mock.held < (int64_t)end) {
		convert->error_offset = (uint64_t)gmem_mock.held * PAGE;
		return -EAGAIN;
	}
	for (uint64_t page = first; page < end && !rc; page++)
		if (mock.private[page] != to_private)
			rc = to_private ? page_to_private(page) :
					  page_to_shared(page);
	*(to_private ? &gmem_mock.to_private : &gmem_mock.to_shared) += !rc;
	return rc;
}

static int mock_bind(const struct gmem_ioctl_bind *bind)
{
	if (mock.store_fd >= 0 || bind->offset || bind->store_offset ||
	    bind->length != mock.size)
		return -EINVAL;
	mock.store_fd = bind->store_fd;
	return 0;
}

static int mock_open(const char *path, int flags)
{
	return strcmp(path, GMEM_DEVICE_PATH) ? mock.below->open(path, flags) :
						DEVICE_FD;
}

/* The fd, or another one of the same file */
static bool is_ours(int fd)
{
	struct stat given, own;

	return fd == mock.fd ||
	       (!fstat(fd, &given) && !fstat(mock.fd, &own) &&
		given.st_dev == own.st_dev && given.st_ino == own.st_ino);
}

static int mock_close(int fd)
{
	if (fd == mock.fd)
		mock.fd = -1;
	return fd == DEVICE_FD ? 0 : mock.below->close(fd);
}

static int mock_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd != DEVICE_FD && !is_ours(fd))
		return mock.below->ioctl(fd, request, arg);
	switch (request) {
	case GMEM_IOCTL_INFO:
		return mock_info(arg);
	case GMEM_IOCTL_CREATE:
		return mock_create(arg);
	case GMEM_IOCTL_BIND:
		return mock_bind(arg);
	case GMEM_IOCTL_CONVERT:
		return mock_convert(arg);
	default:
		return -ENOTTY;
	}
}

void gmem_mock_start(struct sim *sim)
{
	gmem_mock = (struct gmem_mock){ .sim = sim, .vm = -1, .held = -1 };
	mock = (struct mock){ .below = calls, .fd = -1, .store_fd = -1 };
	mock.calls = *calls;
	mock.calls.open = mock_open;
	mock.calls.close = mock_close;
	mock.calls.ioctl = mock_ioctl;
	calls = &mock.calls;
}

void gmem_mock_stop(void)
{
	calls = mock.below;
	free(mock.private);
	mock.private = NULL;
}

unsigned int gmem_mock_twice(void)
{
	unsigned int twice = 0;

	for (uint64_t page = 0; page < mock.size / PAGE; page++) {
		off_t data = lseek(mock.fd, (off_t)(page * PAGE), SEEK_DATA);

		if (data == (off_t)(page * PAGE) &&
		    sim_is_guests(gmem_mock.sim, gmem_mock.vm, page_gpa(page)))
			twice++;
	}
	return twice;
}

bool gmem_mock_is_private(uint64_t offset)
{
	return mock.private[offset / PAGE];
}
