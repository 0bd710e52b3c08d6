// SPDX-License-Identifier: GPL-2.0
/*
 * A guest runs on all its vCPUs, while threads of the VMM convert its pages, hold them,
 * look at them and send signals. The vCPUs count in pages of their own, and no count is
 * lost, in any state of the page. A second slot is used in random ways, up to closing its
 * fds; there the guest may find its tag or zero, and nothing else. Finally, a converter
 * that is killed leaves a range with a single state, with its contents.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "hold.h"
#include "ksft.h"
#include "kvm_vm.h"

#define VCPUS		3
#define VCPU_PAGES	32			/* in which each one counts */
#define SOLID_PAGES	(VCPUS * VCPU_PAGES)
#define SOLID_LENGTH	(SOLID_PAGES * PAGE)
#define CONVERTERS	2			/* with a part for each */
#define PART_PAGES	(SOLID_PAGES / CONVERTERS)
#define CHAOS_PAGES	16
#define CHAOS_LENGTH	(CHAOS_PAGES * PAGE)
#define CHAOS_MARK	0xc0c0c0c0U

#define SOLID_GPA	KVM_DATA_GPA
#define CHAOS_GPA	(KVM_DATA_GPA + SZ_1G)	/* first address of the second slot */
#define CHAOS_END	(KVM_DATA_GPA + 2 * SZ_1G)

#define KICK		SIGUSR2

struct race;

/**
 * struct actor - a thread of the VMM
 * @race: state of the test
 * @task: the thread
 * @seed: seed of its random numbers
 * @index: number among actors of its kind
 * @done: number of operations that have succeeded
 * @again: number of EAGAIN
 * @interrupted: number of EINTR
 */
struct actor {
	struct race *race;
	struct gmem_task task;
	uint64_t seed;
	unsigned int index;
	unsigned int done;
	unsigned int again;
	unsigned int interrupted;
};

enum { HOLDER = CONVERTERS, VIEWER, CHAOS, SIGNALLER, ACTORS };

struct race {
	struct kvm_guest g;
	struct kvm_runner runners[VCPUS];
	struct actor actors[ACTORS];
	int solid;
	int chaos;
	uint64_t chaos_gpa;
	uint8_t *host;
	int stop;
};

static bool stopped(const struct actor *actor)
{
	return __atomic_load_n(&actor->race->stop, __ATOMIC_ACQUIRE);
}

static unsigned int below(struct actor *actor, unsigned int n)
{
	return (unsigned int)(gmem_rand(&actor->seed) >> 20) % n;
}

/* The mark in the counts of the vCPU to which a page belongs. */
static uint32_t owner_mark(unsigned int page)
{
	return page / VCPU_PAGES + 1;
}

static uint64_t *solid_page(struct race *race, unsigned int page)
{
	return (uint64_t *)(void *)(race->host + page * PAGE);
}

/*
 * To private: first convert, then set the attribute. After EAGAIN or EINTR nothing has
 * changed.
 */
static void solid_to_private(struct actor *actor, unsigned int page,
			     unsigned int pages)
{
	struct race *race = actor->race;
	int rc = gmem_convert_wait(race->solid, page * PAGE, pages * PAGE,
				   PRIVATE, PRESERVE, below(actor, 20));

	if (!rc) {
		ASSERT_EQ(0, kvm_guest_attribute(&race->g,
						 SOLID_GPA + page * PAGE,
						 pages * PAGE, true));
		actor->done++;
	} else if (rc == -EAGAIN) {
		actor->again++;
	} else if (rc == -EINTR) {
		actor->interrupted++;
	} else {
		EXPECT_EQ(0, rc);
	}
}

