// SPDX-License-Identifier: GPL-2.0
/* Text from outside: what is UTF-8, where it is cut, and what becomes of the rest. */
#include "../base/text.h"
#include "../control/control.h"
#include "ksft.h"

/* By the table of RFC 3629, section 4. */
TEST_OF(text, C20_character)
{
	static const struct {
		const char *text;
		size_t size;
	} cases[] = {
		{ "", 0 }, { "a", 1 }, { "\x7f", 1 }, { "\x80", 0 },
		{ "\xc1\xbf", 0 }, { "\xc2\x80", 2 }, { "\xdf\xbf", 2 },
		{ "\xc3", 0 }, { "\xc3g", 0 },
		{ "\xe0\x9f\xbf", 0 }, { "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 }, { "\xed\xa0\x80", 0 },
		{ "\xef\xbf\xbf", 3 }, { "\xe2\x82", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 }, { "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 }, { "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 }, { "\xff", 0 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool same = text_character(cases[i].text) == cases[i].size;

		if (!same)
			printf("# case %u\n", i);
		EXPECT_TRUE(same);
	}
}

/* C20: at every size of the buffer what is left is whole characters. */
TEST_OF(text, C20_format)
{
	static const char whole[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7z";
	static const size_t expected[] = {
		0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11,
	};
	char text[32];

	for (size_t size = 1; size < 14; size++) {
		text_print(text, size, "%s", whole);
		EXPECT_EQ(strlen(text), expected[size]);
		EXPECT_FALSE(strncmp(text, whole, strlen(text)));
	}
	/* What was no character before it was cut is left as it is. */
	text_print(text, 4, "%s", "\x80\x80\x80\x80\x80");
	EXPECT_GE(strlen(text), 2);
}

static bool escapes(const char *text, const char *expected)
{
	char *escaped = text_escape(text);
	bool same = escaped && !strcmp(escaped, expected);

	free(escaped);
	return same;
}

TEST_OF(text, C20_escape)
{
	EXPECT_TRUE(escapes("", ""));
	EXPECT_TRUE(escapes("plain", "plain"));
	EXPECT_TRUE(escapes("\xc3\xa4\xf0\x9f\x90\xa7", "\xc3\xa4\xf0\x9f\x90\xa7"));
	EXPECT_TRUE(escapes("a\xffz\xc3", "a\\xffz\\xc3"));
	EXPECT_TRUE(escapes("\xed\xa0\x80", "\\xed\\xa0\\x80"));
	/* JSON escapes controls of ASCII, and no others. */
	EXPECT_TRUE(escapes("\n\x1b\x7f\xc2\x9b\xc2\xa0", "\n\x1b\x7f\\xc2\\x9b\xc2\xa0"));
}

/* Nothing that is left is an order to a terminal, whose controls are of one byte or of two. */
TEST_OF(text, mask)
{
	static const struct {
		const char *text, *except, *masked;
	} cases[] = {
		{ "", "", "" },
		{ "a name \xc3\xa4\xf0\x9f\x90\xa7~", "", "a name \xc3\xa4\xf0\x9f\x90\xa7~" },
		{ "\x1b]0;title\x07", "", "?]0;title?" },
		{ "a\nb\rc\x7f", "", "a?b?c?" },
		{ "a\nb\rc", "\n", "a\nb?c" },
		{ "\302\2332J\xc2\x80\xc2\x9f\xc2\xa0", "", "??2J????\xc2\xa0" },
		{ "\2332J\xff\xc3", "", "?2J??" },
	};
	char text[64];

	ksft_for_each(row, cases) {
		snprintf(text, sizeof(text), "%s", row->text);
		text_mask(text, row->except);
		EXPECT_STREQ(text, row->masked);
		EXPECT_EQ(text_is_plain(row->text), !strcmp(row->text, row->masked));
	}
}

/* C20: what a VM answers to its clients is UTF-8, too. */
TEST_OF(text, C20_message)
{
	struct json_object *reply, *parsed;
	struct error error;
	const char *text;

	error_set(&error, -EINVAL, "na\xffme", "a\xc3", "%s", "\xfe");
	reply = message_error(&error);
	text = json_object_to_json_string(reply);
	EXPECT_FALSE(strchr(text, (char)0xff));
	EXPECT_FALSE(strchr(text, (char)0xfe));
	parsed = json_tokener_parse(text);
	EXPECT_TRUE(parsed);
	EXPECT_STRSTR(text, "na\\\\xffme");
	json_object_put(parsed);
	json_object_put(reply);
}
