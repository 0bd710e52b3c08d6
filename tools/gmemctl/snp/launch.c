// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Order of a launch
 *
 * KVM enforces a part of it: SEV_INIT2 before any vCPU, a range private before
 * pages are added to it, SNP_LAUNCH_FINISH once. It does not enforce this:
 *
 * - No command after SNP_LAUNCH_FINISH. Some kernels would write to pages that
 *   belong to the guest by then. No function here sends one.
 * - A correct ID block. The firmware checks it after the vCPUs are encrypted, and
 *   then the VM is lost. So it is checked here before the first command.
 * - An open /dev/sev. KVM looks up its file descriptor in the calling process for
 *   each command, and for each request of the running guest. So it stays open until
 *   the vCPUs have ended, and a launch does not go on in a forked process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/calls.h"
#include "../base/hex.h"
#include "../kvm/slot.h"
#include "../kvm/vcpu.h"
#include "abi.h"
#include "launch.h"

#define OBJECT "SNP guest"

/* KVM documents EAGAIN as temporary. After so many retries it is a failure. */
#define RETRIES_MAX 1000
#define RETRY_NS 1000000

/*
 * The meaning of an errno, for each command. KVM uses one number for several causes:
 * the texts name all of them, the most likely one first. They are for Linux 6.12 and
 * 7.3; see the table of cases in the tests of the simulator.
 */
static const struct {
	enum snp_kvm_command id;
	int rc;
	const char *hint;
} command_hints[] = {
	{ SNP_KVM_INIT2, -EBUSY,
	  "no ASID is free: end another SNP guest, raise the limit of the misc "
	  "cgroup, or the number of SEV-ES ASIDs in the BIOS" },
	{ SNP_KVM_INIT2, -ENOTTY,
	  "KVM has no ASIDs for SNP, or no SEV at all: enable SNP in the BIOS, "
	  "give SEV-ES ASIDs there, and load kvm_amd with sev_snp=1" },
	{ SNP_KVM_INIT2, -EINVAL,
	  "a vCPU exists already, or KVM lacks a feature or version asked for" },
	{ SNP_KVM_INIT2, -EPERM, "this VM was initialised already" },
	{ SNP_KVM_ENABLE_REQ_CERTS, -EINVAL,
	  "KVM cannot ask for certificates (Linux 6.16 and newer can), or a vCPU "
	  "exists already: leave --certs out" },
	{ SNP_KVM_LAUNCH_START, -ENOTTY,
	  "the firmware could not create the guest: " SNP_DEVICE_PATH " is not the "
	  "open file, or the firmware does not answer (see dmesg)" },
	{ SNP_KVM_LAUNCH_START, -EINVAL,
	  "KVM refuses the policy: bit 17 must be set; Linux 6.12 requires bit 16 (SMT) set and "
	  "bit 20 (single socket) clear" },
	{ SNP_KVM_LAUNCH_START, -EBUSY,
	  "the firmware does not answer any more: see dmesg, and reset the "
	  "machine" },
	{ SNP_KVM_LAUNCH_UPDATE, -EINVAL,
	  "the launch has not started, or no memory slot has a guest_memfd" },
	{ SNP_KVM_LAUNCH_UPDATE, -EIO,
	  "KVM does not report the cause: the page is not private, or was added already; the "
	  "source cannot be read; " SNP_DEVICE_PATH " was closed; or the firmware does not answer "
	  "(see dmesg)" },
	{ SNP_KVM_LAUNCH_FINISH, -EINVAL,
	  "a vCPU is being debugged or was measured before, or the launch has "
	  "not started" },
	{ SNP_KVM_LAUNCH_FINISH, -EBADF,
	  SNP_DEVICE_PATH " is not open at the descriptor number used by SNP_LAUNCH_START" },
	{ SNP_KVM_LAUNCH_FINISH, -EBUSY,
	  "a vCPU is being created, or the firmware does not answer any more "
	  "(see dmesg)" },
	{ SNP_KVM_LAUNCH_FINISH, -EIO,
	  "the firmware reported no error code: see dmesg" },
};

static const struct {
	enum snp_kvm_command id;
	const char *name;
} command_names[] = {
	{ SNP_KVM_INIT2, "INIT2" },
	{ SNP_KVM_LAUNCH_START, "SNP_LAUNCH_START" },
	{ SNP_KVM_LAUNCH_UPDATE, "SNP_LAUNCH_UPDATE" },
	{ SNP_KVM_LAUNCH_FINISH, "SNP_LAUNCH_FINISH" },
	{ SNP_KVM_ENABLE_REQ_CERTS, "SNP_ENABLE_REQ_CERTS" },
};

