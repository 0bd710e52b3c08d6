// SPDX-License-Identifier: GPL-2.0
/*
 * Injected memory errors: by madvise() for mapped memory, by hwpoison-inject for any
 * frame.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "poison.h"

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

#define INJECT_DIR "/sys/kernel/debug/hwpoison"
#define SOFT_OFFLINE "/sys/devices/system/memory/soft_offline_page"

static volatile struct poison_signal poison_seen;

static void poison_handler(int sig, siginfo_t *info, void *context)
{
	poison_seen.signals++;
	poison_seen.code = info->si_code;
	poison_seen.addr = info->si_addr;
}

const char *poison_unavailable(void)
{
	return madvise(NULL, 0, MADV_HWPOISON) ?
		       "a kernel without CONFIG_MEMORY_FAILURE" : NULL;
}

const char *poison_pfn_unavailable(void)
{
	return access(INJECT_DIR "/corrupt-pfn", F_OK) ?
		       "no " INJECT_DIR ": CONFIG_HWPOISON_INJECT" : NULL;
}

const char *poison_soft_unavailable(void)
{
	return access(SOFT_OFFLINE, F_OK) ?
		       "no " SOFT_OFFLINE ": CONFIG_MEMORY_HOTPLUG" : NULL;
}

/* The kernel may send SIGBUS to this thread, as if it had accessed the page. */
int poison_mapped(void *p, struct poison_signal *signal)
{
	struct sigaction action = {
		.sa_sigaction = poison_handler,
		.sa_flags = SA_SIGINFO,
	};
	struct sigaction old;
	int rc;

	poison_seen.signals = 0;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, &old);
	rc = madvise(p, PAGE, MADV_HWPOISON) ? -errno : 0;
	sigaction(SIGBUS, &old, NULL);
	signal->signals = poison_seen.signals;
	signal->code = poison_seen.code;
	signal->addr = poison_seen.addr;
	return rc;
}

static int poison_inject(const char *file, uint64_t pfn)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), INJECT_DIR "/%s", file);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)pfn);
	return gmem_write_file(path, text);
}

int poison_pfn(uint64_t pfn)
{
	return poison_inject("corrupt-pfn", pfn);
}

int poison_soft(uint64_t pfn)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)(pfn * PAGE));
	return gmem_write_file(SOFT_OFFLINE, text);
}

int poison_undo(uint64_t pfn)
{
	return poison_inject("unpoison-pfn", pfn);
}
