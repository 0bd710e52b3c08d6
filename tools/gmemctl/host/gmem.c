// SPDX-License-Identifier: GPL-2.0
/* Whether this host supports private memory, with views or with the store. */
#include <errno.h>
#include <inttypes.h>
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

/* Create a view and map it, as a VMM does */
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

/**
 * struct looker - a report that is being written
 * @group: title of the next lines
 */
struct looker {
	const struct host *host;
	struct host_report *report;
	const char *group;
};

static struct host_check *line(struct looker *looker, const char *name)
{
	return host_add(looker->report, looker->group, name);
}

static void look_device(struct looker *looker, struct host_gmem *found)
{
	struct error error;
	char mode[32];
	int rc, device = gmem_open(&error);

	host_say(line(looker, GMEM_DEVICE_PATH), host_ok(device >= 0), error.hint, "%s%s",
		 device >= 0 ? "can be opened" : strerror(-device),
		 host_mode(looker->host, GMEM_DEVICE_PATH, mode));
	if (device < 0)
		return;
	rc = gmem_info(device, &found->info);
	calls->close(device);
	found->has_info = !rc;
	if (rc)
		host_say(line(looker, "GMEM_IOCTL_INFO"), HOST_FAIL, "another module's device? "
			 HINT_ABI, "%s", strerror(-rc));
	else
		host_say(line(looker, "ABI"), host_ok(found->info.abi_version == GMEM_ABI_VERSION),
			 HINT_ABI, "module has version %u, gmemctl %u",
			 found->info.abi_version, GMEM_ABI_VERSION);
}

static void look_views(struct looker *looker, struct host_gmem *found)
{
	struct host_view view;
	const char *lacks;

	host_view_look(&view);
	lacks = host_view_lacks(&view);
	host_say(line(looker, "GMEM_FEATURE_VIEW"), host_ok(view.features & GMEM_FEATURE_VIEW),
		 lacks, "0x%" PRIx64, view.features);
	host_say(line(looker, "GMEM_FEATURE_VIEW_FAULT"),
		 host_ok(view.features & GMEM_FEATURE_VIEW_FAULT),
		 "load gmem_kvm: `gmemctl load`", "0x%" PRIx64, view.features);
	host_say(line(looker, "KVM_HC_MAP_GPA_RANGE exits"), host_ok(view.exits), lacks, "%s",
		 view.exits ? "an ordinary VM has them" : "not there");
	host_say(line(looker, "GMEM_IOCTL_VIEW"), host_ok(!view.made), lacks, "%s",
		 view.made ? strerror(-view.made) : "a view was made, and mapped");
	found->views = !lacks;
}

static void look_kvm(struct looker *looker)
{
	struct error error;
	int kvm = vm_open_kvm(&error);

	host_say(line(looker, KVM_DEVICE_PATH), host_ok(kvm >= 0), error.hint, "%s",
		 kvm >= 0 ? "can be opened, API version 12" : strerror(-kvm));
	if (kvm >= 0)
		calls->close(kvm);
}

/* A VM may answer differently from the device; the VM's answer counts. */
static void look_vm(struct looker *looker, int kvm)
{
	const struct vm_capability *capability;
	int fd = calls_ioctl_value(kvm, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	int from = fd >= 0 ? fd : kvm;

	for (capability = vm_capabilities; capability->name; capability++)
		host_say(line(looker, capability->name),
			 host_ok(vm_capability_met(from, capability)), capability->hint, "0x%x",
			 vm_capability(from, capability->number));
	host_say(line(looker, "KVM_CREATE_VM"), host_ok(fd >= 0), "see dmesg, and the lines above",
		 "%s", fd >= 0 ? "a VM with private memory was created" : strerror(-fd));
	if (fd >= 0)
		calls->close(fd);
}

/* If there are views, what the store lacks is not a failure. */
static void look_store(struct looker *looker, struct host_gmem *found)
{
	struct host_report *report = looker->report;
	unsigned int first = report->count, failed = 0;
	int kvm = vm_open_kvm(NULL), types;

	if (kvm < 0)
		return;
	types = vm_capability(kvm, KVM_CAP_VM_TYPES);
	host_say(line(looker, "KVM_X86_SW_PROTECTED_VM"),
		 host_ok(vm_type_supported(kvm, KVM_X86_SW_PROTECTED_VM)),
		 "needs Linux 6.8 or newer with CONFIG_KVM_SW_PROTECTED_VM=y; kind=gmem does not "
		 "need it", "VM types 0x%x", types < 0 ? 0 : (unsigned int)types);
	look_vm(looker, kvm);
	calls->close(kvm);
	for (unsigned int i = first; i < report->count; i++) {
		if (report->checks[i].verdict != HOST_FAIL)
			continue;
		failed++;
		report->checks[i].verdict = found->views ? HOST_SKIP : HOST_FAIL;
	}
	found->store = !failed && host_module(looker->host, "gmem_kvm", NULL);
}

bool host_check_gmem(const struct host *host, struct host_report *report, struct host_gmem *found)
{
	struct looker looker = { host, report, "gmem" };

	*report = (struct host_report){ 0 };
	*found = (struct host_gmem){ 0 };
	host_look_module(host, line(&looker, "gmem"));
	host_look_module(host, line(&looker, "gmem_kvm"));
	look_device(&looker, found);
	looker.group = "KVM";
	look_kvm(&looker);
	looker.group = "views: private memory for ordinary VMs (kind=gmem)";
	look_views(&looker, found);
	looker.group = "private memory of KVM's own (kind=gmem-store)";
	look_store(&looker, found);
	return found->views || found->store;
}