/**
 * struct command - KVM_MEMORY_ENCRYPT_OP: a command to KVM and the firmware behind it
 * @data: the structure of the command, which KVM may change
 * @rc: negative errno, or 0
 * @fw_error: error of the firmware; 0 if it was not called or has not failed
 */
struct command {
	enum snp_kvm_command id;
	void *data;
	int rc;
	uint32_t fw_error;
};

/*
 * Send a command, with all signals blocked. KVM would stop for a pending signal and return EIO,
 * which it also returns for other failures.
 */
static int command_run(const struct snp_launch *launch, struct command *command)
{
	struct snp_kvm_cmd cmd = {
		.id = command->id,
		.data = (uintptr_t)command->data,
		.sev_fd = (uint32_t)launch->sev_fd,
	};
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	command->rc = calls->ioctl(launch->vm->fd, KVM_MEMORY_ENCRYPT_OP, &cmd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	command->fw_error = cmd.error;
	return command->rc;
}

/* Describe a failed command: step, errno, firmware error, hint */
static int command_failed(const struct command *command, const char *object, struct error *error)
{
	const char *name = "", *hint = NULL;
	char action[96];

	for (size_t i = 0; i < sizeof(command_names) / sizeof(command_names[0]); i++)
		if (command_names[i].id == command->id)
			name = command_names[i].name;
	snprintf(action, sizeof(action), "%s", name);
	for (size_t i = 0; i < sizeof(command_hints) / sizeof(command_hints[0]); i++)
		if (command_hints[i].id == command->id && command_hints[i].rc == command->rc)
			hint = command_hints[i].hint;
	if (command->fw_error) {
		snprintf(action, sizeof(action), "%s, firmware error 0x%x %s", name,
			 command->fw_error, snp_fw_error_name(command->fw_error));
		hint = snp_fw_error_hint(command->fw_error);
	}
	return error_set(error, command->rc, object, action, hint ? "%s" : NULL, hint);
}

static const char *type_name(enum snp_page_type type)
{
	static const char *const names[] = {
		[SNP_PAGE_NORMAL] = "NORMAL",
		[SNP_PAGE_VMSA] = "VMSA",
		[SNP_PAGE_ZERO] = "ZERO",
		[SNP_PAGE_UNMEASURED] = "UNMEASURED",
		[SNP_PAGE_SECRETS] = "SECRETS",
		[SNP_PAGE_CPUID] = "CPUID",
	};

	return names[type];
}

/* KVM moves gfn_start past the pages that it has added, so it is the page that failed. */
static int update_failed(const struct command *command, const struct snp_run *run,
			 const struct snp_kvm_launch_update *update, struct error *error)
{
	char object[160];

	snprintf(object, sizeof(object), "%.80s, %s page at gpa 0x%llx", run->name,
		 type_name(run->type), (unsigned long long)update->gfn_start << GUEST_PAGE_SHIFT);
	if (command->rc)
		return command_failed(command, object, error);
	return error_set(error, -EIO, object, "SNP_LAUNCH_UPDATE", "KVM reported success but added "
			 "no page: this is a bug of the kernel");
}

/**
 * update_once() - send one command; repeat it while KVM returns EAGAIN or EINTR
 *
 * Return: 0 if KVM added pages, else a negative errno; @command has the details.
 */
static int update_once(struct snp_launch *launch, struct command *command,
		       const struct snp_kvm_launch_update *update)
{
	const struct timespec moment = { .tv_nsec = RETRY_NS };
	uint64_t before = update->len;

	for (unsigned int i = 0; ; i++) {
		launch->calls++;
		command_run(launch, command);
		if ((command->rc != -EAGAIN && command->rc != -EINTR) || i == RETRIES_MAX)
			break;
		launch->retries++;
		nanosleep(&moment, NULL);
	}
	if (command->rc)
		return command->rc;
	return update->len < before ? 0 : -EIO;
}

/* Report a step that is done */
static void snp_launch_tell(const struct snp_launch *launch, const char *step,
			    const char *format, ...)
{
	char text[256];
	va_list args;

	if (!launch->config->step)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	launch->config->step(launch->config->data, step, text);
}

/**
 * update_run() - add all pages of one run
 * @source: the contents, page-aligned. Not NULL even if the type has no contents:
 *	Linux 6.12 checks the address all the same
 * @fw_error: out: error of the firmware
 */
static int update_run(struct snp_launch *launch, const struct snp_run *run, const void *source,
		      uint32_t *fw_error, struct error *error)
{
	struct snp_kvm_launch_update update = {
		.gfn_start = run->gpa >> GUEST_PAGE_SHIFT,
		.uaddr = (uintptr_t)source,
		.len = run->size,
		.type = (uint8_t)run->type,
	};
	struct command command = { .id = SNP_KVM_LAUNCH_UPDATE, .data = &update };
	unsigned int calls = launch->calls;

	while (update.len) {
		int rc = update_once(launch, &command, &update);

		*fw_error = command.fw_error;
		if (rc)
			return update_failed(&command, run, &update, error);
	}
	snp_launch_tell(launch, "SNP_LAUNCH_UPDATE", "0x%09llx  %6llu pages  %-10s  %s, calls: %u",
			(unsigned long long)run->gpa,
			(unsigned long long)run->size >> GUEST_PAGE_SHIFT, type_name(run->type),
			run->name, launch->calls - calls);
	if (launch->config->pages)
		launch->config->pages(launch->config->data, run, type_name(run->type),
				      launch->calls - calls);
	return 0;
}

/* Report each register for which the firmware wants another value. Return: their number. */
static unsigned int tell_changes(const struct snp_launch *launch,
				 const struct snp_cpuid_page *given)
{
	static const char *const names[] = { "EAX", "EBX", "ECX", "EDX" };
	unsigned int changes = 0;

	for (uint32_t i = 0; i < 4 * given->count && i < 4 * SNP_CPUID_ENTRIES; i++) {
		const struct snp_cpuid_entry *entry = &given->entries[i / 4];
		uint32_t from = (&entry->eax)[i % 4];
		uint32_t to = (&launch->cpuid->entries[i / 4].eax)[i % 4];

		if (from == to)
			continue;
		changes++;
		snp_launch_tell(launch, "CPUID page", "leaf 0x%x.%u %s: 0x%08x, but the firmware "
				"requires 0x%08x", entry->eax_in, entry->ecx_in, names[i % 4], from,
				to);
	}
	return changes;
}

/*
 * Retry with the values that the firmware has written into the page. One retry is
 * enough: if the firmware refuses its own values, they are not the cause.
 */
static int update_cpuid_again(struct snp_launch *launch, const struct snp_run *run,
			      const struct snp_cpuid_page *given, struct error *error)
{
	uint32_t fw_error;

	launch->corrections = tell_changes(launch, given);
	if (!launch->corrections)
		return error_wrap(error, -EIO, "CPUID page",
				  "the firmware refuses it and returns no other values");
	if (launch->config->cpuid_strict)
		return error_set(error, -EIO, "CPUID page",
				 "SNP_LAUNCH_UPDATE, firmware error 0x16 INVALID_PARAM", "the "
				 "firmware requires other values for %u registers: leave "
				 "--cpuid-strict out to use them", launch->corrections);
	return update_run(launch, run, launch->cpuid, &fw_error, error);
}

static int update_cpuid(struct snp_launch *launch, const struct snp_run *run,
			struct vcpu *vcpu, struct error *error)
{
	struct snp_cpuid_page given;
	struct kvm_cpuid2 *cpuid;
	uint32_t fw_error = 0;
	int rc;

	/* KVM reads and writes as many bytes as the run has, and the buffer is one page. */
	if (run->size != sizeof(*launch->cpuid))
		return error_set(error, -EINVAL, run->name, "SNP_LAUNCH_UPDATE", "its section has "
				 "0x%llx bytes, but the firmware accepts one page of 4096 bytes: "
				 "use another build", (unsigned long long)run->size);
	rc = snp_launch_get_cpuid(vcpu, &cpuid, error);
	if (rc)
		return rc;
	/* The CPU signature of the image, which the vCPUs get at reset, too. */
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x1 || cpuid->entries[i].function == 0x80000001)
			cpuid->entries[i].eax = launch->image.signature;
	rc = snp_cpuid_page_build(launch->cpuid, cpuid, error);
	free(cpuid);
	if (rc)
		return rc;
	given = *launch->cpuid;
	rc = update_run(launch, run, launch->cpuid, &fw_error, error);
	if (rc == -EIO && fw_error == SNP_FW_INVALID_PARAM)
		rc = update_cpuid_again(launch, run, &given, error);
	return rc;
}

