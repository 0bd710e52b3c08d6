// SPDX-License-Identifier: GPL-2.0
/* The console: what keys do, and that nothing is lost. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kvm/end.h"
#include "../machine/console.h"
#include "board_fake.h"
#include "test_tty.h"
#include "ksft.h"

#define TEXT "The quick brown fox jumps over the lazy dog, 0123456789 times."

static struct console console;
static struct uart uart;
static unsigned int quits;

static void note_quit(void *data)
{
	(void)data;
	quits++;
}

/* Every way to end has its own code, but for success and for our failures. */
TEST_OF(end, codes)
{
	EXPECT_FALSE(end_exit_code(END_POWER_OFF, 0));
	EXPECT_FALSE(end_exit_code(END_DONE, 0));
	EXPECT_FALSE(end_exit_code(END_STOPPED, 0));
	for (int i = END_RESET; i <= END_HALTED; i++) {
		EXPECT_EQ(end_exit_code((enum end)i, 0), 16 + i - END_RESET);
		EXPECT_TRUE(strcmp(end_name((enum end)i), "unknown"));
	}
	EXPECT_EQ(end_exit_code(END_EXIT_PORT, 0), 64);
	EXPECT_EQ(end_exit_code(END_EXIT_PORT, 63), 127);
	EXPECT_EQ(end_exit_code(END_EXIT_PORT, 255), 127);
	EXPECT_EQ(end_exit_code(END_SIGNAL, 0), 1);
	EXPECT_EQ(end_exit_code(END_TIMEOUT, 0), 1);
	EXPECT_EQ(end_exit_code(END_NONE, 0), 1);
	EXPECT_EQ(end_exit_code(END_FAILED, 0), 1);
	EXPECT_EQ(end_exit_code((enum end)1000, 0), 1);
	EXPECT_STREQ(end_name((enum end)1000), "unknown");
}

static bool filter(const char *in, const char *out, bool quits_too)
{
	uint8_t bytes[32];
	size_t kept;
	bool quit;

	memcpy(bytes, in, strlen(in));
	kept = console_filter(&console, bytes, strlen(in), &quit);
	return kept == strlen(out) && !memcmp(bytes, out, kept) &&
	       quit == quits_too;
}

TEST_OF(console, filter)
{
	memset(&console, 0, sizeof(console));
	EXPECT_TRUE(filter("abc\r", "abc\r", false));
	EXPECT_TRUE(filter("a\001xb", "ab", true));
	EXPECT_TRUE(filter("\001\001x", "\001x", false));
	EXPECT_TRUE(filter("\001q", "q", false));
	EXPECT_TRUE(filter("a\001", "a", false));
	EXPECT_TRUE(filter("X", "", true));
	EXPECT_TRUE(filter("x", "x", false));
}

/* Return: the end of a pipe to write to, or -1. */
static int start(int output)
{
	struct uart_wire wire;
	int fds[2];

	quits = 0;
	board_fake_start();
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	EXPECT_FALSE(console_open(&console, fds[0], output, NULL));
	wire = console_wire(&console);
	uart_init(&uart, &board_fake.board, &wire);
	board_fake_add(uart_device(&uart));
	outb(0x01, UART_PORT + 2);
	return fds[1];
}

static void stop(void)
{
	console_close(&console);
	close(console.input);
	uart_destroy(&uart);
}

/* Read what arrives within some seconds. */
static size_t guest_read(char *text, size_t size)
{
	size_t got = 0;

	for (int i = 0; i < 5000 && got < size; i++) {
		while (inb(UART_PORT + 5) & 0x01 && got < size)
			text[got++] = (char)inb(UART_PORT);
		usleep(1000);
	}
	return got;
}

/* More than the FIFO holds waits in the pipe, and the end of file is no end. */
TEST_OF(console, input)
{
	char text[sizeof(TEXT)] = "";
	int fd = start(-1);

	EXPECT_GE(fd, 0);
	if (fd < 0)
		return;
	EXPECT_EQ(write(fd, TEXT, strlen(TEXT)), (ssize_t)strlen(TEXT));
	close(fd);
	EXPECT_FALSE(console_start(&console, &uart, note_quit, NULL, NULL));
	EXPECT_EQ(guest_read(text, strlen(TEXT)), strlen(TEXT));
	EXPECT_STREQ(text, TEXT);
	console_stop(&console);
	console_stop(&console);
	/* Ctrl-A is the guest's if there is no terminal. */
	EXPECT_FALSE(quits);
	stop();
}

static bool is_full(void)
{
	unsigned int count;

	pthread_mutex_lock(&uart.lock);
	count = uart.state.count;
	pthread_mutex_unlock(&uart.lock);
	return count == UART_FIFO_SIZE;
}

