// SPDX-License-Identifier: GPL-2.0
/* GMEM_IOCTL_QUERY is called until everything has been reported. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "unit.h"

/* Reports one page per call, every other one private; or nothing, if stuck. */
static bool stuck;
static unsigned int queries;

static int query_ioctl(int fd, unsigned long request, void *arg)
{
	struct gmem_ioctl_query *query = arg;
	struct gmem_range *ranges = (void *)(uintptr_t)query->ranges;

	(void)fd;
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

static void test_query_cursor(void)
{
	uint64_t length = 0;

	calls = &query_calls;
	stuck = false;
	queries = 0;
	CHECK(!gmem_query(7, 0x2000, 0x6000, add_length, &length));
	CHECK(length == 0x6000 && queries == 6);
	/* What the visitor returns ends the walk. */
	length = 0x100000;
	CHECK_EQ(gmem_query(7, 0x2000, 0x6000, add_length, &length), -EIO);
	CHECK_EQ(queries, 10);
}

static void test_query_stuck(void)
{
	uint64_t length = 0;

	calls = &query_calls;
	stuck = true;
	queries = 0;
	CHECK_EQ(gmem_query(7, 0, 0x1000, add_length, &length), -EPROTO);
	CHECK(queries == 1 && !length);
}

static const struct unit_test tests[] = {
	{ "query.cursor", test_query_cursor },
	{ "query.stuck", test_query_stuck },
};

UNIT_TESTS(tests)
