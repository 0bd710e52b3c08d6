// SPDX-License-Identifier: GPL-2.0
/*
 * No field of any ioctl takes a value that the header does not allow, no size
 * or pointer gets past the checks, and a refused call changes nothing.
 *
 * Each ioctl has a description with a call that works; every case changes one
 * or two fields of it. Contents, states and open files are compared with what
 * they were after each refused call.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "kvm_utils.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define MAX_STRUCT 256

FIXTURE(uapi) {
	int dev;
	int fd;
	int vm;
	int store;
	uint8_t *map;
	uint8_t *guard;			/* two pages; the second is PROT_NONE */
	struct gmem_range *ranges;
	struct gmem_range before[NR_PAGES];
	struct gmem_ioctl_stat stat;
	int nr_before;
	int fds;
};

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
		stat.bindings != self->stat.bindings;
	for (i = 0; i < NR_PAGES; i++)
		if (self->map && i != 2 && i != 3)
			wrong |= gmem_differs(self->map + i * PAGE, 0x10 + i,
					      PAGE) != PAGE;
	wrong |= open_fds() != self->fds;
	if (wrong)
		TH_LOG("%s: changed something", what);
	EXPECT_FALSE(wrong);
}

struct uapi_field {
	uint16_t offset;
	uint16_t width;
	uint64_t value;
};

struct uapi_case {
	const char *what;
	int err;
	struct uapi_field set[2];
};

/* Members of which every single bit must be zero. */
struct uapi_zero {
	uint16_t offset;
	uint16_t length;
	uint64_t allowed;	/* bits that are not refused, of flags */
};

struct uapi_ioctl {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t min_size;	/* of the first version */
	bool on_dev;
	void (*valid)(struct uapi_data *self, void *arg);
	const struct uapi_case *cases;
	const struct uapi_zero *zeros;
};

