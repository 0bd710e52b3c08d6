/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_EXEC_RUN_H
#define GMEMCTL_EXEC_RUN_H

#include "vm.h"

/**
 * exec_run() - KVM_RUN, until there is something for the VMM
 *
 * Missing pages of views and conversions are answered. What ends the VM is -EFAULT,
 * after a message.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_run(struct exec_vcpu *vcpu, void *arg);

#endif /* GMEMCTL_EXEC_RUN_H */
