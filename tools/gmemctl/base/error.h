/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What went wrong, for a person: the object, the action that failed on it, and
 * what to do. The library fills it in and prints nothing.
 */
#ifndef GMEMCTL_BASE_ERROR_H
#define GMEMCTL_BASE_ERROR_H

struct error {
	int rc;
	char object[160];
	char action[192];
	char hint[512];
};

/**
 * error_set() - describe a failure
 * @error: may be NULL
 * @rc: negative errno
 * @object: what the action was done to: a path, a VM, a vCPU
 * @action: what was tried
 * @hint: printf format of what to do about it, or NULL
 *
 * What is too long is cut, between two characters.
 *
 * Return: @rc, so that a caller can return the call.
 */
int error_set(struct error *error, int rc, const char *object,
	      const char *action, const char *hint, ...)
	__attribute__((format(printf, 5, 6)));

/**
 * error_wrap() - say what a failure described by a callee means here
 * @error: may be NULL; what it says becomes the hint
 *
 * Return: @rc.
 */
int error_wrap(struct error *error, int rc, const char *object,
	       const char *action);

/**
 * error_adopt() - take over what another process has described
 * @from: its bytes; that its texts end is not taken for granted
 *
 * Return: what it says, negative; 0 if it describes nothing, and then @error is
 * as before.
 */
int error_adopt(struct error *error, struct error *from);

#endif /* GMEMCTL_BASE_ERROR_H */
