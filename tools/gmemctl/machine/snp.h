/* SPDX-License-Identifier: GPL-2.0 */
/* A machine that is an SNP guest: its creation, and the exits that only it has. */
#ifndef GMEMCTL_MACHINE_SNP_H
#define GMEMCTL_MACHINE_SNP_H

#include "../memory/range.h"
#include "../snp/igvm.h"
#include "machine.h"

/**
 * machine_igvm_parameters() - fill in the parameter areas
 * @igvm: what its areas point to is changed
 * @ram: the guest's memory, ascending; of it, what is not between 3 and 4 GiB
 * @nr_vcpus: that are started
 *
 * Known are the number of vCPUs, the memory map, the MADT, the command line, which
 * is empty, and the environment. SRAT, SLIT, PPTT and the MMIO ranges are left as
 * the file has them: there is one node, and nothing to say.
 *
 * Return: 0; -EOPNOTSUPP for a device tree, which is not made; -ENOSPC if a
 * parameter does not fit.
 */
int machine_igvm_parameters(const struct snp_igvm *igvm,
			    const struct range *ram, unsigned int nr_ram,
			    unsigned int nr_vcpus, struct error *error);

/** machine_snp_create() - the VM, as far as SEV_INIT2 */
int machine_snp_create(struct machine *machine, struct error *error);

/**
 * machine_snp_launch() - the rest of the launch, once memory and vCPUs are there
 *
 * Afterwards the guest runs, or the machine is of no use any more.
 */
int machine_snp_launch(struct machine *machine, struct error *error);

/** machine_snp_certs() - the guest wants certificates with its report */
void machine_snp_certs(struct machine *machine, struct vcpu *vcpu);

/** machine_snp_hold() - a vCPU waits until another one starts it */
void machine_snp_hold(struct machine *machine, struct vcpu *vcpu);

/** machine_snp_terminate() - the guest wants to be ended */
void machine_snp_terminate(struct machine *machine, struct vcpu *vcpu);

#endif /* GMEMCTL_MACHINE_SNP_H */
