// SPDX-License-Identifier: GPL-2.0
/*
 * A program of the guest that uses pvmemcontrol as the test on the host tells it to by lines
 * on the console. Each line is answered by one that starts with its number, and before that
 * by what pvmemctl says:
 *
 *   load [PARAMETERS]		load the driver
 *   unload			unload it
 *   end			that was all
 *   anything else		arguments of pvmemctl
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRIVER		"/pvmemcontrol.ko"
#define TOOL		"/pvmemctl"
#define WORDS_MAX	12

/* Return: 0, or a negative errno. */
static int load(const char *parameters)
{
	int fd = open(DRIVER, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return rc;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "pvmemcontrol", O_NONBLOCK) ? -errno : 0;
}

/* Return: the exit code. */
static int tool(char *line)
{
	char *words[WORDS_MAX + 2] = { (char *)TOOL }, *save, *word;
	int count = 1, status = -1;
	pid_t pid;

	for (word = strtok_r(line, " ", &save); word && count <= WORDS_MAX;
	     word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(STDOUT_FILENO, STDERR_FILENO);
		execv(TOOL, words);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(char *line)
{
	if (!strncmp(line, "load", 4))
		return load(line[4] ? line + 5 : "");
	if (!strcmp(line, "unload"))
		return unload();
	return tool(line);
}

int main(void)
{
	unsigned int number = 0;
	char line[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("gmem-guest: listening\n");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!strcmp(line, "end"))
			return 0;
		printf("gmem-guest: %u: rc=%d\n", ++number, run(line));
	}
	return 1;
}
