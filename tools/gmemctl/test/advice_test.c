// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest may ask for of its memory: each of it with each kind of memory, as the
 * running kernel shows the effect, and what is refused.
 */
#include <sys/stat.h>

#include "../base/calls.h"
#include "../memory/access.h"
#include "../memory/advice.h"
#include "ram.h"
#include "ksft.h"

#define PAGE	RANGE_PAGE_SIZE
#define TYPE	7

/* The part that is asked about: pages 4 to 12 of the first range. */
#define FIRST	4
#define END	12
#define GPA	(FIRST * PAGE)
#define SIZE	((END - FIRST) * PAGE)

static struct advice advice;
static struct calls own_calls;
static char path[] = "/tmp/gmemctl_unit_XXXXXX";

static void build(void)
{
	ram_build();
	EXPECT_FALSE(advice_init(&advice, &ram.memory, NULL));
}

static void start(enum backing_kind kind)
{
	ram_start(kind);
	ram.requests[0].path = kind == BACKING_FILE ? path : NULL;
	build();
}

static void stop(void)
{
	advice_destroy(&advice);
	ram_stop();
}

static uint8_t *at(uint64_t gpa)
{
	return ram.memory.reservation.base + gpa;
}

static int take(enum advice_kind kind)
{
	return advice_take(&advice, kind, GPA, SIZE, 42);
}

static void fill(void)
{
	memset(at(0), 0x5a, 16 * PAGE);
}

static bool has_flag(const char *flag)
{
	return strstr(ram_smaps(FIRST), flag);
}

static bool has_prot(const char *expected)
{
	return !memcmp(ram_smaps(FIRST), expected, 3);
}

static unsigned int mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned int count = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		count++;
	if (file)
		fclose(file);
	return count;
}

/* What there is to name memory with where the kernel has no CONFIG_ANON_VMA_NAME. */
static char named[64];

static int fake_name(void *address, size_t length, const char *name)
{
	if (address == at(GPA) && length == SIZE)
		snprintf(named, sizeof(named), "%s", name ? name : "none");
	return 0;
}

static void fake_names(void)
{
	own_calls = *calls;
	own_calls.name = fake_name;
	calls = &own_calls;
	named[0] = '\0';
}

static void check_given_back(enum advice_kind kind)
{
	fill();
	EXPECT_EQ(ram_resident(FIRST, END), END - FIRST);
	EXPECT_TRUE(ram_reads(FIRST, END, 0x5a));
	EXPECT_EQ(take(kind), 0);
	EXPECT_EQ(ram_resident(FIRST, END), 0);
	EXPECT_TRUE(ram_reads(FIRST, END, 0));
	EXPECT_EQ(*at(GPA - 1), 0x5a);
	EXPECT_EQ(*at(GPA + SIZE), 0x5a);
}

/* Bytes that the file behind the memory takes. */
static uint64_t taken(void)
{
	struct stat status = { 0 };

	EXPECT_FALSE(fstat(ram.memory.backings[0].fd, &status));
	return (uint64_t)status.st_blocks * 512;
}

/*
 * Locked memory is in memory; if it can be paged out at all the kernel knows. The rest
 * is taken, but mincore() does not tell of it before it is touched.
 */
static void check_lock(bool paged)
{
	EXPECT_EQ(take(ADVICE_DONTNEED), 0);
	if (!paged) {
		uint64_t before = taken();

		EXPECT_EQ(take(ADVICE_LOCK), 0);
		EXPECT_EQ(taken() - before, SIZE);
	}
	EXPECT_EQ(take(ADVICE_LOCK), 0);
	EXPECT_TRUE(!paged || ram_resident(FIRST, END) == END - FIRST);
	EXPECT_EQ(has_flag(" lo "), paged);
	EXPECT_EQ(take(ADVICE_DONTNEED), -EINVAL);
	EXPECT_EQ(advice_take(&advice, ADVICE_DONTNEED, 0, PAGE * FIRST, 0), 0);
	EXPECT_EQ(take(ADVICE_UNLOCK), 0);
	EXPECT_FALSE(has_flag(" lo "));
	EXPECT_EQ(take(ADVICE_DONTNEED), 0);
}

