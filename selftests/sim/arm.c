// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kvm of an arm64 host, a VM with its interrupt controller, and its vCPUs: Linux 7.3,
 * arch/arm64/kvm/arm.c, with the patches 13 to 16 of version 14 of the CCA series where there
 * are realms. And realms: what is checked, in the order of KVM, and what comes back;
 * arch/arm64/kvm/rmi.c as in patches 18, 19, 26, 27 and 28, and kvm_gmem_populate() of
 * virt/kvm/guest_memfd.c.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define IPA_BITS 48
#define FEATURES_MAX 10

/* The RMM creates a realm when it is first needed. */
static int ensure_created(struct sim *sim, struct sim_vm *vm)
{
	switch (vm->arm.state) {
	case SIM_REALM_NONE:
		break;
	case SIM_REALM_NEW:
		return 0;
	case SIM_REALM_DEAD:
		return -ENXIO;
	default:
		return -EBUSY;
	}
	/* It stays NONE, and the next call tries again. */
	if (sim_fails(sim, SIM_RMI_CREATE, NULL))
		return -ENXIO;
	vm->arm.state = SIM_REALM_NEW;
	return 0;
}

/*
 * Return: 0, a negative errno, or what version 14 takes for a number of pages:
 * the status of the RMM as it is.
 */
static int populate_page(struct sim *sim, struct sim_vm *vm, struct sim_slot *slot,
			 const struct realm_kvm_populate *args, uint64_t at)
{
	uint64_t gpa = args->base + at;
	uint64_t page = sim_slot_page(slot, gpa);
	uint8_t contents[SIM_PAGE];
	uint32_t status = 0;

	if (sim_fails(sim, SIM_SIGNAL, NULL))
		return -EINTR;
	if (args->source && sim_in(sim, contents, args->source + at, sizeof(contents)))
		return -EFAULT;
	if (!sim_ranges_have(&vm->private, gpa / SIM_PAGE))
		return -EINVAL;
	if (!args->source)
		return -EOPNOTSUPP;
	/* A page that is delegated to the RMM already is not a second time. */
	if (sim_ranges_have(&slot->gmem->assigned, page))
		return -ENXIO;
	if (sim_fails(sim, SIM_RMI_POPULATE, &status))
		return status ? (int)status : -ENXIO;
	return sim_ranges_set(&slot->gmem->assigned, page, page + 1, true);
}

static int64_t populate_pages(struct sim *sim, struct sim_vm *vm,
			      const struct realm_kvm_populate *args)
{
	struct sim_slot *slot = sim_slot_find(vm, args->base);
	uint64_t pages = args->size / SIM_PAGE, done;
	uint64_t fits;
	int rc = 0;

	sim_lint(sim, (int64_t)pages <= 0, "RMI_POPULATE of nothing: the kernel warns");
	if ((int64_t)pages <= 0 || !slot || !slot->bound)
		return -EINVAL;
	if (!slot->gmem)
		return -EFAULT;
	fits = (slot->gpa + slot->size - args->base) / SIM_PAGE;
	if (pages > fits)
		pages = fits;
	if (sim->config.progress && pages > sim->config.progress)
		pages = sim->config.progress;
	for (done = 0; done < pages; done++) {
		rc = populate_page(sim, vm, slot, args, done * SIM_PAGE);
		if (rc)
			break;
	}
	if (args->flags & REALM_POPULATE_MEASURE)
		vm->arm.measured += done;
	else
		vm->arm.unmeasured += done;
	return rc && !done ? rc : (int64_t)done;
}

static int populate(struct sim *sim, struct sim_vm *vm, struct realm_kvm_populate *args)
{
	int64_t done;
	int rc;

	if (args->reserved || args->flags & ~REALM_POPULATE_MEASURE || args->base % SIM_PAGE ||
	    (args->base + args->size) % SIM_PAGE || args->source % SIM_PAGE)
		return -EINVAL;
	rc = ensure_created(sim, vm);
	if (rc)
		return rc;
	done = populate_pages(sim, vm, args);
	if (done < 0)
		return (int)done;
	args->size -= (uint64_t)done * SIM_PAGE;
	args->source += (uint64_t)done * SIM_PAGE;
	args->base += (uint64_t)done * SIM_PAGE;
	return 0;
}

