// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "threads.h"

#define CODE_FAILURE	1
#define CODE_EXIT_PORT	64
#define EXIT_PORT_MASK	63

#define STOP_SIGNAL SIGUSR1

#define TICK_MS 1000

/* How often the signal is repeated, because it may have come too early */
#define STOP_RETRY_MS 100

/**
 * struct thread - the thread of a vCPU
 * @threads: all threads
 * @vcpu: the vCPU that it runs
 * @thread: the thread
 */
struct thread {
	struct threads *threads;
	struct vcpu *vcpu;
	pthread_t thread;
};

/**
 * struct thread_signals - handling of signals as it was before the run
 * @mask: signals blocked
 * @stop: action of STOP_SIGNAL
 * @fd: signalfd for the signals that end a run
 */
struct thread_signals {
	sigset_t mask;
	struct sigaction stop;
	int fd;
};

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

void signals_end_set(sigset_t *set)
{
	struct sigaction action;

	sigemptyset(set);
	/* A signal that is ignored is still reported by a signalfd. */
	for (size_t i = 0; i < sizeof(end_signals) / sizeof(*end_signals); i++)
		if (sigaction(end_signals[i], NULL, &action) ||
		    action.sa_handler != SIG_IGN)
			sigaddset(set, end_signals[i]);
}

void signals_fault_set(sigset_t *set)
{
	static const int faults[] = {
		SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP,
	};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigaddset(set, faults[i]);
}

void signals_hold(struct signals_held *before)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, &before->pipe);
	signals_end_set(&set);
	/* These would stop the process when it uses the terminal in the background. */
	sigaddset(&set, SIGTTOU);
	sigaddset(&set, SIGTTIN);
	pthread_sigmask(SIG_BLOCK, &set, &before->mask);
}

/* Discard pending signals: they would end the process before the machine is destroyed. */
void signals_release(const struct signals_held *before)
{
	static const struct timespec now;
	sigset_t set;

	signals_end_set(&set);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	pthread_sigmask(SIG_SETMASK, &before->mask, NULL);
	sigaction(SIGPIPE, &before->pipe, NULL);
}

int threads_init(struct threads *threads,
		 int (*loop)(void *data, struct vcpu *vcpu), void *data,
		 struct error *error)
{
	*threads = (struct threads){ .loop = loop, .data = data };
	pthread_mutex_init(&threads->lock, NULL);
	threads->finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (threads->finished_fd < 0)
		return error_set(error, -errno, "eventfd", "create", NULL);
	return 0;
}

void threads_destroy(struct threads *threads)
{
	if (threads->finished_fd >= 0)
		close(threads->finished_fd);
	threads->finished_fd = -1;
	pthread_mutex_destroy(&threads->lock);
}

