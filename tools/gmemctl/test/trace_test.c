// SPDX-License-Identifier: GPL-2.0
/*
 * Lines of trace_pipe, what they mean for people and for programs, and what stands in the way
 * of an instance of tracefs, which is a folder of the test's own here.
 */
#include <sys/stat.h>

#include "../trace/trace.h"
#include "ksft.h"

#define HEAD "      trace_test-4711    [001] ..... 12345.678901: "
#define CONVERT HEAD "gmem_convert: ino=17 start=8 end=9 target=private content=preserve rc=%s " \
	"error_index=%s refs_seen=%s refs_expected=2"

static char line[TRACE_LINE_MAX], said[512];
static struct trace_record record;
static struct trace_item items[TRACE_ITEMS_MAX];
static size_t nr;

static int parse(const char *text)
{
	snprintf(line, sizeof(line), "%s", text);
	return trace_parse(line, &record);
}

/* Whether a line means this. */
static bool means(const char *text, const char *expected)
{
	if (parse(text)) {
		TH_LOG("not an event: %s", text);
		return false;
	}
	trace_describe(&record, said, sizeof(said));
	if (!strcmp(said, expected))
		return true;
	TH_LOG("said: %s; expected: %s", said, expected);
	return false;
}

#define MEANS(expected, fields) EXPECT_TRUE(means(HEAD fields, expected))

static const struct trace_item *item(const char *key)
{
	static const struct trace_item none = { .text = "nothing", .number = 12345 };

	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(items[i].key, key))
			return &items[i];
	}
	return &none;
}

TEST_OF(trace, line)
{
	ASSERT_EQ(0, parse(HEAD "gmem_punch: ino=17 start=2 end=3 rc=0"));
	EXPECT_EQ(0, record.lost);
	EXPECT_EQ(12345678901, record.us);
	EXPECT_EQ(1, record.cpu);
	EXPECT_EQ(4711, record.tid);
	EXPECT_STREQ("trace_test", record.command);
	EXPECT_STREQ("gmem_punch", record.event);
	ASSERT_EQ(4, record.nr);
	EXPECT_STREQ("17", trace_value(&record, "ino"));
	EXPECT_STREQ("0", trace_value(&record, "rc"));
	EXPECT_TRUE(!trace_value(&record, "start="));

	/* With the process, and without flags, as options of tracefs have it. */
	ASSERT_EQ(0, parse("      trace_test-4711    (   4700) [012]     1.000002: gmem_x: a=1"));
	EXPECT_EQ(1000002, record.us);
	EXPECT_EQ(12, record.cpu);
	ASSERT_EQ(0, parse("          <idle>-0       [000] d.h1.     0.000000: gmem_x: "));
	EXPECT_EQ(0, record.nr);
	EXPECT_EQ(0, record.tid);
}

/* A process is called what it likes. */
TEST_OF(trace, command)
{
	ASSERT_EQ(0, parse(" a-1 [000] 1.0:x-4711    [001] ..... 1.000000: gmem_x: a=1"));
	EXPECT_STREQ("a-1 [000] 1.0:x", record.command);
	EXPECT_EQ(4711, record.tid);
	ASSERT_EQ(0, parse("           a\033[2J-4711    [001] ..... 1.000000: gmem_x: a=1"));
	EXPECT_STREQ("a?[2J", record.command);
	ASSERT_EQ(0, parse("                -4711    [001] ..... 1.000000: gmem_x: a=1"));
	EXPECT_EQ(4711, record.tid);
}

TEST_OF(trace, lost)
{
	ASSERT_EQ(0, parse("CPU:3 [LOST 1234 EVENTS]"));
	EXPECT_EQ(1234, record.lost);
	EXPECT_EQ(3, record.cpu);
	ASSERT_EQ(0, parse("CPU:0 [LOST EVENTS]"));
	EXPECT_EQ(UINT64_MAX, record.lost);
}

