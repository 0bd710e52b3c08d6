// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations, one after another, compared with a model of states, contents, memory
 * and references. Each result is known in advance, including errors and their details.
 * Ranges are in the file, in a guest_memfd of KVM, or belong to a guest of the mock
 * hypervisor, if available.
 *
 * A run is 10 000 operations on files of random size. GMEM_SEED repeats it exactly. On a
 * mismatch the last operations are printed.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "file_model.h"
#include "hold.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "mock.h"

#define NR_OPERATIONS 10000
#define FILE_OPERATIONS 500
#define GPA SZ_1G
#define LOG_LINES 40
#define LOG_LENGTH 120
#define WAIT_MS 20000

/* The objects behind a hold of the model. */
struct means {
	struct hold_pipe pipe;
	struct hold_uring uring;
	int id;
};

static struct {
	int fd;
	uint8_t *p;
	int kvm;			/* a guest_memfd, or -1 */
	int mock;			/* a VM, or -1 */
	struct means means[MODEL_HOLDS];
	uint64_t to_private;
	uint64_t to_shared;
	uint64_t refused;
} run;

static struct file_model model;
static uint64_t rng;
static unsigned int operation, refusals;
static char history[LOG_LINES][LOG_LENGTH];

static uint64_t random_below(uint64_t below)
{
	return gmem_rand(&rng) % below;
}

static __attribute__((format(printf, 1, 2))) void note(const char *fmt, ...)
{
	char *line = history[operation % LOG_LINES];
	int len = snprintf(line, LOG_LENGTH, "%u: ", operation);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + len, LOG_LENGTH - len, fmt, ap);
	va_end(ap);
}

static void print_history(void)
{
	unsigned int i;

	for (i = 0; i < LOG_LINES; i++)
		if (history[(operation + 1 + i) % LOG_LINES][0])
			TH_LOG("  %s", history[(operation + 1 + i) % LOG_LINES]);
}

/* A mismatch ends the run, because all later results would differ, too. */
#define MODEL_CHECK(cond, ...) do {					\
	bool __right = cond;						\
									\
	if (!__right) {							\
		TH_LOG(__VA_ARGS__);					\
		TH_LOG("the last operations, GMEM_SEED=%llu:",		\
		       (unsigned long long)ksft_seed());		\
		print_history();					\
	}								\
	ASSERT_TRUE(__right);						\
} while (0)

/* Restart after a signal of io_uring; the mock and KVM do not restart calls themselves. */
#define RESTARTED(call) ({						\
	int __rc = call;						\
									\
	while (__rc == -EINTR)						\
		__rc = call;						\
	__rc;								\
})

static void pick_range(int *first, int *count, int max)
{
	*first = random_below(model.nr);
	*count = 1 + random_below(random_below(4) ? 16 : max);
	if (*count > model.nr - *first)
		*count = model.nr - *first;
}

/*
 * Check the pages of a range without populating any. Of a large range check only some: in
 * the end all pages have been checked.
 */
static void check_contents(int first, int count)
{
	int i, sigbus = 2, one_in = 1 + count / 64;

	for (i = first; i < first + count; i++) {
		if (random_below(one_in))
			continue;
		if (model.page[i].state == PRIVATE ? sigbus-- <= 0 :
						     !model.page[i].populated)
			continue;
		MODEL_CHECK(page_model_agrees(&model.page[i],
					      run.p + i * PAGE),
			    "page %d: state %d tag %#llx expected", i,
			    model.page[i].state,
			    (unsigned long long)model.page[i].tag);
	}
}

