/* SPDX-License-Identifier: GPL-2.0 */
/* Linux as a guest of gmemctl: start it, follow its console, check how it ends. */
#ifndef LINUX_GUEST_H
#define LINUX_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LINUX_GUEST_CONSOLE_MAX (1 << 18)

/* Timeout in seconds of a test that boots a guest at most twice. */
#define LINUX_GUEST_TIMEOUT	300

/* Messages of vm/guest/init.c: the first one, and the one before it does its task. */
#define LINUX_GUEST_UP		"gmem-guest: up"
#define LINUX_GUEST_READY	"gmem-guest: ready"

/* Exit codes of gmemctl */
#define CODE_FAILURE		1
#define CODE_USAGE		2
#define CODE_UNSUPPORTED	4
#define CODE_RESET		16
#define CODE_PANIC		17
#define CODE_TRIPLE_FAULT	18
#define CODE_INTERNAL		21
#define CODE_MEMORY		22

/**
 * struct boot - a guest, and its results
 * @kernel: a kernel without an initrd, or NULL: Linux
 * @append: the guest's command line, after the part that all guests have
 * @memory: argument of --memory
 * @cpus: argument of --cpus, or NULL: 1
 * @input: file with the input of the console, 0: none
 * @seconds: argument of --timeout, or NULL: 120
 * @name: argument of --name, or NULL
 * @options: more options for gmemctl, the last NULL; or NULL
 * @code: exit code of gmemctl, or -1
 * @lost: number of boots that boot_run() or boot_up() has repeated
 * @ms: duration of the last boot of boot_run()
 * @seen: bytes at the start of @console that boot_wait_for() ignores
 * @json: standard output of gmemctl
 * @console: standard error: the guest's console, and errors
 */
struct boot {
	const char *kernel;
	const char *append;
	const char *memory;
	const char *cpus;
	int input;
	const char *seconds;
	const char *name;
	const char *const *options;
	int code;
	unsigned int lost;
	unsigned long ms;
	size_t seen;
	char json[8192];
	char console[LINUX_GUEST_CONSOLE_MAX];
};

/* Return: NULL, or why no guest can run. */
const char *linux_guest_unavailable(void);

/*
 * Return: NULL, or why tests of guests without gmem's memory are skipped. The kernel with
 * KCSAN is for races in gmem, and its KVM is that of Debian's kernel of the same version.
 */
const char *linux_guest_unwatched(void);

/* Return: NULL, or why guests cannot be controlled. */
const char *control_unavailable(void);

/* Whether checkers in this kernel make the allocation of guest pages slow. */
bool linux_guest_slow(void);

/* Create a file for output. output_read() reads and closes it. */
int output_file(void);
void output_read(int fd, char *text, size_t size);

/*
 * Start gmemctl as a child, with its output in files. boot_end() waits until it has
 * ended.
 */
pid_t boot_start(const struct boot *b, int out, int err);
void boot_end(struct boot *b, pid_t pid, int out, int err);

/* The same with another command than `run`; the last word is NULL. */
pid_t boot_start_with(const char *const words[], int in, int out, int err);

/* Whether gmemctl has ended, so that boot_end() does not wait. */
bool boot_has_ended(pid_t pid);

/**
 * struct boot_process - a gmemctl that runs a guest
 * @pid: the process
 * @out: its standard output; @err: its standard error
 */
struct boot_process {
	pid_t pid;
	int out;
	int err;
};

/*
 * Call boot_start(), and wait @seconds for @text. Boots twice if the first guest was
 * lost, like boot_run(). Return: whether the text was seen; if not, gmemctl has ended or
 * was killed, and @b has the results.
 */
bool boot_up(struct boot *b, struct boot_process *process, const char *text,
	     unsigned int seconds);

/*
 * Call boot_start() and boot_end(), for a guest that ends by itself. A guest that dies
 * before its init runs, or panics in an interrupt, is booted again, and the log says so.
 */
void boot_run(struct boot *b);

/*
 * Wait until the VM @name answers. Return: whether it does; false if @pid has ended, or
 * after half a minute.
 */
bool boot_wait_answer(pid_t pid, const char *name);

/*
 * Wait until the console has @text. Return: false if gmemctl has ended without it, or
 * after @seconds. With 0 seconds look once.
 */
bool boot_wait_for(struct boot *b, pid_t pid, int err, const char *text,
		   unsigned int seconds);

/* Whether the console has @text. */
bool boot_said(const struct boot *b, const char *text);

/* Return: the number after @text on the console, or 0. */
unsigned long boot_number(const struct boot *b, const char *text);

/*
 * Whether the guest has ended for the reason @end, and gmemctl with the exit code @code.
 */
bool boot_ended(const struct boot *b, const char *end, int code);

/* Format the first error in @json. */
void boot_error(const struct boot *b, char *text, size_t size);

/* Print the end of @text and the exit code to the results. */
void boot_log(const struct boot *b, const char *text);

/* Run gmemctl with other arguments. Return: its exit code. @out: its output. */
int tool_run(char *out, size_t size, const char *const words[]);

/* Return: the number after "key": in a JSON object, or 0. @key includes the quotes. */
unsigned long json_number(const char *text, const char *key);

#endif /* LINUX_GUEST_H */
