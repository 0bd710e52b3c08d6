// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "snp.h"

int snp_file_read(struct snp_file *file, const char *path, struct error *error)
{
	int rc = input_read_all(path, &file->data, &file->size, error);

	if (rc)
		snp_file_free(file);
	return rc;
}

void snp_file_free(struct snp_file *file)
{
	free(file->data);
	memset(file, 0, sizeof(*file));
}

int snp_file_read_exactly(const char *path, void *data, uint64_t size,
			  struct error *error)
{
	struct snp_file file;
	int rc;

	rc = snp_file_read(&file, path, error);
	if (rc)
		return rc;
	if (file.size == size)
		memcpy(data, file.data, size);
	else
		rc = error_set(error, -EINVAL, path, "read",
			       "it has %" PRIu64 " bytes, expected %" PRIu64
			       ": give the right file", file.size, size);
	snp_file_free(&file);
	return rc;
}

static int write_all(int fd, const uint8_t *data, uint64_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		size -= (uint64_t)done;
	}
	return 0;
}

int snp_file_write(const char *path, const void *data, uint64_t size,
		   struct error *error)
{
	int fd, rc;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set(error, -errno, path, "create", errno == EEXIST ?
				 "remove it, or name another file" : NULL);
	rc = write_all(fd, data, size);
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc)
		return 0;
	unlink(path);
	return error_set(error, rc, path, "write", NULL);
}
