/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What devices read and write of a guest's memory while it runs. The guest chooses
 * the addresses, may take access to them away, and may make them private at any
 * moment: the kernel does the copying, so that each of this is an error. Takes no
 * lock.
 */
#ifndef GMEMCTL_MEMORY_ACCESS_H
#define GMEMCTL_MEMORY_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_memory.h"

/** access_is_ram() - whether all of a range is RAM; an empty one is, inside of RAM */
bool access_is_ram(const struct guest_memory *memory, uint64_t gpa, uint64_t size);

/** access_is_shared() - whether all of it is RAM, and no page of it private now */
bool access_is_shared(const struct guest_memory *memory, uint64_t gpa,
		      uint64_t size);

/**
 * access_read() - copy from shared RAM
 *
 * Return: 0; -EFAULT for what is no RAM, is private, or cannot be accessed, with
 * @to undefined.
 */
int access_read(const struct guest_memory *memory, uint64_t gpa, void *to,
		size_t size);

/** access_write() - copy to shared RAM; with -EFAULT a part may have been written */
int access_write(const struct guest_memory *memory, uint64_t gpa,
		 const void *from, size_t size);

#endif /* GMEMCTL_MEMORY_ACCESS_H */
