// SPDX-License-Identifier: GPL-2.0
/*
 * Linux, as a guest of gmemctl with two CPUs, converts its memory to and fro while
 * its threads work in the very same pages, and the host tries to read them in every
 * way it has: it never sees what the guest has written to a private page, and
 * the guest loses nothing. Pages that the host holds, and requests that make
 * no sense, are refused and harm nobody; in the end all counters agree.
 *
 * The guest's side is vm/guest/convert/ and vm/guest/module/.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "linux_guest.h"
#include "vm/guest/pages.h"

#define TIMEOUT		400
#define BOOT_TRIES	3
#define PLACE		"gmem-guest: memory at "
#define WAIT_S		200
#define RUN_MS		6000
#define CONVERT_MS	"5000"	/* that a conversion waits for a page */
#define HOLD_US		50000	/* that the host holds one: much shorter */
#define NAME		"guest"

/* Ways of the host to a page of the guest */
enum way { WAY_MAPPING, WAY_PROCESS_VM, WAY_PROC_MEM, WAYS };

static const char *const way_names[WAYS] = {
	[WAY_MAPPING]		= "mapping",
	[WAY_PROCESS_VM]	= "process_vm_readv",
	[WAY_PROC_MEM]		= "/proc/PID/mem",
};

/**
 * struct guest - a guest, and the ways to its memory
 * @boot: how it was started, and what it says
 * @keeps: contents survive conversions
 * @pid: of gmemctl; @out and @err: its output
 * @input: what is typed at its console
 * @commands: typed so far
 * @gpa: where the memory is that the guest converts
 * @fd: all of its memory, opened by way of gmemctl's own fd
 * @pages: @gpa, mapped here
 * @theirs: @gpa, as gmemctl has it mapped
 * @mem: /proc/PID/mem of gmemctl
 * @seen: pages that could be read, by way, and @unseen that could not
 * @held: times that the host has held a page for a moment
 * @leaks: secret words among what could be read
 * @refused: requests of the guest that gmemctl has refused
 */
struct guest {
	struct boot boot;
	bool keeps;
	pid_t pid;
	int out;
	int err;
	int input;
	unsigned int commands;
	uint64_t gpa;
	int fd;
	uint8_t *pages;
	uint64_t theirs;
	int mem;
	unsigned long seen[WAYS];
	unsigned long unseen[WAYS];
	unsigned long held;
	unsigned long leaks;
	unsigned long refused;
};

static struct guest guest;

static bool has_sockets(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void guest_start(struct guest *g)
{
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	g->out = output_file();
	g->err = output_file();
	g->boot.input = fds[0];
	g->input = fds[1];
	g->pid = boot_start(&g->boot, g->out, g->err);
	close(fds[0]);
}

static void guest_end(struct guest *g)
{
	close(g->input);
	boot_end(&g->boot, g->pid, g->out, g->err);
}

/* False, and skipped, where there are no private guests. */
static bool guest_boot(struct guest *g)
{
	for (int i = 1; i <= BOOT_TRIES; i++) {
		guest_start(g);
		if (boot_wait_for(&g->boot, g->pid, g->err, LINUX_GUEST_UP, WAIT_S))
			return true;
		kill(g->pid, SIGKILL);
		guest_end(g);
		if (g->boot.code == CODE_UNSUPPORTED)
			return false;
		boot_log(&g->boot, g->boot.console);
		boot_log(&g->boot, g->boot.json);
		TH_LOG("boot %d of %d: init has not come up", i, BOOT_TRIES);
	}
	ASSERT_TRUE(!"the guest boots");
	return false;
}

static void guest_lost(struct guest *g)
{
	kill(g->pid, SIGTERM);
	guest_end(g);
	boot_log(&g->boot, g->boot.console);
	boot_log(&g->boot, g->boot.json);
	ASSERT_TRUE(!"the guest answers");
}

static bool guest_has_ended(struct guest *g)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)g->pid, &info, WEXITED | WNOHANG |
		      WNOWAIT) || info.si_pid;
}

