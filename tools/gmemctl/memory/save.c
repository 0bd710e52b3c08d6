// SPDX-License-Identifier: GPL-2.0
/* A saved guest: the stream with its checksums, and the contents of the file. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "file.h"
#include "access.h"
#include "save.h"

/* The unit in which data is copied, added to the checksum and written */
#define PART_SIZE ((size_t)1 << 20)

#define ACTION	"save private pages"
#define MAGIC	"GMEMSAVE"
#define VERSION	2

/* An older version without checksums, which can still be read */
#define VERSION_UNCHECKED 1

struct header {
	char magic[8];
	uint32_t version;
	uint32_t zero;
	uint64_t description_size;
	uint64_t state_size;
};

struct run {
	uint64_t start;
	uint64_t size;
};

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

/* save_stream_end() is safe even after an error. */
static int save_stream_start(struct save_stream *stream, int fd, int asker)
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

static void save_stream_end(struct save_stream *stream)
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
 * Write a part of a record
 * @bytes: may be guest memory. pwrite() copies it to the bounce buffer: a page that cannot
 *	be read is then an error and not a signal, and the checksum matches what is written
 *	even if another process changes the memory.
 *
 * Return: 0; -ECANCELED if the requester has disconnected; or an error of the kernel.
 */
static int save_stream_put(struct save_stream *stream, const void *bytes,
			   size_t size)
{
	const uint8_t *at = bytes;
	int rc = 0;

	while (!rc && size) {
		size_t part = size < PART_SIZE ? size : PART_SIZE;
		ssize_t copied = pwrite(stream->bounce_fd, at, part, 0);

		if (copied != (ssize_t)part)
			return copied < 0 ? -errno : -EFAULT;
		if (asker_has_gone(stream))
			return -ECANCELED;
		if (!EVP_DigestUpdate(stream->digest, stream->bounce, part))
			return -EIO;
		rc = write_all(stream, stream->bounce, part);
		at += part;
		size -= part;
	}
	return rc;
}

