// SPDX-License-Identifier: GPL-2.0
/* Committing and punching memory by fallocate(). */
#include "bench.h"

void commit_both(const struct bench_case *c)
{
	const char *peer = memory_names[c->kind];
	struct bench_count commit = bench_new("commit 2 MiB", peer, "page", BLOCK_PAGES);
	struct bench_count decommit = bench_new("decommit 2 MiB", peer, "page",
						BLOCK_PAGES);
	struct memory m;

	memory_open(&m, c->kind, SZ_2M);
	while (bench_more(&commit)) {
		bench_begin(&commit);
		must(gmem_commit(m.fd, 0, SZ_2M));
		bench_end(&commit);
		bench_begin(&decommit);
		must(gmem_punch(m.fd, 0, SZ_2M));
		bench_end(&decommit);
	}
	bench_report(&commit);
	bench_report(&decommit);
	memory_close(&m);
}
