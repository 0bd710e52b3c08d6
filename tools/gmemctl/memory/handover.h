/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's memory goes from one process to another: files over a Unix socket,
 * with a description. The other one builds the same; contents and states stay.
 *
 * DOC: Protocol
 *
 * The giver sends one message: u32 magic, u32 size of the description; with it
 * the fds of a memfd with the description and of the memory of each request. The
 * taker answers, once it has built the memory or has failed to, with an s32: 0 or
 * a negative errno. Until then the giver can go on as if nothing had happened.
 *
 * Private pages of kind gmem-store live in the guest_memfd of the giver's VM,
 * which no other VM can use. They are converted to shared in place, and by the
 * taker to private again; in between the host can read them. gmem refuses this
 * where the guest's consent is needed. Taker and giver trust each other.
 */
#ifndef GMEMCTL_MEMORY_HANDOVER_H
#define GMEMCTL_MEMORY_HANDOVER_H

#include "../kvm/error.h"
#include "description.h"
#include "guest_memory.h"

/**
 * struct handover - memory that was taken
 * @description: to create the guest memory from, its requests having the fds
 * @fds: the files, one for each request
 * @nr_fds: entries in use
 */
struct handover {
	struct description description;
	int fds[DESCRIPTION_REQUESTS_MAX];
	unsigned int nr_fds;
};

/**
 * handover_give() - give the memory away, and wait for the answer
 * @socket: a Unix stream socket
 *
 * No vCPU may run. After success the memory is the taker's: the guest must not
 * run here any more. On failure all is as before.
 *
 * Return: 0; -EOPNOTSUPP for a kind of memory, or for private pages, that cannot
 * leave the process; -ETIMEDOUT; what the taker has answered.
 */
int handover_give(int socket, struct guest_memory *memory,
		  struct error *error);

/** handover_take() - receive memory; nothing is built yet */
int handover_take(int socket, struct handover *out, struct error *error);

/**
 * handover_restore() - make private what was private
 * @memory: created from the description, and attached
 */
int handover_restore(const struct handover *handover,
		     struct guest_memory *memory, struct error *error);

/** handover_answer() - tell the giver how it went */
int handover_answer(int socket, int rc);

/** handover_close() - close the files; what was built from them has its own */
void handover_close(struct handover *handover);

#endif /* GMEMCTL_MEMORY_HANDOVER_H */