/* The line of the guest with @start, once it is complete; NULL: not yet. */
static const char *guest_line(struct guest *g, const char *start,
			      unsigned int seconds)
{
	const char *at;

	if (!boot_wait_for(&g->boot, g->pid, g->err, start, seconds)) {
		if (seconds || guest_has_ended(g))
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
	ASSERT_EQ((long)strlen(line), write(g->input, line, strlen(line)));
}

static const char *guest_tell(struct guest *g, const char *line)
{
	guest_send(g, line);
	return guest_answer(g, WAIT_S);
}

/* The number after "@key=" in an answer. */
static long long answer_number(const char *answer, const char *key)
{
	char name[32];
	const char *at;

	snprintf(name, sizeof(name), "%s=", key);
	at = answer ? strstr(answer, name) : NULL;
	ASSERT_TRUE(at);
	return strtoll(at + strlen(name), NULL, 10);
}

/* A file that gmemctl has open, by a part of its name, opened here as well. */
static int open_memory(pid_t pid, const char *name)
{
	char path[64], link[256];

	for (int i = 3; i < 256; i++) {
		struct stat st;
		ssize_t length;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, i);
		length = readlink(path, link, sizeof(link) - 1);
		if (length < 0 || stat(path, &st) || !S_ISREG(st.st_mode))
			continue;
		link[length] = '\0';
		if (!strstr(link, name))
			continue;
		/* A guest_memfd may have such a name, but cannot be opened. */
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* Where a process has mapped byte @offset of a file, or 0. */
static uint64_t find_mapping(pid_t pid, int fd, uint64_t offset)
{
	unsigned long start, end, at, ino;
	uint64_t found = 0;
	char line[512];
	struct stat st;
	FILE *maps;

	snprintf(line, sizeof(line), "/proc/%d/maps", pid);
	maps = fopen(line, "re");
	if (!maps || fstat(fd, &st))
		return 0;
	while (!found && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %lx %*s %lu", &start, &end, &at,
			   &ino) == 4 && ino == st.st_ino && offset >= at &&
		    offset - at < end - start)
			found = start + (offset - at);
	fclose(maps);
	return found;
}

static void guest_reach(struct guest *g)
{
	char path[64];
	const char *line = guest_line(g, PLACE, WAIT_S);

	ASSERT_TRUE(line);
	g->gpa = strtoull(line + strlen(PLACE), NULL, 10);
	ASSERT_NE(0, g->gpa);
	g->fd = open_memory(g->pid, g->keeps ? "gmem" : "guest-ram");
	ASSERT_GE(g->fd, 0);
	g->pages = test_gmem_map(g->fd, g->gpa, GMEM_GUEST_SIZE);
	g->theirs = find_mapping(g->pid, g->fd, g->gpa);
	ASSERT_NE(0, g->theirs);
	snprintf(path, sizeof(path), "/proc/%d/mem", g->pid);
	g->mem = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(g->mem, 0);
}

/* Read a page. Return: whether that was possible. */
static bool way_read(struct guest *g, enum way by, unsigned int page,
		     uint64_t copy[PAGE_WORDS])
{
	uint64_t at = page * PAGE_BYTES;
	struct iovec local = { copy, PAGE_BYTES };
	struct iovec remote = { (void *)(uintptr_t)(g->theirs + at),
				PAGE_BYTES };

	memset(copy, 0, PAGE_BYTES);
	switch (by) {
	case WAY_MAPPING:
		return !gmem_try_copy(copy, g->pages + at, PAGE_BYTES);
	case WAY_PROCESS_VM:
		return process_vm_readv(g->pid, &local, 1, &remote, 1, 0) ==
		       PAGE_BYTES;
	default:
		return pread(g->mem, copy, PAGE_BYTES, (off_t)(g->theirs + at)) ==
		       PAGE_BYTES;
	}
}

/* Overwrite its last byte. Return: whether that was possible. */
static bool way_write(struct guest *g, enum way by, unsigned int page)
{
	uint64_t at = (page + 1) * PAGE_BYTES - 1;
	uint8_t byte = 0xff;
	struct iovec local = { &byte, 1 };
	struct iovec remote = { (void *)(uintptr_t)(g->theirs + at), 1 };

	switch (by) {
	case WAY_MAPPING:
		return !gmem_try_write(g->pages + at, byte);
	case WAY_PROCESS_VM:
		return process_vm_writev(g->pid, &local, 1, &remote, 1, 0) == 1;
	default:
		return pwrite(g->mem, &byte, 1, (off_t)(g->theirs + at)) == 1;
	}
}

/* What was read before an access ended in SIGBUS counts as well. */
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

	for (enum way by = 0; by < WAYS; by++) {
		if (way_read(g, by, page, copy))
			g->seen[by]++;
		else
			g->unseen[by]++;
		g->leaks += secrets(copy);
	}
}

