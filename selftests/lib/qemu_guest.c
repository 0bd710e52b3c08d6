// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qemu_guest.h"

#define QEMU	"/usr/bin/qemu-system-x86_64"
#define BY_DESIGN "unsupported-by-design:"
#define WORDS_MAX 80

const char *qemu_guest_unavailable(void)
{
	if (access(QEMU, X_OK))
		return BY_DESIGN " QEMU is in VMs of Debian's kernels only";
	if (access("/dev/kvm", R_OK | W_OK))
		return BY_DESIGN " no /dev/kvm";
	return NULL;
}

/* The same words that gmemctl adds for its own guests on an emulated host. */
static const char *emulated_words(void)
{
	static char words[256] = "noxsave no5lvl no_timer_check tsc=reliable ";
	int fd = open("/proc/cmdline", O_RDONLY);
	char line[2048] = "";
	const char *at;

	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		return words;
	close(fd);
	at = strstr(line, "tsc_early_khz=");
	if (at && !strstr(words, "khz"))
		strncat(words, at, strcspn(at, "\n "));
	return words;
}

static void add(const char *words[], const char *const *more)
{
	int count = 0;

	while (words[count])
		count++;
	for (; more && *more && count < WORDS_MAX - 1; more++)
		words[count++] = *more;
}

#define ADD(words, ...) add(words, (const char *const[]){ __VA_ARGS__, NULL })

static void spawn(struct qemu *q, int in)
{
	const char *folder = q->kernel ? q->kernel : "/guest";
	const char *mib = q->mib ? q->mib : QEMU_GUEST_MIB;
	char machine[256], kernel[64], initrd[64], append[512], size[16];
	const char *words[WORDS_MAX] = { "exec" };

	snprintf(machine, sizeof(machine), "%s,accel=kvm,memory-backend=ram",
		 q->machine);
	snprintf(kernel, sizeof(kernel), "%s/bzImage", folder);
	snprintf(initrd, sizeof(initrd), "%s/initrd", folder);
	snprintf(append, sizeof(append), "console=ttyS0 quiet panic=-1 %s %s",
		 emulated_words(), q->append ? q->append : "");
	snprintf(size, sizeof(size), "%sM", mib);
	ADD(words, "--name", QEMU_GUEST_NAME, "--verbose");
	/* Otherwise the options create the memory themselves. */
	if (strstr(q->memory[1], QEMU_GUEST_FD))
		ADD(words, "--memory-size", size);
	add(words, q->exec);
	ADD(words, "--", QEMU, "-M", machine, "-m", mib, "-cpu",
	    "host", "-smp", q->cpus ? q->cpus : "1", "-nodefaults", "-display",
	    "none", "-vga", "none", "-chardev", "stdio,id=c,signal=off",
	    "-serial", "chardev:c");
	if (q->bios)
		ADD(words, "-bios", q->bios);
	else
		ADD(words, "-kernel", kernel, "-initrd", initrd, "-append", append);
	add(words, q->memory);
	add(words, q->options);
	q->process.pid = boot_start_with(words, in, q->process.out,
					 q->process.out);
}

bool qemu_guest_wait(struct qemu *q, const char *text, unsigned int seconds)
{
	return boot_wait_for(&q->boot, q->process.pid, q->process.out, text,
			     seconds);
}

bool qemu_guest_start(struct qemu *q, const char *text, unsigned int seconds)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return false;
	q->input = fds[1];
	q->process.out = output_file();
	q->process.err = output_file();
	spawn(q, fds[0]);
	close(fds[0]);
	return qemu_guest_wait(q, text, seconds);
}

void qemu_guest_type(struct qemu *q, const char *line)
{
	if (write(q->input, line, strlen(line)) < 0)
		return;
}

void qemu_guest_seen(struct qemu *q)
{
	q->boot.seen = strlen(q->boot.console);
}

/* Return: the signal that has killed the process, or 0. It is not reaped. */
static int killed_by(pid_t pid)
{
	siginfo_t info = { 0 };

	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	return info.si_code == CLD_EXITED ? 0 : info.si_status;
}

bool qemu_guest_end(struct qemu *q, unsigned int seconds)
{
	bool ended = false;

	for (unsigned int i = 0; !ended && i < seconds * 20; i++) {
		ended = boot_has_ended(q->process.pid);
		if (!ended)
			usleep(50000);
	}
	if (!ended)
		kill(q->process.pid, SIGKILL);
	close(q->input);
	q->signal = killed_by(q->process.pid);
	boot_end(&q->boot, q->process.pid, q->process.err, q->process.out);
	return ended;
}
