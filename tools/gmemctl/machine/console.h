/* SPDX-License-Identifier: GPL-2.0 */
/* The serial port's other end: a terminal, or any two files. */
#ifndef GMEMCTL_MACHINE_CONSOLE_H
#define GMEMCTL_MACHINE_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "../devices/uart.h"
#include "../kvm/threads.h"

/**
 * terminal_raw() - no echo, no lines, no signals from keys
 *
 * A job in the background leaves the terminal to whom it belongs, and has it raw
 * from terminal_take() on, or from when it is continued in the foreground.
 *
 * Return: 0, also if @fd is no terminal, which is left alone; -EBUSY if one is
 * raw already; another negative errno.
 */
int terminal_raw(int fd);

/** terminal_is_raw() - whether there is a terminal to put back */
bool terminal_is_raw(void);

/**
 * terminal_take() - before input is waited for, with SIGTTOU blocked
 *
 * Return: whether keys are for this process, and then the terminal is raw; not
 * while it is a job in the background.
 */
bool terminal_take(void);

/**
 * terminal_restore() - as it was before; nothing if there is none
 *
 * A job in the background does not take it from somebody who has changed it.
 */
void terminal_restore(void);

/* A string instruction of some vCPUs may be on its way when they are stopped. */
#define CONSOLE_HELD_MAX 16384

/* A longer line is written in parts. */
#define CONSOLE_LINE_MAX 256

/**
 * struct console - what is plugged into a serial port
 * @input: file that is read, or -1
 * @output: file that is written, or -1
 * @uart: the port
 * @quit: called in a thread of its own when the user asks for the end, which is
 *	Ctrl-A x at a terminal
 * @quit_data: for @quit
 * @wake_fd: eventfd: there is room, or it is time to stop
 * @stopping: see console_stop()
 * @started: there is a thread
 * @thread: reads the input, and writes what the guest has not ended by a newline
 * @rest_ms: when the thread looks for the rest of a line
 * @room: bytes of output that do not block where poll() says that there is room
 * @escape: Ctrl-A was the last key
 * @terminal: the input is a terminal
 * @threads: whose vCPUs write, or NULL; they do not wait while they are stopped
 * @lock: protects what follows
 * @held: @nr_held bytes of a line that has not ended, or that nobody has read yet
 * @nr_held: bytes in @held
 * @watched: the thread looks after @held
 * @lost: bytes that there was no reader for at the end, nor room in @held, and those
 *	that could not be written
 * @lost_rc: why the last of these could not be written, or 0
 */
struct console {
	int input;
	int output;
	struct uart *uart;
	void (*quit)(void *data);
	void *quit_data;
	int wake_fd;
	bool stopping;
	bool started;
	pthread_t thread;
	int rest_ms;
	size_t room;
	bool escape;
	bool terminal;
	const struct threads *threads;
	pthread_mutex_t lock;
	uint8_t held[CONSOLE_HELD_MAX];
	size_t nr_held;
	bool watched;
	uint64_t lost;
	int lost_rc;
};

/** console_open() - nothing is read yet */
int console_open(struct console *console, int input, int output, struct error *error);
void console_close(struct console *console);

/** console_wire() - for uart_init(), before console_start() */
struct uart_wire console_wire(struct console *console);

/**
 * console_start() - read the input from now on, and write whole lines
 *
 * A line that does not end is written some ms later.
 *
 * A terminal passes every key on from now on. End of file ends the input, not
 * the machine.
 */
int console_start(struct console *console, struct uart *uart, void (*quit)(void *data),
		  void *quit_data, struct error *error);

/**
 * console_pause() - stop reading until console_start(); the terminal stays
 *
 * No vCPU runs. Output that is held is written if there is a reader.
 */
void console_pause(struct console *console);

/**
 * console_stop() - stop reading, put the terminal back; may come twice
 *
 * Output that was held goes out as far as it is read at once; the rest is lost.
 */
void console_stop(struct console *console);

/**
 * console_filter() - take the escape out of what a terminal has sent
 * @bytes: @size of them; what is for the guest is moved to the front
 * @quit: out: the user asks for the end
 *
 * Ctrl-A x: the end. Ctrl-A Ctrl-A: Ctrl-A for the guest. Another key after
 * Ctrl-A is as if alone.
 *
 * Return: number of bytes for the guest.
 */
size_t console_filter(struct console *console, uint8_t *bytes, size_t size, bool *quit);

#endif /* GMEMCTL_MACHINE_CONSOLE_H */
