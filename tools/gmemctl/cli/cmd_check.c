// SPDX-License-Identifier: GPL-2.0
/* `gmemctl check`, which is `gmemctl snp status`, too. */
#include "../host/snp.h"
#include "check.h"
#include "command.h"
#include "out.h"
#include "snp.h"

static void check_print(struct json_object *checks,
			const struct host_check *check)
{
	static const char *const words[] = {
		[HOST_PASS] = "PASS", [HOST_FAIL] = "FAIL", [HOST_SKIP] = "SKIP",
	};
	struct json_object *entry = out_append(checks);

	out_string(entry, "name", check->name);
	out_string(entry, "status", host_verdict_name(check->verdict));
	out_string(entry, "value", check->value);
	out_string(entry, "hint", check->fix[0] ? check->fix : NULL);
	out_text("%s  %-14s %s\n", words[check->verdict], check->name,
		 check->value);
	if (check->fix[0])
		out_text("      -> %s\n", check->fix);
}

int check_show(const struct host *host, const struct host_report *report,
	       const char *guest)
{
	struct json_object *checks = out_array(out_root(), "checks");

	out_string(out_root(), "gmemctl", GMEM_VERSION);
	out_string(out_root(), "kernel", host->release);
	out_string(out_root(), "machine", host->machine);
	for (unsigned int i = 0; i < report->count; i++)
		check_print(checks, &report->checks[i]);
	out_bool(out_root(), "usable", !report->failed);
	if (!report->failed)
		out_text("%s can be launched\n", guest);
	else
		out_text("%u %s failed, the first one first: %s cannot be "
			 "launched\n", report->failed,
			 report->failed == 1 ? "check" : "checks", guest);
	return report->failed ? EXIT_CODE_UNSUPPORTED : EXIT_CODE_OK;
}

static int status_main(int argc, char **argv)
{
	int code = command_parse(&command_check, argc, argv, NULL);
	struct host_report report;
	struct host host;

	if (code)
		return code;
	host_init(&host);
	host_check_snp(&host, &report);
	return check_show(&host, &report, "an SEV-SNP guest");
}

#define ABOUT \
	"Looks at CPU, BIOS, kernel, KVM, firmware, limits and modules, from the bottom up, " \
	"with a line for each: PASS, FAIL with what to do about it, or SKIP for what cannot " \
	"be seen or is of no concern. At the end a VM is created and initialised. The exit " \
	"code is 0 if nothing failed, that is if a launch can work, else 4. Much can be seen " \
	"by root only."

const struct command command_check = {
	.name = "check",
	.run = status_main,
	.summary = "look whether this host can launch an SEV-SNP guest",
	.about = ABOUT " `gmemctl snp status` is the same.",
};

const struct command command_snp_status = {
	.name = "snp status",
	.run = status_main,
	.summary = "look whether this host can launch an SEV-SNP guest, as `gmemctl check`",
	.about = ABOUT,
};
