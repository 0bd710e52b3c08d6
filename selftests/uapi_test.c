// SPDX-License-Identifier: GPL-2.0
/*
 * No field of an ioctl accepts a value that the header excludes, all sizes and pointers
 * are checked, and a refused call changes nothing.
 *
 * Each ioctl is described by a call that works; every case changes one or two fields of
 * it. After each refused call contents, states and open files are compared with those
 * before.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_view.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "uapi_cases.h"

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Open a view, if views are supported, without populating it. */
static int open_view(int fd)
{
	uint8_t *v = (uint8_t *)VIEW_ADDRESS;
	int view;

	if (gmem_view_unavailable())
		return -1;
	view = test_gmem_view(fd, 0, VIEW_LENGTH);
	ASSERT_EQ(v, mmap(v, VIEW_LENGTH, PROT_NONE,
			  MAP_SHARED | MAP_FIXED_NOREPLACE, view, 0));
	return view;
}

FIXTURE_SETUP(uapi)
{
	int i;

	self->dev = gmem_open_dev();
	ASSERT_GE(self->dev, 0);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->map = test_gmem_map(self->fd, 0, LENGTH);
	for (i = 0; i < NR_PAGES; i++)
		gmem_fill(self->map + i * PAGE, 0x10 + i, PAGE);
	test_gmem_convert(self->fd, 2 * PAGE, 2 * PAGE, PRIVATE, PRESERVE);
	self->vm = -1;
	self->store = -1;
	if (!kvm_store_unavailable()) {
		self->vm = kvm_create_vm();
		self->store = kvm_create_guest_memfd(self->vm, LENGTH, 0);
	}
	self->view = open_view(self->fd);
	self->guard = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->guard);
	ASSERT_EQ(0, mprotect(self->guard + PAGE, PAGE, PROT_NONE));
	self->ranges = calloc(GMEM_QUERY_MAX_RANGES, sizeof(*self->ranges));
	ASSERT_TRUE(self->ranges);
	self->nr_before = gmem_query_all(self->fd, self->before, NR_PAGES);
	ASSERT_EQ(3, self->nr_before);
	test_gmem_stat(self->fd, &self->stat);
	self->fds = open_fds();
}

FIXTURE_TEARDOWN(uapi)
{
	close(self->fd);
	close(self->dev);
}

/* Nothing has changed since the fixture was set up. */
static void expect_unchanged(struct uapi_data *self, const char *what)
{
	struct gmem_range now[NR_PAGES];
	struct gmem_ioctl_stat stat;
	int i, wrong = 0;

	wrong |= gmem_query_all(self->fd, now, NR_PAGES) != self->nr_before ||
		memcmp(now, self->before, self->nr_before * sizeof(now[0]));
	wrong |= gmem_stat(self->fd, &stat) ||
		stat.private_pages != self->stat.private_pages ||
		stat.resident_pages != self->stat.resident_pages ||
		stat.store_pages != self->stat.store_pages ||
		stat.to_private != self->stat.to_private ||
		stat.to_shared != self->stat.to_shared ||
		stat.bindings != self->stat.bindings ||
		stat.views != self->stat.views ||
		stat.view_mappings != self->stat.view_mappings ||
		stat.view_pages != self->stat.view_pages;
	for (i = 0; i < NR_PAGES; i++)
		if (self->map && i != 2 && i != 3)
			wrong |= gmem_differs(self->map + i * PAGE, 0x10 + i,
					      PAGE) != PAGE;
	wrong |= open_fds() != self->fds;
	if (wrong)
		TH_LOG("%s: changed something", what);
	EXPECT_FALSE(wrong);
}

static const struct uapi_ioctl *ioctls_end(const struct uapi_data *self)
{
	return ioctls + NR_IOCTLS - (self->view < 0 ? NR_VIEW_IOCTLS : 0);
}

#define for_each_ioctl(io)						\
	for (io = ioctls; io < ioctls_end(self); io++)

