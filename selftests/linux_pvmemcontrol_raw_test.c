// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of a Linux guest by pvmemcontrol, without a driver: each function code with
 * each kind of memory, its effect on the host according to /proc/PID/smaps and the memory
 * itself, and requests that are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include "guest_talk.h"
#include "guest_view.h"
#include "ksft.h"
#include "linux_guest.h"

#define TIMEOUT		400
#define NAME		"guest"
#define SIZE		((unsigned long)TALK_MEMORY << 20)
#define UP_SECONDS	120
#define CHUNK		(1UL << 16)
#define SAVED		"/tmp/saved-guest"

#define NOT_GMEM	KSFT_BY_DESIGN " Debian's kernels show what is not gmem's"

/* The host allocates and frees some pages meanwhile. */
#define ENOUGH		(TALK_PART_SIZE / 4 * 3)

enum {
	INFO, DONTNEED, REMOVE, FREE, PAGEOUT, DONTDUMP, NAME_VMA, MLOCK, MUNLOCK,
	PROTECT_NONE, PROTECT_R, PROTECT_W, PROTECT_RW, MERGEABLE, UNMERGEABLE, CODES,
};

static struct talk talk;
static struct view view;
static char text[16384];

#define CONTROL(...) \
	tool_run(text, sizeof(text), (const char *const[]){ __VA_ARGS__, NULL })

/**
 * struct usage - what the host reports about the part, in bytes
 * @protection: of its first mapping, such as "rw-"
 * @flags: VmFlags of this mapping
 * @name: name of this mapping
 */
struct usage {
	unsigned long rss;
	unsigned long lazy;
	unsigned long locked;
	unsigned long swap;
	char protection[8];
	char flags[256];
	char name[64];
};

static void usage_line(struct usage *usage, const char *line)
{
	unsigned long kib;
	char key[32];

	if (!strncmp(line, "VmFlags:", 8) && !usage->flags[0])
		snprintf(usage->flags, sizeof(usage->flags), "%.200s", line + 8);
	if (sscanf(line, "%31[^:]: %lu kB", key, &kib) != 2)
		return;
	if (!strcmp(key, "Rss") || !strcmp(key, "Shared_Hugetlb") ||
	    !strcmp(key, "Private_Hugetlb"))
		usage->rss += kib << 10;
	else if (!strcmp(key, "LazyFree"))
		usage->lazy += kib << 10;
	else if (!strcmp(key, "Locked"))
		usage->locked += kib << 10;
	else if (!strcmp(key, "Swap"))
		usage->swap += kib << 10;
}

static struct usage measure(void)
{
	struct usage usage = { 0 };
	unsigned long start, end;
	char line[512], mode[8];
	bool inside = false;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/smaps", talk.tool.pid);
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3) {
			if (inside)
				usage_line(&usage, line);
			continue;
		}
		inside = start < view.theirs + TALK_PART_SIZE && end > view.theirs;
		if (!inside || usage.protection[0])
			continue;
		memcpy(usage.protection, mode, sizeof(mode));
		sscanf(line, "%*s %*s %*s %*s %*s %63[^\n]", usage.name);
	}
	if (file)
		fclose(file);
	return usage;
}

/**
 * struct kind - what a kind of memory can do
 * @name: name in the table
 * @memory: argument of --memory
 * @codes: "y" or "n" for each code from 1 on
 * @paged: it can be paged out
 * @dumped: core dumps contain it
 * @huge: it consists of huge pages
 */
struct kind {
	const char *name;
	const char *memory;
	const char *codes;
	bool paged;
	bool dumped;
	bool huge;
};

/*
 * Return: bytes of the host's memory that the guest uses. Resident pages may be unmapped,
 * so ask gmem for gmem's kinds, and use the pool's count for huge pages.
 */
static unsigned long resident(const struct kind *kind)
{
	if (kind->huge)
		return talk_huge_bytes();
	if (kind->paged)
		return measure().rss;
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	return json_number(text, "\"resident_bytes\"");
}

