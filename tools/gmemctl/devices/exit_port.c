// SPDX-License-Identifier: GPL-2.0
#include "exit_port.h"

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
