// SPDX-License-Identifier: GPL-2.0
/* Parses command lines by the tables of the commands. */
#include <string.h>

#include "command.h"
#include "out.h"

const struct cli_option json_option[] = {
	{ "--json", NULL, NULL, .help = "print a JSON object, errors included" },
	{ 0 }
};

/* Check the value of --color. main() has applied it already, see command_ask(). */
static int check_color(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	unsigned int word;

	return option_word(option, name, text, &word);
}

/* Options of all commands, which only `gmemctl help` shows */
static const struct cli_option common_options[] = {
	{ "--help", NULL, NULL, .also = { "-h" } },
	{ "--color", "WHEN", check_color, .words = color_words },
	{ 0 }
};

/**
 * struct word - a parsed argument
 * @option: its option; NULL: it is not an option
 * @name: name of the option, as typed
 * @text: the value, or an argument that is not an option
 * @offset: offset of the value in the structure of the command line
 * @given: offset of the name, as in the table
 * @unknown: it looks like an option, but is unknown
 * @valued: it has a value after '='
 * @missing: its value is missing
 */
struct word {
	const struct cli_option *option;
	const char *name;
	char *text;
	size_t offset;
	size_t given;
	bool unknown, valued, missing;
};

/**
 * struct words - a command line that is being parsed
 * @at: index of the next argument
 * @plain: the remaining arguments are not options
 */
struct words {
	const struct command *command;
	int argc;
	char **argv;
	int at;
	bool plain;
};

/* Return: the name of the option that is the word, up to '=' if there is one; or NULL */
static const char *name_of(const struct cli_option *option, const char *word)
{
	const char *name = option->name;

	for (unsigned int i = 0; name; name = option->also[i++]) {
		size_t length = strlen(name);

		if (name[0] == '-' && !strncmp(word, name, length) &&
		    (!word[length] || word[length] == '='))
			return name;
		if (i == OPTION_ALIASES)
			break;
	}
	return NULL;
}

static bool find_option(const struct cli_option *table, size_t offset,
			struct word *word, const char *text)
{
	for (; table && !option_is_end(table); table++) {
		size_t at = offset + table->offset;

		if (table->include && find_option(table->include, at, word, text))
			return true;
		word->name = table->name ? name_of(table, text) : NULL;
		if (!word->name)
			continue;
		word->option = table;
		word->offset = at;
		word->given = table->given ? offset + table->given : 0;
		return true;
	}
	return false;
}

/* Parse the next argument. Return: false at the end. */
static bool next_word(struct words *words, struct word *word)
{
	const struct command *command = words->command;
	char *text;

	*word = (struct word){ 0 };
	if (words->at >= words->argc)
		return false;
	text = words->argv[words->at++];
	if (!words->plain && !strcmp(text, "--")) {
		words->plain = true;
		return next_word(words, word);
	}
	word->text = text;
	if (words->plain || text[0] != '-' || !text[1])
		return true;
	word->unknown = !find_option(command->options, 0, word, text) &&
			!find_option(common_options, 0, word, text) &&
			(command->without_json || !find_option(json_option, 0, word, text));
	if (word->unknown)
		return true;
	if (text[strlen(word->name)]) {
		word->valued = true;
		word->text = text + strlen(word->name) + 1;
	} else if (word->option->argument) {
		word->missing = words->at == words->argc;
		word->text = word->missing ? NULL : words->argv[words->at++];
	}
	return true;
}

/* Return: the entry of the argument with this number, from 0; or NULL. */
static const struct cli_option *find_argument(const struct cli_option *table, unsigned int number)
{
	for (; table && !option_is_end(table); table++)
		if (table->name && table->name[0] != '-' && !number--)
			return table;
	return NULL;
}

static int take(const struct cli_option *option, const struct word *word,
		const char *name, void *out)
{
	size_t offset = word->option ? word->offset : option->offset;
	size_t given = word->option ? word->given : option->given;

	if (given)
		*(const char **)((char *)out + given - 1) = name;
	return option->parse ? option->parse(option, name, word->text, (char *)out + offset) : 0;
}

