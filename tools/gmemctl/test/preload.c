// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <limits.h>

#include "sim/settings.h"
#include "preload.h"
#include "ksft.h"

#define LIBRARY "gmemctl-sim.so"
#define INSIDE "GMEMCTL_TEST_INSIDE"
#define ARGUMENTS_MAX 32

/* A file in the folder of the running program */
static int beside(const char *name, char path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (length < 0)
		return -errno;
	self[length] = '\0';
	strcpy(path, self);
	slash = strrchr(path, '/');
	if (!name || !slash)
		return 0;
	if ((size_t)(slash - path) + strlen(name) + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(slash + 1, name);
	return 0;
}

static void add_settings(const char *const *settings)
{
	char name[64];

	for (; settings && *settings; settings++) {
		const char *equals = strchr(*settings, '=');

		snprintf(name, sizeof(name), SIM_SETTINGS_PREFIX "%.*s",
			 (int)(equals - *settings), *settings);
		setenv(name, equals + 1, 1);
	}
}

static void __attribute__((noreturn))
execute(char *path, const char *const *arguments, const char *const *settings, int output)
{
	char library[PATH_MAX], *argv[ARGUMENTS_MAX] = { path };
	int count = 1;

	while (*arguments && count < ARGUMENTS_MAX - 1)
		argv[count++] = (char *)*arguments++;
	if (beside(LIBRARY, library) || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		_exit(127);
	setenv("LD_PRELOAD", library, 1);
	setenv(INSIDE, "1", 1);
	/* With sanitizers, the shim is still to be the first library. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	add_settings(settings);
	execv(path, argv);
	_exit(127);
}

/* All of it is read, and what fits is kept. */
static void collect(int fd, char *output, size_t size)
{
	char buffer[4096];
	size_t used = 0;
	ssize_t got;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		size_t fits = size - 1 - used;

		if (fits > (size_t)got)
			fits = (size_t)got;
		memcpy(output + used, buffer, fits);
		used += fits;
	}
	output[used] = '\0';
}

int preload_run(const char *program, const char *const *arguments,
		const char *const *settings, char *output, size_t size)
{
	int pipe_fds[2], status, rc;
	char path[PATH_MAX];
	pid_t pid;

	rc = beside(program, path);
	if (rc)
		return rc;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (!pid)
		execute(path, arguments, settings, pipe_fds[1]);
	rc = pid < 0 ? -errno : 0;
	close(pipe_fds[1]);
	if (!rc)
		collect(pipe_fds[0], output, size);
	close(pipe_fds[0]);
	if (!rc && waitpid(pid, &status, 0) != pid)
		rc = -errno;
	return rc ? rc : status;
}

char preload_said[65536];

int preload_gmemctl(const char *const *arguments, const char *const *settings)
{
	int status = preload_run("gmemctl", arguments, settings, preload_said,
				 sizeof(preload_said));

	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool preload_inside(void)
{
	return getenv(INSIDE);
}

void preload_self(const char *name)
{
	const char *const arguments[] = { name, NULL };
	static char output[65536];
	int status = preload_run(NULL, arguments, NULL, output, sizeof(output));

	/* The parts of the test are parts of this one. */
	for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, "    ", 4))
			printf("%s\n", line);
		else if (status)
			printf("# %s\n", line);
	EXPECT_FALSE(status);
}
