// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "probe.h"

#define PAGEMAP_FRAME	((UINT64_C(1) << 55) - 1)
#define PAGEMAP_PRESENT	(UINT64_C(1) << 63)

/* SIGBUS is delivered to the thread that touched the page. */
static __thread sigjmp_buf probe_back;
static __thread volatile sig_atomic_t probe_armed;
static struct sigaction probe_old_bus, probe_old_segv;

static void probe_signal(int signal_number)
{
	if (probe_armed)
		siglongjmp(probe_back, 1);
	/* The fault is not from a probe: die of it, as without the handler. */
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

int probe_start_segv(void)
{
	struct sigaction action = { .sa_handler = probe_signal };

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSEGV, &action, &probe_old_segv) ||
	    sigaction(SIGBUS, &action, &probe_old_bus))
		return -errno;
	return 0;
}

void probe_stop(void)
{
	sigaction(SIGBUS, &probe_old_bus, NULL);
	sigaction(SIGSEGV, &probe_old_segv, NULL);
}

static int probe(uint8_t *address, uint8_t *value, bool write)
{
	probe_armed = 1;
	if (sigsetjmp(probe_back, 1)) {
		probe_armed = 0;
		return -EFAULT;
	}
	if (write)
		*(volatile uint8_t *)address = *value;
	else
		*value = *(const volatile uint8_t *)address;
	probe_armed = 0;
	return 0;
}

int probe_read(const uint8_t *address, uint8_t *value)
{
	return probe((uint8_t *)address, value, false);
}

int probe_write(uint8_t *address, uint8_t value)
{
	return probe(address, &value, true);
}

int probe_frame(const void *address, uint64_t *frame)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	off_t at = (off_t)((uintptr_t)address / page * sizeof(uint64_t));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;
	ssize_t got;
	int rc;

	if (fd < 0)
		return -errno;
	got = pread(fd, &entry, sizeof(entry), at);
	rc = got < 0 ? -errno : got != sizeof(entry) ? -EIO : 0;
	close(fd);
	if (rc)
		return rc;
	if (!(entry & PAGEMAP_PRESENT))
		return -ENOENT;
	*frame = entry & PAGEMAP_FRAME;
	return *frame ? 0 : -EPERM;
}
