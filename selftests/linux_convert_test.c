// SPDX-License-Identifier: GPL-2.0
/*
 * Linux, as a guest of gmemctl with two CPUs, converts its memory in both directions
 * while its threads work on the same pages. The host tries to read them in all ways. It
 * never sees what the guest has written to a private page, and the guest loses no
 * contents. Conversions of held pages, and invalid requests, are refused without other
 * effects. At the end all counters agree.
 *
 * The guest's part is in vm/guest/convert/ and vm/guest/module/.
 */
#include <fcntl.h>
#include <stdio.h>

#include "gmem_utils.h"
#include "guest_view.h"
#include "hold.h"
#include "ksft.h"
#include "linux_guest.h"
#include "vm/guest/pages.h"

#define TIMEOUT		400
#define PLACE		"gmem-guest: memory at "
#define WRONG		"gmem-guest: wrong: "
#define UP_S		120
#define WAIT_S		200
#define RUN_MS		4000
#define CONVERT_MS	"5000"	/* timeout of a conversion */
#define HOLD_US		50000	/* time that the host holds a page: much shorter */
#define NAME		"guest"
#define SPOILT		200	/* a shared page that no other check uses */
#define FILE_PATH	"/tmp/guest-memory"
#define RAM		"96M"
#define RAM_BYTES	(96UL << 20)

/**
 * struct guest - a guest, and the ways to access its memory
 * @boot: its configuration and output
 * @keeps: contents survive conversions. If not, the host has another page of
 *	zeros in the place of a private one
 * @tool: gmemctl that runs it
 * @input: input of its console
 * @commands: number of commands so far
 * @before: length of the console's output before the last command
 * @gpa: address of the memory that the guest converts
 * @view: the host's ways to access this memory
 * @seen: number of successful reads by each way, and @unseen of failed ones
 * @held: how often the host has held a page
 * @leaks: number of secret words that the host has read
 * @refused: number of the guest's requests that gmemctl has refused
 */
struct guest {
	struct boot boot;
	bool keeps;
	struct boot_process tool;
	int input;
	unsigned int commands;
	size_t before;
	uint64_t gpa;
	struct view view;
	unsigned long seen[VIEW_WAYS];
	unsigned long unseen[VIEW_WAYS];
	unsigned long held;
	unsigned long leaks;
	unsigned long refused;
};

static struct guest guest;

static void guest_end(struct guest *g)
{
	close(g->input);
	boot_end(&g->boot, g->tool.pid, g->tool.out, g->tool.err);
}

/* Return: false if guests with private memory are unavailable. */
static bool guest_boot(struct guest *g)
{
	int fds[2];
	bool up;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	g->boot.input = fds[0];
	g->input = fds[1];
	up = boot_up(&g->boot, &g->tool, LINUX_GUEST_UP, UP_S);
	close(fds[0]);
	if (up)
		return true;
	close(g->input);
	if (g->boot.code != CODE_UNSUPPORTED) {
		boot_log(&g->boot, g->boot.console);
		boot_log(&g->boot, g->boot.json);
	}
	ASSERT_EQ(CODE_UNSUPPORTED, g->boot.code);
	return false;
}

static void guest_lost(struct guest *g)
{
	kill(g->tool.pid, SIGTERM);
	guest_end(g);
	boot_log(&g->boot, g->boot.console);
	boot_log(&g->boot, g->boot.json);
	ASSERT_TRUE(!"the guest answers");
}

/* The guest's line that starts with @start, when it is complete; NULL: not yet. */
static const char *guest_line(struct guest *g, const char *start,
			      unsigned int seconds)
{
	const char *at;

	if (!boot_wait_for(&g->boot, g->tool.pid, g->tool.err, start, seconds)) {
		if (seconds || boot_has_ended(g->tool.pid))
			guest_lost(g);
		return NULL;
	}
	at = strstr(g->boot.console, start);
	if (strchr(at, '\n'))
		return at;
	if (!seconds)
		return NULL;
	sleep(1);
	return guest_line(g, start, seconds - 1);
}