static int target_fd(struct uapi_data *self, enum uapi_target target)
{
	const int fds[] = {
		[ON_DEV] = self->dev,
		[ON_GMEM] = self->fd,
		[ON_VIEW] = self->view,
	};

	return fds[target];
}

/* The result of the call that works. No vCPU has run. */
static int valid_result(const struct uapi_ioctl *io)
{
	struct gmem_ioctl_info info;

	if (io->cmd != GMEM_IOCTL_VIEW_FAULT || gmem_info(&info))
		return 0;
	return info.features & GMEM_FEATURE_VIEW_FAULT ? -EAGAIN : -EOPNOTSUPP;
}

/* Close the fd that a call has returned. */
static void close_result(const struct uapi_ioctl *io, const void *arg)
{
	if (io->cmd == GMEM_IOCTL_CREATE)
		close(((const struct gmem_ioctl_create *)arg)->out_fd);
	if (io->cmd == GMEM_IOCTL_VIEW)
		close(((const struct gmem_ioctl_view *)arg)->out_fd);
}

static void valid_call(struct uapi_data *self, const struct uapi_ioctl *io,
		       uint8_t *arg)
{
	uint32_t size = io->size;

	memset(arg, 0, MAX_STRUCT);
	io->valid(self, arg);
	memcpy(arg, &size, sizeof(size));
}

/* The call must fail with err and change nothing. */
static void expect_refused(struct uapi_data *self, const struct uapi_ioctl *io,
			   void *arg, int err, const char *what, int detail)
{
	int rc = gmem_ioctl(target_fd(self, io->target), io->cmd, arg);

	if (rc != -err)
		TH_LOG("%s: %s (%d): %d, expected %d", io->name, what, detail,
		       rc, -err);
	EXPECT_EQ(-err, rc);
	expect_unchanged(self, what);
}

/* Without gmem_kvm the store's fd is not checked. */
static int expected_error(const struct uapi_case *c)
{
	struct gmem_ioctl_info info;
	int err = c->err;

	if (err == EBADF && !gmem_info(&info) &&
	    !(info.features & GMEM_FEATURE_STORE_KVM))
		err = EOPNOTSUPP;
	return err;
}

/* Each field with each value that the header excludes. */
TEST_F(uapi, fields)
{
	const struct uapi_ioctl *io;
	const struct uapi_case *c;
	uint8_t arg[MAX_STRUCT];
	int i;

	for_each_ioctl(io) {
		for (c = io->cases; c->what; c++) {
			valid_call(self, io, arg);
			for (i = 0; i < 2; i++)
				memcpy(arg + c->set[i].offset, &c->set[i].value,
				       c->set[i].width);
			expect_refused(self, io, arg, expected_error(c), c->what,
				       0);
		}
	}
}

/* Each bit of each reserved member, and each unknown bit of each flags member. */
TEST_F(uapi, reserved_and_flags)
{
	const struct uapi_ioctl *io;
	const struct uapi_zero *z;
	uint8_t arg[MAX_STRUCT];
	int bit;

	for_each_ioctl(io) {
		for (z = io->zeros; z->length; z++) {
			for (bit = 0; bit < z->length * 8; bit++) {
				if (bit < 64 && z->allowed >> bit & 1)
					continue;
				valid_call(self, io, arg);
				arg[z->offset + bit / 8] |= 1 << bit % 8;
				expect_refused(self, io, arg, EINVAL,
					       "bit that must be zero",
					       z->offset * 8 + bit);
			}
		}
	}
}

