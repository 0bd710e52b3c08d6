// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of a guest whose memory is gmem's. An invalid KVM_HC_MAP_GPA_RANGE is an error
 * for the guest only. Accesses that private memory cannot serve are reported with address
 * and kind. A crash ends the guest, but its memory stays.
 */
#include <unistd.h>

#include "hold.h"
#include "ksft.h"
#include "kvm_vm.h"

#include "../tools/gmemctl/kvm/vcpu.h"

#define SIZE (16 * PAGE)
#define BASE KVM_DATA_GPA

FIXTURE(exits) {
	struct kvm_guest g;
	int fd;
	uint8_t *host;
};

FIXTURE_SETUP(exits)
{
	const char *why = kvm_guest_unavailable();

	if (why)
		SKIP(return, "%s", why);
	test_kvm_guest_create(&self->g, 1);
	self->fd = test_gmem_create(SIZE, GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, kvm_guest_add(&self->g, BASE, SIZE, self->fd, 0, 0));
	self->host = self->g.data[0].host;
	gmem_fill(self->host, 0x41, SIZE);
}

FIXTURE_TEARDOWN(exits)
{
	kvm_guest_destroy(&self->g);
	close(self->fd);
}

static const struct {
	const char *what;
	uint64_t gpa;
	uint64_t pages;
	uint32_t attributes;
} bad_maps[] = {
	{ "unaligned address", BASE + 1, 1, KVM_MAP_PRIVATE },
	{ "unaligned by half a page", BASE + 2048, 1, KVM_MAP_PRIVATE },
	{ "no pages", BASE, 0, KVM_MAP_PRIVATE },
	{ "no pages to shared", BASE, 0, KVM_MAP_SHARED },
	{ "size overflows", BASE, 1ULL << 52, KVM_MAP_PRIVATE },
	{ "size of all ones", BASE, ~0ULL, KVM_MAP_PRIVATE },
	{ "range wraps", ~0ULL << 12, 2, KVM_MAP_PRIVATE },
	{ "last page of all", ~0ULL << 12, 1, KVM_MAP_PRIVATE },
	{ "unknown page size", BASE, 1, KVM_MAP_PRIVATE | 3 },
	{ "reserved bit 2", BASE, 1, KVM_MAP_PRIVATE | 4 },
	{ "reserved bit 3", BASE, 1, KVM_MAP_PRIVATE | 8 },
	{ "encryption status 2", BASE, 1, 0x20 },
	{ "encryption status 15", BASE, 1, 0xf0 },
	{ "reserved bit 8", BASE, 1, KVM_MAP_PRIVATE | 0x100 },
	{ "reserved bit 31", BASE, 1, KVM_MAP_PRIVATE | 1U << 31 },
	{ "before the slot", BASE - PAGE, 1, KVM_MAP_PRIVATE },
	{ "begins before the slot", BASE - PAGE, 2, KVM_MAP_PRIVATE },
	{ "after the slot", BASE + SIZE, 1, KVM_MAP_PRIVATE },
	{ "reaches past the slot", BASE + SIZE - PAGE, 2, KVM_MAP_PRIVATE },
	{ "a slot without private memory", 0, 1, KVM_MAP_PRIVATE },
};

/* Each invalid request fails, changes nothing, and the guest continues. */
TEST_F(exits, bad_map_gpa_range)
{
	struct gmem_range range;
	int64_t result;
	size_t i;

	for (i = 0; i < sizeof(bad_maps) / sizeof(bad_maps[0]); i++) {
		result = 0;
		EXPECT_EQ(KVM_STOP_DONE,
			  kvm_guest_op(&self->g, 0, KVM_OP_MAP_RAW,
				       bad_maps[i].gpa, bad_maps[i].pages,
				       bad_maps[i].attributes, &result));
		EXPECT_LT(result, 0);
		if (result >= 0)
			TH_LOG("%s: %lld", bad_maps[i].what, (long long)result);
	}
	ASSERT_EQ(0, gmem_query_one(self->fd, 0, SIZE, &range));
	EXPECT_EQ(SIZE, range.length);
	EXPECT_EQ(SHARED, range.state);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, SIZE, 0x41);
	expect_op(&self->g, 0, KVM_OP_MAP, BASE, SIZE, KVM_MAP_PRIVATE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, SIZE, 0x41);
}