/* End a record that was written */
static int save_stream_seal(struct save_stream *stream)
{
	uint8_t sum[SAVE_CHECKSUM_SIZE];
	int rc;

	if (!EVP_DigestFinal_ex(stream->digest, sum, NULL))
		return -EIO;
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

/*
 * Read a part of a record
 *
 * Return: 0; -EBADMSG if the file is too short; or an error of the kernel.
 */
static int save_stream_get(struct save_stream *stream, void *bytes, size_t size)
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

/*
 * End a record that was read
 *
 * Return: 0; -EILSEQ if the checksum is wrong; or an error as of save_stream_get().
 */
static int save_stream_check(struct save_stream *stream)
{
	uint8_t sum[SAVE_CHECKSUM_SIZE], said[SAVE_CHECKSUM_SIZE];
	int rc;

	if (stream->checked) {
		if (!EVP_DigestFinal_ex(stream->digest, sum, NULL))
			return -EIO;
		rc = read_all(stream, said, sizeof(said));
		if (rc)
			return rc;
		if (memcmp(sum, said, sizeof(sum)))
			return -EILSEQ;
	}
	stream->number++;
	return start_record(stream);
}

static int put_record(struct save_stream *stream, const void *bytes, size_t size)
{
	int rc = save_stream_put(stream, bytes, size);

	return rc ? rc : save_stream_seal(stream);
}

/* Write the populated pages among the @count pages from @page on of a range of RAM. */
static int write_part(struct save_stream *stream, const struct guest_memory *memory,
		      const struct layout_range *ram, uint64_t page, uint64_t count,
		      uint8_t *pages)
{
	uint64_t gpa = ram->range.start + page * RANGE_PAGE_SIZE, end;
	const struct backing *backing = guest_memory_backing(memory, ram);
	uint8_t *host = memory->reservation.base + gpa;
	int rc = populated_pages(backing->fd, backing->fd_offset + ram->part +
				 page * RANGE_PAGE_SIZE, host, count, pages);

	for (page = 0; !rc && page < count; page = end) {
		struct run run;

		end = page + 1;
		if (!pages[page])
			continue;
		while (end < count && pages[end])
			end++;
		run.start = gpa + page * RANGE_PAGE_SIZE;
		run.size = (end - page) * RANGE_PAGE_SIZE;
		rc = save_stream_put(stream, &run, sizeof(run));
		if (!rc)
			rc = put_record(stream, host + page * RANGE_PAGE_SIZE, run.size);
	}
	return rc;
}

static int write_contents(struct save_stream *stream,
			  const struct guest_memory *memory)
{
	const struct layout *layout = &memory->memfd.layout;
	uint8_t *pages = malloc(POPULATED_PAGES);
	struct run end = { 0, 0 };
	int rc = pages ? 0 : -ENOMEM;

	for (unsigned int i = 0; !rc && i < layout->nr_ranges; i++) {
		const struct layout_range *ram = &layout->ranges[i];
		uint64_t left = range_size(ram->range) / RANGE_PAGE_SIZE, count;

		for (uint64_t done = 0; !rc && left; done += count, left -= count) {
			count = left < POPULATED_PAGES ? left : POPULATED_PAGES;
			rc = write_part(stream, memory, ram, done, count, pages);
		}
	}
	free(pages);
	return rc ? rc : put_record(stream, &end, sizeof(end));
}

static int write_start(struct save_stream *stream, const struct guest_memory *memory,
		       const struct private_runs *runs,
		       const struct tlv *state)
{
	struct header header = { .magic = MAGIC, .version = VERSION,
				 .state_size = state->size };
	uint8_t *description;
	size_t size;
	int rc = description_encode(memory->config, runs->ranges, runs->count,
				    &description, &size);

	if (rc)
		return rc;
	header.description_size = size;
	rc = put_record(stream, &header, sizeof(header));
	if (!rc)
		rc = put_record(stream, description, size);
	if (!rc)
		rc = put_record(stream, state->bytes, state->size);
	free(description);
	return rc;
}

static const char *write_hint(int rc)
{
	switch (rc) {
	case -ENOSPC:
	case -EDQUOT:
		return "there is no room for it: delete something, or choose "
		       "another file system";
	case -EFBIG:
		return "raise `ulimit -f` of the VM's process, or choose another "
		       "file system";
	case -ECANCELED:
		return "the requester has disconnected";
	default:
		return NULL;
	}
}

static int write_guest(int fd, int asker, struct guest_memory *memory,
		       struct private_runs *runs, const struct tlv *state,
		       struct error *error)
{
	struct save_stream stream;
	int rc = save_stream_start(&stream, fd, asker);

	if (!rc)
		rc = bounce_open(&stream);
	if (!rc)
		rc = write_start(&stream, memory, runs, state);
	if (!rc)
		rc = write_contents(&stream, memory);
	save_stream_end(&stream);
	return rc ? error_set(error, rc, "guest memory", "write to the file",
			      write_hint(rc) ? "%s" : NULL, write_hint(rc)) : 0;
}

int save_write(int fd, int asker, struct guest_memory *memory,
	       const struct tlv *state, struct error *error)
{
	struct private_runs runs;
	int back, rc = private_runs_find(&runs, memory, false, ACTION,
					   error);

	if (!rc)
		rc = private_runs_share(&runs, memory, ACTION, error);
	if (!rc)
		rc = write_guest(fd, asker, memory, &runs, state, error);
	back = private_runs_restore(&runs, memory, rc ? NULL : error);
	private_runs_free(&runs);
	return rc ? rc : back;
}

/* The error names the record by its position, because addresses in it may be damaged. */
static int bad(const struct saved *saved, struct error *error, const char *what)
{
	const struct save_stream *stream = &saved->stream;

	return error_set(error, -EBADMSG, saved->path, "read",
			 "%s (record %llu, from byte %llu on)", what,
			 (unsigned long long)stream->number,
			 (unsigned long long)stream->record_offset);
}

static int read_fail(const struct saved *saved, int rc, const char *record,
		     struct error *error)
{
	char what[160];

	if (rc == -EBADMSG)
		return bad(saved, error, "it ends early: it is truncated, "
			   "or not a file of `gmemctl save`");
	if (rc != -EILSEQ)
		return error_set(error, rc, saved->path, "read", NULL);
	snprintf(what, sizeof(what), "%s has a wrong checksum: the file is "
		 "damaged, use another copy", record);
	return bad(saved, error, what);
}

/* The version tells whether there are checksums, that of the header included. */
static int read_header(struct saved *saved, struct header *header,
		       struct error *error)
{
	int rc = save_stream_get(&saved->stream, header, sizeof(*header));

	if (rc)
		return read_fail(saved, rc, "the header", error);
	if (memcmp(header->magic, MAGIC, sizeof(header->magic)))
		return bad(saved, error, "the file is not one of `gmemctl save`");
	if (header->version != VERSION && header->version != VERSION_UNCHECKED)
		return error_set(error, -EBADMSG, saved->path, "read",
				 "it has format %u, but this gmemctl reads 1 and %u: use the "
				 "gmemctl that saved it", header->version, VERSION);
	saved->stream.checked = header->version != VERSION_UNCHECKED;
	rc = save_stream_check(&saved->stream);
	if (rc)
		return read_fail(saved, rc, "the header", error);
	if (header->zero || !header->description_size ||
	    header->description_size > DESCRIPTION_SIZE_MAX ||
	    header->state_size > TLV_SIZE_MAX)
		return bad(saved, error, "its header has impossible sizes");
	return 0;
}

static int read_block(struct saved *saved, size_t size, const char *record,
		      uint8_t **bytes, struct error *error)
{
	int rc;

	*bytes = malloc(size ? size : 1);
	if (!*bytes)
		return error_set(error, -ENOMEM, saved->path, "read", NULL);
	rc = save_stream_get(&saved->stream, *bytes, size);
	if (!rc)
		rc = save_stream_check(&saved->stream);
	if (!rc)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return read_fail(saved, rc, record, error);
}

static int read_start(struct saved *saved, struct error *error)
{
	struct tlv *state = &saved->state;
	struct header header;
	uint8_t *bytes;
	int rc = read_header(saved, &header, error);

	if (!rc)
		rc = read_block(saved, header.description_size,
				"the description of the memory", &bytes, error);
	if (rc)
		return rc;
	rc = description_decode(bytes, header.description_size,
				&saved->description, error);
	free(bytes);
	if (!rc)
		rc = read_block(saved, header.state_size, "the state of the machine",
				&state->bytes, error);
	if (rc)
		return rc;
	state->size = header.state_size;
	state->room = header.state_size;
	return tlv_valid(state->bytes, state->size) ? 0 :
	       bad(saved, error, "the machine state is malformed");
}

int save_read(int fd, const char *path, struct saved *saved,
	      struct error *error)
{
	int rc;

	memset(saved, 0, sizeof(*saved));
	saved->path = path;
	rc = save_stream_start(&saved->stream, fd, -1);
	if (rc)
		error_set(error, rc, path, "read", NULL);
	else
		rc = read_start(saved, error);
	if (rc)
		save_free(saved);
	return rc;
}

void save_free(struct saved *saved)
{
	save_stream_end(&saved->stream);
	description_free(&saved->description);
	tlv_free(&saved->state);
}

bool save_is_checked(const struct saved *saved)
{
	return saved->stream.checked;
}

/* Read the range of the next run; it is empty at the end of the file. Return: 0 or -errno. */
static int read_run(struct saved *saved, const struct guest_memory *memory,
		    struct range *range, struct error *error)
{
	struct run run;
	int rc = save_stream_get(&saved->stream, &run, sizeof(run));

	if (rc)
		return read_fail(saved, rc, "memory", error);
	*range = (struct range){ run.start, run.start + run.size };
	if (!run.start && !run.size)
		return 0;
	if (!range_valid(*range) || !layout_find(&memory->memfd.layout, *range))
		return bad(saved, error, "it has contents for an address that is not RAM");
	return 0;
}

/* Read the contents of a run and their checksum. Return: 0 or -errno. */
static int read_run_contents(struct saved *saved, struct guest_memory *memory,
			     struct range range, struct error *error)
{
	uint8_t *host = memory->reservation.base + range.start;
	int rc = save_stream_get(&saved->stream, host, range_size(range));
	char record[64];

	if (!rc)
		rc = save_stream_check(&saved->stream);
	snprintf(record, sizeof(record), range_size(range) ?
		 "memory at 0x%llx" : "its end",
		 (unsigned long long)range.start);
	return rc ? read_fail(saved, rc, record, error) : 0;
}

static int read_contents(struct saved *saved, struct guest_memory *memory,
			 struct error *error)
{
	struct range range = { 0, 0 };
	uint8_t byte;
	int rc;

	do {
		rc = read_run(saved, memory, &range, error);
		if (!rc)
			rc = read_run_contents(saved, memory, range, error);
	} while (!rc && range_size(range));
	if (!rc && read(saved->stream.fd, &byte, 1) > 0)
		rc = bad(saved, error, "it has data after its last record");
	return rc;
}

int save_read_memory(struct saved *saved, struct guest_memory *memory,
		     struct error *error)
{
	int rc = 0;

	/* The file has only populated pages. All others have to read as zeros. */
	for (unsigned int i = 0; !rc && i < memory->nr_backings; i++)
		rc = backing_empty(&memory->backings[i], error);
	if (!rc)
		rc = read_contents(saved, memory, error);
	return rc ? rc : private_runs_make(saved->description.private,
					   saved->description.nr_private, memory, error);
}
