// SPDX-License-Identifier: GPL-2.0
/*
 * gmem's tracepoints exist, and report each change with the inode and the result.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gmem_view.h"
#include "hold.h"
#include "ksft.h"
#include "kvm_utils.h"

#define TRACEFS "/sys/kernel/tracing"
#define INSTANCE TRACEFS "/instances/gmem_test"
#define LENGTH (8 * PAGE)

FIXTURE(trace) {
	int fd;
	uint8_t *p;
	uint64_t ino;
	char *text;
};

static int set_events(const char *value)
{
	return gmem_write_file(INSTANCE "/events/gmem/enable", value);
}

/* A trace instance of its own, so that events are not mixed with those of others. */
FIXTURE_SETUP(trace)
{
	struct stat st;

	if (access(TRACEFS "/events", F_OK))
		SKIP(return, "no tracefs at " TRACEFS);
	rmdir(INSTANCE);
	ASSERT_EQ(0, mkdir(INSTANCE, 0700));
	ASSERT_EQ(0, set_events("1"));
	self->text = malloc(1 << 20);
	ASSERT_TRUE(self->text);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, fstat(self->fd, &st));
	self->ino = st.st_ino;
	self->p = test_gmem_map(self->fd, 0, LENGTH);
}

/* An enabled event would prevent the unloading of the module. */
FIXTURE_TEARDOWN(trace)
{
	EXPECT_EQ(0, set_events("0"));
	EXPECT_EQ(0, rmdir(INSTANCE));
}

/* Number of lines with the event, this inode and the given words. */
static int count_events(struct trace_data *self, const char *event,
			const char *words, bool print)
{
	char want_event[64], want_ino[64], *line, *save;
	int n = 0;

	snprintf(want_event, sizeof(want_event), " %s: ", event);
	snprintf(want_ino, sizeof(want_ino), "ino=%llu ",
		 (unsigned long long)self->ino);
	if (gmem_read_file(INSTANCE "/trace", self->text, 1 << 20) < 0)
		return -1;
	for (line = strtok_r(self->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, want_event))
			continue;
		if (print)
			TH_LOG("seen: %s", line);
		n += strstr(line, want_ino) && strstr(line, words);
	}
	return n;
}

#define expect_events(n, self, event, words) do {			\
	int __events = count_events(self, event, words, false);		\
									\
	EXPECT_EQ(n, __events);						\
	if (__events != (n))						\
		count_events(self, event, words, true);			\
} while (0)

/* Creation, with length and flags. */
TEST_F(trace, create)
{
	expect_events(1, self, "gmem_create", "length=32768 flags=0x1");
}

/* Release of a file's memory. */
TEST_F(trace, release)
{
	munmap(self->p, LENGTH);
	expect_events(0, self, "gmem_release", "");
	close(self->fd);
	expect_events(1, self, "gmem_release", "length=32768");
}

/* Successful and failed page faults. */
TEST_F(trace, fault)
{
	self->p[3 * PAGE] = 1;
	expect_events(1, self, "gmem_fault", "index=3 ret=locked");
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	expect_sigbus(self->p);
	expect_events(2, self, "gmem_fault", "index=0 ret=sigbus");
}

/* Conversions: range, target, content and result. */
TEST_F(trace, convert)
{
	struct hold_pipe hold;

	gmem_fill(self->p, 1, LENGTH);
	test_gmem_convert(self->fd, PAGE, 2 * PAGE, PRIVATE, PRESERVE);
	expect_events(1, self, "gmem_convert",
		      "start=1 end=3 target=private content=preserve rc=0");
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	expect_events(1, self, "gmem_convert",
		      "start=0 end=8 target=shared content=zero rc=0");
	gmem_fill(self->p, 1, LENGTH);
	ASSERT_EQ(0, hold_pipe_take(&hold, self->p + 5 * PAGE, PAGE));
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_events(1, self, "gmem_convert",
		      "rc=-11 error_index=5 refs_seen=3 refs_expected=2");
	hold_pipe_drop(&hold);
	expect_events(3, self, "gmem_convert", "");
}

