// SPDX-License-Identifier: GPL-2.0
/* The console: what keys do, and that nothing is lost. */
#include <fcntl.h>

#include "../kvm/threads.h"
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

/**
 * struct console_data - what the console is between
 * @keys: pipe for its input
 * @out: pipe for its output, if that is no other file
 */
FIXTURE(console) {
	int keys[2];
	int out[2];
};

static void open_console(int input, int output)
{
	struct uart_wire wire;

	EXPECT_FALSE(console_open(&console, input, output, NULL));
	wire = console_wire(&console);
	uart_init(&uart, &board_fake.board, &wire);
}

FIXTURE_SETUP(console)
{
	board_fake_start();
	ASSERT_FALSE(pipe2(self->keys, O_CLOEXEC));
	ASSERT_FALSE(pipe2(self->out, O_CLOEXEC));
	open_console(self->keys[0], self->out[1]);
	board_fake_add(uart_device(&uart));
	outb(0x01, UART_PORT + 2);
}

static void close_console(void)
{
	console_close(&console);
	uart_destroy(&uart);
}

FIXTURE_TEARDOWN(console)
{
	close_console();
	for (int i = 0; i < 2; i++) {
		close(self->keys[i]);
		close(self->out[i]);
	}
}

static void start(void)
{
	EXPECT_FALSE(console_start(&console, &uart, note_quit, NULL, NULL));
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
TEST_F(console, input)
{
	char text[sizeof(TEXT)] = "";

	EXPECT_EQ(write(self->keys[1], TEXT, strlen(TEXT)), (ssize_t)strlen(TEXT));
	close(self->keys[1]);
	start();
	EXPECT_EQ(guest_read(text, strlen(TEXT)), strlen(TEXT));
	EXPECT_STREQ(text, TEXT);
	console_stop(&console);
	console_stop(&console);
	/* Ctrl-A is the guest's if there is no terminal. */
	EXPECT_FALSE(quits);
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
TEST_F(console, stop)
{
	/* Nor one that nobody sends anything to. */
	start();
	console_stop(&console);
	EXPECT_EQ(write(self->keys[1], TEXT, strlen(TEXT)), (ssize_t)strlen(TEXT));
	start();
	for (int i = 0; i < 5000 && !is_full(); i++)
		usleep(1000);
	EXPECT_TRUE(is_full());
	console_stop(&console);
}

/* A reader who has gone is no reason to stop. */
TEST_F(console, output)
{
	char text[8] = "";

	signal(SIGPIPE, SIG_IGN);
	PORTS(OUT(UART_PORT, 'h'), OUT(UART_PORT, 'i'));
	EXPECT_EQ(read(self->out[0], text, sizeof(text)), 2);
	EXPECT_STREQ(text, "hi");
	close(self->out[0]);
	PORTS(OUT(UART_PORT, '!'), IN_BITS(UART_PORT + 5, 0x20, 0x20));
	console_stop(&console);
	EXPECT_EQ(console.lost, 1);
	EXPECT_EQ(console.lost_rc, -EPIPE);
}

/* C18: nor is a disk that is full, but it is said what is not there. */
TEST_F(console, C18_full)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	close_console();
	open_console(self->keys[0], full);
	PORTS(OUT(UART_PORT, 'h'), OUT(UART_PORT, 'i'));
	console_stop(&console);
	EXPECT_EQ(console.lost, 2);
	EXPECT_EQ(console.lost_rc, -ENOSPC);
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

/* C18: a pipe, with O_NONBLOCK too, which is read late, loses nothing. */
TEST_F(console, C18_late)
{
	size_t count = 200000;

	EXPECT_FALSE(fcntl(self->out[0], F_SETFL, O_NONBLOCK));
	for (int flags = O_NONBLOCK, rounds = 0; rounds < 2; flags = 0, rounds++) {
		size_t got = 0;
		pthread_t writer;

		EXPECT_FALSE(fcntl(self->out[1], F_SETFL, flags));
		EXPECT_FALSE(pthread_create(&writer, NULL, writer_main, &count));
		usleep(50000);
		for (int i = 0; i < 5000 && got < count; i++) {
			got += drain(self->out[0], got);
			usleep(1000);
		}
		EXPECT_EQ(got, count);
		EXPECT_FALSE(pthread_join(writer, NULL));
	}
	console_stop(&console);
	EXPECT_FALSE(console.lost);
}

/*
 * A vCPU that is stopped while it waits for the reader, as for a save, does not
 * wait, and its bytes come out when it runs again; what is left at the end is said.
 */
TEST_F(console, C18_stopped)
{
	struct sigaction action = { .sa_handler = no_handler };
	size_t size = 65536, count = size + 5, held, got;
	pthread_t writer;

	EXPECT_FALSE(sigaction(SIGUSR1, &action, NULL));
	EXPECT_FALSE(fcntl(self->out[0], F_SETFL, O_NONBLOCK));
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
	got = drain(self->out[0], 0);
	EXPECT_GE(held, 5);
	EXPECT_EQ(got + held, count);
	writers.stopping = false;
	outb("0123456789abcdef"[count % 16], UART_PORT);
	EXPECT_EQ(drain(self->out[0], got), held + 1);
	EXPECT_FALSE(console.nr_held);
	writers.stopping = true;
	for (written = 0; written < count; written++)
		outb("0123456789abcdef"[written % 16], UART_PORT);
	console_stop(&console);
	EXPECT_TRUE(console.lost);
	EXPECT_EQ(drain(self->out[0], 0) + console.lost, count);
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
TEST_F(console, lines)
{
	char line[CONSOLE_LINE_MAX + 3] = "";

	EXPECT_FALSE(fcntl(self->out[1], F_SETFL, O_DIRECT));
	start();
	send_text("Linux version\r\nlogin: ");
	EXPECT_STREQ(one_write(self->out[0]), "Linux version\r\n");
	EXPECT_STREQ(one_write(self->out[0]), "login: ");
	memset(line, '-', CONSOLE_LINE_MAX + 1);
	line[CONSOLE_LINE_MAX + 1] = '\n';
	send_text(line);
	EXPECT_EQ(strlen(one_write(self->out[0])), CONSOLE_LINE_MAX);
	EXPECT_STREQ(one_write(self->out[0]), "-\n");
	/* The end of the input is not that of the output. */
	close(self->keys[1]);
	usleep(20000);
	send_text("# ");
	EXPECT_STREQ(one_write(self->out[0]), "# ");
	/* Nor does a job, such as a handover, leave anything behind. */
	send_text("Power down");
	console_pause(&console);
	EXPECT_STREQ(one_write(self->out[0]), "Power down");
	EXPECT_FALSE(console.nr_held);
	console_stop(&console);
	EXPECT_FALSE(console.lost);
}

/* A thread that reads keys does not wait for a reader of the output. */
TEST_F(console, stuck)
{
	char text[65536] = "", key = 0;

	EXPECT_FALSE(fcntl(self->out[1], F_SETFL, O_NONBLOCK));
	EXPECT_EQ(write(self->out[1], text, sizeof(text)), (ssize_t)sizeof(text));
	EXPECT_FALSE(fcntl(self->out[1], F_SETFL, 0));
	start();
	send_text("login: ");
	usleep(50000);
	EXPECT_EQ(write(self->keys[1], "k", 1), 1);
	EXPECT_EQ(guest_read(&key, 1), 1);
	EXPECT_EQ(key, 'k');
	EXPECT_EQ(read(self->out[0], text, sizeof(text)), (ssize_t)sizeof(text));
	usleep(500000);
	EXPECT_EQ(read(self->out[0], text, sizeof(text)), 7);
	EXPECT_MEMEQ(text, "login: ", 7);
	console_stop(&console);
	EXPECT_FALSE(console.lost);
}

/* Ctrl-A x at a terminal asks for the end; the rest goes to the guest. */
TEST_F(console, quit)
{
	int master, fd = test_tty_open(&master);
	char text[8] = "";

	if (fd < 0)
		return;
	console.input = fd;
	start();
	EXPECT_TRUE(test_tty_is_raw(fd));
	EXPECT_EQ(write(master, "a\003\001xb", 5), 5);
	EXPECT_EQ(guest_read(text, 3), 3);
	EXPECT_STREQ(text, "a\003b");
	console_stop(&console);
	EXPECT_EQ(quits, 1);
	close(fd);
	close(master);
}