static void check_protection(void)
{
	uint8_t byte = 1;

	fill();
	EXPECT_FALSE(take(ADVICE_PROTECT_NONE));
	EXPECT_TRUE(has_prot("---"));
	EXPECT_EQ(access_read(&ram.memory, GPA, &byte, 1), -EFAULT);
	EXPECT_EQ(access_write(&ram.memory, GPA, &byte, 1), -EFAULT);
	EXPECT_FALSE(access_read(&ram.memory, GPA - 1, &byte, 1));
	EXPECT_EQ(byte, 0x5a);
	EXPECT_TRUE(advice_denies(&advice, GPA));
	EXPECT_FALSE(advice_denies(&advice, GPA - 1));
	EXPECT_FALSE(advice_denies(&advice, GPA + SIZE));
	EXPECT_FALSE(take(ADVICE_PROTECT_R));
	EXPECT_TRUE(has_prot("r--"));
	EXPECT_FALSE(access_read(&ram.memory, GPA, &byte, 1));
	EXPECT_EQ(byte, 0x5a);
	EXPECT_EQ(access_write(&ram.memory, GPA, &byte, 1), -EFAULT);
	EXPECT_FALSE(take(ADVICE_PROTECT_W));
	EXPECT_TRUE(has_prot("-w-"));
	EXPECT_FALSE(take(ADVICE_PROTECT_RW));
	EXPECT_TRUE(has_prot("rw-"));
	EXPECT_TRUE(ram_reads(FIRST, END, 0x5a));
	EXPECT_FALSE(advice_denies(&advice, GPA));
	EXPECT_FALSE(advice.nr_runs);
}

/* What only anonymous memory can do: pages that may be taken, or merged, and names. */
static void check_anonymous(void)
{
	int rc;

	fill();
	EXPECT_EQ(take(ADVICE_FREE), 0);
	EXPECT_EQ(take(ADVICE_PAGEOUT), 0);
	EXPECT_TRUE(ram_reads(FIRST, END, 0x5a) || ram_reads(FIRST, END, 0));
	rc = take(ADVICE_MERGEABLE);
	if (rc == -EOPNOTSUPP) {
		ksft_skip("no KSM");
	} else {
		EXPECT_FALSE(rc);
		EXPECT_TRUE(has_flag(" mg "));
		EXPECT_FALSE(take(ADVICE_UNMERGEABLE));
		EXPECT_FALSE(has_flag(" mg "));
	}
	fake_names();
	EXPECT_FALSE(take(ADVICE_NAME));
	EXPECT_STREQ(named, "pvmemcontrol-42");
	EXPECT_FALSE(advice_take(&advice, ADVICE_NAME, GPA, SIZE, UINT64_MAX));
	EXPECT_STREQ(named, "pvmemcontrol-18446744073709551615");
	EXPECT_EQ(advice.nr_runs, 1);
	EXPECT_EQ(advice.runs[0].name, UINT64_MAX);
	EXPECT_FALSE(advice_take(&advice, ADVICE_NAME, GPA, SIZE, 0));
	EXPECT_STREQ(named, "none");
}

static void expect_unsupported(enum advice_kind first, enum advice_kind last)
{
	for (int kind = first; kind <= (int)last; kind++)
		EXPECT_EQ(take((enum advice_kind)kind), -EOPNOTSUPP);
}

/* Nothing of gmem's can be protected: KVM reaches it on a way of its own. */
static void check_kind(enum backing_kind kind, bool mapped, bool paged)
{
	bool anonymous = kind == BACKING_PRIVATE;

	start(kind);
	check_given_back(ADVICE_DONTNEED);
	if (!anonymous)
		check_given_back(ADVICE_REMOVE);
	check_lock(paged);
	if (mapped)
		check_protection();
	else
		expect_unsupported(ADVICE_PROTECT_NONE, ADVICE_PROTECT_RW);
	EXPECT_EQ(take(ADVICE_DONTDUMP), 0);
	EXPECT_TRUE(has_flag(" dd "));
	EXPECT_EQ(take(ADVICE_PAGEOUT), paged ? 0 : -EOPNOTSUPP);
	if (anonymous) {
		expect_unsupported(ADVICE_REMOVE, ADVICE_REMOVE);
		check_anonymous();
	} else {
		expect_unsupported(ADVICE_FREE, ADVICE_FREE);
		expect_unsupported(ADVICE_NAME, ADVICE_NAME);
		expect_unsupported(ADVICE_MERGEABLE, ADVICE_UNMERGEABLE);
	}
	/* A part of a huge page. */
	for (int i = ADVICE_DONTNEED; kind == BACKING_HUGETLB && i < ADVICE_KINDS; i++) {
		int rc = advice_take(&advice, (enum advice_kind)i, GPA, PAGE, 1);

		EXPECT_TRUE(rc == -EINVAL || rc == -EOPNOTSUPP);
	}
	EXPECT_FALSE(advice.nr_runs);
	stop();
}

