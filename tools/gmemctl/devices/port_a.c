// SPDX-License-Identifier: GPL-2.0
#include "port_a.h"

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
