/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: Threads of a run, and how it ends
 *
 * One thread per vCPU; the caller's thread waits for the end of all, a signal
 * or the timeout. To stop, stopping is set first, then immediate_exit of each
 * vCPU, then each thread gets SIGUSR1: a thread on its way into KVM_RUN meets
 * immediate_exit, one that is in the guest or in a conversion gets EINTR.
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
 * @END_NONE: it has not
 * @END_POWER_OFF: the guest has turned it off
 * @END_DONE: a payload has done its work
 * @END_STOPPED: somebody has asked for it: Ctrl-A x, or `gmemctl stop`
 * @END_HANDED_OVER: another process runs the guest now
 * @END_SAVED: it was saved to a file, and was to end then
 * @END_RESET: the guest has asked for a reset; it is not started again
 * @END_PANIC: the guest's kernel has said that it panics
 * @END_TRIPLE_FAULT: an exception that no handler could be called for
 * @END_SYSTEM_EVENT: KVM reports an event that is none of the above
 * @END_ENTRY_FAILED: the CPU refuses the state of the guest
 * @END_INTERNAL_ERROR: KVM cannot go on, for instance emulate an instruction
 * @END_MEMORY: an access to memory that cannot be made to work
 * @END_GAVE_UP: a payload has found that it cannot go on
 * @END_HALTED: no vCPU does anything any more, before a payload was done
 * @END_EXIT_PORT: a test in the guest has given its result
 * @END_SIGNAL: a signal to this process
 * @END_TIMEOUT: --timeout is over
 * @END_FAILED: this process, or the host, could not go on
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
 * end_exit_code() - the exit code that tells it apart
 * @value: what was written to the exit port
 *
 * 0 power-off, done, stopped, handed over, saved; 1 signal, timeout, failure; 16
 * and up the others, and 64 + @value (of 0 to 63) for the exit port.
 */
int end_exit_code(enum end end, unsigned int value);

/**
 * struct signals_held - how this thread handled signals before
 * @mask: signals blocked
 * @pipe: action of SIGPIPE
 */
struct signals_held {
	sigset_t mask;
	struct sigaction pipe;
};

/**
 * signals_end_set() - SIGINT, SIGTERM, SIGHUP and SIGQUIT
 *
 * But none that is ignored: nohup does that with SIGHUP, and a shell with SIGINT
 * and SIGQUIT of its jobs in the background.
 */
void signals_end_set(sigset_t *set);

/**
 * signals_fault_set() - what a thread gets for what it has done itself
 *
 * Where one of them is blocked it ends the process without its handler.
 */
void signals_fault_set(sigset_t *set);

/**
 * signals_hold() - have signals that end a machine wait for its next run
 *
 * Every other thread has to have them blocked. SIGPIPE is ignored: a write that
 * nobody reads fails with EPIPE. SIGTTOU and SIGTTIN are blocked: the terminal of
 * others can be written to, and put back.
 */
void signals_hold(struct signals_held *before);

/** signals_release() - as before; what has come too late for a run is used up */
void signals_release(const struct signals_held *before);

/**
 * struct threads - the threads of the vCPUs of a machine
 * @vcpus: @count of them, which exist as long as this does
 * @count: see there
 * @loop: run a vCPU; not 0 ends the run of all vCPUs, 0 only that of this one
 * @data: for @loop, and for @tick
 * @tick: called about once a second by the thread that waits for the end; or NULL
 * @started: the threads, while they run
 * @stopping: no vCPU enters the guest any more; see threads_stopping()
 * @signalled: a signal that ends a run has come, also if the run has ended
 *	because of something else
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

/** threads_prepare() - make another run possible */
int threads_prepare(struct threads *threads, struct error *error);

/**
 * threads_run() - run all vCPUs until the end
 * @timeout_s: stop after that time; 0: never
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT end the run. All threads have ended when
 * this returns.
 *
 * Return: 0; -EINTR after a signal, -ETIME after the timeout; another negative
 * errno if a thread could not be had.
 */
int threads_run(struct threads *threads, unsigned int timeout_s);

/** threads_kick() - have a vCPU leave the guest for a moment; for @tick */
void threads_kick(struct threads *threads, unsigned int index);

/** threads_end() - end the run, from any thread */
void threads_end(struct threads *threads);

/** threads_stopping() - whether the run is to end */
bool threads_stopping(const struct threads *threads);

/** threads_start() - a thread of another kind, which no signal interrupts */
int threads_start(pthread_t *thread, void *(*main)(void *data), void *data);

#endif /* GMEMCTL_KVM_THREADS_H */
