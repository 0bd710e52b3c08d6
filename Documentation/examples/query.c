// SPDX-License-Identifier: GPL-2.0
/* Read the states of an fd, a few ranges at a time. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/gmem.h>

#define PAGE UINT64_C(4096)
#define LENGTH (64 * PAGE)
#define NR_RANGES 3

static int fail(const char *object, const char *action)
{
	int rc = -errno;

	fprintf(stderr, "%s: %s: %s\n", object, action, strerror(-rc));
	return rc;
}

static int create(void)
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
	return rc ? rc : create.out_fd;
}

static int make_private(int fd, uint64_t offset, uint64_t length)
{
	struct gmem_ioctl_convert convert = {
		.size = sizeof(convert),
		.offset = offset,
		.length = length,
		.target = GMEM_STATE_PRIVATE,
	};

	if (ioctl(fd, GMEM_IOCTL_CONVERT, &convert))
		return fail("gmem fd", "GMEM_IOCTL_CONVERT");
	return 0;
}

static int query(int fd)
{
	struct gmem_range ranges[NR_RANGES];
	struct gmem_ioctl_query query = {
		.size = sizeof(query),
		.length = LENGTH,
		.ranges = (uintptr_t)ranges,
	};

	/* The kernel moves offset and length on; nr_ranges is set anew. */
	while (query.length) {
		query.nr_ranges = NR_RANGES;
		if (ioctl(fd, GMEM_IOCTL_QUERY, &query))
			return fail("gmem fd", "GMEM_IOCTL_QUERY");
		for (uint32_t i = 0; i < query.nr_ranges; i++)
			printf("%3" PRIu64 " +%-3" PRIu64 " %-7s %" PRIu64
			       " populated\n",
			       (uint64_t)ranges[i].offset / PAGE,
			       (uint64_t)ranges[i].length / PAGE,
			       ranges[i].state == GMEM_STATE_PRIVATE ?
				       "private" : "shared",
			       (uint64_t)ranges[i].populated);
		printf("-- %" PRIu64 " pages left\n",
		       (uint64_t)query.length / PAGE);
	}
	return 0;
}

int main(void)
{
	int fd, rc;

	fd = create();
	if (fd < 0)
		return 1;
	/* Commit two pages, then make three stretches private. */
	rc = fallocate(fd, 0, 8 * PAGE, 2 * PAGE) ?
		     fail("gmem fd", "fallocate") : 0;
	for (uint64_t page = 8; !rc && page < 56; page += 16)
		rc = make_private(fd, page * PAGE, 8 * PAGE);
	if (!rc)
		rc = query(fd);
	close(fd);
	return rc ? 1 : 0;
}
