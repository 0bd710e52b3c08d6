// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_IOCTL_STAT and /sys/kernel/debug/gmem/files: each counter counts exactly what its
 * name says, and both report the same.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gmem_view.h"
#include "hold.h"
#include "ksft.h"
#include "kvm_utils.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define DEBUGFS_FILES "/sys/kernel/debug/gmem/files"

FIXTURE(stat) {
	int fd;
	uint8_t *p;
	struct gmem_ioctl_stat was;
};

FIXTURE_SETUP(stat)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	ASSERT_EQ(0, gmem_pin_cpu(0));
	test_gmem_stat(self->fd, &self->was);
}

FIXTURE_TEARDOWN(stat)
{
	close(self->fd);
}

/* Growth of a counter since the last check. */
#define COUNTER(name) offsetof(struct gmem_ioctl_stat, name)

static void expect_growth(struct stat_data *self, size_t counter, int growth)
{
	struct gmem_ioctl_stat now;
	uint64_t before, after;

	test_gmem_stat(self->fd, &now);
	memcpy(&before, (char *)&self->was + counter, sizeof(before));
	memcpy(&after, (char *)&now + counter, sizeof(after));
	if (before + growth != after)
		TH_LOG("counter at offset %zu", counter);
	EXPECT_EQ(before + growth, after);
	self->was = now;
}

/* A new file: nothing but its size and flags. */
TEST_F(stat, new_file)
{
	EXPECT_EQ(sizeof(self->was), self->was.size);
	EXPECT_EQ(GMEM_CREATE_F_INIT_SHARED, self->was.create_flags);
	EXPECT_EQ(LENGTH, self->was.length);
	EXPECT_EQ(0, self->was.resident_pages);
	EXPECT_EQ(0, self->was.store_pages);
	EXPECT_EQ(0, self->was.private_pages);
	EXPECT_EQ(0, self->was.state_bytes);
	EXPECT_EQ(0, self->was.faults);
	EXPECT_EQ(0, self->was.faults_refused);
	EXPECT_EQ(0, self->was.faults_waited);
	EXPECT_EQ(0, self->was.to_private);
	EXPECT_EQ(0, self->was.to_shared);
	EXPECT_EQ(0, self->was.refused);
	EXPECT_EQ(0, self->was.drains);
	EXPECT_EQ(0, self->was.moved_pages);
	EXPECT_EQ(0, self->was.bindings);
	EXPECT_EQ(0, self->was.poisoned_pages);
	EXPECT_EQ(0, self->was.view_pages);
	EXPECT_EQ(0, self->was.view_refills);
	EXPECT_EQ(0, self->was.view_faults);
	EXPECT_EQ(0, self->was.views);
	EXPECT_EQ(0, self->was.view_mappings);
}

/* faults: one for each new page; none for a mapped page. */
TEST_F(stat, faults)
{
	int i;

	for (i = 0; i < NR_PAGES; i++)
		self->p[i * PAGE] = 1;
	expect_growth(self, COUNTER(faults), NR_PAGES);
	for (i = 0; i < NR_PAGES; i++)
		self->p[i * PAGE] = 2;
	expect_growth(self, COUNTER(faults), 0);
	EXPECT_EQ(NR_PAGES, self->was.resident_pages);
}

/* faults_refused: accesses to private pages and past the end. */
TEST_F(stat, faults_refused)
{
	uint8_t *q = test_gmem_map(self->fd, 0, 2 * LENGTH);

	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	expect_growth(self, COUNTER(faults_refused), 0);
	EXPECT_EQ(SIGBUS, gmem_try_read(self->p, NULL));
	expect_growth(self, COUNTER(faults_refused), 1);
	EXPECT_EQ(SIGBUS, gmem_try_write(self->p, 1));
	expect_growth(self, COUNTER(faults_refused), 1);
	EXPECT_EQ(SIGBUS, gmem_try_read(q + LENGTH, NULL));
	expect_growth(self, COUNTER(faults_refused), 1);
	EXPECT_EQ(0, self->was.faults);
}

