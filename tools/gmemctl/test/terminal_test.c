// SPDX-License-Identifier: GPL-2.0
/* The terminal's state: raw while a machine runs, and put back at any end. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <termios.h>

#include "../kvm/threads.h"
#include "../machine/console.h"
#include "test_tty.h"
#include "ksft.h"

static int master, tty;

FIXTURE(terminal) {
};

/* Where there are no terminals, the test has been skipped by then. */
FIXTURE_SETUP(terminal)
{
	tty = test_tty_open(&master);
}

FIXTURE_TEARDOWN(terminal)
{
	close(tty);
	close(master);
}

TEST_F(terminal, restore)
{
	int fds[2];

	EXPECT_FALSE(test_tty_is_raw(tty));
	EXPECT_FALSE(terminal_raw(tty));
	EXPECT_TRUE(test_tty_is_raw(tty));
	EXPECT_TRUE(terminal_is_raw());
	EXPECT_EQ(terminal_raw(tty), -EBUSY);
	EXPECT_TRUE(terminal_take());
	terminal_restore();
	EXPECT_FALSE(test_tty_is_raw(tty));
	EXPECT_FALSE(terminal_is_raw());
	EXPECT_TRUE(terminal_take());
	terminal_restore();
	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	EXPECT_FALSE(terminal_raw(fds[0]));
	EXPECT_FALSE(terminal_is_raw());
	close(fds[0]);
	close(fds[1]);
}

/* Return: what ksft_wait() says of a process that @number comes to at a raw terminal. */
static int die_of(int number, sighandler_t before)
{
	struct rlimit no_core = { 0 };
	pid_t pid;

	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(number, before);
		if (terminal_raw(tty) || !test_tty_is_raw(tty))
			_exit(1);
		kill(getpid(), number);
		if (!test_tty_is_raw(tty))
			_exit(2);
		terminal_restore();
		_exit(3);
	}
	return ksft_wait(pid);
}

static bool ends_a_process(int number)
{
	switch (number) {
	case SIGKILL:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGCONT:
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
		return false;
	default:
		/* The two between are the C library's. */
		return number < 32 || number >= SIGRTMIN;
	}
}

/* C15: each signal that ends a process puts it back, and still ends it. */
TEST_F(terminal, C15_signals)
{
	for (int i = 1; i <= SIGRTMAX; i++) {
		if (!ends_a_process(i))
			continue;
		EXPECT_EQ(die_of(i, SIG_DFL), -i);
		EXPECT_FALSE(test_tty_is_raw(tty));
	}
}

/* C15: and one that does not, for whatever reason, leaves it raw. */
TEST_F(terminal, C15_survives)
{
	static const int numbers[] = {
		SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGHUP, SIGALRM, SIGUSR2, SIGPWR,
	};

	for (unsigned int i = 0; i < 8; i++) {
		EXPECT_EQ(die_of(numbers[i], i < 4 ? SIG_DFL : SIG_IGN), 3);
		EXPECT_FALSE(test_tty_is_raw(tty));
	}
}

/* A shell with job control, in a process of its own, and its job. */
static int steps[2], done[2];
static pid_t job;

static void job_say(char what)
{
	if (write(done[1], &what, 1) != 1)
		_exit(10);
}

static char job_hear(void)
{
	char what = 'x';

	return read(steps[0], &what, 1) == 1 ? what : 'x';
}

/* As gmemctl does it: r runs, k asks for keys, e ends, s dies of a signal. */
static void __attribute__((noreturn)) job_main(bool foreground)
{
	struct signals_held before;
	int code = 0;

	setpgid(0, 0);
	if (foreground)
		tcsetpgrp(tty, getpid());
	signal(SIGTTOU, SIG_DFL);
	signal(SIGTTIN, SIG_DFL);
	while (1) {
		switch (job_hear()) {
		case 'r':
			signals_hold(&before);
			code = terminal_raw(tty);
			break;
		case 'k':
			code = !terminal_take();
			break;
		case 's':
			raise(SIGUSR2);
			break;
		default:
			terminal_restore();
			signals_release(&before);
			_exit(0);
		}
		job_say(code ? '1' : '0');
	}
}

