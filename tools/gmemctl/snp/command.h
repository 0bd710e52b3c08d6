/* SPDX-License-Identifier: GPL-2.0 */
/* KVM_MEMORY_ENCRYPT_OP: one command to KVM, and to the firmware behind it. */
#ifndef GMEMCTL_SNP_COMMAND_H
#define GMEMCTL_SNP_COMMAND_H

#include <stdint.h>

#include "../base/error.h"
#include "abi.h"

/**
 * struct snp_command - a command and what came of it
 * @id: which
 * @vm_fd: the VM
 * @sev_fd: /dev/sev; KVM remembers this number, and not the file
 * @data: its structure, which KVM may change
 * @rc: negative errno, or 0
 * @fw_error: of the firmware; 0 if it was not called or has not failed
 */
struct snp_command {
	enum snp_kvm_command id;
	int vm_fd;
	int sev_fd;
	void *data;
	int rc;
	uint32_t fw_error;
};

/**
 * snp_command_run() - issue it
 *
 * All signals are blocked meanwhile: one that is pending would make KVM stop
 * and say EIO, as it does for everything else.
 *
 * Return: @rc.
 */
int snp_command_run(struct snp_command *command);

/**
 * snp_command_failed() - describe a failure: step, errno, firmware error, remedy
 * @object: what it was done to
 *
 * Return: @rc.
 */
int snp_command_failed(const struct snp_command *command, const char *object,
		       struct error *error);

#endif /* GMEMCTL_SNP_COMMAND_H */
