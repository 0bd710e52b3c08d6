/* SPDX-License-Identifier: GPL-2.0 */
/* Settings, counters and messages of the library. */
#ifndef GMEMCTL_EXEC_REPORT_H
#define GMEMCTL_EXEC_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* Environment variables, with which `gmemctl exec` passes the settings to the library */
#define EXEC_NAME	"GMEM_EXEC_NAME"
#define EXEC_TIMEOUT	"GMEM_EXEC_TIMEOUT"
#define EXEC_STATS	"GMEM_EXEC_STATS"

#define EXEC_TIMEOUT_MS	2000

/**
 * struct exec_settings - settings of the library
 * @name: name of the VM on its control socket; NULL: no socket
 * @timeout_ms: how long a conversion waits for a held page
 * @stats: print each refused request, and the counters at the end
 */
struct exec_settings {
	const char *name;
	uint32_t timeout_ms;
	bool stats;
};

extern struct exec_settings exec_settings;

/** exec_settings_read() - read the settings from the environment */
void exec_settings_read(void);

/**
 * struct exec_counters - counters, changed atomically
 * @exits: exits of vCPUs, including those that the VMM does not see
 * @faults: exits with EFAULT after which the library has filled the view
 * @pages: pages that were filled for them
 * @conversions: successful conversions
 * @converted_bytes: bytes that they have converted
 * @refused: refused requests for a conversion
 * @zeros: pages of zeros that the VMM got in place of private ones
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

/** exec_say() - print a line on standard error */
void exec_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** exec_say_number() - print @before, @number and @after; can be called in a signal handler */
void exec_say_number(const char *before, uint64_t number, const char *after);

/** exec_say_stats() - print the counters on one line, if @stats of the settings is set */
void exec_say_stats(void);

#endif /* GMEMCTL_EXEC_REPORT_H */
