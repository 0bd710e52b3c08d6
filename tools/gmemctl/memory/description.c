// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "description.h"

#define MAGIC		"GMEMDESC"
#define MAGIC_SIZE	8
#define VERSION		1
#define HEADER_SIZE	32
#define REQUEST_SIZE	16
#define RANGE_SIZE	16

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

static uint8_t *put(uint8_t *at, const void *value, size_t size)
{
	memcpy(at, value, size);
	return at + size;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put(at, &value, sizeof(value));
}

static uint8_t *put_range(uint8_t *at, struct range range)
{
	at = put(at, &range.start, sizeof(range.start));
	return put(at, &range.end, sizeof(range.end));
}

static uint32_t request_flags(const struct memory_request *request)
{
	uint64_t hugepage = memory_request_hugepage(request);
	uint32_t flags = 0;

	if (request->thp)
		flags |= FLAG_THP;
	if (request->prefetch)
		flags |= FLAG_PREFETCH;
	if (request->consent)
		flags |= FLAG_CONSENT;
	if (request->dump)
		flags |= FLAG_DUMP;
	if (hugepage)
		flags |= (uint32_t)__builtin_ctzll(hugepage) << HUGEPAGE_SHIFT;
	return flags;
}

static uint8_t *put_request(uint8_t *at, const struct memory_request *request)
{
	at = put32(at, memory_request_hugepage(request) ? BACKING_HUGETLB :
							   request->kind);
	at = put32(at, request_flags(request));
	at = put32(at, (uint32_t)request->node);
	at = put32(at, request->nr_ranges);
	for (unsigned int i = 0; i < request->nr_ranges; i++)
		at = put_range(at, request->ranges[i]);
	return at;
}

static uint8_t *put_header(uint8_t *at, const struct memory_config *config,
			   uint32_t size, uint32_t nr_private)
{
	at = put(at, MAGIC, MAGIC_SIZE);
	at = put32(at, VERSION);
	at = put32(at, size);
	at = put32(at, config->guest_memfd ? FLAG_GUEST_MEMFD : 0);
	at = put32(at, config->nr_requests);
	at = put32(at, nr_private);
	return put32(at, 0);
}

/* Bytes it takes, or 0 if that is more than the format allows. */
static size_t encoded_size(const struct memory_config *config,
			   uint32_t nr_private)
{
	uint64_t ranges = 0, size;

	for (unsigned int i = 0; i < config->nr_requests; i++)
		ranges += config->requests[i].nr_ranges;
	size = HEADER_SIZE + (uint64_t)config->nr_requests * REQUEST_SIZE +
	       (ranges + nr_private) * RANGE_SIZE;
	if (config->nr_requests > DESCRIPTION_REQUESTS_MAX ||
	    ranges > DESCRIPTION_RANGES_MAX || size > DESCRIPTION_SIZE_MAX)
		return 0;
	return size;
}

int description_encode(const struct memory_config *config,
		       const struct range *private, uint32_t nr_private,
		       uint8_t **bytes, size_t *size)
{
	uint8_t *at;

	*size = encoded_size(config, nr_private);
	if (!*size)
		return -E2BIG;
	*bytes = malloc(*size);
	if (!*bytes)
		return -ENOMEM;
	at = put_header(*bytes, config, (uint32_t)*size, nr_private);
	for (unsigned int i = 0; i < config->nr_requests; i++)
		at = put_request(at, &config->requests[i]);
	for (uint32_t i = 0; i < nr_private; i++)
		at = put_range(at, private[i]);
	return 0;
}

