/* SPDX-License-Identifier: GPL-2.0 */
/* How a handover gets across a socket; see handover.h. */
#ifndef GMEMCTL_MEMORY_HANDOVER_SOCKET_H
#define GMEMCTL_MEMORY_HANDOVER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "description.h"

/** HANDOVER_TIMEOUT_S: how long each side waits for the other */
#define HANDOVER_TIMEOUT_S 60

/** HANDOVER_TEXT_MAX: bytes of the reason for a refusal */
#define HANDOVER_TEXT_MAX 1024

/**
 * struct handover_parts - what goes over
 * @description: encoded, @description_size bytes; allocated when received
 * @state: likewise @state_size bytes, which may be none
 * @fds: the memory, one for each request
 * @nr_fds: entries in use
 */
struct handover_parts {
	uint8_t *description;
	size_t description_size;
	uint8_t *state;
	size_t state_size;
	int fds[DESCRIPTION_REQUESTS_MAX];
	unsigned int nr_fds;
};

int handover_send(int socket, const struct handover_parts *parts,
		  struct error *error);

/** handover_send_refusal() - in place of handover_send(); @rc is negative */
int handover_send_refusal(int socket, int rc, const char *text);

/** handover_wait() - Return: what the taker answers, or a failure to. */
int handover_wait(int socket, struct error *error);

/**
 * handover_receive() - receive what handover_send() has sent
 * @parts: out: bytes that may be anything; nothing on failure
 *
 * Return: 0; -EBADMSG; -EPIPE if the giver has gone; -ETIMEDOUT; its refusal.
 */
int handover_receive(int socket, struct handover_parts *parts,
		     struct error *error);

int handover_send_answer(int socket, int rc);

/**
 * handover_send_verdict() - whether the taker may run the guest
 *
 * Return: 0 if it can have heard; -EPIPE if it has gone.
 */
int handover_send_verdict(int socket, bool go);

/**
 * handover_wait_verdict() - wait for it
 *
 * Return: 0 for "go", and for a giver that has died; -ECANCELED, -ETIMEDOUT.
 */
int handover_wait_verdict(int socket, struct error *error);

#endif /* GMEMCTL_MEMORY_HANDOVER_SOCKET_H */
