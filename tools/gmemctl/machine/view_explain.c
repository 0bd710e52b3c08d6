// SPDX-License-Identifier: GPL-2.0
/* Why KVM cannot go on with a guest that has private memory in a view. */
#include <inttypes.h>
#include <stdio.h>

#include "../memory/page_states.h"
#include "view_fault.h"

#define CR0_PAGING	(UINT64_C(1) << 31)
#define CR3_ADDRESS	UINT64_C(0x000ffffffffff000)

/**
 * struct place - where a vCPU stands
 * @rip: linear address of the next instruction, at @gpa
 * @gpa: UINT64_MAX: KVM cannot tell, for it cannot read the page tables
 * @cpl: privilege level
 * @tables: the page table at the top, @paging being on
 * @paging: see there
 */
struct place {
	uint64_t rip;
	uint64_t gpa;
	unsigned int cpl;
	uint64_t tables;
	bool paging;
};

static int place_find(struct vcpu *vcpu, struct place *place)
{
	struct kvm_translation at = { 0 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (vcpu_get_regs(vcpu, &regs) || vcpu_get_sregs(vcpu, &sregs))
		return -1;
	*place = (struct place){
		.rip = sregs.cs.base + regs.rip,
		.gpa = UINT64_MAX,
		.cpl = sregs.ss.dpl,
		.tables = sregs.cr3 & CR3_ADDRESS,
		.paging = sregs.cr0 & CR0_PAGING,
	};
	at.linear_address = place->rip;
	if (!vcpu_translate(vcpu, &at) && at.valid)
		place->gpa = at.physical_address;
	return 0;
}

static const char *state_name(const struct machine *machine, uint64_t gpa)
{
	return page_is_private(&machine->memory, gpa) ? "private" : "shared";
}

static const char *cause(const struct machine *machine,
			 const struct place *place)
{
	bool text = place->gpa != UINT64_MAX &&
		    page_is_private(&machine->memory, place->gpa);
	bool tables = place->paging &&
		      page_is_private(&machine->memory, place->tables);

	if (tables)
		return "an instruction that KVM emulates, while the page tables are in "
		       "private memory, where KVM cannot walk them";
	if (text)
		return "an instruction that KVM emulates, in private memory, where KVM "
		       "cannot read it";
	if (place->gpa == UINT64_MAX)
		return "an instruction that KVM emulates, while some of the page tables "
		       "are in private memory, where KVM cannot walk them";
	return "an instruction that KVM emulates, whose operand is in private memory, "
	       "or in memory that has gone";
}

void view_explain(struct machine *machine, struct vcpu *vcpu, char *text,
		  size_t size)
{
	struct place place;
	char at[64] = "not to be found by KVM";

	text[0] = '\0';
	if (!guest_memory_view(&machine->memory) || place_find(vcpu, &place))
		return;
	if (place.gpa != UINT64_MAX)
		snprintf(at, sizeof(at), "gpa 0x%" PRIx64 ", %s", place.gpa,
			 state_name(machine, place.gpa));
	snprintf(text, size, "\n  rip 0x%" PRIx64 " (%s), cpl %u; page tables at "
		 "0x%" PRIx64 " (%s)"
		 "\n  likely: %s"
		 "\n  what to do: the guest keeps text, page tables and operands of "
		 "instructions that KVM emulates (MMIO, the xAPIC, string I/O) "
		 "shared; or uses x2APIC and port I/O; or the host is an AMD CPU with "
		 "DecodeAssists", place.rip, at, place.cpl, place.tables,
		 place.paging ? state_name(machine, place.tables) : "paging is off",
		 cause(machine, &place));
}