int threads_prepare(struct threads *threads, struct error *error)
{
	uint64_t count;

	threads->stopping = false;
	threads->signalled = false;
	for (unsigned int i = 0; i < threads->count; i++)
		threads->vcpus[i].run->immediate_exit = 0;
	/* Clear the eventfd. It is empty unless an earlier run has failed. */
	if (read(threads->finished_fd, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN)
		return error_set(error, -errno, "eventfd", "read", NULL);
	return 0;
}

bool threads_stopping(const struct threads *threads)
{
	return __atomic_load_n(&threads->stopping, __ATOMIC_ACQUIRE);
}

void threads_end(struct threads *threads)
{
	uint64_t one = 1;

	/* write() does not fail, because the counter of the eventfd is far from full. */
	if (write(threads->finished_fd, &one, sizeof(one)) < 0)
		return;
}

static void *thread_main(void *data)
{
	struct thread *thread = data;
	struct threads *threads = thread->threads;
	sigset_t set;
	bool last;
	int rc;

	/* The parent of this process may have blocked the signal. */
	sigemptyset(&set);
	sigaddset(&set, STOP_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	rc = threads->loop(threads->data, thread->vcpu);
	pthread_mutex_lock(&threads->lock);
	last = !--threads->running || rc;
	pthread_mutex_unlock(&threads->lock);
	if (last)
		threads_end(threads);
	return NULL;
}

static void stop_handler(int signal_number)
{
}

static int signals_take(struct thread_signals *signals)
{
	struct sigaction action = { .sa_handler = stop_handler };
	sigset_t set;

	sigemptyset(&action.sa_mask);
	signals_end_set(&set);
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0)
		return -errno;
	sigaction(STOP_SIGNAL, &action, &signals->stop);
	pthread_sigmask(SIG_BLOCK, &set, &signals->mask);
	return 0;
}

/*
 * Discard signals that have arrived: the run has ended because of them, or would have.
 * Return: whether there was one.
 */
static bool signals_restore(struct thread_signals *signals)
{
	struct signalfd_siginfo info;
	bool arrived = false;

	while (read(signals->fd, &info, sizeof(info)) > 0)
		arrived = true;
	close(signals->fd);
	pthread_sigmask(SIG_SETMASK, &signals->mask, NULL);
	sigaction(STOP_SIGNAL, &signals->stop, NULL);
	return arrived;
}

void threads_kick(struct threads *threads, unsigned int index)
{
	pthread_kill(threads->started[index].thread, STOP_SIGNAL);
}

/* Wait for the end. Return: 0, -EINTR for a signal, -ETIME for the timeout. */
static int threads_wait(struct threads *threads, int signal_fd,
			unsigned int timeout_s)
{
	struct pollfd fds[] = {
		{ .fd = threads->finished_fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};
	uint64_t end = (uint64_t)clock_now_ms() + timeout_s * UINT64_C(1000);
	int timeout = -1, rc;
	bool ticks;

	for (;;) {
		uint64_t now = (uint64_t)clock_now_ms();

		if (timeout_s)
			timeout = now < end ? (int)(end - now) : 0;
		ticks = threads->tick && (timeout < 0 || timeout > TICK_MS);
		rc = poll(fds, 2, ticks ? TICK_MS : timeout);
		if (rc < 0 && errno != EINTR)
			return -errno;
		if (rc > 0)
			return fds[0].revents ? 0 : -EINTR;
		if (!rc && !ticks)
			return -ETIME;
		if (!rc)
			threads->tick(threads->data);
	}
}

/*
 * Repeat the signal: a thread may get it between its check of @stopping and a conversion,
 * and would then wait until the conversion's timeout.
 */
static void threads_join(struct thread *started, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct timespec until;
		int rc = ETIMEDOUT;

		while (rc == ETIMEDOUT) {
			pthread_kill(started[i].thread, STOP_SIGNAL);
			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_nsec += STOP_RETRY_MS * 1000000;
			until.tv_sec += until.tv_nsec / 1000000000;
			until.tv_nsec %= 1000000000;
			rc = pthread_timedjoin_np(started[i].thread, NULL, &until);
		}
		if (rc)
			pthread_join(started[i].thread, NULL);
	}
}

static int threads_run_all(struct threads *threads, struct thread *started,
			   int signal_fd, unsigned int timeout_s)
{
	unsigned int count = 0;
	int rc = 0;

	threads->running = threads->count;
	threads->started = started;
	while (!rc && count < threads->count) {
		started[count].threads = threads;
		started[count].vcpu = &threads->vcpus[count];
		rc = -pthread_create(&started[count].thread, NULL, thread_main,
				     &started[count]);
		if (!rc)
			count++;
	}
	if (!rc)
		rc = threads_wait(threads, signal_fd, timeout_s);
	__atomic_store_n(&threads->stopping, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < threads->count; i++)
		__atomic_store_n(&threads->vcpus[i].run->immediate_exit, 1,
				 __ATOMIC_RELEASE);
	threads_join(started, count);
	return rc;
}

int threads_run(struct threads *threads, unsigned int timeout_s)
{
	struct thread *started = calloc(threads->count, sizeof(*started));
	struct thread_signals signals;
	int rc;

	if (!started)
		return -ENOMEM;
	rc = signals_take(&signals);
	if (rc)
		goto out_free;
	rc = threads_run_all(threads, started, signals.fd, timeout_s);
	threads->signalled = signals_restore(&signals);
out_free:
	free(started);
	return rc;
}

int threads_start(pthread_t *thread, void *(*main)(void *data), void *data)
{
	sigset_t faults, all, before;
	int rc;

	sigfillset(&all);
	signals_fault_set(&faults);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_sigmask(SIG_UNBLOCK, &faults, NULL);
	rc = -pthread_create(thread, NULL, main, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static const struct {
	const char *name;
	const char *text;
	int code;
} ends[] = {
	[END_NONE] = { "running", "the machine has not ended", CODE_FAILURE },
	[END_POWER_OFF] = { "power-off", "the guest has powered off", 0 },
	[END_DONE] = { "done", "the payload has done its work", 0 },
	[END_STOPPED] = { "stopped", "stopped on request", 0 },
	[END_HANDED_OVER] = { "handed-over", "another process runs the guest now",
			      0 },
	[END_SAVED] = { "saved", "saved to a file", 0 },
	[END_RESET] = { "reset", "the guest has asked for a reset", 16 },
	[END_PANIC] = { "panic", "the guest's kernel has panicked", 17 },
	[END_TRIPLE_FAULT] = { "triple-fault", "the guest has triple-faulted",
			       18 },
	[END_SYSTEM_EVENT] = { "system-event", "KVM reports an event of the "
			       "guest", 19 },
	[END_ENTRY_FAILED] = { "entry-failed", "the CPU cannot enter the guest",
			       20 },
	[END_INTERNAL_ERROR] = { "internal-error", "KVM cannot go on with the "
				 "guest", 21 },
	[END_MEMORY] = { "memory-fault", "the guest has accessed memory that "
			 "it cannot have", 22 },
	[END_GAVE_UP] = { "gave-up", "the payload has given up", 23 },
	[END_HALTED] = { "halted", "all vCPUs have halted", 24 },
	[END_EXIT_PORT] = { "exit-port", "the guest has written to the exit "
			    "port", CODE_EXIT_PORT },
	[END_SIGNAL] = { "signal", "stopped by a signal", CODE_FAILURE },
	[END_TIMEOUT] = { "timeout", "stopped after --timeout", CODE_FAILURE },
	[END_FAILED] = { "failed", "the VMM has failed", CODE_FAILURE },
};

#define ENDS (sizeof(ends) / sizeof(ends[0]))

const char *end_name(enum end end)
{
	return (size_t)end < ENDS ? ends[end].name : "unknown";
}

const char *end_text(enum end end)
{
	return (size_t)end < ENDS ? ends[end].text : "unknown";
}

int end_exit_code(enum end end, unsigned int value)
{
	if ((size_t)end >= ENDS)
		return CODE_FAILURE;
	if (end == END_EXIT_PORT)
		return CODE_EXIT_PORT + (int)(value & EXIT_PORT_MASK);
	return ends[end].code;
}
