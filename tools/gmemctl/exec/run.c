// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../kvm/slot.h"
#include "../kvm/vcpu.h"
#include "exec.h"
#include "report.h"

#define WHY_MAX 256

static int enter(struct exec_vcpu *vcpu, void *arg)
{
	int rc;

	if (exec_vm_has_views(vcpu->vm)) {
		exec_fault_watch(vcpu);
		exec_slots_fill(vcpu->vm);
	}
	vcpu->thread = (pid_t)syscall(SYS_gettid);
	__atomic_add_fetch(&vcpu->runs, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&vcpu->inside, true, __ATOMIC_RELEASE);
	rc = calls->ioctl(vcpu->fd, KVM_RUN, arg);
	__atomic_store_n(&vcpu->inside, false, __ATOMIC_RELEASE);
	exec_count(&exec_counters.exits, 1);
	return rc;
}

/* Answer MAP_GPA_RANGE, unless the VM has no views and the VMM has enabled these exits. */
static bool hypercall_answer(struct exec_vcpu *vcpu)
{
	struct exec_vm *vm = vcpu->vm;
	struct kvm_run *run = vcpu->run;
	uint64_t args[3] = {
		run->hypercall.args[0],
		run->hypercall.args[1],
		run->hypercall.args[2],
	};
	const char *refusal;
	struct map_gpa map;
	char why[WHY_MAX];
	int64_t answer;

	if (!vm->answers || run->hypercall.nr != KVM_HC_MAP_GPA_RANGE)
		return false;
	if (!exec_vm_has_views(vm) && vm->asked & 1U << KVM_HC_MAP_GPA_RANGE)
		return false;
	/* KVM_EINVAL and similar are errno values. */
	if (!exec_vm_has_views(vm)) {
		answer = -KVM_ENOSYS;
	} else if (map_gpa_parse(args, &map, &refusal)) {
		exec_count(&exec_counters.refused, 1);
		answer = -KVM_EINVAL;
	} else {
		answer = exec_convert(vm, (struct range){ map.gpa, map.gpa + map.size },
				      map.to_private, why, sizeof(why));
	}
	run->hypercall.ret = (uint64_t)answer;
	return true;
}

/*
 * Whether an MMIO exit is an access to private RAM: KVM leaves accesses that it cannot do to
 * the VMM, which cannot do them either. Writes to a ROM are for the VMM.
 */
static bool operand_private(struct exec_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	const struct exec_slot *slot;
	bool private;

	if (!__atomic_load_n(&vcpu->vm->private, __ATOMIC_RELAXED))
		return false;
	pthread_rwlock_rdlock(&vcpu->vm->lock);
	slot = exec_slot_find(vcpu->vm, 0, run->mmio.phys_addr);
	private = slot && exec_slot_private(slot, run->mmio.phys_addr) &&
		  !(run->mmio.is_write && slot->flags & KVM_MEM_READONLY);
	pthread_rwlock_unlock(&vcpu->vm->lock);
	if (private)
		exec_diagnose(vcpu, "an emulated instruction has its operand in "
			      "private memory, at", run->mmio.phys_addr);
	return private;
}

/* Return: whether to enter the vCPU again; if not, the VMM gets @rc. */
static bool exit_answer(struct exec_vcpu *vcpu, int *rc)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		return hypercall_answer(vcpu);
	case KVM_EXIT_MMIO:
		if (operand_private(vcpu))
			*rc = -EFAULT;
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		if (!exec_vm_has_views(vcpu->vm) ||
		    !__atomic_load_n(&vcpu->vm->private, __ATOMIC_RELAXED))
			return false;
		if (step_over_cpuid(vcpu->fd, vcpu->run))
			return true;
		exec_diagnose_internal(vcpu);
		return false;
	default:
		return false;
	}
}

int exec_run(struct exec_vcpu *vcpu, void *arg)
{
	int rc;

	do {
		rc = enter(vcpu, arg);
		if (rc == -EINTR && exec_watch_stuck(vcpu))
			return -EFAULT;
		if (rc == -EFAULT && !exec_fault_answer(vcpu))
			continue;
		if (rc)
			return rc;
		vcpu->stuck = 0;
		if (!exit_answer(vcpu, &rc))
			return rc;
	} while (1);
}
