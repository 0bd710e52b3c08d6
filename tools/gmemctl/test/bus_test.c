// SPDX-License-Identifier: GPL-2.0
/* Look-ups, overlaps and split accesses. */
#include "../devices/bus.h"
#include "ksft.h"

static char log_text[256];

static void say(const char *what, const char *name, uint64_t offset, unsigned int size)
{
	size_t used = strlen(log_text);

	snprintf(log_text + used, sizeof(log_text) - used, "%s%s%s%u+%u",
		 used ? " " : "", name, what, (unsigned int)offset, size);
}

static void note_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	say("r", data, offset, size);
	memset(bytes, (int)offset, size);
}

static void note_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	say("w", data, offset, size);
}

static struct bus_device device(const char *name, uint64_t start, uint64_t size, unsigned int width)
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
TEST_OF(bus, find)
{
	struct bus bus = { 0 };

	EXPECT_FALSE(bus_find(&bus, 0));
	EXPECT_FALSE(add(&bus, "b", 0x20, 8));
	EXPECT_FALSE(add(&bus, "a", 0x10, 1));
	EXPECT_FALSE(add(&bus, "d", UINT64_MAX, 1));
	EXPECT_FALSE(add(&bus, "c", 0x28, 4));
	EXPECT_FALSE(bus_find(&bus, 0x0f));
	EXPECT_EQ(bus_find(&bus, 0x10)->data, bus.devices[1].data);
	EXPECT_FALSE(bus_find(&bus, 0x11));
	EXPECT_FALSE(bus_find(&bus, 0x1f));
	EXPECT_STREQ(bus_find(&bus, 0x20)->name, "b");
	EXPECT_STREQ(bus_find(&bus, 0x27)->name, "b");
	EXPECT_STREQ(bus_find(&bus, 0x28)->name, "c");
	EXPECT_FALSE(bus_find(&bus, 0x2c));
	EXPECT_STREQ(bus_find(&bus, UINT64_MAX)->name, "d");
}

TEST_OF(bus, refused)
{
	struct bus bus = { 0 };
	struct bus_device odd = device("odd", 0, 1, 1);

	EXPECT_FALSE(add(&bus, "a", 0x10, 0x10));
	EXPECT_EQ(add(&bus, "same", 0x10, 0x10), -EEXIST);
	EXPECT_EQ(add(&bus, "below", 0x08, 9), -EEXIST);
	EXPECT_EQ(add(&bus, "above", 0x1f, 1), -EEXIST);
	EXPECT_EQ(add(&bus, "inside", 0x18, 1), -EEXIST);
	EXPECT_EQ(add(&bus, "around", 0, 0x1000), -EEXIST);
	EXPECT_EQ(add(&bus, "empty", 0, 0), -EINVAL);
	EXPECT_EQ(add(&bus, "wraps", UINT64_MAX, 2), -EINVAL);
	odd.width = 0;
	EXPECT_EQ(bus_add(&bus, &odd, NULL), -EINVAL);
	odd.width = 1;
	odd.read = NULL;
	EXPECT_EQ(bus_add(&bus, &odd, NULL), -EINVAL);
	EXPECT_EQ(bus.nr_devices, 1);
	EXPECT_FALSE(add(&bus, "next", 0x08, 8));
	for (unsigned int i = 2; i < BUS_DEVICES_MAX; i++)
		EXPECT_FALSE(add(&bus, "more", 0x100 * i, 1));
	EXPECT_EQ(add(&bus, "too many", 0xffff, 1), -ENOSPC);
}

/* Wider than the device, over its end, and where nothing is. */
TEST_OF(bus, split)
{
	struct bus_device narrow = device("n", 0x10, 3, 1);
	struct bus_device wide = device("w", 0x13, 4, 4);
	uint8_t bytes[8];
	struct bus bus = { 0 };

	EXPECT_FALSE(bus_add(&bus, &narrow, NULL));
	EXPECT_FALSE(bus_add(&bus, &wide, NULL));
	EXPECT_TRUE(bus_read(&bus, 0x0f, bytes, 4));
	EXPECT_TRUE(said("nr0+1 nr1+1 nr2+1"));
	EXPECT_EQ(bytes[0], 0xff);
	EXPECT_EQ(bytes[1], 0);
	EXPECT_EQ(bytes[3], 2);
	EXPECT_TRUE(bus_write(&bus, 0x12, bytes, 8));
	EXPECT_TRUE(said("nw2+1 ww0+4"));
	EXPECT_TRUE(bus_read(&bus, 0x15, bytes, 4));
	EXPECT_TRUE(said("wr2+2"));
	EXPECT_EQ(bytes[1], 2);
	EXPECT_EQ(bytes[2], 0xff);
	EXPECT_EQ(bytes[3], 0xff);
	EXPECT_FALSE(bus_read(&bus, 0x100, bytes, 8));
	EXPECT_FALSE(bus_write(&bus, 0x100, bytes, 8));
	EXPECT_TRUE(said(""));
	EXPECT_EQ(bytes[0], 0xff);
	EXPECT_EQ(bytes[7], 0xff);
}

static struct bus shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* In place of an offset: whether another access of a quick device would wait now. */
static void lock_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	bool busy = pthread_mutex_trylock(&shared.lock);

	if (!busy)
		pthread_mutex_unlock(&shared.lock);
	say("r", data, busy, size);
}

static void lock_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	lock_read(data, offset, NULL, size);
}

/* Functions of quick devices are called with the lock of the bus, those of others without. */
TEST_OF(bus, quick)
{
	struct bus_device quick = { "q", 0x10, 2, 1, lock_read, lock_write, "q", .quick = true };
	struct bus_device slow = { "s", 0x12, 2, 1, lock_read, lock_write, "s", .quick = false };
	uint8_t bytes[4];

	EXPECT_FALSE(bus_add(&shared, &quick, NULL));
	EXPECT_FALSE(bus_add(&shared, &slow, NULL));
	EXPECT_TRUE(bus_read(&shared, 0x11, bytes, 2));
	EXPECT_TRUE(bus_write(&shared, 0x11, bytes, 2));
	EXPECT_TRUE(said("qr1+1 sr0+1 qr1+1 sr0+1"));
	EXPECT_FALSE(pthread_mutex_trylock(&shared.lock));
	pthread_mutex_unlock(&shared.lock);
}
