// SPDX-License-Identifier: GPL-2.0
/* What is there, what is missing, and what to do about it. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../host/host.h"
#include "../kvm/abi.h"
#include "../kvm/vm.h"
#include "command.h"
#include "modules.h"
#include "out.h"

/**
 * struct report - what info collects
 * @checks: array of the JSON object, or NULL
 * @missing: number of checks that failed in this part
 * @needless: it is all the same, there is another way
 */
struct report {
	struct json_object *checks;
	unsigned int missing;
	bool needless;
};

static void check(struct report *report, const char *name, bool ok,
		  const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

static void check(struct report *report, const char *name, bool ok,
		  const char *hint, const char *format, ...)
{
	struct json_object *entry;
	char value[320];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (!ok)
		report->missing++;
	entry = out_append(report->checks);
	out_string(entry, "name", name);
	out_string(entry, "status", ok ? "pass" : "fail");
	out_string(entry, "value", value);
	out_string(entry, "hint", ok ? NULL : hint);
	out_text("  %-4s  %-38s %s\n", ok ? "ok" : report->needless ? "no" : "FAIL",
		 name, value);
	if (!ok && hint && !report->needless)
		out_text("        -> %s\n", hint);
}

static void check_modules(struct report *report)
{
	for (unsigned int i = 0; i < MODULES_COUNT; i++) {
		const char *name = modules_names[i];
		bool loaded = modules_loaded(name);
		char version[64] = "";

		if (loaded)
			modules_version(name, version, sizeof(version));
		check(report, name, loaded, "`gmemctl load`", "%s%s",
		      loaded ? "loaded, version " : "not loaded",
		      !loaded ? "" : version[0] ? version : "unknown");
	}
}

static void features_text(uint64_t features, char *text, size_t size)
{
	static const char *const names[] = {
		"kvm-store", "numa", "ranges", "event", "view", "view-fault",
	};
	size_t used = 0;

	snprintf(text, size, "none");
	for (unsigned int i = 0; i < 64; i++) {
		if (!(features >> i & 1) || used + 16 > size)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 used ? " " : "", i < 6 ? names[i] :
					 "unknown");
	}
}

static void check_gmem_info(struct report *report, int device)
{
	struct json_object *gmem = out_object(out_root(), "gmem");
	struct gmem_ioctl_info info;
	char features[128];
	int rc = gmem_info(device, &info);

	if (rc) {
		check(report, "GMEM_IOCTL_INFO", false,
		      "another module's device? `gmemctl unload`, then load the "
		      "module that was built together with gmemctl", "%s",
		      strerror(-rc));
		return;
	}
	features_text(info.features, features, sizeof(features));
	out_uint(gmem, "abi_version", info.abi_version);
	out_uint(gmem, "features", info.features);
	out_uint(gmem, "create_flags", info.create_flags);
	out_uint(gmem, "max_length", info.max_length);
	out_uint(gmem, "page_size", info.page_size);
	out_uint(gmem, "max_timeout_ms", info.max_timeout_ms);
	check(report, "ABI", info.abi_version == GMEM_ABI_VERSION,
	      "`gmemctl unload`, then load the module that was built together "
	      "with gmemctl", "module has version %u, gmemctl %u",
	      info.abi_version, GMEM_ABI_VERSION);
	out_text("        features: %s\n", features);
	out_text("        largest fd %" PRIu64 " GiB, pages of %u bytes, timeout at "
		 "most %u ms\n", (uint64_t)info.max_length >> 30, info.page_size,
		 info.max_timeout_ms);
}

static void check_gmem_device(struct report *report)
{
	struct error error;
	int device = gmem_open(&error);
	struct stat stat_buf;
	char mode[64] = "";

	if (!stat(GMEM_DEVICE_PATH, &stat_buf))
		snprintf(mode, sizeof(mode), " (mode %04o, user %u, group %u)",
			 stat_buf.st_mode & 07777, stat_buf.st_uid,
			 stat_buf.st_gid);
	check(report, GMEM_DEVICE_PATH, device >= 0, error.hint, "%s%s",
	      device >= 0 ? "can be opened" : strerror(-device), mode);
	if (device < 0)
		return;
	check_gmem_info(report, device);
	calls->close(device);
}

