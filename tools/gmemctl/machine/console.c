// SPDX-License-Identifier: GPL-2.0
/* The console of a PC, and its terminal, if there is one. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "../kvm/threads.h"
#include "console.h"

#define KEY_ESCAPE	0x01	/* Ctrl-A */

/* How often a background job checks whether it is in the foreground again */
#define BACKGROUND_MS	300

/* Wait for the rest of a line, and for the reader of the output at the end of a run */
#define LINE_MS		5
#define READER_MS	100

/* Global, because the signal handlers use them. */
static struct termios saved, raw;
static int raw_fd = -1;
static struct sigaction old_actions[NSIG];

/*
 * SIGTTOU stops a background job that sets the terminal, unless it blocks the signal, as
 * signals_hold() and the handlers do.
 */
static bool in_foreground(int fd)
{
	pid_t group = tcgetpgrp(fd);

	/* tcgetpgrp() fails if it is not the controlling terminal. Then no other job uses it. */
	return group < 0 || group == getpgrp();
}

/* Whether the terminal still has the settings of terminal_raw(). The driver may change c_cflag. */
static bool is_raw(int fd)
{
	struct termios now;

	return !tcgetattr(fd, &now) && now.c_iflag == raw.c_iflag &&
	       now.c_oflag == raw.c_oflag && now.c_lflag == raw.c_lflag;
}

/*
 * Restore the terminal. A background job does so only if the terminal is still raw, because
 * the shell may have set it since. Async-signal-safe.
 */
static void put_back(int fd)
{
	if (in_foreground(fd) || is_raw(fd))
		tcsetattr(fd, TCSANOW, &saved);
}

/*
 * SA_RESETHAND has reset the action, so raise() ends the process, as the signal would have
 * done without this handler.
 */
static void fatal_handler(int number)
{
	int fd = raw_fd;

	if (fd >= 0)
		put_back(fd);
	raise(number);
}

/* Set raw mode again, because the shell has set the terminal while this process was stopped. */
static void continue_handler(int number)
{
	int fd = raw_fd, code = errno;

	if (fd >= 0 && in_foreground(fd))
		tcsetattr(fd, TCSANOW, &raw);
	errno = code;
}

/* Whether the default action of a signal does not end the process */
static bool is_harmless(int number)
{
	switch (number) {
	case SIGCHLD:
	case SIGCONT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGURG:
	case SIGWINCH:
		return true;
	default:
		return false;
	}
}

/*
 * Handle all signals that would end the process, so that the terminal is restored. Signals
 * that are handled or ignored stay so. SIGKILL, SIGSTOP and those of the C library cannot be set.
 */
static void signals_take(void)
{
	struct sigaction action = {
		.sa_handler = fatal_handler,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};
	struct sigaction go_on = {
		.sa_handler = continue_handler,
		.sa_flags = SA_RESTART,
	};

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGTTOU);
	go_on.sa_mask = action.sa_mask;
	for (int i = 1; i < NSIG; i++) {
		if (sigaction(i, NULL, &old_actions[i]))
			continue;
		if (i == SIGCONT)
			sigaction(i, &go_on, NULL);
		else if (!is_harmless(i) && old_actions[i].sa_handler == SIG_DFL)
			sigaction(i, &action, NULL);
	}
}

static void signals_restore(void)
{
	for (int i = 1; i < NSIG; i++)
		if (i == SIGCONT || !is_harmless(i))
			sigaction(i, &old_actions[i], NULL);
}

int terminal_raw(int fd)
{
	int rc;

	if (raw_fd >= 0)
		return -EBUSY;
	if (!isatty(fd))
		return 0;
	if (tcgetattr(fd, &saved))
		return -errno;
	raw = saved;
	cfmakeraw(&raw);
	/* Keep output processing, because other processes may write to this terminal. */
	raw.c_oflag |= OPOST | ONLCR;
	signals_take();
	raw_fd = fd;
	if (!in_foreground(fd) || !tcsetattr(fd, TCSANOW, &raw))
		return 0;
	rc = -errno;
	raw_fd = -1;
	signals_restore();
	return rc;
}

bool terminal_is_raw(void)
{
	return raw_fd >= 0;
}

bool terminal_take(void)
{
	int fd = raw_fd;

	if (fd < 0)
		return true;
	if (!in_foreground(fd))
		return false;
	if (!is_raw(fd))
		tcsetattr(fd, TCSANOW, &raw);
	return true;
}

