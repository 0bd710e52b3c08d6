// SPDX-License-Identifier: GPL-2.0
/* Realms, a type of machine: checks of the configuration, parts, and order of the launch. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "abi.h"
#include "realm.h"

#define HINT_HOST "realms need an arm64 host with RME, an RMM in its " \
	"firmware, and a kernel with the CCA series for KVM, which no release " \
	"has yet: `gmemctl realm status` says what is missing"
#define HINT_KERNEL "a kernel with CCA v14 has it; `gmemctl realm status` " \
	"says what is missing"

#define HINT_GIC "KVM runs realms with a GICv3 in the kernel only: the host " \
	"needs one, or a GICv4"

/* A call that is still interrupted after so many retries has failed. */
#define RETRIES_MAX 1000

#define WHY_MAX 192

/* The meaning of a negative errno. The last entry of an array has rc 0. */
struct hint {
	int rc;
	const char *hint;
};

static const char *find_hint(const struct hint *hints, int rc)
{
	while (hints->rc && hints->rc != rc)
		hints++;
	return hints->hint;
}

const char *realm_state_name(enum realm_state state)
{
	static const char *const names[] = {
		[REALM_CLOSED] = "closed", [REALM_OPEN] = "open",
		[REALM_POPULATED] = "populated", [REALM_ACTIVE] = "active",
		[REALM_FAILED] = "failed",
	};

	return names[state];
}

/* Refuse a step that is out of order */
static int enter(const struct realm *realm, enum realm_state wanted,
		 const char *step, struct error *error)
{
	if (realm->state == wanted)
		return 0;
	return error_set(error, -EINVAL, "realm", step, "not allowed while the realm is %s%s",
			 realm_state_name(realm->state),
			 realm->state == REALM_FAILED ? ": create a new VM" : "");
}

/* Report a step that is done */
static void __attribute__((format(printf, 3, 4)))
tell(const struct realm *realm, const char *step, const char *format, ...)
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

static int no_capability(const char *object, struct error *error)
{
	char action[64];

	snprintf(action, sizeof(action), "KVM_CAP_ARM_RMI, %d in CCA %s", REALM_CAP_RMI, REALM_ABI);
	return error_set(error, -EOPNOTSUPP, object, action, "%s", HINT_HOST);
}

/*
 * Create a VM with as many bits of guest addresses as possible. KVM reports the limit
 * of ordinary VMs, and that of the RMM can be smaller. KVM returns EINVAL both for too
 * many bits and for an unknown type.
 */
static int create_widest(int kvm_fd, unsigned int *ipa_bits)
{
	int most = vm_capability(kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE);
	unsigned int bits = REALM_IPA_BITS_DEFAULT;
	int fd = -EINVAL;

	if (most >= REALM_IPA_BITS_MIN && most <= REALM_IPA_BITS_MAX)
		bits = (unsigned int)most;
	for (; fd == -EINVAL && bits >= REALM_IPA_BITS_MIN; bits--) {
		*ipa_bits = bits;
		fd = calls_ioctl_value(kvm_fd, KVM_CREATE_VM, REALM_VM_TYPE | bits);
	}
	return fd;
}

static int create(int kvm_fd, unsigned int *ipa_bits, struct error *error)
{
	static const char action[] = "KVM_CREATE_VM of type KVM_VM_TYPE_ARM_REALM";
	unsigned int asked = *ipa_bits;
	int fd;

	if (asked)
		fd = calls_ioctl_value(kvm_fd, KVM_CREATE_VM, REALM_VM_TYPE | asked);
	else
		fd = create_widest(kvm_fd, ipa_bits);
	if (fd >= 0)
		return fd;
	if (fd == -EINVAL && asked)
		return error_set(error, fd, "KVM", action, "%u bits of guest addresses may be too "
				 "many for the RMM: leave --ipa-bits out", asked);
	if (fd == -EINVAL)
		return error_set(error, -EOPNOTSUPP, "KVM", action,
				 "capability %d has another meaning on this kernel; %s",
				 REALM_CAP_RMI, HINT_HOST);
	return error_set(error, fd, "KVM", action, NULL);
}

int realm_create_vm(int kvm_fd, unsigned int *ipa_bits, struct error *error)
{
	int fd;

	if (vm_capability(kvm_fd, REALM_CAP_RMI) <= 0)
		return no_capability("KVM", error);
	fd = create(kvm_fd, ipa_bits, error);
	if (fd < 0)
		return fd;
	/* A realm's VM has this capability. On another kernel the number means something else. */
	if (vm_capability(fd, REALM_CAP_RMI) > 0)
		return fd;
	calls->close(fd);
	return no_capability("realm's VM", error);
}

