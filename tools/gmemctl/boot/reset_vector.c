// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../devices/i8042.h"
#include "reset_vector.h"

static const uint8_t code[] = {
	0xb0, I8042_COMMAND_RESET,	/*	mov $I8042_COMMAND_RESET, %al */
	0xe6, I8042_COMMAND_PORT,	/*	out %al, $I8042_COMMAND_PORT */
	0xf4,				/* 1:	hlt */
	0xeb, 0xfd,			/*	jmp 1b */
};

_Static_assert(sizeof(code) <= RESET_VECTOR_SIZE, "the code has its place");

void reset_vector_build(uint8_t bytes[RESET_VECTOR_SIZE])
{
	memset(bytes, 0, RESET_VECTOR_SIZE);
	memcpy(bytes, code, sizeof(code));
}
