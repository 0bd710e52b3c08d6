// SPDX-License-Identifier: GPL-2.0
/*
 * After save and restore, and after a handover, the clocks of a guest continue together
 * from their last values. The guest is a kernel of a few bytes that writes its TSC and
 * its ACPI timer to memory that is a file.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#include "ksft.h"
#include "linux_guest.h"
#include "tiny_guest.h"

#define NAME		"clocks"
#define KERNEL		"/tmp/clocks-kernel"
#define MEMORY		"/tmp/clocks-memory"
#define MEMORY_AFTER	"/tmp/clocks-memory-after"
#define SAVED		"/tmp/clocks-saved"
#define MEMORY_SIZE	(32 << 20)
#define TIMEOUT		180
#define TIMER_HZ	3579545.0
#define SLEEP_S		6

/* Allowed difference of clocks: an emulated machine can pause between two instructions. */
#define APART_S		0.25

/**
 * struct clocks - the clocks of guest and host at one time
 * @counter: the guest's counter
 * @tsc: its TSC
 * @timer: its ACPI timer
 * @host_s: the host's clock
 */
struct clocks {
	uint64_t counter;
	uint64_t tsc;
	uint64_t timer;
	double host_s;
};

static char output[1 << 16];
static struct boot boot;
static struct boot_process tool;
static volatile struct clocks *guest;

static int ask(const char *command, const char *a, const char *b)
{
	return tool_run(output, sizeof(output),
			(const char *const[]){ command, NAME, a, b, NULL });
}

static double host_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *memory;

	ASSERT_GE(fd, 0);
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	ASSERT_NE(MAP_FAILED, memory);
	guest = (void *)((uint8_t *)memory + TINY_GUEST_COUNTER);
}

static void unmap(void)
{
	munmap((uint8_t *)guest - TINY_GUEST_COUNTER, MEMORY_SIZE);
}

/* Read all values of a single round, later than the current one. */
static struct clocks next(void)
{
	uint64_t before = guest->counter;
	struct clocks now = { 0 };

	for (int i = 0; i < 600 && guest->counter == before; i++)
		usleep(50000);
	ASSERT_NE(before, guest->counter);
	do {
		now.counter = guest->counter;
		now.tsc = guest->tsc;
		now.timer = guest->timer;
		now.host_s = host_s();
	} while (guest->counter != now.counter);
	return now;
}

/* The 32-bit timer wraps after 20 minutes. */
static double timer_s(struct clocks from, struct clocks to)
{
	return (double)(uint32_t)(to.timer - from.timer) / TIMER_HZ;
}

static double tsc_s(struct clocks from, struct clocks to, double tsc_hz)
{
	return (double)(to.tsc - from.tsc) / tsc_hz;
}

static double difference(double a, double b)
{
	return a < b ? b - a : a - b;
}

static void check_together(const char *what, struct clocks from,
			   struct clocks to, double tsc_hz, double away_s)
{
	double timer = timer_s(from, to), tsc = tsc_s(from, to, tsc_hz);
	double host = to.host_s - from.host_s;

	TH_LOG("%s: host %.3f s, timer %.3f s, TSC %.3f s", what, host, timer,
	       tsc);
	EXPECT_TRUE(timer > 0 && tsc > 0);
	EXPECT_TRUE(difference(timer, tsc) < APART_S);
	EXPECT_TRUE(timer < host - away_s + APART_S);
}

static void start(const char *const words[])
{
	tool.out = output_file();
	tool.err = output_file();
	if (words)
		tool.pid = boot_start_with(words, 0, tool.out, tool.err);
	else
		tool.pid = boot_start(&boot, tool.out, tool.err);
	ASSERT_GT(tool.pid, 0);
	EXPECT_TRUE(boot_wait_answer(tool.pid, NAME));
}

static void end(const char *how)
{
	boot_end(&boot, tool.pid, tool.out, tool.err);
	if (!boot_ended(&boot, how, 0))
		boot_log(&boot, boot.json);
	EXPECT_TRUE(boot_ended(&boot, how, 0));
}

TEST_TIMEOUT(C26_save_and_handover, TIMEOUT)
{
	static const char *const restore[] = {
		"restore", SAVED, "--memory-file", MEMORY_AFTER, "--name", NAME,
		"--timeout", "100", "--json", NULL,
	};
	static const char *const handover[] = {
		"handover", NAME, "--timeout", "100", "--json", NULL,
	};
	const char *why = control_unavailable();
	struct clocks first, saved, restored, later, taken;
	struct boot_process giver;
	double tsc_hz;

	if (why)
		SKIP(return, "%s", why);
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);
	ASSERT_TRUE(tiny_guest_write_clocks(KERNEL));
	boot = (struct boot){
		.kernel = KERNEL, .memory = "32M,file=" MEMORY, .name = NAME,
		.seconds = "100",
	};
	start(NULL);
	map(MEMORY);
	first = next();
	sleep(3);
	saved = next();
	tsc_hz = (double)(saved.tsc - first.tsc) / timer_s(first, saved);
	check_together("before", first, saved, tsc_hz, 0);
	EXPECT_EQ(0, ask("save", SAVED, "--stop"));
	end("saved");
	saved.counter = guest->counter;
	saved.tsc = guest->tsc;
	saved.timer = guest->timer;
	saved.host_s = host_s();
	unmap();
	sleep(SLEEP_S);
	start(restore);
	map(MEMORY_AFTER);
	restored = next();
	EXPECT_GT(restored.counter, saved.counter);
	check_together("restored", saved, restored, tsc_hz, SLEEP_S);
	sleep(2);
	later = next();
	check_together("after that", restored, later, tsc_hz, 0);
	giver = tool;
	start(handover);
	boot_end(&boot, giver.pid, giver.out, giver.err);
	EXPECT_TRUE(strstr(boot.json, "\"end\":\"handed-over\""));
	taken = next();
	check_together("handed over", later, taken, tsc_hz, 0);
	unmap();
	EXPECT_EQ(0, ask("stop", NULL, NULL));
	end("stopped");
	unlink(KERNEL);
	unlink(MEMORY);
	unlink(MEMORY_AFTER);
	unlink(SAVED);
}

TEST_HARNESS_MAIN
