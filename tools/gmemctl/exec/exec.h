/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interfaces between the files of the library of `gmemctl exec`.
 *
 * DOC: Locks
 *
 * The list of all VMs has a lock. While it is held, no VM is freed. Inside it is the lock of a
 * VM, for its slots: held for writing to change them, and for reading to use a mapping of a
 * view, or to convert. No lock is taken for an exit that the library does not handle.
 *
 * A VMM must not close a descriptor that another of its threads uses. The library does not
 * protect its objects in that case.
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

/* memory.c: finds mappings of this process, and gmem fds behind them */

/**
 * struct exec_file_id - identifies a file; inode 0: none
 * @inode: number of its inode
 * @device: its file system, as in st_dev
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
 * @offset: offset of @start in @file
 * @file: the file
 * @protection: PROT_*
 * @shared: it was made with MAP_SHARED
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
 * exec_place_find() - find the mapping at @address
 *
 * Can be called by signal handlers. Return: 0; -ENOENT; another negative errno.
 */
int exec_place_find(uint64_t address, struct exec_place *place);

/* PROCMAP_QUERY of Linux 6.11, which the headers of Debian 12 do not have. */

/**
 * struct exec_procmap - struct procmap_query of the kernel
 * @size: its size in bytes
 * @query_flags: 0: the mapping that has the address
 * @query_addr: the address
 * @vma_start: out, as all following members, but for those of buffers for names
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

/** EXEC_MEMORIES_MAX: largest number of gmem fds in use at the same time */
#define EXEC_MEMORIES_MAX 64

/**
 * struct exec_memory - a gmem fd that is in use
 * @file: its file; inode 0: this entry is free. A signal handler reads it
 * @fd: the library's own descriptor, independent of the VMM's
 * @view_fd: a view of all of it
 * @size: bytes
 * @users: number of slots that use it
 */
struct exec_memory {
	struct exec_file_id file;
	int fd;
	int view_fd;
	uint64_t size;
	unsigned int users;
};

/**
 * exec_memory_get() - get the memory of a file
 *
 * At the first call it duplicates a descriptor of the VMM, and makes a view.
 *
 * Return: the memory, for exec_memory_put(); NULL if the file is not a gmem fd, or cannot have
 * a view. In the second case the reason was printed.
 */
struct exec_memory *exec_memory_get(struct exec_file_id file);
void exec_memory_put(struct exec_memory *memory);

/** exec_memory_private() - whether any page of it is private */
bool exec_memory_private(const struct exec_memory *memory);

/** exec_memory_find() - find a memory that is in use; for signal handlers */
struct exec_memory *exec_memory_find(struct exec_file_id file);

/* vm.c: finds the VMs and vCPUs of the VMM by their descriptors */

/** EXEC_FDS: VMs and vCPUs are found only if their descriptors are below this number */
#define EXEC_FDS 65536

/**
 * struct exec_slot - a slot whose memory is a mapping of a view
 * @id: KVM's number of the slot, with the address space in the upper half
 * @flags: KVM_MEM_*
 * @gpa: guest physical address
 * @size: bytes
 * @address: the address that the VMM has given: its own mapping
 * @view: the address that KVM was given
 * @memory: the memory behind both mappings
 * @offset: offset in @memory
 * @fresh: populated pages are not mapped in @view yet
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
 * @fd: its descriptor; -1: the VMM has closed it
 * @users: number of references: of @fd, vCPUs, and requests on the control socket
 * @asked: hypercalls that the VMM itself wants to handle, a bit each
 * @answers: the library handles conversions
 * @lock: lock of the slots
 * @slots: the slots, in no order
 * @nr_slots: number of @slots; changed atomically
 * @room: number of slots for which memory is allocated
 * @fresh: a slot is fresh; changed atomically
 * @private: pages were converted to private; changed atomically
 * @vcpus: first entry of the list of its vCPUs
 * @next: next entry of the list of all VMs
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
 * @run: the first page of the area that it shares with KVM
 * @thread: the thread that runs it
 * @inside: the thread is in KVM_RUN; changed atomically, as is @runs
 * @runs: number of calls of KVM_RUN
 * @kicked: the watch has sent the thread a signal; changed atomically
 * @seen: for the watch: @runs at the last check
 * @ticks: for the watch: number of checks at which @runs had not changed
 * @stuck: number of consecutive checks without progress
 * @stuck_count: number of page faults at the last such check
 * @stuck_gpa: address of the last page fault at that check
 * @next: next entry of the VM's list
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

/** exec_vm_of(), exec_vcpu_of() - the VM, or the vCPU, of a descriptor; or NULL */
struct exec_vm *exec_vm_of(int fd);
struct exec_vcpu *exec_vcpu_of(int fd);

