// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "populated.h"
#include "private_runs.h"
#include "save.h"
#include "save_stream.h"

#define ACTION	"save private pages"
#define MAGIC	"GMEMSAVE"
#define VERSION	2

/* The version without checksums, which is read all the same */
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

static int put_record(struct save_stream *stream, const void *bytes, size_t size)
{
	int rc = save_stream_put(stream, bytes, size);

	return rc ? rc : save_stream_seal(stream);
}

static int write_run(struct save_stream *stream,
		     const struct guest_memory *memory, struct range range)
{
	struct run run = { range.start, range_size(range) };
	int rc = save_stream_put(stream, &run, sizeof(run));

	if (!rc)
		rc = save_stream_put(stream, memory->reservation.base +
				     range.start, range_size(range));
	return rc ? rc : save_stream_seal(stream);
}

/* What is populated among @count pages from @gpa on, at @offset in the backing. */
static int write_part(struct save_stream *stream,
		      const struct guest_memory *memory,
		      const struct backing *backing, uint64_t gpa,
		      uint64_t offset, uint64_t count, uint8_t *pages)
{
	int rc = populated_pages(backing, memory->reservation.base + gpa,
				 offset, count, pages);
	uint64_t page = 0;

	while (!rc && page < count) {
		uint64_t start = page;

		while (page < count && pages[page])
			page++;
		if (page == start)
			page++;
		else
			rc = write_run(stream, memory, (struct range){
				gpa + start * RANGE_PAGE_SIZE,
				gpa + page * RANGE_PAGE_SIZE });
	}
	return rc;
}

static int write_range(struct save_stream *stream,
		       const struct guest_memory *memory,
		       const struct backing *backing, struct range range,
		       uint64_t offset, uint8_t *pages)
{
	uint64_t done = 0, left = range_size(range) / RANGE_PAGE_SIZE;
	int rc = 0;

	while (!rc && left) {
		uint64_t count = left < POPULATED_PAGES ? left :
							  POPULATED_PAGES;

		rc = write_part(stream, memory, backing,
				range.start + done * RANGE_PAGE_SIZE,
				offset + done * RANGE_PAGE_SIZE, count, pages);
		done += count;
		left -= count;
	}
	return rc;
}

static int write_backing(struct save_stream *stream,
			 const struct guest_memory *memory,
			 const struct backing *backing, uint8_t *pages)
{
	uint64_t offset = 0;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < backing->request->nr_ranges; i++) {
		struct range range = backing->request->ranges[i];

		rc = write_range(stream, memory, backing, range, offset, pages);
		offset += range_size(range);
	}
	return rc;
}

static int write_contents(struct save_stream *stream,
			  const struct guest_memory *memory)
{
	uint8_t *pages = malloc(POPULATED_PAGES);
	struct run end = { 0, 0 };
	int rc = pages ? 0 : -ENOMEM;

	for (unsigned int i = 0; !rc && i < memory->nr_backings; i++)
		rc = write_backing(stream, memory, &memory->backings[i], pages);
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
		return "the one who has asked for it has gone";
	default:
		return NULL;
	}
}

static int write_guest(int fd, int asker, struct guest_memory *memory,
		       struct private_runs *runs, const struct tlv *state,
		       struct error *error)
{
	struct save_stream stream;
	int rc = save_stream_write(&stream, fd, asker);

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

/* @what names the record: its own address may be what is damaged. */
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
		return bad(saved, error, "the file is shorter than it says");
	if (rc != -EILSEQ)
		return error_set(error, rc, saved->path, "read", NULL);
	snprintf(what, sizeof(what), "%s has a wrong checksum: the file is "
		 "damaged, use another copy", record);
	return bad(saved, error, what);
}

/* The version says whether there are checksums at all. */
static int check_version(struct saved *saved, const struct header *header,
			 struct error *error)
{
	if (memcmp(header->magic, MAGIC, sizeof(header->magic)))
		return bad(saved, error, "the file is not one of `gmemctl save`");
	saved->stream.checked = header->version != VERSION_UNCHECKED;
	if (header->version == VERSION || header->version == VERSION_UNCHECKED)
		return 0;
	return error_set(error, -EBADMSG, saved->path, "read",
			 "it has format %u, and this gmemctl reads 1 and %u: use "
			 "the one that has saved it", header->version, VERSION);
}

static int read_header(struct saved *saved, struct header *header,
		       struct error *error)
{
	int rc = save_stream_get(&saved->stream, header, sizeof(*header));

	if (rc)
		return read_fail(saved, rc, "the header", error);
	rc = check_version(saved, header, error);
	if (rc)
		return rc;
	rc = save_stream_check(&saved->stream);
	if (rc)
		return read_fail(saved, rc, "the header", error);
	if (header->zero || !header->description_size ||
	    header->description_size > DESCRIPTION_SIZE_MAX ||
	    header->state_size > TLV_SIZE_MAX)
		return bad(saved, error, "it has parts of impossible sizes");
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

static int read_state(struct saved *saved, size_t size, struct error *error)
{
	struct tlv *state = &saved->state;
	int rc = read_block(saved, size, "the state of the machine",
			    &state->bytes, error);

	if (rc)
		return rc;
	state->size = size;
	state->room = size;
	if (tlv_valid(state->bytes, size))
		return 0;
	return bad(saved, error, "the state of the machine is none");
}

static int read_start(struct saved *saved, struct error *error)
{
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
	return rc ? rc : read_state(saved, header.state_size, error);
}

int save_read(int fd, const char *path, struct saved *saved,
	      struct error *error)
{
	int rc;

	memset(saved, 0, sizeof(*saved));
	saved->path = path;
	rc = save_stream_read(&saved->stream, fd);
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

static bool is_ram(const struct memory_config *config, struct range range)
{
	for (unsigned int i = 0; i < config->nr_requests; i++)
		for (unsigned int j = 0; j < config->requests[i].nr_ranges; j++)
			if (range_contains(config->requests[i].ranges[j], range))
				return true;
	return false;
}

/* Return: 0 with a range, which is empty at the end. */
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
	if (!range_valid(*range) || !is_ram(memory->config, *range))
		return bad(saved, error, "it has contents for what is no RAM");
	return 0;
}

/* Return: 0; the record after it is the next then. */
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
		rc = bad(saved, error, "there is more behind its end");
	return rc;
}

/* Pages that were not populated are not in the file, and have to read zero. */
static int empty_backings(struct guest_memory *memory, struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < memory->nr_backings; i++)
		rc = backing_empty(&memory->backings[i], error);
	return rc;
}

int save_read_memory(struct saved *saved, struct guest_memory *memory,
		     struct error *error)
{
	const struct description *description = &saved->description;
	int rc = empty_backings(memory, error);
	char why[256] = "";

	if (!rc)
		rc = read_contents(saved, memory, error);
	for (uint32_t i = 0; !rc && i < description->nr_private; i++) {
		rc = guest_memory_convert(memory, description->private[i], true,
					  why, sizeof(why));
		if (rc)
			error_set(error, rc, "guest memory",
				  "make private what was private", "%s", why);
	}
	return rc;
}
