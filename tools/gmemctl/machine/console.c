// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "console.h"
#include "terminal.h"
#include "threads.h"

#define KEY_ESCAPE	0x01	/* Ctrl-A */

/* How often a job in the background looks whether it still is one */
#define BACKGROUND_MS	300

int console_open(struct console *console, int input, int output,
		 struct error *error)
{
	*console = (struct console){ .input = input, .output = output };
	pthread_mutex_init(&console->lock, NULL);
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
	pthread_mutex_destroy(&console->lock);
}

static void console_wake(struct console *console)
{
	uint64_t one = 1;

	/* An eventfd counter that is far from full cannot refuse. */
	if (write(console->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* While the vCPUs are being stopped none of them may wait for a reader. */
static bool console_hurries(struct console *console)
{
	return console->threads && threads_stopping(console->threads);
}

/* Return: whether a reader is ready, or has gone. */
static bool console_wait_output(struct console *console)
{
	struct pollfd wait = { .fd = console->output, .events = POLLOUT };

	return poll(&wait, 1, console_hurries(console) ? 0 : -1) > 0;
}

/* A reader has gone, or a disk is full. The guest goes on. */
static bool console_lose(struct console *console, int why)
{
	console->lost++;
	console->lost_rc = -why;
	return true;
}

/*
 * Whoever has started gmemctl may have set O_NONBLOCK, which is a property of the
 * open file and not of this process. Either way a signal ends the waiting: it
 * comes again until the vCPU has stopped.
 *
 * Return: whether the byte is done with: it is out, or cannot be written.
 */
static bool console_write(struct console *console, uint8_t byte)
{
	while (!console_hurries(console) || console_wait_output(console)) {
		if (write(console->output, &byte, 1) == 1)
			return true;
		if (errno == EAGAIN)
			console_wait_output(console);
		else if (errno != EINTR)
			return console_lose(console, errno);
	}
	return false;
}

/* Return: whether nothing is held any more. */
static bool console_flush(struct console *console)
{
	size_t done = 0;

	while (done < console->nr_held &&
	       console_write(console, console->held[done]))
		done++;
	console->nr_held -= done;
	memmove(console->held, console->held + done, console->nr_held);
	return !console->nr_held;
}

/* What the reader has not taken when its vCPU had to stop is held for later. */
static void console_transmit(void *data, uint8_t byte)
{
	struct console *console = data;

	if (console->output < 0)
		return;
	pthread_mutex_lock(&console->lock);
	if (!console_flush(console) || !console_write(console, byte)) {
		if (console->nr_held < CONSOLE_HELD_MAX)
			console->held[console->nr_held++] = byte;
		else
			console->lost++;
	}
	pthread_mutex_unlock(&console->lock);
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

/*
 * Wait for room in the port, and for input if @input. A job in the background looks
 * every now and then whether its terminal is there again. Return: what came.
 */
static short console_wait(struct console *console, bool input)
{
	bool ours = !console->terminal || terminal_take();
	struct pollfd fds[] = {
		{ .fd = console->wake_fd, .events = POLLIN },
		{ .fd = console->input, .events = POLLIN },
	};
	uint64_t count;

	input = input && ours;
	if (poll(fds, input ? 2 : 1, ours ? -1 : BACKGROUND_MS) < 0)
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

	/* EIO: the terminal has just been taken away. */
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ||
		       (errno == EIO && console->terminal && !terminal_take());
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
	pthread_mutex_lock(&console->lock);
	if (console->nr_held && !console_flush(console))
		console->lost += console->nr_held;
	console->nr_held = 0;
	pthread_mutex_unlock(&console->lock);
	if (console->terminal)
		terminal_restore();
	console->terminal = false;
}
