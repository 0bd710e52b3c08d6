// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kvm/threads.h"
#include "diagnose.h"
#include "fault.h"
#include "report.h"
#include "signals.h"
#include "slot.h"
#include "watch.h"

#define TICK_S		1
#define TICKS		2	/* in the same KVM_RUN before it is asked */
#define STUCK		3	/* answers in a row that are the same */
#define STUCK_FAULTS	100	/* at least so many between two of them */

/* A vCPU that was at rest all the time has no faults, and is not found stuck. */
static void look(struct exec_vcpu *vcpu)
{
	uint64_t runs = __atomic_load_n(&vcpu->runs, __ATOMIC_RELAXED);

	if (!__atomic_load_n(&vcpu->inside, __ATOMIC_ACQUIRE) ||
	    runs != vcpu->seen) {
		vcpu->seen = runs;
		vcpu->ticks = 0;
		return;
	}
	if (++vcpu->ticks < TICKS)
		return;
	vcpu->ticks = 0;
	__atomic_store_n(&vcpu->kicked, true, __ATOMIC_RELEASE);
	syscall(SYS_tgkill, getpid(), vcpu->thread, exec_signals_kick());
}

static void *watch_main(void *data)
{
	struct exec_vm *vm;

	(void)data;
	for (;;) {
		sleep(TICK_S);
		for (vm = exec_vms_lock(); vm; vm = vm->next)
			for (struct exec_vcpu *vcpu = vm->vcpus;
			     vcpu && __atomic_load_n(&vm->private,
						     __ATOMIC_RELAXED);
			     vcpu = vcpu->next)
				look(vcpu);
		exec_vms_unlock();
	}
	return NULL;
}

static void start(void)
{
	pthread_t thread;

	if (exec_decodes() || !exec_signals_kick())
		return;
	if (threads_start(&thread, watch_main, NULL))
		exec_say("no thread to watch vCPUs: one that does not get on is not "
			 "found");
	else
		pthread_detach(thread);
}

void exec_watch_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
}

static bool is_memory(const struct exec_vcpu *vcpu, uint64_t gpa)
{
	bool found;

	pthread_rwlock_rdlock(&vcpu->vm->lock);
	found = exec_slot_find(vcpu->vm, 0, gpa);
	pthread_rwlock_unlock(&vcpu->vm->lock);
	return found;
}

/* It faults at the same device again and again, and KVM cannot know what it does. */
bool exec_watch_stuck(struct exec_vcpu *vcpu)
{
	uint64_t gpa, count, before = vcpu->stuck_count;
	struct exec_where where;
	bool same;

	if (!__atomic_exchange_n(&vcpu->kicked, false, __ATOMIC_ACQUIRE) ||
	    !exec_fault_last(vcpu, &gpa, &count))
		return false;
	same = gpa / 4096 == vcpu->stuck_gpa / 4096 &&
	       count - before >= STUCK_FAULTS && !is_memory(vcpu, gpa);
	vcpu->stuck_gpa = gpa;
	vcpu->stuck_count = count;
	exec_where(vcpu, &where);
	vcpu->stuck = same && where.private ? vcpu->stuck + 1 : 0;
	if (vcpu->stuck < STUCK)
		return false;
	vcpu->stuck = 0;
	exec_diagnose(vcpu, "the guest does not get on with the device at", gpa);
	return true;
}
