// SPDX-License-Identifier: GPL-2.0
/*
 * Linux boots in each kind of memory, as a guest of gmemctl inside the test VM. It finds
 * all of its memory, and memory keeps its contents.
 *
 * Each kind prints a row of the table at the end of `make test`.
 */
#include <fcntl.h>

#include "cgroup.h"
#include "ksft.h"
#include "linux_guest.h"

#define SHMEM_THP	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"
#define HUGEPAGES	"/sys/kernel/mm/hugepages/hugepages-"
#define FILE_PATH	"/tmp/guest-memory"

/* The part below 1 MiB that is not RAM on a PC, and the page that Linux reserves. */
#define LEGACY_KIB	(4 + (1024 - 639))

static struct boot guest;

static void table_boot(const char *label, bool boots)
{
	TH_LOG("table: Linux guest in memory | %s | %s %lu.%lu s%s", label,
	       boots ? "boots" : "FAILED", guest.ms / 1000,
	       guest.ms / 100 % 10, guest.lost ? ", 2nd try" : "");
}

/* The reason is printed below the table. */
#define NOT_THERE(label, ...) do {					\
	char __why[192];						\
									\
	snprintf(__why, sizeof(__why), __VA_ARGS__);			\
	TH_LOG("table: Linux guest in memory | %s | not there: %s",	\
	       label, __why);						\
	SKIP(return, KSFT_BY_DESIGN " %s", __why);			\
} while (0)

/*
 * With checkers in the host's kernel, the first access to each page of the guest takes
 * milliseconds.
 */
static const char *append_touch(const char *all, const char *some)
{
	return linux_guest_slow() ? some : all;
}

static void check_guest(unsigned long mib)
{
	char text[64];

	snprintf(text, sizeof(text), "gmem-guest: RAM %lu KiB",
		 mib * 1024 - LEGACY_KIB);
	EXPECT_TRUE(boot_said(&guest, text));
	EXPECT_TRUE(boot_said(&guest, "gmem-guest: RAM 1000-9fbff"));
	EXPECT_TRUE(boot_said(&guest, "gmem-guest: reserved 9fc00-9ffff"));
	EXPECT_TRUE(boot_said(&guest, "gmem-guest: reserved f0000-fffff"));
	EXPECT_TRUE(boot_said(&guest, "gmem-guest: RAM 100000-"));
	EXPECT_GT(boot_number(&guest, "gmem-guest: pages checked: "),
		  1000UL);
	EXPECT_TRUE(boot_said(&guest, "gmem-guest: words wrong: 0"));
	EXPECT_TRUE(boot_said(&guest, ", 1 CPUs"));
}

static void show_failure(void)
{
	if (!ksft_result->failed)
		return;
	boot_log(&guest, guest.console);
	boot_log(&guest, guest.json);
}

/* @mib: size of the memory that the guest must find */
static void boot_label(const char *label, unsigned long mib)
{
	char missing[128];
	bool boots;

	boot_run(&guest);
	if (guest.code == CODE_UNSUPPORTED) {
		boot_error(&guest, missing, sizeof(missing));
		NOT_THERE(label, "the kernel lacks %s", missing);
	}
	boots = boot_ended(&guest, "power-off", 0);
	table_boot(label, boots);
	EXPECT_TRUE(boots);
	check_guest(mib);
	show_failure();
}

static void boot_size(const char *label, const char *memory, unsigned long mib)
{
	guest.memory = memory;
	guest.append = append_touch("GMEM_ACTION=power-off GMEM_TOUCH=all",
				    "GMEM_ACTION=power-off GMEM_TOUCH=4");
	boot_label(label, mib);
}

static void boot_kind(const char *label, const char *memory)
{
	boot_size(label, memory, 64);
}

#define NEED_GUEST() do {						\
	const char *__why = linux_guest_unavailable();			\
									\
	if (__why)							\
		SKIP(return, "%s", __why);				\
	memset(&guest, 0, sizeof(guest));				\
} while (0)

