/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: Holes
 *
 * A guest can point a device at memory that it has made private. The VMM, whose
 * device it is, gets SIGBUS for its access, which would end it for a mistake of its
 * guest. Instead it gets a page of zeros in that place of its mapping, a hole: what it
 * reads is zero, and what it writes is lost. When the page becomes shared, the
 * mapping is as before.
 *
 * There are at most EXEC_HOLES_MAX of them: the oldest goes when another comes, which
 * is as good as new, for an access there is answered again.
 */
#ifndef GMEMCTL_EXEC_HOLE_H
#define GMEMCTL_EXEC_HOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

#define EXEC_HOLES_MAX 1024

/** exec_holes_prepare() - before the first one. Return: 0 or a negative errno. */
int exec_holes_prepare(void);

/**
 * exec_hole_make() - answer an access that has raised SIGBUS
 *
 * In the signal handler, with all signals blocked.
 *
 * Return: whether to try the access again.
 */
bool exec_hole_make(uint64_t address);

/** exec_holes_fill() - have the mapping as before in a part of a memory */
void exec_holes_fill(const struct exec_memory *memory, uint64_t offset,
		     uint64_t length);

/**
 * exec_holes_keep() - the same, and what the VMM has written there is in the memory
 *
 * For a reset: the VMM copies what the machine starts with before it says so, and what
 * was private then is shared and zero now.
 */
void exec_holes_keep(const struct exec_memory *memory, uint64_t offset,
		     uint64_t length);

/** exec_hole_is() - whether a mapping is one */
bool exec_hole_is(const struct exec_place *place);

#endif /* GMEMCTL_EXEC_HOLE_H */
