// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: what the driver sends to a device, and how it treats the answers.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>

#include "kunit.h"
#include "pvmemcontrol_test.h"

static void protocol_start(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, 0, fixture_register(test->priv, 0));
}

/* A buffer is aligned, inside of a page, and not shared with another CPU. */
static void protocol_expect_buffer(struct kunit *test, struct model *model,
				   unsigned int i)
{
	u64 gpa = model->gpa[i];
	unsigned int other;

	KUNIT_EXPECT_EQ(test, 0, gpa % 32);
	KUNIT_EXPECT_EQ(test, gpa >> PAGE_SHIFT, (gpa + 31) >> PAGE_SHIFT);
	for (other = 0; other < i; other++)
		KUNIT_EXPECT_NE(test, gpa, model->gpa[other]);
}

/* Every possible CPU gets a buffer, and then the device is ready. */
static void protocol_connects(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = &self->model[0];
	unsigned int i;

	protocol_start(test);
	KUNIT_EXPECT_EQ(test, MODEL_READY, model->state);
	KUNIT_EXPECT_EQ(test, num_possible_cpus(), model->connections);
	KUNIT_EXPECT_EQ(test, 2 + num_possible_cpus(), model->commands);
	KUNIT_EXPECT_EQ(test, 1, model->requests);
	for (i = 0; i < model->connections; i++)
		protocol_expect_buffer(test, model, i);
	fixture_unregister(self, 0);
	KUNIT_EXPECT_EQ(test, MODEL_BROKEN, model->state);
}

/* INFO needs no request: the driver returns the answer from the set-up. */
static void protocol_info(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct pvmemcontrol_vmm_call call = { .addr = 1, .length = 2, .arg = 3 };
	struct pvmemcontrol_vmm_ret ret;

	self->model[0].page_size = 1 << 21;
	protocol_start(test);
	KUNIT_EXPECT_EQ(test, 0, pvmemcontrol_call(self->pv[0], &call, &ret));
	KUNIT_EXPECT_EQ(test, 0, ret.ret_errno);
	KUNIT_EXPECT_EQ(test, 0, ret.ret_code);
	KUNIT_EXPECT_EQ(test, 1 << 21, ret.ret_value);
	KUNIT_EXPECT_EQ(test, 1, ret.arg0);
	KUNIT_EXPECT_EQ(test, 0, ret.arg1);
	KUNIT_EXPECT_EQ(test, 1, self->model[0].requests);
}

/* Request and answer are little endian, and their fields have this order. */
static void protocol_bytes(struct kunit *test)
{
	static const u8 bytes[] = {
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
		0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,
		0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31,
	};
	static const struct pvmemcontrol_vmm_call call = {
		.func_code = 0x0102030405060708,
		.addr = 0x1112131415161718,
		.length = 0x2122232425262728,
		.arg = 0x3132333435363738,
	};
	struct fixture *self = test->priv;
	struct pvmemcontrol_vmm_ret ret;

	protocol_start(test);
	self->model[0].echo = true;
	KUNIT_ASSERT_EQ(test, 0, pvmemcontrol_call(self->pv[0], &call, &ret));
	KUNIT_EXPECT_MEMEQ(test, bytes, &self->model[0].last, sizeof(bytes));
	KUNIT_EXPECT_EQ(test, ~0x05060708u, ret.ret_errno);
	KUNIT_EXPECT_EQ(test, ~0x01020304u, ret.ret_code);
	KUNIT_EXPECT_EQ(test, ~call.addr, ret.ret_value);
	KUNIT_EXPECT_EQ(test, ~call.length, ret.arg0);
	KUNIT_EXPECT_EQ(test, ~call.arg, ret.arg1);
}

