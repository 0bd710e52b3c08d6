// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "abi.h"
#include "command.h"

/*
 * What an errno means, for each command. KVM has one number for many causes:
 * the texts name all of them, the likely one first. Rows of Linux 6.12 and 7.3;
 * see the table of cases in the tests of the simulator.
 */
static const struct {
	enum snp_kvm_command id;
	int rc;
	const char *hint;
} hints[] = {
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
	  "KVM does not take the policy: bit 17 has to be set; Linux 6.12 wants "
	  "bit 16 (SMT) set and bit 20 (single socket) clear" },
	{ SNP_KVM_LAUNCH_START, -EBUSY,
	  "the firmware does not answer any more: see dmesg, and reset the "
	  "machine" },
	{ SNP_KVM_LAUNCH_UPDATE, -EINVAL,
	  "the launch has not started, or no slot with guest_memfd is there" },
	{ SNP_KVM_LAUNCH_UPDATE, -EIO,
	  "KVM hides the cause: the page is not private, or in the guest already; "
	  "the source cannot be read; " SNP_DEVICE_PATH " was closed; or the "
	  "firmware does not answer (see dmesg)" },
	{ SNP_KVM_LAUNCH_FINISH, -EINVAL,
	  "a vCPU is being debugged or was measured before, or the launch has "
	  "not started" },
	{ SNP_KVM_LAUNCH_FINISH, -EBADF,
	  SNP_DEVICE_PATH " is not open under the number of the start" },
	{ SNP_KVM_LAUNCH_FINISH, -EBUSY,
	  "a vCPU is being created, or the firmware does not answer any more "
	  "(see dmesg)" },
	{ SNP_KVM_LAUNCH_FINISH, -EIO,
	  "the firmware has said nothing: see dmesg" },
};

static const struct {
	enum snp_kvm_command id;
	const char *name;
} names[] = {
	{ SNP_KVM_INIT2, "INIT2" },
	{ SNP_KVM_LAUNCH_START, "SNP_LAUNCH_START" },
	{ SNP_KVM_LAUNCH_UPDATE, "SNP_LAUNCH_UPDATE" },
	{ SNP_KVM_LAUNCH_FINISH, "SNP_LAUNCH_FINISH" },
	{ SNP_KVM_ENABLE_REQ_CERTS, "SNP_ENABLE_REQ_CERTS" },
};

int snp_command_run(struct snp_command *command)
{
	struct snp_kvm_cmd cmd = {
		.id = command->id,
		.data = (uintptr_t)command->data,
		.sev_fd = (uint32_t)command->sev_fd,
	};
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	command->rc = calls->ioctl(command->vm_fd, KVM_MEMORY_ENCRYPT_OP, &cmd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	command->fw_error = cmd.error;
	return command->rc;
}

/* Without KVM_SEV_ */
static const char *snp_command_name(enum snp_kvm_command id)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].id == id)
			return names[i].name;
	return "unknown command";
}

static const char *command_hint(const struct snp_command *command)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].id == command->id && hints[i].rc == command->rc)
			return hints[i].hint;
	return NULL;
}

int snp_command_failed(const struct snp_command *command, const char *object,
		       struct error *error)
{
	const char *name = snp_command_name(command->id);
	const char *hint = command_hint(command);
	char action[96];

	if (!command->fw_error) {
		return error_set(error, command->rc, object, name,
				 hint ? "%s" : NULL, hint);
	}
	snprintf(action, sizeof(action), "%s, firmware error 0x%x %s", name,
		 command->fw_error, snp_fw_error_name(command->fw_error));
	hint = snp_fw_error_hint(command->fw_error);
	return error_set(error, command->rc, object, action,
			 hint ? "%s" : NULL, hint);
}
