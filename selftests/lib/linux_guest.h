/* SPDX-License-Identifier: GPL-2.0 */
/* Linux as a guest of gmemctl: start it, follow its console, see how it ends. */
#ifndef LINUX_GUEST_H
#define LINUX_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LINUX_GUEST_CONSOLE_MAX (1 << 18)

/* Seconds that a test which boots a guest, twice at most, may take. */
#define LINUX_GUEST_TIMEOUT	300

/* What vm/guest/init.c says first, and before it does what it was told to. */
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
 * struct boot - a guest, and what came of it
 * @kernel: instead of Linux, without an initrd; or NULL
 * @append: the guest's command line, after what every guest gets here
 * @memory: of --memory
 * @cpus: of --cpus, or NULL: 1
 * @input: file with what is typed at the console, 0: none
 * @seconds: of --timeout, or NULL: 120
 * @name: of --name, or NULL
 * @options: more options for gmemctl, the last NULL; or NULL
 * @code: exit code of gmemctl, or -1
 * @lost: boots that boot_run() or boot_up() has repeated
 * @ms: how long boot_run() took for the last one
 * @seen: bytes of @console that boot_wait_for() does not look at any more
 * @json: what it has said
 * @console: what the guest has said, and errors
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

/* NULL, or why no guest can run here. */
const char *linux_guest_unavailable(void);

/*
 * NULL, or why a guest whose memory is not gmem's has nothing to show here: the kernel
 * is there for races in gmem, and Debian's of the same version has the same KVM.
 */
const char *linux_guest_unwatched(void);

/* NULL, or why no guest can be asked anything here. */
const char *control_unavailable(void);

/* Whether checkers in this kernel make each new page of a guest take long. */
bool linux_guest_slow(void);

/* A file for output, which output_read() reads and closes. */
int output_file(void);
void output_read(int fd, char *text, size_t size);

/* gmemctl as a child, with its output in files; boot_end() waits for its end. */
pid_t boot_start(const struct boot *b, int out, int err);
void boot_end(struct boot *b, pid_t pid, int out, int err);

/* The same with another command than `run`, the last word being NULL. */
pid_t boot_start_with(const char *const words[], int in, int out, int err);

/* Whether gmemctl has, and boot_end() does not have to wait. */
bool boot_has_ended(pid_t pid);

/**
 * struct boot_process - a gmemctl that runs a guest
 * @pid: the process
 * @out: its standard output, likewise @err
 */
struct boot_process {
	pid_t pid;
	int out;
	int err;
};

/*
 * boot_start(), and wait for @text as long as @seconds, up to twice as boot_run()
 * does. Return: false if gmemctl has ended without it, killed after @seconds if need
 * be; @b says how.
 */
bool boot_up(struct boot *b, struct boot_process *process, const char *text,
	     unsigned int seconds);

/*
 * Both, for a guest that ends by itself. One that dies before its init is up, or
 * of an interrupt, is booted once more, which is shown.
 */
void boot_run(struct boot *b);

/*
 * Wait until the VM @name answers. Return: whether it does; not if @pid has ended, or
 * after half a minute.
 */
bool boot_wait_answer(pid_t pid, const char *name);

/*
 * Wait until the console has @text; false if gmemctl has ended without it, or
 * after @seconds; 0 looks once.
 */
bool boot_wait_for(struct boot *b, pid_t pid, int err, const char *text,
		   unsigned int seconds);

/* Whether the console has @text. */
bool boot_said(const struct boot *b, const char *text);

/* The number after @text on the console, or 0. */
unsigned long boot_number(const struct boot *b, const char *text);

/* Whether @end is why it has ended, and @code the exit code. */
bool boot_ended(const struct boot *b, const char *end, int code);

/* What gmemctl could not do, by the first error in @json. */
void boot_error(const struct boot *b, char *text, size_t size);

/* Show the end of @text in the results, and the exit code. */
void boot_log(const struct boot *b, const char *text);

/* gmemctl with other arguments. Return: its exit code; what it says in @out. */
int tool_run(char *out, size_t size, const char *const words[]);

/* The number after "key": in a JSON object, @key with its quotes; or 0. */
unsigned long json_number(const char *text, const char *key);

#endif /* LINUX_GUEST_H */
