// SPDX-License-Identifier: GPL-2.0
/*
 * A guest asks by KVM_HC_MAP_GPA_RANGE to convert its memory, in ranges of pages and of 2
 * MiB, aligned and not. Its contents survive or read zero, as requested, in the same
 * frames. The host cannot access private pages, and memory around the range does not
 * change. With one or more vCPUs at the same time, one or more slots, and memory that is
 * committed beforehand or not. In VMs with private memory of their own, and in ordinary
 * ones with views.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_view.h"
#include "ksft.h"
#include "kvm_vm.h"

#define BASE		KVM_DATA_GPA
#define VCPU_SIZE	(2 * SZ_2M)		/* guest memory for each vCPU */
#define WINDOW		(SZ_2M + 4 * PAGE)	/* the part of it that is used */
#define SAMPLES		40
#define FEW_HOLES	(32 * PAGE)		/* size of the part with holes in large ranges */

static const struct {
	uint64_t offset;
	uint64_t size;
} ranges[] = {
	{ 0, PAGE },
	{ 0, SZ_2M },
	{ PAGE, PAGE },
	{ PAGE, SZ_2M },
	{ SZ_2M, PAGE },
};
#define NR_RANGES (sizeof(ranges) / sizeof(ranges[0]))

struct conversions {
	struct kvm_guest g;
	int fd;
	uint8_t *host;
	unsigned int nr_slots;
	bool views;
	bool preserve;
	bool all_holes;
};

/**
 * struct worker - a vCPU, its part of memory and its current range
 * @c: state of the test
 * @task: the thread
 * @cpu: number of the vCPU
 * @gpa: first address of its memory
 * @host: its mapping in this process
 * @offset: offset of the range in its memory
 * @size: size of the range
 * @holes: bytes at its start, of which every other page becomes shared alone
 * @pfn: frames of sample pages of the range
 * @done: number of ranges that were tested
 */
struct worker {
	struct conversions *c;
	struct gmem_task task;
	unsigned int cpu;
	uint64_t gpa;
	uint8_t *host;
	uint64_t offset;
	uint64_t size;
	uint64_t holes;
	uint64_t pfn[SAMPLES];
	unsigned int done;
};

/* The steps that write, each with its own value for each vCPU. */
enum step { FIRST = 1, SECRET, HOLE, ANSWER };

static uint8_t pattern(const struct worker *w, enum step step)
{
	return (uint8_t)(0x20 + 0x30 * w->cpu + step);
}

/* The value after a conversion. */
static uint8_t kept(const struct worker *w, enum step step)
{
	return w->c->preserve ? pattern(w, step) : 0;
}

static void add(struct worker *w, enum kvm_opcode opcode, uint64_t offset,
		uint64_t size, uint32_t value)
{
	if (size)
		kvm_script_op(kvm_script(&w->c->g, w->cpu), opcode,
			      w->gpa + offset, size, value);
}

/* An operation on every other page of @holes, starting with page @odd. */
static void add_alternate(struct worker *w, enum kvm_opcode opcode, int odd,
			  uint32_t value)
{
	struct kvm_op op = {
		.opcode = opcode,
		.value = value,
		.gpa = w->gpa + w->offset + odd * PAGE,
		.size = PAGE,
		.stride = 2 * PAGE,
		.count = (w->holes / PAGE + !odd) / 2,
	};

	kvm_script_add(kvm_script(&w->c->g, w->cpu), &op);
}

static void add_expect_around(struct worker *w)
{
	uint64_t end = w->offset + w->size;

	add(w, KVM_OP_EXPECT, 0, w->offset, pattern(w, FIRST));
	add(w, KVM_OP_EXPECT, end, WINDOW - end, pattern(w, FIRST));
}

/* Pages that are not a hole still have the value @even. */
static void add_expect_mixed(struct worker *w, uint8_t even, uint8_t odd)
{
	add_alternate(w, KVM_OP_EXPECT, 0, even);
	add_alternate(w, KVM_OP_EXPECT, 1, odd);
	add(w, KVM_OP_EXPECT, w->offset + w->holes, w->size - w->holes, even);
}

static void write_script(struct worker *w)
{
	kvm_script_start(kvm_script(&w->c->g, w->cpu));
	add(w, KVM_OP_FILL, 0, WINDOW, pattern(w, FIRST));
	add(w, KVM_OP_SYNC, 0, 1, 0);

	add(w, KVM_OP_MAP, w->offset, w->size, KVM_MAP_PRIVATE);
	add(w, KVM_OP_EXPECT, w->offset, w->size, kept(w, FIRST));
	add_expect_around(w);
	add(w, KVM_OP_SYNC, 0, 1, 0);

	add(w, KVM_OP_FILL, w->offset, w->size, pattern(w, SECRET));
	add_expect_around(w);
	add(w, KVM_OP_SYNC, 0, 1, 0);

	add_alternate(w, KVM_OP_MAP, 1, KVM_MAP_SHARED);
	add_expect_mixed(w, pattern(w, SECRET), kept(w, SECRET));
	add_alternate(w, KVM_OP_FILL, 1, pattern(w, HOLE));
	add(w, KVM_OP_SYNC, 0, 1, 0);

	add_expect_mixed(w, pattern(w, SECRET), pattern(w, ANSWER));
	add(w, KVM_OP_MAP, w->offset, w->size, KVM_MAP_SHARED);
	add_expect_mixed(w, kept(w, SECRET), pattern(w, ANSWER));
	add_expect_around(w);
}

