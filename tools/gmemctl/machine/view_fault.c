// SPDX-License-Identifier: GPL-2.0
/* Faults on pages that a view does not have, and guests that make no progress. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../kvm/vcpu.h"
#include "../memory/access.h"
#include "machine.h"

/* Looks in a row with the same result, one per second */
#define LOOKS 5

#define KERNEL_HALF	(UINT64_C(1) << 63)

/*
 * How often a fault is answered without progress. A page may leave the view again before the
 * vCPU uses it, after a failed conversion nearby or a punched hole, so one retry is too few.
 */
#define STILL_MAX 16

/* Return: a guest address; UINT64_MAX: KVM cannot walk the page tables, or finds no page. */
static uint64_t translate(struct vcpu *vcpu, uint64_t address)
{
	struct kvm_translation at = { .linear_address = address };

	if (calls->ioctl(vcpu->fd, KVM_TRANSLATE, &at) || !at.valid)
		return UINT64_MAX;
	return at.physical_address;
}

static const char *state_name(const struct machine *machine, uint64_t gpa)
{
	return page_is_private(&machine->memory, gpa) ? "private" : "shared";
}

static const char *cause(const struct machine *machine, const struct place *place, uint64_t gpa)
{
	bool text = gpa != UINT64_MAX && page_is_private(&machine->memory, gpa);
	bool tables = place->paging &&
		      page_is_private(&machine->memory, place->tables);

	if (tables)
		return "an instruction that KVM emulates, while the page tables are in "
		       "private memory, where KVM cannot walk them";
	if (text)
		return "an instruction that KVM emulates, in private memory, where KVM "
		       "cannot read it";
	if (gpa == UINT64_MAX)
		return "an instruction that KVM emulates, while some of the page tables "
		       "are in private memory, where KVM cannot walk them";
	return "an instruction that KVM emulates, whose operand is in private memory, or in memory "
	       "that was removed";
}

void view_explain(struct machine *machine, struct vcpu *vcpu, char *text, size_t size)
{
	struct place place;
	char at[64] = "KVM cannot translate it";
	uint64_t gpa;

	text[0] = '\0';
	if (!guest_memory_view(&machine->memory) || machine->type->place(vcpu, &place))
		return;
	gpa = translate(vcpu, place.rip);
	if (gpa != UINT64_MAX)
		snprintf(at, sizeof(at), "gpa 0x%" PRIx64 ", %s", gpa, state_name(machine, gpa));
	snprintf(text, size, "\n  rip 0x%" PRIx64 " (%s), cpl %u; page tables at "
		 "0x%" PRIx64 " (%s)"
		 "\n  likely: %s"
		 "\n  what to do: the guest keeps text, page tables and operands of "
		 "instructions that KVM emulates (MMIO, the xAPIC, string I/O) "
		 "shared; or uses x2APIC and port I/O; or the host is an AMD CPU with "
		 "DecodeAssists", place.rip, at, place.cpl, place.tables,
		 place.paging ? state_name(machine, place.tables) : "paging is off",
		 cause(machine, &place, gpa));
}

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

/* Interrupt only vCPUs for which KVM has emulated instructions since the last tick. */
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

/* Whether CR2 has a kernel address whose page, or page tables, KVM cannot read. */
static bool is_bad(struct machine *machine, struct vcpu *vcpu)
{
	struct place place;
	uint64_t gpa;

	if (machine->type->place(vcpu, &place) || !(place.fault & KERNEL_HALF))
		return false;
	gpa = translate(vcpu, place.fault);
	return page_is_private(&machine->memory, gpa == UINT64_MAX ? place.tables : gpa);
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
	machine_end(machine, END_MEMORY, "vCPU %u: KVM injects spurious page faults repeatedly: it "
		    "cannot read an instruction in private memory%s", vcpu->index, text);
}

void view_watch_start(struct view_watch *watch, const struct machine *machine)
{
	const struct view *view = guest_memory_view(&machine->memory);
	struct gmem_ioctl_view_fault fault;

	*watch = (struct view_watch){ .fd = view ? view->fd : -1 };
	if (view && !gmem_view_fault(view->fd, &fault))
		watch->count = fault.count;
}

/* End the machine for a known reason. */
static bool fault_end(struct machine *machine, struct vcpu *vcpu, enum end end,
		      uint64_t gpa, const char *why)
{
	machine_end(machine, end, "vCPU %u: gpa 0x%" PRIx64 ": %s", vcpu->index, gpa, why);
	return true;
}

