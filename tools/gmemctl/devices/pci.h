/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI bus: the ports of configuration space, the functions, and a host bridge if there are
 * functions. The ports include the reset control of a PC's chipset.
 *
 * A function has at most one BAR, which the guest can move within a window. Functions are looked
 * up and called without a lock: several vCPUs can be in the same function at the same time.
 */
#ifndef GMEMCTL_DEVICES_PCI_H
#define GMEMCTL_DEVICES_PCI_H

#include <linux/pci_regs.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/tlv.h"
#include "bus.h"

#define PCI_PORT	0xcf8
#define PCI_RESET_PORT	0xcf9

/** PCI_IRQ: the ISA interrupt that all functions share, level triggered */
#define PCI_IRQ		10

/* The windows of BARs: one above RAM and below 4 GiB, and one of ports. */
#define PCI_MEMORY_START	0xe0000000U
#define PCI_MEMORY_SIZE		0x10000000U
#define PCI_IO_START		0xd00U
#define PCI_IO_SIZE		0x100U

/** PCI_BAR_NOWHERE: address of a BAR that is disabled, or outside of its window */
#define PCI_BAR_NOWHERE		UINT64_MAX

/* Device numbers; the host bridge is the first. ACPI and MP tables say so, too. */
enum pci_slot {
	PCI_SLOT_BRIDGE,
	PCI_SLOT_PVMEMCONTROL,
	PCI_SLOT_BALLOON,
	PCI_SLOTS,
};

/**
 * struct pci_identity - the identity of a function
 * @class: class, subclass, programming interface, from the highest byte
 */
struct pci_identity {
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subsystem;
	uint32_t class;
	uint8_t revision;
};

/**
 * struct pci_function - a function
 * @name: for messages
 * @config: configuration space; changed with the bus's lock held
 * @writable: bits of it that the guest can write
 * @bar_size: size of the BAR, a power of two from 16 on; 0: no BAR
 * @bar_io: the BAR has ports
 * @place: address of the BAR, or PCI_BAR_NOWHERE; read and written atomically
 * @read: as that of a bus_device; @offset is in the BAR
 * @write: as that of a bus_device
 * @window: offset in configuration space of 4 bytes through which other registers of the
 *	function are accessed, or 0
 * @through: called before these bytes are read, and after they were written, with the bus's
 *	lock held
 * @data: for all functions
 */
struct pci_function {
	const char *name;
	uint8_t config[PCI_CFG_SPACE_SIZE];
	uint8_t writable[PCI_CFG_SPACE_SIZE];
	uint32_t bar_size;
	bool bar_io;
	uint64_t place;
	bus_read_fn read;
	bus_write_fn write;
	unsigned int window;
	void (*through)(void *data, bool write);
	void *data;
};

/**
 * struct pci_state - part of a file format
 * @address: the address register
 * @reset: the reset control
 */
struct pci_state {
	uint32_t address;
	uint32_t reset;
};

/**
 * struct pci_window - a window of BARs
 * @pci: the bus
 * @io: a window of ports
 */
struct pci_window {
	struct pci *pci;
	bool io;
};

/**
 * struct pci - the bus
 * @board: where a reset goes
 * @functions: functions by slot, or NULL; does not change while the guest runs
 * @bridge: the host bridge, on the bus if there are other functions
 * @memory: the window in memory; @ports is that of ports
 * @lock: protects @state, and configuration space
 * @state: see there
 */
struct pci {
	const struct board *board;
	struct pci_function *functions[PCI_SLOTS];
	struct pci_function bridge;
	struct pci_window memory;
	struct pci_window ports;
	pthread_mutex_t lock;
	struct pci_state state;
};

void pci_init(struct pci *pci, const struct board *board);
void pci_destroy(struct pci *pci);

/** pci_identify() - fill the start of an empty configuration space */
void pci_identify(struct pci_function *function, const struct pci_identity *identity);

/**
 * pci_set_bar() - add a BAR at the address that firmware would choose, and enable it
 * @size: a power of two from 16 on
 * @address: in the window, a multiple of @size
 */
void pci_set_bar(struct pci_function *function, bool io, uint32_t size, uint32_t address);

/** pci_add() - put a function on the bus, before the guest runs */
void pci_add(struct pci *pci, enum pci_slot slot, struct pci_function *function);

/** pci_is_used() - whether there are functions */
bool pci_is_used(const struct pci *pci);

/* The ports of configuration space, and the windows. */
struct bus_device pci_device(struct pci *pci);
struct bus_device pci_memory_device(struct pci *pci);
struct bus_device pci_io_device(struct pci *pci);

/*
 * Get and set the writable configuration of one function as a record of @type and its slot.
 * Return: 0, or -EBADMSG if it is not such a record.
 */
void pci_function_get(const struct pci_function *function, struct tlv *records,
		      uint32_t type, enum pci_slot slot);
int pci_function_set(struct pci_function *function, const struct tlv *records,
		     uint32_t type, enum pci_slot slot);

#endif /* GMEMCTL_DEVICES_PCI_H */