/* To shared: first clear the attribute, then convert, which must succeed. */
static void solid_to_shared(struct actor *actor, unsigned int page,
			    unsigned int pages)
{
	struct race *race = actor->race;
	int rc;

	ASSERT_EQ(0, kvm_guest_attribute(&race->g, SOLID_GPA + page * PAGE,
					 pages * PAGE, false));
	do {
		rc = gmem_convert(race->solid, page * PAGE, pages * PAGE,
				  SHARED, PRESERVE);
		actor->interrupted += rc == -EINTR;
	} while (rc == -EINTR);
	EXPECT_EQ(0, rc);
	actor->done++;
}

static void *converter_main(void *arg)
{
	struct actor *actor = arg;
	unsigned int first = actor->index * PART_PAGES;

	while (!stopped(actor)) {
		unsigned int page = below(actor, PART_PAGES);
		unsigned int most = below(actor, 4) ? 8 : PART_PAGES;
		unsigned int pages = 1 + below(actor, most);

		if (pages > PART_PAGES - page)
			pages = PART_PAGES - page;
		if (below(actor, 2))
			solid_to_private(actor, first + page, pages);
		else
			solid_to_shared(actor, first + page, pages);
		if (!below(actor, 4))
			usleep(below(actor, 3000));
	}
	return NULL;
}

/* Hold pages in a pipe. A private page cannot be held. */
static void *holder_main(void *arg)
{
	struct actor *actor = arg;
	struct race *race = actor->race;
	struct hold_pipe pipe;
	int rc;

	while (!stopped(actor)) {
		rc = hold_pipe_take(&pipe, solid_page(race, below(actor,
								  SOLID_PAGES)),
				    1);
		if (!rc) {
			usleep(below(actor, 40000));
			hold_pipe_drop(&pipe);
			actor->done++;
		} else if (rc == -EFAULT) {
			actor->again++;
			usleep(500);
		} else {
			EXPECT_EQ(0, rc);
		}
	}
	return NULL;
}

/* The host reads the mark of the page's owner, or gets SIGBUS. */
static void view_page(struct actor *actor, uint8_t *host)
{
	unsigned int page = below(actor, SOLID_PAGES);
	uint8_t byte = 0;
	int sig;

	sig = gmem_try_read(host + page * PAGE + 4, &byte);
	if (sig)
		EXPECT_EQ(SIGBUS, sig);
	else
		EXPECT_EQ(owner_mark(page), byte);
}

/* QUERY and STAT are consistent during conversions. */
static void view_counts(struct actor *actor)
{
	static struct gmem_range ranges[SOLID_PAGES];
	struct gmem_ioctl_stat stat;
	uint64_t at = 0;
	int i, n;

	n = gmem_query_all(actor->race->solid, ranges, SOLID_PAGES);
	if (n == -EINTR)
		return;
	ASSERT_GT(n, 0);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(at, ranges[i].offset);
		EXPECT_EQ(GMEM_STORE_KVM, ranges[i].store);
		EXPECT_LE(ranges[i].populated, ranges[i].length / PAGE);
		at += ranges[i].length;
	}
	EXPECT_EQ(SOLID_LENGTH, at);
	test_gmem_stat(actor->race->solid, &stat);
	EXPECT_EQ(1, stat.bindings);
	EXPECT_LE(stat.private_pages, SOLID_PAGES);
}

/* Map the memory by another open file for a moment. */
static void view_reopened(struct actor *actor)
{
	char path[64];
	uint8_t *p;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", actor->race->solid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	p = test_gmem_map(fd, 0, SOLID_LENGTH);
	close(fd);
	view_page(actor, p);
	munmap(p, SOLID_LENGTH);
}

static void *viewer_main(void *arg)
{
	struct actor *actor = arg;
	int i;

	while (!stopped(actor)) {
		for (i = 0; i < 20; i++)
			view_page(actor, actor->race->host);
		view_counts(actor);
		if (!below(actor, 8))
			view_reopened(actor);
		usleep(below(actor, 2000));
		actor->done++;
	}
	return NULL;
}

