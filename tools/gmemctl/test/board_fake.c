// SPDX-License-Identifier: GPL-2.0
#include "board_fake.h"
#include "ksft.h"

struct board_fake board_fake;

static void fake_irq(void *data, unsigned int irq, bool level)
{
	board_fake.irqs += level;
	board_fake.level = level;
	board_fake.line = irq;
}

static void fake_event(void *data, enum board_event event, uint32_t value)
{
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

static uint32_t port_read(uint64_t port, unsigned int width)
{
	uint32_t value = 0;

	bus_read(&board_fake.ports, port, (uint8_t *)&value, width);
	return value;
}

uint8_t inb(uint64_t port)
{
	return (uint8_t)port_read(port, 1);
}

uint16_t inw(uint64_t port)
{
	return (uint16_t)port_read(port, 2);
}

uint32_t inl(uint64_t port)
{
	return port_read(port, 4);
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

void ports_run(const struct port_step *steps, size_t count, int line)
{
	for (size_t i = 0; i < count; i++) {
		const struct port_step *step = &steps[i];
		uint32_t value = step->value;

		if (step->write) {
			bus_write(&board_fake.ports, step->port, (uint8_t *)&value, step->width);
			continue;
		}
		value = port_read(step->port, step->width);
		if ((value & step->mask) != step->value)
			ksft_log("PORTS() that ends in line %d, step %zu: port 0x%x", line,
				 i, step->port);
		EXPECT_EQ(value & step->mask, step->value);
	}
}
