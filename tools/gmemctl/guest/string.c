// SPDX-License-Identifier: GPL-2.0
/* The compiler emits calls of these even in freestanding code. */
#include "guest.h"

void *memcpy(void *to, const void *from, size_t size)
{
	void *start = to;

	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (size) : : "memory");
	return start;
}

void *memset(void *to, int value, size_t size)
{
	void *start = to;

	asm volatile("rep stosb" : "+D" (to), "+c" (size) : "a" (value) : "memory");
	return start;
}