/* A range over two slots with a gap between them is refused as a whole, without a change. */
TEST_F(exits, map_over_a_gap)
{
	int fd = test_gmem_create(SIZE, GMEM_CREATE_F_INIT_SHARED);
	struct gmem_ioctl_stat stat;
	int64_t result = 0;

	ASSERT_EQ(0, kvm_guest_add(&self->g, BASE + SIZE + PAGE, SIZE, fd, 0,
				   0));
	EXPECT_EQ(KVM_STOP_DONE,
		  kvm_guest_op(&self->g, 0, KVM_OP_MAP_RAW, BASE, 33,
			       KVM_MAP_PRIVATE, &result));
	EXPECT_LT(result, 0);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.private_pages);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(0, stat.private_pages);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, SIZE, 0x41);
	close(fd);
}

/* Two adjacent slots are one range for the guest. */
TEST_F(exits, map_over_two_slots)
{
	int fd = test_gmem_create(SIZE, GMEM_CREATE_F_INIT_SHARED);

	ASSERT_EQ(0, kvm_guest_add(&self->g, BASE + SIZE, SIZE, fd, 0, PAGE));
	gmem_fill(self->g.data[1].host, 0x41, SIZE);
	expect_op(&self->g, 0, KVM_OP_MAP, BASE, 2 * SIZE, KVM_MAP_PRIVATE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, 2 * SIZE, 0x41);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, 2 * SIZE, 0x42);
	expect_sigbus(self->host + SIZE - 1);
	expect_sigbus(self->g.data[1].host);
	expect_op(&self->g, 0, KVM_OP_MAP, BASE, 2 * SIZE, KVM_MAP_SHARED);
	expect_bytes(0x42, self->host, SIZE);
	expect_bytes(0x42, self->g.data[1].host, SIZE);
	close(fd);
}

/* A request that gmem refuses is an error for the guest, which can retry. */
TEST_F(exits, refused_conversion)
{
	struct hold_pipe pipe;
	int64_t result = 0;

	ASSERT_EQ(0, hold_pipe_take(&pipe, self->host, 1));
	EXPECT_EQ(KVM_STOP_DONE,
		  kvm_guest_op(&self->g, 0, KVM_OP_MAP_RAW, BASE, 16,
			       KVM_MAP_PRIVATE, &result));
	EXPECT_EQ(-EAGAIN, result);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, SIZE, 0x41);
	hold_pipe_drop(&pipe);
	expect_op(&self->g, 0, KVM_OP_MAP, BASE, SIZE, KVM_MAP_PRIVATE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, SIZE, 0x41);
}

static void expect_memory_fault(struct kvm_guest *g, uint64_t gpa,
				uint64_t flags)
{
	struct kvm_run *run = g->vcpus[0].run;
	const struct kvm_exit_memory_fault *fault = kvm_run_memory_fault(run);
	char text[256];

	ASSERT_EQ(KVM_EXIT_MEMORY_FAULT, run->exit_reason);
	EXPECT_EQ(gpa, fault->gpa);
	EXPECT_EQ(PAGE, fault->size);
	EXPECT_EQ(flags, fault->flags);
	exit_describe(&g->vcpus[0], text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, "MEMORY_FAULT"));
	EXPECT_NE(NULL, strstr(text, flags ? "private" : "shared"));
}

/* The PRIVATE attribute on a slot without private memory. */
TEST_F(exits, private_access_without_store)
{
	uint8_t *plain = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct slot slot = {
		.gpa = BASE + SIZE,
		.size = SIZE,
		.host = plain,
		.guest_memfd = -1,
	};

	ASSERT_NE(MAP_FAILED, (void *)plain);
	plain[PAGE] = 0x51;
	ASSERT_GE(slot_add(&self->g.vm, &slot, NULL), 0);
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, BASE + SIZE + PAGE, PAGE,
					 true));
	ASSERT_EQ(KVM_STOP_EXIT,
		  kvm_guest_op(&self->g, 0, KVM_OP_READ, BASE + SIZE + PAGE, 1,
			       0, NULL));
	expect_memory_fault(&self->g, BASE + SIZE + PAGE,
			    KVM_MEMORY_EXIT_FLAG_PRIVATE);
	/* After the attribute is cleared, the same access succeeds. */
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, BASE + SIZE + PAGE, PAGE,
					 false));
	EXPECT_EQ(KVM_STOP_DONE, kvm_guest_run(&self->g, 0));
	EXPECT_EQ(0x51, kvm_script(&self->g, 0)->ops[0].result);
}

