// SPDX-License-Identifier: GPL-2.0
/* What describes a guest's memory comes back as it was, or is refused. */
#include "../memory/description.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static struct description decoded;
static uint8_t *bytes;
static size_t size;

static const struct range ranges[] = {
	{ 0, 16 * PAGE }, { 64 * PAGE, 80 * PAGE }, { 80 * PAGE, 96 * PAGE },
};

static const struct range private_ranges[] = {
	{ 2 * PAGE, 3 * PAGE }, { 3 * PAGE, 4 * PAGE }, { 70 * PAGE, 80 * PAGE },
};

static const struct memory_request requests[] = {
	{ .ranges = ranges, .nr_ranges = 2, .kind = BACKING_GMEM_STORE,
	  .prefetch = true, .consent = true, .node = 3, .existing_fd = 7 },
	{ .ranges = &ranges[2], .nr_ranges = 1, .kind = BACKING_SHARED,
	  .thp = true, .dump = true, .node = -1, .existing_fd = -1 },
};

static int encode(void)
{
	struct memory_config config = { .requests = requests, .nr_requests = 2,
					.guest_memfd = true };

	return description_encode(&config, private_ranges, 3, &bytes, &size);
}

static int decode(void)
{
	int rc = description_decode(bytes, size, &decoded, NULL);

	if (!rc)
		description_free(&decoded);
	return rc;
}

TEST_OF(description, round_trip)
{
	const struct memory_request *request = decoded.requests;

	EXPECT_FALSE(encode());
	EXPECT_FALSE(description_decode(bytes, size, &decoded, NULL));
	EXPECT_EQ(decoded.config.nr_requests, 2);
	EXPECT_TRUE(decoded.config.guest_memfd);
	EXPECT_EQ(decoded.config.requests, decoded.requests);
	EXPECT_EQ(request->kind, BACKING_GMEM_STORE);
	EXPECT_TRUE(request->prefetch);
	EXPECT_FALSE(request->thp);
	EXPECT_EQ(request->node, 3);
	EXPECT_EQ(request->nr_ranges, 2);
	/* An fd is another process's number. */
	EXPECT_EQ(request->existing_fd, -1);
	EXPECT_TRUE(range_equal(request->ranges[1], ranges[1]));
	EXPECT_TRUE(request->consent);
	EXPECT_FALSE(request[1].consent);
	EXPECT_TRUE(request[1].thp);
	EXPECT_EQ(request[1].node, -1);
	EXPECT_FALSE(request->dump);
	EXPECT_TRUE(request[1].dump);
	EXPECT_TRUE(range_equal(request[1].ranges[0], ranges[2]));
	EXPECT_EQ(decoded.nr_private, 3);
	EXPECT_MEMEQ(decoded.private, private_ranges, sizeof(private_ranges));
	description_free(&decoded);
	free(bytes);
}

TEST_OF(description, hugetlb)
{
	struct memory_request request = {
		.ranges = ranges, .nr_ranges = 1, .kind = BACKING_HUGETLB,
		.existing_fd = -1, .node = -1,
	};
	struct memory_config config = { .requests = &request,
					.nr_requests = 1 };

	EXPECT_FALSE(description_encode(&config, NULL, 0, &bytes, &size));
	EXPECT_FALSE(description_decode(bytes, size, &decoded, NULL));
	EXPECT_EQ(decoded.requests[0].kind, BACKING_HUGETLB);
	EXPECT_EQ(decoded.requests[0].hugepage_size, HUGEPAGE_SIZE_DEFAULT);
	description_free(&decoded);
	free(bytes);
	request.hugepage_size = 1 << 30;
	EXPECT_FALSE(description_encode(&config, NULL, 0, &bytes, &size));
	EXPECT_FALSE(description_decode(bytes, size, &decoded, NULL));
	EXPECT_EQ(decoded.requests[0].hugepage_size, 1 << 30);
	description_free(&decoded);
	free(bytes);
}

/* Cut anywhere, and with anything behind it, it is refused. */
TEST_OF(description, truncated)
{
	size_t all;

	EXPECT_FALSE(encode());
	all = size;
	for (size = 0; size < all; size++) {
		uint8_t *copy = malloc(size ? size : 1);

		memcpy(copy, bytes, size);
		EXPECT_EQ(description_decode(copy, size, &decoded, NULL), -EBADMSG);
		/* Also where it admits to being shorter. */
		if (size >= 16)
			memcpy(copy + 12, &(uint32_t){ size }, 4);
		EXPECT_EQ(description_decode(copy, size, &decoded, NULL), -EBADMSG);
		free(copy);
	}
	size = all;
	EXPECT_FALSE(decode());
	free(bytes);
}