/* Sizes below the first version, and unknown tails that are not zero. */
TEST_F(uapi, sizes)
{
	static const uint32_t over[] = { PAGE + 1, PAGE + 8, 1U << 16,
					 1U << 31, UINT32_MAX };
	uint8_t *arg = self->guard;
	const struct uapi_ioctl *io;
	uint32_t size;
	size_t i;

	for_each_ioctl(io) {
		for (size = 0; size < io->min_size; size++) {
			valid_call(self, io, arg);
			memcpy(arg, &size, sizeof(size));
			expect_refused(self, io, arg, EINVAL, "small size",
				       size);
		}
		for (i = io->size; i < PAGE; i += i < io->size + 16 ? 1 : 509) {
			memset(arg, 0, PAGE);
			valid_call(self, io, arg);
			size = PAGE;
			memcpy(arg, &size, sizeof(size));
			arg[i] = 1;
			expect_refused(self, io, arg, E2BIG, "tail byte", i);
			arg[i] = 0;
		}
		for (i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
			valid_call(self, io, arg);
			memcpy(arg, &over[i], sizeof(over[i]));
			expect_refused(self, io, arg, E2BIG, "size over a page",
				       over[i]);
		}
	}
}

/* A larger structure whose tail is zero works, and its tail is not written. */
TEST_F(uapi, larger_zero_tail)
{
	static const uint32_t extra[] = { 1, 8, 64, 1024 };
	uint8_t *arg = self->guard;
	const struct uapi_ioctl *io;
	uint32_t size;
	size_t i;

	for_each_ioctl(io) {
		if (io->cmd == GMEM_IOCTL_UNBIND ||
		    (io->cmd == GMEM_IOCTL_BIND && self->store < 0))
			continue;
		for (i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
			memset(arg, 0, PAGE);
			valid_call(self, io, arg);
			size = io->size + extra[i];
			memcpy(arg, &size, sizeof(size));
			memset(arg + size, 0xc5, PAGE - size);
			EXPECT_EQ(valid_result(io),
				  gmem_ioctl(target_fd(self, io->target),
					     io->cmd, arg));
			expect_bytes(0, arg + io->size, extra[i]);
			expect_bytes(0xc5, arg + size, PAGE - size);
			close_result(io, arg);
			if (io->cmd == GMEM_IOCTL_BIND)
				test_gmem_unbind(self->fd, 4 * PAGE, PAGE);
		}
	}
}

/* The kernel does not access memory after a structure of the known size. */
TEST_F(uapi, nothing_behind_the_struct)
{
	const struct uapi_ioctl *io;
	uint8_t *arg;

	for_each_ioctl(io) {
		if (io->cmd == GMEM_IOCTL_UNBIND || io->cmd == GMEM_IOCTL_BIND)
			continue;
		arg = self->guard + PAGE - io->size;
		{
			uint8_t tmp[MAX_STRUCT];

			valid_call(self, io, tmp);
			memcpy(arg, tmp, io->size);
		}
		EXPECT_EQ(valid_result(io),
			  gmem_ioctl(target_fd(self, io->target), io->cmd, arg));
		close_result(io, arg);
	}
}

/* NULL, kernel and unmapped addresses, and structures that end in a hole. */
TEST_F(uapi, pointers)
{
	void *bad[] = { NULL, (void *)8, self->guard + PAGE,
			(void *)0xffffffff81000000UL, (void *)-8L,
			(void *)(1UL << 63), (void *)0x7ffffffff000UL };
	const struct uapi_ioctl *io;
	uint8_t arg[MAX_STRUCT];
	size_t i, cut;

	for_each_ioctl(io) {
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			expect_refused(self, io, bad[i], EFAULT, "pointer", i);
		for (cut = 1; cut < io->size; cut++) {
			valid_call(self, io, arg);
			memcpy(self->guard + PAGE - cut, arg, cut);
			expect_refused(self, io, self->guard + PAGE - cut,
				       EFAULT, "struct cut off", cut);
		}
	}
}

/* A larger structure whose tail is in a hole. */
TEST_F(uapi, tail_in_a_hole)
{
	const struct uapi_ioctl *io;
	uint8_t arg[MAX_STRUCT];
	uint32_t size;

	for_each_ioctl(io) {
		valid_call(self, io, arg);
		size = io->size + 8;
		memcpy(arg, &size, sizeof(size));
		memcpy(self->guard + PAGE - io->size, arg, io->size);
		expect_refused(self, io, self->guard + PAGE - io->size, EFAULT,
			       "tail in a hole", 0);
	}
}

