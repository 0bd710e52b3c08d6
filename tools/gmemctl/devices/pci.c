// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../base/bytes.h"
#include "pci.h"

#define PORTS		8
#define RESET_OFFSET	(PCI_RESET_PORT - PCI_PORT)
#define DATA_OFFSET	4

#define ADDRESS_MASK	0x80fffffcU
#define ADDRESS_ENABLE	0x80000000U
#define ADDRESS_BUS	0x00ff0000U
#define ADDRESS_FUNCTION 0x00000700U
#define ADDRESS_SLOT	11
#define SLOT_MASK	0x1f
#define REGISTER_MASK	0xfc

#define RESET_CPU	0x04	/* a rising edge resets */
#define RESET_MASK	0x0e

/* The guest can set bus master and interrupt disable, but they have no effect. */
#define COMMAND_WRITABLE 0x0507
#define BAR_IO		0x1U
#define BAR_IO_FLAGS	0x3U
#define BAR_FLAGS	0xfU

/* A host bridge without functions of its own, like QEMU's generic one. */
static const struct pci_identity bridge_identity = {
	.vendor = 0x1b36,
	.device = 0x0008,
	.subvendor = 0x1af4,
	.subsystem = 0x1100,
	.class = 0x060000,
};

void pci_init(struct pci *pci, const struct board *board)
{
	memset(pci, 0, sizeof(*pci));
	pci->board = board;
	pci->memory = (struct pci_window){ pci, false };
	pci->ports = (struct pci_window){ pci, true };
	pci->bridge.name = "PCI host bridge";
	pci_identify(&pci->bridge, &bridge_identity);
	pthread_mutex_init(&pci->lock, NULL);
}

void pci_destroy(struct pci *pci)
{
	pthread_mutex_destroy(&pci->lock);
}

void pci_identify(struct pci_function *function, const struct pci_identity *identity)
{
	uint8_t *config = function->config;

	bytes_put16(config + PCI_VENDOR_ID, identity->vendor);
	bytes_put16(config + PCI_DEVICE_ID, identity->device);
	bytes_put16(config + PCI_SUBSYSTEM_VENDOR_ID, identity->subvendor);
	bytes_put16(config + PCI_SUBSYSTEM_ID, identity->subsystem);
	bytes_put32(config + PCI_CLASS_REVISION, identity->class << 8 | identity->revision);
	bytes_put16(function->writable + PCI_COMMAND, COMMAND_WRITABLE);
	function->writable[PCI_INTERRUPT_LINE] = 0xff;
	function->place = PCI_BAR_NOWHERE;
}

/* Compute the address of the BAR from the BAR's and the command register. */
static void update_place(struct pci_function *function)
{
	uint32_t window = function->bar_io ? PCI_IO_START : PCI_MEMORY_START;
	uint32_t room = function->bar_io ? PCI_IO_SIZE : PCI_MEMORY_SIZE;
	uint32_t flags = function->bar_io ? BAR_IO_FLAGS : BAR_FLAGS;
	uint32_t at = bytes_get32(function->config + PCI_BASE_ADDRESS_0) & ~flags;
	uint16_t command = bytes_get16(function->config + PCI_COMMAND);
	uint64_t place = PCI_BAR_NOWHERE;

	if (function->bar_size &&
	    command & (function->bar_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY) &&
	    at >= window && at - window <= room - function->bar_size)
		place = at;
	__atomic_store_n(&function->place, place, __ATOMIC_RELEASE);
}

void pci_set_bar(struct pci_function *function, bool io, uint32_t size, uint32_t address)
{
	uint16_t command = bytes_get16(function->config + PCI_COMMAND);

	function->bar_size = size;
	function->bar_io = io;
	bytes_put32(function->config + PCI_BASE_ADDRESS_0, address | (io ? BAR_IO : 0));
	bytes_put32(function->writable + PCI_BASE_ADDRESS_0, ~(size - 1));
	command |= io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	bytes_put16(function->config + PCI_COMMAND, command);
	update_place(function);
}

void pci_add(struct pci *pci, enum pci_slot slot, struct pci_function *function)
{
	pci->functions[PCI_SLOT_BRIDGE] = &pci->bridge;
	pci->functions[slot] = function;
}

bool pci_is_used(const struct pci *pci)
{
	return pci->functions[PCI_SLOT_BRIDGE];
}

/* Return: the function that the address register selects, or NULL. */
static struct pci_function *pci_selected(const struct pci *pci)
{
	uint32_t slot = pci->state.address >> ADDRESS_SLOT & SLOT_MASK;

	if (!(pci->state.address & ADDRESS_ENABLE) || slot >= PCI_SLOTS ||
	    pci->state.address & (ADDRESS_BUS | ADDRESS_FUNCTION))
		return NULL;
	return pci->functions[slot];
}