TEST_OF(advice, kinds)
{
	close(mkstemp(path));
	check_kind(BACKING_SHARED, true, true);
	check_kind(BACKING_FILE, true, true);
	check_kind(BACKING_HUGETLB, true, false);
	check_kind(BACKING_GMEM, false, false);
	check_kind(BACKING_GMEM_STORE, false, false);
	check_kind(BACKING_GUEST_MEMFD, false, false);
	unlink(path);
}

/* By itself, since it may be left out. */
TEST_OF(advice, anonymous)
{
	check_kind(BACKING_PRIVATE, true, true);
}

/* Memory that core dumps have, until the guest says so. */
TEST_OF(advice, dump)
{
	ram_start(BACKING_PRIVATE);
	ram.requests[0].dump = true;
	build();
	EXPECT_FALSE(has_flag(" dd "));
	EXPECT_EQ(take(ADVICE_DONTDUMP), 0);
	EXPECT_TRUE(has_flag(" dd "));
	EXPECT_EQ(advice.nr_runs, 1);
	stop();
}

static int take_range(enum advice_kind kind, uint64_t gpa, uint64_t size)
{
	return advice_take(&advice, kind, gpa, size, 1);
}

/* Whatever is asked for, where it is has to be whole pages of RAM. */
TEST_OF(advice, ranges)
{
	static const struct {
		uint64_t gpa, size;
		int rc;
	} cases[] = {
		{ GPA + 1, PAGE, -EINVAL }, { GPA, PAGE + 1, -EINVAL }, { GPA, 8, -EINVAL },
		/* Over the end, over the hole, in the hole, beyond everything. */
		{ 15 * PAGE, 2 * PAGE, -EINVAL }, { 0, 80 * PAGE, -EINVAL },
		{ 16 * PAGE, PAGE, -EINVAL }, { 80 * PAGE, PAGE, -EINVAL },
		{ UINT64_C(1) << 40, PAGE, -EINVAL },
		/* Around the end of the addresses. */
		{ GPA, -PAGE, -EINVAL }, { -PAGE, PAGE, -EINVAL }, { -PAGE, 2 * PAGE, -EINVAL },
		/* Nothing, at a place that has to be one all the same. */
		{ GPA, 0, 0 }, { 16 * PAGE, 0, -EINVAL }, { UINT64_MAX, 0, -EINVAL },
	};

	start(BACKING_SHARED);
	fill();
	for (int kind = ADVICE_DONTNEED; kind < ADVICE_KINDS; kind++)
		ksft_for_each(c, cases)
			EXPECT_EQ(take_range((enum advice_kind)kind, c->gpa, c->size), c->rc);
	EXPECT_EQ(take_range((enum advice_kind)0, GPA, PAGE), -EOPNOTSUPP);
	EXPECT_EQ(take_range(ADVICE_KINDS, GPA, PAGE), -EOPNOTSUPP);
	EXPECT_TRUE(ram_reads(FIRST, END, 0x5a));
	EXPECT_FALSE(advice.nr_runs);
	stop();
}

/* Adjacent ranges of one request are one memory; those of two requests are not. */
TEST_OF(advice, requests)
{
	static const struct range next = { 16 * PAGE, 32 * PAGE };
	struct memory_request both[2];

	ram_start(BACKING_SHARED);
	ram.ranges[1] = next;
	build();
	memset(at(0), 0x5a, 32 * PAGE);
	EXPECT_FALSE(take_range(ADVICE_DONTNEED, 8 * PAGE, 16 * PAGE));
	EXPECT_FALSE(*at(8 * PAGE));
	EXPECT_FALSE(*at(24 * PAGE - 1));
	EXPECT_EQ(*at(24 * PAGE), 0x5a);
	EXPECT_FALSE(take_range(ADVICE_PROTECT_R, 8 * PAGE, 16 * PAGE));
	EXPECT_EQ(advice.nr_runs, 1);
	stop();
	ram_start(BACKING_SHARED);
	ram.requests[0].nr_ranges = 1;
	both[0] = ram.requests[0];
	both[1] = ram.requests[0];
	both[1].ranges = &next;
	ram.config.requests = both;
	ram.config.nr_requests = 2;
	build();
	EXPECT_EQ(take_range(ADVICE_DONTNEED, 8 * PAGE, 16 * PAGE), -EINVAL);
	EXPECT_EQ(take_range(ADVICE_DONTNEED, 8 * PAGE, 8 * PAGE), 0);
	EXPECT_EQ(take_range(ADVICE_DONTNEED, 16 * PAGE, 8 * PAGE), 0);
	stop();
}

