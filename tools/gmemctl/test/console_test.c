// SPDX-License-Identifier: GPL-2.0
/* The console: what keys do, that nothing is lost, and the terminal's state. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../machine/console.h"
#include "../machine/end.h"
#include "../machine/terminal.h"
#include "board_fake.h"
#include "unit.h"

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
static void test_end_codes(void)
{
	CHECK(!end_exit_code(END_POWER_OFF, 0) && !end_exit_code(END_DONE, 0) &&
	      !end_exit_code(END_STOPPED, 0));
	for (int i = END_RESET; i <= END_HALTED; i++) {
		CHECK(end_exit_code((enum end)i, 0) == 16 + i - END_RESET);
		CHECK(strcmp(end_name((enum end)i), "unknown"));
	}
	CHECK(end_exit_code(END_EXIT_PORT, 0) == 64);
	CHECK(end_exit_code(END_EXIT_PORT, 63) == 127);
	CHECK(end_exit_code(END_EXIT_PORT, 255) == 127);
	CHECK(end_exit_code(END_SIGNAL, 0) == 1);
	CHECK(end_exit_code(END_TIMEOUT, 0) == 1);
	CHECK(end_exit_code(END_NONE, 0) == 1 && end_exit_code(END_FAILED, 0) == 1);
	CHECK(end_exit_code((enum end)1000, 0) == 1);
	CHECK(!strcmp(end_name((enum end)1000), "unknown"));
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

static void test_console_filter(void)
{
	memset(&console, 0, sizeof(console));
	CHECK(filter("abc\r", "abc\r", false));
	CHECK(filter("a\001xb", "ab", true));
	CHECK(filter("\001\001x", "\001x", false));
	CHECK(filter("\001q", "q", false));
	CHECK(filter("a\001", "a", false));
	CHECK(filter("X", "", true));
	CHECK(filter("x", "x", false));
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
	CHECK(!console_open(&console, fds[0], output, NULL));
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
static void test_console_input(void)
{
	char text[sizeof(TEXT)] = "";
	int fd = start(-1);

	CHECK(fd >= 0);
	if (fd < 0)
		return;
	CHECK(write(fd, TEXT, strlen(TEXT)) == (ssize_t)strlen(TEXT));
	close(fd);
	CHECK(!console_start(&console, &uart, note_quit, NULL, NULL));
	CHECK(guest_read(text, strlen(TEXT)) == strlen(TEXT));
	CHECK(!strcmp(text, TEXT));
	console_stop(&console);
	console_stop(&console);
	/* Ctrl-A is the guest's if there is no terminal. */
	CHECK(!quits);
	stop();
}

/* A guest that does not read must not keep the console from stopping. */
static void test_console_stop(void)
{
	int fd = start(-1);

	CHECK(fd >= 0);
	if (fd < 0)
		return;
	CHECK(write(fd, TEXT, strlen(TEXT)) == (ssize_t)strlen(TEXT));
	CHECK(!console_start(&console, &uart, note_quit, NULL, NULL));
	for (int i = 0; i < 5000 && uart_room(&uart); i++)
		usleep(1000);
	CHECK(!uart_room(&uart));
	console_stop(&console);
	stop();
	close(fd);
	/* Nor one that nobody sends anything to. */
	fd = start(-1);
	CHECK(!console_start(&console, &uart, note_quit, NULL, NULL));
	console_stop(&console);
	stop();
	close(fd);
}

/* A reader who has gone is no reason to stop. */
static void test_console_output(void)
{
	sighandler_t old = signal(SIGPIPE, SIG_IGN);
	char text[8] = "";
	int fds[2], fd;

	CHECK(!pipe2(fds, O_CLOEXEC));
	fd = start(fds[1]);
	outb('h', UART_PORT);
	outb('i', UART_PORT);
	CHECK(read(fds[0], text, sizeof(text)) == 2 && !strcmp(text, "hi"));
	close(fds[0]);
	outb('!', UART_PORT);
	CHECK(inb(UART_PORT + 5) & 0x20);
	stop();
	close(fd);
	close(fds[1]);
	signal(SIGPIPE, old);
}

/* Return: a terminal, its other end in @master; or -1. */
static int terminal_open(int *master)
{
	char name[128];

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0 || grantpt(*master) || unlockpt(*master) ||
	    ptsname_r(*master, name, sizeof(name)))
		return -1;
	return open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static bool is_raw(int fd)
{
	struct termios termios;

	return !tcgetattr(fd, &termios) &&
	       !(termios.c_lflag & (ICANON | ECHO | ISIG));
}

static void test_terminal_restore(void)
{
	int master, fd = terminal_open(&master), fds[2];

	if (fd < 0) {
		unit_skip("no pseudo terminals here");
		return;
	}
	CHECK(!is_raw(fd));
	CHECK(!terminal_raw(fd) && is_raw(fd) && terminal_is_raw());
	CHECK(terminal_raw(fd) == -EBUSY);
	terminal_restore();
	CHECK(!is_raw(fd) && !terminal_is_raw());
	terminal_restore();
	CHECK(!pipe2(fds, O_CLOEXEC));
	CHECK(!terminal_raw(fds[0]) && !terminal_is_raw());
	close(fds[0]);
	close(fds[1]);
	close(fd);
	close(master);
}

/* A crash puts it back, and is still the crash that it was. */
static void test_terminal_crash(void)
{
	static const int deaths[] = { SIGSEGV, SIGBUS, SIGABRT };
	int master, fd = terminal_open(&master), status;

	if (fd < 0) {
		unit_skip("no pseudo terminals here");
		return;
	}
	for (unsigned int i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (!pid) {
			if (terminal_raw(fd) || !is_raw(fd))
				_exit(1);
			raise(deaths[i]);
			_exit(2);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == deaths[i]);
		CHECK(!is_raw(fd));
	}
	close(fd);
	close(master);
}

/* Ctrl-A x at a terminal asks for the end; the rest goes to the guest. */
static void test_terminal_quit(void)
{
	int master, fd = terminal_open(&master), pipe_fd;
	char text[8] = "";

	if (fd < 0) {
		unit_skip("no pseudo terminals here");
		return;
	}
	pipe_fd = start(-1);
	close(console.input);
	console.input = fd;
	CHECK(!console_start(&console, &uart, note_quit, NULL, NULL));
	CHECK(is_raw(fd));
	CHECK(write(master, "a\003\001xb", 5) == 5);
	CHECK(guest_read(text, 3) == 3 && !strcmp(text, "a\003b"));
	stop();
	CHECK(quits == 1);
	close(pipe_fd);
	close(master);
}

static const struct unit_test tests[] = {
	{ "end.codes", test_end_codes },
	{ "console.filter", test_console_filter },
	{ "console.input", test_console_input },
	{ "console.stop", test_console_stop },
	{ "console.output", test_console_output },
	{ "terminal.restore", test_terminal_restore },
	{ "terminal.crash", test_terminal_crash },
	{ "terminal.quit", test_terminal_quit },
};

UNIT_TESTS(tests)