static void poke(unsigned char value)
{
	static unsigned char bytes[CHUNK];

	memset(bytes, value, sizeof(bytes));
	for (unsigned long at = 0; at < TALK_PART_SIZE; at += sizeof(bytes))
		ASSERT_EQ(0, view_write(&view, VIEW_PROC_MEM, at, bytes,
					sizeof(bytes)));
}

/* Return: the number of bytes in the part that differ from @value. */
static unsigned long other_bytes(unsigned char value)
{
	static unsigned char bytes[CHUNK], expected[CHUNK];
	unsigned long wrong = 0;

	memset(expected, value, sizeof(expected));
	for (unsigned long at = 0; at < TALK_PART_SIZE; at += sizeof(bytes)) {
		if (view_read(&view, VIEW_PROC_MEM, at, bytes, sizeof(bytes)))
			return TALK_PART_SIZE;
		if (!memcmp(bytes, expected, sizeof(bytes)))
			continue;
		for (size_t i = 0; i < sizeof(bytes); i++)
			wrong += bytes[i] != value;
	}
	return wrong;
}

/* Return: the errno of a request for the whole part. */
static long long call(unsigned int code)
{
	const char *answer = talk_tell(&talk, "call %u %lx %lx 42", code, TALK_PART,
				       TALK_PART_SIZE);
	long long error = talk_number(answer, "error");

	/* The device must overwrite the request with its answer. */
	EXPECT_EQ(error == EOPNOTSUPP || error == EINVAL ? code : 0,
		  talk_number(answer, "code"));
	return error;
}

static void check_info(void)
{
	const char *answer = talk_tell(&talk, "call 0 1 2 3");

	EXPECT_EQ(0, talk_number(answer, "error"));
	EXPECT_EQ(4096, talk_number(answer, "value"));
	EXPECT_TRUE(strstr(answer, "arguments=1,0"));
}

static void check_given_back(const struct kind *kind, unsigned int code)
{
	unsigned long before, after;

	poke(0x5a);
	before = resident(kind);
	EXPECT_EQ(0, call(code));
	after = resident(kind);
	EXPECT_GE(before, after + ENOUGH);
	talk_row(kind->name, code == REMOVE ? "pvmemcontrol remove" : "pvmemcontrol dontneed",
		 before, after);
	EXPECT_EQ(0, other_bytes(0));
}

/* Return: the number of free pages in lists of CPUs, which MemFree does not contain. */
static unsigned long cpu_list_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	unsigned long pages = 0, count;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %lu", &count) == 1)
			pages += count;
	if (file)
		fclose(file);
	return pages;
}

/* Return: the number of free bytes on the host, including the pool of huge pages. */
static unsigned long free_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
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

/* The host decommits the memory without asking the guest: it is free then. */
static void check_decommit(const struct kind *kind)
{
	unsigned long before, free;

	poke(0x5a);
	before = resident(kind);
	free = free_bytes();
	EXPECT_EQ(0, CONTROL("decommit", NAME, "0x4000000", "8M"));
	EXPECT_GE(free_bytes(), free + ENOUGH);
	EXPECT_GE(before, resident(kind) + ENOUGH);
	EXPECT_EQ(0, other_bytes(0));
}

/*
 * mlock populates all pages. The kernel also marks memory as locked that can be paged
 * out. Requests that would free locked memory are refused.
 */
static void check_lock(const struct kind *kind)
{
	unsigned long free;

	EXPECT_EQ(0, call(DONTNEED));
	free = free_bytes();
	EXPECT_EQ(0, call(MLOCK));
	EXPECT_GE(free, free_bytes() + ENOUGH);
	if (kind->paged)
		EXPECT_GE(measure().locked, ENOUGH);
	EXPECT_EQ(kind->paged, !!strstr(measure().flags, " lo"));
	EXPECT_EQ(EINVAL, call(DONTNEED));
	EXPECT_EQ(0, call(MUNLOCK));
	EXPECT_FALSE(strstr(measure().flags, " lo"));
}

