// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../base/clock.h"
#include "chipset.h"

/* Keyboard controller */
#define STATUS_FULL	0x01
#define STATUS_SYSTEM	0x04
#define STATUS_COMMAND	0x08
#define STATUS_UNLOCKED	0x10

#define CONTROL_SYSTEM	0x04
#define CONTROL_NO_KBD	0x10
#define CONTROL_NO_AUX	0x20

#define COMMAND_READ	0x20
#define COMMAND_WRITE	0x60
#define COMMAND_NO_AUX	0xa7
#define COMMAND_TEST	0xaa
#define COMMAND_TEST_KBD 0xab
#define COMMAND_NO_KBD	0xad
#define COMMAND_KBD	0xae
#define COMMAND_OUTPUT	0xd1
#define COMMAND_PULSE	0xf0

#define OUTPUT_NO_RESET	0x01

#define TEST_PASSED	0x55
#define TEST_KBD_PASSED	0x00

/* Clock */
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

#define REG_A_32KHZ	0x26	/* update-in-progress is always clear */
#define REG_A_UPDATE	0x80
#define REG_B_24H	0x02
#define REG_B_BINARY	0x04
#define REG_D_VALID	0x80

/* Power management; offsets from its first port */
#define POWER_PORTS	16
#define EVENT_ENABLE	2
#define CONTROL		(POWER_CONTROL_PORT - POWER_PORT)
#define TIMER		(POWER_TIMER_PORT - POWER_PORT)
#define TIMER_HZ	3579545

#define CONTROL_ACPI	0x0001	/* always on */
#define CONTROL_TYPE	10	/* three bits */
#define CONTROL_SLEEP	0x2000	/* reads zero */

/* Return: a device whose ports take one byte at a time */
static struct bus_device byte_ports(const char *name, uint16_t start, uint64_t size,
				    bus_read_fn read, bus_write_fn write, const void *data)
{
	return (struct bus_device){ name, start, size, 1, read, write, (void *)data,
				    .quick = true };
}

void i8042_init(struct i8042 *i8042, const struct board *board)
{
	memset(i8042, 0, sizeof(*i8042));
	i8042->board = board;
	i8042->state.control = CONTROL_SYSTEM | CONTROL_NO_KBD | CONTROL_NO_AUX;
}

static void i8042_answer(struct i8042 *i8042, uint8_t answer)
{
	i8042->state.answer = answer;
	i8042->state.full = true;
}

/* Unknown commands are accepted, without an answer. */
static void i8042_command(struct i8042 *i8042, uint8_t command)
{
	i8042->state.command = 0;
	switch (command) {
	case COMMAND_READ:
		i8042_answer(i8042, i8042->state.control);
		break;
	case COMMAND_WRITE:
	case COMMAND_OUTPUT:
		i8042->state.command = command;
		break;
	case COMMAND_NO_AUX:
		i8042->state.control |= CONTROL_NO_AUX;
		break;
	case COMMAND_TEST:
		i8042_answer(i8042, TEST_PASSED);
		break;
	case COMMAND_TEST_KBD:
		i8042_answer(i8042, TEST_KBD_PASSED);
		break;
	case COMMAND_NO_KBD:
		i8042->state.control |= CONTROL_NO_KBD;
		break;
	case COMMAND_KBD:
		i8042->state.control &= (uint8_t)~CONTROL_NO_KBD;
		break;
	}
}

static void i8042_read_data(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	struct i8042 *i8042 = data;

	bytes[0] = i8042->state.full ? i8042->state.answer : 0;
	i8042->state.full = false;
}

/* Data without a command is for the keyboard, which does not exist, so it is dropped. */
static void i8042_write_data(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	struct i8042 *i8042 = data;

	if (i8042->state.command == COMMAND_WRITE)
		i8042->state.control = bytes[0];
	if (i8042->state.command == COMMAND_OUTPUT && !(bytes[0] & OUTPUT_NO_RESET))
		i8042->board->event(i8042->board->data, BOARD_RESET, 0);
	i8042->state.command = 0;
}

static void i8042_read_status(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	struct i8042 *i8042 = data;

	bytes[0] = STATUS_SYSTEM | STATUS_COMMAND | STATUS_UNLOCKED |
		   (i8042->state.full ? STATUS_FULL : 0);
}

static void i8042_write_command(void *data, uint64_t offset,
				const uint8_t *bytes, unsigned int size)
{
	struct i8042 *i8042 = data;

	if ((bytes[0] & COMMAND_PULSE) == COMMAND_PULSE && !(bytes[0] & OUTPUT_NO_RESET))
		i8042->board->event(i8042->board->data, BOARD_RESET, 0);
	else
		i8042_command(i8042, bytes[0]);
}

struct bus_device i8042_data_device(struct i8042 *i8042)
{
	return byte_ports("keyboard data", I8042_DATA_PORT, 1, i8042_read_data,
			  i8042_write_data, i8042);
}

struct bus_device i8042_command_device(struct i8042 *i8042)
{
	return byte_ports("keyboard command", I8042_COMMAND_PORT, 1,
			  i8042_read_status, i8042_write_command, i8042);
}

