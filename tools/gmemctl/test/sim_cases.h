/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Linux 6.12 and 7.3 answer, case by case, as read in their sources:
 * arch/x86/kvm/svm/sev.c, virt/kvm/guest_memfd.c, virt/kvm/kvm_main.c and
 * drivers/crypto/ccp/sev-dev.c of 6.12.107 and 7.3.4.
 */
#ifndef GMEMCTL_TEST_SIM_CASES_H
#define GMEMCTL_TEST_SIM_CASES_H

#include "sim_world.h"

/* The firmware's error is not part of the case. */
#define ANY UINT32_MAX

/**
 * struct sim_result - what comes of a case
 * @rc: 0 or a negative errno
 * @error: the firmware's
 */
struct sim_result {
	int rc;
	uint32_t error;
};

/**
 * struct sim_case - one of them
 * @run: brings a world to where the case begins, and does it. What else has to
 *	hold it checks itself. Return: 0 or a negative errno.
 * @expect: by profile
 */
struct sim_case {
	const char *id;
	int (*run)(struct world *world);
	struct sim_result expect[SIM_PROFILES];
};

/** sim_agree() - for cases with variants that all have the same result */
int sim_agree(const int *results, unsigned int count);

extern const struct sim_case sim_cases_host[];
extern const unsigned int sim_cases_host_count;
extern const struct sim_case sim_cases_launch[];
extern const unsigned int sim_cases_launch_count;
extern const struct sim_case sim_cases_update[];
extern const unsigned int sim_cases_update_count;
extern const struct sim_case sim_cases_memory[];
extern const unsigned int sim_cases_memory_count;

/* Both kernels the same; a failure; a failure with a firmware error */
#define BOTH(rc) { { rc, ANY }, { rc, ANY } }
#define BOTH_FW(rc, error) { { rc, error }, { rc, error } }
#define EACH(old, new) { { old, ANY }, { new, ANY } }

#endif /* GMEMCTL_TEST_SIM_CASES_H */
