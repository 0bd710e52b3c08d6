// SPDX-License-Identifier: GPL-2.0
#include <linux/serial_reg.h>
#include <string.h>

#include "uart.h"

#define REGISTERS	8
#define IER_ALL		(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define IIR_FIFO	0xc0	/* FIFOs are enabled */
#define MCR_ALL		(UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_OUT1 | UART_MCR_RTS | \
			 UART_MCR_DTR)

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

	if (!(uart->mcr & UART_MCR_LOOP))
		return UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
	if (uart->mcr & UART_MCR_RTS)
		lines |= UART_MSR_CTS;
	if (uart->mcr & UART_MCR_DTR)
		lines |= UART_MSR_DSR;
	if (uart->mcr & UART_MCR_OUT1)
		lines |= UART_MSR_RI;
	if (uart->mcr & UART_MCR_OUT2)
		lines |= UART_MSR_DCD;
	return lines;
}

/* The most urgent reason for an interrupt. */
static uint8_t uart_reason(const struct uart *uart)
{
	if (uart->ier & UART_IER_RLSI && uart->overrun)
		return UART_IIR_RLSI;
	if (uart->ier & UART_IER_RDI && uart->count)
		return UART_IIR_RDI;
	if (uart->ier & UART_IER_THRI && uart->thr_interrupt)
		return UART_IIR_THRI;
	if (uart->ier & UART_IER_MSI && uart->msr_delta)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

/* On a PC, OUT2 lets the interrupt through, and loopback cuts OUT2 off. */
static void uart_update(struct uart *uart)
{
	bool level = uart_reason(uart) != UART_IIR_NO_INT &&
		     (uart->mcr & (UART_MCR_OUT2 | UART_MCR_LOOP)) == UART_MCR_OUT2;

	if (level != uart->level)
		uart->board->irq(uart->board->data, UART_IRQ, level);
	uart->level = level;
}

static unsigned int uart_depth(const struct uart *uart)
{
	return uart->fcr & UART_FCR_ENABLE_FIFO ? UART_FIFO_SIZE : 1;
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

static uint8_t uart_read_register(struct uart *uart, uint64_t offset)
{
	uint8_t value;

	switch (offset) {
	case UART_RX:
		return uart->lcr & UART_LCR_DLAB ? uart->divisor[0] : uart_pop(uart);
	case UART_IER:
		return uart->lcr & UART_LCR_DLAB ? uart->divisor[1] : uart->ier;
	case UART_IIR:
		value = uart_reason(uart);
		/* Looking is what takes the transmitter's interrupt back. */
		if (value == UART_IIR_THRI)
			uart->thr_interrupt = false;
		return value | (uart->fcr & UART_FCR_ENABLE_FIFO ? IIR_FIFO : 0);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		value = UART_LSR_THRE | UART_LSR_TEMT | (uart->count ? UART_LSR_DR : 0) |
			(uart->overrun ? UART_LSR_OE : 0);
		uart->overrun = false;
		return value;
	case UART_MSR:
		value = uart_modem_lines(uart) | uart->msr_delta;
		uart->msr_delta = 0;
		return value;
	default:
		return uart->scratch;
	}
}

/*
 * The deltas are the lines' bits, four lower; of RI only the end counts. Whoever
 * has waited for the end of loopback can send again.
 */
static void uart_write_mcr(struct uart *uart, uint8_t value)
{
	uint8_t before = uart_modem_lines(uart), changed;

	if (uart->mcr & ~value & UART_MCR_LOOP && uart->wire.drained)
		uart->wire.drained(uart->wire.data);
	uart->mcr = value & MCR_ALL;
	changed = before ^ uart_modem_lines(uart);
	if (!(before & UART_MSR_RI))
		changed &= (uint8_t)~UART_MSR_RI;
	uart->msr_delta |= changed >> 4;
}

/* Return: whether @value goes out of the machine. */
static bool uart_write_register(struct uart *uart, uint64_t offset,
				uint8_t value)
{
	switch (offset) {
	case UART_TX:
		if (uart->lcr & UART_LCR_DLAB) {
			uart->divisor[0] = value;
			break;
		}
		uart->thr_interrupt = true;
		if (!(uart->mcr & UART_MCR_LOOP))
			return true;
		uart_push(uart, value);
		break;
	case UART_IER:
		if (uart->lcr & UART_LCR_DLAB) {
			uart->divisor[1] = value;
			break;
		}
		/* Enabled while the transmitter is empty, it is raised. */
		if (~uart->ier & value & UART_IER_THRI)
			uart->thr_interrupt = true;
		uart->ier = value & IER_ALL;
		break;
	case UART_FCR:
		if ((uart->fcr ^ value) & UART_FCR_ENABLE_FIFO ||
		    value & UART_FCR_CLEAR_RCVR)
			uart_clear(uart);
		uart->fcr = value & UART_FCR_ENABLE_FIFO;
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart_write_mcr(uart, value);
		break;
	case UART_SCR:
		uart->scratch = value;
		break;
	}
	return false;
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

size_t uart_receive(struct uart *uart, const uint8_t *bytes, size_t size)
{
	unsigned int depth = 0;
	size_t taken = 0;

	pthread_mutex_lock(&uart->lock);
	if (!(uart->mcr & UART_MCR_LOOP))
		depth = uart_depth(uart);
	while (taken < size && uart->count < depth)
		uart_push(uart, bytes[taken++]);
	uart_update(uart);
	pthread_mutex_unlock(&uart->lock);
	return taken;
}
