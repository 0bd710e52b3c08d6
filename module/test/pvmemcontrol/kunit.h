/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVMEMCONTROL_KUNIT_H
#define _PVMEMCONTROL_KUNIT_H

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/err.h>

#include "model.h"

#define FIXTURE_DEVICES 2

/**
 * struct fixture - devices of a test
 * @parent: parent of their nodes
 * @model: the models behind their registers
 * @pv: the driver's devices, or NULL
 */
struct fixture {
	struct device *parent;
	struct model model[FIXTURE_DEVICES];
	struct pvmemcontrol *pv[FIXTURE_DEVICES];
};

/* Create models, without registering devices. */
static inline int fixture_init(struct kunit *test)
{
	struct fixture *self = kunit_kzalloc(test, sizeof(*self), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, self);
	self->parent = kunit_device_register(test, "pvmemcontrol_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(self->parent));
	for (i = 0; i < FIXTURE_DEVICES; i++)
		model_init(&self->model[i]);
	test->priv = self;
	return 0;
}

static inline void fixture_unregister(struct fixture *self, unsigned int i)
{
	if (self->pv[i])
		pvmemcontrol_unregister(self->pv[i]);
	self->pv[i] = NULL;
}

static inline void fixture_exit(struct kunit *test)
{
	struct fixture *self = test->priv;
	unsigned int i;

	for (i = 0; self && i < FIXTURE_DEVICES; i++)
		fixture_unregister(self, i);
}

/* Return: 0 or an error of pvmemcontrol_register(). */
static inline int fixture_register(struct fixture *self, unsigned int i)
{
	struct pvmemcontrol *pv = pvmemcontrol_register(self->parent,
							&self->model[i].regs);

	if (IS_ERR(pv))
		return PTR_ERR(pv);
	self->pv[i] = pv;
	return 0;
}

/* A valid request to the first device. */
static inline int fixture_call(struct fixture *self)
{
	struct pvmemcontrol_vmm_call call = {
		.func_code = PVMEMCONTROL_DONTNEED,
		.addr = 4096,
		.length = 4096,
	};
	struct pvmemcontrol_vmm_ret ret;
	int rc = pvmemcontrol_call(self->pv[0], &call, &ret);

	return rc ? rc : -(int)ret.ret_errno;
}

#endif /* _PVMEMCONTROL_KUNIT_H */
