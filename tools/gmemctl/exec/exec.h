/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the library of `gmemctl exec` have of each other.
 *
 * DOC: Locks
 *
 * The list of all VMs has a lock, which keeps VMs from going; under it comes the lock
 * of a VM, for its slots: whoever changes them has it for writing, and who uses a
 * mapping of a view, or converts, for reading. No lock is taken for an exit that the
 * library has nothing to do with.
 *
 * A VMM that closes a descriptor while another thread uses it has worse problems than
 * what is not there any more here.
 */
#ifndef GMEMCTL_EXEC_EXEC_H
#define GMEMCTL_EXEC_EXEC_H

/* Not <unistd.h> and <sys/ioctl.h>: preload.c defines what they may have inline. */
#include <linux/ioctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "../kvm/abi.h"
#include "../memory/range.h"

struct iocb;
struct io_uring;

/* memory.c: what this process has mapped, and the gmem fds among that */

/**
 * struct exec_file_id - a file; inode 0: none
 * @inode: its number
 * @device: of its file system, as st_dev has it
 */
struct exec_file_id {
	uint64_t inode;
	uint64_t device;
};

static inline bool exec_file_id_equal(struct exec_file_id a, struct exec_file_id b)
{
	return a.inode && a.inode == b.inode && a.device == b.device;
}

/**
 * struct exec_place - a mapping
 * @start: its first byte
 * @end: the byte after its last
 * @offset: of @start in @file
 * @file: see there
 * @protection: PROT_*
 * @shared: it is of MAP_SHARED
 */
struct exec_place {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	struct exec_file_id file;
	int protection;
	bool shared;
};

/**
 * exec_place_find() - the mapping that has @address
 *
 * For signal handlers, too. Return: 0; -ENOENT; another negative errno.
 */
int exec_place_find(uint64_t address, struct exec_place *place);

/* PROCMAP_QUERY of Linux 6.11, which the headers of Debian 12 do not have. */

/**
 * struct exec_procmap - struct procmap_query of the kernel
 * @size: its size in bytes
 * @query_flags: 0: the mapping that has the address
 * @query_addr: the address
 * @vma_start: out: as are all that follow, but for the room for names
 */
