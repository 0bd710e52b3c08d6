// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/gmem.h>

#include "../snp/policy.h"
#include "cli.h"
#include "out.h"
#include "snp_guest.h"

#define DEFAULT_MEMORY (UINT64_C(256) << 20)
#define DEFAULT_TIMEOUT_MS 2000

enum {
	OPTION_MEMORY = SNP_OPTION_OWN,
	OPTION_CONVERSION,
	OPTION_POLICY,
	OPTION_ID_BLOCK,
	OPTION_ID_AUTH,
	OPTION_HOST_DATA,
	OPTION_HOST_DATA_FILE,
	OPTION_CERTS,
	OPTION_VCEK_DISABLED,
	OPTION_CPUID_STRICT,
	OPTION_CONVERT_TIMEOUT,
	OPTION_TIMEOUT,
	OPTION_TRACE,
};

static const struct option guest_options[] = {
	{ "firmware", required_argument, NULL, SNP_OPTION_FIRMWARE },
	{ "igvm", required_argument, NULL, SNP_OPTION_IGVM },
	{ "kernel", required_argument, NULL, SNP_OPTION_KERNEL },
	{ "initrd", required_argument, NULL, SNP_OPTION_INITRD },
	{ "append", required_argument, NULL, SNP_OPTION_CMDLINE },
	{ "cmdline", required_argument, NULL, SNP_OPTION_CMDLINE },
	{ "cpus", required_argument, NULL, SNP_OPTION_VCPUS },
	{ "vcpus", required_argument, NULL, SNP_OPTION_VCPUS },
	SNP_VCPU_OPTIONS,
	{ "features", required_argument, NULL, SNP_OPTION_FEATURES },
	{ "json", no_argument, NULL, SNP_OPTION_JSON },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "conversion", required_argument, NULL, OPTION_CONVERSION },
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ "id-block", required_argument, NULL, OPTION_ID_BLOCK },
	{ "id-auth", required_argument, NULL, OPTION_ID_AUTH },
	{ "host-data", required_argument, NULL, OPTION_HOST_DATA },
	{ "host-data-file", required_argument, NULL, OPTION_HOST_DATA_FILE },
	{ "certs", required_argument, NULL, OPTION_CERTS },
	{ "vcek-disabled", no_argument, NULL, OPTION_VCEK_DISABLED },
	{ "cpuid-strict", no_argument, NULL, OPTION_CPUID_STRICT },
	{ "convert-timeout", required_argument, NULL, OPTION_CONVERT_TIMEOUT },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "trace", no_argument, NULL, OPTION_TRACE },
	{ NULL, 0, NULL, 0 },
};

static int parse_conversion(struct snp_guest *guest, const char *name)
{
	guest->handover = !strcmp(name, "handover");
	if (guest->handover || !strcmp(name, "discard"))
		return 0;
	return usage_error("--conversion", "no such conversion",
			   "expected discard or handover, not '%s'", name);
}

static int parse_memory(struct snp_guest *guest)
{
	struct error error;

	if (!memory_option_parse(optarg, &guest->memory, &error))
		return 0;
	return usage_error(error.object, error.action, "%s", error.hint);
}

static int parse_file(struct snp_guest *guest, int option)
{
	switch (option) {
	case OPTION_ID_BLOCK:
		guest->id_block_path = optarg;
		return 0;
	case OPTION_ID_AUTH:
		guest->id_auth_path = optarg;
		return 0;
	case OPTION_HOST_DATA_FILE:
		guest->host_data_path = optarg;
		return 0;
	default:
		guest->certs_path = optarg;
		return 0;
	}
}

