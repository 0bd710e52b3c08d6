/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bus finds the device at an address. There is one bus for ports and one for memory. It is
 * built before the first vCPU runs and does not change afterwards, so look-ups need no lock. A
 * device that is not quick has its own lock.
 */
#ifndef GMEMCTL_DEVICES_BUS_H
#define GMEMCTL_DEVICES_BUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"

/**
 * enum board_event - an event that a device reports to the machine
 * @BOARD_RESET: the guest has requested a reset
 * @BOARD_POWER_OFF: the guest has powered the machine off
 * @BOARD_PANIC: the guest's kernel has reported a panic
 * @BOARD_EXIT: a test has ended; the value is its result
 */
enum board_event {
	BOARD_RESET,
	BOARD_POWER_OFF,
	BOARD_PANIC,
	BOARD_EXIT,
};

/**
 * struct board - the connections of devices to the machine
 * @irq: set an ISA interrupt line; called with the device's lock held
 * @event: report an event, see enum board_event
 * @note: report unusual behaviour of the guest, for traces; may be NULL
 * @data: for all functions
 */
struct board {
	void (*irq)(void *data, unsigned int irq, bool level);
	void (*event)(void *data, enum board_event event, uint32_t value);
	void (*note)(void *data, const char *text);
	void *data;
};

/* Called by devices, with or without their lock */
static inline void board_note(const struct board *board, const char *text)
{
	if (board->note)
		board->note(board->data, text);
}

#define BUS_DEVICES_MAX 16

typedef void (*bus_read_fn)(void *data, uint64_t offset, uint8_t *bytes, unsigned int size);
typedef void (*bus_write_fn)(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size);

/**
 * struct bus_device - a device at a range of addresses
 * @name: for messages
 * @start: first address
 * @size: number of addresses
 * @width: bytes of the largest access; larger ones are split, as on ISA for 8-bit
 *	devices
 * @read: fill @bytes; @offset and @size are inside the range
 * @write: handle a write of @bytes
 * @data: for @read and @write
 * @quick: its functions return immediately, and are called with the lock of the bus held
 */
struct bus_device {
	const char *name;
	uint64_t start;
	uint64_t size;
	unsigned int width;
	bus_read_fn read;
	bus_write_fn write;
	void *data;
	bool quick;
};

/**
 * struct bus - a table of devices; all zero: none
 * @devices: no two of them overlap
 * @nr_devices: entries in use
 * @lock: held while a quick device handles an access
 */
struct bus {
	struct bus_device devices[BUS_DEVICES_MAX];
	unsigned int nr_devices;
	pthread_mutex_t lock;
};

/**
 * bus_add() - add a device at free addresses
 *
 * Return: 0; -EINVAL for a bad range or width; -EEXIST if another device is there; -ENOSPC if
 * there are too many devices.
 */
int bus_add(struct bus *bus, const struct bus_device *device, struct error *error);

/** bus_find() - the device at @address, or NULL */
const struct bus_device *bus_find(const struct bus *bus, uint64_t address);

/**
 * bus_read() - read for the guest; bytes without a device are 0xff
 *
 * Return: whether there was a device for any byte.
 */
bool bus_read(struct bus *bus, uint64_t address, uint8_t *bytes, size_t size);

/** bus_write() - write for the guest; bytes without a device are lost. Return: as above. */
bool bus_write(struct bus *bus, uint64_t address, const uint8_t *bytes, size_t size);

#endif /* GMEMCTL_DEVICES_BUS_H */
