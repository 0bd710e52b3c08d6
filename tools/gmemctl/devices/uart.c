// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "uart.h"

#define REGISTERS	8

/* Offsets; the first two are the divisor while LCR_DLAB is set. */
enum {
	REG_DATA,
	REG_IER,
	REG_IIR_FCR,
	REG_LCR,
	REG_MCR,
	REG_LSR,
	REG_MSR,
	REG_SCRATCH,
};

#define IER_RDI		0x01
#define IER_THRI	0x02
#define IER_RLSI	0x04
#define IER_MSI		0x08
#define IER_ALL		0x0f

#define IIR_MSI		0x00
#define IIR_NONE	0x01
#define IIR_THRI	0x02
#define IIR_RDI		0x04
#define IIR_RLSI	0x06
#define IIR_FIFO	0xc0

#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02

#define LCR_DLAB	0x80

#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define MCR_ALL		0x1f

#define LSR_READY	0x01
#define LSR_OVERRUN	0x02
#define LSR_THRE	0x20
#define LSR_EMPTY	0x40

#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80

void uart_init(struct uart *uart, const struct board *board,
	       const struct uart_wire *wire)
{
	memset(uart, 0, sizeof(*uart));
	uart->board = board;
	uart->wire = *wire;
	pthread_mutex_init(&uart->lock, NULL);
}

void uart_destroy(struct uart *uart)
{
	pthread_mutex_destroy(&uart->lock);
}

