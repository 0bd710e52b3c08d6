// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's ioctls: those of /dev/gmem, of gmem fds, and of the mock hypervisor.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../module/test/gmem_test.h"
#include "fuzz.h"
#include "kvm_utils.h"

#define FUZZ_LENGTH_MAX (1200 * PAGE)
#define FUZZ_GPA_BASE SZ_1G

/* A size that may differ from that of the structure. */
static uint32_t fuzz_size(struct fuzz_thread *t, size_t size)
{
	const uint32_t sizes[] = {
		0, 4, size - 1, size - 8, size - 16, size + 1, size + 8,
		4095, 4096, 4097, 0xffffffff, (uint32_t)fuzz_number(t),
	};

	return sizes[fuzz_rand(t, sizeof(sizes) / sizeof(*sizes))];
}

/* Choose where the structure is: in private memory, in the arena, or at a bad address. */
static void *fuzz_struct(struct fuzz_thread *t, const void *arg, size_t size)
{
	uint8_t *p = t->buffer;

	if (fuzz_chance(t, 40))
		return fuzz_bad_pointer(t);
	if (fuzz_chance(t, 24)) {
		/* Perhaps in guest memory itself */
		p = fuzz_address(t);
		gmem_try_copy(p, arg, size);
		return p;
	}
	if (fuzz_chance(t, 24))
		p = t->buffer + PAGE - size;
	else
		memset(p, 0, PAGE);
	memcpy(p, arg, size);
	return p;
}

/*
 * Make one ioctl with the contents of @arg, sometimes changed. Outputs are copied to
 * @arg. The pointer in it at offset @pointer is not changed: otherwise the kernel could
 * write to memory of the fuzzer.
 */
static long fuzz_ioctl_at(struct fuzz_thread *t, int fd, unsigned int cmd,
			  void *arg, size_t size, size_t pointer)
{
	size_t flip = fuzz_rand(t, size);
	uint32_t own_size = size;
	uint8_t *p;
	int rc;

	if (fuzz_chance(t, 24))
		own_size = fuzz_size(t, size);
	memcpy(arg, &own_size, sizeof(own_size));
	if (fuzz_chance(t, 16) && (!pointer || flip / 8 != pointer / 8))
		((uint8_t *)arg)[flip] ^= 1U << fuzz_rand(t, 8);
	if (fuzz_chance(t, 200))
		cmd = (unsigned int)gmem_rand(&t->rng);
	p = fuzz_struct(t, arg, size);
	rc = ioctl(fd, cmd, p) ? -errno : 0;
	if (!rc)
		gmem_try_copy(arg, p, size);
	return rc;
}

static long fuzz_ioctl(struct fuzz_thread *t, int fd, unsigned int cmd,
		       void *arg, size_t size)
{
	return fuzz_ioctl_at(t, fd, cmd, arg, size, 0);
}

static long call_info(struct fuzz_thread *t)
{
	struct gmem_ioctl_info info = { 0 };
	int fd = fuzz_fd(t, FUZZ_DEV, NULL);

	fuzz_args(t, fd);
	return fuzz_ioctl(t, fd, GMEM_IOCTL_INFO, &info, sizeof(info));
}

static uint64_t create_length(struct fuzz_thread *t)
{
	if (fuzz_chance(t, 8))
		return fuzz_number(t);
	return (1 + fuzz_rand(t, FUZZ_LENGTH_MAX / PAGE)) * PAGE;
}

static long call_create(struct fuzz_thread *t)
{
	struct gmem_ioctl_create c = {
		.flags = fuzz_u32(t, GMEM_CREATE_F_INIT_SHARED |
				     GMEM_CREATE_F_NODE |
				     GMEM_CREATE_F_GUEST_CONSENT),
		.length = create_length(t),
		.fd_flags = fuzz_chance(t, 16) ? fuzz_u32(t, 1) : O_CLOEXEC,
		.out_fd = -1,
	};
	int fd = fuzz_fd(t, FUZZ_DEV, NULL);
	long rc;

	if (c.flags & GMEM_CREATE_F_NODE)
		c.node = (int32_t)fuzz_u32(t, 1);
	if (fuzz_chance(t, 4))
		memset(c.name, fuzz_chance(t, 4) ? (int)fuzz_rand(t, 256) : 'f',
		       fuzz_rand(t, sizeof(c.name) + 1));
	fuzz_args(t, fd, c.flags, c.length, (uint64_t)c.node, c.fd_flags);
	rc = fuzz_ioctl(t, fd, GMEM_IOCTL_CREATE, &c, sizeof(c));
	if (!rc && c.out_fd > 2)
		fuzz_put_fd(t, FUZZ_GMEM, c.out_fd, c.length);
	return rc;
}

