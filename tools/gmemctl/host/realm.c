// SPDX-License-Identifier: GPL-2.0
/* Checks whether this host can run realms. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../kvm/vm.h"
#include "../realm/abi.h"
#include "../realm/realm.h"
#include "host.h"

#define FIX_HOST "realms need an arm64 host whose CPU has RME, an RMM in its " \
	"firmware, and a kernel with the CCA series for KVM, which no release " \
	"has yet"
#define FIX_ABI "this kernel has another version of the CCA series than " REALM_ABI

static void look_machine(struct host_launch *launch, struct host_check *check)
{
	const char *machine = launch->host->machine;
	bool arm = !strcmp(machine, "aarch64");

	host_say(check, arm ? HOST_PASS : HOST_SKIP, NULL, "%s%s", machine,
		 arm ? "" : ": only a simulator has realms here");
}

/* On another kernel this capability number may mean something else: look_vm() tells. */
static void look_capability(struct host_launch *launch, struct host_check *check)
{
	int value = vm_capability(launch->kvm, REALM_CAP_RMI);

	launch->has |= value > 0 ? HOST_HAS_REALMS : 0;
	host_say(check, host_ok(value > 0), FIX_HOST "; or " FIX_ABI,
		 "KVM_CAP_ARM_RMI, which is %d in CCA %s: %d", REALM_CAP_RMI,
		 REALM_ABI, value < 0 ? 0 : value);
}

static void look_vm(struct host_launch *launch, struct host_check *check)
{
	unsigned int ipa_bits = 0;
	struct error error;
	char fix[512];

	launch->vm = realm_create_vm(launch->kvm, &ipa_bits, &error);
	if (launch->vm >= 0) {
		launch->has |= HOST_HAS_VM;
		host_say(check, HOST_PASS, NULL, "one was created, with %u bits of "
			 "guest addresses", ipa_bits);
		return;
	}
	snprintf(fix, sizeof(fix), "capability %d has another meaning on this kernel; " FIX_HOST,
		 REALM_CAP_RMI);
	host_say(check, HOST_FAIL, launch->vm == -EOPNOTSUPP ? fix :
		 "see the messages of kvm in dmesg", "%s: %s", error.action, strerror(-launch->vm));
}

static void look_populate(struct host_launch *launch, struct host_check *check)
{
	bool ok = realm_knows_populate(launch->vm);

	host_say(check, host_ok(ok), FIX_ABI, "KVM_ARM_RMI_POPULATE %s",
		 ok ? "is there" : "is not known");
}

static void look_memory(struct host_launch *launch, struct host_check *check)
{
	int attributes = vm_capability(launch->vm, KVM_CAP_MEMORY_ATTRIBUTES);
	bool ok = vm_capability(launch->vm, KVM_CAP_GUEST_MEMFD) > 0 &&
		  attributes > 0 &&
		  (uint64_t)attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE;

	host_say(check, host_ok(ok), FIX_ABI,
		 ok ? "guest_memfd, and what CCA %s needs besides" :
		      "no guest_memfd, or no PRIVATE attribute, for CCA %s",
		 REALM_ABI);
}

static void look_gic(struct host_launch *launch, struct host_check *check)
{
	struct kvm_create_device create = {
		.type = REALM_GIC_TYPE, .flags = KVM_CREATE_DEVICE_TEST,
	};
	int rc = calls->ioctl(launch->vm, KVM_CREATE_DEVICE, &create);

	host_say(check, host_ok(!rc), "realms run with a GICv3 only: the host needs one, or a "
		 "GICv4", "GICv3 in the kernel: %s", rc ? strerror(-rc) : "can be had");
}

#define VM (HOST_HAS_KVM | HOST_HAS_VM)

static const struct host_line lines[] = {
	{ "machine", 0, look_machine },
	{ "/dev/kvm", 0, host_look_kvm },
	{ "capability", HOST_HAS_KVM, look_capability },
	{ "vm", HOST_HAS_KVM | HOST_HAS_REALMS, look_vm },
	{ "populate", VM, look_populate },
	{ "memory", VM, look_memory },
	{ "gic", VM, look_gic },
};

bool host_check_realm(const struct host *host, struct host_report *report)
{
	return host_check_launch(host, lines, sizeof(lines) / sizeof(lines[0]), report);
}
