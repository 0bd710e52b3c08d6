/* SPDX-License-Identifier: GPL-2.0 */
/* The states of guest memory as a picture, one character per block. */
#ifndef GMEMCTL_CLI_PICTURE_H
#define GMEMCTL_CLI_PICTURE_H

#include <stdint.h>

/**
 * picture_draw() - draw the memory of a gmem fd to stdout
 * @fd: the gmem fd
 * @size: bytes of it
 *
 * Block characters where the locale is UTF-8, ASCII elsewhere.
 *
 * Return: 0, or the negative errno of GMEM_IOCTL_QUERY.
 */
int picture_draw(int fd, uint64_t size);

#endif /* GMEMCTL_CLI_PICTURE_H */
