// SPDX-License-Identifier: GPL-2.0
/* A core dump of gmemctl has no memory of a guest in it, unless it was asked for. */
#include <inttypes.h>

#include "../base/calls.h"
#include "../memory/guest_memory.h"
#include "ram.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

/* The line of flags of the mapping at @address, from /proc/self/smaps. */
static bool flags_of(const void *address, char *line, int size)
{
	uint64_t at = (uintptr_t)address, start, end;
	FILE *maps = fopen("/proc/self/smaps", "re");
	bool inside = false, found = false;

	while (!found && fgets(line, size, maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
			inside = start <= at && at < end;
		found = inside && !strncmp(line, "VmFlags:", 8);
	}
	fclose(maps);
	return found;
}

static bool is_left_out(uint64_t page)
{
	char line[512];

	if (!flags_of(ram_at(page), line, sizeof(line)))
		return false;
	return strstr(line, " dd");
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
