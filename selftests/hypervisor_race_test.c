// SPDX-License-Identifier: GPL-2.0
/*
 * Guests run while their memory is converted, queried, punched, bound and unbound.
 * Contents that must survive are counted: no write of a guest or of the host is lost, and
 * the library keeps its promises.
 */
#include <string.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "mock.h"

#define NR_PAGES 32
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x300000000ULL
#define NR_VCPUS 3
#define NR_OPS 16

/* One half of a page has words of vCPUs, the other half bytes of the host. */
#define VCPU_WORD(page, cpu) ((page) * PAGE + (cpu) * 8)
#define HOST_BYTE(page) ((page) * PAGE + PAGE / 2)

struct race {
	int vm;
	int fd;
	uint8_t *p;
	volatile bool stop;
};

struct worker {
	struct gmem_task task;
	struct race *race;
	int number;
	uint64_t seed;
	/* What was written: sums of each vCPU, last values of a host thread. */
	uint64_t sums[NR_PAGES];
	uint8_t bytes[NR_PAGES];
	long done;
	long refused;
	int unexpected;
};

static void race_start(struct race *r, struct worker *w, int number,
		       void *(*fn)(void *))
{
	memset(w, 0, sizeof(*w));
	w->race = r;
	w->number = number;
	w->seed = ksft_seed() * 31 + number + 1;
	ASSERT_EQ(0, gmem_task_start(&w->task, -1, fn, w));
}

static void race_setup(struct race *r)
{
	memset(r, 0, sizeof(*r));
	r->vm = test_mock_create();
	r->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	r->p = test_gmem_map(r->fd, 0, LENGTH);
}

/* A vCPU adds to its own words; each ADD that has succeeded counts. */
static void *vcpu_main(void *arg)
{
	struct worker *w = arg;
	struct gmem_test_op ops[NR_OPS];
	int pages[NR_OPS], i, rc;

	while (!w->race->stop) {
		for (i = 0; i < NR_OPS; i++) {
			pages[i] = gmem_rand(&w->seed) % NR_PAGES;
			ops[i] = (struct gmem_test_op){
				.opcode = GMEM_TEST_OP_ADD,
				.gpa = GPA + VCPU_WORD(pages[i], w->number),
				.length = 8,
				.value = 1,
			};
		}
		rc = mock_run(w->race->vm, ops, NR_OPS, 1);
		if (rc) {
			w->unexpected = rc;
			break;
		}
		for (i = 0; i < NR_OPS; i++)
			w->sums[pages[i]]++;
		w->done += NR_OPS;
	}
	return NULL;
}

/* The host writes its own byte to pages that it can access. */
static void *host_main(void *arg)
{
	struct worker *w = arg;
	int page, sig;

	while (!w->race->stop) {
		page = gmem_rand(&w->seed) % NR_PAGES;
		sig = gmem_try_write(w->race->p + HOST_BYTE(page),
				     w->bytes[page] + 1);
		if (!sig) {
			w->bytes[page]++;
			w->done++;
		} else if (sig == SIGBUS) {
			w->refused++;
		} else {
			w->unexpected = sig;
		}
	}
	return NULL;
}

/* Even threads convert as userspace, odd ones as the guest, always with PRESERVE. */
static void *converter_main(void *arg)
{
	struct worker *w = arg;
	uint64_t first, count;
	int target, rc;

	while (!w->race->stop) {
		first = gmem_rand(&w->seed) % NR_PAGES;
		count = 1 + gmem_rand(&w->seed) % (NR_PAGES - first);
		target = gmem_rand(&w->seed) & 1;
		if (w->number & 1)
			rc = mock_convert(w->race->vm, GPA + first * PAGE,
					  count * PAGE, target, PRESERVE);
		else
			rc = gmem_convert(w->race->fd, first * PAGE,
					  count * PAGE, target, PRESERVE);
		if (!rc)
			w->done++;
		else if (rc == -EAGAIN || rc == -EIO)
			w->refused++;
		else
			w->unexpected = rc;
	}
	return NULL;
}