/* Each field by itself: where it is, and a value that it must not have. */
TEST_OF(description, fields)
{
	static const struct {
		size_t at;
		uint32_t value;
	} cases[] = {
		{ 0, 0 },		/* magic */
		{ 8, 2 },		/* version */
		{ 12, 0 }, { 12, 159 },	/* size */
		{ 16, 4 },		/* flags */
		{ 20, 0 }, { 20, 65 }, { 20, 1 }, { 20, 0xffffffff },
		{ 24, 2 }, { 24, 4 }, { 24, 0xffffffff },
		{ 28, 1 },		/* reserved */
		{ 32, BACKING_KINDS },	/* kind */
		{ 36, 16 },		/* flags of a request */
		{ 36, 21 << 8 },	/* huge pages, but not hugetlb */
		{ 32, BACKING_HUGETLB },	/* hugetlb of what size? */
		{ 40, 65536 }, { 40, 0xfffffffe },
		{ 44, 0 }, { 44, 1 }, { 44, 1025 }, { 44, 0xffffffff },
		{ 48, 1 }, { 48, 0x10000 },	/* start of a range */
		{ 112, 0x4000 },	/* private: backwards */
		{ 128, 0x2000 },	/* private: twice */
		{ 112, 0x1800 },	/* private: part of a page */
		{ 152, 0x61000 },	/* private: past the RAM */
	};
	uint8_t saved[4];

	EXPECT_FALSE(encode());
	EXPECT_EQ(size, 160);
	ksft_for_each(c, cases) {
		memcpy(saved, bytes + c->at, 4);
		memcpy(bytes + c->at, &c->value, 4);
		EXPECT_EQ(decode(), -EBADMSG);
		memcpy(bytes + c->at, saved, 4);
	}
	EXPECT_FALSE(decode());
	free(bytes);
}

TEST_OF(description, too_much)
{
	static struct memory_request many[DESCRIPTION_REQUESTS_MAX + 1];
	struct memory_config config = { .requests = many };

	config.nr_requests = DESCRIPTION_REQUESTS_MAX + 1;
	EXPECT_EQ(description_encode(&config, NULL, 0, &bytes, &size), -E2BIG);
	config.nr_requests = 1;
	many[0].nr_ranges = DESCRIPTION_RANGES_MAX + 1;
	EXPECT_EQ(description_encode(&config, NULL, 0, &bytes, &size), -E2BIG);
	many[0].nr_ranges = 0;
	EXPECT_EQ(description_encode(&config, NULL, UINT32_MAX, &bytes, &size), -E2BIG);
}

/* One request more than there is room for: the last one again, which is good. */
TEST_OF(description, requests)
{
	static struct memory_request many[DESCRIPTION_REQUESTS_MAX];
	struct memory_config config = { .requests = many,
					.nr_requests = DESCRIPTION_REQUESTS_MAX };
	uint32_t count = DESCRIPTION_REQUESTS_MAX + 1, all;

	for (unsigned int i = 0; i < DESCRIPTION_REQUESTS_MAX; i++)
		many[i] = (struct memory_request){ .ranges = ranges, .nr_ranges = 1,
						   .existing_fd = -1, .node = -1 };
	EXPECT_FALSE(description_encode(&config, NULL, 0, &bytes, &size));
	EXPECT_FALSE(decode());
	bytes = realloc(bytes, size + 32);
	memcpy(bytes + size, bytes + size - 32, 32);
	size += 32;
	all = (uint32_t)size;
	memcpy(bytes + 12, &all, sizeof(all));
	memcpy(bytes + 20, &count, sizeof(count));
	EXPECT_EQ(decode(), -EBADMSG);
	free(bytes);
}

/* One range more than there is room for, all of them good. */
TEST_OF(description, ranges)
{
	static struct range many[DESCRIPTION_RANGES_MAX + 1];
	struct memory_request request = { .ranges = many, .existing_fd = -1,
					  .nr_ranges = DESCRIPTION_RANGES_MAX,
					  .node = -1 };
	struct memory_config config = { .requests = &request, .nr_requests = 1 };
	uint32_t count = DESCRIPTION_RANGES_MAX + 1, all;

	for (uint64_t i = 0; i <= DESCRIPTION_RANGES_MAX; i++)
		many[i] = (struct range){ i * PAGE, (i + 1) * PAGE };
	EXPECT_FALSE(description_encode(&config, NULL, 0, &bytes, &size));
	EXPECT_FALSE(decode());
	bytes = realloc(bytes, size + sizeof(many[0]));
	memcpy(bytes + size, &many[DESCRIPTION_RANGES_MAX], sizeof(many[0]));
	size += sizeof(many[0]);
	all = (uint32_t)size;
	memcpy(bytes + 12, &all, sizeof(all));
	memcpy(bytes + 44, &count, sizeof(count));
	EXPECT_EQ(decode(), -EBADMSG);
	free(bytes);
}
