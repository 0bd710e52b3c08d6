// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: guest accesses
 *
 * Accesses of ranges, page by page. Memory of the program is accessed without locks,
 * because it may be a mapping of the same file.
 *
 * Locks: &mock_vm.slots_lock, shared, for one page at a time.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

/* An access inside one page. */
static int mock_access_page(struct mock_vm *vm, u64 gpa, unsigned int length,
			    u32 flags, mock_access_fn fn, void *data)
{
	struct mock_slot *slot;
	pgoff_t index;
	int rc;

	rc = down_read_killable(&vm->slots_lock);
	if (rc)
		return rc;
	slot = mock_slot_find(vm, gpa, &index);
	rc = slot ? mock_stage2_access(slot, index, flags, offset_in_page(gpa),
				       length, fn, data) : -ENXIO;
	up_read(&vm->slots_lock);
	return rc;
}

static unsigned int mock_access_length(u64 gpa, u64 left)
{
	return min_t(u64, left, PAGE_SIZE - offset_in_page(gpa));
}

/* Call @fn for each page of the range, or part of one, until one fails. */
int mock_access_range(struct mock_vm *vm, u64 gpa, u64 length, u32 flags,
		      mock_access_fn fn, void *data)
{
	unsigned int part;
	u64 end;
	int rc;

	if (check_add_overflow(gpa, length, &end))
		return -EOVERFLOW;
	if (length > GMEM_TEST_SLOT_MAX)
		return -EINVAL;
	for (; gpa < end; gpa += part) {
		part = mock_access_length(gpa, end - gpa);
		rc = mock_access_page(vm, gpa, part, flags, fn, data);
		if (rc)
			return rc;
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int mock_access_read(const struct mock_chunk *chunk, void *data)
{
	memcpy(data, chunk->at, chunk->length);
	return 0;
}

static int mock_access_write(const struct mock_chunk *chunk, void *data)
{
	memcpy(chunk->at, data, chunk->length);
	return 0;
}

/* @buffer: kernel memory for copies between the guest and the program. */
static int mock_access_copy(struct mock_vm *vm, u64 gpa, unsigned int length,
			    u32 flags, void __user *user, void *buffer)
{
	bool write = flags & GMEM_TEST_F_WRITE;
	int rc;

	if (write && copy_from_user(buffer, user, length))
		return -EFAULT;
	rc = mock_access_range(vm, gpa, length, flags,
			       write ? mock_access_write : mock_access_read,
			       buffer);
	if (!rc && !write && copy_to_user(user, buffer, length))
		return -EFAULT;
	return rc;
}

int mock_access(struct mock_vm *vm, void *arg)
{
	struct gmem_test_access *cmd = arg;
	u64 gpa = cmd->gpa, end, user = cmd->data;
	unsigned int part;
	void *buffer;
	int rc = 0;

	if (cmd->flags & ~(GMEM_TEST_F_WRITE | GMEM_TEST_F_SHARED |
			   GMEM_TEST_F_PRIVATE))
		return -EINVAL;
	if (cmd->length > GMEM_TEST_SLOT_MAX)
		return -EINVAL;
	if (check_add_overflow(gpa, cmd->length, &end))
		return -EOVERFLOW;
	buffer = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;

	for (; !rc && gpa < end; gpa += part, user += part) {
		part = mock_access_length(gpa, end - gpa);
		rc = mock_access_copy(vm, gpa, part, cmd->flags,
				      u64_to_user_ptr(user), buffer);
	}
	kfree(buffer);
	return rc;
}
