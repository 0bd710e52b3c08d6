// SPDX-License-Identifier: GPL-2.0
/* `gmemctl bench`: what it makes of the lines of gmem_bench, and what it says without gmem. */
#include <json-c/json.h>

#include <linux/gmem.h>

#include "../cli/command.h"
#include "../cli/out.h"
#include "preload.h"
#include "ksft.h"


/* Show lines as JSON, in a process of its own. Return: what @check says there. */
static bool shown(const char *lines, bool (*check)(void))
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		FILE *stream = fmemopen((void *)lines, strlen(lines), "r");

		out_start(true);
		bench_rows_show(stream);
		_exit(!check());
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* A member of an element of an array of what was shown, as text */
static const char *value(const char *array, size_t index, const char *key)
{
	struct json_object *elements, *found;

	if (!json_object_object_get_ex(out_root(), array, &elements) ||
	    !json_object_object_get_ex(json_object_array_get_idx(elements, index), key, &found))
		return "";
	return json_object_get_string(found);
}

static bool shows(const char *array, size_t index, const char *key, const char *expected)
{
	const char *found = value(array, index, key);

	if (!strcmp(found, expected))
		return true;
	printf("# %s[%zu].%s is '%s', expected '%s'\n", array, index, key, found, expected);
	fflush(stdout);
	return false;
}

static bool has_rows(void)
{
	return shows("rows", 0, "work", "first touch") && shows("rows", 0, "who", "memfd") &&
	       shows("rows", 0, "unit", "page") && shows("rows", 0, "ns", "612.500") &&
	       shows("rows", 0, "ns_spread_percent", "1.20") &&
	       shows("rows", 1, "who", "gmem") && shows("rows", 2, "work", "") &&
	       shows("not_here", 0, "case", "store") &&
	       shows("not_here", 0, "why", "no VM of KVM") &&
	       shows("errors", 0, "object", "held") && shows("errors", 1, "object", "");
}

TEST_OF(bench, rows)
{
	EXPECT_TRUE(shown("# measure: ns\n# measure: a loop of 2000000 instructions: 5 by the TSC\n"
			  "# case: touch.first.memfd\n"
			  "# bench: first touch | memfd | page | 612.500 | 1.20\nnoise\n"
			  "# bench: first touch | gmem | page | 598.000 | 0.40\n# case: store\n"
			  "# skip: no VM of KVM\n# case: held\n"
			  "# fail: mmap(): -12 (Cannot allocate memory)\n# end: 3 cases, 1 failed",
			  has_rows));
}

static bool has_errors_only(void)
{
	return shows("rows", 0, "work", "") && shows("errors", 0, "object", "gmem_bench") &&
	       shows("errors", 1, "object", "gmem_bench");
}

/* A row with too few fields, and one with too many: of another version */
TEST_OF(bench, malformed)
{
	EXPECT_TRUE(shown("# measure: ns\n# bench: first touch | memfd | page | 612.500\n"
			  "# bench: first touch | memfd | page | 612.500 | 1.20 | 7\n",
			  has_errors_only));
}

TEST_OF(bench, usage)
{
	EXPECT_EQ(GMEMCTL("bench", "view.*", "touch.*"), 2);
	EXPECT_EQ(GMEMCTL("bench", "--cases"), 2);
}

/* It says what to do. */
TEST_OF(bench, no_module)
{
	if (!access(GMEM_DEVICE_PATH, F_OK)) {
		ksft_skip("bench: gmem is loaded");
		return;
	}
	EXPECT_EQ(GMEMCTL("bench"), 4);
	EXPECT_STRSTR(preload_said, GMEM_DEVICE_PATH);
	EXPECT_STRSTR(preload_said, "gmemctl load");
	EXPECT_EQ(GMEMCTL("bench", "--json"), 4);
	EXPECT_STRSTR(preload_said, "\"errors\"");
}
