// SPDX-License-Identifier: GPL-2.0
/* gmemctl snp launch, gmemctl run --vm-type snp */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/gmem.h>

#include "../base/clock.h"
#include "../base/hex.h"
#include "../boot/linux.h"
#include "../machine/machine.h"
#include "../machine/pc.h"
#include "../snp/abi.h"
#include "command.h"
#include "out.h"
#include "run_pc.h"
#include "snp.h"

/* Ranges of RAM below the devices and from 4 GiB on, the firmware, and those of an IGVM file */
#define SNP_GUEST_RANGES (2 * E820_PLACES + 1 + SNP_IGVM_RANGES)

/**
 * struct snp_guest - the guest
 * @options: firmware, kernel, vCPUs
 * @memory: the option --memory
 * @handover: how memory is converted: 0: pages are discarded; 1: gmem moves pages to KVM
 *	and back
 * @id_block_path, @id_auth_path, @host_data_path, @certs_path: files, or NULL
 * @policy: see struct snp_launch_config; @policy_given: it was given with an option
 * @has_id_block: @id_block and @id_auth are set
 * @vcek_disabled, @cpuid_strict: see struct snp_launch_config
 * @run: options of all runs
 * @loaded: the files of @options
 * @certs: contents of @certs_path
 * @id_block, @id_auth: contents of @id_block_path and @id_auth_path
 * @host_data: if @has_host_data; @host_data_given: it was given with an option
 * @ranges: ranges of memory, array of @nr_ranges
 * @request: the backing of the memory
 * @launch: configuration of the launch; it points into this structure
 * @config: configuration of the machine; it points into this structure
 */
struct snp_guest {
	struct snp_options options;
	struct memory_option memory;
	unsigned int handover;
	const char *id_block_path, *id_auth_path, *host_data_path, *certs_path;
	uint64_t policy;
	const char *policy_given, *host_data_given;
	bool has_id_block;
	bool vcek_disabled, cpuid_strict;
	struct run_options run;
	struct snp_loaded loaded;
	struct input certs;
	struct snp_id_block id_block;
	struct snp_id_auth id_auth;
	bool has_host_data;
	uint8_t host_data[SNP_HOST_DATA_SIZE];
	struct range ranges[SNP_GUEST_RANGES];
	unsigned int nr_ranges;
	struct memory_request request;
	struct snp_launch_config launch;
	struct pc_config config;
};

#define DEFAULT_MEMORY (UINT64_C(256) << 20)

#define TO_GUEST(member) TO(struct snp_guest, member)

static const char *const conversions[] = { "discard", "handover", NULL };

static const struct cli_option snp_guest_options[] = {
	{ .include = snp_image_options, TO_GUEST(options) },
	/* An option of `gmemctl run`, which has chosen this command by it */
	{ .name = "--vm-type", .argument = "snp" },
	{ "--memory", "SIZE|LIST", option_memory, TO_GUEST(memory),
	  "as for gmemctl run; kinds: shared, private, hugetlb, file, gmem-store; default: "
	  "256M. fd=N: an open file of the size of RAM and firmware together; a gmem fd can be "
	  "partly converted" },
	{ "--conversion", "NAME", option_word, TO_GUEST(handover),
	  "discard (default): the page on the stale side is freed; handover: gmem tracks pages, "
	  "and refuses while the host holds one (not yet run on a host with SNP)",
	  .words = conversions },
	{ "--policy", "N", snp_option_policy, TO_GUEST(policy),
	  "guest policy (default 0x30000)", GIVEN(struct snp_guest, policy_given) },
	{ "--id-block", "FILE", option_text, TO_GUEST(id_block_path),
	  "checked before anything is launched," },
	{ "--id-auth", "FILE", option_text, TO_GUEST(id_auth_path), "with its signatures" },
	{ "--host-data", "HEX", option_hex, TO_GUEST(host_data),
	  "32 bytes for the guest's reports;", .max = SNP_HOST_DATA_SIZE,
	  GIVEN(struct snp_guest, host_data_given) },
	{ "--host-data-file", "FILE", option_text, TO_GUEST(host_data_path),
	  "or the SHA-256 of this file" },
	{ "--certs", "FILE", option_text, TO_GUEST(certs_path),
	  "certificates for guests that request them with a report (Linux 6.16 and newer)" },
	{ "--vcek-disabled", NULL, option_flag, TO_GUEST(vcek_disabled),
	  "no report is signed by the VCEK" },
	{ "--cpuid-strict", NULL, option_flag, TO_GUEST(cpuid_strict),
	  "fail if the firmware corrects the CPUID page" },
	{ .include = run_options, TO_GUEST(run) },
	{ 0 }
};

