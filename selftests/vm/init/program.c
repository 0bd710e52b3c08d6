// SPDX-License-Identifier: GPL-2.0
/*
 * The selftest programs: all /selftests/<topic>_test and <topic>_test.sh. Their KTAP is
 * printed one level deeper. init adds a line that says whether the program has kept its
 * plan, and one about messages of the kernel.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

/* `make check` uses another directory. */
#ifndef DIR_NAME
#define DIR_NAME	"/selftests"
#endif
#ifndef KINDS_DIR
#define KINDS_DIR	"/etc/programs"
#endif

/* Taints of out-of-tree, unsigned and test modules. */
#define TAINT_EXPECTED	((1ULL << 12) | (1ULL << 13) | (1ULL << 18))

/* A line of programs that have lost time without a fault of their own (ksft_excuse.h). */
#define TIME_LOST	"# time lost: "

struct program {
	long planned;		/* -1: no plan seen */
	unsigned int reported, failed, skipped;
	bool bailed;
	char skip_reason[200];
	int64_t timeout_ms;	/* for each result */
	int64_t deadline;	/* in the unit of now_ms(), like @counted */
	int64_t counted;	/* lost time before this has been granted */
	int64_t spare_ms;	/* time that may still be granted */
};

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), slen = strlen(suffix);

	return len > slen && !strcmp(name + len - slen, suffix);
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static unsigned int env_number(const char *name, unsigned int fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 10) : fallback;
}