/* Copy the contents to whole pages first, because a file in memory may not be aligned. */
static int update_staged(struct snp_launch *launch, const struct snp_run *run, struct error *error)
{
	void *source = aligned_alloc(SNP_PAGE_SIZE, run->size);
	uint32_t fw_error;
	int rc;

	if (!source)
		return error_set(error, -ENOMEM, run->name, "allocate", NULL);
	if (run->data)
		memcpy(source, run->data, run->size);
	else
		memset(source, 0, run->size);
	rc = update_run(launch, run, source, &fw_error, error);
	free(source);
	return rc;
}

/* Return: the end of the pages in the state @private that begin at @at; @at if there are none. */
static uint64_t state_end(const struct guest_memory *memory, uint64_t at,
			  uint64_t end, bool private)
{
	while (at < end && guest_memfd_is_private(&memory->memfd, at) == private)
		at += GUEST_PAGE_SIZE;
	return at;
}

/*
 * Convert the shared pages of a run. Pages that are private already stay as they are:
 * the launch overwrites their contents.
 */
static int make_private(struct guest_memory *memory, const struct snp_run *run, struct error *error)
{
	uint64_t at = run->gpa, end = run->gpa + run->size, next;
	char why[256] = "";
	int rc;

	for (; at < end; at = next) {
		at = state_end(memory, at, end, true);
		next = state_end(memory, at, end, false);
		if (at == next)
			break;
		rc = guest_memory_convert(memory, (struct range){ at, next },
					  true, why, sizeof(why));
		if (rc)
			return error_set(error, rc, run->name, "make private",
					 "gpa 0x%llx to 0x%llx: %s", (unsigned long long)at,
					 (unsigned long long)next, why);
	}
	return 0;
}

