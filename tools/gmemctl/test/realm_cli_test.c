// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl realm` as a user runs it: the program itself, with the simulator
 * loaded before the C library.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload.h"
#include "unit.h"

#define WORDS 24
#define SETTINGS 6
#define OUTPUT 32768

static char output[OUTPUT];

/**
 * struct run_case - one run
 * @command: its arguments, separated by spaces; @ is the file of the test
 * @settings: of the simulator, likewise
 * @code: exit code
 * @says: what its output has in it
 */
struct run_case {
	const char *command;
	const char *settings;
	int code;
	const char *says;
};

static void split(char *text, const char **words, int max, const char *file)
{
	char *next;
	int count = 0;

	for (char *word = strtok_r(text, " ", &next); word && count < max - 1;
	     word = strtok_r(NULL, " ", &next))
		words[count++] = strcmp(word, "@") ? word : file;
	words[count] = NULL;
}

static int run(const struct run_case *run_case, const char *file)
{
	char command[1024], settings[1024];
	const char *words[WORDS], *sets[SETTINGS];
	int status;

	snprintf(command, sizeof(command), "%s", run_case->command);
	snprintf(settings, sizeof(settings), "STRICT=1 %s", run_case->settings);
	split(command, words, WORDS, file);
	split(settings, sets, SETTINGS, NULL);
	status = preload_run("gmemctl", words, sets, output, sizeof(output));
	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void run_all(const struct run_case *cases, size_t count)
{
	char file[] = "/tmp/gmemctl-test.XXXXXX";
	int fd = mkstemp(file);

	CHECK(fd >= 0 && !ftruncate(fd, 10000));
	for (size_t i = 0; i < count; i++) {
		int code = run(&cases[i], file);
		bool right = code == cases[i].code &&
			     strstr(output, cases[i].says);

		if (!right)
			printf("# %s, %s: %d\n%s", cases[i].command,
			       cases[i].settings, code, output);
		CHECK(right);
	}
	close(fd);
	unlink(file);
}

#define RUN_ALL(cases) run_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void test_status(void)
{
	static const struct run_case cases[] = {
		{ "realm status", "ARM=cca-v14", 0, "a realm can be launched" },
		{ "realm status --json", "ARM=cca-v14", 0, "\"usable\":true" },
		{ "realm status --abi v15", "ARM=cca-v15", 0,
		  "PASS  vm             one was created" },
		{ "realm status", "ARM=cca-v15", 4, "FAIL  capability" },
		{ "realm status --abi v15", "ARM=plain", 4,
		  "capability 251 means something else" },
		{ "realm status", "HOST=no-snp", 4, "FAIL  capability" },
		{ "realm status --json", "ARM=plain", 4, "\"usable\":false" },
		{ "realm status --abi v16", "ARM=plain", 2, "v14 or v15" },
		{ "realm status more", "ARM=plain", 2, "unexpected argument" },
	};

	RUN_ALL(cases);
}

static void test_launch(void)
{
	static const struct run_case cases[] = {
		{ "realm launch", "ARM=cca-v14", 0,
		  "launched: 4096 bytes measured, 0 unmeasured, with 1 calls" },
		{ "realm launch --load @ --cpus 4", "ARM=cca-v14", 0,
		  "launched: 12288 bytes measured" },
		{ "realm launch --load @ --cpus 4", "ARM=cca-v14 PROGRESS=1", 0,
		  "with 3 calls" },
		{ "realm launch --load @ --json", "ARM=cca-v14 PROGRESS=2", 0,
		  "\"populate_calls\":2" },
		{ "realm launch --base 0x80000000 --memory 1G --ipa-bits 40",
		  "ARM=cca-v14", 0, "0x80000000 to 0xc0000000, private" },
		{ "realm launch", "ARM=cca-v14 IPA_BITS=39", 0,
		  "39 bits of guest addresses" },
		/* These are no failures: the rest goes in with another call. */
		{ "realm launch --load @", "ARM=cca-v14 FAIL=rmi-populate:2", 0,
		  "launched: " },
		{ "realm launch --load @", "ARM=cca-v14 FAIL=signal:1", 0,
		  "launched: " },
	};

	RUN_ALL(cases);
}

static void test_failures(void)
{
	static const struct run_case cases[] = {
		{ "realm launch", "ARM=plain", 4, "249 in CCA v14" },
		{ "realm launch --json", "ARM=plain", 4, "\"errors\":[" },
		{ "realm launch --abi v15", "ARM=cca-v15", 4,
		  "only the numbers are known" },
		{ "realm launch", "ARM=cca-v14 FAIL=rmi-create:1", 1,
		  "KVM_ARM_RMI_POPULATE: No such device or address; the RMM" },
		{ "realm launch --load @",
		  "ARM=cca-v14 FAIL=rmi-populate:2,rmi-populate:3", 1,
		  "gpa 0x40001000: KVM_ARM_RMI_POPULATE" },
		{ "realm launch", "ARM=cca-v14 FAIL=rmi-populate:1:9", 1,
		  "this is a bug of the kernel" },
		{ "realm launch --cpus 3", "ARM=cca-v14 FAIL=rmi-rec:3", 1,
		  "vCPU 0: KVM_RUN: No such device or address" },
		{ "realm launch", "ARM=cca-v14 FAIL=rmi-ripas:1", 1,
		  "vCPU 0: KVM_RUN" },
		{ "realm launch --json", "ARM=cca-v14 FAIL=rmi-activate:1", 1,
		  "\"state\":\"failed\"" },
		{ "realm launch --memory 4T --ipa-bits 40", "ARM=cca-v14", 1,
		  "40 bits of guest addresses the top one means shared" },
	};

	RUN_ALL(cases);
}

static void test_run(void)
{
	static const struct run_case cases[] = {
		{ "realm run --cpus 2", "ARM=cca-v14", 0, "end:         power-off" },
		{ "realm run --trace",
		  "ARM=cca-v14 SCRIPT=fault-shared:0x41000000:2,"
		  "fault-private:0x41000000:1,mmio-read:0x9000000:4", 0,
		  "0x41000000 + 0x1000 to private: done" },
		{ "realm run",
		  "ARM=cca-v14 SCRIPT=fault-shared:0x41000000:2,"
		  "fault-shared:0x41000000:2,mmio-write:0x9000000:4", 0,
		  "1 conversions of 8192 bytes, 1 confirmed, 1 stray" },
		{ "realm run", "ARM=cca-v14 SCRIPT=event:2", 16,
		  "end:         reset" },
		{ "realm run --json", "ARM=cca-v14 SCRIPT=event:3", 17,
		  "\"end\":\"panic\"" },
		{ "realm run", "ARM=cca-v14 SCRIPT=fault-private:0x1000:1", 22,
		  "private access at gpa 0x1000" },
	};

	RUN_ALL(cases);
}

static void test_usage(void)
{
	static const struct run_case cases[] = {
		{ "realm", "", 2, "sub-command is missing" },
		{ "realm fly", "", 2, "no such sub-command" },
		{ "realm launch more", "", 2, "unexpected argument" },
		{ "realm launch --cpus 0", "", 2, "at least 1" },
		{ "realm launch --cpus 33", "", 2, "expected 0 to 32" },
		{ "realm launch --memory much", "", 2, "not a size" },
		{ "realm launch --base here", "", 2, "not a number" },
		{ "realm launch --load", "", 2, "value is missing" },
		{ "realm launch --load ,at=0", "", 2, "file is missing" },
		{ "realm launch --load f,at=", "", 2, "not a number" },
		{ "realm launch --load f,measured", "", 2, "not 'measured'" },
		{ "realm launch --load /nowhere", "", 1, "/nowhere: open" },
		{ "realm launch --load @ --load @ --entry 3", "ARM=cca-v14", 1,
		  "0x3 is no place in memory" },
		{ "realm launch --memory 0", "ARM=cca-v14", 1,
		  "multiples of the page size" },
		{ "realm launch --base 0x8000000", "ARM=cca-v14", 1, "--base" },
		{ "realm launch --base 0xfffffffffffff000 --memory 1M",
		  "ARM=cca-v14", 1, "memory: place" },
		{ "realm launch --load /dev/null", "ARM=cca-v14", 1, "" },
		{ "help realm", "", 0, "usage: gmemctl realm status" },
		{ "realm launch", "ARM=cca-v13", 1, "" },
	};

	RUN_ALL(cases);
}

static const struct unit_test tests[] = {
	{ "realm_cli.status", test_status },
	{ "realm_cli.launch", test_launch },
	{ "realm_cli.failures", test_failures },
	{ "realm_cli.run", test_run },
	{ "realm_cli.usage", test_usage },
};

UNIT_TESTS(tests)
