// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "save_stream.h"

/* What is copied, summed and written at a time */
#define PART_SIZE ((size_t)1 << 20)

/* Return: 0 or -ENOMEM. */
static int start_record(struct save_stream *stream)
{
	stream->record_offset = stream->offset;
	if (EVP_DigestInit_ex(stream->digest, EVP_sha256(), NULL) &&
	    EVP_DigestUpdate(stream->digest, &stream->number,
			     sizeof(stream->number)))
		return 0;
	return -ENOMEM;
}

static int start(struct save_stream *stream, int fd, int asker)
{
	*stream = (struct save_stream){
		.fd = fd,
		.asker = asker,
		.bounce_fd = -1,
		.checked = true,
		.digest = EVP_MD_CTX_new(),
	};
	return stream->digest ? start_record(stream) : -ENOMEM;
}

int save_stream_read(struct save_stream *stream, int fd)
{
	return start(stream, fd, -1);
}

static int bounce_open(struct save_stream *stream)
{
	void *bounce;

	stream->bounce_fd = memfd_create("save", MFD_CLOEXEC);
	if (stream->bounce_fd < 0 || ftruncate(stream->bounce_fd, PART_SIZE))
		return -errno;
	bounce = mmap(NULL, PART_SIZE, PROT_READ, MAP_SHARED, stream->bounce_fd,
		      0);
	if (bounce == MAP_FAILED)
		return -errno;
	stream->bounce = bounce;
	madvise(bounce, PART_SIZE, MADV_DONTDUMP);
	return 0;
}

int save_stream_write(struct save_stream *stream, int fd, int asker)
{
	int rc = start(stream, fd, asker);

	return rc ? rc : bounce_open(stream);
}

void save_stream_end(struct save_stream *stream)
{
	if (stream->bounce)
		munmap(stream->bounce, PART_SIZE);
	if (stream->bounce_fd >= 0)
		close(stream->bounce_fd);
	EVP_MD_CTX_free(stream->digest);
	stream->bounce = NULL;
	stream->bounce_fd = -1;
	stream->digest = NULL;
}

static bool asker_has_gone(const struct save_stream *stream)
{
	struct pollfd fd = { .fd = stream->asker, .events = POLLRDHUP };

	return stream->asker >= 0 && poll(&fd, 1, 0) > 0 &&
	       fd.revents & (POLLRDHUP | POLLHUP);
}

static int write_all(struct save_stream *stream, const uint8_t *at, size_t size)
{
	while (size) {
		ssize_t written = write(stream->fd, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		size -= (size_t)written;
		stream->offset += (uint64_t)written;
	}
	return 0;
}

/*
 * The kernel does the copying: a page that cannot be read is an error then, and no
 * signal. What is summed and what is written is the copy.
 */
static int put_part(struct save_stream *stream, const uint8_t *at, size_t size)
{
	ssize_t copied = pwrite(stream->bounce_fd, at, size, 0);

	if (copied != (ssize_t)size)
		return copied < 0 ? -errno : -EFAULT;
	if (asker_has_gone(stream))
		return -ECANCELED;
	if (!EVP_DigestUpdate(stream->digest, stream->bounce, size))
		return -EIO;
	return write_all(stream, stream->bounce, size);
}

int save_stream_put(struct save_stream *stream, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	int rc = 0;

	while (!rc && size) {
		size_t part = size < PART_SIZE ? size : PART_SIZE;

		rc = put_part(stream, at, part);
		at += part;
		size -= part;
	}
	return rc;
}

static int checksum(struct save_stream *stream,
		    uint8_t sum[SAVE_CHECKSUM_SIZE])
{
	return EVP_DigestFinal_ex(stream->digest, sum, NULL) ? 0 : -EIO;
}

int save_stream_seal(struct save_stream *stream)
{
	uint8_t sum[SAVE_CHECKSUM_SIZE];
	int rc = checksum(stream, sum);

	if (!rc)
		rc = write_all(stream, sum, sizeof(sum));
	stream->number++;
	return rc ? rc : start_record(stream);
}

static int read_all(struct save_stream *stream, uint8_t *at, size_t size)
{
	while (size) {
		ssize_t got = read(stream->fd, at, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EBADMSG;
		at += got;
		size -= (size_t)got;
		stream->offset += (uint64_t)got;
	}
	return 0;
}

int save_stream_get(struct save_stream *stream, void *bytes, size_t size)
{
	uint8_t *at = bytes;
	int rc = 0;

	while (!rc && size) {
		size_t part = size < PART_SIZE ? size : PART_SIZE;

		rc = read_all(stream, at, part);
		if (!rc && !EVP_DigestUpdate(stream->digest, at, part))
			rc = -EIO;
		at += part;
		size -= part;
	}
	return rc;
}

int save_stream_check(struct save_stream *stream)
{
	uint8_t sum[SAVE_CHECKSUM_SIZE], said[SAVE_CHECKSUM_SIZE];
	int rc = 0;

	if (stream->checked) {
		rc = checksum(stream, sum);
		if (!rc)
			rc = read_all(stream, said, sizeof(said));
		if (!rc && memcmp(sum, said, sizeof(sum)))
			rc = -EILSEQ;
	}
	if (rc)
		return rc;
	stream->number++;
	return start_record(stream);
}
