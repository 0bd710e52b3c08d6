// SPDX-License-Identifier: GPL-2.0
/* Accesses that race with conversions, for race_test and view_race_test. */
#include <fcntl.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "race.h"

int race_load(struct race *r __ksft_unused, uint8_t *p)
{
	return gmem_try_read(p, NULL);
}

int race_store(struct race *r __ksft_unused, uint8_t *p)
{
	return gmem_try_write(p, 1);
}

int race_write(struct race *r, uint8_t *p)
{
	char byte;

	if (write(r->pipe[1], p, 1) != 1)
		return -1;
	return read(r->pipe[0], &byte, 1) != 1;
}

/* A random page. Pages at and near both ends are more frequent. */
static uint64_t race_page(struct race *r)
{
	uint64_t nr = r->length / PAGE, n = gmem_rand(&r->rng) % (2 * nr);

	if (n < nr)
		return n;
	return n & 1 ? n / 2 % 2 : nr - 1 - n / 2 % 2;
}

void *race_attacker_main(void *race)
{
	struct race *r = race;
	uint64_t before;
	int rc;

	while (ksft_now_ms() < r->end_ms) {
		before = __atomic_load_n(&r->sequence, __ATOMIC_SEQ_CST);
		rc = r->attack(r, r->p + race_page(r) * PAGE);
		r->tried++;
		r->succeeded += !rc;
		if (!rc && before & 1 &&
		    before == __atomic_load_n(&r->sequence, __ATOMIC_SEQ_CST))
			r->violations++;
	}
	return NULL;
}

/* Convert with pauses of random length. Return: number of conversions to private. */
static uint64_t race_convert(struct race *r)
{
	uint64_t rng = ksft_seed(), conversions = 0;

	while (ksft_now_ms() < r->end_ms) {
		if (gmem_convert_wait(r->fd, r->offset, r->length, PRIVATE, PRESERVE,
				      20000))
			continue;
		__atomic_add_fetch(&r->sequence, 1, __ATOMIC_SEQ_CST);
		conversions++;
		if (gmem_rand(&rng) & 1)
			usleep(gmem_rand(&rng) & 511);
		__atomic_add_fetch(&r->sequence, 1, __ATOMIC_SEQ_CST);
		EXPECT_EQ(0, gmem_convert(r->fd, r->offset, r->length, SHARED, PRESERVE));
		if (gmem_rand(&rng) & 1)
			usleep(gmem_rand(&rng) & 511);
	}
	return conversions;
}

/* Run @r->attack during conversions for some time. All pages are shared afterwards. */
void race_run(struct race *r)
{
	struct gmem_task task = { 0 };
	uint64_t conversions;

	r->rng = ksft_seed();
	ASSERT_EQ(0, pipe2(r->pipe, O_NONBLOCK));
	r->end_ms = ksft_now_ms() + 1000 + gmem_stress_seconds() * 60;
	gmem_pin_cpu(0);
	ASSERT_EQ(0, gmem_task_start(&task, 1, race_attacker_main, r));
	conversions = race_convert(r);
	gmem_task_join(&task);
	TH_LOG("%llu conversions, %llu of %llu accesses succeeded",
	       (unsigned long long)conversions, (unsigned long long)r->succeeded,
	       (unsigned long long)r->tried);
	EXPECT_EQ(0, r->violations);
	EXPECT_GT(conversions, 0);
	EXPECT_GT(r->succeeded, 0);
	EXPECT_LT(r->succeeded, r->tried);
	test_gmem_convert(r->fd, r->offset, r->length, SHARED, PRESERVE);
}
