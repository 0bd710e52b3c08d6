/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: The watch
 *
 * A guest whose page tables are private, and who uses a device that is memory, can
 * make KVM try the same instruction for ever without leaving KVM_RUN: KVM cannot read
 * the page tables, and tells the guest of a page fault that is none. So a thread
 * looks at vCPUs that stay in KVM_RUN for seconds, once there is private memory: a
 * signal makes them leave it, which the VMM finds as any EINTR, and what was found
 * is compared with the last time.
 */
#ifndef GMEMCTL_EXEC_WATCH_H
#define GMEMCTL_EXEC_WATCH_H

#include "vm.h"

/** exec_watch_start() - look after all VMs from now on */
void exec_watch_start(void);

/**
 * exec_watch_stuck() - after an EINTR: whether the vCPU does not get on
 *
 * Return: whether that was said, and the VM is to end.
 */
bool exec_watch_stuck(struct exec_vcpu *vcpu);

#endif /* GMEMCTL_EXEC_WATCH_H */
