/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry of every vCPU: 64-bit mode, interrupts off, no IDT (any exception is a
 * triple fault, which the VMM reports with the registers).
 * rdi: the parameter block; rsi: number of the vCPU; rsp: its stack.
 */
	.section .text.start, "ax"
	.globl _start
	.type _start, @function
_start:
	xorl	%ebp, %ebp
	call	payload_main
1:	hlt
	jmp	1b
	.size _start, . - _start

	.section .note.GNU-stack, "", @progbits