/* The guest's answer to the last command. */
static const char *guest_answer(struct guest *g, unsigned int seconds)
{
	char start[32];

	snprintf(start, sizeof(start), "gmem-guest: %u: ", g->commands);
	return guest_line(g, start, seconds);
}

static void guest_send(struct guest *g, const char *line)
{
	g->commands++;
	g->before = strlen(g->boot.console);
	ASSERT_EQ((long)strlen(line), write(g->input, line, strlen(line)));
}

static const char *guest_tell(struct guest *g, const char *line)
{
	guest_send(g, line);
	return guest_answer(g, WAIT_S);
}

/* Return: the number after "@key=" in an answer. */
static long long answer_number(const char *answer, const char *key)
{
	char name[32];
	const char *at;

	snprintf(name, sizeof(name), "%s=", key);
	at = answer ? strstr(answer, name) : NULL;
	ASSERT_TRUE(at);
	return strtoll(at + strlen(name), NULL, 10);
}

/* The guest has reported nothing wrong; otherwise log what it has said. */
static void expect_right(const struct guest *g, const char *answer)
{
	const char *at = g->boot.console + g->before;
	long long wrong = answer_number(answer, "wrong");

	EXPECT_EQ(0, wrong);
	while (wrong && (at = strstr(at, WRONG))) {
		TH_LOG("%.*s", (int)strcspn(at, "\r\n"), at);
		at += strlen(WRONG);
	}
}

/* @file: part of the name of the memory's file, or NULL */
static void guest_reach(struct guest *g, const char *file)
{
	const char *line = guest_line(g, PLACE, WAIT_S);

	ASSERT_TRUE(line);
	g->gpa = strtoull(line + strlen(PLACE), NULL, 10);
	ASSERT_NE(0, g->gpa);
	ASSERT_EQ(0, view_open(&g->view, g->tool.pid, RAM_BYTES, file, g->gpa,
			       GMEM_GUEST_SIZE));
}

static int page_read(struct guest *g, enum view_way way, unsigned int page,
		     uint64_t copy[PAGE_WORDS])
{
	return view_read(&g->view, way, page * PAGE_BYTES, copy, PAGE_BYTES);
}

/* Overwrite the last byte of a page. */
static int page_spoil(struct guest *g, enum view_way way, unsigned int page)
{
	return view_write(&g->view, way, (page + 1) * PAGE_BYTES - 1, "\xff", 1);
}

/* Count secret words, also those that were read before an access failed. */
static unsigned long secrets(const uint64_t copy[PAGE_WORDS])
{
	unsigned long words = 0;

	for (unsigned int i = PAGE_COUNTERS; i < PAGE_WORDS; i++)
		words += page_word_tag(copy[i]) == TAG_SECRET;
	return words;
}

static void look_at(struct guest *g, unsigned int page)
{
	uint64_t copy[PAGE_WORDS];

	for (enum view_way by = 0; by < VIEW_WAYS; by++) {
		if (!view_has(&g->view, by))
			continue;
		if (!page_read(g, by, page, copy))
			g->seen[by]++;
		else
			g->unseen[by]++;
		g->leaks += secrets(copy);
	}
}

/* Hold a page for a moment. Conversions of it, and accesses during these, have to wait. */
static void hold_at(struct guest *g, unsigned int page)
{
	struct hold_pipe pipe;

	if (hold_pipe_take(&pipe, g->view.pages + page * PAGE_BYTES,
			   PAGE_BYTES))
		return;
	g->held++;
	usleep(HOLD_US);
	hold_pipe_drop(&pipe);
}