/* Send signals to converters and vCPUs. */
static void *signaller_main(void *arg)
{
	struct actor *actor = arg;
	struct race *race = actor->race;
	unsigned int n;

	while (!stopped(actor)) {
		n = below(actor, CONVERTERS + VCPUS);
		if (n < CONVERTERS)
			pthread_kill(race->actors[n].task.thread, KICK);
		else
			pthread_kill(race->runners[n - CONVERTERS].task.thread,
				     KICK);
		actor->done++;
		usleep(below(actor, 4000));
	}
	return NULL;
}

/*
 * Create and bind a new gmem fd and a new guest_memfd, all shared. The slot gets a new
 * address, because KVM warns if a slot is added while a vCPU has a page fault there.
 */
static void chaos_open(struct race *race)
{
	unsigned int cpu;

	race->chaos_gpa += CHAOS_LENGTH;
	ASSERT_LT(race->chaos_gpa, CHAOS_END);
	race->chaos = test_gmem_create(CHAOS_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, kvm_guest_add(&race->g, race->chaos_gpa, CHAOS_LENGTH,
				   race->chaos, 0, 0));
	for (cpu = 0; cpu < VCPUS; cpu++)
		__atomic_store_n(&kvm_script(&race->g, cpu)->ops[1].gpa,
				 race->chaos_gpa, __ATOMIC_RELEASE);
}

/* Close the fds and the mapping in random order, while a guest uses them. */
static void chaos_close(struct actor *actor)
{
	struct race *race = actor->race;
	struct kvm_data *data = &race->g.data[1];
	unsigned int order = below(actor, 8);

	if (order & 1) {
		close(data->store);
		data->store = -1;
	}
	if (order & 2) {
		munmap(data->host, CHAOS_LENGTH);
		data->host = NULL;
	}
	if (order & 4)
		close(race->chaos);
	kvm_data_close(&race->g, data);
	/* A vCPU that still accesses a private page here continues with MMIO. */
	EXPECT_EQ(0, kvm_guest_attribute(&race->g, race->chaos_gpa,
					 CHAOS_LENGTH, false));
	if (!(order & 4))
		close(race->chaos);
	race->chaos = -1;
}

/* Make states and attributes agree, so that the guest can continue. */
static void chaos_repair(struct race *race)
{
	struct gmem_ioctl_stat stat;

	ASSERT_EQ(0, kvm_guest_attribute(&race->g, race->chaos_gpa,
					 CHAOS_LENGTH, false));
	ASSERT_EQ(0, gmem_convert(race->chaos, 0, CHAOS_LENGTH, SHARED,
				  PRESERVE));
	test_gmem_stat(race->chaos, &stat);
	if (!stat.bindings)
		ASSERT_EQ(0, gmem_bind(race->chaos, 0, CHAOS_LENGTH,
				       race->g.data[1].store, 0));
}

static void chaos_convert(struct actor *actor, uint64_t offset, uint64_t length)
{
	int rc = gmem_convert_wait(actor->race->chaos, offset, length,
				   below(actor, 2), below(actor, 2),
				   below(actor, 4));

	if (rc == -EAGAIN)
		actor->again++;
	else if (rc != -EEXIST)
		EXPECT_EQ(0, rc);
}

static void chaos_step(struct actor *actor)
{
	struct race *race = actor->race;
	unsigned int page = below(actor, CHAOS_PAGES);
	uint64_t offset = page * PAGE;
	uint64_t length = (1 + below(actor, CHAOS_PAGES - page)) * PAGE;
	int rc;

	switch (below(actor, 10)) {
	case 0:
	case 1:
	case 2:
		chaos_convert(actor, offset, length);
		return;
	case 3:
	case 4:
		rc = kvm_guest_attribute(&race->g, race->chaos_gpa + offset,
					 length, below(actor, 2));
		break;
	case 5:
		rc = gmem_punch(race->chaos, offset, length);
		break;
	case 6:
		rc = kvm_punch(race->g.data[1].store, offset, length);
		break;
	case 7:
		rc = gmem_commit(race->chaos, offset, length);
		break;
	case 8:
		rc = gmem_unbind(race->chaos, 0, CHAOS_LENGTH);
		if (rc == -ENOENT)
			rc = 0;
		break;
	default:
		rc = gmem_bind(race->chaos, 0, CHAOS_LENGTH,
			       race->g.data[1].store, 0);
		/* Already bound, or both sides have a page of their own */
		if (rc == -EBUSY || rc == -EEXIST)
			rc = 0;
		break;
	}
	EXPECT_EQ(0, rc);
}