/* An access does not go beyond the selected register, because the bus splits it before. */
static void pci_read_data(const struct pci *pci, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	const struct pci_function *function = pci_selected(pci);
	uint32_t number = pci->state.address & REGISTER_MASK;

	if (!function)
		return;
	if (function->window && function->window == number)
		function->through(function->data, false);
	memcpy(bytes, function->config + number + offset, size);
}

/* Change only the bits that the guest can write. */
static void write_config(struct pci_function *function, uint64_t at,
			 const uint8_t *bytes, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++) {
		uint8_t mask = function->writable[at + i];

		function->config[at + i] = (uint8_t)
			((function->config[at + i] & ~mask) | (bytes[i] & mask));
	}
	update_place(function);
}

static void pci_write_data(const struct pci *pci, uint64_t offset,
			   const uint8_t *bytes, unsigned int size)
{
	struct pci_function *function = pci_selected(pci);
	uint32_t number = pci->state.address & REGISTER_MASK;

	if (!function)
		return;
	write_config(function, number + offset, bytes, size);
	if (function->window && function->window == number)
		function->through(function->data, true);
}

/* Only an access of four bytes at the first port reaches the address register. */
static void pci_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	struct pci *pci = data;

	pthread_mutex_lock(&pci->lock);
	if (!offset && size == sizeof(pci->state.address))
		memcpy(bytes, &pci->state.address, size);
	else if (offset == RESET_OFFSET && size == 1)
		bytes[0] = (uint8_t)pci->state.reset;
	else if (offset >= DATA_OFFSET)
		pci_read_data(pci, offset - DATA_OFFSET, bytes, size);
	pthread_mutex_unlock(&pci->lock);
}

static void pci_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	struct pci *pci = data;
	bool reset = false;

	pthread_mutex_lock(&pci->lock);
	if (!offset && size == sizeof(pci->state.address)) {
		memcpy(&pci->state.address, bytes, size);
		pci->state.address &= ADDRESS_MASK;
	} else if (offset == RESET_OFFSET && size == 1) {
		reset = ~pci->state.reset & bytes[0] & RESET_CPU;
		pci->state.reset = bytes[0] & RESET_MASK;
	} else if (offset >= DATA_OFFSET) {
		pci_write_data(pci, offset - DATA_OFFSET, bytes, size);
	}
	pthread_mutex_unlock(&pci->lock);
	if (reset)
		pci->board->event(pci->board->data, BOARD_RESET, 0);
}

struct bus_device pci_device(struct pci *pci)
{
	return (struct bus_device){ "PCI configuration", PCI_PORT, PORTS, 4,
				    pci_read, pci_write, pci, .quick = false };
}

/*
 * Find the BAR that contains the whole access
 * @offset: in: offset in the window; out: offset in the BAR
 */
static const struct pci_function *find_bar(const struct pci_window *window,
					   uint64_t *offset, unsigned int size)
{
	uint64_t address = *offset + (window->io ? PCI_IO_START : PCI_MEMORY_START);

	for (unsigned int i = 0; i < PCI_SLOTS; i++) {
		const struct pci_function *function = window->pci->functions[i];
		uint64_t place = function ? __atomic_load_n(&function->place, __ATOMIC_ACQUIRE) :
					    PCI_BAR_NOWHERE;

		if (place == PCI_BAR_NOWHERE || function->bar_io != window->io ||
		    address < place || address - place >= function->bar_size ||
		    size > function->bar_size - (address - place))
			continue;
		*offset = address - place;
		return function;
	}
	return NULL;
}

static void window_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	const struct pci_function *function = find_bar(data, &offset, size);

	if (function)
		function->read(function->data, offset, bytes, size);
}

static void window_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	const struct pci_function *function = find_bar(data, &offset, size);

	if (function)
		function->write(function->data, offset, bytes, size);
}

struct bus_device pci_memory_device(struct pci *pci)
{
	return (struct bus_device){ "PCI memory window", PCI_MEMORY_START, PCI_MEMORY_SIZE, 8,
				    window_read, window_write, &pci->memory, .quick = false };
}

struct bus_device pci_io_device(struct pci *pci)
{
	return (struct bus_device){ "PCI port window", PCI_IO_START, PCI_IO_SIZE, 4,
				    window_read, window_write, &pci->ports, .quick = false };
}

void pci_function_get(const struct pci_function *function, struct tlv *records,
		      uint32_t type, enum pci_slot slot)
{
	tlv_add(records, type, slot, function->config, sizeof(function->config));
}

int pci_function_set(struct pci_function *function, const struct tlv *records,
		     uint32_t type, enum pci_slot slot)
{
	uint8_t config[PCI_CFG_SPACE_SIZE];

	if (!tlv_get(records, type, slot, config, sizeof(config)))
		return -EBADMSG;
	write_config(function, 0, config, sizeof(config));
	return 0;
}