bool realm_knows_populate(int vm_fd)
{
	return calls->ioctl(vm_fd, REALM_POPULATE, NULL) == -EFAULT;
}

static int check_ram(const struct realm *realm, struct error *error)
{
	uint64_t page = realm->page_size;
	struct range ram = realm->config->ram;
	struct range gic = { REALM_GIC_DIST, REALM_GIC_END };

	if (ram.start >= ram.end || ram.start % page || ram.end % page)
		return error_set(error, -EINVAL, "memory", "place", "address and size have to be "
				 "multiples of the page size of the host, which is %" PRIu64, page);
	if (range_overlaps(ram, gic))
		return error_set(error, -EINVAL, "memory", "place",
				 "the interrupt controller is at 0x%" PRIx64 " to 0x%" PRIx64
				 ": move the memory with --base", gic.start, gic.end);
	return 0;
}

/* The upper half of all addresses is the shared alias of the lower half. */
static int check_width(const struct realm_config *config, struct error *error)
{
	unsigned int bits = config->ipa_bits;

	if (!bits)
		return 0;
	if (bits < REALM_IPA_BITS_MIN || bits > REALM_IPA_BITS_MAX)
		return error_set(error, -EINVAL, "guest addresses", "check width",
				 "%d to %d bits, not %u", REALM_IPA_BITS_MIN,
				 REALM_IPA_BITS_MAX, bits);
	if (config->ram.end <= UINT64_C(1) << (bits - 1))
		return 0;
	return error_set(error, -EINVAL, "memory", "place", "it ends at 0x%" PRIx64 ", above the "
			 "private half of the %u-bit guest addresses, whose top bit means shared: "
			 "give less --memory or more --ipa-bits", config->ram.end, bits);
}

/* Return: the range of the contents, rounded up to whole pages */
static struct range load_range(const struct realm *realm, const struct realm_load *load)
{
	uint64_t page = realm->page_size;

	return (struct range){
		load->gpa, load->gpa + (load->size + page - 1) / page * page,
	};
}

static int check_load(const struct realm *realm, unsigned int index, struct error *error)
{
	const struct realm_config *config = realm->config;
	const struct realm_load *load = &config->loads[index];
	struct range range = load_range(realm, load);

	if (!load->size)
		return error_set(error, -EINVAL, load->name, "place", "it is empty");
	if (load->gpa % realm->page_size)
		return error_set(error, -EINVAL, load->name, "place", "gpa 0x%" PRIx64
				 " is not a multiple of the page size of the host, which is "
				 "%" PRIu64, load->gpa, realm->page_size);
	if (range.end < range.start || !range_contains(config->ram, range))
		return error_set(error, -EINVAL, load->name, "place", "gpa 0x%" PRIx64 " to 0x%"
				 PRIx64 " is not within the memory, which is 0x%" PRIx64 " to 0x%"
				 PRIx64, range.start, range.end, config->ram.start,
				 config->ram.end);
	for (unsigned int i = 0; i < index; i++)
		if (range_overlaps(range, load_range(realm, &config->loads[i])))
			return error_set(error, -EINVAL, load->name, "place", "it overlaps %s",
					 config->loads[i].name);
	return 0;
}

/* Check the configuration */
static int check(const struct realm *realm, struct error *error)
{
	const struct realm_config *config = realm->config;
	int rc = check_ram(realm, error);

	if (!rc)
		rc = check_width(config, error);
	if (!rc && config->nr_loads > REALM_LOADS_MAX)
		rc = error_set(error, -EINVAL, "realm", "place contents",
			       "at most %d files", REALM_LOADS_MAX);
	for (unsigned int i = 0; i < config->nr_loads && !rc; i++)
		rc = check_load(realm, i, error);
	if (!rc && (config->entry % 4 || config->entry < config->ram.start ||
		    config->entry >= config->ram.end))
		rc = error_set(error, -EINVAL, "vCPU", "start",
			       "0x%" PRIx64 " is not a multiple of 4 within the memory",
			       config->entry);
	return rc;
}

static int gic_set(struct realm *realm, uint32_t group, uint64_t attr, const uint64_t *value)
{
	struct kvm_device_attr argument = {
		.group = group, .attr = attr, .addr = (uintptr_t)value,
	};

	return calls->ioctl(realm->gic_fd, KVM_SET_DEVICE_ATTR, &argument);
}

