// SPDX-License-Identifier: GPL-2.0
/* gmemctl run: a payload, or Linux. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/gmem.h>

#include "../base/calls.h"
#include "../base/clock.h"
#include "../base/hex.h"
#include "../boot/boot.h"
#include "../boot/linux.h"
#include "../guest/params.h"
#include "../kvm/slot.h"
#include "../kvm/vm.h"
#include "../machine/machine.h"
#include "../machine/payload.h"
#include "../machine/pc.h"
#include "../memory/convert.h"
#include "command.h"
#include "out.h"
#include "run_pc.h"
#include "snp.h"

/**
 * struct run - the command line, and results of the run
 * @type: type of the VM; other commands run the other types
 * @nr_vcpus: number of vCPUs
 * @options: options of all runs
 * @memory: the option --memory
 * @payload: the payload: enum guest_payload
 * @strategy: how memory is converted: enum memory_strategy
 * @payload_option, @linux_option: a given option that only payloads or only Linux have, or NULL
 * @rounds: number of rounds of the payload convert
 * @kernel, @initrd: files of Linux; without the path of a kernel a payload runs
 * @append: command line of Linux; @cmdline: the same with added words, or NULL
 * @off_port: port that powers Linux off, or 0
 * @pvmemcontrol: function codes for Linux, as bits; 0: no such device
 * @balloon: Linux has a balloon
 * @page_reporting: Linux reports free pages through the balloon
 * @name: name of the VM; NULL: choose a free one
 * @ram: ranges of RAM
 * @request: the memory
 * @config: configuration of the PC for Linux
 * @input: a file for the payload, if it has a path; @digest: its digest
 * @input_length: bytes that the payload works on
 * @elapsed_ns: duration of the run
 */
struct run {
	unsigned int type;
	uint32_t nr_vcpus;
	struct run_options options;
	struct memory_option memory;
	unsigned int payload;
	unsigned int strategy;
	const char *payload_option;
	const char *linux_option;
	uint32_t rounds;
	struct input kernel, initrd;
	const char *append;
	char *cmdline;
	uint16_t off_port;
	uint32_t pvmemcontrol;
	bool balloon;
	bool page_reporting;
	const char *name;
	struct range ram[E820_PLACES];
	struct memory_request request;
	struct pc_config config;
	struct input input;
	uint8_t digest[INPUT_DIGEST_SIZE];
	uint64_t input_length;
	uint64_t elapsed_ns;
};

#define DEFAULT_MEMORY (UINT64_C(256) << 20)

#define PAYLOAD_DEFAULT_MEMORY		(UINT64_C(64) << 20)
#define MEMORY_UNIT		(UINT64_C(2) << 20)
#define PATTERN			UINT64_C(0x70617474676d656d)

#define DEFAULT_ROUNDS		4

#define ROUNDS_MAX	1000000

#define TO_RUN(member) TO(struct run, member)
#define LINUX_ONLY GIVEN(struct run, linux_option)
#define PAYLOAD_ONLY GIVEN(struct run, payload_option)

/* Check options without a machine and without reading files. Return: 0 or an exit code. */
static int linux_memory(struct run *run)
{
	struct memory_config *memory = &run->config.machine.memory;
	struct memory_option *option = &run->memory;
	bool discard = run->strategy == MEMORY_DISCARD;
	uint64_t size = option->size ? option->size : DEFAULT_MEMORY;
	unsigned int count = e820_place(size, run->ram);
	size_t length = strlen(run->append);

	if (option->size && option->size < E820_HOLE_END)
		return usage_error("--memory", "too small", "at least 1M");
	if (length >= LINUX_CMDLINE_SIZE)
		return usage_error("--append", "too long", "at most %d characters, not %zu",
				   LINUX_CMDLINE_SIZE - 1, length);
	if (!count)
		return usage_error("--memory", "not whole pages",
				   "a multiple of 4K that fits a PC");
	if (discard && option->request.kind == BACKING_GMEM_STORE)
		return usage_error("--strategy", "not with kind=gmem-store",
				   "that memory is converted in place");
	run->request = option->request;
	run->request.ranges = run->ram;
	run->request.nr_ranges = count;
	memory->requests = &run->request;
	memory->nr_requests = 1;
	memory->guest_memfd = discard;
	run->config.boot.ram = run->ram;
	run->config.boot.nr_ram = count;
	return 0;
}

