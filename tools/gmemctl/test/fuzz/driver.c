// SPDX-License-Identifier: GPL-2.0
/*
 * usage: fuzz_TARGET SECONDS [SEED]
 *        fuzz_TARGET FILE...
 *        fuzz_TARGET --hex BYTES...
 *
 * Mutate inputs for some time, or run the ones in files, or some in hexadecimal.
 * The same seed gives the same inputs. An input that reaches code which none has
 * reached before is kept and mutated further. What crashes, fails an assertion or
 * takes ten seconds is printed, with the command that repeats it, and written to
 * crash-TARGET in the current directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sanitizer/common_interface_defs.h>

#include "fuzz.h"

#define CORPUS_MAX 4096
#define HANG_SECONDS 10
#define COVERAGE_BITS 16

struct input {
	size_t size;
	uint8_t *data;
};

static struct input corpus[CORPUS_MAX];
static unsigned int corpus_size;
static uint64_t random_state;

/* The input that runs now, for those who report on it. */
static uint8_t current[FUZZ_SIZE_MAX];
static size_t current_size;
static const char *target, *program;
static volatile sig_atomic_t runs_seen, runs_done;

static uint8_t coverage[1 << COVERAGE_BITS];
static bool coverage_new;

void __sanitizer_cov_trace_pc(void);

/* GCC calls this at the start of each basic block. */
void __sanitizer_cov_trace_pc(void)
{
	uintptr_t pc = (uintptr_t)__builtin_return_address(0);
	uint32_t at = (uint32_t)(pc * 2654435761u) >> (32 - COVERAGE_BITS);

	if (coverage[at])
		return;
	coverage[at] = 1;
	coverage_new = true;
}

/* For targets that have none. */
__attribute__((weak)) size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	(void)index;
	(void)data;
	return 0;
}

__attribute__((weak)) size_t fuzz_record(size_t *header)
{
	*header = 0;
	return 0;
}

/* Whole, so that a log is enough to repeat it. */
static void print_current(void)
{
	static const char digits[] = "0123456789abcdef";
	static char text[2 * FUZZ_SIZE_MAX + 1];

	for (size_t i = 0; i < current_size; i++) {
		text[2 * i] = digits[current[i] >> 4];
		text[2 * i + 1] = digits[current[i] & 15];
	}
	text[2 * current_size] = '\0';
	fprintf(stderr, "fuzz: to repeat it: %s --hex '%s'\n", program, text);
}

static void save_current(void)
{
	char path[256];
	ssize_t done = -1;
	int fd;

	snprintf(path, sizeof(path), "crash-%s", target);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		done = write(fd, current, current_size);
		close(fd);
	}
	fprintf(stderr, "fuzz: %s: %s of %zu bytes\n", path,
		done == (ssize_t)current_size ? "the input" :
		"could not be written: an input", current_size);
	print_current();
}

static void on_abort(int signal)
{
	(void)signal;
	save_current();
	_exit(1);
}

static void on_alarm(int signal)
{
	(void)signal;
	if (runs_done != runs_seen) {
		runs_seen = runs_done;
		alarm(HANG_SECONDS);
		return;
	}
	fprintf(stderr, "fuzz: an input takes more than %d s\n", HANG_SECONDS);
	save_current();
	_exit(1);
}

/* xorshift64*: good enough, and the same everywhere. */
static uint64_t random64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static size_t random_below(size_t limit)
{
	return limit ? (size_t)(random64() >> 16) % limit : 0;
}

static void corpus_add(const uint8_t *data, size_t size)
{
	struct input *input = &corpus[corpus_size];

	if (corpus_size == CORPUS_MAX)
		input = &corpus[random_below(CORPUS_MAX)];
	else
		corpus_size++;
	free(input->data);
	input->data = malloc(size + 1);
	input->size = input->data ? size : 0;
	if (input->data)
		memcpy(input->data, data, size);
}

/* On the heap and exactly as long as it is, so that ASAN sees its end. */
static void run_current(void)
{
	uint8_t *data = malloc(current_size ? current_size : 1);

	if (!data)
		return;
	memcpy(data, current, current_size);
	LLVMFuzzerTestOneInput(data, current_size);
	free(data);
	runs_done = (runs_done + 1) & 0xffffff;
}

static void put_number(uint8_t *at, size_t width)
{
	static const uint64_t interesting[] = {
		0, 1, 2, 15, 16, 17, 18, 0x7f, 0x80, 0xff, 0x100, 0xfff, 0x1000,
		0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		0xfffff000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
		0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
	};
	uint64_t value = interesting[random_below(sizeof(interesting) /
						  sizeof(interesting[0]))];

	if (!random_below(4))
		value += random_below(64) - 32;
	memcpy(at, &value, width);
}

static void mutate_splice(void)
{
	const struct input *other = &corpus[random_below(corpus_size)];
	size_t from = random_below(other->size), at = random_below(current_size);
	size_t size = random_below(other->size - from) + 1;

	if (!other->size)
		return;
	if (size > FUZZ_SIZE_MAX - at)
		size = FUZZ_SIZE_MAX - at;
	memcpy(current + at, other->data + from, size);
	if (at + size > current_size)
		current_size = at + size;
}

static void mutate_resize(void)
{
	size_t size = random_below(FUZZ_SIZE_MAX + 1);

	if (random_below(2))
		size = current_size + random_below(33) - 16;
	if (size > FUZZ_SIZE_MAX)
		return;
	if (size > current_size)
		memset(current + current_size, (int)random_below(256),
		       size - current_size);
	current_size = size;
}