int realm_gic_create(struct realm *realm, struct error *error)
{
	static const struct {
		uint64_t attr, gpa;
		const char *action;
	} places[] = {
		{ REALM_GIC_ADDR_DIST, REALM_GIC_DIST, "place the distributor" },
		{ REALM_GIC_ADDR_REDIST, REALM_GIC_REDIST, "place the redistributors" },
	};
	struct kvm_create_device create = { .type = REALM_GIC_TYPE };
	int rc = calls->ioctl(realm->machine.vm.fd, KVM_CREATE_DEVICE, &create);

	/* ENODEV: the host has another interrupt controller. */
	if (rc)
		return error_set(error, rc == -ENODEV ? -EOPNOTSUPP : rc, "VM",
				 "KVM_CREATE_DEVICE(KVM_DEV_TYPE_ARM_VGIC_V3)", "%s", HINT_GIC);
	realm->gic_fd = (int)create.fd;
	for (int i = 0; i < 2; i++) {
		rc = gic_set(realm, REALM_GIC_GROUP_ADDR, places[i].attr, &places[i].gpa);
		if (rc)
			return error_set(error, rc, "GICv3", places[i].action,
					 "gpa 0x%" PRIx64, places[i].gpa);
	}
	rc = gic_set(realm, REALM_GIC_GROUP_CTRL, REALM_GIC_CTRL_INIT, NULL);
	if (rc)
		return error_set(error, rc, "GICv3", "KVM_DEV_ARM_VGIC_CTRL_INIT", NULL);
	tell(realm, "GICv3", "distributor at 0x%" PRIx64 ", redistributors at 0x%" PRIx64,
	     REALM_GIC_DIST, REALM_GIC_REDIST);
	return 0;
}

static const struct hint populate_hints[] = {
	{ -ENXIO, "the RMM refused to create the realm, or to take the page, which may be "
	  "populated already: see dmesg" },
	{ -EBUSY, "the realm is active already: populate it before the first KVM_RUN" },
	{ -EINVAL, "no memory slot with a guest_memfd has a private page there, or KVM has another "
	  "ABI than CCA v14" },
	{ -ENOTTY, "this KVM has another ABI than CCA v14" },
	{ -EFAULT, "the contents cannot be read" },
	{ -ENOMEM, "the host has no memory left for the realm" },
	{ 0, NULL },
};

static int populate_failed(const struct realm_load *load, const struct realm_kvm_populate *left,
			   int rc, struct error *error)
{
	const char *hint = find_hint(populate_hints, rc);
	char object[160];

	snprintf(object, sizeof(object), "%.100s, gpa 0x%" PRIx64, load->name, left->base);
	return error_set(error, rc, object, "KVM_ARM_RMI_POPULATE", hint ? "%s" : NULL, hint);
}

/* Block signals: KVM would stop at the first page if one is pending. */
static int populate_once(struct realm *realm, struct realm_kvm_populate *left)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned int i = 0; ; i++) {
		realm->counters.calls++;
		rc = calls->ioctl(realm->machine.vm.fd, REALM_POPULATE, left);
		if ((rc != -EINTR && rc != -EAGAIN) || i == RETRIES_MAX)
			break;
		realm->counters.retries++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/*
 * Whether KVM reports progress that is possible: more than zero, not more than was
 * asked for, and the same in all three numbers. Version 14 of the series takes an error
 * of the RMM, a positive number, for the number of populated pages.
 */
static bool progress_is_sane(const struct realm_kvm_populate *before,
			     const struct realm_kvm_populate *after)
{
	uint64_t done = after->base - before->base;

	return done && done <= before->size &&
	       after->size == before->size - done &&
	       after->source == before->source + done;
}

static int populate_all(struct realm *realm, const struct realm_load *load,
			struct realm_kvm_populate *left, struct error *error)
{
	while (left->size) {
		struct realm_kvm_populate before = *left;
		int rc = populate_once(realm, left);

		if (rc)
			return populate_failed(load, left, rc, error);
		if (!progress_is_sane(&before, left))
			return error_set(error, -EIO, load->name, "KVM_ARM_RMI_POPULATE",
					 "at gpa 0x%" PRIx64 " KVM reported success with "
					 "impossible progress: this is a bug of the kernel, or an "
					 "error of the RMM that it does not report", before.base);
	}
	return 0;
}

/* Populate from a copy in whole pages, whose last one is filled up with zeros */
static int populate_load(struct realm *realm, const struct realm_load *load, struct error *error)
{
	uint64_t size = range_size(load_range(realm, load));
	uint64_t calls_before = realm->counters.calls;
	uint8_t *source = aligned_alloc(realm->page_size, size);
	struct realm_kvm_populate left = {
		.base = load->gpa, .size = size, .source = (uintptr_t)source,
		.flags = load->measured ? REALM_POPULATE_MEASURE : 0,
	};
	int rc;

	if (!source)
		return error_set(error, -ENOMEM, load->name, "allocate", NULL);
	memcpy(source, load->data, load->size);
	memset(source + load->size, 0, size - load->size);
	rc = populate_all(realm, load, &left, error);
	free(source);
	if (rc)
		return rc;
	if (load->measured)
		realm->counters.measured += size;
	else
		realm->counters.unmeasured += size;
	tell(realm, "populate", "0x%09" PRIx64 "  %6" PRIu64 " pages  %s  %s, calls: %" PRIu64,
	     load->gpa, size / realm->page_size, load->measured ? "measured  " : "unmeasured",
	     load->name, realm->counters.calls - calls_before);
	if (realm->config->pages)
		realm->config->pages(realm->config->data, load, size / realm->page_size,
				     realm->counters.calls - calls_before);
	return 0;
}

int realm_populate(struct realm *realm, struct error *error)
{
	const struct realm_config *config = realm->config;
	int rc = enter(realm, REALM_OPEN, "populate", error);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < config->nr_loads && !rc; i++)
		rc = populate_load(realm, &config->loads[i], error);
	realm->state = rc ? REALM_FAILED : REALM_POPULATED;
	return rc;
}

