// SPDX-License-Identifier: GPL-2.0
/*
 * The demo: the user's file is a disk, padded to whole sectors. Make a copy with its real
 * size, and let gmemctl do the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define DISK	"/dev/vda"
#define INPUT	"/tmp/input"
#define TIMEOUT	1500

static int demo_copy(int in, int out, uint64_t left)
{
	static char buf[1 << 20];
	size_t want;
	ssize_t n;

	while (left) {
		want = left < sizeof(buf) ? left : sizeof(buf);
		n = read(in, buf, want);
		if (n <= 0)
			return n ? -errno : -ENODATA;
		if (write(out, buf, n) != n)
			return -ENOSPC;
		left -= n;
	}
	return 0;
}

static int demo_input(uint64_t size)
{
	int in, out, err;

	out = open(INPUT, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	err = 0;
	if (size) {
		in = open(DISK, O_RDONLY | O_CLOEXEC);
		err = in < 0 ? -errno : demo_copy(in, out, size);
		if (in >= 0)
			close(in);
	}
	close(out);
	return err;
}

static void demo_line(void *ctx, bool is_stderr, const char *line)
{
	(void)ctx;
	(void)is_stderr;
	port_line("%s", line);
}

/* Return: the exit status of gmemctl, for the host's last line. */
int demo_run(void)
{
	char *argv[] = { (char *)"/usr/sbin/gmemctl", (char *)"demo",
			 (char *)"--input", (char *)INPUT, NULL };
	const char *size = getenv("GMEM_INPUT_SIZE");
	int64_t deadline;
	int err, status;

	kmsg_mark("demo");
	err = demo_input(size ? strtoull(size, NULL, 10) : 0);
	if (err) {
		port_line("init: " INPUT ": copy from " DISK ": %s",
			  strerror(-err));
		return 1;
	}
	deadline = now_ms() + TIMEOUT * 1000LL;
	status = spawn(argv, &deadline, demo_line, NULL);
	if (kmsg_judge())
		port_line("init: the kernel complained, see above");
	if (status < 0 || WIFSIGNALED(status)) {
		port_line("init: gmemctl demo: %s", status < 0 ?
			  "timed out" : strsignal(WTERMSIG(status)));
		return 1;
	}
	return WEXITSTATUS(status);
}
