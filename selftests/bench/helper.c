// SPDX-License-Identifier: GPL-2.0
/*
 * Another process. For instance it converts pages, but has no view that the kernel would
 * fill.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench.h"

struct request {
	void (*fn)(void *arg);
	void *arg;
};

static void helper_serve(int ask, int answer)
{
	struct request request;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(ask, &request, sizeof(request)) == sizeof(request)) {
		request.fn(request.arg);
		if (write(answer, "", 1) != 1)
			break;
	}
	_exit(0);
}

void helper_start(struct helper *helper)
{
	int ask[2], answer[2];

	if (bench_profiles())
		bench_skip("another process is not profiled");
	must(pipe(ask));
	must(pipe(answer));
	helper->pid = (pid_t)must(fork());
	if (!helper->pid) {
		close(ask[1]);
		helper_serve(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	helper->ask = ask[1];
	helper->answer = answer[0];
}

void helper_ask(struct helper *helper, void (*fn)(void *arg), void *arg)
{
	struct request request = { .fn = fn, .arg = arg };

	if (write(helper->ask, &request, sizeof(request)) != sizeof(request))
		bench_fail("helper", -EPIPE);
}

void helper_wait(struct helper *helper)
{
	char byte;

	if (read(helper->answer, &byte, 1) != 1)
		bench_fail("helper", -EPIPE);
}

void helper_run(struct helper *helper, void (*fn)(void *arg), void *arg)
{
	helper_ask(helper, fn, arg);
	helper_wait(helper);
}

void *helper_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bench_fail("mmap()", -errno);
	return p;
}
