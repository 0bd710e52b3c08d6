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

/* What a case needs of a kernel if it is not simulated; the most comes first. */
enum sim_needs {
	SIM_NEEDS_SNP,
	SIM_NEEDS_PRIVATE,
	SIM_NEEDS_NOTHING,
};

/**
 * struct sim_case - one of them
 * @before: brings a world to where the case begins, or NULL
 * @run: does it. What else has to hold it checks itself.
 *	Return: 0 or a negative errno.
 * @args: for @run, in the world
 * @expect: by profile
 * @needs: a kernel that has at least this can be asked as well
 */
struct sim_case {
	const char *id;
	void (*before)(struct world *world);
	int (*run)(struct world *world);
	uint64_t args[3];
	struct sim_result expect[SIM_PROFILES];
	enum sim_needs needs;
};

/* The cases, and the variants of two of them that need another host. */
#define SIM_CASES (89 + 2)

/** sim_case_get() - Return: one of SIM_CASES, or NULL. */
const struct sim_case *sim_case_get(unsigned int index);

/** sim_case_run() - in a world that has just been initialised */
void sim_case_run(const struct sim_case *sim_case, struct world *world);

/** sim_cases_run() - all of them, each in a simulator */
void sim_cases_run(enum sim_profile profile);

/**
 * struct sim_system - what answers to system calls
 * @has: cases that need more are left out
 * @type: of VMs
 * @prepare: for world.system
 */
struct sim_system {
	enum sim_profile profile;
	enum sim_needs has;
	unsigned long type;
	void (*prepare)(const struct world *world);
};

/** sim_cases_run_system() - through system calls. Return: how many. */
unsigned int sim_cases_run_system(const struct sim_system *system);

extern const struct sim_case sim_cases_launch[];
extern const unsigned int sim_cases_launch_count;

/* What both kernels say, or each of them; with the firmware's error or without */
#define BOTH_ON(needs, rc) { { rc, ANY }, { rc, ANY } }, needs
#define EACH_ON(needs, old, new) { { old, ANY }, { new, ANY } }, needs
#define BOTH(rc) BOTH_ON(SIM_NEEDS_SNP, rc)
#define EACH(old, new) EACH_ON(SIM_NEEDS_SNP, old, new)
#define BOTH_FW(rc, error) { { rc, error }, { rc, error } }, SIM_NEEDS_SNP
#define EACH_FW(old, old_error, new, new_error) \
	{ { old, old_error }, { new, new_error } }, SIM_NEEDS_SNP

#endif /* GMEMCTL_TEST_SIM_CASES_H */
