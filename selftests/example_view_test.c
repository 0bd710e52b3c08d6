// SPDX-License-Identifier: GPL-2.0
/*
 * The example of Documentation/view.rst works: a guest in an ordinary VM makes a page
 * private, and shared again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gmem_view.h"
#include "ksft.h"

int view_vmm_main(void);

#define main view_vmm_main
#include "../Documentation/examples/view_vmm.c"
#undef main

static char text[4096];

/* Run the example. Return: its exit code; its output is stored. */
static int run_example(void)
{
	int out = memfd_create("output", 0), saved = dup(STDOUT_FILENO), code;
	ssize_t got;

	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	code = view_vmm_main();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	got = pread(out, text, sizeof(text) - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	close(out);
	return code;
}

static bool says_in_order(const char *const lines[])
{
	const char *at = text;

	for (; *lines; lines++) {
		at = strstr(at, *lines);
		if (!at) {
			TH_LOG("not there: %s in: %s", *lines, text);
			return false;
		}
	}
	return true;
}

TEST(view_vmm)
{
	static const char *const lines[] = {
		"the host reads 0x41", "0x8000 to private: done",
		"the guest has 0x42", "the host reads nothing: Bad address",
		"touch of 0xf000", "0x8000 to shared: done",
		"the guest has ended (exit 5)", "the host reads 0x42", NULL,
	};

	if (access("/dev/kvm", R_OK | W_OK))
		SKIP(return, KSFT_BY_DESIGN " no /dev/kvm");
	EXPECT_EQ(0, run_example());
	EXPECT_TRUE(says_in_order(lines));
}

TEST_HARNESS_MAIN_IF(gmem_view_unavailable())
