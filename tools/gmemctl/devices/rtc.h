/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock and the CMOS memory of a PC: the host's time in UTC, as BCD. The
 * guest can write the memory; the time stays the host's.
 */
#ifndef GMEMCTL_DEVICES_RTC_H
#define GMEMCTL_DEVICES_RTC_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "bus.h"

#define RTC_PORT	0x70
#define RTC_CMOS_SIZE	128

/**
 * struct rtc - its state
 * @now: seconds since 1970, from the host
 * @lock: protects what follows
 * @index: register that the data port is
 * @cmos: registers and memory
 */
struct rtc {
	time_t (*now)(void);
	pthread_mutex_t lock;
	uint8_t index;
	uint8_t cmos[RTC_CMOS_SIZE];
};

/** rtc_init() - @now NULL: the host's clock */
void rtc_init(struct rtc *rtc, time_t (*now)(void));
void rtc_destroy(struct rtc *rtc);
struct bus_device rtc_device(struct rtc *rtc);

#endif /* GMEMCTL_DEVICES_RTC_H */
