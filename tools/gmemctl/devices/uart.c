// SPDX-License-Identifier: GPL-2.0
#include <linux/serial_reg.h>
#include <string.h>

#include "uart.h"

#define REGISTERS	8
#define IER_ALL		(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define IIR_FIFO	0xc0	/* FIFOs are enabled */
#define MCR_ALL		(UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_OUT1 | UART_MCR_RTS | \
			 UART_MCR_DTR)

void uart_init(struct uart *uart, const struct board *board, const struct uart_wire *wire)
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

/* Return: the modem's lines, all ready. In loopback they are the port's own outputs. */
static uint8_t uart_modem_lines(const struct uart *uart)
{
	uint8_t lines = 0;

	if (!(uart->state.mcr & UART_MCR_LOOP))
		return UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
	if (uart->state.mcr & UART_MCR_RTS)
		lines |= UART_MSR_CTS;
	if (uart->state.mcr & UART_MCR_DTR)
		lines |= UART_MSR_DSR;
	if (uart->state.mcr & UART_MCR_OUT1)
		lines |= UART_MSR_RI;
	if (uart->state.mcr & UART_MCR_OUT2)
		lines |= UART_MSR_DCD;
	return lines;
}

/* Return: the reason for an interrupt that has the highest priority. */
static uint8_t uart_reason(const struct uart *uart)
{
	if (uart->state.ier & UART_IER_RLSI && uart->state.overrun)
		return UART_IIR_RLSI;
	if (uart->state.ier & UART_IER_RDI && uart->state.count)
		return UART_IIR_RDI;
	if (uart->state.ier & UART_IER_THRI && uart->state.thr_interrupt)
		return UART_IIR_THRI;
	if (uart->state.ier & UART_IER_MSI && uart->state.msr_delta)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

/* On a PC, OUT2 enables the interrupt line, and loopback disconnects OUT2. */
static void uart_update(struct uart *uart)
{
	bool level = uart_reason(uart) != UART_IIR_NO_INT &&
		     (uart->state.mcr & (UART_MCR_OUT2 | UART_MCR_LOOP)) == UART_MCR_OUT2;

	if (level != uart->state.level)
		uart->board->irq(uart->board->data, UART_IRQ, level);
	uart->state.level = level;
}

static unsigned int uart_depth(const struct uart *uart)
{
	return uart->state.fcr & UART_FCR_ENABLE_FIFO ? UART_FIFO_SIZE : 1;
}

static void uart_push(struct uart *uart, uint8_t byte)
{
	if (uart->state.count >= uart_depth(uart)) {
		uart->state.overrun = true;
		return;
	}
	uart->state.fifo[(uart->state.head + uart->state.count) % UART_FIFO_SIZE] = byte;
	uart->state.count++;
}

static void uart_clear(struct uart *uart)
{
	uart->state.count = 0;
	if (uart->wire.drained)
		uart->wire.drained(uart->wire.data);
}

static uint8_t uart_pop(struct uart *uart)
{
	uint8_t byte;

	if (!uart->state.count)
		return 0;
	byte = uart->state.fifo[uart->state.head];
	uart->state.head = (uart->state.head + 1) % UART_FIFO_SIZE;
	uart->state.count--;
	if (!uart->state.count)
		uart_clear(uart);
	return byte;
}

static uint8_t uart_read_register(struct uart *uart, uint64_t offset)
{
	uint8_t value;

	switch (offset) {
	case UART_RX:
		return uart->state.lcr & UART_LCR_DLAB ? uart->state.divisor[0] : uart_pop(uart);
	case UART_IER:
		return uart->state.lcr & UART_LCR_DLAB ? uart->state.divisor[1] : uart->state.ier;
	case UART_IIR:
		value = uart_reason(uart);
		/* A read of IIR clears the transmitter's interrupt. */
		if (value == UART_IIR_THRI)
			uart->state.thr_interrupt = false;
		return value | (uart->state.fcr & UART_FCR_ENABLE_FIFO ? IIR_FIFO : 0);
	case UART_LCR:
		return uart->state.lcr;
	case UART_MCR:
		return uart->state.mcr;
	case UART_LSR:
		value = UART_LSR_THRE | UART_LSR_TEMT | (uart->state.count ? UART_LSR_DR : 0) |
			(uart->state.overrun ? UART_LSR_OE : 0);
		uart->state.overrun = false;
		return value;
	case UART_MSR:
		value = uart_modem_lines(uart) | uart->state.msr_delta;
		uart->state.msr_delta = 0;
		return value;
	default:
		return uart->state.scratch;
	}
}

/*
 * Bits of the deltas are those of the lines, shifted right by four. RI sets its delta only
 * when it ends. The end of loopback wakes the sender: uart_receive() takes bytes again.
 */
static void uart_write_mcr(struct uart *uart, uint8_t value)
{
	uint8_t before = uart_modem_lines(uart), changed;

	if (uart->state.mcr & ~value & UART_MCR_LOOP && uart->wire.drained)
		uart->wire.drained(uart->wire.data);
	uart->state.mcr = value & MCR_ALL;
	changed = before ^ uart_modem_lines(uart);
	if (!(before & UART_MSR_RI))
		changed &= (uint8_t)~UART_MSR_RI;
	uart->state.msr_delta |= changed >> 4;
}

/* Return: whether @value has to be transmitted. */
static bool uart_write_register(struct uart *uart, uint64_t offset, uint8_t value)
{
	switch (offset) {
	case UART_TX:
		if (uart->state.lcr & UART_LCR_DLAB) {
			uart->state.divisor[0] = value;
			break;
		}
		uart->state.thr_interrupt = true;
		if (!(uart->state.mcr & UART_MCR_LOOP))
			return true;
		uart_push(uart, value);
		break;
	case UART_IER:
		if (uart->state.lcr & UART_LCR_DLAB) {
			uart->state.divisor[1] = value;
			break;
		}
		/* The transmitter is always empty, so enabling its interrupt raises it. */
		if (~uart->state.ier & value & UART_IER_THRI)
			uart->state.thr_interrupt = true;
		uart->state.ier = value & IER_ALL;
		break;
	case UART_FCR:
		if ((uart->state.fcr ^ value) & UART_FCR_ENABLE_FIFO || value & UART_FCR_CLEAR_RCVR)
			uart_clear(uart);
		uart->state.fcr = value & UART_FCR_ENABLE_FIFO;
		break;
	case UART_LCR:
		uart->state.lcr = value;
		break;
	case UART_MCR:
		uart_write_mcr(uart, value);
		break;
	case UART_SCR:
		uart->state.scratch = value;
		break;
	}
	return false;
}

static void uart_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	struct uart *uart = data;

	pthread_mutex_lock(&uart->lock);
	bytes[0] = uart_read_register(uart, offset);
	uart_update(uart);
	pthread_mutex_unlock(&uart->lock);
}

/*
 * Transmit the byte before the interrupt that reports it, and without the lock, because the
 * reader of the output may be slow.
 */
static void uart_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	struct uart *uart = data;
	bool out;

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
	return (struct bus_device){ "serial port", UART_PORT, REGISTERS, 1,
				    uart_read, uart_write, uart, .quick = false };
}

size_t uart_receive(struct uart *uart, const uint8_t *bytes, size_t size)
{
	unsigned int depth = 0;
	size_t taken = 0;

	pthread_mutex_lock(&uart->lock);
	if (!(uart->state.mcr & UART_MCR_LOOP))
		depth = uart_depth(uart);
	while (taken < size && uart->state.count < depth)
		uart_push(uart, bytes[taken++]);
	uart_update(uart);
	pthread_mutex_unlock(&uart->lock);
	return taken;
}
