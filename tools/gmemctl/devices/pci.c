// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>

#include "pci.h"

#define PORTS		8
#define RESET_OFFSET	(PCI_RESET_PORT - PCI_PORT)

#define ADDRESS_MASK	0x80fffffcU
#define RESET_CPU	0x04	/* a rising edge resets */
#define RESET_MASK	0x0e

void pci_init(struct pci *pci, const struct board *board)
{
	memset(pci, 0, sizeof(*pci));
	pci->board = board;
	pthread_mutex_init(&pci->lock, NULL);
}

void pci_destroy(struct pci *pci)
{
	pthread_mutex_destroy(&pci->lock);
}

/* Only a whole dword at the first port is the address register. */
static void pci_read(void *data, uint64_t offset, uint8_t *bytes,
		     unsigned int size)
{
	struct pci *pci = data;

	pthread_mutex_lock(&pci->lock);
	if (!offset && size == sizeof(pci->address))
		memcpy(bytes, &pci->address, size);
	else if (offset == RESET_OFFSET && size == 1)
		bytes[0] = pci->reset;
	pthread_mutex_unlock(&pci->lock);
}

static bool pci_write_reset(struct pci *pci, uint8_t value)
{
	bool reset = ~pci->reset & value & RESET_CPU;

	pci->reset = value & RESET_MASK;
	return reset;
}

static void pci_write(void *data, uint64_t offset, const uint8_t *bytes,
		      unsigned int size)
{
	struct pci *pci = data;
	bool reset = false;

	pthread_mutex_lock(&pci->lock);
	if (!offset && size == sizeof(pci->address)) {
		memcpy(&pci->address, bytes, size);
		pci->address &= ADDRESS_MASK;
	} else if (offset == RESET_OFFSET && size == 1) {
		reset = pci_write_reset(pci, bytes[0]);
	}
	pthread_mutex_unlock(&pci->lock);
	if (reset)
		pci->board->event(pci->board->data, BOARD_RESET, 0);
}

struct bus_device pci_device(struct pci *pci)
{
	return (struct bus_device){
		.name = "PCI configuration",
		.start = PCI_PORT,
		.size = PORTS,
		.width = 4,
		.read = pci_read,
		.write = pci_write,
		.data = pci,
	};
}