static int parse_option(struct snp_guest *guest, int option, char **argv)
{
	switch (option) {
	case OPTION_MEMORY:
		return parse_memory(guest);
	case OPTION_CONVERSION:
		return parse_conversion(guest, optarg);
	case OPTION_POLICY:
		guest->has_policy = true;
		return snp_policy_parse(optarg, &guest->policy);
	case OPTION_ID_BLOCK:
	case OPTION_ID_AUTH:
	case OPTION_HOST_DATA_FILE:
	case OPTION_CERTS:
		return parse_file(guest, option);
	case OPTION_HOST_DATA:
		guest->has_host_data = true;
		return usage_hex("--host-data", optarg, guest->host_data,
				 sizeof(guest->host_data));
	case OPTION_VCEK_DISABLED:
		guest->vcek_disabled = true;
		return 0;
	case OPTION_CPUID_STRICT:
		guest->cpuid_strict = true;
		return 0;
	case OPTION_CONVERT_TIMEOUT:
		return usage_count("--convert-timeout", optarg,
				   GMEM_CONVERT_TIMEOUT_MAX,
				   &guest->convert_timeout_ms);
	case OPTION_TIMEOUT:
		return usage_count("--timeout", optarg, 86400,
				   &guest->run_timeout_s);
	case OPTION_TRACE:
		guest->trace = true;
		return 0;
	default:
		return snp_options_parse(&guest->options, option, argv);
	}
}

static int check_memory(const struct snp_guest *guest)
{
	enum backing_kind kind = guest->memory.request.kind;

	if (kind == BACKING_GMEM || kind == BACKING_GUEST_MEMFD)
		return usage_error("--memory", "not for SNP guests",
				   "their private pages live in the VM's "
				   "guest_memfd: kind=shared or gmem-store, not %s",
				   backing_kind_name(kind));
	if (guest->handover && kind != BACKING_SHARED &&
	    kind != BACKING_GMEM_STORE)
		return usage_error("--conversion", "not with this memory",
				   "handover is what kind=gmem-store does");
	return 0;
}

static int check_options(const struct snp_guest *guest, int argc, char **argv)
{
	if (optind < argc)
		return usage_error(argv[optind], "unexpected argument",
				   "an SNP guest is described by options only");
	if (!guest->options.firmware)
		return usage_error("--firmware", "missing",
				   "give an OVMF image, such as "
				   "/usr/share/ovmf/OVMF.fd, or an IGVM file with "
				   "--igvm");
	if (!guest->id_block_path != !guest->id_auth_path)
		return usage_error(guest->id_block_path ? "--id-auth" :
				   "--id-block", "missing",
				   "the firmware wants both; see `gmemctl snp "
				   "id-block`");
	if (guest->has_host_data && guest->host_data_path)
		return usage_error("--host-data", "not with --host-data-file",
				   "one of them says what it is");
	if (snp_vcpu_options_given(&guest->options.vcpu) &&
	    !guest->options.image.signature)
		return usage_error("--vcpu-signature", "no such CPU",
				   "a launch needs one that there is: leave it out "
				   "for this host's");
	if (guest->options.image.nr_vcpus > MACHINE_VCPUS_MAX)
		return usage_error("--cpus", "too many", "at most %d",
				   MACHINE_VCPUS_MAX);
	return check_memory(guest);
}

int snp_guest_parse(struct snp_guest *guest, int argc, char **argv)
{
	int option, code;

	memset(guest, 0, sizeof(*guest));
	snp_options_init(&guest->options);
	guest->options.image.vmm = SNP_VMM_GMEMCTL;
	guest->memory.request.existing_fd = -1;
	guest->memory.request.node = -1;
	guest->policy = SNP_POLICY_DEFAULT;
	guest->convert_timeout_ms = DEFAULT_TIMEOUT_MS;
	while ((option = option_next(argc, argv, guest_options, NULL)) !=
	       -1) {
		code = parse_option(guest, option, argv);
		if (code)
			return code;
	}
	code = snp_options_check_image(&guest->options);
	return code ? code : check_options(guest, argc, argv);
}

