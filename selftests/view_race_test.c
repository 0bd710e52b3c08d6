// SPDX-License-Identifier: GPL-2.0
/*
 * After CONVERT to private has returned, no access by a view succeeds, in any race of
 * filling the view with the conversion. Views that are filled, mapped, unmapped, opened,
 * closed and inherited at the same time give no process a page that it must not have.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_view.h"
#include "ksft.h"
#include "race.h"

/* The last page of a block, a whole block, and the first page of another one. */
#define OFFSET (SZ_2M - PAGE)
#define LENGTH (SZ_2M + 2 * PAGE)
#define FILE_LENGTH (3 * SZ_2M)
#define NR_PAGES (LENGTH / PAGE)

static int attack_populate(struct race *r, uint8_t *p)
{
	gmem_view_populate(r->view, p, PAGE, 0);
	return gmem_try_read(p, NULL);
}

/* By a new mapping. */
static int attack_remap(struct race *r, uint8_t *p)
{
	uint64_t offset = OFFSET + (p - r->p);
	uint8_t *v = gmem_view_map(r->view, offset, PAGE);
	int rc;

	if (v == MAP_FAILED)
		return -1;
	gmem_view_populate(r->view, v, PAGE, 0);
	rc = gmem_try_read(v, NULL);
	munmap(v, PAGE);
	return rc;
}

/* By a mapping of the whole range, in which the block can be one entry. */
static int attack_whole(struct race *r, uint8_t *p)
{
	uint8_t *v = gmem_view_map(r->view, OFFSET, LENGTH);
	int rc;

	if (v == MAP_FAILED)
		return -1;
	gmem_view_populate(r->view, v, LENGTH, NOALLOC);
	rc = gmem_try_read(v + (p - r->p), NULL);
	munmap(v, LENGTH);
	return rc;
}

/* By a new view. */
static int attack_reopen(struct race *r, uint8_t *p)
{
	uint64_t offset = OFFSET + (p - r->p);
	int view = gmem_view(r->fd, offset, PAGE), rc = -1;
	uint8_t *v;

	if (view < 0)
		return -1;
	v = gmem_view_map(view, offset, PAGE);
	close(view);
	if (v == MAP_FAILED)
		return -1;
	gmem_view_populate(r->view, r->p, LENGTH, NOALLOC);
	rc = gmem_try_read(v, NULL);
	munmap(v, PAGE);
	return rc;
}

