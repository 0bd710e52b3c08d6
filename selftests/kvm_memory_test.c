// SPDX-License-Identifier: GPL-2.0
/*
 * gmemctl's memory manager with the real KVM. For each kind of memory: guest and host
 * share it, it can be populated in advance, and decommitted. Also the NUMA node of
 * memory, and the state after KVM has refused an attach.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "ksft.h"
#include "kvm_vm.h"

#include "../tools/gmemctl/memory/guest_memory.h"

#define BASE	KVM_DATA_GPA
#define SIZE	(2 * SZ_2M)
#define PART	(16 * PAGE)	/* accessed by the guest at a time */
#define RANGES	3
#define PATH	"/tmp/kvm_memory_test"

FIXTURE(memory) {
	struct kvm_guest g;
	struct range ranges[RANGES];
	struct memory_request request;
	struct memory_config config;
	struct guest_memory memory;
	struct error error;
	uint8_t *host;
	bool guest;
	bool created;
};

/* 4 MiB of RAM of a kind that works on every kernel. Tests change the request. */
FIXTURE_SETUP(memory)
{
	self->ranges[0] = (struct range){ BASE, BASE + SIZE };
	self->request = (struct memory_request){
		.ranges = self->ranges,
		.nr_ranges = 1,
		.existing_fd = -1,
		.node = -1,
	};
	self->config = (struct memory_config){ .requests = &self->request,
					       .nr_requests = 1 };
}

FIXTURE_TEARDOWN(memory)
{
	if (self->created)
		guest_memory_destroy(&self->memory);
	if (self->guest)
		kvm_guest_destroy(&self->g);
	unlink(PATH);
}

static bool needs_private(const struct memory_data *self)
{
	return self->config.guest_memfd ||
	       self->request.kind == BACKING_GMEM_STORE;
}

/* Create the VM and its memory, without attaching it. Return: 0 or an errno. */
static int build(struct memory_data *self)
{
	int rc;

	if (self->request.kind == BACKING_FILE)
		self->request.path = PATH;
	rc = needs_private(self) ? kvm_guest_create(&self->g, 1) :
				   kvm_guest_create_plain(&self->g, 1);
	if (rc) {
		self->error = self->g.error;
		return rc;
	}
	self->guest = true;
	rc = guest_memory_create(&self->memory, &self->config, &self->g.vm,
				 &self->error);
	self->created = !rc;
	self->host = self->memory.reservation.base;
	return rc;
}

/* Fail with the reason, but skip if this machine lacks the kind of memory. */
#define start_or_skip(self) do {					\
	int __rc = build(self);						\
									\
	if (!__rc)							\
		__rc = guest_memory_attach(&(self)->memory,		\
					   &(self)->error);		\
	if (__rc == -EOPNOTSUPP)					\
		SKIP(return, KSFT_BY_DESIGN " %s: %s: %s",		\
		     (self)->error.object, (self)->error.action,	\
		     (self)->error.hint);				\
	if (__rc)							\
		TH_LOG("%s: %s: %s", (self)->error.object,		\
		       (self)->error.action, (self)->error.hint);	\
	ASSERT_EQ(0, __rc);						\
} while (0)

/*
 * Return: the number of populated pages of @self's memory. mincore() does not count pages
 * that fallocate() has allocated in shmem, because they are not up to date. So for such
 * files use the number of blocks.
 */
static uint64_t resident(const struct memory_data *self)
{
	uint64_t size = range_size(self->ranges[0]), count = 0, i;
	unsigned char *pages = calloc(1, size / PAGE);
	struct stat status;

	ASSERT_NE(NULL, pages);
	ASSERT_EQ(0, mincore(self->host + BASE, size, pages));
	for (i = 0; i < size / PAGE; i++)
		count += pages[i] & 1;
	free(pages);
	if (self->request.kind != BACKING_SHARED &&
	    self->request.kind != BACKING_FILE)
		return count;
	ASSERT_EQ(0, fstat(guest_memory_shared_fd(&self->memory), &status));
	return (uint64_t)status.st_blocks * 512 / PAGE;
}

