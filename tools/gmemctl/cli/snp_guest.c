// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/gmem.h>

#include "../snp/abi.h"
#include "command.h"
#include "out.h"
#include "snp_guest.h"

#define DEFAULT_MEMORY (UINT64_C(256) << 20)
#define DEFAULT_TIMEOUT_MS 2000

#define TIMEOUT_MAX_S 86400

static const char *const conversions[] = { "discard", "handover", NULL };

#define TO_GUEST(member) TO(struct snp_guest, member)

const struct cli_option snp_guest_options[] = {
	{ .include = snp_image_options, TO_GUEST(options) },
	/* Of `gmemctl run`, which has looked at it */
	{ .name = "--vm-type", .argument = "snp" },
	{ "--memory", "SIZE|LIST", option_memory, TO_GUEST(memory),
	  "as for gmemctl run; kinds: shared, private, hugetlb, file, gmem-store; default: "
	  "256M. fd=N: a file that is open already, of the size of RAM and firmware "
	  "together, also of gmem and converted in part" },
	{ "--conversion", "NAME", option_word, TO_GUEST(handover),
	  "discard (default): the page on the stale side is freed; handover: gmem keeps "
	  "count, and refuses while the host holds a page (not yet run on a host with "
	  "SNP)", .words = conversions },
	{ "--policy", "N", snp_option_policy, TO_GUEST(policy),
	  "guest policy (default 0x30000)", GIVEN(struct snp_guest, policy_given) },
	{ "--id-block", "FILE", option_text, TO_GUEST(id_block_path),
	  "checked before anything is launched," },
	{ "--id-auth", "FILE", option_text, TO_GUEST(id_auth_path),
	  "with its signatures" },
	{ "--host-data", "HEX", option_hex, TO_GUEST(host_data),
	  "32 bytes for the guest's reports;", .max = SNP_HOST_DATA_SIZE,
	  GIVEN(struct snp_guest, host_data_given) },
	{ "--host-data-file", "FILE", option_text, TO_GUEST(host_data_path),
	  "or the SHA-256 of this file" },
	{ "--certs", "FILE", option_text, TO_GUEST(certs_path),
	  "certificates for guests that ask for them with a report (Linux 6.16 and "
	  "newer)" },
	{ "--vcek-disabled", NULL, option_flag, TO_GUEST(vcek_disabled),
	  "no report is signed by the VCEK" },
	{ "--cpuid-strict", NULL, option_flag, TO_GUEST(cpuid_strict),
	  "fail if the firmware corrects the CPUID page" },
	{ "--convert-timeout", "MS", option_count, TO_GUEST(convert_timeout_ms),
	  "how long a conversion waits for a held page, 2000 by default",
	  .max = GMEM_CONVERT_TIMEOUT_MAX },
	{ "--timeout", "SECONDS", option_count, TO_GUEST(run_timeout_s),
	  "stop the VM after that time; 0 (default): never", .max = TIMEOUT_MAX_S },
	{ "--trace", NULL, option_flag, TO_GUEST(trace),
	  "print each exit and conversion to stderr" },
	{ 0 }
};

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

static int check_options(const struct snp_guest *guest)
{
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
	if (guest->host_data_given && guest->host_data_path)
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

int snp_guest_parse(const struct command *command, struct snp_guest *guest,
		    int argc, char **argv)
{
	int code;

	memset(guest, 0, sizeof(*guest));
	snp_options_init(&guest->options);
	guest->options.image.vmm = SNP_VMM_GMEMCTL;
	guest->memory.request.existing_fd = -1;
	guest->memory.request.node = -1;
	guest->policy = SNP_POLICY_DEFAULT;
	guest->convert_timeout_ms = DEFAULT_TIMEOUT_MS;
	code = command_parse(command, argc, argv, guest);
	if (!code)
		code = snp_options_check_image(&guest->options);
	guest->has_host_data = guest->host_data_given;
	return code ? code : check_options(guest);
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
	if (igvm->has_policy && !guest->policy_given)
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
