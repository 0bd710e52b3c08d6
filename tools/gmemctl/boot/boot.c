// SPDX-License-Identifier: GPL-2.0
#include <asm/processor-flags.h>
#include <cpuid.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../devices/chipset.h"
#include "boot.h"

#define PTE_PRESENT	UINT64_C(0x01)
#define PTE_WRITE	UINT64_C(0x02)
#define PTE_LARGE	UINT64_C(0x80)
#define PTE_TABLE	(PTE_PRESENT | PTE_WRITE)
#define TABLE_ENTRIES	512

#define EFER_LME	UINT64_C(0x00000100)
#define EFER_LMA	UINT64_C(0x00000400)

/* Linux expects these selectors: __BOOT_CS and __BOOT_DS. */
#define SELECTOR_CODE	0x10
#define SELECTOR_DATA	0x18
#define GDT_CODE	UINT64_C(0x00af9b000000ffff)
#define GDT_DATA	UINT64_C(0x00cf93000000ffff)
#define GDT_ENTRIES	4

static const uint8_t code[] = {
	0xb0, I8042_COMMAND_RESET,	/*	mov $I8042_COMMAND_RESET, %al */
	0xe6, I8042_COMMAND_PORT,	/*	out %al, $I8042_COMMAND_PORT */
	0xf4,				/* 1:	hlt */
	0xeb, 0xfd,			/*	jmp 1b */
};

_Static_assert(sizeof(code) <= RESET_VECTOR_SIZE, "the code has its place");

void reset_vector_build(uint8_t bytes[RESET_VECTOR_SIZE])
{
	memset(bytes, 0, RESET_VECTOR_SIZE);
	memcpy(bytes, code, sizeof(code));
}

void boot_tables(uint8_t *memory)
{
	uint64_t *gdt = (uint64_t *)(memory + GUEST_GDT_GPA);
	uint64_t *pml4 = (uint64_t *)(memory + GUEST_PML4_GPA);
	uint64_t *pdpt = (uint64_t *)(memory + GUEST_PDPT_GPA);
	uint64_t *pd = (uint64_t *)(memory + GUEST_PD_GPA);

	/* The memory may be a file with the contents of an earlier guest. */
	memset(gdt, 0, GDT_ENTRIES * sizeof(*gdt));
	memset(pml4, 0, TABLE_ENTRIES * sizeof(*pml4));
	memset(pdpt, 0, TABLE_ENTRIES * sizeof(*pdpt));
	gdt[SELECTOR_CODE / 8] = GDT_CODE;
	gdt[SELECTOR_DATA / 8] = GDT_DATA;
	/* Identity map of the first 4 GiB in pages of 2 MiB */
	pml4[0] = GUEST_PDPT_GPA | PTE_TABLE;
	for (uint64_t i = 0; i < GUEST_PD_COUNT; i++)
		pdpt[i] = (GUEST_PD_GPA + i * 0x1000) | PTE_TABLE;
	for (uint64_t i = 0; i < GUEST_PD_COUNT * TABLE_ENTRIES; i++)
		pd[i] = i << 21 | PTE_TABLE | PTE_LARGE;
}

int boot_load(uint8_t *memory, uint64_t size, struct error *error)
{
	size_t image = (size_t)(guest_image_end - guest_image_start);

	if (size < GUEST_HEAP_GPA || size > BOOT_MEMORY_MAX)
		return error_set(error, -EINVAL, "guest memory", "load payload",
				 "between 2 MiB and 3 GiB, not 0x%llx bytes",
				 (unsigned long long)size);
	if (image > GUEST_IMAGE_MAX)
		return error_set(error, -E2BIG, "payload", "load",
				 "the image has outgrown its place");
	boot_tables(memory);
	memcpy(memory + GUEST_IMAGE_GPA, guest_image_start, image);
	return 0;
}

/*
 * VMX has VMCALL, SVM has VMMCALL. Use the feature bit, not the vendor, because an
 * emulated CPU may have any vendor name.
 */
uint32_t boot_hypercall_flag(void)
{
	unsigned int eax, ebx, ecx = 0, edx;

	if (!__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
		return 0;
	return ecx & (1U << 2) ? GUEST_F_VMMCALL : 0;
}

static struct kvm_segment boot_segment(uint16_t selector, uint8_t type, bool longmode)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.db = !longmode,
		.l = longmode,
		.g = 1,
	};
}

int boot_enter(struct vcpu *vcpu, struct kvm_regs *regs, struct error *error)
{
	struct kvm_sregs sregs;
	int rc;

	rc = vcpu_get_sregs(vcpu, &sregs);
	if (rc)
		return error_set(error, rc, "vCPU", "KVM_GET_SREGS", NULL);
	sregs.cs = boot_segment(SELECTOR_CODE, 0x0b, true);
	sregs.ds = boot_segment(SELECTOR_DATA, 0x03, false);
	sregs.es = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.gdt.base = GUEST_GDT_GPA;
	sregs.gdt.limit = GDT_ENTRIES * 8 - 1;
	sregs.idt.base = 0;
	sregs.idt.limit = 0;
	sregs.cr0 = X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_PG;
	sregs.cr3 = GUEST_PML4_GPA;
	sregs.cr4 = X86_CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	rc = vcpu_set_sregs(vcpu, &sregs);
	if (rc)
		return error_set(error, rc, "vCPU", "KVM_SET_SREGS", NULL);
	regs->rflags = X86_EFLAGS_FIXED;
	rc = vcpu_set_regs(vcpu, regs);
	if (rc)
		return error_set(error, rc, "vCPU", "KVM_SET_REGS", NULL);
	return 0;
}

int boot_vcpu(struct vcpu *vcpu, struct error *error)
{
	struct kvm_regs regs = {
		.rip = GUEST_IMAGE_GPA,
		.rdi = GUEST_PARAMS_GPA,
		.rsi = vcpu->index,
		.rsp = GUEST_STACK_GPA +
		       (uint64_t)(vcpu->index + 1) * GUEST_STACK_SIZE,
	};

	return boot_enter(vcpu, &regs, error);
}
