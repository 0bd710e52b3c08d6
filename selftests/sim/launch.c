// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_MEMORY_ENCRYPT_OP: what is checked, in the kernel's order, and what comes
 * back. The order decides which error number a mistake gets.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "internal.h"

#define GHCB_VERSION_MAX 2
#define TYPE_NORMAL 1
#define TYPE_VMSA 2
#define TYPE_ZERO 3
#define TYPE_CPUID 6
#define VMSA_GPA UINT64_C(0xfffffffff000)

#define POLICY_ABI UINT64_C(0xffff)
#define POLICY_SMT (UINT64_C(1) << 16)
#define POLICY_ONE (UINT64_C(1) << 17)
#define POLICY_DEBUG (UINT64_C(1) << 19)
#define POLICY_SINGLE_SOCKET (UINT64_C(1) << 20)
/* CXL, AES-256-XTS, RAPL, ciphertext hiding, page swap */
#define POLICY_NEW (UINT64_C(0x1f) << 21)

bool sim_is_sev(const struct sim *sim, int fd)
{
	const struct sim_fd *found = sim_fd(sim, fd);

	return found && found->kind == SIM_SEV;
}

static int init2(struct sim *sim, struct sim_vm *vm, const struct snp_kvm_cmd *cmd)
{
	struct snp_kvm_init2 init;

	if (!vm->need_init)
		return -EINVAL;
	if (sim_in(sim, &init, cmd->data, sizeof(init)))
		return -EFAULT;
	sim_lint(sim, init.pad1 || !bytes_are_zero(init.pad2, sizeof(init.pad2)),
		 "INIT2 with padding that is not zero");
	if (vm->nr_vcpus || init.flags || init.vmsa_features & ~sim_features(sim) ||
	    init.ghcb_version > GHCB_VERSION_MAX)
		return -EINVAL;
	/* 0 asks for KVM's default. Only 7.3 minds version 1. */
	if (sim_is_7_3(sim) && init.ghcb_version == 1)
		return -EINVAL;
	/* SEV and SEV-ES guests are not simulated any further. */
	if (vm->type != KVM_X86_SNP_VM)
		return -EINVAL;
	if (sim->asids_used >= sim->config.asids)
		return -EBUSY;
	sim->asids_used++;
	vm->need_init = false;
	vm->is_snp = true;
	vm->features = init.vmsa_features;
	return 0;
}

static bool policy_is_valid(const struct sim *sim, uint64_t policy)
{
	uint64_t valid = POLICY_ABI | POLICY_SMT | POLICY_ONE | POLICY_DEBUG | POLICY_SINGLE_SOCKET;

	if (sim_is_7_3(sim))
		return !(policy & ~(valid | POLICY_NEW)) && policy & POLICY_ONE;
	return !(policy & ~(valid & ~POLICY_SINGLE_SOCKET)) &&
	       policy & POLICY_ONE && policy & POLICY_SMT;
}

static int start(struct sim *sim, struct sim_vm *vm, struct snp_kvm_cmd *cmd)
{
	struct snp_kvm_launch_start params;
	int rc;

	if (!vm->is_snp)
		return -ENOTTY;
	if (sim_in(sim, &params, cmd->data, sizeof(params)))
		return -EFAULT;
	sim_lint(sim, !bytes_are_zero(params.pad0, sizeof(params.pad0)) ||
		 !bytes_are_zero(params.pad1, sizeof(params.pad1)),
		 "LAUNCH_START with padding that is not zero");
	if (vm->has_context || params.flags || !policy_is_valid(sim, params.policy))
		return -EINVAL;
	/* Without a context KVM cannot say why: ENOTTY for a bad fd, too. */
	if (!sim_is_sev(sim, (int)cmd->sev_fd) || sim_fw_command(sim, SIM_GCTX_CREATE, &cmd->error))
		return -ENOTTY;
	rc = sim_fw_start(sim, &vm->guest, params.policy, &cmd->error);
	if (!rc)
		rc = sim_fw_command(sim, SIM_ACTIVATE, &cmd->error);
	if (rc) {
		memset(&vm->guest, 0, sizeof(vm->guest));
		return rc;
	}
	vm->has_context = true;
	vm->sev_fd = (int)cmd->sev_fd;
	return 0;
}

