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
 * @regs: methods by which the driver accesses it
 * @lock: protects all below, except atomics, and settings that change while no call runs
 * @state: state of the protocol
 * @status: value of the command register
 * @payload: the payload, written by the driver, and read by it after REGISTER
 * @next_id: number of the next connection, if it is free
 * @connections: number of known buffers
 * @id: connection of each buffer
 * @gpa: address of each buffer
 * @last: the last request
 * @resets: number of resets
 * @commands: number of commands, without requests
 * @requests: number of requests of known connections
 * @unanswered: number of requests without an answer
 * @unplugged: registers read as ones
 * @refuse_register: answer this number of REGISTER commands with ERROR
 * @bad_id: return numbers of connections without the topmost bit
 * @page_size: answer to INFO
 * @major: major version in the answer to INFO
 * @info_errno: error of INFO
 * @mute: answer this number of requests, and then no more; negative: answer all
 * @fail: errno of the system calls of requests
 * @echo: the answer of all but INFO is the complement of the request
 * @hold: requests wait until this is false
 * @held: number of requests that wait
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
