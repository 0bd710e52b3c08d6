// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks: load the modules, then run /usr/bin/gmem_bench with the cases in
 * GMEM_BENCH=.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "init.h"

#define PROGRAM		"/usr/bin/gmem_bench"
#define TIMEOUT		900
#define CASES_MAX	16

static void bench_line(void *ctx, bool is_stderr, const char *line)
{
	(void)ctx;
	port_line("%s%s", is_stderr ? "# stderr: " : "", line);
}

/* Return: the exit status of the program, for the host's last line. */
int bench_run(const struct module_list *modules)
{
	char *argv[CASES_MAX + 2] = { (char *)PROGRAM };
	char *name = getenv("GMEM_BENCH"), *save;
	int64_t deadline = now_ms() + TIMEOUT * 1000LL;
	unsigned int i;
	int status;

	module_load_own(modules);
	kmsg_mark("bench");
	name = name ? strtok_r(name, ",", &save) : NULL;
	for (i = 1; name && i <= CASES_MAX; i++) {
		argv[i] = name;
		name = strtok_r(NULL, ",", &save);
	}
	status = spawn(argv, &deadline, bench_line, NULL);
	if (kmsg_judge()) {
		port_line("# fail: the kernel complained, see above");
		return 1;
	}
	if (status < 0 || WIFSIGNALED(status)) {
		port_line("# fail: " PROGRAM ": %s", status < 0 ?
			  "timed out" : strsignal(WTERMSIG(status)));
		return 1;
	}
	return WEXITSTATUS(status);
}
