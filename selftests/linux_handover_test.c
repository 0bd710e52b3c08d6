// SPDX-License-Identifier: GPL-2.0
/*
 * A Linux guest moves from one gmemctl to another, while it writes to its memory and
 * pages are converted. It continues to run, all bytes are right, and the same pages are
 * private. If the taker fails, the guest continues where it was. The same with a file.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "ksft.h"
#include "linux_guest.h"

#define TIMEOUT 400
#define NAME	"guest"
#define SAVED	"/tmp/saved-guest"
#define SLACK	(2UL << 20)

/**
 * struct process - a gmemctl that runs the guest, or has run it
 * @boot: the guest
 * @tool: the process
 */
struct process {
	struct boot boot;
	struct boot_process tool;
};

static struct process giver, taker;

static char text[4096];

#define CONTROL(...) \
	tool_run(text, sizeof(text), (const char *const[]){ __VA_ARGS__, NULL })

static bool has(const char *string, const char *what)
{
	return strstr(string, what);
}

#define NEED_GUEST() do {						\
	const char *__why = linux_guest_unavailable();			\
									\
	if (!__why)							\
		__why = control_unavailable();				\
	if (__why)							\
		SKIP(return, "%s", __why);				\
	memset(&giver, 0, sizeof(giver));				\
	memset(&taker, 0, sizeof(taker));				\
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);		\
} while (0)

static bool process_wait(struct process *process, const char *what)
{
	return boot_wait_for(&process->boot, process->tool.pid,
			     process->tool.err, what, 200);
}

static void process_end(struct process *process)
{
	boot_end(&process->boot, process->tool.pid, process->tool.out,
		 process->tool.err);
}

static void process_log(const struct process *process)
{
	boot_log(&process->boot, process->boot.json);
	boot_log(&process->boot, process->boot.console);
}

/* Start a guest that writes to its memory. Return: false if this kernel cannot run it. */
static bool load_start_typed(const char *memory, int input)
{
	giver = (struct process){
		.boot = {
			.memory = memory,
			.append = "GMEM_ACTION=load GMEM_TOUCH=8",
			.name = NAME,
			.input = input,
			.seconds = "200",
		},
	};
	if (boot_up(&giver.boot, &giver.tool, "gmem-guest: round 8,", 120))
		return true;
	if (giver.boot.code != CODE_UNSUPPORTED)
		process_log(&giver);
	ASSERT_EQ(CODE_UNSUPPORTED, giver.boot.code);
	return false;
}

static bool load_start(const char *memory)
{
	return load_start_typed(memory, 0);
}

static void taker_run(const char *const words[], int input)
{
	taker = (struct process){
		.tool = { .out = output_file(), .err = output_file() },
	};
	taker.tool.pid = boot_start_with(words, input, taker.tool.out,
					 taker.tool.err);
}

static void taker_start(int input)
{
	static const char *const words[] = {
		"handover", NAME, "--json", "--timeout", "200", NULL,
	};

	taker_run(words, input);
}

/* Get the map, as soon as a gmemctl answers to the guest's name. */
static void map(char out[sizeof(text)])
{
	int tries = 100;

	while (CONTROL("map", NAME) && --tries)
		usleep(100000);
	memcpy(out, text, sizeof(text));
}

static unsigned long resident(void)
{
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	return json_number(text, "\"resident_bytes\"");
}

static struct {
	pid_t pid;
	int stop;
} converter;

/*
 * Convert some pages in both directions until told to end, while others stay private. The
 * process is not killed, because its last request could still be in progress afterwards.
 */
static void converter_start(void)
{
	int stop[2];
	char end;

	ASSERT_EQ(0, pipe2(stop, O_CLOEXEC | O_NONBLOCK));
	converter.stop = stop[1];
	converter.pid = fork();
	if (!converter.pid) {
		close(stop[1]);
		while (read(stop[0], &end, 1) < 0) {
			CONTROL("convert", NAME, "0x3000000", "1M", "private");
			CONTROL("convert", NAME, "0x3000000", "1M", "shared");
		}
		_exit(0);
	}
	close(stop[0]);
}