/* Check a range that QUERY has reported, from page @i on. Return: the page after it. */
static int check_range(const struct gmem_range *r, int i, int end)
{
	int stop = i + r->length / PAGE, k;
	uint64_t populated = 0;

	MODEL_CHECK(r->offset == i * PAGE && stop > i && stop <= end,
		    "range at page %d: %#llx+%#llx", i,
		    (unsigned long long)r->offset,
		    (unsigned long long)r->length);
	for (k = i; k < stop; k++) {
		MODEL_CHECK(r->state == model.page[k].state &&
			    r->store == file_model_store(&model, k),
			    "page %d: state %u store %u reported, %u %u expected",
			    k, r->state, r->store, model.page[k].state,
			    file_model_store(&model, k));
		populated += model.page[k].populated;
	}
	MODEL_CHECK(r->populated == populated,
		    "pages %d to %d: %llu populated, %llu expected", i,
		    stop - 1, (unsigned long long)r->populated,
		    (unsigned long long)populated);
	return stop;
}

/* QUERY with space for a few ranges at a time. */
static void check_states(int first, int count)
{
	struct gmem_range r[5];
	struct gmem_ioctl_query q = {
		.size = sizeof(q),
		.offset = first * PAGE,
		.length = count * PAGE,
		.ranges = (uintptr_t)r,
	};
	int i = first, end = first + count;
	uint32_t n;

	while (i < end) {
		q.nr_ranges = 1 + random_below(5);
		MODEL_CHECK(!gmem_ioctl(run.fd, GMEM_IOCTL_QUERY, &q) &&
			    q.nr_ranges, "query at page %d", i);
		for (n = 0; n < q.nr_ranges; n++) {
			MODEL_CHECK(!n || r[n].state != r[n - 1].state ||
				    r[n].store != r[n - 1].store,
				    "two ranges that are one at page %d", i);
			i = check_range(&r[n], i, end);
		}
		MODEL_CHECK(q.offset == i * PAGE && q.length == (end - i) * PAGE,
			    "cursor %#llx+%#llx after page %d",
			    (unsigned long long)q.offset,
			    (unsigned long long)q.length, i - 1);
	}
}

static void check_stat(void)
{
	uint64_t private = 0, in_file = 0, in_store = 0, bindings = 0;
	struct gmem_ioctl_stat s;
	int i;

	for (i = 0; i < model.nr; i++) {
		private += model.page[i].state == PRIVATE;
		in_file += file_model_resident(&model, i);
		in_store += model.page[i].populated && !file_model_resident(&model, i);
	}
	for (i = 0; i < MODEL_BOUND; i++)
		bindings += model.bound[i].kind != BOUND_NONE;
	MODEL_CHECK(!gmem_stat(run.fd, &s), "stat fails");
	MODEL_CHECK(s.private_pages == private, "private: %llu, %llu expected",
		    (unsigned long long)s.private_pages,
		    (unsigned long long)private);
	MODEL_CHECK(s.resident_pages == in_file && s.store_pages == in_store,
		    "resident %llu, store %llu; %llu, %llu expected",
		    (unsigned long long)s.resident_pages,
		    (unsigned long long)s.store_pages,
		    (unsigned long long)in_file, (unsigned long long)in_store);
	MODEL_CHECK(s.bindings == bindings, "bindings: %u, %llu expected",
		    s.bindings, (unsigned long long)bindings);
	/*
	 * A conversion that io_uring has interrupted, and the kernel has restarted,
	 * counts twice.
	 */
	MODEL_CHECK(s.to_private == run.to_private &&
		    s.to_shared == run.to_shared &&
		    s.refused >= run.refused && !s.poisoned_pages,
		    "%llu/%llu to private, %llu/%llu to shared, %llu/%llu refused",
		    (unsigned long long)s.to_private,
		    (unsigned long long)run.to_private,
		    (unsigned long long)s.to_shared,
		    (unsigned long long)run.to_shared,
		    (unsigned long long)s.refused,
		    (unsigned long long)run.refused);
}

static void check_range_of(int first, int count)
{
	int before = first ? 1 : 0, after = first + count < model.nr;

	check_states(first - before, count + before + after);
	check_contents(first - before, count + before + after);
}