TEST_OF(trace, not_an_event)
{
	static const char *const lines[] = {
		"", " ", "CPU:0 [LOST", "CPU:0 [LOST 0 EVENTS]", "CPU:0 [LOST 3 EVENTS] more",
		"      trace_test", "       trace_test-", "       trace_test-4711",
		"      trace_test-x       [001] ..... 1.000000: gmem_x: a=1",
		"      trace_test-99999999999 [001] ..... 1.000000: gmem_x: a=1",
		"      trace_test-4711    [x] ..... 1.000000: gmem_x: a=1",
		"      trace_test-4711    [001 ..... 1.000000: gmem_x: a=1",
		"      trace_test-4711    [001] ..... 1: gmem_x: a=1",
		"      trace_test-4711    [001] ..... 1.000000 gmem_x: a=1",
		"      trace_test-4711    [001] ..... 1.9999999: gmem_x: a=1",
		"      trace_test-4711    [001] ..... 99999999999999999999.000000: gmem_x: a=1",
		"      trace_test-4711    [001] ..... 1.000000: gmem_x a=1",
		"      trace_test-4711    [001] ..... 1.000000: : a=1",
		"      trace_test-4711    (4711",
	};

	ksft_for_each(line, lines) {
		if (parse(*line) != -EINVAL)
			TH_LOG("taken: %s", *line);
		EXPECT_EQ(-EINVAL, parse(*line));
	}
	/* More fields than any event has: the first ones. */
	EXPECT_EQ(0, parse(HEAD "gmem_x: a=1 b c d e f g h i j k l m n o p"));
	EXPECT_EQ(TRACE_FIELDS_MAX, record.nr);
}

TEST_OF(trace, meaning_of_ranges)
{
	MEANS("32 KiB, shared at first", "gmem_create: ino=17 length=32768 flags=0x1 node=-1");
	MEANS("1 TiB, private at first, the guest's consent is asked, node 1",
	      "gmem_create: ino=17 length=1099511627776 flags=0x6 node=1");
	MEANS("4 KiB", "gmem_release: ino=17 length=4096");
	MEANS("0x00001000-0x00004000 (3 pages): ok", "gmem_commit: ino=17 start=1 end=4 rc=0");
	MEANS("0x00002000-0x00003000 (1 page): EINTR", "gmem_punch: ino=17 start=2 end=3 rc=-4");
	MEANS("0x00001000-0x00003000 (2 pages) to 0x00004000 of its store: -9999",
	      "gmem_bind: ino=17 start=1 end=3 store_start=4 rc=-9999");
	MEANS("0x00001000-0x00003000 (2 pages), 7 pages have moved",
	      "gmem_unbind: ino=17 start=1 end=3 moved=7");
}

TEST_OF(trace, meaning_of_conversions)
{
	char text[256];

	snprintf(text, sizeof(text), CONVERT, "0", "0", "0");
	EXPECT_TRUE(means(text, "0x00008000-0x00009000 (1 page) to private, preserve: ok"));
	snprintf(text, sizeof(text), CONVERT, "-11", "8", "3");
	EXPECT_TRUE(means(text, "0x00008000-0x00009000 (1 page) to private, preserve: EAGAIN; "
			  "0x00008000 is held: 3 references, 2 expected"));
	snprintf(text, sizeof(text), CONVERT, "-11", "0", "0");
	EXPECT_TRUE(means(text, "0x00008000-0x00009000 (1 page) to private, preserve: EAGAIN"));
}

TEST_OF(trace, meaning_of_pages)
{
	MEANS("page at 0x00003000: mapped", "gmem_fault: ino=17 index=3 ret=locked");
	MEANS("page at 0x00003000: SIGBUS", "gmem_fault: ino=17 index=3 ret=sigbus");
	MEANS("page at 0x00003000: ENOMEM", "gmem_fault: ino=17 index=3 ret=oom");
	MEANS("page at 0x00003000: sigbus|0x80", "gmem_fault: ino=17 index=3 ret=sigbus|0x80");
	MEANS("page at 0x00003000: ok, private, frame 0x12",
	      "gmem_lookup: ino=17 index=3 state=private pfn=0x12 rc=0");
	MEANS("page at 0x00003000: EPERM",
	      "gmem_lookup: ino=17 index=3 state=shared pfn=0x0 rc=-1");
	MEANS("page at 0x00003000: EIO", "gmem_poison: ino=17 index=3 rc=-5");
}

