// SPDX-License-Identifier: GPL-2.0
/*
 * A guest on shared memory, on every KVM. A vCPU that waits for a conversion may have to
 * leave KVM_RUN, for a pause, a reset, a debugger or a timer of its VMM. A signal makes
 * it leave immediately, whatever the conversion waits for, and the guest continues later.
 * Compaction on the host does not unmap pages from the guest, because they cannot be
 * moved.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hold.h"
#include "ksft.h"
#include "kvm_vm.h"

#define NR_PAGES 16
#define SIZE (NR_PAGES * PAGE)
#define MANY (2 * SZ_2M)
#define BASE KVM_DATA_GPA
#define MANY_BASE (BASE + SZ_1G)
#define HELD 2
#define TOUCHED 5
#define CONVERT_MS 6000
#define KICK_MS 2000			/* bound for work that should take no time */

FIXTURE(shared) {
	struct kvm_guest g;
	struct kvm_runner runner;
	struct hold_pipe hold;
	struct gmem_task converter;
	int fd;
	uint8_t *host;
	int rc;
	int done;
};

/* Every KVM supports shared memory. */
FIXTURE_SETUP(shared)
{
	struct slot slot = { .gpa = BASE, .size = SIZE, .guest_memfd = -1 };
	int rc = kvm_guest_create_plain(&self->g, 1);

	if (rc == -ENOENT || rc == -EOPNOTSUPP)
		SKIP(return, KSFT_BY_DESIGN " %s: %s", self->g.error.object,
		     self->g.error.action);
	ASSERT_EQ(0, rc);
	self->fd = test_gmem_create(SIZE, GMEM_CREATE_F_INIT_SHARED);
	self->host = test_gmem_map(self->fd, 0, SIZE);
	gmem_fill(self->host, 'A', SIZE);
	slot.host = self->host;
	ASSERT_LE(0, slot_add(&self->g.vm, &slot, NULL));
	ASSERT_EQ(0, hold_pipe_take(&self->hold, self->host + HELD * PAGE, 1));
}

FIXTURE_TEARDOWN(shared)
{
	hold_pipe_drop(&self->hold);
	gmem_task_join(&self->converter);
	kvm_guest_destroy(&self->g);
	munmap(self->host, SIZE);
	close(self->fd);
}