/* An answered call succeeds with any answer, which is passed on. */
static void protocol_verdicts(struct kunit *test)
{
	static const struct {
		u64 func, addr, length;
		u32 fail, ret_errno, ret_code;
	} cases[] = {
		{ PVMEMCONTROL_FREE, 4096, 8192 },
		{ PVMEMCONTROL_FREE, 0, 0 },
		{ PVMEMCONTROL_UNMERGEABLE, 4096, 8192 },
		{ PVMEMCONTROL_MLOCK, 4096, 8192, ENOMEM, ENOMEM, 0 },
		{ PVMEMCONTROL_REMOVE, 4096, 4096, 0, EINVAL, 0 },
		{ PVMEMCONTROL_REMOVE, PVMEMCONTROL_TEST_SHARED, 4096 },
		{ PVMEMCONTROL_FREE, 1, 4096, 0, EINVAL, 0 },
		{ PVMEMCONTROL_FREE, PVMEMCONTROL_TEST_SHARED - 4096, 8192, 0,
		  EINVAL, PVMEMCONTROL_FREE },
		{ PVMEMCONTROL_FREE, U64_MAX, U64_MAX, 0, EINVAL,
		  PVMEMCONTROL_FREE },
		{ 15, 4096, 4096, 0, EOPNOTSUPP, 15 },
		{ 1ULL << 32, 4096, 4096, 0, EOPNOTSUPP, 0 },
	};
	struct fixture *self = test->priv;
	struct pvmemcontrol_vmm_ret ret;
	unsigned int i;

	protocol_start(test);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pvmemcontrol_vmm_call call = {
			.func_code = cases[i].func,
			.addr = cases[i].addr,
			.length = cases[i].length,
		};

		self->model[0].fail = cases[i].fail;
		KUNIT_EXPECT_EQ(test, 0, pvmemcontrol_call(self->pv[0], &call, &ret));
		KUNIT_EXPECT_EQ_MSG(test, cases[i].ret_errno, ret.ret_errno, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].ret_code, ret.ret_code, "case %u", i);
		KUNIT_EXPECT_EQ(test, 0, ret.ret_value | ret.arg0 | ret.arg1);
	}
	KUNIT_EXPECT_EQ(test, 1, self->model[0].resets);
}

/* A device that does not follow the protocol is refused, and left without connections. */
static void protocol_refusals(struct kunit *test)
{
	static const struct {
		struct model model;
		int rc;
	} cases[] = {
		{ { .refuse_register = 1 }, -EIO },
		{ { .bad_id = true }, -EIO },
		{ { .unplugged = true }, -ENODEV },
		{ { .page_size = 1 }, -EIO },	/* stands for 0 */
		{ { .page_size = 4097 }, -EIO },
		{ { .major = 2 }, -EPROTO },
		{ { .info_errno = EINVAL }, -EIO },
		{ { .mute = 1 }, -EIO },	/* stands for all */
	};
	struct fixture *self = test->priv;
	struct model *model = &self->model[0];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct model *with = &cases[i].model;

		model_init(model);
		/* Refuse the last one: those before it are registered. */
		if (with->refuse_register)
			model->refuse_register = num_possible_cpus();
		model->bad_id = with->bad_id;
		model->unplugged = with->unplugged;
		model->info_errno = with->info_errno;
		if (with->page_size)
			model->page_size = with->page_size & ~1ULL ? with->page_size : 0;
		if (with->major)
			model->major = with->major;
		if (with->mute)
			model->mute = 0;
		KUNIT_EXPECT_EQ_MSG(test, cases[i].rc, fixture_register(self, 0),
				    "case %u", i);
		fixture_unregister(self, 0);
		KUNIT_EXPECT_EQ(test, MODEL_BROKEN, model->state);
	}
	model_init(model);
	protocol_start(test);
}

/* Numbers of connections wrap around, and connections still work. */
static void protocol_ids(struct kunit *test)
{
	struct fixture *self = test->priv;

	self->model[0].next_id = U32_MAX;
	protocol_start(test);
	KUNIT_EXPECT_EQ(test, U32_MAX, self->model[0].id[0]);
	if (num_possible_cpus() > 1)
		KUNIT_EXPECT_EQ(test, 0x80000000, self->model[0].id[1]);
	KUNIT_EXPECT_EQ(test, 0, fixture_call(self));
}

/* After a restored snapshot calls are repeated, and succeed. */
static void protocol_forgotten(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = &self->model[0];
	unsigned int i;

	protocol_start(test);
	for (i = 0; i < 3; i++) {
		model_forget(model);
		KUNIT_EXPECT_EQ(test, 0, fixture_call(self));
		KUNIT_EXPECT_EQ(test, 0, fixture_call(self));
		KUNIT_EXPECT_EQ(test, 2 + i, model->resets);
		KUNIT_EXPECT_EQ(test, 1 + i, model->unanswered);
	}
}

/* The page size may differ on the next host. */
static void protocol_info_again(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct pvmemcontrol_vmm_call call = {};
	struct pvmemcontrol_vmm_ret ret;

	protocol_start(test);
	model_forget(&self->model[0]);
	self->model[0].page_size = 65536;
	KUNIT_EXPECT_EQ(test, -EINVAL, fixture_call(self));
	KUNIT_EXPECT_EQ(test, 0, pvmemcontrol_call(self->pv[0], &call, &ret));
	KUNIT_EXPECT_EQ(test, 65536, ret.ret_value);
}

