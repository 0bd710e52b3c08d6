// SPDX-License-Identifier: GPL-2.0
/*
 * Linux, as a guest of gmemctl, loads pvmemcontrol.ko and makes all kinds of requests.
 * Driver and device share only the protocol, and agree; the effects are visible on the
 * host in gmemctl's /proc files.
 *
 * The guest's part is in vm/guest/pvmemcontrol/, with pvmemctl.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "gmem_utils.h"
#include "guest_view.h"
#include "ksft.h"
#include "linux_guest.h"

#define TIMEOUT		450
#define UP_S		200
#define WAIT_S		200
#define LISTENING	"gmem-guest: listening"
#define RAM_BYTES	(64UL << 20)
#define OWN		"--own 64K "
#define KEPT		"kept: 16 of 16 pages"
#define GONE		"kept: 0 of 16 pages"

/**
 * struct guest - a guest with the device
 * @boot: its configuration and output
 * @tool: gmemctl that runs it
 * @input: input of its console
 * @commands: number of commands so far
 * @before: length of the console's output before the last command
 */
struct guest {
	struct boot boot;
	struct boot_process tool;
	int input;
	unsigned int commands;
	size_t before;
};

static struct guest guest;

static void guest_log(struct guest *g)
{
	boot_log(&g->boot, g->boot.console);
	boot_log(&g->boot, g->boot.json);
}

static void guest_end(struct guest *g)
{
	close(g->input);
	boot_end(&g->boot, g->tool.pid, g->tool.out, g->tool.err);
}

/* Wait for @text in the output after the last command. */
static void guest_wait(struct guest *g, const char *text)
{
	bool there = false;

	for (int i = 0; i < 10 * WAIT_S && !there; i++) {
		boot_wait_for(&g->boot, g->tool.pid, g->tool.err, text, 0);
		there = strlen(g->boot.console) > g->before &&
			strstr(g->boot.console + g->before, text);
		if (!there && boot_has_ended(g->tool.pid))
			break;
		if (!there)
			usleep(100 * 1000);
	}
	if (there)
		return;
	kill(g->tool.pid, SIGTERM);
	guest_end(g);
	guest_log(g);
	TH_LOG("waited for: %s", text);
	ASSERT_TRUE(!"the guest answers");
}

static void guest_type(struct guest *g, const char *command)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "%s\n", command);

	g->commands++;
	g->before = strlen(g->boot.console);
	ASSERT_EQ(length, write(g->input, line, length));
}

/* Wait for the result of the last command, and check it. */
static void guest_expect(struct guest *g, const char *command, int rc, const char *says)
{
	char answer[64];
	bool right;

	snprintf(answer, sizeof(answer), "gmem-guest: %u done", g->commands);
	guest_wait(g, answer);
	snprintf(answer, sizeof(answer), "gmem-guest: %u: rc=%d\r", g->commands, rc);
	right = strstr(g->boot.console + g->before, answer) &&
		strstr(g->boot.console + g->before, says);
	EXPECT_TRUE(right);
	if (!right)
		TH_LOG("%s: expected %d, '%s', but it says: %s", command, rc, says,
		       g->boot.console + g->before);
}

/* Run a command, and check pvmemctl's exit code and a part of its output. */
static void guest_tell(struct guest *g, const char *command, int rc, const char *says)
{
	guest_type(g, command);
	guest_expect(g, command, rc, says);
}

/* Boot with the device, until the guest reads commands. */
static void guest_boot(struct guest *g, const char *memory, const char *codes,
		       const char *cpus, const char *append)
{
	static const char *options[] = { "--pvmemcontrol", NULL, NULL };
	int fds[2];

	options[1] = codes;
	*g = (struct guest){
		.boot = {
			.memory = memory,
			.append = append,
			.cpus = cpus,
			.seconds = "400",
			.options = options,
		},
	};
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	g->boot.input = fds[0];
	g->input = fds[1];
	if (!boot_up(&g->boot, &g->tool, LISTENING, UP_S)) {
		guest_log(g);
		ASSERT_TRUE(!"the guest boots");
	}
	close(fds[0]);
}

static void guest_finish(struct guest *g)
{
	guest_type(g, "end");
	guest_end(g);
	EXPECT_TRUE(boot_ended(&g->boot, "power-off", 0));
	EXPECT_TRUE(boot_said(&g->boot, "/pvmem: status 0"));
	if (ksft_result->failed)
		guest_log(g);
}

#define RUN "GMEM_RUN=/pvmem GMEM_ACTION=power-off "

#define NEED_GUEST() do {						\
	const char *__why = linux_guest_unavailable();			\
									\
	if (__why)							\
		SKIP(return, "%s", __why);				\
} while (0)

/* Whether a file of gmemctl in /proc contains the text. */
static bool proc_has(struct guest *g, const char *file, const char *text)
{
	char path[64], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", g->tool.pid, file);
	f = fopen(path, "re");
	ASSERT_TRUE(f);
	while (fgets(line, sizeof(line), f))
		found |= !!strstr(line, text);
	fclose(f);
	return found;
}

/* Features that not every kernel configuration of the host has. */
static bool host_has_ksm(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has = !madvise(p, PAGE, MADV_MERGEABLE);

	munmap(p, PAGE);
	return has;
}

static bool host_has_names(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has = !prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, PAGE, "test");

	munmap(p, PAGE);
	return has;
}

/*
 * The text is in the file while the guest holds the state, and only then (or the reverse,
 * if not @is).
 */