/**
 * struct update - one LAUNCH_UPDATE on its way
 * @error: the firmware's
 */
struct update {
	struct sim *sim;
	struct sim_vm *vm;
	struct sim_slot *slot;
	struct snp_kvm_launch_update params;
	int sev_fd;
	uint32_t error;
};

static int update_check(const struct update *update)
{
	const struct snp_kvm_launch_update *params = &update->params;
	bool new = sim_is_7_3(update->sim);

	if (params->len % SIM_PAGE || params->flags || (new && !params->len))
		return -EINVAL;
	if (params->type < TYPE_NORMAL || params->type > TYPE_CPUID || params->type == TYPE_VMSA)
		return -EINVAL;
	if (new && params->type != TYPE_ZERO && (!params->uaddr || params->uaddr % SIM_PAGE))
		return -EINVAL;
	return 0;
}

/* The bytes of the page, from where the caller has them. */
static int update_source(const struct update *update, uint64_t at, uint8_t page[SIM_PAGE])
{
	const struct snp_kvm_launch_update *params = &update->params;
	uint64_t from = params->uaddr + at;

	memset(page, 0, SIM_PAGE);
	if (params->type == TYPE_ZERO)
		return 0;
	if (!params->uaddr || sim_in(update->sim, page, from, SIM_PAGE))
		return -EFAULT;
	/* 7.3 pins a CPUID page for writing; 6.12 finds out too late. */
	if (params->type == TYPE_CPUID && sim_is_7_3(update->sim))
		return sim_out(update->sim, from, page, SIM_PAGE);
	return 0;
}

static int update_page(struct update *update, uint64_t at)
{
	struct sim_slot *slot = update->slot;
	uint64_t gpa = update->params.gfn_start * SIM_PAGE + at;
	uint64_t at_gmem = sim_slot_page(slot, gpa);
	uint8_t page[SIM_PAGE];
	int rc;

	if (sim_fails(update->sim, SIM_SIGNAL, NULL))
		return -EINTR;
	rc = update_source(update, at, page);
	if (rc)
		return rc;
	if (!sim_ranges_have(&update->vm->private, gpa / SIM_PAGE))
		return -EINVAL;
	if (sim_ranges_have(&slot->gmem->assigned, at_gmem))
		return -EEXIST;
	if (!sim_is_sev(update->sim, update->sev_fd))
		return -EBADF;
	rc = sim_fw_update(update->sim, &update->vm->guest, update->params.type,
			   gpa, page, &update->error);
	if (!rc)
		rc = sim_ranges_set(&slot->gmem->assigned, at_gmem, at_gmem + 1, true);
	/* What the firmware would have taken goes back to the caller. */
	if (rc && update->params.type == TYPE_CPUID && update->error == SNP_FW_INVALID_PARAM)
		sim_out(update->sim, update->params.uaddr + at, page, SIM_PAGE);
	return rc;
}

/* Return: bytes done, or the error of the first page. */
static int64_t update_pages(struct update *update)
{
	const struct sim_slot *slot = update->slot;
	uint64_t limit = update->sim->config.progress * (uint64_t)SIM_PAGE;
	uint64_t length = slot->gpa + slot->size - update->params.gfn_start * SIM_PAGE;
	int rc = 0;
	uint64_t at;

	if (length > update->params.len)
		length = update->params.len;
	if (limit && length > limit)
		length = limit;
	if (!slot->gmem)
		return -EFAULT;
	for (at = 0; at < length; at += SIM_PAGE) {
		rc = update_page(update, at);
		if (rc)
			break;
	}
	return rc && !at ? rc : (int64_t)at;
}

