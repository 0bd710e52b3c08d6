/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixed hardware of ACPI: event and control registers, by which Linux turns
 * the machine off, and the timer of 3.58 MHz.
 */
#ifndef GMEMCTL_DEVICES_POWER_H
#define GMEMCTL_DEVICES_POWER_H

#include <pthread.h>
#include <stdint.h>

#include "bus.h"

#define POWER_PORT		0x600
#define POWER_EVENT_PORT	0x600	/* status and enable, 2 bytes each */
#define POWER_CONTROL_PORT	0x604	/* 2 bytes */
#define POWER_TIMER_PORT	0x608	/* 4 bytes */
#define POWER_S5_TYPE		5	/* as the DSDT's _S5 says */

/**
 * struct power - its state
 * @board: where power-off goes
 * @now_ns: a clock that only goes forward
 * @lock: protects what follows
 * @start_ns: what that clock said when the timer was at zero; modulo 2^64, the
 *	timer may have been at work for longer than this host
 * @enable: events enabled; none ever happens
 * @control: sleep type and the guest's own bits
 */
struct power {
	const struct board *board;
	uint64_t (*now_ns)(void);
	pthread_mutex_t lock;
	uint64_t start_ns;
	uint16_t enable;
	uint16_t control;
};

/** power_init() - @now_ns NULL: CLOCK_MONOTONIC; the timer starts at zero */
void power_init(struct power *power, const struct board *board,
		uint64_t (*now_ns)(void));
void power_destroy(struct power *power);

/** power_timer_ns() - for how long the timer has been at work */
uint64_t power_timer_ns(struct power *power);

/** power_set_timer_ns() - let it go on from where it was on another machine */
void power_set_timer_ns(struct power *power, uint64_t ns);

struct bus_device power_device(struct power *power);

#endif /* GMEMCTL_DEVICES_POWER_H */
