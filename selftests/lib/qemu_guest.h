/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU under `gmemctl exec`, and what its guest says on the console. */
#ifndef QEMU_GUEST_H
#define QEMU_GUEST_H

#include "linux_guest.h"

#define QEMU_GUEST_NAME "qemu"

/**
 * struct qemu - a QEMU, and its guest
 * @machine: of -M, with what belongs to it
 * @memory: what makes the guest's RAM, an option, its value, NULL; see
 *	QEMU_GUEST_RAM
 * @mib: its size in MiB, or NULL: QEMU_GUEST_MIB
 * @cpus: of -smp, or NULL: 1
 * @kernel: the folder of kernel and initrd, or NULL: /guest
 * @bios: a firmware instead of Linux, or NULL
 * @append: the guest's command line, after what every guest gets here
 * @options: more options, the last NULL; or NULL
 * @exec: more options of `gmemctl exec`, the last NULL; or NULL
 * @boot: its end, and what was said by all of them
 * @signal: what it was killed by, or 0
 * @process: gmemctl, which becomes QEMU
 * @input: what is typed at the guest's console
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

/* RAM that is the gmem fd of `gmemctl exec` */
#define QEMU_GUEST_MIB "96"
#define QEMU_GUEST_FD "/proc/self/fd/100"
#define QEMU_GUEST_RAM QEMU_GUEST_RAM_OF(QEMU_GUEST_MIB)
#define QEMU_GUEST_RAM_OF(mib) (const char *const[]){			\
	"-object", "memory-backend-file,id=ram,size=" mib "M,share=on,"	\
	"mem-path=" QEMU_GUEST_FD, NULL }

/* NULL, or why there is none here. */
const char *qemu_guest_unavailable(void);

/* Start it, and wait until the console has @text. */
bool qemu_guest_start(struct qemu *q, const char *text, unsigned int seconds);

/* Wait until the console has @text. False: it has ended without it, or hangs. */
bool qemu_guest_wait(struct qemu *q, const char *text, unsigned int seconds);

/* A line for the console. */
void qemu_guest_type(struct qemu *q, const char *line);

/* From now on qemu_guest_wait() looks at what is said after this. */
void qemu_guest_seen(struct qemu *q);

/* Wait for its end, @seconds at most, and read all that was said. False: killed. */
bool qemu_guest_end(struct qemu *q, unsigned int seconds);

#endif /* QEMU_GUEST_H */
