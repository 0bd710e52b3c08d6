// SPDX-License-Identifier: GPL-2.0
/*
 * Command lines that gmemctl refuses, and how it says so: in one JSON object if it
 * is asked for one. The program is the one next to this one.
 */
#include <json-c/json.h>

#include "../base/calls.h"
#include "../base/fdpass.h"
#include "../control/control.h"
#include "../memory/remote.h"
#include "../cli/out.h"
#include "preload.h"
#include "test_tty.h"
#include "ksft.h"

/* Eight characters, and some hundred, each of two bytes */
#define A8 "\xc3\x84\xc3\x84\xc3\x84\xc3\x84\xc3\x84\xc3\x84\xc3\x84\xc3\x84"
#define LONG A8 A8 A8 A8 A8 A8 A8 A8 A8 A8 A8 A8 A8

/* Refused as wrong usage, in a line that begins with what is wrong. */
static bool refused(const char *begin, int code)
{
	char line[256];

	snprintf(line, sizeof(line), "gmemctl: %s: ", begin);
	if (code == 2 && !strncmp(preload_said, line, strlen(line)))
		return true;
	printf("# exit code %d, expected 2 and '%s': %s\n", code, line, preload_said);
	return false;
}

/* The exit code, and what is said among other things */
#define SAYS(code, text, ...) do {			\
	EXPECT_EQ(GMEMCTL(__VA_ARGS__), code);		\
	EXPECT_STRSTR(preload_said, text);		\
} while (0)

#define REFUSED(begin, ...) EXPECT_TRUE(refused(begin, GMEMCTL(__VA_ARGS__)))

/* Return: the one JSON object that the output is, or NULL. */
static struct json_object *object(void)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *parsed;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	parsed = json_tokener_parse_ex(tokener, preload_said, (int)strlen(preload_said) + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		printf("# not JSON: %s\n", preload_said);
	json_tokener_free(tokener);
	return parsed;
}

static bool is_object(void)
{
	struct json_object *parsed = object();
	bool is = json_object_is_type(parsed, json_type_object);

	json_object_put(parsed);
	return is;
}

static const char *error_object(struct json_object *parsed)
{
	struct json_object *errors, *value;

	if (!json_object_object_get_ex(parsed, "errors", &errors) ||
	    !json_object_object_get_ex(json_object_array_get_idx(errors, 0), "object", &value))
		return "";
	return json_object_get_string(value);
}

#define JSON(code, ...) EXPECT_TRUE(GMEMCTL(__VA_ARGS__) == (code) && is_object())

/* C20: whatever the words are, and whatever is in them */
TEST_OF(usage, C20_json)
{
	struct json_object *parsed;

	JSON(0, "--version", "--json");
	EXPECT_STRSTR(preload_said, "\"gmemctl\"");
	EXPECT_STRSTR(preload_said, "abi_version");
	JSON(0, "--json", "--version");
	JSON(0, "--help", "--json");
	JSON(0, "run", "--help", "--json");
	JSON(0, "help", "run", "--json");
	JSON(0, "ps", "--json");
	JSON(2, "demo", "--json");
	JSON(2, "load", "--json");
	JSON(2, "info", "--json", "\xff");
	JSON(2, "\xc3", "--json");
	JSON(2, "run", "--json", "--memory", "\xed\xa0\x80,kind=\xfe");
	JSON(1, "run", "--json", "--kernel", "/none/\xff\xfe\xc3");
	parsed = object();
	EXPECT_STREQ(error_object(parsed), "/none/\\xff\\xfe\\xc3");
	json_object_put(parsed);
	/* Cut between two characters, at an odd and at an even place. */
	JSON(1, "run", "--json", "--kernel", "/none/" LONG);
	parsed = object();
	EXPECT_EQ(strlen(error_object(parsed)), 158);
	json_object_put(parsed);
	JSON(1, "run", "--json", "--kernel", "/none/x" LONG);
	parsed = object();
	EXPECT_EQ(strlen(error_object(parsed)), 159);
	json_object_put(parsed);
	JSON(2, "run", "--json", "--payload", LONG LONG LONG);
	JSON(2, "run", "--json", "--payload", "x" LONG LONG LONG);
}