static int update_finish(struct update *update, struct snp_kvm_cmd *cmd, int64_t done)
{
	struct snp_kvm_launch_update *params = &update->params;

	/* Whatever it was, it is EIO now. */
	if (done < 0) {
		cmd->error = update->error;
		return -EIO;
	}
	params->gfn_start += (uint64_t)done / SIM_PAGE;
	params->len -= (uint64_t)done;
	if (params->type != TYPE_ZERO)
		params->uaddr += (uint64_t)done;
	return sim_out(update->sim, cmd->data, params, sizeof(*params));
}

static void update_lint(const struct update *update)
{
	const struct snp_kvm_launch_update *params = &update->params;
	struct sim *sim = update->sim;

	sim_lint(sim, update->vm->finished,
		 "LAUNCH_UPDATE after LAUNCH_FINISH: it crashes some kernels");
	sim_lint(sim, !sim_is_7_3(sim) && !params->uaddr && params->type != TYPE_ZERO,
		 "LAUNCH_UPDATE with uaddr 0: Linux 6.12 warns");
	sim_lint(sim, params->pad0 || params->pad1 ||
		 !bytes_are_zero(params->pad2, sizeof(params->pad2)),
		 "LAUNCH_UPDATE with padding that is not zero");
	sim_lint(sim, sim_process_is_interruptible(),
		 "LAUNCH_UPDATE with signals that are not blocked");
}

static int update(struct sim *sim, struct sim_vm *vm, struct snp_kvm_cmd *cmd)
{
	struct update update = {
		.sim = sim, .vm = vm, .sev_fd = (int)cmd->sev_fd,
	};
	uint64_t gfn;
	int rc;

	if (!vm->is_snp || !vm->has_context)
		return -EINVAL;
	if (sim_in(sim, &update.params, cmd->data, sizeof(update.params)))
		return -EFAULT;
	update_lint(&update);
	rc = update_check(&update);
	if (rc)
		return rc;
	gfn = update.params.gfn_start;
	update.slot = gfn > UINT64_MAX / SIM_PAGE ? NULL : sim_slot_find(vm, gfn * SIM_PAGE);
	if (!update.slot || !update.slot->bound)
		return -EINVAL;
	if (sim_fails(sim, SIM_AGAIN, NULL))
		return -EAGAIN;
	return update_finish(&update, cmd, update_pages(&update));
}

static int finish_vcpu(struct sim *sim, struct sim_vcpu *vcpu, struct snp_kvm_cmd *cmd)
{
	uint8_t page[SIM_PAGE];
	int rc;

	if (vcpu->protected || vcpu->debugged || vcpu->breakpoints)
		return -EINVAL;
	if (!sim_is_sev(sim, (int)cmd->sev_fd))
		return -EBADF;
	sim_vmsa(vcpu, page);
	rc = sim_fw_update(sim, &vcpu->vm->guest, TYPE_VMSA, VMSA_GPA, page, &cmd->error);
	vcpu->protected = !rc;
	return rc;
}

static int finish_blob(struct sim *sim, uint64_t from, void *blob, size_t size)
{
	return from ? sim_in(sim, blob, from, size) : -EINVAL;
}

/* By now the vCPUs belong to the firmware: no failure can be repaired. */
static int finish_guest(struct sim *sim, struct sim_vm *vm,
			const struct snp_kvm_launch_finish *params, struct snp_kvm_cmd *cmd)
{
	uint8_t id_block[96], id_auth[SIM_PAGE];
	int rc = 0;

	if (params->id_block_en) {
		rc = finish_blob(sim, params->id_block_uaddr, id_block, sizeof(id_block));
		if (!rc)
			rc = finish_blob(sim, params->id_auth_uaddr, id_auth, sizeof(id_auth));
	}
	if (rc)
		return rc;
	if (!sim_is_sev(sim, vm->sev_fd))
		return -EBADF;
	rc = sim_fw_finish(sim, &vm->guest, params->id_block_en ? id_block : NULL, id_auth,
			   params->auth_key_en, params->host_data, &cmd->error);
	if (!rc)
		vm->finished = true;
	return rc;
}

