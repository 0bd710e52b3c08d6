// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the part of a test VM's init that selects and judges programs on the host, without
 * a kernel to judge. All programs run at the same time; then a line is printed for each.
 * With an argument it only lists them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

void port_line(const char *fmt __attribute__((unused)), ...)
{
}

void kmsg_mark(const char *what __attribute__((unused)))
{
}

unsigned int kmsg_judge(void)
{
	return 0;
}

uint64_t taint_read(void)
{
	return 0;
}

int file_write(const char *path __attribute__((unused)),
	       const char *text __attribute__((unused)))
{
	return 0;
}

ssize_t file_read(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t len = f ? fread(buf, 1, size - 1, f) : 0;

	buf[len] = '\0';
	if (f)
		fclose(f);
	return f ? (ssize_t)len : -1;
}

/* The first result is that of the program. */
void result(bool ok, const char *fmt __attribute__((unused)), ...)
{
	_exit(!ok);
}

int main(int argc, char **argv __attribute__((unused)))
{
	struct program_list list;
	unsigned int i;
	int status;

	if (program_list_read(&list))
		return 1;
	for (i = 0; argc > 1 && i < list.count; i++)
		printf("%s\n", list.name[i]);
	if (argc > 1)
		return 0;
	pid_t pid[list.count];

	for (i = 0; i < list.count; i++) {
		pid[i] = fork();
		if (!pid[i])
			program_run(list.name[i]);
	}
	for (i = 0; i < list.count; i++) {
		waitpid(pid[i], &status, 0);
		printf("%s: %s\n", list.name[i],
		       WEXITSTATUS(status) ? "not ok" : "ok");
	}
	return 0;
}
