// SPDX-License-Identifier: GPL-2.0
/* What happens to this process while a PC without vCPUs does a job. */
#include <fcntl.h>

#include "kvm_fake.h"
#include "pc_fake.h"
#include "test_tty.h"
#include "ksft.h"

static struct pc pc;
static struct pc_config config;
static int terminal = -1;
static unsigned int jobs;

static void (*work)(struct pc *pc, struct pc_job *job, struct error *error);

static void work_count(struct pc *of, struct pc_job *job, struct error *error)
{
	EXPECT_FALSE(error->rc);
	jobs++;
	work(of, job, error);
}

/* Run a PC, with a job that comes first, until it ends. */
static enum end run(int input, void (*what)(struct pc *pc, struct pc_job *job, struct error *error))
{
	struct pc_job *job = calloc(1, sizeof(*job));
	sigset_t mask;
	enum end end;

	kvm_fake_start();
	memset(&pc, 0, sizeof(pc));
	/* Were nothing to end it, the time would. */
	config = (struct pc_config){ .machine.run_timeout_s = 20 };
	pc.config = &config;
	pthread_mutex_init(&pc.still, NULL);
	EXPECT_TRUE(machine_fake_start(&pc.machine, &config.machine));
	EXPECT_FALSE(console_open(&pc.console, input, -1, NULL));
	EXPECT_FALSE(pc_devices(&pc, NULL));
	jobs = 0;
	job->work = work_count;
	job->fd = -1;
	work = what;
	EXPECT_FALSE(pc_job_post(&pc, job));
	EXPECT_FALSE(pc_run(&pc, NULL));
	EXPECT_EQ(jobs, 1);
	EXPECT_FALSE(pthread_sigmask(SIG_SETMASK, NULL, &mask));
	EXPECT_FALSE(sigismember(&mask, SIGINT));
	EXPECT_FALSE(input >= 0 && test_tty_is_raw(input));
	end = pc.machine.end;
	console_close(&pc.console);
	pc_devices_destroy(&pc);
	machine_fake_stop(&pc.machine);
	pthread_mutex_destroy(&pc.still);
	return end;
}

static void work_signal(struct pc *unused, struct pc_job *job, struct error *error)
{
	EXPECT_FALSE(kill(getpid(), SIGINT));
}

/* Like a guest that is saved, and is to end then. */
static void work_end(struct pc *of, struct pc_job *job, struct error *error)
{
	work_signal(of, job, error);
	machine_end(&of->machine, END_SAVED, NULL);
}

static void work_terminal(struct pc *of, struct pc_job *job, struct error *error)
{
	EXPECT_TRUE(test_tty_is_raw(terminal));
	machine_end(&of->machine, END_SAVED, NULL);
}

/* To a reader who has gone. */
static void work_write(struct pc *of, struct pc_job *job, struct error *error)
{
	int fds[2];

	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	close(fds[0]);
	EXPECT_LT(write(fds[1], "x", 1), 0);
	EXPECT_EQ(errno, EPIPE);
	close(fds[1]);
	machine_end(&of->machine, END_SAVED, NULL);
}

/* It ends the machine once the job is done, and not the process. */
TEST_OF(pc_run, signal)
{
	EXPECT_EQ(run(-1, work_signal), END_SIGNAL);
	EXPECT_EQ(run(-1, work_end), END_SAVED);
}

/* It is an error of the write, and no end of the VM. */
TEST_OF(pc_run, write)
{
	struct sigaction pipes, action;

	EXPECT_FALSE(sigaction(SIGPIPE, NULL, &pipes));
	EXPECT_EQ(run(-1, work_write), END_SAVED);
	EXPECT_FALSE(sigaction(SIGPIPE, NULL, &action));
	EXPECT_EQ(action.sa_handler, pipes.sa_handler);
}

/* Keys are the guest's, also while it does not run. */
TEST_OF(pc_run, terminal)
{
	int master;

	terminal = test_tty_open(&master);
	if (terminal < 0)
		return;
	EXPECT_EQ(run(terminal, work_terminal), END_SAVED);
	close(terminal);
	close(master);
}
