// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "off_port.h"

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
