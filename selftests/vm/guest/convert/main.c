// SPDX-License-Identifier: GPL-2.0
/*
 * A program of the guest that converts memory, as the test on the host tells it to
 * by lines on the console. Each line is answered by one that starts with its
 * number:
 *
 *   run MS keep|lose		convert and use the memory at the same time;
 *				contents survive, or are lost
 *   alternate			make private what alternate_is_private() says, with
 *				secrets in it, and the rest shared
 *   answers			shared pages have the host's answers, private ones
 *				what they had
 *   convert PAGE COUNT private|shared
 *				convert while a thread counts in the first page, and
 *				look whether contents are as before
 *   bad			ask for nonsense
 *   disk PATH			all is private: write half of it to a disk, read that into
 *				the other half
 *   reset			restart the machine, whatever is private
 *   end keep|lose		make all of it shared, say what has been done;
 *				contents survive, or are lost
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>

#include "convert.h"

static struct memory memory;
static unsigned int number;	/* of the command */

static __attribute__((format(printf, 1, 2))) void reply(const char *format, ...)
{
	va_list args;

	printf("gmem-guest: %u: ", number);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void do_run(const char *arguments)
{
	uint64_t before = memory.conversions;
	struct work work = { 0 };
	unsigned int ms = 0;
	char how[8] = "";

	sscanf(arguments, "%u %7s", &ms, how);
	work_run(&memory, ms, !strcmp(how, "keep"), &work);
	reply("conversions=%llu touches=%llu copies=%llu refused=%llu wrong=%llu",
	      (unsigned long long)(memory.conversions - before),
	      (unsigned long long)work.touches,
	      (unsigned long long)work.copies,
	      (unsigned long long)work.refused,
	      (unsigned long long)work.wrong);
}

/* Return: 0, or a negative errno. */
static int make_shared(void)
{
	memory_write(&memory, 0, PAGES, TAG_SHOWN, 0);
	return memory_convert(&memory, 0, PAGES, false);
}

static void do_alternate(const char *arguments)
{
	int rc = make_shared();

	(void)arguments;
	memory_write(&memory, 0, PAGES, TAG_SHOWN, 0);
	for (unsigned int i = 1; !rc && i < ALTERNATE_SINGLE; i += 2)
		rc = memory_convert(&memory, i, 1, true);
	if (!rc)
		rc = memory_convert(&memory, ALTERNATE_SINGLE,
				    ALTERNATE_END - ALTERNATE_SINGLE, true);
	for (unsigned int i = 0; !rc && i < PAGES; i++)
		if (alternate_is_private(i))
			memory_write(&memory, i, 1, TAG_SECRET, 0);
	reply("rc=%d", rc);
}

static void do_answers(const char *arguments)
{
	(void)arguments;
	for (unsigned int i = 0; i < PAGES; i++)
		if (!alternate_is_private(i))
			memory.word[i] = page_word(TAG_ANSWER, i, 0);
	reply("wrong=%u", memory_check(&memory, "answers", 0, PAGES));
}

/**
 * struct toucher - a thread that counts in a page while that is converted
 * @word: where it counts; no worker does there
 * @count: what it has counted to
 * @stop: set when it is to end
 */
struct toucher {
	volatile uint64_t *word;
	uint64_t count;
	bool stop;
};

static void *toucher_main(void *data)
{
	struct toucher *toucher = data;

	while (!__atomic_load_n(&toucher->stop, __ATOMIC_RELAXED)) {
		uint64_t next = *toucher->word + 1;

		*toucher->word = next;
		__atomic_add_fetch(&toucher->count, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Convert pages while the first is in use. Return: what the host says. */
static int convert_touched(unsigned int page, unsigned int count, bool to_private,
			   uint64_t *lost)
{
	uint64_t *word = memory_page(&memory, page) + PAGE_COUNTERS - 1;
	struct toucher toucher = { .word = word, .count = *word };
	uint64_t before = toucher.count;
	pthread_t thread;
	int rc;

	if (pthread_create(&thread, NULL, toucher_main, &toucher))
		return -EAGAIN;
	while (__atomic_load_n(&toucher.count, __ATOMIC_RELAXED) == before)
		sched_yield();
	rc = memory_convert(&memory, page, count, to_private);
	__atomic_store_n(&toucher.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	*lost = *word != toucher.count;
	if (*lost)
		wrong_tell(&memory, "toucher", page, PAGE_COUNTERS - 1, *word,
			   toucher.count);
	return rc;
}

static void do_convert(const char *arguments)
{
	unsigned int page = 0, count = 0;
	uint64_t lost = 0;
	char to[8] = "";
	int rc;

	sscanf(arguments, "%u %u %7s", &page, &count, to);
	rc = convert_touched(page % PAGES, count, !strcmp(to, "private"), &lost);
	reply("rc=%d wrong=%llu", rc, (unsigned long long)lost +
	      memory_check(&memory, "convert", 0, PAGES));
}

static void do_bad(const char *arguments)
{
	struct bad bad = bad_requests(&memory);

	(void)arguments;
	reply("calls=%u wrong=%u", bad.calls, bad.wrong);
}

static void do_disk(const char *arguments)
{
	unsigned int wrong = 0;
	char path[32] = "";
	int rc;

	sscanf(arguments, "%31s", path);
	rc = disk_copy(&memory, path, &wrong);
	reply("rc=%d wrong=%u", rc, wrong);
}

static void do_reset(const char *arguments)
{
	(void)arguments;
	reply("rc=%d", reboot(RB_AUTOBOOT));
}

static void do_end(const char *arguments)
{
	bool keeps = !strcmp(arguments, " keep\n");
	int rc = make_shared();
	unsigned int wrong;

	wrong = keeps ? memory_check(&memory, "end", 0, PAGES) : 0;
	if (!rc)
		rc = memory_close(&memory);
	reply("rc=%d wrong=%u conversions=%llu pages=%llu private=%llu", rc,
	      wrong, (unsigned long long)memory.conversions,
	      (unsigned long long)memory.pages,
	      (unsigned long long)memory.to_private);
	exit(0);
}

static const struct {
	const char *name;
	void (*run)(const char *arguments);
} commands[] = {
	{ "run", do_run },
	{ "alternate", do_alternate },
	{ "answers", do_answers },
	{ "convert", do_convert },
	{ "bad", do_bad },
	{ "disk", do_disk },
	{ "reset", do_reset },
	{ "end", do_end },
};

static void command(const char *line)
{
	size_t length = strcspn(line, "\n ");

	number++;
	wrong_forget();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].name) == length &&
		    !memcmp(commands[i].name, line, length))
			return commands[i].run(line + length);
	reply("no such command");
}

int main(void)
{
	int rc = memory_open(&memory);
	char line[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (rc) {
		printf("gmem-guest: memory: %s\n", strerror(-rc));
		return 1;
	}
	printf("gmem-guest: memory at %llu\n", (unsigned long long)memory.gpa);
	while (fgets(line, sizeof(line), stdin))
		command(line);
	return 1;
}