/* Commit and punch. */
TEST_F(trace, fallocate)
{
	test_gmem_commit(self->fd, PAGE, 3 * PAGE);
	test_gmem_punch(self->fd, 2 * PAGE, PAGE);
	expect_events(1, self, "gmem_commit", "start=1 end=4 rc=0");
	expect_events(1, self, "gmem_punch", "start=2 end=3 rc=0");
}

/* Bind and unbind, and a bind that fails. */
TEST_F(trace, bind)
{
	const char *why = kvm_store_unavailable();
	int vm, store;

	if (why)
		SKIP(return, "%s", why);
	store = test_kvm_store(LENGTH, &vm);
	test_gmem_bind(self->fd, PAGE, 2 * PAGE, store, 4 * PAGE);
	expect_events(1, self, "gmem_bind",
		      "start=1 end=3 store_start=4 rc=0");
	test_err_gmem_bind(EINVAL, self->fd, 4 * PAGE, PAGE, self->fd, 0);
	expect_events(1, self, "gmem_bind",
		      "start=4 end=5 store_start=0 rc=-22");
	test_gmem_unbind(self->fd, PAGE, 2 * PAGE);
	expect_events(1, self, "gmem_unbind", "start=1 end=3");
}

/* Views: the fd, its mappings, populated pages, and pages that a conversion refills. */
TEST_F(trace, view)
{
	const char *why = gmem_view_unavailable();
	char words[64];
	uint8_t *v;
	int view;

	if (why)
		SKIP(return, "%s", why);
	view = test_gmem_view(self->fd, PAGE, 4 * PAGE);
	expect_events(1, self, "gmem_view", "start=1 end=5 open");
	v = test_gmem_view_map(view, 2 * PAGE, 2 * PAGE);
	snprintf(words, sizeof(words), "start=2 end=4 address=0x%lx map",
		 (unsigned long)v);
	expect_events(1, self, "gmem_view_mapping", words);
	ASSERT_EQ(2, gmem_view_populate(view, v, 2 * PAGE, 0));
	expect_events(1, self, "gmem_view_populate",
		      "start=2 end=4 pages=2 rc=0");
	test_gmem_convert(self->fd, 3 * PAGE, PAGE, PRIVATE, PRESERVE);
	expect_events(1, self, "gmem_view_refill", "start=3 end=4 pages=1 rc=0");
	munmap(v, 2 * PAGE);
	snprintf(words, sizeof(words), "start=2 end=4 address=0x%lx unmap",
		 (unsigned long)v);
	expect_events(1, self, "gmem_view_mapping", words);
	expect_events(0, self, "gmem_view", "release");
	close(view);
	expect_events(1, self, "gmem_view", "start=1 end=5 release");
}

/* Without a page fault there is no event. */
TEST_F(trace, view_fault)
{
	const char *why = gmem_view_unavailable();
	struct gmem_ioctl_view_fault fault;
	int rc;

	if (why)
		SKIP(return, "%s", why);
	rc = gmem_view_fault(test_gmem_view(self->fd, 0, PAGE), &fault);
	EXPECT_TRUE(rc == -EAGAIN || rc == -EOPNOTSUPP);
	expect_events(0, self, "gmem_view_fault", "");
	EXPECT_EQ(0, access(TRACEFS "/events/gmem/gmem_view_fault", F_OK));
}

/* A binding that ends because its fd is closed is traced, too. */
TEST_F(trace, unbind_by_close)
{
	const char *why = kvm_store_unavailable();
	int vm, store;

	if (why)
		SKIP(return, "%s", why);
	store = test_kvm_store(LENGTH, &vm);
	test_gmem_bind(self->fd, 0, LENGTH, store, 0);
	munmap(self->p, LENGTH);
	close(self->fd);
	expect_events(1, self, "gmem_unbind", "start=0 end=8");
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