/* Return: what the job says, s if it has been stopped, e if it has ended. */
static char shell_ask(char what)
{
	char said = '?';
	int status;

	if (write(steps[1], &what, 1) != 1)
		return '?';
	if (what != 'e' && what != 's')
		return read(done[0], &said, 1) == 1 ? said : '?';
	if (waitpid(job, &status, WUNTRACED) != job)
		return '?';
	if (WIFSTOPPED(status))
		kill(job, SIGKILL);
	return WIFSTOPPED(status) ? 's' : WIFSIGNALED(status) ? 'k' : 'e';
}

static void shell_start(bool foreground)
{
	if (pipe2(steps, O_CLOEXEC) || pipe2(done, O_CLOEXEC))
		_exit(9);
	job = fork();
	if (!job)
		job_main(foreground);
	setpgid(job, job);
	tcsetpgrp(tty, foreground ? job : getpgrp());
}

static bool shell_sets(bool echo)
{
	struct termios mine;

	if (tcgetattr(tty, &mine))
		return false;
	mine.c_lflag |= ICANON | ISIG;
	mine.c_lflag &= ~(tcflag_t)ECHO;
	mine.c_lflag |= echo ? ECHO : 0;
	return !tcsetattr(tty, TCSANOW, &mine);
}

static bool echoes(void)
{
	struct termios now;

	return !tcgetattr(tty, &now) && now.c_lflag & ECHO &&
	       now.c_lflag & ICANON;
}

/* Return: the number of a claim that is false, or 0. */
static int shell_end_in_background(char end, char expected)
{
	shell_start(true);
	if (shell_ask('r') != '0' || !test_tty_is_raw(tty))
		return 1;
	tcsetpgrp(tty, getpgrp());
	if (shell_ask(end) != expected)
		return 2;
	return echoes() ? 0 : 3;
}

/* The shell has set the terminal to its liking, which is not the job's. */
static int shell_keeps(void)
{
	shell_start(true);
	if (shell_ask('r') != '0')
		return 4;
	tcsetpgrp(tty, getpgrp());
	shell_sets(false);
	if (shell_ask('k') != '1')
		return 5;
	if (shell_ask('e') != 'e' || test_tty_is_raw(tty) || echoes())
		return 6;
	return shell_sets(true) ? 0 : 7;
}

/* Started with an ampersand: it waits for its turn, and is not stopped. */
static int shell_background(void)
{
	shell_start(false);
	if (shell_ask('r') != '0' || test_tty_is_raw(tty))
		return 8;
	if (shell_ask('k') != '1' || test_tty_is_raw(tty))
		return 9;
	tcsetpgrp(tty, job);
	if (shell_ask('k') != '0' || !test_tty_is_raw(tty))
		return 10;
	return shell_ask('e') == 'e' && echoes() ? 0 : 11;
}

/* Stopped, the terminal set by the shell, and continued in the foreground. */
static int shell_continue(void)
{
	int status;

	shell_start(true);
	if (shell_ask('r') != '0')
		return 12;
	kill(job, SIGSTOP);
	if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status))
		return 13;
	tcsetpgrp(tty, getpgrp());
	shell_sets(true);
	tcsetpgrp(tty, job);
	kill(job, SIGCONT);
	for (int i = 0; i < 1000 && !test_tty_is_raw(tty); i++)
		usleep(1000);
	if (!test_tty_is_raw(tty))
		return 14;
	return shell_ask('e') == 'e' && echoes() ? 0 : 15;
}

static int shell_main(void)
{
	int rc;

	setsid();
	if (ioctl(tty, TIOCSCTTY, 0))
		return 20;
	signal(SIGTTOU, SIG_IGN);
	rc = shell_end_in_background('e', 'e');
	if (!rc)
		rc = shell_end_in_background('s', 'k');
	if (!rc)
		rc = shell_keeps();
	if (!rc)
		rc = shell_background();
	return rc ? rc : shell_continue();
}

/* C16: no job in the background is stopped by what it does to its terminal. */
TEST_F(terminal, C16_jobs)
{
	pid_t pid;

	pid = fork();
	if (!pid) {
		alarm(20);
		_exit(shell_main());
	}
	/* If not, the number of a claim of the shell's */
	EXPECT_EQ(ksft_wait(pid), 0);
}
