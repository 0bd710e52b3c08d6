// SPDX-License-Identifier: GPL-2.0
/* A core dump of gmemctl has no memory of a guest in it, unless it was asked for. */
#include "../base/calls.h"
#include "../memory/guest_memory.h"
#include "ram.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static bool is_left_out(uint64_t page)
{
	return strstr(ram_smaps(page), " dd");
}

static void check(enum backing_kind kind, bool dump)
{
	char path[] = "/tmp/gmemctl-test.XXXXXX";
	int file = mkstemp(path);

	ram_start_two(kind, BACKING_PRIVATE);
	ram.requests[0].path = kind == BACKING_FILE ? path : NULL;
	ram.requests[0].dump = dump;
	ram.requests[1].dump = dump;
	ram_build();
	EXPECT_EQ(is_left_out(64), !dump);
	EXPECT_EQ(is_left_out(79), !dump);
	EXPECT_EQ(is_left_out(7), !dump);
	EXPECT_EQ(is_left_out(32), !dump);
	/* It is written to, and given back. */
	*ram_at(64) = 1;
	*ram_at(33) = 1;
	EXPECT_FALSE(guest_memory_decommit(&ram.memory, (struct range){ 64 * PAGE, 68 * PAGE }));
	EXPECT_EQ(is_left_out(64), !dump);
	EXPECT_EQ(is_left_out(33), !dump);
	ram_stop();
	close(file);
	EXPECT_FALSE(unlink(path));
}

TEST_OF(dump, left_out_C24)
{
	for (int kind = 0; kind < BACKING_KINDS; kind++) {
		bool of_gmem = kind == BACKING_GMEM || kind == BACKING_GMEM_STORE;

		check((enum backing_kind)kind, false);
		if (!of_gmem)
			check((enum backing_kind)kind, true);
	}
}