/* Long timeouts are ended by a signal. */
static uint32_t fuzz_timeout(struct fuzz_thread *t)
{
	if (fuzz_chance(t, 32))
		return (uint32_t)fuzz_number(t);
	return fuzz_chance(t, 3) ? fuzz_rand(t, 30) : 0;
}

/* Several ranges, mostly in ascending order. */
static void convert_several(struct fuzz_thread *t, struct gmem_ioctl_convert *c,
			    uint64_t length)
{
	struct gmem_convert_range *ranges = (void *)t->io;
	uint64_t offset = 0;
	unsigned int i;

	c->flags |= GMEM_CONVERT_F_RANGES;
	c->offset = 0;
	c->length = 0;
	c->nr_ranges = fuzz_chance(t, 16) ? fuzz_u32(t, 1024) :
					    1 + fuzz_rand(t, 8);
	c->ranges = (uintptr_t)ranges;
	for (i = 0; i < 8; i++) {
		offset += fuzz_rand(t, 8) * PAGE;
		ranges[i].offset = fuzz_chance(t, 16) ? fuzz_offset(t, length) :
							offset;
		ranges[i].length = (1 + fuzz_rand(t, 8)) * PAGE;
		offset += ranges[i].length;
	}
	if (fuzz_chance(t, 16))
		c->ranges = (uintptr_t)fuzz_bad_pointer(t);
}

static long call_convert(struct fuzz_thread *t)
{
	struct gmem_ioctl_convert c = {
		.target = fuzz_u32(t, 1),
		.content = fuzz_chance(t, 4) ? fuzz_u32(t, 1) : PRESERVE,
		.timeout_ms = fuzz_timeout(t),
	};
	uint64_t length;
	int fd = fuzz_fd(t, FUZZ_GMEM, &length);

	c.offset = fuzz_offset(t, length);
	c.length = fuzz_length(t, c.offset, length);
	if (fuzz_chance(t, 4))
		convert_several(t, &c, length);
	if (fuzz_chance(t, 8)) {
		c.flags |= GMEM_CONVERT_F_EVENT;
		c.event_fd = fuzz_chance(t, 4) ? (int)fuzz_u32(t, 40) :
						 t->event_fd;
	}
	fuzz_args(t, fd, c.offset, c.length, c.target, c.content,
		  c.timeout_ms);
	return fuzz_ioctl_at(t, fd, GMEM_IOCTL_CONVERT, &c, sizeof(c),
			     offsetof(struct gmem_ioctl_convert, ranges));
}

static long call_query(struct fuzz_thread *t)
{
	struct gmem_ioctl_query q = {
		.ranges = (uintptr_t)t->io,
		.nr_ranges = fuzz_u32(t, 64),
	};
	uint64_t length;
	int fd = fuzz_fd(t, FUZZ_GMEM, &length);

	if (fuzz_chance(t, 8))
		q.entry_size = fuzz_chance(t, 4) ? fuzz_u32(t, PAGE) :
						   32 + 8 * fuzz_rand(t, 4);
	if (fuzz_chance(t, 16))
		q.ranges = (uintptr_t)fuzz_bad_pointer(t);
	else if (fuzz_chance(t, 8))
		q.ranges = (uintptr_t)fuzz_address(t);
	q.offset = fuzz_chance(t, 2) ? 0 : fuzz_offset(t, length);
	q.length = fuzz_chance(t, 2) ? length - q.offset :
				       fuzz_length(t, q.offset, length);
	fuzz_args(t, fd, q.offset, q.length, q.ranges, q.nr_ranges);
	return fuzz_ioctl_at(t, fd, GMEM_IOCTL_QUERY, &q, sizeof(q),
			     offsetof(struct gmem_ioctl_query, ranges));
}

static long call_stat(struct fuzz_thread *t)
{
	struct gmem_ioctl_stat stat = { 0 };
	int fd = fuzz_fd(t, FUZZ_GMEM, NULL);

	fuzz_args(t, fd);
	return fuzz_ioctl(t, fd, GMEM_IOCTL_STAT, &stat, sizeof(stat));
}

