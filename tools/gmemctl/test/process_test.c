// SPDX-License-Identifier: GPL-2.0
/* What a process inherits: closed files, blocked signals, files that do not wait. */
#include <fcntl.h>
#include <sys/resource.h>

#include "../cli/command.h"
#include "ksft.h"

#define LINES 4000

/* Return: the exit status of a child that does this. */
static int in_child(int (*work)(unsigned int data), unsigned int data)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(work(data));
	return ksft_wait(pid);
}

/* Files of @closed are closed; none that is opened gets one of their numbers. */
static int start_without(unsigned int closed)
{
	char byte = 'x';

	for (int i = 0; i < 3; i++)
		if (closed & 1U << i)
			close(i);
	if (process_start())
		return 1;
	for (int i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) < 0)
			return 2;
	if (open("/dev/null", O_RDWR | O_CLOEXEC) < 3)
		return 3;
	/* To use what was closed is an error, as it was. */
	if (closed & 1 && (read(0, &byte, 1) >= 0 || errno != EBADF))
		return 4;
	if (closed & 1 && read(open("/dev/stdin", O_RDONLY), &byte, 1) >= 0)
		return 7;
	if (closed & 2 && (printf("lost\n") < 0 || !fflush(stdout)))
		return 5;
	if (closed & 4 && fprintf(stderr, "lost\n") >= 0 && !ferror(stderr))
		return 6;
	return 0;
}

/* C12: standard input, output, error, and any of them together */
TEST_OF(process, C12_closed)
{
	for (unsigned int closed = 0; closed < 8; closed++)
		EXPECT_FALSE(in_child(start_without, closed));
}

static int start_blocked(unsigned int unused)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	if (process_start() || pthread_sigmask(SIG_SETMASK, NULL, &set))
		return 1;
	/* A handler of SIGBUS has to be called; the rest is the parent's choice. */
	return sigismember(&set, SIGBUS) || sigismember(&set, SIGSEGV) ||
	       !sigismember(&set, SIGALRM);
}

/* C13 */
TEST_OF(process, C13_blocked)
{
	EXPECT_FALSE(in_child(start_blocked, 0));
}

static int start_small(unsigned int unused)
{
	static const struct rlimit none;
	int file = memfd_create("small", MFD_CLOEXEC);

	if (file < 0 || dup2(file, 1) < 0 || process_start() || setrlimit(RLIMIT_FSIZE, &none))
		return 1;
	return puts("lost") < 0 || !fflush(stdout) || errno != EFBIG;
}

/* C11: an error that can be said, and no signal */
TEST_OF(process, C11_small)
{
	EXPECT_FALSE(in_child(start_small, 0));
}

static int output[2];

static int write_lines(unsigned int to_stderr)
{
	if (dup2(output[1], 1) < 0 || dup2(output[1], 2) < 0)
		return 1;
	close(output[0]);
	close(output[1]);
	if (process_start())
		return 2;
	for (int i = 0; i < LINES; i++)
		fprintf(to_stderr ? stderr : stdout, "line %08d and more\n", i);
	return fflush(stdout) || ferror(stdout) || ferror(stderr);
}

/* Return: how many of the lines arrive, in their order. */
static int count_lines(void)
{
	FILE *file = fdopen(output[0], "r");
	char line[64];
	int count = 0, number;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "line %d and", &number) == 1 && number == count)
			count++;
	if (file)
		fclose(file);
	return count;
}

static void check_late(unsigned int to_stderr)
{
	pid_t pid;

	EXPECT_FALSE(pipe2(output, O_CLOEXEC));
	EXPECT_FALSE(fcntl(output[1], F_SETFL, O_NONBLOCK));
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(write_lines(to_stderr));
	close(output[1]);
	usleep(20000);
	EXPECT_EQ(count_lines(), LINES);
	EXPECT_FALSE(ksft_wait(pid));
}

/* C18: all that is printed, not only the guest's console, waits for its reader. */
TEST_OF(process, C18_late)
{
	check_late(0);
	check_late(1);
}

static void no_handler(int number)
{
}

static void *trace_main(void *data)
{
	FILE *stream = data;

	for (int i = 0; i < LINES; i++)
		fprintf(stream, "line %08d and more\n", i);
	return NULL;
}

/* With a reader that does not read, a thread other than the first is stopped. */
static int stop_writer(unsigned int flags)
{
	struct sigaction action = { .sa_handler = no_handler };
	pthread_t thread;

	alarm(100);
	sigaction(SIGUSR1, &action, NULL);
	if (pipe2(output, O_CLOEXEC) || fcntl(output[1], F_SETFL, flags) ||
	    fcntl(output[1], F_SETPIPE_SZ, 4096) < 0 ||
	    dup2(output[1], 2) < 0 || process_start() ||
	    pthread_create(&thread, NULL, trace_main, stderr))
		return 1;
	usleep(20000);
	if (!pthread_tryjoin_np(thread, NULL))
		return 2;
	while (pthread_tryjoin_np(thread, NULL)) {
		pthread_kill(thread, SIGUSR1);
		usleep(10);
	}
	return 0;
}

TEST_OF(process, C18_stopped)
{
	EXPECT_FALSE(in_child(stop_writer, 0));
	EXPECT_FALSE(in_child(stop_writer, O_NONBLOCK));
}

static unsigned int asked;

static bool over_soon(void)
{
	return ++asked > 2;
}

/* With a reader that does not read: it is waited for until the command is over, and given up. */
static int end_deaf(unsigned int flags)
{
	static char lines[1 << 17];

	alarm(100);
	if (pipe2(output, O_CLOEXEC) || fcntl(output[1], F_SETFL, flags) ||
	    dup2(output[1], 1) < 0 || process_start())
		return 1;
	process_end_when(over_soon);
	fwrite(lines, 1, sizeof(lines), stdout);
	if (!ferror(stdout) || errno != ETIME || asked < 4)
		return 2;
	/* It is not waited for again. */
	asked = 0;
	fwrite(lines, 1, sizeof(lines), stdout);
	return errno != ETIME || asked ? 3 : 0;
}

TEST_OF(process, deaf)
{
	EXPECT_FALSE(in_child(end_deaf, 0));
	EXPECT_FALSE(in_child(end_deaf, O_NONBLOCK));
}