/* Host data is 32 bytes: what does not fit is given to a launch as SHA-256. */
static int load_host_data(struct snp_guest *guest, struct error *error)
{
	struct snp_file file;
	int rc = snp_file_read(&file, guest->host_data_path, error);

	if (rc)
		return rc;
	rc = snp_sha256(file.data, file.size, guest->host_data);
	snp_file_free(&file);
	guest->has_host_data = true;
	return rc ? error_set(error, rc, "OpenSSL", "SHA-256", NULL) : 0;
}

static int load_files(struct snp_guest *guest, struct error *error)
{
	int rc = snp_loaded_read(&guest->loaded, &guest->options, error);

	if (!rc && guest->id_block_path)
		rc = snp_file_read_exactly(guest->id_block_path,
					   &guest->id_block,
					   sizeof(guest->id_block), error);
	guest->has_id_block = guest->id_block_path;
	if (!rc && guest->id_auth_path)
		rc = snp_file_read_exactly(guest->id_auth_path, &guest->id_auth,
					   sizeof(guest->id_auth), error);
	if (!rc && guest->host_data_path)
		rc = load_host_data(guest, error);
	if (!rc && guest->certs_path)
		rc = snp_file_read(&guest->certs, guest->certs_path, error);
	return rc;
}

static void add_range(struct snp_guest *guest, uint64_t start, uint64_t end)
{
	struct range *at = &guest->ranges[guest->nr_ranges];

	if (start >= end)
		return;
	/* In ascending order */
	for (; at > guest->ranges && at[-1].start > start; at--)
		*at = at[-1];
	*at = (struct range){ start, end };
	guest->nr_ranges++;
}

/* Of a range that the guest wants, what is not in its RAM. */
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

/* The firmware is memory like other memory, between low and high RAM. */
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

/* What an IGVM file says, unless an option says otherwise. */
static int take_igvm(struct snp_guest *guest, struct error *error)
{
	const struct snp_igvm *igvm = guest->loaded.image.igvm;

	if (!igvm)
		return 0;
	if (igvm->nr_vcpus > MACHINE_VCPUS_MAX)
		return error_set(error, -EOPNOTSUPP, igvm->name, "launch",
				 "it has %u vCPUs, a VM at most %d",
				 igvm->nr_vcpus, MACHINE_VCPUS_MAX);
	if (igvm->has_policy && !guest->has_policy)
		guest->policy = igvm->policy;
	if (igvm->has_id_block && !guest->id_block_path) {
		guest->id_block = igvm->id_block;
		guest->id_auth = igvm->id_auth;
		guest->has_id_block = true;
	}
	return 0;
}

static void configure_launch(struct snp_guest *guest)
{
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
}

static void configure_machine(struct snp_guest *guest)
{
	bool store = guest->request.kind == BACKING_GMEM_STORE;

	guest->config = (struct pc_config){
		.machine = {
			.memory = {
				.requests = &guest->request,
				.nr_requests = 1,
				.guest_memfd = !store,
				.initial_private = true,
				.encrypted = true,
				.convert_timeout_ms = guest->convert_timeout_ms,
			},
			.nr_vcpus = guest->loaded.image.nr_vcpus,
			.irqchip = true,
			.snp = &guest->launch,
			.run_timeout_s = guest->run_timeout_s,
			.trace = guest->trace ? stderr : NULL,
		},
		.input = STDIN_FILENO,
		.output = out_is_json() ? STDERR_FILENO : STDOUT_FILENO,
	};
}

int snp_guest_load(struct snp_guest *guest, struct error *error)
{
	int rc = load_files(guest, error);

	if (!rc)
		rc = take_igvm(guest, error);
	if (!rc)
		rc = place_memory(guest, error);
	if (rc)
		return rc;
	configure_launch(guest);
	configure_machine(guest);
	return 0;
}

void snp_guest_free(struct snp_guest *guest)
{
	snp_loaded_free(&guest->loaded);
	snp_file_free(&guest->certs);
}
