// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest_talk.h"

#define ANSWER_S 60

bool talk_start(struct talk *talk, unsigned int seconds)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return false;
	talk->boot.input = fds[0];
	talk->input = fds[1];
	talk->commands = 0;
	return boot_up(&talk->boot, &talk->tool, "gmem-guest: memctl: rc", seconds);
}

/* The complete line of the console that starts with @start; "" if it does not come. */
static const char *line_with(struct talk *talk, const char *start)
{
	for (unsigned int i = 0; i < ANSWER_S * 50; i++) {
		const char *at;

		if (!boot_wait_for(&talk->boot, talk->tool.pid, talk->tool.err, start,
				   ANSWER_S))
			return "";
		at = strstr(talk->boot.console + talk->boot.seen, start);
		if (strchr(at, '\n'))
			return at;
		usleep(20000);
	}
	return "";
}

void talk_send(struct talk *talk, const char *line)
{
	talk->commands++;
	if (write(talk->input, line, strlen(line)) != (ssize_t)strlen(line))
		dprintf(STDOUT_FILENO, "# nobody reads the guest's console\n");
}

const char *talk_tell(struct talk *talk, const char *format, ...)
{
	char line[128], start[32];
	const char *answer;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	talk_send(talk, line);
	snprintf(start, sizeof(start), "gmem-guest: %u: ", talk->commands);
	answer = line_with(talk, start);
	if (!*answer)
		boot_log(&talk->boot, talk->boot.console);
	return answer;
}

void talk_end(struct talk *talk)
{
	boot_end(&talk->boot, talk->tool.pid, talk->tool.out, talk->tool.err);
	close(talk->input);
	close(talk->boot.input);
}

void talk_last(struct talk *talk, const char *line)
{
	talk_send(talk, line);
	talk_end(talk);
}

/* The output of the new process does not have the earlier lines of the console. */
void talk_move(struct talk *talk, struct boot_process tool)
{
	talk->tool = tool;
	talk->boot.seen = 0;
	talk->boot.console[0] = '\0';
}

long long talk_number(const char *answer, const char *key)
{
	size_t length = strlen(key);
	const char *end = answer + strcspn(answer, "\n");
	const char *at = answer;

	while ((at = strstr(at, key)) && at < end) {
		if (at[length] == '=')
			return (long long)strtoull(at + length + 1, NULL, 10);
		at++;
	}
	return -1;
}

void talk_row(const char *kind, const char *way, unsigned long before,
	      unsigned long after)
{
	unsigned long back = before > after ? before - after : 0;

	dprintf(STDOUT_FILENO,
		"# table: MiB given back by an idle guest of %d | %s, %s | %lu\n",
		TALK_MEMORY, kind, way, back >> 20);
}

unsigned long talk_huge_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long bytes = 0, number;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "HugePages_Total: %lu", &number) == 1)
			bytes += number << 21;
		if (sscanf(line, "HugePages_Free: %lu", &number) == 1)
			bytes -= number << 21;
	}
	if (file)
		fclose(file);
	return bytes;
}
