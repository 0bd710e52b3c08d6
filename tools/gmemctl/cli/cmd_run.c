// SPDX-License-Identifier: GPL-2.0
/* The options of `gmemctl run`. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <linux/gmem.h>

#include "command.h"
#include "out.h"
#include "run.h"
#include "snp.h"

#define DEFAULT_TIMEOUT_MS	2000
#define DEFAULT_ROUNDS		4

#define TIMEOUT_MAX_S	86400
#define ROUNDS_MAX	1000000

static const char *const types[] = { "default", "snp", NULL };

#define TO_RUN(member) TO(struct run, member)
#define LINUX_ONLY GIVEN(struct run, linux_option)
#define PAYLOAD_ONLY GIVEN(struct run, payload_option)

static const struct cli_option run_options[] = {
	{ .help = "Linux, with a serial console (Ctrl-A x ends it at a terminal):" },
	{ "--kernel", "FILE", option_text, TO_RUN(kernel),
	  "bzImage, 3.8 or newer", LINUX_ONLY },
	{ "--initrd", "FILE", option_text, TO_RUN(initrd), "initrd", LINUX_ONLY },
	{ "--append", "TEXT", option_text, TO_RUN(append), "kernel command line",
	  LINUX_ONLY },
	{ "--power-off-port", "PORT", option_off_port, TO_RUN(off_port),
	  "a write to it powers off: for a guest without ACPI; 0x1000 to 0xffff",
	  LINUX_ONLY },
	{ "--name", "NAME", option_vm_name, TO_RUN(name),
	  "for `gmemctl ps` and others; default: vm-PID", LINUX_ONLY },
	{ .help = "A payload:" },
	{ "--payload", "NAME", option_word, TO_RUN(payload),
	  "sha256 (default): digest of the input, computed in private memory; convert: "
	  "all memory to and fro, contents checked; for tests: race touch badmap mmio "
	  "port crash spin", .words = run_payload_names, PAYLOAD_ONLY },
	{ "--input", "FILE", option_text, TO_RUN(path),
	  "for sha256; 0 bytes to 256 MiB", PAYLOAD_ONLY },
	{ "--rounds", "N", option_count, TO_RUN(rounds),
	  "of convert and race, 4 by default", .max = ROUNDS_MAX, PAYLOAD_ONLY },
	{ .help = "Both:" },
	{ "--vm-type", "TYPE", option_word, TO_RUN(type),
	  "default, or snp, which has options of its own: `gmemctl help snp run`",
	  .words = types },
	{ "--memory", "SIZE|LIST", option_memory, TO_RUN(memory),
	  "SIZE and KEY=VALUE, comma separated: kind= (shared, private, hugetlb, file, "
	  "gmem, gmem-store, guest-memfd), thp, prefetch, hugepages, hugepage_size=, "
	  "file=, node=, consent, dump. Default of Linux: 256M,kind=shared; a payload has "
	  "as much as it needs, up to 3G" },
	{ "--cpus", "N", option_count, TO_RUN(nr_vcpus),
	  "1 (default) to 32, of a payload to 8", { "--vcpus" },
	  .min = 1, .max = MACHINE_VCPUS_MAX },
	{ "--strategy", "NAME", option_word, TO_RUN(strategy),
	  "inplace (default): pages change hands and keep their contents, kind=gmem (of "
	  "a payload the default) and gmem-store; discard: as QEMU does it, the guest "
	  "copies what it wants to keep; in memory of any kind but gmem-store, "
	  "guest-memfd", .words = run_strategy_names },
	{ "--convert-timeout", "MS", option_count, TO_RUN(convert_timeout_ms),
	  "how long a conversion waits for a held page, 2000 by default",
	  .max = GMEM_CONVERT_TIMEOUT_MAX },
	{ "--timeout", "SECONDS", option_count, TO_RUN(run_timeout_s),
	  "stop the VM after that time; 0 (default): never", .max = TIMEOUT_MAX_S },
	{ "--trace", NULL, option_flag, TO_RUN(trace),
	  "print each exit and conversion to stderr" },
	{ 0 }
};

/* Return: 0 or an exit code. */
static int run_check(const struct run *run)
{
	if (run->memory.request.existing_fd >= 0)
		return usage_error("--memory", "fd= is not for this guest",
				   "only an SNP guest can start in memory that "
				   "is there already");
	if (run->linux_option && !run->kernel)
		return usage_error(run->linux_option, "needs a kernel",
				   "say with --kernel which Linux to boot");
	if (run->linux_option && run->payload_option)
		return usage_error(run->payload_option, "not for Linux",
				   "it is about payloads; --kernel runs Linux");
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
	int code = command_parse(&command_run, argc, argv, &run);

	if (!code)
		code = run_check(&run);
	if (code)
		return code;
	return run.kernel ? run_linux(&run) : run_payload(&run);
}

/* An SNP guest has options of its own. */
static const struct command *run_choose(int argc, char **argv)
{
	const char *type = command_value(&command_run, argc, argv, "--vm-type");

	return type && !strcmp(type, "snp") ? &command_snp_run : &command_run;
}

const struct command command_run = {
	.name = "run",
	.run = run_main,
	.choose = run_choose,
	.summary = "run a payload or Linux in a VM",
	.usage = "run --kernel FILE [OPTIONS]\n"
		 "run --input FILE [OPTIONS]\n"
		 "run --vm-type snp [OPTIONS]",
	.options = run_options,
	.more = "SIZE is a number of bytes, also in hexadecimal, or of K, M, G or T.\n"
		"\n"
		"Examples:\n"
		"  gmemctl run --kernel bzImage --initrd initrd --append console=ttyS0 \\\n"
		"      --memory 1G,kind=gmem --name web\n"
		"  gmemctl run --input FILE\n"
		"\n"
		"Exit codes: 0 success; 1 failure, also when stopped by a signal; 2 wrong "
		"usage; 4 this machine lacks what is needed. Guests that do not end well: 16 "
		"reset, 17 panic, 18 triple fault, 19 event of KVM, 20 no entry, 21 internal "
		"error of KVM, 22 memory fault, 23 payload gave up, 24 halted, 64 + N exit "
		"port.",
};
