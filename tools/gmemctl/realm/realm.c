// SPDX-License-Identifier: GPL-2.0
/* A realm as a type of machine, and the order of its launch. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "abi.h"
#include "realm.h"

#define HINT_KERNEL "a kernel with CCA v14 has it; `gmemctl realm status` " \
	"says what is missing"

#define WHY_MAX 192

static const struct vm_capability capabilities[] = {
	{ KVM_CAP_USER_MEMORY2, 0, "KVM_CAP_USER_MEMORY2", HINT_KERNEL },
	{ KVM_CAP_GUEST_MEMFD, 0, "KVM_CAP_GUEST_MEMFD", HINT_KERNEL },
	{ KVM_CAP_MEMORY_ATTRIBUTES, KVM_MEMORY_ATTRIBUTE_PRIVATE,
	  "KVM_CAP_MEMORY_ATTRIBUTES (PRIVATE)", HINT_KERNEL },
	{ 0, 0, NULL, NULL },
};

const char *realm_state_name(enum realm_state state)
{
	static const char *const names[] = {
		[REALM_CLOSED] = "closed", [REALM_OPEN] = "open",
		[REALM_POPULATED] = "populated", [REALM_ACTIVE] = "active",
		[REALM_FAILED] = "failed",
	};

	return names[state];
}

int realm_enter(const struct realm *realm, enum realm_state wanted,
		const char *step, struct error *error)
{
	if (realm->state == wanted)
		return 0;
	return error_set(error, -EINVAL, "realm", step,
			 "not at this point, where it is %s%s",
			 realm_state_name(realm->state),
			 realm->state == REALM_FAILED ? ": create a new VM" : "");
}

void realm_tell(const struct realm *realm, const char *step,
		const char *format, ...)
{
	char text[256];
	va_list args;

	if (!realm->config->step)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	realm->config->step(realm->config->data, step, text);
}

static struct realm *realm_of(struct machine *machine)
{
	return (struct realm *)((char *)machine - offsetof(struct realm, machine));
}

static int create_vm(struct machine *machine, struct error *error)
{
	struct realm *realm = realm_of(machine);
	int kvm_fd, fd, rc;

	kvm_fd = vm_open_kvm(error);
#ifndef __aarch64__
	/* Modules of KVM would not help. */
	if (kvm_fd == -ENOENT)
		return error_set(error, kvm_fd, KVM_DEVICE_PATH, "open",
				 "realms need an arm64 host with RME");
#endif
	if (kvm_fd < 0)
		return kvm_fd;
	realm->ipa_bits = realm->config->ipa_bits;
	fd = realm_create_vm(kvm_fd, &realm->ipa_bits, error);
	if (fd < 0) {
		calls->close(kvm_fd);
		return fd;
	}
	rc = vm_adopt(&machine->vm, kvm_fd, fd, capabilities, error);
	if (rc)
		return rc;
	if (realm->config->ram.end > UINT64_C(1) << (realm->ipa_bits - 1))
		return error_set(error, -EINVAL, "memory", "place",
				 "it ends at 0x%" PRIx64 ", but this host has %u "
				 "bits of guest addresses, of which the top one "
				 "means shared: less memory",
				 realm->config->ram.end, realm->ipa_bits);
	realm_tell(realm, "KVM_CREATE_VM", "CCA %s, %u bits of guest addresses",
		   REALM_ABI, realm->ipa_bits);
	return 0;
}

static int vcpu_failed(const struct vcpu *vcpu, int rc, const char *action,
		       const char *hint, struct error *error)
{
	char object[32];

	snprintf(object, sizeof(object), "vCPU %u", vcpu->index);
	return error_set(error, rc, object, action, hint ? "%s" : NULL, hint);
}

/* The RMM tells a realm of PSCI, through which it starts the other vCPUs. */
static int vcpu_init(struct machine *machine, struct vcpu *vcpu, struct error *error)
{
	struct realm_kvm_vcpu_init init;
	int rc;

	memset(&init, 0, sizeof(init));
	rc = calls->ioctl(machine->vm.fd, REALM_PREFERRED_TARGET, &init);
	if (rc)
		return vcpu_failed(vcpu, rc, "KVM_ARM_PREFERRED_TARGET", NULL,
				   error);
	memset(init.features, 0, sizeof(init.features));
	init.features[0] = 1U << REALM_VCPU_PSCI_0_2;
	if (vcpu->index)
		init.features[0] |= 1U << REALM_VCPU_POWER_OFF;
	rc = calls->ioctl(vcpu->fd, REALM_VCPU_INIT, &init);
	if (!rc)
		return 0;
	return vcpu_failed(vcpu, rc, "KVM_ARM_VCPU_INIT", NULL, error);
}