static void expect_shown(struct guest *g, const char *command, const char *file,
			 const char *text, bool is)
{
	guest_type(g, command);
	guest_wait(g, "+0x");
	EXPECT_EQ(is, proc_has(g, file, text));
	guest_expect(g, command, 0, KEPT);
	EXPECT_EQ(!is, proc_has(g, file, text));
}

/* A request is refused if the host's kernel lacks the feature. */
static void expect_if(struct guest *g, bool has, const char *command)
{
	guest_tell(g, command, has ? 0 : 1, has ? KEPT : "not supported");
}

static void tell_refusals(struct guest *g)
{
	guest_tell(g, "free 0x1 4K", 1, "0x1+0x1000: free: Invalid argument");
	guest_tell(g, "free 4K 1", 1, "Invalid argument");
	guest_tell(g, "free 0xfff00000000 4K", 1, "Invalid argument");
	guest_tell(g, "free 0 1G", 1, "Invalid argument");
	guest_tell(g, OWN "call 15", 1, "call: Operation not supported");
	guest_tell(g, "free 0x100000 0", 0, "");
}

/* All functions, with memory that is not a file. */
TEST_TIMEOUT(anonymous, TIMEOUT)
{
	struct guest *g = &guest;

	NEED_GUEST();
	guest_boot(g, "64M,kind=private", "all", "2", RUN);
	guest_tell(g, "info", 1, "modprobe pvmemcontrol");
	guest_tell(g, "load", 0, "");
	guest_tell(g, "info", 0, "version:    1.0");
	guest_tell(g, OWN "dontneed", 0, GONE);
	guest_tell(g, OWN "remove", 1, "not supported");
	guest_tell(g, OWN "free", 0, " of 16 pages");
	guest_tell(g, OWN "pageout", 0, KEPT);
	guest_tell(g, OWN "dontdump", 0, KEPT);
	if (host_has_names())
		expect_shown(g, OWN "--hold 2 name 4711", "maps", "pvmemcontrol-4711", true);
	expect_if(g, host_has_names(), OWN "name 1");
	expect_shown(g, OWN "--hold 2 lock", "status", "VmLck:\t       0 kB", false);
	guest_tell(g, OWN "unlock", 0, KEPT);
	guest_tell(g, OWN "protect none", 0, KEPT);
	guest_tell(g, OWN "protect r", 0, KEPT);
	guest_tell(g, OWN "protect w", 0, KEPT);
	guest_tell(g, OWN "protect rw", 0, KEPT);
	expect_if(g, host_has_ksm(), OWN "mergeable");
	expect_if(g, host_has_ksm(), OWN "unmergeable");
	tell_refusals(g);

	guest_tell(g, "replug", 0, "");
	guest_tell(g, OWN "dontneed", 0, GONE);

	/* The device accepts the driver again. */
	guest_tell(g, "unload", 0, "");
	guest_tell(g, "info", 1, "modprobe pvmemcontrol");
	guest_tell(g, "load", 0, "");
	guest_tell(g, OWN "dontneed", 0, GONE);
	guest_finish(g);
}

static uint64_t guest_rss(struct guest *g)
{
	uint64_t rss = 0;

	EXPECT_NE(0, view_ram(g->tool.pid, RAM_BYTES, &rss));
	return rss;
}

/* The kernel keeps 32 blocks for itself, which are 2 MiB each by default. */
#define ORDER "page_reporting.page_reporting_order=5"

/* Memory that the guest has used and freed is freed on the host without a request. */
static void expect_reported(struct guest *g, unsigned int touched_mib)
{
	uint64_t before = guest_rss(g), after = 0, enough = (uint64_t)touched_mib << 19;
	int i;

	EXPECT_LT((uint64_t)touched_mib << 20, before);
	guest_tell(g, "load report_free_pages=1", 0, "");
	for (i = 0; i < 600; i++) {
		after = guest_rss(g);
		if (after + enough < before)
			break;
		usleep(100 * 1000);
	}
	TH_LOG("%llu KiB before, %llu KiB after",
	       (unsigned long long)before >> 10, (unsigned long long)after >> 10);
	EXPECT_LT(after + enough, before);
}

/*
 * Memory that is a file: two functions free it, and it cannot be named. Some functions
 * are not allowed to the guest: mprotect is not, nor munlock, which pvmemctl needs to
 * undo lock.
 */
TEST_TIMEOUT(shared, TIMEOUT)
{
	/*
	 * With checkers in the host's kernel, the first access to each page takes
	 * milliseconds.
	 */
	bool slow = linux_guest_slow();
	struct guest *g = &guest;

	NEED_GUEST();
	guest_boot(g, "64M,kind=shared", "dontneed,remove,free,set-vma-anon-name,mlock", "1",
		   slow ? RUN "GMEM_TOUCH=8 " ORDER : RUN "GMEM_TOUCH=32 " ORDER);
	expect_reported(g, slow ? 8 : 32);
	guest_tell(g, "info", 0, "page size:  4096");
	guest_tell(g, OWN "dontneed", 0, GONE);
	guest_tell(g, OWN "remove", 0, GONE);
	guest_tell(g, OWN "free", 1, "not supported");
	guest_tell(g, OWN "name 1", 1, "not supported");
	guest_tell(g, OWN "protect none", 1, "protect: Operation not supported");
	guest_tell(g, OWN "lock", 1, "undo: Operation not supported");
	guest_tell(g, "unload", 0, "");
	guest_finish(g);
}

TEST_HARNESS_MAIN
