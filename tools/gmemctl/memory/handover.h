/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Moves a guest to another process. The files of its memory go over a Unix socket, with a
 * description of the memory and the state of the machine. The other process builds the same
 * machine. Contents and states of pages stay.
 *
 * DOC: Protocol, little endian
 *
 * The giver sends one message: u32 magic; u32 size of the description; u32 size of the
 * state; s32 zero. The message has the fds of a memfd with the description and the state,
 * and of the memory of each request. If the giver cannot give the guest away, the message has
 * a negative errno instead of the zero, no fds, and a text of the first size.
 *
 * The taker builds the machine, and answers with an s32: 0 or a negative errno. If the giver
 * receives a 0 in time, it sends "go", otherwise "cancel", a u32 each. The taker runs the
 * guest only after "go", and the giver only if it has not sent "go". If the giver dies before
 * it sends "cancel", the taker reads the end of file and runs the guest, so that the guest
 * survives. The two never run the guest at the same time.
 *
 * Private pages of kind gmem are in the gmem file and stay private; the taker makes its own
 * view before it answers. Private pages of kind gmem-store are in the guest_memfd of the
 * giver's VM, which no other VM can use. The giver converts them to shared in place, and the
 * taker converts them back. In between the host can read them. gmem refuses this if the
 * guest's consent is needed. Taker and giver trust each other.
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
 * @description: the description from which the guest memory is created; its requests have
 *	the fds
 * @state: state of the machine; a valid list
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
 * No vCPU may run. After success the guest belongs to the taker and must not run here. After
 * a failure everything is as before, and "cancel" was sent to the taker.
 *
 * Return: 0; -EOPNOTSUPP for a kind of memory, or for private pages, that cannot leave the
 * process; -ETIMEDOUT; or the error that the taker has answered.
 */
int handover_give(int socket, struct guest_memory *memory,
		  const struct tlv *state, struct error *error);

/** handover_refuse() - tell the taker why the guest cannot be given away */
void handover_refuse(int socket, const struct error *error);

/** handover_take() - receive the guest; nothing is built yet */
int handover_take(int socket, struct handover *out, struct error *error);

/**
 * handover_restore() - make the pages private that were private
 * @memory: created from the description, and attached
 */
int handover_restore(const struct handover *handover,
		     struct guest_memory *memory, struct error *error);

/**
 * handover_answer() - tell the giver the result
 * @rc: 0 or a negative errno
 *
 * Return: 0 if the guest has to run here now; @rc, if that is an error; -ECANCELED if the
 * giver has sent "cancel".
 */
int handover_answer(int socket, int rc, struct error *error);

/** handover_close() - close the files; memory that was built from them has its own fds */
void handover_close(struct handover *handover);

#endif /* GMEMCTL_MEMORY_HANDOVER_H */