static int vcpu_set(struct vcpu *vcpu, uint64_t id, uint64_t value,
		    const char *name, struct error *error)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };
	int rc = calls->ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);

	if (!rc)
		return 0;
	return vcpu_failed(vcpu, rc, name, "KVM lets a VMM set x0 to x30 and pc",
			   error);
}

/* What the first one starts with */
static int vcpu_start(const struct realm_config *config, struct vcpu *vcpu,
		      struct error *error)
{
	int rc = vcpu_set(vcpu, REALM_REG_X(0), config->argument, "KVM_SET_ONE_REG(x0)",
			  error);

	return rc ? rc : vcpu_set(vcpu, REALM_REG_PC, config->entry, "KVM_SET_ONE_REG(pc)",
				  error);
}

/* With the first of them it is known that there is memory. */
static int create_vcpu(struct machine *machine, struct vcpu *vcpu, struct error *error)
{
	struct realm *realm = realm_of(machine);
	const struct realm_config *config = realm->config;
	unsigned int index = machine->nr_vcpus;
	int rc;

	if (!index)
		realm_tell(realm, "memory", "0x%" PRIx64 " to 0x%" PRIx64 ", private",
			   config->ram.start, config->ram.end);
	rc = vcpu_open(vcpu, &machine->vm, index, error);
	if (rc)
		return rc;
	rc = vcpu_init(machine, vcpu, error);
	if (!rc && !index)
		rc = vcpu_start(config, vcpu, error);
	if (rc)
		vcpu_destroy(vcpu);
	return rc;
}

static void destroy(struct machine *machine)
{
	struct realm *realm = realm_of(machine);

	if (realm->gic_fd >= 0)
		calls->close(realm->gic_fd);
	realm->gic_fd = -1;
}

static const struct {
	int rc;
	const char *hint;
} run_hints[] = {
	{ -ENXIO, "the RMM has refused: to create the realm or a vCPU, to take "
	  "its memory, or to run it. dmesg may have more; the VM is of no use "
	  "any more" },
	{ -EINVAL, "the realm is dead, for its activation has failed before, or "
	  "a vCPU was initialised without PSCI 0.2" },
	{ -EOPNOTSUPP, "KVM runs realms with a GICv3 in the kernel only" },
	{ -ENOEXEC, "the vCPU was not initialised" },
	{ -EIO, "KVM has given the VM up after an earlier failure: create a new "
	  "one" },
	{ -ENOMEM, "the host has no memory for what the RMM needs" },
	{ -EFAULT, "the host has no memory behind a page of the realm" },
};

static int run_error(const struct vcpu *vcpu, int rc, struct error *error)
{
	for (size_t i = 0; i < sizeof(run_hints) / sizeof(run_hints[0]); i++)
		if (run_hints[i].rc == rc)
			return vcpu_failed(vcpu, rc, "KVM_RUN",
					   run_hints[i].hint, error);
	return vcpu_failed(vcpu, rc, "KVM_RUN", NULL, error);
}

static void run_failed(struct machine *machine, struct vcpu *vcpu, int rc)
{
	struct error error;

	run_error(vcpu, rc, &error);
	machine_end(machine, END_FAILED, "%s: %s: %s; %s", error.object, error.action,
		    strerror(-rc), error.hint);
}

/* Another vCPU has powered off while this one was on its way in. */
static void exit_shutdown(struct machine *machine, struct vcpu *vcpu)
{
	machine_exit_fatal(machine, vcpu, END_POWER_OFF);
}

static bool is_already(const struct machine *machine, struct range range, bool private)
{
	for (uint64_t at = range.start; at < range.end; at += RANGE_PAGE_SIZE)
		if (guest_memfd_is_private(&machine->memory.memfd, at) != private)
			return false;
	return true;
}

