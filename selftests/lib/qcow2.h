/* SPDX-License-Identifier: GPL-2.0 */
/* An empty disk image of QEMU's, without QEMU's tool that makes them. */
#ifndef QCOW2_H
#define QCOW2_H

#include <stdbool.h>
#include <stdint.h>

/* @size: bytes of the disk, at most 512 MiB. Return: whether there is one at @path. */
bool qcow2_make(const char *path, uint64_t size);

#endif /* QCOW2_H */
