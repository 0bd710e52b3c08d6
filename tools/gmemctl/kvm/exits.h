/* SPDX-License-Identifier: GPL-2.0 */
/* Exits of a vCPU, in words. */
#ifndef GMEMCTL_KVM_EXITS_H
#define GMEMCTL_KVM_EXITS_H

#include <stddef.h>
#include <stdint.h>

#include "vcpu.h"

/** exit_name() - name of an exit reason, without KVM_EXIT_; never NULL */
const char *exit_name(uint32_t reason);

/** exit_describe() - one line about the exit in vcpu->run */
void exit_describe(const struct vcpu *vcpu, char *text, size_t size);

/** exit_registers() - the registers alone, several lines */
void exit_registers(struct vcpu *vcpu, char *text, size_t size);

#endif /* GMEMCTL_KVM_EXITS_H */
