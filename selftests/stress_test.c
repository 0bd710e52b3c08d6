// SPDX-License-Identifier: GPL-2.0
/*
 * Threads and processes fault, convert, punch, commit, query, fork, hold and exit at
 * random on one fd, compared with a model of states and contents.
 *
 * The model has a lock for each page. A worker locks the pages of a random range in
 * ascending order, performs one operation, and knows its exact result. Noise threads take
 * no locks, and may touch or hold any page.
 *
 * GMEM_STRESS_SECONDS (60) is divided among the cases. GMEM_SEED repeats the random
 * numbers of each worker, but not their interleaving.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "page_model.h"

#define NR_PAGES 1300			/* three blocks, the last one short */
#define LENGTH (NR_PAGES * PAGE)
#define NR_WORKERS 4
#define NR_NOISE 3
#define MAX_RANGE 48
#define STRESS_TIMEOUT_S 3600

struct stress_page {
	pthread_mutex_t lock;
	struct page_model page;
};

struct stress {
	int fd;
	uint8_t *p;
	struct stress_page model[NR_PAGES];
	uint64_t end_ms;
	bool held;			/* noise holds pages: EAGAIN is possible */
	volatile int stop;
	volatile uint64_t ops;
};

struct worker {
	struct stress *s;
	struct gmem_task task;
	uint64_t rng;
	int number;
};

static bool running(struct stress *s)
{
	return !s->stop && ksft_now_ms() < s->end_ms;
}

/* A wrong result ends the case; locks are still released in order. */
#define STRESS_CHECK(s, cond, ...) do {					\
	EXPECT_TRUE(cond);						\
	if (!(cond)) {							\
		TH_LOG(__VA_ARGS__);					\
		(s)->stop = 1;						\
	}								\
} while (0)

/* Page i has the contents of the model, or raises SIGBUS. */
static bool page_is_right(struct stress *s, int i)
{
	return page_model_agrees(&s->model[i].page, s->p + i * PAGE);
}

static void check_pages(struct stress *s, int first, int count)
{
	int i;

	for (i = first; i < first + count; i++)
		STRESS_CHECK(s, page_is_right(s, i),
			     "page %d: expected state %d tag %#llx", i,
			     s->model[i].page.state,
			     (unsigned long long)s->model[i].page.tag);
}

static void write_pages(struct stress *s, int first, int count, uint64_t tag)
{
	int i;

	for (i = first; i < first + count; i++)
		STRESS_CHECK(s, page_model_write(&s->model[i].page,
						 s->p + i * PAGE, tag),
			     "page %d: write, state %d", i,
			     s->model[i].page.state);
}

static void convert_pages(struct stress *s, int first, int count,
			  uint64_t random)
{
	uint32_t target = random & 1;
	uint32_t content = (random >> 1 & 7) == 0 ? ZERO : PRESERVE;
	uint32_t timeout = !s->held ? 20000 : random >> 8 & 1 ? 31 : 0;
	int i, rc;

	rc = gmem_convert_wait(s->fd, first * PAGE, count * PAGE, target,
			       content, timeout);
	STRESS_CHECK(s, !rc || (s->held && rc == -EAGAIN && target == PRIVATE),
		     "convert %d+%d to %u content %u: %d", first, count, target,
		     content, rc);
	if (rc)
		return;
	for (i = first; i < first + count; i++)
		page_model_convert(&s->model[i].page, target, content == ZERO);
}

static void punch_pages(struct stress *s, int first, int count)
{
	int i, rc = gmem_punch(s->fd, first * PAGE, count * PAGE);

	STRESS_CHECK(s, !rc, "punch %d+%d: %d", first, count, rc);
	for (i = first; !rc && i < first + count; i++)
		page_model_drop(&s->model[i].page);
}

static void commit_pages(struct stress *s, int first, int count)
{
	int rc = gmem_commit(s->fd, first * PAGE, count * PAGE);
	long long populated = gmem_populated(s->fd, first * PAGE, count * PAGE);

	STRESS_CHECK(s, !rc && populated == count,
		     "commit %d+%d: %d, populated %lld", first, count, rc,
		     populated);
}