/* End the machine, and derive the likely reason from the vCPU's registers. */
static bool fault_stuck(struct machine *machine, struct vcpu *vcpu, uint64_t gpa, const char *why)
{
	char text[MACHINE_REPORT_MAX - 256];

	view_explain(machine, vcpu, text, sizeof(text));
	machine_end(machine, END_MEMORY, "vCPU %u: gpa 0x%" PRIx64 ": %s%s",
		    vcpu->index, gpa, why, text);
	return true;
}

static const char *populate_text(int rc)
{
	switch (rc) {
	case -EHWPOISON:
		return "the memory of the page has failed (hwpoison): its contents are lost; "
		       "`gmemctl decommit` of the page gives the guest a new one";
	case -ENOMEM:
		return "no memory for the page: is the host, or the memory cgroup, "
		       "short of memory?";
	default:
		return strerror(-rc);
	}
}

/*
 * Populate the block around @gpa, clipped to the slot, and up to the next page that is in the
 * balloon, because such a page must stay unpopulated.
 */
static int populate_around(struct machine *machine, const struct slot *slot,
			   uint64_t gpa, uint64_t *pages)
{
	uint64_t start = gpa & ~(slot->view_block - 1);
	struct range block = { start, start + slot->view_block };
	struct range all = { slot->gpa, slot->gpa + slot->size };

	block = range_clip(block, all);
	block = given_clip(&machine->given, gpa, block);
	return gmem_view_populate(slot->view_fd, 0, slot->view + (block.start - slot->gpa),
				  range_size(block), pages);
}

/* Whether to try again: there was progress, or there were few attempts without any. */
static bool has_moved(struct view_watch *watch, struct machine *machine,
		      uint64_t page, uint64_t populated)
{
	uint64_t conversions = range_lock_ended(&machine->memory.range_lock);
	bool moved = populated || page != watch->gpa ||
		     conversions != watch->conversions;

	watch->gpa = page;
	watch->conversions = conversions;
	watch->still = moved ? 0 : watch->still + 1;
	return watch->still < STILL_MAX;
}

static bool fault_populate(struct view_watch *watch, struct machine *machine, struct vcpu *vcpu,
			   const struct slot *slot, const struct gmem_ioctl_view_fault *fault)
{
	uint64_t page = fault->gpa & ~(RANGE_PAGE_SIZE - 1), populated = 0;
	char why[160];
	int rc = populate_around(machine, slot, page, &populated);

	machine_count(&machine->counters.view_faults, 1);
	machine_trace(machine, vcpu, "view: gpa 0x%" PRIx64 ", error code 0x%" PRIx64 ": %s, %"
		      PRIu64 " pages", (uint64_t)fault->gpa, (uint64_t)fault->error_code,
		      rc ? strerror(-rc) : "done", populated);
	if (rc == -EINTR)
		return true;
	if (rc)
		return fault_end(machine, vcpu, END_MEMORY, page, populate_text(rc));
	if (has_moved(watch, machine, page, populated))
		return true;
	snprintf(why, sizeof(why), "KVM does not map the page, although the view has it; error "
		 "code 0x%" PRIx64 " (%s%s%s)", (uint64_t)fault->error_code,
		 fault->error_code & 2 ? "write" : "read", fault->error_code & 4 ? ", user" : "",
		 fault->error_code & 16 ? ", fetch" : "");
	return fault_stuck(machine, vcpu, page, why);
}

bool view_fault_answer(struct view_watch *watch, struct machine *machine, struct vcpu *vcpu)
{
	struct gmem_ioctl_view_fault fault;
	const struct slot *slot;
	bool moved;
	int rc;

	if (watch->fd < 0)
		return false;
	rc = gmem_view_fault(watch->fd, &fault);
	if (rc && rc != -EAGAIN)
		return fault_end(machine, vcpu, END_FAILED, 0,
				 "GMEM_IOCTL_VIEW_FAULT has failed: is gmem_kvm still loaded?");
	moved = !rc && fault.count != watch->count;
	watch->count = rc ? 0 : fault.count;
	slot = moved ? slot_find(&machine->vm.slots, fault.gpa) : NULL;
	/*
	 * There was no page fault: KVM itself could not access guest memory. A conversion
	 * may be the cause, since it removes pages from the view for a moment.
	 */
	if (!slot) {
		range_lock_wait_idle(&machine->memory.range_lock);
		if (has_moved(watch, machine, UINT64_MAX, 0))
			return true;
		return fault_stuck(machine, vcpu, 0, "KVM cannot read or write guest "
				   "memory that it needs");
	}
	return slot->view ? fault_populate(watch, machine, vcpu, slot, &fault) :
			    false;
}

bool view_is_private_access(const struct machine *machine, uint64_t gpa)
{
	const struct slot *slot = slot_find(&machine->vm.slots, gpa);

	return slot && slot->view && page_is_private(&machine->memory, gpa);
}
