// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl exec`: command lines that it refuses; and its library before programs
 * that have nothing to do with gmem, and before the simulated host.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload.h"
#include "ksft.h"

#define LIBRARY	"libgmem-exec.so"
#define SIM	"gmemctl-sim.so"
#define OUTPUT	65536

static char output[OUTPUT];

static int run(const char *const words[])
{
	int status = preload_run("gmemctl", words, NULL, output, sizeof(output));

	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Refused as wrong usage, in a line that begins with what is wrong. */
static bool refused(const char *begin, const char *const words[])
{
	char line[64];
	int code = run(words);

	snprintf(line, sizeof(line), "gmemctl: %s: ", begin);
	if (code == 2 && !strncmp(output, line, strlen(line)))
		return true;
	printf("# exit code %d, expected '%s': %s\n", code, line, output);
	return false;
}

#define REFUSED(begin, ...) \
	EXPECT_TRUE(refused(begin, (const char *const[]){ "exec", __VA_ARGS__, NULL }))

TEST_OF(exec_cli, usage)
{
	REFUSED("PROGRAM", "--memory-size", "1M");
	REFUSED("PROGRAM", "--");
	REFUSED("PROGRAM", "--verbose", "--");
	REFUSED("--memory-size", "--memory-size", "1M1", "true");
	REFUSED("--memory-size", "--memory-size", "1000", "--", "true");
	REFUSED("--memory-size", "--memory-size=99999999T", "true");
	REFUSED("--fd", "--fd", "1", "--memory-size", "4K", "true");
	REFUSED("--fd", "--fd", "65536", "true");
	REFUSED("--fd", "--fd", "-1", "true");
	REFUSED("--name", "--name", "a b", "true");
	REFUSED("--name", "--name", "-a", "true");
	REFUSED("--convert-timeout", "--convert-timeout", "60001", "true");
	REFUSED("--size", "--size", "4K", "true");
	REFUSED("--memory", "--memory", "4K", "true");
	REFUSED("--verbose=1", "--verbose=1", "true");
}

/* What comes after the program is the program's, with and without "--". */
TEST_OF(exec_cli, words)
{
	static const char *const words[][6] = {
		{ "exec", "true", "--fd", "x" },
		{ "exec", "--name", "a", "true", "-m" },
		{ "exec", "--", "--no-such-program" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		EXPECT_NE(run(words[i]), 2);
}

/* The folder of the running program, where all that was built is. */
static bool folder(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (length < 0)
		return false;
	path[length] = '\0';
	*strrchr(path, '/') = '\0';
	return true;
}

/* Run a program of that folder with libraries of it. Return: its exit code. */
static int run_with(const char *libraries, const char *variables,
		    const char *command, char *said, size_t size)
{
	char path[PATH_MAX], line[PATH_MAX + 512];
	size_t used = 0, got;
	FILE *pipe;
	int status;

	if (!folder(path))
		return -1;
	snprintf(line, sizeof(line), "cd '%s' && env LD_LIBRARY_PATH=. "
		 "ASAN_OPTIONS=verify_asan_link_order=0 %s LD_PRELOAD='%s' "
		 "%s 2>&1", path, variables, libraries, command);
	fflush(NULL);
	pipe = popen(line, "r");
	while (pipe && (got = fread(said + used, 1, size - 1 - used, pipe)))
		used += got;
	said[used] = '\0';
	status = pipe ? pclose(pipe) : -1;
	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A program without a VM finds all as it was, and hears nothing of it. */
TEST_OF(exec_cli, idle)
{
	EXPECT_FALSE(run_with(LIBRARY, "", "sh -c 'echo out; exit 0'", output, OUTPUT));
	EXPECT_STREQ(output, "out\n");
	EXPECT_NE(run_with(LIBRARY, "", "sh -c 'kill -BUS $$; echo lived'", output, OUTPUT), 0);
	EXPECT_FALSE(strstr(output, "lived"));
	EXPECT_FALSE(run_with(LIBRARY, "GMEM_EXEC_STATS=1", "true", output, OUTPUT));
	EXPECT_STRSTR(output, "gmemctl exec: 0 exits; 0 faults answered");
	EXPECT_FALSE(run_with(LIBRARY, "GMEM_EXEC_STATS=0", "true", output, OUTPUT));
	EXPECT_FALSE(*output);
}

/* The simulated host behind it, VMs of types that it leaves alone, is the same. */
TEST_OF(exec_cli, sim)
{
	static char without[OUTPUT];
	int code = run_with("./" SIM, "", "./gmemctl check snp --json", without,
			    OUTPUT);

	EXPECT_GE(code, 0);
	EXPECT_STRSTR(without, "\"checks\"");
	EXPECT_EQ(run_with("./" LIBRARY " ./" SIM, "", "./gmemctl check snp --json", output,
			   OUTPUT), code);
	EXPECT_STREQ(output, without);
}
