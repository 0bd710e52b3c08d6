/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's pvpanic: a port through which a guest's kernel says that it panics.
 * Linux finds it as QEMU0001 in the ACPI tables.
 */
#ifndef GMEMCTL_DEVICES_PVPANIC_H
#define GMEMCTL_DEVICES_PVPANIC_H

#include "board.h"
#include "bus.h"

#define PVPANIC_PORT		0x505
#define PVPANIC_PANICKED	0x01	/* the kernel has panicked */
#define PVPANIC_CRASH_LOADED	0x02	/* and a crash kernel takes over */

struct bus_device pvpanic_device(const struct board *board);

#endif /* GMEMCTL_DEVICES_PVPANIC_H */
