// SPDX-License-Identifier: GPL-2.0
/* The file that is a guest's memory: of one guest alone, and with room for it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../memory/file.h"
#include "../memory/guest_memory.h"
#include "../memory/save.h"
#include "kvm_fake.h"
#include "two_requests.h"
#include "unit.h"

#define PAGE RANGE_PAGE_SIZE
#define SIZE (24 * PAGE)

static char path[64];
static int file;
static struct two_requests asked;
static struct guest_memory memory;
static struct error error;

static void start(void)
{
	kvm_fake_start();
	snprintf(path, sizeof(path), "/tmp/gmemctl-test.XXXXXX");
	file = mkstemp(path);
	CHECK(file >= 0);
	two_requests_init(&asked, BACKING_FILE, BACKING_PRIVATE);
	asked.requests[0].path = path;
}

static void stop(void)
{
	close(file);
	CHECK(!unlink(path));
	calls = &calls_system;
}

static int create(struct guest_memory *out)
{
	return guest_memory_create(out, &asked.config, &kvm_fake.vm, 0, &error);
}

static struct stat status(void)
{
	struct stat now;

	CHECK(!fstat(file, &now));
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
	int code;

	snprintf(who, sizeof(who), "process %d has it", getpid());
	child = fork();
	if (!child) {
		struct guest_memory other;
		int rc;

		close(mine);
		rc = create(&other);
		_exit(rc == -EBUSY && !strstr(error.hint, who) ? 255 : -rc);
	}
	CHECK_EQ(waitpid(child, &code, 0), child);
	return WIFEXITED(code) ? -WEXITSTATUS(code) : 1;
}

/* For as long as the first lives, in this process and in others. */
static void test_file_lock_C10(void)
{
	struct guest_memory second;

	start();
	CHECK(!create(&memory));
	CHECK_EQ(create(&second), -EBUSY);
	CHECK_STR(error.object, path);
	guest_memory_destroy(&memory);
	CHECK(!create(&memory));
	CHECK_EQ(create_elsewhere(memory.backings[0].fd), -EBUSY);
	guest_memory_destroy(&memory);
	CHECK(!create_elsewhere(-1));
	stop();
}

/* A file that was handed over is locked by the same open file. */
static void test_file_lock_handed_over_C10(void)
{
	struct guest_memory taker, third;
	int other;

	start();
	CHECK(!create(&memory));
	asked.requests[0].path = NULL;
	asked.requests[0].existing_fd = memory.backings[0].fd;
	CHECK(!create(&taker));
	guest_memory_destroy(&memory);
	asked.requests[0].path = path;
	asked.requests[0].existing_fd = -1;
	CHECK_EQ(create(&third), -EBUSY);
	/* The same file, opened again by whoever starts a VM. */
	other = open(path, O_RDWR | O_CLOEXEC);
	asked.requests[0].path = NULL;
	asked.requests[0].existing_fd = other;
	CHECK_EQ(create(&third), -EBUSY);
	guest_memory_destroy(&taker);
	CHECK(!create(&third));
	guest_memory_destroy(&third);
	close(other);
	stop();
}

/* A guest that is being restored is not emptied to be its own memory. */
static void test_file_lock_restored_C10(void)
{
	int reader, second;

	start();
	CHECK(!ftruncate(file, SIZE) && pwrite(file, "guest", 5, 0) == 5);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	second = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(!file_lock(reader, path, false, &error));
	CHECK(!file_lock(second, path, false, &error));
	CHECK(!file_lock_check(file, path, &error));
	CHECK_EQ(create(&memory), -EBUSY);
	close(reader);
	close(second);
	CHECK(!create(&memory));
	CHECK(!memcmp(memory.reservation.base + 64 * PAGE, "guest", 5));
	CHECK_EQ(file_lock_check(file, path, &error), -EBUSY);
	guest_memory_destroy(&memory);
	stop();
}

