// SPDX-License-Identifier: GPL-2.0
/* `gmemctl info`, `gmemctl check`, and the status of snp and realm: what this host supports */
#include <inttypes.h>
#include <stdio.h>

#include "../host/host.h"
#include "command.h"
#include "out.h"

/* Show all checks, with a title for each group. */
static void show_checks(const struct host *host, const struct host_report *report, int width)
{
	static const struct {
		const char *text, *json;
		enum out_color color;
	} verdicts[] = {
		[HOST_PASS] = { "PASS", "pass", OUT_GREEN },
		[HOST_FAIL] = { "FAIL", "fail", OUT_RED },
		[HOST_SKIP] = { "SKIP", "skip", OUT_YELLOW },
	};
	struct json_object *checks = out_array(out_root(), "checks");
	const char *group = NULL;

	out_string(out_root(), "gmemctl", GMEM_VERSION);
	out_string(out_root(), "kernel", host->release);
	out_string(out_root(), "machine", host->machine);
	for (unsigned int i = 0; i < report->count; i++) {
		const struct host_check *check = &report->checks[i];
		struct json_object *entry = out_append(checks);

		if (check->group && check->group != group)
			out_text("%s\n", check->group);
		group = check->group;
		out_string(entry, "name", check->name);
		out_string(entry, "status", verdicts[check->verdict].json);
		out_string(entry, "value", check->value);
		out_string(entry, "hint", check->fix[0] ? check->fix : NULL);
		out_text("%s%s%s  %-*s %s\n", out_color(1, verdicts[check->verdict].color),
			 verdicts[check->verdict].text, out_color(1, OUT_PLAIN), width,
			 check->name, check->value);
		if (check->fix[0])
			out_text("      -> %s\n", check->fix);
	}
}

enum part { PART_GMEM, PART_SNP, PART_REALM };

/**
 * struct check - a command line
 * @part: enum part
 * @abi: index in realm_abis
 */
struct check {
	unsigned int part, abi;
};

static const char *const parts[] = { "gmem", "snp", "realm", NULL };

/* Return: an exit code, which is 0 only if no check has failed. */
static int check_guest(enum part part)
{
	const char *guest = part == PART_SNP ? "an SEV-SNP guest" : "a realm";
	struct host_report report;
	struct host host;

	host_init(&host);
	if (part == PART_SNP)
		host_check_snp(&host, &report);
	else
		host_check_realm(&host, &report);
	show_checks(&host, &report, 14);
	out_bool(out_root(), "usable", !report.failed);
	if (!report.failed)
		out_text("%s can be launched\n", guest);
	else
		out_text("%u %s failed: %s cannot be launched; mend the first one first\n",
			 report.failed, report.failed == 1 ? "check" : "checks", guest);
	return report.failed ? EXIT_CODE_UNSUPPORTED : EXIT_CODE_OK;
}

static void show_info(const struct gmem_ioctl_info *info)
{
	static const char *const names[] = {
		"kvm-store", "numa", "ranges", "event", "view", "view-fault", "holder",
	};
	struct json_object *gmem = out_object(out_root(), "gmem");

	out_uint(gmem, "abi_version", info->abi_version);
	out_uint(gmem, "features", info->features);
	out_uint(gmem, "create_flags", info->create_flags);
	out_uint(gmem, "max_length", info->max_length);
	out_uint(gmem, "page_size", info->page_size);
	out_uint(gmem, "max_timeout_ms", info->max_timeout_ms);
	out_text("features:");
	for (unsigned int i = 0; i < 64; i++)
		if (info->features >> i & 1)
			out_text(" %s", i < sizeof(names) / sizeof(names[0]) ?
				 names[i] : "unknown");
	out_text("%s\nlargest fd %" PRIu64 " GiB, pages of %u bytes, timeout at most %u ms\n",
		 info->features ? "" : " none", (uint64_t)info->max_length >> 30, info->page_size,
		 info->max_timeout_ms);
}

/* Return: whether private memory can be used. */
static bool show_gmem(void)
{
	struct host_report report;
	struct host_gmem found;
	struct host host;
	bool usable;

	host_init(&host);
	usable = host_check_gmem(&host, &report, &found);
	out_text("gmemctl %s, ABI %u, Linux %s %s\n", GMEM_VERSION,
		 GMEM_ABI_VERSION, host.release, host.machine);
	show_checks(&host, &report, 38);
	if (found.has_info)
		show_info(&found.info);
	out_bool(out_root(), "views", found.views);
	out_bool(out_root(), "store", found.store);
	out_bool(out_root(), "usable", usable);
	out_text("private memory: kind=gmem %s, kind=gmem-store %s%s\n", found.views ? "yes" : "no",
		 found.store ? "yes" : "no", usable ? ": `gmemctl demo --input FILE`" : "");
	return usable;
}

static int check_main(const struct command *command, void *arguments)
{
	const struct check *check = arguments;

	if (check->part != PART_GMEM)
		return check_guest(check->part);
	return show_gmem() || command == &command_info ? EXIT_CODE_OK : EXIT_CODE_UNSUPPORTED;
}

const struct command command_info = {
	.name = "info",
	.run = check_main,
	ARGUMENTS(struct check, .part = PART_GMEM),
	.summary = "show modules, device and KVM, and what is missing",
	.about = "Shows the modules, /dev/gmem with its ABI and limits, and the capabilities of "
		 "KVM, with a hint for everything that is missing. There are two ways to private "
		 "memory, and one is enough: views of gmem, for ordinary VMs, and the KVM store. "
		 "The exit code is 0 if the state could be shown. \"usable\" in the JSON object, "
		 "and the exit code of `gmemctl check`, say whether one of them works.",
	.examples = "gmemctl info\n"
		    "gmemctl info --json",
};

static const struct cli_option check_options[] = {
	{ "PART", NULL, option_word, TO(struct check, part),
	  "gmem (default): private memory, as `gmemctl info` shows it; snp: launches "
	  "of SEV-SNP guests, as `gmemctl snp status`; realm: as `gmemctl realm status`",
	  .words = parts, .optional = true },
	{ 0 }
};

const struct command command_check = {
	.name = "check",
	.run = check_main,
	ARGUMENTS(struct check, .part = PART_GMEM),
	.summary = "check whether this host supports gmem, SEV-SNP or realms",
	.about = "Checks the requirements, from the bottom up, with a line for each: PASS, FAIL "
		 "with what to do, or SKIP if it cannot be checked or is not required. The exit "
		 "code is 0 only if all requirements are met, else 4.",
	.options = check_options,
	.examples = "gmemctl check\n"
		    "gmemctl check snp",
};

const struct command command_snp_status = {
	.name = "snp status",
	.run = check_main,
	ARGUMENTS(struct check, .part = PART_SNP),
	.summary = "check whether this host can launch an SEV-SNP guest",
	.about = "Checks CPU, BIOS, kernel, KVM, firmware, limits and modules, from the bottom "
		 "up, as `gmemctl check snp`. At the end it creates and initialises a VM. Many "
		 "checks need root.",
	.examples = "gmemctl snp status",
};

static const struct cli_option realm_options[] = {
	{ "--abi", "NAME", option_word, TO(struct check, abi),
	  "version of the CCA series: v14, the only one supported",
	  .words = realm_abis },
	{ 0 }
};

const struct command command_realm_status = {
	.name = "realm status",
	.run = check_main,
	ARGUMENTS(struct check, .part = PART_REALM),
	.summary = "check whether this host can launch a realm, by creating its VM",
	.options = realm_options,
	.examples = "gmemctl realm status",
};
