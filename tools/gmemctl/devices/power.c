// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "../base/clock.h"
#include "power.h"

#define PORTS		16
#define EVENT_ENABLE	2
#define CONTROL		(POWER_CONTROL_PORT - POWER_PORT)
#define TIMER		(POWER_TIMER_PORT - POWER_PORT)
#define TIMER_HZ	3579545

#define CONTROL_ACPI	0x0001	/* always on */
#define CONTROL_TYPE	10	/* three bits */
#define CONTROL_SLEEP	0x2000	/* reads zero */

void power_init(struct power *power, const struct board *board,
		uint64_t (*now_ns)(void))
{
	memset(power, 0, sizeof(*power));
	power->board = board;
	power->now_ns = now_ns ? now_ns : clock_now_ns;
	power->start_ns = power->now_ns();
	pthread_mutex_init(&power->lock, NULL);
}

void power_destroy(struct power *power)
{
	pthread_mutex_destroy(&power->lock);
}

uint64_t power_timer_ns(struct power *power)
{
	uint64_t ns;

	pthread_mutex_lock(&power->lock);
	ns = power->now_ns() - power->start_ns;
	pthread_mutex_unlock(&power->lock);
	return ns;
}

void power_set_timer_ns(struct power *power, uint64_t ns)
{
	pthread_mutex_lock(&power->lock);
	power->start_ns = power->now_ns() - ns;
	pthread_mutex_unlock(&power->lock);
}

/* In two steps, so that nothing overflows in the first 2^64 ns. */
static uint32_t power_timer(struct power *power)
{
	uint64_t ns = power_timer_ns(power);

	return (uint32_t)(ns / 1000000000 * TIMER_HZ +
			  ns % 1000000000 * TIMER_HZ / 1000000000);
}

/* All ports as they are now; a read takes its part of that. */
static void power_read(void *data, uint64_t offset, uint8_t *bytes,
		       unsigned int size)
{
	struct power *power = data;
	uint32_t timer = power_timer(power);
	uint8_t ports[PORTS] = { 0 };
	uint16_t control;

	pthread_mutex_lock(&power->lock);
	control = power->control | CONTROL_ACPI;
	memcpy(ports + EVENT_ENABLE, &power->enable, sizeof(power->enable));
	pthread_mutex_unlock(&power->lock);
	memcpy(ports + CONTROL, &control, sizeof(control));
	memcpy(ports + TIMER, &timer, sizeof(timer));
	memcpy(bytes, ports + offset, size);
}

static bool power_write_control(struct power *power, uint16_t value)
{
	power->control = value & (uint16_t)~CONTROL_SLEEP;
	return value & CONTROL_SLEEP &&
	       (value >> CONTROL_TYPE & 7) == POWER_S5_TYPE;
}

/* Registers are written as a whole; the status is never set. */
static void power_write(void *data, uint64_t offset, const uint8_t *bytes,
			unsigned int size)
{
	struct power *power = data;
	bool off = false;
	uint16_t value;

	if (size < sizeof(value))
		return;
	memcpy(&value, bytes, sizeof(value));
	pthread_mutex_lock(&power->lock);
	if (offset == EVENT_ENABLE)
		power->enable = value;
	else if (offset == CONTROL)
		off = power_write_control(power, value);
	pthread_mutex_unlock(&power->lock);
	if (off)
		power->board->event(power->board->data, BOARD_POWER_OFF, 0);
}

struct bus_device power_device(struct power *power)
{
	return (struct bus_device){
		.name = "power management",
		.start = POWER_PORT,
		.size = PORTS,
		.width = 4,
		.read = power_read,
		.write = power_write,
		.data = power,
	};
}
