/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulator of what a host with SEV-SNP answers: /dev/kvm, a VM of type SNP,
 * its vCPUs and guest_memfds, /dev/sev and the firmware; or an arm64 host with
 * realms, and its RMM. It runs in the process and makes no system calls but
 * those of process.c: it reads and writes its caller's memory, and looks at the
 * caller's signals and files.
 *
 * It knows nothing of the measuring code in snp/: it has a launch digest of its
 * own, computed from what it was given through the ioctls.
 */
#ifndef GMEMCTL_SIM_SIM_H
#define GMEMCTL_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Whose error numbers it gives */
enum sim_profile {
	SIM_LINUX_6_12,
	SIM_LINUX_7_3,
	SIM_PROFILES,
};

/*
 * Whether it is an arm64 host, and with the series that brings realms; OTHER has
 * something else at the number of its capability.
 */
enum sim_arm {
	SIM_ARM_NOT,
	SIM_ARM_PLAIN,
	SIM_ARM_CCA_V14,
	SIM_ARM_OTHER,
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

/* What a file is; also its name in a trace */
enum sim_kind {
	SIM_FREE,
	SIM_KVM,
	SIM_VM,
	SIM_VCPU,
	SIM_GMEM,
	SIM_SEV,
	SIM_GIC,
	SIM_KINDS,
};

/**
 * struct sim_files - where the numbers of files come from
 * @open: the number of a new file, or a negative errno; for a vCPU also the
 *	memory that is its kvm_run
 * @forget: that memory is not used any more
 */
struct sim_files {
	int (*open)(void *context, enum sim_kind kind, void **run);
	void (*forget)(void *context, void *run);
	void *context;
};

/**
 * struct sim_kernel - a real KVM, for what is not about SNP; see hybrid.c
 * @open: /dev/kvm
 * @map: the kvm_run of a vCPU; it goes with sim_files.forget()
 * @all_types: VMs of other types are simulated, too, and so compared; else they
 *	are the kernel's alone
 */
struct sim_kernel {
	int (*open)(void *context);
	int (*ioctl)(void *context, int fd, unsigned long request, uint64_t arg);
	int (*map)(void *context, int fd, void **run);
	void *context;
	bool all_types;
};

/* Registers of CPUID that KVM can be made to change */
#define SIM_CPUID_VALUES 16

/**
 * struct sim_cpuid_value - what KVM_GET_SUPPORTED_CPUID has in a register
 * @leaf, @index: EAX and ECX of the instruction
 * @reg: 0 to 3: EAX, EBX, ECX, EDX
 * @value: instead of the CPU's. The firmware goes by the CPU: bits that it does
 *	not have are refused in a CPUID page, and taken away.
 */
struct sim_cpuid_value {
	uint32_t leaf, index;
	unsigned int reg;
	uint32_t value;
};

/* Capabilities that can be taken away */
#define SIM_WITHOUT 8

/**
 * struct sim_config - the host
 * @no_snp: an ordinary host: no SEV at all
 * @no_dev_sev: KVM has SNP, and there is no /dev/sev, as in some containers
 * @snp_uninitialized: the PSP driver has not initialised SNP
 * @psp_dead: the PSP does not answer any more
 * @no_smt: the host has SMT off; else the firmware wants it in a policy
 * @sw_protected: KVM has CONFIG_KVM_SW_PROTECTED_VM
 * @no_gmem: KVM was built without guest_memfds and attributes, and so without
 *	types of VMs that need them
 * @la57: page tables have five levels: processes have 56 bits of addresses
 * @without: capabilities that this KVM does not have; 0 ends them
 * @asids: how many SNP guests fit
 * @progress: pages in one LAUNCH_UPDATE or RMI_POPULATE at most; 0: no limit
 * @arm: an arm64 host, of which the other members say little
 * @ipa_bits: that the RMM can have at most; 0: as many as KVM
 * @memory: NULL: the process's own
 * @files: NULL: numbers that no file of the process has
 * @kernel: hybrid mode; NULL: everything is simulated
 * @lint: strict mode: called for what is dangerous or ambiguous on a real host;
 *	NULL without @strict: nothing; NULL with @strict: abort()
 * @lint_context: for @lint
 * @cpuid: registers where KVM tells of something else than the CPU has
 * @nr_cpuid: of them
 */
struct sim_config {
	enum sim_profile profile;
	bool no_snp;
	bool no_dev_sev;
	bool snp_uninitialized;
	bool psp_dead;
	bool no_smt;
	bool sw_protected;
	bool no_gmem;
	bool la57;
	uint32_t without[SIM_WITHOUT + 1];
	unsigned int asids;
	unsigned int progress;
	enum sim_arm arm;
	unsigned int ipa_bits;
	const struct sim_memory *memory;
	const struct sim_files *files;
	const struct sim_kernel *kernel;
	bool strict;
	void (*lint)(void *context, const char *message);
	void *lint_context;
	struct sim_cpuid_value cpuid[SIM_CPUID_VALUES];
	unsigned int nr_cpuid;
};

struct sim;

struct sim *sim_create(const struct sim_config *config);
void sim_destroy(struct sim *sim);

/* The system calls; all return a negative errno on failure. */
int sim_open(struct sim *sim, const char *path, int flags);
int sim_close(struct sim *sim, int fd);
/** sim_dup() - @number is @fd, too; it is not a file of the simulator yet */
int sim_dup(struct sim *sim, int fd, int number);
int sim_ioctl(struct sim *sim, int fd, unsigned long request, void *arg);
int sim_punch(struct sim *sim, int fd, uint64_t offset, uint64_t length);
/** sim_allocate() - fallocate() of a guest_memfd without a flag */
int sim_allocate(struct sim *sim, int fd, uint64_t offset, uint64_t length);

/** sim_map() - the kvm_run of a vCPU; nothing else can be mapped */
int sim_map(struct sim *sim, int fd, size_t length, void **out);

/**
 * sim_use() - put a simulator behind gmemctl's table of calls (base/calls.h)
 * @sim: or NULL, for the running kernel
 */
void sim_use(struct sim *sim);

/**
 * sim_trace() - write down every call from now on, as JSON, one in a line
 * @to: or NULL. It is the caller's; the simulator writes and flushes.
 */
void sim_trace(struct sim *sim, FILE *to);

/** sim_differences() - answers of the real KVM that were not the simulator's */
unsigned int sim_differences(const struct sim *sim);

/** sim_is_run() - whether an address is one that sim_map() has given */
bool sim_is_run(struct sim *sim, const void *address);

/** sim_is_fd() - whether a number is an open file of the simulator */
bool sim_is_fd(const struct sim *sim, int fd);

/** sim_open_files() - how many files are open: none, if nothing was leaked */
unsigned int sim_open_files(const struct sim *sim);

/** sim_vm_digest() - the launch digest as the firmware has it, or NULL */
const uint8_t *sim_vm_digest(struct sim *sim, int vm);

/** sim_vm_pages() - how many pages were measured, VMSAs included */
uint64_t sim_vm_pages(struct sim *sim, int vm);

/** sim_vm_host_data() - what LAUNCH_FINISH was given, or NULL before it */
const uint8_t *sim_vm_host_data(struct sim *sim, int vm);

/** sim_realm_pages() - how many the RMM has taken, measured or not */
uint64_t sim_realm_pages(struct sim *sim, int vm, bool measured);

/** sim_realm_is_active() - whether the RMM has activated it */
bool sim_realm_is_active(struct sim *sim, int vm);

/** sim_vm_is_private() - KVM's attribute of a page */
bool sim_vm_is_private(struct sim *sim, int vm, uint64_t gpa);

/**
 * sim_touch() - the guest uses a private page, which becomes its own in the RMP
 *
 * Return: 0, or -EFAULT where KVM would exit for a memory fault.
 */
int sim_touch(struct sim *sim, int vm, uint64_t gpa);

/** sim_is_guests() - whether the guest has the page in the RMP */
bool sim_is_guests(struct sim *sim, int vm, uint64_t gpa);

/*
 * What can be made to fail: commands of the firmware; a signal that is pending
 * when the kernel looks for one, for each page of LAUNCH_UPDATE and in KVM_RUN;
 * a LAUNCH_UPDATE that is EAGAIN, which is documented but not done. Calls of the
 * RMM: to create a realm, to take a page, to create a REC, to set the state of
 * memory, to activate the realm.
 */
enum sim_event {
	SIM_GCTX_CREATE,
	SIM_START,
	SIM_ACTIVATE,
	SIM_UPDATE,
	SIM_FINISH,
	SIM_SIGNAL,
	SIM_AGAIN,
	SIM_RMI_CREATE,
	SIM_RMI_POPULATE,
	SIM_RMI_REC,
	SIM_RMI_RIPAS,
	SIM_RMI_ACTIVATE,
	SIM_EVENTS,
};

/**
 * sim_fail() - the @nth time from now (1 is the next) it fails, once
 * @error: the firmware's, for its commands; for SIM_RMI_POPULATE what KVM takes
 *	for a number of pages, as version 14 does, 0: it is an error
 *
 * Return: 0, or -ENOSPC if too many have been asked for.
 */
int sim_fail(struct sim *sim, enum sim_event event, unsigned int nth, uint32_t error);

/** sim_kill_psp() - the PSP does not answer any more */
void sim_kill_psp(struct sim *sim);

/**
 * struct sim_exit - what one KVM_RUN does
 * @reason: KVM_EXIT_HYPERCALL, _MEMORY_FAULT, _SYSTEM_EVENT, _SNP_REQ_CERTS,
 *	_SHUTDOWN, _AP_RESET_HOLD, _MMIO
 * @gpa, @pages, @private: of MAP_GPA_RANGE, a memory fault, or certificates; of
 *	MMIO the address, bytes, and whether it is a write
 * @data: of a system event: the GHCB MSR, or on arm64 the type
 */
struct sim_exit {
	uint32_t reason;
	uint64_t gpa;
	uint64_t pages;
	bool private;
	uint64_t data;
};

/** sim_plan() - like sim_script(), for the vCPUs with this id still to come */
int sim_plan(struct sim *sim, uint32_t id, const struct sim_exit *exit);

/** sim_script() - add an exit to those that a vCPU is going to make */
int sim_script(struct sim *sim, int vcpu, const struct sim_exit *script);

#endif /* GMEMCTL_SIM_SIM_H */
