// SPDX-License-Identifier: GPL-2.0
/*
 * Convert a page that somebody holds: the diagnosis, the wait, the success, and
 * what is left of the host's access.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/gmem.h>

#define PAGE UINT64_C(4096)
#define LENGTH (16 * PAGE)

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

/* Convert everything; wait up to @timeout_ms for those who hold pages. */
static int convert(int fd, uint32_t target, uint32_t timeout_ms)
{
	struct gmem_ioctl_convert convert = {
		.size = sizeof(convert),
		.length = LENGTH,
		.target = target,
		.content = GMEM_CONTENT_PRESERVE,
		.timeout_ms = timeout_ms,
	};
	int rc;

	/* After EINTR timeout_ms holds what is left of it: just go on. */
	do {
		rc = ioctl(fd, GMEM_IOCTL_CONVERT, &convert);
	} while (rc && errno == EINTR);
	if (!rc)
		return 0;
	if (errno != EAGAIN)
		return fail("gmem fd", "GMEM_IOCTL_CONVERT");

	printf("page %" PRIu64 " is held: %u references, %u expected, "
	       "mapped %u times, %s\n",
	       (uint64_t)convert.error_offset / PAGE, convert.refs_seen,
	       convert.refs_expected, convert.mapcount,
	       convert.out_flags & GMEM_CONVERT_OUT_PINNED ? "pinned" :
							     "not pinned");
	return -EAGAIN;
}

/* A pipe that holds page 3, and can be read by whoever has its other end. */
static int hold(int pipefd[2], char *memory)
{
	struct iovec iov = { .iov_base = memory + 3 * PAGE, .iov_len = PAGE };

	if (pipe(pipefd))
		return fail("pipe", "create");
	if (vmsplice(pipefd[1], &iov, 1, 0) != (ssize_t)PAGE)
		return fail("pipe", "vmsplice");
	return 0;
}

static int show(int fd, char *memory)
{
	int pipefd[2], probe[2], rc;

	strcpy(memory, "survives");
	if (pipe(probe))
		return fail("pipe", "create");
	rc = hold(pipefd, memory);
	if (rc)
		return rc;
	if (convert(fd, GMEM_STATE_PRIVATE, 100) != -EAGAIN)
		return -EIO;

	close(pipefd[0]);
	close(pipefd[1]);
	rc = convert(fd, GMEM_STATE_PRIVATE, 100);
	if (rc)
		return rc;

	/* A load would raise SIGBUS; a system call gets EFAULT. */
	rc = write(probe[1], memory, 1) < 0 ? errno : 0;
	printf("private now; write() from the page: %s\n", strerror(rc));

	rc = convert(fd, GMEM_STATE_SHARED, 0);
	if (!rc)
		printf("shared again: \"%s\"\n", memory);
	close(probe[0]);
	close(probe[1]);
	return rc;
}

int main(void)
{
	char *memory;
	int fd, rc;

	fd = create();
	if (fd < 0)
		return 1;
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	rc = memory == MAP_FAILED ? fail("gmem fd", "mmap") : show(fd, memory);
	close(fd);
	return rc ? 1 : 0;
}
