// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: conversions by the guest
 *
 * The guest asks its hypervisor, which asks gmem: this is how a guest consents. Ranges
 * are passed on unchanged, and gmem refuses those outside of the binding.
 *
 * Locks: &mock_vm.slots_lock, shared.
 */
#include <linux/overflow.h>

#include "internal.h"

/*
 * Find the slot of a range of whole pages. After success the caller has to release the
 * slots.
 */
static int mock_range_get(struct mock_vm *vm, u64 gpa, u64 length,
			  struct mock_slot **slot, pgoff_t *start, pgoff_t *end)
{
	u64 last;
	int rc;

	if (!PAGE_ALIGNED(gpa) || !PAGE_ALIGNED(length))
		return -EINVAL;
	if (check_add_overflow(gpa, length, &last))
		return -EOVERFLOW;
	rc = down_read_killable(&vm->slots_lock);
	if (rc)
		return rc;
	*slot = mock_slot_find(vm, gpa, start);
	if (!*slot) {
		up_read(&vm->slots_lock);
		return -ENXIO;
	}
	*end = *start + (length >> PAGE_SHIFT);
	return 0;
}

static void mock_convert_report(struct gmem_test_convert *cmd,
				struct mock_slot *slot,
				const struct gmem_conversion *conv, int rc)
{
	const struct gmem_holder *holder = &conv->holder;

	cmd->timeout_ms = conv->timeout_ms;
	if (rc && rc != -EINVAL)
		cmd->error_gpa = mock_slot_gpa(slot, holder->index);
	if (rc != -EAGAIN)
		return;
	cmd->refs_seen = holder->refs_seen;
	cmd->refs_expected = holder->refs_expected;
	cmd->mapcount = holder->mapcount;
	cmd->out_flags = holder->pinned ? GMEM_CONVERT_OUT_PINNED : 0;
}

int mock_convert(struct mock_vm *vm, void *arg)
{
	struct gmem_test_convert *cmd = arg;
	struct gmem_conversion conv = {
		.target = cmd->target,
		.content = cmd->content,
		.timeout_ms = cmd->timeout_ms,
	};
	struct mock_slot *slot;
	int rc;

	if (cmd->flags || cmd->__pad || cmd->out_flags || cmd->refs_seen ||
	    cmd->refs_expected || cmd->mapcount)
		return -EINVAL;
	cmd->error_gpa = cmd->gpa;
	rc = mock_range_get(vm, cmd->gpa, cmd->length, &slot, &conv.start,
			    &conv.end);
	if (rc)
		return rc;
	rc = gmem_convert(slot->binding, &conv);
	mock_convert_report(cmd, slot, &conv, rc);
	up_read(&vm->slots_lock);
	return rc;
}

int mock_query(struct mock_vm *vm, void *arg)
{
	struct gmem_test_query *cmd = arg;
	struct mock_slot *slot;
	enum gmem_state state;
	pgoff_t index, end;
	int rc;

	if (cmd->state || !cmd->length)
		return -EINVAL;
	rc = mock_range_get(vm, cmd->gpa, cmd->length, &slot, &index, &end);
	if (rc)
		return rc;
	end = min(end, slot->start + slot->nr_pages);
	end = gmem_query(slot->binding, index, end, &state);
	cmd->state = state;
	cmd->length = (u64)(end - index) << PAGE_SHIFT;
	up_read(&vm->slots_lock);
	return rc;
}
