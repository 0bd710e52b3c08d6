// SPDX-License-Identifier: GPL-2.0
/*
 * Loads and stores that may raise a signal, and what the kernel reports about the page at
 * an address.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_utils.h"

static __thread sigjmp_buf access_env;
static __thread volatile sig_atomic_t access_armed;
static __thread volatile sig_atomic_t access_ignored;
static __thread int access_code;
static __thread void *access_addr;

static void access_handler(int sig, siginfo_t *info, void *context)
{
	if (access_ignored)
		return;
	if (!access_armed) {
		/*
		 * Not an access of gmem_try_*(): die of the signal, as without a handler.
		 */
		signal(sig, SIG_DFL);
		return;
	}
	access_code = info->si_code;
	access_addr = info->si_addr;
	siglongjmp(access_env, sig);
}

static void access_install(void)
{
	struct sigaction sa = {
		.sa_sigaction = access_handler,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
}

static void access_arm(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, access_install);
	access_code = 0;
	access_addr = NULL;
	access_armed = 1;
}

/* Return: 0, or the signal that the load has raised. */
int gmem_try_read(const volatile void *p, uint8_t *value)
{
	uint8_t byte;
	int sig;

	access_arm();
	sig = sigsetjmp(access_env, 0);
	if (!sig) {
		byte = *(const volatile uint8_t *)p;
		if (value)
			*value = byte;
	}
	access_armed = 0;
	return sig;
}

/* Return: 0, or the signal that the store has raised. */
int gmem_try_write(volatile void *p, uint8_t value)
{
	int sig;

	access_arm();
	sig = sigsetjmp(access_env, 0);
	if (!sig)
		*(volatile uint8_t *)p = value;
	access_armed = 0;
	return sig;
}

/*
 * Copy bytes. Return: 0, or the signal that was raised; part may have been copied then.
 */
int gmem_try_copy(void *dst, const void *src, size_t length)
{
	int sig;

	access_arm();
	sig = sigsetjmp(access_env, 0);
	if (!sig)
		memcpy(dst, src, length);
	access_armed = 0;
	return sig;
}

/* Call madvise(), which may raise a signal. Return: 0 or a negative errno. */
int gmem_try_madvise(void *p, size_t length, int advice)
{
	int rc;

	access_arm();
	access_armed = 0;
	access_ignored = 1;
	rc = madvise(p, length, advice) ? -errno : 0;
	access_ignored = 0;
	return rc;
}

/* The si_code and si_addr of the last signal in a gmem_try_*() of this thread. */
int gmem_signal_code(void)
{
	return access_code;
}

void *gmem_signal_addr(void)
{
	return access_addr;
}

void gmem_fill(void *p, uint8_t value, size_t length)
{
	memset(p, value, length);
}

/*
 * Return: the index of the first byte that differs from value; length if there is none.
 */
size_t gmem_differs(const void *p, uint8_t value, size_t length)
{
	const uint8_t *bytes = p;
	size_t i;

	if (!length || (bytes[0] == value &&
			!memcmp(bytes, bytes + 1, length - 1)))
		return length;
	for (i = 0; i < length && bytes[i] == value; i++)
		;
	return i;
}

/*
 * Return: the frame number of the page at p; 0 if none is mapped, or without root's
 * rights.
 */
uint64_t gmem_pfn(const void *p)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t pos = (off_t)((uintptr_t)p / PAGE * sizeof(entry));

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), pos) != sizeof(entry))
		entry = 0;
	close(fd);
	if (!(entry >> 63))
		return 0;
	return entry & ((1ULL << 55) - 1);
}

/* Whether VmFlags in smaps has this two-letter flag for the VMA of p. */
bool gmem_vm_flag(const void *p, const char *flag)
{
	unsigned long start, end;
	bool inside = false, found = false;
	char line[512], word[8];
	FILE *f = fopen("/proc/self/smaps", "re");

	if (!f)
		return false;
	snprintf(word, sizeof(word), " %s ", flag);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)p >= start && (uintptr_t)p < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, word);
	}
	fclose(f);
	return found;
}
