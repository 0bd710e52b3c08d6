// SPDX-License-Identifier: GPL-2.0
/* What a VMM under `gmemctl exec` may not write: its guest, when that is private. */
#include "../exec/exec.h"
#include "exec_fake.h"
#include "ksft.h"

#define PAGE	4096UL
#define START	"QEVM\0\0\0\3rest"

static struct exec_vm *vm;
static char *ram;

FIXTURE(exec_save) {
};

static void set(uint32_t flags, uint64_t size)
{
	EXPECT_FALSE(exec_fake_slot(0, flags, 0, size, ram));
}

FIXTURE_SETUP(exec_save)
{
	exec_fake_start();
	vm = exec_vm_of(exec_fake.vm);
	ram = exec_fake_map(0, 8 * PAGE, 0);
	set(0, 8 * PAGE);
}

FIXTURE_TEARDOWN(exec_save)
{
	munmap(ram, 8 * PAGE);
	exec_fake_stop();
	EXPECT_FALSE(exec_saves());
}

static bool refuses(const char *text, size_t size)
{
	const struct iovec parts[] = {
		{ NULL, 0 }, { (void *)text, size }, { (void *)"more", 4 },
	};

	return exec_save_refuses(parts, 3);
}

static bool refuses_line(const char *text)
{
	const struct iovec part = { (void *)text, strlen(text) };

	return exec_save_refuses(&part, 1);
}

#define REFUSES(text) refuses(text, sizeof(text) - 1)

/* By the first thread: what begins as a snapshot does, while anything is private. */
TEST_F(exec_save, snapshot)
{
	exec_fake.private[0][3] = true;
	EXPECT_FALSE(REFUSES(START));
	set(KVM_MEM_LOG_DIRTY_PAGES, 8 * PAGE);
	EXPECT_TRUE(exec_save_stands());
	EXPECT_TRUE(REFUSES(START));
	EXPECT_FALSE(REFUSES("QEVM\0\0\0"));
	EXPECT_FALSE(REFUSES("QEVN\0\0\0\3rest"));
	EXPECT_FALSE(REFUSES("a disk, or the monitor"));
	EXPECT_FALSE(exec_save_refuses(NULL, 0));
	exec_fake.private[0][3] = false;
	EXPECT_FALSE(REFUSES(START));
	exec_fake.private[0][3] = true;
	set(0, 8 * PAGE);
	EXPECT_FALSE(exec_save_stands());
	EXPECT_FALSE(REFUSES(START));
}

/* The log that goes with its slot, and with its VM, is off. */
TEST_F(exec_save, slot_goes)
{
	exec_fake.private[0][3] = true;
	set(KVM_MEM_LOG_DIRTY_PAGES, 8 * PAGE);
	set(0, 0);
	EXPECT_FALSE(REFUSES(START));
	set(KVM_MEM_LOG_DIRTY_PAGES, 8 * PAGE);
	EXPECT_TRUE(REFUSES(START));
}

static void *migrates(void *data)
{
	exec_save_log();
	EXPECT_TRUE(exec_saves());
	/* It has not come to that page, and may never do. */
	EXPECT_FALSE(REFUSES(START));
	EXPECT_TRUE(exec_hole_make((uintptr_t)ram + 3 * PAGE));
	EXPECT_TRUE(REFUSES("any part of it"));
	/* How it ends, it says itself. */
	EXPECT_FALSE(refuses_line("{\"event\": \"MIGRATION\"}\r\n"));
	EXPECT_TRUE(refuses_line("{\"event\": \"MIGRATION\"}"));
	EXPECT_TRUE(refuses_line("\"MIGRATION\"}\r\n"));
	EXPECT_TRUE(refuses_line("{"));
	EXPECT_TRUE(refuses_line(""));
	EXPECT_TRUE(REFUSES("{\"event\": \"MIGRATION\"}\r\n"));
	return NULL;
}

static void *has_nothing_to_do_with_it(void *data)
{
	EXPECT_FALSE(exec_saves());
	EXPECT_FALSE(REFUSES("a frame"));
	return NULL;
}

static void run(void *(*thread)(void *data))
{
	pthread_t id;

	ASSERT_FALSE(pthread_create(&id, NULL, thread, NULL));
	pthread_join(id, NULL);
}

/* By another thread: all that it writes, once there were zeros in the guest's place. */
TEST_F(exec_save, migration)
{
	exec_fake.private[0][3] = true;
	EXPECT_TRUE(exec_hole_make((uintptr_t)ram + 3 * PAGE));
	for (unsigned int times = 0; times < 2; times++) {
		struct exec_place place;

		set(KVM_MEM_LOG_DIRTY_PAGES, 8 * PAGE);
		/* Zeros from before are gone: who reads there is found out. */
		EXPECT_FALSE(exec_place_find((uintptr_t)ram + 3 * PAGE, &place));
		EXPECT_FALSE(exec_hole_is(&place));
		run(migrates);
		run(has_nothing_to_do_with_it);
		EXPECT_FALSE(REFUSES("the monitor"));
		set(0, 8 * PAGE);
		run(has_nothing_to_do_with_it);
	}
}

/* A VM whose memory another VMM has had: it is known that some of it is private. */
TEST_F(exec_save, takes_over)
{
	EXPECT_FALSE(vm->private);
	set(0, 0);
	exec_fake.private[0][3] = true;
	set(0, 8 * PAGE);
	EXPECT_TRUE(vm->private);
}