/* Refuse a step that is out of order */
static int snp_launch_enter(const struct snp_launch *launch, enum snp_launch_state wanted,
			    const char *step, struct error *error)
{
	if (launch->state == wanted)
		return 0;
	if (launch->state == SNP_LAUNCH_FAILED)
		return error_set(error, -EINVAL, OBJECT, step,
				 "this launch cannot continue: create a new VM");
	if (launch->state == SNP_LAUNCH_FINISHED)
		return error_set(error, -EINVAL, OBJECT, step, "it was launched already, and "
				 "launching it again can crash some kernels");
	return error_set(error, -EINVAL, OBJECT, step, "not allowed in this state of the launch");
}

/* A failure is final: added pages cannot be removed, so the digest would be wrong. */
int snp_launch_populate(struct snp_launch *launch, struct guest_memory *memory,
			struct vcpu *vcpu, struct error *error)
{
	const struct snp_plan *plan = launch->plan;
	int rc = snp_launch_enter(launch, SNP_LAUNCH_STARTED, "SNP_LAUNCH_UPDATE", error);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < plan->nr_runs && !rc; i++) {
		const struct snp_run *run = &plan->runs[i];

		/* KVM adds the VMSAs itself, in SNP_LAUNCH_FINISH. */
		if (run->type == SNP_PAGE_VMSA)
			continue;
		rc = make_private(memory, run, error);
		if (!rc && run->type == SNP_PAGE_CPUID)
			rc = update_cpuid(launch, run, vcpu, error);
		else if (!rc)
			rc = update_staged(launch, run, error);
	}
	launch->state = rc ? SNP_LAUNCH_FAILED : SNP_LAUNCH_POPULATED;
	return rc;
}

static int launch_run(struct snp_launch *launch, enum snp_kvm_command id,
		      void *data, struct error *error)
{
	struct command command = { .id = id, .data = data };

	return command_run(launch, &command) ? command_failed(&command, OBJECT, error) : 0;
}

/* Return: 0, or -ENXIO if KVM does not know the attribute. */
static int kvm_attribute(const struct vm *vm, uint64_t number, uint64_t *value)
{
	struct kvm_device_attr attribute = {
		.group = SNP_KVM_GROUP_SEV, .attr = number,
		.addr = (uintptr_t)value,
	};

	return calls->ioctl(vm->kvm_fd, KVM_GET_DEVICE_ATTR, &attribute);
}

