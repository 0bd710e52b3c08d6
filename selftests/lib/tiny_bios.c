// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tiny_bios.h"

#define SIZE		0x10000		/* smallest size of -bios; ends at 1 MiB */
#define RESET_VECTOR	0xfff0
#define TEXT(x)		TEXT_(x)
#define TEXT_(x)	#x

extern const uint8_t tiny_bios_start[], tiny_bios_action[], tiny_bios_call[],
	tiny_bios_reset[], tiny_bios_end[];

/*
 * In real mode offsets are those in the file, which is one segment. In protected mode
 * segments are flat, and the file is at 0xf0000.
 */
__asm__(".pushsection .rodata\n"
".macro at name\n	.long \\name - tiny_bios_start + 0xf0000\n.endm\n"
"tiny_bios_start:\n"
".code16\n"
"	cli\n"
"	lgdtl	%cs:gdtr - tiny_bios_start\n"
"	movl	%cr0, %eax\n"
"	orb	$1, %al\n"
"	movl	%eax, %cr0\n"
"	ljmpl	$8, $(flat - tiny_bios_start + 0xf0000)\n"
".code32\n"
"flat:\n"
"	movw	$16, %ax\n"
"	movw	%ax, %ds\n"
"	movw	%ax, %es\n"
"	movw	%ax, %ss\n"
"	movl	$0x80000, %esp\n"
"	call	show\n"
"	movl	$(private - tiny_bios_start + 0xf0000), %esi\n"
"	call	say\n"
/* Copy the instruction for TINY_BIOS_IN_TEXT to memory that becomes private. */
"	movl	$(text - tiny_bios_start + 0xf0000), %esi\n"
"	movl	$" TEXT(TINY_BIOS_TEXT) ", %edi\n"
"	movl	$(text_end - text), %ecx\n"
"	rep movsb\n"
/* Create page tables that map all addresses to themselves, with 4 MiB for each entry. */
"	movl	$" TEXT(TINY_BIOS_TABLES) ", %edi\n"
"	movl	$0x83, %eax\n"
"3:	stosl\n"
"	addl	$0x400000, %eax\n"
"	jnc	3b\n"
"	movl	$" TEXT(TINY_BIOS_PRIVATE) ", %ebx\n"
"	movl	$" TEXT(TINY_BIOS_PAGES) ", %ecx\n"
"	movl	$0x10, %edx\n"
"	call	map\n"
"	movl	$0x5449, " TEXT(TINY_BIOS_PRIVATE) "\n"
"	addb	$'0', %al\n"
"	call	put\n"
"	movb	$'\\n', %al\n"
"	call	put\n"
"	movzbl	tiny_bios_action - tiny_bios_start + 0xf0000, %eax\n"
"	jmpl	*(actions - tiny_bios_start + 0xf0000)(, %eax, 4)\n"

"convert:\n"
"	movl	$1, %ecx\n"
"	xorl	%edx, %edx\n"
"	call	map\n"
"	movl	$0x10, %edx\n"
"	call	map\n"
"	jmp	convert\n"

/* Shared memory keeps its contents across a reset. */
"reset:\n"
"	cmpl	$1, 0x100000\n"
"	je	halt\n"
"	movl	$1, 0x100000\n"
"	movw	$0xcf9, %dx\n"
"	movb	$6, %al\n"
"	outb	%al, %dx\n"
"halt:	hlt\n"
"	jmp	halt\n"

"panic:\n"
"	movw	$0x505, %dx\n"
"	movb	$1, %al\n"
"	outb	%al, %dx\n"
"	jmp	halt\n"

"triple:\n"
"	lidtl	zeros - tiny_bios_start + 0xf0000\n"
"	int3\n"

"in_text:\n"
"	movl	$" TEXT(TINY_BIOS_TEXT) ", %eax\n"
"	jmpl	*%eax\n"

"to_operand:\n"
"	movl	$" TEXT(TINY_BIOS_DEVICE) ", %esi\n"
"	movl	$" TEXT(TINY_BIOS_OPERAND) ", %edi\n"
"	movsl\n"
"	jmp	halt\n"

/* Let the local APIC deliver NMIs. */
"on_nmi:\n"
"	lidtl	idtr - tiny_bios_start + 0xf0000\n"
"	movl	$0x1ff, 0xfee000f0\n"
"	movl	$0x400, 0xfee00360\n"
"	jmp	halt\n"
"nmi:	call	show\n"
"	movb	$'\\n', %al\n"
"	call	put\n"
"	iret\n"

/* The handler ignores page faults: KVM raises some that have no cause. */
"by_tables:\n"
"	lidtl	idtr - tiny_bios_start + 0xf0000\n"
"	movl	%cr4, %eax\n"
"	orl	$0x10, %eax\n"
"	movl	%eax, %cr4\n"
"	movl	$" TEXT(TINY_BIOS_TABLES) ", %eax\n"
"	movl	%eax, %cr3\n"
"	movl	%cr0, %eax\n"
"	orl	$0x80000000, %eax\n"
"	movl	%eax, %cr0\n"
"text:	movl	" TEXT(TINY_BIOS_DEVICE) ", %eax\n"
"4:	hlt\n"
"	jmp	4b\n"
"text_end:\n"
"page_fault:\n"
"	addl	$4, %esp\n"
"	iret\n"

/* KVM_HC_MAP_GPA_RANGE with an address, a number of pages and attributes. */
"map:	movl	$12, %eax\n"
"tiny_bios_call:\n"
"	vmmcall\n"
"	ret\n"

"show:	movl	$(found - tiny_bios_start + 0xf0000), %esi\n"
"	call	say\n"
"	movl	$" TEXT(TINY_BIOS_PRIVATE) ", %esi\n"
"	movl	$4, %ecx\n"
"1:	lodsb\n"
"	testb	%al, %al\n"
"	jnz	2f\n"
"	movb	$'.', %al\n"
"2:	call	put\n"
"	loop	1b\n"
"	ret\n"
"say:	lodsb\n"
"	testb	%al, %al\n"
"	jz	5f\n"
"	call	put\n"
"	jmp	say\n"
"put:	movw	$0x3f8, %dx\n"
"	outb	%al, %dx\n"
"5:	ret\n"

"found:	.asciz \"" TINY_BIOS_FOUND "\"\n"
"private: .asciz \"\\ntiny: private \"\n"
"	.balign 8\n"
"gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
"gdtr:	.word 23\n"
"	at gdt\n"
"	.balign 8\n"
"idt:	.fill	2, 8, 0\n"
"	.word	nmi - tiny_bios_start, 8, 0x8e00, 0xf\n"
"	.fill	11, 8, 0\n"
"	.word	page_fault - tiny_bios_start, 8, 0x8e00, 0xf\n"
"idtr:	.word 15 * 8 - 1\n"
"	at idt\n"
"zeros:	.word 0\n"
"	.long 0\n"
"actions:\n"
"	at convert\n"
"	at reset\n"
"	at panic\n"
"	at triple\n"
"	at in_text\n"
"	at to_operand\n"
"	at by_tables\n"
"	at on_nmi\n"
"tiny_bios_action:\n"
"	.byte 0\n"
"tiny_bios_end:\n"
".code16\n"
"tiny_bios_reset:\n"
"	ljmp	$0xf000, $0\n"
".code64\n"
".popsection\n");

/* Whether this is an Intel CPU, which needs vmcall instead of vmmcall. */
static bool has_vmcall(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	return !memcmp(&ebx, "Genu", 4);
}

bool tiny_bios_write(const char *path, enum tiny_bios_action action)
{
	static uint8_t image[SIZE];
	ssize_t done;
	int fd;

	memcpy(image, tiny_bios_start, (size_t)(tiny_bios_end - tiny_bios_start));
	memcpy(image + RESET_VECTOR, tiny_bios_reset, 5);
	image[tiny_bios_action - tiny_bios_start] = (uint8_t)action;
	if (has_vmcall())
		image[tiny_bios_call - tiny_bios_start + 2] = 0xc1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	done = write(fd, image, sizeof(image));
	close(fd);
	return done == SIZE;
}
