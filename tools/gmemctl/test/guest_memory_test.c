// SPDX-License-Identifier: GPL-2.0
/*
 * RAM of each kind from the request to the slot: contents, decommit, what is
 * undone after a failure, and the windows of the first MiB.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../memory/device_memory.h"
#include "../memory/guest_memory.h"
#include "../memory/probe.h"
#include "kvm_fake.h"
#include "unit.h"

#define PAGE RANGE_PAGE_SIZE
#define M (UINT64_C(1) << 20)

static struct range ranges[3];
static struct memory_request requests[2];
static struct memory_config config;
static struct guest_memory memory;
static struct error error;
static char why[128];
static char path[] = "/tmp/gmemctl_unit_XXXXXX";

/* 16 pages at 0 and 16 pages at 64. */
static void start(enum backing_kind kind)
{
	kvm_fake_start();
	ranges[0] = (struct range){ 0, 16 * PAGE };
	ranges[1] = (struct range){ 64 * PAGE, 80 * PAGE };
	requests[0] = (struct memory_request){
		.ranges = ranges,
		.nr_ranges = 2,
		.kind = kind,
		.existing_fd = -1,
		.node = -1,
	};
	config = (struct memory_config){ .requests = requests,
					 .nr_requests = 1 };
}

static int create(void)
{
	return guest_memory_create(&memory, &config, &kvm_fake.vm, 0, &error);
}

static int attach(void)
{
	return guest_memory_attach(&memory, &error);
}

static void stop(void)
{
	guest_memory_destroy(&memory);
	calls = &calls_system;
}

static uint8_t *at(uint64_t page)
{
	return memory.reservation.base + page * PAGE;
}

static int decommit(uint64_t first, uint64_t end)
{
	return guest_memory_decommit(&memory, (struct range){ first * PAGE,
							      end * PAGE });
}

static int commit(uint64_t first, uint64_t end)
{
	return guest_memory_commit(&memory, (struct range){ first * PAGE,
							    end * PAGE });
}

static int convert(uint64_t first, uint64_t end, bool to_private)
{
	struct range range = { first * PAGE, end * PAGE };

	why[0] = '\0';
	return guest_memory_convert(&memory, range, to_private, why,
				    sizeof(why));
}

static unsigned int open_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Every kind: the host sees it, both slots exist, decommit gives zeros. */
static void check_kind(enum backing_kind kind)
{
	start(kind);
	if (kind == BACKING_FILE)
		requests[0].path = path;
	if (kind == BACKING_HUGETLB)
		requests[0].hugepage_size = 4 * PAGE;
	CHECK(!create() && !attach());
	CHECK(kvm_fake_slots() == 2 && memory.nr_ram == 2);
	*at(0) = 1;
	*at(15) = 2;
	*at(64) = 3;
	CHECK(!commit(0, 16) && !commit(64, 80));
	CHECK(*at(0) == 1 && *at(15) == 2 && *at(64) == 3);
	CHECK(commit(15, 17) == -EFAULT && decommit(60, 70) == -EFAULT);
	CHECK_EQ(*at(64), 3);
	CHECK(!decommit(12, 16) && !decommit(64, 80));
	CHECK(*at(0) == 1 && !*at(15) && !*at(64));
	CHECK(!decommit(0, 0) && *at(0) == 1);
	stop();
	CHECK(!kvm_fake_slots() && kvm_fake_private(0, 0));
}

static void test_guest_memory_kinds(void)
{
	unsigned int fds = open_fds();
	int fd = mkstemp(path);

	close(fd);
	for (unsigned int kind = 0; kind < BACKING_KINDS; kind++)
		check_kind((enum backing_kind)kind);
	unlink(path);
	CHECK_EQ(open_fds(), fds);
}

/* The ranges of a request are packed into one file, in their order. */
static void test_guest_memory_packed(void)
{
	uint8_t byte = 0;
	int fd;

	start(BACKING_SHARED);
	CHECK(!create());
	fd = guest_memory_shared_fd(&memory);
	*at(64) = 7;
	CHECK(fd >= 0 && pread(fd, &byte, 1, 16 * PAGE) == 1 && byte == 7);
	stop();
	/* A second process that is given the file has the same memory. */
	start(BACKING_SHARED);
	CHECK(!create());
	fd = dup(guest_memory_shared_fd(&memory));
	*at(64) = 8;
	stop();
	start(BACKING_SHARED);
	requests[0].existing_fd = fd;
	CHECK(!create() && *at(64) == 8);
	stop();
	ranges[1].end += PAGE;
	CHECK_EQ(create(), -EINVAL);
	CHECK_STR(error.action,
		  "memory backing file has size 128 KB, expected 132 KB");
	close(fd);
}

