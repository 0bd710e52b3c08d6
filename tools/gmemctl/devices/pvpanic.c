// SPDX-License-Identifier: GPL-2.0
#include "pvpanic.h"

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
