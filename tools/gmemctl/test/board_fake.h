/* SPDX-License-Identifier: GPL-2.0 */
/* A board that writes down what devices tell it, and ports to reach them. */
#ifndef GMEMCTL_TEST_BOARD_FAKE_H
#define GMEMCTL_TEST_BOARD_FAKE_H

#include "../devices/bus.h"

/**
 * struct board_fake - the board under the tests
 * @board: to pass to devices
 * @ports: to put devices on
 * @irqs: how often a line has gone up
 * @level: of the line that was last set
 * @line: number of that line
 * @events: how many, the last one being @event with @value
 */
struct board_fake {
	struct board board;
	struct bus ports;
	unsigned int irqs;
	bool level;
	unsigned int line;
	unsigned int events;
	enum board_event event;
	uint32_t value;
};

extern struct board_fake board_fake;

void board_fake_start(void);
void board_fake_add(struct bus_device device);

/* As the instructions of the guest. */
uint8_t inb(uint64_t port);
uint16_t inw(uint64_t port);
uint32_t inl(uint64_t port);
void outb(uint8_t value, uint64_t port);
void outw(uint16_t value, uint64_t port);
void outl(uint32_t value, uint64_t port);

/**
 * struct port_step - an access of the guest to a port
 * @width: bytes
 * @write: @value is written
 * @port: where
 * @value: what is written, or read as far as @mask goes
 * @mask: see @value
 */
struct port_step {
	unsigned int width;
	bool write;
	uint16_t port;
	uint32_t value;
	uint32_t mask;
};

#define OUT(port, value)		{ 1, true, port, value, 0 }
#define OUTW(port, value)		{ 2, true, port, value, 0 }
#define OUTL(port, value)		{ 4, true, port, value, 0 }
#define IN(port, value)			{ 1, false, port, value, 0xff }
#define INW(port, value)		{ 2, false, port, value, 0xffff }
#define INL(port, value)		{ 4, false, port, value, 0xffffffff }
/* Only the bits of a byte that are in @mask */
#define IN_BITS(port, mask, value)	{ 1, false, port, value, mask }

/** ports_run() - do what a driver does, and check what it reads; see PORTS() */
void ports_run(const struct port_step *steps, size_t count, int line);

#define PORTS(...) \
	ports_run((const struct port_step[]){ __VA_ARGS__ }, \
		  sizeof((const struct port_step[]){ __VA_ARGS__ }) / \
		  sizeof(struct port_step), __LINE__)

#endif /* GMEMCTL_TEST_BOARD_FAKE_H */