/** exec_vms_lock() - prevent VMs and vCPUs from being freed. Return: the newest VM. */
struct exec_vm *exec_vms_lock(void);
void exec_vms_unlock(void);

/** exec_vm_put() - drop a reference, which was counted in @users with all VMs locked */
void exec_vm_put(struct exec_vm *vm);

static inline bool exec_vm_has_views(const struct exec_vm *vm)
{
	return __atomic_load_n(&vm->nr_slots, __ATOMIC_RELAXED);
}

/**
 * exec_cpuid_set() - call KVM_SET_CPUID2, with KVM_FEATURE_HC_MAP_GPA_RANGE set
 *
 * The bit is set only if the VMM gives the guest KVM's leaves, and the library handles
 * conversions. KVM leaves this bit to the VMM, which handles the hypercall.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_cpuid_set(const struct exec_vcpu *vcpu, const void *arg);

/* slot.c: replaces memory of slots by views */

/**
 * exec_slot_set() - call KVM_SET_USER_MEMORY_REGION, or KVM_SET_USER_MEMORY_REGION2
 * @arg: the argument of the VMM, which is not changed
 *
 * If the memory of a slot is a mapping of a gmem fd, KVM gets a mapping of the view instead.
 * Other slots are passed on unchanged.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_slot_set(struct exec_vm *vm, unsigned long request, const void *arg);

/** exec_slots_drop() - free all slots of a VM that is being freed */
void exec_slots_drop(struct exec_vm *vm);

/** exec_slots_fill() - map all populated pages in the views, before a vCPU runs */
void exec_slots_fill(struct exec_vm *vm);

/**
 * exec_slot_find() - the slot of an address space that contains @gpa, or NULL
 *
 * The caller holds the lock of the VM.
 */
const struct exec_slot *exec_slot_find(const struct exec_vm *vm, unsigned int space, uint64_t gpa);

/** exec_slot_space() - the address space of a slot: 1 is that of SMM */
static inline unsigned int exec_slot_space(const struct exec_slot *slot)
{
	return slot->id >> 16;
}

/** exec_slot_private() - whether the page is private; false if the query fails */
bool exec_slot_private(const struct exec_slot *slot, uint64_t gpa);

/* hole.c */

#define EXEC_HOLES_MAX 1024

/** exec_holes_prepare() - before the first one. Return: 0 or a negative errno. */
int exec_holes_prepare(void);

/**
 * exec_hole_make() - put pages of zeros where an access has raised SIGBUS
 *
 * Called by the signal handler, with all signals blocked.
 *
 * Return: whether to try the access again.
 */
bool exec_hole_make(uint64_t address);

/** exec_holes_fill() - restore the mapping of the memory in a part of it */
void exec_holes_fill(const struct exec_memory *memory, uint64_t offset, uint64_t length);

/**
 * exec_holes_keep() - the same, and copy to the memory what the VMM has written to the holes
 *
 * For a reset: the VMM writes the contents for the next start before it resets the vCPUs. Pages
 * that were private at that time are shared and zero now.
 */
void exec_holes_keep(const struct exec_memory *memory, uint64_t offset, uint64_t length);

/** exec_hole_is() - whether a mapping is a hole */
bool exec_hole_is(const struct exec_place *place);

/* convert.c: conversions, for the guest and for the control socket */

/**
 * exec_convert() - convert a range of guest physical addresses
 * @why: out: the reason of a failure, in words
 *
 * All or nothing, unless the range is in several gmem fds. Waits for held pages until the
 * timeout of the settings; signals do not interrupt the wait.
 *
 * Return: 0; -EINVAL if not all of the range is in views; or an error of GMEM_IOCTL_CONVERT.
 */
int exec_convert(struct exec_vm *vm, struct range what, bool to_private,
		 char *why, size_t why_size);

/** exec_decommit() - free the memory of a range. Return: 0; -EINVAL, ... */
int exec_decommit(struct exec_vm *vm, struct range what);

/** exec_convert_rate() - conversions per second in the last seconds */
double exec_convert_rate(uint64_t start_ns);

/** exec_reset() - make all memory of a VM shared; pages that were private become zero */
void exec_reset(struct exec_vm *vm);

/* fault.c: vCPUs that cannot continue, because of a view or of private memory */

/** exec_fault_watch() - start to watch this thread, before it first runs a vCPU */
void exec_fault_watch(const struct exec_vcpu *vcpu);

/**
 * exec_fault_answer() - populate the missing page in the view
 *
 * Return: 0: run the vCPU again; -EFAULT: the fault is not in a view, or there is no progress;
 * the second case was reported.
 */
int exec_fault_answer(const struct exec_vcpu *vcpu);

