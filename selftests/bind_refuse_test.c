// SPDX-License-Identifier: GPL-2.0
/*
 * BIND and UNBIND refuse files that are not a guest_memfd, whatever their name is, ranges
 * that do not fit, and ranges that are bound already.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "kvm_utils.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(refuse) {
	int vm;
	int store;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(refuse)
{
	const char *why = kvm_store_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->store = test_kvm_store(LENGTH, &self->vm);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
}

/* After each refused call the range can still be bound and converted. */
FIXTURE_TEARDOWN(refuse)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.bindings);
	EXPECT_EQ(0, stat.moved_pages);
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
	close(self->fd);
}

/* Files that are not a guest_memfd; two of them have the name of one. */
TEST_F(refuse, not_a_guest_memfd)
{
	static const char named[] = "/tmp/[kvm-gmem]";
	int sv[2], fds[2], files[16], n = 0, i;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, pipe(fds));
	files[n++] = memfd_create("x", 0);
	files[n++] = memfd_create("[kvm-gmem]", 0);
	files[n++] = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	files[n++] = open(named, O_RDWR | O_CREAT, 0600);
	files[n++] = open("/dev/null", O_RDWR);
	files[n++] = open("/dev/zero", O_RDWR);
	files[n++] = open("/dev/kvm", O_RDWR);
	files[n++] = open("/tmp", O_RDONLY | O_DIRECTORY);
	files[n++] = gmem_open_dev();
	files[n++] = test_gmem_create(LENGTH, 0);
	files[n++] = self->fd;
	files[n++] = self->vm;
	files[n++] = sv[0];
	files[n++] = fds[1];
	files[n++] = eventfd(0, 0);
	files[n++] = epoll_create1(0);
	ASSERT_EQ(0, ftruncate(files[0], LENGTH));
	ASSERT_EQ(0, ftruncate(files[1], LENGTH));
	ASSERT_EQ(0, ftruncate(files[2], LENGTH));
	ASSERT_EQ(0, ftruncate(files[3], LENGTH));
	for (i = 0; i < n; i++) {
		ASSERT_GE(files[i], 0);
		test_err_gmem_bind(EINVAL, self->fd, 0, LENGTH, files[i], 0);
	}
	unlink(named);
}

/* A closed fd, and one that is only a path. */
TEST_F(refuse, not_open)
{
	test_err_gmem_bind(EBADF, self->fd, 0, LENGTH, -1, 0);
	test_err_gmem_bind(EBADF, self->fd, 0, LENGTH, 1000, 0);
	test_err_gmem_bind(EBADF, self->fd, 0, LENGTH, open("/tmp", O_PATH), 0);
}

/* A guest_memfd that can be mapped is refused: it would show private pages to the host. */
TEST_F(refuse, mappable_guest_memfd)
{
	int flags = kvm_check_vm(self->vm, KVM_CAP_GUEST_MEMFD_FLAGS);
	int store;

	if (flags <= 0 || !(flags & GUEST_MEMFD_FLAG_MMAP))
		SKIP(return, KSFT_BY_DESIGN " no GUEST_MEMFD_FLAG_MMAP");
	store = kvm_create_guest_memfd(self->vm, LENGTH, GUEST_MEMFD_FLAG_MMAP);
	ASSERT_GE(store, 0);
	test_err_gmem_bind(EOPNOTSUPP, self->fd, 0, LENGTH, store, 0);
}

/* A guest_memfd cannot be opened again, so no read-only fd of it exists. */
TEST_F(refuse, read_only)
{
	char path[64];
	int ro;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->store);
	ro = open(path, O_RDONLY);
	if (ro < 0)
		SKIP(return, KSFT_BY_DESIGN " guest_memfds cannot be reopened");
	test_err_gmem_bind(EBADF, self->fd, 0, LENGTH, ro, 0);
}

/* Ranges that end outside of either fd. */
TEST_F(refuse, outside)
{
	test_err_gmem_bind(EINVAL, self->fd, LENGTH, PAGE, self->store, 0);
	test_err_gmem_bind(EINVAL, self->fd, PAGE, LENGTH, self->store, 0);
	test_err_gmem_bind(EINVAL, self->fd, 0, PAGE, self->store, LENGTH);
	test_err_gmem_bind(EINVAL, self->fd, 0, LENGTH, self->store, PAGE);
	test_err_gmem_bind(EINVAL, self->fd, 0, 2 * PAGE, self->store,
			   LENGTH - PAGE);
	test_err_gmem_bind(EINVAL, self->fd, 0, PAGE, self->store, 1ULL << 44);
	test_err_gmem_bind(EINVAL, self->fd, 0, PAGE, self->store, 1ULL << 63);
	test_err_gmem_bind(EOVERFLOW, self->fd, 0, PAGE, self->store, -PAGE);
	test_err_gmem_bind(EOVERFLOW, self->fd, -PAGE, PAGE, self->store, 0);
}

/* Offsets and lengths that are not multiples of the page size, and length 0. */
TEST_F(refuse, unaligned)
{
	uint64_t off;

	for (off = 1; off < PAGE; off = off * 3 + 1) {
		test_err_gmem_bind(EINVAL, self->fd, 0, PAGE, self->store, off);
		test_err_gmem_bind(EINVAL, self->fd, off, PAGE, self->store, 0);
		test_err_gmem_bind(EINVAL, self->fd, 0, off, self->store, 0);
	}
	test_err_gmem_bind(EINVAL, self->fd, 0, 0, self->store, 0);
}