static long call_bind(struct fuzz_thread *t)
{
	struct gmem_ioctl_bind b = { .store = GMEM_STORE_KVM };
	uint64_t length, store_length;
	int fd = fuzz_fd(t, FUZZ_GMEM, &length);

	b.store_fd = fuzz_fd(t, FUZZ_STORE, &store_length);
	if (fuzz_chance(t, 16))
		b.store = fuzz_u32(t, 2);
	b.offset = fuzz_offset(t, length);
	b.length = fuzz_length(t, b.offset, length);
	b.store_offset = fuzz_chance(t, 2) ? b.offset :
					     fuzz_offset(t, store_length);
	fuzz_args(t, fd, b.offset, b.length, b.store, (uint64_t)b.store_fd,
		  b.store_offset);
	return fuzz_ioctl(t, fd, GMEM_IOCTL_BIND, &b, sizeof(b));
}

/* Use few different ranges, so that some of them are bound. */
static long call_unbind(struct fuzz_thread *t)
{
	struct gmem_ioctl_unbind u = { 0 };
	uint64_t length;
	int fd = fuzz_fd(t, FUZZ_GMEM, &length);

	u.offset = fuzz_chance(t, 2) ? 0 : fuzz_offset(t, length);
	u.length = fuzz_length(t, u.offset, length);
	if (fuzz_chance(t, 4)) {
		u.binding_id = 1 + fuzz_rand(t, 64);
		u.offset = 0;
		u.length = 0;
	}
	fuzz_args(t, fd, u.offset, u.length);
	return fuzz_ioctl(t, fd, GMEM_IOCTL_UNBIND, &u, sizeof(u));
}

/* The length in a view's slot is the end of its part of the file. */
static long call_view(struct fuzz_thread *t)
{
	struct gmem_ioctl_view v = {
		.fd_flags = fuzz_chance(t, 16) ? fuzz_u32(t, 1) : O_CLOEXEC,
		.out_fd = -1,
	};
	uint64_t length;
	int fd = fuzz_fd(t, FUZZ_GMEM, &length);
	long rc;

	v.offset = fuzz_chance(t, 2) ? 0 : fuzz_offset(t, length);
	v.length = fuzz_chance(t, 2) ? length - v.offset :
				       fuzz_length(t, v.offset, length);
	fuzz_args(t, fd, v.offset, v.length, v.fd_flags);
	rc = fuzz_ioctl(t, fd, GMEM_IOCTL_VIEW, &v, sizeof(v));
	if (!rc && v.out_fd > 2)
		fuzz_put_fd(t, FUZZ_VIEW, v.out_fd, v.offset + v.length);
	return rc;
}

/*
 * Populate an address at which a mapping is likely, from its start or middle; limit the
 * length.
 */
static long call_view_populate(struct fuzz_thread *t)
{
	struct gmem_ioctl_view_populate p = {
		.flags = fuzz_u32(t, GMEM_VIEW_POPULATE_F_NOALLOC),
		.address = (uintptr_t)fuzz_view_address(t),
		.length = (1 + fuzz_rand(t, 40)) * PAGE,
	};
	int fd = fuzz_fd(t, FUZZ_VIEW, NULL);

	if (fuzz_chance(t, 8))
		p.address = fuzz_chance(t, 2) ? fuzz_number(t) :
						(uintptr_t)fuzz_address(t);
	if (fuzz_chance(t, 8))
		p.length = fuzz_chance(t, 2) ? fuzz_number(t) :
					       (1 + fuzz_rand(t, 1200)) * PAGE;
	fuzz_args(t, fd, p.address, p.length, p.flags);
	return fuzz_ioctl(t, fd, GMEM_IOCTL_VIEW_POPULATE, &p, sizeof(p));
}

static long call_view_fault(struct fuzz_thread *t)
{
	struct gmem_ioctl_view_fault fault = { 0 };
	int fd = fuzz_fd(t, FUZZ_VIEW, NULL);

	fuzz_args(t, fd);
	return fuzz_ioctl(t, fd, GMEM_IOCTL_VIEW_FAULT, &fault, sizeof(fault));
}

static long call_holder(struct fuzz_thread *t)
{
	struct gmem_ioctl_holder h = { .flags = fuzz_u32(t, GMEM_HOLDER_F_MAPPED) };
	uint64_t length;
	int fd = fuzz_fd(t, FUZZ_GMEM, &length);

	h.offset = fuzz_offset(t, length);
	h.length = fuzz_length(t, h.offset, length);
	fuzz_args(t, fd, h.offset, h.length, h.flags);
	return fuzz_ioctl(t, fd, GMEM_IOCTL_HOLDER, &h, sizeof(h));
}