/* A guest that does not read must not keep the console from stopping. */
TEST_OF(console, stop)
{
	int fd = start(-1);

	EXPECT_GE(fd, 0);
	if (fd < 0)
		return;
	EXPECT_EQ(write(fd, TEXT, strlen(TEXT)), (ssize_t)strlen(TEXT));
	EXPECT_FALSE(console_start(&console, &uart, note_quit, NULL, NULL));
	for (int i = 0; i < 5000 && !is_full(); i++)
		usleep(1000);
	EXPECT_TRUE(is_full());
	console_stop(&console);
	stop();
	close(fd);
	/* Nor one that nobody sends anything to. */
	fd = start(-1);
	EXPECT_FALSE(console_start(&console, &uart, note_quit, NULL, NULL));
	console_stop(&console);
	stop();
	close(fd);
}

/* A reader who has gone is no reason to stop. */
TEST_OF(console, output)
{
	sighandler_t old = signal(SIGPIPE, SIG_IGN);
	char text[8] = "";
	int fds[2], fd;

	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	fd = start(fds[1]);
	outb('h', UART_PORT);
	outb('i', UART_PORT);
	EXPECT_EQ(read(fds[0], text, sizeof(text)), 2);
	EXPECT_STREQ(text, "hi");
	close(fds[0]);
	outb('!', UART_PORT);
	EXPECT_TRUE(inb(UART_PORT + 5) & 0x20);
	stop();
	EXPECT_EQ(console.lost, 1);
	EXPECT_EQ(console.lost_rc, -EPIPE);
	close(fd);
	close(fds[1]);
	signal(SIGPIPE, old);
}

/* C18: nor is a disk that is full, but it is said what is not there. */
TEST_OF(console, C18_full)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), fd = start(full);

	outb('h', UART_PORT);
	outb('i', UART_PORT);
	stop();
	EXPECT_EQ(console.lost, 2);
	EXPECT_EQ(console.lost_rc, -ENOSPC);
	close(fd);
	close(full);
}

/* A thread that sends what a guest sends, and can be stopped as a vCPU is. */
static struct threads writers;
static size_t written;

static void *writer_main(void *data)
{
	const size_t *count = data;

	for (written = 0; written < *count; written++)
		outb("0123456789abcdef"[written % 16], UART_PORT);
	return NULL;
}

static void no_handler(int number)
{
	(void)number;
}

/* Return: how many bytes that are next in the sequence can be read at once. */
static size_t drain(int fd, size_t from)
{
	size_t total = 0;
	char bytes[4096];
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < got; i++, total++)
			if (bytes[i] != "0123456789abcdef"[(from + total) % 16])
				return 0;
	return total;
}