/* An access of the host that does not override the protection fails, like the guest's. */
static void check_protection(void)
{
	unsigned char byte = 1;

	poke(0x5a);
	EXPECT_EQ(0, call(PROTECT_NONE));
	EXPECT_EQ(0, strncmp("---", measure().protection, 3));
	EXPECT_EQ(EFAULT, view_read(&view, VIEW_PROCESS_VM, 0, &byte, 1));
	EXPECT_EQ(0, call(PROTECT_R));
	EXPECT_EQ(0, strncmp("r--", measure().protection, 3));
	EXPECT_EQ(0, view_read(&view, VIEW_PROCESS_VM, 0, &byte, 1));
	EXPECT_EQ(EFAULT, view_write(&view, VIEW_PROCESS_VM, 0, &byte, 1));
	EXPECT_EQ(0, call(PROTECT_W));
	EXPECT_EQ(0, strncmp("-w-", measure().protection, 3));
	EXPECT_EQ(0, view_write(&view, VIEW_PROCESS_VM, 0, &byte, 1));
	EXPECT_EQ(0, call(PROTECT_RW));
	EXPECT_EQ(0, strncmp("rw-", measure().protection, 3));
	EXPECT_EQ(0, other_bytes(0x5a));
}

/* Memory that the kernel may free at any time: smaps counts it as LazyFree. */
static void check_free(void)
{
	poke(0x5a);
	EXPECT_EQ(0, call(FREE));
	EXPECT_GE(measure().lazy, ENOUGH);
	poke(0x5a);
	EXPECT_GE(CHUNK, measure().lazy);
}

#define CONFIGFS	"/tmp/gmem-configfs"
#define DISK		CONFIGFS "/nullb/gmemswap"
#define SWAP_PAGES	4096

