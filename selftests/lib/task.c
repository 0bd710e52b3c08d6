// SPDX-License-Identifier: GPL-2.0
/*
 * Threads on a given CPU, child processes, random numbers, small files, fds in messages.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gmem_utils.h"

/* Run the calling thread on this CPU only. */
int gmem_pin_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static void *task_main(void *arg)
{
	struct gmem_task *task = arg;

	if (task->cpu >= 0)
		gmem_pin_cpu(task->cpu);
	return task->fn(task->arg);
}

/*
 * Run fn(arg) in a thread, on one CPU if cpu is not negative. A program that uses another
 * CPU than 0 must contain KSFT_NEEDS_CPUS(), because not every VM has more than one.
 */
int gmem_task_start(struct gmem_task *task, int cpu, void *(*fn)(void *),
		    void *arg)
{
	int rc;

	if (cpu >= sysconf(_SC_NPROCESSORS_ONLN))
		return -ENXIO;
	task->cpu = cpu;
	task->fn = fn;
	task->arg = arg;
	rc = pthread_create(&task->thread, NULL, task_main, task);
	task->started = !rc;
	return -rc;
}

void *gmem_task_join(struct gmem_task *task)
{
	void *result = NULL;

	if (task->started)
		pthread_join(task->thread, &result);
	task->started = 0;
	return result;
}

/* Return: the exit status of a child, or 128 + the signal that has killed it. */
int gmem_wait_pid(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static char task_state(pid_t tid)
{
	char path[64], buf[256], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (gmem_read_file(path, buf, sizeof(buf)) < 0)
		return '\0';
	p = strrchr(buf, ')');
	return p && p[1] ? p[2] : '\0';
}

/* Wait until a task sleeps in the kernel: three checks in a row find it asleep. */
int gmem_wait_sleeping(pid_t tid, int timeout_ms)
{
	int asleep = 0;
	char state;

	for (; timeout_ms > 0; timeout_ms -= 10) {
		state = task_state(tid);
		if (!state)
			return -ESRCH;
		asleep = state == 'S' || state == 'D' ? asleep + 1 : 0;
		if (asleep == 3)
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

/* xorshift64*: small, and the same on all machines. */
uint64_t gmem_rand(uint64_t *state)
{
	uint64_t x = *state ? *state : 0x9e3779b97f4a7c15ULL;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

/* Return: GMEM_STRESS_SECONDS, or 60 if it is not set. */
unsigned int gmem_stress_seconds(void)
{
	const char *env = getenv("GMEM_STRESS_SECONDS");
	unsigned long seconds = env ? strtoul(env, NULL, 10) : 0;

	return seconds ? (unsigned int)seconds : 60;
}

/* Read a small file as a string. Return: its length, or a negative errno. */
int gmem_read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (have < size - 1 &&
	       (n = read(fd, buf + have, size - 1 - have)) > 0)
		have += n;
	if (n < 0 && !have) {
		n = -errno;
		close(fd);
		return (int)n;
	}
	close(fd);
	buf[have] = '\0';
	return (int)have;
}

/* Write a string with one write(). */
int gmem_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		rc = -errno;
	close(fd);
	return rc;
}

union fd_message {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int gmem_send_fd(int sock, int fd)
{
	union fd_message control = { 0 };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

int gmem_recv_fd(int sock)
{
	union fd_message control = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}
