/* SPDX-License-Identifier: GPL-2.0 */
/* The other end of a guest's network: it answers frames, and looks what is in them. */
#ifndef WIRE_H
#define WIRE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

/**
 * struct wire - one of them
 * @fd: its socket
 * @peer: who is at the other end, @peer_size bytes; none: a socket that knows
 * @thread: which answers
 * @stop: set when it is to end
 * @right: frames that had what they should have had, each of which was answered; changed
 *	atomically, as are those that follow
 * @empty: frames that had nothing but zeros in them
 * @wrong: all others of the test's type
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

/* Datagrams between @own and the socket @peer, which QEMU makes. False: see errno. */
bool wire_open_unix(struct wire *wire, const char *own, const char *peer);

/* What comes out of an interface of the host, such as a tap. */
bool wire_open_interface(struct wire *wire, const char *name);

/* Send frames that nobody has asked for, numbered from 0 on. */
bool wire_send(struct wire *wire, unsigned int count);

/* Wait until so many frames have come, of whatever kind. */
bool wire_wait(const struct wire *wire, unsigned int count);

void wire_close(struct wire *wire);

#endif /* WIRE_H */
