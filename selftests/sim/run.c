// SPDX-License-Identifier: GPL-2.0
/* KVM_RUN: no code runs, the exits come from a script. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Flags of MAP_GPA_RANGE: what the page is to become, and its size */
#define MAP_GPA_ENCRYPTED (UINT64_C(1) << 4)

/* The member snp_req_certs of struct kvm_run, which older headers lack. */
struct req_certs {
	uint64_t gpa;
	uint64_t npages;
	uint64_t ret;
};

static struct req_certs *run_certs(struct kvm_run *run)
{
	return (void *)run->padding;
}

/*
 * What the VMM says to the guest's request for certificates, or for pages that were to change
 * their state, where 6.12 takes anything.
 */
static bool takes_answer(const struct sim *sim, struct sim_vcpu *vcpu)
{
	uint64_t certs = run_certs(vcpu->run)->ret, pages = vcpu->run->hypercall.ret;

	if (vcpu->awaits_certs) {
		vcpu->awaits_certs = false;
		return !certs || certs == ENOSPC || certs == EAGAIN || certs == EIO;
	}
	if (vcpu->awaits_map_gpa) {
		vcpu->awaits_map_gpa = false;
		return !sim_is_7_3(sim) || !pages || pages == EINVAL || pages == EAGAIN;
	}
	return true;
}

static int run_exit(const struct sim *sim, struct sim_vcpu *vcpu, const struct sim_exit *script)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_exit_memory_fault *fault = (void *)run->padding;

	run->exit_reason = script->reason;
	memset(run->padding, 0, sizeof(run->padding));
	switch (script->reason) {
	case KVM_EXIT_HYPERCALL:
		run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
		run->hypercall.args[0] = script->gpa;
		run->hypercall.args[1] = script->pages;
		run->hypercall.args[2] = script->private ? MAP_GPA_ENCRYPTED : 0;
		vcpu->awaits_map_gpa = vcpu->vm->type == KVM_X86_SNP_VM;
		return 0;
	case KVM_EXIT_MEMORY_FAULT:
		fault->flags = script->private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
		fault->gpa = script->gpa;
		fault->size = script->pages * SIM_PAGE;
		return -EFAULT;
	case KVM_EXIT_SYSTEM_EVENT:
		run->system_event.type = (uint32_t)script->data;
		if (sim->config.arm)
			return 0;
		run->system_event.type = KVM_SYSTEM_EVENT_SEV_TERM;
		run->system_event.ndata = 1;
		run->system_event.data[0] = script->data;
		return 0;
	case KVM_EXIT_MMIO:
		run->mmio.phys_addr = script->gpa;
		run->mmio.len = (uint32_t)script->pages;
		run->mmio.is_write = script->private;
		return 0;
	case KVM_EXIT_SNP_REQ_CERTS:
		run_certs(run)->gpa = script->gpa;
		run_certs(run)->npages = script->pages;
		vcpu->awaits_certs = true;
		return 0;
	default:
		return 0;
	}
}

int sim_run_next(struct sim *sim, struct sim_vcpu *vcpu)
{
	static const struct sim_exit x86_end = { .reason = KVM_EXIT_SHUTDOWN };
	static const struct sim_exit arm_end = {
		.reason = KVM_EXIT_SYSTEM_EVENT,
		.data = KVM_SYSTEM_EVENT_SHUTDOWN,
	};
	const struct sim_exit *script = sim->config.arm ? &arm_end : &x86_end;

	if (vcpu->run->immediate_exit || sim_fails(sim, SIM_SIGNAL, NULL)) {
		vcpu->run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	/* KVM tells the VMM only if it has asked to be told. */
	if (vcpu->next_exit < vcpu->nr_exits &&
	    vcpu->exits[vcpu->next_exit].reason == KVM_EXIT_SNP_REQ_CERTS && !vcpu->vm->certs)
		vcpu->next_exit++;
	if (vcpu->next_exit < vcpu->nr_exits)
		script = &vcpu->exits[vcpu->next_exit++];
	return run_exit(sim, vcpu, script);
}

int sim_run(struct sim *sim, struct sim_vcpu *vcpu)
{
	const struct sim_vm *vm = vcpu->vm;

	if (vm->need_init)
		return -EINVAL;
	sim_lint(sim, vm->type == KVM_X86_SNP_VM && !vm->finished,
		 "KVM_RUN before LAUNCH_FINISH: the guest is not encrypted yet");
	sim_lint(sim, vm->finished && !sim_is_sev(sim, vm->sev_fd),
		 "KVM_RUN with /dev/sev closed: the guest gets no reports");
	return takes_answer(sim, vcpu) ? sim_run_next(sim, vcpu) : -EINVAL;
}
