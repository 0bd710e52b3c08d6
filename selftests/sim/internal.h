/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_SIM_INTERNAL_H
#define GMEMCTL_SIM_INTERNAL_H

#include "realm/abi.h"
#include "snp/abi.h"
#include "sim.h"

#define SIM_PAGE 4096
#define SIM_FDS 256
#define SIM_FD_BASE 0x100000
#define SIM_SLOTS 128
#define SIM_VCPUS 64
#define SIM_EXITS 32
#define SIM_RUN_SIZE (3 * SIM_PAGE)
#define SIM_DIGEST 48
#define SIM_FAULTS 16
/* Size of the FXSAVE area, in which KVM keeps the FPU */
#define SIM_FX_SIZE 512
/* The largest number of CPUID entries that KVM accepts */
#define SIM_CPUID 256
/* Number of MSRs in a VMSA */
#define SIM_MSRS 11

struct json_object;
struct sim_vm;

/**
 * struct sim_fd - an open file
 * @kind: its kind
 * @number: its number for the caller
 * @serial: 0 for the first file of its kind, and so on; a duplicate has the same number
 * @object: the VM, vCPU or guest_memfd. A VM exists as long as a file that belongs to it.
 * @writable: it was opened for writing
 */
struct sim_fd {
	enum sim_kind kind;
	int number;
	unsigned int serial;
	void *object;
	bool writable;
};

/**
 * struct sim_ranges - a set of pages
 */
struct sim_ranges {
	struct sim_range {
		uint64_t start, end;
	} *ranges;
	unsigned int count;
};

/**
 * struct sim_gmem - a guest_memfd
 * @refs: number of open files
 * @assigned: pages that the RMP assigns to this guest
 */
struct sim_gmem {
	unsigned int refs;
	struct sim_vm *vm;
	uint64_t size;
	uint64_t flags;
	struct sim_ranges assigned;
};

/**
 * struct sim_slot - a memslot
 * @size: 0: the slot does not exist
 * @gmem: its guest_memfd, or NULL
 */
struct sim_slot {
	uint32_t id;
	uint32_t flags;
	uint64_t gpa;
	uint64_t size;
	uint64_t uaddr;
	struct sim_gmem *gmem;
	uint64_t offset;
	bool bound;
};

/**
 * struct sim_arm_vcpu - state of a vCPU of arm64, in place of x86's registers
 * @rec: the RMM has created its REC
 */
struct sim_arm_vcpu {
	bool initialized;
	uint32_t features;
	uint64_t x[REALM_REG_X_COUNT];
	uint64_t pc;
	bool rec;
};

struct sim_vcpu {
	struct sim_vm *vm;
	uint32_t id;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint8_t fx[SIM_FX_SIZE];
	uint64_t xcr0;
	uint64_t msrs[SIM_MSRS];
	struct kvm_cpuid_entry2 cpuid[SIM_CPUID];
	uint32_t nr_cpuid;
	uint32_t mp_state;
	bool debugged;
	bool breakpoints;
	bool protected;
	struct kvm_run *run;
	struct sim_exit exits[SIM_EXITS];
	unsigned int nr_exits;
	unsigned int next_exit;
	bool awaits_certs;
	bool awaits_map_gpa;
	struct sim_arm_vcpu arm;
};

enum sim_guest_state {
	SIM_GUEST_NONE,
	SIM_GUEST_LAUNCHING,
	SIM_GUEST_RUNNING,
};

/**
 * struct sim_guest - the state of a guest in the firmware
 */
struct sim_guest {
	enum sim_guest_state state;
	uint64_t policy;
	uint8_t digest[SIM_DIGEST];
	uint64_t pages;
	uint8_t host_data[32];
};

enum sim_realm_state {
	SIM_REALM_NONE,
	SIM_REALM_NEW,
	SIM_REALM_ACTIVE,
	SIM_REALM_DEAD,
};

/**
 * struct sim_arm_vm - state of a VM of arm64, in addition to struct sim_vm
 * @is_realm: the VM is a realm
 * @given_up: KVM has given the VM up: every call returns EIO
 * @gic: the VM has a GICv3
 * @gic_dist, @gic_redist: its addresses are set
 * @gic_ready: it is initialised
 * @measured, @unmeasured: number of populated pages
 */
