// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: knobs
 *
 * Make methods of a VM slow, or fail once. Also count their calls.
 *
 * Locks: &mock_vm.knobs_lock is innermost. No lock is held while a call is slow.
 */
#include <linux/delay.h>

#include "internal.h"

static bool mock_knob_can_fail(u32 method)
{
	return method == GMEM_TEST_CHECK || method == GMEM_TEST_MAKE_PRIVATE ||
	       method == GMEM_TEST_MAKE_SHARED || method == GMEM_TEST_MAP;
}

int mock_knob_set(struct mock_vm *vm, void *arg)
{
	struct gmem_test_knob *cmd = arg;
	struct mock_knob *knob;

	if (cmd->method >= GMEM_TEST_NR_METHODS ||
	    cmd->delay_ms > GMEM_TEST_DELAY_MAX)
		return -EINVAL;
	if (!cmd->nth && (cmd->error || cmd->pages))
		return -EINVAL;
	if (cmd->nth && (!cmd->error || cmd->error > GMEM_TEST_MAX_ERRNO))
		return -EINVAL;
	if (cmd->nth && !mock_knob_can_fail(cmd->method))
		return -EOPNOTSUPP;

	knob = &vm->knobs[cmd->method];
	spin_lock(&vm->knobs_lock);
	knob->delay_ms = cmd->delay_ms;
	knob->nth = cmd->nth;
	knob->error = -(int)cmd->error;
	knob->pages = cmd->pages;
	spin_unlock(&vm->knobs_lock);
	return 0;
}

/*
 * Called by each method: count the call, and wait if it is slow. Return: the result of
 * the method. After an error *@pages is the number of pages that it does before.
 */
int mock_knob_call(struct mock_vm *vm, enum gmem_test_method method,
		   unsigned long *pages)
{
	struct mock_knob *knob = &vm->knobs[method];
	u32 delay;
	int rc = 0;

	spin_lock(&vm->knobs_lock);
	knob->calls++;
	delay = knob->delay_ms;
	if (knob->nth && !--knob->nth) {
		rc = knob->error;
		vm->failed++;
		if (pages)
			*pages = min_t(unsigned long, *pages, knob->pages);
	}
	spin_unlock(&vm->knobs_lock);
	if (delay)
		msleep(delay);
	return rc;
}

void mock_knob_count(struct mock_vm *vm, struct gmem_test_count *cmd)
{
	unsigned int i;

	spin_lock(&vm->knobs_lock);
	for (i = 0; i < GMEM_TEST_NR_METHODS; i++)
		cmd->calls[i] = vm->knobs[i].calls;
	cmd->failed = vm->failed;
	spin_unlock(&vm->knobs_lock);
}