/* What is private is not to be found where the host has mapped it. */
TEST_OF(advice, private_pages)
{
	uint8_t byte;

	ram_start(BACKING_SHARED);
	ram.config.guest_memfd = true;
	build();
	fill();
	EXPECT_TRUE(access_is_shared(&ram.memory, GPA, SIZE));
	EXPECT_FALSE(ram_convert(FIRST, FIRST + 1, true));
	EXPECT_FALSE(access_is_shared(&ram.memory, GPA, SIZE));
	EXPECT_TRUE(access_is_shared(&ram.memory, GPA + PAGE, SIZE - PAGE));
	EXPECT_EQ(access_read(&ram.memory, GPA + PAGE - 1, &byte, 1), -EFAULT);
	EXPECT_EQ(access_write(&ram.memory, GPA, &byte, 1), -EFAULT);
	EXPECT_EQ(access_read(&ram.memory, GPA + PAGE, &byte, 1), 0);
	kvm_fake.log[0] = '\0';
	for (int kind = ADVICE_FREE; kind < ADVICE_KINDS; kind++)
		if (kind != ADVICE_DONTDUMP)
			EXPECT_EQ(take((enum advice_kind)kind), -EOPNOTSUPP);
	EXPECT_TRUE(kvm_fake_said(""));
	/* Both sides go, and what was private stays so. */
	EXPECT_EQ(take(ADVICE_DONTNEED), 0);
	EXPECT_TRUE(kvm_fake_said("P4-c P4-c"));
	EXPECT_TRUE(kvm_fake_private(FIRST, FIRST + 1));
	EXPECT_EQ(advice_take(&advice, ADVICE_PROTECT_R, GPA + PAGE, PAGE, 0), 0);
	stop();
}

/* The guest cannot have more mappings made than this process can bear. */
TEST_OF(advice, limit)
{
	const uint64_t pages = 4 * ADVICE_RUNS_MAX;
	unsigned int before, done = 0, refused = 0;

	ram_start(BACKING_SHARED);
	ram.ranges[0] = (struct range){ 0, pages * PAGE };
	ram.ranges[1] = (struct range){ 2 * pages * PAGE, (2 * pages + 1) * PAGE };
	build();
	before = mappings();
	for (uint64_t page = 0; page < pages; page += 2) {
		int rc = take_range(ADVICE_PROTECT_R, page * PAGE, PAGE);

		done += !rc;
		refused += rc == -ENOMEM;
	}
	EXPECT_EQ(done, ADVICE_RUNS_MAX);
	EXPECT_EQ(refused, pages / 2 - done);
	EXPECT_LE(mappings(), before + 2 * ADVICE_RUNS_MAX + 1);
	/* The same again, and less, is possible; so is all else. */
	EXPECT_EQ(take_range(ADVICE_PROTECT_NONE, 0, PAGE), 0);
	EXPECT_EQ(take_range(ADVICE_DONTNEED, 0, pages * PAGE), 0);
	EXPECT_EQ(take_range(ADVICE_PROTECT_RW, 0, pages * PAGE), 0);
	EXPECT_FALSE(advice.nr_runs);
	EXPECT_LE(mappings(), before + 2);
	stop();
}

static bool to_fail;

/* The kernel does a part of it, and fails, once. */
static int half_lock(void *address, size_t length)
{
	bool fails = to_fail;
	int rc;

	to_fail = false;
	rc = calls_system.lock(address, fails ? length / 2 : length);
	return fails ? -ENOMEM : rc;
}

static int half_protect(void *address, size_t length, int prot)
{
	bool fails = to_fail;
	int rc;

	to_fail = false;
	rc = calls_system.protect(address, fails ? length / 2 : length, prot);
	return fails ? -ENOMEM : rc;
}

