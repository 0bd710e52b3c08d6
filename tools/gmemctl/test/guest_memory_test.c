// SPDX-License-Identifier: GPL-2.0
/*
 * RAM of each kind from the request to the slot: contents, decommit, what is
 * undone after a failure, and the windows of the first MiB.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "../base/calls.h"
#include "../memory/guest_memory.h"
#include "ram.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE
#define M (UINT64_C(1) << 20)

static char path[] = "/tmp/gmemctl_unit_XXXXXX";

/* And 8 pages at 16 in a second request. */
static void start_two(enum backing_kind kind)
{
	ram_start(kind);
	ram.ranges[2] = (struct range){ 16 * PAGE, 24 * PAGE };
	ram.requests[1] = ram.requests[0];
	ram.requests[1].ranges = &ram.ranges[2];
	ram.requests[1].nr_ranges = 1;
	ram.config.nr_requests = 2;
}

static int decommit(uint64_t first, uint64_t end)
{
	return guest_memory_decommit(&ram.memory, (struct range){ first * PAGE, end * PAGE });
}

static int commit(uint64_t first, uint64_t end)
{
	return guest_memory_commit(&ram.memory, (struct range){ first * PAGE, end * PAGE });
}

/* Every kind: the host sees it, both slots exist, decommit gives zeros. */
static void check_kind(enum backing_kind kind)
{
	ram_start(kind);
	if (kind == BACKING_FILE)
		ram.requests[0].path = path;
	ram_build();
	EXPECT_EQ(kvm_fake_slots(), 2);
	EXPECT_EQ(ram.memory.reservation.nr_extents, 2);
	*ram_at(0) = 1;
	*ram_at(15) = 2;
	*ram_at(64) = 3;
	EXPECT_FALSE(commit(0, 16));
	EXPECT_FALSE(commit(64, 80));
	EXPECT_EQ(*ram_at(0), 1);
	EXPECT_EQ(*ram_at(15), 2);
	EXPECT_EQ(*ram_at(64), 3);
	EXPECT_EQ(commit(15, 17), -EFAULT);
	EXPECT_EQ(decommit(60, 70), -EFAULT);
	EXPECT_EQ(*ram_at(64), 3);
	EXPECT_FALSE(decommit(12, 16));
	EXPECT_FALSE(decommit(64, 80));
	EXPECT_EQ(*ram_at(0), 1);
	EXPECT_FALSE(*ram_at(15));
	EXPECT_FALSE(*ram_at(64));
	EXPECT_FALSE(decommit(0, 0));
	EXPECT_EQ(*ram_at(0), 1);
	ram_stop();
	EXPECT_FALSE(kvm_fake_slots());
	EXPECT_TRUE(kvm_fake_private(0, 0));
}

TEST_OF(guest_memory, kinds)
{
	unsigned int fds = ram_open_fds();
	int fd = mkstemp(path);

	close(fd);
	for (unsigned int kind = 0; kind < BACKING_KINDS; kind++)
		check_kind((enum backing_kind)kind);
	unlink(path);
	EXPECT_EQ(ram_open_fds(), fds);
}

/* The ranges of a request are packed into one file, in their order. */
TEST_OF(guest_memory, packed)
{
	uint8_t byte = 0;
	int fd;

	ram_start(BACKING_SHARED);
	EXPECT_FALSE(ram_create());
	fd = guest_memory_shared_fd(&ram.memory);
	*ram_at(64) = 7;
	EXPECT_GE(fd, 0);
	EXPECT_EQ(pread(fd, &byte, 1, 16 * PAGE), 1);
	EXPECT_EQ(byte, 7);
	ram_stop();
	/* A second process that is given the file has the same memory. */
	ram_start(BACKING_SHARED);
	EXPECT_FALSE(ram_create());
	fd = dup(guest_memory_shared_fd(&ram.memory));
	*ram_at(64) = 8;
	ram_stop();
	ram_start(BACKING_SHARED);
	ram.requests[0].existing_fd = fd;
	EXPECT_FALSE(ram_create());
	EXPECT_EQ(*ram_at(64), 8);
	ram_stop();
	ram.ranges[1].end += PAGE;
	EXPECT_EQ(ram_create(), -EINVAL);
	EXPECT_STREQ(ram.error.action, "memory backing file has size 128 KB, expected 132 KB");
	close(fd);
}