/* The slot is deleted while its page is private. */
TEST_F(exits, private_access_to_deleted_slot)
{
	int64_t result;

	expect_op(&self->g, 0, KVM_OP_MAP, BASE, SIZE, KVM_MAP_PRIVATE);
	ASSERT_EQ(0, slot_remove(&self->g.vm, self->g.data[0].number));
	self->g.data[0].number = -1;
	ASSERT_EQ(KVM_STOP_EXIT,
		  kvm_guest_op(&self->g, 0, KVM_OP_READ, BASE + 3 * PAGE, 1, 0,
			       &result));
	expect_memory_fault(&self->g, BASE + 3 * PAGE,
			    KVM_MEMORY_EXIT_FLAG_PRIVATE);
	/* gmem does not lose the contents. */
	test_gmem_convert(self->fd, 0, SIZE, SHARED, PRESERVE);
	expect_bytes(0x41, self->host, SIZE);
}

/* The slot is deleted while its page is shared: the access exits as MMIO. */
TEST_F(exits, shared_access_to_deleted_slot)
{
	struct kvm_run *run = self->g.vcpus[0].run;
	int64_t result;

	ASSERT_EQ(0, slot_remove(&self->g.vm, self->g.data[0].number));
	self->g.data[0].number = -1;
	ASSERT_EQ(KVM_STOP_EXIT,
		  kvm_guest_op(&self->g, 0, KVM_OP_READ, BASE + 3 * PAGE, 1, 0,
			       &result));
	ASSERT_EQ(KVM_EXIT_MMIO, run->exit_reason);
	EXPECT_EQ(BASE + 3 * PAGE, run->mmio.phys_addr);
	EXPECT_EQ(0, run->mmio.is_write);
	run->mmio.data[0] = 0x77;
	EXPECT_EQ(KVM_STOP_DONE, kvm_guest_run(&self->g, 0));
	EXPECT_EQ(0x77, kvm_script(&self->g, 0)->ops[0].result);
}

/*
 * Converted without setting the attribute: the guest's access exits, and gets no page.
 * After the attribute is set, it succeeds.
 */
TEST_F(exits, private_page_without_attribute)
{
	int stop;

	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	stop = kvm_guest_op(&self->g, 0, KVM_OP_READ, BASE, 1, 0, NULL);
	if (stop == KVM_STOP_EXIT)
		expect_memory_fault(&self->g, BASE, 0);
	else
		EXPECT_EQ(-EFAULT, stop);
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, BASE, PAGE, true));
	EXPECT_EQ(KVM_STOP_DONE, kvm_guest_run(&self->g, 0));
	EXPECT_EQ(0x41, kvm_script(&self->g, 0)->ops[0].result);
}

/* Run the vCPU again as long as it returns EINTR, but not longer than @ms. */
static int run_interrupted(struct kvm_guest *g, uint64_t ms, unsigned int *times)
{
	uint64_t end = ksft_now_ms() + ms;
	int rc;

	*times = 0;
	do {
		rc = vcpu_run(&g->vcpus[0]);
		*times += rc == -EINTR;
	} while (rc == -EINTR && ksft_now_ms() < end);
	return rc;
}

static void script_read(struct kvm_guest *g)
{
	struct kvm_script *script = kvm_script(g, 0);

	kvm_script_start(script);
	kvm_script_op(script, KVM_OP_READ, BASE, 1, 0);
}

/*
 * A vCPU accesses the page between the two calls of its VMM, in both directions. KVM_RUN
 * returns EINTR, as after a signal, and the access succeeds after the second call.
 */
