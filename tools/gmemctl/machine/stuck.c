// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "../memory/page_states.h"
#include "machine.h"
#include "stuck.h"
#include "view_fault.h"

/* Seconds */
#define LOOKS 5

#define KERNEL_HALF	(UINT64_C(1) << 63)

void stuck_start(struct machine *machine)
{
	if (!guest_memory_view(&machine->memory))
		return;
	machine->stuck = calloc(machine->nr_vcpus, sizeof(*machine->stuck));
	for (unsigned int i = 0; machine->stuck && i < machine->nr_vcpus; i++)
		kvm_counter_open(&machine->stuck[i].emulated,
				 machine->vcpus[i].fd, "insn_emulation");
	machine->threads.tick = machine->stuck ? stuck_tick : NULL;
}

void stuck_stop(struct machine *machine)
{
	machine->threads.tick = NULL;
	for (unsigned int i = 0; machine->stuck && i < machine->nr_vcpus; i++)
		kvm_counter_close(&machine->stuck[i].emulated);
	free(machine->stuck);
	machine->stuck = NULL;
}

/* A vCPU is disturbed only if there is something to be seen. */
void stuck_tick(void *data)
{
	struct machine *machine = data;
	bool private = page_states_private(&machine->memory);

	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct stuck *stuck = &machine->stuck[i];
		uint64_t emulated = kvm_counter_read(&stuck->emulated);

		if (private && emulated != stuck->seen) {
			__atomic_store_n(&stuck->look, true, __ATOMIC_RELEASE);
			threads_kick(&machine->threads, i);
		}
		stuck->seen = emulated;
	}
}

/* Whether the guest was given a page fault where KVM can read no instruction. */
static bool is_bad(struct machine *machine, struct vcpu *vcpu)
{
	struct kvm_translation at = { 0 };
	struct kvm_sregs sregs;

	if (vcpu_get_sregs(vcpu, &sregs) || !(sregs.cr2 & KERNEL_HALF))
		return false;
	at.linear_address = sregs.cr2;
	if (vcpu_translate(vcpu, &at))
		return false;
	return at.valid ? page_is_private(&machine->memory, at.physical_address) :
			  page_is_private(&machine->memory, sregs.cr3);
}

void stuck_look(struct machine *machine, struct vcpu *vcpu)
{
	struct stuck *stuck = machine->stuck ? &machine->stuck[vcpu->index] : NULL;
	char text[MACHINE_REPORT_MAX - 256];

	if (!stuck || !__atomic_exchange_n(&stuck->look, false, __ATOMIC_ACQ_REL))
		return;
	stuck->times = is_bad(machine, vcpu) ? stuck->times + 1 : 0;
	if (stuck->times < LOOKS)
		return;
	view_explain(machine, vcpu, text, sizeof(text));
	machine_end(machine, END_MEMORY, "vCPU %u: KVM gives the guest page faults "
		    "that it has no reason for, again and again: it cannot read an "
		    "instruction in private memory%s", vcpu->index, text);
}