TEST_OF(advice, undone)
{
	start(BACKING_SHARED);
	own_calls = *calls;
	own_calls.lock = half_lock;
	own_calls.protect = half_protect;
	calls = &own_calls;
	to_fail = true;
	EXPECT_EQ(take(ADVICE_LOCK), -ENOMEM);
	EXPECT_FALSE(has_flag(" lo "));
	EXPECT_FALSE(advice.nr_runs);
	/* What was locked, or protected, before is so again. */
	EXPECT_EQ(take_range(ADVICE_LOCK, GPA, PAGE), 0);
	EXPECT_EQ(take_range(ADVICE_PROTECT_R, GPA, PAGE), 0);
	to_fail = true;
	EXPECT_EQ(take(ADVICE_LOCK), -ENOMEM);
	EXPECT_TRUE(has_flag(" lo "));
	EXPECT_EQ(advice.nr_runs, 1);
	to_fail = true;
	EXPECT_EQ(take(ADVICE_PROTECT_NONE), -ENOMEM);
	EXPECT_TRUE(has_prot("r--"));
	EXPECT_TRUE(advice_denies(&advice, GPA));
	EXPECT_FALSE(advice_denies(&advice, GPA + PAGE));
	*at(GPA + PAGE) = 1;
	stop();
}

/* Runs that overlap in any way stay in order, and alike ones become one. */
TEST_OF(advice, runs)
{
	static const struct advice_run expected[] = {
		{ .start = PAGE, .size = PAGE, .denied = PROT_WRITE },
		{ .start = 2 * PAGE, .size = 2 * PAGE, .denied = PROT_WRITE, .locked = 1 },
		{ .start = 4 * PAGE, .size = PAGE, .locked = 1 },
		{ .start = 5 * PAGE, .size = PAGE, .denied = PROT_READ | PROT_WRITE, .locked = 1 },
		{ .start = 6 * PAGE, .size = 2 * PAGE, .denied = PROT_READ | PROT_WRITE },
	};

	start(BACKING_SHARED);
	EXPECT_FALSE(take_range(ADVICE_PROTECT_R, PAGE, PAGE));
	EXPECT_FALSE(take_range(ADVICE_PROTECT_R, 3 * PAGE, PAGE));
	EXPECT_FALSE(take_range(ADVICE_PROTECT_R, 2 * PAGE, PAGE));
	EXPECT_EQ(advice.nr_runs, 1);
	EXPECT_FALSE(take_range(ADVICE_LOCK, 2 * PAGE, 4 * PAGE));
	EXPECT_FALSE(take_range(ADVICE_PROTECT_NONE, 5 * PAGE, 3 * PAGE));
	EXPECT_EQ(advice.nr_runs, 5);
	EXPECT_MEMEQ(advice.runs, expected, sizeof(expected));
	EXPECT_EQ(advice.nr_locked, 3);
	EXPECT_FALSE(take_range(ADVICE_PROTECT_RW, 0, 16 * PAGE));
	EXPECT_EQ(advice.nr_runs, 1);
	EXPECT_EQ(advice.runs[0].start, 2 * PAGE);
	EXPECT_EQ(advice.runs[0].size, 4 * PAGE);
	EXPECT_FALSE(take_range(ADVICE_UNLOCK, 3 * PAGE, PAGE));
	EXPECT_EQ(advice.nr_runs, 2);
	EXPECT_FALSE(take_range(ADVICE_UNLOCK, 0, 16 * PAGE));
	EXPECT_FALSE(advice.nr_runs);
	stop();
}

TEST_OF(advice, explain)
{
	char text[256];

	start(BACKING_SHARED);
	advice_explain(&advice, text, sizeof(text));
	EXPECT_STREQ(text, "");
	EXPECT_FALSE(take_range(ADVICE_PROTECT_NONE, GPA, PAGE));
	EXPECT_FALSE(take_range(ADVICE_PROTECT_R, 8 * PAGE, 2 * PAGE));
	advice_explain(&advice, text, sizeof(text));
	EXPECT_STREQ(text, "gpa 0x4000 + 0x1000, gpa 0x8000 + 0x2000 (read only)");
	for (uint64_t page = 64; page < 80; page += 2)
		EXPECT_FALSE(take_range(ADVICE_PROTECT_NONE, page * PAGE, PAGE));
	advice_explain(&advice, text, sizeof(text));
	EXPECT_STRSTR(text, " and 6 more");
	advice_explain(&advice, text, 8);
	EXPECT_LT(strlen(text), 8);
	stop();
}

/* As while the guest is saved. */
TEST_OF(advice, lift)
{
	start(BACKING_SHARED);
	fill();
	EXPECT_FALSE(take(ADVICE_PROTECT_NONE));
	EXPECT_FALSE(advice_lift(&advice));
	EXPECT_TRUE(ram_reads(FIRST, END, 0x5a));
	EXPECT_FALSE(advice_restore(&advice));
	EXPECT_TRUE(has_prot("---"));
	EXPECT_TRUE(advice_denies(&advice, GPA));
	stop();
}

