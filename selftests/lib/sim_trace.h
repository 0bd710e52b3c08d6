/* SPDX-License-Identifier: GPL-2.0 */
/* The trace of gmemctl's simulator in hybrid mode. */
#ifndef SELFTESTS_SIM_TRACE_H
#define SELFTESTS_SIM_TRACE_H

#include <stdio.h>

/**
 * sim_trace_differences() - show calls for which KVM and the simulator differ
 * @trace: read from the current position to the end
 * @what: name of the row in the table at the end of `make test`
 *
 * Return: number of differences.
 */
unsigned int sim_trace_differences(FILE *trace, const char *what);

#endif /* SELFTESTS_SIM_TRACE_H */
