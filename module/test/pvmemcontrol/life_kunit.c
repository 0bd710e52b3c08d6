// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: devices that are added, forget their connections, and are removed during calls.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "kunit.h"

#define CALLERS		6
#define CALLS		300
#define ROUNDS		8
#define DEADLINE	(60 * HZ)

/**
 * struct caller - a thread
 * @pv: the device it calls
 * @calls: largest number of calls; the first failure ends them
 * @ready: the thread has started
 * @go: completed to start the calls
 * @done: the thread has ended
 * @rc: result of the last call
 * @wrong: number of answers to another request
 */
struct caller {
	struct pvmemcontrol *pv;
	unsigned int calls;
	struct completion ready;
	struct completion *go;
	struct completion done;
	int rc;
	unsigned int wrong;
};

/* The model answers with the complement, so each request has a different answer. */
static int caller_call(struct caller *caller)
{
	struct pvmemcontrol_vmm_call call = {
		.func_code = 1 + get_random_u32() % 14,
		.addr = get_random_u64(),
		.length = get_random_u64(),
		.arg = get_random_u64(),
	};
	struct pvmemcontrol_vmm_ret ret;
	int rc = pvmemcontrol_call(caller->pv, &call, &ret);

	if (!rc && (ret.ret_value != ~call.addr || ret.arg0 != ~call.length ||
		    ret.arg1 != ~call.arg || ret.ret_errno != ~(u32)call.func_code))
		caller->wrong++;
	return rc;
}

static int caller_thread(void *data)
{
	struct caller *caller = data;
	unsigned int i;

	complete(&caller->ready);
	wait_for_completion(caller->go);
	for (i = 0; i < caller->calls && !caller->rc; i++)
		caller->rc = caller_call(caller);
	complete(&caller->done);
	return 0;
}

static struct caller *callers_start(struct kunit *test, struct pvmemcontrol *pv,
				    unsigned int count, unsigned int calls,
				    struct completion *go)
{
	struct caller *callers = kunit_kcalloc(test, count, sizeof(*callers), GFP_KERNEL);
	struct task_struct *task;
	unsigned int i, cpu = cpumask_first(cpu_online_mask);

	KUNIT_ASSERT_NOT_NULL(test, callers);
	for (i = 0; i < count; i++) {
		callers[i].pv = pv;
		callers[i].calls = calls;
		callers[i].go = go;
		init_completion(&callers[i].ready);
		init_completion(&callers[i].done);
		task = kthread_run_on_cpu(caller_thread, &callers[i], cpu,
					  "pvmemcontrol/%u");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		wait_for_completion(&callers[i].ready);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	return callers;
}

/* All callers have ended with @rc, and got the answers to their requests. */
static void callers_end(struct kunit *test, struct caller *callers,
			unsigned int count, int rc)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		wait_for_completion(&callers[i].done);
		KUNIT_EXPECT_EQ(test, rc, callers[i].rc);
		KUNIT_EXPECT_EQ(test, 0, callers[i].wrong);
	}
}

static struct model *life_start(struct kunit *test)
{
	struct fixture *self = test->priv;

	KUNIT_ASSERT_EQ(test, 0, fixture_register(self, 0));
	self->model[0].echo = true;
	return &self->model[0];
}

/* More callers than CPUs: each gets its own answer. */
static void life_parallel(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = life_start(test);
	DECLARE_COMPLETION_ONSTACK(go);
	struct caller *callers;

	callers = callers_start(test, self->pv[0], CALLERS, CALLS, &go);
	complete_all(&go);
	callers_end(test, callers, CALLERS, 0);
	KUNIT_EXPECT_EQ(test, 1 + CALLERS * CALLS, model->requests);
	KUNIT_EXPECT_EQ(test, 1, model->resets);
}

/* All callers notice at once that connections are lost, and one connects the device again. */
static void life_forgotten(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = life_start(test);
	struct caller *callers;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		DECLARE_COMPLETION_ONSTACK(go);

		callers = callers_start(test, self->pv[0], CALLERS, 1, &go);
		model_forget(model);
		complete_all(&go);
		callers_end(test, callers, CALLERS, 0);
		KUNIT_EXPECT_EQ(test, 2 + i, model->resets);
	}
}

/**
 * struct leaver - a thread that removes a device
 * @self: the fixture with the device
 * @done: completed after the removal
 */
