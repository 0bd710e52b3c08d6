/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fuzz target is a file in this folder with LLVMFuzzerTestOneInput(), and if
 * it helps fuzz_seed(). `make fuzz` finds it, links it with driver.c and with all
 * of gmemctl but its main(), and runs it. The function is libFuzzer's, so that
 * clang -fsanitize=fuzzer can be used instead of driver.c.
 */
#ifndef GMEMCTL_TEST_FUZZ_FUZZ_H
#define GMEMCTL_TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The longest input that is tried. */
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

/**
 * fuzz_seed() - a good input to start from
 * @index: 0, 1, ... until it returns 0
 * @data: FUZZ_SIZE_MAX bytes
 *
 * A target without it starts from nothing.
 *
 * Return: the size of the input, or 0 if there is none.
 */
size_t fuzz_seed(unsigned int index, uint8_t *data);

/**
 * fuzz_record() - how an input is made of records, for inputs that are sequences
 * @header: bytes before the first one
 *
 * Records are then moved, copied and removed as a whole, besides other changes.
 *
 * Return: the size of one. A target without it has none.
 */
size_t fuzz_record(size_t *header);

#define FUZZ_ASSERT(claim) \
	((claim) ? (void)0 : fuzz_failed(#claim, __FILE__, __LINE__))

static inline __attribute__((noreturn)) void
fuzz_failed(const char *claim, const char *file, int line)
{
	fprintf(stderr, "fuzz: %s:%d: does not hold: %s\n", file, line, claim);
	abort();
}

#endif /* GMEMCTL_TEST_FUZZ_FUZZ_H */
