// SPDX-License-Identifier: GPL-2.0
/*
 * Guests of an ordinary VM whose memory is a view: the guest can access shared and
 * private pages, the host only shared ones. Features of KVM's slots work with it.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_view.h"
#include "hold.h"
#include "../tools/gmemctl/kvm/vcpu.h"
#include "ksft.h"
#include "kvm_vm.h"

#define BASE KVM_DATA_GPA
#define RO_GPA (BASE + SZ_1G + SZ_1G / 2)	/* the guest's tables end at 4 GiB */
#define NR_PAGES 1024
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(kvm_view) {
	struct kvm_guest g;
	struct kvm_data *data;
	int fd;
	uint8_t *host;
};

FIXTURE_SETUP(kvm_view)
{
	const char *why = gmem_view_unavailable();

	if (why)
		SKIP(return, "%s", why);
	test_kvm_guest_create_by(kvm_guest_create_views, &self->g, 2);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, kvm_guest_add(&self->g, BASE, LENGTH, self->fd, 0, 0));
	self->data = &self->g.data[0];
	self->host = self->data->host;
}

FIXTURE_TEARDOWN(kvm_view)
{
	kvm_guest_destroy(&self->g);
	close(self->fd);
}

static void populate(struct kvm_view_data *self)
{
	EXPECT_EQ(NR_PAGES, gmem_view_populate(self->data->view, self->data->map,
					       LENGTH, 0));
}

/* A guest can access all populated pages of a view, in both states. */
TEST_F(kvm_view, shared_and_private)
{
	self->g.strict = true;
	gmem_fill(self->host, 0x11, LENGTH);
	populate(self);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, LENGTH, 0x11);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, PAGE, 0x22);
	expect_bytes(0x22, self->host, PAGE);

	test_gmem_convert(self->fd, PAGE, 3 * PAGE, PRIVATE, PRESERVE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PAGE, 0x22);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + PAGE, 3 * PAGE, 0x11);
	expect_op(&self->g, 1, KVM_OP_FILL, BASE + PAGE, 3 * PAGE, 0x33);
	expect_sigbus(self->host + PAGE);
	expect_sigsegv(self->data->map + PAGE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + PAGE, 3 * PAGE, 0x33);

	test_gmem_convert(self->fd, PAGE, 3 * PAGE, SHARED, PRESERVE);
	expect_bytes(0x33, self->host + PAGE, 3 * PAGE);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE + PAGE, PAGE, 0x44);
	expect_bytes(0x44, self->host + PAGE, PAGE);
}

/* The guest asks for conversions itself, without support by KVM. */
TEST_F(kvm_view, hypercall)
{
	struct gmem_ioctl_stat stat;

	gmem_fill(self->host, 0x11, LENGTH);
	populate(self);
	expect_op(&self->g, 0, KVM_OP_MAP, BASE, SZ_2M, KVM_MAP_PRIVATE);
	expect_state(PRIVATE, self->fd, SZ_2M - PAGE);
	expect_state(SHARED, self->fd, SZ_2M);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, LENGTH, 0x11);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, SZ_2M, 0x55);
	expect_sigbus(self->host);
	expect_op(&self->g, 0, KVM_OP_MAP, BASE, SZ_2M, KVM_MAP_SHARED);
	expect_bytes(0x55, self->host, SZ_2M);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(2 * SZ_2M / PAGE, stat.view_refills);
	/* Both conversions have filled the view again. */
	EXPECT_EQ(0, self->g.populated);
	EXPECT_EQ(1, stat.views);
	EXPECT_EQ(1, stat.view_mappings);
}