/* Make methods fail or slow from time to time. */
static void *troubler_main(void *arg)
{
	static const enum gmem_test_method failing[] = {
		GMEM_TEST_CHECK, GMEM_TEST_MAKE_PRIVATE, GMEM_TEST_MAKE_SHARED,
	};
	struct worker *w = arg;
	int method, rc;

	while (!w->race->stop) {
		method = gmem_rand(&w->seed) % 3;
		rc = mock_fail(w->race->vm, failing[method],
			       1 + gmem_rand(&w->seed) % 8, EIO,
			       gmem_rand(&w->seed) % NR_PAGES);
		method = gmem_rand(&w->seed) % GMEM_TEST_MAP;
		if (!rc)
			rc = mock_slow(w->race->vm, method, 1);
		usleep(20000);
		if (!rc)
			rc = mock_slow(w->race->vm, method, 0);
		if (rc)
			w->unexpected = rc;
		w->done++;
	}
	return NULL;
}

static void race_run(struct race *r, struct worker *workers, int nr)
{
	int i;

	/* Four tests share the time. */
	sleep(gmem_stress_seconds() / 4 + 1);
	r->stop = true;
	for (i = 0; i < nr; i++) {
		gmem_task_join(&workers[i].task);
		EXPECT_EQ(0, workers[i].unexpected);
		EXPECT_GT(workers[i].done, 0);
	}
}

static void expect_sums(struct race *r, struct worker *vcpus)
{
	int cpu, page;

	for (cpu = 0; cpu < NR_VCPUS; cpu++)
		for (page = 0; page < NR_PAGES; page++)
			EXPECT_EQ(vcpus[cpu].sums[page],
				  *(uint64_t *)(r->p + VCPU_WORD(page, cpu)));
}

/* vCPUs, accesses of the host and conversions by both: no write is lost. */
TEST_TIMEOUT(contents, 600)
{
	struct worker w[NR_VCPUS + 4];
	struct race r;
	int i, page;

	race_setup(&r);
	test_mock_bind(r.vm, GPA, r.fd, 0, LENGTH / 2, 0);
	test_mock_bind(r.vm, GPA + LENGTH / 2, r.fd, LENGTH / 2, LENGTH / 2,
		       GMEM_TEST_BIND_F_REFS);
	for (i = 0; i < NR_VCPUS; i++)
		race_start(&r, &w[i], i, vcpu_main);
	race_start(&r, &w[NR_VCPUS], 0, host_main);
	/* Converted by userspace only: ranges of the guest end with its slots. */
	race_start(&r, &w[NR_VCPUS + 1], 2, converter_main);
	race_start(&r, &w[NR_VCPUS + 2], 4, converter_main);
	race_start(&r, &w[NR_VCPUS + 3], 5, troubler_main);
	race_run(&r, w, NR_VCPUS + 4);
	TH_LOG("%ld guest writes, %ld host writes, %ld refused, %ld conversions",
	       w[0].done + w[1].done + w[2].done, w[NR_VCPUS].done,
	       w[NR_VCPUS].refused, w[NR_VCPUS + 1].done + w[NR_VCPUS + 2].done);

	expect_mock_kept(r.vm);
	close(r.vm);
	test_gmem_convert(r.fd, 0, LENGTH, SHARED, PRESERVE);
	expect_sums(&r, w);
	for (page = 0; page < NR_PAGES; page++)
		expect_byte(w[NR_VCPUS].bytes[page], r.p + HOST_BYTE(page));
}

/* The same with consent: only the guest converts, and the host writes shared pages only. */
TEST_TIMEOUT(consent, 600)
{
	struct worker w[NR_VCPUS + 3];
	struct race r = { 0 };
	int i;

	r.vm = test_mock_create();
	r.fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED |
					GMEM_CREATE_F_GUEST_CONSENT);
	r.p = test_gmem_map(r.fd, 0, LENGTH);
	test_mock_bind(r.vm, GPA, r.fd, 0, LENGTH, 0);
	for (i = 0; i < NR_VCPUS; i++)
		race_start(&r, &w[i], i, vcpu_main);
	race_start(&r, &w[NR_VCPUS], 0, host_main);
	race_start(&r, &w[NR_VCPUS + 1], 1, converter_main);
	race_start(&r, &w[NR_VCPUS + 2], 3, converter_main);
	race_run(&r, w, NR_VCPUS + 3);
	TH_LOG("%ld guest writes, %ld host writes, %ld conversions",
	       w[0].done + w[1].done + w[2].done, w[NR_VCPUS].done,
	       w[NR_VCPUS + 1].done + w[NR_VCPUS + 2].done);

	test_mock_convert(r.vm, GPA, LENGTH, SHARED, PRESERVE);
	expect_sums(&r, w);
	expect_mock_kept(r.vm);
}

