/* SPDX-License-Identifier: GPL-2.0 */
/* What gmem_bench writes, shown as a table or as JSON. */
#ifndef GMEMCTL_CLI_BENCH_ROWS_H
#define GMEMCTL_CLI_BENCH_ROWS_H

#include <stdio.h>

/**
 * bench_rows_show() - show rows, cases that were left out, and failures, as they come
 * @stream: the lines of selftests/bench/main.c, to its end
 */
void bench_rows_show(FILE *stream);

#endif /* GMEMCTL_CLI_BENCH_ROWS_H */
