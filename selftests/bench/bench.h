/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the cases share. A case is a process of its own; it prepares, counts and reports
 * rows. What cannot be had here is a case that says why and ends.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gmem_utils.h"

#define BENCH_REPEATS	15
#define BENCH_FEW	4	/* of what takes seconds */
#define BENCH_ROWS	64	/* of a case, at most */
#define BLOCK_PAGES	(SZ_2M / PAGE)

/* measure.c */

/**
 * struct bench_count - repeated measurements of the same work
 * @name: of the work
 * @peer: who does it
 * @unit: what a value is for: "page", "call"
 * @units: so many in one measurement
 * @own: count only what the thread does itself, for it sleeps meanwhile
 * @repeats: measurements that are wanted, after a first one that does not count
 * @nr: measurements so far
 * @began: when the one under way began
 * @values: of the measurements
 */
struct bench_count {
	const char *name;
	const char *peer;
	const char *unit;
	uint64_t units;
	bool own;
	unsigned int repeats;
	unsigned int nr;
	uint64_t began;
	uint64_t values[BENCH_REPEATS];
};

/* Find out what can be counted here, and say so. */
void bench_measure_setup(void);
/* In place of values, show where the time goes. */
void bench_profile(void);
bool bench_profiles(void);
/* Whether it is instructions that are counted, and not nanoseconds */
bool bench_counts(void);
/* "instructions" or "ns" */
const char *bench_measure_name(void);
uint64_t bench_now(void);
struct bench_count bench_new(const char *name, const char *peer, const char *unit,
			     uint64_t units);
/* Whether measurements are wanted still. */
bool bench_more(const struct bench_count *count);
void bench_begin(struct bench_count *count);
void bench_end(struct bench_count *count);
/* A line with a quartile and the spread. */
void bench_report(struct bench_count *count);
/* A line with a value that was not counted here, such as bytes. */
void bench_report_value(const char *name, const char *peer, const char *unit,
			double value);

/* The value of a row that this process has reported, or negative. */
double bench_value(const char *name, const char *peer);

/* main.c, or who else runs a case: the two ways in which a case ends early */
void bench_skip(const char *why) __attribute__((noreturn));
void bench_fail(const char *what, long rc) __attribute__((noreturn));

/* What a case relies on. */
#define must(call) ({							\
	long __rc = (long)(call);					\
									\
	if (__rc < 0)							\
		bench_fail(#call, __rc);				\
	__rc;								\
})

/* profile.c: where the instructions of a measurement go */
void profile_open(void);
void profile_begin(const struct bench_count *count);
void profile_end(const struct bench_count *count);
bool profile_more(const struct bench_count *count);
void profile_report(const struct bench_count *count);

/* memory.c */

/**
 * enum memory_kind - kinds of memory that are compared
 * @MEMORY_ANON: private anonymous memory
 * @MEMORY_MEMFD: memfd_create()
 * @MEMORY_SECRET: memfd_secret()
 * @MEMORY_GUEST_MEMFD: KVM's guest_memfd, of which the host may map all
 * @MEMORY_GMEM: a gmem fd, shared at first
 */
enum memory_kind {
	MEMORY_ANON,
	MEMORY_MEMFD,
	MEMORY_SECRET,
	MEMORY_GUEST_MEMFD,
	MEMORY_GMEM,
};

extern const char *const memory_names[];

/**
 * struct memory - memory of a kind
 * @fd: its file, or -1
 * @length: bytes
 * @map: its mapping, or NULL
 */
struct memory {
	int fd;
	uint64_t length;
	uint8_t *map;
};

void memory_open(struct memory *m, enum memory_kind kind, uint64_t length);
void memory_map(struct memory *m);
void memory_unmap(struct memory *m);
void memory_close(struct memory *m);
/*
 * Populate all of the memory: pages that are neighbours in it are none in the machine; or
 * all are, as 2 MiB of their own, and false if that cannot be had, or cannot be mapped so.
 */
void memory_scatter(struct memory *m);
bool memory_gather(struct memory *m);
/* One byte of each page. */
void memory_write(uint8_t *map, uint64_t length);
void memory_read(const uint8_t *map, uint64_t length);

/* helper.c: another process with the same fds, and nothing mapped */

/**
 * struct helper - another process that does what it is asked to
 * @pid: of it
 * @ask: pipe to it
 * @answer: pipe from it
 */
struct helper {
	pid_t pid;
	int ask;
	int answer;
};

void helper_start(struct helper *helper);
/* @arg is in memory that both have. */
void helper_ask(struct helper *helper, void (*fn)(void *arg), void *arg);
void helper_wait(struct helper *helper);
void helper_run(struct helper *helper, void (*fn)(void *arg), void *arg);
/* Zeroed memory that both have, if it is taken before helper_start(). */
void *helper_shared(size_t size);

/* guest.c: not in a VM that may have no guests */
void guest_need(void);

/* The cases */

/**
 * struct bench_case - one of them
 * @name: for the command line
 * @run: does it
 * @kind: which memory, for those that compare
 */
struct bench_case {
	const char *name;
	void (*run)(const struct bench_case *c);
	enum memory_kind kind;
};

void touch_first(const struct bench_case *c);
void touch_again(const struct bench_case *c);
void touch_unmap(const struct bench_case *c);
void touch_beside(const struct bench_case *c);
void commit_both(const struct bench_case *c);
void convert_resident(const struct bench_case *c);
void convert_one(const struct bench_case *c);
void convert_sizes(const struct bench_case *c);
void convert_huge(const struct bench_case *c);
void sparse_convert(const struct bench_case *c);
void sparse_empty(const struct bench_case *c);
void pattern_convert(const struct bench_case *c);
void held_convert(const struct bench_case *c);
void held_beside(const struct bench_case *c);
void query_fragments(const struct bench_case *c);
void state_bytes(const struct bench_case *c);
void view_convert(const struct bench_case *c);
void view_huge(const struct bench_case *c);
void view_one(const struct bench_case *c);
void store_convert(const struct bench_case *c);
void discard_copy(const struct bench_case *c);
void window_io(const struct bench_case *c);
void guest_view(const struct bench_case *c);
void guest_view_huge(const struct bench_case *c);
void guest_store(const struct bench_case *c);
void guest_discard(const struct bench_case *c);
void thread_convert(const struct bench_case *c);
void thread_fault(const struct bench_case *c);

#endif /* BENCH_H */
