// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input.h"

static int input_check(struct input *input, struct error *error)
{
	struct stat stat_buf;

	if (fstat(input->fd, &stat_buf))
		return error_set(error, -errno, input->path, "stat", NULL);
	if (S_ISDIR(stat_buf.st_mode))
		return error_set(error, -EISDIR, input->path, "open input",
				 "give a regular file");
	if (!S_ISREG(stat_buf.st_mode))
		return error_set(error, -EINVAL, input->path, "open input",
				 "not a regular file: copy what it gives to one");
	input->size = (uint64_t)stat_buf.st_size;
	if (input->size > INPUT_MAX)
		return error_set(error, -EFBIG, input->path, "open input",
				 "it has %" PRIu64 " bytes, at most %" PRIu64
				 " (256 MiB) fit", input->size, INPUT_MAX);
	return 0;
}

int input_open(struct input *input, const char *path, struct error *error)
{
	int rc;

	input->path = path;
	/* O_NONBLOCK: a FIFO is refused, not waited for. */
	input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (input->fd < 0)
		return error_set(error, -errno, path, "open input",
				 errno == ENOENT ? "give a file that exists" :
				 errno == EACCES ? "give a file that you may read" :
				 NULL);
	rc = input_check(input, error);
	if (rc)
		input_close(input);
	return rc;
}

void input_close(struct input *input)
{
	if (input->fd >= 0)
		close(input->fd);
	input->fd = -1;
}

static int input_read(struct input *input, uint8_t *memory, struct error *error)
{
	uint64_t done = 0;

	while (done < input->size) {
		ssize_t got = pread(input->fd, memory + done, input->size - done,
				    (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, -errno, input->path, "read",
					 errno == ENOMEM || errno == EFAULT ?
					 "the host is short of memory" : NULL);
		if (!got)
			return error_set(error, -EIO, input->path, "read",
					 "it has become shorter than %" PRIu64
					 " bytes", input->size);
		done += (uint64_t)got;
	}
	return 0;
}

int input_load(struct input *input, uint8_t *memory, struct error *error)
{
	int rc = input_read(input, memory, error);

	if (rc)
		return rc;
	if (!EVP_Digest(memory, input->size, input->digest, NULL, EVP_sha256(),
			NULL))
		return error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	return 0;
}

int input_read_all(const char *path, uint8_t **data, uint64_t *size,
		   struct error *error)
{
	struct input input;
	int rc;

	*data = NULL;
	rc = input_open(&input, path, error);
	if (rc)
		return rc;
	/* malloc(0) may be NULL. */
	*data = malloc(input.size + 1);
	*size = input.size;
	if (*data)
		rc = input_load(&input, *data, error);
	else
		rc = error_set(error, -ENOMEM, path, "read", NULL);
	input_close(&input);
	return rc;
}

void input_digest_text(const uint8_t digest[INPUT_DIGEST_SIZE], char text[65])
{
	for (unsigned int i = 0; i < INPUT_DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}