TEST_OF(guest_memory, two_requests)
{
	struct stat status[2];

	start_two(BACKING_SHARED);
	ram_build();
	EXPECT_EQ(guest_memory_shared_fd(&ram.memory), -1);
	EXPECT_FALSE(fstat(ram.memory.backings[0].fd, &status[0]));
	EXPECT_FALSE(fstat(ram.memory.backings[1].fd, &status[1]));
	EXPECT_EQ(status[0].st_size, 32 * PAGE);
	EXPECT_EQ(status[1].st_size, 8 * PAGE);
	*ram_at(15) = 1;
	*ram_at(16) = 2;
	EXPECT_FALSE(decommit(15, 17));
	EXPECT_FALSE(*ram_at(15));
	EXPECT_FALSE(*ram_at(16));
	ram_stop();
	/* Where they overlap nothing is built. */
	ram.ranges[2].start = 15 * PAGE;
	EXPECT_EQ(ram_create(), -EEXIST);
	EXPECT_FALSE(strcmp(ram.error.action, "RAM ranges overlap"));
}

/* One guest_memfd for all of it, bound range by range of the files. */
TEST_OF(guest_memory, store)
{
	start_two(BACKING_GMEM_STORE);
	EXPECT_FALSE(ram_create());
	EXPECT_TRUE(kvm_fake_said("G0-28 C0-20 B0-20g0 C0-8 B0-8g20"));
	EXPECT_FALSE(ram_attach());
	EXPECT_TRUE(kvm_fake_said("S0-10g0 a0-10 S40-50g10 a40-50 S10-18g20 a10-18"));
	EXPECT_FALSE(decommit(64, 66));
	EXPECT_TRUE(kvm_fake_said("P10-12 P10-12"));
	ram_stop();
	EXPECT_TRUE(kvm_fake_said("a0-10 D0-10 a40-50 D40-50 a10-18 D10-18"));
}

/* C22: more than the module makes is refused in words, and before it is asked. */
TEST_OF(guest_memory, C22_gmem_limit)
{
	ram_start(BACKING_GMEM);
	ram.ranges[1].end = ram.ranges[1].start + KVM_FAKE_GMEM_MAX;
	EXPECT_EQ(ram_create(), -EFBIG);
	EXPECT_TRUE(strstr(ram.error.hint, "at most 1099511627776"));
	EXPECT_TRUE(kvm_fake_said(""));
	calls = &calls_system;
}

/* memfd and guest_memfd side by side: a decommit is for both. */
TEST_OF(guest_memory, discard)
{
	ram_start(BACKING_SHARED);
	ram.config.guest_memfd = true;
	ram.config.initial_private = true;
	EXPECT_FALSE(ram_create());
	EXPECT_FALSE(ram_attach());
	EXPECT_TRUE(kvm_fake_said("G0-20 S0-10g0 A0-10 S40-50g10 A40-50"));
	EXPECT_TRUE(guest_memfd_is_private(&ram.memory.memfd, 64 * PAGE));
	EXPECT_FALSE(decommit(8, 16));
	EXPECT_TRUE(kvm_fake_said("P8-10 P8-10"));
	ram_stop();
}

/* Shared is said too: what another slot has left must not become this one's state. */
TEST_OF(guest_memory, attach_state)
{
	ram_start(BACKING_SHARED);
	ram.config.guest_memfd = true;
	EXPECT_FALSE(ram_create());
	EXPECT_FALSE(ram_convert(4, 8, true));
	kvm_fake.private[66] = 1;
	kvm_fake.log[0] = '\0';
	EXPECT_FALSE(ram_attach());
	EXPECT_TRUE(kvm_fake_said("S0-10g0 a0-4 A4-8 a8-10 S40-50g10 a40-50"));
	EXPECT_TRUE(kvm_fake_private(4, 8));
	EXPECT_TRUE(slot_covers_private(&kvm_fake.vm.slots, 0, 16 * PAGE));
	EXPECT_FALSE(slot_covers_private(&kvm_fake.vm.slots, 15 * PAGE, 2 * PAGE));
	EXPECT_FALSE(guest_memfd_is_private(&ram.memory.memfd, 3 * PAGE));
	EXPECT_TRUE(guest_memfd_is_private(&ram.memory.memfd, 7 * PAGE));
	EXPECT_FALSE(guest_memfd_is_private(&ram.memory.memfd, 40 * PAGE));
	ram_stop();
	EXPECT_TRUE(kvm_fake_said("a0-10 D0-10 a40-50 D40-50"));
	EXPECT_TRUE(kvm_fake_private(0, 0));
}

