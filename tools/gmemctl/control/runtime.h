/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directory with the control sockets of running VMs. It belongs to the user
 * and nobody else can enter it.
 */
#ifndef GMEMCTL_CONTROL_RUNTIME_H
#define GMEMCTL_CONTROL_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/error.h"

#define RUNTIME_NAME_MAX	32
#define RUNTIME_NAME_RULE	"1 to 32 letters, digits, '-', '_' and '.', the " \
				"first one neither '-' nor '.'"
#define RUNTIME_PATH_MAX	108	/* what a socket address holds */

/** runtime_name_valid() - whether it is as RUNTIME_NAME_RULE says */
bool runtime_name_valid(const char *name);

/**
 * runtime_directory() - where the sockets are
 *
 * $GMEMCTL_RUNTIME_DIR; or gmemctl in $XDG_RUNTIME_DIR, or for root in /run; or
 * /tmp/gmemctl-UID.
 */
int runtime_directory(char path[RUNTIME_PATH_MAX], struct error *error);

/** runtime_prepare() - create the directory; refuse one that others can enter */
int runtime_prepare(struct error *error);

/**
 * runtime_find() - check the directory before what is in it is used
 *
 * Return: 0, also if there is none; -EPERM if others could have made it.
 */
int runtime_find(struct error *error);

/** runtime_path() - of the socket of @name, or with @suffix another file */
int runtime_path(const char *name, const char *suffix,
		 char path[RUNTIME_PATH_MAX], struct error *error);

/**
 * runtime_lock() - take a name; it is free again at the latest when we die
 *
 * Return: a descriptor; -EEXIST if a VM has the name; another negative errno.
 */
int runtime_lock(const char *name, struct error *error);

/** runtime_unlock() - let go of the name; closes @fd */
void runtime_unlock(const char *name, int fd);

/**
 * runtime_reap() - remove the socket of a VM that has died
 *
 * Return: whether there was one. That of a VM that runs is left alone.
 */
bool runtime_reap(const char *name);

/**
 * runtime_list() - call @visit for the name of each socket
 *
 * Return: 0; a negative errno; what @visit returned if not 0.
 */
int runtime_list(int (*visit)(const char *name, void *data), void *data, struct error *error);

/**
 * runtime_peer_allowed() - whether to talk to who is at the other end of a socket
 *
 * Only the user of this process, and root, who could do anything anyway.
 */
bool runtime_peer_allowed(int fd);

#endif /* GMEMCTL_CONTROL_RUNTIME_H */
