// SPDX-License-Identifier: GPL-2.0
/*
 * The serial port, by the sequences of accesses that Linux's 8250 driver uses
 * to find out what it has, and to send and receive.
 */
#include <string.h>

#include "../devices/uart.h"
#include "board_fake.h"
#include "ksft.h"

#define DATA	(UART_PORT + 0)
#define IER	(UART_PORT + 1)
#define IIR	(UART_PORT + 2)
#define FCR	(UART_PORT + 2)
#define LCR	(UART_PORT + 3)
#define MCR	(UART_PORT + 4)
#define LSR	(UART_PORT + 5)
#define MSR	(UART_PORT + 6)
#define SCR	(UART_PORT + 7)

#define MCR_DTR_RTS_OUT2 0x0b

static struct uart uart;
static char sent[64];
static unsigned int drained;

static void wire_transmit(void *data, uint8_t byte)
{
	size_t used = strlen(sent);

	(void)data;
	if (used + 1 < sizeof(sent))
		sent[used] = (char)byte;
}

static void wire_drained(void *data)
{
	(void)data;
	drained++;
}

static void start(void)
{
	struct uart_wire wire = { wire_transmit, wire_drained, NULL };

	memset(sent, 0, sizeof(sent));
	board_fake_start();
	uart_init(&uart, &board_fake.board, &wire);
	board_fake_add(uart_device(&uart));
	drained = 0;
}

static size_t receive(const char *text)
{
	return uart_receive(&uart, (const uint8_t *)text, strlen(text));
}

/* autoconfig() of Linux: it must come out as a 16550A, not as anything newer. */
TEST_OF(uart, autoconfig)
{
	start();
	outb(0, IER);
	EXPECT_FALSE(inb(IER) & 0x0f);
	outb(0x0f, IER);
	EXPECT_EQ((inb(IER) & 0x0f), 0x0f);
	outb(0, IER);
	outb(0x10 | 0x08 | 0x02, MCR);
	EXPECT_EQ((inb(MSR) & 0xf0), 0x90);
	outb(0, MCR);
	outb(0xbf, LCR);
	outb(0, FCR);
	outb(0, LCR);
	outb(0x01, FCR);
	EXPECT_EQ(inb(IIR) >> 6, 3);
	/* An extended feature register would read zero in its place. */
	outb(0x80, LCR);
	EXPECT_TRUE(inb(IIR));
	outb(0xbf, LCR);
	EXPECT_TRUE(inb(IIR));
	/* No FIFO of 64 bytes. */
	outb(0, LCR);
	outb(0x21, FCR);
	EXPECT_EQ((inb(IIR) & 0xe0), 0xc0);
	outb(0x80, LCR);
	outb(0x21, FCR);
	EXPECT_EQ((inb(IIR) & 0xe0), 0xc0);
	outb(0, LCR);
	/* No UART enable bit. */
	outb(0x40, IER);
	EXPECT_FALSE(inb(IER) & 0x40);
	uart_destroy(&uart);
}

/* serial8250_THRE_test() and the test that follows it. */
TEST_OF(uart, thre)
{
	start();
	EXPECT_EQ((inb(LSR) & 0x60), 0x60);
	outb(0x02, IER);
	EXPECT_EQ(inb(IIR), 0x02);
	EXPECT_EQ(inb(IIR), 0x01);
	outb(0, IER);
	outb(0x02, IER);
	EXPECT_EQ(inb(IIR), 0x02);
	outb(0, IER);
	EXPECT_EQ(inb(IIR), 0x01);
	EXPECT_FALSE(board_fake.irqs);
	uart_destroy(&uart);
}

/* Each byte sent gives one interrupt, if OUT2 lets it out. */
TEST_OF(uart, transmit)
{
	start();
	outb('a', DATA);
	outb(MCR_DTR_RTS_OUT2, MCR);
	EXPECT_FALSE(board_fake.irqs);
	outb(0x02, IER);
	EXPECT_EQ(board_fake.irqs, 1);
	EXPECT_EQ(board_fake.line, UART_IRQ);
	EXPECT_EQ(inb(IIR), 0x02);
	EXPECT_FALSE(board_fake.level);
	outb('b', DATA);
	EXPECT_EQ(board_fake.irqs, 2);
	EXPECT_TRUE(board_fake.level);
	outb(0, IER);
	EXPECT_FALSE(board_fake.level);
	EXPECT_STREQ(sent, "ab");
	uart_destroy(&uart);
}

