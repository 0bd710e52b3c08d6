// SPDX-License-Identifier: GPL-2.0
#include <asm/svm.h>

#include "../base/calls.h"
#include "step.h"

#define CPUID_BYTES 2

/* What KVM says of an emulation that has failed: flags, and after them the exit code. */
#define DATA_FLAGS 0
#define DATA_EXIT_CODE 1

bool step_over_cpuid(int fd, const struct kvm_run *run)
{
	struct kvm_regs regs;

	/* With bytes of the instruction, others come before the exit code. */
	if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION ||
	    run->internal.ndata <= DATA_EXIT_CODE || run->internal.data[DATA_FLAGS] ||
	    run->internal.data[DATA_EXIT_CODE] != SVM_EXIT_CPUID)
		return false;
	if (calls->ioctl(fd, KVM_GET_REGS, &regs))
		return false;
	regs.rip += CPUID_BYTES;
	return !calls->ioctl(fd, KVM_SET_REGS, &regs);
}
