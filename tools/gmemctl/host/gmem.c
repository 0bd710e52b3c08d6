// SPDX-License-Identifier: GPL-2.0
/* Whether this host can give a guest private memory, in one way or another. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../kvm/abi.h"
#include "../kvm/vm.h"
#include "host.h"

#define PAGE 4096

#define HINT_ABI "`gmemctl unload`, then load the module that was built together with " \
	"gmemctl"

/* As a VMM would do it */
static int make(int device)
{
	int fd = gmem_create(device, PAGE, GMEM_CREATE_F_INIT_SHARED);
	void *address;
	int rc, view;

	if (fd < 0)
		return fd;
	view = gmem_view(fd, 0, PAGE);
	rc = view < 0 ? view :
	     calls->map(PAGE, PROT_NONE, MAP_SHARED, view, 0, &address);
	if (!rc)
		calls->unmap(address, PAGE);
	if (view >= 0)
		calls->close(view);
	calls->close(fd);
	return rc;
}

void host_view_look(struct host_view *view)
{
	int kvm = vm_open_kvm(NULL), device = gmem_open(NULL), exits;
	struct gmem_ioctl_info info;

	*view = (struct host_view){
		.kvm = kvm < 0 ? kvm : 0,
		.device = device < 0 ? device : 0,
		.made = -ENODEV,
	};
	if (device >= 0) {
		if (!gmem_info(device, &info))
			view->features = info.features;
		view->made = make(device);
		calls->close(device);
	}
	if (kvm < 0)
		return;
	exits = vm_capability(kvm, KVM_CAP_EXIT_HYPERCALL);
	view->exits = exits > 0 && exits & 1 << KVM_HC_MAP_GPA_RANGE;
	calls->close(kvm);
}

const char *host_view_lacks(const struct host_view *view)
{
	if (view->device)
		return "the module gmem is not loaded, or its device cannot be "
		       "opened: `gmemctl load`";
	if (view->kvm)
		return "/dev/kvm cannot be opened";
	if (!(view->features & GMEM_FEATURE_VIEW))
		return "this kernel, or the loaded module gmem, has no views: they need "
		       "x86-64";
	if (!(view->features & GMEM_FEATURE_VIEW_FAULT))
		return "the module gmem_kvm is not loaded: `gmemctl load`";
	if (!view->exits)
		return "conversions need Linux 5.14 or newer (KVM_CAP_EXIT_HYPERCALL)";
	return view->made ? "a view cannot be made: see dmesg" : NULL;
}

void host_look_module(const struct host *host, const char *name, struct host_check *check)
{
	char path[64], version[64] = "";

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (host_stat(host, path, NULL)) {
		host_say(check, HOST_FAIL, "not loaded");
		host_fix(check, "`gmemctl load`");
		return;
	}
	snprintf(path, sizeof(path), "/sys/module/%s/version", name);
	host_read_line(host, path, version, sizeof(version));
	host_say(check, HOST_PASS, "loaded, version %s", version[0] ? version : "unknown");
}

/**
 * struct looker - a report being written
 * @group: what the lines are about
 * @needless: what is missing is of no concern
 * @missing: lines of this group that have failed
 */
struct looker {
	const struct host *host;
	struct host_report *report;
	const char *group;
	bool needless;
	unsigned int missing;
};

static void line_end(struct looker *looker)
{
	struct host_report *report = looker->report;
	struct host_check *check = &report->checks[report->count];

	check->group = looker->group;
	looker->missing += check->verdict == HOST_FAIL;
	if (looker->needless && check->verdict == HOST_FAIL)
		check->verdict = HOST_SKIP;
	host_report_end(report);
}

/* A line of which all is known. */
static void __attribute__((format(printf, 5, 6)))
line(struct looker *looker, const char *name, bool ok, const char *hint, const char *format, ...)
{
	struct host_check *check = host_report_start(looker->report, name);
	char value[sizeof(check->value)];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	host_judge(check, ok, hint, "%s", value);
	line_end(looker);
}

