// SPDX-License-Identifier: GPL-2.0
/*
 * A program of the guest that uses pvmemcontrol according to lines from the test on the
 * console. Each line is answered by a line that starts with its number:
 *
 *   call CODE ADDRESS LENGTH ARGUMENT
 *			make one request
 *   states		each command of the transport in each state
 *   wrong		requests that must be refused, for each code
 *   own		free own pages, which then read zero; pages beside them stay
 *   cpus ROUNDS	all CPUs at once, each with its own connection and page
 *   guard CODE		protect an own page, and write to it: ends the guest
 *   free MIB		fill this much memory, and free it
 *   off		turn the machine off
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include "../command.h"
#include "memctl.h"

#define CODES		15
#define DONTNEED	1
#define OWN_PAGES	16

static struct memctl memctl;

static void do_call(const char *arguments)
{
	unsigned long long code = 0, address = 0, length = 0, argument = 0;
	struct memctl_answer answer;

	sscanf(arguments, "%llu %llx %llx %llu", &code, &address, &length,
	       &argument);
	answer = memctl_call(&memctl, 0, code, address, length, argument);
	reply("error=%u code=%u value=%llu arguments=%llu,%llu", answer.error,
	      answer.code, (unsigned long long)answer.value,
	      (unsigned long long)answer.arguments[0],
	      (unsigned long long)answer.arguments[1]);
}

static unsigned int differs(const char *what, uint32_t found, uint32_t expected)
{
	if (found == expected)
		return 0;
	printf("gmem-guest: wrong: %s: 0x%x instead of 0x%x\n", what, found,
	       expected);
	return 1;
}

/* Whether requests of the first connection are answered. */
static unsigned int served(const char *what, bool expected)
{
	struct memctl_answer answer = memctl_call(&memctl, 0, 0, 1, 1, 1);

	return differs(what, answer.value == PAGE_BYTES, expected);
}

static void do_states(const char *arguments)
{
	static const uint32_t ends[] = {
		MEMCTL_DISCONNECT, MEMCTL_ACK, MEMCTL_ERROR,
	};
	unsigned int wrong = 0;

	(void)arguments;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		wrong += differs("connect", (uint32_t)memctl_connect(&memctl), 0);
		wrong += served("ready", true);
		wrong += differs("first id", memctl.connection[0],
				 MEMCTL_CONNECTION);
		wrong += differs("last id", memctl.connection[memctl.cpus - 1],
				 MEMCTL_CONNECTION + memctl.cpus - 1);
		wrong += differs("end", memctl_command(&memctl, ends[i]),
				 MEMCTL_ERROR);
		wrong += served("after the end", false);
		wrong += differs("ready after the end",
				 memctl_command(&memctl, MEMCTL_READY), MEMCTL_ERROR);
		wrong += differs("register after the end",
				 memctl_command(&memctl, MEMCTL_REGISTER),
				 MEMCTL_ERROR);
	}
	/* As after a reboot of the guest, or after its driver was loaded again. */
	wrong += differs("connect again", (uint32_t)memctl_connect(&memctl), 0);
	wrong += differs("connect twice", (uint32_t)memctl_connect(&memctl), 0);
	wrong += differs("first id again", memctl.connection[0], MEMCTL_CONNECTION);
	wrong += served("again", true);
	reply("wrong=%u", wrong);
}

static unsigned int refused(uint64_t code, uint64_t address, uint64_t length)
{
	uint32_t error = memctl_call(&memctl, 0, code, address, length, 1).error;

	return differs("refused", error == EINVAL || error == EOPNOTSUPP, true);
}

static void do_wrong(const char *arguments)
{
	uint64_t gpa = memctl.gpa;
	unsigned int wrong = 0;

	(void)arguments;
	for (uint64_t code = 1; code < CODES; code++) {
		wrong += refused(code, gpa + 8, PAGE_BYTES);
		wrong += refused(code, gpa, PAGE_BYTES - 8);
		wrong += refused(code, gpa, UINT64_MAX);
		wrong += refused(code, gpa, -PAGE_BYTES);
		wrong += refused(code, 0xe0000000, PAGE_BYTES);
		wrong += refused(code, UINT64_C(1) << 45, PAGE_BYTES);
		wrong += refused(code, -PAGE_BYTES, PAGE_BYTES);
		wrong += refused(code, 0, UINT64_C(1) << 40);
	}
	wrong += refused(CODES, gpa, PAGE_BYTES);
	wrong += refused(UINT64_MAX, gpa, PAGE_BYTES);
	wrong += refused((UINT64_C(1) << 32) + 1, gpa, PAGE_BYTES);
	wrong += served("after all that", true);
	reply("wrong=%u", wrong);
}