/* Host and guest see each other's writes at @gpa. */
static void expect_shared(struct memory_data *self, uint64_t gpa)
{
	expect_op(&self->g, 0, KVM_OP_FILL, gpa, PART, 0x41);
	EXPECT_EQ(PART, gmem_differs(self->host + gpa, 0x41, PART));
	gmem_fill(self->host + gpa, 0x42, PART);
	expect_op(&self->g, 0, KVM_OP_EXPECT, gpa, PART, 0x42);
}

/* Decommit and commit a range. Memory that was not freed has its old contents. */
static void expect_decommit(struct memory_data *self)
{
	struct range range = { BASE, BASE + SZ_2M };
	/* All blocks of a file are allocated when it is created. */
	bool file = self->request.kind == BACKING_FILE;
	uint64_t rest = file ? (SIZE - SZ_2M) / PAGE : PART / PAGE;

	EXPECT_EQ(file ? SIZE / PAGE : 2 * rest, resident(self));
	EXPECT_EQ(0, guest_memory_decommit(&self->memory, range));
	EXPECT_EQ(rest, resident(self));
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PART, 0);
	EXPECT_EQ(PART, gmem_differs(self->host + BASE, 0, PART));
	EXPECT_EQ(0, guest_memory_commit(&self->memory, range));
	/* mincore() counts pages of a guest_memfd only after an access. */
	if (self->request.kind != BACKING_GUEST_MEMFD)
		EXPECT_EQ(SZ_2M / PAGE + rest, resident(self));
	gmem_fill(self->host + BASE, 0x43, PART);
	EXPECT_EQ(0, guest_memory_commit(&self->memory, range));
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PART, 0x43);
}

static void expect_kind(struct memory_data *self)
{
	EXPECT_EQ(self->request.kind == BACKING_FILE ? SIZE / PAGE : 0,
		  resident(self));
	expect_shared(self, BASE);
	expect_shared(self, BASE + SIZE - PART);
	expect_decommit(self);
	/* The contents of the rest are unchanged. */
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + SIZE - PART, PART, 0x42);
}

TEST_F(memory, shared)
{
	start_or_skip(self);
	expect_kind(self);
}

/* Small pages, even if the system uses huge pages for everything: pages are counted here. */
TEST_F(memory, private)
{
	self->request.kind = BACKING_PRIVATE;
	ASSERT_EQ(0, prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	start_or_skip(self);
	expect_kind(self);
}

TEST_F(memory, file)
{
	uint8_t byte = 0;
	int fd;

	self->request.kind = BACKING_FILE;
	start_or_skip(self);
	expect_kind(self);
	fd = open(PATH, O_RDONLY);
	EXPECT_EQ(1, pread(fd, &byte, 1, SIZE - 1));
	EXPECT_EQ(0x42, byte);
	close(fd);
}

TEST_F(memory, gmem)
{
	self->request.kind = BACKING_GMEM;
	start_or_skip(self);
	expect_kind(self);
}

/*
 * Private pages are in KVM's store; the host cannot access them, and decommit frees pages
 * on both sides.
 */
TEST_F(memory, gmem_store)
{
	struct range part = { BASE, BASE + PART };
	char why[256] = "";

	self->request.kind = BACKING_GMEM_STORE;
	start_or_skip(self);
	expect_kind(self);
	EXPECT_EQ(0, guest_memory_convert(&self->memory, part, true, why,
					  sizeof(why)));
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PART, 0x43);
	EXPECT_EQ(SIGBUS, gmem_try_write(self->host + BASE, 1));
	EXPECT_EQ(0, guest_memory_decommit(&self->memory, part));
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PART, 0);
	EXPECT_EQ(0, guest_memory_convert(&self->memory, part, false, why,
					  sizeof(why)));
	expect_shared(self, BASE);
}

TEST_F(memory, guest_memfd)
{
	self->request.kind = BACKING_GUEST_MEMFD;
	start_or_skip(self);
	expect_kind(self);
}

/*
 * Add @count pages of @kib KiB to the pool. Return: the number of pages before, to
 * restore it, or -1 if this machine cannot have them.
 */
