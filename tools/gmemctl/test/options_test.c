// SPDX-License-Identifier: GPL-2.0
/* The table of what does not go together: each message, and their order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../memory/options.h"
#include "ksft.h"

#define K (UINT64_C(1) << 10)
#define M (UINT64_C(1) << 20)
#define G (UINT64_C(1) << 30)

static struct range ranges[2];
static struct memory_request request;
static struct memory_config config;
static struct error error;

/* 16 MiB of shared memory: goes with everything. */
static void start(void)
{
	ranges[0] = (struct range){ 0, 16 * M };
	request = (struct memory_request){
		.ranges = ranges,
		.nr_ranges = 1,
		.thp = true,
		.existing_fd = -1,
		.node = -1,
	};
	config = (struct memory_config){ .requests = &request, .nr_requests = 1 };
	memset(&error, 0, sizeof(error));
}

static bool refused(const char *message)
{
	int rc = memory_config_check(&config, &error);

	if (rc == -EINVAL && !strcmp(error.action, message))
		return true;
	printf("# expected: %s\n# got %d:   %s\n", message, rc, error.action);
	return false;
}

static bool accepted(void)
{
	int rc = memory_config_check(&config, &error);

	if (rc)
		printf("# got %d: %s\n", rc, error.action);
	return !rc;
}

TEST_OF(options, kinds)
{
	enum backing_kind kind;

	for (unsigned int i = 0; i < BACKING_KINDS; i++) {
		const char *name = backing_kind_name((enum backing_kind)i);

		EXPECT_FALSE(backing_kind_find(name, strlen(name), &kind));
		EXPECT_EQ(kind, i);
		start();
		request.kind = (enum backing_kind)i;
		request.path = kind == BACKING_FILE ? "file" : NULL;
		EXPECT_TRUE(accepted());
	}
	EXPECT_EQ(backing_kind_find("gmem-", 5, &kind), -ENOENT);
	EXPECT_EQ(backing_kind_find("share", 5, &kind), -ENOENT);
	EXPECT_EQ(backing_kind_find("", 0, &kind), -ENOENT);
}

TEST_OF(options, private)
{
	start();
	request.kind = BACKING_PRIVATE;
	EXPECT_TRUE(accepted());
	request.existing_fd = 0;
	EXPECT_TRUE(refused("private memory is incompatible with an existing memory backing"));
	request.existing_fd = -1;
	request.path = "file";
	EXPECT_TRUE(refused("private memory is incompatible with an existing memory backing"));
}

/* Private comes before existing. */
TEST_OF(options, hugepages)
{
	start();
	request.hugepages = true;
	EXPECT_TRUE(accepted());
	request.existing_fd = 0;
	EXPECT_TRUE(refused("hugepages are incompatible with existing memory backing"));
	request.existing_fd = -1;
	request.kind = BACKING_FILE;
	request.path = "file";
	EXPECT_TRUE(refused("hugepages are incompatible with existing memory backing"));
	request.kind = BACKING_PRIVATE;
	request.path = NULL;
	EXPECT_TRUE(refused("hugepages require shared memory mode"));
	request.kind = BACKING_GMEM;
	EXPECT_TRUE(refused("hugepages are incompatible with memory of kind gmem"));
}

TEST_OF(options, hugepage_size)
{
	start();
	request.kind = BACKING_HUGETLB;
	EXPECT_EQ(memory_request_hugepage(&request), 2 * M);
	request.hugepage_size = 3 * M;
	EXPECT_TRUE(refused("hugepage size 3 MB must be a power of two and at least "
			    "the host page size"));
	request.hugepage_size = 2 * K;
	EXPECT_TRUE(refused("hugepage size 2 KB must be a power of two and at least "
			    "the host page size"));
	request.hugepage_size = UINT64_C(1) << 63;
	EXPECT_TRUE(refused("hugepage size 8388608 TB is too large"));
	/* Before the size of RAM. */
	ranges[0] = (struct range){ 0, 0 };
	EXPECT_TRUE(refused("hugepage size 8388608 TB is too large"));
	start();
	request.hugepage_size = 3;
	EXPECT_TRUE(accepted());
	EXPECT_FALSE(memory_request_hugepage(&request));
}

