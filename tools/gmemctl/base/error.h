/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Describes a failure for people: the object, the failed action, and what to do. The
 * library fills it in and prints nothing.
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
 * @object: object of the action: a path, a VM, a vCPU
 * @action: the action that has failed
 * @hint: printf format of what to do about it, or NULL
 *
 * Texts that are too long are cut between two characters.
 *
 * Return: @rc, so that a caller can write return error_set(...).
 */
int error_set(struct error *error, int rc, const char *object,
	      const char *action, const char *hint, ...)
	__attribute__((format(printf, 5, 6)));

/**
 * error_wrap() - replace object and action of a failure that a callee has described
 * @error: may be NULL; its earlier text becomes the hint
 *
 * Return: @rc.
 */
int error_wrap(struct error *error, int rc, const char *object,
	       const char *action);

/**
 * error_adopt() - copy a description from another process
 * @from: its bytes, which are not trusted: texts need not be terminated
 *
 * Return: its negative errno; 0 if it describes no failure, and then @error is unchanged.
 */
int error_adopt(struct error *error, struct error *from);

#endif /* GMEMCTL_BASE_ERROR_H */
