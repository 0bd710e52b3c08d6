// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmp.h"

#define WAIT_MS 60000

/* Read byte by byte: bytes after the line belong to the next call. */
static bool read_line(int fd, char *line, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t used = 0;

	while (poll(&wait, 1, WAIT_MS) == 1) {
		char byte;

		if (read(fd, &byte, 1) != 1)
			return false;
		if (byte == '\n') {
			line[used] = '\0';
			return true;
		}
		if (used < size - 1)
			line[used++] = byte;
	}
	return false;
}

bool qmp_ask(int fd, const char *command, char *answer, size_t size)
{
	if (dprintf(fd, "%s\n", command) < 0)
		return false;
	do {
		if (!read_line(fd, answer, size))
			return false;
	} while (strncmp(answer, "{\"return\"", 9) &&
		 strncmp(answer, "{\"error\"", 8));
	return answer[2] == 'r';
}

bool qmp_event(int fd, const char *what)
{
	char line[1024];

	do {
		if (!read_line(fd, line, sizeof(line)))
			return false;
	} while (!strstr(line, "\"event\"") || !strstr(line, what));
	return true;
}

int qmp_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char line[1024];

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    read_line(fd, line, sizeof(line)) &&
	    qmp_ask(fd, "{\"execute\":\"qmp_capabilities\"}", line, sizeof(line)))
		return fd;
	close(fd);
	return -1;
}
