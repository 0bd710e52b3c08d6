/* SPDX-License-Identifier: GPL-2.0 */
/* `gmemctl map` with a picture: of the gmem fds of a VM, or of any process. */
#ifndef GMEMCTL_CLI_MAP_PICTURE_H
#define GMEMCTL_CLI_MAP_PICTURE_H

/**
 * map_picture() - draw them on standard output
 * @name: of a VM, or a process ID
 *
 * Return: an exit code.
 */
int map_picture(const char *name);

/** map_svg() - draw the largest of them into a file */
int map_svg(const char *name, const char *path);

#endif /* GMEMCTL_CLI_MAP_PICTURE_H */
