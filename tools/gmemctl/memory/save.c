// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "populated.h"
#include "private_runs.h"
#include "save.h"

#define OBJECT	"saved guest"
#define ACTION	"save private pages"
#define MAGIC	"GMEMSAVE"
#define VERSION	1

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

static int write_all(int fd, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size) {
		ssize_t written = write(fd, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		size -= (size_t)written;
	}
	return 0;
}

/* Return: 0; -EBADMSG if the file ends before. */
static int read_all(int fd, void *bytes, size_t size)
{
	uint8_t *at = bytes;

	while (size) {
		ssize_t got = read(fd, at, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EBADMSG;
		at += got;
		size -= (size_t)got;
	}
	return 0;
}

static int write_run(int fd, const struct guest_memory *memory,
		     struct range range)
{
	struct run run = { range.start, range_size(range) };
	int rc = write_all(fd, &run, sizeof(run));

	return rc ? rc : write_all(fd, memory->reservation.base + range.start,
				   range_size(range));
}

/* What is populated among @count pages from @gpa on, at @offset in the backing. */
static int write_part(int fd, const struct guest_memory *memory,
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
			rc = write_run(fd, memory, (struct range){
				gpa + start * RANGE_PAGE_SIZE,
				gpa + page * RANGE_PAGE_SIZE });
	}
	return rc;
}

static int write_range(int fd, const struct guest_memory *memory,
		       const struct backing *backing, struct range range,
		       uint64_t offset, uint8_t *pages)
{
	uint64_t done = 0, left = range_size(range) / RANGE_PAGE_SIZE;
	int rc = 0;

	while (!rc && left) {
		uint64_t count = left < POPULATED_PAGES ? left :
							  POPULATED_PAGES;

		rc = write_part(fd, memory, backing,
				range.start + done * RANGE_PAGE_SIZE,
				offset + done * RANGE_PAGE_SIZE, count, pages);
		done += count;
		left -= count;
	}
	return rc;
}

static int write_backing(int fd, const struct guest_memory *memory,
			 const struct backing *backing, uint8_t *pages)
{
	uint64_t offset = 0;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < backing->request->nr_ranges; i++) {
		struct range range = backing->request->ranges[i];

		rc = write_range(fd, memory, backing, range, offset, pages);
		offset += range_size(range);
	}
	return rc;
}

static int write_contents(int fd, const struct guest_memory *memory)
{
	uint8_t *pages = malloc(POPULATED_PAGES);
	struct run end = { 0, 0 };
	int rc = pages ? 0 : -ENOMEM;

	for (unsigned int i = 0; !rc && i < memory->nr_backings; i++)
		rc = write_backing(fd, memory, &memory->backings[i], pages);
	free(pages);
	return rc ? rc : write_all(fd, &end, sizeof(end));
}

static int write_start(int fd, const struct guest_memory *memory,
		       const struct private_runs *runs,
		       const struct records *state)
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
	rc = write_all(fd, &header, sizeof(header));
	if (!rc)
		rc = write_all(fd, description, size);
	if (!rc)
		rc = write_all(fd, state->bytes, state->size);
	free(description);
	return rc;
}

static int write_guest(int fd, struct guest_memory *memory,
		       struct private_runs *runs, const struct records *state,
		       struct error *error)
{
	int rc = write_start(fd, memory, runs, state);

	if (!rc)
		rc = write_contents(fd, memory);
	return rc ? error_set(error, rc, "guest memory", "write to the file",
			      rc == -ENOSPC ? "there is no room for it: delete "
			      "something, or choose another file system" : NULL) :
		    0;
}

int save_write(int fd, struct guest_memory *memory,
	       const struct records *state, struct error *error)
{
	struct private_runs runs;
	int back, rc = private_runs_find(&runs, memory, ACTION, error);

	if (!rc)
		rc = private_runs_share(&runs, memory, ACTION, error);
	if (!rc)
		rc = write_guest(fd, memory, &runs, state, error);
	back = private_runs_restore(&runs, memory, rc ? NULL : error);
	private_runs_free(&runs);
	return rc ? rc : back;
}