TEST_OF(trace, meaning_of_views)
{
	MEANS("0x00001000-0x00005000 (4 pages) opened", "gmem_view: ino=17 start=1 end=5 open");
	MEANS("0x00001000-0x00005000 (4 pages) closed", "gmem_view: ino=17 start=1 end=5 release");
	MEANS("0x00001000-0x00005000 (4 pages) unmapped at 0x7f0000000000",
	      "gmem_view_mapping: ino=17 start=1 end=5 address=0x7f0000000000 unmap");
	MEANS("0x00001000-0x00005000 (4 pages), 3 pages filled: ok",
	      "gmem_view_refill: ino=17 start=1 end=5 pages=3 rc=0");
	MEANS("guest address 0x8000, write, number 4 of its thread",
	      "gmem_view_fault: ino=17 gpa=0x8000 error_code=0x6 count=4");
	MEANS("guest address 0x8000, fetch, number 4 of its thread",
	      "gmem_view_fault: ino=17 gpa=0x8000 error_code=0x14 count=4");
}

TEST_OF(trace, meaning_of_pvmemcontrol)
{
	MEANS("device 0: mlock 0x00200000-0x00201000 (4096 bytes): ok, but the VMM returned ENOMEM",
	      "pvmemcontrol_call: minor=0 func=mlock(7) addr=0x200000 length=0x1000 arg=0 "
	      "ret_errno=12 ret_code=0 rc=0");
	MEANS("device 0: 0x63: ok, but the VMM returned 99999",
	      "pvmemcontrol_call: minor=0 func=0x63(99) addr=0x0 length=0x0 arg=0 "
	      "ret_errno=99999 ret_code=0 rc=0");
	MEANS("device 1: down to ready: ok", "pvmemcontrol_state: minor=1 from=down to=ready rc=0");
	/* A tracepoint of tomorrow, and one that has lost its fields. */
	MEANS("a=1 b c=3", "gmem_tomorrow: a=1 b c=3");
	MEANS("page at 0x00000000: ?", "gmem_fault: ");
	MEANS("device ?: ? to ?: ok", "pvmemcontrol_state: ");
}

TEST_OF(trace, items_of_conversion)
{
	char text[256];

	snprintf(text, sizeof(text), CONVERT, "-11", "8", "3");
	ASSERT_EQ(0, parse(text));
	nr = trace_items(&record, items);
	EXPECT_EQ(17, item("inode")->number);
	EXPECT_EQ(0x8000, item("offset")->number);
	EXPECT_EQ(0x1000, item("size")->number);
	EXPECT_EQ(1, item("pages")->number);
	EXPECT_STREQ("private", item("target")->text);
	EXPECT_STREQ("preserve", item("content")->text);
	EXPECT_EQ(EAGAIN, item("errno")->number);
	EXPECT_STREQ("EAGAIN", item("result")->text);
	EXPECT_EQ(0x8000, item("error_offset")->number);
	EXPECT_EQ(3, item("references")->number);
	EXPECT_EQ(2, item("references_expected")->number);

	snprintf(text, sizeof(text), CONVERT, "0", "0", "0");
	ASSERT_EQ(0, parse(text));
	nr = trace_items(&record, items);
	EXPECT_EQ(0, item("errno")->number);
	EXPECT_STREQ("ok", item("result")->text);
	EXPECT_STREQ("nothing", item("error_offset")->text);
}

