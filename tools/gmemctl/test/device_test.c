// SPDX-License-Identifier: GPL-2.0
/* The small devices, as Linux uses them. */
#include "../devices/chipset.h"
#include "../devices/pci.h"
#include "board_fake.h"
#include "ksft.h"

static struct i8042 i8042;
static struct rtc rtc;
static struct pci pci;
static struct power power;
static time_t seconds;
static uint64_t nanoseconds;

static time_t fixed_time(void)
{
	return seconds;
}

static uint64_t fixed_ns(void)
{
	return nanoseconds;
}

static bool event_was(enum board_event event, uint32_t value)
{
	bool was = board_fake.events == 1 && board_fake.event == event &&
		   board_fake.value == value;

	board_fake.events = 0;
	return was;
}

static void start_i8042(void)
{
	board_fake_start();
	i8042_init(&i8042, &board_fake.board);
	board_fake_add(i8042_data_device(&i8042));
	board_fake_add(i8042_command_device(&i8042));
}

/* Linux waits until the input buffer is empty, then pulses the reset line. */
TEST_OF(i8042, reset)
{
	start_i8042();
	EXPECT_FALSE(inb(0x64) & 0x02);
	outb(0xfe, 0x60);
	EXPECT_FALSE(board_fake.events);
	outb(0xfe, 0x64);
	EXPECT_TRUE(event_was(BOARD_RESET, 0));
}

/* What i8042_controller_check() and its friends do. */
TEST_OF(i8042, probe)
{
	start_i8042();
	PORTS(IN_BITS(0x64, 0x01, 0), IN(0x60, 0), OUT(0x64, 0xaa), IN_BITS(0x64, 0x01, 0x01),
	      IN(0x60, 0x55), IN_BITS(0x64, 0x01, 0), OUT(0x64, 0x20), IN(0x60, 0x34),
	      OUT(0x64, 0x60), OUT(0x60, 0x74), OUT(0x64, 0x20), IN(0x60, 0x74),
	      OUT(0x64, 0xae), OUT(0x64, 0x20), IN(0x60, 0x64),
	      OUT(0x64, 0xab), IN_BITS(0x64, 0x01, 0x01), IN(0x60, 0));
	/* Neither a keyboard nor an unknown command answers. */
	PORTS(OUT(0x60, 0xff), OUT(0x64, 0x77), IN_BITS(0x64, 0x01, 0), INW(0x60, 0xff00));
}

static void start_rtc(void)
{
	board_fake_start();
	rtc_init(&rtc, fixed_time);
	board_fake_add(rtc_device(&rtc));
}

/* Registers of the clock */
#define CMOS(index, value)		OUT(0x70, index), IN(0x71, value)
#define CMOS_BITS(index, mask, value)	OUT(0x70, index), IN_BITS(0x71, mask, value)
#define CMOS_OUT(index, value)		OUT(0x70, index), OUT(0x71, value)

/* mc146818_get_time(): BCD, 24 hours, never in an update. */
TEST_OF(rtc, time)
{
	seconds = 1795258799;	/* 2026-11-21 10:59:59 UTC, a Saturday */
	start_rtc();
	PORTS(CMOS_BITS(0x0a, 0x80, 0), CMOS_BITS(0x0b, 0x06, 0x02), CMOS(0x0d, 0x80),
	      CMOS(0x00, 0x59), CMOS(0x02, 0x59), CMOS(0x04, 0x10), CMOS(0x06, 0x07),
	      CMOS(0x07, 0x21), CMOS(0x08, 0x11), CMOS(0x09, 0x26), CMOS(0x32, 0x20),
	      IN(0x70, 0xff));
}

/* The memory holds what is written; time and status do not. */
TEST_OF(rtc, memory)
{
	seconds = 0;
	start_rtc();
	PORTS(CMOS_OUT(0x0f, 0x0a), CMOS(0x0f, 0x0a), CMOS(0x8f, 0x0a), CMOS_OUT(0x00, 0x45),
	      CMOS(0x00, 0x00), CMOS_OUT(0x0d, 0x00), CMOS(0x0d, 0x80), CMOS_OUT(0x0b, 0xff),
	      CMOS_BITS(0x0b, 0x06, 0x02), CMOS_OUT(0x0a, 0xff), CMOS(0x0a, 0x7f), CMOS(0x7f, 0));
}

/* Configuration mechanism 1 is there, but no device, not even a bridge. */
TEST_OF(pci, empty)
{
	board_fake_start();
	pci_init(&pci, &board_fake.board);
	board_fake_add(pci_device(&pci));
	PORTS(OUTL(0xcf8, 0x80000000), INL(0xcf8, 0x80000000), OUTL(0xcf8, 0x8000ffff),
	      INL(0xcf8, 0x8000fffc), INL(0xcfc, 0xffffffff), INW(0xcfe, 0xffff),
	      IN(0xcff, 0xff), OUTL(0xcfc, 0), INL(0xcfc, 0xffffffff));
	EXPECT_FALSE(board_fake.events);
	pci_destroy(&pci);
}

