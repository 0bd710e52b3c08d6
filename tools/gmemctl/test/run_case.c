// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "preload.h"
#include "run_case.h"
#include "ksft.h"

#define WORDS 32
#define SETTINGS 6
#define OUTPUT 32768

static void split(char *text, const char **words, int max)
{
	char *next;
	int count = 0;

	for (char *word = strtok_r(text, " ", &next); word && count < max - 1;
	     word = strtok_r(NULL, " ", &next))
		words[count++] = word;
	words[count] = NULL;
}

static int run(const struct run_case *run_case, char output[OUTPUT])
{
	char command[1024], settings[1024];
	const char *words[WORDS], *sets[SETTINGS];
	int status;

	snprintf(command, sizeof(command), "%s", run_case->command);
	snprintf(settings, sizeof(settings), "STRICT=1 %s", run_case->settings);
	split(command, words, WORDS);
	split(settings, sets, SETTINGS);
	status = preload_run("gmemctl", words, sets, output, OUTPUT);
	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void run_cases(const struct run_case *cases, size_t count)
{
	static char output[OUTPUT];

	for (size_t i = 0; i < count; i++) {
		int code = run(&cases[i], output);
		bool as_expected = code == cases[i].code &&
				   strstr(output, cases[i].says);

		if (!as_expected)
			printf("# gmemctl %s: exit code %d, expected %d and "
			       "'%s': %s\n", cases[i].command, code,
			       cases[i].code, cases[i].says, output);
		EXPECT_TRUE(as_expected);
	}
}