/* Unknown ioctl numbers, on any fd. */
static long call_unknown(struct fuzz_thread *t)
{
	unsigned int cmd = _IO(GMEM_IOCTL_TYPE, fuzz_rand(t, 256));
	int fd = fuzz_fd(t, fuzz_rand(t, FUZZ_VIEW + 1), NULL);

	if (fuzz_chance(t, 4))
		cmd = _IOC(fuzz_rand(t, 4), GMEM_IOCTL_TYPE, fuzz_rand(t, 256),
			   fuzz_rand(t, 256));
	memset(t->buffer, 0, PAGE);
	fuzz_args(t, fd, cmd);
	return ioctl(fd, cmd, t->buffer) ? -errno : 0;
}

/* Use few slots of the mock at round addresses, so that they are hit. */
static uint64_t fuzz_gpa(struct fuzz_thread *t)
{
	if (fuzz_chance(t, 32))
		return fuzz_number(t);
	return FUZZ_GPA_BASE * fuzz_rand(t, 3);
}

static uint64_t fuzz_gpa_inside(struct fuzz_thread *t, __u64 *length)
{
	uint64_t offset = fuzz_offset(t, 64 * PAGE);

	*length = fuzz_length(t, offset, 64 * PAGE);
	return fuzz_gpa(t) + offset;
}

static long call_mock_bind(struct fuzz_thread *t)
{
	struct gmem_test_bind b = { .gpa = fuzz_gpa(t) };
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);
	uint64_t length;

	b.fd = fuzz_fd(t, FUZZ_GMEM, &length);
	b.flags = fuzz_chance(t, 4) ? fuzz_u32(t, 7) : 0;
	b.offset = fuzz_chance(t, 2) ? 0 : fuzz_offset(t, length);
	b.length = fuzz_length(t, b.offset, length);
	fuzz_args(t, fd, (uint64_t)b.fd, b.offset, b.length, b.gpa, b.flags);
	return fuzz_ioctl(t, fd, GMEM_TEST_BIND, &b, sizeof(b));
}

static long call_mock_unbind(struct fuzz_thread *t)
{
	struct gmem_test_unbind u = {
		.flags = fuzz_chance(t, 4) ? fuzz_u32(t, 1) : 0,
		.gpa = fuzz_gpa(t),
	};
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);

	fuzz_args(t, fd, u.gpa);
	return fuzz_ioctl(t, fd, GMEM_TEST_UNBIND, &u, sizeof(u));
}

static long call_mock_access(struct fuzz_thread *t)
{
	struct gmem_test_access a = { .data = (uintptr_t)t->io };
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);

	a.gpa = fuzz_gpa_inside(t, &a.length);
	a.flags = fuzz_u32(t, GMEM_TEST_F_WRITE);
	if (fuzz_chance(t, 8))
		a.flags |= fuzz_chance(t, 2) ? GMEM_TEST_F_SHARED :
					       GMEM_TEST_F_PRIVATE;
	if (fuzz_chance(t, 16))
		a.data = (uintptr_t)fuzz_bad_pointer(t);
	else if (fuzz_chance(t, 8))
		a.data = (uintptr_t)fuzz_address(t);
	fuzz_args(t, fd, a.gpa, a.length, a.data, a.flags);
	return fuzz_ioctl_at(t, fd, GMEM_TEST_ACCESS, &a, sizeof(a),
			     offsetof(struct gmem_test_access, data));
}

static void fuzz_op(struct fuzz_thread *t, struct gmem_test_op *op)
{
	memset(op, 0, sizeof(*op));
	op->opcode = fuzz_u32(t, GMEM_TEST_OP_PAUSE);
	op->gpa = fuzz_gpa_inside(t, &op->length);
	op->value = fuzz_rand(t, 256);
	switch (op->opcode) {
	case GMEM_TEST_OP_LOAD:
	case GMEM_TEST_OP_STORE:
	case GMEM_TEST_OP_ADD:
		op->length = fuzz_chance(t, 16) ? fuzz_number(t) : 8;
		op->gpa += fuzz_rand(t, 512) * 8;
		break;
	case GMEM_TEST_OP_CONVERT:
		op->value = fuzz_u32(t, 1) | fuzz_rand(t, 2) << 8 |
			    (uint64_t)(fuzz_timeout(t) & 63) << 16;
		break;
	case GMEM_TEST_OP_CHECK:
		op->value = fuzz_u32(t, 1);
		break;
	case GMEM_TEST_OP_PAUSE:
		op->value = fuzz_u32(t, 3);
		break;
	default:
		break;
	}
}