static bool is_hole(const struct worker *w, uint64_t index)
{
	return index & 1 && index < w->holes / PAGE;
}

static uint8_t *page(const struct worker *w, uint64_t index)
{
	return w->host + w->offset + index * PAGE;
}

/* Sample pages for checks of single pages: all of a small range, some of a large one. */
static uint64_t next_sample(const struct worker *w, uint64_t index)
{
	uint64_t last = w->size / PAGE - 1;

	if (index >= last)
		return last + 1;
	return index + 17 < last ? index + 17 : last;
}

#define for_each_sample(w, i, n)					\
	for (i = 0, n = 0; i < (w)->size / PAGE;			\
	     i = next_sample(w, i), n++)

static void expect_around(struct worker *w)
{
	uint64_t end = w->offset + w->size;

	expect_bytes(pattern(w, FIRST), w->host, w->offset);
	expect_bytes(pattern(w, FIRST), w->host + end, WINDOW - end);
}

static void note_frames(struct worker *w)
{
	unsigned int n;
	uint64_t i;

	expect_bytes(pattern(w, FIRST), w->host, WINDOW);
	for_each_sample(w, i, n) {
		ASSERT_LT(n, SAMPLES);
		w->pfn[n] = gmem_pfn(page(w, i));
		ASSERT_NE(0, w->pfn[n]);
	}
}

static void expect_private(struct worker *w)
{
	unsigned int n;
	uint64_t i;

	for_each_sample(w, i, n)
		expect_sigbus(page(w, i));
	expect_around(w);
}

static void answer_holes(struct worker *w)
{
	unsigned int n;
	uint64_t i;

	for_each_sample(w, i, n)
		if (!is_hole(w, i))
			expect_sigbus(page(w, i));
	for (i = 1; i < w->holes / PAGE; i += 2) {
		expect_bytes(pattern(w, HOLE), page(w, i), PAGE);
		gmem_fill(page(w, i), pattern(w, ANSWER), PAGE);
	}
	expect_around(w);
}

static void expect_all_shared(struct worker *w)
{
	unsigned int n;
	uint64_t i;

	for (i = 0; i < w->size / PAGE; i++)
		expect_bytes(is_hole(w, i) ? pattern(w, ANSWER) : kept(w, SECRET),
			     page(w, i), PAGE);
	for_each_sample(w, i, n)
		if (w->c->preserve)
			EXPECT_EQ(w->pfn[n], gmem_pfn(page(w, i)));
	expect_around(w);
}

static void run_to(struct worker *w, enum kvm_stop stop)
{
	int got = kvm_guest_run(&w->c->g, w->cpu);
	char text[1024];

	if (got != (int)stop) {
		kvm_log_stop(&w->c->g, w->cpu, got, text, sizeof(text));
		TH_LOG("range 0x%llx + 0x%llx: %s",
		       (unsigned long long)w->offset,
		       (unsigned long long)w->size, text);
	}
	ASSERT_EQ(stop, got);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	for (w->done = 0; w->done < NR_RANGES; w->done++) {
		w->offset = ranges[w->done].offset;
		w->size = ranges[w->done].size;
		w->holes = w->c->all_holes || w->size < FEW_HOLES ?
			   w->size : FEW_HOLES;
		write_script(w);
		run_to(w, KVM_STOP_SYNC);
		note_frames(w);
		run_to(w, KVM_STOP_SYNC);
		expect_private(w);
		run_to(w, KVM_STOP_SYNC);
		expect_private(w);
		run_to(w, KVM_STOP_SYNC);
		answer_holes(w);
		run_to(w, KVM_STOP_DONE);
		expect_all_shared(w);
	}
	return NULL;
}

static void conversions_start(struct conversions *c, unsigned int nr_vcpus,
			      unsigned int nr_slots)
{
	uint64_t total = nr_vcpus * VCPU_SIZE;
	uint64_t size = total / nr_slots;
	unsigned int i;

	if (c->views)
		test_kvm_guest_create_by(kvm_guest_create_views, &c->g, nr_vcpus);
	else
		test_kvm_guest_create(&c->g, nr_vcpus);
	c->nr_slots = nr_slots;
	c->g.content = c->preserve ? PRESERVE : ZERO;
	c->fd = test_gmem_create(total, GMEM_CREATE_F_INIT_SHARED);
	for (i = 0; i < nr_slots; i++)
		ASSERT_EQ(0, kvm_guest_add(&c->g, BASE + i * size, size, c->fd,
					   i * size, i * 3 * PAGE));
	c->host = test_gmem_map(c->fd, 0, total);
}

