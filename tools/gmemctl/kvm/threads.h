/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: Threads of a run
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
