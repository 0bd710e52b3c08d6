// SPDX-License-Identifier: GPL-2.0
/* The file that is a guest's memory: of one guest alone, and with room for it. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../base/calls.h"
#include "../memory/file.h"
#include "../memory/guest_memory.h"
#include "../memory/save.h"
#include "ram.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE
#define SIZE (24 * PAGE)

static char path[64];
static int file;

static void start(void)
{
	snprintf(path, sizeof(path), "/tmp/gmemctl-test.XXXXXX");
	file = mkstemp(path);
	EXPECT_GE(file, 0);
	ram_start_two(BACKING_FILE, BACKING_PRIVATE);
	ram.requests[0].path = path;
}

static void stop(void)
{
	close(file);
	EXPECT_FALSE(unlink(path));
	calls = &calls_system;
}

static int create(struct guest_memory *out)
{
	return guest_memory_create(out, &ram.config, &kvm_fake.vm, &ram.error);
}

static struct stat status(void)
{
	struct stat now;

	EXPECT_FALSE(fstat(file, &now));
	return now;
}

/*
 * Another process tries, which has not got @mine of this one, or -1. Return: its
 * result; its message names this process.
 */
static int create_elsewhere(int mine)
{
	char who[64];
	pid_t child;

	snprintf(who, sizeof(who), "process %d has it", getpid());
	child = fork();
	if (!child) {
		struct guest_memory other;
		int rc;

		close(mine);
		rc = create(&other);
		_exit(rc == -EBUSY && !strstr(ram.error.hint, who) ? 255 : -rc);
	}
	return -ksft_wait(child);
}

/* For as long as the first lives, in this process and in others. */
TEST_OF(memory_file, lock_C10)
{
	struct guest_memory second;

	start();
	EXPECT_FALSE(create(&ram.memory));
	EXPECT_EQ(create(&second), -EBUSY);
	EXPECT_STREQ(ram.error.object, path);
	guest_memory_destroy(&ram.memory);
	EXPECT_FALSE(create(&ram.memory));
	EXPECT_EQ(create_elsewhere(ram.memory.backings[0].fd), -EBUSY);
	guest_memory_destroy(&ram.memory);
	EXPECT_FALSE(create_elsewhere(-1));
	stop();
}

/* A file that was handed over is locked by the same open file. */
TEST_OF(memory_file, handed_over_C10)
{
	struct guest_memory taker, third;
	int other;

	start();
	EXPECT_FALSE(create(&ram.memory));
	ram.requests[0].path = NULL;
	ram.requests[0].existing_fd = ram.memory.backings[0].fd;
	EXPECT_FALSE(create(&taker));
	guest_memory_destroy(&ram.memory);
	ram.requests[0].path = path;
	ram.requests[0].existing_fd = -1;
	EXPECT_EQ(create(&third), -EBUSY);
	/* The same file, opened again by whoever starts a VM. */
	other = open(path, O_RDWR | O_CLOEXEC);
	ram.requests[0].path = NULL;
	ram.requests[0].existing_fd = other;
	EXPECT_EQ(create(&third), -EBUSY);
	guest_memory_destroy(&taker);
	EXPECT_FALSE(create(&third));
	guest_memory_destroy(&third);
	close(other);
	stop();
}

/* A guest that is being restored is not emptied to be its own memory. */
TEST_OF(memory_file, restored_C10)
{
	int reader, second;

	start();
	EXPECT_FALSE(ftruncate(file, SIZE));
	EXPECT_EQ(pwrite(file, "guest", 5, 0), 5);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	second = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT_FALSE(file_lock(reader, path, false, &ram.error));
	EXPECT_FALSE(file_lock(second, path, false, &ram.error));
	EXPECT_FALSE(file_lock_check(file, path, &ram.error));
	EXPECT_EQ(create(&ram.memory), -EBUSY);
	close(reader);
	close(second);
	EXPECT_FALSE(create(&ram.memory));
	EXPECT_MEMEQ(ram.memory.reservation.base + 64 * PAGE, "guest", 5);
	EXPECT_EQ(file_lock_check(file, path, &ram.error), -EBUSY);
	guest_memory_destroy(&ram.memory);
	stop();
}

