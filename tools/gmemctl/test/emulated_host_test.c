// SPDX-License-Identifier: GPL-2.0
/* What a Linux guest is told on a host that is emulated. */
#include "../boot/linux.h"
#include "ksft.h"

static bool adds(const char *cmdline, unsigned int tsc_khz, const char *expected)
{
	char words[EMULATED_HOST_WORDS_MAX];

	emulated_host_words(cmdline, tsc_khz, words);
	return !strcmp(words, expected);
}

/* C23 */
TEST_OF(emulated_host, C23_words)
{
	EXPECT_TRUE(adds("console=ttyS0", 2000000,
			 " noxsave no5lvl no_timer_check tsc=reliable tsc_early_khz=2000000"));
	EXPECT_TRUE(adds("", 4294967295U,
			 " noxsave no5lvl no_timer_check tsc=reliable tsc_early_khz=4294967295"));
	EXPECT_TRUE(adds("", 0, " noxsave no5lvl no_timer_check"));
	/* What is there is not repeated, and the user's value counts. */
	EXPECT_TRUE(adds("noxsave no5lvl\tno_timer_check tsc=unstable tsc_early_khz=1", 5, ""));
	EXPECT_TRUE(adds("a=noxsave noxsaves xno5lvl tsc_early", 5,
			 " noxsave no5lvl no_timer_check tsc=reliable tsc_early_khz=5"));
	EXPECT_TRUE(adds("tsc", 5, " noxsave no5lvl no_timer_check tsc_early_khz=5"));
}

TEST_OF(emulated_host, C23_name)
{
	static const char names[][13] = {
		"TCGTCGTCGTCG", "KVMKVMKVM\0\0\0", "Microsoft Hv", "TCGTCGTCGTCX",
	};
	uint32_t name[3];

	for (unsigned int i = 0; i < 4; i++) {
		memcpy(name, names[i], sizeof(name));
		EXPECT_EQ(emulated_host_is_tcg(name), !i);
	}
}
