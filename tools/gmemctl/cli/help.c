// SPDX-License-Identifier: GPL-2.0
/* Prints help, and words for completion in a shell, from the tables of commands and options. */
#include <string.h>

#include "../control/control.h"
#include "command.h"

#define WIDTH		80
#define COLUMN_MAX	24	/* maximum column of the text of an option */

/* Print a line from column @used on, and wrap it to @column. */
static void wrap_line(FILE *stream, int column, int used, const char *line, size_t length)
{
	const char *end = line + length;

	while (line < end) {
		int word = (int)strcspn(line, "\n ");

		if (used > column && used + 1 + word > WIDTH) {
			fputc('\n', stream);
			used = 0;
		}
		if (used < column)
			used += fprintf(stream, "%*s", column - used, "");
		else if (used > column)
			used += fprintf(stream, " ");
		used += fprintf(stream, "%.*s", word, line);
		line += word;
		line += line < end && *line == ' ';
	}
	fputc('\n', stream);
}

/* Print and wrap each line. A line that begins with a blank is not wrapped. */
static void wrap(FILE *stream, int column, int used, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (*text == ' ')
			fprintf(stream, "%.*s\n", (int)length, text);
		else
			wrap_line(stream, column, used, text, length);
		text += length + (text[length] == '\n');
		used = 0;
	}
}

static int label(char *text, size_t size, const struct cli_option *option)
{
	return snprintf(text, size, "  %s%s%s", option->name, option->argument ? " " : "",
			option->argument ? option->argument : "");
}

/* Return: the column of texts, after the widest option that is not too wide. */
static int find_column(const struct cli_option *table, int column)
{
	char text[80];

	for (; table && !option_is_end(table); table++) {
		int width = 0;

		if (table->include)
			column = find_column(table->include, column);
		else if (table->name && table->help)
			width = label(text, sizeof(text), table) + 2;
		if (width > column && width <= COLUMN_MAX)
			column = width;
	}
	return column;
}

static void show_options(FILE *stream, int column, const struct cli_option *table)
{
	char name[80], help[1024];
	int used;

	for (; table && !option_is_end(table); table++) {
		if (table->include) {
			show_options(stream, column, table->include);
		} else if (!table->name) {
			fputc('\n', stream);
			wrap(stream, 0, 0, table->help);
		} else if (table->help) {
			snprintf(help, sizeof(help), "%s%s%s%s%s", table->help,
				 table->also[0] ? "; also " : "",
				 table->also[0] ? table->also[0] : "", table->also[1] ? ", " : "",
				 table->also[1] ? table->also[1] : "");
			used = label(name, sizeof(name), table);
			fputs(name, stream);
			if (used + 2 > column) {
				fputc('\n', stream);
				used = 0;
			}
			wrap(stream, column, used, help);
		}
	}
}

static void show_usage(FILE *stream, const struct command *command)
{
	const struct cli_option *option = command->options;
	const char *usage = command->usage, *lead = "usage: ";

	for (; usage && *usage; usage += strspn(usage, "\n")) {
		int length = (int)strcspn(usage, "\n");

		/* A line that begins with a blank continues the previous one. */
		fprintf(stream, "%s%s%.*s\n", lead, *usage == ' ' ? "" : "gmemctl ", length, usage);
		usage += length;
		lead = "       ";
	}
	if (command->usage)
		return;
	fprintf(stream, "usage: gmemctl %s", command->name);
	for (; option && !option_is_end(option); option++)
		if (option->name && option->name[0] != '-')
			fprintf(stream, option->optional ? " [%s]" : " %s", option->name);
	if (!command->without_json || (command->options && command->options->name))
		fputs(" [OPTIONS]", stream);
	fputc('\n', stream);
}

void command_show(const struct command *command, FILE *stream)
{
	const struct cli_option *options = command->options;
	const struct command *const *sub = command->subcommands;
	const char *example = command->examples;
	int column = find_column(options, 10);
	bool headings = false;

	show_usage(stream, command);
	if (command->about) {
		fputc('\n', stream);
		wrap(stream, 0, 0, command->about);
	}
	if (sub) {
		fputc('\n', stream);
		for (; *sub; sub++) {
			int used = fprintf(stream, "  %s", strrchr((*sub)->name, ' ') + 1);

			wrap(stream, 14, used, (*sub)->summary);
		}
		fprintf(stream, "\n`gmemctl help %s SUB-COMMAND` explains one of them.\n",
			command->name);
	} else {
		for (const struct cli_option *at = options; at && !option_is_end(at); at++)
			headings |= !at->name && !at->include;
		if (options && (options->name || options->include))
			fputc('\n', stream);
		show_options(stream, column, options);
		if (!command->without_json && (headings || !options))
			fputc('\n', stream);
		if (!command->without_json)
			show_options(stream, column, json_option);
	}
	if (command->more) {
		fputc('\n', stream);
		wrap(stream, 0, 0, command->more);
	}
	if (example)
		fputs("\nExamples:\n", stream);
	for (; example && *example; example += strspn(example, "\n")) {
		int length = (int)strcspn(example, "\n");

		fprintf(stream, "  %.*s\n", length, example);
		example += length;
	}
}

static void complete_options(const struct cli_option *table)
{
	for (; table && !option_is_end(table); table++) {
		if (table->include)
			complete_options(table->include);
		if (table->name && table->name[0] == '-')
			puts(table->name);
	}
}

static int complete_name(const char *name, void *data)
{
	puts(name);
	return 0;
}

static void complete_commands(const struct command *const *list)
{
	for (; *list; list++) {
		const char *last = strrchr((*list)->name, ' ');

		puts(last ? last + 1 : (*list)->name);
	}
}

int command_complete(int argc, char **argv)
{
	int used, before = argc ? argc - 1 : 0;
	const struct command *command = command_find(before, argv, &used);
	const struct cli_option *option;
	struct error error;

	if (!used) {
		complete_commands(commands);
		puts("--help\n--version\n--json\n--color");
		return EXIT_CODE_OK;
	}
	if (!command || command->subcommands) {
		if (command)
			complete_commands(command->subcommands);
		return EXIT_CODE_OK;
	}
	option = command_expects(command, before - used + 1, argv + used - 1);
	/* The shell completes names of files itself. */
	for (unsigned int i = 0; option && option->words && option->words[i]; i++)
		puts(option->words[i]);
	if (option && option->parse == option_vm_name && option->name[0] != '-')
		runtime_list(complete_name, NULL, &error);
	if (option && option->name[0] == '-')
		return EXIT_CODE_OK;
	complete_options(command->options);
	puts(command->without_json ? "--help\n--color" : "--help\n--color\n--json");
	return EXIT_CODE_OK;
}
