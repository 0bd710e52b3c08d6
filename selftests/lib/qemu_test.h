/* SPDX-License-Identifier: GPL-2.0 */
/* Common functions of the tests of `gmemctl exec`. */
#ifndef QEMU_TEST_H
#define QEMU_TEST_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "qemu_guest.h"

#define QEMU_WAIT_S	150

/*
 * The message that /convert is ready, followed by the address of the memory that it
 * converts.
 */
#define QEMU_PLACE	"gmem-guest: memory at "

/* Run a command of gmemctl. Return: its exit code. @text: its output. */
#define qemu_control(text, size, ...) \
	tool_run(text, size, (const char *const[]){ __VA_ARGS__, NULL })

#define NEED_QEMU() do {						\
	const char *__why = qemu_guest_unavailable();			\
									\
	if (!__why)							\
		__why = gmem_unavailable();				\
	if (!__why)							\
		__why = control_unavailable();				\
	if (__why)							\
		SKIP(return, "%s", __why);				\
} while (0)

/* Print the output, and fail. */
static inline void qemu_lost(struct qemu *q, const char *what)
{
	qemu_guest_end(q, 0);
	boot_log(&q->boot, q->boot.console);
	TH_LOG("not seen: %s", what);
	ASSERT_TRUE(!"the guest goes on");
}

static inline void qemu_expect(struct qemu *q, const char *what)
{
	if (!qemu_guest_wait(q, what, QEMU_WAIT_S))
		qemu_lost(q, what);
}

/* The same, but wait for the end of the line, so that qemu_answer() can parse it. */
static inline void qemu_expect_line(struct qemu *q, const char *what)
{
	qemu_expect(q, what);
	q->boot.seen = (size_t)(strstr(q->boot.console + q->boot.seen, what) -
				q->boot.console);
	qemu_expect(q, "\n");
}

/* Return: the number after @key, from the line on that was last waited for. */
static inline uint64_t qemu_answer(const struct qemu *q, const char *key)
{
	const char *at = strstr(q->boot.console + q->boot.seen, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static inline void qemu_start_until(struct qemu *q, const char *what)
{
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-exec", 1);
	if (!qemu_guest_start(q, what, QEMU_WAIT_S))
		qemu_lost(q, what);
	qemu_expect_line(q, what);
}

static inline void qemu_start(struct qemu *q)
{
	qemu_start_until(q, QEMU_PLACE);
}

/* Send a command to /convert, and wait for the answer. */
static inline void qemu_order(struct qemu *q, const char *line, const char *answer)
{
	qemu_guest_seen(q);
	qemu_guest_type(q, line);
	qemu_expect_line(q, answer);
}

#endif /* QEMU_TEST_H */