/* Hold a page for a moment: whoever converts it waits, and who touches it too. */
static void hold_at(struct guest *g, unsigned int page)
{
	struct hold_pipe pipe;

	if (hold_pipe_take(&pipe, g->pages + page * PAGE_BYTES, PAGE_BYTES))
		return;
	g->held++;
	usleep(HOLD_US);
	hold_pipe_drop(&pipe);
}

/* The guest is at work meanwhile. */
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

/* What gmemctl's control socket says about the running guest. */
static void log_stat(void)
{
	static const char *const words[] = { "stat", NAME, "--json", NULL };
	char text[4096];

	if (!has_sockets())
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
	EXPECT_EQ(0, answer_number(answer, "wrong"));
	EXPECT_EQ(0, answer_number(answer, "refused"));
	EXPECT_GT(answer_number(answer, "conversions"), 0);
	EXPECT_GT(answer_number(answer, "touches"), 0);
	EXPECT_GT(answer_number(answer, "copies"), 0);
	EXPECT_EQ(0, g->leaks);
	TH_LOG("host: held a page %lu times; %lld conversions a second", g->held,
	       answer_number(answer, "conversions") * 1000 / RUN_MS);
	for (enum way by = 0; by < WAYS; by++) {
		TH_LOG("host: %-18s %lu pages read, %lu refused", way_names[by],
		       g->seen[by], g->unseen[by]);
		EXPECT_GT(g->seen[by], 0);
		/* Where contents are discarded the host has pages of its own. */
		if (g->keeps)
			EXPECT_GT(g->unseen[by], 0);
	}
}

/* A private page is out of reach; or the host has another one, of zeros. */
static void expect_private(struct guest *g, unsigned int page)
{
	uint64_t copy[PAGE_WORDS];

	for (enum way by = 0; by < WAYS; by++) {
		if (g->keeps) {
			EXPECT_FALSE(way_read(g, by, page, copy));
			EXPECT_FALSE(way_write(g, by, page));
		} else {
			EXPECT_TRUE(way_read(g, by, page, copy));
			EXPECT_EQ(0, page_differs(copy, 0));
		}
	}
	if (g->keeps)
		expect_state(PRIVATE, g->fd, g->gpa + page * PAGE_BYTES);
}

static void expect_shared(struct guest *g, unsigned int page)
{
	uint64_t copy[PAGE_WORDS];

	for (enum way by = 0; by < WAYS; by++) {
		EXPECT_TRUE(way_read(g, by, page, copy));
		EXPECT_EQ(0, page_differs(copy, page_word(TAG_SHOWN, page, 0)));
	}
	if (g->keeps)
		expect_state(SHARED, g->fd, g->gpa + page * PAGE_BYTES);
}

static void expect_map(struct guest *g)
{
	static const char *const words[] = { "map", NAME, NULL };
	char text[16384], line[80];

	if (!has_sockets())
		return;
	EXPECT_EQ(0, tool_run(text, sizeof(text), words));
	/* The first page continues what lies below. */
	for (unsigned int page = 1; page < ALTERNATE_SINGLE - 1; page++) {
		uint64_t at = g->gpa + page * PAGE_BYTES;

		snprintf(line, sizeof(line), "%016llx-%016llx %s",
			 (unsigned long long)at,
			 (unsigned long long)(at + PAGE_BYTES),
			 alternate_is_private(page) ? "private" : "shared");
		EXPECT_TRUE(strstr(text, line));
	}
}

/* With the guest at rest it is known which page is what. */
static void guest_alternate(struct guest *g)
{
	EXPECT_EQ(0, answer_number(guest_tell(g, "alternate\n"), "rc"));
	expect_map(g);
	for (unsigned int page = 0; page < PAGES; page++) {
		if (alternate_is_private(page))
			expect_private(g, page);
		else
			expect_shared(g, page);
	}
	for (unsigned int page = 0; page < PAGES; page++)
		if (!alternate_is_private(page))
			page_fill((uint64_t *)(g->pages + page * PAGE_BYTES),
				  page_word(TAG_ANSWER, page, 0));
	EXPECT_EQ(0, answer_number(guest_tell(g, "answers\n"), "wrong"));
}