static void *converter_main(void *arg)
{
	struct shared_data *self = arg;

	self->rc = gmem_convert_wait(self->fd, 0, SIZE, PRIVATE, PRESERVE,
				     CONVERT_MS);
	__atomic_store_n(&self->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* The guest accesses a page of a range that is being converted, and waits. */
static void guest_waits(struct shared_data *self, enum kvm_opcode opcode)
{
	struct kvm_script *script = kvm_script(&self->g, 0);

	ASSERT_EQ(0, gmem_task_start(&self->converter, -1, converter_main, self));
	usleep(300000);
	kvm_script_start(script);
	kvm_script_op(script, opcode, BASE + TOUCHED * PAGE, 1, 'B');
	ASSERT_EQ(0, kvm_runner_start(&self->runner, &self->g, 0));
	usleep(700000);
	EXPECT_FALSE(__atomic_load_n(&self->done, __ATOMIC_ACQUIRE));
	EXPECT_EQ(0, __atomic_load_n(&self->runner.stop, __ATOMIC_ACQUIRE));
}

static void expect_kicked(struct shared_data *self)
{
	uint64_t start = ksft_now_ms();

	EXPECT_EQ(-EINTR, kvm_runner_kick(&self->runner));
	TH_LOG("left KVM_RUN after %u ms", (unsigned int)(ksft_now_ms() - start));
	EXPECT_LT(ksft_now_ms() - start, KICK_MS);
	/* The conversion has not ended yet. */
	EXPECT_FALSE(__atomic_load_n(&self->done, __ATOMIC_ACQUIRE));
}

/* After the page is shared again, the guest's access succeeds. */
static void expect_goes_on(struct shared_data *self, uint8_t value)
{
	hold_pipe_drop(&self->hold);
	gmem_task_join(&self->converter);
	if (!self->rc)
		test_gmem_convert(self->fd, 0, SIZE, SHARED, PRESERVE);
	EXPECT_EQ(KVM_STOP_DONE, kvm_guest_run(&self->g, 0));
	expect_byte(value, self->host + TOUCHED * PAGE);
	expect_byte('A', self->host + HELD * PAGE);
}

TEST_F(shared, D4_read)
{
	guest_waits(self, KVM_OP_READ);
	expect_kicked(self);
	expect_goes_on(self, 'A');
	EXPECT_EQ('A', kvm_script(&self->g, 0)->ops[0].result);
}

TEST_F(shared, D4_write)
{
	guest_waits(self, KVM_OP_SWAP);
	expect_kicked(self);
	expect_goes_on(self, 'B');
	EXPECT_EQ('A', kvm_script(&self->g, 0)->ops[0].result);
}

/* The vCPU enters KVM_RUN again while the conversion still waits, and is kicked again. */
TEST_F(shared, D4_again)
{
	guest_waits(self, KVM_OP_SWAP);
	expect_kicked(self);
	ASSERT_EQ(0, kvm_runner_start(&self->runner, &self->g, 0));
	usleep(300000);
	expect_kicked(self);
	expect_goes_on(self, 'B');
}

/* Without a kick it waits until the conversion has failed, and continues. */
TEST_F(shared, D4_undisturbed)
{
	guest_waits(self, KVM_OP_SWAP);
	EXPECT_EQ(KVM_STOP_DONE, kvm_runner_join(&self->runner));
	gmem_task_join(&self->converter);
	EXPECT_EQ(-EAGAIN, self->rc);
	expect_byte('B', self->host + TOUCHED * PAGE);
}

/*
 * Return: the number of pages that guests of this process have mapped, or a negative
 * errno.
 */
static long long guest_pages(void)
{
	static const char root[] = "/sys/kernel/debug/kvm";
	char prefix[16], path[320], text[32];
	DIR *dir = opendir(root);
	long long pages = -ENOENT;
	struct dirent *de;

	snprintf(prefix, sizeof(prefix), "%d-", getpid());
	while (dir && (de = readdir(dir))) {
		if (strncmp(de->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(path, sizeof(path), "%s/%s/pages_4k", root, de->d_name);
		if (gmem_read_file(path, text, sizeof(text)) > 0)
			pages = strtoll(text, NULL, 10);
	}
	if (dir)
		closedir(dir);
	return pages;
}

/* Compaction skips pages that it cannot move: they stay mapped in the guest. */
TEST_F_TIMEOUT(shared, D7_compaction, 300)
{
	struct slot slot = { .gpa = MANY_BASE, .size = MANY, .guest_memfd = -1 };
	int fd = test_gmem_create(MANY, GMEM_CREATE_F_INIT_SHARED);
	struct gmem_ioctl_stat before, after;
	long long pages;
	int i;

	if (guest_pages() < 0)
		SKIP(return, KSFT_BY_DESIGN " no statistics of KVM in debugfs");
	if (access("/proc/sys/vm/compact_memory", W_OK))
		SKIP(return, KSFT_BY_DESIGN " no CONFIG_COMPACTION");
	slot.host = test_gmem_map(fd, 0, MANY);
	ASSERT_LE(0, slot_add(&self->g.vm, &slot, NULL));
	expect_op(&self->g, 0, KVM_OP_FILL, MANY_BASE, MANY, 'C');
	pages = guest_pages();
	EXPECT_GE(pages, (long long)(MANY / PAGE));
	test_gmem_stat(fd, &before);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, gmem_write_file("/proc/sys/vm/compact_memory", "1"));
	TH_LOG("%lld pages mapped, then %lld", pages, guest_pages());
	/* Pages of other memory may be moved. */
	EXPECT_GE(guest_pages(), (long long)(MANY / PAGE));
	expect_op(&self->g, 0, KVM_OP_EXPECT, MANY_BASE, MANY, 'C');
	test_gmem_stat(fd, &after);
	EXPECT_EQ(before.faults, after.faults);
	close(fd);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