/* A failed attribute call undoes the slot, and what it had set so far. */
TEST_OF(guest_memory, attach_fails)
{
	ram_start(BACKING_SHARED);
	ram.config.guest_memfd = true;
	ram.config.initial_private = true;
	EXPECT_FALSE(ram_create());
	EXPECT_FALSE(ram_convert(66, 68, false));
	kvm_fake.log[0] = '\0';
	kvm_fake.fail = 'a';
	kvm_fake.rc = -ENOMEM;
	EXPECT_EQ(ram_attach(), -ENOMEM);
	EXPECT_TRUE(kvm_fake_said("S0-10g0 A0-10 S40-50g10 A40-42 a42-44 a40-50 D40-50 "
				  "a0-10 D0-10"));
	EXPECT_FALSE(kvm_fake_slots());
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_FALSE(ram_attach());
	EXPECT_EQ(kvm_fake_slots(), 2);
	ram_stop();
}

/*
 * Populated by the time the guest starts. Private pages are populated where they are;
 * the shared side of them is not, and what fails in one of several ranges is not
 * forgotten.
 */
TEST_OF(guest_memory, prefetch)
{
	ram_start(BACKING_SHARED);
	ram.requests[0].prefetch = true;
	ram.config.guest_memfd = true;
	ram.config.initial_private = true;
	EXPECT_FALSE(ram_create());
	EXPECT_FALSE(ram_convert(4, 6, false));
	kvm_fake.log[0] = '\0';
	EXPECT_FALSE(ram_attach());
	EXPECT_FALSE(ram.memory.partition.prefetch_rc);
	EXPECT_TRUE(kvm_fake_said("S0-10g0 A0-4 a4-6 A6-10 H0-4 H6-10 "
				  "S40-50g10 A40-50 H10-20"));
	EXPECT_EQ(ram_resident(4, 6), 2);
	EXPECT_EQ(ram_resident(0, 16), 2);
	ram_stop();
	kvm_fake_start();
	EXPECT_FALSE(ram_create());
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOMEM;
	EXPECT_FALSE(ram_attach());
	EXPECT_EQ(ram.memory.partition.prefetch_rc, -ENOMEM);
	EXPECT_EQ(kvm_fake_slots(), 2);
	ram_stop();
	ram_start(BACKING_PRIVATE);
	ram.requests[0].prefetch = true;
	ram_build();
	EXPECT_EQ(ram_resident(64, 80), 16);
	ram_stop();
}

/* In place: gmem, at the offset of the range in its file, and the attribute. */
TEST_OF(guest_memory, convert)
{
	start_two(BACKING_GMEM_STORE);
	ram_build();
	EXPECT_FALSE(ram_convert(66, 68, true));
	EXPECT_TRUE(kvm_fake_said("V12-14 A42-44"));
	EXPECT_FALSE(ram_convert(17, 18, true));
	EXPECT_TRUE(kvm_fake_said("V1-2 A11-12"));
	EXPECT_TRUE(guest_memfd_is_private(&ram.memory.memfd, 67 * PAGE));
	EXPECT_TRUE(guest_memfd_is_private(&ram.memory.memfd, 17 * PAGE));
	EXPECT_FALSE(guest_memfd_is_private(&ram.memory.memfd, 16 * PAGE));
	/* Only what was private becomes so again. */
	kvm_fake.fail = 'v';
	kvm_fake.rc = -ENOMEM;
	EXPECT_EQ(ram_convert(64, 68, false), -ENOMEM);
	EXPECT_TRUE(*ram.why);
	EXPECT_TRUE(kvm_fake_said("a40-44 v10-14 A42-44"));
	EXPECT_TRUE(guest_memfd_is_private(&ram.memory.memfd, 67 * PAGE));
	EXPECT_EQ(ram_convert(15, 17, true), -EFAULT);
	EXPECT_EQ(ram_convert(24, 25, true), -EFAULT);
	EXPECT_EQ(ram_convert(66, 66, true), -EFAULT);
	EXPECT_EQ(guest_memory_convert(&ram.memory, (struct range){ 1, PAGE }, true, NULL, 0),
		  -EFAULT);
	EXPECT_TRUE(kvm_fake_said(""));
	ram_stop();
}

