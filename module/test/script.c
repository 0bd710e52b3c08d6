// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: scripts
 *
 * A script is a list of operations of a guest. The thread that runs it is a vCPU.
 *
 * Locks: those of the operations, one after another.
 */
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

static int mock_op_fill_chunk(const struct mock_chunk *chunk, void *data)
{
	struct gmem_test_op *op = data;

	memset(chunk->at, op->value, chunk->length);
	return 0;
}

static int mock_op_fill(struct mock_vm *vm, struct gmem_test_op *op)
{
	if (op->value > U8_MAX)
		return -EINVAL;
	return mock_access_range(vm, op->gpa, op->length, op->flags,
				 mock_op_fill_chunk, op);
}

static int mock_op_expect_chunk(const struct mock_chunk *chunk, void *data)
{
	struct gmem_test_op *op = data;
	void *differs;

	differs = memchr_inv(chunk->at, op->value, chunk->length);
	if (!differs)
		return 0;
	op->result = chunk->gpa + (differs - chunk->at);
	return -EBADMSG;
}

static int mock_op_expect(struct mock_vm *vm, struct gmem_test_op *op)
{
	if (op->value > U8_MAX)
		return -EINVAL;
	return mock_access_range(vm, op->gpa, op->length, op->flags,
				 mock_op_expect_chunk, op);
}

static int mock_op_word_chunk(const struct mock_chunk *chunk, void *data)
{
	struct gmem_test_op *op = data;
	u64 *word = chunk->at;

	if (op->opcode == GMEM_TEST_OP_STORE)
		*word = op->value;
	else if (op->opcode == GMEM_TEST_OP_ADD)
		*word += op->value;
	op->result = *word;
	return 0;
}

static int mock_op_word(struct mock_vm *vm, struct gmem_test_op *op)
{
	if (op->length != sizeof(u64) || !IS_ALIGNED(op->gpa, sizeof(u64)))
		return -EINVAL;
	return mock_access_range(vm, op->gpa, op->length, op->flags,
				 mock_op_word_chunk, op);
}

static int mock_op_convert(struct mock_vm *vm, struct gmem_test_op *op)
{
	struct gmem_test_convert convert = {
		.gpa = op->gpa,
		.length = op->length,
		.target = op->value & 0xff,
		.content = op->value >> 8 & 0xff,
		.timeout_ms = min_t(u64, op->value >> 16, U32_MAX),
	};
	int rc;

	if (op->flags)
		return -EINVAL;
	rc = mock_convert(vm, &convert);
	op->result = convert.error_gpa;
	return rc;
}

static int mock_op_check(struct mock_vm *vm, struct gmem_test_op *op)
{
	struct gmem_test_query query = {
		.gpa = op->gpa,
		.length = op->length,
	};
	int rc;

	if (op->flags)
		return -EINVAL;
	rc = mock_query(vm, &query);
	if (rc)
		return rc;
	op->result = query.gpa;
	if (query.state != op->value)
		return -EBADMSG;
	op->result += query.length;
	return query.length == op->length ? 0 : -EBADMSG;
}

static int mock_op_pause(struct gmem_test_op *op)
{
	if (op->flags || op->gpa || op->length ||
	    op->value > GMEM_TEST_DELAY_MAX)
		return -EINVAL;
	return msleep_interruptible(op->value) ? -EINTR : 0;
}

static int mock_op_run(struct mock_vm *vm, struct gmem_test_op *op)
{
	if (op->flags & ~(GMEM_TEST_F_SHARED | GMEM_TEST_F_PRIVATE))
		return -EINVAL;
	switch (op->opcode) {
	case GMEM_TEST_OP_FILL:
		return mock_op_fill(vm, op);
	case GMEM_TEST_OP_EXPECT:
		return mock_op_expect(vm, op);
	case GMEM_TEST_OP_LOAD:
	case GMEM_TEST_OP_STORE:
	case GMEM_TEST_OP_ADD:
		return mock_op_word(vm, op);
	case GMEM_TEST_OP_CONVERT:
		return mock_op_convert(vm, op);
	case GMEM_TEST_OP_CHECK:
		return mock_op_check(vm, op);
	case GMEM_TEST_OP_PAUSE:
		return mock_op_pause(op);
	default:
		return -EINVAL;
	}
}

static int mock_script_round(struct mock_vm *vm, struct gmem_test_run *cmd,
			     struct gmem_test_op *ops)
{
	u32 i;
	int rc;

	for (i = 0; i < cmd->nr_ops; i++) {
		cmd->failed = i;
		rc = mock_op_run(vm, &ops[i]);
		if (rc)
			return rc;
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	cmd->failed = cmd->nr_ops;
	return 0;
}

int mock_script_run(struct mock_vm *vm, void *arg)
{
	struct gmem_test_run *cmd = arg;
	u32 rounds = cmd->rounds;
	struct gmem_test_op *ops;
	int rc = 0;

	if (!cmd->nr_ops || cmd->nr_ops > GMEM_TEST_MAX_OPS || cmd->failed)
		return -EINVAL;
	ops = memdup_array_user(u64_to_user_ptr(cmd->ops), cmd->nr_ops,
				sizeof(*ops));
	if (IS_ERR(ops))
		return PTR_ERR(ops);

	for (cmd->rounds = 0; !rc && cmd->rounds < rounds;) {
		rc = mock_script_round(vm, cmd, ops);
		if (!rc)
			cmd->rounds++;
	}
	if (copy_to_user(u64_to_user_ptr(cmd->ops), ops,
			 cmd->nr_ops * sizeof(*ops)))
		rc = -EFAULT;
	kfree(ops);
	return rc;
}
