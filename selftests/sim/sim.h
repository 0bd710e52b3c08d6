/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulator of a host with SEV-SNP: /dev/kvm, a VM of type SNP, its vCPUs and guest_memfds,
 * /dev/sev and the firmware. Or of an arm64 host with realms, and its RMM. It runs in the process.
 * It makes only the system calls of process.c, which access the caller's memory, and check the
 * caller's signals and files.
 *
 * It does not use the code of snp/ that predicts the digest. It computes its own launch digest from
 * the data of the ioctls.
 */
#ifndef GMEMCTL_SIM_SIM_H
#define GMEMCTL_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The kernel whose error numbers it returns */
enum sim_profile {
	SIM_LINUX_6_12,
	SIM_LINUX_7_3,
	SIM_PROFILES,
};

/*
 * NOT: an x86 host. PLAIN: an arm64 host without realms. CCA_V14: with realms. OTHER: with another
 * capability of the same number.
 */
enum sim_arm {
	SIM_ARM_NOT,
	SIM_ARM_PLAIN,
	SIM_ARM_CCA_V14,
	SIM_ARM_OTHER,
};

/**
 * struct sim_memory - access to the caller's memory
 * @in: read from the caller's memory
 * @out: write to the caller's memory
 * @context: passed to both
 *
 * Both return 0 or -EFAULT.
 */
struct sim_memory {
	int (*in)(void *context, void *to, uint64_t from, size_t size);
	int (*out)(void *context, uint64_t to, const void *from, size_t size);
	void *context;
};

/* Kinds of files; a trace has their names */
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
 * struct sim_files - allocation of file numbers
 * @open: returns the number of a new file, or a negative errno; for a vCPU it also sets @run to
 *	the memory of its kvm_run
 * @forget: called when this memory is not used any more
 * @context: passed to both
 */
struct sim_files {
	int (*open)(void *context, enum sim_kind kind, void **run);
	void (*forget)(void *context, void *run);
	void *context;
};

/**
 * struct sim_kernel - a real KVM, for calls that are not about SNP; see hybrid.c
 * @open: opens /dev/kvm
 * @ioctl: calls KVM
 * @map: maps the kvm_run of a vCPU; sim_files.forget() unmaps it
 * @context: passed to all of them
 * @all_types: VMs of other types are simulated, too, and compared; otherwise only the kernel
 *	handles them
 */
struct sim_kernel {
	int (*open)(void *context);
	int (*ioctl)(void *context, int fd, unsigned long request, uint64_t arg);
	int (*map)(void *context, int fd, void **run);
	void *context;
	bool all_types;
};

/* The largest number of CPUID registers for which KVM reports another value */
#define SIM_CPUID_VALUES 16

/**
 * struct sim_cpuid_value - a register for which KVM_GET_SUPPORTED_CPUID reports another value
 * @leaf, @index: EAX and ECX of the instruction
 * @reg: 0 to 3: EAX, EBX, ECX, EDX
 * @value: the reported value. The firmware uses the value of the CPU: it refuses a CPUID page with
 *	bits that the CPU does not have, and clears them.
 */
struct sim_cpuid_value {
	uint32_t leaf, index;
	unsigned int reg;
	uint32_t value;
};

/* The largest number of capabilities that can be removed */
#define SIM_WITHOUT 8

/**
 * struct sim_config - the configuration of the host
 * @profile: the kernel
 * @no_snp: an ordinary host without SEV
 * @no_dev_sev: KVM has SNP, but there is no /dev/sev, as in some containers
 * @snp_uninitialized: the PSP driver has not initialised SNP
 * @psp_dead: the PSP does not answer
 * @no_smt: SMT is off; otherwise the firmware requires that a policy allows it
 * @sw_protected: KVM has CONFIG_KVM_SW_PROTECTED_VM
 * @no_gmem: KVM was built without guest_memfds and attributes, and so without the
 *	types of VMs that need them
 * @la57: page tables have five levels, so addresses of processes have 56 bits
 * @without: capabilities that this KVM does not have; 0 ends the list
 * @asids: maximum number of SNP guests
 * @progress: maximum number of pages that LAUNCH_UPDATE or RMI_POPULATE processes; 0: no limit
 * @arm: an arm64 host, for which most other members have no effect
 * @ipa_bits: maximum number of address bits of the RMM; 0: that of KVM
 * @memory: access to the caller's memory; NULL: to that of the process
 * @files: allocation of file numbers; NULL: numbers that no file of the process has
 * @kernel: hybrid mode; NULL: everything is simulated
 * @strict: strict mode
 * @lint: called for calls that are dangerous or ambiguous on a real host; NULL: nothing is called,
 *	and in strict mode the process is aborted
 * @lint_context: passed to @lint
 * @cpuid: registers for which KVM reports another value than the CPU
 * @nr_cpuid: number of these registers
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
/** sim_dup() - make @number a duplicate of @fd; it is not a file of the simulator before */
int sim_dup(struct sim *sim, int fd, int number);
int sim_ioctl(struct sim *sim, int fd, unsigned long request, void *arg);
int sim_punch(struct sim *sim, int fd, uint64_t offset, uint64_t length);
/** sim_allocate() - fallocate() of a guest_memfd without a flag */
int sim_allocate(struct sim *sim, int fd, uint64_t offset, uint64_t length);

