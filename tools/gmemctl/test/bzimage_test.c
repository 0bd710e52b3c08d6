// SPDX-License-Identifier: GPL-2.0
/* A kernel's header: taken as it is, or refused with the reason. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../boot/bzimage.h"
#include "bzimage_fake.h"
#include "unit.h"

static uint8_t image[FAKE_SIZE_ALL];
static struct setup_header *header;
static struct bzimage parsed;
static struct error error;

/* On the heap and exactly as long as it is, so that ASAN sees its end. */
static int parse_size(size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	int rc;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, image, size);
	memset(&error, 0, sizeof(error));
	rc = bzimage_parse(copy, size, "bzImage", &parsed, &error);
	if (!rc)
		parsed.code = image + (parsed.code - copy);
	free(copy);
	return rc;
}

static int parse(void)
{
	return parse_size(sizeof(image));
}

static bool refused(const char *hint)
{
	int rc = parse();

	if (rc == -ENOEXEC && strstr(error.hint, hint) && !strcmp(error.object,
								  "bzImage"))
		return true;
	printf("# %d: %s; %s\n", rc, error.action, error.hint);
	return false;
}

static void test_bzimage_good(void)
{
	header = bzimage_fake_write(image);
	CHECK(!parse());
	CHECK_EQ(parsed.code, image + FAKE_CODE_OFFSET);
	CHECK_EQ(parsed.code_size, FAKE_CODE_SIZE);
	CHECK_EQ(parsed.start, FAKE_START);
	CHECK_EQ(parsed.end, FAKE_START + FAKE_INIT_SIZE);
	CHECK(parsed.initrd_end == 0x80000000 && parsed.cmdline_max == 2047);
	CHECK_EQ(parsed.header.init_size, FAKE_INIT_SIZE);
	/* An init_size that cannot be: the image counts. */
	header->init_size = 16;
	CHECK(!parse() && parsed.end == FAKE_START + FAKE_CODE_SIZE);
	/* 0 sectors mean 4. */
	header->setup_sects = 0;
	header->syssize = (FAKE_CODE_SIZE - 512) / 16;
	CHECK(!parse() && parsed.code_size == FAKE_CODE_SIZE - 512);
}

/* What the header of an older kernel lacks is zero, not its code. */
static void test_bzimage_short_header(void)
{
	header = bzimage_fake_write(image);
	header->kernel_info_offset = 0x1234;
	CHECK(!parse() && parsed.header.kernel_info_offset == 0x1234);
	image[0x201] = 0x264 - 0x202;
	CHECK(!parse() && parsed.header.init_size == FAKE_INIT_SIZE);
	CHECK(!parsed.header.handover_offset &&
	      !parsed.header.kernel_info_offset);
	image[0x201] = 0x263 - 0x202;
	CHECK(refused("its length makes no sense"));
	image[0x201] = 0x290 - 0x202;
	CHECK(!parse());
	image[0x201] = 0x291 - 0x202;
	CHECK(refused("its length makes no sense"));
}

static void test_bzimage_magic(void)
{
	header = bzimage_fake_write(image);
	header->boot_flag = 0x55aa;
	CHECK(refused("no boot sector"));
	header = bzimage_fake_write(image);
	header->header++;
	CHECK(refused("no boot sector"));
	memcpy(image, "\177ELF", 4);
	CHECK(refused("this is an ELF file"));
	memset(image, 0, sizeof(image));
	CHECK(refused("no boot sector"));
}

/* Cut anywhere it is refused, and nothing behind the end is read. */
static void test_bzimage_truncated(void)
{
	bzimage_fake_write(image);
	for (size_t size = 0; size < sizeof(image); size++)
		if (parse_size(size) != -ENOEXEC) {
			printf("# %zu bytes are taken\n", size);
			CHECK(false);
			break;
		}
	CHECK(strstr(error.hint, "truncated"));
	CHECK(!parse_size(sizeof(image)));
}

static void test_bzimage_unsuitable(void)
{
	header = bzimage_fake_write(image);
	header->version = 0x020b;
	CHECK(refused("older than 2.12"));
	header = bzimage_fake_write(image);
	header->loadflags = 0;
	CHECK(refused("a zImage"));
	header = bzimage_fake_write(image);
	header->xloadflags = 0xfffe;
	CHECK(refused("a 32-bit kernel"));
	header = bzimage_fake_write(image);
	header->setup_sects = 255;
	CHECK(refused("truncated"));
	header = bzimage_fake_write(image);
	header->syssize = 0xffffffff;
	CHECK(refused("truncated"));
	header = bzimage_fake_write(image);
	header->setup_sects = FAKE_SIZE_ALL / 512 - 2;
	header->syssize = 0;
	CHECK(refused("before the 64-bit entry"));
}

static void test_bzimage_place(void)
{
	static const uint64_t bad[] = {
		0, 0xff000, 0x1000001, UINT64_C(1) << 32,
		(UINT64_C(1) << 32) - FAKE_INIT_SIZE + 0x1000, UINT64_MAX,
		UINT64_MAX - 0xfff,
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		header = bzimage_fake_write(image);
		header->pref_address = bad[i];
		CHECK(refused("where it cannot be"));
	}
	header->pref_address = (UINT64_C(1) << 32) - FAKE_INIT_SIZE;
	CHECK(!parse() && parsed.end == UINT64_C(1) << 32);
	header->init_size = 0xffffffff;
	CHECK(refused("where it cannot be"));
}

static const struct unit_test tests[] = {
	{ "bzimage.good", test_bzimage_good },
	{ "bzimage.short_header", test_bzimage_short_header },
	{ "bzimage.magic", test_bzimage_magic },
	{ "bzimage.truncated", test_bzimage_truncated },
	{ "bzimage.unsuitable", test_bzimage_unsuitable },
	{ "bzimage.place", test_bzimage_place },
};

UNIT_TESTS(tests)
