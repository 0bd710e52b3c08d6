// SPDX-License-Identifier: GPL-2.0
/* A kernel's header: taken as it is, or refused with the reason. */
#include "../boot/linux.h"
#include "bzimage_fake.h"
#include "ksft.h"

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

	if (rc == -ENOEXEC && strstr(error.hint, hint) && !strcmp(error.object, "bzImage"))
		return true;
	printf("# %d: %s; %s\n", rc, error.action, error.hint);
	return false;
}

TEST_OF(bzimage, good)
{
	header = bzimage_fake_write(image);
	EXPECT_FALSE(parse());
	EXPECT_EQ(parsed.code, image + FAKE_CODE_OFFSET);
	EXPECT_EQ(parsed.code_size, FAKE_CODE_SIZE);
	EXPECT_EQ(parsed.start, FAKE_START);
	EXPECT_EQ(parsed.end, FAKE_START + FAKE_INIT_SIZE);
	EXPECT_EQ(parsed.initrd_end, 0x80000000);
	EXPECT_EQ(parsed.cmdline_max, 2047);
	EXPECT_EQ(parsed.header.init_size, FAKE_INIT_SIZE);
	/* An init_size that cannot be: the image counts. */
	header->init_size = 16;
	EXPECT_FALSE(parse());
	EXPECT_EQ(parsed.end, FAKE_START + FAKE_CODE_SIZE);
	/* 0 sectors mean 4. */
	header->setup_sects = 0;
	header->syssize = (FAKE_CODE_SIZE - 512) / 16;
	EXPECT_FALSE(parse());
	EXPECT_EQ(parsed.code_size, FAKE_CODE_SIZE - 512);
}

/* What the header of an older kernel lacks is zero, not its code. */
TEST_OF(bzimage, short_header)
{
	header = bzimage_fake_write(image);
	header->kernel_info_offset = 0x1234;
	EXPECT_FALSE(parse());
	EXPECT_EQ(parsed.header.kernel_info_offset, 0x1234);
	image[0x201] = 0x264 - 0x202;
	EXPECT_FALSE(parse());
	EXPECT_EQ(parsed.header.init_size, FAKE_INIT_SIZE);
	EXPECT_FALSE(parsed.header.handover_offset);
	EXPECT_FALSE(parsed.header.kernel_info_offset);
	image[0x201] = 0x263 - 0x202;
	EXPECT_TRUE(refused("its length is invalid"));
	image[0x201] = 0x290 - 0x202;
	EXPECT_FALSE(parse());
	image[0x201] = 0x291 - 0x202;
	EXPECT_TRUE(refused("its length is invalid"));
}

TEST_OF(bzimage, magic)
{
	header = bzimage_fake_write(image);
	header->boot_flag = 0x55aa;
	EXPECT_TRUE(refused("no boot sector"));
	header = bzimage_fake_write(image);
	header->header++;
	EXPECT_TRUE(refused("no boot sector"));
	memcpy(image, "\177ELF", 4);
	EXPECT_TRUE(refused("this is an ELF file"));
	memset(image, 0, sizeof(image));
	EXPECT_TRUE(refused("no boot sector"));
}

/* Cut anywhere it is refused, and nothing behind the end is read. */
TEST_OF(bzimage, truncated)
{
	bzimage_fake_write(image);
	for (size_t size = 0; size < sizeof(image); size++)
		if (parse_size(size) != -ENOEXEC) {
			printf("# %zu bytes are taken\n", size);
			EXPECT_TRUE(false);
			break;
		}
	EXPECT_STRSTR(error.hint, "truncated");
	EXPECT_FALSE(parse_size(sizeof(image)));
}

TEST_OF(bzimage, unsuitable)
{
	header = bzimage_fake_write(image);
	header->version = 0x020b;
	EXPECT_TRUE(refused("older than 2.12"));
	header = bzimage_fake_write(image);
	header->loadflags = 0;
	EXPECT_TRUE(refused("a zImage"));
	header = bzimage_fake_write(image);
	header->xloadflags = 0xfffe;
	EXPECT_TRUE(refused("a 32-bit kernel"));
	header = bzimage_fake_write(image);
	header->setup_sects = 255;
	EXPECT_TRUE(refused("truncated"));
	header = bzimage_fake_write(image);
	header->syssize = 0xffffffff;
	EXPECT_TRUE(refused("truncated"));
	header = bzimage_fake_write(image);
	header->setup_sects = FAKE_SIZE_ALL / 512 - 2;
	header->syssize = 0;
	EXPECT_TRUE(refused("before the 64-bit entry"));
}

TEST_OF(bzimage, place)
{
	static const uint64_t bad[] = {
		0, 0xff000, 0x1000001, UINT64_C(1) << 32,
		(UINT64_C(1) << 32) - FAKE_INIT_SIZE + 0x1000, UINT64_MAX,
		UINT64_MAX - 0xfff,
	};

	ksft_for_each(item, bad) {
		header = bzimage_fake_write(image);
		header->pref_address = *item;
		EXPECT_TRUE(refused("its load address is invalid"));
	}
	header->pref_address = (UINT64_C(1) << 32) - FAKE_INIT_SIZE;
	EXPECT_FALSE(parse());
	EXPECT_EQ(parsed.end, UINT64_C(1) << 32);
	header->init_size = 0xffffffff;
	EXPECT_TRUE(refused("its load address is invalid"));
}
