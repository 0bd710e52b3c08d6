// SPDX-License-Identifier: GPL-2.0
/* The report on a host, line by line. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../kvm/abi.h"
#include "../kvm/vm.h"
#include "host.h"

struct host_check *host_add(struct host_report *report, const char *group, const char *name)
{
	struct host_check *check = &report->checks[report->count];

	*check = (struct host_check){ .name = name, .group = group, .verdict = HOST_SKIP };
	if (report->count < HOST_CHECKS_MAX - 1)
		report->count++;
	return check;
}

void host_say(struct host_check *check, enum host_verdict verdict, const char *fix,
	      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->value, sizeof(check->value), format, args);
	va_end(args);
	check->verdict = verdict;
	snprintf(check->fix, sizeof(check->fix), "%s", fix && verdict != HOST_PASS ? fix : "");
}

const char *host_mode(const struct host *host, const char *path, char text[32])
{
	unsigned int mode;

	*text = '\0';
	if (!host_stat(host, path, &mode))
		snprintf(text, 32, " (mode %04o)", mode & 07777);
	return text;
}

void host_look_module(const struct host *host, struct host_check *check)
{
	char version[HOST_VERSION_SIZE];

	if (host_module(host, check->name, version))
		host_say(check, HOST_PASS, NULL, "loaded, version %s",
			 version[0] ? version : "unknown");
	else
		host_say(check, HOST_FAIL, "`gmemctl load`", "not loaded");
}

void host_look_kvm(struct host_launch *launch, struct host_check *check)
{
	struct error error;

	launch->kvm = vm_open_kvm(&error);
	if (launch->kvm < 0) {
		host_say(check, HOST_FAIL, error.hint, "%s: %s", error.action,
			 strerror(-launch->kvm));
		return;
	}
	launch->has |= HOST_HAS_KVM;
	host_say(check, HOST_PASS, NULL, "can be opened, API version %d", KVM_API_VERSION);
}

bool host_check_launch(const struct host *host, const struct host_line *lines, size_t count,
		       struct host_report *report)
{
	static const char *const missing[] = {
		"the CPU has no SEV-SNP", "/dev/sev cannot be opened",
		"the firmware does not answer", "/dev/kvm cannot be opened",
		"KVM does not support realms", "there is no VM of a realm",
	};
	struct host_launch launch = { .host = host, .kvm = -1, .sev = -1, .vm = -1 };
	const int *const fds[] = { &launch.vm, &launch.sev, &launch.kvm };

	*report = (struct host_report){ 0 };
	for (size_t i = 0; i < count; i++) {
		struct host_check *check = host_add(report, NULL, lines[i].name);
		unsigned int lacks = lines[i].needs & ~launch.has;

		if (lacks)
			host_say(check, HOST_SKIP, NULL, "not checked: %s",
				 missing[__builtin_ctz(lacks)]);
		else
			lines[i].look(&launch, check);
		report->failed += check->verdict == HOST_FAIL;
	}
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] >= 0)
			calls->close(*fds[i]);
	return !report->failed;
}