static void count_convert(const struct verdict *v, uint32_t target)
{
	if (v->rc)
		run.refused++;
	else if (target == PRIVATE)
		run.to_private++;
	else
		run.to_shared++;
	refusals += !!v->rc;
}

static void op_convert(void)
{
	struct gmem_ioctl_convert c = { 0 };
	struct verdict v;
	int first, count;

	pick_range(&first, &count, model.nr);
	c.offset = first * PAGE;
	c.length = count * PAGE;
	c.target = random_below(2);
	c.content = !random_below(4);
	v = file_model_judge_convert(&model, first, count, c.target, c.content, false);
	/* The kernel may have a reference to a page for a moment. */
	c.timeout_ms = v.rc == -EAGAIN ? random_below(3) : WAIT_MS;
	note("convert %d+%d to %u, content %u: %d at %d", first, count,
	     c.target, c.content, v.rc, v.page);
	MODEL_CHECK(gmem_convert_args(run.fd, &c) == v.rc, "errno %d", errno);
	count_convert(&v, c.target);
	if (!v.rc) {
		file_model_convert(&model, first, count, c.target, c.content);
		return check_range_of(first, count);
	}
	MODEL_CHECK(c.error_offset == v.page * PAGE, "error_offset %#llx",
		    (unsigned long long)c.error_offset);
	if (v.rc == -EAGAIN)
		MODEL_CHECK(c.refs_expected == 2 && !c.mapcount &&
			    c.refs_seen >= 2 + v.refs &&
			    !!(c.out_flags & GMEM_CONVERT_OUT_PINNED) == v.pinned,
			    "refs %u of %u, %u held, mapcount %u, flags %#x",
			    c.refs_seen, c.refs_expected, v.refs, c.mapcount,
			    c.out_flags);
	check_range_of(first, count);
}

/* A random binding of a kind, or NULL. */
static struct bound_model *pick_bound(enum bound_kind kind)
{
	struct bound_model *b = &model.bound[random_below(MODEL_BOUND)];

	return b->kind == kind ? b : NULL;
}

static uint64_t gpa_of(int page)
{
	return GPA + page * PAGE;
}

static void op_guest_convert(void)
{
	struct bound_model *b = pick_bound(BOUND_MOCK);
	struct gmem_test_convert c = { 0 };
	struct verdict v;
	int first, count;

	if (!b)
		return;
	first = b->first + random_below(b->count);
	count = 1 + random_below(b->first + b->count - first);
	c.gpa = gpa_of(first);
	c.length = count * PAGE;
	c.target = random_below(2);
	c.content = !random_below(4);
	v = file_model_judge_convert(&model, first, count, c.target, c.content, true);
	c.timeout_ms = v.rc == -EAGAIN ? random_below(3) : WAIT_MS;
	note("guest converts %d+%d to %u, content %u: %d at %d", first, count,
	     c.target, c.content, v.rc, v.page);
	MODEL_CHECK(RESTARTED(mock_convert_args(run.mock, &c)) == v.rc, "errno %d",
		    errno);
	count_convert(&v, c.target);
	if (v.rc)
		MODEL_CHECK(c.error_gpa == gpa_of(v.page), "error_gpa %#llx",
			    (unsigned long long)c.error_gpa);
	else
		file_model_convert(&model, first, count, c.target, c.content);
	check_range_of(first, count);
}

static int guest_write(int page, uint64_t tag)
{
	uint64_t gpa = gpa_of(page);
	int rc = RESTARTED(mock_write(run.mock, gpa, &tag, 8));

	return rc ? rc : RESTARTED(mock_write(run.mock, gpa + PAGE - 8, &tag,
					      8));
}

