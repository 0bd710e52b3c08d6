/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer of fuzz_test: random calls with mostly meaningful arguments.
 *
 * A round is a process with several threads that share descriptors and an address range,
 * the arena. The threads record calls and results in memory that they share with the
 * parent process, which watches them.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gmem_utils.h"

#define FUZZ_THREADS 4
#define FUZZ_MAX_CALLS 64
#define FUZZ_MAX_ERRNO 133		/* EHWPOISON: the largest errno of userspace */
#define FUZZ_ARGS 6
#define FUZZ_ARENA (32 * SZ_2M)
#define FUZZ_VIEWS (8 * SZ_2M)		/* at the end of the arena, for views */
#define FUZZ_PLACE SZ_2M		/* for each mapping; a mapping cannot be split */
#define FUZZ_GUARD SZ_2M		/* behind each: stops overruns */
#define FUZZ_IO (64 * PAGE)

/* Kinds of descriptors; each kind has slots of its own. */
enum fuzz_kind {
	FUZZ_DEV,
	FUZZ_GMEM,
	FUZZ_VIEW,
	FUZZ_MOCK,
	FUZZ_VM,
	FUZZ_STORE,
	FUZZ_OTHER,
	FUZZ_KINDS,
};

#define FUZZ_SLOTS 6			/* of each kind */

struct fuzz_slot {
	int fd;				/* may be closed already */
	uint64_t length;
};

/* Results of a call: results[0] counts successes. */
struct fuzz_count {
	uint64_t calls;
	uint64_t results[FUZZ_MAX_ERRNO + 1];
};

struct fuzz_args {
	uint64_t arg[FUZZ_ARGS];
};

/* What a thread is doing, for the watchdog. */
struct fuzz_note {
	pid_t tid;
	uint32_t call;
	bool busy;
	uint64_t since_ms;
	uint64_t number;
	struct fuzz_args args;
};

struct fuzz_shared {
	int stop;
	unsigned int poison_left;
	struct fuzz_note note[FUZZ_THREADS];
	struct fuzz_count count[FUZZ_MAX_CALLS];
	int bad;			/* a result that is not allowed */
	char why[160];
};

struct fuzz {
	struct fuzz_shared *shared;
	pthread_barrier_t start;	/* no stack is mapped while calls leave holes */
	uint8_t *arena;
	struct fuzz_slot slot[FUZZ_KINDS][FUZZ_SLOTS];
};

struct fuzz_thread {
	struct fuzz *fuzz;
	struct fuzz_note *note;
	struct gmem_task task;
	uint64_t rng;
	uint32_t held[4];		/* ids of the mock's holds */
	uint8_t *buffer;		/* a page, followed by an unmapped one */
	uint8_t *io;			/* FUZZ_IO bytes, followed by an unmapped page */
	uint8_t *readonly;
	int event_fd;
};

/* A kind of call. It returns 0 or more, or a negative errno. */
struct fuzz_call {
	const char *name;
	unsigned int weight;
	long (*fn)(struct fuzz_thread *t);
	/* Allowed errnos, with 0 at the end; NULL: all. */
	const uint8_t *errnos;
};

/* fuzz_values.c: random arguments */
uint64_t fuzz_rand(struct fuzz_thread *t, uint64_t below);
bool fuzz_chance(struct fuzz_thread *t, unsigned int one_in);
uint64_t fuzz_number(struct fuzz_thread *t);
uint64_t fuzz_offset(struct fuzz_thread *t, uint64_t length);
uint64_t fuzz_length(struct fuzz_thread *t, uint64_t offset, uint64_t length);
uint32_t fuzz_u32(struct fuzz_thread *t, uint32_t valid);
struct fuzz_slot *fuzz_slot(struct fuzz_thread *t, enum fuzz_kind kind);
int fuzz_fd(struct fuzz_thread *t, enum fuzz_kind kind, uint64_t *length);
void fuzz_put_fd(struct fuzz_thread *t, enum fuzz_kind kind, int fd,
		 uint64_t length);
uint8_t *fuzz_address(struct fuzz_thread *t);
uint8_t *fuzz_view_address(struct fuzz_thread *t);
void *fuzz_bad_pointer(struct fuzz_thread *t);
void fuzz_note_args(struct fuzz_thread *t, struct fuzz_args args);

#define fuzz_args(t, ...)						\
	fuzz_note_args(t, (struct fuzz_args){ { __VA_ARGS__ } })

/* fuzz_ioctls.c, fuzz_calls.c: tables that end with a NULL name */
extern const struct fuzz_call fuzz_ioctls[];
extern const struct fuzz_call fuzz_calls[];

/* Create the descriptors that a round starts with. */
int fuzz_populate(struct fuzz_thread *t);

#endif /* FUZZ_H */
