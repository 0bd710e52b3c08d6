// SPDX-License-Identifier: GPL-2.0
/*
 * init of a Linux guest of gmemctl. The test reads what it prints on the serial
 * console. GMEM_TOUCH on the kernel command line is how much memory to write and
 * to check: a number of MiB, or "all". GMEM_ACTION selects what to do then:
 *
 *   power-off	turn the machine off (default)
 *   reset	restart the machine; with reboot=t that is a triple fault
 *   panic	exit, which makes the kernel panic
 *   halt	wait for ever
 *   echo	print each line of the console in capitals, until "end"
 *   load	write to GMEM_TOUCH MiB of memory and check them, round by round,
 *		until a line comes from the console
 */
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_SIZE 4096UL
#define PATTERN UINT64_C(0x9e3779b97f4a7c15)

static void console_open(void)
{
	int fd = open("/dev/console", O_RDWR);

	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static bool action_is(const char *name)
{
	const char *action = getenv("GMEM_ACTION");

	return action && !strcmp(action, name);
}

/* Modules of Debian's kernel that a test needs; other kernels have no such list. */
static void modules_load(void)
{
	FILE *file = fopen("/etc/modules", "r");
	char path[256];

	while (file && fscanf(file, "dep %255s\n", path) == 1) {
		int fd = open(path, O_RDONLY);

		if (syscall(SYS_finit_module, fd, "", 0))
			printf("gmem-guest: %s: %m\n", path);
		close(fd);
	}
	if (file)
		fclose(file);
}

/*
 * Print the firmware's description of memory. The kernel itself has reserved the first
 * page.
 */
static void show_memory(void)
{
	FILE *file = fopen("/proc/iomem", "r");
	unsigned long start, end, kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		bool ram = strstr(line, ": System RAM");

		if (line[0] == ' ' || (!ram && !strstr(line, ": Reserved")) ||
		    sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		kib += ram ? (end - start + 1) >> 10 : 0;
		printf("gmem-guest: %s %lx-%lx\n", ram ? "RAM" : "reserved",
		       start, end);
	}
	if (file)
		fclose(file);
	printf("gmem-guest: RAM %lu KiB\n", kib);
}

/* Print the number of interrupts 0 on each CPU; the first CPU is enough. */
static void show_pit(void)
{
	FILE *file = fopen("/proc/interrupts", "r");
	unsigned long count = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " 0: %lu", &count) == 1)
			break;
	if (file)
		fclose(file);
	printf("gmem-guest: PIT interrupts: %lu\n", count);
}

/* Bytes to touch, in whole pages. "all" leaves an eighth to the kernel. */
static unsigned long touch_bytes(const char *text)
{
	struct sysinfo info;

	if (strcmp(text, "all"))
		return strtoul(text, NULL, 10) << 20;
	if (sysinfo(&info))
		return 0;
	return info.freeram / 8 * 7 * info.mem_unit & ~(PAGE_SIZE - 1);
}

/* Each word gets a different value. */
static void memory_check(unsigned long bytes)
{
	unsigned long words = bytes / sizeof(uint64_t), wrong = 0;
	uint64_t *memory;

	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		printf("gmem-guest: mmap of %lu bytes failed\n", bytes);
		return;
	}
	for (unsigned long i = 0; i < words; i++)
		memory[i] = i * PATTERN;
	for (unsigned long i = 0; i < words; i++)
		wrong += memory[i] != i * PATTERN;
	munmap(memory, bytes);
	printf("gmem-guest: pages checked: %lu\n", bytes / PAGE_SIZE);
	printf("gmem-guest: words wrong: %lu\n", wrong);
}

static bool console_has_line(void)
{
	struct pollfd wait = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[64];

	return poll(&wait, 1, 0) == 1 && fgets(line, sizeof(line), stdin);
}

/* Each page has a different value, which changes with each round. */
static unsigned long load_round(uint64_t *memory, unsigned long pages,
				unsigned long round)
{
	unsigned long wrong = 0;

	for (unsigned long i = 0; i < pages; i++) {
		uint64_t *page = memory + i * (PAGE_SIZE / 8);

		wrong += round && *page != i * PATTERN + round - 1;
		*page = i * PATTERN + round;
	}
	return wrong;
}

static void load(unsigned long bytes)
{
	unsigned long pages = bytes / PAGE_SIZE, wrong = 0, round;
	uint64_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return;
	for (round = 0; !console_has_line(); round++) {
		wrong += load_round(memory, pages, round);
		if (round % 8)
			continue;
		printf("gmem-guest: round %lu, %lu wrong\n", round, wrong);
		usleep(100000);
	}
	printf("gmem-guest: %lu rounds, %lu pages wrong\n", round, wrong);
}

static void echo(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin) && strcmp(line, "end\n")) {
		for (char *c = line; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		printf("gmem-guest: echo %s", line);
	}
}

/* GMEM_RUN: a program of the initrd that runs before the action. */
static void run(const char *path)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		execl(path, path, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	printf("gmem-guest: %s: status %d\n", path, status);
}

int main(void)
{
	const char *touch = getenv("GMEM_TOUCH");
	struct utsname name;

	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	console_open();
	uname(&name);
	printf("gmem-guest: up, kernel %s, %ld CPUs\n", name.release,
	       sysconf(_SC_NPROCESSORS_ONLN));
	modules_load();
	show_memory();
	if (action_is("load"))
		load(touch ? touch_bytes(touch) : PAGE_SIZE);
	else if (touch)
		memory_check(touch_bytes(touch));
	show_pit();
	printf("gmem-guest: ready\n");
	if (getenv("GMEM_RUN"))
		run(getenv("GMEM_RUN"));
	if (action_is("echo"))
		echo();
	fflush(stdout);
	if (action_is("panic"))
		return 1;
	while (action_is("halt"))
		pause();
	sync();
	reboot(action_is("reset") ? RB_AUTOBOOT : RB_POWER_OFF);
	return 1;
}