/* On an emulated host a guest may not boot without some words, and would not say why. */
static int linux_cmdline(struct run *run, struct error *error)
{
	const char *append = run->append;
	char words[EMULATED_HOST_WORDS_MAX];
	int khz = 0;
	struct vm vm;

	if (!emulated_host())
		return 0;
	/* The frequency of the TSC. An error is ignored: the run will report it. */
	if (!vm_create_plain(&vm, NULL)) {
		khz = calls_ioctl_value(vm.fd, KVM_GET_TSC_KHZ, 0);
		vm_destroy(&vm);
	}
	emulated_host_words(append, khz > 0 ? (unsigned int)khz : 0, words);
	if (!*words)
		return 0;
	if (asprintf(&run->cmdline, "%s%s", append,
		     append[0] ? words : words + 1) < 0) {
		run->cmdline = NULL;
		return error_set(error, -ENOMEM, "command line", "extend", NULL);
	}
	run->config.boot.cmdline = run->cmdline;
	out_string(out_root(), "cmdline_added", words + 1);
	fprintf(stderr, "gmemctl: emulated host (TCG): the guest's command line "
		"also has:%s\n", words);
	return 0;
}

static int linux_read(struct run *run, struct error *error)
{
	struct linux_boot *boot = &run->config.boot;
	int rc;

	rc = input_read(&run->kernel, run->kernel.path, error);
	if (!rc && run->initrd.path)
		rc = input_read(&run->initrd, run->initrd.path, error);
	boot->kernel = run->kernel.data;
	boot->kernel_size = run->kernel.size;
	boot->kernel_name = run->kernel.path;
	boot->initrd = run->initrd.data;
	boot->initrd_size = run->initrd.size;
	boot->cmdline = run->append;
	return rc ? rc : linux_cmdline(run, error);
}

/* Return: an exit code. */
static int run_linux(struct run *run)
{
	struct run_pc pc = { .name = run->name, .kernel = run->kernel.path };
	struct error error;
	int code;

	run->config.machine = run_machine(&run->options, run->nr_vcpus);
	run->config.off_port = run->off_port;
	run->config.pvmemcontrol = run->pvmemcontrol;
	run->config.balloon = run->balloon || run->page_reporting;
	run->config.page_reporting = run->page_reporting;
	run_pc_console(&run->config);
	code = linux_memory(run);
	if (!code)
		code = linux_read(run, &error) ? out_error_report(&error) :
		       run_pc(&pc, &run->config);
	input_free(&run->kernel);
	input_free(&run->initrd);
	free(run->cmdline);
	return code;
}

static const char *const payload_names[] = {
	[GUEST_PAYLOAD_SHA256]	= "sha256",
	[GUEST_PAYLOAD_CONVERT]	= "convert",
	[GUEST_PAYLOAD_RACE]	= "race",
	[GUEST_PAYLOAD_TOUCH]	= "touch",
	[GUEST_PAYLOAD_BADMAP]	= "badmap",
	[GUEST_PAYLOAD_MMIO]	= "mmio",
	[GUEST_PAYLOAD_PORT]	= "port",
	[GUEST_PAYLOAD_CRASH]	= "crash",
	[GUEST_PAYLOAD_SPIN]	= "spin",
	[GUEST_PAYLOAD_COUNT]	= NULL,
};

static const char *const strategy_names[] = {
	[MEMORY_INPLACE] = "inplace",
	[MEMORY_DISCARD] = "discard",
	NULL
};