TEST_OF(trace, items_of_others)
{
	ASSERT_EQ(0, parse(HEAD "gmem_create: ino=17 length=32768 flags=0x1 node=-1"));
	nr = trace_items(&record, items);
	EXPECT_EQ(32768, item("size")->number);
	EXPECT_EQ(1, item("flags")->number);
	EXPECT_STREQ("nothing", item("node")->text);
	ASSERT_EQ(0, parse(HEAD "gmem_view_mapping: ino=17 start=1 end=5 address=0x7f0 map"));
	nr = trace_items(&record, items);
	EXPECT_STREQ("map", item("change")->text);
	EXPECT_EQ(0x7f0, item("address")->number);
	ASSERT_EQ(0, parse(HEAD "pvmemcontrol_call: minor=0 func=0x63(99) addr=0x0 length=0x0 "
			   "arg=0 ret_errno=99999 ret_code=4 rc=-110"));
	nr = trace_items(&record, items);
	EXPECT_STREQ("0x63", item("function")->text);
	EXPECT_EQ(99, item("function_code")->number);
	EXPECT_STREQ("ETIMEDOUT", item("result")->text);
	EXPECT_EQ(99999, item("vmm_errno")->number);
	EXPECT_STREQ("unknown", item("vmm_result")->text);
}

static int count_visit(const struct trace_record *seen, void *data)
{
	unsigned int *count = data;

	(*count)++;
	return seen->tid == 99;
}

/* Reads end anywhere, lines are of any length, and names of processes have newlines. */
TEST_OF(trace, pieces)
{
	static const char text[] =
		HEAD "gmem_x: a=1\n"
		"          a\nb\n\nc-4711    [001] ..... 1.000000: gmem_x: a=1\n"
		"nonsense that is longer than a name\n"
		"CPU:3 [LOST 1234 EVENTS]\n"
		HEAD "gmem_x: a=1\n" HEAD "gmem_x: not ended";
	static const char enough[] = "               x-99      [001] ..... 1.000000: e: a=1\n";
	struct trace_lines lines = { .used = 0 };
	unsigned int count = 0;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		EXPECT_EQ(0, trace_feed(&lines, text + i, 1, count_visit, &count));
	EXPECT_EQ(4, count);
	EXPECT_EQ(1, lines.strange);

	lines = (struct trace_lines){ .used = 0 };
	count = 0;
	EXPECT_EQ(0, trace_feed(&lines, text, sizeof(text) - 1, count_visit, &count));
	EXPECT_EQ(4, count);

	/* The visitor has had enough. */
	lines = (struct trace_lines){ .used = 0 };
	EXPECT_EQ(1, trace_feed(&lines, enough, strlen(enough), count_visit, &count));
}