/* Whether a list of names contains this name. */
static bool program_listed(const char *path, const char *name)
{
	static char text[16384];
	size_t len = strlen(name);
	const char *at = text;

	if (file_read(path, text, sizeof(text)) < 0)
		return false;
	for (; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (!strncmp(at, name, len) && at[len] == '\n')
			return true;
	return false;
}

/* The host lists programs that need two CPUs, and programs that count instructions. */
static const char *program_kind(const char *name)
{
	if (program_listed(KINDS_DIR "/two", name))
		return "two";
	return program_listed(KINDS_DIR "/count", name) ? "count" : "one";
}

/* Whether this VM runs the program, if the kernel has a VM for each kind of program. */
static bool program_wanted(const char *name)
{
	const char *kind = getenv("GMEM_PROGRAMS");

	if (!has_suffix(name, "_test") && !has_suffix(name, "_test.sh"))
		return false;
	return !kind || !strcmp(kind, program_kind(name));
}

int program_list_read(struct program_list *list)
{
	DIR *dir = opendir(DIR_NAME);
	struct dirent *d;
	void *grown;

	memset(list, 0, sizeof(*list));
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((d = readdir(dir))) {
		if (!program_wanted(d->d_name))
			continue;
		grown = realloc(list->name,
				(list->count + 1) * sizeof(*list->name));
		if (!grown)
			break;
		list->name = grown;
		strcpy(list->name[list->count++], d->d_name);
	}
	closedir(dir);
	if (list->count)
		qsort(list->name, list->count, sizeof(*list->name),
		      name_compare);
	return 0;
}

/* A program that makes progress gets a new deadline: the host may only be busy. */
static void program_result(struct program *p, bool ok)
{
	p->reported++;
	p->failed += !ok;
	p->counted = now_ms();
	if (p->deadline < p->counted + p->timeout_ms)
		p->deadline = p->counted + p->timeout_ms;
}

/*
 * Grant more time after lost time. It is at most the time since the last grant or the
 * last result, so that the host, which sees the same line, does not have to wait longer
 * without output. In total it is at most the timeout of a result.
 */
static void program_grant(struct program *p, int64_t lost_ms)
{
	int64_t now = now_ms(), ms = now - p->counted;

	if (ms > lost_ms)
		ms = lost_ms;
	if (ms > p->spare_ms)
		ms = p->spare_ms;
	if (ms < 0)
		ms = 0;
	p->counted = now;
	p->spare_ms -= ms;
	p->deadline += ms;
}

static void program_line(void *ctx, bool is_stderr, const char *line)
{
	struct program *p = ctx;
	const char *skip;

	if (is_stderr) {
		port_line("    # stderr: %s", line);
		return;
	}
	port_line("    %s", line);
	skip = strstr(line, "# SKIP");
	if (!strncmp(line, "1..", 3)) {
		p->planned = strtol(line + 3, NULL, 10);
		if (skip && !p->planned)
			snprintf(p->skip_reason, sizeof(p->skip_reason), "%s",
				 skip + strlen("# SKIP"));
	} else if (!strncmp(line, "ok ", 3)) {
		program_result(p, true);
		p->skipped += !!skip;
	} else if (!strncmp(line, "not ok ", 7)) {
		program_result(p, false);
	} else if (!strncmp(line, "Bail out!", 9)) {
		p->bailed = true;
	} else if (!strncmp(line, TIME_LOST, strlen(TIME_LOST))) {
		program_grant(p, strtol(line + strlen(TIME_LOST), NULL, 10));
	}
}

/* Return: why the program as a whole has failed, or NULL. */
static const char *program_fault(const struct program *p, int status,
				 char *buf, size_t size)
{
	if (status == SPAWN_TIMED_OUT)
		return "timed out; blocked tasks are on the console";
	if (status == SPAWN_UNKILLABLE)
		return "does not die; blocked tasks are on the console";
	if (WIFSIGNALED(status)) {
		snprintf(buf, size, "killed by signal %d", WTERMSIG(status));
		return buf;
	}
	if (p->bailed)
		return "bailed out";
	if (p->planned < 0 && !p->reported) {
		snprintf(buf, size, "no result at all, exit %d",
			 WEXITSTATUS(status));
		return buf;
	}
	if (p->planned >= 0 && (unsigned long)p->planned != p->reported) {
		snprintf(buf, size, "planned %ld results, reported %u, exit %d",
			 p->planned, p->reported, WEXITSTATUS(status));
		return buf;
	}
	if (p->failed)
		return "has failed cases";
	if (WEXITSTATUS(status) && WEXITSTATUS(status) != 4) {
		snprintf(buf, size, "exit %d without a failed case",
			 WEXITSTATUS(status));
		return buf;
	}
	return NULL;
}

static int program_spawn(const char *name, struct program *p)
{
	char path[512];
	char *direct[] = { path, NULL };
	char *shell[] = { (char *)"/bin/sh", path, NULL };
	unsigned int timeout;

	snprintf(path, sizeof(path), DIR_NAME "/%s", name);
	timeout = env_number("GMEM_TIMEOUT", 120) +
		  env_number("GMEM_STRESS_SECONDS", 0) +
		  env_number("GMEM_FUZZ_SECONDS", 0);
	p->timeout_ms = timeout * 1000LL;
	p->spare_ms = p->timeout_ms;
	p->counted = now_ms();
	p->deadline = p->counted + p->timeout_ms;
	return spawn(has_suffix(name, ".sh") ? shell : direct, &p->deadline,
		     program_line, p);
}

static void kernel_check(const char *name, uint64_t taint)
{
	unsigned int complaints = kmsg_judge();
	uint64_t added = taint_read() & ~taint & ~TAINT_EXPECTED;

	if (added)
		port_line("# %s: the kernel is newly tainted: %#llx", name,
			  (unsigned long long)added);
	result(!complaints && !added, "%s: dmesg clean", name);
}

/* Print a line about the program, and one about messages of the kernel. */
void program_run(const char *file)
{
	struct program p = { .planned = -1 };
	uint64_t taint = taint_read();
	char buf[128], mark[300], name[256];
	int64_t start = now_ms();
	const char *fault;
	int status;

	snprintf(name, sizeof(name), "%s", file);
	name[strcspn(name, ".")] = '\0';
	snprintf(mark, sizeof(mark), "start %s", name);
	kmsg_mark(mark);
	port_line("# Subtest: %s", name);
	status = program_spawn(file, &p);
	fault = program_fault(&p, status, buf, sizeof(buf));
	port_line("# %s: took %lld s", name,
		  (long long)(now_ms() - start + 500) / 1000);
	if (fault)
		port_line("# %s: %s", name, fault);
	if (!fault && !p.reported && p.planned == 0)
		result(true, "%s # SKIP%s", name, p.skip_reason);
	else
		result(!fault, "%s", name);
	kernel_check(name, taint);
}