/* to_private, to_shared: calls that succeeded. refused: calls that failed. */
TEST_F(stat, conversions)
{
	struct hold_pipe hold;

	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_growth(self, COUNTER(to_private), 1);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	test_gmem_convert(self->fd, PAGE, LENGTH - PAGE, SHARED, ZERO);
	expect_growth(self, COUNTER(to_shared), 2);
	EXPECT_EQ(0, self->was.refused);
	gmem_fill(self->p, 1, PAGE);
	ASSERT_EQ(0, hold_pipe_take(&hold, self->p, PAGE));
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	hold_pipe_drop(&hold);
	expect_growth(self, COUNTER(refused), 1);
	EXPECT_EQ(1, self->was.to_private);
	EXPECT_EQ(2, self->was.to_shared);
}

/* drains: none for pages that were not touched, but one before a refusal. */
TEST_F(stat, drains)
{
	struct hold_pipe hold;

	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_growth(self, COUNTER(drains), 0);
	gmem_fill(self->p, 1, PAGE);
	ASSERT_EQ(0, hold_pipe_take(&hold, self->p, PAGE));
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	hold_pipe_drop(&hold);
	expect_growth(self, COUNTER(drains), 1);
}

/* resident_pages and private_pages follow commit, convert and punch. */
TEST_F(stat, pages)
{
	test_gmem_commit(self->fd, 0, 4 * PAGE);
	expect_growth(self, COUNTER(resident_pages), 4);
	test_gmem_convert(self->fd, 2 * PAGE, 4 * PAGE, PRIVATE, PRESERVE);
	expect_growth(self, COUNTER(private_pages), 4);
	EXPECT_EQ(4, self->was.resident_pages);
	test_gmem_punch(self->fd, PAGE, 2 * PAGE);
	expect_growth(self, COUNTER(private_pages), 0);
	EXPECT_EQ(2, self->was.resident_pages);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	expect_growth(self, COUNTER(private_pages), -4);
	EXPECT_EQ(1, self->was.resident_pages);
	EXPECT_EQ(0, self->was.faults);
}

/* moved_pages counts over several bindings, and stays after them. */
TEST_F(stat, moved_pages)
{
	const char *why = kvm_store_unavailable();
	int vm, store;

	if (why)
		SKIP(return, "%s", why);
	store = test_kvm_store(LENGTH, &vm);
	test_gmem_commit(self->fd, 0, LENGTH);
	test_gmem_bind(self->fd, 0, LENGTH, store, 0);
	test_gmem_convert(self->fd, 0, 3 * PAGE, PRIVATE, PRESERVE);
	expect_growth(self, COUNTER(moved_pages), 3);
	EXPECT_EQ(3, self->was.store_pages);
	EXPECT_EQ(1, self->was.bindings);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_growth(self, COUNTER(moved_pages), 1);
	test_gmem_unbind(self->fd, 0, LENGTH);
	expect_growth(self, COUNTER(moved_pages), 0);
	EXPECT_EQ(0, self->was.store_pages);
	EXPECT_EQ(0, self->was.bindings);
	test_gmem_bind(self->fd, 4 * PAGE, 4 * PAGE, store, 4 * PAGE);
	test_gmem_convert(self->fd, 4 * PAGE, PAGE, PRIVATE, PRESERVE);
	expect_growth(self, COUNTER(moved_pages), 1);
}

static void expect_views(struct stat_data *self, unsigned int views,
			 unsigned int mappings)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(views, stat.views);
	EXPECT_EQ(mappings, stat.view_mappings);
}