static void *chaos_main(void *arg)
{
	struct actor *actor = arg;
	int i;

	while (!stopped(actor)) {
		for (i = 0; i < 12; i++) {
			chaos_step(actor);
			if (!below(actor, 3))
				usleep(below(actor, 500));
		}
		if (!below(actor, 8)) {
			chaos_close(actor);
			chaos_open(actor->race);
		}
		chaos_repair(actor->race);
		usleep(below(actor, 20000));
		actor->done++;
	}
	return NULL;
}

static void *(*const actor_main[ACTORS])(void *) = {
	[0]		= converter_main,
	[1]		= converter_main,
	[HOLDER]	= holder_main,
	[VIEWER]	= viewer_main,
	[CHAOS]		= chaos_main,
	[SIGNALLER]	= signaller_main,
};

static void write_script(struct race *race, unsigned int cpu)
{
	struct kvm_script *script = kvm_script(&race->g, cpu);
	struct kvm_op bump = {
		.opcode = KVM_OP_BUMP,
		.value = owner_mark(cpu * VCPU_PAGES),
		.gpa = SOLID_GPA + cpu * VCPU_PAGES * PAGE,
		.stride = PAGE,
		.count = VCPU_PAGES,
	};
	struct kvm_op tag = {
		.opcode = KVM_OP_TAG,
		.value = CHAOS_MARK,
		.gpa = race->chaos_gpa,
		.stride = PAGE,
		.count = CHAOS_PAGES,
	};

	kvm_script_start(script);
	kvm_script_add(script, &bump);
	kvm_script_add(script, &tag);
	kvm_script_op(script, KVM_OP_LOOP, 0, 1, 0);
}

static void race_open(struct race *race)
{
	unsigned int page;

	test_kvm_guest_create(&race->g, VCPUS);
	race->g.patient = true;
	race->solid = test_gmem_create(SOLID_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, kvm_guest_add(&race->g, SOLID_GPA, SOLID_LENGTH,
				   race->solid, 0, 0));
	race->host = race->g.data[0].host;
	for (page = 0; page < SOLID_PAGES; page++) {
		uint64_t *p = solid_page(race, page);

		p[0] = (uint64_t)owner_mark(page) << 32;
		p[511] = p[0];
	}
	race->chaos_gpa = CHAOS_GPA;
	chaos_open(race);
}

static void race_start(struct race *race)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++) {
		write_script(race, i);
		ASSERT_EQ(0, kvm_runner_start(&race->runners[i], &race->g, i));
	}
	for (i = 0; i < ACTORS; i++) {
		race->actors[i].race = race;
		race->actors[i].index = i;
		race->actors[i].seed = ksft_seed() * 31 + i;
		ASSERT_EQ(0, gmem_task_start(&race->actors[i].task, -1,
					     actor_main[i], &race->actors[i]));
	}
}

/* Wait until the guest finishes its round; it is a failure if it does not. */
static int vcpu_stop(struct kvm_runner *runner)
{
	uint64_t end = ksft_now_ms() + 60000;

	kvm_script(runner->guest, runner->cpu)->stop = 1;
	while (!__atomic_load_n(&runner->stop, __ATOMIC_ACQUIRE)) {
		if (ksft_now_ms() > end) {
			ksft_print_stacks(getpid());
			return kvm_runner_kick(runner);
		}
		usleep(1000);
	}
	return kvm_runner_join(runner);
}