#define F(type, member, val) {						\
	.offset = offsetof(struct gmem_ioctl_##type, member),		\
	.width = sizeof(((struct gmem_ioctl_##type *)0)->member),	\
	.value = (uint64_t)(val),					\
}
#define Z(type, member, bits) {						\
	.offset = offsetof(struct gmem_ioctl_##type, member),		\
	.length = sizeof(((struct gmem_ioctl_##type *)0)->member),	\
	.allowed = bits,						\
}
/* The offset and length checks that all ranges of a gmem fd share. */
#define RANGE_CASES(type)						\
	{ "offset 1", EINVAL, { F(type, offset, 1) } },			\
	{ "offset 8", EINVAL, { F(type, offset, 8) } },			\
	{ "offset unaligned", EINVAL, { F(type, offset, PAGE - 1) } },	\
	{ "offset at the end", EINVAL, { F(type, offset, LENGTH) } },	\
	{ "offset past the end", EINVAL, { F(type, offset, 2 * LENGTH) } }, \
	{ "offset 2^62", EINVAL, { F(type, offset, 1ULL << 62) } },	\
	{ "offset 2^63", EINVAL, { F(type, offset, 1ULL << 63) } },	\
	{ "end past the end", EINVAL,					\
	  { F(type, offset, LENGTH - PAGE), F(type, length, 2 * PAGE) } }, \
	{ "sum is 2^64", EOVERFLOW,					\
	  { F(type, offset, -PAGE), F(type, length, PAGE) } },		\
	{ "sum wraps", EOVERFLOW,					\
	  { F(type, offset, -PAGE), F(type, length, 2 * PAGE) } },	\
	{ "sum wraps to inside", EOVERFLOW,				\
	  { F(type, offset, PAGE), F(type, length, -PAGE) } },		\
	{ "length 0", EINVAL, { F(type, length, 0) } },			\
	{ "length 1", EINVAL, { F(type, length, 1) } },			\
	{ "length unaligned", EINVAL, { F(type, length, PAGE + 8) } },	\
	{ "length over the fd", EINVAL, { F(type, length, LENGTH + PAGE) } }, \
	{ "length 2^63", EINVAL, { F(type, length, 1ULL << 63) } },	\
	{ "length huge", EINVAL,					\
	  { F(type, offset, 0), F(type, length, -PAGE) } }

static void info_valid(struct uapi_data *self __ksft_unused,
		       void *arg __ksft_unused)
{
}

static const struct uapi_case info_cases[] = {
	{ .what = NULL },
};

static const struct uapi_zero info_zeros[] = {
	Z(info, reserved, 0), { .length = 0 },
};

static void create_valid(struct uapi_data *self __ksft_unused, void *arg)
{
	struct gmem_ioctl_create *c = arg;

	c->length = PAGE;
	c->out_fd = -1;
}

static const struct uapi_case create_cases[] = {
	{ "length 0", EINVAL, { F(create, length, 0) } },
	{ "length 1", EINVAL, { F(create, length, 1) } },
	{ "length unaligned", EINVAL, { F(create, length, PAGE + 1) } },
	{ "length above the limit", EINVAL,
	  { F(create, length, GMEM_LENGTH_MAX + PAGE) } },
	{ "length 2^63", EINVAL, { F(create, length, 1ULL << 63) } },
	{ "length -page", EINVAL, { F(create, length, -PAGE) } },
	{ "node without flag", EINVAL, { F(create, node, 1) } },
	{ "node -1 without flag", EINVAL, { F(create, node, -1) } },
	{ "name with a space", EINVAL, { F(create, name[0], ' ') } },
	{ "name with a control character", EINVAL, { F(create, name[0], 27) } },
	{ "name that is not ASCII", EINVAL, { F(create, name[0], 0xe4) } },
	{ .what = NULL },
};

static const struct uapi_zero create_zeros[] = {
	Z(create, flags, GMEM_CREATE_F_INIT_SHARED | GMEM_CREATE_F_NODE |
			 GMEM_CREATE_F_GUEST_CONSENT),
	Z(create, fd_flags, O_CLOEXEC),
	Z(create, __pad, 0), Z(create, reserved, 0), { .length = 0 },
};

static void convert_valid(struct uapi_data *self __ksft_unused, void *arg)
{
	struct gmem_ioctl_convert *c = arg;

	c->offset = 5 * PAGE;
	c->length = PAGE;
	c->target = PRIVATE;
	c->content = PRESERVE;
}

static const struct uapi_case convert_cases[] = {
	RANGE_CASES(convert),
	{ "target 2", EINVAL, { F(convert, target, 2) } },
	{ "target -1", EINVAL, { F(convert, target, -1) } },
	{ "target 256", EINVAL, { F(convert, target, 256) } },
	{ "content 2", EINVAL, { F(convert, content, 2) } },
	{ "content -1", EINVAL, { F(convert, content, -1) } },
	{ "content 1 << 31", EINVAL, { F(convert, content, 1U << 31) } },
	{ "timeout above the limit", EINVAL,
	  { F(convert, timeout_ms, GMEM_CONVERT_TIMEOUT_MAX + 1) } },
	{ "timeout -1", EINVAL, { F(convert, timeout_ms, -1) } },
	{ "bad target where nothing would change", EINVAL,
	  { F(convert, target, 2), F(convert, offset, 2 * PAGE) } },
	{ "bad content where nothing would change", EINVAL,
	  { F(convert, content, 2), F(convert, offset, 2 * PAGE) } },
	{ .what = NULL },
};

static const struct uapi_zero convert_zeros[] = {
	Z(convert, flags, GMEM_CONVERT_F_RANGES | GMEM_CONVERT_F_EVENT),
	Z(convert, __pad, 0), Z(convert, ranges, 0), Z(convert, nr_ranges, 0),
	Z(convert, event_fd, 0),
	{ .length = 0 },
};

static void query_valid(struct uapi_data *self, void *arg)
{
	struct gmem_ioctl_query *q = arg;

	q->length = LENGTH;
	q->ranges = (uintptr_t)self->ranges;
	q->nr_ranges = NR_PAGES;
}

static const struct uapi_case query_cases[] = {
	RANGE_CASES(query),
	{ "nr_ranges 0", EINVAL, { F(query, nr_ranges, 0) } },
	{ "nr_ranges above the limit", EINVAL,
	  { F(query, nr_ranges, GMEM_QUERY_MAX_RANGES + 1) } },
	{ "nr_ranges -1", EINVAL, { F(query, nr_ranges, -1) } },
	{ "entry_size 8", EINVAL, { F(query, entry_size, 8) } },
	{ "entry_size below the first version", EINVAL,
	  { F(query, entry_size, GMEM_RANGE_SIZE_VER0 - 8) } },
	{ "entry_size unaligned", EINVAL,
	  { F(query, entry_size, GMEM_RANGE_SIZE_VER0 + 4) } },
	{ "entry_size over a page", EINVAL, { F(query, entry_size, PAGE + 8) } },
	{ "entry_size -1", EINVAL, { F(query, entry_size, -1) } },
	{ "ranges NULL", EFAULT, { F(query, ranges, 0) } },
	{ "ranges in the kernel", EFAULT,
	  { F(query, ranges, 0xffffffff81000000ULL) } },
	{ "ranges not canonical", EFAULT, { F(query, ranges, 1ULL << 63) } },
	{ .what = NULL },
};

static const struct uapi_zero query_zeros[] = {
	Z(query, flags, 0), Z(query, reserved, 0),
	{ .length = 0 },
};

static const struct uapi_case stat_cases[] = {
	{ .what = NULL },
};

static const struct uapi_zero stat_zeros[] = {
	Z(stat, reserved, 0), { .length = 0 },
};

static void bind_valid(struct uapi_data *self, void *arg)
{
	struct gmem_ioctl_bind *b = arg;

	b->offset = 4 * PAGE;
	b->length = PAGE;
	b->store = GMEM_STORE_KVM;
	b->store_fd = self->store;
}

static const struct uapi_case bind_cases[] = {
	RANGE_CASES(bind),
	{ "store resident", EINVAL, { F(bind, store, GMEM_STORE_RESIDENT) } },
	{ "store 2", EINVAL, { F(bind, store, 2) } },
	{ "store -1", EINVAL, { F(bind, store, -1) } },
	{ "store_offset 1", EINVAL, { F(bind, store_offset, 1) } },
	{ "store_offset unaligned", EINVAL,
	  { F(bind, store_offset, PAGE - 1) } },
	{ "store_offset sum is 2^64", EOVERFLOW,
	  { F(bind, store_offset, -PAGE) } },
	{ "store_offset sum wraps", EOVERFLOW,
	  { F(bind, store_offset, -PAGE), F(bind, length, 2 * PAGE) } },
	{ "store_fd -1", EBADF, { F(bind, store_fd, -1) } },
	{ "store_fd not open", EBADF, { F(bind, store_fd, 1000) } },
	{ "store_fd INT_MIN", EBADF, { F(bind, store_fd, 1U << 31) } },
	{ .what = NULL },
};

static const struct uapi_zero bind_zeros[] = {
	Z(bind, flags, 0), Z(bind, binding_id, 0), Z(bind, reserved, 0),
	{ .length = 0 },
};

static void unbind_valid(struct uapi_data *self __ksft_unused, void *arg)
{
	struct gmem_ioctl_unbind *u = arg;

	u->length = PAGE;
}

static const struct uapi_case unbind_cases[] = {
	RANGE_CASES(unbind),
	{ "no binding", ENOENT, { F(unbind, length, PAGE) } },
	{ "no such id", ENOENT,
	  { F(unbind, binding_id, 1), F(unbind, length, 0) } },
	{ "id and range", EINVAL, { F(unbind, binding_id, 1) } },
	{ .what = NULL },
};

static const struct uapi_zero unbind_zeros[] = {
	Z(unbind, flags, 0), Z(unbind, reserved, 0), { .length = 0 },
};

#define I_GROWN(type, number, min_size, dev, fn)			\
	{ #type, number, sizeof(struct gmem_ioctl_##type), min_size, dev, fn, \
	  type##_cases, type##_zeros }
#define I(type, number, dev, fn)					\
	I_GROWN(type, number, sizeof(struct gmem_ioctl_##type), dev, fn)

static const struct uapi_ioctl ioctls[] = {
	I(info, GMEM_IOCTL_INFO, true, info_valid),
	I_GROWN(create, GMEM_IOCTL_CREATE,
		offsetof(struct gmem_ioctl_create, name), true, create_valid),
	I(convert, GMEM_IOCTL_CONVERT, false, convert_valid),
	I(query, GMEM_IOCTL_QUERY, false, query_valid),
	I(stat, GMEM_IOCTL_STAT, false, info_valid),
	I(bind, GMEM_IOCTL_BIND, false, bind_valid),
	I(unbind, GMEM_IOCTL_UNBIND, false, unbind_valid),
};

#define for_each_ioctl(io)						\
	for (io = ioctls; io < ioctls + sizeof(ioctls) / sizeof(ioctls[0]); \
	     io++)

static int target_fd(struct uapi_data *self, const struct uapi_ioctl *io)
{
	return io->on_dev ? self->dev : self->fd;
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
	int rc = gmem_ioctl(target_fd(self, io), io->cmd, arg);

	if (rc != -err)
		TH_LOG("%s: %s (%d): %d, expected %d", io->name, what, detail,
		       rc, -err);
	EXPECT_EQ(-err, rc);
	expect_unchanged(self, what);
}

/* Without gmem_kvm there is nobody to look at the store's fd. */
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

/* Each bit of each reserved member and of each flags member that is unknown. */
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

/* A larger struct with a zero tail works, and its tail is not written. */
TEST_F(uapi, larger_zero_tail)
{
	static const uint32_t extra[] = { 1, 8, 64, 1024 };
	uint8_t *arg = self->guard;
	struct gmem_ioctl_create *c = (void *)arg;
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
			EXPECT_EQ(0, gmem_ioctl(target_fd(self, io), io->cmd,
						arg));
			expect_bytes(0, arg + io->size, extra[i]);
			expect_bytes(0xc5, arg + size, PAGE - size);
			if (io->cmd == GMEM_IOCTL_CREATE)
				close(c->out_fd);
			if (io->cmd == GMEM_IOCTL_BIND)
				test_gmem_unbind(self->fd, 4 * PAGE, PAGE);
		}
	}
}

/* The kernel neither reads nor writes behind a struct of the known size. */
TEST_F(uapi, nothing_behind_the_struct)
{
	struct gmem_ioctl_create *c;
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
		EXPECT_EQ(0, gmem_ioctl(target_fd(self, io), io->cmd, arg));
		c = (void *)arg;
		if (io->cmd == GMEM_IOCTL_CREATE)
			close(c->out_fd);
	}
}

/* NULL, kernel and unmapped addresses, and structs that end in a hole. */
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

/* A larger struct whose tail is in a hole. */
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

/* Outputs cannot be written: no fd appears, and CONVERT does all or nothing. */
TEST_F(uapi, read_only_struct)
{
	const struct uapi_ioctl *io;
	int rc;

	for_each_ioctl(io) {
		if (io->cmd == GMEM_IOCTL_UNBIND || io->cmd == GMEM_IOCTL_BIND)
			continue;
		valid_call(self, io, self->guard);
		ASSERT_EQ(0, mprotect(self->guard, PAGE, PROT_READ));
		rc = gmem_ioctl(target_fd(self, io), io->cmd, self->guard);
		ASSERT_EQ(0, mprotect(self->guard, PAGE,
				      PROT_READ | PROT_WRITE));
		if (io->cmd == GMEM_IOCTL_CONVERT && !rc) {
			expect_state(PRIVATE, self->fd, 5 * PAGE);
			test_gmem_convert(self->fd, 5 * PAGE, PAGE, SHARED,
					  PRESERVE);
			test_gmem_stat(self->fd, &self->stat);
		} else {
			EXPECT_EQ(-EFAULT, rc);
		}
		expect_unchanged(self, io->name);
	}
}

/* The array of QUERY: unmapped, read-only, and cut off in the middle. */
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

/* The largest array is accepted, and outputs are ignored on input. */
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

/* Ioctls on the other kind of fd, and on files that are not ours at all. */
TEST_F(uapi, wrong_fd)
{
	int memfd = memfd_create("x", 0);
	int null = open("/dev/null", O_RDWR);
	int path = open("/tmp", O_PATH);
	const struct uapi_ioctl *io;
	uint8_t arg[MAX_STRUCT];

	self->fds = open_fds();
	for_each_ioctl(io) {
		valid_call(self, io, arg);
		EXPECT_EQ(-ENOTTY, gmem_ioctl(io->on_dev ? self->fd : self->dev,
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

/* An fd that is not open for writing may look and not change. */
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
		if (io->on_dev)
			continue;
		valid_call(self, io, arg);
		rc = gmem_ioctl(ro, io->cmd, arg);
		if (io->cmd == GMEM_IOCTL_QUERY || io->cmd == GMEM_IOCTL_STAT)
			EXPECT_EQ(0, rc);
		else
			EXPECT_EQ(-EBADF, rc);
		expect_unchanged(self, io->name);
	}
}

/* Numbers that no ioctl has: unknown, another type, another size or direction. */
TEST_F(uapi, unknown_numbers)
{
	uint8_t arg[MAX_STRUCT] = { 0 };
	unsigned long ours, other, sized;
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		ours = _IO(GMEM_IOCTL_TYPE, nr);
		other = _IO('H', nr);
		sized = _IOWR(GMEM_IOCTL_TYPE, nr, struct gmem_ioctl_convert);
		if (nr < GMEM_CMD_BASE || nr > GMEM_CMD_UNBIND) {
			EXPECT_EQ(-ENOTTY, gmem_ioctl(self->dev, ours, arg));
			EXPECT_EQ(-ENOTTY, gmem_ioctl(self->fd, ours, arg));
		}
		EXPECT_EQ(-ENOTTY, gmem_ioctl(self->dev, other, arg));
		EXPECT_EQ(-ENOTTY, gmem_ioctl(self->fd, sized, arg));
	}
	expect_unchanged(self, "unknown numbers");
}

/* Random bytes as arguments: an error or a valid call, never a crash. */
TEST_F(uapi, random_arguments)
{
	uint64_t rng = ksft_seed(), word;
	const struct uapi_ioctl *io;
	uint8_t arg[MAX_STRUCT];
	int i, n, rc;

	for (n = 0; n < 2000; n++) {
		io = &ioctls[gmem_rand(&rng) % 7];
		valid_call(self, io, arg);
		for (i = gmem_rand(&rng) % 3; i >= 0; i--) {
			word = gmem_rand(&rng);
			word >>= gmem_rand(&rng) % 64;
			memcpy(arg + gmem_rand(&rng) % (io->size / 4) * 4, &word,
			       4);
		}
		rc = gmem_ioctl(target_fd(self, io), io->cmd, arg);
		EXPECT_LE(rc, 0);
		EXPECT_NE(-ENOTTY, rc);
		EXPECT_NE(-ENOSYS, rc);
		if (io->cmd == GMEM_IOCTL_CREATE && !rc)
			close(((struct gmem_ioctl_create *)(void *)arg)->out_fd);
	}
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
