// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Threads of a run
 *
 * One thread per vCPU; the caller's thread waits for the end of all, a signal
 * or the timeout. To stop, stopping is set first, then immediate_exit of each
 * vCPU, then each thread gets SIGUSR1: a thread on its way into KVM_RUN meets
 * immediate_exit, one that is in the guest or in a conversion gets EINTR.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../boot/boot.h"
#include "../kvm/exits.h"
#include "machine.h"

#define STOP_SIGNAL SIGUSR1

/* How often a thread is sent the signal that may have come a bit too early */
#define STOP_RETRY_MS 100

struct run_thread {
	struct machine *machine;
	struct vcpu *vcpu;
	pthread_t thread;
};

/**
 * struct run_signals - handling of signals as it was before the run
 * @mask: signals blocked
 * @stop: action of STOP_SIGNAL
 * @fd: signalfd for SIGINT and SIGTERM
 */
struct run_signals {
	sigset_t mask;
	struct sigaction stop;
	int fd;
};

static bool run_stopping(struct machine *machine)
{
	return __atomic_load_n(&machine->stopping, __ATOMIC_ACQUIRE);
}

static int run_failed(struct machine *machine, struct vcpu *vcpu, int rc)
{
	char registers[1024];

	exit_registers(vcpu, registers, sizeof(registers));
	return machine_fail(machine, rc, "vCPU %u: KVM_RUN: %s%s%s", vcpu->index,
			    strerror(-rc), rc == -EFAULT ?
			    " (shared memory that the host refuses to KVM: private "
			    "for gmem, but not for KVM)" : "", registers);
}

/*
 * KVM could not reach a page, or found the attribute other than a moment before
 * (a memory fault). If a conversion went on at the same time, that is why, and
 * the access has to be repeated once it is over: converting the page for the
 * sake of a fault that is stale would undo what the guest has asked for. A
 * conversion that had ended before the guest was entered cannot be why.
 */
static bool run_met_conversion(struct machine *machine, struct vcpu *vcpu, int rc,
			       uint64_t converted)
{
	if (rc ? rc != -EFAULT : vcpu->run->exit_reason != KVM_EXIT_MEMORY_FAULT)
		return false;
	if (memory_wait_idle(&machine->memory) == converted)
		return false;
	pthread_mutex_lock(&machine->lock);
	machine->counters.waited++;
	pthread_mutex_unlock(&machine->lock);
	return true;
}

static int run_loop(struct machine *machine, struct vcpu *vcpu)
{
	int rc = 0;

	while (!rc && !run_stopping(machine)) {
		uint64_t converted = memory_converted(&machine->memory);

		rc = vcpu_run(vcpu);
		if (rc == -EINTR || rc == -EAGAIN ||
		    run_met_conversion(machine, vcpu, rc, converted))
			rc = 0;
		else if (rc)
			rc = run_failed(machine, vcpu, rc);
		else
			rc = machine_exit(machine, vcpu);
	}
	return rc < 0 ? rc : 0;
}

static void run_stop(struct machine *machine)
{
	__atomic_store_n(&machine->stopping, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		__atomic_store_n(&machine->vcpus[i].run->immediate_exit, 1,
				 __ATOMIC_RELEASE);
}

static void *run_thread_main(void *data)
{
	struct run_thread *thread = data;
	struct machine *machine = thread->machine;
	uint64_t one = 1;
	bool last;
	int rc;

	rc = run_loop(machine, thread->vcpu);
	pthread_mutex_lock(&machine->lock);
	last = !--machine->running || rc;
	pthread_mutex_unlock(&machine->lock);
	/* An eventfd counter that is far from full cannot refuse. */
	if (last && write(machine->finished_fd, &one, sizeof(one)) < 0)
		return NULL;
	return NULL;
}

static void run_stop_handler(int signal_number)
{
	(void)signal_number;
}

static int run_signals_take(struct run_signals *signals)
{
	struct sigaction action = { .sa_handler = run_stop_handler };
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0)
		return -errno;
	sigaction(STOP_SIGNAL, &action, &signals->stop);
	pthread_sigmask(SIG_BLOCK, &set, &signals->mask);
	return 0;
}

/* A signal that arrived is used up here: the run has ended because of it. */
static void run_signals_restore(struct run_signals *signals)
{
	struct signalfd_siginfo info;

	while (read(signals->fd, &info, sizeof(info)) > 0)
		;
	close(signals->fd);
	pthread_sigmask(SIG_SETMASK, &signals->mask, NULL);
	sigaction(STOP_SIGNAL, &signals->stop, NULL);
}