/* A file, or an argument, that is called like an order to a terminal */
TEST_OF(usage, terminal)
{
	SAYS(1, "gmemctl: /none/?]0;title?: open input: ", "run", "--kernel",
	     "/none/\x1b]0;title\x07");
	SAYS(2, "gmemctl: ??2J: ", "\302\2332J");
	SAYS(2, "not 'a?b'", "run", "--cpus", "a\033b", "--kernel", "k");
	SAYS(2, "unknown option", "ps", "--\x1b[2J");
	EXPECT_FALSE(strchr(preload_said, '\x1b'));
}

/* A VM that its guest has taken over says what it likes. */
static int serve_evil(void *data, const char *command, struct json_object *request,
		      struct json_object **result, struct error *error)
{
	struct json_object *device, *counts;

	if (strcmp(command, "stat"))
		return error_set(error, -EBUSY, "\x1b[1m", "\x1b[2m", "\x1b[3m");
	counts = json_object_new_object();
	json_object_object_add(counts, "\x1b[4m", json_object_new_int(1));
	device = json_object_new_object();
	json_object_object_add(device, "done", counts);
	*result = json_object_new_object();
	json_object_object_add(*result, "name", json_object_new_string("\x1b[5m"));
	json_object_object_add(*result, "state", json_object_new_string("\302\2336m"));
	json_object_object_add(*result, "kind", json_object_new_string("\x1b[7m"));
	json_object_object_add(*result, "pvmemcontrol", device);
	return 0;
}

TEST_OF(usage, terminal_vm)
{
	static const char *const words[] = { "stat", "ps", "map", "stop" };
	static struct server server;

	setenv("GMEMCTL_RUNTIME_DIR", ksft_folder(), 1);
	EXPECT_FALSE(server_start(&server, "evil", serve_evil, NULL, NULL));
	ksft_for_each(word, words) {
		EXPECT_GE(GMEMCTL(*word, strcmp(*word, "ps") ? "evil" : NULL), 0);
		EXPECT_FALSE(strchr(preload_said, '\x1b'));
		EXPECT_FALSE(strstr(preload_said, "\xc2\x9b"));
	}
	SAYS(0, "name:        ?, process 0, ?", "stat", "evil");
	SAYS(0, "done: ? 1", "stat", "evil");
	SAYS(1, "gmemctl: ?[1m: ?[2m: Device or resource busy; ?[3m", "stop", "evil");
	server_stop(&server);
	EXPECT_FALSE(rmdir(ksft_folder()));
}

/* One that shares a page of memory, and whose map has no end */
static int serve_endless(void *data, const char *command, struct json_object *request,
			 struct json_object **result, struct error *error)
{
	struct remote_message message = { .magic = REMOTE_MAGIC, .range = { 0, 4096 } };
	struct files page = { .fds = { *(int *)data }, .count = 1 };
	int socket;

	*result = json_object_new_object();
	if (!strcmp(command, "map")) {
		json_object_object_add(*result, "ranges", json_object_new_array());
		json_object_object_add(*result, "next", json_object_new_int(0));
		return 0;
	}
	/* It is not waited for the answer, and the connection stays until the end. */
	socket = channel_connect(message_string(request, "channel", error), error);
	message.offset = 4096;
	EXPECT_FALSE(files_send(socket, &message, sizeof(message), NULL));
	message.kind = REMOTE_MAP;
	message.offset = 0;
	EXPECT_FALSE(files_send(socket, &message, sizeof(message), &page));
	message.kind = REMOTE_READY;
	EXPECT_FALSE(files_send(socket, &message, sizeof(message), NULL));
	return 0;
}

/* Whoever asks such a VM does not ask it for ever. */
TEST_OF(usage, endless_vm)
{
	int page = calls_system.memfd("page", 4096);
	static struct server server;

	setenv("GMEMCTL_RUNTIME_DIR", ksft_folder(), 1);
	EXPECT_FALSE(server_start(&server, "endless", serve_endless, &page, NULL));
	SAYS(1, "gmemctl: endless: map: Bad message", "dump", "endless", "0", "16");
	SAYS(0, "", "map", "endless");
	server_stop(&server);
	close(page);
	EXPECT_FALSE(rmdir(ksft_folder()));
}