/* Look at pages while the guest is working. */
static const char *look_until_answer(struct guest *g)
{
	const char *answer = NULL;

	for (unsigned int page = 0; !answer; page++) {
		look_at(g, page % PAGES);
		if (page % 64)
			continue;
		answer = guest_answer(g, 0);
		hold_at(g, page * 7 % PAGES);
	}
	return answer;
}

/* Log what gmemctl's control socket reports about the running guest. */
static void log_stat(void)
{
	static const char *const words[] = { "stat", NAME, "--json", NULL };
	char text[4096];

	if (control_unavailable())
		return;
	EXPECT_EQ(0, tool_run(text, sizeof(text), words));
	EXPECT_GT(json_number(text, "\"conversions\""), 0);
	TH_LOG("stat: %lu conversions, %lu a second, %lu KiB private",
	       json_number(text, "\"conversions\""),
	       json_number(text, "\"conversions_per_second\""),
	       json_number(text, "\"private_bytes\"") >> 10);
}

static void guest_run(struct guest *g)
{
	const char *answer;
	char line[64];

	snprintf(line, sizeof(line), "run %u %s\n", RUN_MS,
		 g->keeps ? "keep" : "lose");
	guest_send(g, line);
	answer = look_until_answer(g);
	log_stat();
	TH_LOG("guest: %.*s", (int)strcspn(answer, "\r\n"), answer);
	expect_right(g, answer);
	EXPECT_EQ(0, answer_number(answer, "refused"));
	EXPECT_GT(answer_number(answer, "conversions"), 0);
	EXPECT_GT(answer_number(answer, "touches"), 0);
	EXPECT_GT(answer_number(answer, "copies"), 0);
	EXPECT_EQ(0, g->leaks);
	TH_LOG("host: held a page %lu times; %lld conversions a second", g->held,
	       answer_number(answer, "conversions") * 1000 / RUN_MS);
	for (enum view_way by = 0; by < VIEW_WAYS; by++) {
		TH_LOG("host: %-18s %lu pages read, %lu refused",
		       view_way_names[by], g->seen[by], g->unseen[by]);
		EXPECT_GT(g->seen[by], 0);
		if (g->keeps)
			EXPECT_GT(g->unseen[by], 0);
	}
}

/* A private page cannot be accessed; or the host has another page of zeros. */
static void expect_private(struct guest *g, enum view_way by, unsigned int page)
{
	uint64_t copy[PAGE_WORDS];

	if (g->keeps) {
		EXPECT_EQ(view_refusals[by], page_read(g, by, page, copy));
		EXPECT_EQ(view_refusals[by], page_spoil(g, by, page));
		expect_state(PRIVATE, g->view.fd, g->gpa + page * PAGE_BYTES);
	} else {
		EXPECT_EQ(0, page_read(g, by, page, copy));
		EXPECT_EQ(0, page_differs(copy, 0));
	}
}

static void expect_shared(struct guest *g, enum view_way by, unsigned int page)
{
	uint64_t copy[PAGE_WORDS];

	EXPECT_EQ(0, page_read(g, by, page, copy));
	EXPECT_EQ(0, page_differs(copy, page_word(TAG_SHOWN, page, 0)));
	if (g->keeps)
		expect_state(SHARED, g->view.fd, g->gpa + page * PAGE_BYTES);
}

static void expect_alternate(struct guest *g)
{
	for (enum view_way by = 0; by < VIEW_WAYS; by++) {
		for (unsigned int page = 0; page < PAGES; page++) {
			if (!view_has(&g->view, by))
				continue;
			if (alternate_is_private(page))
				expect_private(g, by, page);
			else
				expect_shared(g, by, page);
		}
	}
}

/* The host writes to all shared pages, and uses each way for some of them. */
static void write_answers(struct guest *g)
{
	uint64_t words[PAGE_WORDS] = { 0 };

	for (unsigned int page = 0; page < PAGES; page++) {
		enum view_way by = page / 2 % VIEW_WAYS;

		if (alternate_is_private(page))
			continue;
		if (!view_has(&g->view, by))
			by = VIEW_PROC_MEM;
		page_fill(words, page_word(TAG_ANSWER, page, 0));
		EXPECT_EQ(0, view_write(&g->view, by, page * PAGE_BYTES, words,
					PAGE_BYTES));
	}
}

