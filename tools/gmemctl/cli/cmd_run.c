// SPDX-License-Identifier: GPL-2.0
/* The options of `gmemctl run`. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <linux/gmem.h>

#include "cli.h"
#include "out.h"
#include "run.h"
#include "snp.h"

#define DEFAULT_TIMEOUT_MS	2000
#define DEFAULT_ROUNDS		4

/* From OPTION_PAYLOAD on for a payload only, from OPTION_KERNEL on for Linux. */
enum {
	OPTION_MEMORY = 256,
	OPTION_VCPUS,
	OPTION_CONVERT_TIMEOUT,
	OPTION_TIMEOUT,
	OPTION_TRACE,
	OPTION_JSON,
	OPTION_STRATEGY,
	OPTION_PAYLOAD,
	OPTION_INPUT,
	OPTION_ROUNDS,
	OPTION_KERNEL,
	OPTION_INITRD,
	OPTION_APPEND,
	OPTION_OFF_PORT,
	OPTION_NAME,
};

static const struct option run_options[] = {
	{ "payload", required_argument, NULL, OPTION_PAYLOAD },
	{ "input", required_argument, NULL, OPTION_INPUT },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "vcpus", required_argument, NULL, OPTION_VCPUS },
	{ "cpus", required_argument, NULL, OPTION_VCPUS },
	{ "strategy", required_argument, NULL, OPTION_STRATEGY },
	{ "rounds", required_argument, NULL, OPTION_ROUNDS },
	{ "kernel", required_argument, NULL, OPTION_KERNEL },
	{ "initrd", required_argument, NULL, OPTION_INITRD },
	{ "append", required_argument, NULL, OPTION_APPEND },
	{ "power-off-port", required_argument, NULL, OPTION_OFF_PORT },
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "convert-timeout", required_argument, NULL, OPTION_CONVERT_TIMEOUT },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "trace", no_argument, NULL, OPTION_TRACE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ NULL, 0, NULL, 0 },
};

static int run_parse_memory(struct run *run)
{
	struct error error;

	if (!memory_option_parse(optarg, &run->memory, &error))
		return run->memory.request.existing_fd < 0 ? 0 :
		       usage_error("--memory", "fd= is not for this guest",
				   "only an SNP guest can start in memory that "
				   "is there already");
	return usage_error(error.object, error.action, "%s", error.hint);
}

static int run_parse_payload(struct run *run, int option)
{
	switch (option) {
	case OPTION_PAYLOAD:
		return run_payload_set(run, optarg);
	case OPTION_INPUT:
		run->path = optarg;
		return 0;
	default:
		return usage_count("--rounds", optarg, 1000000, &run->rounds);
	}
}

static int run_parse_linux(struct run *run, int option)
{
	switch (option) {
	case OPTION_KERNEL:
		run->kernel = optarg;
		return 0;
	case OPTION_INITRD:
		run->initrd = optarg;
		return 0;
	case OPTION_APPEND:
		run->append = optarg;
		return 0;
	case OPTION_OFF_PORT:
		return usage_off_port(optarg, &run->off_port);
	default:
		run->name = optarg;
		return usage_name("--name", optarg);
	}
}

static int run_parse_option(struct run *run, int option, char **argv)
{
	switch (option) {
	case OPTION_MEMORY:
		return run_parse_memory(run);
	case OPTION_VCPUS:
		return usage_count("--cpus", optarg, MACHINE_VCPUS_MAX,
				   &run->nr_vcpus);
	case OPTION_CONVERT_TIMEOUT:
		return usage_count("--convert-timeout", optarg,
				   GMEM_CONVERT_TIMEOUT_MAX,
				   &run->convert_timeout_ms);
	case OPTION_TIMEOUT:
		return usage_count("--timeout", optarg, 86400,
				   &run->run_timeout_s);
	case OPTION_TRACE:
		run->trace = stderr;
		return 0;
	case OPTION_JSON:
		return 0;
	case OPTION_STRATEGY:
		return run_set_strategy(run, optarg);
	default:
		return usage_option(option, argv);
	}
}

/**
 * struct run_groups - the last option of each group that was given, or NULL
 * @payload: of a payload
 * @guest: of Linux
 */
struct run_groups {
	const struct option *payload;
	const struct option *guest;
};

static int run_option_error(const struct option *option, const char *action,
			    const char *hint)
{
	char name[32];

	snprintf(name, sizeof(name), "--%s", option->name);
	return usage_error(name, action, "%s", hint);
}

/* Return: 0 or an exit code. */
static int run_check(const struct run *run, const struct run_groups *groups,
		     int argc, char **argv)
{
	if (optind < argc)
		return usage_error(argv[optind], "unexpected argument",
				   "`gmemctl run` takes options only");
	if (groups->guest && !run->kernel)
		return run_option_error(groups->guest, "needs a kernel",
					"say with --kernel which Linux to boot");
	if (groups->guest && groups->payload)
		return run_option_error(groups->payload, "not for Linux",
					"it is about payloads; --kernel runs Linux");
	return 0;
}

static int run_parse(struct run *run, int argc, char **argv)
{
	struct run_groups groups = { NULL, NULL };
	int option, code, index;

	while ((option = option_next(argc, argv, run_options, &index)) !=
	       -1) {
		if (option >= OPTION_KERNEL) {
			groups.guest = &run_options[index];
			code = run_parse_linux(run, option);
		} else if (option >= OPTION_PAYLOAD) {
			groups.payload = &run_options[index];
			code = run_parse_payload(run, option);
		} else {
			code = run_parse_option(run, option, argv);
		}
		if (code)
			return code;
	}
	return run_check(run, &groups, argc, argv);
}