struct exec_procmap {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

_Static_assert(sizeof(struct exec_procmap) == 104, "kernel ABI");

#define EXEC_PROCMAP_QUERY	_IOWR('f', 17, struct exec_procmap)
#define EXEC_PROCMAP_READABLE	0x1
#define EXEC_PROCMAP_WRITABLE	0x2
#define EXEC_PROCMAP_EXECUTABLE	0x4
#define EXEC_PROCMAP_SHARED	0x8

/** EXEC_MEMORIES_MAX: gmem fds that are in use at a time */
#define EXEC_MEMORIES_MAX 64

/**
 * struct exec_memory - one of them
 * @file: see there; inode 0: this place is free. A signal handler reads it
 * @fd: a descriptor of our own, whatever the VMM does with its
 * @view_fd: the view of all of it
 * @size: bytes
 * @users: slots that have it
 */
struct exec_memory {
	struct exec_file_id file;
	int fd;
	int view_fd;
	uint64_t size;
	unsigned int users;
};

/**
 * exec_memory_get() - the memory of a file
 *
 * The first time it takes a descriptor that the VMM has open, and makes a view.
 *
 * Return: the memory, to be put; NULL if the file is no gmem fd, or has no view,
 * and then it was said why.
 */
struct exec_memory *exec_memory_get(struct exec_file_id file);
void exec_memory_put(struct exec_memory *memory);

/** exec_memory_private() - whether any of it is private */
bool exec_memory_private(const struct exec_memory *memory);

/** exec_memory_find() - the same if it is in use already; for signal handlers */
struct exec_memory *exec_memory_find(struct exec_file_id file);

/* vm.c: the VMs and vCPUs of the VMM, found by their descriptors */

/** EXEC_FDS: descriptors below this number can be a VM's or a vCPU's */
#define EXEC_FDS 65536

/**
 * struct exec_slot - a slot whose memory is a mapping of a view
 * @id: KVM's number of it, the address space in the upper half
 * @flags: KVM_MEM_*
 * @gpa: guest physical address
 * @size: bytes
 * @address: what the VMM has said, its own mapping
 * @view: what KVM was told
 * @memory: what both are mappings of
 * @offset: where in it
 * @fresh: what is populated is not in @view yet
 */
struct exec_slot {
	uint32_t id;
	uint32_t flags;
	uint64_t gpa;
	uint64_t size;
	uint64_t address;
	void *view;
	struct exec_memory *memory;
	uint64_t offset;
	bool fresh;
};

/**
 * struct exec_vm - a VM
 * @fd: its descriptor, -1: the VMM has closed it
 * @users: @fd, vCPUs, and requests on the control socket
 * @asked: hypercalls that the VMM itself wants to see, a bit each
 * @answers: conversions are answered here
 * @lock: of the slots
 * @slots: @nr_slots of them, in no order
 * @nr_slots: changed atomically
 * @room: for how many there is room
 * @fresh: a slot is; changed atomically
 * @private: something was converted to private; changed atomically
 * @vcpus: first of a list
 * @next: of the list of all VMs
 */
struct exec_vm {
	int fd;
	unsigned int users;
	uint64_t asked;
	bool answers;
	pthread_rwlock_t lock;
	struct exec_slot *slots;
	unsigned int nr_slots;
	unsigned int room;
	bool fresh;
	bool private;
	struct exec_vcpu *vcpus;
	struct exec_vm *next;
};

/**
 * struct exec_vcpu - a vCPU
 * @fd: its descriptor
 * @id: its number
 * @vm: its VM
 * @run: what it shares with KVM, the first page
 * @thread: the one that runs it
 * @inside: it is in KVM_RUN; changed atomically, as is @runs
 * @runs: times that KVM_RUN was entered
 * @kicked: the watch has sent it a signal; changed atomically
 * @seen: for the watch: @runs when it looked last
 * @ticks: for the watch: how often that was the same
 * @stuck: times in a row that it was found so
 * @stuck_count: page faults at that time
 * @stuck_gpa: where the last one was
 * @next: of the VM's
 */
struct exec_vcpu {
	int fd;
	uint32_t id;
	struct exec_vm *vm;
	struct kvm_run *run;
	pid_t thread;
	bool inside;
	uint64_t runs;
	bool kicked;
	uint64_t seen;
	unsigned int ticks;
	unsigned int stuck;
	uint64_t stuck_count;
	uint64_t stuck_gpa;
	struct exec_vcpu *next;
};

/** exec_vm_create() - KVM has created a VM of the default type */
void exec_vm_create(int fd);

/** exec_vcpu_create() - KVM has created a vCPU */
void exec_vcpu_create(struct exec_vm *vm, int fd, uint32_t id);

/** exec_closing() - a descriptor is about to be closed */
void exec_closing(int fd);

/** exec_vm_of(), exec_vcpu_of() - what a descriptor is, or NULL */
struct exec_vm *exec_vm_of(int fd);
struct exec_vcpu *exec_vcpu_of(int fd);

/** exec_vms_lock() - keep VMs and vCPUs from going. Return: the newest VM. */
struct exec_vm *exec_vms_lock(void);
void exec_vms_unlock(void);

/** exec_vm_put() - the end of a use of a VM, counted in @users with the lock of all */
void exec_vm_put(struct exec_vm *vm);

static inline bool exec_vm_has_views(const struct exec_vm *vm)
{
	return __atomic_load_n(&vm->nr_slots, __ATOMIC_RELAXED);
}

/**
 * exec_cpuid_set() - KVM_SET_CPUID2, and the guest finds KVM_FEATURE_HC_MAP_GPA_RANGE
 *
 * Where the VMM offers it KVM's leaves at all, and conversions are answered. The bit
 * is a VMM's to set, for it is a VMM that answers; here that is the library.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_cpuid_set(const struct exec_vcpu *vcpu, const void *arg);

/* slot.c: what the VMM says, and what KVM is told */

/**
 * exec_slot_set() - KVM_SET_USER_MEMORY_REGION, or the second one
 * @arg: as the VMM gives it; stays as it is
 *
 * A slot whose memory is the VMM's mapping of a gmem fd gets a mapping of the view
 * instead. All others are passed on.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_slot_set(struct exec_vm *vm, unsigned long request, const void *arg);

/** exec_slots_drop() - the VM goes */
void exec_slots_drop(struct exec_vm *vm);

/** exec_slots_fill() - have in the views what is populated, before a vCPU runs */
void exec_slots_fill(struct exec_vm *vm);

/**
 * exec_slot_find() - the slot of an address space that has @gpa, or NULL
 *
 * The caller has the lock of the VM.
 */
const struct exec_slot *exec_slot_find(const struct exec_vm *vm, unsigned int space, uint64_t gpa);

/** exec_slot_space() - the address space of a slot: 1 is that of SMM */
static inline unsigned int exec_slot_space(const struct exec_slot *slot)
{
	return slot->id >> 16;
}

/** exec_slot_private() - whether the page is; false for what cannot be asked */
bool exec_slot_private(const struct exec_slot *slot, uint64_t gpa);

/* hole.c */

#define EXEC_HOLES_MAX 1024

/** exec_holes_prepare() - before the first one. Return: 0 or a negative errno. */
int exec_holes_prepare(void);

/**
 * exec_hole_make() - answer an access that has raised SIGBUS
 *
 * In the signal handler, with all signals blocked.
 *
 * Return: whether to try the access again.
 */
bool exec_hole_make(uint64_t address);

/** exec_holes_fill() - have the mapping as before in a part of a memory */
void exec_holes_fill(const struct exec_memory *memory, uint64_t offset, uint64_t length);

/**
 * exec_holes_keep() - the same, and what the VMM has written there is in the memory
 *
 * For a reset: the VMM copies what the machine starts with before it says so, and what
 * was private then is shared and zero now.
 */
void exec_holes_keep(const struct exec_memory *memory, uint64_t offset, uint64_t length);

/** exec_hole_is() - whether a mapping is one */
bool exec_hole_is(const struct exec_place *place);

/* convert.c: conversions, for the guest and for the control socket */

/**
 * exec_convert() - convert a range of guest physical addresses
 * @why: out: what is wrong, in words
 *
 * All of the range or nothing of it, unless it lies in several gmem fds. Waits for
 * pages that somebody holds as long as the settings say, whatever signals come.
 *
 * Return: 0; -EINVAL if it is not all in views; what GMEM_IOCTL_CONVERT returns.
 */
int exec_convert(struct exec_vm *vm, struct range what, bool to_private,
		 char *why, size_t why_size);

/** exec_decommit() - give the memory of a range back. Return: 0; -EINVAL, ... */
int exec_decommit(struct exec_vm *vm, struct range what);

/** exec_convert_rate() - conversions per second, lately */
double exec_convert_rate(uint64_t start_ns);

/** exec_reset() - the VM is reset: all of it is shared, and what was private zero */
void exec_reset(struct exec_vm *vm);

/* fault.c: vCPUs that cannot go on, because of a view or of private memory */

/** exec_fault_watch() - have this thread watched, before it first runs a vCPU */
void exec_fault_watch(const struct exec_vcpu *vcpu);

/**
 * exec_fault_answer() - put what was missing into the view
 *
 * Return: 0: run it again; -EFAULT: it is none of ours, or there is no progress,
 * and that was said.
 */
int exec_fault_answer(const struct exec_vcpu *vcpu);

/**
 * exec_diagnose() - say why the VM ends
 * @what: the first half of the sentence
 * @gpa: the address it is about
 */
void exec_diagnose(const struct exec_vcpu *vcpu, const char *what, uint64_t gpa);

/**
 * exec_diagnose_internal() - the same for KVM_EXIT_INTERNAL_ERROR
 *
 * Nothing is said about what has nothing to do with private memory.
 */
void exec_diagnose_internal(const struct exec_vcpu *vcpu);

/** exec_watch_start() - look after all VMs from now on */
void exec_watch_start(void);

/**
 * exec_watch_stuck() - after an EINTR: whether the vCPU does not get on
 *
 * Return: whether that was said, and the VM is to end.
 */
bool exec_watch_stuck(struct exec_vcpu *vcpu);

/* run.c */

/**
 * exec_run() - KVM_RUN, until there is something for the VMM
 *
 * Missing pages of views and conversions are answered. What ends the VM is -EFAULT,
 * after a message.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_run(struct exec_vcpu *vcpu, void *arg);

/* save.c */

/** exec_save_slots() - so many slots more, or fewer, have their dirty pages logged */
void exec_save_slots(int more);

/** exec_save_log() - this thread has asked KVM for its log, or has had it begun */
void exec_save_log(void);

/** exec_save_zeros() - the VMM was given zeros; for a signal handler */
void exec_save_zeros(void);

/** exec_saves() - whether this thread migrates; for a signal handler, too */
bool exec_saves(void);

/** exec_save_stands() - whether the guest stands still for a snapshot */
bool exec_save_stands(void);

/**
 * exec_save_refuses() - whether the VMM may not write that
 * @parts: @count of them, in order
 */
bool exec_save_refuses(const struct iovec *parts, size_t count);

/* signals.c */

/**
 * struct exec_spin - a lock that a signal handler can take, zero at the start
 * @taken: see there
 *
 * Whoever has it gets no signals, and touches no guest memory.
 */
struct exec_spin {
	bool taken;
};

void exec_spin_lock(struct exec_spin *spin, sigset_t *before);
void exec_spin_unlock(struct exec_spin *spin, const sigset_t *before);

/** exec_signals_take() - have them from now on */
void exec_signals_take(void);

/** exec_signals_kick() - the signal for vCPUs, or 0: there is none */
int exec_signals_kick(void);

/**
 * exec_signals_action() - the VMM's sigaction() of SIGBUS, which is remembered
 *
 * Return: whether that was all there is to do.
 */
bool exec_signals_action(int number, const struct sigaction *action, struct sigaction *old);

/**
 * exec_signals_mask() - what the VMM may block
 * @how: of sigprocmask(); nothing changes for SIG_UNBLOCK
 * @set: what it wants to, may be NULL
 * @allowed: room for another set
 *
 * Return: @set or @allowed.
 */
const sigset_t *exec_signals_mask(int how, const sigset_t *set, sigset_t *allowed);

/* memfd.c */

/** exec_memfd_wanted() - whether memfd_create() with that name is for RAM */
bool exec_memfd_wanted(const char *name);

/** exec_memfd_refused() - such a one that gmem has not, of which it is told */
bool exec_memfd_refused(unsigned int flags);

/** exec_memfd_made() - @fd is one, with the flags of memfd_create() */
void exec_memfd_made(int fd, unsigned int flags);

/**
 * exec_memfd_resize() - ftruncate()
 *
 * Return: whether @fd is a gmem fd now, and all is done; else it is for the kernel.
 */
bool exec_memfd_resize(int fd, uint64_t size);

/**
 * exec_memfd_seals() - fcntl()
 * @rc: the answer, or a negative errno
 *
 * Return: whether it was a request for seals of what was made here.
 */
bool exec_memfd_seals(int fd, int request, unsigned int seals, int *rc);

/** exec_memfd_closing() - the number is for something else from now on */
void exec_memfd_closing(int fd);

/* control.c */

/** exec_control_start() - serve it, if there is a name for it, and no server yet */
void exec_control_start(void);

/** exec_control_stop() - the process ends */
void exec_control_stop(void);

/** exec_remotes_drop() - share memory with none of them any more */
void exec_remotes_drop(void);

/* preload.c: the functions that the library stands in for, of the library behind it */

struct exec_next {
	int (*ioctl)(int fd, unsigned long request, ...);
	int (*close)(int fd);
	int (*sigaction)(int number, const struct sigaction *action, struct sigaction *old);
	void (*(*signal)(int number, void (*handler)(int)))(int);
	int (*sigprocmask)(int how, const sigset_t *set, sigset_t *old);
	int (*pthread_sigmask)(int how, const sigset_t *set, sigset_t *old);
	int (*memfd_create)(const char *name, unsigned int flags);
	int (*ftruncate)(int fd, int64_t length);
	int (*fcntl)(int fd, int request, ...);
	ssize_t (*writev)(int fd, const struct iovec *parts, int count);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
	ssize_t (*pwrite)(int fd, const void *data, size_t size, int64_t offset);
	ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, int64_t offset);
	int (*io_submit)(void *context, long count, struct iocb **requests);
	int (*io_uring_submit)(struct io_uring *ring);
	int (*io_uring_submit_and_wait)(struct io_uring *ring, unsigned int count);
};

/** exec_next() - the functions; the table of calls uses them from then on */
const struct exec_next *exec_next(void);

#endif /* GMEMCTL_EXEC_EXEC_H */