/* Nonsense of the guest. All that reaches gmemctl is counted there. */
static void guest_bad(struct guest *g)
{
	const char *answer = guest_tell(g, "bad\n");

	EXPECT_EQ(0, answer_number(answer, "wrong"));
	EXPECT_GT(answer_number(answer, "calls"), 0);
	g->refused += (unsigned long)answer_number(answer, "calls");
}

static void expect_convert(struct guest *g, const char *line, long long rc)
{
	const char *answer = guest_tell(g, line);

	EXPECT_EQ(rc, answer_number(answer, "rc"));
	EXPECT_EQ(0, answer_number(answer, "wrong"));
}

static struct gmem_ioctl_stat stat_of(const struct guest *g)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(g->fd, &stat);
	return stat;
}

/* The request waits while another vCPU wants the page; then it is granted. */
static void guest_let_go(struct guest *g, struct hold_pipe *pipe)
{
	struct gmem_ioctl_stat before = stat_of(g);
	const char *answer;

	guest_send(g, "convert 0 1 private\n");
	for (unsigned int i = 0; i < 3000; i++) {
		if (stat_of(g).faults_waited > before.faults_waited)
			break;
		usleep(1000);
	}
	EXPECT_GT(stat_of(g).faults_waited, before.faults_waited);
	expect_state(SHARED, g->fd, g->gpa);
	hold_pipe_drop(pipe);
	answer = guest_answer(g, WAIT_S);
	EXPECT_EQ(0, answer_number(answer, "rc"));
	EXPECT_EQ(0, answer_number(answer, "wrong"));
	expect_state(PRIVATE, g->fd, g->gpa);
}

/*
 * The host holds a page: the guest is told to try again, and all is as before.
 * If the page is let go while the request waits, the request is granted.
 */
static void guest_held(struct guest *g)
{
	struct hold_pipe pipe;

	ASSERT_EQ(0, hold_pipe_take(&pipe, g->pages, PAGE_BYTES));
	expect_convert(g, "convert 0 2 private\n", -EAGAIN);
	expect_state(SHARED, g->fd, g->gpa);
	expect_state(PRIVATE, g->fd, g->gpa + PAGE_BYTES);
	g->refused++;
	guest_let_go(g, &pipe);
	expect_convert(g, "convert 0 1 shared\n", 0);
	expect_byte(page_word(TAG_ANSWER, 0, 0) & 0xff,
		    g->pages + PAGE_BYTES - sizeof(uint64_t));
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

/* gmem's own counters; it outlives the VM. */
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
	const char *answer = guest_tell(g, "end\n");
	unsigned long conversions, pages, to_private;

	EXPECT_EQ(0, answer_number(answer, "rc"));
	if (g->keeps)
		EXPECT_EQ(0, answer_number(answer, "wrong"));
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

static void convert(bool keeps, const char *memory, const char *strategy)
{
	const char *options[] = { "--strategy", strategy, "--convert-timeout",
				  CONVERT_MS, NULL };
	const char *why = linux_guest_unavailable();

	if (!why)
		why = keeps ? gmem_unavailable() : NULL;
	if (why)
		SKIP(return, "%s", why);
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-convert", 1);
	guest.keeps = keeps;
	guest.boot = (struct boot){
		.append = "GMEM_RUN=/convert GMEM_ACTION=power-off",
		.memory = memory,
		.cpus = "2",
		.seconds = "300",
		.name = has_sockets() ? NAME : NULL,
		.options = options,
	};
	if (!guest_boot(&guest))
		SKIP(return, KSFT_BY_DESIGN " no private memory in KVM here");
	guest_reach(&guest);
	guest_run(&guest);
	guest_alternate(&guest);
	guest_bad(&guest);
	if (keeps)
		guest_held(&guest);
	guest_finish(&guest);
}

TEST_TIMEOUT(inplace, TIMEOUT)
{
	convert(true, "96M,kind=gmem-store", "inplace");
}

TEST_TIMEOUT(discard, TIMEOUT)
{
	convert(false, "96M,kind=shared", "discard");
}

TEST_HARNESS_MAIN
