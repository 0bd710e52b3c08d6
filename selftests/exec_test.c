// SPDX-License-Identifier: GPL-2.0
/*
 * Debian's QEMU, which nobody has changed, has a guest with private memory: it runs
 * under `gmemctl exec`. Its RAM is a gmem fd, on any kernel and of any VM type.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "qemu_guest.h"

#define TIMEOUT	400
#define UP_S	150
#define WAIT_S	120
#define PLACE	"gmem-guest: memory at "

static struct qemu qemu;

/* Show what was said, and fail. */
static void lost(struct qemu *q, const char *what)
{
	qemu_guest_end(q, 0);
	boot_log(&q->boot, q->boot.console);
	TH_LOG("not seen: %s", what);
	ASSERT_TRUE(!"the guest goes on");
}

static void expect_said(struct qemu *q, const char *text, unsigned int seconds)
{
	if (!qemu_guest_wait(q, text, seconds))
		lost(q, text);
}

static void start(struct qemu *q)
{
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-exec", 1);
	if (!qemu_guest_start(q, PLACE, UP_S))
		lost(q, PLACE);
}

static void converts(const char *machine, const char *cpus)
{
	const char *why = qemu_guest_unavailable();
	struct qemu *q = &qemu;

	if (!why)
		why = gmem_unavailable();
	if (why)
		SKIP(return, "%s", why);
	*q = (struct qemu){
		.machine = machine,
		.memory = QEMU_GUEST_RAM,
		.cpus = cpus,
		.append = "GMEM_RUN=/convert GMEM_ACTION=power-off",
	};
	start(q);
	qemu_guest_type(q, "run 3000 keep\n");
	expect_said(q, "gmem-guest: 1: ", WAIT_S);
	qemu_guest_type(q, "end\n");
	expect_said(q, "gmem-guest: 2: ", WAIT_S);
	EXPECT_TRUE(qemu_guest_end(q, 60));
	/* What it had written was there, on either side, and nothing was refused. */
	EXPECT_TRUE(strstr(q->boot.console, "refused=0 wrong=0"));
	EXPECT_TRUE(strstr(q->boot.console, ": 2: rc=0 wrong=0"));
	EXPECT_TRUE(strstr(q->boot.console, "faults answered"));
	EXPECT_FALSE(strstr(q->boot.console, " 0 conversions"));
	boot_log(&q->boot, q->boot.console);
}

TEST_TIMEOUT(pc, TIMEOUT)
{
	converts("pc", "1");
}

TEST_TIMEOUT(q35_two_cpus, TIMEOUT)
{
	converts("q35", "2");
}

TEST_HARNESS_MAIN
