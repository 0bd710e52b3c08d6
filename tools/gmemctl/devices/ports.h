/* SPDX-License-Identifier: GPL-2.0 */
/* A port for tests: the byte written to it ends the machine, as its result. */
#ifndef GMEMCTL_DEVICES_PORTS_H
#define GMEMCTL_DEVICES_PORTS_H

#include "bus.h"

#define EXIT_PORT 0xf4

struct bus_device exit_port_device(const struct board *board);

/** OFF_PORT_MIN: from here on to 0xffff no other device of the PC is */
#define OFF_PORT_MIN	0x1000
#define OFF_PORT_MAX	0xffff

/** off_port_device() - at @port, which is a number between these two */
struct bus_device off_port_device(const struct board *board, uint16_t port);

#define PORT_A		0x92
#define PORT_A_RESET	0x01
#define PORT_A_A20	0x02

struct bus_device port_a_device(const struct board *board);

#define PVPANIC_PORT		0x505
#define PVPANIC_PANICKED	0x01	/* the kernel has panicked */
#define PVPANIC_CRASH_LOADED	0x02	/* and a crash kernel takes over */

struct bus_device pvpanic_device(const struct board *board);

#endif /* GMEMCTL_DEVICES_PORTS_H */
