// SPDX-License-Identifier: GPL-2.0
/* Whose thread it is. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "who.h"

#define TGID "Tgid:\t%d"

pid_t who_thread_process(const char *proc, pid_t thread)
{
	char path[PATH_MAX], line[128];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/status", proc, (int)thread);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, TGID, &pid) == 1)
			break;
	}
	if (file)
		fclose(file);
	return pid > 0 ? pid : 0;
}
