// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Saving
 *
 * A VMM that migrates or saves its guest reads all of its memory. It gets zeros for private
 * memory, so the saved guest would be corrupt. So the save has to fail, and the guest to
 * continue: writes of the VMM are then refused with EPERM.
 *
 * A save is recognised by KVM's log of dirty pages, which the VMM enables for it. A thread
 * that reads the log is one that migrates, unless it is the VMM's first thread, which also
 * writes other data. A migration is refused only after it has read private memory: one
 * without shared mappings (x-ignore-shared of QEMU) never does. Events of QEMU's monitor
 * that this thread writes are not refused: libvirt learns from one of them that the
 * migration has failed. A snapshot is written to a disk by other threads while the guest is
 * stopped: it is recognised by its first bytes, and refused if any memory is private. A
 * snapshot in an encrypted qcow2 is not recognised, because it is encrypted before it is
 * written. QEMU 7.2 aborts before that, because it writes parts of sectors.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"
#include "exec.h"

/* The first bytes of a migration and of a snapshot of QEMU: magic and version */
#define QEMU_START "QEVM\0\0\0\3"
#define QEMU_START_SIZE 8

/**
 * struct saving - the current save; all members are changed atomically
 * @slots: number of slots whose dirty pages are logged
 * @number: number of saves so far
 * @zeros: the VMM was given zeros during this save
 * @stands: the VMM's first thread has read the log, so the guest is stopped
 * @said: number of the save whose refusal was reported last
 */
static struct {
	unsigned int slots;
	unsigned int number;
	bool zeros;
	bool stands;
	unsigned int said;
} saving;

/* Number of the last save for which this thread has read the log */
static __thread unsigned int saves;

static bool is_on(void)
{
	return __atomic_load_n(&saving.slots, __ATOMIC_ACQUIRE);
}

static bool is_first_thread(void)
{
	return syscall(SYS_gettid) == getpid();
}

void exec_save_slots(int more)
{
	/* Before @slots changes, because other threads see by it that a save is on. */
	if (more > 0 && !is_on()) {
		__atomic_store_n(&saving.zeros, false, __ATOMIC_RELAXED);
		__atomic_store_n(&saving.stands, false, __ATOMIC_RELAXED);
		__atomic_add_fetch(&saving.number, 1, __ATOMIC_RELAXED);
	}
	__atomic_add_fetch(&saving.slots, (unsigned int)more, __ATOMIC_RELEASE);
	if (more > 0)
		exec_save_log();
}

void exec_save_log(void)
{
	if (!is_on())
		return;
	saves = __atomic_load_n(&saving.number, __ATOMIC_RELAXED);
	if (is_first_thread())
		__atomic_store_n(&saving.stands, true, __ATOMIC_RELAXED);
}

void exec_save_zeros(void)
{
	if (is_on())
		__atomic_store_n(&saving.zeros, true, __ATOMIC_RELAXED);
}

bool exec_saves(void)
{
	return is_on() && saves == __atomic_load_n(&saving.number, __ATOMIC_RELAXED);
}

bool exec_save_stands(void)
{
	return is_on() && __atomic_load_n(&saving.stands, __ATOMIC_RELAXED);
}

static bool starts(const struct iovec *parts, size_t count)
{
	while (count && !parts->iov_len) {
		parts++;
		count--;
	}
	return count && parts->iov_len >= QEMU_START_SIZE &&
	       !memcmp(parts->iov_base, QEMU_START, QEMU_START_SIZE);
}

/*
 * Whether a write is an event of the monitor, such as the end of a migration. The thread that
 * migrates writes it itself. Data of a migration starts with binary numbers, and so differs.
 */
static bool is_event(const struct iovec *parts, size_t count)
{
	const char *line;
	size_t size;

	if (count != 1 || parts->iov_len <= 3)
		return false;
	line = parts->iov_base;
	size = parts->iov_len;
	return line[0] == '{' && !memcmp(line + size - 3, "}\r\n", 3);
}

static bool any_private(void)
{
	struct exec_vm *vm;
	bool private = false;

	for (vm = exec_vms_lock(); vm && !private; vm = vm->next) {
		pthread_rwlock_rdlock(&vm->lock);
		for (unsigned int i = 0; !private && i < vm->nr_slots; i++)
			private = exec_memory_private(vm->slots[i].memory);
		pthread_rwlock_unlock(&vm->lock);
	}
	exec_vms_unlock();
	return private;
}

static bool refuse(const char *what)
{
	unsigned int number = __atomic_load_n(&saving.number, __ATOMIC_RELAXED);

	if (__atomic_exchange_n(&saving.said, number, __ATOMIC_RELAXED) != number)
		exec_say("%s of a guest with private memory, which the VMM cannot read: "
			 "refused with EPERM, and the guest goes on. Have the guest "
			 "make its memory shared first, or hand the same gmem fd to the "
			 "next QEMU (x-ignore-shared)", what);
	return true;
}

bool exec_save_refuses(const struct iovec *parts, size_t count)
{
	if (!is_on())
		return false;
	if (exec_saves() && !is_first_thread())
		return __atomic_load_n(&saving.zeros, __ATOMIC_RELAXED) &&
		       !is_event(parts, count) && refuse("migration");
	return exec_save_stands() && starts(parts, count) && any_private() &&
	       refuse("snapshot");
}
