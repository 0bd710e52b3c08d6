/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A port that powers the machine off, whatever is written to it: for a guest
 * without ACPI, which has no other way to say that it has ended.
 */
#ifndef GMEMCTL_DEVICES_OFF_PORT_H
#define GMEMCTL_DEVICES_OFF_PORT_H

#include "board.h"
#include "bus.h"

/** OFF_PORT_MIN: from here on to 0xffff no other device of the PC is */
#define OFF_PORT_MIN	0x1000
#define OFF_PORT_MAX	0xffff

/** off_port_device() - at @port, which is a number between these two */
struct bus_device off_port_device(const struct board *board, uint16_t port);

#endif /* GMEMCTL_DEVICES_OFF_PORT_H */