static int check_options(const struct snp_guest *guest)
{
	enum backing_kind kind = guest->memory.request.kind;

	if (!guest->options.firmware)
		return usage_error("--firmware", "missing", "give an OVMF image, such as "
				   "/usr/share/ovmf/OVMF.fd, or an IGVM file with --igvm");
	if (!guest->id_block_path != !guest->id_auth_path)
		return usage_error(guest->id_block_path ? "--id-auth" : "--id-block", "missing",
				   "the firmware requires both; see `gmemctl snp id-block`");
	if (guest->host_data_given && guest->host_data_path)
		return usage_error("--host-data", "not with --host-data-file",
				   "both give the host data: leave one out");
	if (snp_vcpu_options_given(&guest->options.vcpu) && !guest->options.image.signature)
		return usage_error("--vcpu-signature", "no such CPU",
				   "a launch needs the signature of a CPU; without the option it "
				   "is that of this host");
	if (guest->options.image.nr_vcpus > MACHINE_VCPUS_MAX)
		return usage_error("--cpus", "too many", "at most %d", MACHINE_VCPUS_MAX);
	if (kind == BACKING_GMEM || kind == BACKING_GUEST_MEMFD)
		return usage_error("--memory", "not for SNP guests",
				   "private pages of an SNP guest are in the guest_memfd of the "
				   "VM: use kind=shared or gmem-store, not %s",
				   backing_kind_name(kind));
	if (guest->handover && kind != BACKING_SHARED && kind != BACKING_GMEM_STORE)
		return usage_error("--conversion", "not with this memory",
				   "handover is what kind=gmem-store does");
	return 0;
}

static int load_files(struct snp_guest *guest, struct error *error)
{
	int rc = snp_loaded_read(&guest->loaded, &guest->options, error);

	if (!rc && guest->id_block_path)
		rc = snp_file_read_exactly(guest->id_block_path, &guest->id_block,
					   sizeof(guest->id_block), error);
	guest->has_id_block = guest->id_block_path;
	guest->has_host_data = guest->host_data_given || guest->host_data_path;
	if (!rc && guest->id_auth_path)
		rc = snp_file_read_exactly(guest->id_auth_path, &guest->id_auth,
					   sizeof(guest->id_auth), error);
	if (!rc && guest->host_data_path)
		rc = snp_host_data_read(guest->host_data_path, guest->host_data, error);
	if (!rc && guest->certs_path)
		rc = input_read(&guest->certs, guest->certs_path, error);
	return rc;
}

static void add_range(struct snp_guest *guest, uint64_t start, uint64_t end)
{
	struct range *at = &guest->ranges[guest->nr_ranges];

	if (start >= end)
		return;
	/* Keep the ranges in ascending order */
	for (; at > guest->ranges && at[-1].start > start; at--)
		*at = at[-1];
	*at = (struct range){ start, end };
	guest->nr_ranges++;
}

/* Add the parts of a required range that are not in RAM. */
static void add_required(struct snp_guest *guest, const struct range *range,
			 const struct range *ram, unsigned int nr_ram)
{
	uint64_t start = range->start;

	for (unsigned int i = 0; i < nr_ram; i++) {
		if (ram[i].end <= start || ram[i].start >= range->end)
			continue;
		add_range(guest, start, ram[i].start);
		start = ram[i].end;
	}
	add_range(guest, start, range->end);
}

