/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVMEMCONTROL_MODEL_H
#define _PVMEMCONTROL_MODEL_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "../../compat.h"
#include "../../include/linux/pvmemcontrol.h"

#define MODEL_CONNECTIONS 256

enum model_state { MODEL_BROKEN, MODEL_PERCPU_INIT, MODEL_READY };

/**
 * struct model_request - a request as it was in the buffer, little endian
 * @word: function code, address, length, argument
 */
struct model_request {
	__le64 word[4];
};

/**
 * struct model - a device
 * @regs: how the driver reaches it
 * @lock: for all below but what is atomic, and what a test sets while nobody calls
 * @state: of the protocol
 * @status: what the command register reads as
 * @payload: what is written to it, and read after REGISTER
 * @next_id: the next connection, if it is free
 * @connections: buffers that are known
 * @id: of each
 * @gpa: of each
 * @last: the last request
 * @resets: how often it was reset
 * @commands: how often a command was written, connections not counted
 * @requests: of connections that are known
 * @unanswered: of writes of connections
 * @unplugged: nobody decodes the registers
 * @refuse_register: REGISTER is answered with ERROR so many times from now
 * @bad_id: connections are given out without their topmost bit
 * @page_size: what INFO says, as below
 * @major: the version
 * @info_errno: instead
 * @mute: answer so many requests, and then no more; negative: all
 * @fail: errno of system calls
 * @echo: the answer of all but INFO is the complement of the request
 * @hold: a request is not done before this is false
 * @held: requests that wait for it
 */
struct model {
	struct pvmemcontrol_regs regs;
	raw_spinlock_t lock;
	enum model_state state;
	u32 status;
	u8 payload[8];
	u32 next_id;
	unsigned int connections;
	u32 id[MODEL_CONNECTIONS];
	u64 gpa[MODEL_CONNECTIONS];
	struct model_request last;
	u64 resets;
	u64 commands;
	u64 requests;
	u64 unanswered;
	bool unplugged;
	unsigned int refuse_register;
	bool bad_id;
	u64 page_size;
	u64 major;
	u32 info_errno;
	int mute;
	u32 fail;
	bool echo;
	bool hold;
	atomic_t held;
};

void model_init(struct model *model);
void model_forget(struct model *model);

#endif /* _PVMEMCONTROL_MODEL_H */
