// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli_run.h"
#include "ksft.h"

bool cli_init(struct cli *cli)
{
	ssize_t size = readlink("/proc/self/exe", cli->program,
				sizeof(cli->program) - 16);

	if (size < 0)
		return false;
	cli->program[size] = '\0';
	strcpy(strrchr(cli->program, '/'), "/gmemctl");
	if (access(cli->program, X_OK)) {
		ksft_skip("%s is not built", cli->program);
		return false;
	}
	strcpy(cli->dir, "/tmp/gmemctl-snp-XXXXXX");
	return mkdtemp(cli->dir);
}

void cli_free(struct cli *cli)
{
	EXPECT_FALSE(cli_shell(cli, "rm -r %s", cli->dir));
}

static int run(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int cli_run(struct cli *cli, const char *format, ...)
{
	char arguments[2048], command[8192];
	va_list args;

	va_start(args, format);
	vsnprintf(arguments, sizeof(arguments), format, args);
	va_end(args);
	snprintf(command, sizeof(command), "cd %s && '%s' snp %s >out 2>&1",
		 cli->dir, cli->program, arguments);
	return run(command);
}

int cli_shell(struct cli *cli, const char *format, ...)
{
	char text[2048], command[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(command, sizeof(command), "cd %s && %s", cli->dir, text);
	return run(command);
}

void cli_write(struct cli *cli, const char *name, const void *data,
	       size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", cli->dir, name);
	file = fopen(path, "wb");
	EXPECT_TRUE(file);
	EXPECT_EQ(fwrite(data, 1, size, file), size);
	if (file)
		fclose(file);
}

const char *cli_get(struct cli *cli, const char *object, const char *key,
		    char *value, size_t size)
{
	struct json_object *root, *child, *member;
	char path[128];

	*value = '\0';
	snprintf(path, sizeof(path), "%s/out", cli->dir);
	root = json_object_from_file(path);
	child = root;
	if (root && (!object ||
		     json_object_object_get_ex(root, object, &child)) &&
	    json_object_object_get_ex(child, key, &member))
		snprintf(value, size, "%s", json_object_get_string(member));
	json_object_put(root);
	return value;
}

bool cli_has(struct cli *cli, const char *object, const char *key,
	     const char *value)
{
	char found[4096];

	return !strcmp(cli_get(cli, object, key, found, sizeof(found)), value);
}

bool cli_says(struct cli *cli, const char *text)
{
	char path[128], *said = NULL;
	bool says = false;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/out", cli->dir);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (getdelim(&said, &size, '\0', file) > 0)
		says = strstr(said, text);
	if (!says)
		printf("# not '%s': %s\n", text, said ? said : "");
	free(said);
	fclose(file);
	return says;
}
