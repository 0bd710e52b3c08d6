/* SPDX-License-Identifier: GPL-2.0 */
/* A port for tests: the byte written to it ends the machine, as its result. */
#ifndef GMEMCTL_DEVICES_EXIT_PORT_H
#define GMEMCTL_DEVICES_EXIT_PORT_H

#include "board.h"
#include "bus.h"

#define EXIT_PORT 0xf4

struct bus_device exit_port_device(const struct board *board);

#endif /* GMEMCTL_DEVICES_EXIT_PORT_H */