static void look_device(struct looker *looker, struct host_gmem *found)
{
	unsigned int mode = 0;
	char text[32] = "";
	struct error error;
	int rc, device = gmem_open(&error);

	if (!host_stat(looker->host, GMEM_DEVICE_PATH, &mode))
		snprintf(text, sizeof(text), " (mode %04o)", mode & 07777);
	line(looker, GMEM_DEVICE_PATH, device >= 0, error.hint, "%s%s",
	     device >= 0 ? "can be opened" : strerror(-device), text);
	if (device < 0)
		return;
	rc = gmem_info(device, &found->info);
	calls->close(device);
	found->has_info = !rc;
	if (rc)
		line(looker, "GMEM_IOCTL_INFO", false, "another module's device? "
		     HINT_ABI, "%s", strerror(-rc));
	else
		line(looker, "ABI", found->info.abi_version == GMEM_ABI_VERSION,
		     HINT_ABI, "module has version %u, gmemctl %u",
		     found->info.abi_version, GMEM_ABI_VERSION);
}

static void look_views(struct looker *looker, struct host_gmem *found)
{
	struct host_view view;
	const char *lacks;

	host_view_look(&view);
	lacks = host_view_lacks(&view);
	line(looker, "GMEM_FEATURE_VIEW", view.features & GMEM_FEATURE_VIEW,
	     lacks, "0x%" PRIx64, view.features);
	line(looker, "GMEM_FEATURE_VIEW_FAULT", view.features & GMEM_FEATURE_VIEW_FAULT,
	     "load gmem_kvm: `gmemctl load`", "0x%" PRIx64, view.features);
	line(looker, "KVM_HC_MAP_GPA_RANGE exits", view.exits, lacks, "%s",
	     view.exits ? "an ordinary VM has them" : "not there");
	line(looker, "GMEM_IOCTL_VIEW", !view.made, lacks, "%s",
	     view.made ? strerror(-view.made) : "a view was made, and mapped");
	found->views = !lacks;
}

static void look_kvm(struct looker *looker)
{
	struct error error;
	int kvm = vm_open_kvm(&error);

	line(looker, KVM_DEVICE_PATH, kvm >= 0, error.hint, "%s",
	     kvm >= 0 ? "can be opened, API version 12" : strerror(-kvm));
	if (kvm >= 0)
		calls->close(kvm);
}

/* A VM may answer differently from the device; the VM's answer counts. */
static void look_vm(struct looker *looker, int kvm)
{
	const struct vm_capability *capability;
	int fd = calls_ioctl_value(kvm, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	bool ok = fd >= 0;

	for (capability = vm_capabilities; capability->name; capability++)
		line(looker, capability->name, vm_capability_met(ok ? fd : kvm, capability),
		     capability->hint, "0x%x", vm_capability(ok ? fd : kvm, capability->number));
	line(looker, "KVM_CREATE_VM", ok, "see dmesg, and the lines above", "%s",
	     ok ? "a VM with private memory was created" : strerror(-fd));
	if (ok)
		calls->close(fd);
}

static void look_store(struct looker *looker, struct host_gmem *found)
{
	int kvm = vm_open_kvm(NULL), types;

	if (kvm < 0)
		return;
	looker->missing = 0;
	looker->needless = found->views;
	types = vm_capability(kvm, KVM_CAP_VM_TYPES);
	line(looker, "KVM_X86_SW_PROTECTED_VM", vm_type_supported(kvm, KVM_X86_SW_PROTECTED_VM),
	     "needs Linux 6.8 or newer with CONFIG_KVM_SW_PROTECTED_VM=y; memory of "
	     "kind gmem does without", "VM types 0x%x", types < 0 ? 0 : (unsigned int)types);
	look_vm(looker, kvm);
	calls->close(kvm);
	found->store = !looker->missing &&
		       !host_stat(looker->host, "/sys/module/gmem_kvm", NULL);
}

bool host_check_gmem(const struct host *host, struct host_report *report, struct host_gmem *found)
{
	static const char *const modules[] = { "gmem", "gmem_kvm" };
	struct looker looker = { .host = host, .report = report };

	*report = (struct host_report){ 0 };
	*found = (struct host_gmem){ 0 };
	looker.group = "gmem";
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		host_look_module(host, modules[i], host_report_start(report, modules[i]));
		line_end(&looker);
	}
	look_device(&looker, found);
	looker.group = "KVM";
	look_kvm(&looker);
	looker.group = "views: private memory for ordinary VMs (kind=gmem)";
	look_views(&looker, found);
	looker.group = "private memory of KVM's own (kind=gmem-store)";
	look_store(&looker, found);
	return found->views || found->store;
}
