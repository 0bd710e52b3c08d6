// SPDX-License-Identifier: GPL-2.0
/* What a realm needs. */
#include <errno.h>
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

/**
 * struct realm_host - what one look at a host has found so far
 * @kvm: /dev/kvm, or a negative errno
 * @capable: KVM has the capability, or something else of that number
 * @vm: the VM of a realm, or a negative errno
 * @ipa_bits: of its addresses
 * @error: why there is no VM
 */
struct realm_host {
	const struct host *host;
	int kvm;
	bool capable;
	int vm;
	unsigned int ipa_bits;
	struct error error;
};

static void look_machine(struct realm_host *realm, struct host_check *check)
{
	const char *machine = realm->host->machine;
	bool arm = !strcmp(machine, "aarch64");

	host_say(check, arm ? HOST_PASS : HOST_SKIP, "%s%s", machine,
		 arm ? "" : ": only a simulator has realms here");
}

static void look_kvm(struct realm_host *realm, struct host_check *check)
{
	realm->kvm = vm_open_kvm(&realm->error);
	if (realm->kvm >= 0) {
		host_say(check, HOST_PASS, "can be opened, API version %d", KVM_API_VERSION);
		return;
	}
	host_say(check, HOST_FAIL, "%s: %s", realm->error.action, strerror(-realm->kvm));
	host_fix(check, "%s", realm->error.hint);
}

/* A number that says yes may still mean something else. */
static void look_capability(struct realm_host *realm, struct host_check *check)
{
	int value = vm_capability(realm->kvm, REALM_CAP_RMI);

	realm->capable = value > 0;
	host_judge(check, realm->capable, FIX_HOST "; or " FIX_ABI,
		   "KVM_CAP_ARM_RMI, which is %d in CCA %s: %d", REALM_CAP_RMI,
		   REALM_ABI, value < 0 ? 0 : value);
}

static void look_vm(struct realm_host *realm, struct host_check *check)
{
	realm->vm = realm_create_vm(realm->kvm, &realm->ipa_bits, &realm->error);
	if (realm->vm >= 0) {
		host_say(check, HOST_PASS, "one was created, with %u bits of "
			 "guest addresses", realm->ipa_bits);
		return;
	}
	host_say(check, HOST_FAIL, "%s: %s", realm->error.action, strerror(-realm->vm));
	if (realm->vm == -EOPNOTSUPP)
		host_fix(check, "capability %d means something else on this "
			 "kernel; " FIX_HOST, REALM_CAP_RMI);
	else
		host_fix(check, "look at dmesg for what kvm says");
}

static void look_populate(struct realm_host *realm, struct host_check *check)
{
	bool ok = realm_knows_populate(realm->vm);

	host_judge(check, ok, FIX_ABI, "KVM_ARM_RMI_POPULATE %s", ok ? "is there" : "is not known");
}

static void look_memory(struct realm_host *realm, struct host_check *check)
{
	int attributes = vm_capability(realm->vm, KVM_CAP_MEMORY_ATTRIBUTES);
	bool ok = vm_capability(realm->vm, KVM_CAP_GUEST_MEMFD) > 0 &&
		  attributes > 0 &&
		  (uint64_t)attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE;

	host_judge(check, ok, FIX_ABI,
		   ok ? "guest_memfd, and what CCA %s needs besides" :
			"no guest_memfd, or no PRIVATE attribute, for CCA %s",
		   REALM_ABI);
}

static void look_gic(struct realm_host *realm, struct host_check *check)
{
	struct kvm_create_device create = {
		.type = REALM_GIC_TYPE, .flags = KVM_CREATE_DEVICE_TEST,
	};
	int rc = calls->ioctl(realm->vm, KVM_CREATE_DEVICE, &create);

	host_judge(check, !rc, "realms run with a GICv3 only: the host needs one, or a GICv4",
		   "GICv3 in the kernel: %s", rc ? strerror(-rc) : "can be had");
}

/* What a line is about has to be there. */
enum needs { ANY_HOST, KVM_DEVICE, CAPABILITY, REALM_VM };

static const struct {
	const char *name;
	enum needs needs;
	void (*look)(struct realm_host *realm, struct host_check *check);
} lines[] = {
	{ "machine", ANY_HOST, look_machine },
	{ "/dev/kvm", ANY_HOST, look_kvm },
	{ "capability", KVM_DEVICE, look_capability },
	{ "vm", CAPABILITY, look_vm },
	{ "populate", REALM_VM, look_populate },
	{ "memory", REALM_VM, look_memory },
	{ "gic", REALM_VM, look_gic },
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

_Static_assert(LINES < HOST_CHECKS_MAX, "every line has a place");

static const char *missing(const struct realm_host *realm, enum needs needs)
{
	if (needs != ANY_HOST && realm->kvm < 0)
		return "/dev/kvm cannot be opened";
	if (needs == CAPABILITY && !realm->capable)
		return "KVM says that it has none";
	if (needs == REALM_VM && realm->vm < 0)
		return "there is no VM of a realm";
	return NULL;
}

bool host_check_realm(const struct host *host, struct host_report *report)
{
	struct realm_host realm = {
		.host = host, .kvm = -ENODEV, .vm = -ENODEV,
	};

	*report = (struct host_report){ 0 };
	for (unsigned int i = 0; i < LINES; i++) {
		struct host_check *check = host_report_start(report, lines[i].name);
		const char *reason = missing(&realm, lines[i].needs);

		if (reason)
			host_say(check, HOST_SKIP, "not looked at: %s", reason);
		else
			lines[i].look(&realm, check);
		host_report_end(report);
	}
	if (realm.vm >= 0)
		calls->close(realm.vm);
	if (realm.kvm >= 0)
		calls->close(realm.kvm);
	return !report->failed;
}