static bool disk_set(const char *name, const char *value)
{
	char path[128];
	int fd, rc;

	snprintf(path, sizeof(path), DISK "/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	rc = (int)write(fd, value, strlen(value));
	close(fd);
	return rc > 0;
}

/* Write a swap signature like mkswap. */
static bool swap_on(const char *path)
{
	static unsigned char page[4096];
	const uint32_t info[] = { 1, SWAP_PAGES - 1, 0 };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t done;

	memcpy(page + 1024, info, sizeof(info));
	memcpy(page + sizeof(page) - 10, "SWAPSPACE2", 10);
	done = fd < 0 ? -1 : write(fd, page, sizeof(page));
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return done == sizeof(page) && !swapon(path, 0);
}

/* Create a disk in memory for swap; NULL without null_blk. */
static const char *swap_start(void)
{
	static char dev[64];
	char index[16] = "";
	int fd;

	mkdir(CONFIGFS, 0700);
	if (mount("none", CONFIGFS, "configfs", 0, NULL) || mkdir(DISK, 0700))
		return NULL;
	if (!disk_set("size", "16") || !disk_set("memory_backed", "1") ||
	    !disk_set("power", "1"))
		return NULL;
	snprintf(dev, sizeof(dev), "/dev/gmemswap");
	fd = open(DISK "/index", O_RDONLY | O_CLOEXEC);
	if (access(dev, F_OK) && fd >= 0 && read(fd, index, sizeof(index) - 1) > 0)
		snprintf(dev, sizeof(dev), "/dev/nullb%d", atoi(index));
	if (fd >= 0)
		close(fd);
	return swap_on(dev) ? dev : NULL;
}

static void swap_stop(const char *path)
{
	if (path)
		EXPECT_EQ(0, swapoff(path));
	disk_set("power", "0");
	rmdir(DISK);
	umount2(CONFIGFS, MNT_DETACH);
	rmdir(CONFIGFS);
}

/* With swap, pages are written there, and come back with their contents. */
static void check_page_out(void)
{
	const char *swap = swap_start();
	unsigned long before;

	poke(0x5a);
	before = measure().rss;
	EXPECT_EQ(0, call(PAGEOUT));
	if (swap)
		EXPECT_GE(before, measure().rss + TALK_PART_SIZE / 2);
	else
		TH_LOG("no null_blk: nothing to page out to");
	EXPECT_EQ(0, other_bytes(0x5a));
	swap_stop(swap);
}

static void check_mergeable(void)
{
	long long error = call(MERGEABLE);

	if (error == EOPNOTSUPP) {
		TH_LOG("no KSM in this kernel");
		return;
	}
	EXPECT_EQ(0, error);
	EXPECT_TRUE(strstr(measure().flags, " mg"));
	EXPECT_EQ(0, call(UNMERGEABLE));
	EXPECT_FALSE(strstr(measure().flags, " mg"));
}

static void check_name(void)
{
	long long error = call(NAME_VMA);

	if (error == EOPNOTSUPP) {
		TH_LOG("no CONFIG_ANON_VMA_NAME in this kernel");
		return;
	}
	EXPECT_EQ(0, error);
	EXPECT_TRUE(strstr(measure().name, "[anon:pvmemcontrol-42]"));
	EXPECT_EQ(0, talk_number(talk_tell(&talk, "call 6 %lx %lx 0", TALK_PART,
					   TALK_PART_SIZE), "error"));
	EXPECT_FALSE(strstr(measure().name, "pvmemcontrol"));
}

/* dump=on includes memory in core dumps, for kinds that support it. */
static void check_dump(bool dumped)
{
	EXPECT_EQ(!dumped, !!strstr(measure().flags, " dd"));
	EXPECT_EQ(0, call(DONTDUMP));
	EXPECT_TRUE(strstr(measure().flags, " dd"));
}

/* Requests of all CPUs at once, all commands in all states, and invalid requests. */
static void check_guest(const struct kind *kind)
{
	EXPECT_EQ(0, talk_number(talk_tell(&talk, "states"), "wrong"));
	EXPECT_EQ(0, talk_number(talk_tell(&talk, "wrong"), "wrong"));
	/* A page of the guest is smaller than one of the host. */
	if (kind->huge) {
		EXPECT_EQ(EINVAL, talk_number(talk_tell(&talk, "own"), "error"));
		return;
	}
	EXPECT_EQ(0, talk_number(talk_tell(&talk, "own"), "wrong"));
	EXPECT_EQ(0, talk_number(talk_tell(&talk, "cpus 100"), "wrong"));
}

/* Access a protected page, which ends the guest; without protection just power off. */
static void check_guard(bool protects)
{
	talk_last(&talk, protects ? "guard 9\n" : "off\n");
	if (!protects) {
		EXPECT_TRUE(boot_ended(&talk.boot, "power-off", 0));
		return;
	}
	EXPECT_TRUE(boot_ended(&talk.boot, "memory-fault", CODE_MEMORY));
	EXPECT_TRUE(boot_said(&talk.boot, "gmem-guest: guard at 0x"));
	EXPECT_FALSE(boot_said(&talk.boot, "alive"));
	EXPECT_TRUE(strstr(talk.boot.json, "protected by pvmemcontrol: gpa 0x"));
}

static bool can(const struct kind *kind, unsigned int code)
{
	return kind->codes[code - 1] == 'y';
}

static void check_codes(const struct kind *kind)
{
	check_info();
	check_decommit(kind);
	for (unsigned int code = DONTNEED; code < CODES; code++)
		if (!can(kind, code))
			EXPECT_EQ(EOPNOTSUPP, call(code));
	check_given_back(kind, DONTNEED);
	if (can(kind, REMOVE))
		check_given_back(kind, REMOVE);
	check_lock(kind);
	if (can(kind, PROTECT_NONE))
		check_protection();
	if (can(kind, PAGEOUT))
		check_page_out();
	if (can(kind, FREE))
		check_free();
	if (can(kind, NAME_VMA))
		check_name();
	if (can(kind, MERGEABLE))
		check_mergeable();
	check_dump(kind->dumped);
}

/* Counters for each guest, as text and as JSON. */
static void check_stat(void)
{
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	EXPECT_TRUE(strstr(text, "\"pvmemcontrol\":"));
	EXPECT_TRUE(strstr(text, "\"state\":\"ready\""));
	EXPECT_GE(json_number(text, "\"dontneed\""), 1);
	EXPECT_EQ(0, CONTROL("stat", NAME));
	EXPECT_TRUE(strstr(text, "pvmemcontrol: ready, "));
}

static bool start(const char *memory, const char *cpus)
{
	static const char *const options[] = {
		"--pvmemcontrol", "all", "--page-reporting", NULL,
	};

	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);
	memset(&talk, 0, sizeof(talk));
	talk.boot.memory = memory;
	talk.boot.cpus = cpus;
	talk.boot.append = TALK_APPEND;
	talk.boot.name = NAME;
	talk.boot.seconds = "300";
	talk.boot.options = options;
	return talk_start(&talk, UP_SECONDS);
}