/**
 * exec_diagnose() - print why the VM ends
 * @what: the first half of the sentence
 * @gpa: the address of the access
 */
void exec_diagnose(const struct exec_vcpu *vcpu, const char *what, uint64_t gpa);

/**
 * exec_diagnose_internal() - the same for KVM_EXIT_INTERNAL_ERROR
 *
 * Nothing is printed if the error has nothing to do with private memory.
 */
void exec_diagnose_internal(const struct exec_vcpu *vcpu);

/** exec_watch_start() - start the thread that checks all VMs for progress */
void exec_watch_start(void);

/**
 * exec_watch_stuck() - check after an EINTR whether the vCPU makes no progress
 *
 * Return: whether that is so: then it was reported, and the VM has to end.
 */
bool exec_watch_stuck(struct exec_vcpu *vcpu);

/* run.c */

/**
 * exec_run() - call KVM_RUN until there is an exit for the VMM
 *
 * It populates missing pages of views, and handles conversions. If the VM cannot continue, it
 * prints a message and returns -EFAULT.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_run(struct exec_vcpu *vcpu, void *arg);

/* save.c */

/** exec_save_slots() - change the number of slots with dirty logging by @more */
void exec_save_slots(int more);

/** exec_save_log() - note that this thread has read KVM's dirty log, or started it */
void exec_save_log(void);

/** exec_save_zeros() - note that the VMM has read zeros; for a signal handler */
void exec_save_zeros(void);

/** exec_saves() - whether this thread migrates; for a signal handler, too */
bool exec_saves(void);

/** exec_save_stands() - whether the guest is stopped for a snapshot */
bool exec_save_stands(void);

/**
 * exec_save_refuses() - whether a write of the VMM has to be refused
 * @parts: the data, @count parts in order
 */
bool exec_save_refuses(const struct iovec *parts, size_t count);

/* signals.c */

/**
 * struct exec_spin - a lock that a signal handler can take; initialised to zero
 * @taken: somebody holds it
 *
 * The holder has signals blocked, and does not access guest memory.
 */
struct exec_spin {
	bool taken;
};

void exec_spin_lock(struct exec_spin *spin, sigset_t *before);
void exec_spin_unlock(struct exec_spin *spin, const sigset_t *before);

/** exec_signals_take() - install the library's signal handlers */
void exec_signals_take(void);

/** exec_signals_kick() - the number of the signal for vCPUs, or 0 if there is none */
int exec_signals_kick(void);

/**
 * exec_signals_action() - handle the VMM's sigaction() of SIGBUS, which is only recorded
 *
 * Return: whether the call was handled, and must not be passed on.
 */
bool exec_signals_action(int number, const struct sigaction *action, struct sigaction *old);

/**
 * exec_signals_mask() - the signals that the VMM may block
 * @how: as for sigprocmask(); with SIG_UNBLOCK the result is @set
 * @set: the signals that the VMM wants to block; may be NULL
 * @allowed: buffer for another set
 *
 * Return: @set or @allowed.
 */
const sigset_t *exec_signals_mask(int how, const sigset_t *set, sigset_t *allowed);

/* memfd.c */

/** exec_memfd_wanted() - whether a memfd of that name is for RAM */
bool exec_memfd_wanted(const char *name);

/** exec_memfd_refused() - whether gmem does not support these @flags; prints a message */
bool exec_memfd_refused(unsigned int flags);

/** exec_memfd_made() - record that @fd is a memfd for RAM, with its flags */
void exec_memfd_made(int fd, unsigned int flags);

/**
 * exec_memfd_resize() - handle ftruncate()
 *
 * Return: whether the call was handled, and @fd is a gmem fd now; otherwise pass it on.
 */
bool exec_memfd_resize(int fd, uint64_t size);

/**
 * exec_memfd_seals() - handle fcntl()
 * @rc: out: the result, or a negative errno
 *
 * Return: whether the call was for seals of a memfd for RAM, and was handled.
 */
bool exec_memfd_seals(int fd, int request, unsigned int seals, int *rc);

/** exec_memfd_closing() - forget a descriptor that is about to be closed */
void exec_memfd_closing(int fd);

/* control.c */

/** exec_control_start() - start the control socket, if the VM has a name and no server yet */
void exec_control_start(void);

/** exec_control_stop() - stop the control socket, because the process ends */
void exec_control_stop(void);

/** exec_remotes_drop() - stop sharing memory with remotes */
void exec_remotes_drop(void);

/* preload.c: the original functions, which the library replaces */

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

/** exec_next() - get the original functions; the table of calls uses them afterwards */
const struct exec_next *exec_next(void);

#endif /* GMEMCTL_EXEC_EXEC_H */