/* C18: a pipe with O_NONBLOCK, which is read late, loses nothing. */
static void test_console_late(int flags)
{
	size_t count = 200000, got = 0;
	pthread_t writer;
	int fds[2], fd;

	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	EXPECT_FALSE(fcntl(fds[0], F_SETFL, O_NONBLOCK));
	EXPECT_FALSE(fcntl(fds[1], F_SETFL, flags));
	fd = start(fds[1]);
	EXPECT_FALSE(pthread_create(&writer, NULL, writer_main, &count));
	usleep(50000);
	for (int i = 0; i < 5000 && got < count; i++) {
		got += drain(fds[0], got);
		usleep(1000);
	}
	EXPECT_EQ(got, count);
	EXPECT_FALSE(pthread_join(writer, NULL));
	stop();
	EXPECT_FALSE(console.lost);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

TEST_OF(console, C18_late)
{
	test_console_late(O_NONBLOCK);
	test_console_late(0);
}

/*
 * A vCPU that is stopped while it waits for the reader, as for a save, does not
 * wait, and its bytes come out when it runs again; what is left at the end is said.
 */
TEST_OF(console, C18_stopped)
{
	struct sigaction action = { .sa_handler = no_handler }, before;
	size_t size = 65536, count = size + 5, held, got;
	pthread_t writer;
	int fds[2], fd;

	EXPECT_FALSE(sigaction(SIGUSR1, &action, &before));
	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	EXPECT_FALSE(fcntl(fds[0], F_SETFL, O_NONBLOCK));
	fd = start(fds[1]);
	console.threads = &writers;
	writers.stopping = false;
	EXPECT_FALSE(pthread_create(&writer, NULL, writer_main, &count));
	for (int i = 0; i < 5000 && __atomic_load_n(&written, __ATOMIC_RELAXED) < size; i++)
		usleep(1000);
	__atomic_store_n(&writers.stopping, true, __ATOMIC_RELEASE);
	do {
		pthread_kill(writer, SIGUSR1);
		usleep(1000);
	} while (pthread_tryjoin_np(writer, NULL));
	held = console.nr_held;
	got = drain(fds[0], 0);
	EXPECT_GE(held, 5);
	EXPECT_EQ(got + held, count);
	writers.stopping = false;
	outb("0123456789abcdef"[count % 16], UART_PORT);
	EXPECT_EQ(drain(fds[0], got), held + 1);
	EXPECT_FALSE(console.nr_held);
	writers.stopping = true;
	for (written = 0; written < count; written++)
		outb("0123456789abcdef"[written % 16], UART_PORT);
	stop();
	EXPECT_TRUE(console.lost);
	EXPECT_EQ(drain(fds[0], 0) + console.lost, count);
	close(fd);
	close(fds[0]);
	close(fds[1]);
	sigaction(SIGUSR1, &before, NULL);
}

static void send_text(const char *text)
{
	while (*text)
		outb((unsigned char)*text++, UART_PORT);
}

/* What one write() has written, which such a pipe keeps apart; within a second. */
static const char *one_write(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	static char text[CONSOLE_LINE_MAX + 1];
	ssize_t got = poll(&wait, 1, 1000) > 0 ? read(fd, text, sizeof(text) - 1) : 0;

	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* A line is one system call; a prompt does not wait for the end of its line. */
TEST_OF(console, lines)
{
	char line[CONSOLE_LINE_MAX + 3] = "";
	int fds[2], fd;

	EXPECT_FALSE(pipe2(fds, O_CLOEXEC | O_DIRECT));
	fd = start(fds[1]);
	EXPECT_FALSE(console_start(&console, &uart, note_quit, NULL, NULL));
	send_text("Linux version\r\nlogin: ");
	EXPECT_STREQ(one_write(fds[0]), "Linux version\r\n");
	EXPECT_STREQ(one_write(fds[0]), "login: ");
	memset(line, '-', CONSOLE_LINE_MAX + 1);
	line[CONSOLE_LINE_MAX + 1] = '\n';
	send_text(line);
	EXPECT_EQ(strlen(one_write(fds[0])), CONSOLE_LINE_MAX);
	EXPECT_STREQ(one_write(fds[0]), "-\n");
	/* The end of the input is not that of the output. */
	close(fd);
	usleep(20000);
	send_text("# ");
	EXPECT_STREQ(one_write(fds[0]), "# ");
	/* Nor does a job, such as a handover, leave anything behind. */
	send_text("Power down");
	console_pause(&console);
	EXPECT_STREQ(one_write(fds[0]), "Power down");
	EXPECT_FALSE(console.nr_held);
	stop();
	EXPECT_FALSE(console.lost);
	close(fds[0]);
	close(fds[1]);
}

/* A thread that reads keys does not wait for a reader of the output. */
TEST_OF(console, stuck)
{
	char text[65536] = "", key = 0;
	int fds[2], fd;

	EXPECT_FALSE(pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	EXPECT_EQ(write(fds[1], text, sizeof(text)), (ssize_t)sizeof(text));
	EXPECT_FALSE(fcntl(fds[1], F_SETFL, 0));
	fd = start(fds[1]);
	EXPECT_FALSE(console_start(&console, &uart, note_quit, NULL, NULL));
	send_text("login: ");
	usleep(50000);
	EXPECT_EQ(write(fd, "k", 1), 1);
	EXPECT_EQ(guest_read(&key, 1), 1);
	EXPECT_EQ(key, 'k');
	EXPECT_EQ(read(fds[0], text, sizeof(text)), (ssize_t)sizeof(text));
	usleep(500000);
	EXPECT_EQ(read(fds[0], text, sizeof(text)), 7);
	EXPECT_MEMEQ(text, "login: ", 7);
	stop();
	EXPECT_FALSE(console.lost);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

/* Ctrl-A x at a terminal asks for the end; the rest goes to the guest. */
TEST_OF(console, quit)
{
	int master, fd = test_tty_open(&master), pipe_fd;
	char text[8] = "";

	if (fd < 0)
		return;
	pipe_fd = start(-1);
	close(console.input);
	console.input = fd;
	EXPECT_FALSE(console_start(&console, &uart, note_quit, NULL, NULL));
	EXPECT_TRUE(test_tty_is_raw(fd));
	EXPECT_EQ(write(master, "a\003\001xb", 5), 5);
	EXPECT_EQ(guest_read(text, 3), 3);
	EXPECT_STREQ(text, "a\003b");
	stop();
	EXPECT_EQ(quits, 1);
	close(pipe_fd);
	close(master);
}
