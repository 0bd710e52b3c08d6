/* SPDX-License-Identifier: GPL-2.0 */
/* An empty qcow2 image, made without qemu-img. */
#ifndef QCOW2_H
#define QCOW2_H

#include <stdbool.h>
#include <stdint.h>

/* @size: bytes of the disk, at most 512 MiB. Return: whether the image was written. */
bool qcow2_make(const char *path, uint64_t size);

#endif /* QCOW2_H */
