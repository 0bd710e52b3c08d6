// SPDX-License-Identifier: GPL-2.0
/* The parsers take what they document, all of it, and nothing else. */
#include <stddef.h>

#include "../cli/command.h"
#include "ksft.h"

TEST_OF(size, good)
{
	static const struct {
		const char *text;
		uint64_t size;
	} cases[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "4096", 4096 },
		{ "4K", 4096 },
		{ "4k", 4096 },
		{ "007M", 7 << 20 },
		{ "3G", UINT64_C(3) << 30 },
		{ "4KB", 4096 },
		{ "4KiB", 4096 },
		{ "0x1000", 4096 },
		{ "0X10kB", 16384 },
		{ "2mib", 2 << 20 },
		{ "1T", UINT64_C(1) << 40 },
		{ "2tb", UINT64_C(2) << 40 },
		{ "18446744073709551615", UINT64_MAX },
		{ "16777215TiB", UINT64_C(16777215) << 40 },
		{ "17179869183G", UINT64_C(17179869183) << 30 },
	};

	ksft_for_each(c, cases) {
		uint64_t size = 42;

		EXPECT_FALSE(size_parse(c->text, &size));
		EXPECT_EQ(size, c->size);
	}
}

TEST_OF(size, bad)
{
	static const char *const invalid[] = {
		"", "K", "-1", "+1", " 1", "1 ", "1KK", "0x", "0xg", "1P", "1B",
		"1iB", "1Ki", "1KBB", "1K B", "1.5G", "G1", "1\n",
	};
	static const char *const too_large[] = {
		"18446744073709551616", "99999999999999999999999",
		"17179869184G", "16777216T", "18446744073709551615K",
		"0x10000000000000000", "0x4000000000000000K",
	};
	uint64_t size = 42;

	ksft_for_each(item, invalid)
		EXPECT_EQ(size_parse(*item, &size), -EINVAL);
	ksft_for_each(item, too_large)
		EXPECT_EQ(size_parse(*item, &size), -ERANGE);
	EXPECT_EQ(size, 42);
}

TEST_OF(size, count)
{
	uint32_t count = 42;

	EXPECT_EQ(count_parse("9", 8, &count), -ERANGE);
	EXPECT_EQ(count_parse("4294967296", UINT32_MAX, &count), -ERANGE);
	EXPECT_EQ(count_parse("1K", 8000, &count), -EINVAL);
	EXPECT_EQ(count_parse("", 8, &count), -EINVAL);
	EXPECT_EQ(count, 42);
	EXPECT_FALSE(count_parse("8", 8, &count));
	EXPECT_EQ(count, 8);
}

TEST_OF(size, number)
{
	static const char *const bad[] = {
		"", "x", "0x", "0xg", "0x1 ", " 1", "-1", "+1", "1k", "0x-1",
		"18446744073709551616", "0x10000000000000000", "1x0", "00x1",
	};
	uint64_t number = 42;

	ksft_for_each(item, bad)
		EXPECT_TRUE(number_parse(*item, &number));
	EXPECT_EQ(number, 42);
	EXPECT_FALSE(number_parse("0x30000", &number));
	EXPECT_EQ(number, 0x30000);
	EXPECT_FALSE(number_parse("0XfF", &number));
	EXPECT_EQ(number, 255);
	EXPECT_FALSE(number_parse("010", &number));
	EXPECT_EQ(number, 10);
	EXPECT_FALSE(number_parse("0", &number));
	EXPECT_EQ(number, 0);
	EXPECT_FALSE(number_parse("0xffffffffffffffff", &number));
	EXPECT_EQ(number, UINT64_MAX);
}
