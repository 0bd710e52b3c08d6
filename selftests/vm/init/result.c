// SPDX-License-Identifier: GPL-2.0
/* Top-level KTAP: one line per program and per check around it. */
#include <stdarg.h>
#include <stdio.h>

#include "init.h"

static unsigned int number, failures;

void result_plan(unsigned int count)
{
	port_line("KTAP version 1");
	port_line("1..%u", count);
}

void result(bool ok, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	failures += !ok;
	port_line("%s %u %s", ok ? "ok" : "not ok", ++number, text);
}

unsigned int result_failures(void)
{
	return failures;
}