/* reboot=p: 2, then 6. The address register does not reset, whatever it is. */
TEST_OF(pci, reset)
{
	board_fake_start();
	pci_init(&pci, &board_fake.board);
	board_fake_add(pci_device(&pci));
	outl(0xffffffff, 0xcf8);
	EXPECT_FALSE(board_fake.events);
	outb(0x02, 0xcf9);
	EXPECT_FALSE(board_fake.events);
	EXPECT_EQ(inb(0xcf9), 0x02);
	outb(0x06, 0xcf9);
	EXPECT_TRUE(event_was(BOARD_RESET, 0));
	outb(0x06, 0xcf9);
	EXPECT_FALSE(board_fake.events);
	outb(0x00, 0xcf9);
	outb(0x0e, 0xcf9);
	EXPECT_TRUE(event_was(BOARD_RESET, 0));
	pci_destroy(&pci);
}

static void start_power(void)
{
	board_fake_start();
	power_init(&power, &board_fake.board, fixed_ns);
	board_fake_add(power_device(&power));
}

/* acpi_hw_legacy_sleep(): the type first, then the type and the enable bit. */
TEST_OF(power, off)
{
	start_power();
	EXPECT_EQ(inw(POWER_CONTROL_PORT), 0x0001);
	outw(5 << 10 | 1, POWER_CONTROL_PORT);
	EXPECT_FALSE(board_fake.events);
	EXPECT_EQ(inw(POWER_CONTROL_PORT), (5 << 10 | 1));
	outw(1 << 13 | 3 << 10, POWER_CONTROL_PORT);
	EXPECT_FALSE(board_fake.events);
	outb(1 << 5 | 5 << 2, POWER_CONTROL_PORT + 1);
	EXPECT_FALSE(board_fake.events);
	outw(1 << 13 | 5 << 10 | 1, POWER_CONTROL_PORT);
	EXPECT_TRUE(event_was(BOARD_POWER_OFF, 0));
	EXPECT_FALSE(inw(POWER_CONTROL_PORT) & 1 << 13);
}

/* Nothing ever happens, and the timer runs at 3.579545 MHz. */
TEST_OF(power, registers)
{
	nanoseconds = 0;
	start_power();
	PORTS(OUTW(POWER_EVENT_PORT, 0xffff), INW(POWER_EVENT_PORT, 0),
	      OUTW(POWER_EVENT_PORT + 2, 0x0321), INW(POWER_EVENT_PORT + 2, 0x0321),
	      INL(POWER_EVENT_PORT, 0x03210000), INL(POWER_TIMER_PORT, 0));
	nanoseconds = 1500000000;
	PORTS(INL(POWER_TIMER_PORT, 5369317), OUTL(POWER_TIMER_PORT, 0),
	      INL(POWER_TIMER_PORT, 5369317));
	nanoseconds = UINT64_MAX;
	EXPECT_NE(inl(POWER_TIMER_PORT), 0);
	EXPECT_FALSE(board_fake.events);
}

/* On another host, or after a reboot of it: it goes on, forwards only. */
TEST_OF(power, timer_C26)
{
	uint64_t ns;

	nanoseconds = 1000000000000;
	start_power();
	EXPECT_FALSE(inl(POWER_TIMER_PORT));
	nanoseconds += 2000000000;
	ns = power_timer_ns(&power);
	EXPECT_EQ(ns, 2000000000);
	EXPECT_EQ(inl(POWER_TIMER_PORT), 2 * 3579545);
	nanoseconds = 500;
	start_power();
	power_set_timer_ns(&power, ns);
	EXPECT_EQ(inl(POWER_TIMER_PORT), 2 * 3579545);
	nanoseconds += 1000000000;
	EXPECT_EQ(inl(POWER_TIMER_PORT), 3 * 3579545);
	power_set_timer_ns(&power, UINT64_MAX);
	EXPECT_EQ(power_timer_ns(&power), UINT64_MAX);
}

/* A kernel with a crash kernel goes on; one without has ended. */
TEST(pvpanic)
{
	board_fake_start();
	board_fake_add(pvpanic_device(&board_fake.board));
	EXPECT_EQ(inb(PVPANIC_PORT), 0x03);
	outb(0x02, PVPANIC_PORT);
	outb(0x00, PVPANIC_PORT);
	EXPECT_FALSE(board_fake.events);
	outb(0x01, PVPANIC_PORT);
	EXPECT_TRUE(event_was(BOARD_PANIC, 1));
}

TEST_OF(exit, port)
{
	board_fake_start();
	board_fake_add(exit_port_device(&board_fake.board));
	EXPECT_FALSE(inb(EXIT_PORT));
	EXPECT_FALSE(board_fake.events);
	outb(42, EXIT_PORT);
	EXPECT_TRUE(event_was(BOARD_EXIT, 42));
}
