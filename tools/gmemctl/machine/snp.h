/* SPDX-License-Identifier: GPL-2.0 */
/* A machine that is an SNP guest: its creation, and the exits that only it has. */
#ifndef GMEMCTL_MACHINE_SNP_H
#define GMEMCTL_MACHINE_SNP_H

#include "machine.h"

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
