// SPDX-License-Identifier: GPL-2.0
/*
 * The serial port, by the sequences of accesses that Linux's 8250 driver uses
 * to find out what it has, and to send and receive.
 */
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

	if (used + 1 < sizeof(sent))
		sent[used] = (char)byte;
}

static void wire_drained(void *data)
{
	drained++;
}

FIXTURE(uart) {
};

FIXTURE_SETUP(uart)
{
	struct uart_wire wire = { wire_transmit, wire_drained, NULL };

	board_fake_start();
	uart_init(&uart, &board_fake.board, &wire);
	board_fake_add(uart_device(&uart));
}

FIXTURE_TEARDOWN(uart)
{
	uart_destroy(&uart);
}

static size_t receive(const char *text)
{
	return uart_receive(&uart, (const uint8_t *)text, strlen(text));
}

/* autoconfig() of Linux: it must come out as a 16550A, not as anything newer. */
TEST_F(uart, autoconfig)
{
	PORTS(OUT(IER, 0), IN_BITS(IER, 0x0f, 0), OUT(IER, 0x0f), IN_BITS(IER, 0x0f, 0x0f),
	      OUT(IER, 0), OUT(MCR, 0x10 | 0x08 | 0x02), IN_BITS(MSR, 0xf0, 0x90),
	      OUT(MCR, 0), OUT(LCR, 0xbf), OUT(FCR, 0), OUT(LCR, 0), OUT(FCR, 0x01),
	      IN_BITS(IIR, 0xc0, 0xc0));
	/* An extended feature register would read zero in its place. */
	outb(0x80, LCR);
	EXPECT_TRUE(inb(IIR));
	outb(0xbf, LCR);
	EXPECT_TRUE(inb(IIR));
	/* No FIFO of 64 bytes, and no UART enable bit. */
	PORTS(OUT(LCR, 0), OUT(FCR, 0x21), IN_BITS(IIR, 0xe0, 0xc0), OUT(LCR, 0x80), OUT(FCR, 0x21),
	      IN_BITS(IIR, 0xe0, 0xc0), OUT(LCR, 0), OUT(IER, 0x40), IN_BITS(IER, 0x40, 0));
}

/* serial8250_THRE_test() and the test that follows it. */
TEST_F(uart, thre)
{
	PORTS(IN_BITS(LSR, 0x60, 0x60), OUT(IER, 0x02), IN(IIR, 0x02), IN(IIR, 0x01),
	      OUT(IER, 0), OUT(IER, 0x02), IN(IIR, 0x02), OUT(IER, 0), IN(IIR, 0x01));
	EXPECT_FALSE(board_fake.irqs);
}

/* Each byte sent gives one interrupt, if OUT2 lets it out. */
TEST_F(uart, transmit)
{
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
}

/* The divisor hides the data and the interrupt enable, and changes neither. */
TEST_F(uart, divisor)
{
	PORTS(OUT(IER, 0x05), OUT(LCR, 0x83), OUT(DATA, 0x01), OUT(IER, 0x02),
	      IN(DATA, 0x01), IN(IER, 0x02), OUT(LCR, 0x03), IN(IER, 0x05), IN(LCR, 0x03),
	      OUT(SCR, 0xa5), IN(SCR, 0xa5));
	EXPECT_FALSE(sent[0]);
}

/* More than the FIFO holds is left with the sender, who hears when to go on. */
TEST_F(uart, receive)
{
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
}

/* A loop keeps bytes inside, loses what is too much, and blocks the wire. */
TEST_F(uart, loopback)
{
	PORTS(OUT(FCR, 0x01), OUT(MCR, 0x10));
	EXPECT_FALSE(receive("x"));
	PORTS(OUT(DATA, 'l'), IN_BITS(LSR, 0x01, 0x01), IN(DATA, 'l'));
	EXPECT_FALSE(sent[0]);
	for (unsigned int i = 0; i <= UART_FIFO_SIZE; i++)
		outb((uint8_t)i, DATA);
	PORTS(OUT(IER, 0x04), IN(IIR, 0xc6), IN_BITS(LSR, 0x02, 0x02), IN_BITS(LSR, 0x02, 0),
	      IN(IIR, 0xc1));
	drained = 0;
	outb(0, MCR);
	EXPECT_EQ(drained, 1);
}

/* A change of the modem's lines is told once. */
TEST_F(uart, modem)
{
	PORTS(IN(MSR, 0xb0), OUT(MCR, 0x10), IN(MSR, 0x0b), IN(MSR, 0x00), OUT(MCR, 0x1f),
	      IN(MSR, 0xfb), OUT(MCR, 0x10), IN(MSR, 0x0f), OUT(IER, 0x08), OUT(MCR, 0x11),
	      IN(IIR, 0x00), IN(MSR, 0x22), IN(IIR, 0x01));
}

/* As on ISA, a word is two bytes to neighbouring ports. */
TEST_F(uart, wide)
{
	outw(0x0f41, DATA);
	EXPECT_STREQ(sent, "A");
	EXPECT_EQ(inb(IER), 0x0f);
	EXPECT_EQ(inw(IER) >> 8, 0x02);
	EXPECT_EQ((inl(SCR) & 0xffffff00), 0xffffff00);
}
