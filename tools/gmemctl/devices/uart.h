/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A 16550A serial port. It transmits bytes of the guest immediately, at any baud rate.
 * Received bytes wait in a FIFO of sixteen bytes.
 */
#ifndef GMEMCTL_DEVICES_UART_H
#define GMEMCTL_DEVICES_UART_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"

#define UART_PORT	0x3f8
#define UART_IRQ	4
#define UART_FIFO_SIZE	16

/**
 * struct uart_wire - the connection of the port
 * @transmit: called for each byte from the guest, without the lock; may block
 * @drained: called when the FIFO has become empty, with the lock held; may be NULL
 * @data: for both functions
 */
struct uart_wire {
	void (*transmit)(void *data, uint8_t byte);
	void (*drained)(void *data);
	void *data;
};

/**
 * struct uart_state - its registers; part of a file format
 * @ier: interrupt enable
 * @lcr: line control
 * @mcr: modem control
 * @scratch: holds a byte for the guest
 * @fcr: FIFO control, as last written
 * @divisor: divisor of the baud rate; without effect
 * @msr_delta: changes of modem lines since the register was read
 * @overrun: a byte was lost in loopback
 * @thr_interrupt: the transmitter has become empty, and the guest has not read this yet
 * @level: level of the interrupt line
 * @head: index in @fifo of the next byte for the guest
 * @count: bytes in @fifo
 * @fifo: received bytes, from @head on
 */
struct uart_state {
	uint8_t ier;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scratch;
	uint8_t fcr;
	uint8_t divisor[2];
	uint8_t msr_delta;
	uint8_t overrun;
	uint8_t thr_interrupt;
	uint8_t level;
	uint8_t head;
	uint8_t count;
	uint8_t fifo[UART_FIFO_SIZE];
};

/**
 * struct uart - a serial port
 * @board: where the interrupt line goes
 * @wire: see there
 * @lock: protects @state
 * @state: see there
 */
struct uart {
	const struct board *board;
	struct uart_wire wire;
	pthread_mutex_t lock;
	struct uart_state state;
};

/** uart_init() - initialise it as after a reset; uart_device() is its device for a bus */
void uart_init(struct uart *uart, const struct board *board, const struct uart_wire *wire);
void uart_destroy(struct uart *uart);
struct bus_device uart_device(struct uart *uart);

/**
 * uart_receive() - pass bytes to the guest
 *
 * Return: number of accepted bytes; call it again with the rest when the FIFO is drained.
 */
size_t uart_receive(struct uart *uart, const uint8_t *bytes, size_t size);

#endif /* GMEMCTL_DEVICES_UART_H */
