/* SPDX-License-Identifier: GPL-2.0 */
/* The states of guest memory as a picture, one character or square for each block. */
#ifndef GMEMCTL_CLI_PICTURE_H
#define GMEMCTL_CLI_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * picture_draw() - draw the memory of a gmem fd to stdout
 * @fd: the gmem fd
 * @size: bytes of it
 * @held: show blocks with a page that somebody on the host holds
 *
 * Block characters where the locale is UTF-8, ASCII elsewhere.
 *
 * Return: 0, or the negative errno of GMEM_IOCTL_QUERY or GMEM_IOCTL_HOLDER.
 */
int picture_draw(int fd, uint64_t size, bool held);

/**
 * map_picture() - draw the gmem fds of a VM, or of any process, to stdout
 * @name: of a VM, or a process ID
 *
 * Return: an exit code.
 */
int map_picture(const char *name);

/** map_svg() - draw the largest of them into a file, with what is held */
int map_svg(const char *name, const char *path);

#endif /* GMEMCTL_CLI_PICTURE_H */
