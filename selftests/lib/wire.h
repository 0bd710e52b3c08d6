/* SPDX-License-Identifier: GPL-2.0 */
/* The other end of a guest's network: checks frames, and answers them. */
#ifndef WIRE_H
#define WIRE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

/**
 * struct wire - an end of a network
 * @fd: its socket
 * @peer: address of the other end, of @peer_size bytes; none if @fd needs no address
 * @thread: the thread that answers
 * @stop: set to make @thread end
 * @right: number of correct frames, each of which was answered; changed
 *	atomically, like the following ones
 * @empty: number of frames that consist of zeros
 * @wrong: number of all other frames of the test's type
 */
struct wire {
	int fd;
	struct sockaddr_storage peer;
	socklen_t peer_size;
	pthread_t thread;
	bool stop;
	unsigned int right;
	unsigned int empty;
	unsigned int wrong;
};

/*
 * Exchange datagrams with the socket @peer, which QEMU creates; @own is ours. Return:
 * false with errno.
 */
bool wire_open_unix(struct wire *wire, const char *own, const char *peer);

/* Receive the frames of an interface of the host, such as a tap. */
bool wire_open_interface(struct wire *wire, const char *name);

/* Send unsolicited frames, numbered from 0 on. */
bool wire_send(struct wire *wire, unsigned int count);

/* Wait until this many frames of any kind have come. */
bool wire_wait(const struct wire *wire, unsigned int count);

void wire_close(struct wire *wire);

#endif /* WIRE_H */