static time_t host_now(void)
{
	return time(NULL);
}

void rtc_init(struct rtc *rtc, time_t (*now)(void))
{
	memset(rtc, 0, sizeof(*rtc));
	rtc->now = now ? now : host_now;
	rtc->state.cmos[REG_A] = REG_A_32KHZ;
	rtc->state.cmos[REG_B] = REG_B_24H;
	rtc->state.cmos[REG_D] = REG_D_VALID;
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

static void rtc_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	struct rtc *rtc = data;

	if (!offset)
		return;
	if (!rtc_time(rtc, rtc->state.index, bytes))
		bytes[0] = rtc->state.cmos[rtc->state.index];
}

/* The time is always BCD and in 24-hour mode. REG_C and REG_D are read-only. */
static void rtc_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	struct rtc *rtc = data;
	uint8_t *reg, value = bytes[0];

	reg = &rtc->state.cmos[rtc->state.index];
	if (!offset)
		rtc->state.index = value & INDEX_MASK;
	else if (rtc->state.index == REG_A)
		*reg = value & (uint8_t)~REG_A_UPDATE;
	else if (rtc->state.index == REG_B)
		*reg = (value & (uint8_t)~REG_B_BINARY) | REG_B_24H;
	else if (rtc->state.index != REG_C && rtc->state.index != REG_D)
		*reg = value;
}

struct bus_device rtc_device(struct rtc *rtc)
{
	return byte_ports("clock", RTC_PORT, 2, rtc_read, rtc_write, rtc);
}

void power_init(struct power *power, const struct board *board, uint64_t (*now_ns)(void))
{
	memset(power, 0, sizeof(*power));
	power->board = board;
	power->now_ns = now_ns ? now_ns : clock_now_ns;
	power->start_ns = power->now_ns();
}

uint64_t power_timer_ns(const struct power *power)
{
	return power->now_ns() - power->start_ns;
}

void power_set_timer_ns(struct power *power, uint64_t ns)
{
	power->start_ns = power->now_ns() - ns;
}

/* Fill in all ports, and copy the part that is read. */
static void power_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	struct power *power = data;
	uint64_t ns = power_timer_ns(power);
	/* In two steps, so that the product does not overflow */
	uint32_t timer = (uint32_t)(ns / 1000000000 * TIMER_HZ +
				    ns % 1000000000 * TIMER_HZ / 1000000000);
	uint8_t ports[POWER_PORTS] = { 0 };
	uint16_t control = power->state.control | CONTROL_ACPI;

	memcpy(ports + EVENT_ENABLE, &power->state.enable, sizeof(power->state.enable));
	memcpy(ports + CONTROL, &control, sizeof(control));
	memcpy(ports + TIMER, &timer, sizeof(timer));
	memcpy(bytes, ports + offset, size);
}

/* Registers are written as a whole. The status is read-only and always 0. */
static void power_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	struct power *power = data;
	uint16_t value;

	if (size < sizeof(value))
		return;
	memcpy(&value, bytes, sizeof(value));
	if (offset == EVENT_ENABLE) {
		power->state.enable = value;
	} else if (offset == CONTROL) {
		power->state.control = value & (uint16_t)~CONTROL_SLEEP;
		if (value & CONTROL_SLEEP && (value >> CONTROL_TYPE & 7) == POWER_S5_TYPE)
			power->board->event(power->board->data, BOARD_POWER_OFF, 0);
	}
}

struct bus_device power_device(struct power *power)
{
	return (struct bus_device){ "power management", POWER_PORT, POWER_PORTS, 4,
				    power_read, power_write, power, .quick = true };
}

static void port_a_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	bytes[0] = PORT_A_A20;
}

static void port_a_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	const struct board *board = data;

	if (bytes[0] & PORT_A_RESET)
		board->event(board->data, BOARD_RESET, 0);
}

struct bus_device port_a_device(const struct board *board)
{
	return byte_ports("system control port A", PORT_A, 1, port_a_read, port_a_write, board);
}

static void pvpanic_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	bytes[0] = PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
}

/* Ignore CRASH_LOADED: a crash kernel continues to run. */
static void pvpanic_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	const struct board *board = data;

	if (bytes[0] & PVPANIC_PANICKED)
		board->event(board->data, BOARD_PANIC, bytes[0]);
}

struct bus_device pvpanic_device(const struct board *board)
{
	return byte_ports("pvpanic", PVPANIC_PORT, 1, pvpanic_read, pvpanic_write, board);
}

static void read_zero(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	bytes[0] = 0;
}

static void exit_port_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	const struct board *board = data;

	board->event(board->data, BOARD_EXIT, bytes[0]);
}

struct bus_device exit_port_device(const struct board *board)
{
	return byte_ports("exit port", EXIT_PORT, 1, read_zero, exit_port_write, board);
}

static void off_port_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	const struct board *board = data;

	board->event(board->data, BOARD_POWER_OFF, 0);
}

struct bus_device off_port_device(const struct board *board, uint16_t port)
{
	return byte_ports("power-off port", port, 1, read_zero, off_port_write, board);
}