static void query_pages(struct stress *s, int first, int count)
{
	int i = first, end = first + count, stop;
	struct gmem_range r;

	while (i < end) {
		int rc = gmem_query_one(s->fd, i * PAGE, (end - i) * PAGE, &r);

		STRESS_CHECK(s, !rc && r.offset == i * PAGE && r.length,
			     "query at %d: %d", i, rc);
		if (rc || !r.length)
			return;
		stop = i + r.length / PAGE;
		STRESS_CHECK(s, stop <= end && r.populated <= r.length / PAGE,
			     "query at %d: %d pages", i, stop - i);
		for (; i < stop && i < end; i++)
			STRESS_CHECK(s, r.state == s->model[i].page.state,
				     "page %d: state %u, expected %d", i,
				     r.state, s->model[i].page.state);
	}
}

/* A child sees the same memory, and its exit has no effect on others. */
static void fork_and_check(struct stress *s, int first, int count)
{
	pid_t pid = fork();
	int i, rc;

	if (!pid) {
		for (i = first; i < first + count; i++)
			if (!page_is_right(s, i))
				_exit(1);
		_exit(0);
	}
	rc = gmem_wait_pid(pid);
	STRESS_CHECK(s, !rc, "child over %d+%d: %d", first, count, rc);
}

static void one_operation(struct stress *s, uint64_t random, int first,
			  int count)
{
	switch (random >> 32 & 15) {
	case 0 ... 5:
		convert_pages(s, first, count, random);
		break;
	case 6 ... 8:
		write_pages(s, first, count, random | 1);
		break;
	case 9:
		punch_pages(s, first, count);
		break;
	case 10:
		commit_pages(s, first, count);
		break;
	case 11 ... 12:
		query_pages(s, first, count);
		break;
	case 13:
		if (!(random >> 48 & 7))
			fork_and_check(s, first, count);
		break;
	default:
		break;
	}
	check_pages(s, first, count);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct stress *s = w->s;
	int i, first, count;
	uint64_t random;

	while (running(s)) {
		random = gmem_rand(&w->rng);
		first = gmem_rand(&w->rng) % NR_PAGES;
		count = 1 + gmem_rand(&w->rng) % MAX_RANGE;
		if (count > NR_PAGES - first)
			count = NR_PAGES - first;
		for (i = first; i < first + count; i++)
			pthread_mutex_lock(&s->model[i].lock);
		one_operation(s, random, first, count);
		for (i = first; i < first + count; i++)
			pthread_mutex_unlock(&s->model[i].lock);
		__atomic_fetch_add(&s->ops, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void noise_hold(struct stress *s, uint64_t random)
{
	uint8_t buf[64], *p = s->p + random % NR_PAGES * PAGE;
	struct iovec local = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct iovec remote = { .iov_base = p, .iov_len = sizeof(buf) };
	struct hold_pipe hold;

	process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	if (!s->held || hold_pipe_take(&hold, p, PAGE))
		return;
	usleep(random >> 40 & 16383);
	hold_pipe_drop(&hold);
}

/* Touch, query and hold pages without the model. */
static void *noise_main(void *arg)
{
	struct worker *w = arg;
	struct stress *s = w->s;
	struct gmem_ioctl_stat stat;
	struct gmem_range r;
	uint64_t random;
	uint8_t *p;

	while (running(s)) {
		random = gmem_rand(&w->rng);
		p = s->p + random % NR_PAGES * PAGE;
		gmem_try_read(p, NULL);
		if (w->number == 0)
			noise_hold(s, gmem_rand(&w->rng));
		if (w->number == 1 && gmem_stat(s->fd, &stat))
			s->stop = 1;
		if (w->number == 1 && gmem_query_one(s->fd, 0, LENGTH, &r))
			s->stop = 1;
		if (w->number == 2)
			madvise(p, PAGE, random >> 20 & 1 ? MADV_DONTNEED :
							    MADV_PAGEOUT);
	}
	return NULL;
}

/* Processes that touch pages, and are killed meanwhile. */
static void *killer_main(void *arg)
{
	struct worker *w = arg;
	struct stress *s = w->s;
	pid_t pid;

	while (running(s)) {
		pid = fork();
		if (!pid) {
			for (;;)
				gmem_try_read(s->p + gmem_rand(&w->rng) %
					      NR_PAGES * PAGE, NULL);
		}
		usleep(gmem_rand(&w->rng) % 100000);
		kill(pid, SIGKILL);
		gmem_wait_pid(pid);
	}
	return NULL;
}

static struct stress *stress_create(unsigned int percent)
{
	struct stress *s = calloc(1, sizeof(*s));
	int i;

	ASSERT_TRUE(s);
	s->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	s->p = test_gmem_map(s->fd, 0, LENGTH);
	for (i = 0; i < NR_PAGES; i++)
		pthread_mutex_init(&s->model[i].lock, NULL);
	s->end_ms = ksft_now_ms() + gmem_stress_seconds() * percent * 10ULL;
	return s;
}

/* Final checks after all workers have ended. */
static void stress_finish(struct stress *s)
{
	struct gmem_ioctl_stat stat;
	uint64_t private = 0;
	int i;

	check_pages(s, 0, NR_PAGES);
	query_pages(s, 0, NR_PAGES);
	for (i = 0; i < NR_PAGES; i++)
		private += s->model[i].page.state == PRIVATE;
	test_gmem_stat(s->fd, &stat);
	EXPECT_EQ(private, stat.private_pages);
	EXPECT_FALSE(s->stop);
	EXPECT_GT(s->ops, 0);
	TH_LOG("%llu operations, %llu + %llu conversions, %llu refused",
	       (unsigned long long)s->ops, (unsigned long long)stat.to_private,
	       (unsigned long long)stat.to_shared,
	       (unsigned long long)stat.refused);
	ASSERT_EQ(0, gmem_convert_wait(s->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       20000));
	for (i = 0; i < NR_PAGES; i++)
		s->model[i].page.state = PRIVATE;
	check_pages(s, 0, NR_PAGES);
	test_gmem_convert(s->fd, 0, LENGTH, SHARED, PRESERVE);
	for (i = 0; i < NR_PAGES; i++)
		s->model[i].page.state = SHARED;
	check_pages(s, 0, NR_PAGES);
	test_gmem_punch(s->fd, 0, LENGTH);
	test_gmem_stat(s->fd, &stat);
	EXPECT_EQ(0, stat.resident_pages);
	EXPECT_EQ(0, stat.store_pages);
	munmap(s->p, LENGTH);
	close(s->fd);
}

static void stress_run(struct stress *s)
{
	struct worker w[NR_WORKERS + NR_NOISE + 1] = { 0 };
	uint64_t rng = ksft_seed();
	int i, n = NR_WORKERS + NR_NOISE + 1;

	for (i = 0; i < n; i++) {
		w[i].s = s;
		w[i].rng = gmem_rand(&rng);
		w[i].number = i < NR_WORKERS ? i : i - NR_WORKERS;
		ASSERT_EQ(0, gmem_task_start(&w[i].task, -1,
					     i < NR_WORKERS ? worker_main :
					     i < n - 1 ? noise_main : killer_main,
					     &w[i]));
	}
	for (i = 0; i < n; i++)
		gmem_task_join(&w[i].task);
	stress_finish(s);
}

/* No page is held for long: every conversion must succeed. */
TEST_TIMEOUT(model, STRESS_TIMEOUT_S)
{
	stress_run(stress_create(30));
}

/* Pages are held at random: a conversion succeeds or changes nothing. */
TEST_TIMEOUT(model_with_holders, STRESS_TIMEOUT_S)
{
	struct stress *s = stress_create(20);

	s->held = true;
	stress_run(s);
}

/* Like the first case, with part of the range in a guest_memfd of KVM. */
TEST_TIMEOUT(model_with_store, STRESS_TIMEOUT_S)
{
	const char *why = kvm_store_unavailable();
	struct stress *s;
	int vm, store;

	if (why)
		SKIP(return, "%s", why);
	store = test_kvm_store(LENGTH, &vm);
	s = stress_create(20);
	test_gmem_bind(s->fd, 0, 300 * PAGE, store, 1000 * PAGE);
	test_gmem_bind(s->fd, 301 * PAGE, 600 * PAGE, store, PAGE);
	close(store);
	close(vm);
	stress_run(s);
}

/* A converter in a child, for pages that no other worker changes. */
static int random_converter(struct stress *s, int first, int count,
			    uint32_t target, uint32_t timeout)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-gmem_convert_wait(s->fd, first * PAGE, count * PAGE,
					 target, PRESERVE, timeout));
	return pid;
}

/* The range has either the old or the new state; the model takes over what it is. */
static void adopt_outcome(struct stress *s, int first, int count,
			  uint32_t target, int status)
{
	int i, after = 0, changed = 0;

	for (i = first; i < first + count; i++) {
		if (s->model[i].page.state == target)
			continue;
		changed++;
		after += gmem_state(s->fd, i * PAGE) == (int)target;
	}
	STRESS_CHECK(s, !after || after == changed,
		     "%d of %d pages changed, status %d", after, changed,
		     status);
	STRESS_CHECK(s, status == 128 + SIGKILL || !status ||
		     status == EAGAIN, "status %d", status);
	STRESS_CHECK(s, status || after == changed, "success, but unchanged");
	STRESS_CHECK(s, status != EAGAIN || !after, "refused, but changed");
	if (after)
		for (i = first; i < first + count; i++)
			s->model[i].page.state = target;
	check_pages(s, first, count);
}

/* Converters that are killed at any time leave a consistent range. */
TEST_TIMEOUT(killed_converters, STRESS_TIMEOUT_S)
{
	struct stress *s = stress_create(15);
	struct worker noise = { .s = s, .rng = ksft_seed() };
	uint64_t rng = ksft_seed() + 1;
	int first, count, status;
	uint32_t target;
	pid_t pid;

	s->held = true;
	write_pages(s, 0, NR_PAGES, 0x5a);
	ASSERT_EQ(0, gmem_task_start(&noise.task, -1, noise_main, &noise));
	while (running(s)) {
		first = gmem_rand(&rng) % NR_PAGES;
		count = 1 + gmem_rand(&rng) % (NR_PAGES - first);
		target = gmem_rand(&rng) & 1;
		pid = random_converter(s, first, count, target,
				       gmem_rand(&rng) & 1 ? 5000 : 0);
		usleep(gmem_rand(&rng) % 30000);
		kill(pid, SIGKILL);
		status = gmem_wait_pid(pid);
		adopt_outcome(s, first, count, target, status);
		s->ops++;
	}
	gmem_task_join(&noise.task);
	stress_finish(s);
}

/* Without locks and model: threads change the same pages at once. */
static void *rival_main(void *arg)
{
	struct worker *w = arg;
	struct stress *s = w->s;
	uint64_t random, first, count;
	struct gmem_range r;

	while (running(s)) {
		random = gmem_rand(&w->rng);
		first = random % NR_PAGES;
		count = 1 + (random >> 16) % (NR_PAGES - first);
		switch (random >> 40 & 7) {
		case 0 ... 2:
			gmem_convert_wait(s->fd, first * PAGE, count * PAGE,
					  random >> 50 & 1, random >> 51 & 1,
					  random >> 52 & 15);
			break;
		case 3:
			gmem_punch(s->fd, first * PAGE, count * PAGE);
			break;
		case 4:
			gmem_commit(s->fd, first * PAGE, count * PAGE);
			break;
		case 5:
			gmem_query_one(s->fd, first * PAGE, count * PAGE, &r);
			break;
		default:
			gmem_try_write(s->p + first * PAGE, 1);
			noise_hold(s, random >> 8);
			break;
		}
		__atomic_fetch_add(&s->ops, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* At the end each page is accessible exactly if it is shared. */
TEST_TIMEOUT(rivals, STRESS_TIMEOUT_S)
{
	struct stress *s = stress_create(15);
	struct worker w[NR_WORKERS] = { 0 };
	uint64_t rng = ksft_seed() + 2;
	uint8_t value;
	int i, state;

	s->held = true;
	for (i = 0; i < NR_WORKERS; i++) {
		w[i].s = s;
		w[i].rng = gmem_rand(&rng);
		ASSERT_EQ(0, gmem_task_start(&w[i].task, -1, rival_main, &w[i]));
	}
	for (i = 0; i < NR_WORKERS; i++)
		gmem_task_join(&w[i].task);
	for (i = 0; i < NR_PAGES; i++) {
		state = gmem_state(s->fd, i * PAGE);
		EXPECT_EQ(state == PRIVATE ? SIGBUS : 0,
			  gmem_try_read(s->p + i * PAGE, &value));
		s->model[i].page.state = state;
	}
	EXPECT_EQ(0, gmem_punch(s->fd, 0, LENGTH));
	stress_finish(s);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