static const struct vm_capability capabilities[] = {
	{ KVM_CAP_USER_MEMORY2, 0, "KVM_CAP_USER_MEMORY2", HINT_KERNEL },
	{ KVM_CAP_GUEST_MEMFD, 0, "KVM_CAP_GUEST_MEMFD", HINT_KERNEL },
	{ KVM_CAP_MEMORY_ATTRIBUTES, KVM_MEMORY_ATTRIBUTE_PRIVATE,
	  "KVM_CAP_MEMORY_ATTRIBUTES (PRIVATE)", HINT_KERNEL },
	{ 0, 0, NULL, NULL },
};

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
	/* Replace the hint to load KVM's modules, which would not help here. */
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
		return error_set(error, -EINVAL, "memory", "place", "it ends at 0x%" PRIx64 ", "
				 "above the private half of this host's %u-bit guest addresses, "
				 "whose top bit means shared: give less --memory",
				 realm->config->ram.end, realm->ipa_bits);
	tell(realm, "KVM_CREATE_VM", "CCA %s, %u bits of guest addresses",
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

/* A realm starts the other vCPUs with PSCI, which the RMM offers to it. */
static int vcpu_init(struct machine *machine, struct vcpu *vcpu, struct error *error)
{
	struct realm_kvm_vcpu_init init = { 0 };
	int rc;

	rc = calls->ioctl(machine->vm.fd, REALM_PREFERRED_TARGET, &init);
	if (rc)
		return vcpu_failed(vcpu, rc, "KVM_ARM_PREFERRED_TARGET", NULL, error);
	memset(init.features, 0, sizeof(init.features));
	init.features[0] = 1U << REALM_VCPU_PSCI_0_2;
	if (vcpu->index)
		init.features[0] |= 1U << REALM_VCPU_POWER_OFF;
	rc = calls->ioctl(vcpu->fd, REALM_VCPU_INIT, &init);
	return rc ? vcpu_failed(vcpu, rc, "KVM_ARM_VCPU_INIT", NULL, error) : 0;
}

static int vcpu_set(struct vcpu *vcpu, uint64_t id, uint64_t value,
		    const char *name, struct error *error)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };
	int rc = calls->ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);

	return rc ? vcpu_failed(vcpu, rc, name, "KVM lets a VMM set x0 to x30 and pc", error) : 0;
}