/* The guest writes or reads, in every state. */
static void op_guest_access(void)
{
	struct bound_model *b = pick_bound(BOUND_MOCK);
	uint64_t tag = gmem_rand(&rng), seen = 0;
	struct page_model *m;
	bool write = tag & 1;
	int page;

	if (!b)
		return;
	page = b->first + random_below(b->count);
	m = &model.page[page];
	note("guest %s page %d", write ? "writes" : "reads", page);
	if (write) {
		m->tag = tag;
		MODEL_CHECK(!guest_write(page, tag), "errno %d", errno);
	}
	page_model_touch(m);
	MODEL_CHECK(!RESTARTED(mock_read(run.mock, gpa_of(page), &seen, 8)) &&
		    seen == m->tag, "the guest reads %#llx, %#llx expected",
		    (unsigned long long)seen, (unsigned long long)m->tag);
	MODEL_CHECK(mock_state(run.mock, gpa_of(page)) == m->state,
		    "another state for the guest");
	check_range_of(page, 1);
}

/* While a look-up is in flight, its page cannot be converted. */
static void op_guest_lookup(void)
{
	struct bound_model *b = pick_bound(BOUND_MOCK);
	uint32_t target;
	int page, id, rc;

	if (!b)
		return;
	page = b->first + random_below(b->count);
	target = !model.page[page].state;
	if (model.consent && target == SHARED)
		return;
	note("page %d is looked up", page);
	id = RESTARTED(mock_hold(run.mock, gpa_of(page), 0, 5000));
	MODEL_CHECK(id > 0, "hold: %d", id);
	page_model_touch(&model.page[page]);
	rc = gmem_convert(run.fd, page * PAGE, PAGE, target, PRESERVE);
	MODEL_CHECK(rc == -EAGAIN, "converted under a look-up: %d", rc);
	run.refused++;
	refusals++;
	MODEL_CHECK(!mock_release(run.mock, id), "release");
	check_range_of(page, 1);
}

static void op_write(void)
{
	uint64_t tag = gmem_rand(&rng);
	int first, count, i;

	pick_range(&first, &count, 20);
	note("write %#llx to %d+%d", (unsigned long long)tag, first, count);
	for (i = first; i < first + count; i++)
		MODEL_CHECK(page_model_write(&model.page[i], run.p + i * PAGE,
					     tag + i), "page %d", i);
	/* Each page gets a different number, so that a mix-up is noticed. */
	check_range_of(first, count);
}

static void op_read(void)
{
	int first, count, i;

	pick_range(&first, &count, 20);
	note("read %d+%d", first, count);
	for (i = first; i < first + count; i++)
		MODEL_CHECK(page_model_agrees(&model.page[i],
					      run.p + i * PAGE), "page %d", i);
}

static void op_commit(void)
{
	int first, count, i;

	pick_range(&first, &count, 64);
	note("commit %d+%d", first, count);
	MODEL_CHECK(!gmem_commit(run.fd, first * PAGE, count * PAGE),
		    "errno %d", errno);
	for (i = first; i < first + count; i++)
		page_model_commit(&model.page[i]);
	check_range_of(first, count);
}

static void op_punch(void)
{
	int first, count;

	pick_range(&first, &count, model.nr);
	note("punch %d+%d", first, count);
	MODEL_CHECK(!gmem_punch(run.fd, first * PAGE, count * PAGE),
		    "errno %d", errno);
	file_model_drop(&model, first, count);
	check_range_of(first, count);
}

static void op_query(void)
{
	int first, count;

	pick_range(&first, &count, model.nr);
	note("query %d+%d", first, count);
	check_states(first, count);
}

static void op_stat(void)
{
	note("stat");
	check_stat();
}

/* Return: the first page from @page on that is, or is not, in the file. */
static int next_resident(int page, bool is)
{
	while (page < model.nr && file_model_resident(&model, page) != is)
		page++;
	return page;
}

