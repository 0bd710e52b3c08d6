/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: QEMU's memory-backend-memfd
 *
 * Of a memfd that QEMU makes for its guest's RAM, which it tells by the name, becomes a
 * gmem fd, under the same number: when ftruncate() says how large it is, for a gmem fd
 * has its size from the start. Nobody changes it afterwards, and so the seals that QEMU
 * asks for are true of it; the library answers for them. All other memfds are what they
 * are.
 */
#ifndef GMEMCTL_EXEC_MEMFD_H
#define GMEMCTL_EXEC_MEMFD_H

#include <stdbool.h>
#include <stdint.h>

/** exec_memfd_wanted() - whether memfd_create() with that name is for RAM */
bool exec_memfd_wanted(const char *name);

/** exec_memfd_refused() - such a one that gmem has not, of which it is told */
bool exec_memfd_refused(unsigned int flags);

/** exec_memfd_made() - @fd is one, with the flags of memfd_create() */
void exec_memfd_made(int fd, unsigned int flags);

/**
 * exec_memfd_resize() - ftruncate()
 *
 * Return: whether @fd is a gmem fd now, and all is done; else it is for the kernel.
 */
bool exec_memfd_resize(int fd, uint64_t size);

/**
 * exec_memfd_seals() - fcntl()
 * @rc: the answer, or a negative errno
 *
 * Return: whether it was a request for seals of what was made here.
 */
bool exec_memfd_seals(int fd, int request, unsigned int seals, int *rc);

/** exec_memfd_closing() - the number is for something else from now on */
void exec_memfd_closing(int fd);

#endif /* GMEMCTL_EXEC_MEMFD_H */