static int realm_populate(struct sim *sim, struct sim_vm *vm, uint64_t arg)
{
	struct realm_kvm_populate args;
	int rc;

	if (!vm->arm.is_realm)
		return -ENXIO;
	if (sim_in(sim, &args, arg, sizeof(args)))
		return -EFAULT;
	rc = populate(sim, vm, &args);
	return sim_out(sim, arg, &args, sizeof(args)) ? -EFAULT : rc;
}

static int create_recs(struct sim *sim, struct sim_vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		struct sim_arm_vcpu *arm = &vm->vcpus[i]->arm;

		if (!(arm->features & 1U << REALM_VCPU_PSCI_0_2))
			return -EINVAL;
		if (sim_fails(sim, SIM_RMI_REC, NULL))
			return -ENXIO;
		arm->rec = true;
	}
	return 0;
}

/* All memory of slots with a guest_memfd, which is not in the shared half. */
static int set_ripas(struct sim *sim, const struct sim_vm *vm)
{
	uint64_t shared = UINT64_C(1) << (vm->arm.ipa_bits - 1);

	for (int i = 0; i < SIM_SLOTS; i++) {
		const struct sim_slot *slot = &vm->slots[i];

		if (!slot->size || !slot->bound)
			continue;
		sim_lint(sim, slot->gpa + slot->size > shared,
			 "a slot in the shared half of the addresses: the kernel warns");
		if (slot->gpa + slot->size > shared || sim_fails(sim, SIM_RMI_RIPAS, NULL))
			return -ENXIO;
	}
	return 0;
}

/* What the first KVM_RUN does */
static int realm_activate(struct sim *sim, struct sim_vm *vm)
{
	int rc;

	/* What has failed is not tried again. */
	if (vm->arm.state >= SIM_REALM_ACTIVE)
		return 0;
	if (!vm->arm.gic)
		return -EOPNOTSUPP;
	rc = ensure_created(sim, vm);
	if (rc)
		return rc;
	vm->arm.state = SIM_REALM_DEAD;
	rc = create_recs(sim, vm);
	if (!rc)
		rc = set_ripas(sim, vm);
	if (!rc && sim_fails(sim, SIM_RMI_ACTIVATE, NULL))
		rc = -ENXIO;
	if (!rc)
		vm->arm.state = SIM_REALM_ACTIVE;
	return rc;
}

static bool has_realms(const struct sim *sim)
{
	return sim->config.arm == SIM_ARM_CCA_V14;
}

/* The few capabilities of the architecture that a realm's VM still has */
static bool realm_may_have(uint64_t capability)
{
	switch (capability) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
	case KVM_CAP_ARM_VM_IPA_SIZE:
	case REALM_CAP_RMI:
		return true;
	default:
		return false;
	}
}

static int arch_extension(const struct sim *sim, uint64_t capability)
{
	switch (capability) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_IMMEDIATE_EXIT:
		return 1;
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
		return SIM_VCPUS;
	case KVM_CAP_NR_MEMSLOTS:
		return SIM_SLOTS;
	case KVM_CAP_ARM_VM_IPA_SIZE:
		return IPA_BITS;
	/* Some kernels have something else of that number. */
	case REALM_CAP_RMI:
		return has_realms(sim) || sim->config.arm == SIM_ARM_OTHER;
	default:
		return 0;
	}
}