static void expect_map(struct guest *g)
{
	static const char *const words[] = { "map", NAME, NULL };
	char text[16384], line[80];

	if (control_unavailable())
		return;
	EXPECT_EQ(0, tool_run(text, sizeof(text), words));
	/* The first page is in one range with the pages before it. */
	for (unsigned int page = 1; page < ALTERNATE_SINGLE - 1; page++) {
		uint64_t at = g->gpa + page * PAGE_BYTES;

		snprintf(line, sizeof(line), "%016llx-%016llx %s",
			 (unsigned long long)at,
			 (unsigned long long)(at + PAGE_BYTES),
			 alternate_is_private(page) ? "private" : "shared");
		EXPECT_TRUE(strstr(text, line));
	}
}

/* The guest notices a single wrong byte, and reports its place. */
static void guest_spoilt(struct guest *g)
{
	uint64_t word = page_word(TAG_ANSWER, SPOILT, 0);
	char line[128];

	snprintf(line, sizeof(line), WRONG "answers: page %u word %lu: %#llx "
		 "instead of %#llx", SPOILT, PAGE_WORDS - 1,
		 (unsigned long long)(word | 0xffULL << 56),
		 (unsigned long long)word);
	EXPECT_EQ(0, page_spoil(g, VIEW_PROC_MEM, SPOILT));
	EXPECT_EQ(1, answer_number(guest_tell(g, "answers\n"), "wrong"));
	EXPECT_TRUE(boot_said(&g->boot, line));
	write_answers(g);
}

/* While the guest is idle, the state of each page is known. */
static void guest_alternate(struct guest *g)
{
	EXPECT_EQ(0, answer_number(guest_tell(g, "alternate\n"), "rc"));
	expect_map(g);
	expect_alternate(g);
	write_answers(g);
	guest_spoilt(g);
	expect_right(g, guest_tell(g, "answers\n"));
}

/* Invalid requests of the guest. gmemctl counts those that reach it. */
static void guest_bad(struct guest *g)
{
	const char *answer = guest_tell(g, "bad\n");

	expect_right(g, answer);
	EXPECT_GT(answer_number(answer, "calls"), 0);
	g->refused += (unsigned long)answer_number(answer, "calls");
}

static void expect_convert(struct guest *g, const char *line, long long rc)
{
	const char *answer = guest_tell(g, line);

	EXPECT_EQ(rc, answer_number(answer, "rc"));
	expect_right(g, answer);
}

static struct gmem_ioctl_stat stat_of(const struct guest *g)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(g->view.fd, &stat);
	return stat;
}

/* The request waits while another vCPU accesses the page; then it succeeds. */
static void guest_let_go(struct guest *g, struct hold_pipe *pipe)
{
	struct gmem_ioctl_stat before = stat_of(g);
	const char *answer;

	guest_send(g, "convert 0 1 private\n");
	/* With a view the VMM waits, to populate the page. */
	if (before.views)
		usleep(300000);
	for (unsigned int i = 0; !before.views && i < 3000; i++) {
		if (stat_of(g).faults_waited > before.faults_waited)
			break;
		usleep(1000);
	}
	if (!before.views)
		EXPECT_GT(stat_of(g).faults_waited, before.faults_waited);
	expect_state(SHARED, g->view.fd, g->gpa);
	hold_pipe_drop(pipe);
	answer = guest_answer(g, WAIT_S);
	EXPECT_EQ(0, answer_number(answer, "rc"));
	expect_right(g, answer);
	expect_state(PRIVATE, g->view.fd, g->gpa);
}

