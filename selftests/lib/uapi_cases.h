/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of the header for each field of each ioctl: a call that works, and changes to
 * it that must be refused.
 *
 * Included by uapi_test, like ksft.h.
 */
#ifndef UAPI_CASES_H
#define UAPI_CASES_H

#include <fcntl.h>

#include "gmem_utils.h"
#include "ksft.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define MAX_STRUCT 256
/*
 * The view is at a fixed address, so that tables can contain it. It has the first pages
 * only: BIND needs pages without a view.
 */
#define VIEW_ADDRESS (1ULL << 44)
#define VIEW_LENGTH (4 * PAGE)

FIXTURE(uapi) {
	int dev;
	int fd;
	int view;			/* -1 if unavailable */
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

/* The kind of fd that an ioctl needs. */
enum uapi_target { ON_DEV, ON_GMEM, ON_VIEW };

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

/* Members in which every bit must be zero. */
struct uapi_zero {
	uint16_t offset;
	uint16_t length;
	uint64_t allowed;	/* bits of flags that are not refused */
};

struct uapi_ioctl {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t min_size;	/* size of the first version */
	enum uapi_target target;
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
/* The checks of offset and length that are common to all ranges of a gmem fd. */
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

static void holder_valid(struct uapi_data *self __ksft_unused, void *arg)
{
	struct gmem_ioctl_holder *h = arg;

	h->length = LENGTH;
}

static const struct uapi_case holder_cases[] = {
	RANGE_CASES(holder),
	{ .what = NULL },
};

static const struct uapi_zero holder_zeros[] = {
	Z(holder, flags, GMEM_HOLDER_F_MAPPED), Z(holder, reserved, 0),
	{ .length = 0 },
};

static const struct uapi_case stat_cases[] = {
	{ .what = NULL },
};

static const struct uapi_zero stat_zeros[] = {
	{ .length = 0 },
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

static void view_valid(struct uapi_data *self __ksft_unused, void *arg)
{
	struct gmem_ioctl_view *v = arg;

	v->offset = 4 * PAGE;
	v->length = 2 * PAGE;
	v->out_fd = -1;
}

static const struct uapi_case view_cases[] = {
	RANGE_CASES(view),
	{ .what = NULL },
};

static const struct uapi_zero view_zeros[] = {
	Z(view, flags, 0), Z(view, fd_flags, O_CLOEXEC), Z(view, reserved, 0),
	{ .length = 0 },
};

static void view_populate_valid(struct uapi_data *self __ksft_unused, void *arg)
{
	struct gmem_ioctl_view_populate *p = arg;

	p->address = VIEW_ADDRESS;
	p->length = PAGE;
}

#define P(member, val) F(view_populate, member, val)

static const struct uapi_case view_populate_cases[] = {
	{ "address 0", EINVAL, { P(address, 0) } },
	{ "address 1", EINVAL, { P(address, 1) } },
	{ "address unaligned", EINVAL, { P(address, VIEW_ADDRESS + 8) } },
	{ "address before the mapping", EINVAL,
	  { P(address, VIEW_ADDRESS - PAGE) } },
	{ "range begins before the mapping", EINVAL,
	  { P(address, VIEW_ADDRESS - PAGE), P(length, 2 * PAGE) } },
	{ "address behind the mapping", EINVAL,
	  { P(address, VIEW_ADDRESS + VIEW_LENGTH) } },
	{ "range ends behind the mapping", EINVAL,
	  { P(address, VIEW_ADDRESS + VIEW_LENGTH - PAGE), P(length, 2 * PAGE) } },
	{ "address in the kernel", EINVAL,
	  { P(address, 0xffffffff81000000ULL) } },
	{ "address not canonical", EINVAL, { P(address, 1ULL << 63) } },
	{ "length 0", EINVAL, { P(length, 0) } },
	{ "length 1", EINVAL, { P(length, 1) } },
	{ "length unaligned", EINVAL, { P(length, PAGE + 8) } },
	{ "length over the mapping", EINVAL, { P(length, VIEW_LENGTH + PAGE) } },
	{ "length 2^63", EINVAL, { P(length, 1ULL << 63) } },
	{ "sum is 2^64", EOVERFLOW, { P(address, -PAGE) } },
	{ "sum wraps", EOVERFLOW,
	  { P(address, -PAGE), P(length, 2 * PAGE) } },
	{ "sum wraps to inside", EOVERFLOW,
	  { P(address, VIEW_ADDRESS + PAGE), P(length, -PAGE) } },
	{ "sum wraps, unaligned", EOVERFLOW, { P(length, -1) } },
	{ .what = NULL },
};

static const struct uapi_zero view_populate_zeros[] = {
	Z(view_populate, flags, GMEM_VIEW_POPULATE_F_NOALLOC),
	Z(view_populate, pages, 0), Z(view_populate, reserved, 0),
	{ .length = 0 },
};

static const struct uapi_case view_fault_cases[] = {
	{ .what = NULL },
};

static const struct uapi_zero view_fault_zeros[] = {
	Z(view_fault, flags, 0), Z(view_fault, reserved, 0), { .length = 0 },
};

#define I_GROWN(type, number, min_size, fd, fn)				\
	{ #type, number, sizeof(struct gmem_ioctl_##type), min_size, fd, fn, \
	  type##_cases, type##_zeros }
#define I(type, number, fd, fn)						\
	I_GROWN(type, number, sizeof(struct gmem_ioctl_##type), fd, fn)

/* Those of views come last: not every kernel has views. */
static const struct uapi_ioctl ioctls[] = {
	I(info, GMEM_IOCTL_INFO, ON_DEV, info_valid),
	I_GROWN(create, GMEM_IOCTL_CREATE,
		offsetof(struct gmem_ioctl_create, name), ON_DEV, create_valid),
	I(convert, GMEM_IOCTL_CONVERT, ON_GMEM, convert_valid),
	I(query, GMEM_IOCTL_QUERY, ON_GMEM, query_valid),
	I(holder, GMEM_IOCTL_HOLDER, ON_GMEM, holder_valid),
	I_GROWN(stat, GMEM_IOCTL_STAT,
		offsetof(struct gmem_ioctl_stat, view_faults), ON_GMEM,
		info_valid),
	I(bind, GMEM_IOCTL_BIND, ON_GMEM, bind_valid),
	I(unbind, GMEM_IOCTL_UNBIND, ON_GMEM, unbind_valid),
	I(view, GMEM_IOCTL_VIEW, ON_GMEM, view_valid),
	I(view_populate, GMEM_IOCTL_VIEW_POPULATE, ON_VIEW,
	  view_populate_valid),
	I(view_fault, GMEM_IOCTL_VIEW_FAULT, ON_VIEW, info_valid),
};

#define NR_IOCTLS (sizeof(ioctls) / sizeof(ioctls[0]))
#define NR_VIEW_IOCTLS 3

#endif /* UAPI_CASES_H */
