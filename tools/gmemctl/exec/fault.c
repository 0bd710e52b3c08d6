// SPDX-License-Identifier: GPL-2.0
/*
 * Handles failures of KVM_RUN because a page is not in the view, finds vCPUs that make no
 * progress, and describes why KVM cannot continue a guest with private memory.
 *
 * DOC: The watch
 *
 * If the guest's page tables are private and it uses an MMIO device, KVM may retry the
 * same instruction without end inside KVM_RUN: it cannot read the page tables, and
 * injects a page fault that is wrong. So, once there is private memory, a thread looks
 * for vCPUs that stay in KVM_RUN for seconds. A signal makes them leave it, which the
 * VMM sees as any other EINTR, and their last fault is compared with that of the
 * previous signal.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../kvm/threads.h"
#include "exec.h"
#include "report.h"

/* The largest block that KVM can map at once. */
#define BLOCK	(UINT64_C(2) << 20)

/*
 * Limit of answers in a row that have put no page into the view. Another vCPU may have been
 * faster, or a conversion may have removed the page, but not so often.
 */
#define IDLE_MAX 16

#define TICK_S		1
#define TICKS		2	/* ticks in the same KVM_RUN before the vCPU gets a signal */
#define STUCK		3	/* signals in a row that find the same fault */
#define STUCK_FAULTS	100	/* minimum number of faults between two signals */

#define SVM_FEATURES		0x8000000a
#define SVM_DECODE_ASSISTS	(1U << 7)

/**
 * struct where - the position of a vCPU
 * @rip: its instruction pointer
 * @gpa: guest address of @rip, if @mapped
 * @mapped: KVM could walk the guest's page tables
 * @private: KVM cannot read the instruction, or the page tables that lead to it
 */
struct where {
	uint64_t rip;
	uint64_t gpa;
	bool mapped;
	bool private;
};

/**
 * struct faults - faults of this thread
 * @watched: see exec_fault_watch()
 * @count: number of page faults when the last one was answered
 * @idle: answers in a row without a new page
 */
static __thread struct {
	bool watched;
	uint64_t count;
	unsigned int idle;
} faults;

/* Any view will do, because the ioctl is about the calling thread. */
static int fault_ask(const struct exec_vcpu *vcpu, struct gmem_ioctl_view_fault *fault)
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
		exec_say("vCPU %u: cannot read the address of its faults: %s", vcpu->id,
			 strerror(-rc));
}

/*
 * Find the position of a vCPU that is not in KVM_RUN
 *
 * KVM_TRANSLATE does not tell page tables that KVM cannot read from ones without an entry.
 */
