/* SPDX-License-Identifier: GPL-2.0 */
/* What a loader tells a guest that comes as an IGVM file. */
#ifndef GMEMCTL_MACHINE_IGVM_H
#define GMEMCTL_MACHINE_IGVM_H

#include "../memory/range.h"
#include "../snp/igvm.h"

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

#endif /* GMEMCTL_MACHINE_IGVM_H */
