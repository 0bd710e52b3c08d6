/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fuzz target is a file in this folder with LLVMFuzzerTestOneInput(), and if it helps
 * fuzz_seed(). `make fuzz` finds it, links it with all of gmemctl but its main(), and runs
 * it: with libFuzzer where clang has it, and else with loop.c, which takes the same options
 * and finds less.
 */
#ifndef GMEMCTL_TEST_FUZZ_FUZZ_H
#define GMEMCTL_TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest input that is tried: -max_len= of libFuzzer, too. */
#define FUZZ_SIZE_MAX 16384

/**
 * LLVMFuzzerTestOneInput() - feed one input to what is tested
 *
 * It must not crash, hang, leak, or read beyond @data. What has to hold besides
 * is said with FUZZ_ASSERT().
 *
 * Return: 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** LLVMFuzzerInitialize() - called once, with the arguments of main() */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/**
 * LLVMFuzzerCustomMutator() - change an input, for a target whose inputs are sequences
 * @size: bytes of @data, which has room for @max
 * @seed: where what is random comes from
 *
 * A target may have it; LLVMFuzzerMutate() is how an input is changed without it.
 *
 * Return: the new size.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/**
 * fuzz_seed() - a good input to start from
 * @index: 0, 1, ... until it returns 0
 * @data: FUZZ_SIZE_MAX bytes
 *
 * Return: the size of the input, or 0 if there is none.
 */
size_t fuzz_seed(unsigned int index, uint8_t *data);

#define FUZZ_ASSERT(claim) \
	((claim) ? (void)0 : fuzz_failed(#claim, __FILE__, __LINE__))

static inline __attribute__((noreturn)) void
fuzz_failed(const char *claim, const char *file, int line)
{
	fprintf(stderr, "fuzz: %s:%d: does not hold: %s\n", file, line, claim);
	abort();
}

/** FUZZ_SEED_TEXTS() - fuzz_seed() of a target whose inputs are texts */
#define FUZZ_SEED_TEXTS(...)							\
	size_t fuzz_seed(unsigned int index, uint8_t *data)			\
	{									\
		static const char *const seeds[] = { __VA_ARGS__ };		\
										\
		if (index >= sizeof(seeds) / sizeof(seeds[0]))			\
			return 0;						\
		memcpy(data, seeds[index], strlen(seeds[index]));		\
		return strlen(seeds[index]);					\
	}

/** fuzz_text() - an input as a string, to be freed */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_ASSERT(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/**
 * fuzz_mutate_steps() - LLVMFuzzerCustomMutator() of an input that is a byte, and then steps of
 *	one size: one that is there is put before another one, or one is taken out
 * @change: NULL, or what is done to a step that is put in
 */
static inline size_t fuzz_mutate_steps(uint8_t *data, size_t size, size_t max, unsigned int seed,
				       size_t step, void (*change)(void *step, unsigned int random))
{
	unsigned int random = seed * 2654435761U;
	size_t count = size ? (size - 1) / step : 0, at, from;
	uint8_t *steps = data + 1, copy[256];

	FUZZ_ASSERT(step <= sizeof(copy));
	if (!count || random >> 30)
		return LLVMFuzzerMutate(data, size, max);
	at = (random >> 12 & 0xffff) % count;
	from = (random >> 4 & 0xffff) % count;
	if (random >> 28 & 1) {
		count--;
		memmove(steps + at * step, steps + (at + 1) * step, (count - at) * step);
	} else if (1 + (count + 1) * step <= max) {
		memcpy(copy, steps + from * step, step);
		if (change)
			change(copy, random);
		memmove(steps + (at + 1) * step, steps + at * step, (count - at) * step);
		memcpy(steps + at * step, copy, step);
		count++;
	}
	return 1 + count * step;
}

/** struct fuzz_steps - such an input in the making */
struct fuzz_steps {
	uint8_t *data;
	size_t size;
};

static inline void fuzz_add_step(struct fuzz_steps *steps, const void *step, size_t size)
{
	memcpy(steps->data + steps->size, step, size);
	steps->size += size;
}

#endif /* GMEMCTL_TEST_FUZZ_FUZZ_H */