/* A broken device gets no requests: neither calls nor anything else write a register. */
static void protocol_expect_broken(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = &self->model[0];
	u64 commands = model->commands, unanswered = model->unanswered;
	struct pvmemcontrol_vmm_call call = {};
	struct pvmemcontrol_vmm_ret ret;

	KUNIT_EXPECT_EQ(test, -EIO, fixture_call(self));
	KUNIT_EXPECT_EQ(test, -EIO, pvmemcontrol_call(self->pv[0], &call, &ret));
	KUNIT_EXPECT_EQ(test, commands, model->commands);
	KUNIT_EXPECT_EQ(test, unanswered, model->unanswered);
}

/* It connects again, but still does not answer. */
static void protocol_broken(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = &self->model[0];

	protocol_start(test);
	model_forget(model);
	model->mute = 1;
	KUNIT_EXPECT_EQ(test, -EIO, fixture_call(self));
	KUNIT_EXPECT_EQ(test, 2, model->resets);
	KUNIT_EXPECT_EQ(test, 2, model->unanswered);
	protocol_expect_broken(test);

	model->mute = -1;
	pvmemcontrol_suspend(self->pv[0]);
	KUNIT_EXPECT_EQ(test, 0, pvmemcontrol_resume(self->pv[0]));
	KUNIT_EXPECT_EQ(test, 0, fixture_call(self));
}

/* It does not even connect again. */
static void protocol_broken_sooner(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = &self->model[0];

	protocol_start(test);
	model_forget(model);
	model->refuse_register = 1;
	KUNIT_EXPECT_EQ(test, -EIO, fixture_call(self));
	KUNIT_EXPECT_EQ(test, 2, model->resets);
	protocol_expect_broken(test);
	fixture_unregister(self, 0);
	protocol_start(test);
	KUNIT_EXPECT_EQ(test, 0, fixture_call(self));
}

/* A device that is unplugged before the driver is notified. */
static void protocol_unplugged(struct kunit *test)
{
	struct fixture *self = test->priv;

	protocol_start(test);
	WRITE_ONCE(self->model[0].unplugged, true);
	KUNIT_EXPECT_EQ(test, -ENODEV, fixture_call(self));
	KUNIT_EXPECT_EQ(test, -ENODEV, fixture_call(self));
}

static void protocol_suspended(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = &self->model[0];
	u64 requests;

	protocol_start(test);
	pvmemcontrol_suspend(self->pv[0]);
	KUNIT_EXPECT_EQ(test, MODEL_BROKEN, model->state);
	requests = model->requests;
	KUNIT_EXPECT_EQ(test, -EAGAIN, fixture_call(self));
	KUNIT_EXPECT_EQ(test, 0, model->unanswered);
	KUNIT_EXPECT_EQ(test, requests, model->requests);

	model_forget(model);
	KUNIT_EXPECT_EQ(test, 0, pvmemcontrol_resume(self->pv[0]));
	KUNIT_EXPECT_EQ(test, 0, fixture_call(self));

	pvmemcontrol_suspend(self->pv[0]);
	model->refuse_register = 1;
	KUNIT_EXPECT_EQ(test, -EIO, pvmemcontrol_resume(self->pv[0]));
	protocol_expect_broken(test);
}

static struct kunit_case pvmemcontrol_protocol_cases[] = {
	KUNIT_CASE(protocol_connects),
	KUNIT_CASE(protocol_info),
	KUNIT_CASE(protocol_bytes),
	KUNIT_CASE(protocol_verdicts),
	KUNIT_CASE(protocol_refusals),
	KUNIT_CASE(protocol_ids),
	KUNIT_CASE(protocol_forgotten),
	KUNIT_CASE(protocol_info_again),
	KUNIT_CASE(protocol_broken),
	KUNIT_CASE(protocol_broken_sooner),
	KUNIT_CASE(protocol_unplugged),
	KUNIT_CASE(protocol_suspended),
	{}
};

static struct kunit_suite pvmemcontrol_protocol_suite = {
	.name = "pvmemcontrol_protocol",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = pvmemcontrol_protocol_cases,
};
kunit_test_suite(pvmemcontrol_protocol_suite);
