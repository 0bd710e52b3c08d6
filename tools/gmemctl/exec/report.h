/* SPDX-License-Identifier: GPL-2.0 */
/* What the library was told, what it has done, and what it says about that. */
#ifndef GMEMCTL_EXEC_REPORT_H
#define GMEMCTL_EXEC_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* What `gmemctl exec` says to the library, in the environment */
#define EXEC_NAME	"GMEM_EXEC_NAME"
#define EXEC_TIMEOUT	"GMEM_EXEC_TIMEOUT"
#define EXEC_STATS	"GMEM_EXEC_STATS"

#define EXEC_TIMEOUT_MS	2000

/**
 * struct exec_settings - what the library was told
 * @name: of the VM, on its control socket; NULL: no socket
 * @timeout_ms: how long a conversion waits for a page that somebody holds
 * @stats: say each refusal, and at the end what was done
 */
struct exec_settings {
	const char *name;
	uint32_t timeout_ms;
	bool stats;
};

extern struct exec_settings exec_settings;

/** exec_settings_read() - from the environment */
void exec_settings_read(void);

/**
 * struct exec_counters - what was done, changed atomically
 * @exits: of vCPUs, those among them that the VMM does not see
 * @faults: exits with EFAULT that were answered
 * @pages: that were put into views for them
 * @conversions: that have succeeded
 * @converted_bytes: by them
 * @refused: requests to convert that were refused
 * @zeros: pages of zeros that the VMM was given in the place of private ones
 */
struct exec_counters {
	uint64_t exits;
	uint64_t faults;
	uint64_t pages;
	uint64_t conversions;
	uint64_t converted_bytes;
	uint64_t refused;
	uint64_t zeros;
};

extern struct exec_counters exec_counters;

static inline void exec_count(uint64_t *counter, uint64_t number)
{
	__atomic_add_fetch(counter, number, __ATOMIC_RELAXED);
}

static inline uint64_t exec_counted(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/** exec_say() - a line on standard error */
void exec_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** exec_say_number() - the same for a signal handler: @before, @number, @after */
void exec_say_number(const char *before, uint64_t number, const char *after);

/** exec_say_stats() - one line about what was done, if asked for */
void exec_say_stats(void);

#endif /* GMEMCTL_EXEC_REPORT_H */