static int check_features(const struct snp_launch *launch, struct error *error)
{
	uint64_t wanted = launch->image.features & ~SNP_FEATURE_ACTIVE;
	uint64_t known = 0;
	int rc = kvm_attribute(launch->vm, SNP_KVM_ATTR_VMSA_FEATURES, &known);

	if (rc)
		return error_set(error, -EOPNOTSUPP, "KVM", "launch SNP guests",
				 "it does not support SEV: see `gmemctl snp status`");
	if (!(wanted & ~known))
		return 0;
	return error_set(error, -EOPNOTSUPP, "guest features", "launch",
			 "KVM does not support the bits 0x%llx of 0x%llx: leave them out",
			 (unsigned long long)(wanted & ~known),
			 (unsigned long long)launch->image.features);
}

/* Linux 6.11 to 6.16 do not report the policy bits that they take. */
static int check_policy(const struct snp_launch *launch, struct error *error)
{
	uint64_t policy = launch->config->policy, known;
	uint64_t needed = SNP_POLICY_RESERVED_ONE;
	char what[96];

	if (kvm_attribute(launch->vm, SNP_KVM_ATTR_POLICY_BITS, &known)) {
		needed |= SNP_POLICY_SMT;
		known = SNP_POLICY_ABI_MAJOR | SNP_POLICY_ABI_MINOR | needed | SNP_POLICY_DEBUG;
	}
	if (policy & ~known)
		snprintf(what, sizeof(what), "clear the bits 0x%llx",
			 (unsigned long long)(policy & ~known));
	else if (needed & ~policy)
		snprintf(what, sizeof(what), "set the bits 0x%llx",
			 (unsigned long long)(needed & ~policy));
	else
		return 0;
	return error_set(error, -EINVAL, "guest policy", "check",
			 "KVM refuses 0x%llx: %s", (unsigned long long)policy, what);
}

static int check_certs(const struct snp_launch *launch, struct error *error)
{
	uint64_t known = 0;

	if (!launch->config->certs)
		return 0;
	if (!kvm_attribute(launch->vm, SNP_KVM_ATTR_REQ_CERTS, &known) && known)
		return 0;
	return error_set(error, -EOPNOTSUPP, "KVM", "KVM_EXIT_SNP_REQ_CERTS", "this kernel does "
			 "not ask the VMM for certificates: leave --certs out");
}

/* Check what the firmware checks at the end of the launch, when a failure costs the VM. */
static int check_id_block(const struct snp_launch *launch, struct error *error)
{
	const struct snp_launch_config *config = launch->config;
	char wanted[2 * SNP_DIGEST_SIZE + 1], is[2 * SNP_DIGEST_SIZE + 1];
	const struct snp_id_block *block = config->id_block;
	struct snp_id_keys keys;
	int rc;

	if (!block)
		return 0;
	rc = snp_id_auth_check(block, config->id_auth, &keys, error);
	if (rc)
		return rc;
	if (memcmp(block->digest, launch->predicted.digest, SNP_DIGEST_SIZE))
		return error_set(error, -EBADMSG, "ID block", "compare digest", "it is for the "
				 "digest %s, but this launch has %s: create it for this image, "
				 "with --vmm gmemctl",
				 hex_format(block->digest, SNP_DIGEST_SIZE, is),
				 hex_format(launch->predicted.digest, SNP_DIGEST_SIZE, wanted));
	if (block->policy != config->policy)
		return error_set(error, -EBADMSG, "ID block", "compare policy",
				 "it is for the policy 0x%llx, but --policy is 0x%llx",
				 (unsigned long long)block->policy,
				 (unsigned long long)config->policy);
	return 0;
}

/* Refuse an IGVM file that KVM cannot launch, before the first command. */
static int check_igvm(const struct snp_igvm *igvm, uint64_t features, struct error *error)
{
	const char *fault = snp_igvm_kvm_fault(igvm);
	struct snp_vcpu vcpu;
	size_t at;

	if (!fault && igvm->shared)
		fault = "it has pages that are shared with the host";
	if (fault)
		return error_set(error, -EOPNOTSUPP, igvm->name, "launch",
				 "KVM or gmemctl cannot launch this file: %s", fault);
	for (unsigned int i = 0; i < igvm->nr_vcpus; i++) {
		const uint8_t *vmsa = igvm->vcpus[i].vmsa;

		if (snp_vcpu_from_vmsa(&vcpu, vmsa, &at))
			return error_set(error, -EOPNOTSUPP, igvm->name, "launch",
					 "KVM cannot reproduce the VMSA of vCPU %u: byte 0x%zx "
					 "would differ", i, at);
		if (snp_vmsa_features(vmsa) != features)
			return error_set(error, -EOPNOTSUPP, igvm->name, "launch",
					 "the SEV features of vCPU %u differ from those of the "
					 "first vCPU, but KVM has one value for all vCPUs", i);
	}
	return 0;
}