static void test_guest_memory_two_requests(void)
{
	struct stat status[2];

	start(BACKING_SHARED);
	ranges[2] = (struct range){ 16 * PAGE, 24 * PAGE };
	requests[1] = requests[0];
	requests[1].ranges = &ranges[2];
	requests[1].nr_ranges = 1;
	config.nr_requests = 2;
	CHECK(!create() && !attach());
	CHECK_EQ(guest_memory_shared_fd(&memory), -1);
	CHECK(!fstat(memory.backings[0].fd, &status[0]) &&
	      !fstat(memory.backings[1].fd, &status[1]));
	CHECK(status[0].st_size == 32 * PAGE && status[1].st_size == 8 * PAGE);
	*at(15) = 1;
	*at(16) = 2;
	CHECK(!decommit(15, 17) && !*at(15) && !*at(16));
	stop();
	/* Where they overlap nothing is built. */
	ranges[2].start = 15 * PAGE;
	CHECK(create() == -EEXIST && !strcmp(error.action,
					     "RAM ranges overlap"));
}

/* One guest_memfd for all of it, bound range by range of the files. */
static void test_guest_memory_store(void)
{
	start(BACKING_GMEM_STORE);
	ranges[2] = (struct range){ 16 * PAGE, 24 * PAGE };
	requests[1] = requests[0];
	requests[1].ranges = &ranges[2];
	requests[1].nr_ranges = 1;
	config.nr_requests = 2;
	CHECK(!create());
	CHECK(kvm_fake_said("G0-28 C0-20 B0-20g0 C0-8 B0-8g20"));
	CHECK(!attach());
	CHECK(kvm_fake_said("S0-10g0 a0-10 S40-50g10 a40-50 S10-18g20 a10-18"));
	CHECK(!decommit(64, 66));
	CHECK(kvm_fake_said("P10-12 P10-12"));
	stop();
	CHECK(kvm_fake_said("a0-10 D0-10 a40-50 D40-50 a10-18 D10-18"));
}

/* C22: more than the module makes is refused in words, and before it is asked. */
static void test_guest_memory_gmem_limit(void)
{
	start(BACKING_GMEM);
	ranges[1].end = ranges[1].start + KVM_FAKE_GMEM_MAX;
	CHECK(create() == -EFBIG && strstr(error.hint, "at most 1099511627776"));
	CHECK(kvm_fake_said(""));
	calls = &calls_system;
}

/* memfd and guest_memfd side by side: a decommit is for both. */
static void test_guest_memory_discard(void)
{
	start(BACKING_SHARED);
	config.guest_memfd = true;
	config.initial_private = true;
	CHECK(!create() && !attach());
	CHECK(kvm_fake_said("G0-20 S0-10g0 A0-10 S40-50g10 A40-50"));
	CHECK(guest_memfd_is_private(&memory.memfd, 64 * PAGE));
	CHECK(!decommit(8, 16) && kvm_fake_said("P8-10 P8-10"));
	stop();
}

/* In place: gmem, at the offset of the range in its file, and the attribute. */
static void test_guest_memory_convert(void)
{
	start(BACKING_GMEM_STORE);
	ranges[2] = (struct range){ 16 * PAGE, 24 * PAGE };
	requests[1] = requests[0];
	requests[1].ranges = &ranges[2];
	requests[1].nr_ranges = 1;
	config.nr_requests = 2;
	CHECK(!create() && !attach());
	kvm_fake.log[0] = '\0';
	CHECK(!convert(66, 68, true) && kvm_fake_said("V12-14 A42-44"));
	CHECK(!convert(17, 18, true) && kvm_fake_said("V1-2 A11-12"));
	CHECK(guest_memfd_is_private(&memory.memfd, 67 * PAGE));
	CHECK(guest_memfd_is_private(&memory.memfd, 17 * PAGE));
	CHECK(!guest_memfd_is_private(&memory.memfd, 16 * PAGE));
	/* Only what was private becomes so again. */
	kvm_fake.fail = 'v';
	kvm_fake.rc = -ENOMEM;
	CHECK(convert(64, 68, false) == -ENOMEM && *why);
	CHECK(kvm_fake_said("a40-44 v10-14 A42-44"));
	CHECK(guest_memfd_is_private(&memory.memfd, 67 * PAGE));
	CHECK_EQ(convert(15, 17, true), -EFAULT);
	CHECK_EQ(convert(24, 25, true), -EFAULT);
	CHECK_EQ(convert(66, 66, true), -EFAULT);
	CHECK(guest_memory_convert(&memory, (struct range){ 1, PAGE }, true,
				   NULL, 0) == -EFAULT);
	CHECK(kvm_fake_said(""));
	stop();
}