TEST_OF(options, hugepage_alignment)
{
	start();
	request.kind = BACKING_HUGETLB;
	ranges[0].end = 16 * M + 4 * K;
	EXPECT_TRUE(refused("RAM size 16388 KB is not aligned to 2 MB hugepages; "
			    "choose a memory size that is a multiple of the hugepage size"));
	ranges[0] = (struct range){ M, 17 * M };
	EXPECT_TRUE(refused("RAM range 0x100000-0x1100000 (16 MB) is not aligned to "
			    "2 MB hugepages; range start and size must both be "
			    "multiples of the hugepage size"));
	/* Two halves make a whole, and are two halves still. */
	ranges[0] = (struct range){ 0, M };
	ranges[1] = (struct range){ 4 * M, 5 * M };
	request.nr_ranges = 2;
	EXPECT_TRUE(refused("RAM range 0x0-0x100000 (1 MB) is not aligned to 2 MB "
			    "hugepages; range start and size must both be multiples "
			    "of the hugepage size"));
	ranges[0] = (struct range){ 0, G };
	request.nr_ranges = 1;
	request.hugepage_size = G;
	EXPECT_TRUE(accepted());
}

TEST_OF(options, size)
{
	start();
	ranges[0] = (struct range){ 0, UINT64_C(1) << 63 };
	EXPECT_TRUE(refused("ram size 9223372036854775808 is too large"));
	ranges[1] = ranges[0];
	request.nr_ranges = 2;
	EXPECT_TRUE(refused("ram size 18446744073709551615 is too large"));
	start();
	ranges[0] = (struct range){ 0, 4 * K + 1 };
	EXPECT_TRUE(refused("RAM range 0x0-0x1001 is not whole pages"));
	ranges[0] = (struct range){ 8 * K, 4 * K };
	EXPECT_TRUE(refused("RAM range 0x2000-0x1000 is not whole pages"));
	ranges[0] = (struct range){ 0, 0 };
	EXPECT_TRUE(refused("RAM range 0x0-0x0 is not whole pages"));
}

TEST_OF(options, file)
{
	start();
	request.kind = BACKING_FILE;
	EXPECT_TRUE(refused("memory of kind file needs one file"));
	request.path = "file";
	request.existing_fd = 0;
	EXPECT_TRUE(refused("memory of kind file needs one file"));
	request.path = NULL;
	EXPECT_TRUE(accepted());
	start();
	request.path = "file";
	EXPECT_TRUE(refused("memory of kind shared takes no file"));
	start();
	request.kind = BACKING_GUEST_MEMFD;
	request.existing_fd = 0;
	EXPECT_TRUE(refused("memory of kind guest-memfd is incompatible with an "
			    "existing memory backing"));
}

/* A VM has one guest_memfd. */
TEST_OF(options, guest_memfd)
{
	struct memory_request two[2];

	start();
	request.kind = BACKING_GUEST_MEMFD;
	config.guest_memfd = true;
	EXPECT_TRUE(refused("memory of kind guest-memfd is incompatible with private "
			    "memory of the VM"));
	config.guest_memfd = false;
	two[0] = request;
	two[1] = request;
	two[1].kind = BACKING_GMEM_STORE;
	config.requests = two;
	config.nr_requests = 2;
	EXPECT_TRUE(refused("memory of kind guest-memfd is incompatible with private "
			    "memory of the VM"));
	two[0].kind = BACKING_SHARED;
	EXPECT_TRUE(accepted());
}

/* The first request that breaks a rule is the one that is reported. */
TEST_OF(options, order)
{
	struct memory_request two[2];

	start();
	two[0] = request;
	two[1] = request;
	two[0].kind = BACKING_GMEM;
	two[0].hugepages = true;
	two[1].kind = BACKING_PRIVATE;
	two[1].existing_fd = 0;
	config.requests = two;
	config.nr_requests = 2;
	EXPECT_TRUE(refused("hugepages are incompatible with memory of kind gmem"));
	two[0].hugepages = false;
	EXPECT_TRUE(refused("private memory is incompatible with an existing memory backing"));
}

TEST_OF(options, size_text)
{
	static const struct {
		uint64_t size;
		const char *text;
	} cases[] = {
		{ 0, "0 bytes" }, { 1, "1 bytes" }, { 1023, "1023 bytes" },
		{ K, "1 KB" }, { M + K, "1025 KB" }, { 3 * M, "3 MB" },
		{ 1536 * M, "1536 MB" }, { 4 * G, "4 GB" },
		{ 1024 * G, "1 TB" }, { UINT64_MAX, "18446744073709551615 bytes" },
	};
	char text[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		EXPECT_STREQ(memory_size_text(cases[i].size, text), cases[i].text);
}
