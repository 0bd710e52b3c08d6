/* SPDX-License-Identifier: GPL-2.0 */
/* A node of the driver, and what is asked through it. */
#ifndef PVMEMCTL_DEVICE_H
#define PVMEMCTL_DEVICE_H

#include <stdint.h>

#include <linux/pvmemcontrol.h>

#include "error.h"

/** struct range - guest physical memory, in bytes */
struct range {
	uint64_t addr;
	uint64_t length;
};

/**
 * struct device - an open node
 * @path: of it
 * @fd: of it
 * @info: version and page size
 */
struct device {
	const char *path;
	int fd;
	struct pvmemcontrol_vmm_ret info;
};

/** device_open() - open a node and ask for the page size. Return: 0 or negative errno */
int device_open(struct device *device, const char *path, struct error *error);

void device_close(struct device *device);

/**
 * device_call() - have the VMM do something with a range
 * @func: enum pvmemcontrol_func, or any other number
 * @name: of the function, for the error
 * @arg: of the function
 *
 * Return: 0 if it is done; negative errno if not, which can be the VMM's.
 */
int device_call(struct device *device, uint64_t func, const char *name,
		const struct range *range, uint64_t arg, struct error *error);

#endif /* PVMEMCTL_DEVICE_H */