/* First stop the actors, the one that sends signals before the others, and then the vCPUs. */
static void race_stop(struct race *race)
{
	char text[1024];
	int i, stop;

	__atomic_store_n(&race->stop, 1, __ATOMIC_RELEASE);
	for (i = ACTORS - 1; i >= 0; i--)
		gmem_task_join(&race->actors[i].task);
	for (i = 0; i < VCPUS; i++) {
		stop = vcpu_stop(&race->runners[i]);
		if (stop != KVM_STOP_DONE) {
			kvm_log_stop(&race->g, i, stop, text, sizeof(text));
			TH_LOG("%s", text);
		}
		EXPECT_EQ(KVM_STOP_DONE, stop);
	}
}

static void race_report(struct race *race)
{
	struct actor *a = race->actors;

	TH_LOG("rounds %llu %llu %llu, exits tried again %u",
	       (unsigned long long)kvm_script(&race->g, 0)->round,
	       (unsigned long long)kvm_script(&race->g, 1)->round,
	       (unsigned long long)kvm_script(&race->g, 2)->round,
	       race->g.retries);
	TH_LOG("conversions %u, held up %u, interrupted %u",
	       a[0].done + a[1].done, a[0].again + a[1].again,
	       a[0].interrupted + a[1].interrupted);
	TH_LOG("pages held %u, views %u, chaos %u, signals %u", a[HOLDER].done,
	       a[VIEWER].done, a[CHAOS].done, a[SIGNALLER].done);
}

/*
 * No count is lost, and nothing else was written. A late page fault in KVM may have left
 * a page in the store; the next conversion removes it.
 */
static void expect_counts(struct race *race)
{
	struct gmem_ioctl_stat stat;
	unsigned int page, i;

	ASSERT_EQ(0, kvm_guest_convert(&race->g, SOLID_GPA, SOLID_LENGTH, true,
				       PRESERVE));
	ASSERT_EQ(0, kvm_guest_convert(&race->g, SOLID_GPA, SOLID_LENGTH, false,
				       PRESERVE));
	for (page = 0; page < SOLID_PAGES; page++) {
		uint64_t *p = solid_page(race, page);
		uint64_t rounds = kvm_script(&race->g, page / VCPU_PAGES)->round;

		EXPECT_EQ((uint64_t)owner_mark(page) << 32 | rounds, p[0]);
		EXPECT_EQ(p[0], p[511]);
		EXPECT_EQ((size_t)(PAGE - 16),
			  gmem_differs(p + 1, 0, PAGE - 16));
	}
	test_gmem_stat(race->solid, &stat);
	EXPECT_EQ(0, stat.private_pages);
	EXPECT_EQ(0, stat.store_pages);
	EXPECT_EQ(SOLID_PAGES, stat.resident_pages);
	for (i = 0; i < VCPUS; i++)
		EXPECT_GT(kvm_script(&race->g, i)->round, 0);
	for (i = 0; i < ACTORS; i++)
		EXPECT_GT(race->actors[i].done, 0);
}

/* Runs for half of GMEM_STRESS_SECONDS. */
TEST_TIMEOUT(all_at_once, 7200)
{
	const char *why = kvm_guest_unavailable();
	unsigned int seconds = gmem_stress_seconds() / 2 + 1;
	static struct race race;

	if (why)
		SKIP(return, "%s", why);
	race_open(&race);
	race_start(&race);
	sleep(seconds);
	race_stop(&race);
	race_report(&race);
	expect_counts(&race);
	kvm_guest_destroy(&race.g);
	close(race.solid);
	close(race.chaos);
}

#define BIG_LENGTH	(4 * SZ_2M)

struct killed {
	struct kvm_guest g;
	int fd;
	uint8_t *host;
	uint64_t seed;
	unsigned int in_state[2];
};

