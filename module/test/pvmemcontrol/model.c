// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: a model of the device
 *
 * Follows the description of the protocol, and Cloud Hypervisor where the description is
 * open. It does not use the driver's code: it defines numbers itself, so that a wrong
 * number in the driver is found. It changes no memory except for answers.
 *
 * Like in a VMM, requests of several CPUs are executed at the same time. All functions
 * can be called with preemption disabled.
 *
 * Takes model.lock, inside of which no other lock is taken.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/string.h>

#include "model.h"
#include "pvmemcontrol_test.h"

#define RESET		0x060fe6d2u
#define REGISTER	0x0e359539u
#define READY		0x0ca8d227u
#define DISCONNECT	0x030f5da0u
#define ACK		0x03cf5196u
#define ERROR		0x01fba249u

#define FIRST_ID	0x80000000u
#define BUFFER_BYTES	32
#define INFO		0
#define REMOVE		2
#define LAST_FUNC	14

static void model_break(struct model *model)
{
	model->state = MODEL_BROKEN;
	model->status = ERROR;
}

static unsigned int model_find(struct model *model, u32 id)
{
	unsigned int i;

	for (i = 0; i < model->connections; i++)
		if (model->id[i] == id)
			break;
	return i;
}

static bool model_is_ram(u64 gpa)
{
	return pfn_valid(PHYS_PFN(gpa)) &&
	       pfn_valid(PHYS_PFN(gpa + BUFFER_BYTES - 1));
}

static void model_reset(struct model *model)
{
	model->state = MODEL_PERCPU_INIT;
	model->status = ACK;
	model->connections = 0;
	model->resets++;
}

static void model_register(struct model *model)
{
	u64 gpa;
	u32 id;

	memcpy(&gpa, model->payload, sizeof(gpa));
	memset(model->payload, 0, sizeof(model->payload));
	gpa = le64_to_cpu((__force __le64)gpa);
	if (model->state != MODEL_PERCPU_INIT || !model_is_ram(gpa) ||
	    model->connections == MODEL_CONNECTIONS ||
	    (model->refuse_register && !--model->refuse_register)) {
		model_break(model);
		return;
	}
	while (model_find(model, model->next_id) < model->connections)
		model->next_id = (model->next_id + 1) | FIRST_ID;
	id = model->next_id;
	model->next_id = (id + 1) | FIRST_ID;
	model->id[model->connections] = id;
	model->gpa[model->connections++] = gpa;
	id = (__force u32)cpu_to_le32(model->bad_id ? id & ~FIRST_ID : id);
	memcpy(model->payload, &id, sizeof(id));
	model->status = ACK;
}

static void model_ready(struct model *model)
{
	if (model->state != MODEL_PERCPU_INIT) {
		model_break(model);
		return;
	}
	model->state = MODEL_READY;
	model->status = ACK;
}

static void model_command(struct model *model, u32 command)
{
	model->commands++;
	if (command == RESET)
		model_reset(model);
	else if (command == REGISTER)
		model_register(model);
	else if (command == READY)
		model_ready(model);
	else if (command == DISCONNECT || command == ACK || command == ERROR)
		model_break(model);
	if (command != REGISTER)
		memset(model->payload, 0, sizeof(model->payload));
}

/* The checks of the host: whole pages of one kind of memory. Return: -errno. */
static int model_advise(struct model *model, u64 func, u64 addr, u64 length,
			u32 *code)
{
	u64 end = addr < PVMEMCONTROL_TEST_SHARED ? PVMEMCONTROL_TEST_SHARED :
						    PVMEMCONTROL_TEST_END;

	*code = func;
	if (func > LAST_FUNC)
		return -EOPNOTSUPP;
	if (addr > end || length > end - addr)
		return -EINVAL;
	*code = 0;
	if (model->fail)
		return -(int)model->fail;
	if (addr & (model->page_size - 1) || length & (model->page_size - 1))
		return -EINVAL;
	if (func == REMOVE && addr < PVMEMCONTROL_TEST_SHARED)
		return -EINVAL;
	return 0;
}