/* Both sides of memory that is not gmem's; anonymous memory has no file. */
TEST_OF(guest_memory, convert_discard)
{
	ram_start(BACKING_SHARED);
	ram.config.guest_memfd = true;
	ram_build();
	*ram_at(65) = 5;
	EXPECT_FALSE(ram_convert(65, 66, true));
	EXPECT_FALSE(*ram_at(65));
	EXPECT_FALSE(ram_convert(65, 66, false));
	EXPECT_TRUE(kvm_fake_said("A41-42 P11-12 a41-42 P11-12"));
	kvm_fake.fail = 'P';
	kvm_fake.rc = -EOPNOTSUPP;
	EXPECT_EQ(ram_convert(64, 65, true), -EOPNOTSUPP);
	EXPECT_TRUE(kvm_fake_private(0, 0));
	EXPECT_TRUE(strstr(ram.why, "stale side"));
	ram_stop();
	ram_start(BACKING_PRIVATE);
	ram.config.guest_memfd = true;
	ram_build();
	*ram_at(65) = 5;
	EXPECT_FALSE(ram_convert(65, 66, true));
	EXPECT_FALSE(*ram_at(65));
	ram_stop();
	ram_start(BACKING_SHARED);
	ram_build();
	EXPECT_EQ(ram_convert(0, 1, true), -EFAULT);
	ram_stop();
	ram_start(BACKING_GUEST_MEMFD);
	ram_build();
	EXPECT_EQ(ram_convert(0, 1, true), -EFAULT);
	ram_stop();
}

TEST_OF(guest_memory, guest_memfd)
{
	ram_start(BACKING_GUEST_MEMFD);
	EXPECT_FALSE(ram_create());
	EXPECT_FALSE(ram_attach());
	EXPECT_TRUE(kvm_fake_said("G0-20f3 S0-10g0 S40-50g10"));
	EXPECT_FALSE(decommit(64, 65));
	EXPECT_TRUE(kvm_fake_said("P10-11"));
	ram_stop();
	ram_start(BACKING_GUEST_MEMFD);
	kvm_fake.memfd_flags = 1;
	EXPECT_EQ(ram_create(), -EOPNOTSUPP);
	calls = &calls_system;
	EXPECT_EQ(guest_memory_create(&ram.memory, &ram.config, NULL, &ram.error), -EINVAL);
}

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
	EXPECT_EQ(length, 32 * PAGE);
	EXPECT_EQ(node, 1);
	return place('n', 0);
}

