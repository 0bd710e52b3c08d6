// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl exec`: command lines that it refuses; and its library before programs
 * that have nothing to do with gmem, and before the simulated host.
 */
#include <limits.h>

#include "preload.h"
#include "ksft.h"

#define LIBRARY	"libgmem-exec.so"
#define SIM	"gmemctl-sim.so"

/* Refused as wrong usage, in a line that begins with what is wrong. */
static bool refused(const char *begin, const char *const words[])
{
	char line[64];
	int code = preload_gmemctl(words, NULL);

	snprintf(line, sizeof(line), "gmemctl: %s: ", begin);
	if (code == 2 && !strncmp(preload_said, line, strlen(line)))
		return true;
	printf("# exit code %d, expected '%s': %s\n", code, line, preload_said);
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
		EXPECT_NE(preload_gmemctl(words[i], NULL), 2);
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
static int run_with(const char *libraries, const char *variables, const char *command)
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
	while (pipe && (got = fread(preload_said + used, 1, sizeof(preload_said) - 1 - used, pipe)))
		used += got;
	preload_said[used] = '\0';
	status = pipe ? pclose(pipe) : -1;
	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A program without a VM finds all as it was, and hears nothing of it. */
TEST_OF(exec_cli, idle)
{
	EXPECT_FALSE(run_with(LIBRARY, "", "sh -c 'echo out; exit 0'"));
	EXPECT_STREQ(preload_said, "out\n");
	EXPECT_NE(run_with(LIBRARY, "", "sh -c 'kill -BUS $$; echo lived'"), 0);
	EXPECT_FALSE(strstr(preload_said, "lived"));
	EXPECT_FALSE(run_with(LIBRARY, "GMEM_EXEC_STATS=1", "true"));
	EXPECT_STRSTR(preload_said, "gmemctl exec: 0 exits; 0 faults answered");
	EXPECT_FALSE(run_with(LIBRARY, "GMEM_EXEC_STATS=0", "true"));
	EXPECT_FALSE(*preload_said);
}

/* The simulated host behind it, VMs of types that it leaves alone, is the same. */
TEST_OF(exec_cli, sim)
{
	static char without[sizeof(preload_said)];
	int code = run_with("./" SIM, "", "./gmemctl check snp --json");

	EXPECT_GE(code, 0);
	strcpy(without, preload_said);
	EXPECT_STRSTR(without, "\"checks\"");
	EXPECT_EQ(run_with("./" LIBRARY " ./" SIM, "", "./gmemctl check snp --json"), code);
	EXPECT_STREQ(preload_said, without);
}
