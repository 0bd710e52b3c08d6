// SPDX-License-Identifier: GPL-2.0
/*
 * A program of the guest that converts memory according to lines from the test on the
 * console. Each line is answered by a line that starts with its number:
 *
 *   run MS keep|lose		convert and use the memory at the same time;
 *				contents survive, or are lost
 *   alternate			make private what alternate_is_private() selects, with
 *				secrets in it, and the rest shared
 *   answers			check that shared pages have the host's answers, and
 *				private ones their contents
 *   convert PAGE COUNT private|shared
 *				convert while a thread counts in the first page, and
 *				check that contents are unchanged
 *   zero PAGE			check that a page is zero after it was discarded
 *   bad			make invalid requests
 *   disk PATH			with all pages private, write half of them to a disk, and
 *				read that into the others
 *   net NAME COUNT		send frames over an interface to the test, and receive them
 *   listen NAME		count received frames, and those that are wrong
 *   ring NAME			send frames from private memory, which then becomes shared
 *   half start|turn|still|end	half of all RAM becomes private; start to convert pieces
 *				of it; stop; share and free it
 *   paravirt			report which of KVM's paravirtual services are enabled
 *   panic			make the kernel panic, with any memory private
 *   reset			restart the machine, with any memory private
 *   end keep|lose		make all of it shared, and report what has been done;
 *				contents survive, or are lost
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "../command.h"
#include "convert.h"

static struct memory memory;
static struct half half;

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
 * @word: its counter, which no worker uses
 * @count: the expected value
 * @stop: set to end the thread
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

/* Convert pages while the first one is in use. Return: the answer of the host. */
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

static void do_zero(const char *arguments)
{
	unsigned int page = (unsigned int)strtoul(arguments, NULL, 10) % PAGES;

	memory.word[page] = 0;
	reply("wrong=%u", memory_check(&memory, "zero", page, 1));
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

static void do_half(const char *arguments)
{
	static const struct {
		const char *name;
		int (*run)(struct half *half);
	} parts[] = {
		{ "turn", half_turn },
		{ "still", half_still },
		{ "end", half_end },
	};
	char part[8] = "";
	int rc = -EINVAL;

	sscanf(arguments, "%7s", part);
	if (!strcmp(part, "start"))
		rc = half_start(&half, &memory);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strcmp(parts[i].name, part))
			rc = parts[i].run(&half);
	reply("rc=%d wrong=%llu turns=%llu pages=%u", rc,
	      (unsigned long long)half.wrong, (unsigned long long)half.turns,
	      half.pages);
}

static void do_net(const char *arguments)
{
	struct net net = { 0 };
	unsigned int count = 0;
	char name[16] = "";
	int rc;

	sscanf(arguments, "%15s %u", name, &count);
	rc = net_exchange(name, count, &net);
	reply("rc=%d sent=%u received=%u wrong=%u", rc, net.sent, net.received,
	      net.wrong);
}

static void do_listen(const char *arguments)
{
	struct net net = { 0 };
	char name[16] = "";
	int rc;

	sscanf(arguments, "%15s", name);
	rc = net_listen(name, &net);
	reply("rc=%d received=%u wrong=%u", rc, net.received, net.wrong);
}

static void do_ring(const char *arguments)
{
	struct ring done = { 0 };
	char name[16] = "";
	int rc;

	sscanf(arguments, "%15s", name);
	rc = net_ring(&memory, name, &done);
	reply("rc=%d private=%u shared=%u", rc, done.private, done.shared);
}

static void do_paravirt(const char *arguments)
{
	char text[128];

	(void)arguments;
	paravirt_tell(&memory, text, sizeof(text));
	reply("%s", text);
}

static void do_panic(const char *arguments)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	(void)arguments;
	reply("rc=%zd", write(fd, "c", 1));
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

static const struct command commands[] = {
	{ "run", do_run },
	{ "alternate", do_alternate },
	{ "answers", do_answers },
	{ "convert", do_convert },
	{ "zero", do_zero },
	{ "bad", do_bad },
	{ "disk", do_disk },
	{ "half", do_half },
	{ "net", do_net },
	{ "listen", do_listen },
	{ "ring", do_ring },
	{ "paravirt", do_paravirt },
	{ "panic", do_panic },
	{ "reset", do_reset },
	{ "end", do_end },
	{ 0 }
};

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
	while (fgets(line, sizeof(line), stdin)) {
		wrong_forget();
		command_run(commands, line);
	}
	return 1;
}
