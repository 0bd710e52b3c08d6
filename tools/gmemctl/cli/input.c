// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

#define BLOCK_SIZE	(1 << 20)

/* How long to wait for a writer of a FIFO */
#define FIFO_WAIT_MS	1000

static int refuse_size(const char *path, uint64_t max, struct error *error)
{
	return error_set(error, -EFBIG, path, "read", "it has more than the %" PRIu64 " bytes (%"
			 PRIu64 " MiB) that fit", max, max >> 20);
}

/*
 * Open with O_NONBLOCK, because open() would wait for a writer of a FIFO without a limit.
 * Return: a file, with @is_fifo set, or a negative errno.
 */
static int file_open(const char *path, uint64_t max, bool *is_fifo, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int rc = 0;

	if (fd < 0)
		return error_set(error, -errno, path, "open input",
				 errno == ENOENT ? "give a file that exists" :
				 errno == EACCES ? "give a file that you may read" :
				 NULL);
	if (fstat(fd, &status))
		rc = error_set(error, -errno, path, "stat", NULL);
	else if (S_ISDIR(status.st_mode))
		rc = error_set(error, -EISDIR, path, "open input", "give a file");
	else if (S_ISREG(status.st_mode) && (uint64_t)status.st_size > max)
		rc = refuse_size(path, max, error);
	if (!rc) {
		*is_fifo = S_ISFIFO(status.st_mode);
		return fd;
	}
	close(fd);
	return rc;
}

int input_open_fd(const char *path, struct error *error)
{
	bool is_fifo = false;
	int fd = file_open(path, UINT64_MAX, &is_fifo, error);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int rc;

	if (fd < 0)
		return fd;
	if (is_fifo)
		poll(&wait, 1, FIFO_WAIT_MS);
	if (!fcntl(fd, F_SETFL, 0))
		return fd;
	rc = error_set(error, -errno, path, "open input", NULL);
	close(fd);
	return rc;
}

/*
 * Read from a file or FIFO. A FIFO without a writer reads as at its end. poll() waits for
 * a writer, its data, or its end; but it does not report a writer that had closed the FIFO
 * before it was opened here.
 * @ended: if read(2) returns 0 that is the end, for example after the first bytes
 *
 * Return: bytes read; 0 at the end; a negative errno.
 */
static ssize_t file_read(int fd, bool ended, void *bytes, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	while (1) {
		ssize_t got = read(fd, bytes, size);
		int ready;

		if (got > 0 || (!got && ended))
			return got;
		if (got && errno == EINTR)
			continue;
		if (got && errno != EAGAIN)
			return -errno;
		/* EAGAIN: there is a writer, so wait without a limit. */
		ready = poll(&wait, 1, got ? -1 : FIFO_WAIT_MS);
		if (!ready)
			return -ENXIO;
		ended = ended || (!got && ready > 0);
	}
}

int input_read_blocks(const char *path, uint64_t max, input_take_fn take,
		      void *context, struct error *error)
{
	uint8_t *block = malloc(BLOCK_SIZE);
	bool is_fifo = false;
	uint64_t total = 0;
	ssize_t got = 1;
	int fd, rc = 0;

	if (!block)
		return error_set(error, -ENOMEM, path, "read", NULL);
	fd = file_open(path, max, &is_fifo, error);
	if (fd < 0)
		rc = fd;
	while (!rc && got) {
		got = file_read(fd, !is_fifo || total, block, BLOCK_SIZE);
		if (got < 0)
			rc = error_set(error, (int)got, path, "read", got == -ENXIO ?
				       "it is a FIFO that nobody writes to: start "
				       "that first" : NULL);
		if (got <= 0)
			continue;
		total += (uint64_t)got;
		rc = total > max ? refuse_size(path, max, error) :
				   take(context, block, (size_t)got, error);
	}
	if (fd >= 0)
		close(fd);
	free(block);
	return rc;
}

/* A file that is being read, and the size of its buffer */
struct reading {
	struct input *input;
	uint64_t room;
};

static int input_append(void *context, const uint8_t *bytes, size_t size, struct error *error)
{
	struct reading *reading = context;
	struct input *input = reading->input;

	if (reading->room - input->size < size) {
		uint64_t room = 2 * (input->size + size);
		uint8_t *data = realloc(input->data, room);

		if (!data)
			return error_set(error, -ENOMEM, input->path, "read", NULL);
		input->data = data;
		reading->room = room;
	}
	memcpy(input->data + input->size, bytes, size);
	input->size += size;
	return 0;
}

int input_read(struct input *input, const char *path, struct error *error)
{
	struct reading reading = { input, BLOCK_SIZE };
	int rc;

	*input = (struct input){ .path = path, .data = malloc(BLOCK_SIZE) };
	if (!input->data)
		return error_set(error, -ENOMEM, path, "read", NULL);
	rc = input_read_blocks(path, INPUT_MAX, input_append, &reading, error);
	if (rc)
		input_free(input);
	return rc;
}

void input_free(struct input *input)
{
	free(input->data);
	*input = (struct input){ .path = input->path };
}

int input_load(const struct input *input, uint8_t *memory, uint8_t digest[INPUT_DIGEST_SIZE],
	       struct error *error)
{
	memcpy(memory, input->data, input->size);
	if (!EVP_Digest(memory, input->size, digest, NULL, EVP_sha256(), NULL))
		return error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	return 0;
}
