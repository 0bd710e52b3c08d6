// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a VM is told to decommit goes back to the host, whatever it comes
 * from: /proc/PID/smaps, /proc/meminfo and gmem's own count say so, and it reads
 * zero afterwards. It is memory that the guest has been told to leave alone.
 */
#include <fcntl.h>
#include <sys/socket.h>

#include "ksft.h"
#include "linux_guest.h"

#define TIMEOUT	200
#define NAME	"guest"
#define SIZE	(96UL << 20)
#define PART	(64UL << 20)
#define PART_SIZE (16UL << 20)
#define APART	"memmap=16M$64M GMEM_ACTION=halt"

/* The guest goes on booting, and takes some memory, while this is measured. */
#define ENOUGH	(PART_SIZE / 2)

static struct boot boot;
static char text[4096];

#define CONTROL(...) \
	tool_run(text, sizeof(text), (const char *const[]){ __VA_ARGS__, NULL })

/**
 * struct usage - what the host says about the guest's RAM, in bytes
 * @rss: of smaps, with huge pages
 * @resident: of `gmemctl stat`, which asks gmem
 * @free: MemFree, with huge pages that are free
 */
struct usage {
	unsigned long rss;
	unsigned long resident;
	unsigned long free;
};

/* A number of KiB in a line "key:   number kB", as bytes; 0 for another line. */
static unsigned long line_bytes(const char *line, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(line, key, length) || line[length] != ':')
		return 0;
	return strtoul(line + length + 1, NULL, 10) << 10;
}

/* The mapping of the RAM, and how much of it is there. Return: its address. */
static unsigned long find_ram(pid_t pid, unsigned long *rss)
{
	unsigned long start, end, ram = 0;
	char path[64], line[512], mode[8];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	file = fopen(path, "r");
	*rss = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) == 3) {
			if (ram)
				break;
			if (end - start == SIZE && mode[1] == 'w')
				ram = start;
		} else if (ram) {
			*rss += line_bytes(line, "Rss") +
				line_bytes(line, "Shared_Hugetlb") +
				line_bytes(line, "Private_Hugetlb");
		}
	}
	if (file)
		fclose(file);
	return ram;
}

static unsigned long free_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long bytes = 0, pages = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		bytes += line_bytes(line, "MemFree");
		if (sscanf(line, "HugePages_Free: %lu", &pages) == 1)
			bytes += pages << 21;
	}
	if (file)
		fclose(file);
	return bytes;
}

static struct usage measure(pid_t pid)
{
	struct usage usage = { 0 };

	find_ram(pid, &usage.rss);
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	usage.resident = json_number(text, "\"resident_bytes\"");
	usage.free = free_bytes();
	return usage;
}

/* Write to the RAM as the debugger would. Return: 0, or errno. */
static int poke(int mem, unsigned long address, unsigned char value)
{
	static unsigned char bytes[1 << 16];

	memset(bytes, value, sizeof(bytes));
	for (unsigned long at = 0; at < PART_SIZE; at += sizeof(bytes))
		if (pwrite(mem, bytes, sizeof(bytes), (off_t)(address + at)) !=
		    (ssize_t)sizeof(bytes))
			return errno;
	return 0;
}

/* Bytes of the part that do not have @value. */
static unsigned long other_bytes(int mem, unsigned long address,
				 unsigned char value)
{
	static unsigned char bytes[1 << 16];
	unsigned long wrong = 0;

	for (unsigned long at = 0; at < PART_SIZE; at += sizeof(bytes)) {
		if (pread(mem, bytes, sizeof(bytes), (off_t)(address + at)) !=
		    (ssize_t)sizeof(bytes))
			return PART_SIZE;
		for (size_t i = 0; i < sizeof(bytes); i++)
			wrong += bytes[i] != value;
	}
	return wrong;
}

/* Return: whether the VM answers; not if it has ended. */
static bool wait_for_vm(pid_t pid)
{
	for (int i = 0; i < 300; i++) {
		siginfo_t info = { 0 };

		if (!CONTROL("stat", NAME))
			return true;
		if (!waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG |
			    WNOWAIT) && info.si_pid)
			return false;
		usleep(100000);
	}
	return false;
}

static void check_decommit(pid_t pid)
{
	struct usage before, after;
	unsigned long ram, rss;
	char path[64];
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDWR);
	ASSERT_GE(mem, 0);
	ram = find_ram(pid, &rss);
	ASSERT_NE(0, ram);
	ASSERT_EQ(0, poke(mem, ram + PART, 0x5a));
	EXPECT_EQ(0, other_bytes(mem, ram + PART, 0x5a));
	before = measure(pid);
	EXPECT_EQ(0, CONTROL("decommit", NAME, "0x4000000", "16M"));
	after = measure(pid);
	TH_LOG("KiB: rss %lu to %lu, resident %lu to %lu, free %lu to %lu",
	       before.rss >> 10, after.rss >> 10, before.resident >> 10,
	       after.resident >> 10, before.free >> 10, after.free >> 10);
	EXPECT_GE(before.rss, PART_SIZE);
	EXPECT_GE(before.rss, after.rss + ENOUGH);
	EXPECT_GE(before.resident, after.resident + ENOUGH);
	EXPECT_GE(after.free, before.free + ENOUGH);
	EXPECT_EQ(0, other_bytes(mem, ram + PART, 0));
	close(mem);
}

static void decommit_kind(const char *memory)
{
	int out = output_file(), err = output_file(), fd;
	const char *why = linux_guest_unavailable();
	pid_t pid;

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		why = KSFT_BY_DESIGN " a kernel without Unix sockets";
	if (why)
		SKIP(return, "%s", why);
	close(fd);
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);
	boot = (struct boot){ .memory = memory, .append = APART, .name = NAME,
			      .seconds = "100" };
	pid = boot_start(&boot, out, err);
	if (wait_for_vm(pid)) {
		check_decommit(pid);
		EXPECT_EQ(0, CONTROL("stop", NAME));
	}
	boot_end(&boot, pid, out, err);
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
