// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "description.h"

#define MAGIC		"GMEMDESC"
#define VERSION		1

/* Flags of the header */
#define FLAG_GUEST_MEMFD	(1U << 0)

/* Flags of a request */
#define FLAG_THP		(1U << 0)
#define FLAG_PREFETCH		(1U << 1)
#define FLAG_CONSENT		(1U << 2)
#define FLAG_DUMP		(1U << 3)
#define HUGEPAGE_SHIFT		8
#define HUGEPAGE_MASK		(0xffU << HUGEPAGE_SHIFT)
#define FLAGS_KNOWN_REQUEST	(FLAG_THP | FLAG_PREFETCH | FLAG_CONSENT | \
				 FLAG_DUMP | HUGEPAGE_MASK)
#define HUGEPAGE_LOG2_MIN	12
#define HUGEPAGE_LOG2_MAX	40

struct header {
	char magic[8];
	uint32_t version;
	uint32_t size;
	uint32_t flags;
	uint32_t nr_requests;
	uint32_t nr_private;
	uint32_t zero;
};

struct request {
	uint32_t kind;
	uint32_t flags;
	int32_t node;
	uint32_t nr_ranges;
};

static uint8_t *put(uint8_t *at, const void *value, size_t size)
{
	memcpy(at, value, size);
	return at + size;
}

static uint8_t *put_request(uint8_t *at, const struct memory_request *request)
{
	uint64_t hugepage = memory_request_hugepage(request);
	struct request put_here = {
		.kind = hugepage ? BACKING_HUGETLB : request->kind,
		.flags = (request->thp ? FLAG_THP : 0) |
			 (request->prefetch ? FLAG_PREFETCH : 0) |
			 (request->consent ? FLAG_CONSENT : 0) |
			 (request->dump ? FLAG_DUMP : 0),
		.node = request->node,
		.nr_ranges = request->nr_ranges,
	};

	if (hugepage)
		put_here.flags |= (uint32_t)__builtin_ctzll(hugepage) << HUGEPAGE_SHIFT;
	at = put(at, &put_here, sizeof(put_here));
	return put(at, request->ranges, request->nr_ranges * sizeof(struct range));
}

int description_encode(const struct memory_config *config,
		       const struct range *private, uint32_t nr_private,
		       uint8_t **bytes, size_t *size)
{
	struct header header = {
		.magic = MAGIC,
		.version = VERSION,
		.flags = config->guest_memfd ? FLAG_GUEST_MEMFD : 0,
		.nr_requests = config->nr_requests,
		.nr_private = nr_private,
	};
	uint64_t ranges = 0, all;
	uint8_t *at;

	for (unsigned int i = 0; i < config->nr_requests; i++)
		ranges += config->requests[i].nr_ranges;
	all = sizeof(header) + (uint64_t)config->nr_requests * sizeof(struct request) +
	      (ranges + nr_private) * sizeof(struct range);
	if (config->nr_requests > DESCRIPTION_REQUESTS_MAX ||
	    ranges > DESCRIPTION_RANGES_MAX || all > DESCRIPTION_SIZE_MAX)
		return -E2BIG;
	*bytes = malloc(all);
	if (!*bytes)
		return -ENOMEM;
	*size = all;
	header.size = (uint32_t)all;
	at = put(*bytes, &header, sizeof(header));
	for (unsigned int i = 0; i < config->nr_requests; i++)
		at = put_request(at, &config->requests[i]);
	if (nr_private)
		put(at, private, nr_private * sizeof(*private));
	return 0;
}

/* The bytes that are still to be read. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* Read a value. If too few bytes are left it is zero, and so are all later ones. */
static void get(struct reader *reader, void *value, size_t size)
{
	memset(value, 0, size);
	if (size > (size_t)(reader->end - reader->at)) {
		reader->at = reader->end;
		return;
	}
	memcpy(value, reader->at, size);
	reader->at += size;
}

static int bad(struct error *error, const char *what)
{
	return error_set(error, -EBADMSG, "memory description", "decode", "%s",
			 what);
}

static int get_header(struct reader *reader, size_t size,
		      struct description *out, struct error *error)
{
	struct header header;