static void converter_stop(void)
{
	close(converter.stop);
	waitpid(converter.pid, NULL, 0);
	/* Pages that it may have left private. */
	for (int i = 0; i < 100 && CONTROL("convert", NAME, "0x3000000", "1M",
					   "shared"); i++)
		usleep(100000);
}

/* The guest has moved to the taker, and continues to run. */
static void check_handed_over(void)
{
	bool goes_on = process_wait(&taker, "gmem-guest: round");

	if (!goes_on) {
		/* Otherwise it would continue in its first process. */
		CONTROL("stop", NAME);
		process_log(&taker);
	}
	EXPECT_TRUE(goes_on);
	process_end(&giver);
	if (giver.boot.code || !has(giver.boot.json, "\"end\":\"handed-over\""))
		process_log(&giver);
	EXPECT_EQ(0, giver.boot.code);
	EXPECT_TRUE(has(giver.boot.json, "\"end\":\"handed-over\""));
}

/* End the guest in the process that runs it now: all of its memory is right. */
static void check_end(struct process *process, int typed)
{
	struct boot *boot = &process->boot;

	EXPECT_EQ(4, write(typed, "end\n", 4));
	process_end(process);
	if (boot->code || !has(boot->console, " 0 pages wrong"))
		process_log(process);
	EXPECT_EQ(0, boot->code);
	EXPECT_TRUE(has(boot->json, "\"end\":\"power-off\""));
	EXPECT_TRUE(has(boot->console, " 0 pages wrong"));
}

static void handover_kind(const char *memory, bool private)
{
	char before[sizeof(text)], after[sizeof(text)];
	int typed[2];

	ASSERT_EQ(0, pipe2(typed, O_CLOEXEC));
	if (!load_start(memory))
		SKIP(return, KSFT_BY_DESIGN " this kernel cannot run the guest");
	if (private) {
		EXPECT_EQ(0, CONTROL("convert", NAME, "0x2800000", "2M",
				     "private"));
		EXPECT_EQ(0, CONTROL("convert", NAME, "0x2a00000", "12K",
				     "private"));
		map(before);
		EXPECT_TRUE(has(before, "2800000-0000000002a03000 private"));
		converter_start();
	} else {
		map(before);
	}
	taker_start(typed[0]);
	check_handed_over();
	if (private)
		converter_stop();
	map(after);
	if (strcmp(before, after))
		TH_LOG("before:\n%safter:\n%s", before, after);
	EXPECT_STREQ(before, after);
	check_end(&taker, typed[1]);
	close(typed[0]);
	close(typed[1]);
}

TEST_TIMEOUT(shared, TIMEOUT)
{
	NEED_GUEST();
	handover_kind("96M", false);
}

TEST_TIMEOUT(file, TIMEOUT)
{
	NEED_GUEST();
	handover_kind("96M,kind=file,file=/tmp/guest-memory", false);
	EXPECT_EQ(0, unlink("/tmp/guest-memory"));
}

TEST_TIMEOUT(gmem, TIMEOUT)
{
	NEED_GUEST();
	handover_kind("96M,kind=gmem", true);
}

TEST_TIMEOUT(gmem_store, TIMEOUT)
{
	NEED_GUEST();
	handover_kind("96M,kind=gmem-store", true);
}