TEST_OF(trace, long_line)
{
	static char text[4 * TRACE_LINE_MAX];
	struct trace_lines lines = { .used = 0 };
	unsigned int count = 0;

	memset(text, 'x', sizeof(text));
	EXPECT_EQ(0, trace_feed(&lines, text, sizeof(text), count_visit, &count));
	EXPECT_EQ(0, trace_feed(&lines, "\n" HEAD "e: a\n", strlen(HEAD) + 6, count_visit, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(1, lines.strange);
}

/* Each has a word of its own, and a sentence whose keys are closed. */
TEST_OF(trace, table)
{
	for (int i = 0; i < TRACE_EVENTS; i++) {
		EXPECT_EQ(i, trace_event_find(trace_events[i].name));
		EXPECT_STREQ(trace_events[i].word, trace_words[i]);
		EXPECT_EQ(0, strncmp(trace_events[i].name, trace_events[i].system,
				     strlen(trace_events[i].system)));
	}
	EXPECT_TRUE(!trace_words[TRACE_EVENTS]);
	EXPECT_EQ(-1, trace_event_find("gmem_tomorrow"));
	EXPECT_EQ(TRACE_ALL >> 2, trace_of_files(TRACE_ALL));
}

static struct error error;
static struct trace_wish wish;

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s%s", ksft_folder(), name);
	return path;
}

/* What trace_open() says of a tracefs that is in the folder of the test. */
static int refusal(const char *name)
{
	struct trace_instance instance;
	const char *const folders[] = { path_of(name), NULL };
	int rc;

	memset(&error, 0, sizeof(error));
	rc = trace_open(folders, &wish, &instance, &error);
	EXPECT_EQ(rc, error.rc);
	EXPECT_TRUE(error.object[0] && error.action[0]);
	EXPECT_EQ(-1, instance.pipe);
	EXPECT_EQ(0, instance.path[0]);
	return rc;
}

static void make_folder(const char *name)
{
	ASSERT_EQ(0, mkdir(path_of(name), 0700));
}

static bool has_folder(const char *name)
{
	return !access(path_of(name), F_OK);
}

/* tracefs with an event of gmem, where nothing can be set */
static void make_tracefs(void)
{
	static const char *const folders[] = {
		"/tracing", "/tracing/instances", "/tracing/events", "/tracing/events/gmem",
		"/tracing/events/gmem/gmem_create",
	};

	wish = (struct trace_wish){ .events = TRACE_ALL };
	ksft_for_each(folder, folders)
		make_folder(*folder);
}

TEST_OF(trace, no_tracefs)
{
	EXPECT_EQ(-EOPNOTSUPP, refusal("/not-there"));
	EXPECT_TRUE(strstr(error.hint, "mount -t tracefs"));
}

/* Root's folder, for a process that is not root. */
TEST_OF(trace, no_root)
{
	pid_t child;

	if (getuid())
		SKIP(return, "only root can become somebody else");
	make_tracefs();
	child = fork();
	if (!child) {
		if (chmod(ksft_folder(), 0755) || setuid(65534))
			_exit(2);
		_exit(refusal("/tracing") != -EACCES || strcmp(error.hint, "run as root"));
	}
	EXPECT_EQ(0, ksft_wait(child));
}

/* All that are there will do, unless one is asked for by name. */
TEST_OF(trace, no_module)
{
	make_tracefs();
	wish = (struct trace_wish){ .events = trace_of_files(TRACE_ALL) ^ TRACE_ALL };
	EXPECT_EQ(-EOPNOTSUPP, refusal("/tracing"));
	EXPECT_STREQ("gmem", error.object);
	wish.chosen = true;
	EXPECT_EQ(-EOPNOTSUPP, refusal("/tracing"));
	EXPECT_STREQ("pvmemcontrol", error.object);
	EXPECT_STREQ("trace a module that is not loaded", error.action);
	wish = (struct trace_wish){ .events = 3, .chosen = true };
	EXPECT_EQ(-EOPNOTSUPP, refusal("/tracing"));
	EXPECT_STREQ("gmem_release", error.object);
	wish.chosen = false;
	EXPECT_EQ(-ENOENT, refusal("/tracing"));
	EXPECT_STREQ("set its clock", error.action);
}

/* What a process that has gone has left goes, too; that of one that lives stays. */
TEST_OF(trace, stale)
{
	char own[64];

	make_tracefs();
	make_folder("/tracing/instances/gmemctl-2147483647");
	make_folder("/tracing/instances/gmemctl-1");
	make_folder("/tracing/instances/gmemctl-x");
	make_folder("/tracing/instances/others");
	/* In this folder there is nothing to set: an error, after which nothing is left. */
	EXPECT_EQ(-ENOENT, refusal("/tracing"));
	EXPECT_FALSE(has_folder("/tracing/instances/gmemctl-2147483647"));
	EXPECT_TRUE(has_folder("/tracing/instances/gmemctl-1"));
	EXPECT_TRUE(has_folder("/tracing/instances/gmemctl-x"));
	EXPECT_TRUE(has_folder("/tracing/instances/others"));
	snprintf(own, sizeof(own), "/tracing/instances/gmemctl-%d", (int)getpid());
	EXPECT_FALSE(has_folder(own));
}
