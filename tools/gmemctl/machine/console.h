/* SPDX-License-Identifier: GPL-2.0 */
/* The console: connects the serial port to a terminal, or to any two files. */
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
 * terminal_raw() - set a terminal to raw mode: no echo, no lines, no signals from keys
 *
 * A background job does not change the terminal. It sets raw mode in terminal_take(), or
 * when it is continued in the foreground.
 *
 * Return: 0, also if @fd is not a terminal, which is not changed; -EBUSY if a terminal is
 * raw already; another negative errno.
 */
int terminal_raw(int fd);

/** terminal_is_raw() - whether there is a terminal to be restored */
bool terminal_is_raw(void);

/**
 * terminal_take() - set raw mode, if this process is in the foreground
 *
 * Call it before waiting for input, with SIGTTOU blocked.
 *
 * Return: whether keys are for this process; false for a background job.
 */
bool terminal_take(void);

/**
 * terminal_restore() - restore the terminal, if there is one
 *
 * A background job does not restore a terminal that another process has changed.
 */
void terminal_restore(void);

/* Enough for the output of string instructions of several vCPUs that are being stopped. */
#define CONSOLE_HELD_MAX 16384

/* A longer line is written in parts. */
#define CONSOLE_LINE_MAX 256

/**
 * struct console - the console of a serial port
 * @input: file that is read, or -1
 * @output: file that is written, or -1
 * @uart: the port
 * @quit: called in the console's thread when the user ends the VM: Ctrl-A x at a terminal
 * @quit_data: for @quit
 * @wake_fd: eventfd: the port has room, or the thread has to stop
 * @stopping: see console_stop()
 * @started: the thread exists
 * @thread: reads the input, and writes lines that the guest has not ended by a newline
 * @rest_ms: time when the thread checks for the rest of a line
 * @room: bytes of output that can be written without blocking when poll() reports room
 * @escape: Ctrl-A was the last key
 * @terminal: the input is a terminal
 * @threads: the threads of the vCPUs that write, or NULL. While they are being stopped,
 *	writes do not wait
 * @lock: protects the following members
 * @held: bytes of a line that has not ended, or that nobody has read yet
 * @nr_held: number of bytes in @held
 * @watched: the thread will write @held
 * @lost: bytes that were not read before the end, did not fit into @held, or could not be
 *	written
 * @lost_rc: error of the last write that has failed, or 0
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

/** console_open() - initialise a console; nothing is read yet */
int console_open(struct console *console, int input, int output, struct error *error);
void console_close(struct console *console);

/** console_wire() - connection for uart_init(), to be called before console_start() */
struct uart_wire console_wire(struct console *console);

/**
 * console_start() - start to read the input, and to write whole lines
 *
 * A line without an end is written some ms later. A terminal passes every key to the guest.
 * End of file ends the input, not the machine.
 */
int console_start(struct console *console, struct uart *uart, void (*quit)(void *data),
		  void *quit_data, struct error *error);

/**
 * console_pause() - stop reading until console_start(); the terminal stays raw
 *
 * No vCPU may run. Held output is written if there is a reader.
 */
void console_pause(struct console *console);

/**
 * console_stop() - stop reading, and restore the terminal; can be called twice
 *
 * Held output is written as far as that does not block; the rest is lost.
 */
void console_stop(struct console *console);

/**
 * console_filter() - remove escape sequences from the input of a terminal
 * @bytes: the input, @size bytes; bytes for the guest are moved to the front
 * @quit: out: the user ends the VM
 *
 * Ctrl-A x ends the VM. Ctrl-A Ctrl-A sends Ctrl-A to the guest. Ctrl-A before another key is
 * dropped.
 *
 * Return: number of bytes for the guest.
 */
size_t console_filter(struct console *console, uint8_t *bytes, size_t size, bool *quit);

#endif /* GMEMCTL_MACHINE_CONSOLE_H */