/* Free every other one of pages that are not adjacent. */
static void do_own(const char *arguments)
{
	uint64_t gpa[OWN_PAGES];
	uint8_t *memory = memctl_memory(OWN_PAGES, gpa);
	unsigned int wrong = 0, error = 0;

	(void)arguments;
	if (!memory)
		return reply("error=%d", ENOMEM);
	memset(memory, 0x5a, OWN_PAGES * PAGE_BYTES);
	for (unsigned int i = 0; i < OWN_PAGES; i += 2)
		error |= memctl_call(&memctl, 0, DONTNEED, gpa[i], PAGE_BYTES,
				     0).error;
	for (unsigned long i = 0; i < OWN_PAGES * PAGE_BYTES; i++)
		wrong += memory[i] != (i / PAGE_BYTES % 2 ? 0x5a : 0);
	munmap(memory, OWN_PAGES * PAGE_BYTES);
	reply("error=%u wrong=%u", error, wrong);
}

/**
 * struct worker - a thread of a CPU
 */
struct worker {
	pthread_t thread;
	unsigned int cpu;
	unsigned int rounds;
	unsigned int wrong;
};

static void *worker_main(void *data)
{
	struct worker *worker = data;
	cpu_set_t set;
	uint64_t gpa;
	uint8_t *page = memctl_memory(1, &gpa);

	CPU_ZERO(&set);
	CPU_SET(worker->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (unsigned int i = 0; page && i < worker->rounds; i++) {
		struct memctl_answer answer;

		page[i % PAGE_BYTES] = 1;
		answer = memctl_call(&memctl, worker->cpu, DONTNEED, gpa,
				     PAGE_BYTES, 0);
		worker->wrong += answer.error || page[i % PAGE_BYTES];
		answer = memctl_call(&memctl, worker->cpu, 100 + worker->cpu, 0, 0,
				     1);
		worker->wrong += answer.error != EOPNOTSUPP ||
				 answer.code != 100 + worker->cpu;
	}
	worker->wrong += !page;
	return NULL;
}

static void do_cpus(const char *arguments)
{
	struct worker workers[MEMCTL_CPUS] = { 0 };
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < memctl.cpus; i++) {
		workers[i].cpu = i;
		workers[i].rounds = (unsigned int)strtoul(arguments, NULL, 10);
		wrong += !!pthread_create(&workers[i].thread, NULL, worker_main,
					  &workers[i]);
	}
	for (unsigned int i = 0; i < memctl.cpus && !wrong; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned int i = 0; i < memctl.cpus; i++)
		wrong += workers[i].wrong;
	reply("cpus=%u wrong=%u", memctl.cpus, wrong);
}

static void do_guard(const char *arguments)
{
	uint64_t gpa;
	volatile uint8_t *page = memctl_memory(1, &gpa);
	struct memctl_answer answer;

	if (!page)
		return reply("error=%d", ENOMEM);
	answer = memctl_call(&memctl, 0, strtoull(arguments, NULL, 10), gpa,
			     PAGE_BYTES, 0);
	printf("gmem-guest: guard at 0x%llx: error=%u\n", (unsigned long long)gpa,
	       answer.error);
	/* This is the last output. */
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	page[8] = 1;
	reply("error=%u alive", answer.error);
}

static void do_free(const char *arguments)
{
	size_t size = strtoul(arguments, NULL, 10) << 20;
	uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return reply("error=%d", errno);
	memset(memory, 0x5a, size);
	munmap(memory, size);
	reply("error=0");
}

static void do_off(const char *arguments)
{
	(void)arguments;
	reply("error=%d", reboot(RB_POWER_OFF));
}

static const struct command commands[] = {
	{ "call", do_call },
	{ "states", do_states },
	{ "wrong", do_wrong },
	{ "own", do_own },
	{ "cpus", do_cpus },
	{ "guard", do_guard },
	{ "free", do_free },
	{ "off", do_off },
	{ 0 }
};

/* Each echoed character would cause some exits. */
static void set_quiet(void)
{
	struct termios terminal;

	if (tcgetattr(STDIN_FILENO, &terminal))
		return;
	terminal.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
}

/* Some commands are useful without a device, too. */
int main(void)
{
	int rc = memctl_open(&memctl);
	char line[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	set_quiet();
	if (!rc) {
		uint32_t before = memctl.registers[2];

		rc = memctl_connect(&memctl);
		printf("gmem-guest: memctl: before: 0x%x\n", before);
	}
	printf("gmem-guest: memctl: rc %d, %u CPUs\n", rc, memctl.cpus);
	while (fgets(line, sizeof(line), stdin))
		command_run(commands, line);
	return 1;
}
