// SPDX-License-Identifier: GPL-2.0
/*
 * The KUnit suites of gmem_test.ko and pvmemcontrol_test.ko: each of their cases becomes
 * a case of this program. Some kernels run them when the module is loaded, others on
 * request.
 *
 * It does not use the macros of ksft.h, because only the kernel knows the names of the
 * cases.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gmem_utils.h"

#define KUNIT_DIR "/sys/kernel/debug/kunit"
#define RESULTS_SIZE 65536

enum { EXIT_SKIP = 4 };

struct kunit_total {
	unsigned int suites;
	unsigned int planned;
	unsigned int reported;
	unsigned int failed;
};

typedef void (*line_fn)(const char *suite, const char *line,
			struct kunit_total *total);

static bool is_result(const char *line)
{
	return !strncmp(line, "ok ", 3) || !strncmp(line, "not ok ", 7);
}

static void count_line(const char *suite, const char *line,
		       struct kunit_total *total)
{
	if (!strncmp(line, "1..", 3))
		total->planned += strtoul(line + 3, NULL, 10);
	total->reported += is_result(line);
}

/* Print "ok 3 name" or "not ok 3 name" with a number of this program. */
static void forward_line(const char *suite, const char *line,
			 struct kunit_total *total)
{
	bool failed = !strncmp(line, "not ok ", 7);
	const char *name;

	if (!is_result(line)) {
		if (strncmp(line, "KTAP", 4) && strncmp(line, "1..", 3) &&
		    strncmp(line, "# Subtest", 9))
			printf("# %s: %s\n", suite, line);
		return;
	}
	name = strchr(line + (failed ? 7 : 3), ' ');
	total->reported++;
	total->failed += failed;
	printf("%s %u %s.%s\n", failed ? "not ok" : "ok", total->reported,
	       suite, name ? name + 1 : "?");
}

/* Lines of the suite are indented by four spaces, those of parameters by more. */
static int suite_lines(const char *suite, line_fn fn, struct kunit_total *total)
{
	static char text[RESULTS_SIZE];
	char path[512], *line, *save;
	int rc;

	snprintf(path, sizeof(path), KUNIT_DIR "/%s/results", suite);
	rc = gmem_read_file(path, text, sizeof(text));
	if (rc < 0)
		return rc;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "    ", 4))
			fn(suite, line + 4, total);
	return 0;
}

/* Run a suite that has not run yet. */
static int suite_count(const char *suite, struct kunit_total *total)
{
	struct kunit_total own = { 0 };
	char path[512];
	int rc = suite_lines(suite, count_line, &own);

	total->planned += own.planned;
	if (rc || own.reported)
		return rc;
	snprintf(path, sizeof(path), KUNIT_DIR "/%s/run", suite);
	return gmem_write_file(path, "1");
}

static int suite_forward(const char *suite, struct kunit_total *total)
{
	return suite_lines(suite, forward_line, total);
}

/* Whether a suite is in gmem_test.ko or pvmemcontrol_test.ko */
static bool is_suite(const char *name)
{
	return !strncmp(name, "gmem_", 5) || !strncmp(name, "pvmemcontrol_", 13);
}

typedef int (*suite_fn)(const char *suite, struct kunit_total *total);

static int each_suite(suite_fn fn, struct kunit_total *total)
{
	DIR *dir = opendir(KUNIT_DIR);
	struct dirent *d;
	int rc = 0;

	if (!dir)
		return -errno;
	total->suites = 0;
	while (!rc && (d = readdir(dir))) {
		if (!is_suite(d->d_name))
			continue;
		total->suites++;
		rc = fn(d->d_name, total);
	}
	closedir(dir);
	return rc;
}

/* Return: NULL, or why there are no results. */
static const char *kunit_unavailable(int rc, const struct kunit_total *total)
{
	if (rc == -ENOENT)
		return "no " KUNIT_DIR ": the kernel has no KUnit";
	if (rc)
		return "results of KUnit cannot be read: run as root";
	if (!total->suites)
		return "no suite of gmem: boot with kunit.enable=1, load gmem_test.ko and "
		       "pvmemcontrol_test.ko";
	return NULL;
}

static int unavailable(const char *why)
{
	const char *require = getenv("GMEM_REQUIRE");

	if (require && !strcmp(require, "all")) {
		printf("Bail out! %s\n", why);
		return EXIT_FAILURE;
	}
	printf("1..0 # SKIP %s\n", why);
	return EXIT_SKIP;
}

int main(void)
{
	struct kunit_total total = { 0 };
	const char *why;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	rc = each_suite(suite_count, &total);
	why = kunit_unavailable(rc, &total);
	if (why)
		return unavailable(why);

	printf("1..%u\n", total.planned);
	total.reported = 0;
	rc = each_suite(suite_forward, &total);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n",
	       total.reported - total.failed, total.failed);
	if (rc || !total.reported || total.failed ||
	    total.reported != total.planned)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