/* A guest that may lose its memory or its slot at any time. */
static void *victim_main(void *arg)
{
	struct worker *w = arg;
	uint64_t gpa;
	int rc;

	while (!w->race->stop) {
		gpa = GPA + gmem_rand(&w->seed) % (NR_PAGES - 2) * PAGE;
		rc = mock_op(w->race->vm, GMEM_TEST_OP_FILL, gpa, 2 * PAGE,
			     w->number, NULL);
		if (rc && rc != -ENXIO)
			w->unexpected = rc;
		w->done++;
	}
	return NULL;
}

/* Punch memory, and convert it with ZERO. */
static void *taker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t first;
	int rc;

	while (!w->race->stop) {
		first = gmem_rand(&w->seed) % NR_PAGES;
		if (gmem_rand(&w->seed) & 1)
			rc = gmem_punch(w->race->fd, first * PAGE,
					LENGTH - first * PAGE);
		else
			rc = gmem_convert(w->race->fd, first * PAGE,
					  LENGTH - first * PAGE,
					  gmem_rand(&w->seed) & 1, ZERO);
		if (rc && rc != -EAGAIN)
			w->unexpected = rc;
		w->done++;
	}
	return NULL;
}

static void *binder_main(void *arg)
{
	struct worker *w = arg;
	uint64_t first, offset;
	int rc;

	while (!w->race->stop) {
		first = gmem_rand(&w->seed) % 4;
		offset = first * LENGTH / 4;
		rc = mock_bind(w->race->vm, GPA + offset, w->race->fd, offset,
			       LENGTH / 4, 0);
		if (rc == -EEXIST)
			rc = mock_unbind(w->race->vm, GPA + offset);
		if (!rc)
			w->done++;
		else if (rc != -ENXIO)
			w->unexpected = rc;
	}
	return NULL;
}

/* Slots are bound and unbound while vCPUs run and memory is punched. */
TEST_TIMEOUT(bindings, 600)
{
	struct worker w[6];
	struct race r;
	int i;

	race_setup(&r);
	for (i = 0; i < 3; i++)
		race_start(&r, &w[i], i, victim_main);
	race_start(&r, &w[3], 3, taker_main);
	race_start(&r, &w[4], 4, binder_main);
	race_start(&r, &w[5], 5, binder_main);
	race_run(&r, w, 6);
	TH_LOG("%ld guest accesses, %ld taken, %ld bound or unbound",
	       w[0].done + w[1].done + w[2].done, w[3].done,
	       w[4].done + w[5].done);
	expect_mock_kept(r.vm);
	close(r.vm);
	test_gmem_convert(r.fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(r.fd, 0, LENGTH, SHARED, ZERO);
	EXPECT_EQ(0, gmem_populated(r.fd, 0, LENGTH));
}

static void *last_binder_main(void *arg)
{
	struct worker *w = arg;
	int rc;

	for (; !w->race->stop; w->done++) {
		rc = mock_bind(w->race->vm, GPA, w->race->fd, LENGTH / 2, PAGE, 0);
		if (!rc)
			rc = mock_unbind(w->race->vm, GPA);
		if (rc)
			w->unexpected = rc;
	}
	return NULL;
}

static void *stat_main(void *arg)
{
	struct worker *w = arg;
	struct gmem_ioctl_stat stat;

	for (; !w->race->stop; w->done++)
		w->unexpected |= gmem_stat(w->race->fd, &stat);
	return NULL;
}

/* The only binding of a file ends while others look for bindings, without a lock. */
TEST(last_binding)
{
	struct worker w[3];
	struct race r;
	int i;

	race_setup(&r);
	race_start(&r, &w[0], 0, last_binder_main);
	for (i = 1; i < 3; i++)
		race_start(&r, &w[i], i, stat_main);
	race_run(&r, w, 3);
	TH_LOG("%ld bindings, looked for %ld times", w[0].done, w[1].done + w[2].done);
	expect_mock_kept(r.vm);
	close(r.vm);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(mock_unavailable())