/* The guest runs its program, and has found the device in its initial state. */
static void check_up(void)
{
	EXPECT_TRUE(boot_wait_for(&talk.boot, talk.tool.pid, talk.tool.err,
				  "memctl: rc 0, 2 CPUs", 10));
	EXPECT_TRUE(boot_said(&talk.boot, "memctl: before: 0x1fba249"));
	ASSERT_EQ(0, view_open(&view, talk.tool.pid, SIZE, NULL, TALK_PART,
			       TALK_PART_SIZE));
}

/* The guest reports free pages, which are much of its memory after boot. */
static void check_reported(const struct kind *kind)
{
	unsigned long all = (unsigned long)TALK_MEMORY << 20;
	uint64_t start = ksft_now_ms();

	do {
		usleep(500000);
		EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	} while (json_number(text, "\"reported_bytes\"") < all / 4 &&
		 ksft_now_ms() - start < 60000);
	EXPECT_GE(json_number(text, "\"reported_bytes\""), all / 4);
	talk_row(kind->name, "page reporting", all, resident(kind));
	EXPECT_GE(all, resident(kind) + all / 5);
}

static void check_kind(const struct kind *kind)
{
	const char *why = linux_guest_unavailable();

	if (!why)
		why = linux_guest_unwatched();
	if (!why)
		why = control_unavailable();
	if (why)
		SKIP(return, "%s", why);
	if (linux_guest_slow() && !strstr(kind->codes, "nnnnnn"))
		SKIP(return, NOT_GMEM);
	unlink("/tmp/guest-raw");
	if (!start(kind->memory, "2")) {
		if (talk.boot.code == CODE_UNSUPPORTED)
			SKIP(return, KSFT_BY_DESIGN " not with this kernel");
		boot_log(&talk.boot, talk.boot.console);
		boot_log(&talk.boot, talk.boot.json);
		ASSERT_EQ(0, talk.boot.code);
	}
	check_up();
	check_guest(kind);
	check_reported(kind);
	check_codes(kind);
	check_stat();
	view_close(&view);
	check_guard(can(kind, PROTECT_NONE) && !kind->huge);
	if (ksft_result->failed)
		boot_log(&talk.boot, talk.boot.console);
}

#define KIND_TEST(kind_name, ...)					\
TEST_TIMEOUT(kind_name, TIMEOUT)						\
{									\
	static const struct kind kind = {				\
		.name = #kind_name, __VA_ARGS__				\
	};								\
									\
	check_kind(&kind);						\
}

KIND_TEST(shared, .memory = "160M,prefetch,kind=shared,dump",
	  .codes = "yynyynyyyyyynn", .paged = true, .dumped = true)
KIND_TEST(private, .memory = "160M,prefetch,kind=private,dump",
	  .codes = "ynyyyyyyyyyyyy", .paged = true, .dumped = true)