int sim_arm_check_extension(const struct sim *sim, const struct sim_vm *vm, uint64_t capability)
{
	switch (capability) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_GUEST_MEMFD:
		return 1;
	/* On /dev/kvm: what some VM could have */
	case KVM_CAP_MEMORY_ATTRIBUTES:
		return has_realms(sim) && (!vm || vm->arm.is_realm) ?
		       KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
	default:
		break;
	}
	if (vm && vm->arm.is_realm && !realm_may_have(capability))
		return 0;
	return arch_extension(sim, capability);
}

int sim_arm_vm_type(const struct sim *sim, uint64_t type, struct sim_arm_vm *arm)
{
	unsigned int limit = IPA_BITS;

	arm->is_realm = type & REALM_VM_TYPE;
	/* Protected VMs are pKVM's, which this host does not run. */
	if (type & ~(REALM_VM_IPA_MASK | REALM_VM_TYPE) || (arm->is_realm && !has_realms(sim)))
		return -EINVAL;
	if (arm->is_realm && sim->config.ipa_bits)
		limit = sim->config.ipa_bits;
	arm->ipa_bits = type & REALM_VM_IPA_MASK;
	if (!arm->ipa_bits)
		arm->ipa_bits = REALM_IPA_BITS_DEFAULT;
	return arm->ipa_bits > limit || arm->ipa_bits < REALM_IPA_BITS_MIN ? -EINVAL : 0;
}

static int create_device(struct sim *sim, struct sim_vm *vm, uint64_t arg)
{
	struct kvm_create_device create;
	int fd;

	if (sim_in(sim, &create, arg, sizeof(create)))
		return -EFAULT;
	if (create.type != REALM_GIC_TYPE)
		return -ENODEV;
	if (create.flags & KVM_CREATE_DEVICE_TEST)
		return 0;
	if (vm->arm.gic)
		return -EEXIST;
	fd = sim_fd_install(sim, SIM_GIC, vm, true);
	if (fd < 0)
		return fd;
	vm->refs++;
	vm->arm.gic = true;
	create.fd = (uint32_t)fd;
	return sim_out(sim, arg, &create, sizeof(create));
}

/* What it does not know, arm64's KVM calls invalid, where x86's says ENOTTY. */
int sim_arm_vm_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request, uint64_t arg)
{
	const struct realm_kvm_vcpu_init preferred = { .target = REALM_TARGET_GENERIC_V8 };

	if (vm->arm.given_up)
		return -EIO;
	switch (request) {
	case KVM_CHECK_EXTENSION:
		return sim_arm_check_extension(sim, vm, arg);
	case KVM_CREATE_VCPU:
		/* The controller has a part for each. */
		return vm->arm.gic_ready ? -EBUSY : sim_create_vcpu(sim, vm, arg);
	case KVM_CREATE_DEVICE:
		return create_device(sim, vm, arg);
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		return sim_set_region(sim, vm, request, arg);
	case KVM_SET_MEMORY_ATTRIBUTES:
		return has_realms(sim) ? sim_set_attributes(sim, vm, arg) : -EINVAL;
	case KVM_CREATE_GUEST_MEMFD:
		return sim_create_gmem(sim, vm, arg);
	case REALM_PREFERRED_TARGET:
		return sim_out(sim, arg, &preferred, sizeof(preferred));
	case REALM_POPULATE:
		return sim->config.arm == SIM_ARM_PLAIN ? -EINVAL : realm_populate(sim, vm, arg);
	default:
		return -EINVAL;
	}
}

static int gic_place(struct sim *sim, const struct sim_vm *vm, bool *placed, uint64_t from)
{
	uint64_t gpa;

	if (sim_in(sim, &gpa, from, sizeof(gpa)))
		return -EFAULT;
	if (*placed)
		return -EEXIST;
	if (gpa % REALM_GIC_DIST_SIZE)
		return -EINVAL;
	if (gpa >= UINT64_C(1) << vm->arm.ipa_bits)
		return -E2BIG;
	*placed = true;
	return 0;
}

