// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "report.h"
#include "exec.h"

#define RUN_SIZE 4096	/* struct kvm_run is in the first page */

/* KVM's leaves may follow those of another hypervisor that KVM emulates. */
#define LEAVES_START	0x40000000U
#define LEAVES_STEP	0x100U
#define LEAVES_END	0x40010000U
#define ENTRIES_MAX	1024U

enum exec_kind {
	EXEC_NOTHING,
	EXEC_VM,
	EXEC_VCPU,
};

/* The kind of each descriptor, read without a lock. */
static struct exec_fd {
	enum exec_kind kind;
	void *object;
} fds[EXEC_FDS];

static struct exec_vm *vms;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *fd_object(int fd, enum exec_kind kind)
{
	if (fd < 0 || fd >= EXEC_FDS || __atomic_load_n(&fds[fd].kind, __ATOMIC_ACQUIRE) != kind)
		return NULL;
	return fds[fd].object;
}

struct exec_vm *exec_vm_of(int fd)
{
	return fd_object(fd, EXEC_VM);
}

struct exec_vcpu *exec_vcpu_of(int fd)
{
	return fd_object(fd, EXEC_VCPU);
}

static void fd_set_object(int fd, enum exec_kind kind, void *object)
{
	fds[fd].object = object;
	__atomic_store_n(&fds[fd].kind, kind, __ATOMIC_RELEASE);
}

struct exec_vm *exec_vms_lock(void)
{
	pthread_mutex_lock(&lock);
	return vms;
}

void exec_vms_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static bool fd_usable(int fd)
{
	if (fd < EXEC_FDS)
		return true;
	exec_say("descriptor %d is above %d, the highest supported: its VM or vCPU has no views",
		 fd, EXEC_FDS - 1);
	return false;
}

void exec_vm_create(int fd)
{
	struct exec_vm *vm = fd_usable(fd) ? calloc(1, sizeof(*vm)) : NULL;
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args = { 1U << KVM_HC_MAP_GPA_RANGE },
	};

	if (!vm)
		return;
	vm->fd = fd;
	vm->users = 1;
	pthread_rwlock_init(&vm->lock, NULL);
	/*
	 * From now on a guest's request for a conversion is an exit. If KVM does not support
	 * that, a guest cannot make memory private itself.
	 */
	vm->answers = !calls->ioctl(fd, KVM_ENABLE_CAP, &cap);
	if (!vm->answers)
		exec_say("KVM does not report conversion requests of the guest: only `gmemctl "
			 "convert` converts memory");
	pthread_mutex_lock(&lock);
	vm->next = vms;
	vms = vm;
	fd_set_object(fd, EXEC_VM, vm);
	pthread_mutex_unlock(&lock);
}

void exec_vcpu_create(struct exec_vm *vm, int fd, uint32_t id)
{
	struct exec_vcpu *vcpu = fd_usable(fd) ? calloc(1, sizeof(*vcpu)) : NULL;
	void *run;

	if (!vcpu || calls->map(RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &run)) {
		free(vcpu);
		exec_say("vCPU %u cannot be watched: its guest cannot have private memory", id);
		return;
	}
	*vcpu = (struct exec_vcpu){ .fd = fd, .id = id, .vm = vm, .run = run };
	pthread_mutex_lock(&lock);
	vm->users++;
	vcpu->next = vm->vcpus;
	vm->vcpus = vcpu;
	fd_set_object(fd, EXEC_VCPU, vcpu);
	pthread_mutex_unlock(&lock);
}

static void vm_put(struct exec_vm *vm)
{
	struct exec_vm **link = &vms;

	if (--vm->users)
		return;
	while (*link != vm)
		link = &(*link)->next;
	*link = vm->next;
	exec_slots_drop(vm);
	pthread_rwlock_destroy(&vm->lock);
	free(vm);
}

void exec_vm_put(struct exec_vm *vm)
{
	pthread_mutex_lock(&lock);
	vm_put(vm);
	pthread_mutex_unlock(&lock);
}

void exec_closing(int fd)
{
	struct exec_vcpu *vcpu, **link;
	struct exec_vm *vm;

	if (fd < 0 || fd >= EXEC_FDS || !fds[fd].kind)
		return;
	pthread_mutex_lock(&lock);
	vcpu = exec_vcpu_of(fd);
	vm = exec_vm_of(fd);
	fd_set_object(fd, EXEC_NOTHING, NULL);
	if (vcpu) {
		for (link = &vcpu->vm->vcpus; *link != vcpu; link = &(*link)->next)
			;
		*link = vcpu->next;
		calls->unmap(vcpu->run, RUN_SIZE);
		vm_put(vcpu->vm);
		free(vcpu);
	}
	if (vm) {
		vm->fd = -1;
		vm_put(vm);
	}
	pthread_mutex_unlock(&lock);
}

static void add_feature(struct kvm_cpuid2 *cpuid)
{
	uint32_t leaf = 0;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
		uint32_t name[3] = { entry->ebx, entry->ecx, entry->edx };

		if (entry->function >= LEAVES_START && entry->function < LEAVES_END &&
		    !(entry->function % LEAVES_STEP) &&
		    !memcmp(name, "KVMKVMKVM\0\0\0", sizeof(name)))
			leaf = entry->function + 1;
	}
	for (uint32_t i = 0; leaf && i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf)
			cpuid->entries[i].eax |= 1U << KVM_FEATURE_HC_MAP_GPA_RANGE;
}

int exec_cpuid_set(const struct exec_vcpu *vcpu, const void *arg)
{
	const struct kvm_cpuid2 *theirs = arg;
	struct kvm_cpuid2 *ours;
	size_t size;
	int rc;

	if (!vcpu->vm->answers || theirs->nent > ENTRIES_MAX)
		return calls->ioctl(vcpu->fd, KVM_SET_CPUID2, (void *)arg);
	size = sizeof(*ours) + theirs->nent * sizeof(ours->entries[0]);
	ours = malloc(size);
	if (!ours)
		return -ENOMEM;
	memcpy(ours, theirs, size);
	add_feature(ours);
	rc = calls->ioctl(vcpu->fd, KVM_SET_CPUID2, ours);
	free(ours);
	return rc;
}