/* For memory that does not use gmem. */
#define NEED_PLAIN_GUEST(label) do {					\
	NEED_GUEST();							\
	if (linux_guest_unwatched())					\
		NOT_THERE(label, "only gmem is watched here");		\
} while (0)

#define KIND_TEST(name, need, label, memory)				\
TEST_TIMEOUT(name, LINUX_GUEST_TIMEOUT)					\
{									\
	need;								\
	boot_kind(label, memory);					\
}

#define PLAIN_TEST(name, label, memory)					\
	KIND_TEST(name, NEED_PLAIN_GUEST(label), label, memory)
#define GMEM_TEST(name, label, memory)					\
	KIND_TEST(name, NEED_GUEST(), label, memory)

PLAIN_TEST(shared, "shared", "64M,kind=shared")
PLAIN_TEST(shared_prefetch, "shared, prefetch", "64M,kind=shared,prefetch")
PLAIN_TEST(private, "private", "64M,kind=private")
PLAIN_TEST(private_prefetch, "private, prefetch", "64M,kind=private,prefetch")
GMEM_TEST(gmem, "gmem", "64M,kind=gmem")
GMEM_TEST(gmem_prefetch, "gmem, prefetch", "64M,kind=gmem,prefetch")
GMEM_TEST(gmem_store, "gmem-store", "64M,kind=gmem-store")
PLAIN_TEST(guest_memfd, "guest-memfd", "64M,kind=guest-memfd")

/* First with a new file; then another guest uses this file with the old contents. */
TEST_TIMEOUT(file, LINUX_GUEST_TIMEOUT)
{
	NEED_PLAIN_GUEST("file");
	unlink(FILE_PATH);
	boot_kind("file", "64M,kind=file,file=" FILE_PATH);
	EXPECT_EQ(0, access(FILE_PATH, F_OK));
}

TEST_TIMEOUT(file_existing, LINUX_GUEST_TIMEOUT)
{
	NEED_PLAIN_GUEST("file, existing");
	if (access(FILE_PATH, F_OK))
		SKIP(return, KSFT_BY_DESIGN " needs the file of the test before");
	boot_kind("file, existing", "64M,kind=file,file=" FILE_PATH);
	unlink(FILE_PATH);
}

