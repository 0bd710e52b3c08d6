// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a VM is told to decommit goes back to the host, whatever it comes
 * from: /proc/PID/smaps, /proc/meminfo and gmem's own count say so, and it reads
 * zero afterwards. It is memory that the guest has been told to leave alone.
 */
#include <fcntl.h>

#include "guest_view.h"
#include "ksft.h"
#include "linux_guest.h"

#define TIMEOUT	300
#define NAME	"guest"
#define SIZE	(96UL << 20)
#define PART	(64UL << 20)
#define PART_SIZE (8UL << 20)
#define CHUNK	(1UL << 16)
#define UP_SECONDS 120
#define APART	"memmap=8M$64M GMEM_ACTION=halt"

/* The guest is idle meanwhile. The host's processes take and give some. */
#define ENOUGH	(PART_SIZE / 4 * 3)

static struct boot boot;
static char text[4096];

#define CONTROL(...) \
	tool_run(text, sizeof(text), (const char *const[]){ __VA_ARGS__, NULL })

/**
 * struct usage - what the host says about the guest's RAM, in bytes
 * @rss: of smaps, with huge pages
 * @resident: of `gmemctl stat`, which asks gmem
 * @free: MemFree, with free huge pages and those in the lists of CPUs
 */
struct usage {
	unsigned long rss;
	unsigned long resident;
	unsigned long free;
};

/* Pages that are free, but in the list of a CPU, which MemFree leaves out. */
static unsigned long cpu_list_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	unsigned long pages = 0, count;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %lu", &count) == 1)
			pages += count;
	if (file)
		fclose(file);
	return pages;
}

static unsigned long free_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long bytes = cpu_list_pages() << 12, number;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemFree: %lu", &number) == 1)
			bytes += number << 10;
		if (sscanf(line, "HugePages_Free: %lu", &number) == 1)
			bytes += number << 21;
	}
	if (file)
		fclose(file);
	return bytes;
}

static struct usage measure(pid_t pid)
{
	struct usage usage = { 0 };
	uint64_t rss;

	EXPECT_NE(0, view_ram(pid, SIZE, &rss));
	usage.rss = rss;
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	usage.resident = json_number(text, "\"resident_bytes\"");
	usage.free = free_bytes();
	return usage;
}

/* Write to the RAM as the debugger would. Return: 0, or errno. */
static int poke(const struct view *view, unsigned char value)
{
	static unsigned char bytes[CHUNK];
	int rc = 0;

	memset(bytes, value, sizeof(bytes));
	for (unsigned long at = 0; !rc && at < PART_SIZE; at += sizeof(bytes))
		rc = view_write(view, VIEW_PROC_MEM, at, bytes, sizeof(bytes));
	return rc;
}

/* Bytes of the part that do not have @value. */
static unsigned long other_bytes(const struct view *view, unsigned char value)
{
	static unsigned char bytes[CHUNK];
	unsigned long wrong = 0;

	for (unsigned long at = 0; at < PART_SIZE; at += sizeof(bytes)) {
		if (view_read(view, VIEW_PROC_MEM, at, bytes, sizeof(bytes)))
			return PART_SIZE;
		for (size_t i = 0; i < sizeof(bytes); i++)
			wrong += bytes[i] != value;
	}
	return wrong;
}

static void check_decommit(pid_t pid)
{
	struct usage before, after;
	struct view view;

	ASSERT_EQ(0, view_open(&view, pid, SIZE, NULL, PART, PART_SIZE));
	ASSERT_EQ(0, poke(&view, 0x5a));
	EXPECT_EQ(0, other_bytes(&view, 0x5a));
	before = measure(pid);
	EXPECT_EQ(0, CONTROL("decommit", NAME, "0x4000000", "8M"));
	after = measure(pid);
	TH_LOG("KiB: rss %lu to %lu, resident %lu to %lu, free %lu to %lu",
	       before.rss >> 10, after.rss >> 10, before.resident >> 10,
	       after.resident >> 10, before.free >> 10, after.free >> 10);
	EXPECT_GE(before.rss, PART_SIZE);
	EXPECT_GE(before.rss, after.rss + ENOUGH);
	EXPECT_GE(before.resident, after.resident + ENOUGH);
	EXPECT_GE(after.free, before.free + ENOUGH);
	EXPECT_EQ(0, other_bytes(&view, 0));
	view_close(&view);
}

static void decommit_kind(const char *memory)
{
	const char *why = linux_guest_unavailable();
	struct boot_process process;

	if (!why)
		why = control_unavailable();
	if (why)
		SKIP(return, "%s", why);
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);
	boot = (struct boot){ .memory = memory, .append = APART, .name = NAME,
			      .seconds = "150" };
	if (boot_up(&boot, &process, LINUX_GUEST_READY, UP_SECONDS)) {
		check_decommit(process.pid);
		EXPECT_EQ(0, CONTROL("stop", NAME));
		boot_end(&boot, process.pid, process.out, process.err);
	}
	if (boot.code == CODE_UNSUPPORTED)
		SKIP(return, KSFT_BY_DESIGN " not with this kernel");
	if (boot.code)
		boot_log(&boot, boot.console);
	EXPECT_EQ(0, boot.code);
}

#define KIND_TEST(name, memory)						\
TEST_TIMEOUT(name, TIMEOUT)						\
{									\
	decommit_kind(memory);						\
}

KIND_TEST(shared, "96M,kind=shared")
KIND_TEST(private, "96M,kind=private")
KIND_TEST(file, "96M,kind=file,file=/tmp/guest-memory")
KIND_TEST(gmem, "96M,kind=gmem")
KIND_TEST(gmem_store, "96M,kind=gmem-store")
KIND_TEST(guest_memfd, "96M,kind=guest-memfd")

TEST_TIMEOUT(hugetlb, TIMEOUT)
{
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	int fd = open(path, O_RDWR);

	if (fd < 0)
		SKIP(return, KSFT_BY_DESIGN " no %s", path);
	ASSERT_EQ(2, write(fd, "48", 2));
	decommit_kind("96M,kind=hugetlb");
	EXPECT_EQ(1, pwrite(fd, "0", 1, 0));
	close(fd);
}

TEST_HARNESS_MAIN