void terminal_restore(void)
{
	sigset_t stop, before;

	if (raw_fd < 0)
		return;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &stop, &before);
	put_back(raw_fd);
	raw_fd = -1;
	signals_restore();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int console_open(struct console *console, int input, int output, struct error *error)
{
	struct stat stat;

	*console = (struct console){
		.input = input, .output = output, .room = PIPE_BUF,
	};
	if (fstat(output, &stat) || S_ISCHR(stat.st_mode) || S_ISSOCK(stat.st_mode))
		console->room = 1;
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

static void console_wake(void *data)
{
	struct console *console = data;
	uint64_t one = 1;

	/* write() does not fail, because the counter of the eventfd is far from full. */
	if (write(console->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* Whether vCPUs are being stopped. Then none of them may wait for the reader. */
static bool console_hurries(struct console *console)
{
	return console->threads && threads_stopping(console->threads);
}

/* Return: whether the output can be written, or the reader has closed it. */
static bool console_ready(struct console *console, int wait_ms)
{
	struct pollfd wait = { .fd = console->output, .events = POLLOUT };

	return poll(&wait, 1, wait_ms) > 0;
}

/*
 * Write a part of the output. The output may be blocking or, if another process has set
 * O_NONBLOCK on the open file, non-blocking. In both cases the signal that stops the vCPU ends
 * the wait: threads_join() repeats it.
 *
 * Return: number of bytes that were written or lost; 0: the reader is not ready, and the
 * caller must not wait for it.
 */
static size_t console_write(struct console *console, const uint8_t *bytes,
			    size_t size, bool patient)
{
	ssize_t done;

	do {
		if (!patient || console_hurries(console)) {
			patient = false;
			if (!console_ready(console, 0))
				return 0;
			if (size > console->room)
				size = console->room;
		}
		done = write(console->output, bytes, size);
		if (done > 0)
			return (size_t)done;
		/* The reader has closed it, or a disk is full. The guest continues. */
		if (errno != EAGAIN && errno != EINTR) {
			console->lost += size;
			console->lost_rc = -errno;
			return size;
		}
		if (errno == EAGAIN && patient)
			console_ready(console, console_hurries(console) ? 0 : -1);
	} while (patient || errno == EINTR);
	return 0;
}

/* Write the held bytes. Return: whether none is left. */
static bool console_flush(struct console *console, bool patient)
{
	size_t at = 0, done;

	while (at < console->nr_held) {
		done = console_write(console, console->held + at, console->nr_held - at, patient);
		if (!done)
			break;
		at += done;
	}
	console->nr_held -= at;
	memmove(console->held, console->held + at, console->nr_held);
	return !console->nr_held;
}

/*
 * Collect the output, and write whole lines. The console's thread writes a line without an end,
 * such as a prompt. Without the thread each byte is written at once. Bytes that the reader has
 * not taken when the vCPU has to stop are held for later.
 */
static void console_transmit(void *data, uint8_t byte)
{
	struct console *console = data;

	if (console->output < 0)
		return;
	pthread_mutex_lock(&console->lock);
	if (console->nr_held < CONSOLE_HELD_MAX || console_flush(console, true))
		console->held[console->nr_held++] = byte;
	else
		console->lost++;
	if (byte == '\n' || console->nr_held >= CONSOLE_LINE_MAX || !console->started)
		console_flush(console, true);
	if (console->nr_held && console->started && !console->watched) {
		__atomic_store_n(&console->watched, true, __ATOMIC_RELEASE);
		console_wake(console);
	}
	pthread_mutex_unlock(&console->lock);
}

/*
 * Write an incomplete line. This thread must not wait for the lock: a vCPU that holds it may
 * wait for the reader of the output, and this thread has to read the input meanwhile.
 */
static void console_write_rest(struct console *console)
{
	console->rest_ms = LINE_MS;
	if (pthread_mutex_trylock(&console->lock))
		return;
	if (!console->nr_held)
		__atomic_store_n(&console->watched, false, __ATOMIC_RELEASE);
	else if (!console_flush(console, false))
		console->rest_ms = BACKGROUND_MS;
	pthread_mutex_unlock(&console->lock);
}

struct uart_wire console_wire(struct console *console)
{
	return (struct uart_wire){
		.transmit = console_transmit,
		.drained = console_wake,
		.data = console,
	};
}

size_t console_filter(struct console *console, uint8_t *bytes, size_t size, bool *quit)
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
 * Wait for room in the port, for input if @input is set, and for the rest of a line. A
 * background job checks regularly whether it has its terminal again.
 * Return: poll() events of the input.
 */
static short console_wait(struct console *console, bool input)
{
	bool ours = !input || !console->terminal || terminal_take();
	bool watched = __atomic_load_n(&console->watched, __ATOMIC_ACQUIRE);
	struct pollfd fds[] = {
		{ .fd = console->wake_fd, .events = POLLIN },
		{ .fd = console->input, .events = POLLIN },
	};
	uint64_t count;
	int ready;

	input = input && ours;
	ready = poll(fds, input ? 2 : 1, watched ? console->rest_ms : ours ? -1 : BACKGROUND_MS);
	if (!ready && watched)
		console_write_rest(console);
	if (ready <= 0)
		return 0;
	if (fds[0].revents && read(console->wake_fd, &count, sizeof(count)) < 0)
		return 0;
	return input ? fds[1].revents : 0;
}

/* Send all of @bytes to the guest, in parts that fit into its port. */
static void console_send(struct console *console, const uint8_t *bytes, size_t size)
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

	/* EIO: this job is in the background since just now. */
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
	bool more = console->input >= 0;

	while (!console_stopping(console))
		if (console_wait(console, more))
			more = console_read(console);
	return NULL;
}

int console_start(struct console *console, struct uart *uart, void (*quit)(void *data),
		  void *quit_data, struct error *error)
{
	int rc;

	console->uart = uart;
	console->quit = quit;
	console->quit_data = quit_data;
	if (console->input < 0 && console->output < 0)
		return 0;
	if (console->input >= 0 && !console->terminal) {
		rc = terminal_raw(console->input);
		if (rc)
			return error_set(error, rc, "terminal", "set to raw mode", NULL);
		console->terminal = terminal_is_raw();
	}
	console->stopping = false;
	console->rest_ms = LINE_MS;
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
	/* Write an incomplete line before other output of this process. */
	pthread_mutex_lock(&console->lock);
	if (console->nr_held && console_ready(console, READER_MS))
		console_flush(console, false);
	pthread_mutex_unlock(&console->lock);
}

void console_stop(struct console *console)
{
	console_pause(console);
	pthread_mutex_lock(&console->lock);
	if (console->nr_held && !console_flush(console, false))
		console->lost += console->nr_held;
	console->nr_held = 0;
	pthread_mutex_unlock(&console->lock);
	if (console->terminal)
		terminal_restore();
	console->terminal = false;
}