/* views and view_mappings: current numbers, until the last one is closed. */
TEST_F(stat, views)
{
	const char *why = gmem_view_unavailable();
	uint8_t *v, *w;
	int view;

	if (why)
		SKIP(return, "%s", why);
	view = test_gmem_view(self->fd, 0, LENGTH);
	expect_views(self, 1, 0);
	v = test_gmem_view_map(view, 0, LENGTH);
	w = test_gmem_view_map(view, PAGE, PAGE);
	expect_views(self, 1, 2);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, PAGE, LENGTH));
	expect_views(self, 1, 2);
	close(view);
	expect_views(self, 1, 2);
	munmap(w, PAGE);
	expect_views(self, 1, 1);
	view = test_gmem_view(self->fd, PAGE, PAGE);
	expect_views(self, 2, 1);
	munmap(v, LENGTH);
	expect_views(self, 1, 0);
	close(view);
	expect_views(self, 0, 0);
}

/* view_pages: entries that were set. view_refills: entries that CONVERT has set. */
TEST_F(stat, view_pages)
{
	const char *why = gmem_view_unavailable();
	uint8_t *v;
	int view;

	if (why)
		SKIP(return, "%s", why);
	view = test_gmem_view(self->fd, 0, LENGTH);
	v = test_gmem_view_map(view, 0, LENGTH);
	ASSERT_EQ(2, gmem_view_populate(view, v, 2 * PAGE, 0));
	expect_growth(self, COUNTER(view_pages), 2);
	ASSERT_EQ(0, gmem_view_populate(view, v, LENGTH, NOALLOC));
	expect_growth(self, COUNTER(view_pages), 0);
	EXPECT_EQ(0, self->was.view_refills);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_growth(self, COUNTER(view_refills), 2);
	EXPECT_EQ(4, self->was.view_pages);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_growth(self, COUNTER(view_refills), 1);
	/* After ZERO there is nothing to refill. */
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	expect_growth(self, COUNTER(view_refills), 1);
	EXPECT_EQ(6, self->was.view_pages);
	/* No vCPU has run. */
	EXPECT_EQ(0, self->was.view_faults);
	munmap(v, LENGTH);
	close(view);
	expect_growth(self, COUNTER(view_pages), 0);
}

/* Counters belong to the memory, not to the fd that is used. */
TEST_F(stat, through_another_fd)
{
	struct gmem_ioctl_stat stat;
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	again = open(path, O_RDWR);
	ASSERT_GE(again, 0);
	self->p[0] = 1;
	test_gmem_convert(again, 0, PAGE, PRIVATE, PRESERVE);
	test_gmem_stat(self->fd, &self->was);
	test_gmem_stat(again, &stat);
	EXPECT_EQ(0, memcmp(&stat, &self->was, sizeof(stat)));
	EXPECT_EQ(1, stat.to_private);
}

/* The line of an inode in /sys/kernel/debug/gmem/files, or an empty string. */
static void debugfs_line(uint64_t ino, char *line, size_t size)
{
	FILE *f = fopen(DEBUGFS_FILES, "r");
	bool found = false;

	while (f && !found && fgets(line, size, f))
		found = strtoull(line, NULL, 10) == ino && line[0] != 'i';
	if (!found)
		line[0] = '\0';
	if (f)
		fclose(f);
}

/* Return: the value in the named column. */
static uint64_t debugfs_column(const char *line, const char *name)
{
	char head[1024], *word, *save, *cells = strdup(line), *cell;
	FILE *f = fopen(DEBUGFS_FILES, "r");
	int column = 0;

	if (!f || !fgets(head, sizeof(head), f))
		return ~0ULL;
	fclose(f);
	for (word = strtok_r(head, "\t\n", &save); word && strcmp(word, name);
	     word = strtok_r(NULL, "\t\n", &save))
		column++;
	cell = strtok_r(cells, "\t\n", &save);
	while (cell && column--)
		cell = strtok_r(NULL, "\t\n", &save);
	column = !word || !cell;
	return column ? ~0ULL : strtoull(cell, NULL, 10);
}