/* Return: an event's count in /proc/vmstat, or -1 if it does not exist. */
static long vmstat(const char *event)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char name[64];
	long count;

	while (file && fscanf(file, "%63s %ld", name, &count) == 2) {
		if (strcmp(name, event))
			continue;
		fclose(file);
		return count;
	}
	if (file)
		fclose(file);
	return -1;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	EXPECT_EQ((long)strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

/* @event: what the kernel counts when it allocates a huge page for this kind */
static void boot_thp(const char *label, const char *memory, const char *event)
{
	long before = vmstat(event);

	if (before < 0)
		NOT_THERE(label, "no transparent huge pages");
	boot_kind(label, memory);
	TH_LOG("%s: %ld", event, vmstat(event) - before);
	EXPECT_GT(vmstat(event), before);
}

TEST_TIMEOUT(shared_thp, LINUX_GUEST_TIMEOUT)
{
	static const char label[] = "shared, thp";

	NEED_PLAIN_GUEST(label);
	if (access(SHMEM_THP, W_OK))
		NOT_THERE(label, "no transparent huge pages for shmem");
	write_file(SHMEM_THP, "advise");
	boot_thp(label, "64M,kind=shared,thp", "thp_file_alloc");
	write_file(SHMEM_THP, "never");
}

TEST_TIMEOUT(private_thp, LINUX_GUEST_TIMEOUT)
{
	NEED_PLAIN_GUEST("private, thp");
	boot_thp("private, thp", "64M,kind=private,thp", "thp_fault_alloc");
}

/*
 * More memory than the VM has, below and above the hole below 4 GiB. Only pages that the
 * guest uses are populated, which are many: it has a struct page for each page.
 */
TEST_TIMEOUT(larger_than_host, LINUX_GUEST_TIMEOUT)
{
	static const char label[] = "private, thp, 5G";

	NEED_PLAIN_GUEST(label);
	if (vmstat("thp_fault_alloc") < 0)
		NOT_THERE(label, "no transparent huge pages");
	guest.memory = "5G,kind=private,thp";
	guest.append = "GMEM_ACTION=power-off GMEM_TOUCH=4";
	boot_label(label, 5 * 1024);
	EXPECT_TRUE(boot_said(&guest, "gmem-guest: RAM 100000-bfffffff"));
	EXPECT_TRUE(boot_said(&guest, "gmem-guest: RAM 100000000-17fffffff"));
}

/*
 * A guest that uses more memory than there is ends, and so does gmemctl. It is killed if
 * a page fault exceeds the limit. It ends by itself if an ioctl does, which returns an
 * error.
 */
TEST_TIMEOUT(out_of_memory, LINUX_GUEST_TIMEOUT)
{
	const char *why = cgroup_unavailable();
	struct cgroup group;

	NEED_GUEST();
	if (why)
		SKIP(return, KSFT_BY_DESIGN " %s", why);
	ASSERT_EQ(0, cgroup_create(&group, "linux-guest"));
	ASSERT_EQ(0, cgroup_write(&group, "memory.max", 48UL << 20));
	ASSERT_EQ(0, cgroup_enter(&group));
	guest.memory = "64M,kind=gmem";
	guest.append = "GMEM_ACTION=power-off GMEM_TOUCH=all";
	boot_run(&guest);
	EXPECT_TRUE(boot_said(&guest, LINUX_GUEST_UP));
	if (guest.code == -1) {
		EXPECT_EQ(1, cgroup_key(&group, "memory.events", "oom_kill"));
	} else {
		EXPECT_TRUE(boot_ended(&guest, "memory-fault", 22));
		EXPECT_NE(NULL, strstr(guest.json, "short of memory"));
	}
	show_failure();
}

static long hugepages(const char *path, const char *count)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[32] = "";
	long got = -1;

	if (fd < 0)
		return -1;
	if (write(fd, count, strlen(count)) > 0 &&
	    pread(fd, text, sizeof(text) - 1, 0) > 0)
		got = strtol(text, NULL, 10);
	close(fd);
	return got;
}

/* Huge pages have to be allocated before the guest starts. */
TEST_TIMEOUT(hugetlb, LINUX_GUEST_TIMEOUT)
{
	static const char path[] = HUGEPAGES "2048kB/nr_hugepages";
	static const char label[] = "hugetlb, 2M";
	long got;

	NEED_PLAIN_GUEST(label);
	got = hugepages(path, "32");
	if (got < 0)
		NOT_THERE(label, "the kernel lacks hugetlb");
	ASSERT_EQ(32L, got);
	boot_kind(label, "64M,kind=hugetlb");
	EXPECT_EQ(0L, hugepages(path, "0"));
}

/* A VM of 2 GiB has no free page of 1 GiB. A VM of 6 GiB (MEM=6144) has one. */
TEST_TIMEOUT(hugetlb_1g, LINUX_GUEST_TIMEOUT)
{
	static const char path[] = HUGEPAGES "1048576kB/nr_hugepages";
	static const char label[] = "hugetlb, 1G";
	long got;

	NEED_PLAIN_GUEST(label);
	got = hugepages(path, "1");
	if (got < 0)
		NOT_THERE(label, "the kernel lacks huge pages of 1G");
	if (!got)
		NOT_THERE(label, "no 1G of the VM is free in one piece; "
			  "MEM=6144 helps");
	boot_size(label, "1G,kind=hugetlb,hugepage_size=1G", 1024);
	EXPECT_EQ(0L, hugepages(path, "0"));
}

TEST_HARNESS_MAIN
