/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Common functions of all cases. A case is a process of its own, which prepares, measures
 * and prints rows. A case that cannot run prints the reason, and ends.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gmem_utils.h"

#define BENCH_REPEATS	15
#define BENCH_FEW	4	/* repeats of slow work */
#define BENCH_ROWS	64	/* of a case, at most */
#define BLOCK_PAGES	(SZ_2M / PAGE)

/* measure.c */

/**
 * struct bench_count - repeated measurements of the same work
 * @name: name of the work
 * @peer: the kind of memory, or what else does the work
 * @unit: unit of a value: "page", "call"
 * @units: number of units in one measurement
 * @own: count only while the thread has the CPU, because it also sleeps
 * @repeats: number of measurements, after a first one that is ignored
 * @nr: number of measurements so far
 * @began: start of the current measurement
 * @values: results of the measurements
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

/* Find out what can be counted on this machine, and print it. */
void bench_measure_setup(void);
/* Print where time is spent, instead of values. */
void bench_profile(void);
bool bench_profiles(void);
/* Whether instructions are counted; otherwise nanoseconds are */
bool bench_counts(void);
/* "instructions" or "ns" */
const char *bench_measure_name(void);
uint64_t bench_now(void);
struct bench_count bench_new(const char *name, const char *peer, const char *unit,
			     uint64_t units);
/* Whether more measurements are needed. */
bool bench_more(const struct bench_count *count);
void bench_begin(struct bench_count *count);
void bench_end(struct bench_count *count);
/* Print a row with the lower quartile and the spread. */
void bench_report(struct bench_count *count);
/* Print a row with a value that was measured otherwise, such as bytes. */
void bench_report_value(const char *name, const char *peer, const char *unit,
			double value);

/* Return: the value of a row that this process has printed; negative if there is none. */
double bench_value(const char *name, const char *peer);

/* main.c, or another program that runs a case: the two ways to end a case early */
void bench_skip(const char *why) __attribute__((noreturn));
void bench_fail(const char *what, long rc) __attribute__((noreturn));

/* A call that must succeed. */
#define must(call) ({							\
	long __rc = (long)(call);					\
									\
	if (__rc < 0)							\
		bench_fail(#call, __rc);				\
	__rc;								\
})

/* profile.c: the functions in which a measurement spends its instructions */
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
 * Populate all of the memory. After memory_scatter() neighbouring pages have no
 * neighbouring frames. After memory_gather() the frames are one aligned range; it returns
 * false if that is impossible, or if such a range cannot be mapped by one entry.
 */
void memory_scatter(struct memory *m);
bool memory_gather(struct memory *m);
/* Access one byte of each page. */
void memory_write(uint8_t *map, uint64_t length);
void memory_read(const uint8_t *map, uint64_t length);

/* helper.c: another process with the same fds, but without mappings of them */

/**
 * struct helper - another process that runs functions on request
 * @pid: its process ID
 * @ask: pipe to it
 * @answer: pipe from it
 */
struct helper {
	pid_t pid;
	int ask;
	int answer;
};

void helper_start(struct helper *helper);
/* @arg is in memory that both processes share. */
void helper_ask(struct helper *helper, void (*fn)(void *arg), void *arg);
void helper_wait(struct helper *helper);
void helper_run(struct helper *helper, void (*fn)(void *arg), void *arg);
/* Zeroed memory that both processes share. Call it before helper_start(). */
void *helper_shared(size_t size);

/* guest.c: skip a case in a VM that must not run guests */
void guest_need(void);

/* The cases */

/**
 * struct bench_case - a case
 * @name: name on the command line
 * @run: runs the case
 * @kind: kind of memory, for cases that compare kinds
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
