// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "i8042.h"

#define STATUS_FULL	0x01
#define STATUS_SYSTEM	0x04
#define STATUS_COMMAND	0x08
#define STATUS_UNLOCKED	0x10

#define CONTROL_SYSTEM	0x04
#define CONTROL_NO_KBD	0x10
#define CONTROL_NO_AUX	0x20

#define COMMAND_READ	0x20
#define COMMAND_WRITE	0x60
#define COMMAND_NO_AUX	0xa7
#define COMMAND_TEST	0xaa
#define COMMAND_TEST_KBD 0xab
#define COMMAND_NO_KBD	0xad
#define COMMAND_KBD	0xae
#define COMMAND_OUTPUT	0xd1
#define COMMAND_PULSE	0xf0

#define OUTPUT_NO_RESET	0x01

#define TEST_PASSED	0x55
#define TEST_KBD_PASSED	0x00

void i8042_init(struct i8042 *i8042, const struct board *board)
{
	memset(i8042, 0, sizeof(*i8042));
	i8042->board = board;
	i8042->control = CONTROL_SYSTEM | CONTROL_NO_KBD | CONTROL_NO_AUX;
	pthread_mutex_init(&i8042->lock, NULL);
}

void i8042_destroy(struct i8042 *i8042)
{
	pthread_mutex_destroy(&i8042->lock);
}

static void i8042_answer(struct i8042 *i8042, uint8_t answer)
{
	i8042->answer = answer;
	i8042->full = true;
}

/* What it does not know it takes and does not answer. */
static void i8042_command(struct i8042 *i8042, uint8_t command)
{
	i8042->command = 0;
	switch (command) {
	case COMMAND_READ:
		i8042_answer(i8042, i8042->control);
		break;
	case COMMAND_WRITE:
	case COMMAND_OUTPUT:
		i8042->command = command;
		break;
	case COMMAND_NO_AUX:
		i8042->control |= CONTROL_NO_AUX;
		break;
	case COMMAND_TEST:
		i8042_answer(i8042, TEST_PASSED);
		break;
	case COMMAND_TEST_KBD:
		i8042_answer(i8042, TEST_KBD_PASSED);
		break;
	case COMMAND_NO_KBD:
		i8042->control |= CONTROL_NO_KBD;
		break;
	case COMMAND_KBD:
		i8042->control &= (uint8_t)~CONTROL_NO_KBD;
		break;
	}
}

static void i8042_read_data(void *data, uint64_t offset, uint8_t *bytes,
			    unsigned int size)
{
	struct i8042 *i8042 = data;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	bytes[0] = i8042->full ? i8042->answer : 0;
	i8042->full = false;
	pthread_mutex_unlock(&i8042->lock);
}

/* Data that belongs to no command is for the keyboard, which is not there. */
static void i8042_write_data(void *data, uint64_t offset, const uint8_t *bytes,
			     unsigned int size)
{
	struct i8042 *i8042 = data;
	bool reset;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	if (i8042->command == COMMAND_WRITE)
		i8042->control = bytes[0];
	reset = i8042->command == COMMAND_OUTPUT &&
		!(bytes[0] & OUTPUT_NO_RESET);
	i8042->command = 0;
	pthread_mutex_unlock(&i8042->lock);
	if (reset)
		i8042->board->event(i8042->board->data, BOARD_RESET, 0);
}

static void i8042_read_status(void *data, uint64_t offset, uint8_t *bytes,
			      unsigned int size)
{
	struct i8042 *i8042 = data;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	bytes[0] = STATUS_SYSTEM | STATUS_COMMAND | STATUS_UNLOCKED |
		   (i8042->full ? STATUS_FULL : 0);
	pthread_mutex_unlock(&i8042->lock);
}

static void i8042_write_command(void *data, uint64_t offset,
				const uint8_t *bytes, unsigned int size)
{
	struct i8042 *i8042 = data;

	(void)offset;
	(void)size;
	if ((bytes[0] & COMMAND_PULSE) == COMMAND_PULSE &&
	    !(bytes[0] & OUTPUT_NO_RESET)) {
		i8042->board->event(i8042->board->data, BOARD_RESET, 0);
		return;
	}
	pthread_mutex_lock(&i8042->lock);
	i8042_command(i8042, bytes[0]);
	pthread_mutex_unlock(&i8042->lock);
}

struct bus_device i8042_data_device(struct i8042 *i8042)
{
	return (struct bus_device){
		.name = "keyboard data",
		.start = I8042_DATA_PORT,
		.size = 1,
		.width = 1,
		.read = i8042_read_data,
		.write = i8042_write_data,
		.data = i8042,
	};
}

struct bus_device i8042_command_device(struct i8042 *i8042)
{
	return (struct bus_device){
		.name = "keyboard command",
		.start = I8042_COMMAND_PORT,
		.size = 1,
		.width = 1,
		.read = i8042_read_status,
		.write = i8042_write_command,
		.data = i8042,
	};
}