/* All of it, in a new file and in one with holes, which are still read as holes. */
static void test_file_room_C11(void)
{
	start();
	if (calls_system.allocate(file, 0, PAGE) == -EOPNOTSUPP) {
		unit_skip("the file system of /tmp cannot take room");
		stop();
		return;
	}
	CHECK(!create(&memory));
	CHECK(status().st_size == SIZE && status().st_blocks * 512 >= (off_t)SIZE);
	CHECK(lseek(file, 0, SEEK_DATA) < 0 && errno == ENXIO);
	guest_memory_destroy(&memory);
	CHECK(!ftruncate(file, 0) && !ftruncate(file, SIZE));
	CHECK_EQ(pwrite(file, "x", 1, PAGE), 1);
	CHECK(!create(&memory));
	CHECK(status().st_blocks * 512 >= (off_t)SIZE);
	CHECK_EQ(memory.reservation.base[65 * PAGE], 'x');
	/* Emptied for a guest that is restored to it: it has its room again. */
	CHECK(!backing_empty(&memory.backings[0], &error));
	CHECK(!memory.reservation.base[65 * PAGE]);
	CHECK(status().st_blocks * 512 >= (off_t)SIZE);
	guest_memory_destroy(&memory);
	stop();
}

/* A file system that is full says so before the guest runs; nothing is lost. */
static void test_file_room_full_C11(void)
{
	char byte;

	start();
	kvm_fake.fail = 'H';
	kvm_fake.rc = -ENOSPC;
	CHECK_EQ(create(&memory), -ENOSPC);
	CHECK(!strcmp(error.object, path) && strstr(error.hint, "96 KB"));
	CHECK(!status().st_size && !status().st_blocks);
	CHECK(!ftruncate(file, SIZE) && pwrite(file, "x", 1, PAGE) == 1);
	kvm_fake.fail = 'H';
	kvm_fake.rc = -EDQUOT;
	CHECK_EQ(create(&memory), -EDQUOT);
	CHECK_EQ(status().st_size, SIZE);
	CHECK(pread(file, &byte, 1, PAGE) == 1 && byte == 'x');
	stop();
}

/* Where room cannot be taken there has to be as much. */
static void test_file_room_unknown_C11(void)
{
	start();
	kvm_fake.fail = 'H';
	kvm_fake.rc = -EOPNOTSUPP;
	CHECK(!create(&memory));
	guest_memory_destroy(&memory);
	kvm_fake.fail = 'H';
	kvm_fake.rc = -EOPNOTSUPP;
	CHECK_EQ(file_room_take(file, UINT64_C(1) << 60, path, &error),
		 -ENOSPC);
	kvm_fake.fail = 'H';
	kvm_fake.rc = -EINTR;
	CHECK(!file_room_take(file, SIZE, path, &error));
	stop();
}

/* RLIMIT_FSIZE would be a signal. An old file does not grow. */
static void test_file_limit_C11(void)
{
	static const enum backing_kind kinds[] = {
		BACKING_FILE, BACKING_SHARED, BACKING_HUGETLB,
	};
	struct rlimit before, small;

	start();
	CHECK(!getrlimit(RLIMIT_FSIZE, &before));
	small = (struct rlimit){ SIZE - 1, before.rlim_max };
	CHECK(!setrlimit(RLIMIT_FSIZE, &small));
	for (unsigned int i = 0; i < 3; i++) {
		two_requests_init(&asked, kinds[i], BACKING_PRIVATE);
		asked.requests[0].path = i ? NULL : path;
		asked.requests[0].hugepage_size = i == 2 ? PAGE : 0;
		CHECK_EQ(create(&memory), -EFBIG);
		CHECK(strstr(error.hint, "ulimit -f"));
	}
	CHECK(!setrlimit(RLIMIT_FSIZE, &before));
	CHECK(!status().st_size && !ftruncate(file, SIZE));
	CHECK(!setrlimit(RLIMIT_FSIZE, &small));
	two_requests_init(&asked, BACKING_FILE, BACKING_PRIVATE);
	asked.requests[0].path = path;
	CHECK(!create(&memory));
	guest_memory_destroy(&memory);
	CHECK(!setrlimit(RLIMIT_FSIZE, &before));
	stop();
}

static const struct unit_test tests[] = {
	{ "memory_file.lock_C10", test_file_lock_C10 },
	{ "memory_file.handed_over_C10", test_file_lock_handed_over_C10 },
	{ "memory_file.restored_C10", test_file_lock_restored_C10 },
	{ "memory_file.room_C11", test_file_room_C11 },
	{ "memory_file.full_C11", test_file_room_full_C11 },
	{ "memory_file.unknown_C11", test_file_room_unknown_C11 },
	{ "memory_file.limit_C11", test_file_limit_C11 },
};

UNIT_TESTS(tests)
