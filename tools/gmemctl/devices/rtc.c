// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>

#include "rtc.h"

#define INDEX_MASK	0x7f	/* the upper bit turns NMIs off */

enum {
	REG_SECONDS = 0x00,
	REG_MINUTES = 0x02,
	REG_HOURS = 0x04,
	REG_WEEKDAY = 0x06,
	REG_DAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
	REG_CENTURY = 0x32,
};

#define REG_A_32KHZ	0x26	/* never in the middle of an update */
#define REG_A_UPDATE	0x80
#define REG_B_24H	0x02
#define REG_B_BINARY	0x04
#define REG_D_VALID	0x80

static time_t host_now(void)
{
	return time(NULL);
}

void rtc_init(struct rtc *rtc, time_t (*now)(void))
{
	memset(rtc, 0, sizeof(*rtc));
	rtc->now = now ? now : host_now;
	rtc->cmos[REG_A] = REG_A_32KHZ;
	rtc->cmos[REG_B] = REG_B_24H;
	rtc->cmos[REG_D] = REG_D_VALID;
	pthread_mutex_init(&rtc->lock, NULL);
}

void rtc_destroy(struct rtc *rtc)
{
	pthread_mutex_destroy(&rtc->lock);
}

static uint8_t rtc_bcd(int value)
{
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

/* Return: whether @index is part of the time. */
static bool rtc_time(struct rtc *rtc, uint8_t index, uint8_t *value)
{
	time_t now = rtc->now();
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return false;
	switch (index) {
	case REG_SECONDS:
		*value = rtc_bcd(tm.tm_sec);
		return true;
	case REG_MINUTES:
		*value = rtc_bcd(tm.tm_min);
		return true;
	case REG_HOURS:
		*value = rtc_bcd(tm.tm_hour);
		return true;
	case REG_WEEKDAY:
		*value = rtc_bcd(tm.tm_wday + 1);
		return true;
	case REG_DAY:
		*value = rtc_bcd(tm.tm_mday);
		return true;
	case REG_MONTH:
		*value = rtc_bcd(tm.tm_mon + 1);
		return true;
	case REG_YEAR:
		*value = rtc_bcd(tm.tm_year % 100);
		return true;
	case REG_CENTURY:
		*value = rtc_bcd((tm.tm_year + 1900) / 100);
		return true;
	default:
		return false;
	}
}

static void rtc_read(void *data, uint64_t offset, uint8_t *bytes,
		     unsigned int size)
{
	struct rtc *rtc = data;

	(void)size;
	if (!offset)
		return;
	pthread_mutex_lock(&rtc->lock);
	if (!rtc_time(rtc, rtc->index, bytes))
		bytes[0] = rtc->cmos[rtc->index];
	pthread_mutex_unlock(&rtc->lock);
}

/* The time is always BCD and of 24 hours, and the status is the device's. */
static void rtc_write_register(struct rtc *rtc, uint8_t value)
{
	switch (rtc->index) {
	case REG_A:
		rtc->cmos[REG_A] = value & (uint8_t)~REG_A_UPDATE;
		break;
	case REG_B:
		rtc->cmos[REG_B] = (value & (uint8_t)~REG_B_BINARY) | REG_B_24H;
		break;
	case REG_C:
	case REG_D:
		break;
	default:
		rtc->cmos[rtc->index] = value;
	}
}

static void rtc_write(void *data, uint64_t offset, const uint8_t *bytes,
		      unsigned int size)
{
	struct rtc *rtc = data;

	(void)size;
	pthread_mutex_lock(&rtc->lock);
	if (offset)
		rtc_write_register(rtc, bytes[0]);
	else
		rtc->index = bytes[0] & INDEX_MASK;
	pthread_mutex_unlock(&rtc->lock);
}

struct bus_device rtc_device(struct rtc *rtc)
{
	return (struct bus_device){
		.name = "clock",
		.start = RTC_PORT,
		.size = 2,
		.width = 1,
		.read = rtc_read,
		.write = rtc_write,
		.data = rtc,
	};
}