/* What is wrong with a trace is known before anything is traced. */
TEST_OF(usage, trace)
{
	REFUSED("--buffer", "trace", "--seconds", "1", "--buffer", "1");
	REFUSED("--buffer", "trace", "--seconds", "1", "--buffer", "2G");
	REFUSED("--event", "trace", "--seconds", "1", "--event", "convert,everything");
	REFUSED("--event", "trace", "1", "--event", "pvmemcontrol_call");
	REFUSED("--seconds", "trace", "--seconds", "0");
	REFUSED("--count", "trace", "--count", "0");
}

/* C20: no start of a name is an option, and none of one letter. */
TEST_OF(usage, C20_options)
{
	REFUSED("--js", "--js");
	REFUSED("--vers", "--vers");
	REFUSED("--js", "info", "--js");
	REFUSED("--nam", "run", "--nam", "a", "--kernel", "k");
	REFUSED("--c", "run", "--c", "2");
	REFUSED("-json", "ps", "-json");
	REFUSED("-x", "handover", "-x", "--name", "a", "b");
	REFUSED("--json=1", "info", "--json=1");
	REFUSED("--kernel", "run", "--kernel");
	REFUSED("--js", "snp", "measure", "--js");
	REFUSED("--id", "snp", "id-block", "--id", "k");
	REFUSED("-c", "snp", "verify", "-c", "r");
	REFUSED("--mem", "run", "--vm-type", "snp", "--mem", "1G");
	REFUSED("b", "stat", "a", "b");
	REFUSED("1", "dump", "a", "0", "1", "1");
	REFUSED("--name", "save", "a", "b", "--name", "c");
	EXPECT_STRSTR(preload_said, "unknown option");
	REFUSED("--json=1", "--json=1", "stat");
}

/* C21: a name that would be taken for an option is none; "--" ends options. */
TEST_OF(usage, C21_names)
{
	static const char *const one[] = { "stat", "map", "stop", "handover" };

	REFUSED("--name", "run", "--kernel", "k", "--name", "-web");
	REFUSED("--name", "run", "--kernel", "k", "--name=-web");
	REFUSED("--name", "run", "--kernel", "k", "--name", "a/b");
	REFUSED("--name", "run", "--kernel", "k", "--name", "");
	REFUSED("--name", "handover", "a", "--name", "-web");
	REFUSED("--name", "restore", "a", "--name", ".web");
	for (unsigned int i = 0; i < 4; i++) {
		REFUSED("-web", one[i], "-web");
		REFUSED("NAME", one[i], "--", "-web");
		EXPECT_STRSTR(preload_said, "not '-web'");
		REFUSED("NAME", one[i], "a/b");
		SAYS(1, "no VM of that name", one[i], "--", "none");
	}
	REFUSED("NAME", "convert", "--", "-web", "0", "4K", "private");
	REFUSED("NAME", "decommit", "--", "-web", "0", "4K");
	REFUSED("NAME", "dump", "--", "-web", "0", "4K");
	REFUSED("NAME", "save", "--", "-web", "file");
	EXPECT_EQ(GMEMCTL("convert", "--", "none", "0", "4K", "private"), 1);
	EXPECT_EQ(GMEMCTL("dump", "--", "none", "0", "4K"), 1);
	EXPECT_EQ(GMEMCTL("ps", "--"), 0);
	/* After it nothing is an option, --json and --help neither. */
	REFUSED("NAME", "stat", "--", "--json");
	REFUSED("NAME", "stat", "--", "--help");
}

/* C25: found before anything is opened, built or asked */
TEST_OF(usage, C25_early)
{
	REFUSED("--cpus", "run", "--kernel", "/none", "--cpus", "0");
	REFUSED("--cpus", "run", "--kernel", "/none", "--cpus", "33");
	REFUSED("--vcpus", "run", "--payload", "spin", "--vcpus", "0");
	REFUSED("--memory", "run", "--kernel", "/none", "--memory", "64K");
	REFUSED("--memory", "run", "--kernel", "/none", "--memory", "4097K,kind=x");
	REFUSED("guest memory", "run", "--kernel", "/none", "--memory", "1048577");
	REFUSED("--power-off-port", "run", "--kernel", "/none", "--power-off-port", "0x604");
	REFUSED("--power-off-port", "restore", "/none", "--power-off-port", "65536");
	REFUSED("STATE", "convert", "a", "0", "4K", "no");
	REFUSED("START", "convert", "a", "1", "4K", "private");
	REFUSED("SIZE", "convert", "a", "0", "0", "private");
	REFUSED("SIZE", "decommit", "a", "0", "4097");
	REFUSED("SIZE", "decommit", "a", "0xfffffffffffff000", "8K");
}

