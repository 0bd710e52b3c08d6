// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../gmem/view.h"
#include "../kvm/exits.h"
#include "../memory/page_states.h"
#include "view_fault.h"

/*
 * How often the same is tried. A page may go again before the vCPU uses it, when a
 * conversion of its neighbours fails, or a hole is punched: that is no end.
 */
#define STILL_MAX 16

void view_watch_start(struct view_watch *watch, const struct machine *machine)
{
	const struct view *view = guest_memory_view(&machine->memory);
	struct gmem_ioctl_view_fault fault;

	*watch = (struct view_watch){ .fd = view ? view->fd : -1 };
	if (view && !gmem_view_fault(view->fd, &fault))
		watch->count = fault.count;
}

/* What is wrong is known. */
static bool fault_end(struct machine *machine, struct vcpu *vcpu, enum end end,
		      uint64_t gpa, const char *why)
{
	machine_end(machine, end, "vCPU %u: gpa 0x%" PRIx64 ": %s", vcpu->index, gpa,
		    why);
	return true;
}

/* Where the vCPU stands says what may be wrong. */
static bool fault_stuck(struct machine *machine, struct vcpu *vcpu, uint64_t gpa,
			const char *why)
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
		return "the memory of the page has failed (hwpoison): its contents are "
		       "lost; a hole there (`gmemctl decommit`) would give the guest "
		       "another one";
	case -ENOMEM:
		return "no memory for the page: is the host, or the memory cgroup, "
		       "short of memory?";
	default:
		return strerror(-rc);
	}
}

/* The block around @gpa, as far as it is in the slot. */
static int populate_around(const struct slot *slot, uint64_t gpa,
			   uint64_t *pages)
{
	uint64_t start = gpa & ~(slot->view_block - 1);
	uint64_t end = start + slot->view_block;

	if (start < slot->gpa)
		start = slot->gpa;
	if (end > slot->gpa + slot->size)
		end = slot->gpa + slot->size;
	return gmem_view_populate(slot->view_fd, 0, slot->view +
				  (start - slot->gpa), end - start, pages);
}

/* Whether something has changed, and trying again is no waste. */
static bool has_moved(struct view_watch *watch, struct machine *machine,
		      uint64_t page, uint64_t populated)
{
	uint64_t conversions = turns_ended(&machine->memory.turns);
	bool moved = populated || page != watch->gpa ||
		     conversions != watch->conversions;

	watch->gpa = page;
	watch->conversions = conversions;
	watch->still = moved ? 0 : watch->still + 1;
	return watch->still < STILL_MAX;
}

static bool fault_populate(struct view_watch *watch, struct machine *machine,
			   struct vcpu *vcpu, const struct slot *slot,
			   const struct gmem_ioctl_view_fault *fault)
{
	uint64_t page = fault->gpa & ~(RANGE_PAGE_SIZE - 1), populated = 0;
	char why[160];
	int rc = populate_around(slot, page, &populated);

	__atomic_add_fetch(&machine->counters.view_faults, 1, __ATOMIC_RELAXED);
	machine_trace(machine, vcpu, "view: gpa 0x%" PRIx64 ", error code 0x%"
		      PRIx64 ": %s, %" PRIu64 " pages", (uint64_t)fault->gpa,
		      (uint64_t)fault->error_code, rc ? strerror(-rc) : "done",
		      populated);
	if (rc == -EINTR)
		return true;
	if (rc)
		return fault_end(machine, vcpu, END_MEMORY, page,
				 populate_text(rc));
	if (has_moved(watch, machine, page, populated))
		return true;
	snprintf(why, sizeof(why), "KVM does not take the page, which the view has; "
		 "error code 0x%" PRIx64 " (%s%s%s)",
		 (uint64_t)fault->error_code,
		 fault->error_code & 2 ? "write" : "read",
		 fault->error_code & 4 ? ", user" : "",
		 fault->error_code & 16 ? ", fetch" : "");
	return fault_stuck(machine, vcpu, page, why);
}

/*
 * No page fault: KVM itself could not read or write guest memory. It may have met
 * a conversion, of which it sees the pages gone for a moment.
 */
static bool fault_of_kvm(struct view_watch *watch, struct machine *machine,
			 struct vcpu *vcpu)
{
	turns_wait_idle(&machine->memory.turns);
	if (has_moved(watch, machine, UINT64_MAX, 0))
		return true;
	return fault_stuck(machine, vcpu, 0,
			   "KVM cannot read or write guest memory that it needs");
}

bool view_fault_answer(struct view_watch *watch, struct machine *machine,
		       struct vcpu *vcpu)
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
				 "GMEM_IOCTL_VIEW_FAULT has failed: is gmem_kvm "
				 "still loaded?");
	moved = !rc && fault.count != watch->count;
	watch->count = rc ? 0 : fault.count;
	slot = moved ? slot_find(&machine->vm.slots, fault.gpa) : NULL;
	if (!slot)
		return fault_of_kvm(watch, machine, vcpu);
	return slot->view ? fault_populate(watch, machine, vcpu, slot, &fault) :
			    false;
}

bool view_is_private_access(const struct machine *machine, uint64_t gpa)
{
	const struct slot *slot = slot_find(&machine->vm.slots, gpa);

	return slot && slot->view && page_is_private(&machine->memory, gpa);
}