/* debugfs lists a live file with the same numbers, and removes it at the end. */
TEST_F(stat, debugfs)
{
	char line[1024];
	struct stat st;

	if (access(DEBUGFS_FILES, F_OK))
		SKIP(return, "no " DEBUGFS_FILES);
	gmem_fill(self->p, 1, 3 * PAGE);
	test_gmem_convert(self->fd, PAGE, PAGE, PRIVATE, PRESERVE);
	gmem_try_read(self->p + PAGE, NULL);
	test_gmem_stat(self->fd, &self->was);
	ASSERT_EQ(0, fstat(self->fd, &st));
	debugfs_line(st.st_ino, line, sizeof(line));
	EXPECT_EQ(st.st_ino, debugfs_column(line, "ino"));
	EXPECT_EQ(LENGTH, debugfs_column(line, "length"));
	EXPECT_EQ(1, debugfs_column(line, "private"));
	EXPECT_EQ(3, debugfs_column(line, "resident"));
	EXPECT_EQ(self->was.state_bytes, debugfs_column(line, "state_bytes"));
	EXPECT_EQ(self->was.faults, debugfs_column(line, "faults"));
	EXPECT_EQ(1, debugfs_column(line, "refused_faults"));
	EXPECT_EQ(1, debugfs_column(line, "to_private"));
	EXPECT_EQ(0, debugfs_column(line, "to_shared"));
	EXPECT_EQ(0, debugfs_column(line, "bindings"));
	EXPECT_EQ(0, debugfs_column(line, "views"));
	EXPECT_EQ(0, debugfs_column(line, "view_mappings"));
	EXPECT_EQ(0, debugfs_column(line, "view_pages"));
	EXPECT_EQ(0, debugfs_column(line, "view_refills"));
	EXPECT_EQ(0, debugfs_column(line, "view_faults"));
	munmap(self->p, LENGTH);
	close(self->fd);
	debugfs_line(st.st_ino, line, sizeof(line));
	EXPECT_STREQ(line, "");
}

/* The same for views. */
TEST_F(stat, debugfs_views)
{
	const char *why = gmem_view_unavailable();
	char line[1024];
	struct stat st;
	uint8_t *v;
	int view;

	if (why)
		SKIP(return, "%s", why);
	if (access(DEBUGFS_FILES, F_OK))
		SKIP(return, "no " DEBUGFS_FILES);
	view = test_gmem_view(self->fd, 0, LENGTH);
	v = test_gmem_view_map(view, 0, LENGTH);
	ASSERT_GE(test_gmem_view(self->fd, 0, PAGE), 0);
	ASSERT_EQ(3, gmem_view_populate(view, v, 3 * PAGE, 0));
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, fstat(self->fd, &st));
	debugfs_line(st.st_ino, line, sizeof(line));
	EXPECT_EQ(2, debugfs_column(line, "views"));
	EXPECT_EQ(1, debugfs_column(line, "view_mappings"));
	EXPECT_EQ(4, debugfs_column(line, "view_pages"));
	EXPECT_EQ(1, debugfs_column(line, "view_refills"));
	EXPECT_EQ(0, debugfs_column(line, "view_faults"));
}

/* Read the list while files are created and closed. */
static void *churn_main(void *arg)
{
	volatile bool *stop = arg;
	int fd;

	while (!*stop) {
		fd = gmem_create(LENGTH, 0);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

TEST_F(stat, debugfs_churn)
{
	struct gmem_task task = { 0 };
	volatile bool stop = false;
	char line[1024];
	struct stat st;
	int i;

	if (access(DEBUGFS_FILES, F_OK))
		SKIP(return, "no " DEBUGFS_FILES);
	ASSERT_EQ(0, fstat(self->fd, &st));
	ASSERT_EQ(0, gmem_task_start(&task, 1, churn_main, (void *)&stop));
	for (i = 0; i < 100; i++) {
		debugfs_line(st.st_ino, line, sizeof(line));
		EXPECT_EQ(LENGTH, debugfs_column(line, "length"));
	}
	stop = true;
	gmem_task_join(&task);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
