// SPDX-License-Identifier: GPL-2.0
/* Leaks: kmemleak, slab caches, and whether lockdep still works. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define REPORT_LINES	80

bool leak_available(void)
{
	return !access(KMEMLEAK, W_OK);
}

/*
 * kmemleak does not report objects that are younger than five seconds, and 7.3 reports an
 * object only after several scans in a row without a reference.
 */
static int leak_scan_thrice(void)
{
	int i, err = 0;

	sleep(6);
	for (i = 0; i < 3 && !err; i++)
		err = file_write(KMEMLEAK, "scan");
	/* kmemleak turns itself off if it runs out of memory. */
	if (err)
		port_line("# " KMEMLEAK ": scan: %s", strerror(-err));
	return err;
}

/* Leaks of the boot are not counted. */
void leak_prime(void)
{
	file_write(KMEMLEAK, "scan=off");
	leak_scan_thrice();
	file_write(KMEMLEAK, "clear");
}

unsigned int leak_scan(void)
{
	char line[512];
	unsigned int objects = 0, lines = 0;
	FILE *f;

	if (leak_scan_thrice())
		return 1;
	f = fopen(KMEMLEAK, "re");
	if (!f) {
		port_line("# " KMEMLEAK " cannot be read");
		return 1;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		objects += !strncmp(line, "unreferenced object", 19);
		if (lines++ < REPORT_LINES)
			port_line("# kmemleak: %s", line);
	}
	fclose(f);
	file_write(KMEMLEAK, "clear");
	return objects;
}

unsigned int slab_leftovers(void)
{
	char line[512];
	unsigned int left = 0;
	FILE *f = fopen("/proc/slabinfo", "re");

	if (!f) {
		port_line("# /proc/slabinfo cannot be read");
		return 1;
	}
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "gmem", 4))
			continue;
		line[strcspn(line, " ")] = '\0';
		port_line("# slab cache still there: %s", line);
		left++;
	}
	fclose(f);
	return left;
}

bool lockdep_available(void)
{
	return !access("/proc/lockdep_stats", R_OK);
}

/* Lockdep turns itself off after its first report. */
bool lockdep_alive(void)
{
	static char text[16384];
	const char *p;
	int on = 0;

	if (file_read("/proc/lockdep_stats", text, sizeof(text)) < 0)
		return false;
	p = strstr(text, "debug_locks:");
	return p && sscanf(p, "debug_locks: %d", &on) == 1 && on;
}