/* Its modem is always there; in loopback it is the port itself. */
static uint8_t uart_modem_lines(const struct uart *uart)
{
	uint8_t lines = 0;

	if (!(uart->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	if (uart->mcr & MCR_RTS)
		lines |= MSR_CTS;
	if (uart->mcr & MCR_DTR)
		lines |= MSR_DSR;
	if (uart->mcr & MCR_OUT1)
		lines |= MSR_RI;
	if (uart->mcr & MCR_OUT2)
		lines |= MSR_DCD;
	return lines;
}

/* The most urgent reason for an interrupt. */
static uint8_t uart_reason(const struct uart *uart)
{
	if (uart->ier & IER_RLSI && uart->overrun)
		return IIR_RLSI;
	if (uart->ier & IER_RDI && uart->count)
		return IIR_RDI;
	if (uart->ier & IER_THRI && uart->thr_interrupt)
		return IIR_THRI;
	if (uart->ier & IER_MSI && uart->msr_delta)
		return IIR_MSI;
	return IIR_NONE;
}

/* On a PC, OUT2 lets the interrupt through, and loopback cuts OUT2 off. */
static void uart_update(struct uart *uart)
{
	bool level = uart_reason(uart) != IIR_NONE &&
		     (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	if (level != uart->level)
		uart->board->irq(uart->board->data, UART_IRQ, level);
	uart->level = level;
}

static unsigned int uart_depth(const struct uart *uart)
{
	return uart->fcr & FCR_ENABLE ? UART_FIFO_SIZE : 1;
}

static void uart_push(struct uart *uart, uint8_t byte)
{
	if (uart->count >= uart_depth(uart)) {
		uart->overrun = true;
		return;
	}
	uart->fifo[(uart->head + uart->count) % UART_FIFO_SIZE] = byte;
	uart->count++;
}

static void uart_clear(struct uart *uart)
{
	uart->count = 0;
	if (uart->wire.drained)
		uart->wire.drained(uart->wire.data);
}

static uint8_t uart_pop(struct uart *uart)
{
	uint8_t byte;

	if (!uart->count)
		return 0;
	byte = uart->fifo[uart->head];
	uart->head = (uart->head + 1) % UART_FIFO_SIZE;
	uart->count--;
	if (!uart->count)
		uart_clear(uart);
	return byte;
}

/* Looking is what takes the transmitter's interrupt back. */
static uint8_t uart_read_iir(struct uart *uart)
{
	uint8_t reason = uart_reason(uart);

	if (reason == IIR_THRI)
		uart->thr_interrupt = false;
	return reason | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t uart_read_lsr(struct uart *uart)
{
	uint8_t lsr = LSR_THRE | LSR_EMPTY;

	if (uart->count)
		lsr |= LSR_READY;
	if (uart->overrun)
		lsr |= LSR_OVERRUN;
	uart->overrun = false;
	return lsr;
}

static uint8_t uart_read_msr(struct uart *uart)
{
	uint8_t msr = uart_modem_lines(uart) | uart->msr_delta;

	uart->msr_delta = 0;
	return msr;
}

static uint8_t uart_read_register(struct uart *uart, uint64_t offset)
{
	switch (offset) {
	case REG_DATA:
		return uart->lcr & LCR_DLAB ? uart->divisor[0] : uart_pop(uart);
	case REG_IER:
		return uart->lcr & LCR_DLAB ? uart->divisor[1] : uart->ier;
	case REG_IIR_FCR:
		return uart_read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return uart_read_lsr(uart);
	case REG_MSR:
		return uart_read_msr(uart);
	default:
		return uart->scratch;
	}
}

/* Enabling the transmitter's interrupt while it is empty raises it. */
static void uart_write_ier(struct uart *uart, uint8_t value)
{
	if (~uart->ier & value & IER_THRI)
		uart->thr_interrupt = true;
	uart->ier = value & IER_ALL;
}

/*
 * The deltas are the lines' bits, four lower; of RI only the end counts. Whoever
 * has waited for the end of loopback can send again.
 */
static void uart_write_mcr(struct uart *uart, uint8_t value)
{
	uint8_t before = uart_modem_lines(uart), changed;

	if (uart->mcr & ~value & MCR_LOOP && uart->wire.drained)
		uart->wire.drained(uart->wire.data);
	uart->mcr = value & MCR_ALL;
	changed = before ^ uart_modem_lines(uart);
	if (!(before & MSR_RI))
		changed &= (uint8_t)~MSR_RI;
	uart->msr_delta |= changed >> 4;
}

static void uart_write_fcr(struct uart *uart, uint8_t value)
{
	if ((uart->fcr ^ value) & FCR_ENABLE || value & FCR_CLEAR_RX)
		uart_clear(uart);
	uart->fcr = value & FCR_ENABLE;
}

/* Return: whether @value goes out of the machine. */
static bool uart_write_data(struct uart *uart, uint8_t value)
{
	if (uart->lcr & LCR_DLAB) {
		uart->divisor[0] = value;
		return false;
	}
	uart->thr_interrupt = true;
	if (!(uart->mcr & MCR_LOOP))
		return true;
	uart_push(uart, value);
	return false;
}

static bool uart_write_register(struct uart *uart, uint64_t offset,
				uint8_t value)
{
	switch (offset) {
	case REG_DATA:
		return uart_write_data(uart, value);
	case REG_IER:
		if (uart->lcr & LCR_DLAB)
			uart->divisor[1] = value;
		else
			uart_write_ier(uart, value);
		return false;
	case REG_IIR_FCR:
		uart_write_fcr(uart, value);
		return false;
	case REG_LCR:
		uart->lcr = value;
		return false;
	case REG_MCR:
		uart_write_mcr(uart, value);
		return false;
	case REG_SCRATCH:
		uart->scratch = value;
		return false;
	default:
		return false;
	}
}

static void uart_read(void *data, uint64_t offset, uint8_t *bytes,
		      unsigned int size)
{
	struct uart *uart = data;

	(void)size;
	pthread_mutex_lock(&uart->lock);
	bytes[0] = uart_read_register(uart, offset);
	uart_update(uart);
	pthread_mutex_unlock(&uart->lock);
}

/*
 * The byte goes out before the interrupt that says so, and without the lock:
 * whoever reads it at the other end may be slow.
 */
static void uart_write(void *data, uint64_t offset, const uint8_t *bytes,
		       unsigned int size)
{
	struct uart *uart = data;
	bool out;

	(void)size;
	pthread_mutex_lock(&uart->lock);
	out = uart_write_register(uart, offset, bytes[0]);
	if (!out)
		uart_update(uart);
	pthread_mutex_unlock(&uart->lock);
	if (!out)
		return;
	uart->wire.transmit(uart->wire.data, bytes[0]);
	pthread_mutex_lock(&uart->lock);
	uart_update(uart);
	pthread_mutex_unlock(&uart->lock);
}

struct bus_device uart_device(struct uart *uart)
{
	return (struct bus_device){
		.name = "serial port",
		.start = UART_PORT,
		.size = REGISTERS,
		.width = 1,
		.read = uart_read,
		.write = uart_write,
		.data = uart,
	};
}

static size_t uart_space(const struct uart *uart)
{
	unsigned int depth = uart_depth(uart);

	if (uart->mcr & MCR_LOOP || uart->count >= depth)
		return 0;
	return depth - uart->count;
}

size_t uart_receive(struct uart *uart, const uint8_t *bytes, size_t size)
{
	size_t taken = 0, space;

	pthread_mutex_lock(&uart->lock);
	space = uart_space(uart);
	while (taken < size && taken < space)
		uart_push(uart, bytes[taken++]);
	uart_update(uart);
	pthread_mutex_unlock(&uart->lock);
	return taken;
}

size_t uart_room(struct uart *uart)
{
	size_t space;

	pthread_mutex_lock(&uart->lock);
	space = uart_space(uart);
	pthread_mutex_unlock(&uart->lock);
	return space;
}
