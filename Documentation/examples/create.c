// SPDX-License-Identifier: GPL-2.0
/* Create guest memory, map it, use it, and read its statistics. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/gmem.h>

#define LENGTH (UINT64_C(4) << 20)

static int fail(const char *object, const char *action)
{
	int rc = -errno;

	fprintf(stderr, "%s: %s: %s\n", object, action, strerror(-rc));
	return rc;
}

/* The limits of the module that is loaded; an fd of guest memory, or < 0 */
static int create(int device)
{
	struct gmem_ioctl_info info = { .size = sizeof(info) };
	struct gmem_ioctl_create create = {
		.size = sizeof(create),
		.flags = GMEM_CREATE_F_INIT_SHARED,
		.length = LENGTH,
		.fd_flags = O_CLOEXEC,
	};

	if (ioctl(device, GMEM_IOCTL_INFO, &info))
		return fail(GMEM_DEVICE_PATH, "GMEM_IOCTL_INFO");
	printf("ABI %u, up to %" PRIu64 " GiB, the KVM store is %s\n",
	       info.abi_version, (uint64_t)info.max_length >> 30,
	       info.features & GMEM_FEATURE_STORE_KVM ? "there" : "not there");
	if (ioctl(device, GMEM_IOCTL_CREATE, &create))
		return fail(GMEM_DEVICE_PATH, "GMEM_IOCTL_CREATE");
	return create.out_fd;
}

static int use(int fd)
{
	struct gmem_ioctl_stat stat = { .size = sizeof(stat) };
	char *memory;

	/* Only shared mappings exist: a private one would be a copy. */
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return fail("gmem fd", "mmap");
	strcpy(memory, "hello, guest");
	munmap(memory, LENGTH);

	if (ioctl(fd, GMEM_IOCTL_STAT, &stat))
		return fail("gmem fd", "GMEM_IOCTL_STAT");
	printf("%" PRIu64 " page(s) populated after one write, %" PRIu64
	       " private, %" PRIu64 " bytes of state\n",
	       (uint64_t)stat.resident_pages, (uint64_t)stat.private_pages,
	       (uint64_t)stat.state_bytes);
	return 0;
}

int main(void)
{
	int device, fd, rc;

	device = open(GMEM_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return fail(GMEM_DEVICE_PATH, "open") ? 1 : 0;
	fd = create(device);
	close(device);
	if (fd < 0)
		return 1;
	rc = use(fd);
	close(fd);
	return rc ? 1 : 0;
}