static long call_mock_run(struct fuzz_thread *t)
{
	struct gmem_test_op *ops = (struct gmem_test_op *)(void *)t->io;
	struct gmem_test_run r = {
		.nr_ops = fuzz_u32(t, 8),
		.ops = (uintptr_t)ops,
		.rounds = fuzz_u32(t, 3),
	};
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);
	unsigned int i;

	for (i = 0; i < 8; i++)
		fuzz_op(t, &ops[i]);
	if (fuzz_chance(t, 16))
		r.ops = (uintptr_t)fuzz_bad_pointer(t);
	fuzz_args(t, fd, r.nr_ops, r.rounds, ops[0].opcode, ops[0].gpa);
	return fuzz_ioctl_at(t, fd, GMEM_TEST_RUN, &r, sizeof(r),
			     offsetof(struct gmem_test_run, ops));
}

static long call_mock_convert(struct fuzz_thread *t)
{
	struct gmem_test_convert c = {
		.target = fuzz_u32(t, 1),
		.content = fuzz_chance(t, 4) ? fuzz_u32(t, 1) : PRESERVE,
		.timeout_ms = fuzz_timeout(t),
	};
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);

	c.gpa = fuzz_gpa_inside(t, &c.length);
	fuzz_args(t, fd, c.gpa, c.length, c.target, c.content, c.timeout_ms);
	return fuzz_ioctl(t, fd, GMEM_TEST_CONVERT, &c, sizeof(c));
}

static long call_mock_query(struct fuzz_thread *t)
{
	struct gmem_test_query q = { 0 };
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);

	q.gpa = fuzz_gpa_inside(t, &q.length);
	fuzz_args(t, fd, q.gpa, q.length);
	return fuzz_ioctl(t, fd, GMEM_TEST_QUERY, &q, sizeof(q));
}

/* Hold a page only for a short time: conversions of it have to wait. */
static long call_mock_hold(struct fuzz_thread *t)
{
	struct gmem_test_hold h = {
		.flags = fuzz_u32(t, 7),
		.timeout_ms = fuzz_chance(t, 32) ? (uint32_t)fuzz_number(t) :
						   1 + fuzz_rand(t, 40),
	};
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);
	__u64 length;
	long rc;

	h.gpa = fuzz_gpa_inside(t, &length);
	fuzz_args(t, fd, h.gpa, h.flags, h.timeout_ms);
	rc = fuzz_ioctl(t, fd, GMEM_TEST_HOLD, &h, sizeof(h));
	if (!rc)
		t->held[fuzz_rand(t, 4)] = h.id;
	return rc;
}

static long call_mock_release(struct fuzz_thread *t)
{
	struct gmem_test_release r = { .id = t->held[fuzz_rand(t, 4)] };
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);

	fuzz_args(t, fd, r.id);
	return fuzz_ioctl(t, fd, GMEM_TEST_RELEASE, &r, sizeof(r));
}

static long call_mock_knob(struct fuzz_thread *t)
{
	struct gmem_test_knob k = {
		.method = fuzz_u32(t, GMEM_TEST_NR_METHODS - 1),
		.delay_ms = fuzz_chance(t, 4) ? fuzz_rand(t, 5) : 0,
		.nth = fuzz_u32(t, 2),
		.error = EIO,
		.pages = fuzz_u32(t, 8),
	};
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);

	if (fuzz_chance(t, 8))
		k.error = fuzz_u32(t, GMEM_TEST_MAX_ERRNO);
	/* Do not let the knob delay a call for seconds. */
	fuzz_args(t, fd, k.method, k.delay_ms, k.nth, k.error, k.pages);
	return fuzz_ioctl(t, fd, GMEM_TEST_KNOB, &k, sizeof(k));
}

static long call_mock_count(struct fuzz_thread *t)
{
	struct gmem_test_count c = { 0 };
	int fd = fuzz_fd(t, FUZZ_MOCK, NULL);
	long rc;

	fuzz_args(t, fd);
	rc = fuzz_ioctl(t, fd, GMEM_TEST_COUNT, &c, sizeof(c));
	if (!rc && c.size == sizeof(c) && c.violations) {
		t->fuzz->shared->bad = 1;
		strcpy(t->fuzz->shared->why,
		       "the mock hypervisor has seen a promise broken");
	}
	return rc;
}

