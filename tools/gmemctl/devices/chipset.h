/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices of a PC at fixed ports: keyboard controller, clock, ACPI power management, port A,
 * pvpanic; and two ports for tests. All of them are quick, see bus.h.
 */
#ifndef GMEMCTL_DEVICES_CHIPSET_H
#define GMEMCTL_DEVICES_CHIPSET_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "bus.h"

/*
 * A keyboard controller without a keyboard. It passes its self test and can
 * pull the reset line, which is how Linux resets a PC without ACPI.
 */

#define I8042_DATA_PORT		0x60
#define I8042_COMMAND_PORT	0x64

/* Commands 0xf0 to 0xff pulse output lines, of which 0 is the reset: low is on. */
#define I8042_COMMAND_RESET	0xfe

/**
 * struct i8042_state - part of a file format
 * @command: command whose data byte is expected next, or 0
 * @control: the control byte
 * @answer: byte to be read, if @full
 * @full: there is a byte to be read
 */
struct i8042_state {
	uint8_t command;
	uint8_t control;
	uint8_t answer;
	uint8_t full;
};

/**
 * struct i8042 - the controller
 * @board: where a reset goes
 * @state: see there
 */
struct i8042 {
	const struct board *board;
	struct i8042_state state;
};

void i8042_init(struct i8042 *i8042, const struct board *board);

/* Two single ports, between which the PC has others. */
struct bus_device i8042_data_device(struct i8042 *i8042);
struct bus_device i8042_command_device(struct i8042 *i8042);

/*
 * The clock and the CMOS memory of a PC: the host's time in UTC, as BCD. The
 * guest can write the memory; the time stays the host's.
 */

#define RTC_PORT	0x70
#define RTC_CMOS_SIZE	128

/**
 * struct rtc_state - part of a file format
 * @index: register that the data port is
 * @cmos: registers and memory
 */
struct rtc_state {
	uint8_t index;
	uint8_t cmos[RTC_CMOS_SIZE];
};

/**
 * struct rtc - the clock
 * @now: seconds since 1970, from the host
 * @state: see there
 */
struct rtc {
	time_t (*now)(void);
	struct rtc_state state;
};

/** rtc_init() - @now NULL: the host's clock */
void rtc_init(struct rtc *rtc, time_t (*now)(void));
struct bus_device rtc_device(struct rtc *rtc);

/*
 * The fixed hardware of ACPI: event and control registers, by which Linux turns
 * the machine off, and the timer of 3.58 MHz.
 */

#define POWER_PORT		0x600
#define POWER_EVENT_PORT	0x600	/* status and enable, 2 bytes each */
#define POWER_CONTROL_PORT	0x604	/* 2 bytes */
#define POWER_TIMER_PORT	0x608	/* 4 bytes */
#define POWER_S5_TYPE		5	/* as the DSDT's _S5 says */

/**
 * struct power_state - part of a file format
 * @enable: events enabled; none ever happens
 * @control: sleep type and the guest's own bits
 */
struct power_state {
	uint16_t enable;
	uint16_t control;
};

/**
 * struct power - the registers
 * @board: where power-off goes
 * @now_ns: a clock that only goes forward
 * @start_ns: what that clock said when the timer was at zero; modulo 2^64, the
 *	timer may have been at work for longer than this host
 * @state: see there
 */
struct power {
	const struct board *board;
	uint64_t (*now_ns)(void);
	uint64_t start_ns;
	struct power_state state;
};

/** power_init() - @now_ns NULL: CLOCK_MONOTONIC; the timer starts at zero */
void power_init(struct power *power, const struct board *board, uint64_t (*now_ns)(void));

/** power_timer_ns() - for how long the timer has been at work; no vCPU runs */
uint64_t power_timer_ns(const struct power *power);

/** power_set_timer_ns() - continue the timer of another machine */
void power_set_timer_ns(struct power *power, uint64_t ns);

struct bus_device power_device(struct power *power);

#define PORT_A		0x92
#define PORT_A_RESET	0x01
#define PORT_A_A20	0x02

struct bus_device port_a_device(const struct board *board);

#define PVPANIC_PORT		0x505
#define PVPANIC_PANICKED	0x01	/* the kernel has panicked */
#define PVPANIC_CRASH_LOADED	0x02	/* and a crash kernel takes over */

struct bus_device pvpanic_device(const struct board *board);

/** EXIT_PORT: the byte written to it ends the machine, as the result of a test */
#define EXIT_PORT 0xf4

struct bus_device exit_port_device(const struct board *board);

/** OFF_PORT_MIN: from here to 0xffff the PC has no other device */
#define OFF_PORT_MIN	0x1000
#define OFF_PORT_MAX	0xffff

/** off_port_device() - the power-off port at @port, OFF_PORT_MIN to OFF_PORT_MAX */
struct bus_device off_port_device(const struct board *board, uint16_t port);

#endif /* GMEMCTL_DEVICES_CHIPSET_H */
