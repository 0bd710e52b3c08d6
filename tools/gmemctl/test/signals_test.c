// SPDX-License-Identifier: GPL-2.0
/* Signals as the process that has started this one has left them. */
#include "../kvm/threads.h"
#include "../kvm/vcpu.h"
#include "ksft.h"

/* A guest that does not exit: only a signal ends what is like its KVM_RUN. */
static int endless_loop(void *data, struct vcpu *vcpu)
{
	struct threads *threads = data;

	while (!threads_stopping(threads)) {
		struct timespec long_time = { .tv_sec = 10 };

		nanosleep(&long_time, NULL);
	}
	return 0;
}

/* The end for another reason, a while later */
static void *end_main(void *data)
{
	usleep(20000);
	threads_end(data);
	return NULL;
}

/* Return: what threads_run() returns, positive. */
static int run_endless(int number)
{
	static struct kvm_run area;
	struct vcpu vcpu = { .fd = -1, .run = &area };
	struct threads threads;
	pthread_t end;
	int rc;

	threads_init(&threads, endless_loop, &threads, NULL);
	threads.vcpus = &vcpu;
	threads.count = 1;
	if (threads_prepare(&threads, NULL) ||
	    threads_start(&end, end_main, &threads))
		return 100;
	if (number)
		kill(getpid(), number);
	rc = -threads_run(&threads, 0);
	pthread_join(end, NULL);
	threads_destroy(&threads);
	return rc;
}

/* Return: the exit status of a process for which @prepare has been called. */
static int in_process(void (*prepare)(int number), int number, int sent)
{
	struct signals_held before;
	pid_t pid;

	pid = fork();
	if (!pid) {
		alarm(8);
		prepare(number);
		signals_hold(&before);
		_exit(run_endless(sent));
	}
	return ksft_wait(pid);
}

static void prepare_blocked(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void prepare_all_blocked(int number)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void prepare_ignored(int number)
{
	signal(number, SIG_IGN);
}

/* C13: whatever the parent has blocked, a guest that does not exit is ended. */
TEST_OF(signals, C13_blocked)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	EXPECT_FALSE(in_process(prepare_blocked, SIGUSR1, 0));
	for (unsigned int i = 0; i < 4; i++) {
		EXPECT_EQ(in_process(prepare_blocked, SIGUSR1, numbers[i]), EINTR);
		EXPECT_EQ(in_process(prepare_all_blocked, 0, numbers[i]), EINTR);
	}
}

/* C14: what was ignored at the start is ignored, and the others are not. */
TEST_OF(signals, C14_ignored)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

	for (unsigned int i = 0; i < 4; i++) {
		int other = numbers[(i + 1) % 4];

		EXPECT_FALSE(in_process(prepare_ignored, numbers[i], numbers[i]));
		EXPECT_EQ(in_process(prepare_ignored, numbers[i], other), EINTR);
	}
	/* The thread of the vCPU needs this one. */
	EXPECT_EQ(in_process(prepare_ignored, SIGUSR1, SIGTERM), EINTR);
}

static bool has_end_signal(int number)
{
	sigset_t set;

	signals_end_set(&set);
	return sigismember(&set, number);
}

TEST_OF(signals, C14_end_set)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

	for (unsigned int i = 0; i < 4; i++) {
		sighandler_t before = signal(numbers[i], SIG_IGN);

		EXPECT_FALSE(has_end_signal(numbers[i]));
		EXPECT_TRUE(has_end_signal(numbers[(i + 1) % 4]));
		signal(numbers[i], before);
		EXPECT_TRUE(has_end_signal(numbers[i]));
	}
}

static void *mask_main(void *data)
{
	pthread_sigmask(SIG_SETMASK, NULL, data);
	return NULL;
}

/* C15: a crash of another thread has to reach the handler, and nothing else. */
TEST_OF(signals, C15_thread)
{
	pthread_t thread;
	sigset_t mask;

	EXPECT_FALSE(threads_start(&thread, mask_main, &mask));
	EXPECT_FALSE(pthread_join(thread, NULL));
	EXPECT_FALSE(sigismember(&mask, SIGSEGV));
	EXPECT_FALSE(sigismember(&mask, SIGBUS));
	EXPECT_FALSE(sigismember(&mask, SIGFPE));
	EXPECT_FALSE(sigismember(&mask, SIGILL));
	EXPECT_TRUE(sigismember(&mask, SIGTERM));
	EXPECT_TRUE(sigismember(&mask, SIGUSR1));
	EXPECT_TRUE(sigismember(&mask, SIGALRM));
	EXPECT_TRUE(sigismember(&mask, SIGRTMIN));
}
