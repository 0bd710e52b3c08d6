// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a file with views, one after another, compared with a model of the
 * pages in each mapping and their contents. After each operation some pages are checked,
 * sometimes all.
 *
 * A mapping must have the pages that were populated through it, and the pages with memory
 * of ranges whose conversion has ended. It may have any other page with memory, because a
 * block is filled as a whole where nothing of it is mapped.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "file_model.h"
#include "gmem_view.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 1300			/* two blocks and a part */
#define LENGTH (NR_PAGES * PAGE)
#define NR_MAPPINGS 4
#define FILES 6
#define OPERATIONS 150			/* of each run */
#define WAIT_MS 10000

struct view_model {
	int view;
	uint8_t *v;
	int first;
	int count;
	bool must[NR_PAGES];		/* indexed by page of the file */
};

static struct {
	int fd;
	uint8_t *p;
	struct page_model page[NR_PAGES];
	struct view_model map[NR_MAPPINGS];
} model;

static uint64_t rng;
static char what[128];

static int below(int n)
{
	return (int)(gmem_rand(&rng) % n);
}

#define MODEL_CHECK(x, ...) do {					\
	ksft_count();							\
	if (!(x)) {							\
		TH_LOG("%s: " #x, what);				\
		TH_LOG("  " __VA_ARGS__);				\
		ASSERT_TRUE(x);						\
	}								\
} while (0)

#define note(...) snprintf(what, sizeof(what), __VA_ARGS__)

/* Often at the edges of blocks. */
static void pick(int *first, int *count)
{
	static const int edges[] = { 0, 1, 511, 512, 513, 1023, 1024, 1025 };

	*first = below(3) ? below(NR_PAGES) : edges[below(8)];
	*count = 1 + (below(3) ? below(20) : below(NR_PAGES));
	if (*first + *count > NR_PAGES)
		*count = NR_PAGES - *first;
}

/* Whether a page of a mapping agrees with the model. */
static bool agrees(const struct view_model *m, int page)
{
	const struct page_model *pm = &model.page[page];
	uint64_t got = 0;
	int sig = gmem_try_copy(&got, m->v + (page - m->first) * PAGE,
				sizeof(got));

	if (pm->state == PRIVATE || !pm->populated)
		return sig == SIGSEGV;
	if (sig)
		return !m->must[page];
	return got == pm->tag;
}

/* Check one of @step pages: failing accesses are slow. */
static void check(int step)
{
	struct view_model *m;
	int page;

	for (m = model.map; m < model.map + NR_MAPPINGS; m++)
		for (page = m->first + below(step); page < m->first + m->count;
		     page += step)
			MODEL_CHECK(agrees(m, page), "page %d, mapping %d+%d",
				    page, m->first, m->count);
}

/* All pages of the range that have memory must be in all mappings. */
static void must_have(int first, int count)
{
	struct view_model *m;
	int page;

	for (m = model.map; m < model.map + NR_MAPPINGS; m++)
		for (page = first; page < first + count; page++)
			if (page >= m->first && page < m->first + m->count)
				m->must[page] = model.page[page].populated;
}

static void lose(int first, int count)
{
	struct view_model *m;

	for (m = model.map; m < model.map + NR_MAPPINGS; m++)
		memset(m->must + first, 0, count);
}

static void op_map(void)
{
	struct view_model *m = &model.map[below(NR_MAPPINGS)];
	int before, behind;

	if (m->count) {
		note("unmap %d+%d", m->first, m->count);
		MODEL_CHECK(!munmap(m->v, m->count * PAGE), "errno %d", errno);
		close(m->view);
		m->count = 0;
		memset(m->must, 0, sizeof(m->must));
		return;
	}
	pick(&m->first, &m->count);
	before = below(m->first + 1);
	behind = below(NR_PAGES - m->first - m->count + 1);
	note("map %d+%d", m->first, m->count);
	m->view = gmem_view(model.fd, (m->first - before) * PAGE,
			    (before + m->count + behind) * PAGE);
	MODEL_CHECK(m->view >= 0, "errno %d", -m->view);
	m->v = gmem_view_map(m->view, m->first * PAGE, m->count * PAGE);
	MODEL_CHECK(m->v != MAP_FAILED, "errno %d", errno);
}

static void op_populate(void)
{
	struct view_model *m = &model.map[below(NR_MAPPINGS)];
	bool alloc = below(2);
	int first, count, i;
	long long rc;

	if (!m->count)
		return;
	first = below(m->count);
	count = 1 + below(m->count - first);
	note("populate %d+%d of %d+%d%s", m->first + first, count, m->first,
	     m->count, alloc ? "" : " without memory");
	rc = gmem_view_populate(m->view, m->v + first * PAGE, count * PAGE,
				alloc ? 0 : NOALLOC);
	MODEL_CHECK(rc >= 0, "errno %lld", -rc);
	first += m->first;
	for (i = first; i < first + count; i++)
		if (alloc || model.page[i].populated)
			page_model_touch(&model.page[i]);
	must_have(first, count);
}

