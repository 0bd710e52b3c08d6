/* SPDX-License-Identifier: GPL-2.0 */
/* Sends and receives messages with files over a Unix stream socket. */
#ifndef GMEMCTL_BASE_FDPASS_H
#define GMEMCTL_BASE_FDPASS_H

#include <stddef.h>

/** FILES_MAX: largest number of files of one message */
#define FILES_MAX 128

/**
 * struct files - the files of a message
 * @fds: the files, @count of them
 */
struct files {
	int fds[FILES_MAX];
	unsigned int count;
};

/**
 * files_send() - send a message that is small enough to be sent at once
 * @files: its files, or NULL; the caller still has to close them
 *
 * Return: 0; -EPIPE if the other side has closed the socket; -EAGAIN after the timeout of the
 * socket; another negative errno.
 */
int files_send(int socket, const void *bytes, size_t size,
	       const struct files *files);

/**
 * files_receive() - receive a message of a known size
 * @max: largest number of files that are accepted
 * @files: out: the files, which the caller has to close; none after a failure
 *
 * Return: 0; -EPIPE at the end of file; -ETIMEDOUT after the timeout of the socket; -EBADMSG
 * for a message of another size, or with too many files.
 */
int files_receive(int socket, void *bytes, size_t size, unsigned int max,
		  struct files *files);

/** files_timeout() - how long one may wait to send and to receive; 0: for ever */
int files_timeout(int socket, unsigned int ms);

/** files_close() - close all files */
void files_close(struct files *files);

#endif /* GMEMCTL_BASE_FDPASS_H */
