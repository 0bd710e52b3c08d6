// SPDX-License-Identifier: GPL-2.0
/* The table of what does not go together: each message, and their order. */
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

#define PRIVATE_EXISTING "private memory is incompatible with an existing memory backing"
#define HUGE_EXISTING "hugepages are incompatible with existing memory backing"
#define HUGE_RANGE "hugepages; range start and size must both be multiples of the hugepage size"

/* What goes together, and what is said where it does not */
static const struct {
	enum backing_kind kind;
	bool hugepages, has_fd;
	uint64_t hugepage_size;
	const char *path;
	unsigned int nr_ranges;		/* 0: RAM is as start() has it */
	struct range ranges[2];
	const char *message;		/* NULL: it is accepted */
} cases[] = {
	{ .kind = BACKING_PRIVATE },
	{ .kind = BACKING_PRIVATE, .has_fd = true, .message = PRIVATE_EXISTING },
	{ .kind = BACKING_PRIVATE, .path = "file", .message = PRIVATE_EXISTING },
	/* Private comes before existing. */
	{ .hugepages = true },
	{ .hugepages = true, .has_fd = true, .message = HUGE_EXISTING },
	{ .hugepages = true, .kind = BACKING_FILE, .path = "file", .message = HUGE_EXISTING },
	{ .hugepages = true, .kind = BACKING_PRIVATE,
	  .message = "hugepages require shared memory mode" },
	{ .hugepages = true, .kind = BACKING_GMEM,
	  .message = "hugepages are incompatible with memory of kind gmem" },
	{ .kind = BACKING_HUGETLB, .hugepage_size = 3 * M, .message = "hugepage size 3 MB must be "
	  "a power of two and at least the host page size" },
	{ .kind = BACKING_HUGETLB, .hugepage_size = 2 * K, .message = "hugepage size 2 KB must be "
	  "a power of two and at least the host page size" },
	{ .kind = BACKING_HUGETLB, .hugepage_size = UINT64_C(1) << 63,
	  .message = "hugepage size 8388608 TB is too large" },
	/* Before the size of RAM */
	{ .kind = BACKING_HUGETLB, .hugepage_size = UINT64_C(1) << 63, .nr_ranges = 1,
	  .message = "hugepage size 8388608 TB is too large" },
	{ .hugepage_size = 3 },
	{ .kind = BACKING_HUGETLB, .nr_ranges = 1, .ranges = { { 0, 16 * M + 4 * K } },
	  .message = "RAM size 16388 KB is not aligned to 2 MB hugepages; "
	  "choose a memory size that is a multiple of the hugepage size" },
	{ .kind = BACKING_HUGETLB, .nr_ranges = 1, .ranges = { { M, 17 * M } },
	  .message = "RAM range 0x100000-0x1100000 (16 MB) is not aligned to 2 MB " HUGE_RANGE },
	/* Two halves make a whole, and are two halves still. */
	{ .kind = BACKING_HUGETLB, .nr_ranges = 2, .ranges = { { 0, M }, { 4 * M, 5 * M } },
	  .message = "RAM range 0x0-0x100000 (1 MB) is not aligned to 2 MB " HUGE_RANGE },
	{ .kind = BACKING_HUGETLB, .hugepage_size = G, .nr_ranges = 1, .ranges = { { 0, G } } },
	{ .nr_ranges = 1, .ranges = { { 0, UINT64_C(1) << 63 } },
	  .message = "ram size 9223372036854775808 is too large" },
	{ .nr_ranges = 2, .ranges = { { 0, UINT64_C(1) << 63 }, { 0, UINT64_C(1) << 63 } },
	  .message = "ram size 18446744073709551615 is too large" },
	{ .nr_ranges = 1, .ranges = { { 0, 4 * K + 1 } },
	  .message = "RAM range 0x0-0x1001 is not whole pages" },
	{ .nr_ranges = 1, .ranges = { { 8 * K, 4 * K } },
	  .message = "RAM range 0x2000-0x1000 is not whole pages" },
	{ .nr_ranges = 1, .message = "RAM range 0x0-0x0 is not whole pages" },
	{ .kind = BACKING_FILE, .message = "memory of kind file needs one file" },
	{ .kind = BACKING_FILE, .path = "file", .has_fd = true,
	  .message = "memory of kind file needs one file" },
	{ .kind = BACKING_FILE, .has_fd = true },
	{ .path = "file", .message = "memory of kind shared takes no file" },
	{ .kind = BACKING_GUEST_MEMFD, .has_fd = true, .message = "memory of kind guest-memfd is "
	  "incompatible with an existing memory backing" },
};

TEST_OF(options, together)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start();
		request.kind = cases[i].kind;
		request.hugepages = cases[i].hugepages;
		request.hugepage_size = cases[i].hugepage_size;
		request.path = cases[i].path;
		if (cases[i].has_fd)
			request.existing_fd = 0;
		if (cases[i].nr_ranges) {
			request.nr_ranges = cases[i].nr_ranges;
			memcpy(ranges, cases[i].ranges, sizeof(ranges));
		}
		if (cases[i].message)
			EXPECT_TRUE(refused(cases[i].message));
		else
			EXPECT_TRUE(accepted());
		ksft_part("case %zu", i);
	}
}

TEST_OF(options, hugepage_size)
{
	start();
	request.kind = BACKING_HUGETLB;
	EXPECT_EQ(memory_request_hugepage(&request), 2 * M);
	request.kind = BACKING_SHARED;
	request.hugepage_size = 3;
	EXPECT_FALSE(memory_request_hugepage(&request));
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

	ksft_for_each(c, cases)
		EXPECT_STREQ(memory_size_text(c->size, text), c->text);
}