/* Place RAM, and the firmware, which has a range of its own between low and high RAM. */
static int place_memory(struct snp_guest *guest, struct error *error)
{
	const struct snp_igvm *igvm = guest->loaded.image.igvm;
	uint64_t size = guest->memory.size ? guest->memory.size : DEFAULT_MEMORY;
	struct range ram[E820_PLACES];
	unsigned int count = e820_place(size, ram);

	if (!count)
		return error_set(error, -EINVAL, "--memory", "place",
				 "a multiple of 4K that fits a PC");
	for (unsigned int i = 0; i < count; i++)
		add_range(guest, ram[i].start, ram[i].end);
	if (!igvm)
		add_range(guest, SNP_4G - guest->loaded.firmware.size, SNP_4G);
	for (unsigned int i = 0; igvm && i < igvm->nr_required; i++)
		add_required(guest, &igvm->required[i], ram, count);
	guest->request = guest->memory.request;
	guest->request.ranges = guest->ranges;
	guest->request.nr_ranges = guest->nr_ranges;
	if (guest->handover)
		guest->request.kind = BACKING_GMEM_STORE;
	return 0;
}

/* Take values from an IGVM file, unless an option was given. */
static int take_igvm(struct snp_guest *guest, struct error *error)
{
	const struct snp_igvm *igvm = guest->loaded.image.igvm;

	if (!igvm)
		return 0;
	if (igvm->nr_vcpus > MACHINE_VCPUS_MAX)
		return error_set(error, -EOPNOTSUPP, igvm->name, "launch",
				 "it has %u vCPUs, but a VM at most %d", igvm->nr_vcpus,
				 MACHINE_VCPUS_MAX);
	if (igvm->has_policy && !guest->policy_given)
		guest->policy = igvm->policy;
	if (igvm->has_id_block && !guest->id_block_path) {
		guest->id_block = igvm->id_block;
		guest->id_auth = igvm->id_auth;
		guest->has_id_block = true;
	}
	return 0;
}

/* Build the configurations, which point into @guest. */
static void configure(struct snp_guest *guest)
{
	struct machine_config *machine = &guest->config.machine;

	guest->launch = (struct snp_launch_config){
		.image = guest->loaded.image,
		.policy = guest->policy,
		.id_block = guest->has_id_block ? &guest->id_block : NULL,
		.id_auth = guest->has_id_block ? &guest->id_auth : NULL,
		.host_data = guest->has_host_data ? guest->host_data : NULL,
		.certs = guest->certs_path ? guest->certs.data : NULL,
		.certs_size = guest->certs.size,
		.vcek_disabled = guest->vcek_disabled,
		.cpuid_strict = guest->cpuid_strict,
	};
	guest->config = (struct pc_config){
		.machine = run_machine(&guest->run, guest->loaded.image.nr_vcpus),
	};
	machine->snp = &guest->launch;
	machine->memory.requests = &guest->request;
	machine->memory.nr_requests = 1;
	machine->memory.guest_memfd = guest->request.kind != BACKING_GMEM_STORE;
	machine->memory.initial_private = true;
	machine->memory.encrypted = true;
	run_pc_console(&guest->config);
}

/* Add details for JSON to the step that was shown last */
static void show_pages(void *data, const struct snp_run *run, const char *type, unsigned int calls)
{
	struct steps *steps = data;
	struct json_object *entry = out_last(steps->array);

	out_uint(entry, "gpa", run->gpa);
	out_uint(entry, "pages", run->size / SNP_PAGE_SIZE);
	out_string(entry, "type", type);
	out_string(entry, "name", run->name);
	out_uint(entry, "calls", calls);
}