/* Both sides of memory that is not gmem's; anonymous memory has no file. */
static void test_guest_memory_convert_discard(void)
{
	start(BACKING_SHARED);
	config.guest_memfd = true;
	CHECK(!create() && !attach());
	kvm_fake.log[0] = '\0';
	*at(65) = 5;
	CHECK(!convert(65, 66, true) && !*at(65));
	CHECK(!convert(65, 66, false));
	CHECK(kvm_fake_said("A41-42 P11-12 a41-42 P11-12"));
	kvm_fake.fail = 'P';
	kvm_fake.rc = -EOPNOTSUPP;
	CHECK(convert(64, 65, true) == -EOPNOTSUPP && kvm_fake_private(0, 0));
	CHECK(strstr(why, "stale side"));
	stop();
	start(BACKING_PRIVATE);
	config.guest_memfd = true;
	CHECK(!create() && !attach());
	*at(65) = 5;
	CHECK(!convert(65, 66, true) && !*at(65));
	stop();
	start(BACKING_SHARED);
	CHECK(!create() && !attach() && convert(0, 1, true) == -EFAULT);
	stop();
	start(BACKING_GUEST_MEMFD);
	CHECK(!create() && !attach() && convert(0, 1, true) == -EFAULT);
	stop();
}

static void test_guest_memory_guest_memfd(void)
{
	start(BACKING_GUEST_MEMFD);
	CHECK(!create() && !attach());
	CHECK(kvm_fake_said("G0-20f3 S0-10g0 S40-50g10"));
	CHECK(!decommit(64, 65) && kvm_fake_said("P10-11"));
	stop();
	start(BACKING_GUEST_MEMFD);
	kvm_fake.memfd_flags = 1;
	CHECK_EQ(create(), -EOPNOTSUPP);
	calls = &calls_system;
	CHECK_EQ(guest_memory_create(&memory, &config, NULL, 0, &error),
		 -EINVAL);
}

/* A pool that is too small says so, and at once. */
/* What happens to a mapping: d left out of dumps, n bound, p populated, u unmapped */
static char placed[8];
static struct calls place_calls;
static int populate_rc;

static int place(char what, int rc)
{
	size_t used = strlen(placed);

	if (used < sizeof(placed) - 1)
		placed[used] = what;
	return rc;
}

static int place_bind(void *address, size_t length, unsigned int node)
{
	(void)address;
	CHECK(length == 32 * PAGE && node == 1);
	return place('n', 0);
}

static int place_advise(void *address, size_t length, int advice)
{
	(void)address;
	CHECK_EQ(length, 32 * PAGE);
	if (advice == MADV_DONTDUMP)
		return place('d', 0);
	CHECK_EQ(advice, MADV_POPULATE_WRITE);
	return place('p', populate_rc);
}

static int place_unmap(void *address, size_t length)
{
	place('u', 0);
	return calls_system.unmap(address, length);
}

static struct memory_request place_request(uint64_t hugepage_size)
{
	static const struct range range = { 0, 32 * PAGE };

	memset(placed, 0, sizeof(placed));
	return (struct memory_request){
		.ranges = &range, .nr_ranges = 1,
		.kind = hugepage_size ? BACKING_HUGETLB : BACKING_SHARED,
		.hugepage_size = hugepage_size, .existing_fd = -1, .node = 1,
	};
}