/* A page of a gmem fd cannot be bound twice, not even to another store. */
TEST_F(refuse, overlap_in_gmem)
{
	static const struct { int first, count; } bad[] = {
		{ 4, 4 }, { 5, 2 }, { 4, 1 }, { 7, 1 }, { 0, 16 }, { 2, 3 },
		{ 7, 4 },
	};
	int other = kvm_create_guest_memfd(self->vm, LENGTH, 0);
	size_t i;

	test_gmem_bind(self->fd, 4 * PAGE, 4 * PAGE, self->store, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		test_err_gmem_bind(EBUSY, self->fd, bad[i].first * PAGE,
				   bad[i].count * PAGE, other, 0);
	test_gmem_bind(self->fd, 3 * PAGE, PAGE, other, 0);
	test_gmem_bind(self->fd, 8 * PAGE, PAGE, other, PAGE);
	test_gmem_unbind(self->fd, 3 * PAGE, PAGE);
	test_gmem_unbind(self->fd, 8 * PAGE, PAGE);
	test_gmem_unbind(self->fd, 4 * PAGE, 4 * PAGE);
}

/* A page of a store cannot be bound twice, by any gmem fd. */
TEST_F(refuse, overlap_in_store)
{
	static const struct { int first, count; } bad[] = {
		{ 4, 4 }, { 5, 2 }, { 0, 16 }, { 2, 3 }, { 7, 4 }, { 4, 1 },
	};
	int other = test_gmem_create(LENGTH, 0);
	size_t i;

	test_gmem_bind(self->fd, 12 * PAGE, 4 * PAGE, self->store, 4 * PAGE);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_err_gmem_bind(EBUSY, other, 0, bad[i].count * PAGE,
				   self->store, bad[i].first * PAGE);
		if (bad[i].count <= 12)
			test_err_gmem_bind(EBUSY, self->fd, 0,
					   bad[i].count * PAGE, self->store,
					   bad[i].first * PAGE);
	}
	test_gmem_bind(other, 0, 4 * PAGE, self->store, 0);
	test_gmem_bind(other, 4 * PAGE, 4 * PAGE, self->store, 8 * PAGE);
	/* A binding ends with UNBIND, and with its gmem fd. */
	test_gmem_unbind(self->fd, 12 * PAGE, 4 * PAGE);
	test_gmem_bind(other, 8 * PAGE, 4 * PAGE, self->store, 4 * PAGE);
	close(other);
}

/* UNBIND needs the exact range of a binding. */
TEST_F(refuse, unbind_other_ranges)
{
	test_err_gmem_unbind(ENOENT, self->fd, 0, LENGTH);
	test_gmem_bind(self->fd, 4 * PAGE, 4 * PAGE, self->store, 0);
	test_err_gmem_unbind(ENOENT, self->fd, 0, LENGTH);
	test_err_gmem_unbind(ENOENT, self->fd, 4 * PAGE, PAGE);
	test_err_gmem_unbind(ENOENT, self->fd, 4 * PAGE, 5 * PAGE);
	test_err_gmem_unbind(ENOENT, self->fd, 3 * PAGE, 5 * PAGE);
	test_err_gmem_unbind(ENOENT, self->fd, 5 * PAGE, 3 * PAGE);
	test_err_gmem_unbind(EINVAL, self->fd, 4 * PAGE + 1, 4 * PAGE);
	test_gmem_unbind(self->fd, 4 * PAGE, 4 * PAGE);
	test_err_gmem_unbind(ENOENT, self->fd, 4 * PAGE, 4 * PAGE);
}

/* Two threads bind and unbind the same pages again and again. BIND fails with EBUSY only. */
struct rival {
	struct refuse_data *self;
	int wins;
	int other_errors;
};

static void *rival_main(void *arg)
{
	struct rival *r = arg;
	int i, rc;

	for (i = 0; i < 300; i++) {
		rc = gmem_bind(r->self->fd, 0, LENGTH, r->self->store, 0);
		if (!rc && !gmem_unbind(r->self->fd, 0, LENGTH))
			r->wins++;
		else if (rc != -EBUSY)
			r->other_errors++;
	}
	return NULL;
}

TEST_F(refuse, rivals)
{
	struct rival a = { .self = self }, b = { .self = self };
	struct gmem_task ta = { 0 }, tb = { 0 };

	ASSERT_EQ(0, gmem_task_start(&ta, 0, rival_main, &a));
	ASSERT_EQ(0, gmem_task_start(&tb, 1, rival_main, &b));
	gmem_task_join(&ta);
	gmem_task_join(&tb);
	EXPECT_GT(a.wins + b.wins, 0);
	EXPECT_EQ(0, a.other_errors + b.other_errors);
}

/* QUERY and STAT in another thread never make UNBIND, or the next BIND, fail. */
struct looker {
	int fd;
	volatile bool stop;
};

static void *looker_main(void *arg)
{
	struct looker *l = arg;
	struct gmem_ioctl_stat stat;

	while (!l->stop) {
		gmem_stat(l->fd, &stat);
		gmem_populated(l->fd, 0, LENGTH);
	}
	return NULL;
}

TEST_F(refuse, rebind_while_queried)
{
	struct looker l = { .fd = self->fd };
	struct gmem_task task = { 0 };
	int i, refused = 0;

	ASSERT_EQ(0, gmem_task_start(&task, 1, looker_main, &l));
	for (i = 0; i < 500; i++) {
		refused += !!gmem_bind(self->fd, 0, LENGTH, self->store, 0);
		refused += !!gmem_unbind(self->fd, 0, LENGTH);
	}
	l.stop = true;
	gmem_task_join(&task);
	EXPECT_EQ(0, refused);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
