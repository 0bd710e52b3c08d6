// SPDX-License-Identifier: GPL-2.0
/*
 * The code that runs in the guest. It executes a script, see kvm_script.h.
 *
 * All code is in one section, which is copied to the address of boot.c's image. So it
 * must not refer to anything outside of the section: no constant data, no library. The
 * Makefile has the flags for that.
 */
#include <stdbool.h>
#include <stdint.h>

#include "kvm_script.h"

#define GUEST __attribute__((section("kvm_guest"), noinline, used))

#define WORD sizeof(uint64_t)
#define PAGE_WORDS (4096 / WORD)

typedef volatile struct kvm_script script_t;
typedef volatile struct kvm_op op_t;

#define GUEST_ASM(text)							\
	asm(".pushsection kvm_guest, \"ax\", @progbits\n" text "\n.popsection")

/*
 * The entry comes first, because functions keep the order of this file. rsi: number of
 * the vCPU.
 */
GUEST_ASM(".globl guest_image_start; guest_image_start:"
	  "mov %esi, %edi; call payload_main; 1: hlt; jmp 1b");

void payload_main(uint64_t cpu);
int64_t payload_hypercall(script_t *script, uint64_t nr, uint64_t gpa,
			  uint64_t pages, uint64_t attributes);
bool payload_expect(script_t *script, uint64_t gpa, uint64_t size,
		    uint8_t value);
bool payload_word(script_t *script, volatile uint64_t *word, uint64_t old,
		  uint64_t other, uint64_t new);
bool payload_piece(script_t *script, op_t *op, uint64_t gpa);
bool payload_op(script_t *script, op_t *op);
void payload_script(script_t *script);

static inline __attribute__((always_inline)) void report(uint32_t what)
{
	asm volatile("outl %0, %1" : : "a" (what),
		     "d" ((uint16_t)KVM_REPORT_PORT) : "memory");
}

GUEST int64_t payload_hypercall(script_t *script, uint64_t nr, uint64_t gpa,
				uint64_t pages, uint64_t attributes)
{
	int64_t result = (int64_t)nr;

	if (script->vmmcall)
		asm volatile("vmmcall" : "+a" (result)
			     : "b" (gpa), "c" (pages), "d" (attributes)
			     : "memory");
	else
		asm volatile("vmcall" : "+a" (result)
			     : "b" (gpa), "c" (pages), "d" (attributes)
			     : "memory");
	return result;
}

GUEST bool payload_expect(script_t *script, uint64_t gpa, uint64_t size,
			  uint8_t value)
{
	uint64_t all = value * 0x0101010101010101ULL;
	uint64_t at;

	for (at = gpa; at < gpa + size; at += WORD) {
		uint64_t seen = *(volatile uint64_t *)at;

		if (seen != all) {
			script->where = at;
			script->seen = seen;
			return false;
		}
	}
	return true;
}

/* If *word is one of two values, set it to a third one. */
GUEST bool payload_word(script_t *script, volatile uint64_t *word,
			uint64_t old, uint64_t other, uint64_t new)
{
	uint64_t seen = *word;

	if (seen != old && seen != other) {
		script->where = (uint64_t)word;
		script->seen = seen;
		return false;
	}
	*word = new;
	return true;
}

static inline __attribute__((always_inline))
bool guest_words(script_t *script, uint64_t gpa, uint64_t old, uint64_t other,
		 uint64_t new)
{
	volatile uint64_t *page = (volatile uint64_t *)gpa;

	return payload_word(script, page, old, other, new) &&
	       payload_word(script, page + PAGE_WORDS - 1, old, other, new);
}

static inline __attribute__((always_inline))
void guest_fill(uint64_t gpa, uint64_t size, uint8_t value)
{
	asm volatile("rep stosb" : "+D" (gpa), "+c" (size)
		     : "a" (value) : "memory");
}

GUEST bool payload_piece(script_t *script, op_t *op, uint64_t gpa)
{
	uint64_t tag = (uint64_t)op->value << 32;

	switch (op->opcode) {
	case KVM_OP_FILL:
		guest_fill(gpa, op->size, (uint8_t)op->value);
		return true;
	case KVM_OP_EXPECT:
		return payload_expect(script, gpa, op->size,
				      (uint8_t)op->value);
	case KVM_OP_SWAP:
		op->result = *(volatile uint8_t *)gpa;
		*(volatile uint8_t *)gpa = (uint8_t)op->value;
		return true;
	case KVM_OP_READ:
		op->result = *(volatile uint8_t *)gpa;
		return true;
	case KVM_OP_MAP:
		op->result = payload_hypercall(script, 12, gpa,
					       op->size >> 12, op->value);
		script->where = gpa;
		return !op->result;
	case KVM_OP_BUMP:
		return guest_words(script, gpa, tag | script->round,
				   tag | script->round,
				   tag | (script->round + 1));
	case KVM_OP_TAG:
		return guest_words(script, gpa, 0, tag, tag);
	}
	return false;
}

GUEST bool payload_op(script_t *script, op_t *op)
{
	uint64_t i;

	switch (op->opcode) {
	case KVM_OP_SYNC:
		report(KVM_REPORT_SYNC);
		return true;
	case KVM_OP_MAP_RAW:
		op->result = payload_hypercall(script, 12, op->gpa, op->size,
					       op->value);
		return true;
	case KVM_OP_CALL:
		op->result = payload_hypercall(script, op->value, op->gpa,
					       op->size, 0);
		return true;
	case KVM_OP_CRASH:
		asm volatile("ud2");
		return false;
	}
	for (i = 0; i < op->count; i++)
		if (!payload_piece(script, op, op->gpa + i * op->stride))
			return false;
	return true;
}

GUEST void payload_script(script_t *script)
{
	uint64_t i = 0;

	while (script->ops[i].opcode != KVM_OP_DONE) {
		op_t *op = &script->ops[i++];

		if (op->opcode == KVM_OP_LOOP) {
			script->round++;
			if (!script->stop)
				i = 0;
		} else if (!payload_op(script, op)) {
			script->failed_op = i - 1;
			report(KVM_REPORT_FAILED);
			return;
		}
	}
	report(KVM_REPORT_DONE);
}

GUEST void payload_main(uint64_t cpu)
{
	script_t *script = (script_t *)(KVM_SCRIPT_GPA + cpu * 4096);

	for (;;)
		payload_script(script);
}

GUEST_ASM(".globl guest_image_end; guest_image_end: .byte 0");