KIND_TEST(file, .memory = "160M,prefetch,kind=file,file=/tmp/guest-raw",
	  .codes = "yynyynyyyyyynn", .paged = true)
KIND_TEST(gmem, .memory = "160M,prefetch,kind=gmem",
	  .codes = "yynnynyynnnnnn")
KIND_TEST(gmem_store, .memory = "160M,prefetch,kind=gmem-store",
	  .codes = "yynnynyynnnnnn")
KIND_TEST(guest_memfd, .memory = "160M,prefetch,kind=guest-memfd",
	  .codes = "yynnynyynnnnnn")

/* After the move guard pages are still protected, and requests are served. */
static void check_moved(void)
{
	EXPECT_TRUE(boot_wait_answer(talk.tool.pid, NAME));
	/* The memory below the part is a mapping of its own, and so is the part. */
	view.theirs = view_ram(talk.tool.pid, TALK_PART, NULL) + TALK_PART;
	EXPECT_EQ(0, strncmp("---", measure().protection, 3));
	EXPECT_TRUE(strstr(measure().flags, " lo"));
	check_info();
	EXPECT_EQ(EINVAL, call(DONTNEED));
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	EXPECT_TRUE(strstr(text, "\"state\":\"ready\""));
	EXPECT_EQ(2, json_number(text, "\"connections\""));
}

static void move(const char *const words[])
{
	struct boot_process tool = { .out = output_file(), .err = output_file() };
	struct boot_process before = talk.tool;
	struct boot end = { 0 };

	tool.pid = boot_start_with(words, talk.boot.input, tool.out, tool.err);
	boot_end(&end, before.pid, before.out, before.err);
	EXPECT_EQ(0, end.code);
	talk_move(&talk, tool);
}

/*
 * Move the guest to another process, and to a file and back. The file also has protected
 * pages.
 */
TEST_TIMEOUT(moved, TIMEOUT)
{
	static const char *const handover[] = { "handover", NAME, "--json", NULL };
	static const char *const restore[] = {
		"restore", SAVED, "--json", "--name", NAME, NULL,
	};
	const char *why = linux_guest_unavailable();

	if (!why)
		why = linux_guest_unwatched();
	if (!why)
		why = control_unavailable();
	if (why)
		SKIP(return, "%s", why);
	if (linux_guest_slow())
		SKIP(return, NOT_GMEM);
	ASSERT_TRUE(start("160M,kind=shared", "2"));
	check_up();
	poke(0x5a);
	EXPECT_EQ(0, call(MLOCK));
	EXPECT_EQ(0, call(PROTECT_NONE));
	view_close(&view);
	move(handover);
	check_moved();
	EXPECT_EQ(0, CONTROL("save", NAME, SAVED, "--stop"));
	move(restore);
	check_moved();
	EXPECT_EQ(0, call(PROTECT_RW));
	EXPECT_EQ(0, call(MUNLOCK));
	ASSERT_EQ(0, view_open(&view, talk.tool.pid, SIZE, NULL, TALK_PART,
			       TALK_PART_SIZE));
	EXPECT_EQ(0, other_bytes(0x5a));
	view_close(&view);
	check_guard(true);
	unlink(SAVED);
	if (ksft_result->failed)
		boot_log(&talk.boot, talk.boot.console);
}

TEST_TIMEOUT(hugetlb, TIMEOUT)
{
	static const struct kind kind = {
		.name = "hugetlb", .memory = "160M,prefetch,kind=hugetlb",
		.codes = "yynnynyyyyyynn", .huge = true,
	};
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	int fd = open(path, O_RDWR);

	if (fd < 0)
		SKIP(return, KSFT_BY_DESIGN " no %s", path);
	ASSERT_EQ(2, write(fd, "80", 2));
	check_kind(&kind);
	EXPECT_EQ(1, pwrite(fd, "0", 1, 0));
	close(fd);
}

TEST_HARNESS_MAIN