static void model_answer(struct model *model, const u64 *word, __le64 *answer)
{
	u32 code = 0, error;
	unsigned int i;

	memset(answer, 0, BUFFER_BYTES);
	if (word[0] == INFO && !model->info_errno) {
		answer[1] = cpu_to_le64(model->page_size);
		answer[2] = cpu_to_le64(model->major);
		return;
	}
	if (model->echo) {
		for (i = 0; i < 4; i++)
			answer[i] = cpu_to_le64(~word[i]);
		return;
	}
	error = word[0] == INFO ? model->info_errno :
		-model_advise(model, word[0], word[1], word[2], &code);
	answer[0] = cpu_to_le64((u64)code << 32 | error);
}

static void model_request(struct model *model, u64 gpa)
{
	__le64 *buffer = phys_to_virt(gpa);
	struct model_request request;
	__le64 answer[4];
	u64 word[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		request.word[i] = READ_ONCE(buffer[i]);
		word[i] = le64_to_cpu(request.word[i]);
	}
	atomic_inc(&model->held);
	while (READ_ONCE(model->hold))
		cpu_relax();
	atomic_dec(&model->held);
	raw_spin_lock(&model->lock);
	model->last = request;
	model_answer(model, word, answer);
	raw_spin_unlock(&model->lock);
	for (i = 0; i < 4; i++)
		WRITE_ONCE(buffer[i], answer[i]);
}

/* The lock protects the look-up only. */
static void model_connection(struct model *model, u32 id)
{
	unsigned int i;
	u64 gpa = 0;

	raw_spin_lock(&model->lock);
	i = model_find(model, id);
	if (model->state != MODEL_READY || i == model->connections || !model->mute) {
		model->unanswered++;
	} else {
		model->mute -= model->mute > 0;
		model->requests++;
		gpa = model->gpa[i];
	}
	raw_spin_unlock(&model->lock);
	if (gpa)
		model_request(model, gpa);
}

/* Writes after the payload, and unknown commands, are ignored. */
static void model_write(struct pvmemcontrol_regs *regs, u32 offset, u32 value)
{
	struct model *model = container_of(regs, struct model, regs);
	__le32 bytes = cpu_to_le32(value);

	if (READ_ONCE(model->unplugged))
		return;
	if (offset == 8 && value & FIRST_ID) {
		model_connection(model, value);
		return;
	}
	raw_spin_lock(&model->lock);
	if (offset == 8)
		model_command(model, value);
	else if (offset <= 4)
		memcpy(model->payload + offset, &bytes, sizeof(bytes));
	raw_spin_unlock(&model->lock);
}

static u32 model_read(struct pvmemcontrol_regs *regs, u32 offset)
{
	struct model *model = container_of(regs, struct model, regs);
	__le32 bytes = 0;
	u32 status;

	if (READ_ONCE(model->unplugged))
		return U32_MAX;
	raw_spin_lock(&model->lock);
	status = model->status;
	if (offset <= 4)
		memcpy(&bytes, model->payload + offset, sizeof(bytes));
	raw_spin_unlock(&model->lock);
	return offset == 8 ? status : le32_to_cpu(bytes);
}

/**
 * model_forget() - put the device into its initial state
 * @model: the device
 */
void model_forget(struct model *model)
{
	raw_spin_lock(&model->lock);
	model_break(model);
	model->connections = 0;
	model->next_id = FIRST_ID;
	memset(model->payload, 0, sizeof(model->payload));
	raw_spin_unlock(&model->lock);
}

/**
 * model_init() - initialise a new device
 * @model: the device
 */
void model_init(struct model *model)
{
	memset(model, 0, sizeof(*model));
	raw_spin_lock_init(&model->lock);
	model->regs.read = model_read;
	model->regs.write = model_write;
	model->page_size = 4096;
	model->major = 1;
	model->mute = -1;
	model_forget(model);
}
