/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU under `gmemctl exec`, and the console of its guest. */
#ifndef QEMU_GUEST_H
#define QEMU_GUEST_H

#include "linux_guest.h"

#define QEMU_GUEST_NAME "qemu"

/**
 * struct qemu - a QEMU process, and its guest
 * @machine: argument of -M
 * @memory: the option that creates the guest's RAM, its value, NULL; see
 *	QEMU_GUEST_RAM
 * @mib: its size in MiB, or NULL: QEMU_GUEST_MIB
 * @cpus: of -smp, or NULL: 1
 * @kernel: the directory of kernel and initrd, or NULL: /guest
 * @bios: a firmware instead of Linux, or NULL
 * @append: the guest's command line, after the part that all guests have
 * @options: more options, the last NULL; or NULL
 * @exec: more options of `gmemctl exec`, the last NULL; or NULL
 * @boot: exit code, and output of gmemctl, QEMU and the guest
 * @signal: the signal that has killed it, or 0
 * @process: gmemctl, which becomes QEMU
 * @input: input of the guest's console
 */
struct qemu {
	const char *machine;
	const char *const *memory;
	const char *mib;
	const char *cpus;
	const char *kernel;
	const char *bios;
	const char *append;
	const char *const *options;
	const char *const *exec;
	struct boot boot;
	int signal;
	struct boot_process process;
	int input;
};

/* RAM in the gmem fd that `gmemctl exec` creates */
#define QEMU_GUEST_MIB "96"
#define QEMU_GUEST_FD "/proc/self/fd/100"
#define QEMU_GUEST_RAM QEMU_GUEST_RAM_OF(QEMU_GUEST_MIB)
#define QEMU_GUEST_RAM_OF(mib) (const char *const[]){			\
	"-object", "memory-backend-file,id=ram,size=" mib "M,share=on,"	\
	"mem-path=" QEMU_GUEST_FD, NULL }

/* Return: NULL, or why QEMU is unavailable. */
const char *qemu_guest_unavailable(void);

/* Start QEMU, and wait until the console has @text. */
bool qemu_guest_start(struct qemu *q, const char *text, unsigned int seconds);

/*
 * Wait until the console has @text. Return: false if QEMU has ended without it, or after
 * @seconds.
 */
bool qemu_guest_wait(struct qemu *q, const char *text, unsigned int seconds);

/* Send a line to the console. */
void qemu_guest_type(struct qemu *q, const char *line);

/* Make qemu_guest_wait() ignore all output so far. */
void qemu_guest_seen(struct qemu *q);

/*
 * Wait up to @seconds until QEMU has ended, and read all output. Return: false if it was
 * killed.
 */
bool qemu_guest_end(struct qemu *q, unsigned int seconds);

#endif /* QEMU_GUEST_H */