static void convert(struct machine *machine, struct vcpu *vcpu, struct range range,
		    bool to_private)
{
	char why[WHY_MAX] = "";
	int rc;

	if (is_already(machine, range, to_private))
		return machine_count(&realm_of(machine)->counters.confirmed, 1);
	rc = machine_convert(machine, vcpu, range, to_private, why, sizeof(why));
	/* EINTR: it is to end, but not because of this. */
	if (rc && rc != -EINTR)
		machine_end(machine, END_MEMORY, "gpa 0x%" PRIx64 " + 0x%" PRIx64
			    " to %s: %s%s%s", range.start, range_size(range),
			    to_private ? "private" : "shared", strerror(-rc),
			    *why ? "; " : "", why);
}

/*
 * The realm has changed the state of a range, which KVM brings about when the
 * vCPU is entered again; or it has accessed a page in the other way than it is
 * in. What of the range is not memory is nobody's.
 */
static void exit_memory_fault(struct machine *machine, struct vcpu *vcpu)
{
	const struct realm *realm = realm_of(machine);
	const struct kvm_exit_memory_fault *fault = kvm_run_memory_fault(vcpu->run);
	struct range range = { fault->gpa, fault->gpa + fault->size };

	if (fault->flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE ||
	    range.end <= range.start ||
	    !range_aligned(range, realm->page_size) ||
	    !range_overlaps(range, realm->config->ram))
		return machine_exit_fatal(machine, vcpu, END_MEMORY);
	convert(machine, vcpu, range_clip(range, realm->config->ram),
		fault->flags & KVM_MEMORY_EXIT_FLAG_PRIVATE);
}

static const struct machine_exit exits[] = {
	{ KVM_EXIT_MEMORY_FAULT,	exit_memory_fault },
	{ KVM_EXIT_SHUTDOWN,		exit_shutdown },
	{ 0 }
};

const struct machine_type machine_realm = {
	.create_vm = create_vm,
	.create_vcpu = create_vcpu,
	.destroy = destroy,
	.exits = exits,
	.failed = run_failed,
};

/* All memory is private: what the realm wants to share it says when it runs. */
static void realm_init(struct realm *realm, const struct realm_config *config)
{
	const struct machine_config machine = {
		.memory = {
			.requests = &realm->request, .nr_requests = 1,
			.guest_memfd = true, .initial_private = true,
			.encrypted = true,
		},
		.nr_vcpus = config->nr_vcpus,
		.run_timeout_s = config->run_timeout_s,
		.trace = config->trace,
	};

	*realm = (struct realm){
		.config = config,
		.page_size = (uint64_t)sysconf(_SC_PAGESIZE),
		.gic_fd = -1,
		.request = {
			.ranges = &config->ram, .nr_ranges = 1, .kind = BACKING_SHARED,
			.existing_fd = -1, .node = -1,
		},
	};
	machine_init(&realm->machine, &machine_realm, &machine);
}

int realm_open(struct realm *realm, const struct realm_config *config,
	       struct error *error)
{
	int rc;

	realm_init(realm, config);
	rc = realm_check(config, error);
	if (!rc)
		rc = machine_build(&realm->machine, error);
	if (!rc) {
		realm_tell(realm, "vCPUs", "%u; the first starts at 0x%" PRIx64
			   " with x0 = 0x%" PRIx64, config->nr_vcpus, config->entry,
			   config->argument);
		rc = realm_gic_create(realm, error);
	}
	realm->state = rc ? REALM_FAILED : REALM_OPEN;
	return rc;
}

/*
 * KVM activates a realm before it looks at immediate_exit: so the vCPU comes
 * back at once, and what fails is the activation and nothing else.
 */
int realm_activate(struct realm *realm, struct error *error)
{
	struct vcpu *vcpu = realm->machine.vcpus;
	int rc = realm_enter(realm, REALM_POPULATED, "activate", error);

	if (rc)
		return rc;
	vcpu->run->immediate_exit = 1;
	rc = vcpu_run(vcpu);
	vcpu->run->immediate_exit = 0;
	if (rc && rc != -EINTR) {
		realm->state = REALM_FAILED;
		return run_error(vcpu, rc, error);
	}
	realm->state = REALM_ACTIVE;
	realm_tell(realm, "activate", "all memory is the realm's");
	return 0;
}

int realm_run(struct realm *realm, struct error *error)
{
	int rc = realm_enter(realm, REALM_ACTIVE, "run", error);

	if (!rc)
		rc = machine_prepare(&realm->machine, error);
	if (!rc)
		machine_run(&realm->machine);
	return rc;
}

void realm_close(struct realm *realm)
{
	machine_destroy(&realm->machine);
	realm->state = REALM_CLOSED;
}