/*
 * Handle options in their order. Other arguments are handled after all options, so that an
 * error in an option is reported first.
 */
static int take_options(struct words *words, struct word *plain, unsigned int *count, void *out)
{
	const struct command *command = words->command;
	const struct cli_option *argument;
	struct word word;
	int code;

	while (next_word(words, &word)) {
		const char *typed = words->argv[words->at - 1];

		if (!word.option && !word.unknown) {
			argument = find_argument(command->options, *count);
			if (!argument)
				return usage_error(typed, "unexpected argument",
						   "see `gmemctl help %s`", command->name);
			plain[(*count)++] = word;
			if (argument->parse != option_program)
				continue;
			/* The remaining arguments are those of the program. */
			plain[*count - 1].text = (char *)&words->argv[words->at - 1];
			return 0;
		}
		if (word.unknown || word.missing || (word.valued && !word.option->argument))
			return usage_error(typed, word.missing ? "value is missing" :
					   word.valued ? "takes no value" :
					   "unknown option", "see `gmemctl help %s`",
					   command->name);
		code = take(word.option, &word, word.name, out);
		if (code)
			return code;
	}
	return 0;
}

/* More arguments than any command has, besides options. */
#define ARGUMENTS_MAX 8

int command_parse(const struct command *command, int argc, char **argv, void *out)
{
	struct words words = { command, argc, argv, .at = 1 };
	struct word plain[ARGUMENTS_MAX] = { 0 };
	const struct cli_option *argument;
	unsigned int count = 0;
	int code;

	code = take_options(&words, plain, &count, out);
	if (code)
		return code;
	argument = find_argument(command->options, count);
	if (argument && !argument->optional)
		return usage_error(argument->name, "is missing",
				   "see `gmemctl help %s`", command->name);
	for (unsigned int i = 0; !code && i < count; i++) {
		argument = find_argument(command->options, i);
		code = take(argument, &plain[i], argument->name, out);
	}
	return code;
}

void command_ask(const struct command *command, int argc, char **argv, struct asked *asked)
{
	struct words words = { command, argc, argv, .at = 1 };
	const struct cli_option *argument;
	unsigned int count = 0;
	struct word word;

	while (next_word(&words, &word)) {
		const char *typed = argv[words.at - 1];

		/* Even if it is not valid here, because errors about options are in JSON, too. */
		if (!words.plain && (!word.option || !word.option->argument))
			asked->json |= !strcmp(typed, "--json");
		asked->help |= word.option == &common_options[0];
		if (word.option == &common_options[1] && word.text)
			asked->color = word.text;
		if (word.option || word.unknown)
			continue;
		argument = find_argument(command->options, count++);
		if (argument && argument->parse == option_program)
			return;
	}
}

const char *command_value(const struct command *command, int argc, char **argv, const char *name)
{
	struct words words = { command, argc, argv, .at = 1 };
	const char *value = NULL;
	struct word word;

	while (next_word(&words, &word))
		if (word.option && !strcmp(word.option->name, name))
			value = word.text ? word.text : "";
	return value;
}

const struct cli_option *command_expects(const struct command *command, int argc, char **argv)
{
	struct words words = { command, argc, argv, .at = 1 };
	unsigned int count = 0;
	struct word word;

	while (next_word(&words, &word)) {
		if (word.missing)
			return word.option;
		count += !word.option && !word.unknown;
	}
	return find_argument(command->options, count);
}

static const struct command *find_in(const struct command *const *list, const char *word)
{
	for (; *list; list++) {
		const char *last = strrchr((*list)->name, ' ');

		if (!strcmp(last ? last + 1 : (*list)->name, word))
			return *list;
	}
	return NULL;
}

const struct command *command_find(int argc, char **argv, int *used)
{
	const struct command *command = argc ? find_in(commands, argv[0]) : NULL;

	*used = 0;
	if (!command)
		return NULL;
	*used = 1;
	if (command->subcommands && argc > 1 && argv[1][0] != '-') {
		command = find_in(command->subcommands, argv[1]);
		*used += !!command;
	}
	if (command && command->choose)
		command = command->choose(argc, argv);
	if (command && command->prepare)
		command->prepare();
	return command;
}