/* Convert until killed. If @timeout_ms is not 0, a page is held, so that it waits. */
static void convert_for_ever(int fd, uint32_t timeout_ms)
{
	unsigned int i;

	for (i = 0;; i++)
		gmem_convert_wait(fd, 0, BIG_LENGTH, i & 1 ? SHARED : PRIVATE,
				  PRESERVE, timeout_ms);
}

static uint64_t kill_converter(struct killed *k, uint32_t timeout_ms)
{
	uint64_t start;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid)
		convert_for_ever(k->fd, timeout_ms);
	usleep(gmem_rand(&k->seed) >> 20 & 0xffff);
	start = ksft_now_ms();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, gmem_wait_pid(pid));
	return ksft_now_ms() - start;
}

/* The whole range has one state, all of its pages, and their contents. */
static void expect_whole(struct killed *k, uint8_t old, uint8_t new)
{
	struct gmem_range range;
	struct gmem_ioctl_stat stat;
	bool private;

	ASSERT_EQ(0, gmem_query_one(k->fd, 0, BIG_LENGTH, &range));
	ASSERT_EQ(BIG_LENGTH, range.length);
	EXPECT_EQ(BIG_LENGTH / PAGE, range.populated);
	private = range.state == PRIVATE;
	k->in_state[private]++;
	test_gmem_stat(k->fd, &stat);
	EXPECT_EQ(private ? 0 : BIG_LENGTH / PAGE, stat.resident_pages);
	EXPECT_EQ(private ? BIG_LENGTH / PAGE : 0, stat.store_pages);
	ASSERT_EQ(0, kvm_guest_attribute(&k->g, KVM_DATA_GPA, BIG_LENGTH,
					 private));
	expect_op(&k->g, 0, KVM_OP_EXPECT, KVM_DATA_GPA, BIG_LENGTH, old);
	expect_op(&k->g, 0, KVM_OP_FILL, KVM_DATA_GPA, BIG_LENGTH, new);
	if (private)
		expect_sigbus(k->host + BIG_LENGTH - PAGE);
	else
		expect_bytes(new, k->host, BIG_LENGTH);
}

/*
 * A converter is killed at any time: each of its conversions is complete or has not
 * happened.
 */
TEST_TIMEOUT(killed_converter, 600)
{
	const char *why = kvm_guest_unavailable();
	struct killed k = { .seed = ksft_seed() };
	struct hold_pipe pipe;
	unsigned int rounds = gmem_stress_seconds() / 6 + 1;
	unsigned int i;

	if (why)
		SKIP(return, "%s", why);
	test_kvm_guest_create(&k.g, 1);
	k.fd = test_gmem_create(BIG_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, kvm_guest_add(&k.g, KVM_DATA_GPA, BIG_LENGTH, k.fd, 0, 0));
	k.host = k.g.data[0].host;
	gmem_fill(k.host, 0, BIG_LENGTH);
	for (i = 0; i < rounds; i++) {
		kill_converter(&k, 0);
		expect_whole(&k, i, i + 1);
	}
	TH_LOG("%u killed: left shared %u, private %u", rounds, k.in_state[0],
	       k.in_state[1]);

	/* While it waits for a held page, it dies immediately. */
	ASSERT_EQ(0, kvm_guest_convert(&k.g, KVM_DATA_GPA, BIG_LENGTH, false,
				       PRESERVE));
	ASSERT_EQ(0, hold_pipe_take(&pipe, k.host + BIG_LENGTH - PAGE, 1));
	EXPECT_LT(kill_converter(&k, 60000), 10000);
	k.in_state[SHARED] = 0;
	expect_whole(&k, i, i + 1);
	EXPECT_EQ(1, k.in_state[SHARED]);
	hold_pipe_drop(&pipe);
	kvm_guest_destroy(&k.g);
	close(k.fd);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
