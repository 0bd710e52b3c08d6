/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CPUID page of a guest: what it may believe about its CPU, since the
 * firmware has checked it.
 */
#ifndef GMEMCTL_SNP_CPUID_PAGE_H
#define GMEMCTL_SNP_CPUID_PAGE_H

#include "../base/error.h"
#include "../kvm/abi.h"
#include "abi.h"

/**
 * snp_cpuid_page_build() - make a page of what a vCPU's CPUID says
 *
 * What the firmware is known not to accept is left out: features that KVM
 * emulates, and those of speculation that a guest cannot use. Entries that are
 * all zero are left out, too: a guest takes what is not there for zero.
 *
 * Return: 0; -E2BIG for more than SNP_CPUID_ENTRIES entries.
 */
int snp_cpuid_page_build(struct snp_cpuid_page *page,
			 const struct kvm_cpuid2 *cpuid, struct error *error);

/**
 * typedef snp_cpuid_change_fn - told of one register that the firmware changed
 * @text: such as "leaf 0x7.0 EBX: 0x219c97ab is to be 0x219c97a9"
 */
typedef void (*snp_cpuid_change_fn)(void *data, const char *text);

/**
 * snp_cpuid_page_compare() - tell what the firmware wants otherwise
 * @tell: may be NULL
 *
 * Return: how many registers differ.
 */
unsigned int snp_cpuid_page_compare(const struct snp_cpuid_page *given,
				    const struct snp_cpuid_page *wanted,
				    snp_cpuid_change_fn tell, void *data);

/**
 * snp_cpuid_page_apply() - make a vCPU's CPUID say what the page says
 *
 * But for where it is: APIC IDs and topology are its own.
 */
void snp_cpuid_page_apply(const struct snp_cpuid_page *page,
			  struct kvm_cpuid2 *cpuid);

#endif /* GMEMCTL_SNP_CPUID_PAGE_H */
