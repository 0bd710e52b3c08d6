// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "board_fake.h"
#include "ksft.h"

struct board_fake board_fake;

static void fake_irq(void *data, unsigned int irq, bool level)
{
	(void)data;
	board_fake.irqs += level;
	board_fake.level = level;
	board_fake.line = irq;
}

static void fake_event(void *data, enum board_event event, uint32_t value)
{
	(void)data;
	board_fake.events++;
	board_fake.event = event;
	board_fake.value = value;
}

void board_fake_start(void)
{
	memset(&board_fake, 0, sizeof(board_fake));
	board_fake.board.irq = fake_irq;
	board_fake.board.event = fake_event;
}

void board_fake_add(struct bus_device device)
{
	EXPECT_FALSE(bus_add(&board_fake.ports, &device, NULL));
}

uint8_t inb(uint64_t port)
{
	uint8_t value;

	bus_read(&board_fake.ports, port, &value, sizeof(value));
	return value;
}

uint16_t inw(uint64_t port)
{
	uint8_t bytes[2];

	bus_read(&board_fake.ports, port, bytes, sizeof(bytes));
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

uint32_t inl(uint64_t port)
{
	uint8_t bytes[4];
	uint32_t value;

	bus_read(&board_fake.ports, port, bytes, sizeof(bytes));
	memcpy(&value, bytes, sizeof(value));
	return value;
}

void outb(uint8_t value, uint64_t port)
{
	bus_write(&board_fake.ports, port, &value, sizeof(value));
}

void outw(uint16_t value, uint64_t port)
{
	bus_write(&board_fake.ports, port, (uint8_t *)&value, sizeof(value));
}

void outl(uint32_t value, uint64_t port)
{
	bus_write(&board_fake.ports, port, (uint8_t *)&value, sizeof(value));
}
