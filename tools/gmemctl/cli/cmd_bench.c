// SPDX-License-Identifier: GPL-2.0
/* Runs gmem_bench of selftests/bench/ on this host, and shows its results. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "out.h"

#define PROGRAM	"gmem_bench"
#define NOT_RUN	127	/* an exit code that gmem_bench does not use */

static void __attribute__((noreturn))
execute(const char *path, const char *cases, int output)
{
	if (dup2(output, STDOUT_FILENO) >= 0)
		execl(path, PROGRAM, cases, NULL);
	_exit(NOT_RUN);
}

/* Return: its wait status, or a negative errno. */
static int run(const char *path, const char *cases)
{
	int fds[2], status;
	FILE *stream;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (!pid)
		execute(path, cases, fds[1]);
	close(fds[1]);
	stream = fdopen(fds[0], "r");
	if (pid > 0 && stream)
		bench_rows_show(stream);
	if (stream)
		fclose(stream);
	if (pid < 0 || !stream || waitpid(pid, &status, 0) != pid)
		return -EAGAIN;
	return status;
}

static int bench_main(const struct command *command, void *arguments)
{
	const char *const *cases = arguments;
	struct utsname host;
	char path[PATH_MAX];
	struct error error;
	unsigned int abi;
	int rc;

	if (modules_check_abi(&abi, &error))
		return out_error_report(&error);
	if (!modules_loaded("gmem_kvm", NULL))
		out_warning("gmem_kvm", "not loaded: nothing is measured of guests and views; "
			    "`gmemctl load`");
	if (process_find(PROGRAM, "selftests/", path, &error))
		return out_error_report(&error);
	if (!uname(&host)) {
		out_string(out_root(), "gmemctl", GMEM_VERSION);
		out_string(out_root(), "kernel", host.release);
		out_text("gmem %s on %s\n\n", GMEM_VERSION, host.release);
	}
	rc = run(path, *cases);
	/* gmem_bench has reported its own failures, unless it did not run. */
	if (rc < 0 || !WIFEXITED(rc) || WEXITSTATUS(rc) == NOT_RUN)
		out_error(PROGRAM, "run", rc < 0 ? rc : 0, NULL);
	return rc ? EXIT_CODE_FAILURE : EXIT_CODE_OK;
}

static const struct cli_option bench_options[] = {
	{ "CASES", NULL, option_text, .optional = true },
	{ 0 }
};

const struct command command_bench = {
	.name = "bench",
	.run = bench_main,
	.size = sizeof(char *),
	.summary = "measure what gmem costs on this host",
	.about = "Measures the time that operations of gmem take on this host, compared with "
		 "memfd and with copying: the time for one page, and the spread. CASES is a shell "
		 "pattern for the names of cases, such as 'view.*'.",
	.options = bench_options,
	.examples = "gmemctl bench\n"
		    "gmemctl bench 'view.*'\n"
		    "gmemctl bench --json",
};