TEST_F(exits, between_convert_and_attribute)
{
	unsigned int times;

	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	script_read(&self->g);
	EXPECT_EQ(-EINTR, run_interrupted(&self->g, 200, &times));
	EXPECT_GE(times, 1);
	ASSERT_EQ(0, kvm_guest_attribute(&self->g, BASE, PAGE, true));
	EXPECT_EQ(KVM_STOP_DONE, kvm_guest_run(&self->g, 0));
	EXPECT_EQ(0x41, kvm_script(&self->g, 0)->ops[0].result);

	ASSERT_EQ(0, kvm_guest_attribute(&self->g, BASE, PAGE, false));
	script_read(&self->g);
	EXPECT_EQ(-EINTR, run_interrupted(&self->g, 200, &times));
	EXPECT_GE(times, 1);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	EXPECT_EQ(KVM_STOP_DONE, kvm_guest_run(&self->g, 0));
	EXPECT_EQ(0x41, kvm_script(&self->g, 0)->ops[0].result);
}

/* Without the second call KVM_RUN returns something else than EINTR after a second. */
TEST_F(exits, second_call_never_comes)
{
	uint64_t start = ksft_now_ms();
	unsigned int times;
	int rc;

	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	script_read(&self->g);
	rc = run_interrupted(&self->g, 20000, &times);
	EXPECT_TRUE(rc == -EFAULT || !rc);
	EXPECT_GE(ksft_now_ms() - start, 900);
	EXPECT_EQ(rc, run_interrupted(&self->g, 20000, &times));
	EXPECT_EQ(0, times);
}

/* An unknown hypercall is an error for the guest. */
TEST_F(exits, unknown_hypercall)
{
	int64_t result = 0;

	ASSERT_EQ(KVM_STOP_DONE,
		  kvm_guest_op(&self->g, 0, KVM_OP_CALL, BASE, SIZE, 99,
			       &result));
	EXPECT_EQ(-KVM_ENOSYS, result);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, SIZE, 0x41);
}

/* A triple fault is reported with the registers, and the memory is intact. */
TEST_F(exits, crash)
{
	char text[2048] = "";
	int stop;

	expect_op(&self->g, 0, KVM_OP_MAP, BASE, 8 * PAGE, KVM_MAP_PRIVATE);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, PAGE, 0x43);
	stop = kvm_guest_op(&self->g, 0, KVM_OP_CRASH, 0, 0, 0, NULL);
	ASSERT_EQ(KVM_STOP_EXIT, stop);
	EXPECT_EQ(KVM_EXIT_SHUTDOWN, self->g.vcpus[0].run->exit_reason);
	kvm_log_stop(&self->g, 0, stop, text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, "triple-faulted"));
	EXPECT_NE(NULL, strstr(text, "rip 00000000000"));
	ASSERT_EQ(0, kvm_guest_convert(&self->g, BASE, SIZE, false, PRESERVE));
	expect_bytes(0x43, self->host, PAGE);
	expect_bytes(0x41, self->host + PAGE, SIZE - PAGE);
}

/* Each exit reason of KVM has a description, also an unknown one. */
TEST(describe_any_exit)
{
	static uint64_t space[512];
	struct kvm_run *run = (struct kvm_run *)space;
	struct vcpu vcpu = { .fd = -1, .run = run };
	char text[256];
	uint32_t i;

	for (i = 0; i < 64; i++) {
		memset(run, 0xff, sizeof(space));
		run->exit_reason = i;
		memset(text, 'x', sizeof(text));
		exit_describe(&vcpu, text, sizeof(text));
		EXPECT_LT(strnlen(text, sizeof(text)), sizeof(text));
		EXPECT_NE(NULL, strstr(text, exit_name(i)));
	}
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
	exit_describe(&vcpu, text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, "crash"));
	run->system_event.type = ~0U;
	exit_describe(&vcpu, text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, "unknown"));
	/* No space for any text */
	text[1] = 'y';
	exit_describe(&vcpu, text, 1);
	EXPECT_EQ('\0', text[0]);
	EXPECT_EQ('y', text[1]);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