static void op_seek(void)
{
	int page = random_below(model.nr), data, hole;
	off_t found;

	note("seek from %d", page);
	data = next_resident(page, true);
	hole = next_resident(page, false);
	found = lseek(run.fd, page * PAGE, SEEK_DATA);
	MODEL_CHECK(data < model.nr ? found == data * (off_t)PAGE :
				      found < 0 && errno == ENXIO,
		    "data at %lld, %d expected", (long long)found, data);
	found = lseek(run.fd, page * PAGE, SEEK_HOLE);
	MODEL_CHECK(found == hole * (off_t)PAGE, "hole at %lld, %d expected",
		    (long long)found, hole);
}

/* Nothing else is mapped there meanwhile, because there is only one thread. */
static void op_map(void)
{
	int first, count;
	uint8_t *p;

	pick_range(&first, &count, model.nr);
	note("map %d+%d anew", first, count);
	p = run.p + first * PAGE;
	if (random_below(2))
		munmap(p, count * PAGE);
	else
		MODEL_CHECK(!madvise(p, count * PAGE, MADV_DONTNEED), "madvise");
	MODEL_CHECK(mmap(p, count * PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, run.fd,
			 first * PAGE) == p, "errno %d", errno);
	check_contents(first, count);
}

static int bind_mock(const struct bound_model *b)
{
	uint32_t flags = random_below(2) * GMEM_TEST_BIND_F_REFS;

	if (b->encrypted)
		flags |= GMEM_TEST_BIND_F_ENCRYPTED;
	return RESTARTED(mock_bind(run.mock, gpa_of(b->first), run.fd,
				   b->first * PAGE, b->count * PAGE, flags));
}

static void op_bind(void)
{
	struct bound_model new = { .kind = random_below(2) ? BOUND_KVM : BOUND_MOCK };
	struct bound_model *b = &model.bound[random_below(MODEL_BOUND)];
	int want, rc;

	pick_range(&new.first, &new.count, model.nr / 2 + 1);
	if (b->kind || (new.kind == BOUND_KVM ? run.kvm : run.mock) < 0 ||
	    file_model_private_held(&model, new.first, new.count))
		return;
	new.encrypted = new.kind == BOUND_MOCK && !random_below(8);
	want = file_model_judge_bind(&model, new.first, new.count);
	note("bind %d+%d to %s: %d", new.first, new.count,
	     new.kind == BOUND_KVM ? "KVM" : "the mock", want);
	if (new.kind == BOUND_KVM)
		rc = gmem_bind(run.fd, new.first * PAGE, new.count * PAGE,
			       run.kvm, new.first * PAGE);
	else
		rc = bind_mock(&new);
	/* If its own slots overlap, the mock fails before it calls gmem. */
	MODEL_CHECK(rc == want || (want == -EBUSY && rc == -EEXIST &&
				   new.kind == BOUND_MOCK), "bind: %d", rc);
	if (!rc)
		*b = new;
	check_range_of(new.first, new.count);
}

/* Drop pages that stay in KVM's file, because it may be bound again. */
static void unbind_kvm(const struct bound_model *b)
{
	int i;

	MODEL_CHECK(!gmem_unbind(run.fd, b->first * PAGE, b->count * PAGE),
		    "errno %d", errno);
	MODEL_CHECK(!gmem_punch(run.kvm, b->first * PAGE, b->count * PAGE),
		    "errno %d", errno);
	for (i = b->first; i < b->first + b->count; i++)
		if (model.page[i].state == PRIVATE)
			file_model_drop(&model, i, 1);
}

static void unbind(struct bound_model *b)
{
	int first = b->first, count = b->count;

	if (b->kind == BOUND_KVM)
		unbind_kvm(b);
	else
		MODEL_CHECK(!RESTARTED(mock_unbind(run.mock,
						   gpa_of(b->first))),
			    "errno %d", errno);
	b->kind = BOUND_NONE;
	check_range_of(first, count);
}

static struct means *means_of(const struct hold_model *h)
{
	return &run.means[h - model.hold];
}