/*
 * The host holds a page: the guest gets EAGAIN, and nothing has changed. If the page is
 * released while the request waits, the request succeeds.
 */
static void guest_held(struct guest *g)
{
	struct hold_pipe pipe;

	ASSERT_EQ(0, hold_pipe_take(&pipe, g->view.pages, PAGE_BYTES));
	expect_convert(g, "convert 0 2 private\n", -EAGAIN);
	expect_state(SHARED, g->view.fd, g->gpa);
	expect_state(PRIVATE, g->view.fd, g->gpa + PAGE_BYTES);
	g->refused++;
	guest_let_go(g, &pipe);
	expect_convert(g, "convert 0 1 shared\n", 0);
	expect_byte(page_word(TAG_ANSWER, 0, 0) & 0xff,
		    g->view.pages + PAGE_BYTES - sizeof(uint64_t));
}

static void expect_counters(struct guest *g, unsigned long conversions,
			    unsigned long pages)
{
	const char *json = g->boot.json;

	EXPECT_EQ(conversions, json_number(json, "\"conversions\""));
	EXPECT_EQ(pages * PAGE_BYTES, json_number(json, "\"converted_bytes\""));
	EXPECT_EQ(g->refused, json_number(json, "\"refused\""));
	TH_LOG("%lu conversions of %lu pages; %lu refused; %lu accesses of the "
	       "guest repeated", conversions, pages, g->refused,
	       json_number(json, "\"waited\""));
}

/* gmem's own counters, which outlive the VM. */
static void expect_gmem(struct guest *g, unsigned long to_private)
{
	struct gmem_ioctl_stat stat = stat_of(g);

	EXPECT_EQ(0, stat.private_pages);
	EXPECT_EQ(0, stat.store_pages);
	EXPECT_EQ(to_private, stat.to_private);
	EXPECT_EQ(1, stat.refused);
	EXPECT_GT(stat.faults_refused, 0);
	TH_LOG("gmem: %llu faults waited, %llu refused",
	       (unsigned long long)stat.faults_waited,
	       (unsigned long long)stat.faults_refused);
}

static void guest_finish(struct guest *g)
{
	const char *answer = guest_tell(g, g->keeps ? "end keep\n" :
						      "end lose\n");
	unsigned long conversions, pages, to_private;

	EXPECT_EQ(0, answer_number(answer, "rc"));
	expect_right(g, answer);
	conversions = (unsigned long)answer_number(answer, "conversions");
	pages = (unsigned long)answer_number(answer, "pages");
	to_private = (unsigned long)answer_number(answer, "private");
	guest_end(g);
	EXPECT_TRUE(boot_ended(&g->boot, "power-off", 0));
	EXPECT_TRUE(boot_said(&g->boot, "/convert: status 0"));
	expect_counters(g, conversions, pages);
	if (g->keeps)
		expect_gmem(g, to_private);
}

/**
 * struct kind - a kind of memory, and how it is converted
 * @memory: argument of --memory
 * @strategy: argument of --strategy
 * @file: part of the name of its file, or NULL
 * @keeps: contents survive a conversion
 * @run: also convert and work at the same time, which needs two CPUs
 */
struct kind {
	const char *memory;
	const char *strategy;
	const char *file;
	bool keeps;
	bool run;
};

static void guest_convert(struct guest *g, const struct kind *kind)
{
	guest_reach(g, kind->file);
	if (kind->run)
		guest_run(g);
	guest_alternate(g);
	guest_bad(g);
	if (kind->keeps)
		guest_held(g);
	guest_finish(g);
	view_close(&g->view);
}