struct leaver {
	struct fixture *self;
	struct completion done;
};

static int leaver_thread(void *data)
{
	struct leaver *leaver = data;

	fixture_unregister(leaver->self, 0);
	complete(&leaver->done);
	return 0;
}

static bool life_wait_held(struct model *model)
{
	unsigned long end = jiffies + DEADLINE;

	while (!atomic_read(&model->held)) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(100, 1000);
	}
	return true;
}

/* The host is using the buffer: the driver waits before it frees the buffer. */
static void life_unregister_waits(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct model *model = life_start(test);
	struct leaver leaver = { .self = self };
	DECLARE_COMPLETION_ONSTACK(go);
	struct task_struct *task;
	struct caller *caller;
	bool held;

	if (num_online_cpus() < 2)
		kunit_skip(test, "unsupported-by-design: one CPU");
	init_completion(&leaver.done);
	WRITE_ONCE(model->hold, true);
	caller = callers_start(test, self->pv[0], 1, 1, &go);
	complete_all(&go);
	held = life_wait_held(model);
	task = kthread_run(leaver_thread, &leaver, "pvmemcontrol_leaver");
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_TRUE(test, held);
	msleep(200);
	KUNIT_EXPECT_FALSE(test, completion_done(&leaver.done));
	KUNIT_EXPECT_EQ(test, MODEL_READY, READ_ONCE(model->state));
	WRITE_ONCE(model->hold, false);
	callers_end(test, caller, 1, 0);
	wait_for_completion(&leaver.done);
	KUNIT_EXPECT_EQ(test, MODEL_BROKEN, model->state);
}

/* A reference keeps the structure of a removed device, whose calls are refused. */
static void life_unregister_called(struct kunit *test)
{
	struct fixture *self = test->priv;
	DECLARE_COMPLETION_ONSTACK(go);
	struct pvmemcontrol *pv;
	struct caller *callers;
	unsigned int i;
	u64 requests;

	for (i = 0; i < ROUNDS; i++) {
		struct model *model = life_start(test);

		pv = pvmemcontrol_get();
		KUNIT_ASSERT_PTR_EQ(test, self->pv[0], pv);
		reinit_completion(&go);
		callers = callers_start(test, pv, CALLERS, UINT_MAX, &go);
		complete_all(&go);
		usleep_range(5000, 10000);
		fixture_unregister(self, 0);
		requests = READ_ONCE(model->requests);
		callers_end(test, callers, CALLERS, -ENODEV);
		KUNIT_EXPECT_EQ(test, requests, model->requests);
		KUNIT_EXPECT_EQ(test, 0, model->unanswered);
		pvmemcontrol_put(pv);
		model_init(model);
	}
}

/* Each device has buffers of its own; the oldest one is found, and then the next. */
static void life_several(struct kunit *test)
{
	struct fixture *self = test->priv;
	struct pvmemcontrol *first, *second;

	life_start(test);
	self->model[0].echo = false;
	KUNIT_ASSERT_EQ(test, 0, fixture_register(self, 1));
	first = pvmemcontrol_get();
	KUNIT_EXPECT_PTR_EQ(test, self->pv[0], first);
	KUNIT_EXPECT_NE(test, self->model[0].gpa[0], self->model[1].gpa[0]);
	KUNIT_EXPECT_EQ(test, 0, fixture_call(self));
	KUNIT_EXPECT_EQ(test, 2, self->model[0].requests);
	KUNIT_EXPECT_EQ(test, 1, self->model[1].requests);

	fixture_unregister(self, 0);
	second = pvmemcontrol_get();
	KUNIT_EXPECT_PTR_EQ(test, self->pv[1], second);
	fixture_unregister(self, 1);
	KUNIT_EXPECT_NULL(test, pvmemcontrol_get());
	pvmemcontrol_put(second);
	pvmemcontrol_put(first);
}

static struct kunit_case pvmemcontrol_life_cases[] = {
	KUNIT_CASE(life_parallel),
	KUNIT_CASE(life_forgotten),
	KUNIT_CASE(life_unregister_waits),
	KUNIT_CASE(life_unregister_called),
	KUNIT_CASE(life_several),
	{}
};

static struct kunit_suite pvmemcontrol_life_suite = {
	.name = "pvmemcontrol_life",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = pvmemcontrol_life_cases,
};
kunit_test_suite(pvmemcontrol_life_suite);