static long pool_grow(unsigned long kib, unsigned long count)
{
	char path[96];
	long before, after = 0;
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages", kib);
	file = fopen(path, "r+");
	if (!file || fscanf(file, "%ld", &before) != 1)
		return -1;
	rewind(file);
	fprintf(file, "%lu", (unsigned long)before + count);
	fflush(file);
	rewind(file);
	if (fscanf(file, "%ld", &after) != 1)
		after = 0;
	rewind(file);
	if ((unsigned long)after < (unsigned long)before + count)
		fprintf(file, "%ld", before);
	fclose(file);
	return (unsigned long)after < (unsigned long)before + count ? -1 :
								      before;
}

static long pool_value(unsigned long kib, const char *name)
{
	char path[96];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%lukB/%s", kib, name);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

/* Pages are taken from the pool when the memory is created, not at the first access. */
TEST_F(memory, hugetlb_2m)
{
	struct range first = { BASE, BASE + SZ_2M };
	struct range cut = { BASE, BASE + PAGE };
	long left;

	if (pool_grow(2048, 2) < 0)
		SKIP(return, KSFT_BY_DESIGN " no two huge pages of 2 MiB");
	self->request.kind = BACKING_HUGETLB;
	left = pool_value(2048, "free_hugepages");
	start_or_skip(self);
	EXPECT_EQ(left - 2, pool_value(2048, "free_hugepages"));
	expect_shared(self, BASE);
	expect_shared(self, BASE + SIZE - PART);
	EXPECT_EQ(-EINVAL, guest_memory_decommit(&self->memory, cut));
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PART, 0x42);
	EXPECT_EQ(0, guest_memory_decommit(&self->memory, first));
	EXPECT_EQ(left - 1, pool_value(2048, "free_hugepages"));
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PART, 0);
}

/* A pool that is too small is an error at creation, which names the pool. */
TEST_F(memory, hugetlb_short)
{
	long left;

	if (pool_value(2048, "free_hugepages") < 0)
		SKIP(return, KSFT_BY_DESIGN " no huge pages of 2 MiB");
	left = pool_value(2048, "free_hugepages");
	self->request.kind = BACKING_HUGETLB;
	self->ranges[0].end = BASE + ((uint64_t)left + 8) * SZ_2M;
	EXPECT_GT(0, build(self));
	EXPECT_NE(NULL, strstr(self->error.action, "failed to reserve"));
	EXPECT_EQ(left, pool_value(2048, "free_hugepages"));
}

TEST_F(memory, hugetlb_1g)
{
	if (pool_grow(1048576, 1) < 0)
		SKIP(return, KSFT_BY_DESIGN " no huge page of 1 GiB");
	self->request.kind = BACKING_HUGETLB;
	self->request.hugepage_size = SZ_1G;
	self->ranges[0].end = BASE + SZ_1G;
	start_or_skip(self);
	EXPECT_EQ(0, (uintptr_t)self->host % SZ_1G);
	expect_shared(self, BASE);
	expect_shared(self, BASE + SZ_1G - PART);
}

/* All pages are populated before the guest runs. */
static void expect_prefetched(struct memory_data *self)
{
	EXPECT_EQ(0, self->memory.partition.prefetch_rc);
	EXPECT_EQ(SIZE / PAGE, resident(self));
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PART, 0);
}

TEST_F(memory, prefetch_shared)
{
	self->request.prefetch = true;
	start_or_skip(self);
	expect_prefetched(self);
}

TEST_F(memory, prefetch_private)
{
	self->request.prefetch = true;
	self->request.kind = BACKING_PRIVATE;
	start_or_skip(self);
	expect_prefetched(self);
}

TEST_F(memory, prefetch_gmem)
{
	self->request.prefetch = true;
	self->request.kind = BACKING_GMEM;
	start_or_skip(self);
	expect_prefetched(self);
}

TEST_F(memory, prefetch_guest_memfd)
{
	self->request.prefetch = true;
	self->request.kind = BACKING_GUEST_MEMFD;
	start_or_skip(self);
	expect_prefetched(self);
}

/* Private pages are in KVM's store: no shared pages are populated. */
TEST_F(memory, prefetch_initial_private)
{
	self->request.prefetch = true;
	self->config.guest_memfd = true;
	self->config.initial_private = true;
	start_or_skip(self);
	EXPECT_EQ(0, self->memory.partition.prefetch_rc);
	EXPECT_EQ(0, resident(self));
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, PART, 0x72);
	EXPECT_EQ(0, resident(self));
}