/* An access to a missing page ends KVM_RUN, and gmem reports its address. */
TEST_F(kvm_view, fault)
{
	struct kvm_script *script = kvm_script(&self->g, 0);
	struct gmem_ioctl_view_fault fault;
	uint64_t count;

	self->g.strict = true;
	EXPECT_EQ(-EAGAIN, gmem_view_fault(self->data->view, &fault));
	kvm_script_start(script);
	kvm_script_op(script, KVM_OP_FILL, BASE + 7 * PAGE, PAGE, 0x66);
	EXPECT_EQ(-EFAULT, kvm_guest_run(&self->g, 0));
	ASSERT_EQ(0, gmem_view_fault(self->data->view, &fault));
	EXPECT_EQ(BASE + 7 * PAGE, fault.gpa & -PAGE);
	EXPECT_TRUE(fault.error_code & 2);
	count = fault.count;
	EXPECT_EQ(-EFAULT, kvm_guest_run(&self->g, 0));
	ASSERT_EQ(0, gmem_view_fault(self->data->view, &fault));
	EXPECT_GT(fault.count, count);

	EXPECT_EQ(1, gmem_view_populate(self->data->view,
					self->data->map + 7 * PAGE, PAGE, 0));
	expect_stop(KVM_STOP_DONE, &self->g, 0);
	expect_bytes(0x66, self->host + 7 * PAGE, PAGE);
	EXPECT_EQ(1, gmem_populated(self->fd, 0, LENGTH));
}

/* Pages start private: the guest's first access reads zero. */
TEST_F(kvm_view, private_first_touch)
{
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_commit(self->fd, 0, 4 * PAGE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, 8 * PAGE, 0);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, 8 * PAGE, 0x77);
	/* Four other pages were committed, and so in the view. */
	EXPECT_EQ(4, self->g.populated);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0x77, self->host, 8 * PAGE);
	expect_byte(0, self->host + 8 * PAGE);
}

/* A hole removes a page and its contents from the guest. */
TEST_F(kvm_view, hole)
{
	gmem_fill(self->host, 0x11, LENGTH);
	populate(self);
	test_gmem_convert(self->fd, 0, 2 * PAGE, PRIVATE, PRESERVE);
	test_gmem_punch(self->fd, PAGE, 2 * PAGE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, PAGE, 0x11);
	EXPECT_EQ(0, self->g.populated);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + PAGE, 2 * PAGE, 0);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + 3 * PAGE, PAGE, 0x11);
	EXPECT_EQ(2, self->g.populated);
	expect_state(PRIVATE, self->fd, PAGE);
	expect_sigbus(self->host + PAGE);
	expect_byte(0, self->host + 2 * PAGE);
}

/* A conversion that fails does not remove pages from the guest. */
TEST_F(kvm_view, refused)
{
	struct hold_pipe hold;

	self->g.strict = true;
	gmem_fill(self->host, 0x11, LENGTH);
	populate(self);
	ASSERT_EQ(0, hold_pipe_take(&hold, self->host + 9 * PAGE, 1));
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, LENGTH, 0x11);
	expect_bytes(0x11, self->data->map, LENGTH);
	hold_pipe_drop(&hold);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, ZERO);
	self->g.strict = false;
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, 2 * PAGE, 0);
}

/* Several slots on one view, of overlapping parts, read-only, moved, deleted. */
TEST_F(kvm_view, slots)
{
	struct slot slot = {
		.gpa = BASE + SZ_1G,
		.size = 16 * PAGE,
		.host = self->data->map + 8 * PAGE,
		.guest_memfd = -1,
	};
	struct kvm_userspace_memory_region region = {
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = RO_GPA,
		.memory_size = 4 * PAGE,
		.userspace_addr = (uintptr_t)self->data->map,
	};
	int number;

	gmem_fill(self->host, 0x11, LENGTH);
	populate(self);
	test_gmem_convert(self->fd, 0, 16 * PAGE, PRIVATE, PRESERVE);
	number = slot_add(&self->g.vm, &slot, &self->g.error);
	ASSERT_GE(number, 0);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE + SZ_1G, PAGE, 0x22);
	expect_op(&self->g, 1, KVM_OP_EXPECT, BASE + 8 * PAGE, PAGE, 0x22);

	region.slot = (uint32_t)number + 1;
	ASSERT_EQ(0, ioctl(self->g.vm.fd, KVM_SET_USER_MEMORY_REGION, &region));
	expect_op(&self->g, 0, KVM_OP_EXPECT, RO_GPA, 4 * PAGE, 0x11);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, 4 * PAGE, 0x11);
	/* Moved to another place */
	region.guest_phys_addr += SZ_1G / 2;
	ASSERT_EQ(0, ioctl(self->g.vm.fd, KVM_SET_USER_MEMORY_REGION, &region));
	expect_op(&self->g, 0, KVM_OP_EXPECT, RO_GPA + SZ_1G / 2, 4 * PAGE, 0x11);
	region.memory_size = 0;
	ASSERT_EQ(0, ioctl(self->g.vm.fd, KVM_SET_USER_MEMORY_REGION, &region));
	test_gmem_convert(self->fd, 0, 16 * PAGE, SHARED, PRESERVE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + SZ_1G, PAGE, 0x22);
	ASSERT_EQ(0, slot_remove(&self->g.vm, (unsigned int)number));
}

