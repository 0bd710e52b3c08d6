/* SPDX-License-Identifier: GPL-2.0 */
/* What is on the PCI bus of a PC, as its configuration says, and its state. */
#ifndef GMEMCTL_MACHINE_PC_PCI_H
#define GMEMCTL_MACHINE_PC_PCI_H

#include "../base/error.h"
#include "../base/tlv.h"
#include "pc.h"

/** pc_pci_init() - make the functions, and put them on the bus */
int pc_pci_init(struct pc *pc, struct error *error);
void pc_pci_destroy(struct pc *pc);

/** pc_pci_get() - add records of all functions; none if there are no functions */
void pc_pci_get(struct pc *pc, struct tlv *records);

/** pc_pci_set() - set the state of those that there are. Return: 0; -EBADMSG. */
int pc_pci_set(struct pc *pc, const struct tlv *records);

/** pc_pci_config() - which there have to be for such records */
void pc_pci_config(const struct tlv *records, struct pc_config *config);

/**
 * pc_pci_set_memory() - do to memory what the guest had asked for
 *
 * After its contents are there. Return: 0, or a negative errno: it must not run.
 */
int pc_pci_set_memory(struct pc *pc, const struct tlv *records,
		      struct error *error);

#endif /* GMEMCTL_MACHINE_PC_PCI_H */