static void conversions_commit(struct conversions *c)
{
	uint64_t total = c->g.nr_vcpus * VCPU_SIZE;
	struct gmem_ioctl_stat stat;

	c->g.commit = true;
	test_gmem_commit(c->fd, 0, total);
	test_gmem_stat(c->fd, &stat);
	EXPECT_EQ(total / PAGE, stat.resident_pages);
}

/* All pages are shared. Each page was moved to and from the store with each conversion. */
static void expect_settled(struct conversions *c)
{
	struct gmem_ioctl_stat stat;
	uint64_t moves = 0;
	size_t i;

	for (i = 0; i < NR_RANGES; i++)
		moves += 2 * (ranges[i].size / PAGE);
	test_gmem_stat(c->fd, &stat);
	EXPECT_EQ(0, stat.private_pages);
	EXPECT_EQ(0, stat.store_pages);
	EXPECT_EQ(c->views ? 0 : c->nr_slots, stat.bindings);
	EXPECT_EQ(c->views ? c->nr_slots : 0, stat.view_mappings);
	if (c->preserve && !c->views)
		EXPECT_EQ(moves * c->g.nr_vcpus, stat.moved_pages);
	else
		EXPECT_EQ(0, stat.moved_pages);
	EXPECT_EQ(0, c->g.refused);
}

/* After the VM has ended, gmem's memory can be used as before, including private pages. */
static void expect_outlives_vm(struct conversions *c)
{
	uint64_t total = c->g.nr_vcpus * VCPU_SIZE;

	gmem_fill(c->host, 0x77, 2 * PAGE);
	ASSERT_EQ(0, kvm_guest_convert(&c->g, BASE, PAGE, true, PRESERVE));
	kvm_guest_destroy(&c->g);
	expect_sigbus(c->host);
	test_gmem_convert(c->fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes(0x77, c->host, 2 * PAGE);
	test_gmem_punch(c->fd, 0, total);
	test_gmem_commit(c->fd, 0, PAGE);
	expect_bytes(0, c->host, WINDOW);
	munmap(c->host, total);
	close(c->fd);
}

static void conversions_run(bool views, unsigned int nr_vcpus,
			    unsigned int nr_slots, bool preserve, bool commit)
{
	struct conversions c = {
		.views = views,
		.preserve = preserve,
		.all_holes = nr_vcpus == 1 && nr_slots == 1,
	};
	const char *why = views ? gmem_view_unavailable() :
				  kvm_guest_unavailable();
	static struct worker workers[KVM_VCPUS];
	unsigned int i;

	if (why)
		SKIP(return, "%s", why);
	conversions_start(&c, nr_vcpus, nr_slots);
	if (commit)
		conversions_commit(&c);
	for (i = 0; i < nr_vcpus; i++) {
		workers[i] = (struct worker){
			.c = &c,
			.cpu = i,
			.gpa = BASE + i * VCPU_SIZE,
			.host = c.host + i * VCPU_SIZE,
		};
		ASSERT_EQ(0, gmem_task_start(&workers[i].task, -1, worker_main,
					     &workers[i]));
	}
	for (i = 0; i < nr_vcpus; i++) {
		gmem_task_join(&workers[i].task);
		EXPECT_EQ(NR_RANGES, workers[i].done);
	}
	expect_settled(&c);
	expect_outlives_vm(&c);
}

#define CONVERSIONS(by, views, vcpus, slots)				\
	TEST_TIMEOUT(by##_vcpus_##vcpus##_slots_##slots##_preserve, 300) \
	{								\
		conversions_run(views, vcpus, slots, true, false);	\
	}								\
	TEST_TIMEOUT(by##_vcpus_##vcpus##_slots_##slots##_preserve_committed, 300) \
	{								\
		conversions_run(views, vcpus, slots, true, true);	\
	}								\
	TEST_TIMEOUT(by##_vcpus_##vcpus##_slots_##slots##_zero, 300)	\
	{								\
		conversions_run(views, vcpus, slots, false, false);	\
	}								\
	TEST_TIMEOUT(by##_vcpus_##vcpus##_slots_##slots##_zero_committed, 300) \
	{								\
		conversions_run(views, vcpus, slots, false, true);	\
	}

CONVERSIONS(store, false, 1, 1)
CONVERSIONS(store, false, 2, 2)
CONVERSIONS(store, false, 4, 2)
CONVERSIONS(view, true, 1, 1)
CONVERSIONS(view, true, 4, 2)

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