static void op_convert(void)
{
	uint32_t target = below(2), content = !below(6);
	int first, count, i, changed = 0, rc;

	pick(&first, &count);
	note("convert %d+%d to %u, content %u", first, count, target, content);
	rc = gmem_convert_wait(model.fd, first * PAGE, count * PAGE, target,
			       content, WAIT_MS);
	MODEL_CHECK(!rc, "errno %d", -rc);
	for (i = first; i < first + count; i++) {
		changed += model.page[i].state != target;
		page_model_convert(&model.page[i], target, content == ZERO);
	}
	if (changed)
		must_have(first, count);
}

/* A conversion that is refused, because a page is held. */
static void op_refused(void)
{
	struct hold_pipe hold;
	int first, count, at;

	pick(&first, &count);
	at = first + below(count);
	if (model.page[at].state == PRIVATE)
		return;
	note("conversion of %d+%d is refused for %d", first, count, at);
	MODEL_CHECK(!hold_pipe_take(&hold, model.p + at * PAGE, PAGE),
		    "errno %d", errno);
	page_model_touch(&model.page[at]);
	MODEL_CHECK(gmem_convert(model.fd, first * PAGE, count * PAGE, PRIVATE,
				 below(2)) == -EAGAIN, "no EAGAIN");
	hold_pipe_drop(&hold);
}

static void op_punch(void)
{
	int first, count, i;

	pick(&first, &count);
	note("punch %d+%d", first, count);
	MODEL_CHECK(!gmem_punch(model.fd, first * PAGE, count * PAGE),
		    "errno %d", errno);
	for (i = first; i < first + count; i++)
		page_model_drop(&model.page[i]);
	lose(first, count);
}

static void op_commit(void)
{
	int first, count, i;

	pick(&first, &count);
	note("commit %d+%d", first, count);
	MODEL_CHECK(!gmem_commit(model.fd, first * PAGE, count * PAGE),
		    "errno %d", errno);
	for (i = first; i < first + count; i++)
		page_model_commit(&model.page[i]);
}

static void op_write(void)
{
	int first, count, i;

	pick(&first, &count);
	count = count > 16 ? 16 : count;
	note("write %d+%d", first, count);
	for (i = first; i < first + count; i++)
		MODEL_CHECK(page_model_write(&model.page[i], model.p + i * PAGE,
					     gmem_rand(&rng)), "page %d", i);
}

/* Write through a mapping that has the page. */
static void op_write_view(void)
{
	struct view_model *m = &model.map[below(NR_MAPPINGS)];
	uint64_t tag = gmem_rand(&rng);
	uint8_t *v;
	int page;

	if (!m->count)
		return;
	page = m->first + below(m->count);
	v = m->v + (page - m->first) * PAGE;
	note("write to page %d of %d+%d", page, m->first, m->count);
	if (!m->must[page] || model.page[page].state == PRIVATE)
		return;
	MODEL_CHECK(!gmem_try_copy(v, &tag, 8) &&
		    !gmem_try_copy(v + PAGE - 8, &tag, 8), "no access");
	model.page[page].tag = tag;
	MODEL_CHECK(page_model_agrees(&model.page[page], model.p + page * PAGE),
		    "another page");
}

static const struct {
	void (*fn)(void);
	int weight;
} operations[] = {
	{ op_map, 6 },		{ op_populate, 12 },	{ op_convert, 20 },
	{ op_refused, 4 },	{ op_punch, 5 },	{ op_commit, 3 },
	{ op_write, 6 },	{ op_write_view, 6 },
};

static void one_operation(void)
{
	int n = below(62);
	size_t i;

	for (i = 0; n >= operations[i].weight; i++)
		n -= operations[i].weight;
	operations[i].fn();
	check(below(16) ? 17 : 1);
}

static void model_create(void)
{
	memset(&model, 0, sizeof(model));
	model.fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	model.p = test_gmem_map(model.fd, 0, LENGTH);
}

/* Private pages have kept their contents, too. */
static void model_finish(void)
{
	int i;

	for (i = 0; i < NR_MAPPINGS; i++)
		if (model.map[i].count) {
			munmap(model.map[i].v, model.map[i].count * PAGE);
			close(model.map[i].view);
		}
	note("the end");
	test_gmem_convert(model.fd, 0, LENGTH, SHARED, PRESERVE);
	for (i = 0; i < NR_PAGES; i++) {
		model.page[i].state = SHARED;
		MODEL_CHECK(page_model_agrees(&model.page[i], model.p + i * PAGE),
			    "page %d", i);
	}
	ASSERT_EQ(0, gmem_convert_wait(model.fd, 0, LENGTH, PRIVATE, PRESERVE,
				       WAIT_MS));
	munmap(model.p, LENGTH);
	close(model.fd);
}

TEST_TIMEOUT(random_operations, 600)
{
	const char *why = gmem_view_unavailable();
	int file, i;

	if (why)
		SKIP(return, "%s", why);
	rng = ksft_seed();
	for (file = 0; file < FILES; file++) {
		model_create();
		for (i = 0; i < OPERATIONS; i++)
			one_operation();
		model_finish();
	}
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
