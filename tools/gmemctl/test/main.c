// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct unit_tests *files;
static unsigned int number, failed, skips;	/* of tests */
static unsigned int checks, failures;		/* of the running one */
static unsigned int part, part_failures;	/* of its parts */
static char skipped[512];

void unit_check(bool ok, const char *claim, const char *file, int line)
{
	checks++;
	if (ok)
		return;
	failures++;
	printf("# %s:%d: does not hold: %s\n", file, line, claim);
}

unsigned int unit_failures(void)
{
	return failures;
}

void unit_skip(const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	vsnprintf(skipped, sizeof(skipped), reason, args);
	va_end(args);
	printf("# skipped: %s\n", skipped);
}

void unit_part(const char *name, ...)
{
	va_list args;

	printf("    %sok %u ", failures > part_failures ? "not " : "", ++part);
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	putchar('\n');
	part_failures = failures;
}

void unit_register(struct unit_tests *tests)
{
	struct unit_tests **link = &files;

	/* By name: the order of constructors is the linker's affair. */
	while (*link && strcmp((*link)->tests->name, tests->tests->name) < 0)
		link = &(*link)->next;
	tests->next = *link;
	*link = tests;
}

/* Whether this run is to have the test: all of them, or those of a topic. */
static bool wanted(const struct unit_test *test, const char *prefix)
{
	return !prefix || !strncmp(test->name, prefix, strlen(prefix));
}

static unsigned int count(const char *prefix)
{
	unsigned int nr = 0;

	for (const struct unit_tests *file = files; file; file = file->next)
		for (unsigned int i = 0; i < file->nr; i++)
			nr += wanted(&file->tests[i], prefix);
	return nr;
}

static void run(const struct unit_test *test)
{
	bool skip;

	checks = 0;
	failures = 0;
	part = 0;
	part_failures = 0;
	skipped[0] = '\0';
	test->run();
	if (part)
		printf("    1..%u\n", part);
	skip = skipped[0] && !checks;
	number++;
	printf("%sok %u %s%s%s\n", failures ? "not " : "", number, test->name,
	       skip ? " # SKIP " : "", skip ? skipped : "");
	failed += !!failures;
	skips += skip;
}

/* gmemctl_unit_test [PREFIX]: the tests whose names begin so, or all. */
int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%u\n", count(prefix));
	for (const struct unit_tests *file = files; file; file = file->next)
		for (unsigned int i = 0; i < file->nr; i++)
			if (wanted(&file->tests[i], prefix))
				run(&file->tests[i]);
	printf("# Totals: pass:%u fail:%u skip:%u\n", number - failed - skips,
	       failed, skips);
	return failed || !number;
}
