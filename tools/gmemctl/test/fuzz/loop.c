// SPDX-License-Identifier: GPL-2.0
/*
 * Where clang has no libFuzzer: the seeds of the target with random changes, again and
 * again. It takes libFuzzer's -max_total_time=SECONDS and -seed=N, and FILE... to run just
 * these; it says at the end what libFuzzer says, and leaves an input that fails where that
 * would. It does not see what an input has reached.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <sanitizer/common_interface_defs.h>

#include "fuzz.h"

#define HANG_SECONDS 10

static uint8_t current[FUZZ_SIZE_MAX];
static size_t current_size;
static const char *target;
static uint64_t state;

/* xorshift64*: good enough, and the same everywhere. */
static size_t below(size_t limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return limit ? (size_t)(state * UINT64_C(2685821657736338717) >> 16) % limit : 0;
}

static void save_current(void)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s-crash", target);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0 && write(fd, current, current_size) == (ssize_t)current_size)
		fprintf(stderr, "Test unit written to %s\n", path);
	close(fd);
}

static void on_signal(int signal)
{
	fprintf(stderr, "fuzz: %s\n", strsignal(signal));
	save_current();
	_exit(1);
}

/* A number that is at some border, or a byte that is any */
static void put_number(uint8_t *data, size_t size)
{
	static const uint64_t borders[] = {
		0, 1, 0x7f, 0xff, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xfffff000, 0xffffffff, 0x100000000, INT64_MAX, UINT64_MAX,
	};
	uint64_t value = borders[below(sizeof(borders) / sizeof(borders[0]))] + below(3) - 1;
	size_t width = (size_t)1 << below(4);

	if (width <= size)
		memcpy(data + below(size - width + 1), &value, width);
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	size_t new = size + below(33) - 16;

	switch (size ? below(4) : 3) {
	case 0:
		data[below(size)] ^= 1 << below(8);
		return size;
	case 1:
		data[below(size)] = (uint8_t)below(256);
		return size;
	case 2:
		put_number(data, size);
		return size;
	default:
		if (new > max)
			return size;
		if (new > size)
			memset(data + size, (int)below(256), new - size);
		return new;
	}
}

/* For targets that have none. */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
						     unsigned int seed)
{
	return LLVMFuzzerMutate(data, size, max);
}

/* On the heap and exactly as long as it is, so that ASAN sees its end. */
static void run_current(void)
{
	uint8_t *data = malloc(current_size ? current_size : 1);

	FUZZ_ASSERT(data);
	memcpy(data, current, current_size);
	alarm(HANG_SECONDS);
	LLVMFuzzerTestOneInput(data, current_size);
	free(data);
}

static bool run_file(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return false;
	}
	current_size = fread(current, 1, sizeof(current), file);
	fclose(file);
	run_current();
	return true;
}

static unsigned int count_seeds(void)
{
	unsigned int count = 0;

	while (fuzz_seed(count, current))
		count++;
	return count;
}

static void loop(long seconds)
{
	time_t begin = time(NULL);
	unsigned int seeds = count_seeds();
	unsigned long runs;

	for (runs = 0; time(NULL) < begin + seconds; runs++) {
		size_t changes = runs < seeds ? 0 : (size_t)1 << below(6);

		current_size = seeds ? fuzz_seed(runs < seeds ? runs : below(seeds), current) : 0;
		while (changes--)
			current_size = LLVMFuzzerCustomMutator(current, current_size, FUZZ_SIZE_MAX,
							       (unsigned int)below(UINT32_MAX));
		run_current();
	}
	fprintf(stderr, "Done %lu runs in %ld second(s)\n", runs, (long)(time(NULL) - begin));
}

/* libFuzzer's options; what it has besides does not matter here. */
static void take_option(const char *option, long *seconds)
{
	if (!strncmp(option, "-max_total_time=", 16))
		*seconds = atol(option + 16);
	else if (!strncmp(option, "-seed=", 6))
		state = strtoull(option + 6, NULL, 0);
}

int main(int argc, char **argv)
{
	struct stat status;
	bool failed = false, files = false;
	long seconds = 10;

	target = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	__sanitizer_set_death_callback(save_current);
	signal(SIGALRM, on_signal);
	signal(SIGABRT, on_signal);
	for (int i = 1; i < argc; i++) {
		if (*argv[i] == '-')
			take_option(argv[i], &seconds);
		else if (stat(argv[i], &status) || !S_ISDIR(status.st_mode))
			files = true;
	}
	state = state ? state : 1;
	for (int i = 1; files && i < argc; i++)
		failed |= *argv[i] != '-' && !run_file(argv[i]);
	if (!files)
		loop(seconds);
	return failed;
}
