// SPDX-License-Identifier: GPL-2.0
/*
 * What the simulator has to know of the process that it runs in: its memory, its
 * signals, its files. All system calls of the simulator are here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

/*
 * Through the kernel, which answers EFAULT where a plain copy would crash: bad
 * addresses are among the things that are tested.
 */
static int own_in(void *context, void *to, uint64_t from, size_t size)
{
	struct iovec local = { to, size };
	struct iovec remote = { (void *)from, size };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)size ? 0 : -EFAULT;
}

static int own_out(void *context, uint64_t to, const void *from, size_t size)
{
	struct iovec local = { (void *)from, size };
	struct iovec remote = { (void *)to, size };

	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)size ? 0 : -EFAULT;
}

const struct sim_memory sim_process_memory = { own_in, own_out, NULL };

bool sim_process_is_interruptible(void)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM,
		SIGCHLD,
	};
	sigset_t blocked;

	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigismember(&blocked, signals[i]))
			return true;
	return false;
}

bool sim_process_has_file(int number)
{
	return fcntl(number, F_GETFD) >= 0;
}
