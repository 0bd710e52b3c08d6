// SPDX-License-Identifier: GPL-2.0
#include "preload.h"
#include "run_case.h"
#include "ksft.h"

#define WORDS 32
#define SETTINGS 6

static void split(char *text, const char **words, int max)
{
	char *next;
	int count = 0;

	for (char *word = strtok_r(text, " ", &next); word && count < max - 1;
	     word = strtok_r(NULL, " ", &next))
		words[count++] = word;
	words[count] = NULL;
}

/* Return: the exit code, or -1. */
static int run(const struct run_case *run_case)
{
	char command[1024], settings[1024];
	const char *words[WORDS], *sets[SETTINGS];

	snprintf(command, sizeof(command), "%s", run_case->command);
	snprintf(settings, sizeof(settings), "STRICT=1 %s", run_case->settings);
	split(command, words, WORDS);
	split(settings, sets, SETTINGS);
	return preload_gmemctl(words, sets);
}

void run_cases(const struct run_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int code = run(&cases[i]);

		if (code != cases[i].code || !strstr(preload_said, cases[i].says))
			printf("# %s\n", preload_said);
		EXPECT_EQ(code, cases[i].code);
		EXPECT_STRSTR(preload_said, cases[i].says);
		ksft_part("gmemctl %s [%s]", cases[i].command, cases[i].settings);
	}
}