struct sim_arm_vm {
	bool is_realm;
	unsigned int ipa_bits;
	enum sim_realm_state state;
	bool given_up;
	bool gic, gic_dist, gic_redist, gic_ready;
	uint64_t measured;
	uint64_t unmeasured;
};

/**
 * struct sim_vm - the state of a VM in KVM
 * @refs: number of open files of the VM, its vCPUs and its guest_memfds
 * @need_init: its type needs KVM_SEV_INIT2, which was not called yet
 * @is_snp: KVM_SEV_INIT2 has succeeded
 * @has_context: LAUNCH_START has succeeded
 * @sev_fd: number of /dev/sev in LAUNCH_START. LAUNCH_FINISH goes to the file that has this number
 *	then.
 * @private: page frames with the attribute PRIVATE
 */
struct sim_vm {
	unsigned int refs;
	unsigned long type;
	bool need_init;
	bool is_snp;
	bool has_context;
	bool finished;
	bool certs;
	uint64_t features;
	int sev_fd;
	struct sim_guest guest;
	struct sim_slot slots[SIM_SLOTS];
	struct sim_vcpu *vcpus[SIM_VCPUS];
	unsigned int nr_vcpus;
	struct sim_ranges private;
	struct sim_arm_vm arm;
};

/**
 * struct sim - a simulated host
 * @pending: in hybrid mode, the result of the kernel for the current call
 * @record: record of the current call in the trace
 */
struct sim {
	struct sim_config config;
	struct sim_memory memory;
	struct sim_files files;
	int pending;
	unsigned int differences;
	struct json_object *record;
	struct sim_fd fds[SIM_FDS];
	unsigned int serials[SIM_KINDS];
	unsigned int asids_used;
	bool psp_dead;
	struct {
		enum sim_event event;
		unsigned int countdown;
		uint32_t error;
	} faults[SIM_FAULTS];
	uint64_t reported_tcb;
	struct {
		uint32_t vcpu;
		struct sim_exit exit;
	} plan[SIM_EXITS];
	unsigned int nr_plan;
	FILE *trace;
};

/* Whether the type of a VM has private memory */
static inline bool sim_has_private(const struct sim_vm *vm)
{
	return vm->type == KVM_X86_SW_PROTECTED_VM ||
	       vm->type == KVM_X86_SNP_VM || vm->arm.is_realm;
}

/* An arm64 host has the error numbers of 7.3. */
static inline bool sim_is_7_3(const struct sim *sim)
{
	return sim->config.profile == SIM_LINUX_7_3 || sim->config.arm;
}

/* Guest features that can be set besides SNP: debug swap, secure TSC */
static inline uint64_t sim_features(const struct sim *sim)
{
	return 1 << 5 | (sim_is_7_3(sim) ? 1 << 9 : 0);
}

/* The index of the page in a slot's guest_memfd for a guest address */
static inline uint64_t sim_slot_page(const struct sim_slot *slot, uint64_t gpa)
{
	return (slot->offset + gpa - slot->gpa) / SIM_PAGE;
}

/* sim.c */
struct sim_fd *sim_fd(const struct sim *sim, int fd);
struct sim_vm *sim_find_vm(struct sim *sim, int fd);
int sim_fd_install(struct sim *sim, enum sim_kind kind, void *object, bool writable);
int sim_in(struct sim *sim, void *to, uint64_t from, size_t size);
int sim_out(struct sim *sim, uint64_t to, const void *from, size_t size);
void sim_lint(struct sim *sim, bool wrong, const char *message);
bool sim_fails(struct sim *sim, enum sim_event event, uint32_t *error);
int sim_dispatch(struct sim *sim, const struct sim_fd *found,
		 unsigned long request, uint64_t value);

/* process.c */
extern const struct sim_memory sim_process_memory;
/** sim_process_is_interruptible() - whether some usual signal is not blocked */
bool sim_process_is_interruptible(void);
bool sim_process_has_file(int number);

/* hybrid.c */
int sim_hybrid_number(struct sim *sim, enum sim_kind kind, void **run);
int sim_hybrid_ioctl(struct sim *sim, const struct sim_fd *fd, unsigned long request, uint64_t arg);