int sim_arm_gic_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request, uint64_t arg)
{
	struct kvm_device_attr attr;

	if (vm->arm.given_up)
		return -EIO;
	if (request != KVM_SET_DEVICE_ATTR)
		return -ENOTTY;
	if (sim_in(sim, &attr, arg, sizeof(attr)))
		return -EFAULT;
	if (attr.group == REALM_GIC_GROUP_ADDR && attr.attr == REALM_GIC_ADDR_DIST)
		return gic_place(sim, vm, &vm->arm.gic_dist, attr.addr);
	if (attr.group == REALM_GIC_GROUP_ADDR && attr.attr == REALM_GIC_ADDR_REDIST)
		return gic_place(sim, vm, &vm->arm.gic_redist, attr.addr);
	if (attr.group != REALM_GIC_GROUP_CTRL || attr.attr != REALM_GIC_CTRL_INIT ||
	    !vm->arm.gic_dist || !vm->arm.gic_redist)
		return -ENXIO;
	vm->arm.gic_ready = true;
	return 0;
}

/* Of the features, only those that matter for a realm are looked at. */
static int init(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg)
{
	struct realm_kvm_vcpu_init init;

	if (sim_in(sim, &init, arg, sizeof(init)))
		return -EFAULT;
	if (init.target != REALM_TARGET_GENERIC_V8)
		return -EINVAL;
	if (init.features[0] >> FEATURES_MAX)
		return -ENOENT;
	for (int i = 1; i < 7; i++)
		if (init.features[i])
			return -ENOENT;
	if (init.features[0] & 1U << REALM_VCPU_EL1_32BIT)
		return -EINVAL;
	vcpu->arm.features = init.features[0];
	vcpu->arm.initialized = true;
	return 0;
}

/* Of a realm, nothing but these can be set. */
static uint64_t *find_reg(struct sim_vcpu *vcpu, uint64_t id)
{
	uint64_t number = (id - REALM_REG_X(0)) / 2;

	if (id == REALM_REG_PC)
		return &vcpu->arm.pc;
	if (id >= REALM_REG_X(0) && !(id % 2) && number < REALM_REG_X_COUNT)
		return &vcpu->arm.x[number];
	return NULL;
}

static int one_reg(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request, uint64_t arg)
{
	struct kvm_one_reg reg;
	uint64_t *value;

	if (!vcpu->arm.initialized)
		return -ENOEXEC;
	if (sim_in(sim, &reg, arg, sizeof(reg)))
		return -EFAULT;
	value = find_reg(vcpu, reg.id);
	if (!value)
		return vcpu->vm->arm.is_realm ? -EINVAL : -ENOENT;
	if (request == KVM_GET_ONE_REG)
		return sim_out(sim, reg.addr, value, sizeof(*value));
	return sim_in(sim, value, reg.addr, sizeof(*value));
}

/*
 * A realm is activated by the first run, also by one that is to end at once.
 * One that could not be is dead, which is found where the vCPU is entered.
 */
static int run(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sim_vm *vm = vcpu->vm;
	int rc;

	if (!vcpu->arm.initialized)
		return -ENOEXEC;
	if (vm->arm.gic && (!vm->arm.gic_dist || !vm->arm.gic_redist)) {
		vm->arm.given_up = true;
		return -ENXIO;
	}
	if (vm->arm.is_realm) {
		rc = realm_activate(sim, vm);
		if (rc)
			return rc;
		if (vm->arm.state == SIM_REALM_DEAD && !vcpu->run->immediate_exit)
			return -EINVAL;
	}
	return sim_run_next(sim, vcpu);
}

int sim_arm_vcpu_ioctl(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request, uint64_t arg)
{
	if (vcpu->vm->arm.given_up)
		return -EIO;
	switch (request) {
	case KVM_RUN:
		return arg ? -EINVAL : run(sim, vcpu);
	case REALM_VCPU_INIT:
		return init(sim, vcpu, arg);
	case KVM_SET_ONE_REG:
	case KVM_GET_ONE_REG:
		return one_reg(sim, vcpu, request, arg);
	default:
		return -EINVAL;
	}
}
