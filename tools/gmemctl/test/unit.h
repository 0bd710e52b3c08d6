/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of gmemctl's own logic, without KVM and without gmem: what the kernel
 * would answer comes from a call table of the test.
 */
#ifndef GMEMCTL_TEST_UNIT_H
#define GMEMCTL_TEST_UNIT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/** unit_check() - a claim of the running test; a false one fails it */
void unit_check(bool ok, const char *claim, const char *file, int line);

/** unit_check_equal() - the same; a false one shows both values */
static inline void unit_check_equal(bool equal, uint64_t is, uint64_t expected,
				    const char *claim, const char *file, int line)
{
	char text[512];

	snprintf(text, sizeof(text), "%s: it is %" PRId64 " (0x%" PRIx64 "), "
		 "expected %" PRId64 " (0x%" PRIx64 ")", claim, (int64_t)is, is,
		 (int64_t)expected, expected);
	unit_check(equal, equal ? claim : text, file, line);
}

/** unit_check_text() - the same of two strings */
static inline void unit_check_text(const char *is, const char *expected,
				   const char *claim, const char *file, int line)
{
	bool equal = is && expected && !strcmp(is, expected);
	char text[1024];

	snprintf(text, sizeof(text), "%s: it is '%.400s', expected '%.400s'",
		 claim, is ? is : "(null)", expected ? expected : "(null)");
	unit_check(equal, equal ? claim : text, file, line);
}

/** unit_failures() - claims of the running test that were false */
unsigned int unit_failures(void);

/**
 * unit_skip() - say why a part of the running test cannot be done here
 *
 * A test that has skipped something and checked nothing counts as skipped.
 */
void unit_skip(const char *reason, ...) __attribute__((format(printf, 1, 2)));

/**
 * unit_part() - a part of the running test is done, and counted by name
 *
 * It has failed if a claim since the part before was false.
 */
void unit_part(const char *name, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(claim) unit_check(claim, #claim, __FILE__, __LINE__)

/*
 * Of numbers or pointers. Each side is evaluated once; they compare as they would
 * without this, a number that is expected being a constant mostly.
 */
#define CHECK_EQ(is, expected) do {					\
	__auto_type is_ = (is);						\
	__auto_type expected_ = (expected);				\
									\
	_Pragma("GCC diagnostic push")					\
	_Pragma("GCC diagnostic ignored \"-Wsign-compare\"")		\
	unit_check_equal(is_ == expected_, (uint64_t)is_,		\
			 (uint64_t)expected_, #is " == " #expected,	\
			 __FILE__, __LINE__);				\
	_Pragma("GCC diagnostic pop")					\
} while (0)

#define CHECK_STR(is, expected)						\
	unit_check_text(is, expected, #is " is " #expected, __FILE__, __LINE__)

/**
 * struct unit_test - one test of a file's table
 * @name: topic and what is tested, "size.good"
 * @run: makes claims with CHECK()
 */
struct unit_test {
	const char *name;
	void (*run)(void);
};

/**
 * struct unit_tests - the table of one file
 * @tests: what is run, in this order
 * @nr: their number
 * @next: the table of another file
 */
struct unit_tests {
	const struct unit_test *tests;
	unsigned int nr;
	struct unit_tests *next;
};

/** unit_register() - have a file's tests run; UNIT_TESTS() calls it */
void unit_register(struct unit_tests *tests);

/* At the end of each file: its table adds itself before main() starts. */
#define UNIT_TESTS(table)						\
static void __attribute__((constructor)) unit_tests_register(void)	\
{									\
	static struct unit_tests tests_of_file = {			\
		.tests = table,						\
		.nr = sizeof(table) / sizeof((table)[0]),		\
	};								\
									\
	unit_register(&tests_of_file);					\
}

#endif /* GMEMCTL_TEST_UNIT_H */
