// SPDX-License-Identifier: GPL-2.0
/*
 * init of a Linux guest of gmemctl. GMEM_ACTION on the kernel command line says
 * what to do; the test reads what it prints on the serial console.
 *
 *   power-off	turn the machine off (default)
 *   reset	restart the machine; with reboot=t that is a triple fault
 *   panic	end, which init must not do
 *   halt	wait for ever
 *   echo	say each line of the console back in capitals, until "end"
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PAGE_SIZE 4096UL

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

/* Each page gets a value of its own. Return: pages that have lost theirs. */
static unsigned long memory_check(unsigned long mib)
{
	unsigned long pages = mib * ((1UL << 20) / PAGE_SIZE), wrong = 0;
	uint64_t *memory;

	memory = mmap(NULL, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return pages;
	for (unsigned long i = 0; i < pages; i++)
		memory[i * (PAGE_SIZE / 8)] = i * 0x9e3779b97f4a7c15;
	for (unsigned long i = 0; i < pages; i++)
		wrong += memory[i * (PAGE_SIZE / 8)] != i * 0x9e3779b97f4a7c15;
	munmap(memory, pages * PAGE_SIZE);
	return wrong;
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

int main(void)
{
	const char *mib = getenv("GMEM_TOUCH");
	struct utsname name;

	mount("dev", "/dev", "devtmpfs", 0, NULL);
	console_open();
	uname(&name);
	printf("gmem-guest: up, kernel %s, %ld CPUs\n", name.release,
	       sysconf(_SC_NPROCESSORS_ONLN));
	if (mib)
		printf("gmem-guest: %lu pages wrong\n",
		       memory_check(strtoul(mib, NULL, 10)));
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
