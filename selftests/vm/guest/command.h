/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that a program of the guest takes by lines on the console. Each has a number, the
 * first is 1, and its answer begins with it.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/**
 * struct command - one of them
 * @name: the first word of the line
 * @run: does it; @arguments is what comes after the name
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

/* Do what a line says; @commands end with an empty one. */
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
