// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the kernel since the last check, and which of them are complaints.
 *
 * KCSAN reports races anywhere in the kernel. A race is gmem's if a function of its
 * modules makes one of the accesses, or if its functions are close above both accesses,
 * for instance when two of them use an xarray without a lock. All other races are the
 * kernel's, and only a note.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define SHOW_AFTER	48	/* lines shown after a complaint */
#define RACE_LINES	96
#define RACE_NEAR	3	/* distance in frames that counts as close */
#define LINE_LEN	256

static const char *const complaints[] = {
	"BUG:", "kernel BUG at", "WARNING:", "Oops", "general protection fault",
	"possible circular locking", "possible recursive locking",
	"possible irq lock inversion", "inconsistent lock state",
	"suspicious RCU usage", "bad unlock balance", "held lock freed",
	"lock held when returning to user space",
	"DEBUG_LOCKS_WARN_ON", "INFO: trying to register non-static key",
	"KASAN:", "UBSAN:", "Bad page", "bad page", "page_table_check",
	"blocked for more than", "soft lockup", "hard LOCKUP", "rcu_preempt detected stall",
	"self-detected stall", "new suspected memory leaks", "refcount_t:",
	"list_add corruption", "list_del corruption", "scheduling while atomic",
	"sleeping function called from invalid context", "Objects remaining",
	"unable to handle", "cache_destroy", "VM_BUG_ON",
};

static int fd = -1;

/* The KCSAN report that is being collected. Only its stacks show whether it is gmem's. */
static struct {
	bool open, ours, near[2];
	unsigned int count, access, frame;
	char line[RACE_LINES][LINE_LEN];
} race;

int kmsg_open(void)
{
	fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static bool is_complaint(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(complaints); i++)
		if (strstr(text, complaints[i]))
			return true;
	return false;
}

static bool race_close(void)
{
	bool ours = race.ours || (race.near[0] && race.near[1]);
	unsigned int i;

	if (!race.open)
		return false;
	if (ours)
		for (i = 0; i < race.count; i++)
			port_line("# kernel: %s", race.line[i]);
	else
		port_line("# note, not gmem's: %s", race.line[0]);
	memset(&race, 0, sizeof(race));
	return ours;
}

/* The header names both functions; each access has a stack of its own. */
static void race_look(const char *text)
{
	bool gmem = strstr(text, "gmem_") || strstr(text, "[pvmemcontrol");

	if (!race.count) {
		race.ours = gmem;
	} else if (strstr(text, " bytes by ")) {
		race.access++;
		race.frame = 0;
	} else if (text[0] == ' ' && text[1] != ' ' && text[1] != '#' &&
		   race.access && race.access <= 2) {
		if (race.frame++ < RACE_NEAR && gmem)
			race.near[race.access - 1] = true;
	}
}

static bool race_collect(const char *text)
{
	if (!strncmp(text, "=======", 7) || race.count == RACE_LINES)
		return race_close();
	race_look(text);
	snprintf(race.line[race.count++], LINE_LEN, "%s", text);
	return false;
}

/*
 * Judge a line. *show is the number of lines still to be shown after a complaint. Another
 * complaint among them is not counted.
 */
static bool kmsg_line(const char *text, unsigned int *show)
{
	if (race.open)
		return race_collect(text);
	if (strstr(text, "BUG: KCSAN:")) {
		race.open = true;
		return race_collect(text);
	}
	if (*show) {
		port_line("# kernel: %s", text);
		--*show;
		return false;
	}
	if (!is_complaint(text))
		return false;
	port_line("# kernel: %s", text);
	*show = SHOW_AFTER;
	return true;
}

/* The text of a record: after the ';', up to the first newline. */
static char *record_text(char *record, ssize_t len)
{
	char *text;

	record[len] = '\0';
	text = strchr(record, ';');
	if (!text)
		return NULL;
	text++;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static unsigned int kmsg_drain(bool judge)
{
	static char record[8192];
	unsigned int show = 0, bad = 0;
	ssize_t n;
	char *text;

	for (;;) {
		n = read(fd, record, sizeof(record) - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE) {
			port_line("# note: kernel log overran, lines were lost");
			continue;
		}
		if (n <= 0)
			break;
		text = record_text(record, n);
		if (judge && text)
			bad += kmsg_line(text, &show);
	}
	return bad + (judge ? race_close() : 0);
}

void kmsg_mark(const char *what)
{
	char line[300];
	int len;

	len = snprintf(line, sizeof(line), "<5>gmem-init: %s\n", what);
	if (write(fd, line, len) < 0)
		port_line("# note: kernel log: mark: %s", strerror(errno));
	kmsg_drain(false);
}

/* Return: number of complaints since the last mark. All of them are printed. */
unsigned int kmsg_judge(void)
{
	return kmsg_drain(true);
}