/** sim_map() - map the kvm_run of a vCPU; other files cannot be mapped */
int sim_map(struct sim *sim, int fd, size_t length, void **out);

/**
 * sim_use() - let gmemctl's table of calls (base/calls.h) call a simulator
 * @sim: the simulator; NULL: the running kernel
 */
void sim_use(struct sim *sim);

/**
 * sim_trace() - write a trace: a JSON object on a line for each call
 * @to: the file, which the caller closes; NULL: no trace
 */
void sim_trace(struct sim *sim, FILE *to);

/** sim_differences() - number of answers of the real KVM that differ from the simulator's */
unsigned int sim_differences(const struct sim *sim);

/** sim_is_run() - whether an address was returned by sim_map() */
bool sim_is_run(struct sim *sim, const void *address);

/** sim_is_fd() - whether a number is an open file of the simulator */
bool sim_is_fd(const struct sim *sim, int fd);

/** sim_open_files() - number of open files, which is 0 at the end unless one was leaked */
unsigned int sim_open_files(const struct sim *sim);

/** sim_vm_digest() - the launch digest that the firmware has computed, or NULL */
const uint8_t *sim_vm_digest(struct sim *sim, int vm);

/** sim_vm_pages() - number of measured pages, VMSAs included */
uint64_t sim_vm_pages(struct sim *sim, int vm);

/** sim_vm_host_data() - host data of LAUNCH_FINISH; NULL before it */
const uint8_t *sim_vm_host_data(struct sim *sim, int vm);

/** sim_realm_pages() - number of populated pages of a realm, measured or unmeasured ones */
uint64_t sim_realm_pages(struct sim *sim, int vm, bool measured);

/** sim_realm_is_active() - whether the RMM has activated a realm */
bool sim_realm_is_active(struct sim *sim, int vm);

/** sim_vm_is_private() - whether a page has KVM's attribute PRIVATE */
bool sim_vm_is_private(struct sim *sim, int vm, uint64_t gpa);

/**
 * sim_touch() - let the guest access a private page, which assigns it to the guest in the RMP
 *
 * Return: 0, or -EFAULT where KVM would exit for a memory fault.
 */
int sim_touch(struct sim *sim, int vm, uint64_t gpa);

/** sim_is_guests() - whether a page is assigned to the guest in the RMP */
bool sim_is_guests(struct sim *sim, int vm, uint64_t gpa);

/*
 * Events that sim_fail() can cause. Commands of the firmware fail. SIGNAL: a signal is pending when
 * the kernel checks for one, for each page of LAUNCH_UPDATE and in KVM_RUN. AGAIN: LAUNCH_UPDATE
 * returns EAGAIN, which kernels document but do not do. Calls of the RMM fail: create a realm,
 * populate a page, create a REC, set the state of memory, and activate the realm.
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
 * sim_fail() - cause an event once
 * @nth: number of occasions until then; 1: the next one
 * @error: error of the firmware, for its commands. For SIM_RMI_POPULATE: the error code that KVM
 *	returns as a number of pages, as version 14 does; 0: KVM returns an error.
 *
 * Return: 0, or -ENOSPC if there are too many events.
 */
int sim_fail(struct sim *sim, enum sim_event event, unsigned int nth, uint32_t error);

/** sim_kill_psp() - let the PSP not answer any more */
void sim_kill_psp(struct sim *sim);

/**
 * struct sim_exit - the exit of a KVM_RUN
 * @reason: KVM_EXIT_HYPERCALL, _MEMORY_FAULT, _SYSTEM_EVENT, _SNP_REQ_CERTS,
 *	_SHUTDOWN, _AP_RESET_HOLD, _MMIO
 * @gpa, @pages, @private: range of MAP_GPA_RANGE, of a memory fault, or of certificates; for MMIO
 *	the address, the number of bytes, and whether it is a write
 * @data: for a system event: the GHCB MSR, or on arm64 the type
 */
struct sim_exit {
	uint32_t reason;
	uint64_t gpa;
	uint64_t pages;
	bool private;
	uint64_t data;
};

/** sim_plan() - add an exit for vCPUs with this ID that are created later, as sim_script() does */
int sim_plan(struct sim *sim, uint32_t id, const struct sim_exit *exit);

/** sim_script() - append an exit to the script of a vCPU */
int sim_script(struct sim *sim, int vcpu, const struct sim_exit *script);

#endif /* GMEMCTL_SIM_SIM_H */