/* The memory is reported with the first vCPU, because it exists by then. */
static int create_vcpu(struct machine *machine, struct vcpu *vcpu, struct error *error)
{
	struct realm *realm = realm_of(machine);
	const struct realm_config *config = realm->config;
	unsigned int index = machine->nr_vcpus;
	int rc;

	if (!index)
		tell(realm, "memory", "0x%" PRIx64 " to 0x%" PRIx64 ", private",
		     config->ram.start, config->ram.end);
	rc = vcpu_open(vcpu, &machine->vm, index, error);
	if (rc)
		return rc;
	rc = vcpu_init(machine, vcpu, error);
	if (!rc && !index)
		rc = vcpu_set(vcpu, REALM_REG_X(0), config->argument, "KVM_SET_ONE_REG(x0)", error);
	if (!rc && !index)
		rc = vcpu_set(vcpu, REALM_REG_PC, config->entry, "KVM_SET_ONE_REG(pc)", error);
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

static const struct hint run_hints[] = {
	{ -ENXIO, "the RMM refused to create the realm or a vCPU, to take its memory, or to run "
	  "it: see dmesg, and create a new VM" },
	{ -EINVAL, "an earlier activation of the realm has failed, or a vCPU was initialised "
	  "without PSCI 0.2" },
	{ -EOPNOTSUPP, "KVM runs realms with a GICv3 in the kernel only" },
	{ -ENOEXEC, "the vCPU was not initialised" },
	{ -EIO, "KVM marked the VM as dead after an earlier failure: create a new one" },
	{ -ENOMEM, "the host has no memory for what the RMM needs" },
	{ -EFAULT, "the host has no memory for a page of the realm" },
	{ 0, NULL },
};

static int run_error(const struct vcpu *vcpu, int rc, struct error *error)
{
	return vcpu_failed(vcpu, rc, "KVM_RUN", find_hint(run_hints, rc), error);
}

static void run_failed(struct machine *machine, struct vcpu *vcpu, int rc)
{
	struct error error;

	run_error(vcpu, rc, &error);
	machine_end(machine, END_FAILED, "%s: %s: %s; %s", error.object, error.action,
		    strerror(-rc), error.hint);
}

/* Another vCPU has powered the realm off while this one entered it. */
static void exit_shutdown(struct machine *machine, struct vcpu *vcpu)
{
	machine_exit_fatal(machine, vcpu, END_POWER_OFF);
}

static void convert(struct machine *machine, struct vcpu *vcpu, struct range range, bool to_private)
{
	char why[WHY_MAX] = "";
	uint64_t at = range.start;
	int rc;

	while (at < range.end && guest_memfd_is_private(&machine->memory.memfd, at) == to_private)
		at += RANGE_PAGE_SIZE;
	if (at >= range.end)
		return machine_count(&realm_of(machine)->counters.confirmed, 1);
	rc = machine_convert(machine, vcpu, range, to_private, why, sizeof(why));
	/* EINTR: the machine ends for another reason. */
	if (rc && rc != -EINTR)
		machine_end(machine, END_MEMORY, "gpa 0x%" PRIx64 " + 0x%" PRIx64 " to %s: %s%s%s",
			    range.start, range_size(range), to_private ? "private" : "shared",
			    strerror(-rc), *why ? "; " : "", why);
}

/*
 * The realm has changed the state of a range, and KVM completes that when it enters the
 * vCPU again; or the realm has accessed a page that is in the other state. The part of
 * the range that is not memory is ignored.
 */
static void exit_memory_fault(struct machine *machine, struct vcpu *vcpu)
{
	const struct realm *realm = realm_of(machine);
	const struct kvm_exit_memory_fault *fault = kvm_run_memory_fault(vcpu->run);
	struct range range = { fault->gpa, fault->gpa + fault->size };

	if (fault->flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE || range.end <= range.start ||
	    !range_aligned(range, realm->page_size) || !range_overlaps(range, realm->config->ram))
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

/* All memory is private at first. The realm asks for shared memory when it runs. */
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

int realm_open(struct realm *realm, const struct realm_config *config, struct error *error)
{
	int rc;

	realm_init(realm, config);
	rc = check(realm, error);
	if (!rc)
		rc = machine_build(&realm->machine, error);
	if (!rc) {
		tell(realm, "vCPUs", "%u; the first starts at 0x%" PRIx64 " with x0 = 0x%" PRIx64,
		     config->nr_vcpus, config->entry, config->argument);
		rc = realm_gic_create(realm, error);
	}
	realm->state = rc ? REALM_FAILED : REALM_OPEN;
	return rc;
}

/*
 * KVM activates a realm before it checks immediate_exit. So KVM_RUN returns without
 * running the vCPU, and an error is that of the activation.
 */
int realm_activate(struct realm *realm, struct error *error)
{
	struct vcpu *vcpu = realm->machine.vcpus;
	int rc = enter(realm, REALM_POPULATED, "activate", error);

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
	tell(realm, "activate", "all memory is the realm's");
	return 0;
}

int realm_run(struct realm *realm, struct error *error)
{
	int rc = enter(realm, REALM_ACTIVE, "run", error);

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
