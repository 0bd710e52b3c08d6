/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ports of PCI configuration space on a bus without devices, and among
 * them the reset control of a PC's chipset.
 */
#ifndef GMEMCTL_DEVICES_PCI_H
#define GMEMCTL_DEVICES_PCI_H

#include <pthread.h>
#include <stdint.h>

#include "bus.h"

#define PCI_PORT	0xcf8
#define PCI_RESET_PORT	0xcf9

/**
 * struct pci - its state
 * @board: where a reset goes
 * @lock: protects what follows
 * @address: the address register
 * @reset: the reset control
 */
struct pci {
	const struct board *board;
	pthread_mutex_t lock;
	uint32_t address;
	uint8_t reset;
};

void pci_init(struct pci *pci, const struct board *board);
void pci_destroy(struct pci *pci);
struct bus_device pci_device(struct pci *pci);

#endif /* GMEMCTL_DEVICES_PCI_H */
