// SPDX-License-Identifier: GPL-2.0
/* Look-ups, overlaps and split accesses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../devices/bus.h"
#include "unit.h"

static char log_text[256];

static void say(const char *what, const char *name, uint64_t offset,
		unsigned int size)
{
	size_t used = strlen(log_text);

	snprintf(log_text + used, sizeof(log_text) - used, "%s%s%s%u+%u",
		 used ? " " : "", name, what, (unsigned int)offset, size);
}

static void note_read(void *data, uint64_t offset, uint8_t *bytes,
		      unsigned int size)
{
	say("r", data, offset, size);
	memset(bytes, (int)offset, size);
}

static void note_write(void *data, uint64_t offset, const uint8_t *bytes,
		       unsigned int size)
{
	(void)bytes;
	say("w", data, offset, size);
}

static struct bus_device device(const char *name, uint64_t start, uint64_t size,
				unsigned int width)
{
	return (struct bus_device){
		.name = name,
		.start = start,
		.size = size,
		.width = width,
		.read = note_read,
		.write = note_write,
		.data = (void *)name,
	};
}

static int add(struct bus *bus, const char *name, uint64_t start, uint64_t size)
{
	struct bus_device added = device(name, start, size, 4);

	return bus_add(bus, &added, NULL);
}

static bool said(const char *expected)
{
	bool same = !strcmp(log_text, expected);

	if (!same)
		printf("# expected: %s\n# log:      %s\n", expected, log_text);
	log_text[0] = '\0';
	return same;
}

/* Devices come in any order; the edges of each are found, and nothing else. */
static void test_bus_find(void)
{
	struct bus bus = { 0 };

	CHECK(!bus_find(&bus, 0));
	CHECK(!add(&bus, "b", 0x20, 8));
	CHECK(!add(&bus, "a", 0x10, 1));
	CHECK(!add(&bus, "d", UINT64_MAX, 1));
	CHECK(!add(&bus, "c", 0x28, 4));
	CHECK(!bus_find(&bus, 0x0f));
	CHECK_EQ(bus_find(&bus, 0x10)->data, bus.devices[0].data);
	CHECK(!bus_find(&bus, 0x11));
	CHECK(!bus_find(&bus, 0x1f));
	CHECK_STR(bus_find(&bus, 0x20)->name, "b");
	CHECK_STR(bus_find(&bus, 0x27)->name, "b");
	CHECK_STR(bus_find(&bus, 0x28)->name, "c");
	CHECK(!bus_find(&bus, 0x2c));
	CHECK_STR(bus_find(&bus, UINT64_MAX)->name, "d");
}

static void test_bus_refused(void)
{
	struct bus bus = { 0 };
	struct bus_device odd = device("odd", 0, 1, 1);

	CHECK(!add(&bus, "a", 0x10, 0x10));
	CHECK_EQ(add(&bus, "same", 0x10, 0x10), -EEXIST);
	CHECK_EQ(add(&bus, "below", 0x08, 9), -EEXIST);
	CHECK_EQ(add(&bus, "above", 0x1f, 1), -EEXIST);
	CHECK_EQ(add(&bus, "inside", 0x18, 1), -EEXIST);
	CHECK_EQ(add(&bus, "around", 0, 0x1000), -EEXIST);
	CHECK_EQ(add(&bus, "empty", 0, 0), -EINVAL);
	CHECK_EQ(add(&bus, "wraps", UINT64_MAX, 2), -EINVAL);
	odd.width = 0;
	CHECK_EQ(bus_add(&bus, &odd, NULL), -EINVAL);
	odd.width = 1;
	odd.read = NULL;
	CHECK_EQ(bus_add(&bus, &odd, NULL), -EINVAL);
	CHECK_EQ(bus.nr_devices, 1);
	CHECK(!add(&bus, "next", 0x08, 8));
	for (unsigned int i = 2; i < BUS_DEVICES_MAX; i++)
		CHECK(!add(&bus, "more", 0x100 * i, 1));
	CHECK_EQ(add(&bus, "too many", 0xffff, 1), -ENOSPC);
}

/* Wider than the device, over its end, and where nothing is. */
static void test_bus_split(void)
{
	struct bus_device narrow = device("n", 0x10, 3, 1);
	struct bus_device wide = device("w", 0x13, 4, 4);
	uint8_t bytes[8];
	struct bus bus = { 0 };

	CHECK(!bus_add(&bus, &narrow, NULL));
	CHECK(!bus_add(&bus, &wide, NULL));
	CHECK(bus_read(&bus, 0x0f, bytes, 4));
	CHECK(said("nr0+1 nr1+1 nr2+1"));
	CHECK(bytes[0] == 0xff && bytes[1] == 0 && bytes[3] == 2);
	CHECK(bus_write(&bus, 0x12, bytes, 8));
	CHECK(said("nw2+1 ww0+4"));
	CHECK(bus_read(&bus, 0x15, bytes, 4));
	CHECK(said("wr2+2"));
	CHECK(bytes[1] == 2 && bytes[2] == 0xff && bytes[3] == 0xff);
	CHECK(!bus_read(&bus, 0x100, bytes, 8));
	CHECK(!bus_write(&bus, 0x100, bytes, 8));
	CHECK(said(""));
	CHECK(bytes[0] == 0xff && bytes[7] == 0xff);
}

static const struct unit_test tests[] = {
	{ "bus.find", test_bus_find },
	{ "bus.refused", test_bus_refused },
	{ "bus.split", test_bus_split },
};

UNIT_TESTS(tests)