/* Huge pages forget the node with the mapping, so they are taken before. */
static void test_guest_memory_node(void)
{
	struct memory_request request = place_request(8 * PAGE);
	struct backing backing;

	kvm_fake_start();
	place_calls = *calls;
	place_calls.bind_node = place_bind;
	place_calls.advise = place_advise;
	place_calls.unmap = place_unmap;
	calls = &place_calls;
	CHECK(!backing_open(&backing, &request, "test", &error));
	CHECK_STR(placed, "dnpu");
	backing_close(&backing);
	request = place_request(0);
	CHECK(!backing_open(&backing, &request, "test", &error));
	CHECK_STR(placed, "dnu");
	backing_close(&backing);
	request = place_request(8 * PAGE);
	populate_rc = -EFAULT;
	CHECK_EQ(backing_open(&backing, &request, "test", &error), -ENOMEM);
	CHECK(strstr(error.action, "failed to reserve 4 hugetlb pages"));
	CHECK(strstr(error.hint, "node1/hugepages") && !strcmp(placed, "dnpu"));
	populate_rc = 0;
	calls = &calls_system;
}

static void test_guest_memory_hugetlb(void)
{
	unsigned int fds = open_fds();

	start(BACKING_HUGETLB);
	requests[0].hugepage_size = 8 * PAGE;
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOSPC;
	CHECK_EQ(create(), -ENOSPC);
	CHECK(!strcmp(error.action, "failed to reserve 4 hugetlb pages of 32 "
		      "KB each (128 KB total); increase the hugetlb pool or "
		      "reduce guest memory size"));
	CHECK_EQ(open_fds(), fds);
	CHECK(!create() && decommit(0, 4) == -EINVAL && !decommit(0, 8));
	CHECK(!((uintptr_t)memory.reservation.base % (8 * PAGE)));
	stop();
}

/* What was opened before the step that fails is closed again. */
static void test_guest_memory_fails(void)
{
	static const char letters[] = "GCB";
	unsigned int fds = open_fds();

	for (const char *letter = letters; *letter; letter++) {
		start(BACKING_GMEM_STORE);
		kvm_fake.fail = *letter;
		kvm_fake.rc = -ENOMEM;
		CHECK(create() == -ENOMEM && !memory.backings);
		CHECK_EQ(open_fds(), fds);
	}
	start(BACKING_GMEM_STORE);
	CHECK(!create());
	kvm_fake.fail = 'S';
	kvm_fake.rc = -EINVAL;
	CHECK(attach() == -EINVAL && !kvm_fake_slots());
	kvm_fake.fail = 'a';
	CHECK(attach() == -EINVAL && !kvm_fake_slots());
	CHECK(!attach() && kvm_fake_slots() == 2 && attach() == -EINVAL);
	stop();
	CHECK_EQ(open_fds(), fds);
}

static void test_guest_memory_file(void)
{
	char name[] = "/tmp/gmemctl_unit_XXXXXX";
	struct stat status;
	int fd = mkstemp(name);

	start(BACKING_FILE);
	requests[0].path = name;
	CHECK(!create());
	*at(65) = 9;
	stop();
	CHECK(!fstat(fd, &status) && status.st_size == 32 * PAGE);
	start(BACKING_FILE);
	requests[0].path = name;
	CHECK(!create() && *at(65) == 9);
	stop();
	CHECK(!ftruncate(fd, PAGE));
	CHECK(create() == -EINVAL && !strcmp(error.object, name));
	CHECK_STR(error.action,
		  "memory backing file has size 4 KB, expected 128 KB");
	close(fd);
	unlink(name);
	requests[0].path = "/tmp";
	CHECK_EQ(create(), -EISDIR);
	requests[0].path = "/dev/null";
	CHECK(create() == -EINVAL && !strcmp(error.action,
					     "use as guest memory"));
	requests[0].path = "/nonexistent/file";
	CHECK_EQ(create(), -ENOENT);
}

static void test_guest_memory_alias(void)
{
	const struct slot *low, *high;

	start(BACKING_SHARED);
	config.alias = true;
	config.alias_offset = 128 * PAGE;
	CHECK(!create() && !attach() && kvm_fake_slots() == 4);
	low = slot_find(&kvm_fake.vm.slots, 65 * PAGE);
	high = slot_find(&kvm_fake.vm.slots, 193 * PAGE);
	CHECK(low && high && low != high && low->host == high->host);
	stop();
	CHECK(!kvm_fake_slots());
	start(BACKING_SHARED);
	config.alias = true;
	config.alias_offset = 128 * PAGE;
	CHECK(!create());
	/* Each of the four slots is refused once. */
	for (unsigned int i = 0; i < 4; i++) {
		kvm_fake.fail = 'S';
		kvm_fake.pass = i;
		kvm_fake.rc = -ENOSPC;
		CHECK(attach() == -ENOSPC && !kvm_fake_slots());
	}
	CHECK(!attach() && kvm_fake_slots() == 4);
	stop();
}