/* Save the guest and end it, then restore it under its name. */
static void save_kind(const char *memory, bool private)
{
	static const char *const words[] = {
		"restore", SAVED, "--json", "--name", NAME, "--timeout", "200",
		NULL,
	};
	char before[sizeof(text)], after[sizeof(text)];
	unsigned long was_resident;
	int typed[2];

	ASSERT_EQ(0, pipe2(typed, O_CLOEXEC));
	if (!load_start(memory))
		SKIP(return, KSFT_BY_DESIGN " this kernel cannot run the guest");
	if (private)
		EXPECT_EQ(0, CONTROL("convert", NAME, "0x2800000", "2M",
				     "private"));
	map(before);
	was_resident = resident();
	EXPECT_EQ(0, CONTROL("save", NAME, SAVED, "--stop"));
	process_end(&giver);
	EXPECT_EQ(0, giver.boot.code);
	EXPECT_TRUE(has(giver.boot.json, "\"end\":\"saved\""));
	taker_run(words, typed[0]);
	EXPECT_TRUE(process_wait(&taker, "gmem-guest: round"));
	/*
	 * Unpopulated pages are still unpopulated, except for those that the guest uses
	 * now.
	 */
	EXPECT_GE(resident() + SLACK, was_resident);
	EXPECT_LE(resident(), was_resident + SLACK);
	map(after);
	if (strcmp(before, after))
		TH_LOG("before:\n%safter:\n%s", before, after);
	EXPECT_STREQ(before, after);
	check_end(&taker, typed[1]);
	EXPECT_EQ(0, unlink(SAVED));
	close(typed[0]);
	close(typed[1]);
}

TEST_TIMEOUT(save_private_anonymous, TIMEOUT)
{
	NEED_GUEST();
	save_kind("96M,kind=private", false);
}

TEST_TIMEOUT(save_gmem, TIMEOUT)
{
	NEED_GUEST();
	save_kind("96M,kind=gmem", true);
}

TEST_TIMEOUT(save_gmem_store, TIMEOUT)
{
	NEED_GUEST();
	save_kind("96M,kind=gmem-store", true);
}

/* After a refusal the guest continues in its first process, and its memory is right. */
static void check_stays(int typed)
{
	char round[64];
	unsigned long seen = 0;
	const char *at;

	CONTROL("stat", NAME);
	process_wait(&giver, "gmem-guest: round");
	for (at = giver.boot.console; (at = strstr(at, ": round ")); at++)
		seen = strtoul(at + strlen(": round "), NULL, 10);
	snprintf(round, sizeof(round), "gmem-guest: round %lu,", seen + 16);
	EXPECT_TRUE(process_wait(&giver, round));
	check_end(&giver, typed);
}

/* A taker without enough address space for the memory. */
TEST_TIMEOUT(taker_fails, TIMEOUT)
{
	struct rlimit limit, small;
	int typed[2];

	NEED_GUEST();
	ASSERT_EQ(0, pipe2(typed, O_CLOEXEC));
	if (!load_start_typed("96M", typed[0]))
		SKIP(return, KSFT_BY_DESIGN " this kernel cannot run the guest");
	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &limit));
	small = limit;
	small.rlim_cur = 64UL << 20;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &small));
	EXPECT_EQ(1, CONTROL("handover", NAME));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_TRUE(has(text, "address space"));
	check_stays(typed[1]);
}

/* Kinds of memory that cannot leave their process. */
TEST_TIMEOUT(kind_refused, TIMEOUT)
{
	int typed[2];

	NEED_GUEST();
	ASSERT_EQ(0, pipe2(typed, O_CLOEXEC));
	if (!load_start_typed("96M,kind=private", typed[0]))
		SKIP(return, KSFT_BY_DESIGN " this kernel cannot run the guest");
	EXPECT_EQ(4, CONTROL("handover", NAME));
	EXPECT_TRUE(has(text, "hand over memory of kind private"));
	check_stays(typed[1]);
}

/* The guest has not given consent to read its private contents. */
TEST_TIMEOUT(consent_refused, TIMEOUT)
{
	int typed[2];

	NEED_GUEST();
	ASSERT_EQ(0, pipe2(typed, O_CLOEXEC));
	if (!load_start_typed("96M,kind=gmem-store,consent", typed[0]))
		SKIP(return, KSFT_BY_DESIGN " this kernel cannot run the guest");
	EXPECT_EQ(0, CONTROL("convert", NAME, "0x2800000", "2M", "private"));
	EXPECT_EQ(1, CONTROL("save", NAME, SAVED));
	EXPECT_TRUE(has(text, "without the guest's consent"));
	EXPECT_NE(0, access(SAVED, F_OK));
	EXPECT_EQ(1, CONTROL("handover", NAME));
	EXPECT_TRUE(has(text, "without the guest's consent"));
	check_stays(typed[1]);
}

TEST_HARNESS_MAIN