static void show_launch(const struct snp_launch *launch)
{
	struct json_object *object = out_object(out_root(), "launch");
	char text[2 * SNP_DIGEST_SIZE + 1];

	snp_out_hex(object, "digest", launch->predicted.digest, SNP_DIGEST_SIZE);
	out_uint(object, "pages", launch->predicted.pages);
	out_uint(object, "signature", launch->image.signature);
	out_uint(object, "policy", launch->config->policy);
	out_uint(object, "calls", launch->calls);
	out_uint(object, "retries", launch->retries);
	out_uint(object, "cpuid_corrections", launch->corrections);
	out_text("launched: %" PRIu64 " pages with %u calls, CPUs of 0x%x\nlaunch digest %s\n",
		 launch->predicted.pages, launch->calls, launch->image.signature,
		 hex_format(launch->predicted.digest, SNP_DIGEST_SIZE, text));
}

/* Return: an exit code. */
static int launch_guest(struct snp_guest *guest, bool run)
{
	struct steps steps;
	struct error error;
	uint64_t start;
	struct pc *pc;
	int rc, code;

	guest->launch.step = steps_show;
	guest->launch.pages = show_pages;
	guest->launch.data = &steps;
	pc = malloc(sizeof(*pc));
	if (!pc)
		return out_no_memory("VM");
	steps_start(&steps, "launch the guest", 18);
	rc = pc_create(pc, &guest->config, &error);
	steps_stop(&steps);
	if (rc) {
		free(pc);
		return out_error_report(&error);
	}
	show_launch(&pc->machine.launch);
	code = EXIT_CODE_OK;
	if (run) {
		fflush(stdout);
		start = clock_now_ns();
		code = pc_run(pc, &error) ? out_error_report(&error) :
		       run_report(&pc->machine, clock_now_ns() - start, "snp:");
	}
	pc_destroy(pc);
	free(pc);
	return code;
}

static int guest_main(const struct command *command, void *arguments)
{
	struct snp_guest *guest = arguments;
	struct error error;
	int rc, code = snp_options_check_image(&guest->options);

	if (!code)
		code = check_options(guest);
	if (code)
		return code;
	rc = load_files(guest, &error);
	if (!rc)
		rc = take_igvm(guest, &error);
	if (!rc)
		rc = place_memory(guest, &error);
	if (rc)
		return out_error_report(&error);
	configure(guest);
	return launch_guest(guest, command == &command_snp_run);
}

static void guest_end(void *arguments, int code)
{
	struct snp_guest *guest = arguments;

	snp_loaded_free(&guest->loaded);
	input_free(&guest->certs);
}

static const struct snp_guest defaults = {
	.options.image = {
		.vmm = SNP_VMM_GMEMCTL, .nr_vcpus = 1, .features = SNP_FEATURE_ACTIVE,
	},
	.memory = MEMORY_OPTION_DEFAULT,
	.policy = SNP_POLICY_DEFAULT,
	.run = RUN_OPTIONS_DEFAULT,
};

const struct command command_snp_launch = {
	.name = "snp launch",
	.run = guest_main,
	.size = sizeof(defaults),
	.defaults = &defaults,
	.end = guest_end,
	.summary = "launch a guest, show each step, and end it again",
	.usage = "snp launch --firmware FILE|--igvm FILE [OPTIONS]",
	.options = snp_guest_options,
	.examples = "gmemctl snp launch --firmware OVMF.fd --vcpu-type EPYC-Milan",
};

const struct command command_snp_run = {
	.name = "snp run",
	.run = guest_main,
	.size = sizeof(defaults),
	.defaults = &defaults,
	.end = guest_end,
	.summary = "launch it, and run it with its console, as `gmemctl run --vm-type snp`",
	.usage = "snp run --firmware FILE|--igvm FILE [OPTIONS]\n"
		 "run --vm-type snp --firmware FILE|--igvm FILE [OPTIONS]",
	.options = snp_guest_options,
	.more = "Exit codes: those of `gmemctl run`.",
	.examples = "gmemctl snp run --firmware OVMF.fd --kernel bzImage --append console=ttyS0",
};