/* Return: whether they are there. */
static bool check_views(struct report *report)
{
	struct host_view view;
	const char *lacks;

	report->missing = 0;
	host_view_look(&view);
	lacks = host_view_lacks(&view);
	check(report, "GMEM_FEATURE_VIEW", view.features & GMEM_FEATURE_VIEW,
	      lacks, "0x%llx", (unsigned long long)view.features);
	check(report, "GMEM_FEATURE_VIEW_FAULT",
	      view.features & GMEM_FEATURE_VIEW_FAULT,
	      "load gmem_kvm: `gmemctl load`", "0x%llx",
	      (unsigned long long)view.features);
	check(report, "KVM_HC_MAP_GPA_RANGE exits", view.exits, lacks, "%s",
	      view.exits ? "an ordinary VM has them" : "not there");
	check(report, "GMEM_IOCTL_VIEW", !view.made, lacks, "%s",
	      view.made ? strerror(-view.made) :
	      "a view was made, and mapped");
	return !lacks;
}

static void check_vm(struct report *report, int kvm)
{
	const struct vm_capability *capability;
	int fd = calls_ioctl_value(kvm, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	bool ok = fd >= 0;

	/* A VM may answer differently from the device; the VM's answer counts. */
	for (capability = vm_capabilities; capability->name; capability++)
		check(report, capability->name,
		      vm_capability_met(ok ? fd : kvm, capability),
		      capability->hint, "0x%x",
		      vm_capability(ok ? fd : kvm, capability->number));
	check(report, "KVM_CREATE_VM", ok, "see dmesg, and the lines above",
	      "%s", ok ? "a VM with private memory was created" : strerror(-fd));
	if (ok)
		calls->close(fd);
}

/* Return: whether it is there. */
static bool check_store(struct report *report)
{
	int kvm = vm_open_kvm(NULL), types;

	report->missing = 0;
	if (kvm < 0)
		return false;
	types = vm_capability(kvm, KVM_CAP_VM_TYPES);
	check(report, "KVM_X86_SW_PROTECTED_VM",
	      vm_type_supported(kvm, KVM_X86_SW_PROTECTED_VM),
	      "needs Linux 6.8 or newer with CONFIG_KVM_SW_PROTECTED_VM=y; memory "
	      "of kind gmem does without", "VM types 0x%x",
	      types < 0 ? 0 : (unsigned int)types);
	check_vm(report, kvm);
	calls->close(kvm);
	return !report->missing && modules_loaded("gmem_kvm");
}

static void check_kvm(struct report *report)
{
	struct error error;
	int kvm = vm_open_kvm(&error);

	check(report, KVM_DEVICE_PATH, kvm >= 0, error.hint, "%s",
	      kvm >= 0 ? "can be opened, API version 12" : strerror(-kvm));
	if (kvm >= 0)
		calls->close(kvm);
}

static void show_ways(bool views, bool store)
{
	out_bool(out_root(), "views", views);
	out_bool(out_root(), "store", store);
	out_bool(out_root(), "usable", views || store);
	out_text("private memory: kind=gmem %s, kind=gmem-store %s%s\n",
		 views ? "yes" : "no", store ? "yes" : "no",
		 views || store ? ": `gmemctl demo --input FILE`" : "");
}

static int info_main(int argc, char **argv)
{
	int code = command_parse(&command_info, argc, argv, NULL);
	struct report report = { 0 };
	struct utsname host;
	bool views;

	if (code)
		return code;
	uname(&host);
	report.checks = out_array(out_root(), "checks");
	out_string(out_root(), "gmemctl", GMEM_VERSION);
	out_string(out_root(), "kernel", host.release);
	out_text("gmemctl %s, ABI %u, Linux %s %s\n", GMEM_VERSION,
		 GMEM_ABI_VERSION, host.release, host.machine);
	out_text("gmem\n");
	check_modules(&report);
	check_gmem_device(&report);
	out_text("KVM\n");
	check_kvm(&report);
	out_text("views: private memory for ordinary VMs (kind=gmem)\n");
	views = check_views(&report);
	out_text("private memory of KVM's own (kind=gmem-store)\n");
	report.needless = views;
	show_ways(views, check_store(&report));
	return EXIT_CODE_OK;
}

const struct command command_info = {
	.name = "info",
	.run = info_main,
	.summary = "show modules, device and KVM, and what is missing",
	.about = "Shows the modules, /dev/gmem with its ABI and limits, and what KVM can do; what "
		 "is missing comes with what to do about it. Private memory comes in two ways, "
		 "and one of them will do: views of gmem, for ordinary VMs, and KVM's own. The "
		 "exit code is 0 if the state could be shown; \"usable\" in the JSON object says "
		 "whether there is one of them.",
};