/* Return: 0 or an exit code. */
static int run_check_options(struct run *run)
{
	struct memory_request *request = &run->memory.request;
	bool inplace = run->strategy == MEMORY_INPLACE;

	if (run->nr_vcpus > GUEST_MAX_VCPUS)
		return usage_error("--cpus", "not a number in range",
				   "1 to %d for a payload", GUEST_MAX_VCPUS);
	if (run->payload == GUEST_PAYLOAD_SHA256 && !run->input.path)
		return usage_error("--input", "missing", "the payload sha256 needs a file");
	if (run->payload == GUEST_PAYLOAD_RACE && !inplace)
		return usage_error("--strategy", "not for this payload",
				   "race needs contents that survive: inplace");
	if (run->payload != GUEST_PAYLOAD_SHA256 && run->input.path)
		return usage_error("--input", "not for this payload", "only sha256 reads a file");
	/* Only gmem converts in place, and gmem with a store always does. */
	if (!run->memory.kind_given)
		request->kind = inplace ? BACKING_GMEM : BACKING_SHARED;
	if (inplace && request->kind != BACKING_GMEM && request->kind != BACKING_GMEM_STORE)
		return usage_error("--memory", "not for --strategy inplace",
				   "kind=gmem or kind=gmem-store, or --strategy discard");
	if (!inplace && request->kind == BACKING_GMEM_STORE)
		return usage_error("--memory", "not for --strategy discard",
				   "another kind, or --strategy inplace");
	return 0;
}

/* Choose the size of memory, or check that the given size is enough. */
static int run_size_memory(struct run *run)
{
	uint64_t start = payload_input_gpa(run->strategy, run->nr_vcpus);
	uint64_t *size = &run->memory.size;
	uint64_t units = (run->input.size + MEMORY_UNIT - 1) / MEMORY_UNIT + 1;
	uint64_t least = start + units * MEMORY_UNIT;

	if (!*size)
		*size = least > PAYLOAD_DEFAULT_MEMORY || run->input.path ? least :
							      PAYLOAD_DEFAULT_MEMORY;
	if (*size < least)
		return usage_error("--memory", "too small", "this run needs at least %" PRIu64 "K",
				   least >> 10);
	if (*size > BOOT_MEMORY_MAX)
		return usage_error("--memory", "too large", "at most 3G");
	if (*size % GUEST_PAGE_SIZE)
		return usage_error("--memory", "not whole pages", "a multiple of 4K");
	run->input_length = run->input.path ? run->input.size : *size - start;
	return 0;
}

/* Run the payload, with a line of progress unless --trace prints lines. */
static int run_start(struct run *run, struct payload *payload, struct error *error)
{
	struct progress progress = { 0 };
	uint64_t start;
	int rc = 0;

	payload->params->pattern = PATTERN;
	if (!run->options.trace)
		progress_start(&progress, "run the payload", -1);
	if (run->input.path)
		rc = input_load(&run->input, payload_input(payload), run->digest, error);
	start = clock_now_ns();
	if (!rc)
		rc = payload_run(payload, run->payload, run->input_length, run->rounds, error);
	run->elapsed_ns = clock_now_ns() - start;
	progress_stop(&progress);
	return rc;
}

/* Return: an exit code. */
static int payload_report(const struct run *run, struct payload *payload)
{
	const struct guest_params *params = payload->params;
	struct json_object *root = out_root(), *guest, *observed;
	char text[2 * INPUT_DIGEST_SIZE + 1], expected[2 * INPUT_DIGEST_SIZE + 1];
	int code;

	out_string(root, "payload", payload_names[run->payload]);
	out_string(root, "strategy", strategy_names[run->strategy]);
	out_string(root, "input", run->input.path);
	out_uint(root, "input_bytes", run->input_length);
	out_text("payload:     %s, %s\n", payload_names[run->payload],
		 strategy_names[run->strategy]);
	guest = out_object(root, "guest");
	observed = out_array(guest, "observed");
	out_uint(guest, "refused", params->refused);
	out_uint(guest, "checked", params->checked);
	for (unsigned int i = 0; i < 4; i++)
		out_append_uint(observed, params->observed[i]);
	if (params->refused)
		out_text("guest:       %u bad requests, all refused\n", params->refused);
	if (params->checked)
		out_text("guest:       contents checked %u times\n", params->checked);
	code = run_report(&payload->machine, run->elapsed_ns, "memory:");
	if (code || run->payload != GUEST_PAYLOAD_SHA256)
		return code;
	hex_format(machine_host(&payload->machine, GUEST_RESULT_GPA), INPUT_DIGEST_SIZE, text);
	hex_format(run->digest, INPUT_DIGEST_SIZE, expected);
	out_string(root, "digest", text);
	out_text("digest: %s\n", text);
	if (!strcmp(text, expected))
		return EXIT_CODE_OK;
	out_error(run->input.path, "digest in the guest", -EBADMSG, "the host's is %s", expected);
	return EXIT_CODE_FAILURE;
}