static int bad(struct error *error, const char *what)
{
	return error_set(error, -EBADMSG, OBJECT, "read", "%s", what);
}

static int read_fail(struct error *error, int rc)
{
	return rc == -EBADMSG ? bad(error, "the file is shorter than it says") :
	       error_set(error, rc, OBJECT, "read", NULL);
}

static int read_header(int fd, struct header *header, struct error *error)
{
	int rc = read_all(fd, header, sizeof(*header));

	if (rc)
		return read_fail(error, rc);
	if (memcmp(header->magic, MAGIC, sizeof(header->magic)))
		return bad(error, "the file is not one of `gmemctl save`");
	if (header->version != VERSION)
		return bad(error, "it is from another version of gmemctl");
	if (header->zero || !header->description_size ||
	    header->description_size > DESCRIPTION_SIZE_MAX ||
	    header->state_size > RECORDS_SIZE_MAX)
		return bad(error, "it has parts of impossible sizes");
	return 0;
}

static int read_block(int fd, size_t size, uint8_t **bytes, struct error *error)
{
	int rc;

	*bytes = malloc(size ? size : 1);
	if (!*bytes)
		return error_set(error, -ENOMEM, OBJECT, "read", NULL);
	rc = read_all(fd, *bytes, size);
	if (!rc)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return read_fail(error, rc);
}

static int read_state(int fd, size_t size, struct records *state,
		      struct error *error)
{
	int rc = read_block(fd, size, &state->bytes, error);

	if (rc)
		return rc;
	state->size = size;
	state->room = size;
	if (records_valid(state->bytes, size))
		return 0;
	return bad(error, "the state of the machine is none");
}

int save_read(int fd, struct saved *saved, struct error *error)
{
	struct header header;
	uint8_t *bytes;
	int rc;

	memset(saved, 0, sizeof(*saved));
	rc = read_header(fd, &header, error);
	if (!rc)
		rc = read_block(fd, header.description_size, &bytes, error);
	if (rc)
		return rc;
	rc = description_decode(bytes, header.description_size,
				&saved->description, error);
	free(bytes);
	if (!rc)
		rc = read_state(fd, header.state_size, &saved->state, error);
	if (rc)
		save_free(saved);
	return rc;
}

void save_free(struct saved *saved)
{
	description_free(&saved->description);
	records_free(&saved->state);
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
static int read_run(int fd, const struct guest_memory *memory,
		    struct range *range, struct error *error)
{
	struct run run;
	int rc = read_all(fd, &run, sizeof(run));

	if (rc)
		return read_fail(error, rc);
	*range = (struct range){ run.start, run.start + run.size };
	if (!run.start && !run.size)
		return 0;
	if (!range_valid(*range) || !is_ram(memory->config, *range))
		return bad(error, "it has contents for what is no RAM");
	return 0;
}

static int read_contents(int fd, struct guest_memory *memory,
			 struct error *error)
{
	struct range range = { 0, 0 };
	uint8_t byte;
	int rc;

	while (1) {
		rc = read_run(fd, memory, &range, error);
		if (rc || !range_size(range))
			break;
		rc = read_all(fd, memory->reservation.base + range.start,
			      range_size(range));
		if (rc)
			return read_fail(error, rc);
	}
	if (!rc && read(fd, &byte, 1) > 0)
		rc = bad(error, "there is more behind its end");
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

int save_read_memory(int fd, const struct saved *saved,
		     struct guest_memory *memory, struct error *error)
{
	const struct description *description = &saved->description;
	int rc = empty_backings(memory, error);
	char why[256] = "";

	if (!rc)
		rc = read_contents(fd, memory, error);
	for (uint32_t i = 0; !rc && i < description->nr_private; i++) {
		rc = guest_memory_convert(memory, description->private[i], true,
					  why, sizeof(why));
		if (rc)
			error_set(error, rc, "guest memory",
				  "make private what was private", "%s", why);
	}
	return rc;
}
