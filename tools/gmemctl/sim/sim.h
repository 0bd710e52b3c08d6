/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulator of what a host with SEV-SNP answers: /dev/kvm, a VM of type SNP,
 * its vCPUs and guest_memfds, /dev/sev and the firmware. It runs in the process
 * and makes no system calls but to read and write its caller's memory.
 *
 * It knows nothing of the measuring code in snp/: it has a launch digest of its
 * own, computed from what it was given through the ioctls.
 */
#ifndef GMEMCTL_SIM_SIM_H
#define GMEMCTL_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose error numbers it gives */
enum sim_profile {
	SIM_LINUX_6_12,
	SIM_LINUX_7_3,
	SIM_PROFILES,
};

/**
 * struct sim_memory - how the caller's memory is reached
 *
 * Both return 0 or -EFAULT.
 */
struct sim_memory {
	int (*in)(void *context, void *to, uint64_t from, size_t size);
	int (*out)(void *context, uint64_t to, const void *from, size_t size);
	void *context;
};

/**
 * struct sim_config - the host
 * @no_snp: an ordinary host: no SEV at all
 * @snp_uninitialized: the PSP driver has not initialised SNP
 * @no_smt: the host has SMT off; else the firmware wants it in a policy
 * @asids: how many SNP guests fit
 * @memory: NULL: the process's own
 * @lint: strict mode: called for what is dangerous or ambiguous on a real host;
 *	NULL without @strict: nothing; NULL with @strict: abort()
 * @lint_context: for @lint
 */
struct sim_config {
	enum sim_profile profile;
	bool no_snp;
	bool snp_uninitialized;
	bool no_smt;
	unsigned int asids;
	const struct sim_memory *memory;
	bool strict;
	void (*lint)(void *context, const char *message);
	void *lint_context;
};

struct sim;

struct sim *sim_create(const struct sim_config *config);
void sim_destroy(struct sim *sim);

/* The system calls; all return a negative errno on failure. */
int sim_open(struct sim *sim, const char *path, int flags);
int sim_close(struct sim *sim, int fd);
int sim_ioctl(struct sim *sim, int fd, unsigned long request, void *arg);
int sim_punch(struct sim *sim, int fd, uint64_t offset, uint64_t length);

/** sim_map() - the kvm_run of a vCPU; nothing else can be mapped */
int sim_map(struct sim *sim, int fd, size_t length, void **out);

/**
 * sim_use() - put a simulator behind gmemctl's table of calls (kvm/calls.h)
 * @sim: or NULL, for the running kernel
 */
void sim_use(struct sim *sim);

/** sim_is_run() - whether an address is one that sim_map() has given */
bool sim_is_run(struct sim *sim, const void *address);

/** sim_is_fd() - whether a number is one that the simulator gives */
bool sim_is_fd(int fd);

/** sim_vm_digest() - the launch digest as the firmware has it, or NULL */
const uint8_t *sim_vm_digest(struct sim *sim, int vm);

/** sim_vm_pages() - how many pages were measured, VMSAs included */
uint64_t sim_vm_pages(struct sim *sim, int vm);

/** sim_vm_host_data() - what LAUNCH_FINISH was given, or NULL before it */
const uint8_t *sim_vm_host_data(struct sim *sim, int vm);

/** sim_vm_is_private() - KVM's attribute of a page */
bool sim_vm_is_private(struct sim *sim, int vm, uint64_t gpa);

/* Commands of the firmware that can be made to fail */
enum sim_command {
	SIM_GCTX_CREATE,
	SIM_START,
	SIM_ACTIVATE,
	SIM_UPDATE,
	SIM_FINISH,
	SIM_COMMANDS,
};

/** sim_fail_command() - the @nth call from now (1 is the next) fails once */
void sim_fail_command(struct sim *sim, enum sim_command command,
		      unsigned int nth, uint32_t error);

/** sim_limit_progress() - at most @pages in one LAUNCH_UPDATE; 0: no limit */
void sim_limit_progress(struct sim *sim, unsigned int pages);

/** sim_again_once() - the next LAUNCH_UPDATE is EAGAIN, as documented */
void sim_again_once(struct sim *sim);

/** sim_signal() - a signal that is not blocked is pending, or no longer */
void sim_signal(struct sim *sim, bool pending);

/** sim_kill_psp() - the PSP does not answer any more */
void sim_kill_psp(struct sim *sim);

/**
 * struct sim_exit - what one KVM_RUN does
 * @reason: KVM_EXIT_HYPERCALL, _MEMORY_FAULT, _SYSTEM_EVENT, _SNP_REQ_CERTS,
 *	_SHUTDOWN, _AP_RESET_HOLD
 * @gpa, @pages, @private: of MAP_GPA_RANGE, a memory fault, or certificates
 * @data: of a system event: the GHCB MSR
 */
struct sim_exit {
	uint32_t reason;
	uint64_t gpa;
	uint64_t pages;
	bool private;
	uint64_t data;
};

/** sim_script() - add an exit to those that a vCPU is going to make */
int sim_script(struct sim *sim, int vcpu, const struct sim_exit *script);

#endif /* GMEMCTL_SIM_SIM_H */