static void convert(const struct kind *kind)
{
	const char *options[] = { "--strategy", kind->strategy,
				  "--convert-timeout", CONVERT_MS, NULL };
	const char *why = linux_guest_unavailable();

	if (!why && strstr(kind->memory, "gmem"))
		why = gmem_unavailable();
	if (why)
		SKIP(return, "%s", why);
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-convert", 1);
	guest.keeps = kind->keeps;
	guest.boot = (struct boot){
		.append = "GMEM_RUN=/convert GMEM_ACTION=power-off",
		.memory = kind->memory,
		.cpus = kind->run ? "2" : "1",
		.seconds = "300",
		.name = control_unavailable() ? NULL : NAME,
		.options = options,
	};
	if (!guest_boot(&guest))
		SKIP(return, KSFT_BY_DESIGN " no private memory in KVM here");
	guest_convert(&guest, kind);
}

/* A value with the first @first bytes of @one, and the others of @other */
static uint64_t torn(uint64_t one, uint64_t other, unsigned int first)
{
	memcpy(&other, &one, first);
	return other;
}

/*
 * Which words a copy of a page can have that is written at the same time. This test needs
 * no guest, with which the result would depend on timing.
 */
TEST(copied_words)
{
	uint64_t shown = page_word(TAG_SHOWN, 300, 0x1ff);
	uint64_t secret = page_word(TAG_SECRET, 300, 0x200);

	for (unsigned int i = 0; i <= sizeof(uint64_t); i++) {
		EXPECT_TRUE(page_word_copied(torn(shown, secret, i), 300));
		EXPECT_TRUE(page_word_copied(torn(secret, shown, i), 300));
	}
	EXPECT_FALSE(page_word_copied(0, 0));
	EXPECT_FALSE(page_word_copied(0, 300));
	EXPECT_FALSE(page_word_copied(shown, 301));
	EXPECT_FALSE(page_word_copied(secret, 300 - 256));
	EXPECT_FALSE(page_word_copied(page_word(TAG_ANSWER, 300, 0), 300));
	EXPECT_FALSE(page_word_copied(torn(0, shown, 6), 300));
	EXPECT_FALSE(page_word_copied(torn(0, shown, 7), 300));
	EXPECT_FALSE(page_word_copied(torn(shown, 0, 7), 300));
}

/* In an ordinary VM, which every kernel supports. */
TEST_TIMEOUT(view, TIMEOUT)
{
	static const struct kind kind = {
		RAM ",kind=gmem", "inplace", "gmem", true, true,
	};

	convert(&kind);
}

TEST_TIMEOUT(inplace, TIMEOUT)
{
	static const struct kind kind = {
		RAM ",kind=gmem-store", "inplace", "gmem", true, true,
	};

	convert(&kind);
}

TEST_TIMEOUT(discard, TIMEOUT)
{
	static const struct kind kind = {
		RAM ",kind=shared", "discard", "guest-ram", false, true,
	};

	convert(&kind);
}

TEST_TIMEOUT(discard_private, TIMEOUT)
{
	static const struct kind kind = {
		RAM ",kind=private", "discard", NULL, false, false,
	};

	convert(&kind);
}

TEST_TIMEOUT(discard_file, TIMEOUT)
{
	static const struct kind kind = {
		RAM ",kind=file,file=" FILE_PATH, "discard", FILE_PATH, false,
		false,
	};

	unlink(FILE_PATH);
	convert(&kind);
	unlink(FILE_PATH);
}

TEST_TIMEOUT(discard_gmem, TIMEOUT)
{
	static const struct kind kind = {
		RAM ",kind=gmem", "discard", "gmem", false, false,
	};

	convert(&kind);
}

/* A hole in a huge page reads zero, but its memory is not freed. */
TEST_TIMEOUT(discard_hugetlb, TIMEOUT)
{
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	static const struct kind kind = {
		RAM ",kind=hugetlb", "discard", "guest-ram", false, false,
	};

	if (access(path, W_OK))
		SKIP(return, KSFT_BY_DESIGN " no %s", path);
	ASSERT_EQ(0, gmem_write_file(path, "48"));
	convert(&kind);
	EXPECT_EQ(0, gmem_write_file(path, "0"));
}

TEST_HARNESS_MAIN