static void hold_drop(struct hold_model *h)
{
	struct means *by = means_of(h);

	if (h->kind == HOLD_PIPE) {
		hold_pipe_drop(&by->pipe);
	} else if (h->kind == HOLD_URING) {
		hold_uring_unregister(&by->uring);
		hold_uring_close(&by->uring);
	} else if (h->kind == HOLD_MOCK) {
		mock_release(run.mock, by->id);
	}
	h->kind = HOLD_NONE;
}

/* The mock releases its holds of a slot with the slot. */
static void op_unbind(void)
{
	struct bound_model *b = &model.bound[random_below(MODEL_BOUND)];
	struct hold_model *h;

	if (!b->kind)
		return;
	note("unbind %d+%d", b->first, b->count);
	for (h = model.hold; h < model.hold + MODEL_HOLDS; h++)
		if (h->kind == HOLD_MOCK && b->kind == BOUND_MOCK &&
		    file_model_bound(&model, h->first) == b)
			hold_drop(h);
	unbind(b);
}

/* Put pages into a pipe, or register them with io_uring, which pins them. */
static int hold_take(struct hold_model *h)
{
	uint8_t *p = run.p + h->first * PAGE;
	int rc;

	if (h->kind == HOLD_PIPE)
		return hold_pipe_take(&means_of(h)->pipe, p, h->count * PAGE);
	rc = hold_uring_open(&means_of(h)->uring);
	if (rc)
		return rc;
	rc = hold_uring_register(&means_of(h)->uring, p, h->count * PAGE);
	if (rc)
		hold_uring_close(&means_of(h)->uring);
	return rc;
}

static void op_hold(void)
{
	struct hold_model *h = &model.hold[random_below(MODEL_HOLDS)];
	bool shared;
	int rc, i;

	if (h->kind)
		return;
	h->first = random_below(model.nr - MODEL_HOLD_PAGES);
	h->count = 1 + random_below(MODEL_HOLD_PAGES);
	if (model.page[h->first].state == PRIVATE)
		h->count = 1;
	shared = file_model_all_shared(&model, h->first, h->count);
	if (!shared && h->count > 1)
		return;
	h->kind = random_below(2) ? HOLD_PIPE : HOLD_URING;
	note("hold %d+%d by %s", h->first, h->count,
	     h->kind == HOLD_PIPE ? "a pipe" : "io_uring");
	rc = hold_take(h);
	/* io_uring may be unavailable, but private pages can never be held. */
	MODEL_CHECK(shared ? !rc || h->kind == HOLD_URING : !!rc, "hold: %d",
		    rc);
	if (rc)
		h->kind = HOLD_NONE;
	for (i = 0; i < h->count; i++) {
		h->live[i] = true;
		model.page[h->first + i].populated |= !rc;
	}
}

/* A hypervisor keeps a reference, which it must not do, in every state. */
static void op_guest_hold(void)
{
	struct hold_model *h = &model.hold[random_below(MODEL_HOLDS)];
	struct bound_model *b = pick_bound(BOUND_MOCK);
	int id;

	if (h->kind || !b)
		return;
	h->first = b->first + random_below(b->count);
	h->count = 1;
	h->live[0] = true;
	note("hold %d by the mock", h->first);
	id = RESTARTED(mock_hold(run.mock, gpa_of(h->first),
				 GMEM_TEST_HOLD_F_REF, GMEM_TEST_DELAY_MAX));
	MODEL_CHECK(id > 0, "hold: %d", id);
	means_of(h)->id = id;
	h->kind = HOLD_MOCK;
	page_model_touch(&model.page[h->first]);
}

static void op_release(void)
{
	struct hold_model *h = &model.hold[random_below(MODEL_HOLDS)];

	if (!h->kind)
		return;
	note("release %d+%d", h->first, h->count);
	hold_drop(h);
}

