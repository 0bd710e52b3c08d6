/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that a program of the guest reads from the console, one on each line. They are
 * numbered from 1 on, and an answer begins with the number of its command.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/**
 * struct command - a command
 * @name: the first word of the line
 * @run: executes it; @arguments is the text after the name
 */
struct command {
	const char *name;
	void (*run)(const char *arguments);
};

static unsigned int command_number;

static __attribute__((format(printf, 1, 2))) void reply(const char *format, ...)
{
	va_list args;

	printf("gmem-guest: %u: ", command_number);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Execute a line; the last of @commands is empty. */
static void command_run(const struct command *commands, const char *line)
{
	size_t length = strcspn(line, "\n ");

	command_number++;
	for (; commands->name; commands++)
		if (strlen(commands->name) == length &&
		    !memcmp(commands->name, line, length))
			return commands->run(line + length);
	reply("no such command");
}

#endif /* COMMAND_H */