/* The dirty log reports pages that the guest writes, in both states. */
TEST_F(kvm_view, dirty_log)
{
	uint64_t bitmap[NR_PAGES / 64] = { 0 };
	struct kvm_userspace_memory_region region = {
		.slot = (uint32_t)self->data->number,
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.guest_phys_addr = BASE,
		.memory_size = LENGTH,
		.userspace_addr = (uintptr_t)self->data->map,
	};
	struct kvm_dirty_log log = {
		.slot = region.slot,
		.dirty_bitmap = bitmap,
	};

	gmem_fill(self->host, 0x11, LENGTH);
	populate(self);
	test_gmem_convert(self->fd, 0, 16 * PAGE, PRIVATE, PRESERVE);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, LENGTH, 0x22);
	ASSERT_EQ(0, ioctl(self->g.vm.fd, KVM_SET_USER_MEMORY_REGION, &region));
	expect_op(&self->g, 0, KVM_OP_FILL, BASE + 3 * PAGE, PAGE, 0x33);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE + 65 * PAGE, PAGE, 0x33);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + 130 * PAGE, PAGE, 0x22);
	ASSERT_EQ(0, ioctl(self->g.vm.fd, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(1ULL << 3, bitmap[0]);
	EXPECT_EQ(1ULL << 1, bitmap[1]);
	EXPECT_EQ(0, bitmap[2]);
	ASSERT_EQ(0, ioctl(self->g.vm.fd, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(0, bitmap[0]);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE + 3 * PAGE, PAGE, 0x44);
	ASSERT_EQ(0, ioctl(self->g.vm.fd, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(1ULL << 3, bitmap[0]);
}

/* A second VM of the process can use the same view, like a second vCPU. */
TEST_F(kvm_view, two_vms)
{
	struct kvm_guest other;
	struct slot slot = {
		.gpa = BASE,
		.size = LENGTH,
		.host = self->data->map,
		.guest_memfd = -1,
	};

	gmem_fill(self->host, 0x11, LENGTH);
	populate(self);
	test_kvm_guest_create_by(kvm_guest_create_views, &other, 1);
	ASSERT_GE(slot_add(&other.vm, &slot, &other.error), 0);
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, PAGE, 0x22);
	expect_op(&other, 0, KVM_OP_EXPECT, BASE, PAGE, 0x22);
	/* Both guests have lost the page. */
	test_gmem_punch(self->fd, 0, PAGE);
	EXPECT_EQ(-EFAULT, kvm_guest_op(&other, 0, KVM_OP_READ, BASE, 1, 0, NULL));
	kvm_guest_destroy(&other);
}

/* Return: a counter of the fd of a VM or vCPU; 0 if KVM does not have it. */
static uint64_t counter_of(int fd, const char *name)
{
	struct kvm_counter counter;
	uint64_t value;

	if (kvm_counter_open(&counter, fd, name))
		return 0;
	value = kvm_counter_read(&counter);
	kvm_counter_close(&counter);
	return value;
}

/* Return: number of pages that KVM has mapped for its guests by 2 MiB entries */
static uint64_t huge_pages(struct kvm_view_data *self)
{
	return counter_of(self->g.vm.fd, "pages_2m");
}

/* Return: number of page faults of the guest for which KVM has set an entry. */
static uint64_t faults(struct kvm_view_data *self)
{
	return counter_of(self->g.vcpus[0].fd, "pf_fixed");
}

/*
 * Conversion to shared does not unmap pages from the guest, which has no page fault, and
 * the host can access them. For single pages, and for a block with one entry.
 */
TEST_F(kvm_view, to_shared_keeps)
{
	static const struct {
		uint64_t offset;
		uint64_t length;
	} ranges[] = {
		{ 7 * PAGE, PAGE }, { 0, 3 * PAGE }, { SZ_2M, SZ_2M }, { 0, LENGTH },
	};
	uint64_t before;
	unsigned int i;

	self->g.strict = true;
	populate(self);
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, LENGTH, 0x11);
	/* After this the first block consists of single pages. */
	test_gmem_convert(self->fd, 100 * PAGE, PAGE, PRIVATE, PRESERVE);
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		test_gmem_convert(self->fd, ranges[i].offset, ranges[i].length,
				  PRIVATE, PRESERVE);
		expect_op(&self->g, 0, KVM_OP_FILL, BASE + ranges[i].offset,
			  ranges[i].length, 0x22 + i);
		expect_sigsegv(self->data->map + ranges[i].offset);
		before = faults(self);
		test_gmem_convert(self->fd, ranges[i].offset, ranges[i].length,
				  SHARED, PRESERVE);
		expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + ranges[i].offset,
			  ranges[i].length, 0x22 + i);
		EXPECT_GT(before, 0);
		EXPECT_EQ(before, faults(self));
		expect_bytes(0x22 + i, self->data->map + ranges[i].offset,
			     ranges[i].length);
		expect_bytes(0x22 + i, self->host + ranges[i].offset,
			     ranges[i].length);
	}
}