static int check_image(const struct snp_image *image, struct error *error)
{
	const struct snp_section *cpuid;

	if (image->igvm)
		return check_igvm(image->igvm, image->features, error);
	if (image->svsm || image->vmm != SNP_VMM_GMEMCTL)
		return error_set(error, -EINVAL, OBJECT, "launch",
				 "the image must be for gmemctl (--vmm gmemctl) and have no SVSM");
	cpuid = snp_firmware_section(image->firmware, SNP_SECTION_CPUID);
	if (cpuid && cpuid->size != SNP_PAGE_SIZE)
		return error_set(error, -EINVAL, image->firmware->name, "launch", "its CPUID "
				 "section has 0x%x bytes, but the firmware accepts one page of "
				 "4096 bytes: use another build", cpuid->size);
	return 0;
}

/* Predict the digest for the CPU signature that was asked for, or for that of this host. */
static int predict(struct snp_launch *launch, struct error *error)
{
	char text[2 * SNP_DIGEST_SIZE + 1];
	struct kvm_cpuid2 *cpuid;
	int rc;

	if (!launch->image.signature) {
		rc = cpuid_supported(launch->vm, &cpuid, error);
		if (rc)
			return rc;
		for (uint32_t i = 0; i < cpuid->nent; i++)
			if (cpuid->entries[i].function == 1)
				launch->image.signature = cpuid->entries[i].eax;
		free(cpuid);
	}
	rc = snp_plan_build(launch->plan, &launch->image, error);
	if (!rc)
		rc = snp_plan_measure(launch->plan, &launch->image, &launch->predicted, error);
	if (!rc)
		snp_launch_tell(launch, "predicted digest", "%s",
				hex_format(launch->predicted.digest, SNP_DIGEST_SIZE, text));
	return rc;
}

static int launch_check(struct snp_launch *launch, struct error *error)
{
	int rc = check_image(&launch->image, error);

	if (!rc)
		rc = check_features(launch, error);
	if (!rc)
		rc = check_policy(launch, error);
	if (!rc)
		rc = check_certs(launch, error);
	if (!rc)
		rc = predict(launch, error);
	return rc ? rc : check_id_block(launch, error);
}

int snp_launch_open(struct snp_launch *launch, const struct snp_launch_config *config,
		    struct vm *vm, struct error *error)
{
	int rc;

	memset(launch, 0, sizeof(*launch));
	launch->config = config;
	launch->image = config->image;
	launch->vm = vm;
	launch->sev_fd = -1;
	launch->plan = calloc(1, sizeof(*launch->plan));
	/* A whole page: KVM reads it, and writes the firmware's corrections to it. */
	launch->cpuid = aligned_alloc(SNP_PAGE_SIZE, sizeof(*launch->cpuid));
	if (!launch->plan || !launch->cpuid) {
		rc = error_set(error, -ENOMEM, OBJECT, "allocate", NULL);
		goto err_close;
	}
	memset(launch->cpuid, 0, sizeof(*launch->cpuid));
	rc = launch_check(launch, error);
	if (rc)
		goto err_close;
	launch->sev_fd = calls->open(SNP_DEVICE_PATH, O_RDWR);
	if (launch->sev_fd < 0) {
		rc = error_set(error, launch->sev_fd, SNP_DEVICE_PATH, "open",
			       launch->sev_fd == -EACCES || launch->sev_fd == -EPERM ?
			       "run as root, or give yourself access to the file" :
			       "SNP is not available: `gmemctl snp status` shows what is missing");
		goto err_close;
	}
	launch->state = SNP_LAUNCH_READY;
	return 0;

err_close:
	snp_launch_close(launch);
	return rc;
}

void snp_launch_close(struct snp_launch *launch)
{
	if (launch->sev_fd >= 0)
		calls->close(launch->sev_fd);
	free(launch->plan);
	free(launch->cpuid);
	launch->sev_fd = -1;
	launch->plan = NULL;
	launch->cpuid = NULL;
	launch->state = SNP_LAUNCH_CLOSED;
}

