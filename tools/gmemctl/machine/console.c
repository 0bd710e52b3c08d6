// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "console.h"
#include "terminal.h"
#include "threads.h"

#define KEY_ESCAPE 0x01	/* Ctrl-A */

int console_open(struct console *console, int input, int output,
		 struct error *error)
{
	*console = (struct console){ .input = input, .output = output };
	console->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (console->wake_fd < 0)
		return error_set(error, -errno, "eventfd", "create", NULL);
	return 0;
}

void console_close(struct console *console)
{
	console_stop(console);
	if (console->wake_fd >= 0)
		close(console->wake_fd);
	console->wake_fd = -1;
}

static void console_wake(struct console *console)
{
	uint64_t one = 1;

	/* An eventfd counter that is far from full cannot refuse. */
	if (write(console->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/*
 * A signal means that the machine is to end; then a reader who does not read
 * must not keep it, and the byte is lost.
 */
static void console_transmit(void *data, uint8_t byte)
{
	struct console *console = data;

	if (console->output >= 0 && write(console->output, &byte, 1) < 0)
		return;
}

static void console_drained(void *data)
{
	console_wake(data);
}

struct uart_wire console_wire(struct console *console)
{
	return (struct uart_wire){
		.transmit = console_transmit,
		.drained = console_drained,
		.data = console,
	};
}

size_t console_filter(struct console *console, uint8_t *bytes, size_t size,
		      bool *quit)
{
	size_t kept = 0;

	*quit = false;
	for (size_t i = 0; i < size; i++) {
		bool escaped = console->escape;

		console->escape = !escaped && bytes[i] == KEY_ESCAPE;
		if (console->escape)
			continue;
		if (escaped && (bytes[i] == 'x' || bytes[i] == 'X'))
			*quit = true;
		else
			bytes[kept++] = bytes[i];
	}
	return kept;
}

static bool console_stopping(struct console *console)
{
	return __atomic_load_n(&console->stopping, __ATOMIC_ACQUIRE);
}

/* Wait for room in the port, and for input if @input. Return: what came. */
static short console_wait(struct console *console, bool input)
{
	struct pollfd fds[] = {
		{ .fd = console->wake_fd, .events = POLLIN },
		{ .fd = console->input, .events = POLLIN },
	};
	uint64_t count;

	if (poll(fds, input ? 2 : 1, -1) < 0)
		return 0;
	if (fds[0].revents && read(console->wake_fd, &count, sizeof(count)) < 0)
		return 0;
	return input ? fds[1].revents : 0;
}

/* All of @bytes, in as many parts as the guest needs. */
static void console_send(struct console *console, const uint8_t *bytes,
			 size_t size)
{
	while (!console_stopping(console)) {
		size_t taken = uart_receive(console->uart, bytes, size);

		bytes += taken;
		size -= taken;
		if (!size)
			return;
		console_wait(console, false);
	}
}

/* Return: whether there may be more. */
static bool console_read(struct console *console)
{
	uint8_t bytes[UART_FIFO_SIZE];
	ssize_t got = read(console->input, bytes, sizeof(bytes));
	bool quit = false;
	size_t size;

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	size = (size_t)got;
	if (console->terminal)
		size = console_filter(console, bytes, size, &quit);
	if (quit)
		console->quit(console->quit_data);
	if (size)
		console_send(console, bytes, size);
	return got > 0;
}

static void *console_main(void *data)
{
	struct console *console = data;
	bool more = true;

	while (more && !console_stopping(console))
		if (console_wait(console, true))
			more = console_read(console);
	return NULL;
}

int console_start(struct console *console, struct uart *uart,
		  void (*quit)(void *data), void *quit_data,
		  struct error *error)
{
	int rc;

	console->uart = uart;
	console->quit = quit;
	console->quit_data = quit_data;
	if (console->input < 0)
		return 0;
	if (!console->terminal) {
		rc = terminal_raw(console->input);
		if (rc)
			return error_set(error, rc, "terminal",
					 "set to raw mode", NULL);
		console->terminal = terminal_is_raw();
	}
	console->stopping = false;
	rc = threads_start(&console->thread, console_main, console);
	console->started = !rc;
	if (!rc)
		return 0;
	console_stop(console);
	return error_set(error, rc, "console", "start a thread", NULL);
}

void console_pause(struct console *console)
{
	if (console->started) {
		__atomic_store_n(&console->stopping, true, __ATOMIC_RELEASE);
		console_wake(console);
		pthread_join(console->thread, NULL);
		console->started = false;
	}
}

void console_stop(struct console *console)
{
	console_pause(console);
	if (console->terminal)
		terminal_restore();
	console->terminal = false;
}
