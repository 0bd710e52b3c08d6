// SPDX-License-Identifier: GPL-2.0
/*
 * pvmemctl: in a guest, ask the VMM to change the backing of guest memory. For scripts
 * and tests; see Documentation/man/pvmemctl.rst.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pvmemctl.h"

enum { EXIT_CODE_OK = 0, EXIT_CODE_FAILURE = 1, EXIT_CODE_USAGE = 2 };

#define DEFAULT_DEVICE	PVMEMCONTROL_DEVICE_DIR "0"
#define NOTHING		UINT64_MAX
#define HOLD_MAX	86400

/**
 * struct function - a command that sends a request to the VMM
 * @name: name of the command
 * @func: enum pvmemcontrol_func
 * @undo: the function that undoes it with argument 0, or NOTHING
 * @value: placeholder of its value in help; NULL: it has no value
 * @summary: help text
 */
struct function {
	const char *name;
	uint64_t func;
	uint64_t undo;
	const char *value;
	const char *summary;
};

static const struct function functions[] = {
	{ "dontneed", PVMEMCONTROL_DONTNEED, NOTHING, NULL,
	  "free anonymous memory; it reads as zero afterwards" },
	{ "remove", PVMEMCONTROL_REMOVE, NOTHING, NULL,
	  "free shared memory; it reads as zero afterwards" },
	{ "free", PVMEMCONTROL_FREE, NOTHING, NULL,
	  "let the host free anonymous memory when it needs to" },
	{ "pageout", PVMEMCONTROL_PAGEOUT, NOTHING, NULL, "swap it out; the contents are kept" },
	{ "dontdump", PVMEMCONTROL_DONTDUMP, NOTHING, NULL,
	  "exclude it from core dumps of the VMM; cannot be undone" },
	{ "name", PVMEMCONTROL_SET_VMA_ANON_NAME, PVMEMCONTROL_SET_VMA_ANON_NAME, "NUMBER",
	  "name it pvmemcontrol-NUMBER in the VMM's maps; 0: no name" },
	{ "lock", PVMEMCONTROL_MLOCK, PVMEMCONTROL_MUNLOCK, NULL, "lock it in memory" },
	{ "unlock", PVMEMCONTROL_MUNLOCK, NOTHING, NULL, "undo lock" },
	{ "protect", PVMEMCONTROL_MPROTECT_NONE, PVMEMCONTROL_MPROTECT_RW, "none|r|w|rw",
	  "allow only these accesses; another one ends the guest" },
	{ "mergeable", PVMEMCONTROL_MERGEABLE, PVMEMCONTROL_UNMERGEABLE, NULL,
	  "let the host share equal pages (KSM)" },
	{ "unmergeable", PVMEMCONTROL_UNMERGEABLE, NOTHING, NULL, "undo mergeable" },
	{ "call", 0, NOTHING, "FUNCTION", "the function of this number, for tests" },
};

/**
 * struct request - the command line
 * @device: path of the node
 * @function: the command; NULL: info
 * @func: number of its function
 * @arg: argument of the function
 * @range: the range, without @own
 * @own: size of the memory of this process in bytes; 0: none
 * @hold: seconds before a request for @own is undone
 */
struct request {
	const char *device;
	const struct function *function;
	uint64_t func;
	uint64_t arg;
	struct range range;
	uint64_t own;
	uint64_t hold;
};

static void help(void)
{
	printf("usage: pvmemctl [OPTIONS] COMMAND ADDRESS LENGTH [VALUE]\n"
	       "       pvmemctl [OPTIONS] --own LENGTH COMMAND [VALUE]\n"
	       "       pvmemctl [--device PATH] info\n\n"
	       "Inside a guest: asks the VMM to change the backing of guest memory. ADDRESS\n"
	       "is guest physical; numbers are decimal or hexadecimal, with K, M, G or T.\n\n"
	       "  %-20s %s\n", "info", "show the protocol version and page size of the VMM");
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		const struct function *f = &functions[i];
		char name[32];

		snprintf(name, sizeof(name), "%s%s%s", f->name, f->value ? " " : "",
			 f->value ? f->value : "");
		printf("  %-20s %s\n", name, f->summary);
	}
	printf("\n  -d, --device PATH    the node, instead of " DEFAULT_DEVICE "\n"
	       "  -o, --own LENGTH     use memory of pvmemctl itself; undo at the end\n"
	       "  -w, --hold SECONDS   wait before the undo\n  -h, --help           print this\n"
	       "  -V, --version        print the version\n\n"
	       "Exit codes: 0 success; 1 failure; 2 wrong usage.\n");
}

static int usage_error(const char *object, const char *action)
{
	struct error error;

	error_set(&error, 0, object, action, "see `pvmemctl --help`");
	error_print(&error, stderr);
	return EXIT_CODE_USAGE;
}

static int number(const char *name, const char *text, uint64_t max, uint64_t *value)
{
	char object[128];
	int rc = number_parse(text, value);

	if (!rc && *value <= max)
		return 0;
	snprintf(object, sizeof(object), "%s '%.60s'", name, text);
	return usage_error(object, rc == -EINVAL ? "is not a number" : "is too large");
}

static int parse_protection(const char *text, uint64_t *func)
{
	static const char *const words[] = { "none", "r", "w", "rw" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i], text)) {
			*func = PVMEMCONTROL_MPROTECT_NONE + i;
			return 0;
		}
	}
	return usage_error(text, "is not none, r, w or rw");
}