int snp_launch_init(struct snp_launch *launch, struct error *error)
{
	struct snp_kvm_init2 init = {
		.vmsa_features = launch->image.features & ~SNP_FEATURE_ACTIVE,
		.ghcb_version = SNP_GHCB_VERSION,
	};
	int rc = snp_launch_enter(launch, SNP_LAUNCH_READY, "SEV_INIT2", error);

	if (rc)
		return rc;
	rc = launch_run(launch, SNP_KVM_INIT2, &init, error);
	if (rc)
		return rc;
	snp_launch_tell(launch, "INIT2", "features 0x%llx, GHCB version %u",
			(unsigned long long)launch->image.features, SNP_GHCB_VERSION);
	launch->state = SNP_LAUNCH_INITED;
	if (!launch->config->certs)
		return 0;
	rc = launch_run(launch, SNP_KVM_ENABLE_REQ_CERTS, NULL, error);
	if (rc)
		launch->state = SNP_LAUNCH_FAILED;
	return rc;
}

/* Called when the slots are there, and before the first command that cannot be undone. */
static int check_memory(const struct snp_launch *launch, struct error *error)
{
	for (unsigned int i = 0; i < launch->plan->nr_runs; i++) {
		const struct snp_run *run = &launch->plan->runs[i];

		/* KVM does not put VMSAs into the guest's slots. */
		if (run->type != SNP_PAGE_VMSA &&
		    !slot_covers_private(&launch->vm->slots, run->gpa, run->size))
			return error_set(error, -EFAULT, run->name, "place in guest memory", "no "
					 "private memory at gpa 0x%llx to 0x%llx: give the guest "
					 "more memory", (unsigned long long)run->gpa,
					 (unsigned long long)run->gpa + run->size);
	}
	return 0;
}

/* A refusal does not change the VM, so the caller may try again. */
int snp_launch_start(struct snp_launch *launch, struct error *error)
{
	struct snp_kvm_launch_start start = {
		.policy = launch->config->policy,
	};
	char text[160];
	int rc;

	rc = snp_launch_enter(launch, SNP_LAUNCH_INITED, "SNP_LAUNCH_START", error);
	if (!rc)
		rc = check_memory(launch, error);
	if (!rc)
		rc = launch_run(launch, SNP_KVM_LAUNCH_START, &start, error);
	if (rc)
		return rc;
	launch->state = SNP_LAUNCH_STARTED;
	snp_launch_tell(launch, "SNP_LAUNCH_START", "policy 0x%llx (%s)",
			(unsigned long long)start.policy,
			snp_policy_format(start.policy, text, sizeof(text)));
	return 0;
}

/* The command is sent only once, even if it fails. */
int snp_launch_finish(struct snp_launch *launch, struct vcpu *vcpus, struct error *error)
{
	const struct snp_launch_config *config = launch->config;
	struct snp_kvm_launch_finish finish = {
		.vcek_disabled = config->vcek_disabled,
		.id_block_en = !!config->id_block,
		.id_block_uaddr = (uintptr_t)config->id_block,
	};
	int rc = snp_launch_enter(launch, SNP_LAUNCH_POPULATED, "SNP_LAUNCH_FINISH", error);

	for (uint32_t i = 0; i < launch->image.nr_vcpus && !rc; i++)
		rc = snp_launch_vcpu(launch, &vcpus[i], error);
	if (rc)
		return rc;
	if (config->id_block) {
		finish.id_auth_uaddr = (uintptr_t)config->id_auth;
		finish.auth_key_en = config->id_auth->author_key_algorithm != 0;
	}
	if (config->host_data)
		memcpy(finish.host_data, config->host_data, sizeof(finish.host_data));
	launch->state = SNP_LAUNCH_FAILED;
	rc = launch_run(launch, SNP_KVM_LAUNCH_FINISH, &finish, error);
	if (rc)
		return rc;
	launch->state = SNP_LAUNCH_FINISHED;
	snp_launch_tell(launch, "SNP_LAUNCH_FINISH", "vCPUs: %u%s%s%s", launch->image.nr_vcpus,
			config->id_block ? ", ID block" : "", finish.auth_key_en ? ", author key" :
			"", config->host_data ? ", host data" : "");
	return 0;
}