/* What is being read; @bad once something was beyond the end. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static void get(struct reader *reader, void *value, size_t size)
{
	memset(value, 0, size);
	if (size > (size_t)(reader->end - reader->at)) {
		reader->bad = true;
		return;
	}
	memcpy(value, reader->at, size);
	reader->at += size;
}

static uint32_t get32(struct reader *reader)
{
	uint32_t value;

	get(reader, &value, sizeof(value));
	return value;
}

static struct range get_range(struct reader *reader)
{
	struct range range;

	get(reader, &range.start, sizeof(range.start));
	get(reader, &range.end, sizeof(range.end));
	return range;
}

static int bad(struct error *error, const char *what)
{
	return error_set(error, -EBADMSG, "memory description", "decode", "%s",
			 what);
}

static int get_header(struct reader *reader, size_t size,
		      struct description *out, struct error *error)
{
	struct memory_config *config = &out->config;
	char magic[MAGIC_SIZE];
	uint32_t flags;

	get(reader, magic, sizeof(magic));
	if (memcmp(magic, MAGIC, sizeof(magic)))
		return bad(error, "it does not start as one");
	if (get32(reader) != VERSION)
		return bad(error, "it is from another version of gmemctl");
	if (get32(reader) != size)
		return bad(error, "it is not as long as it says");
	flags = get32(reader);
	config->guest_memfd = flags & FLAG_GUEST_MEMFD;
	config->nr_requests = get32(reader);
	out->nr_private = get32(reader);
	if (get32(reader) || flags & ~FLAG_GUEST_MEMFD)
		return bad(error, "unknown flags");
	if (!config->nr_requests ||
	    config->nr_requests > DESCRIPTION_REQUESTS_MAX)
		return bad(error, "bad number of requests");
	return 0;
}

/* Hugetlb memory says how large its pages are, and no other does. */
static bool hugepage_valid(uint32_t kind, uint32_t flags)
{
	uint32_t log2 = (flags & HUGEPAGE_MASK) >> HUGEPAGE_SHIFT;

	if (kind != BACKING_HUGETLB)
		return !log2;
	return log2 >= HUGEPAGE_LOG2_MIN && log2 <= HUGEPAGE_LOG2_MAX;
}

/* @used: of out->ranges */
static int get_request(struct reader *reader, struct description *out,
		       struct memory_request *request, unsigned int *used,
		       struct error *error)
{
	uint32_t kind = get32(reader), flags = get32(reader);
	int32_t node = (int32_t)get32(reader);
	uint32_t count = get32(reader);

	if (kind >= BACKING_KINDS || flags & ~FLAGS_KNOWN_REQUEST ||
	    !hugepage_valid(kind, flags) || node < -1 || node > 65535)
		return bad(error, "unknown kind or flags, or a bad node");
	if (!count || count > DESCRIPTION_RANGES_MAX - *used)
		return bad(error, "bad number of ranges");
	*request = (struct memory_request){
		.ranges = &out->ranges[*used],
		.nr_ranges = count,
		.kind = (enum backing_kind)kind,
		.thp = flags & FLAG_THP,
		.prefetch = flags & FLAG_PREFETCH,
		.consent = flags & FLAG_CONSENT,
		.dump = flags & FLAG_DUMP,
		.hugepage_size = kind != BACKING_HUGETLB ? 0 : UINT64_C(1) <<
				 ((flags & HUGEPAGE_MASK) >> HUGEPAGE_SHIFT),
		.existing_fd = -1,
		.node = node,
	};
	while (count--) {
		struct range range = get_range(reader);

		if (!range_valid(range))
			return bad(error, "a range is not whole pages");
		out->ranges[(*used)++] = range;
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

	if (reader->bad || left != (uint64_t)out->nr_private * RANGE_SIZE)
		return bad(error, "it is not as long as its parts");
	out->private = calloc(out->nr_private + 1, sizeof(*out->private));
	if (!out->private)
		return error_set(error, -ENOMEM, "memory description",
				 "decode", NULL);
	for (uint32_t i = 0; i < out->nr_private; i++) {
		struct range range = get_range(reader);

		if (!range_valid(range) || range.start < last ||
		    !is_ram(out, used, range))
			return bad(error, "a private range is no RAM, or they "
				   "are out of order");
		last = range.end;
		out->private[i] = range;
	}
	return 0;
}

static int decode(struct reader *reader, size_t size, struct description *out,
		  struct error *error)
{
	unsigned int used = 0;
	int rc = get_header(reader, size, out, error);

	for (unsigned int i = 0; !rc && i < out->config.nr_requests; i++)
		rc = get_request(reader, out, &out->requests[i], &used, error);
	return rc ? rc : get_private(reader, out, used, error);
}

int description_decode(const uint8_t *bytes, size_t size,
		       struct description *out, struct error *error)
{
	struct reader reader = { bytes, bytes + size, false };
	int rc;

	memset(out, 0, sizeof(*out));
	out->config.requests = out->requests;
	rc = decode(&reader, size, out, error);
	if (rc)
		description_free(out);
	return rc;
}

void description_free(struct description *description)
{
	free(description->private);
	memset(description, 0, sizeof(*description));
}