/* The divisor hides the data and the interrupt enable, and changes neither. */
TEST_OF(uart, divisor)
{
	start();
	outb(0x05, IER);
	outb(0x83, LCR);
	outb(0x01, DATA);
	outb(0x02, IER);
	EXPECT_EQ(inb(DATA), 0x01);
	EXPECT_EQ(inb(IER), 0x02);
	outb(0x03, LCR);
	EXPECT_EQ(inb(IER), 0x05);
	EXPECT_EQ(inb(LCR), 0x03);
	EXPECT_FALSE(sent[0]);
	outb(0xa5, SCR);
	EXPECT_EQ(inb(SCR), 0xa5);
	uart_destroy(&uart);
}

/* More than the FIFO holds is left with the sender, who hears when to go on. */
TEST_OF(uart, receive)
{
	start();
	outb(MCR_DTR_RTS_OUT2, MCR);
	outb(0x01, IER);
	EXPECT_EQ(receive("01"), 1);
	outb(0x01, FCR);
	board_fake.irqs = 0;
	drained = 0;
	EXPECT_EQ(receive("0123456789abcdefXYZ"), UART_FIFO_SIZE);
	EXPECT_FALSE(receive("X"));
	EXPECT_EQ(board_fake.irqs, 1);
	EXPECT_TRUE(board_fake.level);
	EXPECT_EQ(inb(IIR), 0xc4);
	for (unsigned int i = 0; i < UART_FIFO_SIZE; i++) {
		EXPECT_TRUE(inb(LSR) & 0x01);
		EXPECT_EQ(inb(DATA), (uint8_t)"0123456789abcdef"[i]);
	}
	EXPECT_FALSE(inb(LSR) & 0x03);
	EXPECT_FALSE(board_fake.level);
	EXPECT_EQ(drained, 1);
	EXPECT_FALSE(inb(DATA));
	EXPECT_EQ(receive("gh"), 2);
	outb(0x03, FCR);
	EXPECT_FALSE(inb(LSR) & 0x01);
	EXPECT_EQ(drained, 2);
	uart_destroy(&uart);
}

/* A loop keeps bytes inside, loses what is too much, and blocks the wire. */
TEST_OF(uart, loopback)
{
	start();
	outb(0x01, FCR);
	outb(0x10, MCR);
	EXPECT_FALSE(receive("x"));
	outb('l', DATA);
	EXPECT_FALSE(sent[0]);
	EXPECT_TRUE(inb(LSR) & 0x01);
	EXPECT_EQ(inb(DATA), 'l');
	for (unsigned int i = 0; i <= UART_FIFO_SIZE; i++)
		outb((uint8_t)i, DATA);
	outb(0x04, IER);
	EXPECT_EQ(inb(IIR), 0xc6);
	EXPECT_TRUE(inb(LSR) & 0x02);
	EXPECT_FALSE(inb(LSR) & 0x02);
	EXPECT_EQ(inb(IIR), 0xc1);
	drained = 0;
	outb(0, MCR);
	EXPECT_EQ(drained, 1);
	uart_destroy(&uart);
}

/* A change of the modem's lines is told once. */
TEST_OF(uart, modem)
{
	start();
	EXPECT_EQ(inb(MSR), 0xb0);
	outb(0x10, MCR);
	EXPECT_EQ(inb(MSR), 0x0b);
	EXPECT_EQ(inb(MSR), 0x00);
	outb(0x1f, MCR);
	EXPECT_EQ(inb(MSR), 0xfb);
	outb(0x10, MCR);
	EXPECT_EQ(inb(MSR), 0x0f);
	outb(0x08, IER);
	outb(0x11, MCR);
	EXPECT_EQ(inb(IIR), 0x00);
	EXPECT_EQ(inb(MSR), 0x22);
	EXPECT_EQ(inb(IIR), 0x01);
	uart_destroy(&uart);
}

/* As on ISA, a word is two bytes to neighbouring ports. */
TEST_OF(uart, wide)
{
	start();
	outw(0x0f41, DATA);
	EXPECT_STREQ(sent, "A");
	EXPECT_EQ(inb(IER), 0x0f);
	EXPECT_EQ(inw(IER) >> 8, 0x02);
	EXPECT_EQ((inl(SCR) & 0xffffff00), 0xffffff00);
	uart_destroy(&uart);
}
