/* SPDX-License-Identifier: GPL-2.0 */
/* How a handover gets across a socket; see handover.h. */
#ifndef GMEMCTL_MEMORY_HANDOVER_SOCKET_H
#define GMEMCTL_MEMORY_HANDOVER_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "../kvm/error.h"
#include "description.h"

/** HANDOVER_TIMEOUT_S: how long the giver waits for an answer */
#define HANDOVER_TIMEOUT_S 60

/** handover_send() - send the description, and the fds of the memory */
int handover_send(int socket, const uint8_t *bytes, size_t size, const int *fds,
		  unsigned int nr_fds, struct error *error);

/** handover_wait() - Return: what the taker answers, or a failure to. */
int handover_wait(int socket, struct error *error);

/**
 * handover_receive() - receive what handover_send() has sent
 * @bytes: out: allocated, @size bytes that may be anything
 * @fds: out: room for DESCRIPTION_REQUESTS_MAX
 */
int handover_receive(int socket, uint8_t **bytes, size_t *size, int *fds,
		     unsigned int *nr_fds, struct error *error);

#endif /* GMEMCTL_MEMORY_HANDOVER_SOCKET_H */
