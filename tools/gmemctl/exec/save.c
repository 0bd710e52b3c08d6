// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Saving
 *
 * A VMM that migrates its guest, or saves it, reads all of its memory. Where that is
 * private it gets zeros, and what it has saved would not be the guest. So it is to fail,
 * and its guest to go on: what the VMM writes then is refused with EPERM.
 *
 * That it saves is known by KVM's log of dirty pages, which it has on then. A thread that
 * asks for the log is one that migrates, unless it is the VMM's first one: that has other
 * things to write, too. A migration is refused when it has come to private memory, and not
 * before: one that leaves shared mappings out (x-ignore-shared of QEMU) never does. The
 * events of QEMU's monitor that this thread writes are let through: libvirt learns by one
 * of them that the migration has failed. A snapshot goes to a disk, by other threads, while
 * the guest stands still: it is known by its first bytes, and refused if anything is private.
 * Those of an encrypted qcow2 are not known: what is written is encrypted already. QEMU 7.2
 * does not come that far: the parts it writes are not whole sectors, and it aborts.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"
#include "exec.h"

/* What a migration, and a snapshot, of QEMU begins with: a name, and a version */
#define QEMU_START "QEVM\0\0\0\3"
#define QEMU_START_SIZE 8

/**
 * struct saving - all of it changed atomically
 * @slots: that have their dirty pages logged
 * @number: counts the times that this was begun
 * @zeros: the VMM was given zeros since then
 * @stands: the VMM's first thread has asked for the log
 * @said: of that number it was said that it is refused
 */
static struct {
	unsigned int slots;
	unsigned int number;
	bool zeros;
	bool stands;
	unsigned int said;
} saving;

/* Of the last one that this thread had to do with */
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
	/* Before the count, by which others see that it is on. */
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
 * The thread that migrates says itself to the monitor how that ends. A migration has binary
 * numbers before all that is the guest's, so it begins otherwise.
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