static int place_advise(void *address, size_t length, int advice)
{
	EXPECT_EQ(length, 32 * PAGE);
	if (advice == MADV_DONTDUMP)
		return place('d', 0);
	EXPECT_EQ(advice, MADV_POPULATE_WRITE);
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
TEST_OF(guest_memory, node)
{
	struct memory_request request = place_request(8 * PAGE);
	struct backing backing;

	kvm_fake_start();
	place_calls = *calls;
	place_calls.bind_node = place_bind;
	place_calls.advise = place_advise;
	place_calls.unmap = place_unmap;
	calls = &place_calls;
	EXPECT_FALSE(backing_open(&backing, &request, "test", &ram.error));
	EXPECT_STREQ(placed, "dnpu");
	backing_close(&backing);
	request = place_request(0);
	EXPECT_FALSE(backing_open(&backing, &request, "test", &ram.error));
	EXPECT_STREQ(placed, "dnu");
	backing_close(&backing);
	request = place_request(8 * PAGE);
	populate_rc = -EFAULT;
	EXPECT_EQ(backing_open(&backing, &request, "test", &ram.error), -ENOMEM);
	EXPECT_TRUE(strstr(ram.error.action, "failed to reserve 4 hugetlb pages"));
	EXPECT_TRUE(strstr(ram.error.hint, "node1/hugepages"));
	EXPECT_FALSE(strcmp(placed, "dnpu"));
	populate_rc = 0;
	calls = &calls_system;
}

/* A pool that is too small says so, and at once. */
TEST_OF(guest_memory, hugetlb)
{
	unsigned int fds = ram_open_fds();

	ram_start(BACKING_HUGETLB);
	ram.requests[0].hugepage_size = 8 * PAGE;
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOSPC;
	EXPECT_EQ(ram_create(), -ENOSPC);
	EXPECT_STREQ(ram.error.action, "failed to reserve 4 hugetlb pages of 32 KB each (128 KB "
		     "total); increase the hugetlb pool or reduce guest memory size");
	EXPECT_EQ(ram_open_fds(), fds);
	EXPECT_FALSE(ram_create());
	EXPECT_EQ(decommit(0, 4), -EINVAL);
	EXPECT_FALSE(decommit(0, 8));
	EXPECT_FALSE(((uintptr_t)ram.memory.reservation.base % (8 * PAGE)));
	ram_stop();
}

/* What was opened before the step that fails is closed again. */
TEST_OF(guest_memory, fails)
{
	static const char letters[] = "GCB";
	unsigned int fds = ram_open_fds();

	for (const char *letter = letters; *letter; letter++) {
		ram_start(BACKING_GMEM_STORE);
		kvm_fake.fail = *letter;
		kvm_fake.rc = -ENOMEM;
		EXPECT_EQ(ram_create(), -ENOMEM);
		EXPECT_FALSE(ram.memory.backings);
		EXPECT_EQ(ram_open_fds(), fds);
	}
	ram_start(BACKING_GMEM_STORE);
	EXPECT_FALSE(ram_create());
	kvm_fake.fail = 'S';
	kvm_fake.rc = -EINVAL;
	EXPECT_EQ(ram_attach(), -EINVAL);
	EXPECT_FALSE(kvm_fake_slots());
	kvm_fake.fail = 'a';
	EXPECT_EQ(ram_attach(), -EINVAL);
	EXPECT_FALSE(kvm_fake_slots());
	EXPECT_FALSE(ram_attach());
	EXPECT_EQ(kvm_fake_slots(), 2);
	EXPECT_EQ(ram_attach(), -EINVAL);
	ram_stop();
	EXPECT_EQ(ram_open_fds(), fds);
}

static int refuse_map_at(void *address, size_t length, int prot, int flags, int fd,
			 uint64_t offset)
{
	return -ENOMEM;
}

/* It says which RAM could not be had, and where. */
TEST_OF(guest_memory, map_fails)
{
	unsigned int fds = ram_open_fds();

	ram_start(BACKING_PRIVATE);
	place_calls = *calls;
	place_calls.map_at = refuse_map_at;
	calls = &place_calls;
	EXPECT_EQ(ram_create(), -ENOMEM);
	EXPECT_STREQ(ram.error.action, "failed to enable RAM region 0x0-0x10000");
	EXPECT_STREQ(ram.error.hint,
		     "ram: failed to map memory of region; 0x10000 bytes at 0x0, fd -1");
	EXPECT_EQ(ram_open_fds(), fds);
	calls = &calls_system;
}

TEST_OF(guest_memory, file)
{
	char name[] = "/tmp/gmemctl_unit_XXXXXX";
	struct stat status;
	int fd = mkstemp(name);

	ram_start(BACKING_FILE);
	ram.requests[0].path = name;
	EXPECT_FALSE(ram_create());
	*ram_at(65) = 9;
	ram_stop();
	EXPECT_FALSE(fstat(fd, &status));
	EXPECT_EQ(status.st_size, 32 * PAGE);
	ram_start(BACKING_FILE);
	ram.requests[0].path = name;
	EXPECT_FALSE(ram_create());
	EXPECT_EQ(*ram_at(65), 9);
	ram_stop();
	EXPECT_FALSE(ftruncate(fd, PAGE));
	EXPECT_EQ(ram_create(), -EINVAL);
	EXPECT_FALSE(strcmp(ram.error.object, name));
	EXPECT_STREQ(ram.error.action, "memory backing file has size 4 KB, expected 128 KB");
	close(fd);
	unlink(name);
	ram.requests[0].path = "/tmp";
	EXPECT_EQ(ram_create(), -EISDIR);
	ram.requests[0].path = "/dev/null";
	EXPECT_EQ(ram_create(), -EINVAL);
	EXPECT_FALSE(strcmp(ram.error.action, "use as guest memory"));
	ram.requests[0].path = "/nonexistent/file";
	EXPECT_EQ(ram_create(), -ENOENT);
}

static void *decommit_main(void *data)
{
	bool *done = data;

	EXPECT_FALSE(guest_memory_decommit(&ram.memory, ram.ranges[0]));
	__atomic_store_n(done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* It waits for a conversion of the same range, but not for one elsewhere. */
TEST_OF(guest_memory, decommit_turn)
{
	struct range *turn;
	pthread_t thread;
	uint64_t at = ram.ranges[0].start;
	bool done = false;

	ram_start(BACKING_SHARED);
	ram_build();
	turn = range_lock_enter(&ram.memory.range_lock, (struct range){ at, at + PAGE });
	EXPECT_FALSE(pthread_create(&thread, NULL, decommit_main, &done));
	/* Time enough for one that does not wait. */
	usleep(50000);
	EXPECT_FALSE(__atomic_load_n(&done, __ATOMIC_ACQUIRE));
	EXPECT_FALSE(guest_memory_decommit(&ram.memory, ram.ranges[1]));
	range_lock_leave(&ram.memory.range_lock, turn);
	pthread_join(thread, NULL);
	EXPECT_TRUE(done);
	EXPECT_FALSE(guest_memory_decommit(&ram.memory, (struct range){ at, at }));
	ram_stop();
}