/*
 * Allowed errnos of an ioctl. EBADF and ENOTTY: the fd is of another kind. ENODEV, ENXIO
 * and others are for the mock only.
 */
#define ANY_IOCTL EBADF, ENOTTY, EFAULT, EINVAL, E2BIG, ENOMEM, EINTR, \
	EOPNOTSUPP, EOVERFLOW

static const uint8_t plain_errnos[] = { ANY_IOCTL, 0 };
static const uint8_t create_errnos[] = { ANY_IOCTL, EMFILE, ENFILE, EBUSY, 0 };
/* Methods of the mock fail with any errno that a knob sets. */
static const uint8_t bind_errnos[] = { ANY_IOCTL, EBUSY, EEXIST, EPERM, 0 };
static const uint8_t unbind_errnos[] = { ANY_IOCTL, ENOENT, EPERM, 0 };
static const uint8_t view_errnos[] = { ANY_IOCTL, EBUSY, EPERM, EMFILE, ENFILE,
				       0 };
static const uint8_t populate_errnos[] = { ANY_IOCTL, EPERM, EHWPOISON, 0 };
static const uint8_t fault_errnos[] = { ANY_IOCTL, EAGAIN, 0 };

const struct fuzz_call fuzz_ioctls[] = {
	{ "INFO",		 4, call_info,		plain_errnos },
	{ "CREATE",		12, call_create,	create_errnos },
	{ "CONVERT",		60, call_convert,	NULL },
	{ "QUERY",		16, call_query,		plain_errnos },
	{ "STAT",		 8, call_stat,		plain_errnos },
	{ "HOLDER",		16, call_holder,	plain_errnos },
	{ "BIND",		16, call_bind,		bind_errnos },
	{ "UNBIND",		 8, call_unbind,	unbind_errnos },
	{ "VIEW",		10, call_view,		view_errnos },
	{ "VIEW_POPULATE",	40, call_view_populate,	populate_errnos },
	{ "VIEW_FAULT",		 2, call_view_fault,	fault_errnos },
	{ "unknown ioctl",	 6, call_unknown,	NULL },
	{ "mock BIND",		16, call_mock_bind,	NULL },
	{ "mock UNBIND",	 4, call_mock_unbind,	NULL },
	{ "mock ACCESS",	30, call_mock_access,	NULL },
	{ "mock RUN",		16, call_mock_run,	NULL },
	{ "mock CONVERT",	24, call_mock_convert,	NULL },
	{ "mock QUERY",		 6, call_mock_query,	NULL },
	{ "mock HOLD",		 8, call_mock_hold,	NULL },
	{ "mock RELEASE",	 6, call_mock_release,	NULL },
	{ "mock KNOB",		 4, call_mock_knob,	NULL },
	{ "mock COUNT",		 4, call_mock_count,	NULL },
	{ NULL, 0, NULL, NULL },
};

static int populate_store(struct fuzz_thread *t)
{
	int vm = kvm_create_vm();
	int store;

	if (vm < 0)
		return vm;
	store = kvm_create_guest_memfd(vm, FUZZ_LENGTH_MAX, 0);
	fuzz_put_fd(t, FUZZ_VM, vm, 0);
	if (store < 0)
		return store;
	fuzz_put_fd(t, FUZZ_STORE, store, FUZZ_LENGTH_MAX);
	return 0;
}

/* Create one or two descriptors of each kind that the kernel has. */
int fuzz_populate(struct fuzz_thread *t)
{
	int i, fd;

	for (i = 0; i < 2 * FUZZ_SLOTS; i++) {
		fd = gmem_open_dev();
		if (fd < 0)
			return fd;
		fuzz_put_fd(t, FUZZ_DEV, fd, 0);
		fd = gmem_create((1 + fuzz_rand(t, 1200)) * PAGE,
				 fuzz_u32(t, 1));
		if (fd < 0)
			continue;
		fuzz_put_fd(t, FUZZ_GMEM, fd, FUZZ_LENGTH_MAX);
		fd = open(GMEM_TEST_DEVICE_PATH, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			fuzz_put_fd(t, FUZZ_MOCK, fd, 0);
		populate_store(t);
	}
	return 0;
}