/*
 * Memory that is populated through a view is allocated in blocks of 2 MiB if possible,
 * and the guest has them as 2 MiB pages, shared and private. After one page is converted
 * alone, the guest still has all other pages.
 */
TEST_F(kvm_view, blocks)
{
	uint64_t huge;

	self->g.strict = true;
	populate(self);
	EXPECT_EQ(0, gmem_try_read(self->host, NULL));
	EXPECT_EQ(0, gmem_try_read(self->host + SZ_2M - PAGE, NULL));
	if (gmem_pfn(self->host) % 512 || gmem_pfn(self->host + SZ_2M - PAGE) !=
					      gmem_pfn(self->host) + 511)
		SKIP(return, KSFT_BY_DESIGN " no 2 MiB of memory in one piece");
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, LENGTH, 0x11);
	huge = huge_pages(self);
	TH_LOG("%llu blocks of 2 MiB, shared", (unsigned long long)huge);
	EXPECT_GT(huge, 0);
	expect_bytes(0x11, self->data->map, LENGTH);

	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, LENGTH, 0x11);
	EXPECT_EQ(huge, huge_pages(self));
	expect_sigsegv(self->data->map);
	expect_sigsegv(self->data->map + LENGTH - PAGE);

	test_gmem_convert(self->fd, 7 * PAGE, PAGE, SHARED, PRESERVE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, LENGTH, 0x11);
	EXPECT_EQ(huge - 1, huge_pages(self));
	expect_byte(0x11, self->data->map + 7 * PAGE);
	expect_sigsegv(self->data->map + 8 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE, LENGTH, 0x11);
	expect_bytes(0x11, self->data->map, LENGTH);
}

/* A page that is converted with ZERO takes no other page out of its block. */
TEST_F(kvm_view, block_zero)
{
	self->g.strict = true;
	populate(self);
	gmem_fill(self->data->map, 0x11, LENGTH);
	test_gmem_convert(self->fd, 7 * PAGE, PAGE, PRIVATE, ZERO);
	expect_bytes(0x11, self->data->map, 7 * PAGE);
	expect_bytes(0x11, self->data->map + 8 * PAGE, LENGTH - 8 * PAGE);
	expect_sigsegv(self->data->map + 7 * PAGE);
	expect_op(&self->g, 0, KVM_OP_EXPECT, BASE + 8 * PAGE, LENGTH - 8 * PAGE,
		  0x11);
}

