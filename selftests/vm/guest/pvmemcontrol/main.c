// SPDX-License-Identifier: GPL-2.0
/*
 * A program of the guest that uses pvmemcontrol according to lines from the test
 * on the console. Each line is answered by a line that starts with its number, after
 * the output of pvmemctl:
 *
 *   load [PARAMETERS]		load the driver
 *   unload			unload the driver
 *   replug			unplug the device with its node open, and plug it in again
 *   end			end the program
 *   anything else		arguments of pvmemctl
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pvmemcontrol.h>

#define DRIVER		"/pvmemcontrol.ko"
#define TOOL		"/pvmemctl"
#define NODE		PVMEMCONTROL_DEVICE_DIR "0"
#define REMOVE		"/sys/class/pvmemcontrol/pvmemcontrol0/device/remove"
#define RESCAN		"/sys/bus/pci/rescan"
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

static int write_one(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, "1", 1) == 1 ? 0 : -errno;
	close(fd);
	return rc;
}

/* Return: the result of an ioctl of the node. */
static int info(int fd)
{
	struct pvmemcontrol_buf buf = { .call.func_code = PVMEMCONTROL_INFO };

	return ioctl(fd, PVMEMCONTROL_IOCTL_VMM, &buf) ? -errno : 0;
}

/* Return: 0 if all is right, or the number of the step that has failed. */
static int replug(void)
{
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	mkdir("/sys", 0755);
	mount("sys", "/sys", "sysfs", 0, NULL);
	if (fd < 0 || info(fd))
		return 1;
	if (write_one(REMOVE) || !access(NODE, F_OK))
		return 2;
	if (info(fd) != -ENODEV)
		return 3;
	close(fd);
	if (write_one(RESCAN))
		return 4;
	fd = open(NODE, O_RDWR | O_CLOEXEC);
	return fd < 0 || info(fd) || close(fd) ? 5 : 0;
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
	if (!strcmp(line, "replug"))
		return replug();
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
		/* The previous line is complete then, for a test that reads byte by byte. */
		printf("gmem-guest: %u done\n", number);
	}
	return 1;
}