/* Return: an exit code. */
static int run_build(struct run *run)
{
	const struct payload_config config = {
		.memory_size = run->memory.size,
		.nr_vcpus = run->nr_vcpus,
		.memory = run->memory.request,
		.strategy = run->strategy,
		.convert_timeout_ms = run->options.convert_timeout_ms,
		.run_timeout_s = run->options.timeout_s,
		.trace = run->options.trace ? stderr : NULL,
		.console = stderr,
	};
	/* While memory is discarded, a chunk of each vCPU is populated on both sides. */
	uint64_t populated = GUEST_HEAP_GPA + 2 * run->nr_vcpus * GUEST_CHUNK;
	struct progress progress;
	struct payload payload;
	struct error error;
	int rc, code;

	if (run->input.path || run->payload == GUEST_PAYLOAD_CONVERT)
		populated += run->input_length;
	progress_start(&progress, "make the VM and its memory", -1);
	rc = payload_check_memory(populated, &error);
	if (!rc)
		rc = payload_create(&payload, &config, &error);
	progress_stop(&progress);
	if (rc)
		return out_error_report(&error);
	run_warn(&payload.machine);
	code = run_start(run, &payload, &error) ? out_error_report(&error) :
	       payload_report(run, &payload);
	payload_destroy(&payload);
	return code;
}

/* Return: an exit code. */
static int run_payload(struct run *run)
{
	struct error error;
	int code = run_check_options(run);

	if (code)
		return code;
	if (run->input.path && input_read(&run->input, run->input.path, &error))
		return out_error_report(&error);
	code = run_size_memory(run);
	if (!code) {
		code = run_build(run);
		out_string(out_root(), "result", code ? "failed" : "ok");
	}
	input_free(&run->input);
	return code;
}

static const char *const types[] = { "default", "snp", NULL };