/* Devices have addresses, too. */
static void test_guest_memory_alias_devices(void)
{
	start(BACKING_SHARED);
	config.alias = true;
	config.alias_offset = 128 * PAGE;
	CHECK(guest_memory_create(&memory, &config, &kvm_fake.vm, 129 * PAGE,
				  &error) == -EINVAL);
	CHECK(strstr(error.action, "not enough guest address space available"));
	CHECK(!guest_memory_create(&memory, &config, &kvm_fake.vm, 128 * PAGE,
				   &error));
	stop();
}

static int show(uint64_t first, uint64_t end, enum visibility visibility)
{
	return guest_memory_set_visibility(&memory, (struct range){ first, end },
					   visibility, &error);
}

static void start_legacy(enum backing_kind kind)
{
	start(kind);
	ranges[0].end = 2 * M;
	requests[0].nr_ranges = 1;
	config.x86_legacy = true;
	CHECK(!create() && !attach());
	CHECK(memory.nr_ram == 16 && kvm_fake_slots() == 16);
	kvm_fake.log[0] = '\0';
}

static void test_guest_memory_visibility(void)
{
	start_legacy(BACKING_SHARED);
	CHECK(!probe_start_segv());
	*at(0xc0) = 5;
	CHECK(!show(0xc0000, 0xc4000, VISIBILITY_READ_ONLY));
	CHECK(kvm_fake_said("Dc0-c4 Sc0-c4r"));
	CHECK(*at(0xc0) == 5 && probe_write(at(0xc0), 1) == -EFAULT);
	CHECK(!show(0xc0000, 0xc4000, VISIBILITY_READ_ONLY));
	CHECK(kvm_fake_said(""));
	CHECK(!show(0xc0000, 0xc4000, VISIBILITY_UNMAPPED));
	CHECK(kvm_fake_said("Dc0-c4"));
	CHECK(!show(0xc0000, 0xc4000, VISIBILITY_READ_WRITE));
	CHECK(kvm_fake_said("Sc0-c4") && *at(0xc0) == 5);
	CHECK(!probe_write(at(0xc0), 6));
	/* One region, all of it. */
	CHECK_EQ(show(0xc0000, 0xc8000, VISIBILITY_UNMAPPED), -EINVAL);
	CHECK_STR(error.action,
		  "0xc0000-0xc8000 is not a controllable RAM range");
	CHECK_EQ(show(0xc0000, 0xc2000, VISIBILITY_UNMAPPED), -EINVAL);
	CHECK_EQ(show(0, 2 * M, VISIBILITY_UNMAPPED), -EINVAL);
	CHECK(kvm_fake_said("") && kvm_fake_slots() == 16);
	probe_stop();
	stop();
}

/* The VGA window: the device shows where RAM does not, and keeps its bytes. */
static void test_guest_memory_window(void)
{
	struct device_memory vga;
	int fd;

	start_legacy(BACKING_SHARED);
	fd = calls->memfd("vga", 32 * PAGE);
	device_memory_init(&vga, &memory.regions, "vga", 32 * PAGE);
	CHECK(!device_memory_map(&vga, (struct range){ 0, 32 * PAGE }, fd, 0,
				 true, NULL));
	CHECK(!device_memory_show(&vga, 0xa0000, true, NULL));
	CHECK(kvm_fake_said(""));
	*at(0xa0) = 1;
	CHECK(!show(0xa0000, 0xc0000, VISIBILITY_UNMAPPED));
	CHECK(kvm_fake_said("Da0-c0 Sa0-c0") && !*at(0xa0));
	*at(0xa0) = 2;
	CHECK(decommit(0xa0, 0xc0) == -EFAULT && *at(0xa0) == 2);
	/* RAM is read-only, not the device below it. */
	CHECK(!show(0xa0000, 0xc0000, VISIBILITY_READ_ONLY));
	CHECK(kvm_fake_said("Da0-c0 Sa0-c0r") && *at(0xa0) == 1);
	CHECK(!show(0xa0000, 0xc0000, VISIBILITY_UNMAPPED) && *at(0xa0) == 2);
	device_memory_destroy(&vga);
	close(fd);
	stop();
}

