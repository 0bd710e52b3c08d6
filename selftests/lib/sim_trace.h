/* SPDX-License-Identifier: GPL-2.0 */
/* What the trace of gmemctl's simulator in hybrid mode says. */
#ifndef SELFTESTS_SIM_TRACE_H
#define SELFTESTS_SIM_TRACE_H

#include <stdio.h>

/**
 * sim_trace_differences() - show the calls that KVM answered in another way
 * @trace: from here to its end
 * @what: row of the table at the end of `make test`
 *
 * Return: how many.
 */
unsigned int sim_trace_differences(FILE *trace, const char *what);

#endif /* SELFTESTS_SIM_TRACE_H */