/* Waits for the end. Return: 0, -EINTR for a signal, -ETIME for the timeout. */
static int run_wait(struct machine *machine, int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = machine->finished_fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};
	uint64_t end = machine_now_ns() +
		       machine->config.run_timeout_s * UINT64_C(1000000000);
	int timeout = -1, rc;

	for (;;) {
		uint64_t now = machine_now_ns();

		if (machine->config.run_timeout_s)
			timeout = now < end ? (int)((end - now) / 1000000) + 1 : 0;
		rc = poll(fds, 2, timeout);
		if (rc < 0 && errno != EINTR)
			return -errno;
		if (rc > 0 && fds[0].revents)
			return 0;
		if (rc > 0)
			return machine_fail(machine, -EINTR,
					    "stopped by a signal");
		if (!rc)
			return machine_fail(machine, -ETIME,
					    "stopped after %u s",
					    machine->config.run_timeout_s);
	}
}

/*
 * A thread may be between its look at stopping and a conversion when the signal
 * comes, and would then wait out the conversion's timeout: repeat it.
 */
static void run_join(struct run_thread *threads, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct timespec until;
		int rc = ETIMEDOUT;

		while (rc == ETIMEDOUT) {
			pthread_kill(threads[i].thread, STOP_SIGNAL);
			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_nsec += STOP_RETRY_MS * 1000000;
			until.tv_sec += until.tv_nsec / 1000000000;
			until.tv_nsec %= 1000000000;
			rc = pthread_timedjoin_np(threads[i].thread, NULL, &until);
		}
		if (rc)
			pthread_join(threads[i].thread, NULL);
	}
}

static int run_threads(struct machine *machine, int signal_fd)
{
	struct run_thread threads[GUEST_MAX_VCPUS];
	unsigned int count = 0;
	int rc = 0;

	machine->running = machine->nr_vcpus;
	while (!rc && count < machine->nr_vcpus) {
		threads[count].machine = machine;
		threads[count].vcpu = &machine->vcpus[count];
		rc = -pthread_create(&threads[count].thread, NULL,
				     run_thread_main, &threads[count]);
		if (rc)
			machine_fail(machine, rc, "vCPU %u: no thread: %s", count,
				     strerror(-rc));
		else
			count++;
	}
	if (!rc)
		rc = run_wait(machine, signal_fd);
	run_stop(machine);
	run_join(threads, count);
	return rc;
}

static int run_prepare(struct machine *machine, enum guest_payload payload,
		       uint64_t input_length, uint32_t rounds,
		       struct error *error)
{
	struct machine_config *config = &machine->config;
	uint64_t pattern = machine->params->pattern;
	uint64_t count;
	int rc = 0;

	*machine->params = (struct guest_params){
		.payload = payload,
		.flags = boot_hypercall_flag() |
			 (config->strategy == MEMORY_DISCARD ?
			  GUEST_F_BOUNCE : 0),
		.nr_vcpus = machine->nr_vcpus,
		.rounds = rounds,
		.memory_size = config->memory_size,
		.input_gpa = machine_input_gpa(config->strategy,
					       machine->nr_vcpus),
		.input_length = input_length,
		.bounce_gpa = GUEST_HEAP_GPA,
		.pattern = pattern,
	};
	machine->done = false;
	machine->failed = 0;
	machine->report[0] = '\0';
	machine->refusal[0] = '\0';
	machine->stopping = false;
	for (unsigned int i = 0; !rc && i < machine->nr_vcpus; i++) {
		machine->vcpus[i].run->immediate_exit = 0;
		rc = boot_vcpu(&machine->vcpus[i], error);
	}
	/* What a failed run has left behind; it is empty otherwise. */
	if (!rc && read(machine->finished_fd, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN)
		rc = error_set(error, -errno, "eventfd", "read", NULL);
	return rc;
}

int machine_run(struct machine *machine, enum guest_payload payload,
		uint64_t input_length, uint32_t rounds, struct error *error)
{
	struct run_signals signals;
	int rc;

	rc = run_prepare(machine, payload, input_length, rounds, error);
	if (rc)
		return rc;
	rc = run_signals_take(&signals);
	if (rc)
		return error_set(error, rc, "signalfd", "create", NULL);
	rc = run_threads(machine, signals.fd);
	run_signals_restore(&signals);
	if (!rc)
		rc = machine->failed;
	if (!rc && !machine->done)
		rc = machine_fail(machine, -EPROTO,
				  "all vCPUs have halted before the payload was done");
	if (rc)
		error_set(error, rc, "VM", "run payload", "%.500s",
			  machine->report);
	return rc;
}
