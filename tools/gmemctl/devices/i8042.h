/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A keyboard controller without a keyboard. It passes its self test and can
 * pull the reset line, which is how Linux resets a PC without ACPI.
 */
#ifndef GMEMCTL_DEVICES_I8042_H
#define GMEMCTL_DEVICES_I8042_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus.h"

#define I8042_DATA_PORT		0x60
#define I8042_COMMAND_PORT	0x64

/* Commands 0xf0 to 0xff pulse output lines, of which 0 is the reset: low is on. */
#define I8042_COMMAND_RESET	0xfe

/**
 * struct i8042 - its state
 * @board: where a reset goes
 * @lock: protects what follows
 * @command: command that the next byte of data belongs to, or 0
 * @control: the control byte
 * @answer: byte to be read, if @full
 * @full: see @answer
 */
struct i8042 {
	const struct board *board;
	pthread_mutex_t lock;
	uint8_t command;
	uint8_t control;
	uint8_t answer;
	bool full;
};

void i8042_init(struct i8042 *i8042, const struct board *board);
void i8042_destroy(struct i8042 *i8042);

/* Two single ports, between which the PC has others. */
struct bus_device i8042_data_device(struct i8042 *i8042);
struct bus_device i8042_command_device(struct i8042 *i8042);

#endif /* GMEMCTL_DEVICES_I8042_H */
