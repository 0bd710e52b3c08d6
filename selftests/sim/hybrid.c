// SPDX-License-Identifier: GPL-2.0
/*
 * Hybrid mode: a real KVM answers what every VM can ask. Only SNP is simulated.
 *
 * What changes a VM goes to the kernel and to the simulator, which has to know
 * the slots and registers of a launch. The kernel's answer counts, and where the
 * simulator would have given another one that is a difference.
 */
#include <errno.h>

#include "internal.h"

/* No kernel says this: a file would have been made, but has no number. */
#define WOULD_CREATE (-ESTALE)

int sim_hybrid_number(struct sim *sim, enum sim_kind kind, void **run)
{
	const struct sim_kernel *kernel = sim->config.kernel;
	int rc;

	if (kind == SIM_KVM)
		return kernel->open(kernel->context);
	if (sim->pending < 0)
		return WOULD_CREATE;
	if (kind == SIM_VCPU) {
		rc = kernel->map(kernel->context, sim->pending, run);
		if (rc)
			return rc;
	}
	return sim->pending;
}

static int ask_kernel(struct sim *sim, const struct sim_fd *fd, unsigned long request, uint64_t arg)
{
	const struct sim_kernel *kernel = sim->config.kernel;

	return kernel->ioctl(kernel->context, fd->number, request, arg);
}

/* A kernel without SNP has one other type with private memory, or none. */
static int create_vm(struct sim *sim, const struct sim_fd *fd, uint64_t type)
{
	int types = ask_kernel(sim, fd, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);
	bool has_private = types > 0 && types & 1 << KVM_X86_SW_PROTECTED_VM;

	if (type == KVM_X86_SNP_VM)
		type = has_private ? KVM_X86_SW_PROTECTED_VM : KVM_X86_DEFAULT_VM;
	return ask_kernel(sim, fd, KVM_CREATE_VM, type);
}

static int check_extension(struct sim *sim, const struct sim_fd *fd, uint64_t capability)
{
	int rc = ask_kernel(sim, fd, KVM_CHECK_EXTENSION, capability);

	if (capability == KVM_CAP_VM_TYPES && rc >= 0)
		rc |= sim_check_extension(sim, capability) & 1 << KVM_X86_SNP_VM;
	return rc;
}

static bool is_simulated(const struct sim_fd *fd, unsigned long request)
{
	if (fd->kind == SIM_SEV)
		return true;
	if (fd->kind == SIM_VCPU && ((struct sim_vcpu *)fd->object)->protected)
		return true;
	switch (request) {
	case KVM_MEMORY_ENCRYPT_OP:
	case KVM_GET_DEVICE_ATTR:
	case KVM_PRE_FAULT_MEMORY:
	case KVM_RUN:
		return true;
	default:
		return false;
	}
}

/* Nothing that the simulator would have to remember */
static bool is_question(unsigned long request)
{
	switch (request) {
	case KVM_GET_API_VERSION:
	case KVM_GET_VCPU_MMAP_SIZE:
	case KVM_GET_SUPPORTED_CPUID:
	case KVM_GET_REGS:
	case KVM_GET_SREGS:
	case KVM_GET_FPU:
	case KVM_GET_XSAVE:
	case KVM_GET_MSRS:
	case KVM_GET_CPUID2:
	case KVM_GET_MP_STATE:
	case KVM_GET_TSC_KHZ:
		return true;
	default:
		return false;
	}
}

static int ask_both(struct sim *sim, const struct sim_fd *fd, unsigned long request, uint64_t arg)
{
	int kernel, simulator;

	kernel = request == KVM_CREATE_VM ? create_vm(sim, fd, arg) :
		 ask_kernel(sim, fd, request, arg);
	sim->pending = kernel;
	simulator = sim_dispatch(sim, fd, request, arg);
	sim->pending = -1;
	/* Which MSRs there are depends on the CPU. */
	if (kernel != simulator && (kernel < 0 || request != KVM_SET_MSRS))
		sim_trace_differs(sim, simulator == WOULD_CREATE ? 0 : simulator);
	return kernel;
}

int sim_hybrid_ioctl(struct sim *sim, const struct sim_fd *fd, unsigned long request, uint64_t arg)
{
	if (is_simulated(fd, request))
		return sim_dispatch(sim, fd, request, arg);
	if (request == KVM_CHECK_EXTENSION)
		return check_extension(sim, fd, arg);
	if (is_question(request) || (request == KVM_CREATE_VM && arg != KVM_X86_SNP_VM &&
				     !sim->config.kernel->all_types))
		return ask_kernel(sim, fd, request, arg);
	return ask_both(sim, fd, request, arg);
}
