/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest goes from one process to another: the files of its memory over a Unix
 * socket, with a description of the memory and the state of the machine. The
 * other one builds the same; contents and states stay.
 *
 * DOC: Protocol, little endian
 *
 * The giver sends one message: u32 magic; u32 size of the description; u32 size of
 * the state; s32 zero. With it come the fds of a memfd with the description and
 * the state, and of the memory of each request. Or, if it cannot give: the
 * negative errno instead of the zero, no fds, and a text of the first size.
 *
 * The taker answers, once it has built all of it or has failed to, with an s32: 0
 * or a negative errno. If 0 has come in time the giver says "go", otherwise
 * "cancel", a u32 each. The taker runs the guest only after "go", the giver goes on
 * only if it has not said it. A giver that dies has not said "cancel": the taker
 * goes on after the end of file, so that the guest survives. At no time can both
 * run it.
 *
 * Private pages of kind gmem live in the file and stay private; the taker makes a
 * view of its own before it answers. Those of kind gmem-store live in the
 * guest_memfd of the giver's VM, which no other VM can use. They are converted to
 * shared in place, and by the taker to private again; in between the host can read
 * them. gmem refuses this where the guest's consent is needed. Taker and giver trust
 * each other.
 */
#ifndef GMEMCTL_MEMORY_HANDOVER_H
#define GMEMCTL_MEMORY_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "../base/tlv.h"
#include "description.h"
#include "guest_memory.h"

/** HANDOVER_TIMEOUT_S: how long each side waits for the other */
#define HANDOVER_TIMEOUT_S 60

/** HANDOVER_TEXT_MAX: bytes of the reason for a refusal */
#define HANDOVER_TEXT_MAX 1024

/**
 * struct handover - a guest that was taken
 * @description: to create the guest memory from, its requests having the fds
 * @state: of the machine; a valid list
 * @fds: the files, one for each request
 * @nr_fds: entries in use
 */
struct handover {
	struct description description;
	struct tlv state;
	int fds[DESCRIPTION_REQUESTS_MAX];
	unsigned int nr_fds;
};

/**
 * handover_check() - whether memory of these kinds can leave the process
 *
 * Return: 0, or -EOPNOTSUPP.
 */
int handover_check(const struct guest_memory *memory, struct error *error);

/**
 * handover_give() - give the guest away, and wait for the answer
 * @socket: a Unix stream socket
 * @state: of the machine
 *
 * No vCPU may run. After success the guest is the taker's: it must not run here
 * any more. On failure all is as before, and the taker has been told to leave it
 * alone.
 *
 * Return: 0; -EOPNOTSUPP for a kind of memory, or for private pages, that cannot
 * leave the process; -ETIMEDOUT; what the taker has answered.
 */
int handover_give(int socket, struct guest_memory *memory,
		  const struct tlv *state, struct error *error);

/** handover_refuse() - tell the taker why nothing will come */
void handover_refuse(int socket, const struct error *error);

/** handover_take() - receive the guest; nothing is built yet */
int handover_take(int socket, struct handover *out, struct error *error);

/**
 * handover_restore() - make private what was private
 * @memory: created from the description, and attached
 */
int handover_restore(const struct handover *handover,
		     struct guest_memory *memory, struct error *error);

/**
 * handover_answer() - tell the giver how it went
 * @rc: 0, or why it did not
 *
 * Return: 0 if the guest may, and must, run here now; @rc; -ECANCELED if the giver
 * did not want to wait any longer.
 */
int handover_answer(int socket, int rc, struct error *error);

/** handover_close() - close the files; what was built from them has its own */
void handover_close(struct handover *handover);

#endif /* GMEMCTL_MEMORY_HANDOVER_H */
