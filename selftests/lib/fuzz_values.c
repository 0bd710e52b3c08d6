// SPDX-License-Identifier: GPL-2.0
/*
 * Values for the fuzzer: mostly valid ones, often at a limit, sometimes invalid.
 */
#include <unistd.h>

#include "fuzz.h"

static const uint64_t numbers[] = {
	0, 1, 2, 7, 8, 255, 4095, 4096, 4097, 8192, 65535, 65536,
	SZ_2M - PAGE, SZ_2M, SZ_2M + PAGE, SZ_1G - PAGE, SZ_1G, SZ_1G + PAGE,
	GMEM_LENGTH_MAX - PAGE, GMEM_LENGTH_MAX, GMEM_LENGTH_MAX + PAGE,
	0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff, 0x100000000,
	1ULL << 43, 1ULL << 52, (1ULL << 63) - PAGE, (1ULL << 63) - 1,
	1ULL << 63, -SZ_2M, -PAGE * 2, -PAGE, -PAGE + 1, -8ULL, -2ULL, -1ULL,
};

uint64_t fuzz_rand(struct fuzz_thread *t, uint64_t below)
{
	return gmem_rand(&t->rng) % below;
}

bool fuzz_chance(struct fuzz_thread *t, unsigned int one_in)
{
	return !fuzz_rand(t, one_in);
}

/* A number at a limit, or any number. */
uint64_t fuzz_number(struct fuzz_thread *t)
{
	if (fuzz_chance(t, 8))
		return gmem_rand(&t->rng);
	return numbers[fuzz_rand(t, sizeof(numbers) / sizeof(*numbers))];
}

/* A byte offset in an object of @length bytes. */
uint64_t fuzz_offset(struct fuzz_thread *t, uint64_t length)
{
	uint64_t pages = length / PAGE;

	switch (fuzz_rand(t, 32)) {
	case 0:
		return fuzz_number(t);
	case 1:
		return length;
	case 2:
		return length - PAGE;
	case 3:
		return fuzz_rand(t, length + 1);
	case 4 ... 6:
		/* Near the edge of a block of the state map */
		return (511 + fuzz_rand(t, 3)) * PAGE;
	case 7 ... 10:
		return 0;
	default:
		return pages ? fuzz_rand(t, pages) * PAGE : 0;
	}
}

/* A length from @offset on, in an object of @length bytes. */
uint64_t fuzz_length(struct fuzz_thread *t, uint64_t offset, uint64_t length)
{
	uint64_t left = length > offset ? length - offset : PAGE;

	switch (fuzz_rand(t, 32)) {
	case 0:
		return fuzz_number(t);
	case 1:
		return fuzz_rand(t, left + 1);
	case 2:
		return left + PAGE;
	case 3 ... 5:
		return left;
	case 6 ... 15:
		return PAGE;
	default:
		left = (1 + fuzz_rand(t, 40)) * PAGE < left ?
			       (1 + fuzz_rand(t, 40)) * PAGE : left;
		return left;
	}
}

/* A number from 0 to @valid, sometimes larger. */
uint32_t fuzz_u32(struct fuzz_thread *t, uint32_t valid)
{
	if (fuzz_chance(t, 16))
		return (uint32_t)fuzz_number(t);
	return (uint32_t)fuzz_rand(t, (uint64_t)valid + 1);
}

struct fuzz_slot *fuzz_slot(struct fuzz_thread *t, enum fuzz_kind kind)
{
	return &t->fuzz->slot[kind][fuzz_rand(t, FUZZ_SLOTS)];
}

/* Mostly an fd of @kind. Another thread may have closed it. */
int fuzz_fd(struct fuzz_thread *t, enum fuzz_kind kind, uint64_t *length)
{
	static const int bad[] = { -1, -100, 1 << 20, 0x7fffffff, -0x7fffffff };
	struct fuzz_slot *slot;
	int i;

	if (fuzz_chance(t, 24))
		kind = fuzz_rand(t, FUZZ_KINDS);
	slot = fuzz_slot(t, kind);
	for (i = 0; i < FUZZ_SLOTS && slot->fd < 0; i++)
		slot = &t->fuzz->slot[kind][i];
	if (length)
		*length = __atomic_load_n(&slot->length, __ATOMIC_RELAXED);
	if (fuzz_chance(t, 64))
		return bad[fuzz_rand(t, sizeof(bad) / sizeof(*bad))];
	return __atomic_load_n(&slot->fd, __ATOMIC_RELAXED);
}

/* Put a new descriptor into a slot, and close the old one. */
void fuzz_put_fd(struct fuzz_thread *t, enum fuzz_kind kind, int fd,
		 uint64_t length)
{
	struct fuzz_slot *slot = fuzz_slot(t, kind);
	int old;

	__atomic_store_n(&slot->length, length, __ATOMIC_RELAXED);
	old = __atomic_exchange_n(&slot->fd, fd, __ATOMIC_RELAXED);
	/* The harness uses 0 to 2. */
	if (old > 2)
		close(old);
}

/* An address in the arena, mostly at the start of a page. */
uint8_t *fuzz_address(struct fuzz_thread *t)
{
	uint64_t offset = fuzz_rand(t, FUZZ_ARENA / PAGE) * PAGE;

	/* Where mappings are likely */
	if (!fuzz_chance(t, 4))
		offset %= 2 * SZ_2M;
	if (fuzz_chance(t, 32))
		offset += fuzz_rand(t, PAGE);
	return t->fuzz->arena + offset;
}

/* The place of a view's mapping, or a page in it. */
uint8_t *fuzz_view_address(struct fuzz_thread *t)
{
	uint8_t *place = t->fuzz->arena + FUZZ_ARENA - FUZZ_VIEWS +
			 fuzz_rand(t, FUZZ_VIEWS / FUZZ_PLACE) * FUZZ_PLACE;

	return fuzz_chance(t, 2) ? place : place + fuzz_rand(t, 40) * PAGE;
}

void *fuzz_bad_pointer(struct fuzz_thread *t)
{
	switch (fuzz_rand(t, 8)) {
	case 0:
		return NULL;
	case 1:
		return (void *)(uintptr_t)fuzz_number(t);
	case 2:
		return (void *)0xffff888000001000ULL;
	case 3:
		return (void *)0xffffffff81000000ULL;
	case 4:
		return (void *)0x8000000000000000ULL;
	case 5:
		/* The page after the first one is not mapped. */
		return t->buffer + PAGE - fuzz_rand(t, 64);
	case 6:
		return t->readonly;
	default:
		return t->buffer + PAGE;
	}
}

/* Record the arguments of the next call. */
void fuzz_note_args(struct fuzz_thread *t, struct fuzz_args args)
{
	t->note->args = args;
}