/* trace.c */
void sim_trace_begin(struct sim *sim, int fd, unsigned long request, uint64_t arg);
void sim_trace_end(struct sim *sim, int fd, unsigned long request, uint64_t arg, int rc);
void sim_trace_differs(struct sim *sim, int rc);
void sim_trace_call(struct sim *sim, const char *name, int fd, int rc);
void sim_trace_warning(struct sim *sim, const char *message);

/* kvm.c */
int sim_kvm_ioctl(struct sim *sim, unsigned long request, uint64_t arg);
int sim_vm_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request, uint64_t arg);
void sim_vm_put(struct sim *sim, struct sim_vm *vm);
int sim_check_extension(struct sim *sim, uint64_t capability);
int sim_create_vcpu(struct sim *sim, struct sim_vm *vm, uint64_t id);

/* memory.c */
int sim_set_region(struct sim *sim, struct sim_vm *vm, unsigned long request, uint64_t arg);
struct sim_slot *sim_slot_find(struct sim_vm *vm, uint64_t gpa);
int sim_set_attributes(struct sim *sim, struct sim_vm *vm, uint64_t arg);
int sim_create_gmem(struct sim *sim, struct sim_vm *vm, uint64_t arg);
void sim_gmem_put(struct sim *sim, struct sim_gmem *gmem);
int sim_ranges_set(struct sim_ranges *set, uint64_t start, uint64_t end, bool on);
bool sim_ranges_have(const struct sim_ranges *set, uint64_t page);

/* vcpu.c */
struct sim_vcpu *sim_vcpu_new(struct sim_vm *vm, uint32_t id);
void sim_vcpu_free(struct sim *sim, struct sim_vcpu *vcpu);
int sim_vcpu_ioctl(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request, uint64_t arg);
void sim_vmsa(const struct sim_vcpu *vcpu, uint8_t page[SIM_PAGE]);

/* cpuid.c */
int sim_cpuid_supported(struct sim *sim, uint64_t arg);
int sim_cpuid_get(struct sim *sim, const struct sim_vcpu *vcpu, uint64_t arg);
int sim_cpuid_set(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg);
bool sim_cpuid_check(const struct sim *sim, uint8_t page[SIM_PAGE]);

/* run.c */
int sim_run(struct sim *sim, struct sim_vcpu *vcpu);
/** sim_run_next() - make the next exit of the script, or the exit at its end */
int sim_run_next(struct sim *sim, struct sim_vcpu *vcpu);

/* launch.c */
int sim_encrypt_op(struct sim *sim, struct sim_vm *vm, uint64_t arg);
/** sim_is_sev() - whether this number is currently an open /dev/sev */
bool sim_is_sev(const struct sim *sim, int fd);

/* firmware.c: return 0; -EIO with *error set; or -EBUSY if the PSP does not answer */
int sim_fw_command(struct sim *sim, enum sim_event number, uint32_t *error);
int sim_fw_start(struct sim *sim, struct sim_guest *guest, uint64_t policy, uint32_t *error);
int sim_fw_update(struct sim *sim, struct sim_guest *guest, uint8_t type,
		  uint64_t gpa, uint8_t page[SIM_PAGE], uint32_t *error);
int sim_fw_finish(struct sim *sim, struct sim_guest *guest, const uint8_t *id_block,
		  const uint8_t *id_auth, bool author_key, const uint8_t host_data[32],
		  uint32_t *error);
int sim_sev_ioctl(struct sim *sim, const struct sim_fd *fd, unsigned long request, uint64_t arg);

/* arm.c */
/** sim_arm_vm_type() - parse the type of KVM_CREATE_VM. Return: 0 or -EINVAL. */
int sim_arm_vm_type(const struct sim *sim, uint64_t type, struct sim_arm_vm *arm);
int sim_arm_check_extension(const struct sim *sim, const struct sim_vm *vm, uint64_t capability);
int sim_arm_vm_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request, uint64_t arg);
int sim_arm_gic_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request, uint64_t arg);
int sim_arm_vcpu_ioctl(struct sim *sim, struct sim_vcpu *vcpu, unsigned long request, uint64_t arg);

#endif /* GMEMCTL_SIM_INTERNAL_H */