static const struct cli_option options[] = {
	{ .help = "Linux, with a serial console (Ctrl-A x ends it at a terminal):" },
	{ "--kernel", "FILE", option_text, TO_RUN(kernel.path), "bzImage, 3.8 or newer",
	  LINUX_ONLY },
	{ "--initrd", "FILE", option_text, TO_RUN(initrd.path), "initrd", LINUX_ONLY },
	{ "--append", "TEXT", option_text, TO_RUN(append), "kernel command line", LINUX_ONLY },
	{ "--power-off-port", "PORT", option_off_port, TO_RUN(off_port),
	  "a write to this port powers off, for a guest without ACPI; 0x1000 to 0xffff",
	  LINUX_ONLY },
	{ "--balloon", NULL, option_flag, TO_RUN(balloon),
	  "a virtio balloon, see `gmemctl help balloon`", LINUX_ONLY },
	{ "--page-reporting", NULL, option_flag, TO_RUN(page_reporting),
	  "the same, and free memory of the guest is returned to the host after some seconds",
	  LINUX_ONLY },
	{ "--pvmemcontrol", "CODES", option_words, TO_RUN(pvmemcontrol),
	  "a device with which the guest manages its memory on this host; CODES: all, or "
	  "allowed codes, comma separated, see Documentation/pvmemcontrol.rst",
	  LINUX_ONLY, .words = pvmemcontrol_code_names },
	{ "--name", "NAME", option_vm_name, TO_RUN(name),
	  "for `gmemctl ps` and others; default: vm-PID", LINUX_ONLY },
	{ .help = "A payload:" },
	{ "--payload", "NAME", option_word, TO_RUN(payload),
	  "sha256 (default): digest of the input, computed in private memory; convert: "
	  "all memory to and fro, contents checked; for tests: race touch badmap mmio "
	  "port crash spin", .words = payload_names, PAYLOAD_ONLY },
	{ "--input", "FILE", option_text, TO_RUN(input.path),
	  "for sha256; 0 bytes to 256 MiB", PAYLOAD_ONLY },
	{ "--rounds", "N", option_count, TO_RUN(rounds),
	  "of convert and race, 4 by default", .max = ROUNDS_MAX, PAYLOAD_ONLY },
	{ .help = "Both:" },
	{ "--vm-type", "TYPE", option_word, TO_RUN(type),
	  "default, or snp, which has its own options: `gmemctl help snp run`", .words = types },
	{ "--memory", "SIZE|LIST", option_memory, TO_RUN(memory),
	  "SIZE and KEY=VALUE, comma separated: kind= (shared, private, hugetlb, file, gmem, "
	  "gmem-store, guest-memfd), thp, prefetch, hugepages, hugepage_size=, file=, node=, "
	  "consent, dump. Default for Linux: 256M,kind=shared; for a payload as much as it "
	  "needs, up to 3G" },
	{ "--cpus", "N", option_count, TO_RUN(nr_vcpus), "1 (default) to 32, for a payload to 8",
	  { "--vcpus" }, .min = 1, .max = MACHINE_VCPUS_MAX },
	{ "--strategy", "NAME", option_word, TO_RUN(strategy),
	  "inplace (default): pages keep their contents, kind=gmem (default for a payload) and "
	  "gmem-store; discard: as QEMU, the guest copies what it wants to keep; any kind but "
	  "gmem-store, guest-memfd", .words = strategy_names },
	{ .include = run_options, TO_RUN(options) },
	{ 0 }
};

static int run_main(const struct command *command, void *arguments)
{
	struct run *run = arguments;

	if (run->memory.request.existing_fd >= 0)
		return usage_error("--memory", "fd= is not for this guest",
				   "only an SNP guest can start in memory that "
				   "is there already");
	if (run->linux_option && !run->kernel.path)
		return usage_error(run->linux_option, "needs a kernel",
				   "give the Linux to boot with --kernel");
	if (run->linux_option && run->payload_option)
		return usage_error(run->payload_option, "not for Linux",
				   "it is about payloads; --kernel runs Linux");
	return run->kernel.path ? run_linux(run) : run_payload(run);
}

/* Choose the command by --vm-type, because an SNP guest has other options. */
static const struct command *run_choose(int argc, char **argv)
{
	const char *type = command_value(&command_run, argc, argv, "--vm-type");

	return type && !strcmp(type, "snp") ? &command_snp_run : &command_run;
}

const struct command command_run = {
	.name = "run",
	.run = run_main,
	ARGUMENTS(struct run, .nr_vcpus = 1, .options = RUN_OPTIONS_DEFAULT,
		  .strategy = MEMORY_INPLACE, .memory = MEMORY_OPTION_DEFAULT,
		  .rounds = DEFAULT_ROUNDS, .append = ""),
	.choose = run_choose,
	.summary = "run a payload or Linux in a VM",
	.usage = "run --kernel FILE [OPTIONS]\n"
		 "run --input FILE [OPTIONS]\n"
		 "run --vm-type snp [OPTIONS]",
	.options = options,
	.more = "SIZE is a number of bytes, also hexadecimal, or has the suffix K, M, G or T.\n"
		"\n"
		"Exit codes: 0 success; 1 failure, also when stopped by a signal; 2 wrong "
		"usage; 4 this host lacks something. Guests that fail: 16 reset, 17 panic, 18 "
		"triple fault, 19 event of KVM, 20 no entry, 21 internal error of KVM, 22 "
		"memory fault, 23 payload cannot continue, 24 halted, 64 + N exit port.",
	.examples = "gmemctl run --kernel bzImage --initrd initrd --append console=ttyS0 \\\n"
		    "        --memory 1G,kind=gmem --name web\n"
		    "gmemctl run --input FILE",
};
