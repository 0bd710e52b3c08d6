/* SPDX-License-Identifier: GPL-2.0 */
/* The gmem fds that a command line names by a VM, or by a process. */
#ifndef GMEMCTL_CLI_WHO_FIND_H
#define GMEMCTL_CLI_WHO_FIND_H

#include "../who/who.h"

#define PROC "/proc"

/**
 * who_find() - the gmem fds of a VM of this name, or of a process with this number
 * @memories: out: of @count, for who_memories_free()
 *
 * Return: 0, or as client_process() and who_memories().
 */
int who_find(const char *name, struct who_memory **memories, size_t *count, struct error *error);

#endif /* GMEMCTL_CLI_WHO_FIND_H */
