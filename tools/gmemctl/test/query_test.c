// SPDX-License-Identifier: GPL-2.0
/* GMEM_IOCTL_QUERY is called until everything has been reported. */
#include <stddef.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "ksft.h"

/* Reports one page per call, every other one private; or nothing, if stuck. */
static bool stuck;
static unsigned int queries;

static int query_ioctl(int fd, unsigned long request, void *arg)
{
	struct gmem_ioctl_query *query = arg;
	struct gmem_range *ranges = (void *)(uintptr_t)query->ranges;

	if (request != GMEM_IOCTL_QUERY || query->size != sizeof(*query))
		return -ENOTTY;
	queries++;
	query->nr_ranges = stuck ? 0 : 1;
	if (stuck)
		return 0;
	ranges[0] = (struct gmem_range){
		.offset = query->offset,
		.length = 4096,
		.state = query->offset >> 12 & 1,
	};
	query->offset += 4096;
	query->length -= 4096;
	return 0;
}

static const struct calls query_calls = { .ioctl = query_ioctl };

static int add_length(const struct gmem_range *range, void *data)
{
	*(uint64_t *)data += range->length;
	return range->offset == 0x5000 && *(uint64_t *)data > 0x100000 ? -EIO : 0;
}

TEST_OF(query, cursor)
{
	uint64_t length = 0;

	calls = &query_calls;
	stuck = false;
	queries = 0;
	EXPECT_FALSE(gmem_query(7, 0x2000, 0x6000, add_length, &length));
	EXPECT_EQ(length, 0x6000);
	EXPECT_EQ(queries, 6);
	/* What the visitor returns ends the walk, once a range is known to have ended. */
	length = 0x100000;
	EXPECT_EQ(gmem_query(7, 0x2000, 0x6000, add_length, &length), -EIO);
	EXPECT_EQ(queries, 11);
}

TEST_OF(query, stuck)
{
	uint64_t length = 0;

	calls = &query_calls;
	stuck = true;
	queries = 0;
	EXPECT_EQ(gmem_query(7, 0, 0x1000, add_length, &length), -EPROTO);
	EXPECT_EQ(queries, 1);
	EXPECT_FALSE(length);
}