static void race(int (*attack)(struct race *r, uint8_t *p))
{
	struct race r = { .attack = attack, .offset = OFFSET, .length = LENGTH };
	const char *why = gmem_view_unavailable();
	uint8_t *p;

	if (why)
		SKIP(return, "%s", why);
	r.fd = test_gmem_create(FILE_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	p = test_gmem_map(r.fd, 0, FILE_LENGTH);
	r.view = test_gmem_view(r.fd, 0, FILE_LENGTH);
	r.p = test_gmem_view_map(r.view, OFFSET, LENGTH);
	ASSERT_EQ(NR_PAGES, gmem_view_populate(r.view, r.p, LENGTH, 0));
	gmem_fill(p, 1, FILE_LENGTH);
	race_run(&r);
	EXPECT_EQ(0, gmem_view_populate(r.view, r.p, LENGTH, NOALLOC));
	expect_bytes(1, r.p, LENGTH);
	expect_bytes(1, p, FILE_LENGTH);
}

TEST(load)
{
	race(race_load);
}

TEST(store)
{
	race(race_store);
}

TEST(populate)
{
	race(attack_populate);
}

TEST(system_call)
{
	race(race_write);
}

TEST(remap)
{
	race(attack_remap);
}

TEST(whole)
{
	race(attack_whole);
}

TEST(reopen)
{
	race(attack_reopen);
}

/* A thread that makes random calls; threads use the same parts of the file. */
struct turmoil {
	int fd;
	int view;
	uint64_t end_ms;
	uint64_t rng;
	uint64_t calls;
};

static void turmoil_map(struct turmoil *t)
{
	uint64_t offset = gmem_rand(&t->rng) % 1000 * PAGE;
	uint64_t length = (1 + gmem_rand(&t->rng) % 600) * PAGE;
	uint8_t *v = gmem_view_map(t->view, offset, length);

	if (v == MAP_FAILED)
		return;
	gmem_view_populate(t->view, v, length, gmem_rand(&t->rng) & 1);
	gmem_try_write(v + gmem_rand(&t->rng) % length, 1);
	if (gmem_rand(&t->rng) & 1)
		usleep(gmem_rand(&t->rng) & 1023);
	munmap(v, length);
}

static void turmoil_fork(struct turmoil *t)
{
	pid_t pid = fork();

	if (!pid) {
		gmem_convert(t->fd, 0, SZ_2M, PRIVATE, PRESERVE);
		_exit(gmem_view_map(t->view, 0, PAGE) != MAP_FAILED);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

static void *turmoil_main(void *arg)
{
	struct turmoil *t = arg;
	uint64_t offset;
	int view;

	for (; ksft_now_ms() < t->end_ms; t->calls++) {
		offset = gmem_rand(&t->rng) % 1500 * PAGE;
		switch (gmem_rand(&t->rng) % 16) {
		case 0 ... 4:
			gmem_convert(t->fd, offset, 32 * PAGE,
				     gmem_rand(&t->rng) & 1, PRESERVE);
			break;
		case 5:
			gmem_convert(t->fd, 0, FILE_LENGTH, SHARED,
				     gmem_rand(&t->rng) & 1);
			break;
		case 6:
			gmem_punch(t->fd, offset, 8 * PAGE);
			break;
		case 7:
			gmem_commit(t->fd, offset, 16 * PAGE);
			break;
		case 8:
			view = gmem_view(t->fd, offset, 8 * PAGE);
			if (view >= 0)
				close(view);
			break;
		case 9:
			turmoil_fork(t);
			break;
		default:
			turmoil_map(t);
		}
	}
	return NULL;
}

/* All calls at the same time. At the end everything is released, and works. */
TEST_TIMEOUT(turmoil, 600)
{
	const char *why = gmem_view_unavailable();
	uint64_t seconds = gmem_stress_seconds() / 4 + 1;
	struct turmoil t[4] = { 0 };
	struct gmem_task task[4] = { 0 };
	struct gmem_ioctl_stat stat;
	int fd, view, i;
	uint8_t *v;

	if (why)
		SKIP(return, "%s", why);
	fd = test_gmem_create(FILE_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	view = test_gmem_view(fd, 0, FILE_LENGTH);
	v = test_gmem_view_map(view, 0, FILE_LENGTH);
	for (i = 0; i < 4; i++) {
		t[i] = (struct turmoil){ .fd = fd, .view = view,
			.rng = ksft_seed() + i,
			.end_ms = ksft_now_ms() + seconds * 1000 };
		ASSERT_EQ(0, gmem_task_start(&task[i], i & 1, turmoil_main,
					     &t[i]));
	}
	for (i = 0; i < 4; i++)
		gmem_task_join(&task[i]);
	TH_LOG("%llu calls", (unsigned long long)(t[0].calls + t[1].calls +
						  t[2].calls + t[3].calls));
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(1, stat.views);
	EXPECT_EQ(1, stat.view_mappings);
	EXPECT_LE(0, gmem_view_populate(view, v, FILE_LENGTH, 0));
	EXPECT_EQ(0, gmem_view_populate(view, v, FILE_LENGTH, 0));
	test_gmem_convert(fd, 0, FILE_LENGTH, SHARED, PRESERVE);
	gmem_fill(v, 0x42, FILE_LENGTH);
	expect_bytes(0x42, v, FILE_LENGTH);
	ASSERT_EQ(0, gmem_convert_wait(fd, 0, FILE_LENGTH, PRIVATE, PRESERVE,
				       20000));
	expect_sigsegv(v);
	munmap(v, FILE_LENGTH);
	close(view);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(0, stat.views);
	EXPECT_EQ(FILE_LENGTH / PAGE, stat.resident_pages);
	close(fd);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