static const struct {
	void (*fn)(void);
	unsigned int weight;
} operations[] = {
	{ op_convert, 30 },	{ op_guest_convert, 14 }, { op_write, 14 },
	{ op_read, 4 },		{ op_commit, 6 },	{ op_punch, 4 },
	{ op_query, 4 },	{ op_stat, 4 },		{ op_seek, 4 },
	{ op_map, 4 },		{ op_bind, 8 },		{ op_unbind, 2 },
	{ op_hold, 6 },		{ op_guest_hold, 3 },	{ op_release, 7 },
	{ op_guest_access, 14 }, { op_guest_lookup, 1 },
};

static void one_operation(void)
{
	unsigned int i, n, total = 0;

	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		total += operations[i].weight;
	n = random_below(total);
	for (i = 0; n >= operations[i].weight; i++)
		n -= operations[i].weight;
	history[operation % LOG_LINES][0] = '\0';
	operations[i].fn();
	operation++;
}

static void model_create(int kvm, int mock)
{
	uint32_t flags = random_below(2) * GMEM_CREATE_F_INIT_SHARED;
	int i;

	memset(&model, 0, sizeof(model));
	memset(&run, 0, sizeof(run));
	run.kvm = kvm;
	run.mock = mock;
	model.nr = MODEL_HOLD_PAGES + 1 +
		   random_below(MODEL_PAGES - MODEL_HOLD_PAGES);
	model.consent = !random_below(3);
	if (model.consent)
		flags |= GMEM_CREATE_F_GUEST_CONSENT;
	run.fd = test_gmem_create(model.nr * PAGE, flags);
	run.p = test_gmem_map(run.fd, 0, model.nr * PAGE);
	for (i = 0; i < model.nr; i++)
		model.page[i].state = flags & GMEM_CREATE_F_INIT_SHARED ?
					      SHARED : PRIVATE;
}

/* Release everything, check all pages, and free the memory. */
static void model_finish(void)
{
	int i;

	for (i = 0; i < MODEL_HOLDS; i++)
		hold_drop(&model.hold[i]);
	for (i = 0; i < MODEL_BOUND; i++)
		if (model.bound[i].kind)
			unbind(&model.bound[i]);
	check_states(0, model.nr);
	for (i = 0; i < model.nr; i += 32)
		check_contents(i, model.nr - i < 32 ? model.nr - i : 32);
	check_stat();
	MODEL_CHECK(!gmem_convert_wait(run.fd, 0, model.nr * PAGE, PRIVATE,
				       PRESERVE, WAIT_MS), "errno %d", errno);
	run.to_private++;
	file_model_convert(&model, 0, model.nr, PRIVATE, PRESERVE);
	MODEL_CHECK(!gmem_punch(run.fd, 0, model.nr * PAGE), "punch");
	file_model_drop(&model, 0, model.nr);
	check_states(0, model.nr);
	check_stat();
	munmap(run.p, model.nr * PAGE);
	close(run.fd);
}

static int kvm_store(void)
{
	int vm, store;

	if (kvm_store_unavailable())
		return -1;
	vm = kvm_create_vm();
	store = kvm_create_guest_memfd(vm, MODEL_PAGES * PAGE, 0);
	close(vm);
	return store;
}

TEST_TIMEOUT(random_operations, 900)
{
	int kvm = kvm_store(), mock = mock_create();
	unsigned int files = 0;

	rng = ksft_seed();
	while (operation < NR_OPERATIONS) {
		model_create(kvm, mock);
		note("a file of %d pages%s", model.nr,
		     model.consent ? ", with consent" : "");
		do
			one_operation();
		while (operation % FILE_OPERATIONS);
		model_finish();
		files++;
	}
	if (mock >= 0)
		expect_mock_kept(mock);
	TH_LOG("%u operations, %u refused conversions, %u files", operation,
	       refusals, files);
	TH_LOG("%s KVM store, %s mock hypervisor", kvm < 0 ? "no" : "with",
	       mock < 0 ? "no" : "with");
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