#define OPTION_TYPE "--vm-type"
#define OPTION_TYPE_IS OPTION_TYPE "="

/* The value of --vm-type, where argv[0] is that; @taken arguments long. */
static const char *run_type(char **argv, int *taken)
{
	size_t length = strlen(OPTION_TYPE_IS);

	*taken = 0;
	if (!strncmp(argv[0], OPTION_TYPE_IS, length)) {
		*taken = 1;
		return argv[0] + length;
	}
	if (strcmp(argv[0], OPTION_TYPE))
		return NULL;
	*taken = argv[1] ? 2 : 1;
	return argv[1] ? argv[1] : "";
}

/**
 * run_take_type() - take --vm-type out of the arguments: an SNP guest has options
 *	of its own
 * @argc, @argv: without it afterwards
 *
 * Return: 0 or an exit code.
 */
static int run_take_type(int *argc, char **argv, bool *snp)
{
	*snp = false;
	for (int i = 1; i < *argc; i++) {
		int taken;
		const char *value = run_type(&argv[i], &taken);

		if (!value)
			continue;
		*snp = !strcmp(value, "snp");
		if (!*snp && strcmp(value, "default"))
			return usage_error(OPTION_TYPE, "no such type",
					   "expected default or snp, not '%s'",
					   value);
		/* The NULL at the end moves along. */
		memmove(&argv[i], &argv[i + taken],
			(size_t)(*argc - i - taken + 1) * sizeof(*argv));
		*argc -= taken;
		i--;
	}
	return 0;
}

static int run_main(int argc, char **argv)
{
	struct run run = {
		.nr_vcpus = 1,
		.convert_timeout_ms = DEFAULT_TIMEOUT_MS,
		.strategy = MEMORY_INPLACE,
		.memory = { .request = { .existing_fd = -1, .node = -1 } },
		.rounds = DEFAULT_ROUNDS,
		.append = "",
		.input = { .fd = -1 },
	};
	bool snp;
	int code;

	code = run_take_type(&argc, argv, &snp);
	if (code)
		return code;
	if (snp)
		return snp_run_main(argc, argv);
	code = run_parse(&run, argc, argv);
	if (code)
		return code;
	return run.kernel ? run_linux(&run) : run_payload(&run);
}

const struct command command_run = {
	.name = "run",
	.run = run_main,
	.summary = "run a payload or Linux in a VM",
	.help = "usage: gmemctl run [OPTIONS]\n"
		"       gmemctl run --kernel FILE [OPTIONS]\n"
		"       gmemctl run --vm-type snp ...: see gmemctl help snp\n"
		"\n"
		"Linux, with a serial console (Ctrl-A x ends it at a terminal):\n"
		"  --kernel FILE          bzImage, 3.8 or newer\n"
		"  --initrd FILE          initrd\n"
		"  --append TEXT          kernel command line\n"
		"  --memory SIZE|LIST     SIZE and KEY=VALUE, comma separated: kind= (shared,\n"
		"                         private, hugetlb, file, gmem, gmem-store,\n"
		"                         guest-memfd), thp, prefetch, hugepages, file=, node=,\n"
		"                         consent, dump;\n"
		"                         default: 256M,kind=shared\n"
		"  --cpus N               1 (default) to 32\n"
		"  --power-off-port PORT  a write to it powers off: for a guest without ACPI;\n"
		"                         0x1000 to 0xffff\n"
		"  --name NAME            for `gmemctl ps` and others; default: vm-PID\n"
		"\n"
		"A payload:\n"
		"  --payload NAME         sha256 (default): digest of the input, computed in\n"
		"                         private memory; convert: all memory to and fro,\n"
		"                         contents checked; for tests: race touch badmap\n"
		"                         mmio port crash spin\n"
		"  --input FILE           for sha256; 0 bytes to 256 MiB\n"
		"  --memory SIZE|LIST     as above, up to 3G; default: as needed\n"
		"  --vcpus N              1 (default) to 8\n"
		"  --rounds N             of convert and race, 4 by default\n"
		"\n"
		"Both:\n"
		"  --strategy NAME        inplace (default): pages change hands and keep\n"
		"                         their contents, kind=gmem (of a payload the\n"
		"                         default) and gmem-store; discard: as QEMU does\n"
		"                         it, the guest copies what it wants to keep; in\n"
		"                         memory of any kind but gmem-store, guest-memfd\n"
		"  --convert-timeout MS   how long a conversion waits for a held page,\n"
		"                         2000 by default\n"
		"  --timeout SECONDS      stop the VM after that time; 0 (default): never\n"
		"  --trace                print each exit and conversion to stderr\n"
		"  --json                 print a JSON object\n"
		"\n"
		"SIZE is a number of bytes, or of K, M, G or T. Exit codes: 0 success; 1\n"
		"failure, also when stopped by a signal; 2 wrong usage; 4 this machine\n"
		"lacks what is needed. Guests that do not end well: 16 reset, 17 panic,\n"
		"18 triple fault, 19 event of KVM, 20 no entry, 21 internal error of KVM,\n"
		"22 memory fault, 23 payload gave up, 24 halted, 64 + N exit port.\n",
};
