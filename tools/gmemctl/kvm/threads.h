/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: Threads of a run, and how it ends
 *
 * There is one thread for each vCPU. The caller's thread waits until all of them end, or for a
 * signal or the timeout. To stop them, stopping is set first, then immediate_exit of each vCPU,
 * and then each thread gets SIGUSR1. A thread that is about to call KVM_RUN returns because of
 * immediate_exit. A thread in the guest or in a conversion gets EINTR.
 */
#ifndef GMEMCTL_KVM_THREADS_H
#define GMEMCTL_KVM_THREADS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "../base/error.h"
#include "vcpu.h"

/**
 * enum end - why a machine has stopped
 * @END_NONE: it has not stopped
 * @END_POWER_OFF: the guest has powered it off
 * @END_DONE: a payload has finished
 * @END_STOPPED: the user has stopped it: Ctrl-A x, or `gmemctl stop`
 * @END_HANDED_OVER: another process runs the guest now
 * @END_SAVED: it was saved to a file with --stop
 * @END_RESET: the guest has requested a reset; it is not started again
 * @END_PANIC: the guest's kernel has reported a panic
 * @END_TRIPLE_FAULT: triple fault
 * @END_SYSTEM_EVENT: KVM has reported another event
 * @END_ENTRY_FAILED: the CPU refuses the state of the guest
 * @END_INTERNAL_ERROR: KVM cannot continue, for instance not emulate an instruction
 * @END_MEMORY: the guest has accessed memory that is not available
 * @END_GAVE_UP: a payload cannot continue
 * @END_HALTED: all vCPUs have halted before a payload has finished
 * @END_EXIT_PORT: a test in the guest has reported its result
 * @END_SIGNAL: this process got a signal
 * @END_TIMEOUT: the time of --timeout has passed
 * @END_FAILED: this process, or the host, cannot continue
 */
enum end {
	END_NONE,
	END_POWER_OFF,
	END_DONE,
	END_STOPPED,
	END_HANDED_OVER,
	END_SAVED,
	END_RESET,
	END_PANIC,
	END_TRIPLE_FAULT,
	END_SYSTEM_EVENT,
	END_ENTRY_FAILED,
	END_INTERNAL_ERROR,
	END_MEMORY,
	END_GAVE_UP,
	END_HALTED,
	END_EXIT_PORT,
	END_SIGNAL,
	END_TIMEOUT,
	END_FAILED,
};

/** end_name() - a word for programs */
const char *end_name(enum end end);

/** end_text() - a sentence for people */
const char *end_text(enum end end);

/**
 * end_exit_code() - the exit code for a reason
 * @value: the value that was written to the exit port
 *
 * 0 power-off, done, stopped, handed over, saved; 1 signal, timeout, failure; 16
 * and up the others, and 64 + @value (of 0 to 63) for the exit port.
 */
int end_exit_code(enum end end, unsigned int value);

/**
 * struct signals_held - how this thread handled signals before signals_hold()
 * @mask: blocked signals
 * @pipe: action of SIGPIPE
 */
struct signals_held {
	sigset_t mask;
	struct sigaction pipe;
};

/**
 * signals_end_set() - get the set of SIGINT, SIGTERM, SIGHUP and SIGQUIT
 *
 * Signals that are ignored are not in the set: nohup ignores SIGHUP, and a shell SIGINT and
 * SIGQUIT of its background jobs.
 */
void signals_end_set(sigset_t *set);

/**
 * signals_fault_set() - get the set of signals for faults of the thread itself
 *
 * Do not block them: a blocked one ends the process without calling its handler.
 */
void signals_fault_set(sigset_t *set);

/**
 * signals_hold() - block signals that end a machine until its next run
 *
 * All other threads must have them blocked, too. SIGPIPE is ignored: a write without a reader
 * fails with EPIPE. SIGTTOU and SIGTTIN are blocked: a background job can write to the terminal
 * and restore it.
 */
void signals_hold(struct signals_held *before);

/** signals_release() - undo signals_hold(); signals that came after the run are dropped */
void signals_release(const struct signals_held *before);

/**
 * struct threads - the threads of the vCPUs of a machine
 * @vcpus: the vCPUs, which must exist as long as this structure
 * @count: number of @vcpus
 * @loop: runs a vCPU. Return: 0: this vCPU has ended; otherwise the run of all vCPUs ends
 * @data: for @loop and @tick
 * @tick: called about once a second by the thread that waits for the end; or NULL
 * @started: the threads, while they run
 * @stopping: no vCPU may enter the guest; see threads_stopping()
 * @signalled: a signal that ends a run has come, even if the run has ended for another reason
 * @lock: protects @running
 * @running: threads that have not ended
 * @finished_fd: eventfd, readable when the run is to end
 */
struct threads {
	struct vcpu *vcpus;
	unsigned int count;
	int (*loop)(void *data, struct vcpu *vcpu);
	void *data;
	void (*tick)(void *data);
	struct thread *started;
	bool stopping;
	bool signalled;
	pthread_mutex_t lock;
	unsigned int running;
	int finished_fd;
};

/** threads_init() - @vcpus and @count can be set later, before the run */
int threads_init(struct threads *threads,
		 int (*loop)(void *data, struct vcpu *vcpu), void *data,
		 struct error *error);
void threads_destroy(struct threads *threads);

/** threads_prepare() - prepare another run */
int threads_prepare(struct threads *threads, struct error *error);

/**
 * threads_run() - run all vCPUs until the end
 * @timeout_s: stop after that time; 0: never
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT end the run. All threads have ended when
 * this returns.
 *
 * Return: 0; -EINTR after a signal; -ETIME after the timeout; another negative errno if a
 * thread could not be created.
 */
int threads_run(struct threads *threads, unsigned int timeout_s);

/** threads_kick() - make a vCPU leave the guest for a moment; for @tick */
void threads_kick(struct threads *threads, unsigned int index);

/** threads_end() - end the run, from any thread */
void threads_end(struct threads *threads);

/** threads_stopping() - whether the run has to end */
bool threads_stopping(const struct threads *threads);

/** threads_start() - start another thread, with signals blocked */
int threads_start(pthread_t *thread, void *(*main)(void *data), void *data);

#endif /* GMEMCTL_KVM_THREADS_H */
