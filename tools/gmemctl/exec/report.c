// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec.h"
#include "report.h"

#define SPEAKER "gmemctl exec: "
#define LINE_MAX_BYTES 640

struct exec_settings exec_settings = { .timeout_ms = EXEC_TIMEOUT_MS };
struct exec_counters exec_counters;

/* `gmemctl exec` has checked the values. Invalid ones set by hand get the default. */
void exec_settings_read(void)
{
	const char *timeout = getenv(EXEC_TIMEOUT), *stats = getenv(EXEC_STATS);
	unsigned long ms = timeout ? strtoul(timeout, NULL, 10) : EXEC_TIMEOUT_MS;

	exec_settings.name = getenv(EXEC_NAME);
	exec_settings.timeout_ms = ms <= 60000 ? (uint32_t)ms : EXEC_TIMEOUT_MS;
	exec_settings.stats = stats && strcmp(stats, "0");
}

/*
 * If stderr is a pipe without a reader, the text is lost. Block and discard the SIGPIPE, which
 * would end the VMM, unless one was pending before.
 */
static void say(const char *text, size_t size)
{
	const struct timespec now = { 0, 0 };
	sigset_t broken, before, pending;

	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	exec_next()->pthread_sigmask(SIG_BLOCK, &broken, &before);
	sigpending(&pending);
	if (write(STDERR_FILENO, text, size) < 0 && errno == EPIPE &&
	    !sigismember(&pending, SIGPIPE))
		sigtimedwait(&broken, NULL, &now);
	exec_next()->pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void exec_say(const char *format, ...)
{
	char line[LINE_MAX_BYTES] = SPEAKER;
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	used = strlen(line);
	line[used++] = '\n';
	say(line, used);
}

/* For signal handlers, which cannot use snprintf(). */
void exec_say_number(const char *before, uint64_t number, const char *after)
{
	char line[LINE_MAX_BYTES] = SPEAKER;
	size_t used = strlen(line), size = strlen(before);
	unsigned int shift = 60;

	if (used + size + strlen(after) + 20 > sizeof(line))
		return;
	memcpy(line + used, before, size);
	used += size;
	line[used++] = '0';
	line[used++] = 'x';
	while (shift && !(number >> shift))
		shift -= 4;
	for (;; shift -= 4) {
		line[used++] = "0123456789abcdef"[number >> shift & 15];
		if (!shift)
			break;
	}
	size = strlen(after);
	memcpy(line + used, after, size);
	used += size;
	line[used++] = '\n';
	say(line, used);
}

void exec_say_stats(void)
{
	const struct exec_counters *c = &exec_counters;

	if (exec_settings.stats)
		exec_say("%" PRIu64 " exits; %" PRIu64 " faults answered with %" PRIu64 " pages; %"
			 PRIu64 " conversions of %" PRIu64 " pages, %" PRIu64 " refused; %" PRIu64
			 " pages of zeros", exec_counted(&c->exits), exec_counted(&c->faults),
			 exec_counted(&c->pages), exec_counted(&c->conversions),
			 exec_counted(&c->converted_bytes) / 4096, exec_counted(&c->refused),
			 exec_counted(&c->zeros));
}