/* Outputs cannot be written: no fd is created, and CONVERT does all or nothing. */
TEST_F(uapi, read_only_struct)
{
	const struct uapi_ioctl *io;
	int rc;

	for_each_ioctl(io) {
		if (io->cmd == GMEM_IOCTL_UNBIND || io->cmd == GMEM_IOCTL_BIND ||
		    valid_result(io))
			continue;
		valid_call(self, io, self->guard);
		ASSERT_EQ(0, mprotect(self->guard, PAGE, PROT_READ));
		rc = gmem_ioctl(target_fd(self, io->target), io->cmd, self->guard);
		ASSERT_EQ(0, mprotect(self->guard, PAGE,
				      PROT_READ | PROT_WRITE));
		if (io->cmd == GMEM_IOCTL_CONVERT && !rc) {
			expect_state(PRIVATE, self->fd, 5 * PAGE);
			test_gmem_convert(self->fd, 5 * PAGE, PAGE, SHARED,
					  PRESERVE);
		} else {
			EXPECT_EQ(-EFAULT, rc);
		}
		/* CONVERT may have succeeded, and POPULATE has. */
		if (io->cmd == GMEM_IOCTL_CONVERT || io->target == ON_VIEW)
			test_gmem_stat(self->fd, &self->stat);
		expect_unchanged(self, io->name);
	}
}

/* The array of QUERY: unmapped, read-only, and partly unmapped. */
TEST_F(uapi, query_array)
{
	struct gmem_ioctl_query q;
	uint8_t arg[MAX_STRUCT];
	const struct uapi_ioctl *io = &ioctls[3];

	ASSERT_EQ(GMEM_IOCTL_QUERY, io->cmd);
	valid_call(self, io, arg);
	memcpy(&q, arg, sizeof(q));
	q.ranges = (uintptr_t)(self->guard + PAGE);
	expect_refused(self, io, &q, EFAULT, "array unmapped", 0);
	q.ranges = (uintptr_t)(self->guard + PAGE - sizeof(struct gmem_range));
	expect_refused(self, io, &q, EFAULT, "second entry unmapped", 0);
	q.ranges -= 8;
	q.ranges += 16;
	expect_refused(self, io, &q, EFAULT, "first entry cut off", 0);
	ASSERT_EQ(0, mprotect(self->guard, PAGE, PROT_READ));
	q.ranges = (uintptr_t)self->guard;
	expect_refused(self, io, &q, EFAULT, "array read-only", 0);
}