struct converter {
	struct kvm_view_data *self;
	int stop;
	int rc;
	unsigned int done;
	uint64_t offset;
	uint64_t length;
};

static void *converter_main(void *arg)
{
	struct converter *c = arg;
	unsigned int target = PRIVATE;

	while (!c->rc && !__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		c->rc = gmem_convert(c->self->fd, c->offset, c->length, target,
				     PRESERVE);
		target = target == PRIVATE ? SHARED : PRIVATE;
		__atomic_fetch_add(&c->done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/*
 * Guests increment words in pages that are converted meanwhile, one by one and all at
 * once. No increment is lost, and no conversion is refused: a reference that KVM itself
 * has for a moment (6.12) does not count.
 */
static void race(struct kvm_view_data *self, struct converter *converters,
		 unsigned int nr)
{
	struct gmem_task tasks[4];
	struct kvm_runner runners[2];
	unsigned int i, cpu;

	populate(self);
	for (cpu = 0; cpu < 2; cpu++) {
		struct kvm_script *script = kvm_script(&self->g, cpu);
		struct kvm_op bump = {
			.opcode = KVM_OP_BUMP,
			.value = 0x40 + cpu,
			.gpa = BASE + cpu * PAGE,
			.size = PAGE,
			.stride = 2 * PAGE,
			.count = 64,
		};

		kvm_script_start(script);
		for (i = 0; i < 64; i++) {
			uint64_t *p = (uint64_t *)(void *)
				(self->host + (2 * i + cpu) * PAGE);

			p[0] = (uint64_t)(0x40 + cpu) << 32;
			p[511] = p[0];
		}
		kvm_script_add(script, &bump);
		kvm_script_op(script, KVM_OP_LOOP, 0, 1, 0);
	}
	for (cpu = 0; cpu < 2; cpu++)
		ASSERT_EQ(0, kvm_runner_start(&runners[cpu], &self->g, cpu));
	for (i = 0; i < nr; i++) {
		converters[i].self = self;
		ASSERT_EQ(0, gmem_task_start(&tasks[i], -1, converter_main,
					     &converters[i]));
	}
	sleep(gmem_stress_seconds() / 10 + 1);
	for (i = 0; i < nr; i++) {
		__atomic_store_n(&converters[i].stop, 1, __ATOMIC_RELEASE);
		gmem_task_join(&tasks[i]);
		EXPECT_EQ(0, converters[i].rc);
		EXPECT_GT(converters[i].done, 10);
		TH_LOG("%u conversions of %llu pages", converters[i].done,
		       (unsigned long long)(converters[i].length / PAGE));
	}
	for (cpu = 0; cpu < 2; cpu++) {
		struct kvm_script *script = kvm_script(&self->g, cpu);

		__atomic_store_n(&script->stop, 1, __ATOMIC_RELEASE);
		EXPECT_EQ(KVM_STOP_DONE, kvm_runner_join(&runners[cpu]));
		EXPECT_GT(script->round, 1);
		TH_LOG("vCPU %u: %llu rounds", cpu,
		       (unsigned long long)script->round);
	}
	TH_LOG("%u pages populated on demand", self->g.populated);
}

TEST_F(kvm_view, race_one_page)
{
	struct converter one = { .offset = 2 * PAGE, .length = PAGE };

	race(self, &one, 1);
}

TEST_F(kvm_view, race_whole)
{
	struct converter whole = { .length = LENGTH };

	race(self, &whole, 1);
}

TEST_F(kvm_view, race_neighbours)
{
	struct converter both[2] = {
		{ .offset = 0, .length = 7 * PAGE },
		{ .offset = 7 * PAGE, .length = 9 * PAGE },
	};

	race(self, both, 2);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
