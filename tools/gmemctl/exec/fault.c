// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../gmem/gmem.h"
#include "../memory/range.h"
#include "diagnose.h"
#include "fault.h"
#include "report.h"
#include "signals.h"
#include "slot.h"

/* A block that KVM can map at once, if memory allows. */
#define BLOCK	(UINT64_C(2) << 20)

/*
 * Answers in a row that have put nothing into the view. Another vCPU may have been
 * quicker, and a conversion may have taken it away, but not so often.
 */
#define IDLE_MAX 16

/**
 * struct faults - of this thread
 * @watched: see exec_fault_watch()
 * @count: page faults when the last one was answered
 * @idle: answers in a row that had nothing to do
 */
static __thread struct {
	bool watched;
	uint64_t count;
	unsigned int idle;
} faults;

/* Any view does: it is the thread that is asked about. */
static int fault_ask(const struct exec_vcpu *vcpu,
		     struct gmem_ioctl_view_fault *fault)
{
	int rc = -ENOENT;

	pthread_rwlock_rdlock(&vcpu->vm->lock);
	if (vcpu->vm->nr_slots)
		rc = gmem_view_fault(vcpu->vm->slots[0].memory->view_fd, fault);
	pthread_rwlock_unlock(&vcpu->vm->lock);
	return rc;
}

void exec_fault_watch(const struct exec_vcpu *vcpu)
{
	struct gmem_ioctl_view_fault fault;
	int rc;

	if (faults.watched)
		return;
	exec_signals_take();
	rc = fault_ask(vcpu, &fault);
	faults.watched = !rc || rc == -EAGAIN;
	if (!rc)
		faults.count = fault.count;
	if (!faults.watched)
		exec_say("vCPU %u: it cannot be known where it faults: %s", vcpu->id,
			 strerror(-rc));
}

bool exec_fault_last(const struct exec_vcpu *vcpu, uint64_t *gpa,
		     uint64_t *count)
{
	struct gmem_ioctl_view_fault fault;

	if (fault_ask(vcpu, &fault))
		return false;
	*gpa = fault.gpa;
	*count = fault.count;
	return true;
}

/*
 * Blocks are those of the file, for which memory is allocated in one piece.
 *
 * Return: what GMEM_IOCTL_VIEW_POPULATE does.
 */
static int slot_populate(const struct exec_slot *slot, uint64_t gpa,
			 uint64_t *pages)
{
	struct range limits = { slot->offset, slot->offset + slot->size };
	uint64_t at = slot->offset + (gpa - slot->gpa);
	struct range block = { at & ~(BLOCK - 1), (at | (BLOCK - 1)) + 1 };
	char *view = (char *)slot->view - slot->offset;
	int rc;

	block = range_clip(block, limits);
	rc = gmem_view_populate(slot->memory->view_fd, 0, view + block.start,
				range_size(block), pages);
	/* There may be room for the page, or only the page be whole. */
	if (rc == -ENOMEM || rc == -EHWPOISON)
		rc = gmem_view_populate(slot->memory->view_fd, 0,
					view + (at & ~(RANGE_PAGE_SIZE - 1)),
					RANGE_PAGE_SIZE, pages);
	return rc == -EINTR ? 0 : rc;
}

/*
 * In each address space, for which one the vCPU is in is not known.
 *
 * Return: 0; -ENOENT if the address is in no view; why it could not be.
 */
static int fault_populate(const struct exec_vcpu *vcpu, uint64_t gpa,
			  uint64_t *pages)
{
	int rc = -ENOENT;

	*pages = 0;
	pthread_rwlock_rdlock(&vcpu->vm->lock);
	for (unsigned int space = 0; space < 2; space++) {
		const struct exec_slot *slot = exec_slot_find(vcpu->vm, space,
							      gpa);
		uint64_t more = 0;

		if (slot)
			rc = slot_populate(slot, gpa, &more);
		*pages += more;
	}
	pthread_rwlock_unlock(&vcpu->vm->lock);
	exec_count(&exec_counters.pages, *pages);
	return rc;
}

static int give_up(const struct exec_vcpu *vcpu, const char *what, uint64_t gpa)
{
	exec_diagnose(vcpu, what, gpa);
	return -EFAULT;
}

static int fault_known(const struct exec_vcpu *vcpu,
		       const struct gmem_ioctl_view_fault *fault)
{
	uint64_t pages;
	int rc;

	if (fault->count == faults.count)
		return give_up(vcpu, "KVM could not access guest memory itself; the "
			       "last fault before was at", fault->gpa);
	faults.count = fault->count;
	rc = fault_populate(vcpu, fault->gpa, &pages);
	if (rc == -ENOENT)
		return -EFAULT;
	if (rc) {
		exec_say("vCPU %u: no memory for guest address 0x%" PRIx64 ": %s",
			 vcpu->id, (uint64_t)fault->gpa, strerror(-rc));
		return -EFAULT;
	}
	faults.idle = pages ? 0 : faults.idle + 1;
	if (faults.idle == IDLE_MAX)
		return give_up(vcpu, "the guest faults again and again at",
			       fault->gpa);
	exec_count(&exec_counters.faults, 1);
	return 0;
}

int exec_fault_answer(const struct exec_vcpu *vcpu)
{
	struct gmem_ioctl_view_fault fault;
	int rc;

	if (!exec_vm_has_views(vcpu->vm))
		return -EFAULT;
	rc = fault_ask(vcpu, &fault);
	if (!rc)
		return fault_known(vcpu, &fault);
	if (rc != -EAGAIN)
		return -EFAULT;
	/* The thread was not watched yet: now it is. */
	if (++faults.idle < IDLE_MAX)
		return 0;
	return give_up(vcpu, "KVM could not access guest memory itself, near", 0);
}