static int finish(struct sim *sim, struct sim_vm *vm, struct snp_kvm_cmd *cmd)
{
	struct snp_kvm_launch_finish params;
	int rc = 0;

	if (!vm->is_snp)
		return -ENOTTY;
	if (!vm->has_context)
		return -EINVAL;
	if (sim_in(sim, &params, cmd->data, sizeof(params)))
		return -EFAULT;
	sim_lint(sim, vm->finished, "LAUNCH_FINISH after LAUNCH_FINISH: it crashes some kernels");
	sim_lint(sim, !bytes_are_zero(params.pad0, sizeof(params.pad0)) ||
		 !bytes_are_zero(params.pad1, sizeof(params.pad1)),
		 "LAUNCH_FINISH with padding that is not zero");
	if (params.flags)
		return -EINVAL;
	for (unsigned int i = 0; i < vm->nr_vcpus && !rc; i++)
		rc = finish_vcpu(sim, vm->vcpus[i], cmd);
	return rc ? rc : finish_guest(sim, vm, &params, cmd);
}

static int enable_certs(struct sim *sim, struct sim_vm *vm)
{
	if (!sim_is_7_3(sim) || vm->nr_vcpus || !vm->is_snp)
		return -EINVAL;
	vm->certs = true;
	return 0;
}

static int dispatch(struct sim *sim, struct sim_vm *vm, struct snp_kvm_cmd *cmd)
{
	switch (cmd->id) {
	case SNP_KVM_INIT2:
		return init2(sim, vm, cmd);
	case SNP_KVM_LAUNCH_START:
		sim_lint(sim, vm->finished, "LAUNCH_START after LAUNCH_FINISH: "
			 "it crashes some kernels");
		return start(sim, vm, cmd);
	case SNP_KVM_LAUNCH_UPDATE:
		return update(sim, vm, cmd);
	case SNP_KVM_LAUNCH_FINISH:
		return finish(sim, vm, cmd);
	case SNP_KVM_ENABLE_REQ_CERTS:
		return enable_certs(sim, vm);
	default:
		return -EINVAL;
	}
}

static bool is_known(const struct sim *sim, uint32_t id)
{
	return id == SNP_KVM_INIT2 ||
	       (id >= SNP_KVM_LAUNCH_START && id <= SNP_KVM_LAUNCH_FINISH) ||
	       (id == SNP_KVM_ENABLE_REQ_CERTS && sim_is_7_3(sim));
}

int sim_encrypt_op(struct sim *sim, struct sim_vm *vm, uint64_t arg)
{
	struct snp_kvm_cmd cmd;
	int rc;

	if (sim->config.no_snp)
		return -ENOTTY;
	if (!arg)
		return 0;
	if (sim_in(sim, &cmd, arg, sizeof(cmd)))
		return -EFAULT;
	if (vm->is_snp && cmd.id < SNP_KVM_LAUNCH_START)
		return -EPERM;
	/* These return early: the error of the caller's stays as it was. */
	if (!is_known(sim, cmd.id))
		return -EINVAL;
	sim_lint(sim, cmd.pad0 || cmd.error,
		 "a command whose error or padding is not zero before the call");
	sim_lint(sim, vm->has_context && (int)cmd.sev_fd != vm->sev_fd,
		 "a command with another number for /dev/sev than at the start");
	sim_lint(sim, vm->has_context && !sim_is_sev(sim, vm->sev_fd),
		 "/dev/sev was closed after the start");
	rc = dispatch(sim, vm, &cmd);
	if (sim_out(sim, arg, &cmd, sizeof(cmd)))
		rc = -EFAULT;
	return rc;
}