/* The largest array is accepted, and outputs are ignored as inputs. */
TEST_F(uapi, limits_that_work)
{
	struct gmem_ioctl_query q = {
		.size = sizeof(q),
		.length = LENGTH,
		.ranges = (uintptr_t)self->ranges,
		.nr_ranges = GMEM_QUERY_MAX_RANGES,
	};
	struct gmem_ioctl_convert c = {
		.offset = 5 * PAGE,
		.length = PAGE,
		.target = PRIVATE,
		.timeout_ms = GMEM_CONVERT_TIMEOUT_MAX,
		.out_flags = ~0U,
		.error_offset = ~0ULL,
		.refs_seen = ~0U,
		.refs_expected = ~0U,
		.mapcount = ~0U,
	};

	ASSERT_EQ(0, gmem_ioctl(self->fd, GMEM_IOCTL_QUERY, &q));
	EXPECT_EQ(3, q.nr_ranges);
	ASSERT_EQ(0, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(c.offset, c.error_offset);
	expect_state(PRIVATE, self->fd, 5 * PAGE);
}

/* Ioctls on the wrong kind of fd, and on files of others. */
TEST_F(uapi, wrong_fd)
{
	int memfd = memfd_create("x", 0);
	int null = open("/dev/null", O_RDWR);
	int path = open("/tmp", O_PATH);
	const struct uapi_ioctl *io;
	enum uapi_target target;
	uint8_t arg[MAX_STRUCT];

	self->fds = open_fds();
	for_each_ioctl(io) {
		valid_call(self, io, arg);
		for (target = ON_DEV; target <= ON_VIEW; target++)
			if (target != io->target && target_fd(self, target) >= 0)
				EXPECT_EQ(-ENOTTY,
					  gmem_ioctl(target_fd(self, target),
						     io->cmd, arg));
		EXPECT_EQ(-ENOTTY, gmem_ioctl(memfd, io->cmd, arg));
		EXPECT_EQ(-ENOTTY, gmem_ioctl(null, io->cmd, arg));
		EXPECT_EQ(-EBADF, gmem_ioctl(path, io->cmd, arg));
		EXPECT_EQ(-EBADF, gmem_ioctl(-1, io->cmd, arg));
		if (self->vm >= 0) {
			EXPECT_LT(gmem_ioctl(self->vm, io->cmd, arg), 0);
			EXPECT_LT(gmem_ioctl(self->store, io->cmd, arg), 0);
		}
		expect_unchanged(self, io->name);
	}
}

/* An fd that is not open for writing can query, but not change anything. */
TEST_F(uapi, read_only_fd)
{
	const struct uapi_ioctl *io;
	uint8_t arg[MAX_STRUCT];
	char path[64];
	int ro, rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(ro, 0);
	self->fds = open_fds();
	for_each_ioctl(io) {
		if (io->target != ON_GMEM)
			continue;
		valid_call(self, io, arg);
		rc = gmem_ioctl(ro, io->cmd, arg);
		if (io->cmd == GMEM_IOCTL_QUERY || io->cmd == GMEM_IOCTL_STAT ||
		    io->cmd == GMEM_IOCTL_HOLDER)
			EXPECT_EQ(0, rc);
		else
			EXPECT_EQ(-EBADF, rc);
		expect_unchanged(self, io->name);
	}
}

/* Unknown ioctl numbers: another number, type, size or direction. */
TEST_F(uapi, unknown_numbers)
{
	uint8_t arg[MAX_STRUCT] = { 0 };
	unsigned long ours, other, sized;
	enum uapi_target target;
	unsigned int nr;
	int fd;

	for (nr = 0; nr < 256; nr++) {
		ours = _IO(GMEM_IOCTL_TYPE, nr);
		other = _IO('H', nr);
		sized = _IOWR(GMEM_IOCTL_TYPE, nr, struct gmem_ioctl_convert);
		for (target = ON_DEV; target <= ON_VIEW; target++) {
			fd = target_fd(self, target);
			if (fd < 0)
				continue;
			if (nr < GMEM_CMD_BASE || nr > GMEM_CMD_HOLDER)
				EXPECT_EQ(-ENOTTY, gmem_ioctl(fd, ours, arg));
			EXPECT_EQ(-ENOTTY, gmem_ioctl(fd, other, arg));
			EXPECT_EQ(-ENOTTY, gmem_ioctl(fd, sized, arg));
		}
	}
	expect_unchanged(self, "unknown numbers");
}

/* Random bytes as arguments: an error or a valid call, but no crash. */
TEST_F(uapi, random_arguments)
{
	uint64_t rng = ksft_seed(), word;
	const struct uapi_ioctl *io;
	uint8_t arg[MAX_STRUCT];
	int i, n, rc;

	for (n = 0; n < 2000; n++) {
		io = &ioctls[gmem_rand(&rng) % (ioctls_end(self) - ioctls)];
		valid_call(self, io, arg);
		for (i = gmem_rand(&rng) % 3; i >= 0; i--) {
			word = gmem_rand(&rng);
			word >>= gmem_rand(&rng) % 64;
			memcpy(arg + gmem_rand(&rng) % (io->size / 4) * 4, &word,
			       4);
		}
		rc = gmem_ioctl(target_fd(self, io->target), io->cmd, arg);
		EXPECT_LE(rc, 0);
		EXPECT_NE(-ENOTTY, rc);
		EXPECT_NE(-ENOSYS, rc);
		if (!rc)
			close_result(io, arg);
	}
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