	get(reader, &header, sizeof(header));
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)))
		return bad(error, "its magic number is wrong");
	if (header.version != VERSION)
		return bad(error, "it is from another version of gmemctl");
	if (header.size != size)
		return bad(error, "its size differs from the size in its header");
	if (header.zero || header.flags & ~FLAG_GUEST_MEMFD)
		return bad(error, "unknown flags");
	if (!header.nr_requests || header.nr_requests > DESCRIPTION_REQUESTS_MAX)
		return bad(error, "bad number of requests");
	out->config.guest_memfd = header.flags & FLAG_GUEST_MEMFD;
	out->config.nr_requests = header.nr_requests;
	out->nr_private = header.nr_private;
	return 0;
}

/* Only hugetlb memory has a page size. */
static bool hugepage_valid(const struct request *request, uint32_t log2)
{
	if (request->kind != BACKING_HUGETLB)
		return !log2;
	return log2 >= HUGEPAGE_LOG2_MIN && log2 <= HUGEPAGE_LOG2_MAX;
}

/* @used: number of out->ranges that are in use */
static int get_request(struct reader *reader, struct description *out,
		       struct memory_request *request, unsigned int *used,
		       struct error *error)
{
	struct request got;
	uint32_t log2;

	get(reader, &got, sizeof(got));
	log2 = (got.flags & HUGEPAGE_MASK) >> HUGEPAGE_SHIFT;
	if (got.kind >= BACKING_KINDS || got.flags & ~FLAGS_KNOWN_REQUEST ||
	    !hugepage_valid(&got, log2) || got.node < -1 || got.node > 65535)
		return bad(error, "unknown kind or flags, or a bad node");
	if (!got.nr_ranges || got.nr_ranges > DESCRIPTION_RANGES_MAX - *used)
		return bad(error, "bad number of ranges");
	*request = (struct memory_request){
		.ranges = &out->ranges[*used],
		.nr_ranges = got.nr_ranges,
		.kind = (enum backing_kind)got.kind,
		.thp = got.flags & FLAG_THP,
		.prefetch = got.flags & FLAG_PREFETCH,
		.consent = got.flags & FLAG_CONSENT,
		.dump = got.flags & FLAG_DUMP,
		.hugepage_size = log2 ? UINT64_C(1) << log2 : 0,
		.existing_fd = -1,
		.node = got.node,
	};
	for (; got.nr_ranges; got.nr_ranges--) {
		struct range *range = &out->ranges[(*used)++];

		get(reader, range, sizeof(*range));
		if (!range_valid(*range))
			return bad(error, "a range is not whole pages");
	}
	return 0;
}

static bool is_ram(const struct description *description, unsigned int used,
		   struct range range)
{
	for (unsigned int i = 0; i < used; i++)
		if (range_contains(description->ranges[i], range))
			return true;
	return false;
}

static int get_private(struct reader *reader, struct description *out,
		       unsigned int used, struct error *error)
{
	size_t left = (size_t)(reader->end - reader->at);
	uint64_t last = 0;

	if (left != (uint64_t)out->nr_private * sizeof(struct range))
		return bad(error, "its size does not match its number of private ranges");
	out->private = calloc(out->nr_private + 1, sizeof(*out->private));
	if (!out->private)
		return error_set(error, -ENOMEM, "memory description",
				 "decode", NULL);
	get(reader, out->private, left);
	for (uint32_t i = 0; i < out->nr_private; i++) {
		struct range range = out->private[i];

		if (!range_valid(range) || range.start < last ||
		    !is_ram(out, used, range))
			return bad(error, "a private range is not RAM, or is out of order");
		last = range.end;
	}
	return 0;
}

int description_decode(const uint8_t *bytes, size_t size,
		       struct description *out, struct error *error)
{
	struct reader reader = { bytes, bytes + size };
	unsigned int used = 0;
	int rc;

	memset(out, 0, sizeof(*out));
	out->config.requests = out->requests;
	rc = get_header(&reader, size, out, error);
	for (unsigned int i = 0; !rc && i < out->config.nr_requests; i++)
		rc = get_request(&reader, out, &out->requests[i], &used, error);
	if (!rc)
		rc = get_private(&reader, out, used, error);
	if (rc)
		description_free(out);
	return rc;
}

void description_free(struct description *description)
{
	free(description->private);
	memset(description, 0, sizeof(*description));
}
