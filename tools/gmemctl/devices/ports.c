// SPDX-License-Identifier: GPL-2.0
/* Devices that are one port: exit, power-off, port A, pvpanic. */
#include <string.h>

#include "ports.h"

static void exit_port_read(void *data, uint64_t offset, uint8_t *bytes,
			   unsigned int size)
{
	(void)data;
	(void)offset;
	(void)size;
	bytes[0] = 0;
}

static void exit_port_write(void *data, uint64_t offset, const uint8_t *bytes,
			    unsigned int size)
{
	const struct board *board = data;

	(void)offset;
	(void)size;
	board->event(board->data, BOARD_EXIT, bytes[0]);
}

struct bus_device exit_port_device(const struct board *board)
{
	return (struct bus_device){
		.name = "exit port",
		.start = EXIT_PORT,
		.size = 1,
		.width = 1,
		.read = exit_port_read,
		.write = exit_port_write,
		.data = (void *)board,
	};
}

static void off_port_read(void *data, uint64_t offset, uint8_t *bytes,
			  unsigned int size)
{
	(void)data;
	(void)offset;
	memset(bytes, 0, size);
}

static void off_port_write(void *data, uint64_t offset, const uint8_t *bytes,
			   unsigned int size)
{
	const struct board *board = data;

	(void)offset;
	(void)bytes;
	(void)size;
	board->event(board->data, BOARD_POWER_OFF, 0);
}

struct bus_device off_port_device(const struct board *board, uint16_t port)
{
	return (struct bus_device){
		.name = "power-off port",
		.start = port,
		.size = 1,
		.width = 1,
		.read = off_port_read,
		.write = off_port_write,
		.data = (void *)board,
	};
}

static void port_a_read(void *data, uint64_t offset, uint8_t *bytes,
			unsigned int size)
{
	(void)data;
	(void)offset;
	(void)size;
	bytes[0] = PORT_A_A20;
}

static void port_a_write(void *data, uint64_t offset, const uint8_t *bytes,
			 unsigned int size)
{
	const struct board *board = data;

	(void)offset;
	(void)size;
	if (bytes[0] & PORT_A_RESET)
		board->event(board->data, BOARD_RESET, 0);
}

struct bus_device port_a_device(const struct board *board)
{
	return (struct bus_device){
		.name = "system control port A",
		.start = PORT_A,
		.size = 1,
		.width = 1,
		.read = port_a_read,
		.write = port_a_write,
		.data = (void *)board,
	};
}

static void pvpanic_read(void *data, uint64_t offset, uint8_t *bytes,
			 unsigned int size)
{
	(void)data;
	(void)offset;
	(void)size;
	bytes[0] = PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
}

/* A crash kernel is left to do its work. */
static void pvpanic_write(void *data, uint64_t offset, const uint8_t *bytes,
			  unsigned int size)
{
	const struct board *board = data;

	(void)offset;
	(void)size;
	if (bytes[0] & PVPANIC_PANICKED)
		board->event(board->data, BOARD_PANIC, bytes[0]);
}

struct bus_device pvpanic_device(const struct board *board)
{
	return (struct bus_device){
		.name = "pvpanic",
		.start = PVPANIC_PORT,
		.size = 1,
		.width = 1,
		.read = pvpanic_read,
		.write = pvpanic_write,
		.data = (void *)board,
	};
}