/* Another process has it as the guest has asked for. */
TEST_OF(advice, state)
{
	struct tlv records = { 0 };

	start(BACKING_PRIVATE);
	fake_names();
	advice_get(&advice, &records, TYPE);
	EXPECT_FALSE(records.size);
	EXPECT_FALSE(take(ADVICE_LOCK));
	EXPECT_FALSE(take(ADVICE_PROTECT_NONE));
	EXPECT_FALSE(take(ADVICE_NAME));
	EXPECT_FALSE(take_range(ADVICE_PROTECT_W, 0, PAGE));
	advice_get(&advice, &records, TYPE);
	stop();
	start(BACKING_PRIVATE);
	fake_names();
	EXPECT_FALSE(advice_set(&advice, &records, TYPE + 1));
	EXPECT_FALSE(advice.nr_runs);
	EXPECT_FALSE(advice_set(&advice, &records, TYPE));
	EXPECT_EQ(advice.nr_runs, 2);
	EXPECT_TRUE(has_prot("---"));
	EXPECT_TRUE(has_flag(" lo "));
	EXPECT_STREQ(named, "pvmemcontrol-42");
	stop();
	/* Of kinds that cannot have it, no guest can have come. */
	start(BACKING_GMEM);
	EXPECT_EQ(advice_set(&advice, &records, TYPE), -EBADMSG);
	stop();
	tlv_free(&records);
}

/* A record may be anything. */
TEST_OF(advice, bad_state)
{
	static const struct advice_run bad[] = {
		{ .start = GPA, .size = 0, .locked = 1 },
		{ .start = GPA + 1, .size = PAGE, .locked = 1 },
		{ .start = 16 * PAGE, .size = PAGE, .locked = 1 },
		{ .start = GPA, .size = UINT64_MAX, .denied = PROT_READ },
		{ .start = GPA, .size = PAGE, .denied = 4 },
		{ .start = GPA, .size = PAGE, .denied = 0xff },
		{ .start = GPA, .size = PAGE, .name = 1 },
		{ .start = GPA, .size = PAGE, .locked = 1, .zero = { 1 } },
	};

	start(BACKING_SHARED);
	ksft_for_each(item, bad) {
		struct tlv records = { 0 };

		tlv_add(&records, TYPE, 0, item, sizeof(*item));
		EXPECT_EQ(advice_set(&advice, &records, TYPE), -EBADMSG);
		tlv_free(&records);
		tlv_add(&records, TYPE, 0, item, sizeof(*item) - 1);
		EXPECT_EQ(advice_set(&advice, &records, TYPE), -EBADMSG);
		tlv_free(&records);
	}
	stop();
}

static bool is_recorded_locked(void)
{
	bool locked = false;

	for (unsigned int i = 0; i < advice.nr_runs; i++)
		locked |= advice.runs[i].locked && advice.runs[i].start <= GPA &&
			  GPA - advice.runs[i].start < advice.runs[i].size;
	return locked;
}

static void *ask(void *data)
{
	unsigned int seed = *(unsigned int *)data;

	for (int i = 0; i < 2000; i++) {
		uint64_t first = (uint64_t)rand_r(&seed) % 16;
		uint64_t pages = 1 + (uint64_t)rand_r(&seed) % (16 - first);
		enum advice_kind kind = (enum advice_kind)(1 + rand_r(&seed) % (ADVICE_KINDS - 1));

		advice_take(&advice, kind, first * PAGE, pages * PAGE, 7);
	}
	return NULL;
}

/* Whatever they ask for, at the same time, comes to what is recorded. */
TEST_OF(advice, threads)
{
	unsigned int seeds[4] = { 1, 2, 3, 4 };
	pthread_t threads[4];

	start(BACKING_PRIVATE);
	fake_names();
	for (int i = 0; i < 4; i++)
		EXPECT_FALSE(pthread_create(&threads[i], NULL, ask, &seeds[i]));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(has_flag(" lo "), is_recorded_locked());
	EXPECT_EQ(has_prot("rw-"), !advice_denies(&advice, GPA));
	EXPECT_FALSE(take_range(ADVICE_PROTECT_RW, 0, 16 * PAGE));
	EXPECT_FALSE(take_range(ADVICE_UNLOCK, 0, 16 * PAGE));
	EXPECT_FALSE(take_range(ADVICE_NAME, 0, 0));
	fill();
	EXPECT_TRUE(has_prot("rw-"));
	EXPECT_FALSE(has_flag(" lo "));
	stop();
}