/* KVM has no read-only slots with guest_memfd: refused, and all as before. */
static void test_guest_memory_readonly_private(void)
{
	start(BACKING_SHARED);
	ranges[0].end = 2 * M;
	requests[0].nr_ranges = 1;
	config.x86_legacy = true;
	config.guest_memfd = true;
	CHECK(!create() && !attach());
	CHECK(!convert(0xc1, 0xc2, true));
	CHECK_EQ(show(0xc0000, 0xc4000, VISIBILITY_READ_ONLY), -EINVAL);
	CHECK(strstr(error.hint, "no read-only slots"));
	CHECK(kvm_fake_slots() == 16 && kvm_fake_private(0xc1, 0xc2));
	CHECK(!show(0xc0000, 0xc4000, VISIBILITY_UNMAPPED));
	CHECK(kvm_fake_slots() == 15 && kvm_fake_private(0, 0));
	CHECK(!show(0xc0000, 0xc4000, VISIBILITY_READ_WRITE));
	CHECK(kvm_fake_private(0xc1, 0xc2));
	stop();
}

/* Shown as it is shown already: nothing happens, and nothing is lost. */
static void test_guest_memory_same_visibility(void)
{
	start(BACKING_PRIVATE);
	requests[0].prefetch = true;
	CHECK(!create() && !attach());
	memset(at(ranges[0].start / PAGE), 0x5a, PAGE);
	kvm_fake.log[0] = '\0';
	CHECK(!show(ranges[0].start, ranges[0].end, VISIBILITY_READ_WRITE));
	CHECK(kvm_fake_said(""));
	CHECK_EQ(*at(ranges[0].start / PAGE), 0x5a);
	CHECK_EQ(show(ranges[0].start, ranges[0].end, VISIBILITY_READ_ONLY),
		 -EBUSY);
	stop();
}

static void *decommit_main(void *data)
{
	bool *done = data;

	CHECK(!guest_memory_decommit(&memory, ranges[0]));
	__atomic_store_n(done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* It waits for a conversion of the same range, but not for one elsewhere. */
static void test_guest_memory_decommit_turn(void)
{
	struct range *turn;
	pthread_t thread;
	uint64_t at = ranges[0].start;
	bool done = false;

	start(BACKING_SHARED);
	CHECK(!create() && !attach());
	turn = range_lock_enter(&memory.range_lock, (struct range){ at, at + PAGE });
	CHECK(!pthread_create(&thread, NULL, decommit_main, &done));
	/* Time enough for one that does not wait. */
	usleep(50000);
	CHECK(!__atomic_load_n(&done, __ATOMIC_ACQUIRE));
	CHECK(!guest_memory_decommit(&memory, ranges[1]));
	range_lock_leave(&memory.range_lock, turn);
	pthread_join(thread, NULL);
	CHECK(done);
	CHECK(!guest_memory_decommit(&memory, (struct range){ at, at }));
	stop();
}

static const struct unit_test tests[] = {
	{ "guest_memory.kinds", test_guest_memory_kinds },
	{ "guest_memory.packed", test_guest_memory_packed },
	{ "guest_memory.two_requests", test_guest_memory_two_requests },
	{ "guest_memory.store", test_guest_memory_store },
	{ "guest_memory.C22_gmem_limit", test_guest_memory_gmem_limit },
	{ "guest_memory.discard", test_guest_memory_discard },
	{ "guest_memory.guest_memfd", test_guest_memory_guest_memfd },
	{ "guest_memory.hugetlb", test_guest_memory_hugetlb },
	{ "guest_memory.node", test_guest_memory_node },
	{ "guest_memory.fails", test_guest_memory_fails },
	{ "guest_memory.file", test_guest_memory_file },
	{ "guest_memory.alias", test_guest_memory_alias },
	{ "guest_memory.alias_devices", test_guest_memory_alias_devices },
	{ "guest_memory.same_visibility", test_guest_memory_same_visibility },
	{ "guest_memory.decommit_turn", test_guest_memory_decommit_turn },
	{ "guest_memory.visibility", test_guest_memory_visibility },
	{ "guest_memory.window", test_guest_memory_window },
	{ "guest_memory.readonly_private", test_guest_memory_readonly_private },
	{ "guest_memory.convert", test_guest_memory_convert },
	{ "guest_memory.convert_discard", test_guest_memory_convert_discard },
};

UNIT_TESTS(tests)