/* Return: a value in KiB of smaps at an address; 0 if there is none. */
static unsigned long smaps_value(const void *address, const char *name)
{
	unsigned long start, end, value, at = (unsigned long)address;
	FILE *file = fopen("/proc/self/smaps", "r");
	size_t length = strlen(name);
	bool inside = false;
	char line[512];

	value = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = at >= start && at < end;
		else if (inside && !strncmp(line, name, length) &&
			 line[length] == ':')
			value = strtoul(line + length + 1, NULL, 10);
	}
	if (file)
		fclose(file);
	return value;
}

TEST_F(memory, thp)
{
	char modes[64] = "";
	int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);

	if (fd < 0 || read(fd, modes, sizeof(modes) - 1) <= 0 ||
	    strstr(modes, "[never]"))
		SKIP(return, KSFT_BY_DESIGN " no transparent huge pages");
	close(fd);
	self->request.kind = BACKING_PRIVATE;
	self->request.thp = true;
	start_or_skip(self);
	EXPECT_EQ(0, (uintptr_t)(self->host + BASE) % SZ_2M);
	expect_shared(self, BASE);
	EXPECT_EQ(2048, smaps_value(self->host + BASE, "AnonHugePages"));
}

static int node_of(const void *address)
{
	int node = -1;

	syscall(SYS_get_mempolicy, &node, NULL, 0, address,
		MPOL_F_NODE | MPOL_F_ADDR);
	return node;
}

static const enum backing_kind node_kinds[] = {
	BACKING_SHARED, BACKING_PRIVATE, BACKING_GMEM,
};

/* The node of a page that the host accesses first, and of one that KVM populates. */
TEST_F(memory, node)
{
	size_t i;

	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, KSFT_BY_DESIGN " one NUMA node");
	for (i = 0; i < sizeof(node_kinds) / sizeof(node_kinds[0]); i++) {
		self->request.kind = node_kinds[i];
		self->request.node = 1;
		start_or_skip(self);
		self->host[BASE] = 1;
		EXPECT_EQ(1, node_of(self->host + BASE));
		expect_op(&self->g, 0, KVM_OP_FILL, BASE + PAGE, PAGE, 1);
		EXPECT_EQ(1, node_of(self->host + BASE + PAGE));
		guest_memory_destroy(&self->memory);
		kvm_guest_destroy(&self->g);
		self->created = false;
		self->guest = false;
	}
	self->request.node = 999;
	EXPECT_GT(0, build(self));
	EXPECT_NE(NULL, strstr(self->error.action, "NUMA"));
}

static unsigned int slots_used(const struct kvm_guest *g)
{
	unsigned int count = 0, i;

	for (i = 0; i < SLOT_MAX; i++)
		count += g->vm.slots.slots[i].used;
	return count;
}

/* KVM refuses the third slot, because another slot is there: the other two are removed. */
TEST_F(memory, slot_refused)
{
	struct slot other = { .gpa = BASE + 9 * SZ_2M, .size = PAGE,
			      .guest_memfd = -1 };
	unsigned int i;
	int number;

	for (i = 0; i < RANGES; i++) {
		uint64_t start = BASE + i * 4 * SZ_2M;

		self->ranges[i] = (struct range){ start, start + 2 * SZ_2M };
	}
	self->request.nr_ranges = RANGES;
	ASSERT_EQ(0, build(self));
	other.host = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, other.host);
	number = slot_add(&self->g.vm, &other, NULL);
	ASSERT_LE(0, number);
	EXPECT_EQ(-EEXIST, guest_memory_attach(&self->memory, &self->error));
	EXPECT_NE(NULL, strstr(self->error.action, "KVM_SET_USER_MEMORY"));
	EXPECT_EQ(2, slots_used(&self->g));
	ASSERT_EQ(0, slot_remove(&self->g.vm, (unsigned int)number));
	ASSERT_EQ(0, guest_memory_attach(&self->memory, &self->error));
	EXPECT_EQ(1 + RANGES, slots_used(&self->g));
	expect_shared(self, self->ranges[2].end - PART);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