/* D1 to D5 of the review: where --help, --json and their short forms go */
TEST_OF(usage, asked)
{
	SAYS(0, "usage: gmemctl [COMMAND", "-h");
	SAYS(0, "ABI", "-V");
	SAYS(0, "usage: gmemctl ps", "ps", "-h");
	JSON(0, "--json", "ps");
	JSON(2, "--json", "bogus");
	SAYS(0, "--output-format", "help", "snp", "measure");
	EXPECT_FALSE(strstr(preload_said, "--id-key"));
	EXPECT_EQ(GMEMCTL("snp", "id-block", "--help"), 0);
	EXPECT_FALSE(strstr(preload_said, "--output-format"));
	EXPECT_STRSTR(preload_said, "--id-key");
	SAYS(0, "--cpuid-strict", "run", "--vm-type", "snp", "--help");
	REFUSED("bogus", "snp", "bogus", "--help");
	REFUSED("snp", "snp");
	REFUSED("bogus", "help", "snp", "bogus");
	REFUSED("bogus", "help", "run", "bogus");
	/* The value of another option is none of these. */
	SAYS(1, "/none: open input", "run", "--kernel", "/none", "--append", "--help");
	EXPECT_EQ(GMEMCTL("run", "--kernel", "/none", "--append", "--json"), 1);
	EXPECT_FALSE(strncmp(preload_said, "gmemctl: /none", 14));
}

/* D6, D16: a range is that of the option as it was typed; 0x and K go anywhere. */
TEST_OF(usage, values)
{
	REFUSED("--vcpus", "run", "--vcpus", "33");
	EXPECT_STRSTR(preload_said, "expected 1 to 32, not '33'");
	SAYS(1, "no VM of that name", "convert", "none", "1M", "0x1000", "shared");
	EXPECT_EQ(GMEMCTL("dump", "--", "none", "0x1K", "4KiB"), 1);
	REFUSED("SIZE", "dump", "none", "0", "4X");
	REFUSED("SIZE", "dump", "none", "0");
	EXPECT_STRSTR(preload_said, "is missing");
}

/* Colours are for terminals, and for who asks for them. */
TEST_OF(usage, color)
{
	int master, fd = test_tty_open(&master);

	GMEMCTL("check");
	EXPECT_FALSE(strchr(preload_said, 033));
	EXPECT_STRSTR(preload_said, "FAIL");
	GMEMCTL("check", "--color=always");
	EXPECT_STRSTR(preload_said, "\033[31mFAIL\033[0m  ");
	GMEMCTL("--color", "always", "stat", "none");
	EXPECT_FALSE(strncmp(preload_said, "\033[31mgmemctl:\033[0m none: ", 24));
	GMEMCTL("--color=always", "stat", "none", "--color", "never");
	EXPECT_FALSE(strncmp(preload_said, "gmemctl: none: ", 15));
	JSON(0, "info", "--color=always", "--json");
	EXPECT_FALSE(strchr(preload_said, 033));
	REFUSED("--color", "--color=blue", "info");
	REFUSED("--color", "info", "--color", "blue");
	REFUSED("--color", "info", "--color");
	if (fd < 0)
		return;
	setenv("TERM", "vt100", 1);
	unsetenv("NO_COLOR");
	EXPECT_STREQ(out_color(fd, OUT_GREEN), "\033[32m");
	EXPECT_STREQ(out_color(master, OUT_PLAIN), "\033[0m");
	setenv("NO_COLOR", "1", 1);
	EXPECT_STREQ(out_color(fd, OUT_GREEN), "");
	EXPECT_TRUE(out_color_set("always"));
	EXPECT_STREQ(out_color(fd, OUT_GREEN), "\033[32m");
	EXPECT_TRUE(out_color_set("auto"));
	EXPECT_FALSE(out_color_set("blue"));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	EXPECT_STREQ(out_color(fd, OUT_GREEN), "");
	close(fd);
	close(master);
}

