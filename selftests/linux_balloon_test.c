// SPDX-License-Identifier: GPL-2.0
/*
 * A Linux guest with the kernel's own driver gives memory to its balloon, whose size the
 * host sets by the control socket. For each kind of memory the host sees that memory is
 * freed, and that the guest gets it back.
 */
#include <fcntl.h>

#include "guest_talk.h"
#include "ksft.h"
#include "linux_guest.h"

#define TIMEOUT		400
#define NAME		"guest"
#define TARGET_M	96
#define USED_M		8
#define UP_SECONDS	120
#define SETTLE_S	60

/* The guest also allocates and frees some memory meanwhile. */
#define ENOUGH		((TARGET_M - 8UL) << 20)

static struct talk talk;
static char text[16384];

#define CONTROL(...) \
	tool_run(text, sizeof(text), (const char *const[]){ __VA_ARGS__, NULL })

/**
 * struct kind - a kind of memory
 * @name: name in the table
 * @memory: argument of --memory
 * @huge: huge pages, which are freed only as a whole
 */
struct kind {
	const char *name;
	const char *memory;
	bool huge;
};

/*
 * Return: bytes that the guest uses of the host. Resident huge pages may be unmapped, so
 * count those of the pool.
 */
static unsigned long resident(const struct kind *kind)
{
	if (kind->huge)
		return talk_huge_bytes();
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	return json_number(text, "\"resident_bytes\"");
}

static unsigned long stat_number(const char *key)
{
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	return json_number(text, key);
}

/* Wait until a number of `gmemctl stat` is in the range from @least to @most. */
static bool wait_for(const char *key, unsigned long least, unsigned long most)
{
	uint64_t start = ksft_now_ms();

	while (ksft_now_ms() - start < SETTLE_S * 1000) {
		unsigned long number = stat_number(key);

		if (number >= least && number <= most)
			return true;
		usleep(500000);
	}
	return false;
}

static bool start(const struct kind *kind, const char *const options[])
{
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);
	memset(&talk, 0, sizeof(talk));
	talk.boot.memory = kind->memory;
	talk.boot.append = "GMEM_RUN=/memctl GMEM_ACTION=halt";
	talk.boot.name = NAME;
	talk.boot.seconds = "300";
	talk.boot.options = options;
	return talk_start(&talk, UP_SECONDS);
}

/* Return: whether the guest has started. */
static bool started(const struct kind *kind, const char *const options[])
{
	const char *why = linux_guest_unavailable();

	if (!why)
		why = linux_guest_unwatched();
	if (!why)
		why = control_unavailable();
	if (why)
		SKIP(return false, "%s", why);
	unlink("/tmp/guest-balloon");
	if (start(kind, options))
		return true;
	if (talk.boot.code == CODE_UNSUPPORTED)
		SKIP(return false, KSFT_BY_DESIGN " not with this kernel");
	boot_log(&talk.boot, talk.boot.console);
	boot_log(&talk.boot, talk.boot.json);
	ASSERT_EQ(0, talk.boot.code);
	return false;
}

static void stop(void)
{
	EXPECT_EQ(0, CONTROL("stop", NAME));
	talk_end(&talk);
	EXPECT_EQ(0, talk.boot.code);
	if (ksft_result->failed)
		boot_log(&talk.boot, talk.boot.console);
}

/* Use memory that came back from the balloon. */
static void use_some(void)
{
	EXPECT_EQ(0, talk_number(talk_tell(&talk, "free %d", USED_M), "error"));
}

/* All memory is populated from the start, and the guest does not use most of it. */
static void check_balloon(const struct kind *kind)
{
	static const char *const options[] = { "--balloon", NULL };
	char size[16];
	unsigned long before, after;

	if (!started(kind, options))
		return;
	before = resident(kind);
	snprintf(size, sizeof(size), "%dM", TARGET_M);
	EXPECT_EQ(0, CONTROL("balloon", NAME, size));
	EXPECT_TRUE(wait_for("\"given_bytes\"", (unsigned long)TARGET_M << 20, ~0UL));
	after = resident(kind);
	talk_row(kind->name, "balloon", before, after);
	EXPECT_GE(before, after + ENOUGH);
	EXPECT_GE(stat_number("\"total_memory\""), 1);
	/* The guest gets all of its memory back. */
	EXPECT_EQ(0, CONTROL("balloon", NAME, "0"));
	EXPECT_TRUE(wait_for("\"given_bytes\"", 0, 0));
	EXPECT_EQ(0, stat_number("\"failed_bytes\""));
	use_some();
	stop();
}

#define KIND_TEST(kind_name, ...)					\
TEST_TIMEOUT(kind_name, TIMEOUT)					\
{									\
	static const struct kind kind = { #kind_name, __VA_ARGS__ };	\
									\
	check_balloon(&kind);						\
}

KIND_TEST(shared, "160M,prefetch,kind=shared", false)
KIND_TEST(private, "160M,prefetch,kind=private", false)
KIND_TEST(file, "160M,prefetch,kind=file,file=/tmp/guest-balloon", false)
KIND_TEST(gmem, "160M,prefetch,kind=gmem", false)
KIND_TEST(gmem_store, "160M,prefetch,kind=gmem-store", false)
KIND_TEST(guest_memfd, "160M,prefetch,kind=guest-memfd", false)

TEST_TIMEOUT(hugetlb, TIMEOUT)
{
	static const struct kind kind = { "hugetlb", "160M,kind=hugetlb", true };
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	int fd = open(path, O_RDWR);

	if (fd < 0)
		SKIP(return, KSFT_BY_DESIGN " no %s", path);
	ASSERT_EQ(2, write(fd, "80", 2));
	check_balloon(&kind);
	EXPECT_EQ(1, pwrite(fd, "0", 1, 0));
	close(fd);
}

TEST_HARNESS_MAIN
