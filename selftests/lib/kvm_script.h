/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface between a test and its guest. Each vCPU executes the script in its page
 * of the control slot, stops with a report, and starts again when it is entered again.
 * Compiled for both the host and the guest.
 */
#ifndef KVM_SCRIPT_H
#define KVM_SCRIPT_H

#include <stdint.h>

#define KVM_SCRIPT_GPA	0x100000	/* a page for each vCPU */
#define KVM_SCRIPT_OPS	72
#define KVM_REPORT_PORT	0x510		/* a dword: enum kvm_report */

/* Attributes of KVM_HC_MAP_GPA_RANGE */
#define KVM_MAP_SHARED	0x00
#define KVM_MAP_PRIVATE	0x10

/**
 * enum kvm_opcode - an operation on @count pieces of memory
 * @KVM_OP_DONE: end of the script
 * @KVM_OP_SYNC: stop; continue with the next operation when entered again
 * @KVM_OP_FILL: set every byte to @value
 * @KVM_OP_EXPECT: check that every byte is @value
 * @KVM_OP_SWAP: @result = first byte, then set it to @value
 * @KVM_OP_READ: @result = first byte
 * @KVM_OP_MAP: KVM_HC_MAP_GPA_RANGE with the attributes @value; @result = the
 *	answer, which ends the script unless 0
 * @KVM_OP_MAP_RAW: the same for a single piece, but @size is the number of
 *	pages as it is, and any answer will do
 * @KVM_OP_BUMP: first and last word are @value << 32 | round; count them up
 * @KVM_OP_TAG: first and last word are 0 or @value; set them to @value
 * @KVM_OP_LOOP: start the next round, unless the host wants the loop to end
 * @KVM_OP_CRASH: raise an exception that has no handler
 * @KVM_OP_CALL: the hypercall with the number @value; @result = the answer
 */
enum kvm_opcode {
	KVM_OP_DONE,
	KVM_OP_SYNC,
	KVM_OP_FILL,
	KVM_OP_EXPECT,
	KVM_OP_SWAP,
	KVM_OP_READ,
	KVM_OP_MAP,
	KVM_OP_MAP_RAW,
	KVM_OP_BUMP,
	KVM_OP_TAG,
	KVM_OP_LOOP,
	KVM_OP_CRASH,
	KVM_OP_CALL,
};

enum kvm_report {
	KVM_REPORT_DONE = 1,
	KVM_REPORT_SYNC,
	KVM_REPORT_FAILED,
};

/**
 * struct kvm_op - one operation
 * @opcode: enum kvm_opcode
 * @value: depends on @opcode
 * @gpa: address of the first piece
 * @size: bytes of a piece
 * @stride: bytes from one piece to the next
 * @count: number of pieces
 * @result: out
 */
struct kvm_op {
	uint32_t opcode;
	uint32_t value;
	uint64_t gpa;
	uint64_t size;
	uint64_t stride;
	uint64_t count;
	int64_t result;
};

/**
 * struct kvm_script - the page of a vCPU
 * @vmmcall: use AMD's hypercall instruction
 * @stop: set by the host to end the loop
 * @round: number of rounds of the loop
 * @where: out: address with an unexpected value
 * @seen: out: the value there
 * @failed_op: out: index of the operation that failed
 * @ops: the operations
 */
struct kvm_script {
	uint32_t vmmcall;
	uint32_t stop;
	uint64_t round;
	uint64_t where;
	uint64_t seen;
	uint64_t failed_op;
	struct kvm_op ops[KVM_SCRIPT_OPS];
};

_Static_assert(sizeof(struct kvm_script) <= 4096, "a page for each vCPU");

#endif /* KVM_SCRIPT_H */
