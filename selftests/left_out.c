// SPDX-License-Identifier: GPL-2.0
/*
 * Replaces a program that does not support this architecture, so that it is counted as
 * skipped, with the reason.
 */
#include <stdio.h>

#define KSFT_SKIP 4

int main(void)
{
	puts("KTAP version 1");
	puts("1..0 # SKIP unsupported-by-design: its guests are x86's");
	return KSFT_SKIP;
}
