/* SPDX-License-Identifier: GPL-2.0 */
/* The states of guest memory as a picture, one character or square per block. */
#ifndef GMEMCTL_CLI_PICTURE_H
#define GMEMCTL_CLI_PICTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

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
 * picture_svg() - draw it for a browser, with what is held
 * @title: visible ASCII without &, < and >, or what XML has for these
 * @svg: where it is written; an error is found there
 */
int picture_svg(int fd, uint64_t size, const char *title, FILE *svg);

#endif /* GMEMCTL_CLI_PICTURE_H */
