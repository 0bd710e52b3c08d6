// SPDX-License-Identifier: GPL-2.0
/* What happens to this process while a PC without vCPUs does a job. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../machine/pc_control.h"
#include "kvm_fake.h"
#include "test_tty.h"
#include "ksft.h"

static struct pc pc;
static struct pc_config config;
static int terminal = -1;
static unsigned int jobs;

static int no_loop(void *data, struct vcpu *unused)
{
	(void)data;
	(void)unused;
	return 0;
}

static void start(int input)
{
	kvm_fake_start();
	memset(&pc, 0, sizeof(pc));
	/* Were nothing to end it, the time would. */
	config = (struct pc_config){ .machine.run_timeout_s = 20 };
	pc.config = &config;
	pc.machine.vm.fd = kvm_fake.vm.fd;
	pc.machine.memory.memfd.fd = -1;
	pthread_mutex_init(&pc.machine.lock, NULL);
	pthread_mutex_init(&pc.still, NULL);
	EXPECT_FALSE(threads_init(&pc.machine.threads, no_loop, &pc, NULL));
	EXPECT_FALSE(console_open(&pc.console, input, -1, NULL));
	EXPECT_FALSE(pc_devices(&pc, NULL));
	jobs = 0;
}

static void stop(void)
{
	console_close(&pc.console);
	pc_devices_destroy(&pc);
	threads_destroy(&pc.machine.threads);
	pthread_mutex_destroy(&pc.still);
	pthread_mutex_destroy(&pc.machine.lock);
	calls = &calls_system;
}

static void post(void (*work)(struct pc *pc, struct pc_job *job,
			      struct error *error))
{
	struct pc_job *job = calloc(1, sizeof(*job));

	job->work = work;
	job->fd = -1;
	EXPECT_FALSE(pc_job_post(&pc, job));
}

static void work_signal(struct pc *unused, struct pc_job *job,
			struct error *error)
{
	(void)unused;
	(void)job;
	EXPECT_FALSE(error->rc);
	jobs++;
	EXPECT_FALSE(kill(getpid(), SIGINT));
}

/* Like a guest that is saved, and is to end then. */
static void work_end(struct pc *of, struct pc_job *job, struct error *error)
{
	work_signal(of, job, error);
	machine_end(&of->machine, END_SAVED, NULL);
}

static void work_terminal(struct pc *of, struct pc_job *job,
			  struct error *error)
{
	(void)job;
	EXPECT_FALSE(error->rc);
	EXPECT_TRUE(test_tty_is_raw(terminal));
	jobs++;
	machine_end(&of->machine, END_SAVED, NULL);
}

/* To a reader who has gone. */
static void work_write(struct pc *of, struct pc_job *job, struct error *error)
{
	int fds[2];

	(void)job;
	EXPECT_FALSE(error->rc);
	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	jobs++;
	close(fds[0]);
	EXPECT_LT(write(fds[1], "x", 1), 0);
	EXPECT_EQ(errno, EPIPE);
	close(fds[1]);
	machine_end(&of->machine, END_SAVED, NULL);
}

static bool end_signals_blocked(void)
{
	sigset_t mask;

	return !pthread_sigmask(SIG_SETMASK, NULL, &mask) &&
	       sigismember(&mask, SIGINT);
}

/* It ends the machine once the job is done, and not the process. */
TEST_OF(pc_run, signal)
{
	start(-1);
	post(work_signal);
	EXPECT_FALSE(pc_run(&pc, NULL));
	EXPECT_EQ(jobs, 1);
	EXPECT_EQ(pc.machine.end, END_SIGNAL);
	EXPECT_FALSE(end_signals_blocked());
	stop();
	start(-1);
	post(work_end);
	EXPECT_FALSE(pc_run(&pc, NULL));
	EXPECT_EQ(jobs, 1);
	EXPECT_EQ(pc.machine.end, END_SAVED);
	EXPECT_FALSE(end_signals_blocked());
	stop();
}

/* It is an error of the write, and no end of the VM. */
TEST_OF(pc_run, write)
{
	struct sigaction pipes, action;

	EXPECT_FALSE(sigaction(SIGPIPE, NULL, &pipes));
	start(-1);
	post(work_write);
	EXPECT_FALSE(pc_run(&pc, NULL));
	EXPECT_EQ(jobs, 1);
	EXPECT_EQ(pc.machine.end, END_SAVED);
	EXPECT_FALSE(sigaction(SIGPIPE, NULL, &action));
	EXPECT_EQ(action.sa_handler, pipes.sa_handler);
	stop();
}

/* Keys are the guest's, also while it does not run. */
TEST_OF(pc_run, terminal)
{
	int master;

	terminal = test_tty_open(&master);
	if (terminal < 0)
		return;
	start(terminal);
	post(work_terminal);
	EXPECT_FALSE(pc_run(&pc, NULL));
	EXPECT_EQ(jobs, 1);
	EXPECT_EQ(pc.machine.end, END_SAVED);
	EXPECT_FALSE(test_tty_is_raw(terminal));
	stop();
	close(terminal);
	close(master);
}