/* A line after a second, which is gone at the end; on a terminal only. */
TEST_OF(usage, progress)
{
	int master, fd = test_tty_open(&master), before[] = { dup(1), dup(2) };
	struct progress progress;
	struct steps steps;
	char text[256] = "";
	ssize_t got;

	if (fd < 0)
		return;
	setenv("TERM", "vt100", 1);
	out_start(false);
	dup2(fd, 1);
	dup2(fd, 2);
	steps_start(&steps, "do it", 6);
	usleep(1300000);
	/* A step that is done takes the place of the line. */
	steps_show(&steps, "step", "is done");
	steps_stop(&steps);
	progress_start(&progress, "do more", -1);
	progress_stop(&progress);
	setenv("TERM", "dumb", 1);
	progress_start(&progress, "do none", -1);
	EXPECT_FALSE(progress.started);
	progress_stop(&progress);
	dup2(before[0], 1);
	dup2(before[1], 2);
	got = read(master, text, sizeof(text) - 1);
	EXPECT_GT(got, 0);
	EXPECT_STREQ(text, "\r\033[Kgmemctl: do it: 1 s\r\033[Kstep   is done\r\n");
	close(fd);
	close(master);
}

/* What a shell offers to complete */
TEST_OF(usage, complete)
{
	SAYS(0, "decommit\n", "__complete", "");
	SAYS(0, "id-check\n", "__complete", "snp", "");
	SAYS(0, "--strategy\n", "__complete", "run", "--str");
	EXPECT_STRSTR(preload_said, "--json\n");
	EXPECT_EQ(GMEMCTL("__complete", "run", "--strategy", ""), 0);
	EXPECT_STREQ(preload_said, "inplace\ndiscard\n");
	EXPECT_EQ(GMEMCTL("__complete", "run", "--kernel", ""), 0);
	EXPECT_FALSE(*preload_said);
	EXPECT_EQ(GMEMCTL("__complete", "ps", "--color", ""), 0);
	EXPECT_STREQ(preload_said, "auto\nalways\nnever\n");
	SAYS(0, "--help", "__complete", "bogus", "");
}

/* Wide enough for a terminal, and there is an example. */
static void check_help(const char *command, const char *name)
{
	char example[64];

	snprintf(example, sizeof(example), "\n  gmemctl %s%s%s", command,
		 name ? " " : "", name ? name : "");
	EXPECT_EQ(GMEMCTL("help", command, name), 0);
	EXPECT_FALSE(strncmp(preload_said, "usage: gmemctl ", 15));
	EXPECT_STRSTR(preload_said, "\nExamples:\n");
	EXPECT_STRSTR(preload_said, example);
	for (const char *line = preload_said; *line; line += line[0] == '\n') {
		EXPECT_LE(strcspn(line, "\n"), 80);
		line += strcspn(line, "\n");
	}
}

/* Each line of each help fits a terminal, and begins nothing that goes on too far. */
TEST_OF(usage, width)
{
	char names[sizeof(preload_said)], *name, *rest = names;

	EXPECT_EQ(GMEMCTL("__complete", ""), 0);
	strcpy(names, preload_said);
	while ((name = strsep(&rest, "\n")) && *name && *name != '-')
		check_help(name, NULL);
	EXPECT_EQ(GMEMCTL("__complete", "snp", ""), 0);
	strcpy(names, preload_said);
	for (rest = names; (name = strsep(&rest, "\n")) && *name;)
		check_help("snp", name);
	check_help("realm", "launch");
	check_help("realm", "run");
	check_help("realm", "status");
}

static int serve(void *data, const char *command, struct json_object *request,
		 struct json_object **result, struct error *error)
{
	return error_set(error, -EINVAL, "test", "serve", NULL);
}

/* A name that another VM has: the guest is not even asked for. */
TEST_OF(usage, C25_taken)
{
	struct server taken, giver;

	setenv("GMEMCTL_RUNTIME_DIR", ksft_folder(), 1);
	EXPECT_FALSE(server_start(&taken, "taken", serve, NULL, NULL));
	EXPECT_FALSE(server_start(&giver, "giver", serve, NULL, NULL));
	SAYS(1, "taken: use as a name of a VM: File exists", "handover", "giver", "--name",
	     "taken");
	SAYS(1, "test: serve: ", "handover", "giver", "--name", "giver");
	SAYS(1, "test: serve: ", "handover", "giver", "--name", "new");
	server_stop(&giver);
	server_stop(&taken);
	EXPECT_FALSE(rmdir(ksft_folder()));
}
