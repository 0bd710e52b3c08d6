// SPDX-License-Identifier: GPL-2.0
/* What KVM can do, and whether it gives us a VM. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../base/calls.h"
#include "../kvm/vm.h"
#include "../snp/abi.h"
#include "../snp/vmsa.h"
#include "snp.h"

#define POLICY_SMT (UINT64_C(1) << 16)
#define POLICY_ONE (UINT64_C(1) << 17)

#define FIX_TYPE "the first FAIL above is the cause; without one, dmesg has it"

void snp_host_kvm_device(struct snp_host *snp, struct host_check *check)
{
	struct error error;

	snp->kvm = vm_open_kvm(&error);
	if (snp->kvm >= 0) {
		host_say(check, HOST_PASS, "can be opened, API version %d",
			 KVM_API_VERSION);
		return;
	}
	host_say(check, HOST_FAIL, "%s: %s", error.action, strerror(-snp->kvm));
	host_fix(check, "%s", error.hint);
}

void snp_host_vm_type(struct snp_host *snp, struct host_check *check)
{
	int types = vm_capability(snp->kvm, KVM_CAP_VM_TYPES);
	bool ok = vm_type_supported(snp->kvm, KVM_X86_SNP_VM);

	host_say(check, ok ? HOST_PASS : HOST_FAIL, "VM types 0x%x, SNP is bit %d",
		 types < 0 ? 0 : (unsigned int)types, KVM_X86_SNP_VM);
	if (!ok)
		host_fix(check, FIX_TYPE);
}

static const struct vm_capability capabilities[] = {
	{ KVM_CAP_USER_MEMORY2, 0, "USER_MEMORY2", NULL },
	{ KVM_CAP_GUEST_MEMFD, 0, "GUEST_MEMFD", NULL },
	{ KVM_CAP_MEMORY_ATTRIBUTES, KVM_MEMORY_ATTRIBUTE_PRIVATE,
	  "MEMORY_ATTRIBUTES", NULL },
	{ KVM_CAP_MEMORY_FAULT_INFO, 0, "MEMORY_FAULT_INFO", NULL },
	{ KVM_CAP_EXIT_HYPERCALL, 1U << KVM_HC_MAP_GPA_RANGE, "EXIT_HYPERCALL",
	  NULL },
	{ KVM_CAP_IMMEDIATE_EXIT, 0, "IMMEDIATE_EXIT", NULL },
	{ 0, 0, NULL, NULL },
};

void snp_host_capabilities(struct snp_host *snp, struct host_check *check)
{
	const struct vm_capability *capability;

	for (capability = capabilities; capability->name; capability++) {
		if (vm_capability_met(snp->kvm, capability))
			continue;
		host_say(check, HOST_FAIL, "no KVM_CAP_%s", capability->name);
		host_fix(check, FIX_TYPE);
		return;
	}
	host_say(check, HOST_PASS, "private memory, attributes, exits for "
		 "MAP_GPA_RANGE");
}

static int sev_attribute(int kvm, uint64_t number, uint64_t *value)
{
	struct kvm_device_attr attr = {
		.group = SNP_KVM_GROUP_SEV,
		.attr = number,
		.addr = (uintptr_t)value,
	};

	*value = 0;
	return calls->ioctl(kvm, KVM_GET_DEVICE_ATTR, &attr);
}

void snp_host_vmsa_features(struct snp_host *snp, struct host_check *check)
{
	uint64_t features;
	int rc = sev_attribute(snp->kvm, SNP_KVM_ATTR_VMSA_FEATURES, &features);

	if (!rc) {
		snp->vmsa_features = features;
		host_say(check, HOST_PASS, "0x%" PRIx64, features);
		return;
	}
	host_say(check, HOST_FAIL, "%s", strerror(-rc));
	host_fix(check, FIX_TYPE);
}

/* The guest reads a TSC that its host cannot change. */
void snp_host_secure_tsc(struct snp_host *snp, struct host_check *check)
{
	bool kvm = snp->vmsa_features & SNP_FEATURE_SECURE_TSC;
	bool both = snp->secure_tsc && kvm;

	host_say(check, both ? HOST_PASS : HOST_SKIP, "CPU %s, KVM %s",
		 snp->secure_tsc ? "yes" : "no", kvm ? "yes" : "no");
	if (!both)
		host_fix(check, "a launch works, but not with --features 0x201: a "
			 "newer kernel's KVM may have it, if the CPU has");
}

static bool smt_is_on(const struct host *host)
{
	char line[8] = "";

	host_read_line(host, "/sys/devices/system/cpu/smt/active", line,
		       sizeof(line));
	return line[0] == '1';
}

void snp_host_policy(struct snp_host *snp, struct host_check *check)
{
	bool smt = smt_is_on(snp->host);
	uint64_t needed = POLICY_ONE | (smt ? POLICY_SMT : 0);
	uint64_t policy;
	int rc = sev_attribute(snp->kvm, SNP_KVM_ATTR_POLICY_BITS, &policy);

	if (rc) {
		host_say(check, HOST_SKIP, "KVM does not tell (%s); Linux 6.12 "
			 "takes bits 0 to 17 and 19", strerror(-rc));
		return;
	}
	host_say(check, (policy & needed) == needed ? HOST_PASS : HOST_FAIL,
		 "0x%" PRIx64 "; SMT is %s", policy, smt ? "on" : "off");
	if (check->verdict == HOST_FAIL)
		host_fix(check, "no policy of a guest would do here: update the "
			 "SEV firmware");
}

static const char *init_fix(int rc)
{
	switch (rc) {
	case -EBUSY:
	case -ENOTTY:
		return "no ASID is left for SEV-SNP: end guests, raise misc.max "
		       "of the cgroup (sev_es), or give SEV-SNP more in the BIOS";
	case -EINVAL:
		return "this kernel has another ABI than gmemctl expects";
	default:
		return "look at dmesg for what ccp and kvm_amd say";
	}
}

static void vm_init(int vm, struct host_check *check)
{
	struct snp_kvm_init2 init = { 0 };
	struct snp_kvm_cmd command = {
		.id = SNP_KVM_INIT2,
		.data = (uintptr_t)&init,
	};
	int rc = calls->ioctl(vm, KVM_MEMORY_ENCRYPT_OP, &command);

	if (!rc) {
		host_say(check, HOST_PASS, "one was created and initialised");
		return;
	}
	host_say(check, HOST_FAIL, "KVM_SEV_INIT2: %s, firmware error 0x%x",
		 strerror(-rc), command.error);
	host_fix(check, "%s", init_fix(rc));
}

void snp_host_vm(struct snp_host *snp, struct host_check *check)
{
	int vm = calls_ioctl_value(snp->kvm, KVM_CREATE_VM, KVM_X86_SNP_VM);

	if (vm < 0) {
		host_say(check, HOST_FAIL, "KVM_CREATE_VM: %s", strerror(-vm));
		host_fix(check, FIX_TYPE);
		return;
	}
	vm_init(vm, check);
	calls->close(vm);
}
