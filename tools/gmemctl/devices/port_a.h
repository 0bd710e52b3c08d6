/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System control port A, of which a PC has left: a reset, and address line 20,
 * which is always on here.
 */
#ifndef GMEMCTL_DEVICES_PORT_A_H
#define GMEMCTL_DEVICES_PORT_A_H

#include "board.h"
#include "bus.h"

#define PORT_A		0x92
#define PORT_A_RESET	0x01
#define PORT_A_A20	0x02

struct bus_device port_a_device(const struct board *board);

#endif /* GMEMCTL_DEVICES_PORT_A_H */
