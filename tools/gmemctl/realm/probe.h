/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether KVM has realms. The number of its capability says little, because
 * other kernels use it for something else: only a VM that could be created
 * tells.
 */
#ifndef GMEMCTL_REALM_PROBE_H
#define GMEMCTL_REALM_PROBE_H

#include <stdbool.h>

#include "../base/error.h"

/**
 * realm_create_vm() - KVM_CREATE_VM of a realm
 * @kvm_fd: /dev/kvm
 * @ipa_bits: in: how wide guest addresses are to be, half of them shared; 0: as
 *	wide as KVM makes them. Out: how wide they are.
 *
 * Nothing but the VM is created: KVM creates the realm when it is populated, or
 * run.
 *
 * Return: the VM; -EOPNOTSUPP if KVM lacks realms of this ABI; -EINVAL if it
 * refuses every width asked for; another negative errno of KVM.
 */
int realm_create_vm(int kvm_fd, unsigned int *ipa_bits, struct error *error);

/**
 * realm_knows_populate() - whether a realm's VM has KVM_ARM_RMI_POPULATE
 *
 * With an address that cannot be read, which is looked at before anything else
 * is done.
 */
bool realm_knows_populate(int vm_fd);

#endif /* GMEMCTL_REALM_PROBE_H */
