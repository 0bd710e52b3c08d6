/* SPDX-License-Identifier: GPL-2.0 */
/* Messages over a Unix stream socket, with files. */
#ifndef GMEMCTL_BASE_FDPASS_H
#define GMEMCTL_BASE_FDPASS_H

#include <stddef.h>

/** FILES_MAX: files that can go with one message */
#define FILES_MAX 128

/**
 * struct files - the files of a message
 * @fds: @count of them
 */
struct files {
	int fds[FILES_MAX];
	unsigned int count;
};

/**
 * files_send() - send a message, which is small enough to go at once
 * @files: what goes with it, or NULL; stays the caller's
 *
 * Return: 0; -EPIPE if nobody is there any more; -EAGAIN after the timeout of the
 * socket; another negative errno.
 */
int files_send(int socket, const void *bytes, size_t size,
	       const struct files *files);

/**
 * files_receive() - receive a message of a known size
 * @max: files that may come with it; with more it is not taken
 * @files: out: what came, the caller's to close; none on failure
 *
 * Return: 0; -EPIPE at the end; -ETIMEDOUT after the timeout of the socket;
 * -EBADMSG for a message of another size, or with too many files.
 */
int files_receive(int socket, void *bytes, size_t size, unsigned int max,
		  struct files *files);

/** files_timeout() - how long one may wait to send and to receive; 0: for ever */
int files_timeout(int socket, unsigned int ms);

/** files_close() - close all of them */
void files_close(struct files *files);

#endif /* GMEMCTL_BASE_FDPASS_H */