/* Room for one more at @at, with a copy of another */
static void record_insert(size_t size, size_t at, size_t from)
{
	uint8_t copy[FUZZ_SIZE_MAX];

	if (current_size + size > FUZZ_SIZE_MAX)
		return;
	memcpy(copy, current + from, size);
	memmove(current + at + size, current + at, current_size - at);
	memcpy(current + at, copy, size);
	current_size += size;
	/* Its first bytes say what it is about. */
	if (random_below(4))
		current[at] = (uint8_t)random64();
	if (random_below(4))
		current[at + 1] = (uint8_t)random_below(8);
}

static void record_remove(size_t size, size_t at)
{
	memmove(current + at, current + at + size, current_size - at - size);
	current_size -= size;
}

/* A count or a size, more often a small one, in one of the first words */
static void record_number(size_t size, size_t at)
{
	uint32_t value = (uint32_t)random_below((size_t)1 << random_below(20));
	size_t words = size / sizeof(value);

	at += random_below(words < 8 ? words : 8) * sizeof(value);
	memcpy(current + at, &value, sizeof(value));
}

/* Return: whether the input has records. */
static bool mutate_record(void)
{
	size_t header, size = fuzz_record(&header), count, at, from;

	if (!size || current_size < header + size)
		return false;
	count = (current_size - header) / size;
	at = header + random_below(count) * size;
	from = header + random_below(count) * size;
	switch (random_below(6)) {
	case 0:
		record_remove(size, at);
		break;
	case 1:
		current[at] = (uint8_t)random64();
		break;
	case 2:
	case 3:
		record_number(size, at);
		break;
	default:
		record_insert(size, at, from);
		break;
	}
	return true;
}

static void mutate_once(void)
{
	static const size_t widths[] = { 1, 2, 4, 8 };
	size_t width = widths[random_below(4)];

	if (random_below(2) && mutate_record())
		return;
	switch (current_size < 8 ? 7 : random_below(8)) {
	case 0:
	case 1:
		current[random_below(current_size)] ^= 1 << random_below(8);
		break;
	case 2:
		current[random_below(current_size)] = (uint8_t)random64();
		break;
	case 3:
	case 4:
		put_number(current + random_below(current_size - width + 1),
			   width);
		break;
	case 5:
	case 6:
		mutate_splice();
		break;
	default:
		mutate_resize();
		break;
	}
}

static void next_input(void)
{
	const struct input *input = &corpus[random_below(corpus_size)];
	size_t changes = 1 + random_below(1 << random_below(5));

	current_size = input->size;
	if (input->size)
		memcpy(current, input->data, input->size);
	while (changes--)
		mutate_once();
}

static void run_seeds(void)
{
	unsigned int index = 0;

	corpus_add(current, 0);
	while ((current_size = fuzz_seed(index++, current))) {
		run_current();
		corpus_add(current, current_size);
	}
}

static void fuzz(unsigned int seconds, uint64_t seed)
{
	time_t end = time(NULL) + seconds;
	uint64_t runs = 0;
	unsigned int seeds;

	random_state = seed ? seed : 1;
	run_seeds();
	seeds = corpus_size - 1;
	while (time(NULL) < end) {
		for (int i = 0; i < 64; i++, runs++) {
			next_input();
			coverage_new = false;
			run_current();
			if (coverage_new)
				corpus_add(current, current_size);
		}
	}
	printf("fuzz: %s: %" PRIu64 " inputs in %u s from seed %" PRIu64
	       ", %u given, %u found\n", target, runs, seconds, seed, seeds,
	       corpus_size - 1 - seeds);
}

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno));
		return 1;
	}
	current_size = fread(current, 1, sizeof(current), file);
	fclose(file);
	run_current();
	printf("fuzz: %s: ok\n", path);
	return 0;
}

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	return c && at ? (int)(at - digits) : -1;
}

static int run_hex(const char *text)
{
	size_t size = strlen(text) / 2;
	bool good = size <= FUZZ_SIZE_MAX && !(strlen(text) % 2);

	for (size_t i = 0; good && i < size; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		good = high >= 0 && low >= 0;
		current[i] = (uint8_t)(high << 4 | low);
	}
	if (!good) {
		fprintf(stderr, "fuzz: --hex: not at most %d bytes of two digits\n",
			FUZZ_SIZE_MAX);
		return 2;
	}
	current_size = size;
	run_current();
	printf("fuzz: %zu bytes: ok\n", size);
	return 0;
}

static void setup(void)
{
	const char *name = strrchr(program, '/');
	struct sigaction alarm_action = { .sa_handler = on_alarm };
	struct sigaction abort_action = { .sa_handler = on_abort };

	target = name ? name + 1 : program;
	__sanitizer_set_death_callback(save_current);
	sigaction(SIGALRM, &alarm_action, NULL);
	sigaction(SIGABRT, &abort_action, NULL);
	alarm(HANG_SECONDS);
}

static int run_given(int argc, char **argv)
{
	bool hex = !strcmp(argv[1], "--hex");
	int failed = 0;

	for (int i = hex ? 2 : 1; i < argc; i++)
		failed |= hex ? run_hex(argv[i]) : run_file(argv[i]);
	return failed;
}

int main(int argc, char **argv)
{
	unsigned long seconds;
	int failed = 0;
	char *end;

	if (argc < 2) {
		fprintf(stderr, "usage: %s SECONDS [SEED] | FILE... | --hex BYTES...\n",
			argv[0]);
		return 2;
	}
	program = argv[0];
	setup();
	seconds = strtoul(argv[1], &end, 10);
	if (!*end && end != argv[1])
		fuzz((unsigned int)seconds,
		     argc > 2 ? strtoull(argv[2], NULL, 0) : 1);
	else
		failed = run_given(argc, argv);
	for (unsigned int i = 0; i < corpus_size; i++)
		free(corpus[i].data);
	return failed;
}