/* All of it, in a new file and in one with holes, which are still read as holes. */
TEST_OF(memory_file, room_C11)
{
	start();
	if (calls_system.allocate(file, 0, PAGE) == -EOPNOTSUPP) {
		ksft_skip("the file system of /tmp cannot take room");
		stop();
		return;
	}
	EXPECT_FALSE(create(&ram.memory));
	EXPECT_EQ(status().st_size, SIZE);
	EXPECT_GE(status().st_blocks * 512, (off_t)SIZE);
	EXPECT_LT(lseek(file, 0, SEEK_DATA), 0);
	EXPECT_EQ(errno, ENXIO);
	guest_memory_destroy(&ram.memory);
	EXPECT_FALSE(ftruncate(file, 0));
	EXPECT_FALSE(ftruncate(file, SIZE));
	EXPECT_EQ(pwrite(file, "x", 1, PAGE), 1);
	EXPECT_FALSE(create(&ram.memory));
	EXPECT_GE(status().st_blocks * 512, (off_t)SIZE);
	EXPECT_EQ(ram.memory.reservation.base[65 * PAGE], 'x');
	/* Emptied for a guest that is restored to it: it has its room again. */
	EXPECT_FALSE(backing_empty(&ram.memory.backings[0], &ram.error));
	EXPECT_FALSE(ram.memory.reservation.base[65 * PAGE]);
	EXPECT_GE(status().st_blocks * 512, (off_t)SIZE);
	guest_memory_destroy(&ram.memory);
	stop();
}

/* A file system that is full says so before the guest runs; nothing is lost. */
TEST_OF(memory_file, full_C11)
{
	char byte;

	start();
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOSPC;
	EXPECT_EQ(create(&ram.memory), -ENOSPC);
	EXPECT_STREQ(ram.error.object, path);
	EXPECT_STRSTR(ram.error.hint, "96 KB");
	EXPECT_FALSE(status().st_size);
	EXPECT_FALSE(status().st_blocks);
	EXPECT_FALSE(ftruncate(file, SIZE));
	EXPECT_EQ(pwrite(file, "x", 1, PAGE), 1);
	kvm_fake.fail = 'H';
	kvm_fake.rc = -EDQUOT;
	EXPECT_EQ(create(&ram.memory), -EDQUOT);
	EXPECT_EQ(status().st_size, SIZE);
	EXPECT_EQ(pread(file, &byte, 1, PAGE), 1);
	EXPECT_EQ(byte, 'x');
	stop();
}

/* Where room cannot be taken there has to be as much. */
TEST_OF(memory_file, unknown_C11)
{
	start();
	kvm_fake.fail = 'H';
	kvm_fake.rc = -EOPNOTSUPP;
	EXPECT_FALSE(create(&ram.memory));
	guest_memory_destroy(&ram.memory);
	kvm_fake.fail = 'H';
	kvm_fake.rc = -EOPNOTSUPP;
	EXPECT_EQ(file_room_take(file, UINT64_C(1) << 60, path, &ram.error), -ENOSPC);
	kvm_fake.fail = 'H';
	kvm_fake.rc = -EINTR;
	EXPECT_FALSE(file_room_take(file, SIZE, path, &ram.error));
	stop();
}

/* RLIMIT_FSIZE would be a signal. An old file does not grow. */
TEST_OF(memory_file, limit_C11)
{
	static const enum backing_kind kinds[] = {
		BACKING_FILE, BACKING_SHARED, BACKING_HUGETLB,
	};
	struct rlimit before, small;

	start();
	EXPECT_FALSE(getrlimit(RLIMIT_FSIZE, &before));
	small = (struct rlimit){ SIZE - 1, before.rlim_max };
	EXPECT_FALSE(setrlimit(RLIMIT_FSIZE, &small));
	for (unsigned int i = 0; i < 3; i++) {
		ram_start_two(kinds[i], BACKING_PRIVATE);
		ram.requests[0].path = i ? NULL : path;
		ram.requests[0].hugepage_size = i == 2 ? PAGE : 0;
		EXPECT_EQ(create(&ram.memory), -EFBIG);
		EXPECT_STRSTR(ram.error.hint, "ulimit -f");
	}
	EXPECT_FALSE(setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_FALSE(status().st_size);
	EXPECT_FALSE(ftruncate(file, SIZE));
	EXPECT_FALSE(setrlimit(RLIMIT_FSIZE, &small));
	ram_start_two(BACKING_FILE, BACKING_PRIVATE);
	ram.requests[0].path = path;
	EXPECT_FALSE(create(&ram.memory));
	guest_memory_destroy(&ram.memory);
	EXPECT_FALSE(setrlimit(RLIMIT_FSIZE, &before));
	stop();
}
