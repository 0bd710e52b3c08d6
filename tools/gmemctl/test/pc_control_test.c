// SPDX-License-Identifier: GPL-2.0
/* What a PC answers on its control socket; the KVM below it is the tests'. */
#include "kvm_fake.h"
#include "pc_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static struct pc *const pc = &pc_fake.pc;

static uint64_t stat_of(const char *key)
{
	struct json_object *result, *value;
	uint64_t number = UINT64_MAX;

	EXPECT_FALSE(pc_ask_for("stat", "{}", &result));
	if (json_object_object_get_ex(result, key, &value))
		number = json_object_get_uint64(value);
	json_object_put(result);
	return number;
}

/* Whether the map is, without its spaces, @expected. */
static bool map_is(const char *request, const char *expected)
{
	struct json_object *result;
	const char *text;
	bool same;

	if (pc_ask_for("map", request, &result))
		return false;
	text = json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN);
	same = !strcmp(text, expected);
	if (!same)
		printf("# map: %s\n", text);
	json_object_put(result);
	return same;
}

TEST_OF(pc, control_stat)
{
	EXPECT_TRUE(pc_fake_start());
	EXPECT_EQ(stat_of("memory"), 32 * PAGE);
	EXPECT_FALSE(stat_of("private_bytes"));
	EXPECT_FALSE(stat_of("resident_bytes"));
	memset(pc->machine.memory.reservation.base + 65 * PAGE, 1, 2 * PAGE);
	EXPECT_EQ(stat_of("resident_bytes"), 2 * PAGE);
	EXPECT_FALSE(pc_ask("convert", "{\"start\":0,\"size\":8192,\"to\":\"private\"}"));
	EXPECT_EQ(stat_of("private_bytes"), 2 * PAGE);
	EXPECT_EQ(stat_of("conversions"), 1);
	/* However often somebody looks. */
	EXPECT_GT(stat_of("conversions_per_second"), 0);
	EXPECT_GT(stat_of("conversions_per_second"), 0);
	EXPECT_EQ(stat_of("converted_bytes"), 2 * PAGE);
	EXPECT_FALSE(pc_ask("decommit", "{\"start\":266240,\"size\":4096}"));
	EXPECT_EQ(stat_of("resident_bytes"), PAGE);
	pc_fake_stop();
}

TEST_OF(pc, control_map)
{
	EXPECT_TRUE(pc_fake_start());
	EXPECT_TRUE(map_is("{}", "{\"ranges\":[{\"start\":0,\"size\":65536,\"state\":\"shared\"},"
			   "{\"start\":262144,\"size\":65536,\"state\":\"shared\"}]}"));
	EXPECT_FALSE(pc_ask("convert", "{\"start\":4096,\"size\":8192,\"to\":\"private\"}"));
	EXPECT_TRUE(kvm_fake_private(1, 3));
	EXPECT_TRUE(map_is("{}", "{\"ranges\":[{\"start\":0,\"size\":4096,\"state\":\"shared\"},"
			   "{\"start\":4096,\"size\":8192,\"state\":\"private\"},"
			   "{\"start\":12288,\"size\":53248,\"state\":\"shared\"},"
			   "{\"start\":262144,\"size\":65536,\"state\":\"shared\"}]}"));
	EXPECT_TRUE(map_is("{\"start\":8192}",
			   "{\"ranges\":[{\"start\":8192,\"size\":4096,\"state\":\"private\"},"
			   "{\"start\":12288,\"size\":53248,\"state\":\"shared\"},"
			   "{\"start\":262144,\"size\":65536,\"state\":\"shared\"}]}"));
	EXPECT_TRUE(map_is("{\"start\":18446744073709547520}", "{\"ranges\":[]}"));
	EXPECT_FALSE(pc_ask("convert", "{\"start\":4096,\"size\":8192,\"to\":\"shared\"}"));
	EXPECT_TRUE(kvm_fake_private(0, 0));
	pc_fake_stop();
}

/* Whatever is asked, nothing happens but what was asked for. */
TEST_OF(pc, control_refused)
{
	static const char *const bad[] = {
		"{}", "{\"start\":0}", "{\"size\":4096}",
		"{\"start\":\"0\",\"size\":4096}",
		"{\"start\":0,\"size\":0}", "{\"start\":1,\"size\":4096}",
		"{\"start\":0,\"size\":4095}", "{\"start\":-4096,\"size\":4096}",
		"{\"start\":18446744073709547520,\"size\":8192}",
	};

	EXPECT_TRUE(pc_fake_start());
	ksft_for_each(item, bad)
		EXPECT_EQ(pc_ask("decommit", *item), -EINVAL);
	EXPECT_EQ(pc_ask("decommit", "{\"start\":65536,\"size\":4096}"), -EINVAL);
	EXPECT_EQ(pc_ask("decommit", "{\"start\":0,\"size\":327680}"), -EINVAL);
	EXPECT_EQ(pc_ask("convert", "{\"start\":0,\"size\":4096}"), -EINVAL);
	EXPECT_EQ(pc_ask("convert", "{\"start\":0,\"size\":4096,\"to\":\"x\"}"), -EINVAL);
	EXPECT_EQ(pc_ask("convert", "{\"start\":0,\"size\":0,\"to\":\"shared\"}"), -EINVAL);
	EXPECT_EQ(pc_ask("convert", "{\"start\":61440,\"size\":8192,\"to\":\"private\"}"), -EINVAL);
	EXPECT_TRUE(pc_fake.error.hint[0]);
	EXPECT_STREQ(pc_fake.error.object, "range");
	EXPECT_EQ(pc_ask("map", "{\"start\":1}"), -EINVAL);
	EXPECT_EQ(pc_ask("map", "{\"start\":\"x\"}"), -EINVAL);
	EXPECT_EQ(pc_ask("handstand", "{}"), -EOPNOTSUPP);
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_FALSE(stat_of("conversions"));
	EXPECT_EQ(pc->machine.end, END_NONE);
	EXPECT_FALSE(pc_ask("stop", "{}"));
	EXPECT_EQ(pc->machine.end, END_STOPPED);
	pc_fake_stop();
}