static void find_where(const struct exec_vcpu *vcpu, struct where *where)
{
	struct kvm_translation translation = { 0 };
	const struct exec_slot *slot;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	*where = (struct where){ 0 };
	if (calls->ioctl(vcpu->fd, KVM_GET_REGS, &regs) ||
	    calls->ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return;
	where->rip = regs.rip;
	translation.linear_address = sregs.cs.base + regs.rip;
	where->private = __atomic_load_n(&vcpu->vm->private, __ATOMIC_RELAXED);
	if (calls->ioctl(vcpu->fd, KVM_TRANSLATE, &translation))
		return;
	where->mapped = translation.valid;
	where->gpa = translation.physical_address;
	if (!where->mapped)
		return;
	pthread_rwlock_rdlock(&vcpu->vm->lock);
	slot = exec_slot_find(vcpu->vm, 0, where->gpa);
	where->private = slot && exec_slot_private(slot, where->gpa);
	pthread_rwlock_unlock(&vcpu->vm->lock);
}

void exec_diagnose(const struct exec_vcpu *vcpu, const char *what, uint64_t gpa)
{
	struct where where;
	char text[128];

	find_where(vcpu, &where);
	if (!where.mapped)
		snprintf(text, sizeof(text), ", for which it %s", where.private ?
			 "cannot read the page tables" : "finds no page");
	else
		snprintf(text, sizeof(text), " at guest address 0x%" PRIx64 ", which "
			 "is %s", where.gpa, where.private ? "private" : "shared");
	exec_say("vCPU %u: %s 0x%" PRIx64 ". Its instruction pointer is 0x%" PRIx64
		 "%s. KVM emulates no instruction in private memory, nor with "
		 "operands or page tables there: keep these shared, or have the "
		 "guest do without emulated instructions (x2APIC, port I/O)",
		 vcpu->id, what, gpa, where.rip, text);
}

void exec_diagnose_internal(const struct exec_vcpu *vcpu)
{
	struct where where;

	if (vcpu->run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION)
		return;
	find_where(vcpu, &where);
	if (where.private)
		exec_diagnose(vcpu, "KVM cannot emulate the instruction at",
			      where.mapped ? where.gpa : where.rip);
}

/*
 * Populate the block of the file around @gpa, because gmem allocates whole blocks.
 *
 * Return: the result of GMEM_IOCTL_VIEW_POPULATE.
 */
static int slot_populate(const struct exec_slot *slot, uint64_t gpa, uint64_t *pages)
{
	struct range limits = { slot->offset, slot->offset + slot->size };
	uint64_t at = slot->offset + (gpa - slot->gpa);
	struct range block = { at & ~(BLOCK - 1), (at | (BLOCK - 1)) + 1 };
	char *view = (char *)slot->view - slot->offset;
	int rc;

	block = range_clip(block, limits);
	rc = gmem_view_populate(slot->memory->view_fd, 0, view + block.start,
				range_size(block), pages);
	/* Try the page alone: it may still fit, or the memory error may be in another page. */
	if (rc == -ENOMEM || rc == -EHWPOISON)
		rc = gmem_view_populate(slot->memory->view_fd, 0,
					view + (at & ~(RANGE_PAGE_SIZE - 1)),
					RANGE_PAGE_SIZE, pages);
	return rc == -EINTR ? 0 : rc;
}

/*
 * Populate the page in both address spaces, because that of the vCPU is not known.
 *
 * Return: 0; -ENOENT if no view has the address; or an error of slot_populate().
 */
static int fault_populate(const struct exec_vcpu *vcpu, uint64_t gpa, uint64_t *pages)
{
	int rc = -ENOENT;

	*pages = 0;
	pthread_rwlock_rdlock(&vcpu->vm->lock);
	for (unsigned int space = 0; space < 2; space++) {
		const struct exec_slot *slot = exec_slot_find(vcpu->vm, space, gpa);
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

static int fault_known(const struct exec_vcpu *vcpu, const struct gmem_ioctl_view_fault *fault)
{
	uint64_t pages;
	int rc;

	if (fault->count == faults.count)
		return give_up(vcpu, "KVM could not access guest memory itself; the previous fault "
			       "was at", fault->gpa);
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
		return give_up(vcpu, "the guest faults repeatedly at", fault->gpa);
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
	/* EAGAIN: there was no fault since gmem watches this thread. Try again. */
	if (++faults.idle < IDLE_MAX)
		return 0;
	return give_up(vcpu, "KVM could not access guest memory itself, near", 0);
}

/* Kick a vCPU that is in the same KVM_RUN for TICKS. One that only waits has no faults. */
static void look(struct exec_vcpu *vcpu)
{
	uint64_t runs = __atomic_load_n(&vcpu->runs, __ATOMIC_RELAXED);

	if (!__atomic_load_n(&vcpu->inside, __ATOMIC_ACQUIRE) || runs != vcpu->seen) {
		vcpu->seen = runs;
		vcpu->ticks = 0;
		return;
	}
	if (++vcpu->ticks < TICKS)
		return;
	vcpu->ticks = 0;
	__atomic_store_n(&vcpu->kicked, true, __ATOMIC_RELEASE);
	syscall(SYS_tgkill, getpid(), vcpu->thread, exec_signals_kick());
}

static void *watch_main(void *data)
{
	struct exec_vm *vm;

	for (;;) {
		sleep(TICK_S);
		for (vm = exec_vms_lock(); vm; vm = vm->next)
			for (struct exec_vcpu *vcpu = vm->vcpus; vcpu &&
			     __atomic_load_n(&vm->private, __ATOMIC_RELAXED); vcpu = vcpu->next)
				look(vcpu);
		exec_vms_unlock();
	}
	return NULL;
}

static void start(void)
{
	unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
	pthread_t thread;

	/* With decode assists the CPU gives KVM the instruction bytes: no watch is needed. */
	if (__get_cpuid(SVM_FEATURES, &eax, &ebx, &ecx, &edx) && edx & SVM_DECODE_ASSISTS)
		return;
	if (!exec_signals_kick())
		return;
	if (threads_start(&thread, watch_main, NULL))
		exec_say("cannot create the thread that watches vCPUs: a stuck vCPU will not be "
			 "reported");
	else
		pthread_detach(thread);
}

void exec_watch_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
}

/* Whether the vCPU repeats faults at one device, with an instruction that KVM cannot read. */
bool exec_watch_stuck(struct exec_vcpu *vcpu)
{
	struct gmem_ioctl_view_fault last;
	struct where where;
	bool same, memory;

	if (!__atomic_exchange_n(&vcpu->kicked, false, __ATOMIC_ACQUIRE) || fault_ask(vcpu, &last))
		return false;
	pthread_rwlock_rdlock(&vcpu->vm->lock);
	memory = exec_slot_find(vcpu->vm, 0, last.gpa);
	pthread_rwlock_unlock(&vcpu->vm->lock);
	same = last.gpa / 4096 == vcpu->stuck_gpa / 4096 &&
	       last.count - vcpu->stuck_count >= STUCK_FAULTS && !memory;
	vcpu->stuck_gpa = last.gpa;
	vcpu->stuck_count = last.count;
	find_where(vcpu, &where);
	vcpu->stuck = same && where.private ? vcpu->stuck + 1 : 0;
	if (vcpu->stuck < STUCK)
		return false;
	vcpu->stuck = 0;
	exec_diagnose(vcpu, "the guest makes no progress with the device at", last.gpa);
	return true;
}
