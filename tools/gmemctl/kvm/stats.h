/* SPDX-License-Identifier: GPL-2.0 */
/* A counter of KVM's, read without disturbing the vCPU that it is about. */
#ifndef GMEMCTL_KVM_STATS_H
#define GMEMCTL_KVM_STATS_H

#include <stdint.h>

/**
 * struct kvm_counter - one of the statistics of a VM or vCPU
 * @fd: of its statistics, or -1
 * @offset: of the value in there
 */
struct kvm_counter {
	int fd;
	uint64_t offset;
};

/**
 * kvm_counter_open() - find a counter by its name, such as "insn_emulation"
 * @fd: the VM or the vCPU
 *
 * Return: 0; -ENOENT if there is none of the name; what the kernel says.
 */
int kvm_counter_open(struct kvm_counter *counter, int fd, const char *name);
void kvm_counter_close(struct kvm_counter *counter);

/** kvm_counter_read() - its value; 0 if it cannot be read */
uint64_t kvm_counter_read(const struct kvm_counter *counter);

#endif /* GMEMCTL_KVM_STATS_H */
