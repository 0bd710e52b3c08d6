/* SPDX-License-Identifier: GPL-2.0 */
/* What devices are wired to: interrupt lines, and the end of the machine. */
#ifndef GMEMCTL_DEVICES_BOARD_H
#define GMEMCTL_DEVICES_BOARD_H

#include <stdbool.h>
#include <stdint.h>

/**
 * enum board_event - what a device asks of the machine
 * @BOARD_RESET: the guest has asked for a reset
 * @BOARD_POWER_OFF: the guest has turned the machine off
 * @BOARD_PANIC: the guest's kernel says that it has panicked
 * @BOARD_EXIT: a test has ended, value is its result
 */
enum board_event {
	BOARD_RESET,
	BOARD_POWER_OFF,
	BOARD_PANIC,
	BOARD_EXIT,
};

/**
 * struct board - the wires
 * @irq: set an ISA interrupt line; called with the device's lock held
 * @event: see enum board_event
 * @data: for both
 */
struct board {
	void (*irq)(void *data, unsigned int irq, bool level);
	void (*event)(void *data, enum board_event event, uint32_t value);
	void *data;
};

#endif /* GMEMCTL_DEVICES_BOARD_H */