static int parse_value(struct request *request, const char *text)
{
	if (request->function->func == PVMEMCONTROL_MPROTECT_NONE)
		return parse_protection(text, &request->func);
	if (request->function->func == PVMEMCONTROL_SET_VMA_ANON_NAME)
		return number("NUMBER", text, UINT64_MAX, &request->arg);
	return number("FUNCTION", text, UINT64_MAX, &request->func);
}

static int parse_range(struct range *range, char **argv)
{
	int code = number("ADDRESS", argv[0], UINT64_MAX, &range->addr);

	if (!code)
		code = number("LENGTH", argv[1], UINT64_MAX, &range->length);
	if (!code && range->length > UINT64_MAX - range->addr)
		code = usage_error("ADDRESS and LENGTH", "are beyond 64 bits");
	return code;
}

/* Parse the command and its arguments. Return: an exit code. */
static int parse_command(struct request *request, int argc, char **argv)
{
	int numbers = request->own ? 0 : 2, code;

	if (!argc)
		return usage_error("COMMAND", "is missing");
	if (!strcmp(argv[0], "info"))
		return argc > 1 ? usage_error(argv[1], "unexpected argument") : 0;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!strcmp(functions[i].name, argv[0]))
			request->function = &functions[i];
	if (!request->function)
		return usage_error(argv[0], "no such command");
	request->func = request->function->func;
	if (argc < 1 + numbers)
		return usage_error(argc < 2 ? "ADDRESS" : "LENGTH", "is missing");
	code = numbers ? parse_range(&request->range, argv + 1) : 0;
	argc -= 1 + numbers;
	argv += 1 + numbers;
	if (code || !request->function->value)
		return code ? code : argc ? usage_error(argv[0], "unexpected argument") : 0;
	if (argc != 1)
		return argc ? usage_error(argv[1], "unexpected argument") :
			      usage_error(request->function->value, "is missing");
	return parse_value(request, argv[0]);
}

static const struct option options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "own", required_argument, NULL, 'o' },
	{ "hold", required_argument, NULL, 'w' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 }
};

/* Return: an exit code, or -1 if there is a request to send. */
static int parse(struct request *request, int argc, char **argv)
{
	int option, code = 0;

	while (!code && (option = getopt_long(argc, argv, "+d:o:w:hV", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			request->device = optarg;
			break;
		case 'o':
			code = number("--own", optarg, INT64_MAX, &request->own);
			if (!code && !request->own)
				code = usage_error("--own", "needs more than nothing");
			break;
		case 'w':
			code = number("--hold", optarg, HOLD_MAX, &request->hold);
			break;
		case 'h':
			help();
			return EXIT_CODE_OK;
		case 'V':
			printf("pvmemctl " GMEM_VERSION "\n");
			return EXIT_CODE_OK;
		default:
			fprintf(stderr, "pvmemctl: see `pvmemctl --help`\n");
			return EXIT_CODE_USAGE;
		}
	}
	if (!code)
		code = parse_command(request, argc - optind, argv + optind);
	if (!code && request->hold && !request->own)
		code = usage_error("--hold", "is for --own");
	return code ? code : -1;
}

static void no_end(int number)
{
}

/* Wait. A signal ends only the wait, because the request has to be undone. */
static void hold(uint64_t seconds)
{
	struct sigaction action = { .sa_handler = no_end };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (seconds)
		sleep(seconds);
}

/* After a failed request or undo the memory is not read: it may be inaccessible. */
static int own_run(struct device *device, const struct request *request, struct own *own,
		   struct error *error)
{
	uint64_t undo = request->function->undo;
	struct error other, *undo_error;
	size_t done = 0;
	int rc = 0, undone = 0, one;

	while (!rc && done < own->count) {
		rc = device_call(device, request->func, request->function->name,
				 &own->ranges[done], request->arg, error);
		if (!rc) {
			printf("%s: 0x%" PRIx64 "+0x%" PRIx64 "\n", request->function->name,
			       own->ranges[done].addr, own->ranges[done].length);
			done++;
		}
	}
	fflush(stdout);
	if (!rc)
		hold(request->hold);
	undo_error = rc ? &other : error;
	for (size_t i = 0; undo != NOTHING && i < done; i++) {
		one = device_call(device, undo, "undo", &own->ranges[i], 0, undo_error);
		undone = undone ? undone : one;
	}
	if (rc || undone)
		return rc ? rc : undone;
	printf("kept: %zu of %zu pages\n", own_kept(own), own->pages);
	return 0;
}

static int run(const struct request *request, struct error *error)
{
	struct device device;
	struct own own;
	int rc;

	rc = device_open(&device, request->device, error);
	if (rc)
		return rc;
	if (!request->function) {
		printf("device:     %s\nversion:    %" PRIu64 ".%" PRIu64 "\npage size:  %"
		       PRIu64 "\n", device.path, (uint64_t)device.info.arg0,
		       (uint64_t)device.info.arg1, (uint64_t)device.info.ret_value);
	} else if (request->own) {
		rc = own_open(&own, request->own, error);
		if (!rc) {
			rc = own_run(&device, request, &own, error);
			own_close(&own);
		}
	} else {
		rc = device_call(&device, request->func, request->function->name,
				 &request->range, request->arg, error);
	}
	device_close(&device);
	if (!rc && fflush(stdout))
		rc = error_set(error, -errno, "standard output", "write", NULL);
	return rc;
}

int main(int argc, char **argv)
{
	struct request request = { .device = DEFAULT_DEVICE };
	struct error error;
	int code = parse(&request, argc, argv);

	if (code >= 0)
		return code;
	if (!run(&request, &error))
		return EXIT_CODE_OK;
	error_print(&error, stderr);
	return EXIT_CODE_FAILURE;
}
