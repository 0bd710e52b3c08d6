/* SPDX-License-Identifier: GPL-2.0 */
/* Why a guest has asked its hypervisor to be ended. */
#ifndef GMEMCTL_SNP_TERMINATION_H
#define GMEMCTL_SNP_TERMINATION_H

#include <stddef.h>
#include <stdint.h>

/**
 * snp_termination_format() - KVM_SYSTEM_EVENT_SEV_TERM in words
 * @msr: the first word of the event: what the guest has written to the GHCB MSR,
 *	or only the address of its GHCB
 *
 * Return: @text.
 */
char *snp_termination_format(uint64_t msr, char *text, size_t size);

#endif /* GMEMCTL_SNP_TERMINATION_H */
