// SPDX-License-Identifier: GPL-2.0
/*
 * Realms: what is checked, in the order of KVM, and what comes back.
 * arch/arm64/kvm/rmi.c as in patches 18, 19, 26, 27 and 28 of version 14 of the
 * CCA series, and kvm_gmem_populate() of virt/kvm/guest_memfd.c.
 */
#include <errno.h>

#include "internal.h"

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

static int populate_check(const struct realm_kvm_populate *args)
{
	if (args->reserved || args->flags & ~REALM_POPULATE_MEASURE ||
	    args->base % SIM_PAGE || (args->base + args->size) % SIM_PAGE ||
	    args->source % SIM_PAGE)
		return -EINVAL;
	return 0;
}

/*
 * Return: 0, a negative errno, or what version 14 takes for a number of pages:
 * the status of the RMM as it is.
 */
static int populate_page(struct sim *sim, struct sim_vm *vm,
			 struct sim_slot *slot,
			 const struct realm_kvm_populate *args, uint64_t at)
{
	uint64_t gpa = args->base + at;
	uint64_t page = (slot->offset + gpa - slot->gpa) / SIM_PAGE;
	uint8_t contents[SIM_PAGE];
	uint32_t status = 0;

	if (sim_fails(sim, SIM_SIGNAL, NULL))
		return -EINTR;
	if (args->source &&
	    sim_in(sim, contents, args->source + at, sizeof(contents)))
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

	sim_lint(sim, (int64_t)pages <= 0,
		 "RMI_POPULATE of nothing: the kernel warns");
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

static int populate(struct sim *sim, struct sim_vm *vm,
		    struct realm_kvm_populate *args)
{
	int rc = populate_check(args);
	int64_t done;

	if (!rc)
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

int sim_realm_populate(struct sim *sim, struct sim_vm *vm, uint64_t arg)
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
			 "a slot in the shared half of the addresses: the kernel "
			 "warns");
		if (slot->gpa + slot->size > shared ||
		    sim_fails(sim, SIM_RMI_RIPAS, NULL))
			return -ENXIO;
	}
	return 0;
}

int sim_realm_activate(struct sim *sim, struct sim_vm *vm)
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
