// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../gmem/view.h"
#include "../kvm/abi.h"
#include "../kvm/vm.h"
#include "host.h"

#define PAGE 4096

static int map(int fd)
{
	void *address;
	int rc = calls->map(PAGE, PROT_NONE, MAP_SHARED, fd, 0, &address);

	if (!rc)
		calls->unmap(address, PAGE);
	return rc;
}

/* As a VMM would do it. */
static int make(int device)
{
	int fd = gmem_create(device, PAGE, GMEM_CREATE_F_INIT_SHARED);
	int rc, view;

	if (fd < 0)
		return fd;
	view = gmem_view(fd, 0, PAGE);
	rc = view < 0 ? view : map(view);
	if (view >= 0)
		calls->close(view);
	calls->close(fd);
	return rc;
}

static void look_at_gmem(struct host_view *view)
{
	struct gmem_ioctl_info info;
	int device = gmem_open(NULL);

	view->device = device < 0 ? device : 0;
	view->made = -ENODEV;
	if (device < 0)
		return;
	if (!gmem_info(device, &info))
		view->features = info.features;
	view->made = make(device);
	calls->close(device);
}

void host_view_look(struct host_view *view)
{
	int kvm = vm_open_kvm(NULL), exits;

	*view = (struct host_view){ .kvm = kvm < 0 ? kvm : 0 };
	look_at_gmem(view);
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
